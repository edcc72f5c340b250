//! A decision allocates nothing, and a whole ReEncrypt no more than it must.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "bench/fixture.rs"]
mod fixture;

use allocation_counter::measure;
use keyproof::authorize::{Authorizer, NoInspector};
use keyproof::compile::{Known, PolicySlot};
use keyproof::evaluate::{Attached, GrantSubject, Policies, Question, RequestContext, decide};
use keyproof::model::{Action, ContextMap, ContextValue, Decision, Operator, PolicyKind, Readings};

use fixture::{SMALL, Size, asks, caller, re_encrypt, world};

#[test]
fn a_decision_allocates_nothing() {
    for size in [SMALL, Size { statements: 1_000, ..SMALL }, Size { grants: 50_000, ..SMALL }] {
        let world = world(size);
        let authorizer = Authorizer::new(&world);
        let caller = caller();
        for (name, ask) in asks() {
            let mut decision = Decision::Undetermined;
            let counted = measure(|| decision = authorizer.decide_leg(&ask.leg(), &caller));
            assert_eq!(counted.count_total, 0, "{name} ({decision}) of {size:?}");
        }
    }
}

/// Every operator, with values of every kind, in statements that are all asked.
#[test]
fn no_condition_allocates() {
    let keys = [
        "aws:userid",
        "aws:PrincipalTag/team",
        "aws:SourceIp",
        "aws:CurrentTime",
        "aws:MultiFactorAuthAge",
        "aws:TagKeys",
        "aws:SourceArn",
        "kms:EncryptionContext:tenant",
        "k:other",
    ];
    let values = [
        r#""a*c""#,
        r#""*${aws:userid}?""#,
        r#""203.0.113.0/24""#,
        r#""2020-01-01T00:00:00Z""#,
        r#""17.5""#,
        r#""arn:aws:*:*:*:log-group:?*""#,
        r#""YWJj""#,
        r#""true""#,
    ];
    let mut statements = Vec::new();
    for operator in Operator::ALL {
        for qualifier in ["", "ForAllValues:", "ForAnyValue:"] {
            for key in keys {
                let effect = if statements.len() % 2 == 0 { "Allow" } else { "Deny" };
                // A date that is none is refused when the policy is read; an ARN whose parts come
                // out of variables is put together at each decision.
                let is_date = operator.as_str().starts_with("Date");
                let is_arn = operator.as_str().starts_with("Arn");
                let values = values.iter().filter(|value| {
                    (!is_date || value.contains("2020-")) && !(is_arn && value.contains("${"))
                });
                let values = values.copied().collect::<Vec<_>>().join(",");
                statements.push(format!(
                    r#"{{"Effect":"{effect}","Action":"kms:Decrypt","Resource":["arn:aws:kms:*:*:key/${{aws:username}}","arn:aws:kms:?*:111122223333:key/*-*"],"Condition":{{"{qualifier}{operator}":{{"{key}":[{values}]}}}}}}"#
                ));
            }
        }
    }
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    let identity = [fixture::slot(&text, PolicyKind::Identity, "identity")];
    let caller = caller();
    let mut context = ContextMap::new();
    for (name, value) in [
        ("aws:userid", "AROAEXAMPLEORDERS0001:i-0a1b2c3d4e5f60718"),
        ("aws:PrincipalTag/team", "orders"),
        ("aws:SourceIp", "203.0.113.7"),
        ("aws:CurrentTime", "2026-03-01T10:00:00.5+01:00"),
        ("aws:MultiFactorAuthAge", "17.50"),
        ("aws:SourceArn", "arn:aws:logs:eu-central-1:111122223333:log-group:orders"),
        ("k:other", "YWJj"),
    ] {
        context.set(name, ContextValue::One(value.to_owned()));
    }
    context.set("aws:TagKeys", ContextValue::Many(vec!["team".to_owned(), "abc".to_owned()]));
    let readings = Readings::default();
    let none = Attached::NotApplicable;
    let question = Question {
        principal: &caller.principal,
        resource: fixture::KEY,
        region_disabled: false,
        resource_account: caller.principal.account(),
        context: RequestContext {
            action: Action::Decrypt,
            stated: &context,
            facts: None,
            grant: GrantSubject::None,
        },
        policies: Policies {
            key: none,
            identity: Attached::Union(&identity),
            boundary: none,
            session: none,
            service_control: none,
            resource_control: none,
            endpoint: none,
            grants: Err("not told"),
        },
        grant_tokens: &[],
        readings: &readings,
    };
    let counted = measure(|| {
        let _ = decide(&question);
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn a_re_encrypt_is_judged_without_allocations() {
    let world = world(SMALL);
    let authorizer = Authorizer::new(&world);
    let caller = caller();
    let request = re_encrypt();
    let mut proof = None;
    let counted = measure(|| {
        let operation = authorizer.resolve_re_encrypt(request, &caller, &NoInspector).unwrap();
        proof = Some(authorizer.authorize(operation, &caller).unwrap());
    });
    assert_eq!(counted.count_total, 0);
    drop(proof);
}

#[test]
fn a_changed_world_shares_what_is_not_changed() {
    let world = world(Size { grants: 50_000, ..SMALL });
    let arn = fixture::KEY.parse().unwrap();
    let slots: Vec<PolicySlot> = world.key(&arn).unwrap().policies.to_vec();
    let counted = measure(|| {
        let changed = world.with_key_policies(&arn, slots).unwrap();
        assert!(matches!(&changed.key(&arn).unwrap().grants, Known::Known(_)));
    });
    assert!(counted.count_total < 10, "{} allocations", counted.count_total);
}
