//! Declares the rule; the errors are those of the parser.

use crate::lint::Check;
use crate::lint::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds an effect other than `Allow` and `Deny`, a version that does not exist, a date that is none, a
    /// statement id with characters its kind of policy does not take, and values of the wrong JSON type.
    ///
    /// ## Why is this bad?
    /// AWS refuses to store the policy.
    ///
    /// ## Example
    /// ```json,key
    /// {
    ///   "Version": "2012-10-18",
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
    pub(in crate::lint) static INVALID_VALUE = {
        code: "SYN005",
        name: "invalid-value",
        summary: "a value of the wrong type or outside its set",
        level: Error,
        since: "0.1.0",
        covers: [],
        analyzer: ["INVALID_EFFECT", "INVALID_VERSION"],
        check: Check::Syntax,
    }
}
