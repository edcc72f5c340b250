//! L51.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, GrantView, grants};
use crate::model::{GrantPrincipal, PrincipalArn, PrincipalArnKind};

declare_rule! {
    /// ## What it does
    /// Finds grants to users and roles that were deleted: those listed by their unique id, and those
    /// whose account is told with all its users and roles, this one not among them.
    ///
    /// ## Why is this bad?
    /// The grant is of no use to anybody, and stands for a permission that should have ended. A role of
    /// the same name that is made later does not get it.
    ///
    /// ## Example
    /// ```json
    /// {
    ///   "Grants": [
    ///     {
    ///       "KeyId": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "GrantId": "1111111111111111111111111111111111111111111111111111111111111111",
    ///       "IssuingAccount": "arn:aws:iam::111122223333:root",
    ///       "GranteePrincipal": "AROAEXAMPLEID123456AB",
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
    pub(in crate::lint) static GRANT_TO_DELETED_PRINCIPAL = {
        code: "GRT251",
        name: "grant-to-deleted-principal",
        summary: "a grant to somebody who does not exist any more",
        level: Warning,
        since: "0.1.0",
        covers: ["L51"],
        analyzer: [],
        check: Check::Grant(check),
    }
}

fn check(view: &GrantView<'_>, findings: &mut Findings<'_>) {
    let subject = view.subject;
    let (name, what) = match &subject.grant.grantee {
        GrantPrincipal::Unique(id) => (id.as_str(), "was deleted"),
        GrantPrincipal::Principal(arn) if is_missing(view, arn) => {
            (arn.as_str(), "does not exist in its account")
        }
        _ => return,
    };
    let message = format!("the grantee `{name}` {what}");
    findings.push(Finding::at(subject.grantee, message).help("revoke the grant"));
}

/// Whether the account is told with all its users and roles, and this is none of them.
fn is_missing(view: &GrantView<'_>, arn: &PrincipalArn) -> bool {
    if !view.collection.whole_accounts.contains(&arn.account())
        || grants::is_of_service(view.subject)
    {
        return false;
    }
    let entities = &view.collection.entities;
    match arn.kind() {
        PrincipalArnKind::User | PrincipalArnKind::Role => {
            !entities.iter().any(|entity| entity.arn == *arn)
        }
        PrincipalArnKind::AssumedRole => !entities.iter().any(|entity| {
            entity.arn.account() == arn.account()
                && entity.arn.kind() == PrincipalArnKind::Role
                && entity.arn.role_name() == arn.role_name()
        }),
        PrincipalArnKind::FederatedUser | PrincipalArnKind::Root => false,
    }
}
