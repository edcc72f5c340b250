//! Declares the rule; the errors are those of the parser.

use crate::lint::Check;
use crate::lint::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds condition operators that do not exist; names are case-sensitive.
    ///
    /// ## Why is this bad?
    /// AWS refuses to store the policy.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Allow",
    ///     "Action": "kms:Decrypt",
    ///     "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///     "Condition": {"StringEqual": {"kms:EncryptionContext:tenant": "a"}}
    ///   }
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Allow",
    ///     "Action": "kms:Decrypt",
    ///     "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///     "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}
    ///   }
    /// }
    /// ```
    pub(in crate::lint) static UNKNOWN_OPERATOR = {
        code: "SYN009",
        name: "unknown-operator",
        summary: "a condition operator that does not exist",
        level: Error,
        since: "0.1.0",
        covers: [],
        analyzer: ["INVALID_CONDITION_OPERATOR"],
        check: Check::Syntax,
    }
}
