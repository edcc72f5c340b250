//! L18.

use crate::lint::condition;
use crate::lint::condition::Change;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{ConditionOperator, Operator, SetQualifier};

declare_rule! {
    /// ## What it does
    /// Finds `ForAnyValue:` with a condition key that has one value.
    ///
    /// ## Why is this bad?
    /// Set operators are for keys with several values. On others `ForAnyValue:` either changes
    /// nothing or, with a negated operator, turns around what a request without the key gets: it no
    /// longer meets the condition, so that a `Deny` meant for it is lost.
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
    ///       "Condition": {"ForAnyValue:StringEquals": {"kms:EncryptionContext:tenant": "a"}}
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
    ///       "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static FOR_ANY_VALUE_ON_SINGLE_VALUE = {
        code: "CON118",
        name: "for-any-value-on-single-value",
        summary: "`ForAnyValue:` on a condition key with one value",
        level: Warning,
        since: "0.1.0",
        covers: ["L18"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for entry in &view.statement.condition {
        let operator = entry.operator.value;
        if operator.qualifier != Some(SetQualifier::ForAnyValue)
            || operator.operator == Operator::Null
        {
            continue;
        }
        let single = condition::on_keys_with(entry, false);
        let Some(first) = single.first() else { continue };
        let plain = ConditionOperator { qualifier: None, ..operator };
        let names = condition::names(&single);
        let (effect, change) = match (operator.if_exists, operator.operator.is_negated()) {
            (true, _) => ("what it does to requests without it is not documented", Change::Unknown),
            (false, true) if view.is_allow() => {
                ("requests without it are not allowed", Change::More)
            }
            (false, true) => ("requests without it are not denied", Change::More),
            (false, false) => ("it changes nothing", Change::None),
        };
        let message = format!("`ForAnyValue:` with {names}, which has one value: {effect}");
        let mut finding = Finding::at(entry.operator.span, message)
            .related(first.key.span, "a request has one value of it, or none");
        let is_whole = single.len() == entry.conditions.len();
        finding = finding.help(match is_whole {
            true => format!("write `{plain}`"),
            false => {
                format!("put it under `{plain}`, and leave only keys with several values here")
            }
        });
        if is_whole && let Some(fix) = condition::with_operator(view, entry, plain, change) {
            finding = finding.fix(fix);
        }
        findings.push(finding);
    }
}
