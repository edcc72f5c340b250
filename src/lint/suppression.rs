//! Findings that somebody has looked at and accepts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Extent;
use super::config::PathMatcher;
use super::finding::{Annotation, Diagnostic, Place};
use super::hash::ContentHash;
use super::origin::Origin;
use super::rule::{Level, Rule};
use super::rules::RULES;
use super::rules::expired_suppression::EXPIRED_SUPPRESSION;
use super::rules::unused_suppression::UNUSED_SUPPRESSION;
use crate::model::{Span, Timestamp};

/// Which statement is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementKey {
    /// The one with this content, wherever it moves; a change of it needs another look.
    Hash(ContentHash),
    /// The one at this place in its document, from 0: the JSON pointer `/Statement/0`.
    Pointer(usize),
    /// The one with this name.
    Sid(Box<str>),
}

/// One entry of the configuration.
#[derive(Debug)]
pub struct Suppression {
    /// Rules, as selectors.
    pub rules: Vec<String>,
    /// Files; all when `None`.
    pub files: Option<PathMatcher>,
    /// The address of a resource, when only its findings are meant.
    pub address: Option<Box<str>>,
    /// The statement, when only one is meant.
    pub statement: Option<StatementKey>,
    /// Why the findings are accepted.
    pub reason: Box<str>,
    /// The first moment at which it does not count any more.
    pub expires: Option<Timestamp>,
    /// Where it is written.
    pub place: Place,
    used: AtomicBool,
}

/// There is no reason, and a suppression needs one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a suppression needs a reason")]
pub struct MissingReason;

impl Suppression {
    /// Accepts the findings of these rules, everywhere until narrowed.
    ///
    /// # Errors
    /// When the reason is blank.
    pub fn new(
        rules: Vec<String>,
        reason: &str,
        (origin, span): (Arc<Origin>, Span),
    ) -> Result<Self, MissingReason> {
        if reason.trim().is_empty() {
            return Err(MissingReason);
        }
        Ok(Self {
            rules,
            files: None,
            address: None,
            statement: None,
            reason: reason.trim().into(),
            expires: None,
            place: Place { origin, span },
            used: AtomicBool::new(false),
        })
    }

    fn names(&self, rule: &Rule) -> bool {
        self.rules.iter().any(|one| rule.is_named(one))
    }

    fn is_expired(&self, today: Option<Timestamp>) -> bool {
        self.expires.zip(today).is_some_and(|(expires, today)| expires <= today)
    }

    /// Whether it accepts a finding; notes that it was of use.
    pub(super) fn accepts(&self, found: &Diagnostic, today: Option<Timestamp>) -> bool {
        let origin = &found.place.origin;
        let accepts = self.names(found.rule)
            && self.files.as_ref().is_none_or(|files| files.matches(&origin.source_file().name))
            && self.address.as_deref().is_none_or(|address| origin.address() == Some(address))
            && self.statement.as_ref().is_none_or(|key| {
                found.statement.as_ref().is_some_and(|statement| match key {
                    StatementKey::Hash(hash) => statement.hash == *hash,
                    StatementKey::Pointer(index) => statement.index == *index,
                    StatementKey::Sid(sid) => statement.sid.as_ref() == Some(sid),
                })
            });
        if accepts {
            // An expired one that would still be of use is not unused.
            self.used.store(true, Ordering::Relaxed);
        }
        accepts && !self.is_expired(today)
    }

    /// What there is to say of it once everything was linted.
    pub(super) fn judge(
        &self,
        today: Option<Timestamp>,
        linted: Extent,
        level: impl Fn(&'static Rule) -> Option<Level>,
    ) -> Option<Diagnostic> {
        let is_used = self.used.load(Ordering::Relaxed);
        // A rule that does not run finds nothing that could be suppressed.
        let runs = |rule: &&'static Rule| level(rule).is_some();
        let could_be_used = RULES.iter().copied().filter(runs).any(|rule| self.names(rule));
        if !is_used && (linted == Extent::Some || !could_be_used) {
            return None;
        }
        let (rule, message, help) = if self.is_expired(today) {
            let message = "this suppression has expired".to_owned();
            let help = "mend what it accepts, or look again and set another date";
            (&EXPIRED_SUPPRESSION, message, help)
        } else if is_used {
            return None;
        } else {
            let message = format!("no finding of `{}` is suppressed here", self.rules.join("`, `"));
            (&UNUSED_SUPPRESSION, message, "remove it")
        };
        Some(Diagnostic {
            rule,
            level: level(rule)?,
            message,
            help: Some(help.to_owned()),
            place: self.place.clone(),
            related: Vec::<Annotation>::new(),
            fix: None,
            statement: None,
        })
    }
}
