//! Access Analyzer.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::KeyType;

declare_rule! {
    /// ## What it does
    /// Finds numbers as values of date operators on `aws:CurrentTime` and `aws:TokenIssueTime`.
    ///
    /// ## Why is this bad?
    /// A number of four digits may be a year or a time in 1970, and nobody reads the others. AWS
    /// recommends ISO 8601.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "Condition": {"DateLessThan": {"aws:CurrentTime": "1893456000"}}
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
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "Condition": {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static DATE_IN_SECONDS = {
        code: "CON411",
        name: "date-in-seconds",
        summary: "a date written as a number of seconds",
        level: Warning,
        since: "0.1.0",
        covers: [],
        analyzer: ["INVALID_DATE_VALUE"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for (operator, one) in view.conditions() {
        let is_date = operator.value.operator.as_str().starts_with("Date");
        let is_key = one.key.value.known().is_some_and(|key| key.value_type() == KeyType::Date);
        for value in one.values.iter().filter(|_| is_date && is_key) {
            let text = value.value.as_str();
            if text.bytes().all(|byte| byte.is_ascii_digit()) {
                let message = if text.len() == 4 {
                    format!("whether `{text}` is a year or seconds since 1970 is open")
                } else {
                    format!("`{text}` is read as seconds since 1970")
                };
                let help = "write the date as `2030-01-01T00:00:00Z`";
                findings.push(Finding::at(value.span, message).help(help));
            }
        }
    }
}
