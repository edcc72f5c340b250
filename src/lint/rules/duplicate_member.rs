//! Declares the rule; the errors are those of the parser.

use crate::lint::Check;
use crate::lint::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds a member, a condition key or a statement id that is given twice, and a pair of members of
    /// which a statement has one: `Action` and `NotAction`, `Principal` and `NotPrincipal`, `Resource` and
    /// `NotResource`.
    ///
    /// ## Why is this bad?
    /// AWS refuses such a document, and tools that do not keep one of the two silently.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Allow",
    ///     "Effect": "Deny",
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
    pub(in crate::lint) static DUPLICATE_MEMBER = {
        code: "SYN002",
        name: "duplicate-member",
        summary: "something is given twice",
        level: Error,
        since: "0.1.0",
        covers: ["L47"],
        analyzer: ["DUPLICATE_KEYS_WITH_DIFFERENT_CASE", "UNIQUE_SIDS_REQUIRED", "UNSUPPORTED_ELEMENT_COMBINATION"],
        check: Check::Syntax,
    }
}
