//! Access Analyzer.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{KnownKey, Principal, Spanned, split_arn};

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy for services that are limited by `aws:SourceArn` alone,
    /// with an ARN that holds no account id, such as a bucket's.
    ///
    /// ## Why is this bad?
    /// A bucket that is deleted may be made again in another account. AWS recommends a condition on
    /// `aws:SourceAccount` beside such an ARN.
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
    ///       "Principal": {"Service": "s3.amazonaws.com"},
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "*",
    ///       "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::orders"}}
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
    ///       "Principal": {"Service": "s3.amazonaws.com"},
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "ArnEquals": {"aws:SourceArn": "arn:aws:s3:::orders"},
    ///         "StringEquals": {"aws:SourceAccount": "111122223333"}
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static UNPAIRED_SOURCE_ARN = {
        code: "KEY402",
        name: "unpaired-source-arn",
        summary: "a source ARN without an account, and no source account",
        level: Note,
        since: "0.1.0",
        covers: [],
        analyzer: ["MISSING_PAIRED_CONDITION_KEYS"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let is_service = |one: &Spanned<Principal>| matches!(one.value, Principal::Service(_));
    if !key_policy::is_written(&view.document)
        || !view.is_allow()
        || !view.principals().iter().any(is_service)
    {
        return;
    }
    let keys: Vec<_> = view.conditions().filter_map(|(_, one)| one.key.value.known()).collect();
    let paired =
        [KnownKey::AwsSourceAccount, KnownKey::AwsSourceOrgId, KnownKey::AwsSourceOrgPaths];
    if keys.iter().any(|key| paired.contains(key)) {
        return;
    }
    for (_, condition) in view.conditions() {
        if condition.key.value.known() != Some(KnownKey::AwsSourceArn) {
            continue;
        }
        for value in &condition.values {
            let account = split_arn(value.value.as_str()).map(|[.., account, _]| account);
            if account == Some("") {
                let message = "this ARN holds no account id";
                let help = "add a condition on `aws:SourceAccount`";
                findings.push(Finding::at(value.span, message).help(help));
            }
        }
    }
}
