//! L21.

use crate::lint::condition;
use crate::lint::condition::Change;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{Condition, ConditionOperator, KnownKey, Operator, SetQualifier};

declare_rule! {
    /// ## What it does
    /// Finds `kms:GrantOperations` under `ForAnyValue:` in an `Allow`, and under `ForAllValues:` in
    /// a `Deny`.
    ///
    /// ## Why is this bad?
    /// A grant lists several operations. `ForAnyValue:` in an `Allow` is met when one of them is on
    /// the list, whatever the others are; `ForAllValues:` in a `Deny` is met only when all of them
    /// are. A grant that mixes listed operations with others passes the limit.
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
    ///       "Condition": {
    ///         "ForAnyValue:StringEquals": {"kms:GrantOperations": ["Decrypt", "DescribeKey"]}
    ///       }
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
    ///       "Condition": {
    ///         "ForAllValues:StringEquals": {"kms:GrantOperations": ["Decrypt", "DescribeKey"]}
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static LOOSE_LIMIT_ON_GRANT_OPERATIONS = {
        code: "CON021",
        name: "loose-limit-on-grant-operations",
        summary: "a limit on the operations of grants that a mixed grant passes",
        level: Error,
        since: "0.1.0",
        covers: ["L21"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let (loose, strict) = match view.is_allow() {
        true => (SetQualifier::ForAnyValue, SetQualifier::ForAllValues),
        false => (SetQualifier::ForAllValues, SetQualifier::ForAnyValue),
    };
    let is_limited = |qualifier| {
        view.conditions().any(|(operator, one)| {
            operator.value.qualifier == Some(qualifier) && is_of_operations(one)
        })
    };
    // Beside a limit, the other says that something has to be there.
    if view.is_allow() && is_limited(strict) {
        return;
    }
    for entry in &view.statement.condition {
        let operator = entry.operator.value;
        let Some(one) = entry.conditions.iter().find(|one| is_of_operations(one)) else { continue };
        if operator.qualifier != Some(loose) || operator.operator == Operator::Null {
            continue;
        }
        let right = ConditionOperator { qualifier: Some(strict), ..operator };
        let message = match view.is_allow() {
            true => "a grant may have any operations, as long as one of them meets this",
            false => "a grant of these and of other operations is not denied",
        };
        let finding = Finding::at(entry.operator.span, message)
            .related(one.key.span, "the operations of the grant")
            .help(format!("write `{right}`"));
        let fix = condition::with_operator(view, entry, right, Change::Unknown);
        findings.push(finding.fix(fix.filter(|_| entry.conditions.len() == 1)));
    }
}

fn is_of_operations(one: &Condition) -> bool {
    one.key.value.known() == Some(KnownKey::KmsGrantOperations)
}
