//! Access Analyzer.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{ConditionValue, Operator, Spanned};

declare_rule! {
    /// ## What it does
    /// Finds `Bool` and `Null` with a list of both values.
    ///
    /// ## Why is this bad?
    /// One of the values always matches, so that the condition says nothing.
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
    ///       "Action": "kms:CreateGrant",
    ///       "Resource": "*",
    ///       "Condition": {"Bool": {"kms:GrantIsForAWSResource": ["true", "false"]}}
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
    ///       "Action": "kms:CreateGrant",
    ///       "Resource": "*",
    ///       "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static CONTRADICTING_BOOLEANS = {
        code: "CON407",
        name: "contradicting-booleans",
        summary: "both `true` and `false` under `Bool`",
        level: Error,
        since: "0.1.0",
        covers: [],
        analyzer: ["INVALID_CONDITION_MULTIPLE_BOOLEAN"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for (operator, one) in view.conditions() {
        let is_bool = matches!(operator.value.operator, Operator::Bool | Operator::Null);
        let Some(first) = one.values.first().filter(|_| is_bool) else { continue };
        let differs = |value: &&Spanned<ConditionValue>| {
            !value.value.as_str().eq_ignore_ascii_case(first.value.as_str())
        };
        if let Some(other) = one.values.iter().find(differs) {
            let name = &one.key.value;
            findings.push(
                Finding::at(other.span, format!("`{name}` is always one of `true` and `false`"))
                    .related(first.span, "the other value")
                    .help("write one value"),
            );
        }
    }
}
