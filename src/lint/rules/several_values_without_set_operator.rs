//! L19.

use crate::lint::condition;
use crate::lint::condition::Change;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{Condition, ConditionOperator, KnownKey, Operator, SetQualifier};

declare_rule! {
    /// ## What it does
    /// Finds condition keys with several values, such as `kms:EncryptionContextKeys`,
    /// `kms:GrantOperations` or `aws:PrincipalOrgPaths`, under an operator without `ForAllValues:`
    /// or `ForAnyValue:`.
    ///
    /// ## Why is this bad?
    /// How a set is compared has to be said: AWS requires a set operator with these keys, and does
    /// not document what happens without one. Requests with more than one value were seen to meet no
    /// such condition.
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
    ///       "Condition": {"StringEquals": {"kms:EncryptionContextKeys": "tenant"}}
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
    ///       "Condition": {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "tenant"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static SEVERAL_VALUES_WITHOUT_SET_OPERATOR = {
        code: "CON019",
        name: "several-values-without-set-operator",
        summary: "a condition key with several values without a set operator",
        level: Error,
        since: "0.1.0",
        covers: ["L19"],
        analyzer: ["MISSING_QUALIFIER"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for entry in &view.statement.condition {
        let operator = entry.operator.value;
        if operator.qualifier.is_some() || operator.operator == Operator::Null {
            continue;
        }
        let several = condition::on_keys_with(entry, true);
        let is_whole = several.len() == entry.conditions.len();
        for (at, one) in several.iter().enumerate() {
            let name = &one.key.value;
            let message = format!(
                "`{name}` can have several values, and `{operator}` does not say how many have to match"
            );
            let qualifier = meant(view, operator, one);
            let right = ConditionOperator { qualifier: Some(qualifier), ..operator };
            let help = match qualifier {
                SetQualifier::ForAllValues => format!(
                    "write `{right}`, so that nothing else is let through, or `ForAnyValue:{operator}`"
                ),
                SetQualifier::ForAnyValue => format!(
                    "write `{right}` if one match is enough, or `ForAllValues:{operator}` if all have to"
                ),
            };
            let span = if is_whole { entry.operator.span } else { one.key.span };
            let mut finding = Finding::at(span, message).help(help);
            if is_whole {
                finding = finding.related(one.key.span, "has several values");
            }
            let fix = condition::with_operator(view, entry, right, Change::Unknown);
            findings.push(finding.fix(fix.filter(|_| is_whole && at == 0)));
        }
    }
}

/// The set operator that was most likely meant: what may be in a grant or in tags is limited by
/// naming all of it.
fn meant(view: &StatementView<'_>, operator: ConditionOperator, one: &Condition) -> SetQualifier {
    let is_limit =
        matches!(one.key.value.known(), Some(KnownKey::AwsTagKeys | KnownKey::KmsGrantOperations));
    match view.is_allow() && (is_limit || operator.operator.is_negated()) {
        true => SetQualifier::ForAllValues,
        false => SetQualifier::ForAnyValue,
    }
}
