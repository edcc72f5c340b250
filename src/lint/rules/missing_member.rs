//! Declares the rule; the errors are those of the parser.

use crate::lint::Check;
use crate::lint::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds a document without statements, a statement without `Effect`, `Principal`, `Action` or
    /// `Resource` where its kind of policy needs it, an empty list, and a service or resource control
    /// policy that does not say `"Version": "2012-10-17"`.
    ///
    /// ## Why is this bad?
    /// AWS refuses to store the policy.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Action": "kms:Decrypt",
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
    pub(in crate::lint) static MISSING_MEMBER = {
        code: "SYN003",
        name: "missing-member",
        summary: "something that has to be there is missing",
        level: Error,
        since: "0.1.0",
        covers: [],
        analyzer: ["MISSING_ACTION", "MISSING_EFFECT", "MISSING_PRINCIPAL", "MISSING_RESOURCE", "MISSING_STATEMENT"],
        check: Check::Syntax,
    }
}
