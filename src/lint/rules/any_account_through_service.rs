//! L02, L28.

use crate::lint::key_policy::{self, Reach};
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::KnownKey;

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy that allow something to `*` under a condition on
    /// `kms:ViaService`, without one that pins down the account of the caller.
    ///
    /// ## Why is this bad?
    /// `kms:ViaService` tells which service forwards the call, not for whom. The policies of AWS
    /// managed keys, where the pattern comes from, name the account with `kms:CallerAccount`;
    /// without it, anybody who uses the service in any account may use the key.
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
    ///       "Sid": "UseThroughS3",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "*"},
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
    ///       "Sid": "UseThroughS3",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "*"},
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com", "kms:CallerAccount": "111122223333"}
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static ANY_ACCOUNT_THROUGH_SERVICE = {
        code: "KEY028",
        name: "any-account-through-service",
        summary: "every principal through a service, of whatever account",
        level: Warning,
        since: "0.1.0",
        covers: ["L02", "L28"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let Some(entry) = key_policy::allows_everybody(view) else { return };
    if key_policy::reach(view) != Reach::Unlimited {
        return;
    }
    let through =
        view.conditions().find(|(_, one)| one.key.value.known() == Some(KnownKey::KmsViaService));
    let Some((_, condition)) = through else { return };
    let message = "users of this service in every AWS account are allowed this";
    findings.push(
        Finding::at(entry.span, message)
            .related(condition.span, "tells the service, not the account")
            .help("add `kms:CallerAccount` with the account's id to the condition"),
    );
}
