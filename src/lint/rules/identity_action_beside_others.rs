//! L15.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Findings, StatementView};

use super::identity_action_in_key_policy::report;

declare_rule! {
    /// ## What it does
    /// Does what `identity-action-in-key-policy` does for statements that also name actions on the key.
    ///
    /// ## Why is this bad?
    /// KMS looks for permission to do them in identity policies alone, so in a key policy they
    /// allow and deny nothing.
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
    ///       "Sid": "Manage",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/key-admin"},
    ///       "Action": ["kms:CreateKey", "kms:DescribeKey", "kms:EnableKey"],
    ///       "Resource": "*"
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
    ///       "Sid": "Manage",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/key-admin"},
    ///       "Action": ["kms:DescribeKey", "kms:EnableKey"],
    ///       "Resource": "*"
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static IDENTITY_ACTION_BESIDE_OTHERS = {
        code: "KEY215",
        name: "identity-action-beside-others",
        summary: "an action that only identity policies can allow, beside others",
        level: Note,
        since: "0.1.0",
        covers: ["L15"],
        analyzer: ["UNSUPPORTED_ACTION_IN_POLICY"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    report(view, findings, true);
}
