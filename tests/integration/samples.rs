//! Random worlds, biased towards near misses.

use std::collections::BTreeMap;
use std::sync::Arc;

use keyproof::compile::{Grants, Policy, PolicySlot, Source};
use keyproof::evaluate::{
    Attached, Facts, GrantSubject, OperationFacts, Policies, Question, RequestContext,
};
use keyproof::model::{
    Action, CallerPrincipal, ContextMap, ContextValue, EncryptionContext,
    EncryptionContextConstraint, Grant, GrantConstraints, GrantOperation, GrantPrincipal,
    GrantToken, GrantVisibility, KnownKey, Operator, PolicyKind, Reading, Readings,
};
use keyproof::syntax;
use serde_json::{Value, json};

use crate::oracle::{Said, Subject, World};

const A: &str = "111122223333";
const B: &str = "444455556666";

/// A small deterministic source of choices.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.roll(n) == 0
    }

    pub fn pick<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[usize::try_from(self.roll(all.len() as u64)).unwrap()]
    }

    pub fn some<T>(&mut self, most: u64, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.roll(most + 1)).map(|_| make(self)).collect()
    }
}

const ACTIONS: &[&str] = &[
    "kms:Decrypt",
    "kms:decrypt",
    "kms:D*",
    "kms:*",
    "*",
    "kms:ReEncrypt*",
    "kms:ReEncrypt",
    "kms:ReEncryptFrom",
    "kms:?ecrypt",
    "KMS:DECRYPT",
    "kms:DescribeKey",
    "s3:*",
    "kms:Schedule*",
    "kms:ListKeys",
    "kms:*Grant",
];
const REQUESTED: &[&str] = &[
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:DescribeKey",
    "kms:ScheduleKeyDeletion",
    "kms:ListKeys",
    "kms:CreateGrant",
    "kms:RetireGrant",
];
const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:kms:us-east-1:111122223333:key/k1",
    "arn:aws:kms:us-east-1:111122223333:key/*",
    "arn:aws:kms:*:111122223333:key/k?",
    "arn:aws:kms:us-*-1:*:key/k1",
    "arn:aws:kms:*",
    "arn:aws:kms",
    "arn:aws:kms:us-east-1:111122223333:key/${aws:username}",
    "arn:aws:kms:us-east-1:111122223333:key/${k:v, 'k1'}",
    "arn:aws:kms:us-east-1:111122223333:alias/*",
    "arn:aws:kms:${aws:RequestedRegion}:111122223333:key/k1",
    "arn:aws:kms:us-east-1:111122223333:key/k${*}",
    "arn:aws:kms:*:key/k1",
];
const PRINCIPALS: &[&str] = &[
    "\"*\"",
    "{\"AWS\":\"*\"}",
    "{\"AWS\":\"111122223333\"}",
    "{\"AWS\":\"arn:aws:iam::111122223333:root\"}",
    "{\"AWS\":\"arn:aws:iam::444455556666:root\"}",
    "{\"AWS\":\"arn:aws:iam::111122223333:user/alice\"}",
    "{\"AWS\":\"arn:aws:iam::111122223333:role/p/app\"}",
    "{\"AWS\":\"arn:aws:iam::111122223333:role/app\"}",
    "{\"AWS\":\"arn:aws:sts::111122223333:assumed-role/app/s1\"}",
    "{\"AWS\":\"arn:aws:sts::111122223333:federated-user/fred\"}",
    "{\"Service\":\"logs.amazonaws.com\"}",
    "{\"AWS\":\"AIDAEXAMPLEALICE\"}",
    "{\"AWS\":\"AROAEXAMPLEAPP\"}",
    "{\"AWS\":[\"444455556666\",\"arn:aws:iam::444455556666:user/bob\"]}",
    "{\"Federated\":\"x\"}",
    "{\"AWS\":[\"111122223333\",\"arn:aws:iam::111122223333:user/alice\"],\"Service\":\"logs.amazonaws.com\"}",
    "{\"AWS\":[\"111122223333\",\"arn:aws:iam::111122223333:role/p/app\"]}",
    "{\"AWS\":\"arn:aws-cn:iam::111122223333:root\"}",
    "{\"AWS\":[\"111122223333\",\"arn:aws:iam::111122223333:role/p/app\",\"arn:aws:sts::111122223333:assumed-role/app/s1\"]}",
    "{\"AWS\":[]}",
];
/// Keys with values that meet and values that nearly do.
pub const KEYS: &[(&str, &[&str])] = &[
    ("k:s", &["abc", "aBc", "ab", "a*c", "", "${aws:username}"]),
    ("K:S", &["abc", "x"]),
    ("k:n", &["10", "10.0", "9.5", "-3", "abc", "9007199254740993", "+10"]),
    (
        "k:d",
        &[
            "2020-01-01T00:00:00Z",
            "1577836800",
            "2020-01-01T01:00:00+01:00",
            "2020-01",
            "soon",
            "2019-12-31T23:59:59.5Z",
            "2020",
        ],
    ),
    ("k:b", &["true", "false", "TRUE", "yes"]),
    (
        "k:ip",
        &[
            "203.0.113.7",
            "203.0.113.9",
            "2001:db8::1",
            "198.51.100.9",
            "AWS Internal",
            "::ffff:203.0.113.7",
        ],
    ),
    ("k:IP2", &["203.0.113.7", "2001:db8::1"]),
    (
        "k:a",
        &["arn:aws:iam::111122223333:role/p/app", "arn:aws:iam::444455556666:user/bob", "nonsense"],
    ),
    ("aws:TagKeys", &["team", "Team", "env"]),
    ("aws:username", &["alice", "k1", "*"]),
    ("k:v", &["k1", "*", "abc", "444455556666:user/bob"]),
    ("aws:PrincipalTag/team", &["blue", "red", ""]),
    ("aws:ResourceTag/team", &["blue", "red"]),
    ("kms:ResourceAliases", &["team", "blue"]),
    ("aws:SourceArn", &["arn:aws:logs:us-east-1:111122223333:log-group:g", "arn:aws:x"]),
    ("kms:EncryptionContext:tenant", &["blue", "Blue", "red"]),
];
const OPERANDS: &[(&str, &[&str])] = &[
    (
        "String",
        &[
            "abc",
            "a*c",
            "a?c",
            "*",
            "",
            "ABC",
            "${aws:username}",
            "${k:v, 'abc'}",
            "x${aws:PrincipalTag/team}",
            "${aws:ResourceTag/team}",
            "a${*}c",
            "blue",
            "team",
            "${k:none}",
        ],
    ),
    ("Numeric", &["10", "9.5", "-3", "abc", "9007199254740992", "10.00", "1e1"]),
    (
        "Date",
        &[
            "2020-01-01T00:00:00Z",
            "1577836800",
            "2019-12-31",
            "2020-01-01T00:00:00.5Z",
            "2026",
            "2020",
        ],
    ),
    ("Bool", &["true", "false", "TRUE", "maybe"]),
    (
        "Ip",
        &[
            "203.0.113.0/24",
            "0.0.0.0/0",
            "2001:db8::/32",
            "203.0.113.7",
            "203.0.113.1/24",
            "::ffff:203.0.113.0/120",
            "x/y",
            "203.0.113.7/33",
        ],
    ),
    (
        "Arn",
        &[
            "arn:aws:iam::111122223333:role/*",
            "*",
            "arn:aws:iam::*:role/p/app",
            "arn:aws",
            "arn:aws:iam::${k:v}:user/bob",
            "${k:a}",
            "arn:aws:iam::${k:v}",
            "arn:aws:*:*:*:log-group:*",
        ],
    ),
    ("Null", &["true", "false", "True", "x"]),
    ("Binary", &["YWJj", "abc"]),
];

fn operator(dice: &mut Dice) -> (String, &'static [&'static str]) {
    let operator = Operator::ALL[usize::try_from(dice.roll(Operator::ALL.len() as u64)).unwrap()];
    let name = operator.as_str();
    let family = name.trim_start_matches("Not");
    let operands = OPERANDS.iter().find(|(prefix, _)| family.starts_with(prefix)).unwrap().1;
    let qualifier = if dice.one_in(4) { dice.pick(&["ForAllValues:", "ForAnyValue:"]) } else { "" };
    let if_exists = if operator != Operator::Null && dice.one_in(4) { "IfExists" } else { "" };
    (format!("{qualifier}{name}{if_exists}"), operands)
}

fn condition(dice: &mut Dice) -> Value {
    let mut operators = serde_json::Map::new();
    for _ in 0..dice.roll(3) {
        let (name, operands) = operator(dice);
        let mut keys = serde_json::Map::new();
        for _ in 0..=dice.roll(2) {
            let (key, near) = KEYS[usize::try_from(dice.roll(KEYS.len() as u64)).unwrap()];
            if keys.keys().any(|known| known.eq_ignore_ascii_case(key)) {
                continue;
            }
            let values = dice.some(3, |dice| {
                json!(if dice.one_in(3) && !name.contains("Date") {
                    dice.pick(near)
                } else {
                    dice.pick(operands)
                })
            });
            keys.insert(key.to_owned(), json!(values));
        }
        operators.insert(name, Value::Object(keys));
    }
    Value::Object(operators)
}

pub fn statement(dice: &mut Dice, kind: PolicyKind, effect: &str) -> Value {
    if kind == PolicyKind::ResourceControl {
        return resource_control(dice);
    }
    let mut statement = json!({"Effect": effect});
    let action = if dice.one_in(6) { "NotAction" } else { "Action" };
    statement[action] = json!((0..=dice.roll(2)).map(|_| dice.pick(ACTIONS)).collect::<Vec<_>>());
    let resource = if dice.one_in(6) { "NotResource" } else { "Resource" };
    let complete = |text: &&str| {
        kind != PolicyKind::Session || **text == *"*" || text.matches(':').count() > 4
    };
    let mut resources: Vec<&str> =
        (0..=dice.roll(2)).map(|_| dice.pick(RESOURCES)).filter(complete).collect();
    if resources.is_empty() || dice.one_in(2) {
        resources.push("*");
    }
    statement[resource] = json!(resources);
    if kind.has_principals() {
        let principal = if dice.one_in(6) { "NotPrincipal" } else { "Principal" };
        let text = if dice.one_in(2) { dice.pick(&PRINCIPALS[..3]) } else { dice.pick(PRINCIPALS) };
        // KMS alone stores a statement for nobody.
        let nobody = text.contains("[]") && (kind != PolicyKind::Key || principal != "Principal");
        statement[principal] = serde_json::from_str(if nobody { "\"*\"" } else { text }).unwrap();
    }
    if dice.one_in(2) {
        statement["Condition"] = condition(dice);
    }
    if kind == PolicyKind::Key && dice.one_in(20) {
        statement.as_object_mut().unwrap().remove(resource);
    } else if kind == PolicyKind::Key && resource == "Resource" && dice.one_in(20) {
        statement[resource] = json!([]);
    }
    statement
}

/// RCPs only deny, and speak of everyone.
fn resource_control(dice: &mut Dice) -> Value {
    let mut statement = statement(dice, PolicyKind::ServiceControl, "Deny");
    let actions: Vec<&str> =
        (0..=dice.roll(2)).map(|_| dice.pick(ACTIONS)).filter(|action| *action != "*").collect();
    let members = statement.as_object_mut().unwrap();
    members.remove("NotAction");
    let none = ["kms:ReEncrypt"];
    members.insert("Action".into(), json!(if actions.is_empty() { &none[..] } else { &actions }));
    members.insert("Principal".into(), json!("*"));
    statement
}

pub fn policy(dice: &mut Dice, kind: PolicyKind) -> Value {
    // Some are large enough that the engine looks statements up; they deny less often, so that
    // other answers stay.
    let (most, denials) = if dice.one_in(20) { (20, 20) } else { (3, 4) };
    let statements: Vec<Value> = (0..=dice.roll(most))
        .map(|_| {
            let effect = if dice.one_in(denials) { "Deny" } else { "Allow" };
            statement(dice, kind, effect)
        })
        .collect();
    let mut policy = json!({"Statement": statements});
    let modern = matches!(kind, PolicyKind::ServiceControl | PolicyKind::ResourceControl);
    match dice.roll(8) {
        0 if !modern => {}
        1 if !modern => policy["Version"] = json!("2008-10-17"),
        _ => policy["Version"] = json!("2012-10-17"),
    }
    policy
}

pub fn caller(dice: &mut Dice) -> CallerPrincipal {
    let id = |dice: &mut Dice, text: &str| {
        if dice.one_in(2) { None } else { Some(text.parse().unwrap()) }
    };
    match dice.roll(9) {
        0 | 1 => CallerPrincipal::User {
            arn: "arn:aws:iam::111122223333:user/alice".parse().unwrap(),
            id: id(dice, "AIDAEXAMPLEALICE"),
        },
        2 => CallerPrincipal::User {
            arn: dice
                .pick(&[
                    "arn:aws:iam::444455556666:user/bob",
                    "arn:aws:iam::444455556666:user/bob",
                    "arn:aws-cn:iam::111122223333:user/alice",
                ])
                .parse()
                .unwrap(),
            id: None,
        },
        3 | 4 => CallerPrincipal::RoleSession {
            session: format!("arn:aws:sts::111122223333:assumed-role/app/s{}", dice.roll(2) + 1)
                .parse()
                .unwrap(),
            role: "arn:aws:iam::111122223333:role/p/app".parse().unwrap(),
            id: id(dice, "AROAEXAMPLEAPP"),
        },
        5 => CallerPrincipal::FederatedUser {
            arn: "arn:aws:sts::111122223333:federated-user/fred".parse().unwrap(),
            user: "arn:aws:iam::111122223333:user/alice".parse().unwrap(),
        },
        6 => CallerPrincipal::Root(
            dice.pick(&["arn:aws:iam::111122223333:root", "arn:aws:iam::444455556666:root"])
                .parse()
                .unwrap(),
        ),
        7 => CallerPrincipal::Service { names: vec!["logs.amazonaws.com".parse().unwrap()] },
        _ => {
            if dice.one_in(4) {
                CallerPrincipal::Anonymous
            } else {
                caller(dice)
            }
        }
    }
}

fn grant(dice: &mut Dice, number: usize) -> Grant {
    let pairs = |dice: &mut Dice| -> EncryptionContext {
        let name = dice.pick(&["tenant", "Tenant"]);
        [(name.to_owned(), dice.pick(&["blue", "Blue", "red"]).to_owned())].into_iter().collect()
    };
    let constraint = match dice.roll(5) {
        0 => Some(EncryptionContextConstraint::Equals(pairs(dice))),
        1 => Some(EncryptionContextConstraint::Subset(pairs(dice))),
        _ => None,
    };
    let grantee = dice.pick(&[
        "arn:aws:iam::111122223333:user/alice",
        "arn:aws:iam::111122223333:role/p/app",
        "arn:aws:iam::444455556666:user/bob",
        "arn:aws:iam::444455556666:root",
        "arn:aws:sts::111122223333:assumed-role/app/s1",
        "logs.amazonaws.com",
        "AIDAEXAMPLEALICE",
        "acct:aws:x",
    ]);
    Grant {
        id: format!("grant-{number}").parse().unwrap(),
        name: None,
        key: "arn:aws:kms:us-east-1:111122223333:key/k1".parse().unwrap(),
        grantee: GrantPrincipal::listed(grantee),
        retiring: dice.one_in(2).then(|| {
            GrantPrincipal::listed(dice.pick(&[
                "arn:aws:iam::111122223333:user/alice",
                "arn:aws:iam::111122223333:role/p/app",
                "arn:aws:iam::444455556666:root",
            ]))
        }),
        operations: (0..=dice.roll(4))
            .map(|_| {
                dice.pick(&[
                    "Decrypt",
                    "ReEncryptFrom",
                    "DescribeKey",
                    "CreateGrant",
                    "RetireGrant",
                ])
                .parse::<GrantOperation>()
                .unwrap()
                .action()
            })
            .collect(),
        constraints: GrantConstraints {
            encryption_context: constraint,
            source_arn: dice
                .one_in(5)
                .then(|| "arn:aws:logs:us-east-1:111122223333:log-group:g".into()),
        },
        issuing_account: match dice.roll(3) {
            0 => None,
            1 => Some(A.parse().unwrap()),
            _ => Some(B.parse().unwrap()),
        },
        creation_date: None,
        visibility: if dice.one_in(5) {
            GrantVisibility::TokenOnly(GrantToken::new("t1").unwrap())
        } else {
            GrantVisibility::Propagated
        },
    }
}

/// A random world: its policies as texts, and the question.
pub struct Sample {
    pub world: World,
    pub context: ContextMap,
    pub texts: BTreeMap<&'static str, Vec<Vec<Option<Value>>>>,
}

pub const LAYERS: &[(&str, PolicyKind)] = &[
    ("key", PolicyKind::Key),
    ("identity", PolicyKind::Identity),
    ("boundary", PolicyKind::Boundary),
    ("session", PolicyKind::Session),
    ("scps", PolicyKind::ServiceControl),
    ("rcps", PolicyKind::ResourceControl),
    ("endpoint", PolicyKind::Endpoint),
];

pub fn sample(seed: u64) -> Sample {
    let mut dice = Dice(seed);
    let dice = &mut dice;
    let mut texts: BTreeMap<&'static str, Vec<Vec<Option<Value>>>> = BTreeMap::new();
    for (layer, kind) in LAYERS {
        let levels = match *layer {
            "key" | "identity" => 1,
            "scps" | "rcps" => {
                if dice.one_in(3) {
                    1 + dice.roll(2)
                } else {
                    0
                }
            }
            _ => u64::from(dice.one_in(4)),
        };
        let levels = (0..levels)
            .map(|_| {
                let count = match *layer {
                    "boundary" | "endpoint" => 1,
                    "key" => 1 + dice.roll(2),
                    _ => dice.roll(3),
                };
                (0..count)
                    .map(|_| if dice.one_in(40) { None } else { Some(policy(dice, *kind)) })
                    .collect()
            })
            .collect();
        texts.insert(layer, levels);
    }
    let principal = caller(dice);
    let action: Action = dice.pick(REQUESTED).parse().unwrap();
    let owner = (action != Action::ListKeys).then(|| A.to_owned());
    let mut context = ContextMap::new();
    if !dice.one_in(3) {
        context = context.complete();
    }
    let mut encryption_context = EncryptionContext::new();
    for (key, values) in KEYS {
        let value = match dice.roll(6) {
            0 => continue,
            1 => ContextValue::Absent,
            2 => ContextValue::Many(dice.some(3, |dice| dice.pick(values).to_owned())),
            _ => ContextValue::One(dice.pick(values).to_owned()),
        };
        if context.insert(key, value.clone()).is_ok()
            && let (Some(name), ContextValue::One(value)) =
                (key.strip_prefix("kms:EncryptionContext:"), value)
        {
            encryption_context.insert(name, value);
        }
    }
    let mut readings = Readings::default();
    for reading in Reading::ALL {
        if dice.one_in(4) {
            readings.choose(*reading, dice.pick(reading.values())).unwrap();
        }
    }
    let mut said: Vec<(String, Said)> = context
        .iter()
        .map(|(name, value)| {
            let known = KnownKey::ALL.iter().find(|known| {
                let (known, name) = (known.as_str().to_lowercase(), name.to_lowercase());
                known == name || (known.ends_with(['/', ':']) && name.starts_with(&known))
            });
            let multivalued = known.map(|known| known.is_multivalued());
            let said = match value {
                ContextValue::Absent => Said::Absent,
                // X12
                ContextValue::Many(values) if values.len() == 1 && multivalued == Some(false) => {
                    Said::One(values[0].clone())
                }
                ContextValue::Many(values) => Said::Many(values.clone()),
                ContextValue::One(value) if multivalued == Some(true) => {
                    Said::Many(vec![value.clone()])
                }
                ContextValue::One(value) => Said::One(value.clone()),
            };
            (name.to_lowercase(), said)
        })
        .collect();
    let subject = match action {
        Action::CreateGrant => Some(Subject::Created(grant(dice, 1))),
        Action::RetireGrant => Some(Subject::Retired(grant(dice, 1))),
        _ => None,
    };
    if subject.is_some() {
        // X1: these follow from the caller and the operation.
        let name = match &principal {
            CallerPrincipal::User { arn, .. } => Said::One(arn.name().to_owned()),
            _ => Said::Absent,
        };
        said.retain(|(key, _)| !["aws:username", "aws:tagkeys"].contains(&key.as_str()));
        said.push(("aws:username".to_owned(), name));
        said.push(("aws:tagkeys".to_owned(), Said::Absent));
        let bare = matches!(principal, CallerPrincipal::Root(_) | CallerPrincipal::Service { .. });
        if bare && !said.iter().any(|(key, _)| key == "aws:principaltag/team") {
            said.push(("aws:principaltag/team".to_owned(), Said::Absent));
        }
    }
    // Without complete facts, the encryption context a grant wants cannot be told.
    let grants = if context.is_complete() {
        // Some keys have so many that the engine looks them up.
        let most = if dice.one_in(8) { 32 } else { 4 };
        dice.some(most, |dice| {
            let n = dice.roll(1000);
            grant(dice, usize::try_from(n).unwrap())
        })
    } else {
        Vec::new()
    };
    let grants = if owner.is_some() { grants } else { Vec::new() };
    // Roots and services have no policies of their own.
    let bare = matches!(
        principal,
        CallerPrincipal::Root(_) | CallerPrincipal::Service { .. } | CallerPrincipal::Anonymous
    );
    if bare {
        for layer in ["identity", "boundary", "session"] {
            texts.insert(layer, Vec::new());
        }
    }
    if matches!(principal, CallerPrincipal::Service { .. }) {
        texts.insert("scps", Vec::new());
    }
    let parsed = |layer: &str| -> Vec<Vec<Option<keyproof::model::PolicyDocument>>> {
        let kind = LAYERS.iter().find(|(name, _)| *name == layer).unwrap().1;
        texts[layer]
            .iter()
            .map(|level| {
                level
                    .iter()
                    .map(|policy| policy.as_ref().map(|policy| parse(policy, kind)))
                    .collect()
            })
            .collect()
    };
    let first = |layer: &str| parsed(layer).into_iter().next();
    let levels = |layer: &str| Some(parsed(layer)).filter(|levels| !levels.is_empty());
    let world = World {
        action,
        resource: if owner.is_some() {
            "arn:aws:kms:us-east-1:111122223333:key/k1".into()
        } else {
            "*".into()
        },
        owner,
        disabled: dice.one_in(30),
        context: said,
        complete: context.is_complete(),
        encryption_context,
        tokens: if dice.one_in(2) { vec![GrantToken::new("t1").unwrap()] } else { Vec::new() },
        key: first("key").unwrap_or_default(),
        identity: first("identity").unwrap_or_default(),
        boundary: first("boundary").and_then(|mut level| level.pop()),
        session: first("session"),
        scps: levels("scps"),
        rcps: levels("rcps"),
        endpoint: first("endpoint").and_then(|mut level| level.pop()),
        grants,
        subject,
        key_policy: None,
        readings,
        principal,
    };
    Sample { world, context, texts }
}

fn parse(policy: &Value, kind: PolicyKind) -> keyproof::model::PolicyDocument {
    let text = policy.to_string();
    syntax::parse(&text, kind).into_result().unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
}

/// The compiled policies of a sample.
pub type Slots = BTreeMap<&'static str, Vec<Vec<PolicySlot>>>;

pub fn compiled(texts: &BTreeMap<&'static str, Vec<Vec<Option<Value>>>>) -> Slots {
    texts
        .iter()
        .map(|(layer, levels)| {
            let kind = LAYERS.iter().find(|(name, _)| name == layer).unwrap().1;
            let slot = |policy: &Option<Value>| match policy {
                None => PolicySlot::Unreadable { name: "one".into(), reason: "it is lost".into() },
                Some(policy) => {
                    let source = Source::file("policy", &policy.to_string());
                    PolicySlot::Compiled(Arc::new(Policy::compile(
                        &parse(policy, kind),
                        kind,
                        "one",
                        source,
                    )))
                }
            };
            (*layer, levels.iter().map(|level| level.iter().map(slot).collect()).collect())
        })
        .collect()
}

pub fn ask<T>(
    sample: &Sample,
    slots: &Slots,
    context: &ContextMap,
    answer: impl FnOnce(&Question<'_>) -> T,
) -> T {
    let world = &sample.world;
    let first = |layer: &str| {
        slots[layer].first().map_or(Attached::NotApplicable, |level| Attached::Union(level))
    };
    let levels = |layer: &str| {
        if slots[layer].is_empty() {
            Attached::NotApplicable
        } else {
            Attached::Levels(&slots[layer])
        }
    };
    let bare = matches!(
        world.principal,
        CallerPrincipal::Root(_) | CallerPrincipal::Service { .. } | CallerPrincipal::Anonymous
    );
    let grant = match &world.subject {
        None => GrantSubject::None,
        Some(Subject::Retired(grant)) => GrantSubject::Retired(grant),
        Some(Subject::Created(grant)) => {
            GrantSubject::Created { operations: grant.operations, constraints: &grant.constraints }
        }
    };
    let grants = Grants::from(world.grants.clone());
    let facts = Facts {
        principal: &world.principal,
        entity: Err("not told"),
        principal_membership: Err("not told"),
        key: None,
        resource: Some(&world.resource),
        resource_membership: Err("not told"),
        region: None,
        operation: OperationFacts { grant, ..OperationFacts::default() },
    };
    let facts = world.subject.is_some().then_some(&facts);
    answer(&Question {
        principal: &world.principal,
        resource: &world.resource,
        resource_account: world.owner.as_ref().map(|owner| owner.parse().unwrap()),
        region_disabled: world.disabled,
        context: RequestContext {
            action: world.action,
            stated: context,
            facts,
            grant: facts.map_or(GrantSubject::None, |facts| facts.operation.grant),
        },
        policies: Policies {
            key: slots["key"].first().map_or(Attached::Union(&[]), |level| Attached::Union(level)),
            identity: if bare {
                Attached::NotApplicable
            } else {
                slots["identity"]
                    .first()
                    .map_or(Attached::Union(&[]), |level| Attached::Union(level))
            },
            boundary: first("boundary"),
            session: first("session"),
            service_control: levels("scps"),
            resource_control: levels("rcps"),
            endpoint: first("endpoint"),
            grants: Ok((&grants).into()),
        },
        grant_tokens: &world.tokens,
        readings: &world.readings,
    })
}
