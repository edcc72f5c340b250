//! L50.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, GrantView, grants};
use crate::model::Action;

declare_rule! {
    /// ## What it does
    /// Finds grants that let a user or role make further grants and have no constraint. Service-linked
    /// roles are left out: services document that they need it.
    ///
    /// ## Why is this bad?
    /// The grantee gives all the other operations of the grant to whom it likes, in any account, and
    /// whoever it gives them to keeps them when the grantee is gone.
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
    ///       "Operations": ["Decrypt", "CreateGrant"]
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
    ///       "Operations": ["Decrypt"],
    ///       "Constraints": {"EncryptionContextEquals": {"app": "orders"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static GRANT_THAT_MAKES_GRANTS = {
        code: "GRT150",
        name: "grant-that-makes-grants",
        summary: "a grant of `CreateGrant` without a constraint",
        level: Warning,
        since: "0.1.0",
        covers: ["L50"],
        analyzer: [],
        check: Check::Grant(check),
    }
}

fn check(view: &GrantView<'_>, findings: &mut Findings<'_>) {
    let subject = view.subject;
    let constraints = &subject.grant.constraints;
    let is_limited = constraints.encryption_context.is_some() || constraints.source_arn.is_some();
    if !subject.grant.operations.contains(Action::CreateGrant)
        || is_limited
        || grants::is_of_service(subject)
    {
        return;
    }
    let grantee = subject.grant.grantee.as_str();
    let message = format!("`{grantee}` can pass this grant on to anybody");
    let help = "leave `CreateGrant` out, or add an encryption context constraint, which then binds \
                what is passed on";
    findings.push(Finding::at(subject.operations, message).help(help));
}
