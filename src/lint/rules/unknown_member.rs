//! Declares the rule; the errors are those of the parser.

use crate::lint::Check;
use crate::lint::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds members that a policy or a statement does not have, such as misspelt ones; names are
    /// case-sensitive.
    ///
    /// ## Why is this bad?
    /// AWS refuses to store the policy.
    ///
    /// ## Example
    /// ```json,key
    /// {
    ///   "version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Delegate",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///       "Action": "kms:*",
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
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static UNKNOWN_MEMBER = {
        code: "SYN004",
        name: "unknown-member",
        summary: "a member that does not exist",
        level: Error,
        since: "0.1.0",
        covers: [],
        analyzer: ["INVALID_POLICY_ELEMENT"],
        check: Check::Syntax,
    }
}
