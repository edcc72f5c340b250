//! Where a thing that is linted stands: from places in its own text to places in the file that a
//! user edits.

use std::sync::Arc;

use crate::model::Span;
use crate::syntax;

/// A file, or what stands for one, such as standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name as findings show it.
    pub name: Box<str>,
    /// Its whole text.
    pub text: Box<str>,
}

/// A piece of a text and where it stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    /// Where the piece starts in the text.
    at: usize,
    /// The bytes of the file it stands for.
    file: Span,
    /// One byte of the text is one byte of the file; otherwise the piece is an escape, or something
    /// a format made out of what stands there.
    linear: bool,
}

/// How places in a text become places in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PositionMap {
    /// INVARIANT (sorted pieces): by `at`; the first starts at 0 unless there is none.
    pieces: Vec<Piece>,
    /// What to show for a place no piece covers: the whole thing.
    whole: Span,
}

impl PositionMap {
    /// Every place is the whole of `span`: the format does not tell more.
    #[must_use]
    pub fn opaque(span: Span) -> Self {
        Self { pieces: Vec::new(), whole: span }
    }

    /// An empty map, to be filled from the start of the text with [`Self::linear`] and
    /// [`Self::made`]. `whole` is where the thing stands in the file.
    #[must_use]
    pub fn new(whole: Span) -> Self {
        Self::opaque(whole)
    }

    /// The text from `at` on stands in the file at `file`, byte for byte.
    pub fn linear(&mut self, at: usize, file: Span) {
        self.pieces.push(Piece { at, file, linear: true });
    }

    /// The text from `at` up to the next piece was made out of what stands in the file at `file`:
    /// an escape, a reference.
    pub fn made(&mut self, at: usize, file: Span) {
        self.pieces.push(Piece { at, file, linear: false });
    }

    /// The map of a text that stands in the file as a JSON string, whose quotes `literal` includes.
    /// `text` is the whole file.
    #[must_use]
    pub fn json_string(text: &str, literal: Span) -> Self {
        let mut map = Self::new(literal);
        let start = literal.start() + 1;
        let raw = text.get(start..literal.end().saturating_sub(1)).unwrap_or_default();
        let (mut at, mut offset) = (0, 0);
        while let Some(rest) = raw.get(offset..).filter(|rest| !rest.is_empty()) {
            let plain = rest.find('\\').unwrap_or(rest.len());
            if plain > 0 {
                map.linear(at, Span::new(start + offset, start + offset + plain));
                at += plain;
                offset += plain;
                continue;
            }
            let (read, made) = escape(rest);
            map.made(at, Span::new(start + offset, start + offset + read));
            at += made;
            offset += read;
        }
        map
    }

    /// The map of a text inside a text: `self` leads into a text that `outer` leads out of.
    #[must_use]
    pub fn within(&self, outer: &Self) -> Self {
        let mut map = Self::new(outer.span(self.whole));
        for piece in &self.pieces {
            if !piece.linear {
                map.made(piece.at, outer.span(piece.file));
                continue;
            }
            // A linear piece is cut where the outer text has its own pieces.
            let mut from = piece.file.start();
            while from < piece.file.end() {
                let Some(found) = outer.piece(from) else {
                    map.made(piece.at + from - piece.file.start(), outer.whole);
                    break;
                };
                let next = outer.pieces.get(outer.index(from)).map_or(usize::MAX, |next| next.at);
                let until = next.min(piece.file.end());
                let at = piece.at + from - piece.file.start();
                if found.linear {
                    let start = found.file.start() + from - found.at;
                    map.linear(at, Span::new(start, start + until - from));
                } else {
                    map.made(at, found.file);
                }
                from = until;
            }
        }
        map
    }

    /// Where a place in the text is in the file.
    #[must_use]
    pub fn span(&self, span: Span) -> Span {
        let last = span.end().saturating_sub(1).max(span.start());
        let (Some(first), Some(end)) = (self.piece(span.start()), self.piece(last)) else {
            return self.whole;
        };
        let start = if first.linear {
            (first.file.start() + span.start() - first.at).min(first.file.end())
        } else {
            first.file.start()
        };
        let past = usize::from(!span.is_empty());
        let end = if end.linear {
            (end.file.start() + last + past - end.at).min(end.file.end())
        } else {
            end.file.end()
        };
        Span::new(start, end.max(start))
    }

    /// Where exactly these bytes stand in the file; `None` when they are part of something made.
    fn exact(&self, span: Span) -> Option<Span> {
        let last = span.end().saturating_sub(1).max(span.start());
        let (first, end) = (self.piece(span.start())?, self.piece(last)?);
        let next = self.pieces.get(self.index(last)).map(|next| next.at);
        let starts = first.linear || first.at == span.start();
        let ends = end.linear || (!span.is_empty() && next == Some(span.end()));
        (starts && ends).then(|| self.span(span))
    }

    /// The piece a place is in.
    fn piece(&self, at: usize) -> Option<&Piece> {
        self.pieces.get(self.index(at).checked_sub(1)?)
    }

    /// How many pieces start at a place or before it.
    fn index(&self, at: usize) -> usize {
        self.pieces.partition_point(|piece| piece.at <= at)
    }
}

/// How many bytes an escape of a JSON string takes, and how many its character has.
fn escape(rest: &str) -> (usize, usize) {
    let unit = |at: usize| {
        rest.get(at..at + 6)
            .and_then(|escape| escape.strip_prefix("\\u"))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
    };
    match unit(0) {
        Some(0xD800..=0xDBFF) if unit(6).is_some() => (12, 4),
        Some(code) => (6, char::from_u32(code).map_or(3, char::len_utf8)),
        None => (rest.len().min(2), 1),
    }
}

/// How a text is written in its file; decides whether it can be edited there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Inside a JSON string.
    JsonString,
    /// It cannot be edited: it was put together from several places, or what fixes write cannot stand
    /// there.
    Opaque,
    /// As it is.
    Plain,
}

/// Where a thing that is linted came from. Its spans point into its own text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    file: Arc<SourceFile>,
    /// `None` when the text is the file's.
    text: Option<Box<str>>,
    /// `None` when places are the file's.
    map: Option<PositionMap>,
    encoding: Encoding,
    address: Option<Box<str>>,
    /// `None` when all of the file may be shown.
    extent: Option<Span>,
}

impl Origin {
    /// A thing whose places are places of the file: a file that is a document, or an object in it.
    #[must_use]
    pub fn file(file: Arc<SourceFile>) -> Self {
        Self { file, text: None, map: None, encoding: Encoding::Plain, address: None, extent: None }
    }

    /// [`Self::file`] for a file that no fix can be written into, because it is not JSON.
    #[must_use]
    pub fn read_only(file: Arc<SourceFile>) -> Self {
        Self { encoding: Encoding::Opaque, ..Self::file(file) }
    }

    /// Lets no fix be written.
    pub(super) fn forbid_edits(&mut self) {
        self.encoding = Encoding::Opaque;
    }

    /// A text that stands in the file as a JSON string.
    #[must_use]
    pub fn json_string(file: Arc<SourceFile>, literal: Span, text: &str) -> Self {
        let map = PositionMap::json_string(&file.text, literal);
        Self::mapped(file, text, map, Encoding::JsonString)
    }

    /// A text that a format found in the file or made out of it.
    #[must_use]
    pub fn mapped(file: Arc<SourceFile>, text: &str, map: PositionMap, encoding: Encoding) -> Self {
        let extent = Some(map.whole);
        Self { file, text: Some(text.into()), map: Some(map), encoding, address: None, extent }
    }

    /// The same, with the name its tool knows it by: a resource's address, a construct's path.
    #[must_use]
    pub fn with_address(mut self, address: &str) -> Self {
        self.address = Some(address.into());
        self
    }

    /// The same, in a file that holds more than this thing: of the file, only `extent` is shown
    /// beside a finding, and of what is outside of it only what is marked. Plans and templates
    /// have passwords in other attributes, often on the same line.
    #[must_use]
    pub fn with_extent(mut self, extent: Span) -> Self {
        self.extent = Some(extent);
        self
    }

    /// The part of the file that may be shown beside a finding; `None` for all of it.
    #[must_use]
    pub fn extent(&self) -> Option<Span> {
        self.extent
    }

    /// The file.
    #[must_use]
    pub fn source_file(&self) -> &Arc<SourceFile> {
        &self.file
    }

    /// The text that spans point into.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or(&self.file.text)
    }

    /// What the tool that wrote the file calls it.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// Where a span stands in the file.
    #[must_use]
    pub fn file_span(&self, span: Span) -> Span {
        self.map.as_ref().map_or(span, |map| map.span(span))
    }

    /// A replacement as an edit of the file; `None` when it cannot be made there.
    #[must_use]
    pub fn edit(&self, span: Span, text: &str) -> Option<(Span, String)> {
        let place = match &self.map {
            None => span,
            Some(map) => map.exact(span)?,
        };
        match self.encoding {
            Encoding::Opaque => None,
            Encoding::Plain => Some((place, text.to_owned())),
            Encoding::JsonString => {
                let mut escaped = String::with_capacity(text.len());
                syntax::escape_json(&mut escaped, text);
                Some((place, escaped))
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn file(text: &str) -> Arc<SourceFile> {
        Arc::new(SourceFile { name: "a".into(), text: text.into() })
    }

    #[test]
    fn places_in_a_json_string_are_places_in_the_file() {
        let whole = r#"{"Policy": "{\"a\":\u00e9\ud83d\ude00 1}"}"#;
        let literal = Span::new(11, whole.len() - 1);
        let text = "{\"a\":é😀 1}";
        let origin = Origin::json_string(file(whole), literal, text);
        let shown = |part: &str| {
            let start = text.find(part).unwrap();
            let span = origin.file_span(Span::new(start, start + part.len()));
            &whole[span.start()..span.end()]
        };
        assert_eq!(shown("\"a\""), r#"\"a\""#);
        assert_eq!(shown("é"), r"\u00e9");
        assert_eq!(shown("😀"), r"\ud83d\ude00");
        assert_eq!(shown("1"), "1");
        assert_eq!(shown("{\"a"), r#"{\"a"#);
        let start = text.find("\"a\"").unwrap();
        let (span, edit) = origin.edit(Span::new(start, start + 3), "\"b\"").unwrap();
        assert_eq!((&whole[span.start()..span.end()], edit.as_str()), (r#"\"a\""#, r#"\"b\""#));
    }

    #[test]
    fn maps_compose() {
        // A JSON string inside a JSON string.
        let inner = r#"{"P":"[\"x\"]"}"#;
        let whole = format!("  \"{}\"", inner.replace('\\', "\\\\").replace('"', "\\\""));
        let outer = PositionMap::json_string(&whole, Span::new(2, whole.len()));
        let literal = inner.find(r#""[\"#).unwrap();
        let map = PositionMap::json_string(inner, Span::new(literal, inner.len() - 1));
        let span = map.within(&outer).span(Span::new(2, 3));
        assert_eq!(&whole[span.start()..span.end()], "x");
        let span = map.within(&outer).span(Span::new(1, 2));
        assert_eq!(&whole[span.start()..span.end()], r#"\\\""#);
    }

    #[test]
    fn what_was_made_is_not_edited_in_part() {
        let text = "ab";
        let mut map = PositionMap::new(Span::new(0, 9));
        map.made(0, Span::new(0, 5));
        let origin = Origin::mapped(file("xxxxx"), text, map, Encoding::Plain);
        assert_eq!(origin.file_span(Span::new(1, 2)), Span::new(0, 5));
        assert_eq!(origin.edit(Span::new(0, 1), "c"), None);
    }
}
