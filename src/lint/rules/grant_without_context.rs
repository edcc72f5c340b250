//! L50.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, GrantView, grants};
use crate::model::Action;

declare_rule! {
    /// ## What it does
    /// Finds grants that let a user or role decrypt or re-encrypt from a symmetric key without an
    /// encryption context constraint.
    ///
    /// ## Why is this bad?
    /// The grantee reads whatever was ever encrypted with the key. AWS recommends to tie grants to the
    /// encryption context of the data they are for.
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
    ///       "Operations": ["Decrypt"]
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
    pub(in crate::lint) static GRANT_WITHOUT_CONTEXT = {
        code: "GRT250",
        name: "grant-without-context",
        summary: "a grant of decryption for any encryption context",
        level: Note,
        since: "0.1.0",
        covers: ["L50"],
        analyzer: [],
        check: Check::Grant(check),
    }
}

fn check(view: &GrantView<'_>, findings: &mut Findings<'_>) {
    let subject = view.subject;
    let operations = subject.grant.operations;
    let reading = [Action::Decrypt, Action::ReEncryptFrom].into_iter();
    let Some(reads) = reading.into_iter().find(|action| operations.contains(*action)) else {
        return;
    };
    let constraints = &subject.grant.constraints;
    if constraints.encryption_context.is_some()
        || constraints.source_arn.is_some()
        || subject.facts.spec.is_some_and(|spec| !spec.is_symmetric())
        || grants::is_of_service(subject)
    {
        return;
    }
    let message = format!("`{}` is granted for any encryption context", reads.name());
    let help = "add `EncryptionContextEquals` with the context of the data the grant is for";
    findings.push(Finding::at(subject.operations, message).help(help));
}
