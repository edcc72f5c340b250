//! Grants beside policies.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, GrantView, ask};
use crate::model::{Decision, GrantPrincipal, PrincipalArnKind};

declare_rule! {
    /// ## What it does
    /// Asks, for the operations of each grant in a world, whether the grantee may call them, and finds
    /// those that a statement denies whatever the request says.
    ///
    /// ## Why is this bad?
    /// A `Deny` in a key policy, an identity policy or an organization's policy beats every grant.
    ///
    /// ## Example
    /// ```json,world
    /// {
    ///   "accounts/111122223333/iam.json": {
    ///     "RoleDetailList": [
    ///       {"Arn": "arn:aws:iam::111122223333:role/orders", "RolePolicyList": []},
    ///       {"Arn": "arn:aws:iam::111122223333:role/admin", "RolePolicyList": []}
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
    ///         "Sid": "NoDecryption",
    ///         "Effect": "Deny",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///         "Action": ["kms:Decrypt", "kms:ReEncrypt*"],
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/grants.json": {
    ///     "Grants": [
    ///       {
    ///         "KeyId": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///         "GrantId": "1111111111111111111111111111111111111111111111111111111111111111",
    ///         "IssuingAccount": "arn:aws:iam::111122223333:root",
    ///         "GranteePrincipal": "arn:aws:iam::111122223333:role/orders",
    ///         "RetiringPrincipal": "arn:aws:iam::111122223333:role/admin",
    ///         "Operations": ["Encrypt", "Decrypt"],
    ///         "Constraints": {"EncryptionContextEquals": {"app": "orders"}}
    ///       }
    ///     ]
    ///   }
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,world
    /// {
    ///   "accounts/111122223333/iam.json": {
    ///     "RoleDetailList": [
    ///       {"Arn": "arn:aws:iam::111122223333:role/orders", "RolePolicyList": []},
    ///       {"Arn": "arn:aws:iam::111122223333:role/admin", "RolePolicyList": []}
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
    ///         "Sid": "NoDecryption",
    ///         "Effect": "Deny",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///         "Action": ["kms:Decrypt", "kms:ReEncrypt*"],
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/grants.json": {
    ///     "Grants": [
    ///       {
    ///         "KeyId": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///         "GrantId": "1111111111111111111111111111111111111111111111111111111111111111",
    ///         "IssuingAccount": "arn:aws:iam::111122223333:root",
    ///         "GranteePrincipal": "arn:aws:iam::111122223333:role/orders",
    ///         "RetiringPrincipal": "arn:aws:iam::111122223333:role/admin",
    ///         "Operations": ["Encrypt"],
    ///         "Constraints": {"EncryptionContextEquals": {"app": "orders"}}
    ///       }
    ///     ]
    ///   }
    /// }
    /// ```
    pub(in crate::lint) static DENIED_GRANT = {
        code: "GRT403",
        name: "denied-grant",
        summary: "a grant that a policy denies",
        level: Warning,
        since: "0.1.0",
        covers: [],
        analyzer: [],
        check: Check::Grant(check),
    }
}

fn check(view: &GrantView<'_>, findings: &mut Findings<'_>) {
    let subject = view.subject;
    let Some((world, key)) = view.collection.world().zip(subject.facts.arn.as_ref()) else {
        return;
    };
    let GrantPrincipal::Principal(grantee) = &subject.grant.grantee else { return };
    let Some((entry, caller)) = world.key(key).zip(ask::caller_of(grantee)) else { return };
    // An account passes its grants on; what its root user may call says nothing of the others.
    if grantee.kind() == PrincipalArnKind::Root {
        return;
    }
    let denied: Vec<String> = subject
        .grant
        .operations
        .iter()
        .filter(|action| ask::in_world(world, entry, &caller, *action) == Decision::ExplicitDeny)
        .map(|action| format!("`{}`", action.name()))
        .collect();
    if denied.is_empty() {
        return;
    }
    let message = format!("a policy denies `{grantee}` what this grants: {}", denied.join(", "));
    let help = "take it out of the grant, or leave the grantee out of the `Deny`";
    findings.push(Finding::at(subject.operations, message).help(help));
}
