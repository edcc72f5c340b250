//! L50.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, GrantView};
use crate::model::{AccountId, GrantPrincipal, PrincipalArnKind};

declare_rule! {
    /// ## What it does
    /// Finds grants whose grantee is the root principal of an account that does not own the key.
    ///
    /// ## Why is this bad?
    /// Whoever manages IAM there passes the grant on to whom they like, today's users and roles and
    /// those to come. Deleting a role that should not have it any more ends nothing.
    ///
    /// ## Example
    /// ```json
    /// {
    ///   "Grants": [
    ///     {
    ///       "KeyId": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "GrantId": "1111111111111111111111111111111111111111111111111111111111111111",
    ///       "IssuingAccount": "arn:aws:iam::111122223333:root",
    ///       "GranteePrincipal": "arn:aws:iam::444455556666:root",
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
    ///       "GranteePrincipal": "arn:aws:iam::444455556666:role/orders",
    ///       "RetiringPrincipal": "arn:aws:iam::111122223333:role/admin",
    ///       "Operations": ["Encrypt", "Decrypt"],
    ///       "Constraints": {"EncryptionContextEquals": {"app": "orders"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static GRANT_TO_WHOLE_ACCOUNT = {
        code: "GRT050",
        name: "grant-to-whole-account",
        summary: "a grant to the root principal of another account",
        level: Warning,
        since: "0.1.0",
        covers: ["L50"],
        analyzer: [],
        check: Check::Grant(check),
    }
}

fn check(view: &GrantView<'_>, findings: &mut Findings<'_>) {
    let subject = view.subject;
    let account: Option<AccountId> = match &subject.grant.grantee {
        GrantPrincipal::Principal(grantee) if grantee.kind() == PrincipalArnKind::Root => {
            Some(grantee.account())
        }
        // `Principal` of a policy takes an account's id, too.
        GrantPrincipal::Other(text) => text.parse().ok(),
        _ => None,
    };
    let Some(account) = account.filter(|it| subject.facts.account.is_some_and(|own| own != *it))
    else {
        return;
    };
    let message = format!("the grant is to everybody whom account {account} lets use it");
    let help = "make it out to the role that needs it";
    findings.push(Finding::at(subject.grantee, message).help(help));
}
