//! L26.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{KnownKey, Operator};

declare_rule! {
    /// ## What it does
    /// Finds an `Allow` whose value of `kms:ViaService` begins with a wildcard.
    ///
    /// ## Why is this bad?
    /// The condition then holds for requests through any service, those included through which the
    /// caller decides what is decrypted and where it goes. It says no more than that the call is not
    /// direct.
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
    ///       "Condition": {"StringLike": {"kms:ViaService": "*.eu-central-1.amazonaws.com"}}
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
    ///       "Condition": {
    ///         "StringEquals": {
    ///           "kms:ViaService": ["s3.eu-central-1.amazonaws.com", "rds.eu-central-1.amazonaws.com"]
    ///         }
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static ANY_VIA_SERVICE = {
        code: "CON126",
        name: "any-via-service",
        summary: "a value of `kms:ViaService` that every service meets",
        level: Warning,
        since: "0.1.0",
        covers: ["L26"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for (operator, one) in view.conditions() {
        if !view.is_allow()
            || operator.value.operator != Operator::StringLike
            || one.key.value.known() != Some(KnownKey::KmsViaService)
        {
            continue;
        }
        for value in &one.values {
            let text = value.value.as_str();
            let service = text.split('.').next().unwrap_or_default();
            if service.starts_with('*') {
                let message = format!("`{text}` is every service");
                findings.push(Finding::at(value.span, message).help("name the services"));
            }
        }
    }
}
