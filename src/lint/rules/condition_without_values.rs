//! Access Analyzer.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};

declare_rule! {
    /// ## What it does
    /// Finds condition keys with an empty list of values.
    ///
    /// ## Why is this bad?
    /// Nothing equals none of no values: the condition is never met, or always when it is negated. A
    /// template that fills the list left it empty.
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
    ///       "Condition": {"StringEquals": {"aws:PrincipalOrgID": []}}
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
    ///       "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static CONDITION_WITHOUT_VALUES = {
        code: "CON409",
        name: "condition-without-values",
        summary: "a condition key without values",
        level: Error,
        since: "0.1.0",
        covers: [],
        analyzer: ["EMPTY_ARRAY_CONDITION", "EMPTY_ARRAY_CONDITION_FORALLVALUES", "EMPTY_ARRAY_CONDITION_FORANYVALUE", "EMPTY_ARRAY_CONDITION_IFEXISTS"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for (_, one) in view.conditions() {
        if one.values.is_empty() {
            let message = format!("`{}` is compared with no value", one.key.value);
            let help = "write the values, or take the condition out";
            findings.push(Finding::at(one.span, message).help(help));
        }
    }
}
