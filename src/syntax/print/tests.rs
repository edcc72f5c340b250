#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::{print, print_statement};
use crate::model::{
    Condition, ConditionEntry, ConditionKey, ConditionValue, Effect, Element, Operator,
    PolicyDocument, PolicyKind, Principal, PrincipalElement, SetQualifier, Span, Spanned,
    Statement, Version,
};
use crate::syntax::parse;

#[test]
fn the_canonical_form_has_one_order_and_no_lists_of_one() {
    let text = r#"{"Statement":{"Condition":{"NumericLessThan":{"K":[1.50,"2"]},"Bool":{"b":[true]},"Null":{}},
        "NotResource":[ "*" ],"NotPrincipal":{"Service":"a.b","AWS":["arn:aws:iam::111122223333:root"]},"NotAction":
        ["kms:Re*","kms:\u0041\n\u0001"],"Effect":"Deny","Sid":"\u00e9 \"\\\/"},"Version":"2012-10-17","Id":"i"}"#;
    let expected = r#"{
  "Version": "2012-10-17",
  "Id": "i",
  "Statement": [
    {
      "Sid": "é \"\\/",
      "Effect": "Deny",
      "NotPrincipal": {
        "Service": "a.b",
        "AWS": "arn:aws:iam::111122223333:root"
      },
      "NotAction": [
        "kms:Re*",
        "kms:A\n\u0001"
      ],
      "NotResource": "*",
      "Condition": {
        "NumericLessThan": {
          "K": [
            1.50,
            "2"
          ]
        },
        "Bool": {
          "b": true
        },
        "Null": {}
      }
    }
  ]
}"#;
    let document = parse(text, PolicyKind::Key).into_result().unwrap();
    assert_eq!(print(&document), expected);
}

#[test]
fn what_no_text_can_say_is_printed_as_what_means_the_same() {
    let mut document = parse(
        r#"{"Statement":{"Effect":"Deny","Principal":"*","Condition":{"Bool":{"k":1}}}}"#,
        PolicyKind::Key,
    )
    .into_result()
    .unwrap();
    for statement in &mut document.statements {
        let account =
            Principal::Account { account: "111122223333".parse().unwrap(), partition: None };
        statement.principal =
            Some(PrincipalElement::Is(vec![at(Principal::Everyone), at(account)]));
        for condition in statement.condition.iter_mut().flat_map(|entry| &mut entry.conditions) {
            condition.values = vec![at(ConditionValue::Number("0x1\"".to_owned()))];
        }
    }
    let printed = print(&document);
    assert!(printed.contains(r#""k": "0x1\"""#), "{printed}");
    let read = parse(&printed, PolicyKind::Key).into_result().unwrap();
    assert_eq!(print(&read), printed);
}

fn at<T>(value: T) -> Spanned<T> {
    Spanned::new(value, Span::default())
}

fn all_at<T: Clone>(values: &[T]) -> Vec<Spanned<T>> {
    values.iter().cloned().map(at).collect()
}

/// The document with every place forgotten.
fn placeless(mut document: PolicyDocument) -> PolicyDocument {
    let none = Span::default();
    fn forget<T>(entries: &mut [Spanned<T>]) {
        for entry in entries {
            entry.span = Span::default();
        }
    }
    document.version.iter_mut().for_each(|version| version.span = none);
    document.id.iter_mut().for_each(|id| id.span = none);
    for statement in &mut document.statements {
        statement.span = none;
        statement.effect.span = none;
        statement.sid.iter_mut().for_each(|sid| sid.span = none);
        match &mut statement.principal {
            Some(PrincipalElement::Is(list) | PrincipalElement::IsNot(list)) => forget(list),
            None => {}
        }
        for element in [&mut statement.action, &mut statement.resource].into_iter().flatten() {
            match element {
                Element::Is(list) | Element::IsNot(list) => forget(list),
            }
        }
        for entry in &mut statement.condition {
            entry.operator.span = none;
            for condition in &mut entry.conditions {
                (condition.span, condition.key.span) = (none, none);
                forget(&mut condition.values);
            }
        }
    }
    document
}

fn element(texts: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = Option<Element>> {
    prop::option::of(prop_oneof![
        prop::collection::vec(texts.clone(), 0..3).prop_map(|list| Element::Is(all_at(&list))),
        prop::collection::vec(texts, 1..3).prop_map(|list| Element::IsNot(all_at(&list))),
    ])
}

fn principals() -> impl Strategy<Value = PrincipalElement> {
    let account = "[0-9]{12}".prop_map(|id| (id.parse().unwrap(), None));
    let root = ("[0-9]{12}", "aws(-[a-z]{2})?")
        .prop_map(|(id, partition)| (id.parse().unwrap(), Some(partition.into())));
    let aws = prop_oneof![
        prop_oneof![account, root]
            .prop_map(|(account, partition)| Principal::Account { account, partition }),
        "arn:aws:(iam::[0-9]{12}:(user|role)(/[a-z]{1,3}){1,2}|sts::[0-9]{12}:assumed-role/a/b)"
            .prop_map(|arn| Principal::Arn(arn.parse().unwrap())),
        "A(ID|RO)A[A-Z0-9]{4,8}".prop_map(|id| Principal::Unique(id.parse().unwrap())),
        Just(Principal::EveryAws),
    ];
    let service =
        "[a-z]{1,3}\\.amazonaws\\.com".prop_map(|name| Principal::Service(name.parse().unwrap()));
    let federated = "[a-z.:/]{1,8}".prop_map(|name| Principal::Federated(name.into()));
    let listed = (
        prop::collection::vec(aws, 1..4),
        prop::collection::vec(service, 0..3),
        prop::collection::vec(federated, 0..2),
        any::<bool>(),
    )
        .prop_map(|(mut aws, service, federated, swapped)| {
            if swapped {
                [service, federated, aws].concat()
            } else {
                aws.extend(service);
                aws.extend(federated);
                aws
            }
        });
    prop_oneof![
        1 => Just(PrincipalElement::Is(vec![at(Principal::Everyone)])),
        1 => Just(PrincipalElement::Is(Vec::new())),
        2 => listed.clone().prop_map(|list| PrincipalElement::Is(all_at(&list))),
        2 => listed.prop_map(|list| PrincipalElement::IsNot(all_at(&list))),
    ]
}

fn condition() -> impl Strategy<Value = Vec<ConditionEntry>> {
    let value = prop_oneof![
        any::<bool>().prop_map(ConditionValue::Boolean),
        "-?[1-9][0-9]{0,4}(\\.[0-9]{1,2}0)?(e5)?".prop_map(ConditionValue::Number),
        any::<String>().prop_map(ConditionValue::String),
    ];
    let keys = prop::collection::btree_map(
        prop::sample::select(
            &["aws:SourceIp", "kms:ViaService", "aws:PrincipalTag/É \"x", "k"][..],
        ),
        prop::collection::vec(value, 0..3),
        0..3,
    );
    let operators = Operator::ALL
        .iter()
        .copied()
        .filter(|operator| !operator.as_str().starts_with("Date"))
        .map(|operator| operator.to_string());
    let name = (
        prop::sample::select(&["", "ForAllValues:", "ForAnyValue:"][..]),
        prop::sample::select(operators.collect::<Vec<_>>()),
        prop::sample::select(&["", "IfExists"][..]),
    )
        .prop_filter_map("`NullIfExists` does not exist", |(qualifier, name, suffix)| {
            let text = format!("{qualifier}{name}{suffix}");
            text.parse::<crate::model::ConditionOperator>().is_ok().then_some(text)
        });
    prop::collection::btree_map(name, keys, 0..3).prop_map(|entries| {
        let entry = |(operator, keys): (String, std::collections::BTreeMap<&str, Vec<_>>)| {
            let conditions = keys.into_iter().map(|(key, values)| Condition {
                key: at(ConditionKey::new(key)),
                values: all_at(&values),
                span: Span::default(),
            });
            ConditionEntry {
                operator: at(operator.parse().unwrap()),
                conditions: conditions.collect(),
            }
        };
        entries.into_iter().map(entry).collect()
    })
}

fn document() -> impl Strategy<Value = PolicyDocument> {
    let statement = (
        prop::option::of(any::<String>()),
        prop::sample::select(Effect::ALL),
        principals(),
        element("\\*|[a-z0-9.-]{1,4}:[^:]{0,6}".boxed()),
        element(any::<String>().boxed()),
        condition(),
    );
    let version = prop::option::of(prop::sample::select(Version::ALL));
    let id = prop::option::of(any::<String>());
    (version, id, prop::collection::vec(statement, 1..4)).prop_map(|(version, id, statements)| {
        let mut sids = std::collections::HashSet::new();
        let statements = statements.into_iter().map(|parts| {
            let (sid, effect, principal, action, resource, condition) = parts;
            let sid = sid.filter(|sid| sid.is_empty() || sids.insert(sid.clone())).map(at);
            let (effect, principal, span) = (at(effect), Some(principal), Span::default());
            Statement { sid, effect, principal, action, resource, condition, span }
        });
        let statements = statements.collect();
        PolicyDocument { version: version.map(at), id: id.map(at), statements }
    })
}

#[test]
fn qualifiers_are_printed() {
    let text = r#"{"Statement":{"Effect":"Deny","Principal":"*","Condition":
        {"ForAnyValue:StringLikeIfExists":{"k":"v"}}}}"#;
    let document = parse(text, PolicyKind::Key).into_result().unwrap();
    let qualifiers: Vec<_> = document
        .statements
        .iter()
        .flat_map(|statement| &statement.condition)
        .map(|entry| entry.operator.value.qualifier)
        .collect();
    assert_eq!(qualifiers, [Some(SetQualifier::ForAnyValue)]);
    assert!(print(&document).contains(r#""ForAnyValue:StringLikeIfExists""#));
}

proptest! {
    #[test]
    fn a_printed_document_is_read_as_itself(document in document()) {
        let text = print(&document);
        let read = parse(&text, PolicyKind::Key).into_result();
        prop_assert!(read.is_ok(), "{text}\n{read:?}");
        let read = read.unwrap();
        prop_assert_eq!(print(&read), text);
        prop_assert_eq!(placeless(read), document);
    }

    #[test]
    fn a_printed_document_is_json(document in document()) {
        prop_assert!(serde_json::from_str::<serde_json::Value>(&print(&document)).is_ok());
    }

    #[test]
    fn a_statement_on_one_line_says_what_it_says_in_its_document(document in document()) {
        use serde_json::Value;
        let whole: Value = serde_json::from_str(&print(&document)).unwrap();
        for (number, statement) in document.statements.iter().enumerate() {
            let line = print_statement(statement);
            prop_assert!(!line.contains('\n'), "{line}");
            let one: Value = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(Some(&one), whole.pointer(&format!("/Statement/{number}")), "{}", line);
        }
    }
}
