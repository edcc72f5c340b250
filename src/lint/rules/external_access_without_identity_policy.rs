//! L34.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Collection, Finding, Findings, ask, key_policy};
use crate::model::{
    Action, CallerPrincipal, Decision, Effect, Principal, PrincipalArn, PrincipalElement,
};

declare_rule! {
    /// ## What it does
    /// Finds users, roles and accounts that a key policy of another account lets use its key, while no
    /// policy of their own account does.
    ///
    /// ## Why is this bad?
    /// Across accounts a key policy opens its half of the door alone. The other account has to allow
    /// the same actions in an identity policy.
    ///
    /// ## Example
    /// ```json,world
    /// {
    ///   "accounts/111122223333/iam.json": {"RoleDetailList": []},
    ///   "accounts/444455556666/iam.json": {
    ///     "RoleDetailList": [
    ///       {
    ///         "Arn": "arn:aws:iam::444455556666:role/orders",
    ///         "RolePolicyList": [
    ///           {
    ///             "PolicyName": "p",
    ///             "PolicyDocument": {
    ///               "Version": "2012-10-17",
    ///               "Statement": [
    ///                 {
    ///                   "Sid": "Use",
    ///                   "Effect": "Allow",
    ///                   "Action": "s3:GetObject",
    ///                   "Resource": "arn:aws:s3:::orders/*"
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
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "UseFromAfar",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::444455556666:role/orders"},
    ///         "Action": ["kms:Decrypt", "kms:DescribeKey"],
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
    ///   "accounts/111122223333/iam.json": {"RoleDetailList": []},
    ///   "accounts/444455556666/iam.json": {
    ///     "RoleDetailList": [
    ///       {
    ///         "Arn": "arn:aws:iam::444455556666:role/orders",
    ///         "RolePolicyList": [
    ///           {
    ///             "PolicyName": "p",
    ///             "PolicyDocument": {
    ///               "Version": "2012-10-17",
    ///               "Statement": [
    ///                 {
    ///                   "Sid": "Use",
    ///                   "Effect": "Allow",
    ///                   "Action": ["kms:Decrypt", "kms:DescribeKey"],
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
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "UseFromAfar",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::444455556666:role/orders"},
    ///         "Action": ["kms:Decrypt", "kms:DescribeKey"],
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/grants.json": {
    ///     "Grants": []
    ///   }
    /// }
    /// ```
    pub(in crate::lint) static EXTERNAL_ACCESS_WITHOUT_IDENTITY_POLICY = {
        code: "WLD034",
        name: "external-access-without-identity-policy",
        summary: "another account's principal that its own account does not let use the key",
        level: Warning,
        since: "0.1.0",
        covers: ["L34"],
        analyzer: [],
        check: Check::Collection(check),
    }
}

fn check(collection: &Collection, findings: &mut Findings<'_>) {
    let Some(world) = collection.world() else { return };
    for document in &collection.documents {
        let key = document.key.as_ref().and_then(|facts| facts.arn.as_ref());
        let entry = key.and_then(|arn| world.key(arn));
        let Some(((syntax, policy), entry)) = document.syntax().zip(document.policy()).zip(entry)
        else {
            continue;
        };
        for (statement, compiled) in syntax.statements.iter().zip(policy.statements()) {
            let Some(PrincipalElement::Is(principals)) = &statement.principal else { continue };
            // The rest is ineffective across accounts, whoever allows it, and has a rule of its own.
            let actions: Vec<Action> = compiled
                .actions
                .iter()
                .filter(|action| action.works_across_accounts() && *action != Action::RetireGrant)
                .collect();
            if compiled.effect != Effect::Allow || compiled.inert.is_some() || actions.is_empty() {
                continue;
            }
            for principal in principals {
                let Some(account) = key_policy::account_of(&principal.value) else { continue };
                if account == entry.key.arn.account()
                    || !collection.whole_accounts.contains(&account)
                {
                    continue;
                }
                let callers = callers(collection, &principal.value);
                let no = |caller: &CallerPrincipal, action: Action| {
                    ask::in_world(world, entry, caller, action) == Decision::ImplicitDeny
                };
                let all = callers.iter().all(|caller| actions.iter().all(|one| no(caller, *one)));
                if callers.is_empty() || !all {
                    continue;
                }
                let message = match &principal.value {
                    Principal::Account { .. } => {
                        format!("no policy of account {account} lets anybody there use this key")
                    }
                    _ => format!("no policy of account {account} lets it use this key"),
                };
                let help = format!(
                    "allow `{}` on `{}` in an identity policy there",
                    actions.iter().map(|one| one.as_str()).take(3).collect::<Vec<_>>().join("`, `"),
                    entry.key.arn
                );
                findings.push_in(document, Finding::at(principal.span, message).help(help));
            }
        }
    }
}

/// The users and roles a principal stands for, of those that are told.
fn callers(collection: &Collection, principal: &Principal) -> Vec<CallerPrincipal> {
    let is_meant = |arn: &PrincipalArn| match principal {
        Principal::Account { account, .. } => arn.account() == *account,
        Principal::Arn(named) => arn == named,
        _ => false,
    };
    let entities = collection.entities.iter().filter(|entity| is_meant(&entity.arn));
    entities.filter_map(|entity| ask::caller_of(&entity.arn)).collect()
}
