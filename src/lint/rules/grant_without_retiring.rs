//! L51.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, GrantView, grants};
use crate::model::Action;

declare_rule! {
    /// ## What it does
    /// Finds grants to users and roles without a retiring principal and without the operation
    /// `RetireGrant`.
    ///
    /// ## Why is this bad?
    /// Grants do not expire. Without somebody to retire them when the work is done they stay until the
    /// account that made them looks for them.
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
    pub(in crate::lint) static GRANT_WITHOUT_RETIRING = {
        code: "GRT151",
        name: "grant-without-retiring",
        summary: "a grant that neither its grantee nor a retiring principal can retire",
        level: Note,
        since: "0.1.0",
        covers: ["L51"],
        analyzer: [],
        check: Check::Grant(check),
    }
}

fn check(view: &GrantView<'_>, findings: &mut Findings<'_>) {
    let subject = view.subject;
    let grant = &subject.grant;
    if grant.retiring.is_some()
        || grant.operations.contains(Action::RetireGrant)
        || grants::is_of_service(subject)
    {
        return;
    }
    let message = "nobody is named to retire this grant when it is not needed any more";
    let help = "name a retiring principal, or add `RetireGrant` to the operations";
    findings.push(Finding::at(subject.grantee, message).help(help));
}
