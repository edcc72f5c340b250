//! L17.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::KnownKey;

declare_rule! {
    /// ## What it does
    /// Finds conditions on `kms:ResourceAliases` and `aws:ResourceTag/…` in key policies.
    ///
    /// ## Why is this bad?
    /// KMS supplies both to identity policies alone. In a key policy an `Allow` under such a
    /// condition never applies; a `Deny` never does, or, under a negated operator, always.
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
    ///       "Condition": {"StringEquals": {"aws:ResourceTag/team": "orders"}}
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
    ///       "Condition": {"StringEquals": {"aws:PrincipalTag/team": "orders"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static IDENTITY_KEY_IN_KEY_POLICY = {
        code: "KEY017",
        name: "identity-key-in-key-policy",
        summary: "a condition key that only identity policies see",
        level: Error,
        since: "0.1.0",
        covers: ["L17"],
        analyzer: ["IRRELEVANT_CONDITION_KEY_IN_POLICY"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(&view.document) {
        return;
    }
    for (operator, condition) in view.conditions() {
        let key = condition.key.value.known();
        if !matches!(key, Some(KnownKey::KmsResourceAliases | KnownKey::AwsResourceTag)) {
            continue;
        }
        let effect = match key_policy::met_by_absence(operator.value, condition) {
            Some(true) => "this condition always holds",
            _ => "this condition never holds",
        };
        let message =
            format!("`{}` is not supplied to key policies: {effect}", condition.key.value);
        findings.push(Finding::at(condition.key.span, message).help(
            "a key policy is for one key and needs no condition on which; write it in an identity \
             policy",
        ));
    }
}
