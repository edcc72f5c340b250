//! From a collection to a world that the evaluator can be asked about.

use super::subject::{Collection, Document, KeyFacts, KeySubject, is_same};
use crate::compile::{Entity, KeyEntry, Known, PolicySlot, Snapshot, SnapshotBuilder};
use crate::model::{Grant, Key, KeyArn, PolicyKind};

impl Collection {
    /// The world this collection tells: the input's own, or one made of the keys whose ARN is known,
    /// their policies and grants, and the users and roles. `None` when there is no such key.
    ///
    /// What is not told stays unknown, and decisions that hang on it are undetermined; only
    /// organizations are taken not to limit anybody where the input tells of none.
    #[must_use]
    pub fn world(&self) -> Option<&Snapshot> {
        match &self.snapshot {
            Some(snapshot) => Some(snapshot),
            None => self.frozen.get_or_init(|| self.freeze()).as_ref(),
        }
    }

    fn freeze(&self) -> Option<Snapshot> {
        let mut builder = Snapshot::builder();
        let mut any = false;
        for subject in &self.keys {
            let Some(arn) = &subject.facts.arn else { continue };
            // A key that is told twice keeps its first telling.
            any |= builder.key(self.entry(subject, arn)).is_ok();
        }
        if !any {
            return None;
        }
        self.add_aliases(&mut builder);
        for account in &self.whole_accounts {
            builder.account(*account, Known::Known(()));
        }
        for subject in &self.entities {
            let of = |kind| {
                let attached = move |document: &&Document| {
                    document.kind == kind && document.entity.as_ref() == Some(&subject.arn)
                };
                self.documents.iter().filter(attached).map(slot)
            };
            let unread = subject.unread.iter().map(|name| PolicySlot::Unreadable {
                name: name.clone(),
                reason: "the policy is not among what is linted".into(),
            });
            let entity = Entity {
                arn: subject.arn.clone(),
                id: None,
                policies: of(PolicyKind::Identity).chain(unread).collect(),
                boundary: of(PolicyKind::Boundary).next(),
                tags: Vec::new(),
            };
            // The first telling counts here, too.
            let _ = builder.entity(entity);
        }
        builder.other_memberships(Known::Known(None));
        Some(builder.build())
    }

    fn entry(&self, subject: &KeySubject, arn: &KeyArn) -> KeyEntry {
        let facts = &subject.facts;
        let grants = self.grants.iter().filter(|grant| is_same(&grant.facts, facts));
        let mut policies: Vec<PolicySlot> = self.policies_of(facts).map(slot).collect();
        if policies.is_empty() {
            let reason = "the key's policy is not among what is linted";
            policies
                .push(PolicySlot::Unreadable { name: "key policy".into(), reason: reason.into() });
        }
        KeyEntry {
            key: key(facts, arn),
            policies: policies.into(),
            grants: if subject.knows_grants {
                Known::Known(
                    grants.map(|one| Grant { key: arn.clone(), ..one.grant.clone() }).collect(),
                )
            } else {
                Known::Unknown("the key's grants are not among what is linted".into())
            },
            tags: Known::Unknown("tags are not linted".into()),
            aliases: Known::Unknown("the key's aliases are not all told".into()),
        }
    }

    fn add_aliases(&self, builder: &mut SnapshotBuilder) {
        for subject in &self.keys {
            if let (Some(arn), Some(aliases)) = (&subject.facts.arn, &subject.facts.aliases) {
                let named = aliases.iter().map(|name| (name.clone(), arn.id().clone())).collect();
                builder.aliases(arn.account(), arn.region().clone(), Known::Known(named));
            }
        }
    }
}

fn slot(document: &Document) -> PolicySlot {
    match document.slot().filter(|_| document.is_whole()) {
        Some(slot) => slot,
        None => PolicySlot::Unreadable {
            name: document.name.clone(),
            reason: "it has errors, or parts that are known only once it is applied".into(),
        },
    }
}

/// What is not told of a key is as `CreateKey` makes it when nothing is asked for.
fn key(facts: &KeyFacts, arn: &KeyArn) -> Key {
    let plain = Key::symmetric(arn.clone());
    Key {
        spec: facts.spec.unwrap_or(plain.spec),
        usage: facts.usage.unwrap_or(plain.usage),
        origin: facts.origin.unwrap_or(plain.origin),
        manager: facts.manager.unwrap_or(plain.manager),
        multi_region: facts.multi_region.unwrap_or(plain.multi_region),
        ..plain
    }
}
