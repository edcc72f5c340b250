//! Where a policy came from, so that an answer can point at it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::model::Span;

/// The text of a document and its place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file, or another name a user knows the document by.
    pub file: Box<str>,
    document: Arc<DocumentText>,
}

/// The text of a document and where in its file it stands; shared by all places it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentText {
    /// The document's text; spans point into it.
    pub text: Box<str>,
    /// Line of the file the text starts on, from 1.
    pub line: usize,
    /// Column of that line the text starts at, from 1.
    pub column: usize,
    /// The document stands inside a JSON string of the file: lines and columns are the decoded
    /// document's own.
    pub decoded: bool,
}

impl Source {
    /// A document that is a file of its own.
    #[must_use]
    pub fn file(file: &str, text: &str) -> Self {
        Self::new(file, DocumentText { text: text.into(), line: 1, column: 1, decoded: false })
    }

    fn new(file: &str, document: DocumentText) -> Self {
        Self { file: file.into(), document: Arc::new(document) }
    }

    /// A document that is an object inside a file, starting at this byte of the file's text.
    #[must_use]
    pub fn part(file: &str, whole: &str, span: Span) -> Self {
        let (line, column) = span.line_column(whole);
        let text = whole.get(span.start()..span.end()).unwrap_or_default();
        Self::new(file, DocumentText { text: text.into(), line, column, decoded: false })
    }

    /// A document that was a JSON string or percent-encoded inside a file.
    #[must_use]
    pub fn decoded(file: &str, text: &str) -> Self {
        Self::new(file, DocumentText { text: text.into(), line: 1, column: 1, decoded: true })
    }

    /// The same document in another file.
    #[must_use]
    pub fn at(&self, file: &str) -> Self {
        Self { file: file.into(), document: Arc::clone(&self.document) }
    }

    /// Another document in the same place.
    #[must_use]
    pub fn with_text(&self, text: &str) -> Self {
        Self::new(&self.file, DocumentText { text: text.into(), ..DocumentText::clone(self) })
    }

    /// The same document, this many lines further down in its file.
    #[must_use]
    pub fn further_down(&self, lines: usize) -> Self {
        Self::new(&self.file, DocumentText { line: self.line + lines, ..DocumentText::clone(self) })
    }

    /// The place of a span.
    #[must_use]
    pub fn locate(&self, span: Span) -> Location<'_> {
        let (line, column) = span.line_column(&self.text);
        let column = if line == 1 { column + self.column - 1 } else { column };
        Location { file: &self.file, line: line + self.line - 1, column, decoded: self.decoded }
    }
}

impl Deref for Source {
    type Target = DocumentText;

    fn deref(&self) -> &DocumentText {
        &self.document
    }
}

/// A place a user can go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location<'a> {
    /// The file.
    pub file: &'a str,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// Line and column count inside the document that the file holds as a string.
    pub decoded: bool,
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)?;
        f.write_str(if self.decoded { " (of the document inside)" } else { "" })
    }
}
