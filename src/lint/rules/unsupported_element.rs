//! Declares the rule; the errors are those of the parser.

use crate::lint::Check;
use crate::lint::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds principals in policies that name none (identity and session policies, permissions boundaries,
    /// service control policies), and what a resource control policy must not have: `Allow`, `NotAction`,
    /// `NotPrincipal`, a principal other than `"*"`, the action `*`.
    ///
    /// ## Why is this bad?
    /// AWS refuses to store the policy.
    ///
    /// ## Example
    /// ```json,scp
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Deny",
    ///     "Principal": "*",
    ///     "Action": "kms:ScheduleKeyDeletion",
    ///     "Resource": "*"
    ///   }
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,scp
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Deny",
    ///     "Action": "kms:ScheduleKeyDeletion",
    ///     "Resource": "*"
    ///   }
    /// }
    /// ```
    pub(in crate::lint) static UNSUPPORTED_ELEMENT = {
        code: "SYN010",
        name: "unsupported-element",
        summary: "an element that this kind of policy does not take",
        level: Error,
        since: "0.1.0",
        covers: [],
        analyzer: ["UNSUPPORTED_PRINCIPAL"],
        check: Check::Syntax,
    }
}
