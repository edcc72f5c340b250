//! L43.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Collection, Findings, related_keys};
use crate::model::{Action, Effect};

declare_rule! {
    /// ## What it does
    /// Compares the key policies of related multi-Region keys, the names of their Regions aside, and
    /// finds `Allow` statements that one has and another lacks.
    ///
    /// ## Why is this bad?
    /// KMS does not keep the policies of related keys alike. A caller that fails over to the other
    /// Region is denied there, and a permission that was taken away in one Region may still stand in
    /// another. Where that is meant, nothing has to change.
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
    ///         "Sid": "Use",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///         "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///         "Resource": "*",
    ///         "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}
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
    ///         "Sid": "Use",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///         "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///         "Resource": "*",
    ///         "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}
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
    ///         "Sid": "Use",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///         "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///         "Resource": "*",
    ///         "Condition": {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    ///       }
    ///     ]
    ///   }
    /// }
    /// ```
    pub(in crate::lint) static RELATED_KEY_WITHOUT_ALLOW = {
        code: "WLD143",
        name: "related-key-without-allow",
        summary: "a multi-Region key without an `Allow` that a related key has",
        level: Note,
        since: "0.1.0",
        covers: ["L43"],
        analyzer: [],
        check: Check::Collection(check),
    }
}

fn check(collection: &Collection, findings: &mut Findings<'_>) {
    for one in related_keys::lacking(collection) {
        // These are asked on the primary, or on the two keys that change places.
        let moves = one
            .actions
            .iter()
            .all(|action| matches!(action, Action::ReplicateKey | Action::UpdatePrimaryRegion));
        if one.statement.effect.value != Effect::Allow || moves {
            continue;
        }
        let message = format!("the key in {} does not allow this", one.lacks.1);
        findings.push_in(one.document, one.finding(message));
    }
}
