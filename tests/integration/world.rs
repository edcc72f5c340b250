//! Small worlds for tests, made of texts.

use std::sync::Arc;

use keyproof::compile::{
    Caller, Endpoint, Entity, Epoch, KeyEntry, Known, Membership, Policy, PolicySlot,
    SessionPolicies, Snapshot, SnapshotBuilder, Source,
};
use keyproof::model::{
    CallerPrincipal, ContextMap, ContextValue, Grant, Key, KeyArn, PolicyKind, Region,
};
use keyproof::syntax;

pub const SOURCE: &str =
    "arn:aws:kms:eu-central-1:111122223333:key/11111111-1111-4111-8111-111111111111";
pub const DESTINATION: &str =
    "arn:aws:kms:eu-central-1:444455556666:key/22222222-2222-4222-8222-222222222222";
pub const APP: &str = "arn:aws:iam::111122223333:role/app";

/// A world without organizations, in which nothing is unknown.
pub struct World {
    builder: SnapshotBuilder,
}

impl World {
    pub fn new() -> Self {
        let mut builder = Snapshot::builder();
        builder.other_memberships(Known::Known(None)).knows_all_keys().epoch(Epoch::new(7));
        for account in ["111122223333", "444455556666"] {
            builder.account(account.parse().unwrap(), Known::Known(()));
            builder.aliases(account.parse().unwrap(), region(), Known::Known(Vec::new()));
        }
        Self { builder }
    }

    /// What is known so far, to be added to.
    pub fn into_builder(self) -> SnapshotBuilder {
        self.builder
    }

    /// A key with one policy.
    pub fn key(self, arn: &str, policy: &str) -> Self {
        self.key_with(Key::symmetric(key_arn(arn)), policy, Vec::new())
    }

    pub fn key_with(mut self, key: Key, policy: &str, grants: Vec<Grant>) -> Self {
        let entry = KeyEntry {
            policies: [slot(policy, PolicyKind::Key)].into(),
            grants: Known::Known(grants.into()),
            tags: Known::Known([].into()),
            aliases: Known::Known(Vec::new().into()),
            key,
        };
        self.builder.key(entry).unwrap();
        self
    }

    /// A role with one identity policy.
    pub fn role(mut self, arn: &str, policy: &str) -> Self {
        let entity = Entity {
            arn: arn.parse().unwrap(),
            id: None,
            policies: vec![slot(policy, PolicyKind::Identity)],
            boundary: None,
            tags: Vec::new(),
        };
        self.builder.entity(entity).unwrap();
        self
    }

    /// A user or role with policies and perhaps a boundary.
    pub fn entity(
        mut self,
        arn: &str,
        policies: Vec<PolicySlot>,
        boundary: Option<PolicySlot>,
    ) -> Self {
        let (arn, tags) = (arn.parse().unwrap(), Vec::new());
        self.builder.entity(Entity { arn, id: None, policies, boundary, tags }).unwrap();
        self
    }

    /// The SCPs that reach an account, level by level from the root.
    pub fn levels(mut self, account: &str, path: &str, levels: Vec<Vec<PolicySlot>>) -> Self {
        let membership = Membership {
            organization: "o-example".into(),
            path: path.into(),
            is_management: false,
            service_control: levels,
            resource_control: Vec::new(),
        };
        self.builder.membership(account.parse().unwrap(), Known::Known(Some(membership)));
        self
    }

    /// A VPC endpoint with its policy.
    pub fn endpoint(mut self, id: &str, policy: &str) -> Self {
        let policy = slot(policy, PolicyKind::Endpoint);
        self.builder.endpoint(Endpoint { id: id.into(), policy });
        self
    }

    /// An alias in the first account.
    pub fn alias(mut self, name: &str, key: &str) -> Self {
        let account = "111122223333".parse().unwrap();
        let aliases = vec![(name.parse().unwrap(), key_arn(key).id().clone())];
        self.builder.aliases(account, region(), Known::Known(aliases));
        self
    }

    pub fn snapshot(self) -> Snapshot {
        self.builder.build()
    }
}

pub fn slot(policy: &str, kind: PolicyKind) -> PolicySlot {
    named(policy, kind, kind.as_str(), "policy.json")
}

/// A policy with a name and a file of its own.
pub fn named(policy: &str, kind: PolicyKind, name: &str, file: &str) -> PolicySlot {
    let document = syntax::parse(policy, kind)
        .into_result()
        .unwrap_or_else(|errors| panic!("{policy}: {errors:?}"));
    let source = Source::file(file, policy);
    PolicySlot::Compiled(Arc::new(Policy::compile(&document, kind, name, source)))
}

pub fn key_arn(text: &str) -> KeyArn {
    text.parse().unwrap()
}

pub fn region() -> Region {
    "eu-central-1".parse().unwrap()
}

/// A session of [`APP`] that calls KMS directly, with nothing else unknown.
pub fn app() -> Caller {
    let mut context = ContextMap::new().complete();
    context.set("aws:ViaAWSService", ContextValue::One("false".into()));
    Caller {
        principal: CallerPrincipal::RoleSession {
            session: "arn:aws:sts::111122223333:assumed-role/app/i-1".parse().unwrap(),
            role: APP.parse().unwrap(),
            id: None,
        },
        context,
        session_policies: SessionPolicies::None,
    }
}

/// Allows `action` to everyone the account delegates to.
pub fn delegates(account: &str, action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"Delegate","Effect":"Allow","Principal":{{"AWS":"{account}"}},"Action":"{action}","Resource":"*"}}]}}"#
    )
}

/// An identity policy that allows `action` everywhere.
pub fn allows(action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"{action}","Resource":"*"}}}}"#
    )
}
