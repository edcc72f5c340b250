//! L29.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};

declare_rule! {
    /// ## What it does
    /// Does what `service-without-source` does for documents that may be only a part of a key's
    /// policy, such as statements that a guide prints, and for services that are documented not to
    /// tell for whose resource they act.
    ///
    /// ## Why is this bad?
    /// Guides print such statements, with the advice to add a condition on `aws:SourceArn` or
    /// `aws:SourceAccount` once the resource is there.
    ///
    /// ## Example
    /// ```json,key
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "LetTrailEncrypt",
    ///       "Effect": "Allow",
    ///       "Principal": {"Service": "cloudtrail.amazonaws.com"},
    ///       "Action": "kms:GenerateDataKey*",
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
    ///       "Sid": "LetTrailEncrypt",
    ///       "Effect": "Allow",
    ///       "Principal": {"Service": "cloudtrail.amazonaws.com"},
    ///       "Action": "kms:GenerateDataKey*",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "StringEquals": {"aws:SourceArn": "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"}
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static SERVICE_WITHOUT_SOURCE_HERE = {
        code: "KEY129",
        name: "service-without-source-here",
        summary: "a service principal without a source, in what may be a part of a policy",
        level: Note,
        since: "0.1.0",
        covers: ["L29"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for (name, span) in key_policy::unbound_services(view) {
        let (message, help) = if key_policy::sends_no_source(name) {
            let message = format!("`{name}` does not tell for whose resource it uses the key");
            (message, "let nobody else put resources behind it that use this key")
        } else if key_policy::is_policy(&view.document) {
            continue;
        } else {
            let message = format!("`{name}` is let use the key for resources of every account");
            (message, "add a condition on `aws:SourceArn` or `aws:SourceAccount`")
        };
        findings.push(Finding::at(span, message).help(help));
    }
}
