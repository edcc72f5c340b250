//! Which rules run, and how much their findings matter.

use std::fmt;
use std::sync::Arc;

use super::rule::{Check, Level, Rule, Status};
use super::rules::RULES;
use crate::syntax::closest;

/// Decides which files a setting is for; whoever reads the configuration brings the globs.
#[derive(Clone)]
pub struct PathMatcher(Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl PathMatcher {
    /// Files for which `matches` says yes; it is given names as findings show them.
    #[must_use]
    pub fn new(matches: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(matches))
    }

    /// Whether it is for a file.
    #[must_use]
    pub fn matches(&self, file: &str) -> bool {
        (self.0)(file)
    }
}

impl fmt::Debug for PathMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PathMatcher(…)")
    }
}

/// Selection and severity. A selector is a code, the start of one (`KEY`), a name, or `ALL`.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The rules that run; all when empty.
    pub select: Vec<String>,
    /// The rules that do not; what is named more exactly wins.
    pub ignore: Vec<String>,
    /// Levels other than the rules' own, later ones first.
    pub severity: Vec<(String, Level)>,
}

impl Settings {
    /// The first selector that names no rule, with the one that was probably meant.
    #[must_use]
    pub fn unknown_selector(&self) -> Option<(&str, Option<&'static str>)> {
        let selectors = self.select.iter().chain(&self.ignore);
        let mut all = selectors.chain(self.severity.iter().map(|(selector, _)| selector));
        let unknown = all.find(|one| {
            one.as_str() != EVERYTHING && !RULES.iter().any(|rule| rule.is_named(one))
        })?;
        let names = RULES.iter().flat_map(|rule| [rule.name, rule.code.as_str()]);
        Some((unknown, closest(unknown, &names.collect::<Vec<_>>())))
    }

    /// How much a rule's findings matter; `None` when it does not run.
    fn level(&self, rule: &'static Rule) -> Option<Level> {
        let exactness = |selectors: &[String]| {
            selectors.iter().filter_map(|selector| exactness(selector, rule)).max()
        };
        let selected = if self.select.is_empty() { Some(0) } else { exactness(&self.select) };
        if rule.status != Status::Active || selected <= exactness(&self.ignore) {
            return None;
        }
        let mut severity = self.severity.iter().rev();
        let set = severity.find(|(selector, _)| exactness_of(selector, rule));
        Some(set.map_or(rule.level, |(_, level)| *level))
    }
}

const EVERYTHING: &str = "ALL";

fn exactness_of(selector: &str, rule: &Rule) -> bool {
    exactness(selector, rule).is_some()
}

/// How exactly a selector names a rule, if it does.
fn exactness(selector: &str, rule: &Rule) -> Option<usize> {
    if selector == EVERYTHING {
        Some(0)
    } else if selector == rule.name || selector == rule.code.as_str() {
        Some(usize::MAX)
    } else {
        rule.is_named(selector).then_some(selector.len())
    }
}

/// Settings for all files, and for some.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// For all files.
    pub base: Settings,
    /// Added to those for some files, in this order.
    pub paths: Vec<(PathMatcher, Settings)>,
}

impl Config {
    /// The rules that run on a file.
    pub(super) fn active(&self, file: &str) -> Active {
        let mut settings = self.base.clone();
        for (_, more) in self.paths.iter().filter(|(paths, _)| paths.matches(file)) {
            if !more.select.is_empty() {
                settings.select.clone_from(&more.select);
            }
            settings.ignore.extend_from_slice(&more.ignore);
            settings.severity.extend_from_slice(&more.severity);
        }
        Active::new(&settings)
    }

    /// Whether any file has settings of its own.
    pub(super) fn has_paths(&self) -> bool {
        !self.paths.is_empty()
    }
}

/// The rules that run, by what they look at.
#[derive(Clone, Debug, Default)]
pub(super) struct Active {
    pub(super) collection: Vec<(&'static Rule, Level)>,
    pub(super) document: Vec<(&'static Rule, Level)>,
    pub(super) grant: Vec<(&'static Rule, Level)>,
    pub(super) statement: Vec<(&'static Rule, Level)>,
    all: Vec<(&'static Rule, Level)>,
}

impl Active {
    pub(super) fn new(settings: &Settings) -> Self {
        let mut active = Self::default();
        for rule in RULES.iter().copied() {
            let Some(level) = settings.level(rule) else { continue };
            match rule.check {
                Check::Collection(_) => active.collection.push((rule, level)),
                Check::Document(_) => active.document.push((rule, level)),
                Check::Grant(_) => active.grant.push((rule, level)),
                Check::Statement(_) => active.statement.push((rule, level)),
                Check::Suppression | Check::Syntax => {}
            }
            active.all.push((rule, level));
        }
        active
    }

    /// How much a rule's findings matter; `None` when it does not run.
    pub(super) fn level(&self, rule: &'static Rule) -> Option<Level> {
        self.all.iter().find(|(one, _)| std::ptr::eq(*one, rule)).map(|(_, level)| *level)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_more_exact_selector_wins() {
        let rule = RULES.iter().copied().find(|rule| rule.code.area() == "KEY").unwrap();
        let level = |select: &[&str], ignore: &[&str]| {
            let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
            let settings =
                Settings { select: owned(select), ignore: owned(ignore), ..Settings::default() };
            settings.level(rule)
        };
        assert_eq!(level(&[], &[]), Some(rule.level));
        assert_eq!(level(&["IAM"], &[]), None);
        assert_eq!(level(&["KEY"], &[]), Some(rule.level));
        assert_eq!(level(&[rule.name], &["KEY"]), Some(rule.level));
        assert_eq!(level(&["KEY"], &[rule.code.as_str()]), None);
        assert_eq!(level(&["KEY"], &["KEY"]), None);
        assert_eq!(level(&[], &["ALL"]), None);
    }
}
