//! YAML → the same tree as JSON, with places.
//!
//! Tags of CloudFormation become what they stand for: `!Sub x` is `{"Fn::Sub": x}`. What YAML would
//! read as a number, or as a date, stays the text it is written as: `Version: 2012-10-17` and an
//! account number are texts to AWS.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};

use super::{Json, LoadError, SourceFile, problem};
use crate::lint::PositionMap;
use crate::model::{Span, Spanned};
use crate::syntax::json::{MAX_DEPTH, Member, Value};

/// The most values of a file, those that aliases repeat included: a file of a few hundred bytes can
/// repeat itself into billions.
const MAX_VALUES: usize = 500_000;

/// Reads all documents of a file.
pub(super) fn read(file: &SourceFile) -> Result<Vec<Json<'static>>, LoadError> {
    let offsets = Offsets::of(&file.text);
    let text = file.text.strip_prefix('\u{feff}').unwrap_or(&file.text);
    let shift = file.text.len() - text.len();
    let mut parser = Parser::new_from_str(text);
    let mut reader = Reader {
        file,
        offsets: Offsets { shift, ..offsets },
        open: Vec::new(),
        anchors: HashMap::new(),
        values: 0,
        documents: Vec::new(),
    };
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|error| reader.not_yaml(&error))?;
        if event == Event::StreamEnd {
            break;
        }
        reader.event(event, span)?;
    }
    Ok(reader.documents)
}

/// A collection that is not complete yet.
struct Open {
    start: usize,
    anchor: usize,
    function: Option<Function>,
    /// Members of a mapping; a sequence has none.
    members: Option<Vec<Member<'static>>>,
    key: Option<Json<'static>>,
    elements: Vec<Json<'static>>,
}

/// A tag that stands for a function: its name and where it starts.
struct Function {
    name: String,
    at: Span,
}

struct Reader<'f> {
    file: &'f SourceFile,
    offsets: Offsets<'f>,
    open: Vec<Open>,
    anchors: HashMap<usize, (Json<'static>, usize)>,
    values: usize,
    documents: Vec<Json<'static>>,
}

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>, span: saphyr_parser::Span) -> Result<(), LoadError> {
        let place = self.place(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1, place)?;
                let is_text = tag.as_deref().is_some_and(is_string_tag);
                let value = match (&*text, style) {
                    ("" | "~" | "null" | "Null" | "NULL", ScalarStyle::Plain) if !is_text => {
                        Value::Null
                    }
                    ("true" | "True" | "TRUE", ScalarStyle::Plain) if !is_text => {
                        Value::Boolean(true)
                    }
                    ("false" | "False" | "FALSE", ScalarStyle::Plain) if !is_text => {
                        Value::Boolean(false)
                    }
                    _ => Value::String(text.into_owned().into()),
                };
                let place = self.trimmed(place, style);
                let json = Spanned::new(value, place);
                self.done(called(json, self.function(tag.as_deref(), place)), anchor)
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some((json, size)) => {
                    self.count(size, place)?;
                    self.done(json, 0)
                }
                None => Err(problem(self.file, place, "the alias is of something around it")),
            },
            Event::SequenceStart(anchor, tag) => self.opened(place, anchor, tag.as_deref(), None),
            Event::MappingStart(anchor, tag) => {
                self.opened(place, anchor, tag.as_deref(), Some(Vec::new()))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let last = open.elements.last().map(|last| last.span.end());
                let members = open.members.as_ref().and_then(|it| it.last());
                let last = last.or(members.map(|last| last.value.span.end()));
                // A block ends where the next thing starts: its last value ends it for people.
                let is_flow = self.text(place.end().saturating_sub(1)) == Some(b'}')
                    || self.text(place.end().saturating_sub(1)) == Some(b']');
                let end = if is_flow && !place.is_empty() {
                    place.end()
                } else {
                    last.unwrap_or(place.start())
                };
                let value = match open.members {
                    Some(members) => Value::Object(merged(members)),
                    None => Value::Array(open.elements),
                };
                let json = Spanned::new(value, Span::new(open.start, end.max(open.start)));
                self.done(called(json, open.function), open.anchor)
            }
            Event::DocumentStart(_) => {
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn opened(
        &mut self,
        place: Span,
        anchor: usize,
        tag: Option<&Tag>,
        members: Option<Vec<Member<'static>>>,
    ) -> Result<(), LoadError> {
        self.count(1, place)?;
        // A tag is a level of its own.
        let depth = self.open.iter().map(|open| 1 + usize::from(open.function.is_some()));
        if depth.sum::<usize>() >= MAX_DEPTH {
            let message = format!("is nested more than {MAX_DEPTH} levels deep");
            return Err(problem(self.file, place, message));
        }
        let function = self.function(tag, place);
        self.open.push(Open {
            start: place.start(),
            anchor,
            function,
            members,
            key: None,
            elements: Vec::new(),
        });
        Ok(())
    }

    /// Puts a value where it belongs.
    fn done(&mut self, json: Json<'static>, anchor: usize) -> Result<(), LoadError> {
        if anchor > 0 {
            let (size, depth) = measure(&json);
            self.count(size, json.span)?;
            if depth + self.open.len() > MAX_DEPTH {
                let message = format!("is nested more than {MAX_DEPTH} levels deep");
                return Err(problem(self.file, json.span, message));
            }
            self.anchors.insert(anchor, (json.clone(), size));
        }
        let Some(open) = self.open.last_mut() else {
            self.documents.push(json);
            return Ok(());
        };
        let Some(members) = &mut open.members else {
            open.elements.push(json);
            return Ok(());
        };
        match open.key.take() {
            None => open.key = Some(json),
            Some(key) => {
                let name = match key.value {
                    Value::String(name) => name,
                    Value::Boolean(true) => "true".into(),
                    Value::Boolean(false) => "false".into(),
                    Value::Null => "null".into(),
                    _ => return Err(problem(self.file, key.span, "a key is a text")),
                };
                members.push(Member { key: Spanned::new(name, key.span), value: json });
            }
        }
        Ok(())
    }

    fn count(&mut self, more: usize, place: Span) -> Result<(), LoadError> {
        self.values = self.values.saturating_add(more);
        if self.values > MAX_VALUES {
            let message = format!(
                "holds more than {MAX_VALUES} values, those repeated by aliases included, and is not read"
            );
            return Err(problem(self.file, place, message));
        }
        Ok(())
    }

    /// The function of a tag; its place is that of the tag.
    fn function(&self, tag: Option<&Tag>, value: Span) -> Option<Function> {
        let tag = tag.filter(|tag| tag.handle == "!" && !tag.suffix.is_empty())?;
        let name = match tag.suffix.as_str() {
            "Condition" | "Ref" => tag.suffix.clone(),
            other => format!("Fn::{other}"),
        };
        // The place of a value with a tag may start at either of the two.
        let written = format!("!{}", tag.suffix);
        let before = self.file.text.get(..value.start()).unwrap_or_default().trim_end();
        let start = match before.strip_suffix(&written) {
            Some(before) => before.len(),
            None => value.start(),
        };
        Some(Function { name, at: Span::new(start, start + written.len()) })
    }

    fn place(&self, span: saphyr_parser::Span) -> Span {
        let (start, end) = (self.offsets.byte(span.start), self.offsets.byte(span.end));
        Span::new(start, end.max(start))
    }

    /// A scalar without the white space and line breaks the parser counts in.
    fn trimmed(&self, place: Span, style: ScalarStyle) -> Span {
        let text = self.file.text.get(place.start()..place.end()).unwrap_or_default();
        let kept = match style {
            ScalarStyle::Literal | ScalarStyle::Folded => text.trim_end_matches([' ', '\n', '\r']),
            _ => text.trim_end(),
        };
        Span::new(place.start(), place.start() + kept.len())
    }

    fn text(&self, at: usize) -> Option<u8> {
        self.file.text.as_bytes().get(at).copied()
    }

    fn not_yaml(&self, error: &ScanError) -> LoadError {
        let at = self.offsets.byte(*error.marker());
        problem(self.file, Span::new(at, at), format!("is not YAML: {}", error.info()))
    }
}

fn is_string_tag(tag: &Tag) -> bool {
    tag.handle == "tag:yaml.org,2002:" && tag.suffix == "str"
}

/// `!Sub x` as `{"Fn::Sub": x}`; `!GetAtt a.b` stays one text.
fn called(json: Json<'static>, function: Option<Function>) -> Json<'static> {
    let Some(Function { name, at }) = function else { return json };
    let span = Span::new(at.start().min(json.span.start()), json.span.end());
    let member = Member { key: Spanned::new(name.into(), at), value: json };
    Spanned::new(Value::Object(vec![member]), span)
}

/// A mapping with what `<<` merges into it.
fn merged(members: Vec<Member<'static>>) -> Vec<Member<'static>> {
    if !members.iter().any(|member| member.key.value == "<<") {
        return members;
    }
    let (merges, mut own): (Vec<_>, Vec<_>) =
        members.into_iter().partition(|member| member.key.value == "<<");
    for merge in merges {
        let from = match merge.value.value {
            Value::Object(_) => vec![merge.value],
            Value::Array(elements) => elements,
            _ => continue,
        };
        for one in from {
            let Value::Object(members) = one.value else { continue };
            for member in members {
                if !own.iter().any(|own| own.key.value == member.key.value) {
                    own.push(member);
                }
            }
        }
    }
    own
}

/// How many values a value has, and how deep they nest.
fn measure(json: &Json<'_>) -> (usize, usize) {
    let inner = |values: &mut dyn Iterator<Item = &Json<'_>>| {
        values
            .map(measure)
            .fold((1, 0), |(all, deepest), (size, depth)| (all + size, deepest.max(depth)))
    };
    let (size, depth) = match &json.value {
        Value::Array(elements) => inner(&mut elements.iter()),
        Value::Object(members) => inner(&mut members.iter().map(|member| &member.value)),
        _ => return (1, 0),
    };
    (size, depth + 1)
}

/// Where characters are in bytes: the parser counts characters.
struct Offsets<'t> {
    text: &'t str,
    /// The byte of every [`STEP`]th character; empty for a text where both are the same.
    steps: Vec<usize>,
    shift: usize,
}

const STEP: usize = 256;

impl<'t> Offsets<'t> {
    fn of(text: &'t str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let steps = match text.is_ascii() {
            true => Vec::new(),
            false => text.char_indices().step_by(STEP).map(|(at, _)| at).collect(),
        };
        Self { text, steps, shift: 0 }
    }

    fn byte(&self, mark: Marker) -> usize {
        let index = mark.index();
        let at = match self.steps.get(index / STEP) {
            None if self.steps.is_empty() => index.min(self.text.len()),
            None => self.text.len(),
            Some(start) => {
                let rest = self.text.get(*start..).unwrap_or_default();
                let more = rest.char_indices().nth(index % STEP).map(|(at, _)| at);
                start + more.unwrap_or(rest.len())
            }
        };
        at + self.shift
    }
}

/// How the places of a scalar's text are places of the file: what stands there as it is byte by
/// byte, folded lines and escapes as what was made of them. A place that cannot be told is the whole
/// scalar.
pub(super) fn positions(file: &str, scalar: Span, text: &str) -> PositionMap {
    let mut map = PositionMap::new(scalar);
    let Some(raw) = file.get(scalar.start()..) else { return map };
    let mut at = match raw.as_bytes().first() {
        // The header of a block, with its indicators and comment, ends with its line.
        Some(b'|' | b'>') => raw.find('\n').map_or(raw.len(), |end| end + 1),
        Some(b'"' | b'\'') => 1,
        _ => 0,
    };
    let quote = raw.as_bytes().first().copied();
    let mut from = 0;
    for (place, c) in text.char_indices() {
        let Some(rest) = raw.get(at..) else { break };
        let next = rest.chars().next();
        let escapes = quote == Some(b'"') && next == Some('\\');
        let doubled = quote == Some(b'\'') && rest.starts_with("''");
        if next == Some(c) && !escapes && !doubled && !c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let start = scalar.start() + at - (place - from);
        if place > from {
            map.linear(from, Span::new(start, scalar.start() + at));
        }
        from = place + c.len_utf8();
        let length = if escapes {
            escape(rest)
        } else if doubled {
            2
        } else if c == '\n' || c == ' ' || c == '\t' {
            blank(rest, c)
        } else {
            // White space that folding or indentation put between.
            let blanks = rest.len() - rest.trim_start().len();
            if !rest.trim_start().starts_with(c) {
                return PositionMap::opaque(scalar);
            }
            blanks + c.len_utf8()
        };
        let end = scalar.start() + at + length;
        let first =
            end - if escapes || doubled || c.is_whitespace() { length } else { c.len_utf8() };
        map.made(place, Span::new(first, end.max(first)));
        at += length;
    }
    if text.len() > from {
        let start = scalar.start() + at - (text.len() - from);
        map.linear(from, Span::new(start, scalar.start() + at));
    }
    map
}

/// How many bytes an escape of a double-quoted scalar takes.
fn escape(rest: &str) -> usize {
    match rest.as_bytes().get(1) {
        Some(b'x') => 4,
        Some(b'u') => 6,
        Some(b'U') => 10,
        _ => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
    }
}

/// How many bytes of white space a blank of the text stands for: itself, or, for a line break, the
/// break and the next line's indentation up to what the text goes on with.
fn blank(rest: &str, c: char) -> usize {
    match rest.chars().next() {
        Some(next) if next == c && c != '\n' => next.len_utf8(),
        Some('\n') => 1,
        Some('\r') => 1 + usize::from(rest.as_bytes().get(1) == Some(&b'\n')),
        // Indentation that is no part of the text, before a line break that is.
        _ => rest
            .find('\n')
            .filter(|end| rest.get(..*end).is_some_and(|it| it.trim().is_empty()))
            .map_or(0, |end| end + 1),
    }
}
