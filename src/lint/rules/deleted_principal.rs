//! L35.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, Fix, StatementView};
use crate::model::{PolicyKind, Principal, PrincipalElement};

declare_rule! {
    /// ## What it does
    /// Finds principals written as unique ids, such as `AROA…` and `AIDA…`.
    ///
    /// ## Why is this bad?
    /// AWS shows such an id in place of a user or role that does not exist any more. A new one of
    /// the same name is another principal: the entry is for nobody, and a policy with it is refused
    /// when it is stored again.
    ///
    /// ## Example
    /// ```json,key
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Delegate",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///       "Action": "kms:*",
    ///       "Resource": "*"
    ///     },
    ///     {
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "AROAEXAMPLEROLE12345"},
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///       "Resource": "*"
    ///     }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,key
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Delegate",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///       "Action": "kms:*",
    ///       "Resource": "*"
    ///     },
    ///     {
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///       "Resource": "*"
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static DELETED_PRINCIPAL = {
        code: "KEY035",
        name: "deleted-principal",
        summary: "a principal that was deleted",
        level: Warning,
        since: "0.1.0",
        covers: ["L35"],
        analyzer: ["INVALID_ROLE_REFERENCE", "INVALID_USER_REFERENCE"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let entries = view.statement.principal.as_ref().map(PrincipalElement::entries);
    if view.kind() != PolicyKind::Key {
        return;
    }
    for entry in entries.unwrap_or_default() {
        let Principal::Unique(id) = &entry.value else { continue };
        let what = match id.as_str().get(..4) {
            Some("AIDA") => "a user that does not exist any more",
            Some("AROA") => "a role that does not exist any more",
            _ => "no user and no role",
        };
        let finding = Finding::at(entry.span, format!("`{id}` is {what}"))
            .help("remove it, or write the ARN of the user or role that should be meant");
        let fix = Fix::unsafe_("remove it");
        findings.push(finding.fix(fix.remove_element(view.document.document.text(), entry.span)));
    }
}
