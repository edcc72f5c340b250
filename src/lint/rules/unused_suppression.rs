//! Declares the rule; the linter itself reports it once everything was linted.

use crate::lint::Check;
use crate::lint::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds suppressions that no finding of the run matched.
    ///
    /// ## Why is this bad?
    /// What it accepted is mended, or has moved so that it is reported again; and it would silently accept
    /// the next mistake of the kind.
    ///
    /// ## Example
    /// ```toml
    /// [[lint.suppress]]
    /// rules = ["re-encrypt-without-star"]
    /// sid = "a statement that is gone"
    /// reason = "old service"
    /// ```
    ///
    /// ## Use instead
    /// ```toml
    /// [lint]
    /// ```
    pub(in crate::lint) static UNUSED_SUPPRESSION = {
        code: "SUP002",
        name: "unused-suppression",
        summary: "a suppression that no finding needs",
        level: Warning,
        since: "0.1.0",
        covers: [],
        analyzer: [],
        check: Check::Suppression,
    }
}
