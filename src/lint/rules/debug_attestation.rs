//! L49.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::KnownKey;

declare_rule! {
    /// ## What it does
    /// Finds measurements of all zeros in conditions of an `Allow` on `kms:RecipientAttestation:…`.
    ///
    /// ## Why is this bad?
    /// An enclave that runs in debug mode reports zeros whatever image it runs, and the host can
    /// read its console: the condition admits every image.
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
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "StringEqualsIgnoreCase": {
    ///           "kms:RecipientAttestation:PCR0": "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    ///         }
    ///       }
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
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "StringEqualsIgnoreCase": {
    ///           "kms:RecipientAttestation:PCR0": "9fedcba8abcdef7abcdef6abcdef5abcdef4abcdef3abcdef2abcdef1abcdef0abcdef1abcdef2abcdef3abcdef4abcdef5"
    ///         }
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static DEBUG_ATTESTATION = {
        code: "CON149",
        name: "debug-attestation",
        summary: "attestation of an enclave in debug mode",
        level: Warning,
        since: "0.1.0",
        covers: ["L49"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    for (operator, one) in view.conditions() {
        if !view.is_allow()
            || operator.value.operator.is_negated()
            || one.key.value.known() != Some(KnownKey::KmsRecipientAttestation)
        {
            continue;
        }
        for value in &one.values {
            let text = value.value.as_str();
            if text.len() >= 64 && text.bytes().all(|byte| byte == b'0') {
                let message = "zeros are what every enclave in debug mode reports";
                let help = "write the measurement that building the image prints";
                findings.push(Finding::at(value.span, message).help(help));
            }
        }
    }
}
