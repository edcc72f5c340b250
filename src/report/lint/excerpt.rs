//! Lines of a source, cut and cleaned so that they can be shown.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

use crate::model::Span;

/// How much of a line is shown before the marked part, in it, and after it, in characters. Templates
/// and plans may be one line of many megabytes.
const BEFORE: usize = 80;
const MARKED: usize = 120;
const AFTER: usize = 60;

/// From how many bytes on a line has its columns counted ahead, and how far apart.
const STRIDE: usize = 1024;

/// Where the lines of a text start.
#[derive(Clone, Debug)]
pub struct Lines {
    starts: Vec<usize>,
    /// In long lines only; sorted. Without them each finding in a state of one line would count
    /// the whole line before it.
    marks: Vec<Mark>,
}

/// A place within a long line.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: usize,
    before: Columns,
}

/// How much of a line stands before a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// In characters.
    pub characters: usize,
    /// In UTF-16 code units.
    pub units: usize,
}

impl Columns {
    fn and(self, text: &str) -> Self {
        text.chars().fold(self, |sum, c| Self {
            characters: sum.characters + 1,
            units: sum.units + c.len_utf16(),
        })
    }
}

/// A part of a line with the marked columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The number of the line, from 1.
    pub line: usize,
    /// What is shown of it, with nothing in it that a terminal would obey.
    pub text: String,
    /// How many columns stand before the marked ones.
    pub indent: usize,
    /// How many columns are marked; at least one.
    pub width: usize,
    /// The last line of what is marked, when it is another one.
    pub until: Option<usize>,
}

impl Lines {
    /// Those of an empty text.
    pub(super) const NONE: Self = Self { starts: Vec::new(), marks: Vec::new() };

    /// The lines of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut lines = Self { starts: vec![0], marks: Vec::new() };
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            lines.mark(start, line);
            start += line.len();
            if line.ends_with('\n') {
                lines.starts.push(start);
            }
        }
        lines
    }

    fn mark(&mut self, start: usize, line: &str) {
        let (mut last, mut before) = (0, Columns::default());
        while last + STRIDE < line.len() {
            let next = line.floor_char_boundary(last + STRIDE);
            before = before.and(line.get(last..next).unwrap_or_default());
            self.marks.push(Mark { at: start + next, before });
            last = next;
        }
    }

    /// The number of the line a byte is in, from 1, and the byte the line starts at.
    #[must_use]
    pub fn line(&self, at: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= at).max(1);
        (line, self.starts.get(line - 1).copied().unwrap_or_default())
    }

    /// How much of its line stands before a byte of the text.
    #[must_use]
    pub fn columns(&self, text: &str, at: usize) -> Columns {
        let (_, start) = self.line(at);
        let next = self.marks.partition_point(|mark| mark.at <= at);
        let mark = next.checked_sub(1).and_then(|last| self.marks.get(last));
        let (from, before) = match mark {
            Some(mark) if mark.at >= start => (mark.at, mark.before),
            _ => (start, Columns::default()),
        };
        before.and(text.get(from..at).unwrap_or_default())
    }

    /// What to show of a text for a span; `shown` is all that may be shown, when that is not the
    /// whole text.
    #[must_use]
    pub fn excerpt(&self, text: &str, span: Span, shown: Option<Span>) -> Excerpt {
        let (line, start) = self.line(span.start());
        let end = self.starts.get(line).map_or(text.len(), |next| next - 1);
        let whole = text.get(start..end).unwrap_or_default().trim_end_matches('\r');
        let (last, _) = self.line(span.end().saturating_sub(1).max(span.start()));
        let cut = |at: usize| at.saturating_sub(start).min(whole.len());
        let (before, rest) = whole.split_at_checked(cut(span.start())).unwrap_or((whole, ""));
        let marked = cut(span.end()).saturating_sub(before.len());
        let (marked, after) = rest.split_at_checked(marked).unwrap_or((rest, ""));
        let (from, to) = shown.map_or((0, whole.len()), |it| (cut(it.start()), cut(it.end())));
        // The name of a member says nothing that is to be hidden, and neither do brackets.
        let from = if whole.get(..from).is_some_and(is_name) { 0 } else { from };
        let to = if whole.get(to..).is_some_and(is_closing) { whole.len() } else { to };
        let upto = |part: &'_ str, at: usize| to.saturating_sub(at).min(part.len());
        let at = before.len();
        let before = before.get(from..).unwrap_or_default();
        let after = after.get(..upto(after, at + marked.len())).unwrap_or_default();
        let marked = marked.get(..upto(marked, at)).unwrap_or_default();

        let mut line_text = String::new();
        let kept = before.char_indices().rev().take(BEFORE).last().map_or(0, |(at, _)| at);
        if kept > 0 || from > 0 {
            line_text.push('…');
        }
        push_clean(&mut line_text, before.get(kept..).unwrap_or_default());
        let indent = columns(&line_text);
        let is_cut = push_start(&mut line_text, marked, MARKED);
        let width = columns(&line_text).saturating_sub(indent).max(1);
        if is_cut || push_start(&mut line_text, after, AFTER) || to < whole.len() {
            line_text.push('…');
        }
        let until = (last > line).then_some(last);
        Excerpt { line, text: line_text.trim_end().to_owned(), indent, width, until }
    }
}

/// Whether there is nothing but the name of a member, as in `{ "policy": `.
fn is_name(text: &str) -> bool {
    let text = text.trim_start_matches([' ', '\t', '{', '[', '-']).trim_end();
    let name = text.strip_suffix(':').map(|it| it.trim_end().trim_matches('"'));
    let is_plain = |c: char| c.is_alphanumeric() || c == '_';
    text.is_empty() || name.is_some_and(|name| name.chars().all(is_plain))
}

/// Whether there is nothing but the ends of what is around.
fn is_closing(text: &str) -> bool {
    text.trim_matches([' ', '\t', '}', ']', ',']).is_empty()
}

/// Adds the first characters of a part; whether there were more.
fn push_start(to: &mut String, part: &str, limit: usize) -> bool {
    let end = part.char_indices().nth(limit).map(|(at, _)| at);
    push_clean(to, part.get(..end.unwrap_or(part.len())).unwrap_or_default());
    end.is_some()
}

/// How many columns a clean text takes on a terminal.
fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

fn push_clean(to: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\t' => to.push_str("    "),
            c => to.push(clean(c)),
        }
    }
}

/// A text on one line, with nothing in it that a terminal would obey or that is seen as something
/// else than it is.
#[must_use]
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    let harmful = |c: char| clean(c) != c;
    if text.contains(harmful) {
        text.chars().map(clean).collect::<String>().into()
    } else {
        text.into()
    }
}

/// Control characters as their pictures; characters without width and those that turn the
/// direction of a text as U+FFFD.
fn clean(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' => ' ',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, clippy::string_slice, reason = "tests")]
mod tests {
    use super::*;

    fn shown(text: &str, part: &str) -> Excerpt {
        let start = text.find(part).unwrap_or_default();
        Lines::of(text).excerpt(text, Span::new(start, start + part.len()), None)
    }

    #[test]
    fn the_mark_stands_under_wide_characters() {
        let excerpt = shown("{\n  \"日本\": \"値\" }", "\"値\"");
        assert_eq!(
            (excerpt.line, excerpt.text.as_str(), excerpt.indent, excerpt.width),
            (2, "  \"日本\": \"値\" }", 10, 4)
        );
    }

    #[test]
    fn nothing_is_obeyed() {
        let excerpt = shown("a\x1b[31m\t\u{202e}b", "b");
        assert_eq!(excerpt.text, "a␛[31m    \u{fffd}b");
        assert_eq!(excerpt.indent, 11);
        assert_eq!(harmless("a\x07\nb"), "a␇ b");
    }

    #[test]
    fn long_lines_are_cut() {
        let text = format!("{}MARK{}", "x".repeat(1000), "y".repeat(1000));
        let excerpt = shown(&text, "MARK");
        assert_eq!(excerpt.text, format!("…{}MARK{}…", "x".repeat(BEFORE), "y".repeat(AFTER)));
        assert_eq!((excerpt.indent, excerpt.width), (BEFORE + 1, 4));
    }

    #[test]
    fn columns_of_long_lines_are_those_of_a_count() {
        let long = "aé日😀".repeat(400);
        let text = format!("x\n{long}\r\n{long}\n\nshort é\n{long}");
        let lines = Lines::of(&text);
        for (at, _) in text.char_indices() {
            let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
            let before = &text[start..at];
            let counted = Columns {
                characters: before.chars().count(),
                units: before.encode_utf16().count(),
            };
            assert_eq!(lines.line(at), (text[..at].matches('\n').count() + 1, start));
            assert_eq!(lines.columns(&text, at), counted, "{at}");
        }
        assert!(lines.marks.windows(2).all(|two| two[1].at - two[0].at >= STRIDE - 3));
    }

    #[test]
    fn what_may_not_be_shown_is_not() {
        let text = r#"{"a": "secret", "p": "xMARKy", "z": "secret"}"#;
        let at = |part: &str| text.find(part).unwrap_or_default();
        let (whole, marked) = (at("\"xMARKy"), at("MARK"));
        let excerpt = |shown, span| Lines::of(text).excerpt(text, span, Some(shown));
        let one = excerpt(Span::new(whole, whole + 8), Span::new(marked, marked + 4));
        assert_eq!((one.text.as_str(), one.indent, one.width), ("…\"xMARKy\"…", 3, 4));
        // An object is marked as a whole.
        let one = excerpt(Span::new(0, 1), Span::new(0, text.len()));
        assert_eq!((one.text.as_str(), one.indent, one.width), ("{…", 0, 1));
        let own = r#"{ "policy": "MARK" },"#;
        let shown = Span::new(12, 18);
        assert_eq!(Lines::of(own).excerpt(own, Span::new(13, 17), Some(shown)).text, own);
    }

    #[test]
    fn several_lines_end_with_the_last() {
        let excerpt = shown("{\r\n  [\r\n 1\r\n ]\r\n}", "[\r\n 1\r\n ]");
        assert_eq!((excerpt.text.as_str(), excerpt.width, excerpt.until), ("  [", 1, Some(4)));
        let empty = Lines::of("").excerpt("", Span::default(), None);
        assert_eq!((empty.line, empty.indent, empty.width), (1, 0, 1));
    }
}
