//! Declares the rule; the errors are those of the parser.

use crate::lint::Check;
use crate::lint::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds actions without a service prefix, with a wildcard in it, or with more than one colon.
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
    ///     "Action": "Decrypt",
    ///     "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
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
    ///     "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    ///   }
    /// }
    /// ```
    pub(in crate::lint) static INVALID_ACTION = {
        code: "SYN007",
        name: "invalid-action",
        summary: "an action that is not `<service>:<action>`",
        level: Error,
        since: "0.1.0",
        covers: [],
        analyzer: ["INVALID_ACTION"],
        check: Check::Syntax,
    }
}
