//! Access Analyzer.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::KnownKey;

declare_rule! {
    /// ## What it does
    /// Finds conditions on `aws:UserAgent` and `aws:Referer`.
    ///
    /// ## Why is this bad?
    /// Both are headers that the caller writes. Who wants to pass the condition writes what it asks
    /// for.
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
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "*",
    ///       "Condition": {"StringLike": {"aws:UserAgent": "orders/*"}}
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
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static SPOOFABLE_CONDITION_KEY = {
        code: "CON406",
        name: "spoofable-condition-key",
        summary: "a condition key that callers set as they like",
        level: Warning,
        since: "0.1.0",
        covers: [],
        analyzer: ["UNTRUSTWORTHY_CONDITION_KEY"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for (_, one) in view.conditions() {
        if let Some(KnownKey::AwsReferer | KnownKey::AwsUserAgent) = one.key.value.known() {
            let message = format!("callers set `{}` as they like", one.key.value);
            let help = "limit who calls, by principals, or where from, by `aws:SourceVpce`";
            findings.push(Finding::at(one.key.span, message).help(help));
        }
    }
}
