//! L38.

use crate::lint::condition;
use crate::lint::condition::Change;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{ConditionOperator, Operator};

declare_rule! {
    /// ## What it does
    /// Finds `*` and `?` in values of `StringEquals`, `StringNotEquals` and the operators that
    /// ignore case.
    ///
    /// ## Why is this bad?
    /// Only `StringLike`, `StringNotLike` and ARN operators know wildcards; the others look for the
    /// character itself.
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
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"kms:ViaService": "s3.*.amazonaws.com"}}
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
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///       "Resource": "*",
    ///       "Condition": {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static WILDCARD_WITHOUT_LIKE = {
        code: "CON238",
        name: "wildcard-without-like",
        summary: "a wildcard that is compared as a character",
        level: Error,
        since: "0.1.0",
        covers: ["L38"],
        analyzer: ["WILDCARD_WITHOUT_LIKE_OPERATOR"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for entry in &view.statement.condition {
        let operator = entry.operator.value;
        let like = match operator.operator {
            Operator::StringEquals | Operator::StringEqualsIgnoreCase => Operator::StringLike,
            Operator::StringNotEquals | Operator::StringNotEqualsIgnoreCase => {
                Operator::StringNotLike
            }
            _ => continue,
        };
        let right = ConditionOperator { operator: like, ..operator };
        for one in &entry.conditions {
            // A value of its own name is one that the author of the request chose.
            let mut wild = one.values.iter().filter(|value| has_wildcard(value.value.as_str()));
            let Some(value) = wild.next() else { continue };
            let message = format!("`{operator}` takes the wildcards of this value as characters");
            let finding = Finding::at(value.span, message)
                .related(entry.operator.span, "knows no wildcards")
                .help(format!("write `{right}`, or values without wildcards"));
            let change = match operator.operator {
                Operator::StringEquals => Change::More,
                Operator::StringNotEquals => Change::Fewer,
                _ => Change::Unknown,
            };
            let fix = condition::with_operator(view, entry, right, change);
            findings.push(finding.fix(fix.filter(|_| entry.conditions.len() == 1)));
        }
    }
}

/// Whether a value has a wildcard that is not written as the variable for the character.
fn has_wildcard(text: &str) -> bool {
    text.replace("${*}", "").replace("${?}", "").contains(['*', '?'])
}
