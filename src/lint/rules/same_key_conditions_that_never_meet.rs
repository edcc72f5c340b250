//! L08.

use crate::compile::KeyEntry;
use crate::evaluate::OperationFacts;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Collection, Document, Finding, Findings, ask};
use crate::model::{Action, Decision, Effect, KnownKey, Span, Truth};

use super::one_sided_re_encryption::reaches_elsewhere;

declare_rule! {
    /// ## What it does
    /// Asks, for users and roles of a world who may do both halves of `ReEncrypt`, whether there is a
    /// source key and a destination key for which their conditions on `kms:ReEncryptOnSameKey` let them,
    /// and finds those for whom there is none.
    ///
    /// ## Why is this bad?
    /// `kms:ReEncryptOnSameKey` is `true` on both sides when both are one key, and `false` on both
    /// otherwise. A source that is for its own key alone and a destination that is for others alone
    /// let no request through.
    ///
    /// ## Example
    /// ```json,world
    /// {
    ///   "accounts/111122223333/iam.json": {
    ///     "RoleDetailList": [
    ///       {
    ///         "Arn": "arn:aws:iam::111122223333:role/mover",
    ///         "RolePolicyList": []
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "Move",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/mover"},
    ///         "Action": "kms:ReEncryptFrom",
    ///         "Resource": "*",
    ///         "Condition": {"Bool": {"kms:ReEncryptOnSameKey": "true"}}
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/grants.json": {"Grants": []},
    ///   "accounts/111122223333/regions/eu-central-1/keys/0987dcba-09fe-87dc-65ba-ab0987654321/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "Move",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/mover"},
    ///         "Action": "kms:ReEncryptTo",
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/0987dcba-09fe-87dc-65ba-ab0987654321/grants.json": {"Grants": []}
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,world
    /// {
    ///   "accounts/111122223333/iam.json": {
    ///     "RoleDetailList": [
    ///       {
    ///         "Arn": "arn:aws:iam::111122223333:role/mover",
    ///         "RolePolicyList": []
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "Move",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/mover"},
    ///         "Action": "kms:ReEncryptFrom",
    ///         "Resource": "*",
    ///         "Condition": {"Bool": {"kms:ReEncryptOnSameKey": "false"}}
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/grants.json": {"Grants": []},
    ///   "accounts/111122223333/regions/eu-central-1/keys/0987dcba-09fe-87dc-65ba-ab0987654321/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "Move",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/mover"},
    ///         "Action": "kms:ReEncryptTo",
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/0987dcba-09fe-87dc-65ba-ab0987654321/grants.json": {"Grants": []}
    /// }
    /// ```
    pub(in crate::lint) static SAME_KEY_CONDITIONS_THAT_NEVER_MEET = {
        code: "WLD208",
        name: "same-key-conditions-that-never-meet",
        summary: "conditions on `kms:ReEncryptOnSameKey` that no request can satisfy together",
        level: Warning,
        since: "0.1.0",
        covers: ["L08"],
        analyzer: [],
        check: Check::Collection(check),
    }
}

fn check(collection: &Collection, findings: &mut Findings<'_>) {
    let Some(world) = collection.world() else { return };
    let limits = limits(collection);
    if limits.is_empty() {
        return;
    }
    let keys = world.keys();
    for entity in world.entities() {
        let Some(caller) = ask::caller_of(&entity.arn) else { continue };
        let could = |entry: &KeyEntry, action: Action, same: Truth| {
            let facts =
                OperationFacts { re_encrypt_on_same_key: Some(same), ..OperationFacts::default() };
            let answer = ask::in_world_with(world, entry, &caller, action, facts);
            !matches!(answer, Decision::ExplicitDeny | Decision::ImplicitDeny)
        };
        // By what two keys are to each other, whoever can do which half.
        let able = |action: Action, same: Truth| -> Vec<&KeyEntry> {
            keys.iter().copied().filter(|entry| could(entry, action, same)).collect()
        };
        let [from_same, to_same] =
            [Action::ReEncryptFrom, Action::ReEncryptTo].map(|action| able(action, Truth::True));
        let [from_other, to_other] =
            [Action::ReEncryptFrom, Action::ReEncryptTo].map(|action| able(action, Truth::False));
        let halves = [(&from_same, &from_other), (&to_same, &to_other)];
        if halves.iter().any(|(same, other)| same.is_empty() && other.is_empty()) {
            continue;
        }
        let is_one = |left: &KeyEntry, right: &KeyEntry| left.key.arn == right.key.arn;
        // Whether related multi-Region keys are the same is not documented.
        let meet = from_same.iter().any(|from| {
            to_same.iter().any(|to| is_one(from, to) || from.key.arn.is_related_to(&to.key.arn))
        }) || from_other.iter().any(|from| to_other.iter().any(|to| !is_one(from, to)));
        let elsewhere = |action| reaches_elsewhere(collection, &entity.arn, action, &keys);
        if meet || elsewhere(Action::ReEncryptFrom) || elsewhere(Action::ReEncryptTo) {
            continue;
        }
        let is_theirs = |limit: &&Limit<'_>| {
            let document = limit.document;
            document.entity.as_ref().is_none_or(|it| *it == entity.arn)
                && [&from_same, &from_other, &to_same, &to_other].iter().any(|keys| {
                    let key = document.key.as_ref().and_then(|key| key.arn.as_ref());
                    key.is_none_or(|arn| keys.iter().any(|entry| entry.key.arn == *arn))
                })
        };
        let mut theirs = limits.iter().filter(is_theirs);
        let Some(first) = theirs.next() else { continue };
        let message = format!(
            "no pair of keys lets `{}` call `ReEncrypt`: `kms:ReEncryptOnSameKey` is one for both sides",
            entity.arn
        );
        let mut finding = Finding::at(first.span, message)
            .help("let the conditions of the source and of the destination want the same");
        for other in theirs {
            finding = finding.related_in(other.document, other.span, "another condition");
        }
        findings.push_in(first.document, finding);
    }
}

/// A condition on `kms:ReEncryptOnSameKey`.
struct Limit<'c> {
    document: &'c Document,
    span: Span,
}

/// The conditions on it, those of an `Allow` first.
fn limits(collection: &Collection) -> Vec<Limit<'_>> {
    let mut limits = [Vec::new(), Vec::new()];
    for document in &collection.documents {
        let statements = document.syntax().into_iter().flat_map(|syntax| &syntax.statements);
        for statement in statements {
            let keys = statement.condition.iter().flat_map(|entry| &entry.conditions);
            let place = keys
                .filter(|one| one.key.value.known() == Some(KnownKey::KmsReEncryptOnSameKey))
                .map(|one| Limit { document, span: one.key.span });
            let [allows, denies] = &mut limits;
            match statement.effect.value {
                Effect::Allow => allows.extend(place),
                Effect::Deny => denies.extend(place),
            }
        }
    }
    limits.into_iter().flatten().collect()
}
