//! Findings as they are shown, without the files they are in.

use std::sync::Arc;

use super::excerpt::{Excerpt, Lines};
use crate::lint::{
    Applicability, ContentHash, Diagnostic, Level, Place, Rule, SourceFile, StatementRef, Unknown,
};
use crate::model::Span;

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Column in UTF-16 code units, from 1.
    pub utf16: usize,
    /// Byte, from 0.
    pub offset: usize,
}

/// A part of a file, end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Area {
    /// Its first character.
    pub start: Point,
    /// The place after its last character.
    pub end: Point,
}

/// Another place that has to do with a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// The file.
    pub file: String,
    /// Where in it.
    pub area: Area,
    /// The line.
    pub excerpt: Excerpt,
    /// What about it.
    pub message: String,
}

/// How a finding would be mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFix {
    /// What it does.
    pub title: String,
    /// Whether it can be made without looking.
    pub applicability: Applicability,
    /// What would be written where in the file; `None` when it cannot be made there.
    pub edits: Option<Vec<(Area, String)>>,
}

/// A finding as it is shown.
#[derive(Clone, Debug)]
pub struct Found {
    /// The rule.
    pub rule: &'static Rule,
    /// How much it matters.
    pub level: Level,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// The file.
    pub file: String,
    /// The resource in it, as the tool that wrote the file calls it.
    pub address: Option<String>,
    /// Where in the file.
    pub area: Area,
    /// The line.
    pub excerpt: Excerpt,
    /// Other places.
    pub related: Vec<Related>,
    /// How to mend it.
    pub fix: Option<FoundFix>,
    /// The statement it is on.
    pub statement: Option<StatementRef>,
    /// Of the statement, or else of the text it is on: the same wherever that moves in its file.
    pub hash: ContentHash,
    /// Which it is among those of one file, rule and hash, from 1; see
    /// [`settle`](super::LintReport::settle).
    pub ordinal: usize,
}

impl Found {
    /// What they are sorted by.
    pub(super) fn order(&self) -> impl Ord + '_ {
        (self.file.as_str(), self.area, self.rule.code, self.message.as_str())
    }

    /// What names it whatever moves in its file.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("{}:{}:{}", self.rule.code, self.hash, self.ordinal)
    }
}

/// Something that cannot be judged before it is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotKnown {
    /// The file.
    pub file: String,
    /// Where in it.
    pub area: Area,
    /// The resource.
    pub address: Option<String>,
    /// What is not known.
    pub reason: String,
}

impl NotKnown {
    pub(super) fn order(&self) -> impl Ord + '_ {
        (self.file.as_str(), self.area, self.reason.as_str())
    }
}

/// Looks up places; it remembers the lines of the files it was asked about.
#[derive(Debug, Default)]
pub struct Resolver {
    files: Vec<(Arc<SourceFile>, Lines)>,
}

impl Resolver {
    /// A finding as it is shown.
    pub fn found(&mut self, one: &Diagnostic) -> Found {
        let (area, excerpt) = self.place(&one.place);
        let related = one.related.iter().map(|related| {
            let (area, excerpt) = self.place(&related.place);
            let file = related.place.origin.source_file().name.to_string();
            Related { file, area, excerpt, message: related.message.clone() }
        });
        let related = related.collect();
        let file = Arc::clone(one.place.origin.source_file());
        let fix = one.fix.as_ref().map(|fix| FoundFix {
            title: fix.title.clone(),
            applicability: fix.applicability,
            edits: one.file_edits().map(|edits| {
                let edits = edits.into_iter();
                edits.map(|(span, text)| (self.area(&file, span), text)).collect()
            }),
        });
        Found {
            rule: one.rule,
            level: one.level,
            message: one.message.clone(),
            help: one.help.clone(),
            file: file.name.to_string(),
            address: one.place.origin.address().map(str::to_owned),
            area,
            excerpt,
            related,
            fix,
            statement: one.statement.clone(),
            hash: hash(one),
            ordinal: 1,
        }
    }

    /// Something unknown as it is shown.
    pub fn unknown(&mut self, one: &Unknown) -> NotKnown {
        let file = one.origin.source_file();
        NotKnown {
            file: file.name.to_string(),
            area: self.area(file, one.origin.file_span(one.span)),
            address: one.origin.address().map(str::to_owned),
            reason: one.reason.to_string(),
        }
    }

    fn place(&mut self, place: &Place) -> (Area, Excerpt) {
        let file = place.origin.source_file();
        let span = place.file_span();
        let area = self.area(file, span);
        let shown = place.origin.extent().map(|extent| shown(&file.text, extent, span));
        (area, self.lines(file).excerpt(&file.text, span, shown))
    }

    fn area(&mut self, file: &Arc<SourceFile>, span: Span) -> Area {
        let lines = self.lines(file);
        Area {
            start: point(lines, &file.text, span.start()),
            end: point(lines, &file.text, span.end()),
        }
    }

    fn lines(&mut self, file: &Arc<SourceFile>) -> &Lines {
        let known = self.files.iter().position(|(one, _)| Arc::ptr_eq(one, file));
        let index = known.unwrap_or_else(|| {
            self.files.push((Arc::clone(file), Lines::of(&file.text)));
            self.files.len() - 1
        });
        const NONE: &Lines = &Lines::NONE;
        self.files.get(index).map_or(NONE, |(_, lines)| lines)
    }
}

/// What may be shown for a finding of a thing that is not all of its file.
fn shown(text: &str, extent: Span, finding: Span) -> Span {
    if extent.contains(finding) {
        return extent;
    }
    // Of a whole resource, with all its attributes, only that it is one.
    let is_object = text.get(finding.start()..).is_some_and(|it| it.starts_with('{'));
    let end = if is_object { finding.start() + 1 } else { finding.end() };
    Span::new(finding.start(), end)
}

fn point(lines: &Lines, text: &str, at: usize) -> Point {
    let offset = at.min(text.len());
    let (line, _) = lines.line(offset);
    let before = lines.columns(text, offset);
    Point { line, column: before.characters + 1, utf16: before.units + 1, offset }
}

/// Of the statement, or of what the finding is on.
fn hash(one: &Diagnostic) -> ContentHash {
    if let Some(statement) = &one.statement {
        return statement.hash;
    }
    let text = one.place.origin.text();
    let span = one.place.span;
    let marked = text.get(span.start()..span.end()).unwrap_or_default();
    if !marked.trim().is_empty() {
        return ContentHash::of(&squeezed(marked));
    }
    let before = text.get(..span.start()).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
    ContentHash::of(&squeezed(line))
}

/// Without the white space between the tokens of a JSON text.
fn squeezed(text: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let kept = text.chars().filter(|c| {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            c if !in_string && c.is_whitespace() => return false,
            _ => {}
        }
        true
    });
    kept.collect()
}
