//! Access Analyzer.

use crate::lint::condition;
use crate::lint::condition::Change;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{ConditionOperator, Operator, SetQualifier};

declare_rule! {
    /// ## What it does
    /// Finds `ForAllValues:Null` and `ForAnyValue:Null`.
    ///
    /// ## Why is this bad?
    /// `Null` asks whether the key is there at all. With `ForAllValues:` it is always met and with
    /// `ForAnyValue:` never, whatever the request.
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
    ///       "Condition": {"ForAllValues:Null": {"kms:EncryptionContextKeys": "false"}}
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
    ///       "Condition": {"Null": {"kms:EncryptionContextKeys": "false"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static NULL_WITH_SET_OPERATOR = {
        code: "CON401",
        name: "null-with-set-operator",
        summary: "`Null` with a set operator",
        level: Error,
        since: "0.1.0",
        covers: [],
        analyzer: ["NULL_WITH_QUALIFIER"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for entry in &view.statement.condition {
        let operator = entry.operator.value;
        let effect = match operator.qualifier {
            Some(SetQualifier::ForAllValues) => "is always met",
            Some(SetQualifier::ForAnyValue) => "is never met",
            None => continue,
        };
        if operator.operator != Operator::Null {
            continue;
        }
        let plain = ConditionOperator { qualifier: None, ..operator };
        let change = match operator.qualifier {
            Some(SetQualifier::ForAllValues) => Change::Fewer,
            _ => Change::More,
        };
        let finding =
            Finding::at(entry.operator.span, format!("`{operator}` {effect}")).help("write `Null`");
        findings.push(finding.fix(condition::with_operator(view, entry, plain, change)));
    }
}
