//! Endpoint policies.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView, key_policy};
use crate::model::{KnownKey, PolicyKind};

declare_rule! {
    /// ## What it does
    /// Finds `kms:ViaService`, `aws:CalledVia` and their kin in VPC endpoint policies, where the
    /// condition demands a call through a service.
    ///
    /// ## Why is this bad?
    /// A service that calls KMS for somebody does so from its own network, not through the caller's VPC
    /// endpoint. No call through the endpoint ever meets the condition.
    ///
    /// ## Example
    /// ```json,endpoint
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Calls",
    ///       "Effect": "Allow",
    ///       "Principal": "*",
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}
    ///     }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,endpoint
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Calls",
    ///       "Effect": "Allow",
    ///       "Principal": "*",
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "Condition": {"StringEquals": {"aws:PrincipalAccount": "111122223333"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static VIA_SERVICE_AT_ENDPOINT = {
        code: "IAM405",
        name: "via-service-at-endpoint",
        summary: "a condition on calls through services in an endpoint policy",
        level: Warning,
        since: "0.1.0",
        covers: [],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if view.kind() != PolicyKind::Endpoint {
        return;
    }
    for (operator, condition) in view.conditions() {
        let is_via = matches!(
            condition.key.value.known(),
            Some(
                KnownKey::AwsCalledVia
                    | KnownKey::AwsCalledViaFirst
                    | KnownKey::AwsCalledViaLast
                    | KnownKey::KmsViaService
            )
        );
        if !is_via || key_policy::met_by_absence(operator.value, condition) != Some(false) {
            continue;
        }
        let effect = if view.is_allow() { "allows" } else { "denies" };
        let message =
            format!("calls of services do not come through the endpoint: this {effect} nothing");
        let help = "put the condition into the key's policy";
        findings.push(Finding::at(condition.key.span, message).help(help));
    }
}
