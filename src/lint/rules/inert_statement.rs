//! L37.

use crate::compile::Inert;
use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::Span;

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy that have no `Action` or no `Resource`, or an empty one.
    ///
    /// ## Why is this bad?
    /// KMS stores them, and they have no effect; other services refuse such a statement.
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
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"]
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
    pub(in crate::lint) static INERT_STATEMENT = {
        code: "KEY037",
        name: "inert-statement",
        summary: "a statement without actions or without resources",
        level: Warning,
        since: "0.1.0",
        covers: ["L37"],
        analyzer: ["MISSING_ACTION", "MISSING_RESOURCE"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(&view.document) {
        return;
    }
    let what = match view.compiled().and_then(|statement| statement.inert) {
        Some(Inert::NoAction) => "Action",
        Some(Inert::NoResource) => "Resource",
        Some(Inert::NoPrincipal) | None => return,
    };
    let start = view.statement.span.start();
    let message = format!("the statement has no effect: it has no `{what}`");
    let help = match what {
        "Resource" => r#"write `"Resource": "*"`, which is the key"#,
        _ => "list its actions in `Action`, or remove it",
    };
    findings.push(Finding::at(Span::new(start, start + 1), message).help(help));
}
