//! L26.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{KnownKey, Operator};

declare_rule! {
    /// ## What it does
    /// Finds an `Allow` of a key policy whose value of `kms:ViaService` has a wildcard in place of
    /// the Region.
    ///
    /// ## Why is this bad?
    /// A key is in one Region, and services use it from there. The wildcard also lets the service
    /// through in Regions nobody thought of, as soon as it reaches keys of other Regions.
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
    ///       "Condition": {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}
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
    ///       "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static VIA_SERVICE_IN_EVERY_REGION = {
        code: "KEY026",
        name: "via-service-in-every-region",
        summary: "`kms:ViaService` with a wildcard for the Region in a key policy",
        level: Note,
        since: "0.1.0",
        covers: ["L26"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(&view.document) || !view.is_allow() {
        return;
    }
    for (operator, one) in view.conditions() {
        if operator.value.operator != Operator::StringLike
            || one.key.value.known() != Some(KnownKey::KmsViaService)
        {
            continue;
        }
        for value in &one.values {
            let mut labels = value.value.as_str().split('.');
            let service = labels.next().unwrap_or_default();
            let region = labels.next().unwrap_or_default();
            // A wildcard for the service is another rule's.
            if !service.starts_with('*') && region == "*" {
                let message = format!("`{}` is in every Region", value.value.as_str());
                findings.push(Finding::at(value.span, message).help("name the key's Region"));
            }
        }
    }
}
