//! L39.

use crate::evaluate::supplies;
use crate::lint::network;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{KnownKey, PolicyKind};

declare_rule! {
    /// ## What it does
    /// Finds statements that deny uses of keys outside of a network, VPC or endpoint without an
    /// exemption for AWS services.
    ///
    /// ## Why is this bad?
    /// When S3 or EBS use a key for the caller, the request to KMS does not come through the
    /// caller's endpoint or from the caller's VPC, and its address may be the service's. The
    /// statement denies it, and objects or volumes cannot be read. Where only direct calls are made,
    /// nothing has to change.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Endpoint",
    ///       "Effect": "Deny",
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1234abcd"}}
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
    ///       "Sid": "Endpoint",
    ///       "Effect": "Deny",
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///       "Condition": {
    ///         "StringNotEquals": {"aws:SourceVpce": "vpce-1234abcd"},
    ///         "Bool": {"aws:ViaAWSService": "false"}
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static NETWORK_DENY_FOR_SERVICES = {
        code: "CON039",
        name: "network-deny-for-services",
        summary: "a `Deny` by network that hits services acting for the caller",
        level: Note,
        since: "0.1.0",
        covers: ["L39"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if view.is_allow() || view.kind() == PolicyKind::Endpoint {
        return;
    }
    // Services use keys; they do not manage them.
    if !view.actions().iter().any(|action| supplies(action, KnownKey::KmsRequestAlias)) {
        return;
    }
    if let Some(condition) = network::denies_others(view) {
        let message = "requests of AWS services that act for the caller are denied, too";
        findings.push(Finding::at(condition.key.span, message).help(network::HELP));
    }
}
