//! Declares the rule; the errors are those of the parser.

use crate::lint::Check;
use crate::lint::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds resources that are neither `*` nor an ARN, such as bare key ids and alias names, outside key
    /// policies; and incomplete ARNs in session policies.
    ///
    /// ## Why is this bad?
    /// AWS refuses to store the policy. Where it were stored, the statement would speak of no key.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Allow",
    ///     "Action": "kms:Decrypt",
    ///     "Resource": "1234abcd-12ab-34cd-56ef-1234567890ab"
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
    pub(in crate::lint) static INVALID_RESOURCE = {
        code: "SYN008",
        name: "invalid-resource",
        summary: "a resource that is neither `*` nor an ARN",
        level: Error,
        since: "0.1.0",
        covers: ["L12"],
        analyzer: ["INVALID_ARN_PREFIX"],
        check: Check::Syntax,
    }
}
