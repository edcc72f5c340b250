//! Access Analyzer.

use crate::lint::condition;
use crate::lint::condition::Change;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{ConditionOperator, KnownKey, Operator};

declare_rule! {
    /// ## What it does
    /// Finds a `Deny` under `Bool` with `aws:MultiFactorAuthPresent` as `false`.
    ///
    /// ## Why is this bad?
    /// Requests signed with a user's long-term access key do not carry the key at all. They do not
    /// meet the condition and are not denied, though no second factor was used.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "NeedsMfa",
    ///       "Effect": "Deny",
    ///       "Action": "kms:ScheduleKeyDeletion",
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}
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
    ///       "Sid": "NeedsMfa",
    ///       "Effect": "Deny",
    ///       "Action": "kms:ScheduleKeyDeletion",
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static MFA_DENY_WITHOUT_IF_EXISTS = {
        code: "CON412",
        name: "mfa-deny-without-if-exists",
        summary: "a `Deny` without MFA that long-term keys pass",
        level: Warning,
        since: "0.1.0",
        covers: [],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for entry in &view.statement.condition {
        let operator = entry.operator.value;
        if view.is_allow() || operator.operator != Operator::Bool || operator.if_exists {
            continue;
        }
        for one in &entry.conditions {
            let is_false = one.values.iter().all(|value| value.value.as_str() == "false");
            let is_mfa = one.key.value.known() == Some(KnownKey::AwsMultiFactorAuthPresent);
            if !is_mfa || !is_false || speaks_of_sessions(view) {
                continue;
            }
            let right = ConditionOperator { if_exists: true, ..operator };
            let message = "requests signed with long-term access keys do not carry this key, and are not denied";
            let finding = Finding::at(one.key.span, message)
                .related(entry.operator.span, "is not met without it")
                .help(format!("write `{right}`"));
            let fix = condition::with_operator(view, entry, right, Change::More);
            findings.push(finding.fix(fix.filter(|_| entry.conditions.len() == 1)));
        }
    }
}

/// Whether the statement is said to be for temporary credentials, which always carry the key.
fn speaks_of_sessions(view: &StatementView<'_>) -> bool {
    condition::needs(view, &[KnownKey::AwsTokenIssueTime, KnownKey::AwsMultiFactorAuthAge])
}
