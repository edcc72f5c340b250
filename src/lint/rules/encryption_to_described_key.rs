//! L10.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Findings, StatementView};

use super::encryption_to_every_key::report;

declare_rule! {
    /// ## What it does
    /// Does what `encryption-to-every-key` does for statements under a condition on tags or aliases of the
    /// key or on the encryption context.
    ///
    /// ## Why is this bad?
    /// Such a condition says which keys are meant, and whoever owns a key gives it the same tag or alias,
    /// in whatever account. Only a condition on the owner keeps data in accounts of one's own.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Write",
    ///       "Effect": "Allow",
    ///       "Action": ["kms:Encrypt", "kms:GenerateDataKey"],
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"aws:ResourceTag/project": "orders"}}
    ///     }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Write",
    ///       "Effect": "Allow",
    ///       "Action": ["kms:Encrypt", "kms:GenerateDataKey"],
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "StringEquals": {
    ///           "aws:ResourceTag/project": "orders",
    ///           "aws:ResourceAccount": "111122223333"
    ///         }
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static ENCRYPTION_TO_DESCRIBED_KEY = {
        code: "IAM110",
        name: "encryption-to-described-key",
        summary: "encryption to keys of every account that a tag, alias or context picks",
        level: Note,
        since: "0.1.0",
        covers: ["L10"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    report(view, findings, true);
}
