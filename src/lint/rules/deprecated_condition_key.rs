//! L48.

use crate::lint::condition;
use crate::lint::condition::Change;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::KnownKey;

declare_rule! {
    /// ## What it does
    /// Finds `kms:CustomerMasterKeySpec` and `kms:CustomerMasterKeyUsage`.
    ///
    /// ## Why is this bad?
    /// They are deprecated names of `kms:KeySpec` and `kms:KeyUsage`, which work the same way. Tools
    /// and readers know the new names.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Action": "kms:CreateKey",
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"kms:CustomerMasterKeySpec": "RSA_4096"}}
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
    ///       "Action": "kms:CreateKey",
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"kms:KeySpec": "RSA_4096"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static DEPRECATED_CONDITION_KEY = {
        code: "CON048",
        name: "deprecated-condition-key",
        summary: "a deprecated condition key",
        level: Warning,
        since: "0.1.0",
        covers: ["L48"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for entry in &view.statement.condition {
        for one in &entry.conditions {
            let right = match one.key.value.known() {
                Some(KnownKey::KmsCustomerMasterKeySpec) => KnownKey::KmsKeySpec,
                Some(KnownKey::KmsCustomerMasterKeyUsage) => KnownKey::KmsKeyUsage,
                _ => continue,
            };
            let text = right.as_str();
            let message = format!("`{}` is deprecated", one.key.value);
            let mut finding = Finding::at(one.key.span, message).help(format!("write `{text}`"));
            // No member of an object stands twice.
            let is_taken = entry.conditions.iter().any(|it| it.key.value.known() == Some(right));
            if !is_taken {
                let fix = condition::fix(view, Change::None, format!("write `{text}`"));
                finding = finding.fix(fix.replace_string(one.key.span, text));
            }
            findings.push(finding);
        }
    }
}
