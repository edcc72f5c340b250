//! What a rule finds, and what becomes of it.

use std::sync::Arc;

use super::origin::Origin;
use super::rule::{Level, Rule};
use super::subject::{StatementRef, Subject};
use crate::model::Span;

/// What a rule says: one place, one sentence.
///
/// Messages are lower case without a full stop, with the user's text in backticks; what to write
/// instead goes into [`Self::help`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    span: Span,
    message: String,
    help: Option<String>,
    related: Vec<Related>,
    fix: Option<Fix>,
}

impl Finding {
    /// A finding on these bytes of the subject's own text.
    #[must_use]
    pub fn at(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None, related: Vec::new(), fix: None }
    }

    /// What to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Another place of the same subject, with a short annotation.
    #[must_use]
    pub fn related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Related { origin: None, span, message: message.into() });
        self
    }

    /// A place of another subject, with a short annotation.
    #[must_use]
    pub fn related_in(
        mut self,
        subject: &impl Subject,
        span: Span,
        message: impl Into<String>,
    ) -> Self {
        let origin = Some(Arc::clone(subject.origin()));
        self.related.push(Related { origin, span, message: message.into() });
        self
    }

    /// How to mend it, where that is known.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<Option<Fix>>) -> Self {
        self.fix = fix.into().or(self.fix);
        self
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Related {
    /// `None` for the subject's own.
    origin: Option<Arc<Origin>>,
    span: Span,
    message: String,
}

/// Whether a fix can be made without looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Applicability {
    /// It changes nothing that is decided, or takes away what was surely not meant; it never gives
    /// anybody more.
    Safe,
    /// It is probably what was meant, but it changes what is decided.
    Unsafe,
}

/// Bytes to replace, in the subject's own text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// What stands there afterwards, as in a policy of its own: strings with their quotes.
    pub text: String,
}

/// A change of the text that takes the finding away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does: "write `kms:ReEncrypt*`".
    pub title: String,
    /// Whether it can be made without looking.
    pub applicability: Applicability,
    /// Where; they do not overlap.
    pub edits: Vec<Edit>,
}

impl Fix {
    /// A fix that can be made without looking.
    #[must_use]
    pub fn safe(title: impl Into<String>) -> Self {
        Self { title: title.into(), applicability: Applicability::Safe, edits: Vec::new() }
    }

    /// A fix that somebody has to look at.
    #[must_use]
    pub fn unsafe_(title: impl Into<String>) -> Self {
        Self { title: title.into(), applicability: Applicability::Unsafe, edits: Vec::new() }
    }

    /// Replaces these bytes.
    #[must_use]
    pub fn replace(mut self, span: Span, text: impl Into<String>) -> Self {
        self.edits.push(Edit { span, text: text.into() });
        self
    }

    /// Replaces a whole JSON string, whose quotes `span` includes.
    #[must_use]
    pub fn replace_string(self, span: Span, text: &str) -> Self {
        let mut quoted = String::with_capacity(text.len() + 2);
        quoted.push('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => {
                    quoted.push('\\');
                    quoted.push(c);
                }
                c if u32::from(c) < 0x20 => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
                c => quoted.push(c),
            }
        }
        quoted.push('"');
        self.replace(span, quoted)
    }

    /// Takes an element out of a list with one of its commas and the white space beside it;
    /// `text` is the subject's. Of a list of one, nothing would be left: `None`.
    #[must_use]
    pub fn remove_element(self, text: &str, span: Span) -> Option<Self> {
        let before = text.get(..span.start())?;
        let after = text.get(span.end()..)?;
        if !before.trim_end().ends_with(['[', ',']) {
            // A value of its own, not an element.
            return None;
        }
        let next = after.trim_start();
        if next.starts_with(',') {
            let rest = next.get(1..)?;
            let end = text.len() - rest.trim_start().len();
            return Some(self.replace(Span::new(span.start(), end), ""));
        }
        let previous = before.trim_end();
        if previous.ends_with(',') && next.starts_with(']') {
            return Some(self.replace(Span::new(previous.len() - 1, span.end()), ""));
        }
        None
    }
}

/// A finding with the rule that made it and the place it is at: what is reported.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// The rule.
    pub rule: &'static Rule,
    /// How much it matters, by rule and configuration.
    pub level: Level,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Where it stands.
    pub place: Place,
    /// Other places that have to do with it.
    pub related: Vec<Annotation>,
    /// How to mend it.
    pub fix: Option<Fix>,
    /// The statement it is on, where it is on one.
    pub statement: Option<StatementRef>,
}

impl Diagnostic {
    /// The edits of its fix as edits of its file, if all of them can be made there.
    #[must_use]
    pub fn file_edits(&self) -> Option<Vec<(Span, String)>> {
        let edits = &self.fix.as_ref()?.edits;
        edits.iter().map(|edit| self.place.origin.edit(edit.span, &edit.text)).collect()
    }
}

/// A place in a thing that was linted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it is in.
    pub origin: Arc<Origin>,
    /// Where in the origin's own text.
    pub span: Span,
}

impl Place {
    /// Where it is in the file.
    #[must_use]
    pub fn file_span(&self) -> Span {
        self.origin.file_span(self.span)
    }
}

/// A place with a short annotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// Where.
    pub place: Place,
    /// What about it.
    pub message: String,
}

/// Takes findings in and stamps them with the rule and the subject; one rule, one subject at a time.
pub struct Findings<'l> {
    rule: &'static Rule,
    level: Level,
    /// The subject, unless the rule sees a whole collection.
    subject: Option<&'l dyn Subject>,
    found: &'l mut Vec<Diagnostic>,
}

impl<'l> Findings<'l> {
    pub(super) fn new(
        rule: &'static Rule,
        level: Level,
        subject: Option<&'l dyn Subject>,
        found: &'l mut Vec<Diagnostic>,
    ) -> Self {
        Self { rule, level, subject, found }
    }

    /// Takes a finding on the subject the rule was called for. A rule that sees a whole collection
    /// has no such subject and uses [`Self::push_in`].
    pub fn push(&mut self, finding: Finding) {
        debug_assert!(self.subject.is_some(), "{} must use push_in", self.rule.name);
        if let Some(subject) = self.subject {
            self.stamp(subject, finding);
        }
    }

    /// Takes a finding on another subject.
    pub fn push_in(&mut self, subject: &impl Subject, finding: Finding) {
        self.stamp(subject, finding);
    }

    fn stamp(&mut self, subject: &dyn Subject, finding: Finding) {
        // What cannot be known before the thing is applied is never called wrong.
        if !subject.is_known(finding.span) {
            return;
        }
        let origin = subject.origin();
        let related = finding.related.into_iter().map(|related| Annotation {
            place: Place {
                origin: related.origin.unwrap_or_else(|| Arc::clone(origin)),
                span: related.span,
            },
            message: related.message,
        });
        self.found.push(Diagnostic {
            rule: self.rule,
            level: self.level,
            message: finding.message,
            help: finding.help,
            related: related.collect(),
            fix: finding.fix,
            statement: subject.statement_at(finding.span),
            place: Place { origin: Arc::clone(origin), span: finding.span },
        });
    }
}
