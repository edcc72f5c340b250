//! F4: documents, grants and worlds → findings.
//!
//! A [`Collection`] holds what one input tells; a [`Linter`] walks it once and calls every rule for
//! what it looks at. A rule is one file under `rules/`; [`RULES`] is the table of all of them, and
//! documentation, configuration and reports are derived from it.
//!
//! ```
//! use std::sync::Arc;
//! use keyproof::lint::{Collection, Config, Document, Linter, Origin, SourceFile};
//! use keyproof::model::PolicyKind;
//! use keyproof::syntax::parse;
//!
//! let text = r#"{"Version": "2012-10-17", "Statement":
//!     {"Effect": "Allow", "Action": "kms:ReEncrypt", "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"}}"#;
//! let file = Arc::new(SourceFile { name: "policy.json".into(), text: text.into() });
//! let parsed = parse(text, PolicyKind::Identity);
//! let document = Document::new(PolicyKind::Identity, Arc::new(Origin::file(file)), parsed);
//! let mut collection = Collection::default();
//! collection.documents.push(document);
//! let linted = Linter::new(Config::default(), Vec::new(), None).lint(&collection);
//! assert!(linted.diagnostics.iter().any(|found| found.rule.name == "re-encrypt-without-star"));
//! ```

mod ask;
mod condition;
mod config;
mod finding;
mod freeze;
mod grants;
mod hash;
mod identity;
mod key_policy;
mod mistakes;
mod network;
mod origin;
mod related_keys;
mod rule;
mod rules;
mod subject;
mod suppression;
mod syntax;

pub use config::{Config, PathMatcher, Settings};
pub use finding::{Annotation, Applicability, Diagnostic, Edit, Finding, Findings, Fix, Place};
pub use hash::ContentHash;
pub use mistakes::{MISTAKES, Mistake};
pub use origin::{Encoding, Origin, PositionMap, SourceFile};
pub use rule::{Check, Level, Rule, RuleCode, Status};
pub use rules::RULES;
pub use subject::{
    AliasSubject, Collection, Document, DocumentView, EntitySubject, GrantSubject, GrantView,
    KeyFacts, KeySubject, StatementRef, StatementView, Subject, Unknown,
};
pub use suppression::{MissingReason, StatementKey, Suppression};

use crate::model::Timestamp;
use config::Active;

/// The findings of one collection.
#[derive(Clone, Debug, Default)]
pub struct Linted {
    /// By file, place, code.
    pub diagnostics: Vec<Diagnostic>,
    /// Those that somebody accepts.
    pub suppressed: Vec<Suppressed>,
}

/// A finding that a suppression accepts.
#[derive(Clone, Debug)]
pub struct Suppressed {
    /// The finding.
    pub diagnostic: Diagnostic,
    /// Why it is accepted.
    pub reason: Box<str>,
}

/// How much of what suppressions are for was linted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All files.
    All,
    /// Not all of them.
    Some,
}

/// Runs the rules. It can be shared between threads; each collection is linted by itself.
#[derive(Debug)]
pub struct Linter {
    config: Config,
    base: Active,
    suppressions: Vec<Suppression>,
    today: Option<Timestamp>,
}

impl Linter {
    /// A linter. `today` says which suppressions have expired; without it none has.
    #[must_use]
    pub fn new(config: Config, suppressions: Vec<Suppression>, today: Option<Timestamp>) -> Self {
        Self { base: Active::new(&config.base), config, suppressions, today }
    }

    /// Lints one collection.
    #[must_use]
    pub fn lint(&self, collection: &Collection) -> Linted {
        let mut found = Vec::new();
        for document in &collection.documents {
            let own = self.own(&document.origin().source_file().name);
            self.lint_document(
                collection,
                document,
                own.as_ref().unwrap_or(&self.base),
                &mut found,
            );
        }
        for subject in &collection.grants {
            let own = self.own(&subject.origin.source_file().name);
            for (rule, level) in &own.as_ref().unwrap_or(&self.base).grant {
                if let Check::Grant(check) = rule.check {
                    let view = GrantView { subject, collection };
                    check(&view, &mut Findings::new(rule, *level, Some(subject), &mut found));
                }
            }
        }
        let before = found.len();
        for (rule, level) in &self.base.collection {
            if let Check::Collection(check) = rule.check {
                check(collection, &mut Findings::new(rule, *level, None, &mut found));
            }
        }
        // A finding about a whole collection obeys the settings of the file it is at.
        let mut place = 0;
        found.retain_mut(|one| {
            place += 1;
            if place <= before {
                return true;
            }
            match self.own(&one.place.origin.source_file().name) {
                None => true,
                Some(own) => own.level(one.rule).map(|level| one.level = level).is_some(),
            }
        });
        sort(&mut found);
        // A policy that several users have is read once for each.
        found.dedup_by(|a, b| {
            std::ptr::eq(a.rule, b.rule)
                && a.message == b.message
                && a.place.file_span() == b.place.file_span()
                && a.place.origin.source_file() == b.place.origin.source_file()
        });
        let mut linted = Linted::default();
        for diagnostic in found {
            // Each is asked, so that all that are of use count as used.
            let accepting =
                self.suppressions.iter().filter(|it| it.accepts(&diagnostic, self.today));
            match accepting.map(|it| &it.reason).fold(None, |first, one| first.or(Some(one))) {
                None => linted.diagnostics.push(diagnostic),
                Some(reason) => {
                    linted.suppressed.push(Suppressed { diagnostic, reason: reason.clone() });
                }
            }
        }
        linted
    }

    /// What there is to say of suppressions once everything was linted: those without use, and
    /// those that have expired. Where only [some](Extent::Some) of the files they are for were linted, nothing is
    /// said of one that no finding needed: the finding may be in another file.
    #[must_use]
    pub fn finish(&self, linted: Extent) -> Vec<Diagnostic> {
        let level = |rule| self.base.level(rule);
        let judged =
            self.suppressions.iter().filter_map(|one| one.judge(self.today, linted, level));
        let mut found: Vec<_> = judged.collect();
        sort(&mut found);
        found
    }

    /// The rules of a file with settings of its own.
    fn own(&self, file: &str) -> Option<Active> {
        self.config.has_paths().then(|| self.config.active(file))
    }

    fn lint_document(
        &self,
        collection: &Collection,
        document: &Document,
        active: &Active,
        found: &mut Vec<Diagnostic>,
    ) {
        syntax::report(document, active, found);
        let Some(parsed) = document.syntax() else { return };
        let view = DocumentView { document, syntax: parsed, collection };
        for statement in view.statements() {
            for (rule, level) in &active.statement {
                if let Check::Statement(check) = rule.check {
                    check(&statement, &mut Findings::new(rule, *level, Some(document), found));
                }
            }
        }
        // A document with errors may lack a statement that matters.
        if !document.errors().is_empty() {
            return;
        }
        for (rule, level) in &active.document {
            if let Check::Document(check) = rule.check {
                check(&view, &mut Findings::new(rule, *level, Some(document), found));
            }
        }
    }
}

/// By file, place, code and message: the same input gives the same list.
fn sort(found: &mut [Diagnostic]) {
    found.sort_by(|a, b| {
        let key = |one: &Diagnostic| (one.place.file_span(), one.rule.code);
        let names = (&a.place.origin.source_file().name, &b.place.origin.source_file().name);
        names
            .0
            .cmp(names.1)
            .then_with(|| key(a).cmp(&key(b)))
            .then_with(|| a.message.cmp(&b.message))
    });
}
