//! L29.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy that let a service use the key without saying for whose
    /// resource: no condition on `aws:SourceArn`, `aws:SourceAccount`, `aws:SourceOrgID` or
    /// `aws:SourceOrgPaths`, and no encryption context that names an account or a resource.
    /// Statements that only let it describe the key are left alone. It speaks of policies that
    /// somebody can change by what they say; of single statements `service-without-source-here`
    /// does.
    ///
    /// ## Why is this bad?
    /// The service acts for customers of every account. If one of them gets it to use a key that is
    /// not theirs (a confused deputy), only such a condition stands in the way.
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
    pub(in crate::lint) static SERVICE_WITHOUT_SOURCE = {
        code: "KEY029",
        name: "service-without-source",
        summary: "a service principal without source ARN, account or organization",
        level: Warning,
        since: "0.1.0",
        covers: ["L29"],
        analyzer: ["RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_policy(&view.document) {
        return;
    }
    for (name, span) in key_policy::unbound_services(view) {
        if key_policy::sends_no_source(name) {
            continue;
        }
        let message = format!("`{name}` is let use the key for resources of every account");
        let help = "add a condition on `aws:SourceArn` or `aws:SourceAccount`";
        findings.push(Finding::at(span, message).help(help));
    }
}
