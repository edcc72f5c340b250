//! Worlds.

use std::collections::{BTreeMap, BTreeSet};

use crate::compile::KeyEntry;
use crate::evaluate::{OperationFacts, supplies};
use crate::lint::rule::declare_rule;
use crate::lint::subject::Subject as _;
use crate::lint::{Check, Collection, Document, Finding, Findings, ask};
use crate::model::{
    Action, ActionSet, Decision, Effect, EncryptionContext, EncryptionContextConstraint, KnownKey,
    Span,
};

declare_rule! {
    /// ## What it does
    /// Asks, for users, roles and keys of a world whose policies have conditions on the encryption
    /// context, whether some context lets the caller use the key at all, and finds those where none
    /// does: a condition of an identity policy, one of the key's policy and the constraints of grants
    /// rule each other out. `ReEncrypt` is asked side by side, as each side has a context of its own.
    ///
    /// ## Why is this bad?
    /// An identity policy counts only where the key's policy delegates, under the conditions of both. A
    /// request has one encryption context, and it has to meet them all.
    ///
    /// ## Example
    /// ```json,world
    /// {
    ///   "accounts/111122223333/iam.json": {
    ///     "RoleDetailList": [
    ///       {
    ///         "Arn": "arn:aws:iam::111122223333:role/orders",
    ///         "RolePolicyList": [
    ///           {
    ///             "PolicyName": "p",
    ///             "PolicyDocument": {
    ///               "Version": "2012-10-17",
    ///               "Statement": [
    ///                 {
    ///                   "Sid": "Use",
    ///                   "Effect": "Allow",
    ///                   "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///                   "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///                   "Condition": {"StringEquals": {"kms:EncryptionContext:app": "bills"}}
    ///                 }
    ///               ]
    ///             }
    ///           }
    ///         ]
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Manage",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": ["kms:PutKeyPolicy", "kms:DescribeKey"],
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "Use",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///         "Resource": "*",
    ///         "Condition": {"StringEquals": {"kms:EncryptionContext:app": "orders"}}
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/grants.json": {
    ///     "Grants": []
    ///   }
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,world
    /// {
    ///   "accounts/111122223333/iam.json": {
    ///     "RoleDetailList": [
    ///       {
    ///         "Arn": "arn:aws:iam::111122223333:role/orders",
    ///         "RolePolicyList": [
    ///           {
    ///             "PolicyName": "p",
    ///             "PolicyDocument": {
    ///               "Version": "2012-10-17",
    ///               "Statement": [
    ///                 {
    ///                   "Sid": "Use",
    ///                   "Effect": "Allow",
    ///                   "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///                   "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///                   "Condition": {"StringEquals": {"kms:EncryptionContext:app": "orders"}}
    ///                 }
    ///               ]
    ///             }
    ///           }
    ///         ]
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Manage",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": ["kms:PutKeyPolicy", "kms:DescribeKey"],
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "Use",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///         "Resource": "*",
    ///         "Condition": {"StringEquals": {"kms:EncryptionContext:app": "orders"}}
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/grants.json": {
    ///     "Grants": []
    ///   }
    /// }
    /// ```
    pub(in crate::lint) static CONTEXTS_THAT_NEVER_MEET = {
        code: "WLD401",
        name: "contexts-that-never-meet",
        summary: "encryption contexts that no request can satisfy together",
        level: Warning,
        since: "0.1.0",
        covers: [],
        analyzer: [],
        check: Check::Collection(check),
    }
}

fn check(collection: &Collection, findings: &mut Findings<'_>) {
    let Some(world) = collection.world() else { return };
    let actions: Vec<Action> = Action::ALL
        .iter()
        .copied()
        .filter(|action| supplies(*action, KnownKey::KmsEncryptionContext))
        .filter(|action| supplies(*action, KnownKey::KmsEncryptionAlgorithm))
        .collect();
    for entity in world.entities() {
        let Some(caller) = ask::caller_of(&entity.arn) else { continue };
        for entry in world.keys() {
            let documents: Vec<&Document> = collection
                .documents
                .iter()
                .filter(|document| {
                    let key = document.key.as_ref().and_then(|key| key.arn.as_ref());
                    key == Some(&entry.key.arn) || document.entity.as_ref() == Some(&entity.arn)
                })
                .collect();
            let conditions = conditions(&documents, &actions);
            if conditions.is_empty() {
                continue;
            }
            let Some(contexts) = contexts(&documents, entry) else { continue };
            let never = actions.iter().copied().find(|action| {
                let with = |context| {
                    let facts = OperationFacts {
                        encryption_context: Some(context),
                        ..OperationFacts::default()
                    };
                    ask::in_world_with(world, entry, &caller, *action, facts)
                };
                ask::in_world(world, entry, &caller, *action) == Decision::Undetermined
                    && contexts.iter().all(|context| {
                        matches!(with(context), Decision::ExplicitDeny | Decision::ImplicitDeny)
                    })
            });
            let Some(action) = never else { continue };
            let for_it = |one: &&Place<'_>| one.allows && one.actions.contains(action);
            let own = |one: &&Place<'_>| one.document.entity.is_some();
            let first = conditions.iter().filter(for_it).find(own);
            let Some(first) = first.or_else(|| conditions.iter().find(for_it)) else { continue };
            let message = format!(
                "no encryption context lets `{}` call `{action}` with `{}`",
                entity.arn, entry.key.arn
            );
            let mut finding = Finding::at(first.span, message)
                .help("let this condition and the others want one and the same context");
            let others = conditions
                .iter()
                .filter(|one| one.actions.contains(action) && !std::ptr::eq(*one, first));
            for other in others {
                finding = finding.related_in(other.document, other.span, "another condition");
            }
            findings.push_in(first.document, finding);
        }
    }
}

/// A condition on the encryption context.
struct Place<'c> {
    document: &'c Document,
    span: Span,
    actions: ActionSet,
    allows: bool,
}

fn is_context(key: KnownKey) -> bool {
    matches!(key, KnownKey::KmsEncryptionContext | KnownKey::KmsEncryptionContextKeys)
}

/// The conditions on the encryption context of actions that have one.
fn conditions<'c>(documents: &[&'c Document], actions: &[Action]) -> Vec<Place<'c>> {
    let mut places = Vec::new();
    for document in documents {
        let Some((syntax, policy)) = document.syntax().zip(document.policy()) else { continue };
        for (statement, compiled) in syntax.statements.iter().zip(policy.statements()) {
            if !actions.iter().any(|action| compiled.actions.contains(*action)) {
                continue;
            }
            let keys = statement.condition.iter().flat_map(|entry| &entry.conditions);
            places.extend(keys.filter(|one| one.key.value.known().is_some_and(is_context)).map(
                |one| Place {
                    document,
                    span: one.key.span,
                    actions: compiled.actions,
                    allows: compiled.effect == Effect::Allow,
                },
            ));
        }
    }
    places
}

/// Contexts made of every pair that conditions and constraints speak of, of other values and of
/// none; `None` when there are too many, or when a value hangs on the request.
fn contexts(documents: &[&Document], entry: &KeyEntry) -> Option<Vec<EncryptionContext>> {
    const MOST: usize = 1024;
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut add = |name: &str, value: Option<&str>| {
        let values = names.entry(name.replace(['*', '?'], "x")).or_default();
        values.extend(value.map(|value| value.replace(['*', '?'], "x")));
        values.insert("keyproof other".to_owned());
    };
    for document in documents {
        let statements = document.syntax().into_iter().flat_map(|syntax| &syntax.statements);
        let keys = statements.flat_map(|one| &one.condition).flat_map(|entry| &entry.conditions);
        for condition in keys {
            let Some(key) = condition.key.value.known().filter(|key| is_context(*key)) else {
                continue;
            };
            for value in &condition.values {
                let text = value.value.as_str();
                if text.contains("${") || !document.is_known(value.span) {
                    return None;
                }
                match key {
                    KnownKey::KmsEncryptionContext => {
                        let name = condition.key.value.as_str();
                        add(name.get(key.as_str().len()..)?, Some(text));
                    }
                    _ => add(text, None),
                }
            }
        }
    }
    for grant in entry.grants.known().into_iter().flat_map(|grants| grants.iter()) {
        use EncryptionContextConstraint::{Equals, Subset};
        if let Some(Equals(pairs) | Subset(pairs)) = &grant.constraints.encryption_context {
            pairs.iter().for_each(|(name, value)| add(name, Some(value)));
        }
    }
    let mut contexts = vec![EncryptionContext::new()];
    for (name, values) in &names {
        let longer: Vec<EncryptionContext> = contexts
            .iter()
            .flat_map(|context| {
                values.iter().map(move |value| {
                    let mut context = context.clone();
                    context.insert(name.clone(), value.clone());
                    context
                })
            })
            .collect();
        contexts.extend(longer);
        if contexts.len() > MOST {
            return None;
        }
    }
    Some(contexts)
}
