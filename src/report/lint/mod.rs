//! What the linter found, in each format.
//!
//! A [`Diagnostic`](crate::lint::Diagnostic) holds on to its file; a [`Found`] is a copy of what is
//! shown of it, so that a file can be dropped when it was linted. A [`LintReport`] is what a run
//! found; every format shows the same of it, in one order.

mod ci;
mod excerpt;
mod found;
mod json;
mod junit;
mod sarif;
mod text;

pub use ci::{lint_github, lint_gitlab};
pub use excerpt::{Excerpt, Lines};
pub use found::{Area, Found, FoundFix, NotKnown, Point, Related, Resolver};
pub use json::lint_json;
pub use junit::lint_junit;
pub use sarif::lint_sarif;
pub use text::{lint_concise, lint_summary, lint_text};

use crate::lint::Level;

/// Why a finding does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It was there when the baseline was written.
    Baseline,
    /// A suppression accepts it, for this reason.
    Suppressed(Box<str>),
}

/// Something that could not be read, or not as what it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unreadable {
    /// The file or folder.
    pub file: String,
    /// Line and column, from 1, where a place is known.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
}

/// What a run found.
#[derive(Debug)]
pub struct LintReport {
    /// Names of the files that were linted; those of no known shape are not among them.
    pub files: Vec<String>,
    /// What counts.
    pub findings: Vec<Found>,
    /// What does not.
    pub accepted: Vec<(Found, Accepted)>,
    /// What is known only once it is applied.
    pub unknown: Vec<NotKnown>,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
    /// The level from which on findings make a run fail.
    pub fail_level: Level,
}

impl LintReport {
    /// Puts everything into its order, and numbers findings that nothing else tells apart.
    pub fn settle(&mut self) {
        self.files.sort();
        self.files.dedup();
        self.unreadable.sort();
        self.unreadable.dedup();
        self.unknown.sort_by(|a, b| a.order().cmp(&b.order()));
        self.findings.sort_by(|a, b| a.order().cmp(&b.order()));
        self.accepted.sort_by(|a, b| a.0.order().cmp(&b.0.order()));
        let mut all: Vec<&mut Found> = self.findings.iter_mut().collect();
        all.extend(self.accepted.iter_mut().map(|(found, _)| found));
        all.sort_by(|a, b| a.order().cmp(&b.order()));
        let mut counts = std::collections::HashMap::new();
        for found in all {
            let seen = counts.entry((found.file.clone(), found.rule.code, found.hash)).or_insert(0);
            *seen += 1;
            found.ordinal = *seen;
        }
    }

    /// How many findings of a level count.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|found| found.level == level).count()
    }

    /// Whether a finding makes the run fail.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.findings.iter().any(|found| found.level >= self.fail_level)
    }
}
