//! Access Analyzer.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, Fix, StatementView};
use crate::model::{ConditionValue, Spanned};

declare_rule! {
    /// ## What it does
    /// Finds lists of condition values that hold strings beside numbers or booleans without quotes.
    ///
    /// ## Why is this bad?
    /// AWS wants the values of a list to be of one type and reports others as an error.
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
    ///       "Condition": {"NumericEquals": {"aws:MultiFactorAuthAge": ["60", 3600]}}
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
    ///       "Condition": {"NumericEquals": {"aws:MultiFactorAuthAge": ["60", "3600"]}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static MIXED_VALUE_TYPES = {
        code: "CON408",
        name: "mixed-value-types",
        summary: "condition values of several JSON types in one list",
        level: Warning,
        since: "0.1.0",
        covers: [],
        analyzer: ["INVALID_CONDITION_DATA_TYPE"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for (_, one) in view.conditions() {
        let Some(first) = one.values.first() else { continue };
        let differs = |value: &&Spanned<ConditionValue>| {
            std::mem::discriminant(&value.value) != std::mem::discriminant(&first.value)
        };
        let Some(other) = one.values.iter().find(differs) else { continue };
        let mut fix = Fix::safe("write all of them as strings");
        for value in &one.values {
            if !matches!(value.value, ConditionValue::String(_)) {
                fix = fix.replace_string(value.span, value.value.as_str());
            }
        }
        findings.push(
            Finding::at(other.span, "this value is of another type than the first of the list")
                .related(first.span, "the first")
                .help("write all of them as strings")
                .fix(fix),
        );
    }
}
