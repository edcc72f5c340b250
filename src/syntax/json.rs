//! Strict JSON (RFC 8259) with places: the only file that knows `jsonc-parser`.
//!
//! The parser beneath reads JSON with comments and more. Its options are all off, and since it is
//! still lenient about white space and about some missing commas, what stands between two values is
//! checked here once more. A property holds the result to `serde_json`: both accept the same texts
//! (but for repeated members, which only show up here, and for the limits below).

use std::borrow::Cow;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{CollectOptions, ParseOptions, ParseStringErrorKind, parse_to_ast};

use super::{SyntaxError, SyntaxErrorKind};
use crate::model::{Span, Spanned};

/// The longest text that is read. AWS's largest policy, of a key, has 32,768 bytes
/// (<https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html>); the rest is
/// room for white space.
pub const MAX_BYTES: usize = 1 << 20;

/// How deep objects and arrays may nest; a policy needs six levels.
pub const MAX_DEPTH: usize = 64;

/// The most values of a text: a value of two bytes takes a hundred times that in memory.
pub const MAX_VALUES: usize = 3_000_000;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// `[…]`
    Array(Vec<Spanned<Value<'a>>>),
    /// `true` or `false`.
    Boolean(bool),
    /// `null`
    Null,
    /// A number, as written.
    Number(&'a str),
    /// `{…}`: the members in the order written, repeated names included.
    Object(Vec<Member<'a>>),
    /// A string, escapes resolved.
    String(Cow<'a, str>),
}

impl Value<'_> {
    /// What kind of value it is, with an article.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Array(_) => "an array",
            Self::Boolean(_) => "a boolean",
            Self::Null => "`null`",
            Self::Number(_) => "a number",
            Self::Object(_) => "an object",
            Self::String(_) => "a string",
        }
    }
}

/// A member of an object; the key's span includes its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// Its name.
    pub key: Spanned<Cow<'a, str>>,
    /// Its value.
    pub value: Spanned<Value<'a>>,
}

/// Reads one JSON value that takes up the whole text.
///
/// # Errors
/// The first thing that is not JSON, or the limit that is exceeded.
pub fn read(text: &str) -> Result<Spanned<Value<'_>>, SyntaxError> {
    read_up_to(text, MAX_BYTES)
}

/// [`read`] with another limit than [`MAX_BYTES`]: files that hold many policies are longer.
///
/// # Errors
/// The first thing that is not JSON, or the limit that is exceeded.
pub fn read_up_to(text: &str, limit: usize) -> Result<Spanned<Value<'_>>, SyntaxError> {
    let fail = |start, end, kind| Err(SyntaxError { kind, span: Span::new(start, end) });
    if text.len() > limit {
        let kind = SyntaxErrorKind::TextTooLong { bytes: text.len(), limit };
        return fail(0, text.len(), kind);
    }
    // RFC 8259, section 8.1; U+FEFF is also outside the characters IAM and KMS allow in a document.
    if text.starts_with('\u{feff}') {
        return fail(0, '\u{feff}'.len_utf8(), SyntaxErrorKind::ByteOrderMark);
    }
    if let Some((place, kind)) = too_much(text) {
        return fail(place, place + 1, kind);
    }
    let parsed = parse_to_ast(text, &CollectOptions::default(), &STRICT).map_err(error_of)?;
    let Some(root) = parsed.value else {
        let kind = SyntaxErrorKind::NotJson { problem: "there is no value" };
        return fail(0, text.len(), kind);
    };
    let source = Source { text };
    let range = root.range();
    source.between(0, range.start, "")?;
    source.between(range.end, text.len(), "")?;
    source.value(root)
}

/// Whether `text` is a number by JSON's grammar.
#[must_use]
pub fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

const STRICT: ParseOptions = ParseOptions {
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

/// Where the first bracket beyond [`MAX_DEPTH`] opens, or the first value beyond [`MAX_VALUES`]
/// starts. It runs before the parser, which recurses and keeps all it reads: a text from outside
/// must not decide how much stack and memory we need. Up to the first thing that is not JSON, where
/// the parser stops, this sees the same strings and brackets as it does.
fn too_much(text: &str) -> Option<(usize, SyntaxErrorKind)> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    // Each value but the outermost follows a bracket or a comma.
    let mut values = 1_usize;
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                values += 1;
                if depth > MAX_DEPTH {
                    return Some((place, SyntaxErrorKind::TooDeep { limit: MAX_DEPTH }));
                }
            }
            b',' if !in_string => values += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if values > MAX_VALUES {
            let kind = SyntaxErrorKind::TooMany { what: "values", limit: MAX_VALUES };
            return Some((place, kind));
        }
    }
    None
}

/// Turns the parser's tree into ours and checks what the parser lets pass.
struct Source<'a> {
    text: &'a str,
}

impl<'a> Source<'a> {
    fn value(&self, value: ast::Value<'a>) -> Result<Spanned<Value<'a>>, SyntaxError> {
        let range = value.range();
        let span = Span::new(range.start, range.end);
        let value = match value {
            ast::Value::Array(array) => {
                let mut place = range.start + 1;
                let mut elements = Vec::with_capacity(array.elements.len());
                for (index, element) in array.elements.into_iter().enumerate() {
                    let element_range = element.range();
                    self.between(place, element_range.start, comma_before(index))?;
                    place = element_range.end;
                    elements.push(self.value(element)?);
                }
                self.between(place, range.end.saturating_sub(1), "")?;
                Value::Array(elements)
            }
            ast::Value::BooleanLit(literal) => Value::Boolean(literal.value),
            ast::Value::NullKeyword(_) => Value::Null,
            ast::Value::NumberLit(literal) if is_number(literal.value) => {
                Value::Number(literal.value)
            }
            ast::Value::NumberLit(_) => return Err(not_json(span, "this is not a number")),
            ast::Value::Object(object) => {
                let mut place = range.start + 1;
                let mut members = Vec::with_capacity(object.properties.len());
                for (index, property) in object.properties.into_iter().enumerate() {
                    let member_range = property.range;
                    self.between(place, member_range.start, comma_before(index))?;
                    place = member_range.end;
                    members.push(self.member(property)?);
                }
                self.between(place, range.end.saturating_sub(1), "")?;
                Value::Object(members)
            }
            ast::Value::StringLit(literal) => Value::String(self.string(literal)?.value),
        };
        Ok(Spanned::new(value, span))
    }

    fn member(&self, property: ast::ObjectProp<'a>) -> Result<Member<'a>, SyntaxError> {
        let key = match property.name {
            ast::ObjectPropName::String(literal) => self.string(literal)?,
            ast::ObjectPropName::Word(word) => {
                let span = Span::new(word.range.start, word.range.end);
                return Err(not_json(span, "names of members need double quotes"));
            }
        };
        self.between(key.span.end(), property.value.range().start, ":")?;
        Ok(Member { key, value: self.value(property.value)? })
    }

    fn string(&self, literal: ast::StringLit<'a>) -> Result<Spanned<Cow<'a, str>>, SyntaxError> {
        let (start, end) = (literal.range.start, literal.range.end);
        let raw = self.text.get(start..end).unwrap_or_default();
        if let Some((offset, byte)) = raw.bytes().enumerate().find(|(_, byte)| *byte < 0x20) {
            let span = Span::new(start + offset, start + offset + 1);
            return Err(SyntaxError { kind: SyntaxErrorKind::ControlCharacter { byte }, span });
        }
        Ok(Spanned::new(literal.value, Span::new(start, end)))
    }

    /// Between two values stands white space and exactly `expected`.
    fn between(&self, start: usize, end: usize, expected: &str) -> Result<(), SyntaxError> {
        let raw = self.text.get(start..end).unwrap_or_default();
        if raw.trim_matches([' ', '\t', '\n', '\r']) == expected {
            return Ok(());
        }
        let problem = match expected {
            "," => {
                "only a comma and white space (space, tab, line feed, carriage return) may stand here"
            }
            ":" => {
                "only a colon and white space (space, tab, line feed, carriage return) may stand here"
            }
            _ => "only white space (space, tab, line feed, carriage return) may stand here",
        };
        Err(not_json(Span::new(start, end), problem))
    }
}

fn comma_before(index: usize) -> &'static str {
    if index == 0 { "" } else { "," }
}

fn not_json(span: Span, problem: &'static str) -> SyntaxError {
    SyntaxError { kind: SyntaxErrorKind::NotJson { problem }, span }
}

fn error_of(error: ParseError) -> SyntaxError {
    use ParseErrorKind as Kind;
    let range = error.range();
    let problem = match error.kind() {
        Kind::CommentsNotAllowed | Kind::UnterminatedCommentBlock => "comments are not allowed",
        Kind::ExpectedColonAfterObjectKey => "a colon must follow the name of a member",
        Kind::ExpectedComma => "a comma is missing",
        Kind::ExpectedObjectValue => "a value must follow the colon",
        Kind::ExpectedStringObjectProperty => "names of members need double quotes",
        Kind::MultipleRootJsonValues => "nothing may follow the first value",
        Kind::SingleQuotedStringsNotAllowed => "strings need double quotes",
        Kind::TrailingCommasNotAllowed => "the last comma has nothing after it",
        Kind::UnterminatedArray => "this array is never closed",
        Kind::UnterminatedObject => "this object is never closed",
        Kind::BareDecimalPointNumbersNotAllowed
        | Kind::ExpectedDigit
        | Kind::ExpectedDigitFollowingNegativeSign
        | Kind::ExpectedPlusMinusOrDigitInNumberLiteral
        | Kind::HexadecimalNumbersNotAllowed
        | Kind::NonFiniteNumbersNotAllowed
        | Kind::UnaryPlusNumbersNotAllowed => "this is not a number",
        Kind::String(ParseStringErrorKind::UnterminatedStringLiteral) => {
            "this string is never closed"
        }
        Kind::String(ParseStringErrorKind::InvalidUnicodeEscapeSequence(_)) => {
            "this escape is half of a surrogate pair"
        }
        Kind::String(_) => "this escape does not exist",
        _ => "this is unexpected here",
    };
    not_json(Span::new(range.start, range.end), problem)
}

#[cfg(test)]
mod tests;
