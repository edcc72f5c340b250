//! L31.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy that deny something to everybody but a role, session or
    /// user, and do not list the account and, for a role, the session as well.
    ///
    /// ## Why is this bad?
    /// A caller is a session, of a role, of an account, and is denied unless all of them are
    /// listed; the ARN of a session cannot have a wildcard. Such statements lock out those whom
    /// they should spare.
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
    ///       "Sid": "OnlyAdmins",
    ///       "Effect": "Deny",
    ///       "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:role/key-admin"},
    ///       "Action": "kms:ScheduleKeyDeletion",
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
    ///       "Sid": "OnlyAdmins",
    ///       "Effect": "Deny",
    ///       "Principal": {"AWS": "*"},
    ///       "Action": "kms:ScheduleKeyDeletion",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/key-admin"}
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static INCOMPLETE_NOT_PRINCIPAL = {
        code: "KEY031",
        name: "incomplete-not-principal",
        summary: "`NotPrincipal` with `Deny` that lists a role or user without its session or account",
        level: Warning,
        since: "0.1.0",
        covers: ["L31"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(&view.document) {
        return;
    }
    for (entry, missing) in key_policy::unlisted(view) {
        let name = view.text(entry.span).trim_matches('"');
        let message = format!("`{name}` is denied this as well: its {missing} is not listed");
        findings.push(Finding::at(entry.span, message).help(
            "write `\"Principal\": \"*\"` with the condition `ArnNotEquals` on `aws:PrincipalArn`",
        ));
    }
}
