//! The worlds that are measured, and the requests; shared by the benches, the tests of the fast
//! path and the package of the peers.
#![allow(dead_code, reason = "each user needs a part of it")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "benches and tests")]

use std::fmt::Write as _;
use std::sync::Arc;

use keyproof::authorize::{KeyIdentifier, Leg, LegResource, ReEncryptRequest, Side};
use keyproof::compile::{
    Caller, Entity, Epoch, KeyEntry, Known, Policy, PolicySlot, Snapshot, SnapshotBuilder, Source,
};
use keyproof::evaluate::OperationFacts;
use keyproof::model::{
    AccountId, Action, CallerPrincipal, CiphertextBlob, ContextMap, ContextValue,
    EncryptionAlgorithm, EncryptionContext, EncryptionContextConstraint, Grant, GrantConstraints,
    GrantPrincipal, GrantVisibility, Key, KeyArn, PolicyKind, Region,
};
use keyproof::syntax;

pub const KEY_POLICY: &str = include_str!("documents/key-policy.json");
pub const IDENTITY_POLICY: &str = include_str!("documents/identity-policy.json");

pub const ACCOUNT: &str = "111122223333";
pub const REGION: &str = "eu-central-1";
pub const KEY: &str =
    "arn:aws:kms:eu-central-1:111122223333:key/5e1c9b4a-7d20-4f6b-9a3e-1f0c2d8b6a11";
pub const OTHER_KEY: &str =
    "arn:aws:kms:eu-central-1:111122223333:key/9b7f3d52-0c44-4e1a-8d6f-2a5e7c913b22";
pub const ROLE: &str = "arn:aws:iam::111122223333:role/orders";
pub const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/orders/i-0a1b2c3d4e5f60718";

pub fn slot(text: &str, kind: PolicyKind, name: &str) -> PolicySlot {
    let document = syntax::parse(text, kind).into_result().expect("a policy");
    PolicySlot::Compiled(Arc::new(Policy::compile(&document, kind, name, Source::file(name, text))))
}

pub fn region() -> Region {
    REGION.parse().unwrap()
}

pub fn account() -> AccountId {
    ACCOUNT.parse().unwrap()
}

/// The caller of every request: a session of the role that the documents name.
pub fn caller() -> Caller {
    Caller {
        principal: CallerPrincipal::RoleSession {
            session: SESSION.parse().unwrap(),
            role: ROLE.parse().unwrap(),
            id: Some("AROAEXAMPLEORDERS0001".parse().unwrap()),
        },
        context: ContextMap::new().complete(),
        ..Caller::new(CallerPrincipal::Anonymous)
    }
}

pub fn tenant(value: &str) -> EncryptionContext {
    [("tenant".to_owned(), value.to_owned())].into_iter().collect()
}

pub fn entity(arn: &str, policies: Vec<PolicySlot>) -> Entity {
    Entity {
        arn: arn.parse().unwrap(),
        id: Some("AROAEXAMPLEORDERS0001".parse().unwrap()),
        policies,
        boundary: None,
        tags: [("team".to_owned(), "orders".to_owned())].into(),
    }
}

pub fn key_entry(arn: KeyArn, policies: Vec<PolicySlot>, grants: Vec<Grant>) -> KeyEntry {
    KeyEntry {
        key: Key::symmetric(arn),
        policies: policies.into(),
        grants: Known::Known(grants.into()),
        tags: Known::Known([("environment".to_owned(), "production".to_owned())].into()),
        aliases: Known::Known(Vec::new().into()),
    }
}

/// A grant to somebody else, or to the caller; constrained to a tenant of its own.
pub fn grant(key: &KeyArn, number: usize, grantee: &str, tenant_name: &str) -> Grant {
    Grant {
        id: format!("{number:064x}").parse().unwrap(),
        name: None,
        key: key.clone(),
        grantee: GrantPrincipal::listed(grantee),
        retiring: None,
        operations: [Action::Decrypt, Action::ReEncryptFrom, Action::ReEncryptTo]
            .into_iter()
            .collect(),
        constraints: GrantConstraints {
            encryption_context: Some(EncryptionContextConstraint::Subset(tenant(tenant_name))),
            source_arn: None,
        },
        issuing_account: None,
        creation_date: None,
        visibility: GrantVisibility::Propagated,
    }
}

/// `count` grants: the last one is the caller's, all others go to other roles.
pub fn grants(key: &KeyArn, count: usize) -> Vec<Grant> {
    (0..count)
        .map(|number| {
            if number + 1 == count {
                grant(key, number, ROLE, "yellow")
            } else {
                let other = format!("arn:aws:iam::111122223333:role/worker-{number}");
                grant(key, number, &other, "yellow")
            }
        })
        .collect()
}

/// A key policy with `count` statements: the five of the documents, and as many for other roles.
pub fn key_policy(count: usize) -> String {
    with_statements(KEY_POLICY, count, |text, number| {
        write!(
            text,
            r#",{{"Sid":"Use{number}","Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::111122223333:role/worker-{number}"}},"Action":["kms:Decrypt","kms:ReEncrypt*"],"Resource":"*","Condition":{{"StringEquals":{{"kms:EncryptionContext:tenant":"tenant-{number}"}}}}}}"#
        )
        .unwrap();
    })
}

/// An identity policy with `count` statements: the two of the documents, and as many for other keys.
pub fn identity_policy(count: usize) -> String {
    with_statements(IDENTITY_POLICY, count, |text, number| {
        write!(
            text,
            r#",{{"Sid":"Key{number}","Effect":"Allow","Action":["kms:Decrypt","kms:ReEncrypt*"],"Resource":"arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-4000-8000-{number:012}"}}"#
        )
        .unwrap();
    })
}

fn with_statements(base: &str, count: usize, mut more: impl FnMut(&mut String, usize)) -> String {
    let own = base.matches("\"Sid\"").count();
    let (mut text, end) = match base.rfind(']') {
        Some(at) => (base.get(..at).unwrap().to_owned(), base.get(at..).unwrap()),
        None => unreachable!("a policy has statements"),
    };
    (own..count).for_each(|number| more(&mut text, number));
    text + end
}

/// How large a small world is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub statements: usize,
    pub grants: usize,
}

pub const SMALL: Size = Size { statements: 5, grants: 5 };

/// Two keys with the documents' key policy, an alias to each, and the role with its identity
/// policy.
pub fn world(size: Size) -> Snapshot {
    let mut builder = base();
    let text = key_policy(size.statements);
    let policies = vec![slot(&text, PolicyKind::Key, "key policy default")];
    for arn in [KEY, OTHER_KEY] {
        let arn: KeyArn = arn.parse().unwrap();
        let grants = grants(&arn, size.grants);
        builder.key(key_entry(arn, policies.clone(), grants)).unwrap();
    }
    let extra = size.statements.saturating_sub(SMALL.statements) + 2;
    let identity = slot(&identity_policy(extra), PolicyKind::Identity, "inline policy");
    builder.entity(entity(ROLE, vec![identity])).unwrap();
    builder.build()
}

pub fn base() -> SnapshotBuilder {
    let mut builder = Snapshot::builder();
    let id = |arn: &str| arn.parse::<KeyArn>().unwrap().id().clone();
    builder
        .epoch(Epoch::new(1))
        .account(account(), Known::Known(()))
        .other_memberships(Known::Known(None))
        .aliases(
            account(),
            region(),
            Known::Known(vec![
                ("alias/orders".parse().unwrap(), id(KEY)),
                ("alias/archive".parse().unwrap(), id(OTHER_KEY)),
            ]),
        );
    builder
}

/// One side of an operation, as the authorizer is asked it.
pub struct Ask {
    pub arn: KeyArn,
    pub region: Region,
    pub context: EncryptionContext,
    pub action: Action,
}

impl Ask {
    pub fn new(action: Action, tenant_name: &str) -> Self {
        Self { arn: KEY.parse().unwrap(), region: region(), context: tenant(tenant_name), action }
    }

    pub fn leg(&self) -> Leg<'_> {
        Leg {
            side: Side::Key,
            action: self.action,
            resource: LegResource::Key(&self.arn),
            region: &self.region,
            facts: OperationFacts {
                encryption_context: Some(&self.context),
                encryption_algorithm: Some(EncryptionAlgorithm::SymmetricDefault),
                ..OperationFacts::default()
            },
            grant_tokens: &[],
        }
    }
}

/// The three outcomes on the documents, and a permission that only a grant gives.
pub fn asks() -> [(&'static str, Ask); 4] {
    [
        ("allow", Ask::new(Action::Decrypt, "blue")),
        ("explicit deny", Ask::new(Action::Decrypt, "red")),
        ("implicit deny", Ask::new(Action::Decrypt, "white")),
        ("allow by grant", Ask::new(Action::Decrypt, "yellow")),
    ]
}

/// A ReEncrypt between the two keys, named by alias.
pub fn re_encrypt() -> ReEncryptRequest {
    let alias = |name: &str| name.parse::<KeyIdentifier>().unwrap();
    ReEncryptRequest {
        region: region(),
        ciphertext: Some(CiphertextBlob::new([1_u8; 120]).unwrap()),
        source_key: Some(alias("alias/orders")),
        source_algorithm: EncryptionAlgorithm::SymmetricDefault,
        source_context: tenant("blue"),
        destination_key: alias("alias/archive"),
        destination_algorithm: EncryptionAlgorithm::SymmetricDefault,
        destination_context: tenant("green"),
        grant_tokens: Vec::new(),
    }
}

/// The context a peer or a simulation states for an ask.
pub fn stated(tenant_name: &str) -> ContextMap {
    let mut context = ContextMap::new().complete();
    context.set("kms:EncryptionContext:tenant", ContextValue::One(tenant_name.to_owned()));
    context
}
