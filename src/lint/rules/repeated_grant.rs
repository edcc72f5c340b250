//! L51.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, GrantView, grants};
use crate::model::{EncryptionContextConstraint, Grant};

declare_rule! {
    /// ## What it does
    /// Finds grants on a key whose operations and constraints another grant to the same user or role
    /// includes. Grants to services and service-linked roles are left out: each belongs to a resource
    /// of theirs.
    ///
    /// ## Why is this bad?
    /// Repeated grants use up the quota of a key, and revoking one of them takes nothing away. They
    /// mostly come from calls of `CreateGrant` without `Name` that were tried again.
    ///
    /// ## Example
    /// ```json
    /// {
    ///   "Grants": [
    ///     {
    ///       "KeyId": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "GrantId": "1111111111111111111111111111111111111111111111111111111111111111",
    ///       "IssuingAccount": "arn:aws:iam::111122223333:root",
    ///       "GranteePrincipal": "arn:aws:iam::111122223333:role/orders",
    ///       "RetiringPrincipal": "arn:aws:iam::111122223333:role/admin",
    ///       "Operations": ["Encrypt", "Decrypt"],
    ///       "Constraints": {"EncryptionContextEquals": {"app": "orders"}}
    ///     },
    ///     {
    ///       "KeyId": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "GrantId": "2222222222222222222222222222222222222222222222222222222222222222",
    ///       "IssuingAccount": "arn:aws:iam::111122223333:root",
    ///       "GranteePrincipal": "arn:aws:iam::111122223333:role/orders",
    ///       "RetiringPrincipal": "arn:aws:iam::111122223333:role/admin",
    ///       "Operations": ["Encrypt", "Decrypt"],
    ///       "Constraints": {"EncryptionContextEquals": {"app": "orders"}}
    ///     }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json
    /// {
    ///   "Grants": [
    ///     {
    ///       "KeyId": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "GrantId": "1111111111111111111111111111111111111111111111111111111111111111",
    ///       "IssuingAccount": "arn:aws:iam::111122223333:root",
    ///       "GranteePrincipal": "arn:aws:iam::111122223333:role/orders",
    ///       "RetiringPrincipal": "arn:aws:iam::111122223333:role/admin",
    ///       "Operations": ["Encrypt", "Decrypt"],
    ///       "Constraints": {"EncryptionContextEquals": {"app": "orders"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static REPEATED_GRANT = {
        code: "GRT051",
        name: "repeated-grant",
        summary: "a grant that gives nothing another does not give",
        level: Warning,
        since: "0.1.0",
        covers: ["L51"],
        analyzer: [],
        check: Check::Grant(check),
    }
}

fn check(view: &GrantView<'_>, findings: &mut Findings<'_>) {
    let subject = view.subject;
    if subject.grant.operations.is_empty() || grants::is_of_service(subject) {
        return;
    }
    let mut is_before = true;
    for other in &view.collection.grants {
        if std::ptr::eq(other, subject) {
            is_before = false;
            continue;
        }
        if !grants::are_on_one_key(subject, other) || !includes(&other.grant, &subject.grant) {
            continue;
        }
        // Of two that give the same, the first stays.
        let message = match includes(&subject.grant, &other.grant) {
            true if is_before => "this grant repeats another",
            true => continue,
            false => "this grant gives nothing that another does not give already",
        };
        let help =
            "revoke it; with a `Name`, `CreateGrant` makes no second one when it is tried again";
        let finding = Finding::at(subject.span, message).help(help);
        findings.push(finding.related_in(other, other.span, "this one"));
        return;
    }
}

/// Whether a grant allows whatever another does.
fn includes(wide: &Grant, narrow: &Grant) -> bool {
    use EncryptionContextConstraint::{Equals, Subset};
    let (limits, own) = (&wide.constraints, &narrow.constraints);
    let context = match (&limits.encryption_context, &own.encryption_context) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(Equals(wanted)), Some(Equals(told))) => wanted == told,
        (Some(Equals(_)), Some(Subset(_))) => false,
        (Some(Subset(wanted)), Some(Equals(told) | Subset(told))) => {
            wanted.iter().all(|(name, value)| told.value(name) == Some(value))
        }
    };
    wide.grantee == narrow.grantee
        && narrow.operations.is_subset_of(wide.operations)
        && (limits.source_arn.is_none() || limits.source_arn == own.source_arn)
        && context
}
