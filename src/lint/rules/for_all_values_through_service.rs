//! L20.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Findings, StatementView};

use super::for_all_values_alone::report;

declare_rule! {
    /// ## What it does
    /// Does what `for-all-values-alone` does for statements on calls through a service, or with grants
    /// for its resources.
    ///
    /// ## Why is this bad?
    /// The service chooses the encryption context and sends it with every request for its resources, so
    /// that little is let through. Saying that there has to be one costs nothing.
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
    ///         "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["aws:ebs:id"]},
    ///         "StringEquals": {"kms:ViaService": "ec2.eu-central-1.amazonaws.com"}
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
    ///         "Null": {"kms:EncryptionContextKeys": "false"},
    ///         "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["aws:ebs:id"]},
    ///         "StringEquals": {"kms:ViaService": "ec2.eu-central-1.amazonaws.com"}
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static FOR_ALL_VALUES_THROUGH_SERVICE = {
        code: "CON120",
        name: "for-all-values-through-service",
        summary: "`ForAllValues:` alone, on calls through a service",
        level: Note,
        since: "0.1.0",
        covers: ["L20"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    report(view, findings, true);
}
