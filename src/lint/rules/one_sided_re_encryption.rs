//! L08.

use crate::compile::{KeyEntry, class_of, class_of_granted};
use crate::lint::ask;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Collection, Document, Finding, Findings, GrantSubject};
use crate::model::{
    Action, CallerPrincipal, Decision, Element, KeyArn, PolicyKind, PrincipalArn, Readings, Span,
};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Asks for every user and role of a world whether it may re-encrypt from some key and to some
    /// key, and finds those that may do one half with every key it is told of the other half.
    ///
    /// ## Why is this bad?
    /// `ReEncrypt` needs `kms:ReEncryptFrom` on the source key and `kms:ReEncryptTo` on the destination
    /// key, each decided by that key's own policy. With one half alone every call is denied.
    ///
    /// ## Example
    /// ```json,world
    /// {
    ///   "accounts/111122223333/iam.json": {
    ///     "RoleDetailList": [{"Arn": "arn:aws:iam::111122223333:role/mover", "RolePolicyList": []}]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1111abcd-12ab-34cd-56ef-1234567890ab/policy.json": {
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
    ///         "Sid": "Source",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/mover"},
    ///         "Action": "kms:ReEncryptFrom",
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1111abcd-12ab-34cd-56ef-1234567890ab/grants.json": {
    ///     "Grants": []
    ///   }
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,world
    /// {
    ///   "accounts/111122223333/iam.json": {
    ///     "RoleDetailList": [{"Arn": "arn:aws:iam::111122223333:role/mover", "RolePolicyList": []}]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1111abcd-12ab-34cd-56ef-1234567890ab/policy.json": {
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
    ///         "Sid": "Both",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/mover"},
    ///         "Action": "kms:ReEncrypt*",
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1111abcd-12ab-34cd-56ef-1234567890ab/grants.json": {
    ///     "Grants": []
    ///   }
    /// }
    /// ```
    pub(in crate::lint) static ONE_SIDED_RE_ENCRYPTION = {
        code: "WLD008",
        name: "one-sided-re-encryption",
        summary: "a caller that may do one half of `ReEncrypt` and nowhere the other",
        level: Warning,
        since: "0.1.0",
        covers: ["L08"],
        analyzer: [],
        check: Check::Collection(check),
    }
}

fn check(collection: &Collection, findings: &mut Findings<'_>) {
    let Some(world) = collection.world() else { return };
    let keys = world.keys();
    let sides = [
        (Action::ReEncryptFrom, Action::ReEncryptTo),
        (Action::ReEncryptTo, Action::ReEncryptFrom),
    ];
    for entity in world.entities() {
        let Some(caller) = ask::caller_of(&entity.arn) else { continue };
        let ask = |entry: &KeyEntry, action| ask::in_world(world, entry, &caller, action);
        for (half, other) in sides {
            let with = |decision: Decision| {
                keys.iter().copied().find(|entry| ask(entry, half) == decision)
            };
            // What hangs on the request, such as on its encryption context, is allowed to somebody.
            let Some(first) = with(Decision::Allow).or_else(|| with(Decision::Undetermined)) else {
                continue;
            };
            let nowhere = keys.iter().all(|entry| {
                matches!(ask(entry, other), Decision::ExplicitDeny | Decision::ImplicitDeny)
            });
            if !nowhere || reaches_elsewhere(collection, &entity.arn, other, &keys) {
                continue;
            }
            let message = format!(
                "`{}` may `{half}` here, but `{other}` with no key: every `ReEncrypt` is denied",
                entity.arn
            );
            let help = format!("allow `{other}` on the other key, or take `{half}` away");
            if let Some((document, span)) = giving(collection, first, &caller, &entity.arn, half) {
                findings.push_in(document, Finding::at(span, message).help(help));
            } else if let Some(grant) = granting(collection, first, &caller, half) {
                findings.push_in(grant, Finding::at(grant.operations, message).help(help));
            }
        }
    }
}

/// Whether an identity policy speaks of the other half on a key that is not told: it may be there.
pub(super) fn reaches_elsewhere(
    collection: &Collection,
    entity: &PrincipalArn,
    action: Action,
    keys: &[&KeyEntry],
) -> bool {
    let own = collection.documents.iter().filter(|document| {
        document.kind == PolicyKind::Identity && document.entity.as_ref() == Some(entity)
    });
    let statements = own.filter_map(|document| document.policy().zip(document.syntax()));
    statements.into_iter().any(|(policy, syntax)| {
        policy.statements().iter().zip(&syntax.statements).any(|(compiled, statement)| {
            let Some(Element::Is(resources)) = &statement.resource else { return false };
            compiled.actions.contains(action)
                && resources.iter().any(|resource| {
                    resource
                        .value
                        .parse::<KeyArn>()
                        .is_ok_and(|arn| !keys.iter().any(|entry| entry.key.arn == arn))
                })
        })
    })
}

/// The grant that gives a caller an action on a key.
fn granting<'c>(
    collection: &'c Collection,
    entry: &KeyEntry,
    caller: &CallerPrincipal,
    action: Action,
) -> Option<&'c GrantSubject> {
    collection.grants.iter().find(|subject| {
        subject.facts.arn.as_ref() == Some(&entry.key.arn)
            && subject.grant.operations.contains(action)
            && class_of_granted(&subject.grant.grantee, caller).is_some()
    })
}

/// The action of a statement that gives a caller an action on a key: of the key's policy, or else
/// of its own policies.
fn giving<'c>(
    collection: &'c Collection,
    entry: &KeyEntry,
    caller: &CallerPrincipal,
    entity: &PrincipalArn,
    action: Action,
) -> Option<(&'c Document, Span)> {
    let readings = Readings::default();
    let by_key = collection.documents.iter().filter(|document| {
        document.key.as_ref().is_some_and(|key| key.arn.as_ref() == Some(&entry.key.arn))
    });
    let by_entity =
        collection.documents.iter().filter(|document| document.entity.as_ref() == Some(entity));
    let gives = |document: &&'c Document| {
        let (policy, syntax) = document.policy().zip(document.syntax())?;
        let statement =
            policy.statements().iter().zip(&syntax.statements).find(|(compiled, one)| {
                let named = one.principal.as_ref().is_none_or(|element| {
                    element.entries().iter().any(|entry| {
                        let class = class_of(&entry.value, caller, &readings);
                        class.is_some_and(|(class, _)| {
                            class != crate::compile::PrincipalClass::Account
                        })
                    })
                });
                compiled.effect == crate::model::Effect::Allow
                    && named
                    && compiled.actions.contains(action)
            })?;
        let element = statement.1.action.as_ref()?;
        let entries = element.entries();
        let place = entries.iter().find(|one| pattern::actions(&one.value).contains(action));
        Some((*document, place.or_else(|| entries.first())?.span))
    };
    by_key.chain(by_entity).find_map(|document| gives(&document))
}
