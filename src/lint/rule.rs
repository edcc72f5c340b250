//! What a rule is.

use std::fmt;

use super::finding::Findings;
use super::subject::{Collection, DocumentView, GrantView, StatementView};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing; nothing has to change.
    Note,
    /// Its author would want to change it once told.
    Warning,
    /// It does not do what it says, or gives away what it should guard.
    Error,
}

impl Level {
    /// All of them, the mildest first.
    pub const ALL: &'static [Self] = &[Self::Note, Self::Warning, Self::Error];

    /// `note`, `warning` or `error`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The code of a rule, such as `KEY012`: an area of three letters and three digits. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleCode(&'static str);

impl RuleCode {
    /// Names a code.
    #[must_use]
    pub const fn new(code: &'static str) -> Self {
        Self(code)
    }

    /// The code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// Its area: `KEY`, `IAM`, `CON`, `GRT`, `WLD`, `SYN` or `SUP`.
    #[must_use]
    pub fn area(self) -> &'static str {
        self.0.get(..3).unwrap_or(self.0)
    }
}

impl fmt::Display for RuleCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// What a rule looks at. The linter walks once and calls it for each.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// Everything that one input tells together: pairs of keys, worlds.
    Collection(fn(&Collection, &mut Findings<'_>)),
    /// A whole document; only documents without syntax errors.
    Document(fn(&DocumentView<'_>, &mut Findings<'_>)),
    /// A grant.
    Grant(fn(&GrantView<'_>, &mut Findings<'_>)),
    /// One statement.
    Statement(fn(&StatementView<'_>, &mut Findings<'_>)),
    /// The linter's own: what it says of suppressions.
    Suppression,
    /// The linter's own: errors of [`syntax::parse`](crate::syntax::parse).
    Syntax,
}

/// Whether a rule is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is.
    Active,
    /// It is not; its code and name stay taken.
    Removed {
        /// The version it was removed in.
        since: &'static str,
        /// Why.
        reason: &'static str,
    },
}

/// A rule: made by `declare_rule!` alone, one a file.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rule {
    /// Its code.
    pub code: RuleCode,
    /// Its name: reads well after "allow", and is the name of its file.
    pub name: &'static str,
    /// One line, without a full stop.
    pub summary: &'static str,
    /// How much its findings matter unless the configuration says otherwise.
    pub level: Level,
    /// The version it came with.
    pub since: &'static str,
    /// Whether it is still there.
    pub status: Status,
    /// The known mistakes it finds, as `docs/rules.md` numbers them (`L01` …).
    pub covers: &'static [&'static str],
    /// The issue codes of IAM Access Analyzer for the same mistake.
    pub analyzer: &'static [&'static str],
    /// What it looks at.
    pub check: Check,
    pub(super) docs: &'static str,
}

impl Rule {
    /// Its documentation as Markdown with the headings `## What it does`, `## Why is this bad?`,
    /// `## Example` and `## Use instead`.
    #[must_use]
    pub fn documentation(&self) -> String {
        let lines = self.docs.lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
        let text: Vec<&str> = lines.map(str::trim_end).collect();
        text.join("\n").trim().to_owned()
    }

    /// The text under a heading, without the heading.
    #[must_use]
    pub fn section(&self, heading: &str) -> Option<String> {
        let text = self.documentation();
        let start = format!("## {heading}\n");
        let at = text.find(&start)? + start.len();
        let rest = text.get(at..)?;
        let end = rest.find("\n## ").unwrap_or(rest.len());
        rest.get(..end).map(|section| section.trim().to_owned())
    }

    /// Whether a user means this rule: by code, by name, or by a prefix of the code such as `KEY`.
    #[must_use]
    pub fn is_named(&self, selector: &str) -> bool {
        selector == self.name
            || (!selector.is_empty()
                && self.code.0.get(..selector.len()).is_some_and(|start| start == selector))
    }
}

/// Declares a rule with its documentation.
///
/// ```text
/// declare_rule! {
///     /// ## What it does
///     /// …
///     pub(super) static WILDCARD_PRINCIPAL = {
///         code: "KEY001",
///         name: "wildcard-principal",
///         summary: "`Allow` for every principal without a condition",
///         level: Error,
///         since: "0.1.0",
///         covers: ["L01"],
///         analyzer: [],
///         check: Check::Statement(check),
///     }
/// }
/// ```
macro_rules! declare_rule {
    (
        $(#[doc = $doc:expr])*
        $visibility:vis static $rule:ident = {
            code: $code:literal,
            name: $name:literal,
            summary: $summary:literal,
            level: $level:ident,
            since: $since:literal,
            covers: [$($covers:literal),* $(,)?],
            analyzer: [$($analyzer:literal),* $(,)?],
            check: $check:expr,
            $(removed: ($removed:literal, $reason:literal),)?
        }
    ) => {
        $(#[doc = $doc])*
        $visibility static $rule: $crate::lint::Rule = $crate::lint::Rule {
            code: $crate::lint::RuleCode::new($code),
            name: $name,
            summary: $summary,
            level: $crate::lint::Level::$level,
            since: $since,
            status: $crate::lint::rule::declare_rule!(@status $(($removed, $reason))?),
            covers: &[$($covers),*],
            analyzer: &[$($analyzer),*],
            check: $check,
            docs: concat!($($doc, "\n"),*),
        };
    };
    (@status) => { $crate::lint::Status::Active };
    (@status ($removed:literal, $reason:literal)) => {
        $crate::lint::Status::Removed { since: $removed, reason: $reason }
    };
}
pub(super) use declare_rule;
