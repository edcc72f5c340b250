#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::{MAX_CONDITION_VALUES, MAX_ENTRIES, MAX_STATEMENTS, Parsed, SyntaxErrorKind, parse};
use crate::model::PolicyKind::{
    self, Boundary, Endpoint, Identity, Key, ResourceControl, ServiceControl, Session,
};
use crate::model::{Condition, ConditionValue, Element, Principal, PrincipalElement};

const KINDS: [PolicyKind; 7] =
    [Boundary, Endpoint, Identity, Key, ResourceControl, ServiceControl, Session];

/// A policy of one statement with these members besides `Effect`.
fn policy(members: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny",{members}}}}}"#)
}

fn identity(members: &str) -> String {
    policy(&format!(r#""Action":"kms:*","Resource":"*",{members}"#))
}

fn key(principal: &str) -> String {
    policy(&format!(r#""Action":"kms:*","Resource":"*","Principal":{principal}"#))
}

fn condition(condition: &str) -> String {
    identity(&format!(r#""Condition":{condition}"#))
}

/// Each error as `<text at its span>: <message>`.
fn errors(text: &str, kind: PolicyKind) -> Vec<String> {
    let Parsed { errors, .. } = parse(text, kind);
    let at = |start, end| text.get(start..end).unwrap();
    errors.iter().map(|e| format!("{}: {e}", at(e.span.start(), e.span.end()))).collect()
}

#[track_caller]
fn check(kind: PolicyKind, text: &str, expected: &[&str]) {
    assert_eq!(errors(text, kind), expected, "{kind:?} {text}");
}

#[test]
fn the_envelope_is_checked() {
    for (text, expected) in [
        ("[]", &["[]: a policy must be an object, not an array"][..]),
        (r#""*""#, &[r#""*": a policy must be an object, not a string"#]),
        ("{}", &["{: the policy has no `Statement`"]),
        (r#"{"Statement":[]}"#, &["[]: `Statement` is empty"]),
        (
            r#"{"Statement":"x"}"#,
            &[r#""x": `Statement` must be an object or an array of objects, not a string"#],
        ),
        (r#"{"Statement":[null]}"#, &["null: a statement must be an object, not `null`"]),
        (
            r#"{"Statment":{}}"#,
            &[
                "{: the policy has no `Statement`",
                r#""Statment": `Statment` is not a member of a policy"#,
            ],
        ),
    ] {
        check(Key, text, expected);
    }
    let rest = r#""Statement":{"Effect":"Deny","Action":"kms:*","Resource":"*"}}"#;
    for (start, expected) in [
        (r#"{"Version":"2008-10-17","Id":"any id",{}"#, &[][..]),
        (
            r#"{"Version":"2020-01-01",{}"#,
            &[r#""2020-01-01": `2020-01-01` is not a version of the policy language"#],
        ),
        (r#"{"Version":20121017,{}"#, &["20121017: `Version` must be a string, not a number"]),
        (r#"{"Id":7,{}"#, &["7: `Id` must be a string, not a number"]),
        (r#"{"Id":"a","Id":"b",{}"#, &[r#""Id": member `Id` is given twice"#]),
        (r#"{"Foo":1,{}"#, &[r#""Foo": `Foo` is not a member of a policy"#]),
        (r#"{"version":"2012-10-17",{}"#, &[r#""version": `version` is not a member of a policy"#]),
    ] {
        check(Identity, &start.replace("{}", rest), expected);
    }
}

#[test]
fn a_statement_needs_its_members() {
    let missing = [
        "{: the statement has no `Effect`",
        "{: the statement has no `Principal` or `NotPrincipal`",
        "{: the statement has no `Action` or `NotAction`",
        "{: the statement has no `Resource` or `NotResource`",
    ];
    check(Endpoint, r#"{"Statement":{}}"#, &missing);
    // KMS stores a statement without actions or resources.
    check(Key, r#"{"Statement":{}}"#, &missing[..2]);
    check(Identity, r#"{"Statement":{}}"#, &[missing[0], missing[2], missing[3]]);
    check(Key, &policy(r#""Principal":"*""#), &[]);
    let parsed = parse(&policy(r#""Principal":"*""#), Key).into_result().unwrap();
    assert_eq!((&parsed.statements[0].action, &parsed.statements[0].resource), (&None, &None));
}

#[test]
fn members_of_a_statement_are_checked() {
    for (members, expected) in [
        (r#""Sid":"abcXYZ019""#, &[][..]),
        (r#""Sid":"""#, &[]),
        (
            r#""Sid":"a b""#,
            &[r#""a b": statement id `a b` has other characters than letters and digits"#],
        ),
        (r#""Sid":1"#, &["1: `Sid` must be a string, not a number"]),
        (r#""Resourc":"*""#, &[r#""Resourc": `Resourc` is not a member of a statement"#]),
        (r#""Effect":"Allow""#, &[r#""Effect": member `Effect` is given twice"#]),
        (r#""Eff\u0065ct":"Allow""#, &[r#""Eff\u0065ct": member `Effect` is given twice"#]),
        (
            r#""NotAction":"kms:*""#,
            &[r#""NotAction": a statement has either `Action` or `NotAction`, not both"#],
        ),
        (
            r#""NotResource":"*""#,
            &[r#""NotResource": a statement has either `Resource` or `NotResource`, not both"#],
        ),
        (
            r#""Principal":"*""#,
            &[r#""Principal": an identity-based policy must not have `Principal`"#],
        ),
        (
            r#""NotPrincipal":"*""#,
            &[r#""NotPrincipal": an identity-based policy must not have `NotPrincipal`"#],
        ),
    ] {
        check(Identity, &identity(members), expected);
    }
    let both = policy(r#""NotPrincipal":{"AWS":"111122223333"},"Principal":"*""#);
    check(
        Key,
        &both,
        &[r#""Principal": a statement has either `NotPrincipal` or `Principal`, not both"#],
    );
    check(Endpoint, &policy(r#""Sid":"a b","Principal":"*","Action":"*","Resource":"*""#), &[]);
    check(Key, &policy(r#""Sid":"Allow use: é!","Principal":"*""#), &[]);
}

#[test]
fn effects_are_allow_or_deny() {
    for (effect, expected) in [
        (r#""Allow""#, &[][..]),
        (r#""allow""#, &[r#""allow": `allow` is not an effect"#]),
        (r#""Permit""#, &[r#""Permit": `Permit` is not an effect"#]),
        ("true", &["true: `Effect` must be a string, not a boolean"]),
    ] {
        let text =
            format!(r#"{{"Statement":[{{"Effect":{effect},"Action":"*","Resource":"*"}}]}}"#);
        check(Identity, &text, expected);
    }
}

#[test]
fn statement_ids_are_unique_but_for_empty_ones() {
    let statement =
        |sid: &str| format!(r#"{{"Sid":"{sid}","Effect":"Deny","Action":"*","Resource":"*"}}"#);
    let policy =
        |a: &str, b: &str| format!(r#"{{"Statement":[{},{}]}}"#, statement(a), statement(b));
    check(Identity, &policy("a", "A"), &[]);
    check(Identity, &policy("", ""), &[]);
    check(Identity, &policy("a", "a"), &[r#""a": statement id `a` is given twice"#]);
}

#[test]
fn actions_are_a_star_or_service_and_name() {
    for (action, expected) in [
        (r#""*""#, &[][..]),
        (r#""kms:*""#, &[]),
        (r#""KMS:Re*crypt?""#, &[]),
        (r#"["s3:GetObject","no-such.service9:x y","kms:"]"#, &[]),
        (r#""Decrypt""#, &[r#""Decrypt": action `Decrypt` has no service prefix"#]),
        (r#"["kms:*",":Decrypt"]"#, &[r#"":Decrypt": action `:Decrypt` has no service prefix"#]),
        (r#""**""#, &[r#""**": action `**` has no service prefix"#]),
        (r#""""#, &[r#""": action `` has no service prefix"#]),
        (r#""kms:x:y""#, &[r#""kms:x:y": action `kms:x:y` has more than one colon"#]),
        (
            r#""k*:Decrypt""#,
            &[r#""k*:Decrypt": action `k*:Decrypt` has a wildcard in its service prefix"#],
        ),
        (
            r#""k?s:Decrypt""#,
            &[r#""k?s:Decrypt": action `k?s:Decrypt` has a wildcard in its service prefix"#],
        ),
        (
            r#""k ms:Decrypt""#,
            &[
                r#""k ms:Decrypt": action `k ms:Decrypt` has a service prefix with other characters than letters, digits, `.` and `-`"#,
            ],
        ),
        ("[]", &["[]: `Action` is empty"]),
        ("{}", &["{}: `Action` must be a string or an array of strings, not an object"]),
        (
            r#"["kms:*",1,null]"#,
            &[
                "1: `Action` must be a string or an array of strings, not a number",
                "null: `Action` must be a string or an array of strings, not `null`",
            ],
        ),
    ] {
        check(Identity, &policy(&format!(r#""Resource":"*","Action":{action}"#)), expected);
    }
}

#[test]
fn resources_are_arns_outside_key_policies() {
    let text = |kind: PolicyKind, resource: &str| {
        let principal = if kind.has_principals() { r#""Principal":"*","# } else { "" };
        policy(&format!(r#"{principal}"Action":"kms:*","Resource":{resource}"#))
    };
    for kind in KINDS {
        check(kind, &text(kind, r#""*""#), &[]);
        check(
            kind,
            &text(kind, r#"["arn:aws:kms:*:*:key/*","arn:aws:s3:::a/${aws:username}"]"#),
            &[],
        );
        let bad = text(kind, r#"["alias/x",""]"#);
        let empty = text(kind, "[]");
        if kind == Key {
            check(kind, &bad, &[]);
            check(kind, &empty, &[]);
        } else {
            let neither = [
                r#""alias/x": resource `alias/x` is neither an ARN nor `*`"#,
                r#""": resource `` is neither an ARN nor `*`"#,
            ];
            check(kind, &bad, &neither);
            check(kind, &empty, &["[]: `Resource` is empty"]);
        }
        let incomplete = text(kind, r#""arn:aws:kms:*""#);
        if kind == Session {
            check(
                kind,
                &incomplete,
                &[r#""arn:aws:kms:*": resource `arn:aws:kms:*` is an incomplete ARN"#],
            );
        } else {
            check(kind, &incomplete, &[]);
        }
    }
}

#[test]
fn negated_lists_are_empty_nowhere() {
    let text = policy(r#""NotPrincipal":{},"NotAction":[],"NotResource":[]"#);
    check(
        Key,
        &text,
        &["{}: `NotPrincipal` is empty", "[]: `NotAction` is empty", "[]: `NotResource` is empty"],
    );
}

#[test]
fn principals_are_named_in_full() {
    let user = r#"{"AWS":"arn:aws:iam::111122223333:user/a/b"}"#;
    for (principal, expected) in [
        (r#""*""#, &[][..]),
        (user, &[]),
        (
            r#"{"AWS":["*","111122223333","arn:aws-cn:iam::111122223333:root","AROAEXAMPLEADMIN"]}"#,
            &[],
        ),
        (
            r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/a/s","Service":["a.amazonaws.com"]}"#,
            &[],
        ),
        (r#"{"Federated":"cognito-identity.amazonaws.com","CanonicalUser":"79a5"}"#, &[]),
        ("{}", &[]),
        (r#"{"AWS":[],"Service":[]}"#, &[]),
        (
            r#""111122223333""#,
            &[r#""111122223333": principal `111122223333` stands outside an object"#],
        ),
        (r#"["*"]"#, &[r#"["*"]: `Principal` must be `"*"` or an object, not an array"#]),
        (
            r#"{"AWS":"arn:aws:iam::111122223333:user/*"}"#,
            &[
                r#""arn:aws:iam::111122223333:user/*": principal `arn:aws:iam::111122223333:user/*` has a wildcard"#,
            ],
        ),
        (
            r#"{"AWS":"arn:aws:iam::111122223333:group/a"}"#,
            &[
                r#""arn:aws:iam::111122223333:group/a": principal `arn:aws:iam::111122223333:group/a` is a group"#,
            ],
        ),
        (
            r#"{"AWS":["1111","*"]}"#,
            &[r#""1111": principal `1111` is not an account, user, role, session or unique id"#],
        ),
        (r#"{"Service":"*"}"#, &[r#""*": principal `*` has a wildcard"#]),
        (r#"{"Service":"kms"}"#, &[r#""kms": principal `kms` is not the name of a service"#]),
        (r#"{"Federated":""}"#, &[r#""": principal `` is empty"#]),
        (r#"{"aws":"*"}"#, &[r#""aws": `aws` is not a member of a principal"#]),
        (r#"{"AWS":1}"#, &["1: a principal must be a string or an array of strings, not a number"]),
        (r#"{"AWS":"*","AWS":"*"}"#, &[r#""AWS": member `AWS` is given twice"#]),
    ] {
        check(Key, &key(principal), expected);
    }
    check(Endpoint, &key("{}"), &["{}: `Principal` is empty"]);
    let text =
        key(r#"{"AWS":["111122223333","arn:aws-cn:iam::111122223333:root","*"],"Service":"a.b"}"#);
    let document = parse(&text, Key).into_result().unwrap();
    let Some(PrincipalElement::Is(principals)) = &document.statements[0].principal else {
        panic!()
    };
    let account = "111122223333".parse().unwrap();
    let values: Vec<Principal> = principals.iter().map(|one| one.value.clone()).collect();
    assert_eq!(
        values,
        [
            Principal::Account { account, partition: None },
            Principal::Account { account, partition: Some("aws-cn".into()) },
            Principal::EveryAws,
            Principal::Service("a.b".parse().unwrap()),
        ]
    );
}

#[test]
fn not_principal_with_allow_is_read() {
    let text = r#"{"Statement":{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}}"#;
    let document = parse(text, Key).into_result().unwrap();
    let statement = &document.statements[0];
    assert!(matches!(statement.principal, Some(PrincipalElement::IsNot(_))));
    assert!(matches!(statement.action, Some(Element::Is(_))));
}

#[test]
fn conditions_are_checked() {
    for (text, expected) in [
        ("{}", &[][..]),
        (r#"{"StringEquals":{}}"#, &[]),
        (r#"{"StringEquals":{"k":[]}}"#, &[]),
        (r#"{"ForAllValues:StringLikeIfExists":{"k":["a",1,true]},"Null":{"k":false}}"#, &[]),
        (r#"{"NumericLessThan":{"k":-1.5e+3}}"#, &[]),
        ("[]", &["[]: `Condition` must be an object from operators to objects, not an array"]),
        (
            r#"{"Bool":"true"}"#,
            &[
                r#""true": a condition operator must be an object from keys to values, not a string"#,
            ],
        ),
        (
            r#"{"FooEquals":{"a":"b"}}"#,
            &[r#""FooEquals": `FooEquals` is not a condition operator"#],
        ),
        (r#"{"FooEquals":{}}"#, &[r#""FooEquals": `FooEquals` is not a condition operator"#]),
        (
            r#"{"NullIfExists":{"a":"true"}}"#,
            &[r#""NullIfExists": `NullIfExists` is not a condition operator"#],
        ),
        (
            r#"{"stringequals":{"a":null}}"#,
            &[
                r#""stringequals": `stringequals` is not a condition operator"#,
                "null: a condition value must be a string, a number, a boolean or an array of these, not `null`",
            ],
        ),
        (
            r#"{"StringEquals":{"a":{"b":"c"},"d":[["e"]]}}"#,
            &[
                r#"{"b":"c"}: a condition value must be a string, a number, a boolean or an array of these, not an object"#,
                r#"["e"]: a condition value must be a string, a number, a boolean or an array of these, not an array"#,
            ],
        ),
        (r#"{"Bool":{"a":"b"},"Bool":{"c":"d"}}"#, &[r#""Bool": member `Bool` is given twice"#]),
        (
            r#"{"Bool":{"aws:SecureTransport":"true","aws:securetransport":"false"}}"#,
            &[
                r#""aws:securetransport": condition key `aws:securetransport` is given twice in one operator"#,
            ],
        ),
        (r#"{"Bool":{"a":"true"},"BoolIfExists":{"a":"true"}}"#, &[]),
        (r#"{"DateLessThan":{"a":["2026-01-31","2016-12-13t2:00:00+23",1700000000]}}"#, &[]),
        (
            r#"{"ForAnyValue:DateEqualsIfExists":{"a":["not-a-date",true]}}"#,
            &[r#""not-a-date": `not-a-date` is not a date"#, "true: `true` is not a date"],
        ),
    ] {
        check(Identity, &condition(text), expected);
    }
    let text = condition(r#"{"NumericEquals":{"s3:x":[1.50,"1",true]}}"#);
    let document = parse(&text, Identity).into_result().unwrap();
    let Condition { key, values, span } = &document.statements[0].condition[0].conditions[0];
    assert_eq!(&text[key.span.start()..key.span.end()], r#""s3:x""#);
    assert_eq!(&text[span.start()..span.end()], r#""s3:x":[1.50,"1",true]"#);
    let values: Vec<ConditionValue> = values.iter().map(|value| value.value.clone()).collect();
    assert_eq!(
        values,
        [
            ConditionValue::Number("1.50".into()),
            ConditionValue::String("1".into()),
            ConditionValue::Boolean(true),
        ]
    );
}

#[test]
fn resource_control_policies_deny_named_services_to_everyone() {
    let text = |effect: &str, members: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"{effect}","Resource":"*",{members}}}}}"#
        )
    };
    for (text, expected) in [
        (text("Deny", r#""Principal":"*","Action":"kms:*""#), &[][..]),
        (text("Allow", r#""Principal":"*","Action":"*""#), &[]),
        (
            text("Allow", r#""Principal":"*","Action":"kms:*""#),
            &[r#""Allow": a resource control policy must not have `Allow`"#],
        ),
        (
            text("Deny", r#""Principal":{"AWS":"111122223333"},"Action":"*""#),
            &[
                r#""111122223333": a resource control policy must not have a principal other than `"*"`"#,
                r#""*": a resource control policy must not have the action `*`"#,
            ],
        ),
        (
            text("Deny", r#""NotPrincipal":"*","NotAction":"kms:*""#),
            &[
                r#""*": a resource control policy must not have `NotPrincipal`"#,
                r#""kms:*": a resource control policy must not have `NotAction`"#,
            ],
        ),
    ] {
        check(ResourceControl, &text, expected);
    }
}

#[test]
fn control_policies_insist_on_the_current_version() {
    let text = |version: &str| {
        format!(r#"{{{version}"Statement":{{"Effect":"Deny","Action":"kms:*","Resource":"*"}}}}"#)
    };
    let old = text(r#""Version":"2008-10-17","#);
    check(
        ServiceControl,
        &text(""),
        &["{: a service control policy must have the version `2012-10-17`"],
    );
    check(
        ServiceControl,
        &old,
        &[r#""2008-10-17": a service control policy must have the version `2012-10-17`"#],
    );
    check(Boundary, &text(""), &[]);
    check(Session, &old, &[]);
}

#[test]
fn counts_have_limits() {
    let of = |count: usize, item: &str| vec![item; count].join(",");
    let statement = r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#;
    let statements = |count| format!(r#"{{"Statement":[{}]}}"#, of(count, statement));
    let entries = |count| policy(&format!(r#""Principal":"*","Action":[{}]"#, of(count, r#""*""#)));
    let values = |count| condition(&format!(r#"{{"Bool":{{"k":[{}]}}}}"#, of(count, "1")));
    check(Identity, &statements(MAX_STATEMENTS), &[]);
    let error = format!("{statement}: more than 10000 statements");
    check(Identity, &statements(MAX_STATEMENTS + 2), &[&error]);
    check(Key, &entries(MAX_ENTRIES), &[]);
    let error = r#""*": more than 20000 principals, actions and resources"#;
    check(Key, &entries(MAX_ENTRIES + 2), &[error]);
    check(Identity, &values(MAX_CONDITION_VALUES), &[]);
    check(Identity, &values(MAX_CONDITION_VALUES + 2), &["1: more than 20000 condition values"]);
}

#[test]
fn misspelt_names_get_a_hint() {
    for (text, expected) in [
        (r#"{"Statment":[]}"#, "did you mean `Statement`?"),
        (r#"{"Frobnicate":[]}"#, "a policy has `Version`, `Id`, `Statement`"),
        (&identity(r#""effect":"Deny""#), "did you mean `Effect`?"),
        (&identity(r#""Resourc":"*""#), "did you mean `Resource`?"),
        (&condition(r#"{"stringequal":{}}"#), "did you mean `StringEquals`?"),
        (
            &condition(r#"{"forAllValue:StringLikeifexists":{}}"#),
            "did you mean `ForAllValues:StringLikeIfExists`?",
        ),
        (&condition(r#"{"NullIfExists":{}}"#), "did you mean `Null`?"),
        (
            &condition(r#"{"é:é":{}}"#),
            "write an operator such as `StringEquals`, `ArnLike` or `Bool`; the case counts",
        ),
    ] {
        let errors = parse(text, Identity).errors;
        let helps: Vec<String> = errors.iter().filter_map(|e| e.kind.help()).collect();
        assert!(helps.iter().any(|help| help == expected), "{text}: {helps:?}");
    }
}

#[test]
fn a_document_with_errors_is_no_result() {
    let parsed =
        parse(r#"{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"},{}]}"#, Identity);
    assert_eq!(parsed.document.as_ref().unwrap().statements.len(), 1);
    assert_eq!(parsed.into_result().unwrap_err().len(), 3);
    let parsed = parse("not json", Identity);
    assert_eq!(parsed.document, None);
    let errors = parsed.into_result().unwrap_err();
    assert!(matches!(errors[0].kind, SyntaxErrorKind::NotJson { .. }));
}

/// The cases of `policy_valid` that cannot hold here, with the reason.
const EXCLUDED: &[(&str, &str)] = &[];

fn kind_of(policy_type: &str) -> Option<PolicyKind> {
    Some(match policy_type {
        "identity" | "identity-managed" | "identity-inline" => Identity,
        "boundary" => Boundary,
        "session" => Session,
        "key" | "key-policy" => Key,
        "scp" => ServiceControl,
        "rcp" => ResourceControl,
        "vpce" | "endpoint" => Endpoint,
        _ => return None,
    })
}

#[test]
fn documents_are_valid_where_aws_takes_them() {
    let vectors =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/iam.jsonl"))
            .unwrap();
    let mut checked = 0;
    for line in vectors.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let id = case["id"].as_str().unwrap();
        let certain =
            matches!(case["certainty"].as_str(), Some("documented" | "derived" | "observed"));
        if case["kind"] != "policy_valid"
            || !certain
            || EXCLUDED.iter().any(|(case, _)| *case == id)
        {
            continue;
        }
        let kind = kind_of(case["input"]["policyType"].as_str().unwrap()).unwrap();
        let errors = parse(case["input"]["raw"].as_str().unwrap(), kind).errors;
        assert_eq!(errors.is_empty(), case["expected"]["valid"] == true, "{id}: {errors:?}");
        checked += 1;
    }
    assert!(checked >= 25, "{checked}");
}

/// The vectors that are evaluated hold policies too, and all of them are to be read.
#[test]
fn documents_of_evaluated_cases_are_read() {
    let vectors =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/iam.jsonl"))
            .unwrap();
    let mut checked = 0;
    for line in vectors.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        if case["kind"] != "evaluate" {
            continue;
        }
        for (name, kind) in [
            ("identity", Identity),
            ("boundary", Boundary),
            ("session", Session),
            ("scps", ServiceControl),
            ("rcps", ResourceControl),
            ("vpce", Endpoint),
            ("resource", Key),
        ] {
            let mut waiting = vec![&case["input"]["policies"][name]];
            while let Some(value) = waiting.pop() {
                if let Some(values) = value.as_array() {
                    waiting.extend(values);
                } else if value.is_object() {
                    let errors = parse(&value.to_string(), kind).errors;
                    assert_eq!(errors, [], "{} {name}", case["id"]);
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 100, "{checked}");
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        kind in prop::sample::select(&KINDS[..]),
    ) {
        let parsed = parse(&String::from_utf8_lossy(&bytes), kind);
        prop_assert!(parsed.document.is_some() || !parsed.errors.is_empty());
    }

    #[test]
    fn no_policy_like_text_makes_the_parser_panic(
        words in prop::collection::vec(prop::sample::select(WORDS), 0..40),
        kind in prop::sample::select(&KINDS[..]),
    ) {
        let text = format!(r#"{{"Statement":[{{{}}}]}}"#, words.concat());
        let parsed = parse(&text, kind);
        prop_assert!(parsed.document.is_some() || !parsed.errors.is_empty());
        for error in parsed.errors {
            prop_assert!(text.get(error.span.start()..error.span.end()).is_some());
        }
    }
}

const WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\\u00e9",
    "\\ud800",
    "\u{1}",
    "\u{a0}",
    "é",
    "1",
    "-",
    "e5",
    "null",
    "true",
    r#""Effect""#,
    r#""Allow""#,
    r#""Action""#,
    r#""kms:*""#,
    r#""Resource""#,
    r#""Principal""#,
    r#""AWS""#,
    r#""*""#,
    r#""Condition""#,
    r#""Bool""#,
    r#""Date":"#,
    "//",
    "'",
];
