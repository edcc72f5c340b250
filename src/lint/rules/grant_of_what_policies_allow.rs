//! L51.

use crate::compile::{Grants, KeyEntry, Known};
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, GrantView, ask, grants};
use crate::model::{Grant, GrantPrincipal, PrincipalArnKind};

declare_rule! {
    /// ## What it does
    /// Asks, for the operations of each grant to a user or role of a world, whether the grantee may call
    /// them without the grant, and finds grants that add nothing.
    ///
    /// ## Why is this bad?
    /// Two things then give the same: whoever takes it from the policy leaves it in the grant, which
    /// nobody who reads the policy sees.
    ///
    /// ## Example
    /// ```json,world
    /// {
    ///   "accounts/111122223333/iam.json": {
    ///     "RoleDetailList": [
    ///       {
    ///         "Arn": "arn:aws:iam::111122223333:role/orders",
    ///         "RolePolicyList": []
    ///       },
    ///       {
    ///         "Arn": "arn:aws:iam::111122223333:role/admin",
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
    ///         "Sid": "Use",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///         "Action": ["kms:Encrypt", "kms:Decrypt"],
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
    ///       {
    ///         "Arn": "arn:aws:iam::111122223333:role/orders",
    ///         "RolePolicyList": []
    ///       },
    ///       {
    ///         "Arn": "arn:aws:iam::111122223333:role/admin",
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
    pub(in crate::lint) static GRANT_OF_WHAT_POLICIES_ALLOW = {
        code: "GRT404",
        name: "grant-of-what-policies-allow",
        summary: "a grant of what policies allow without it",
        level: Note,
        since: "0.1.0",
        covers: ["L51"],
        analyzer: [],
        check: Check::Grant(check),
    }
}

fn check(view: &GrantView<'_>, findings: &mut Findings<'_>) {
    let subject = view.subject;
    let GrantPrincipal::Principal(grantee) = &subject.grant.grantee else { return };
    if grants::is_of_service(subject) || grantee.kind() == PrincipalArnKind::Root {
        return;
    }
    let Some((world, key)) = view.collection.world().zip(subject.facts.arn.as_ref()) else {
        return;
    };
    let Some((entry, caller)) = world.key(key).zip(ask::caller_of(grantee)) else { return };
    let Some(known) = entry.grants.known() else { return };
    // Of other grants `repeated-grant` speaks.
    let others: Vec<Grant> =
        known.iter().filter(|one| one.grantee != subject.grant.grantee).cloned().collect();
    let without = KeyEntry { grants: Known::Known(Grants::from(others)), ..entry.clone() };
    let is_given = |action| ask::in_world(world, &without, &caller, action).is_allow();
    if subject.grant.operations.is_empty() || !subject.grant.operations.iter().all(is_given) {
        return;
    }
    let message = format!("policies allow `{grantee}` all of this without the grant");
    let help = "revoke it, or take it from the policy";
    findings.push(Finding::at(subject.operations, message).help(help));
}
