//! Declares the rule; the errors are those of the parser.

use crate::lint::Check;
use crate::lint::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// AWS reads policies as strict JSON: comments, trailing commas, a byte order mark and raw control
    /// characters are refused, and so are texts far beyond the size of any policy.
    ///
    /// ## Why is this bad?
    /// The policy cannot be stored, or a tool that reads it more leniently sees something else than AWS.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Allow",
    ///     "Action": "kms:Decrypt"
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
    pub(in crate::lint) static BROKEN_JSON = {
        code: "SYN001",
        name: "broken-json",
        summary: "the text is not JSON",
        level: Error,
        since: "0.1.0",
        covers: [],
        analyzer: ["JSON_SYNTAX_ERROR"],
        check: Check::Syntax,
    }
}
