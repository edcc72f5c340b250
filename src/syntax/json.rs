//! Strict JSON with spans and with duplicate members visible.
//!
//! The reader is `jsonc-parser` with everything lenient switched off; what it still lets through
//! (raw control characters in strings, a byte order mark, deep nesting) is refused here.

use jsonc_parser::ast;
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::SyntaxError;
use crate::model::{Span, Spanned};

/// The largest text read, in bytes; AWS's largest policy is 32 KiB.
pub(crate) const MAX_BYTES: usize = 256 * 1024 * 1024;
/// The deepest nesting read.
pub(crate) const MAX_DEPTH: usize = 64;

/// A JSON value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Json {
    pub(crate) value: JsonValue,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum JsonValue {
    Array(Vec<Json>),
    Boolean(bool),
    Null,
    /// The number as written.
    Number(String),
    /// Members in order, duplicates included.
    Object(Vec<(Spanned<String>, Json)>),
    String(String),
}

impl JsonValue {
    /// The kind of value, with an article.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Array(_) => "an array",
            Self::Boolean(_) => "a boolean",
            Self::Null => "null",
            Self::Number(_) => "a number",
            Self::Object(_) => "an object",
            Self::String(_) => "a string",
        }
    }
}

/// Reads one JSON value.
pub(crate) fn read(text: &str) -> Result<Json, SyntaxError> {
    if text.len() > MAX_BYTES {
        let message = format!("the text has {} bytes, more than {MAX_BYTES}", text.len());
        return Err(SyntaxError::new(Span::new(0, 0), message));
    }
    if text.starts_with('\u{feff}') {
        return Err(SyntaxError::new(Span::new(0, 3), "the text starts with a byte order mark")
            .help("save it as UTF-8 without one"));
    }
    if let Some(at) = foreign_space(text) {
        let message = "a character that JSON does not have outside strings";
        return Err(SyntaxError::new(Span::new(at, at + 1), message));
    }
    if let Some(at) = too_deep(text) {
        let message = format!("the text is nested more than {MAX_DEPTH} levels deep");
        return Err(SyntaxError::new(Span::new(at, at + 1), message));
    }
    let options = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options).map_err(|error| {
        let range = error.range();
        let mut message = error.kind().to_string();
        if let Some(first) = message.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        SyntaxError::new(Span::new(range.start, range.end), format!("not JSON: {message}"))
    })?;
    match parsed.value {
        Some(value) => convert(value, text),
        None => Err(SyntaxError::new(Span::new(0, text.len()), "the text is empty")),
    }
}

/// Where a character stands outside strings that is no token and no white space of RFC 8259: the
/// reader takes some of them for white space.
fn foreign_space(text: &str) -> Option<usize> {
    let (mut in_string, mut escaped) = (false, false);
    text.bytes().enumerate().find_map(|(at, byte)| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'\t' | b'\n' | b'\r' => {}
            _ if !in_string && !(0x20..0x7f).contains(&byte) => return Some(at),
            _ => {}
        }
        None
    })
}

/// Where nesting gets too deep, told without recursion, so that the reader's own is bounded.
fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Some(at);
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

fn convert(value: ast::Value<'_>, text: &str) -> Result<Json, SyntaxError> {
    let range = value.range();
    let span = Span::new(range.start, range.end);
    let value = match value {
        ast::Value::StringLit(string) => {
            string_is_clean(text, span)?;
            JsonValue::String(string.value.into_owned())
        }
        ast::Value::NumberLit(number) => JsonValue::Number(number.value.to_owned()),
        ast::Value::BooleanLit(boolean) => JsonValue::Boolean(boolean.value),
        ast::Value::NullKeyword(_) => JsonValue::Null,
        ast::Value::Array(array) => {
            let elements = array.elements.into_iter().map(|element| convert(element, text));
            JsonValue::Array(elements.collect::<Result<_, _>>()?)
        }
        ast::Value::Object(object) => {
            let members = object.properties.into_iter().map(|property| {
                let range = property.name.range();
                let span = Span::new(range.start, range.end);
                string_is_clean(text, span)?;
                let name = property.name.into_string();
                Ok((Spanned::new(name, span), convert(property.value, text)?))
            });
            JsonValue::Object(members.collect::<Result<_, _>>()?)
        }
    };
    Ok(Json { value, span })
}

/// RFC 8259 forbids raw control characters in strings.
fn string_is_clean(text: &str, span: Span) -> Result<(), SyntaxError> {
    let raw = text.get(span.start()..span.end()).unwrap_or_default();
    match raw.bytes().position(|byte| byte < 0x20) {
        Some(at) => {
            let at = span.start() + at;
            Err(SyntaxError::new(Span::new(at, at + 1), "a string holds a raw control character")
                .help("write it as an escape such as `\\n`"))
        }
        None => Ok(()),
    }
}
