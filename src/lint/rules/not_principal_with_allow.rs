//! L30.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{PrincipalElement, Span};

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy that allow something to everybody but those they list.
    ///
    /// ## Why is this bad?
    /// That is every principal of every other account, too.
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
    ///       "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:role/guest"},
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
    pub(in crate::lint) static NOT_PRINCIPAL_WITH_ALLOW = {
        code: "KEY030",
        name: "not-principal-with-allow",
        summary: "`NotPrincipal` with `Allow`",
        level: Error,
        since: "0.1.0",
        covers: ["L30"],
        analyzer: ["ALLOW_WITH_NOT_PRINCIPAL"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(&view.document) || !view.is_allow() {
        return;
    }
    let Some(PrincipalElement::IsNot(listed)) = &view.statement.principal else { return };
    let Some((first, last)) = listed.first().zip(listed.last()) else { return };
    let span = Span::new(first.span.start(), last.span.end());
    let message = "everybody but these is allowed this, in every AWS account";
    findings.push(Finding::at(span, message).help(
        "name in `Principal` who may, and deny the others in a statement of its own if needed",
    ));
}
