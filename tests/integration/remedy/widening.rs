//! No fix allows more than it was asked for: on random worlds, every request that differs in
//! principal, action or key is decided with the fix as without it.

use std::collections::BTreeMap;

use keyproof::authorize::{Authorizer, KeyIdentifier, Preflight, PreflightKey, PreflightOperation};
use keyproof::compile::{
    Caller, Endpoint, Entity, Grants, KeyEntry, Known, Membership, PolicySlot, SessionPolicies,
    Snapshot,
};
use keyproof::model::{
    Action, CallerPrincipal, ContextMap, ContextValue, Decision, EncryptionAlgorithm,
    EncryptionContext, Key, KeyArn, PolicyKind,
};
use keyproof::remedy::{Addition, Fix, apply, remedies};

use crate::properties::cases;
use crate::samples::{Dice, KEYS, caller, policy};
use crate::world::{allows, named};

const KEY_ARNS: &[&str] = &[
    "arn:aws:kms:us-east-1:111122223333:key/k1",
    "arn:aws:kms:us-east-1:111122223333:key/k2",
    "arn:aws:kms:us-east-1:444455556666:key/k1",
];
const USERS: &[&str] = &[
    "arn:aws:iam::111122223333:user/alice",
    "arn:aws:iam::111122223333:user/carol",
    "arn:aws:iam::444455556666:user/bob",
];
const ROLES: &[&str] = &[
    "arn:aws:iam::111122223333:role/p/app",
    "arn:aws:iam::111122223333:role/app2",
    "arn:aws:iam::444455556666:role/app",
];
const ACTIONS: &[Action] = &[
    Action::Decrypt,
    Action::DescribeKey,
    Action::Encrypt,
    Action::ReEncryptFrom,
    Action::ReEncryptTo,
    Action::ScheduleKeyDeletion,
];

/// A policy of a random world, or one that delegates everything, so that an allow that is too wide
/// shows.
fn slot(dice: &mut Dice, kind: PolicyKind, number: &mut u32) -> PolicySlot {
    *number += 1;
    if dice.one_in(40) {
        return PolicySlot::Unreadable { name: "p".into(), reason: "it is lost".into() };
    }
    let text = match (dice.roll(3), kind) {
        (0, PolicyKind::Key) => r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":["111122223333","444455556666"]},"Action":"kms:*","Resource":"*"}}"#.to_owned(),
        (0, PolicyKind::Endpoint) => r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#.to_owned(),
        (0, _) => allows("*"),
        _ => policy(dice, kind).to_string(),
    };
    named(&text, kind, kind.as_str(), &format!("policy-{number}.json"))
}

fn world(dice: &mut Dice) -> Snapshot {
    let mut builder = Snapshot::builder();
    let number = &mut 0;
    builder.other_memberships(Known::Known(None)).knows_all_keys();
    for account in ["111122223333", "444455556666"] {
        builder.account(account.parse().unwrap(), Known::Known(()));
        if dice.one_in(2) {
            let levels = (0..=dice.roll(2))
                .map(|_| dice.some(2, |dice| slot(dice, PolicyKind::ServiceControl, number)))
                .collect();
            let membership = Membership {
                organization: "o-1".into(),
                path: "o-1/r-1/".into(),
                is_management: false,
                service_control: levels,
                resource_control: Vec::new(),
            };
            builder.membership(account.parse().unwrap(), Known::Known(Some(membership)));
        }
    }
    for arn in KEY_ARNS {
        let entry = KeyEntry {
            key: Key::symmetric(arn.parse().unwrap()),
            policies: [slot(dice, PolicyKind::Key, number)].into(),
            grants: Known::Known(Grants::default()),
            tags: Known::Known([].into()),
            aliases: Known::Known(Vec::new().into()),
        };
        builder.key(entry).unwrap();
    }
    for arn in USERS.iter().chain(ROLES) {
        let boundary = dice.one_in(3).then(|| slot(dice, PolicyKind::Boundary, number));
        let entity = Entity {
            arn: arn.parse().unwrap(),
            id: None,
            policies: dice.some(2, |dice| slot(dice, PolicyKind::Identity, number)),
            boundary,
            tags: Vec::new(),
        };
        builder.entity(entity).unwrap();
    }
    let policy = slot(dice, PolicyKind::Endpoint, number);
    builder.endpoint(Endpoint { id: "vpce-1".into(), policy });
    builder.build()
}

fn context(dice: &mut Dice) -> ContextMap {
    let mut context = ContextMap::new().complete();
    if dice.one_in(4) {
        context.set("aws:SourceVpce", ContextValue::One("vpce-1".into()));
    }
    for (key, values) in KEYS {
        if !key.starts_with("kms:") && dice.one_in(2) {
            context.set(key, ContextValue::One(dice.pick(values).to_owned()));
        }
    }
    context
}

/// Everybody of the world.
fn principals() -> Vec<CallerPrincipal> {
    let user = |arn: &&str| CallerPrincipal::User { arn: arn.parse().unwrap(), id: None };
    let role = |arn: &&str| CallerPrincipal::RoleSession {
        session: format!(
            "arn:aws:sts::{}:assumed-role/{}/s1",
            &arn[13..25],
            arn.rsplit('/').next().unwrap()
        )
        .parse()
        .unwrap(),
        role: arn.parse().unwrap(),
        id: None,
    };
    let mut all: Vec<_> = USERS.iter().map(user).chain(ROLES.iter().map(role)).collect();
    for account in ["111122223333", "444455556666"] {
        all.push(CallerPrincipal::Root(format!("arn:aws:iam::{account}:root").parse().unwrap()));
    }
    all.push(CallerPrincipal::FederatedUser {
        arn: "arn:aws:sts::111122223333:federated-user/fred".parse().unwrap(),
        user: USERS[0].parse().unwrap(),
    });
    for name in ["logs.amazonaws.com", "s3.amazonaws.com"] {
        all.push(CallerPrincipal::Service { names: vec![name.parse().unwrap()] });
    }
    all
}

/// Whether a fix for `asked` may speak of `other` as well: another session of the role or user.
fn is_same(asked: &CallerPrincipal, other: &CallerPrincipal) -> bool {
    match asked {
        CallerPrincipal::User { .. } | CallerPrincipal::RoleSession { .. } => {
            asked.entity_arn() == other.entity_arn() && !matches!(other, CallerPrincipal::Root(_))
        }
        _ => asked == other,
    }
}

fn asks(action: Action, key: &str, context: &EncryptionContext) -> Preflight {
    let arn: KeyArn = key.parse().unwrap();
    let key = PreflightKey {
        name: KeyIdentifier::Arn(arn.clone()),
        context: context.clone(),
        algorithm: EncryptionAlgorithm::SymmetricDefault,
    };
    Preflight {
        operation: PreflightOperation::Action { action, key },
        region: Some(arn.region().clone()),
        grant_tokens: Vec::new(),
        dry_run: false,
    }
}

fn decision(snapshot: &Snapshot, caller: &Caller, question: Preflight) -> Decision {
    Authorizer::new(snapshot).preflight(question, caller).unwrap().decision()
}

#[test]
fn no_fix_changes_the_answer_for_another_principal_action_or_key() {
    let mut fixes: BTreeMap<&str, u32> = BTreeMap::new();
    let mut together = 0;
    for seed in 0..u64::from(cases()) {
        let mut dice = Dice(seed);
        let dice = &mut dice;
        let snapshot = world(dice);
        let mut asked = Caller {
            principal: caller(dice),
            context: context(dice),
            session_policies: SessionPolicies::None,
        };
        if matches!(asked.principal, CallerPrincipal::RoleSession { .. }) && dice.one_in(4) {
            let policies = vec![slot(dice, PolicyKind::Session, &mut 1000)];
            asked.session_policies = SessionPolicies::Some(policies);
        }
        let action = ACTIONS[usize::try_from(dice.roll(6)).unwrap()];
        let key = dice.pick(KEY_ARNS);
        let context: EncryptionContext = if dice.one_in(2) {
            [("tenant".to_owned(), dice.pick(&["blue", "${aws:username}"]).to_owned())]
                .into_iter()
                .collect()
        } else {
            EncryptionContext::new()
        };
        let question = asks(action, key, &context);
        let answer = Authorizer::new(&snapshot).preflight(question.clone(), &asked).unwrap();
        let found = remedies(&snapshot, &asked, &question, &answer);
        let Some(Fix::Add(additions)) = found.sides.first().map(|side| &side.fix) else { continue };
        additions.iter().for_each(|one| *fixes.entry(one.place.as_str()).or_default() += 1);
        together += u32::from(additions.len() > 1);
        let all: Vec<&Addition> = additions.iter().collect();
        let (fixed, with_policies) = apply(&snapshot, &asked, &all).unwrap();
        assert_eq!(decision(&fixed, &with_policies, question), Decision::Allow, "seed {seed}");
        let others = principals().into_iter().map(|principal| Caller {
            principal,
            context: asked.context.clone(),
            session_policies: SessionPolicies::None,
        });
        for (before, after) in
            others.map(|it| (it.clone(), it)).chain([(asked.clone(), with_policies.clone())])
        {
            for other_action in ACTIONS {
                for other_key in KEY_ARNS {
                    if *other_action == action
                        && *other_key == key
                        && is_same(&asked.principal, &before.principal)
                    {
                        continue;
                    }
                    let question = || asks(*other_action, other_key, &context);
                    assert_eq!(
                        decision(&snapshot, &before, question()),
                        decision(&fixed, &after, question()),
                        "seed {seed}: {} {other_action} on {other_key} with {additions:#?}",
                        before.principal
                    );
                }
            }
        }
    }
    // The worlds reach what they are made for.
    for place in ["boundary", "identity", "key-policy", "scp", "session", "vpc-endpoint"] {
        assert!(fixes.get(place).is_some_and(|count| *count > 0), "{place}: {fixes:?}");
    }
    assert!(together > 0, "{fixes:?}");
}
