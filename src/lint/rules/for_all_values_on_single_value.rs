//! L18.

use crate::lint::condition;
use crate::lint::condition::Change;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{ConditionOperator, KnownKey, Operator, PolicyKind, SetQualifier};

declare_rule! {
    /// ## What it does
    /// Finds `ForAllValues:` with a condition key that has one value, such as
    /// `kms:EncryptionContext:…` or `kms:ViaService`.
    ///
    /// ## Why is this bad?
    /// `ForAllValues:` is met by a request without the key. An `Allow` then lets through what its
    /// author meant to exclude: requests without the encryption context, direct calls, any account.
    /// KMS refuses key policies that use it with `kms:EncryptionContext:…` or `aws:RequestTag/…`
    /// (`OverlyPermissiveCondition`).
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
    ///       "Condition": {"ForAllValues:StringEquals": {"kms:EncryptionContext:tenant": "a"}}
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
    pub(in crate::lint) static FOR_ALL_VALUES_ON_SINGLE_VALUE = {
        code: "CON018",
        name: "for-all-values-on-single-value",
        summary: "`ForAllValues:` on a condition key with one value",
        level: Error,
        since: "0.1.0",
        covers: ["L18"],
        analyzer: ["FORALLVALUES_WITH_SINGLE_VALUED_KEY"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for entry in &view.statement.condition {
        let operator = entry.operator.value;
        if operator.qualifier != Some(SetQualifier::ForAllValues)
            || operator.operator == Operator::Null
        {
            continue;
        }
        let single = condition::on_keys_with(entry, false);
        let Some(first) = single.first() else { continue };
        let plain = ConditionOperator { qualifier: None, ..operator };
        let effect = if view.is_allow() { "allowed" } else { "denied" };
        let message = format!(
            "`ForAllValues:` with {}, which has one value: requests without it are {effect} too",
            condition::names(&single)
        );
        let mut finding = Finding::at(entry.operator.span, message)
            .related(first.key.span, "a request has one value of it, or none");
        let is_whole = single.len() == entry.conditions.len();
        let refused = single.iter().any(|one| {
            let key = one.key.value.known();
            matches!(key, Some(KnownKey::AwsRequestTag | KnownKey::KmsEncryptionContext))
        });
        finding = finding.help(match is_whole {
            true if refused && view.kind() == PolicyKind::Key => {
                format!("write `{plain}`; KMS refuses the policy as it is")
            }
            true => format!("write `{plain}`"),
            false => {
                format!("put it under `{plain}`, and leave only keys with several values here")
            }
        });
        let is_same = operator.if_exists || operator.operator.is_negated();
        let change = if is_same { Change::None } else { Change::Fewer };
        if is_whole && let Some(fix) = condition::with_operator(view, entry, plain, change) {
            finding = finding.fix(fix);
        }
        findings.push(finding);
    }
}
