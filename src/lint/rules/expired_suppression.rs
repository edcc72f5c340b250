//! Declares the rule; the linter itself reports it once everything was linted.

use crate::lint::Check;
use crate::lint::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds suppressions whose `expires` has passed. They suppress nothing any more.
    ///
    /// ## Why is this bad?
    /// Somebody wanted to look again by this date.
    ///
    /// ## Example
    /// ```toml
    /// [[lint.suppress]]
    /// rules = ["re-encrypt-without-star"]
    /// reason = "old service, replaced in spring"
    /// expires = 2020-03-01
    /// ```
    ///
    /// ## Use instead
    /// ```toml
    /// [[lint.suppress]]
    /// rules = ["re-encrypt-without-star"]
    /// reason = "old service, replaced next spring"
    /// expires = 2999-03-01
    /// ```
    pub(in crate::lint) static EXPIRED_SUPPRESSION = {
        code: "SUP001",
        name: "expired-suppression",
        summary: "a suppression past its date",
        level: Warning,
        since: "0.1.0",
        covers: [],
        analyzer: [],
        check: Check::Suppression,
    }
}
