//! L47.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, DocumentView, Finding, Findings, Fix, key_policy};
use crate::model::Span;

declare_rule! {
    /// ## What it does
    /// Finds key policies without `Version`, but for single statements without policy variables.
    ///
    /// ## Why is this bad?
    /// Such a policy counts as one of version 2008-10-17, in which policy variables such as
    /// `${aws:username}` are text like any other.
    ///
    /// ## Example
    /// ```json,key
    /// {
    ///   "Statement": [
    ///     {
    ///       "Sid": "Delegate",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///       "Action": "kms:*",
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
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static MISSING_VERSION = {
        code: "KEY347",
        name: "missing-version",
        summary: "a key policy without a version",
        level: Warning,
        since: "0.1.0",
        covers: ["L47"],
        analyzer: ["MISSING_VERSION"],
        check: Check::Document(check),
    }
}

fn check(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(view) || view.syntax.version.is_some() {
        return;
    }
    // Guides print statements without what stands around them.
    if !key_policy::is_policy(view) && !view.document.text().contains("${") {
        return;
    }
    let Some(first) = view.syntax.statements.first() else { return };
    let text = view.document.text();
    let start = text.len() - text.trim_start().len();
    let is_file = view.document.key.is_none() && text.trim_start().starts_with('{');
    let start = if is_file { start } else { first.span.start() };
    let mut finding = Finding::at(Span::new(start, start + 1), "the policy has no `Version`")
        .help(r#"write `"Version": "2012-10-17"`"#);
    if is_file {
        // Variables would begin to mean something.
        let title = "add the version";
        let fix = if text.contains("${") { Fix::unsafe_(title) } else { Fix::safe(title) };
        let after = Span::new(start + 1, start + 1);
        finding = finding.fix(fix.replace(after, "\n  \"Version\": \"2012-10-17\","));
    }
    findings.push(finding);
}
