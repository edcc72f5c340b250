//! L43.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Collection, Findings, related_keys};
use crate::model::Effect;

declare_rule! {
    /// ## What it does
    /// Compares the key policies of related multi-Region keys, the names of their Regions aside, and
    /// finds `Deny` statements that one has and another lacks.
    ///
    /// ## Why is this bad?
    /// Related keys have the same key material: what one encrypts, the other decrypts. KMS does not
    /// keep their policies alike, and a `Deny` is worth nothing where the same material can be used
    /// beside it.
    ///
    /// ## Example
    /// ```json,world
    /// {
    ///   "accounts/111122223333/regions/eu-central-1/keys/mrk-1234abcd12ab34cd56ef1234567890ab/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "Keep",
    ///         "Effect": "Deny",
    ///         "Principal": "*",
    ///         "Action": "kms:ScheduleKeyDeletion",
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "OnlyTls",
    ///         "Effect": "Deny",
    ///         "Principal": "*",
    ///         "Action": "kms:*",
    ///         "Resource": "*",
    ///         "Condition": {"Bool": {"aws:SecureTransport": "false"}}
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/us-east-1/keys/mrk-1234abcd12ab34cd56ef1234567890ab/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "Keep",
    ///         "Effect": "Deny",
    ///         "Principal": "*",
    ///         "Action": "kms:ScheduleKeyDeletion",
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   }
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,world
    /// {
    ///   "accounts/111122223333/regions/eu-central-1/keys/mrk-1234abcd12ab34cd56ef1234567890ab/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "Keep",
    ///         "Effect": "Deny",
    ///         "Principal": "*",
    ///         "Action": "kms:ScheduleKeyDeletion",
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/us-east-1/keys/mrk-1234abcd12ab34cd56ef1234567890ab/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "Keep",
    ///         "Effect": "Deny",
    ///         "Principal": "*",
    ///         "Action": "kms:ScheduleKeyDeletion",
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   }
    /// }
    /// ```
    pub(in crate::lint) static RELATED_KEY_WITHOUT_DENY = {
        code: "WLD043",
        name: "related-key-without-deny",
        summary: "a multi-Region key without a `Deny` that a related key has",
        level: Warning,
        since: "0.1.0",
        covers: ["L43"],
        analyzer: [],
        check: Check::Collection(check),
    }
}

fn check(collection: &Collection, findings: &mut Findings<'_>) {
    for one in related_keys::lacking(collection) {
        if one.statement.effect.value != Effect::Deny {
            continue;
        }
        let message = format!("the key in {} does not deny this", one.lacks.1);
        let help = format!("add the statement to the policy of the key in {}, too", one.lacks.1);
        findings.push_in(one.document, one.finding(message).help(help));
    }
}
