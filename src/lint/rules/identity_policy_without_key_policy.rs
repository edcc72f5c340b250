//! L34.

use crate::compile::{KeyEntry, class_of};
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Collection, Document, Finding, Findings, ask};
use crate::model::{
    Action, CallerPrincipal, Decision, Effect, Element, KeyArn, PolicyKind, PrincipalElement,
    Readings, ResourceKind,
};

declare_rule! {
    /// ## What it does
    /// Finds statements of identity policies that allow actions on a key by its ARN, while the key's
    /// policy, which the input tells, names neither the user or role nor its account for any of them,
    /// and no grant does.
    ///
    /// ## Why is this bad?
    /// An identity policy allows something on a key only as far as the key's policy delegates it: in
    /// the key's own account to the account's root principal, in another account to its root principal
    /// or to the user or role.
    ///
    /// ## Example
    /// ```json,world
    /// {
    ///   "accounts/111122223333/iam.json": {
    ///     "RoleDetailList": [
    ///       {"Arn": "arn:aws:iam::111122223333:role/bills", "RolePolicyList": []},
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
    ///                   "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
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
    ///         "Action": ["kms:PutKeyPolicy", "kms:GetKeyPolicy", "kms:DescribeKey"],
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "Use",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/bills"},
    ///         "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///         "Resource": "*"
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
    ///       {"Arn": "arn:aws:iam::111122223333:role/bills", "RolePolicyList": []},
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
    ///                   "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
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
    ///         "Action": ["kms:PutKeyPolicy", "kms:GetKeyPolicy", "kms:DescribeKey"],
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "Use",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/bills"},
    ///         "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/grants.json": {
    ///     "Grants": []
    ///   }
    /// }
    /// ```
    pub(in crate::lint) static IDENTITY_POLICY_WITHOUT_KEY_POLICY = {
        code: "WLD134",
        name: "identity-policy-without-key-policy",
        summary: "an identity policy for a key whose policy does not let it count",
        level: Warning,
        since: "0.1.0",
        covers: ["L34", "L04"],
        analyzer: [],
        check: Check::Collection(check),
    }
}

fn check(collection: &Collection, findings: &mut Findings<'_>) {
    let Some(world) = collection.world() else { return };
    for document in collection.documents.iter().filter(|one| one.kind == PolicyKind::Identity) {
        let Some((entity, syntax)) = document.entity.as_ref().zip(document.syntax()) else {
            continue;
        };
        let Some(caller) = ask::caller_of(entity) else { continue };
        let Some(policy) = document.policy().filter(|_| document.is_whole()) else { continue };
        for (statement, compiled) in syntax.statements.iter().zip(policy.statements()) {
            let Some(Element::Is(resources)) = &statement.resource else { continue };
            if compiled.effect != Effect::Allow {
                continue;
            }
            for resource in resources {
                let arn = resource.value.parse::<KeyArn>().ok();
                let Some(entry) = arn.and_then(|arn| world.key(&arn)) else { continue };
                let is_far = entry.key.arn.account() != entity.account();
                let actions: Vec<Action> = compiled
                    .actions
                    .iter()
                    .filter(|action| {
                        action.resource_kind() == ResourceKind::Key
                            && *action != Action::RetireGrant
                            && (action.works_across_accounts() || !is_far)
                    })
                    .collect();
                let denied = |action: &Action| {
                    ask::in_world(world, entry, &caller, *action) == Decision::ImplicitDeny
                };
                let is_named = |action: Action| is_named(collection, entry, &caller, action);
                if actions.is_empty()
                    || !actions.iter().all(denied)
                    || actions.iter().any(|one| is_named(*one))
                {
                    continue;
                }
                let message = format!("the policy of this key allows `{entity}` nothing of this");
                let other = match actions.as_slice() {
                    [Action::ReEncryptFrom] => Some(Action::ReEncryptTo),
                    [Action::ReEncryptTo] => Some(Action::ReEncryptFrom),
                    _ => None,
                };
                let help = match other.filter(|other| is_named(*other)) {
                    Some(other) => {
                        format!("it lets it `{other}`: write that here, or change the key's policy")
                    }
                    None if is_far => {
                        format!("allow it in the key's policy, for `{entity}` or its account")
                    }
                    None => {
                        "allow it in the key's policy, for the account's root principal or for \
                             the user or role"
                            .to_owned()
                    }
                };
                let mut finding = Finding::at(resource.span, message).help(help);
                if let Some(key) = collection.documents.iter().find(|one| is_on(one, entry)) {
                    let first = key.syntax().and_then(|it| it.statements.first());
                    if let Some(first) = first {
                        finding = finding.related_in(key, first.span, "the key's policy");
                    }
                }
                findings.push_in(document, finding);
            }
        }
    }
}

fn is_on(document: &Document, entry: &KeyEntry) -> bool {
    document.key.as_ref().is_some_and(|key| key.arn.as_ref() == Some(&entry.key.arn))
}

/// Whether a statement of the key's policies allows somebody an action under some condition; if so,
/// the key's policy is not what is missing.
fn is_named(
    collection: &Collection,
    entry: &KeyEntry,
    caller: &CallerPrincipal,
    action: Action,
) -> bool {
    let readings = Readings::default();
    let documents = collection.documents.iter().filter(|document| is_on(document, entry));
    let policies = documents.filter_map(|document| document.policy().zip(document.syntax()));
    policies.into_iter().any(|(policy, syntax)| {
        policy.statements().iter().zip(&syntax.statements).any(|(compiled, one)| {
            let names = match &one.principal {
                Some(PrincipalElement::Is(entries)) => {
                    entries.iter().any(|entry| class_of(&entry.value, caller, &readings).is_some())
                }
                Some(PrincipalElement::IsNot(_)) => true,
                None => false,
            };
            compiled.effect == Effect::Allow && names && compiled.actions.contains(action)
        })
    })
}
