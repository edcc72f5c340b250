//! L38.

use crate::lint::condition;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::Operator;

declare_rule! {
    /// ## What it does
    /// Finds values that are not of their operator's type: no number, no address range, neither
    /// `true` nor `false`, no ARN of six parts.
    ///
    /// ## Why is this bad?
    /// Such a value equals nothing. An `Allow` that hangs on it never applies, and a `Deny` never or
    /// always does.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Action": "kms:ScheduleKeyDeletion",
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "Condition": {
    ///         "NumericGreaterThanEquals": {"kms:ScheduleKeyDeletionPendingWindowInDays": "30 days"}
    ///       }
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
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Action": "kms:ScheduleKeyDeletion",
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "Condition": {
    ///         "NumericGreaterThanEquals": {"kms:ScheduleKeyDeletionPendingWindowInDays": "30"}
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static VALUE_OF_ANOTHER_TYPE = {
        code: "CON138",
        name: "value-of-another-type",
        summary: "a condition value that its operator cannot read",
        level: Error,
        since: "0.1.0",
        covers: ["L38"],
        analyzer: ["TYPE_MISMATCH_BOOLEAN", "TYPE_MISMATCH_IP_RANGE", "TYPE_MISMATCH_NUMBER"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for (operator, one) in view.conditions() {
        for value in &one.values {
            let text = value.value.as_str();
            let kind = operator.value.operator;
            if condition::reads(kind, text) || is_placeholder(text) {
                continue;
            }
            let name = kind.as_str();
            let expected = match kind {
                Operator::Bool | Operator::Null => "`true` or `false`",
                Operator::IpAddress | Operator::NotIpAddress => {
                    "an address or a range such as `203.0.113.0/24`"
                }
                _ if name.starts_with("Numeric") => "a number",
                _ => "an ARN of six parts, which wildcards do not reach across",
            };
            let message = format!("`{text}` is not what `{name}` compares");
            findings.push(Finding::at(value.span, message).help(format!("write {expected}")));
        }
    }
}

/// Whether a guide leaves it to the reader to write the value.
fn is_placeholder(text: &str) -> bool {
    text.starts_with('<') && text.ends_with('>')
}
