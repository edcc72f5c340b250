//! Resource control policies.

use crate::evaluate::supplies;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView, key_policy};
use crate::model::{Condition, ConditionOperator, KnownKey, PolicyKind};

declare_rule! {
    /// ## What it does
    /// Finds statements of resource control policies that deny the use of keys to callers outside of an
    /// organization or account, and speak of no service.
    ///
    /// ## Why is this bad?
    /// A service that calls as itself, as CloudTrail and CloudWatch Logs do, is in no organization and
    /// no account. It lacks the key and is denied. AWS's examples leave services out with
    /// `aws:PrincipalIsAWSService`.
    ///
    /// ## Example
    /// ```json,rcp
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Limits",
    ///       "Effect": "Deny",
    ///       "Principal": "*",
    ///       "Action": "kms:*",
    ///       "Resource": "*",
    ///       "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    ///     }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,rcp
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Limits",
    ///       "Effect": "Deny",
    ///       "Principal": "*",
    ///       "Action": "kms:*",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
    ///         "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static SERVICES_DENIED = {
        code: "IAM407",
        name: "services-denied",
        summary: "a resource control policy whose condition on callers denies services",
        level: Warning,
        since: "0.1.0",
        covers: [],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if view.kind() != PolicyKind::ResourceControl || view.is_allow() {
        return;
    }
    // What is not about cryptography, no service does by itself.
    if !view.actions().iter().any(|action| supplies(action, KnownKey::KmsEncryptionAlgorithm)) {
        return;
    }
    let is_met = |operator: ConditionOperator, condition: &Condition| {
        key_policy::met_by_absence(operator, condition) != Some(false)
    };
    let mut found = None;
    for (operator, condition) in view.conditions() {
        let known = condition.key.value.known();
        if known.is_some_and(|key| OF_CALLERS.contains(&key)) {
            if !is_met(operator.value, condition) {
                return;
            }
            found = found.or(Some(condition));
        } else if !known.is_some_and(|key| OF_SERVICES_TOO.contains(&key)) {
            // A key that services may lack, or carry another value of.
            return;
        }
    }
    let Some(condition) = found else { return };
    let message = format!(
        "services that call as themselves have no `{}`: they are denied",
        condition.key.value
    );
    let help = r#"add `"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}`"#;
    findings.push(Finding::at(condition.key.span, message).help(help));
}

/// Keys that users and roles have and services lack.
const OF_CALLERS: &[KnownKey] = &[
    KnownKey::AwsPrincipalAccount,
    KnownKey::AwsPrincipalArn,
    KnownKey::AwsPrincipalOrgId,
    KnownKey::AwsPrincipalOrgPaths,
];

/// Keys of the request or the key that leave services in.
const OF_SERVICES_TOO: &[KnownKey] =
    &[KnownKey::AwsRequestedRegion, KnownKey::AwsResourceAccount, KnownKey::AwsResourceTag];
