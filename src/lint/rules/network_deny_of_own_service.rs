//! L39.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, DocumentView, Finding, Findings, StatementView};
use crate::lint::{key_policy, network};
use crate::model::{KnownKey, Principal};

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy that deny everybody outside of a network, VPC or endpoint,
    /// where another statement lets an AWS service use the key for the same actions.
    ///
    /// ## Why is this bad?
    /// A service does not call from the caller's network: it has another source address or none, and
    /// goes through no endpoint of the caller's. The `Deny` takes back what the other statement
    /// gives.
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
    ///       "Sid": "Office",
    ///       "Effect": "Deny",
    ///       "Principal": {"AWS": "*"},
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///       "Resource": "*",
    ///       "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    ///     },
    ///     {
    ///       "Sid": "ThroughS3",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}
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
    ///       "Sid": "Office",
    ///       "Effect": "Deny",
    ///       "Principal": {"AWS": "*"},
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"},
    ///         "Bool": {"aws:ViaAWSService": "false"}
    ///       }
    ///     },
    ///     {
    ///       "Sid": "ThroughS3",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static NETWORK_DENY_OF_OWN_SERVICE = {
        code: "KEY039",
        name: "network-deny-of-own-service",
        summary: "a `Deny` by network that hits a service the same policy lets in",
        level: Warning,
        since: "0.1.0",
        covers: ["L39"],
        analyzer: [],
        check: Check::Document(check),
    }
}

fn check(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(view) {
        return;
    }
    for deny in view.statements().filter(|one| !one.is_allow()) {
        if key_policy::everybody(&deny).is_none() {
            continue;
        }
        let Some(condition) = network::denies_others(&deny) else { continue };
        let hit = view.statements().filter(StatementView::is_allow).find_map(|one| {
            if !one.actions().iter().any(|action| deny.actions().contains(action)) {
                return None;
            }
            let via = one.conditions().find(|(operator, it)| {
                it.key.value.known() == Some(KnownKey::KmsViaService)
                    && key_policy::met_by_absence(operator.value, it) == Some(false)
            });
            let service =
                one.principals().iter().find(|it| matches!(it.value, Principal::Service(_)));
            via.map(|(_, it)| it.span).or(service.map(|it| it.span))
        });
        if let Some(span) = hit {
            let message = "the service that this policy lets in is denied: it calls from elsewhere";
            findings.push(
                Finding::at(condition.key.span, message)
                    .related(span, "lets the service in")
                    .help(network::HELP),
            );
        }
    }
}
