//! Walking a JSON value whose places are kept.

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::Arc;

use super::{Json, LoadError, problem, yaml};
use crate::lint::{Document, Encoding, Origin, PositionMap, SourceFile};
use crate::model::{PolicyKind, Span, Spanned};
use crate::syntax::json::Value;
use crate::syntax::{self, Parsed};

/// A member of an object that is there and not null; the first, when it is there twice.
pub(super) fn get<'v, 'f>(json: &'v Json<'f>, name: &str) -> Option<&'v Json<'f>> {
    let Value::Object(members) = &json.value else { return None };
    let member = members.iter().find(|member| member.key.value == name)?;
    (!matches!(member.value.value, Value::Null)).then_some(&member.value)
}

/// A member along a path of names.
pub(super) fn path<'v, 'f>(json: &'v Json<'f>, names: &[&str]) -> Option<&'v Json<'f>> {
    names.iter().try_fold(json, |json, name| get(json, name))
}

/// The text of a string.
pub(super) fn text<'v>(json: &'v Json<'_>) -> Option<&'v str> {
    match &json.value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// The elements of an array; none for anything else.
pub(super) fn elements<'v, 'f>(json: &'v Json<'f>) -> &'v [Json<'f>] {
    match &json.value {
        Value::Array(elements) => elements,
        _ => &[],
    }
}

/// The members of an object; none for anything else.
pub(super) fn members<'v, 'f>(json: &'v Json<'f>) -> impl Iterator<Item = (&'v str, &'v Json<'f>)> {
    let members = match &json.value {
        Value::Object(members) => members.as_slice(),
        _ => &[],
    };
    members.iter().map(|member| (member.key.value.as_ref(), &member.value))
}

/// A string that stands for something.
pub(super) fn parse<T: FromStr>(file: &SourceFile, json: &Json<'_>) -> Result<T, LoadError>
where
    T::Err: std::fmt::Display,
{
    let Some(text) = text(json) else {
        return Err(problem(
            file,
            json.span,
            format!("is {}, not a string", json.value.type_name()),
        ));
    };
    text.parse().map_err(|error: T::Err| problem(file, json.span, error.to_string()))
}

/// How strings stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// As JSON strings.
    Json,
    /// As scalars of YAML.
    Yaml,
}

/// A text that values were read from: a file's, or one that stands in it as a string.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) file: &'a Arc<SourceFile>,
    pub(super) written: Written,
    /// The text in the file, and how its places become the file's.
    pub(super) inner: Option<(&'a str, &'a PositionMap)>,
}

impl<'a> Frame<'a> {
    /// A file.
    pub(super) fn of(file: &'a Arc<SourceFile>, written: Written) -> Self {
        Self { file, written, inner: None }
    }

    /// How the places of a string that stands here become the file's.
    pub(super) fn map(&self, json: &Json<'_>, decoded: &str) -> PositionMap {
        let text = self.inner.map_or(&*self.file.text, |(text, _)| text);
        let map = match self.written {
            Written::Json => PositionMap::json_string(text, json.span),
            Written::Yaml => yaml::positions(text, json.span, decoded),
        };
        match self.inner {
            None => map,
            Some((_, outer)) => map.within(outer),
        }
    }

    /// Where a place is in the file.
    pub(super) fn span(&self, span: Span) -> Span {
        self.inner.map_or(span, |(_, map)| map.span(span))
    }

    /// Where things stand that have the places of this text.
    fn origin(&self) -> Origin {
        match self.inner {
            None => whole_file(self.file, self.written),
            Some((text, map)) => {
                Origin::mapped(Arc::clone(self.file), text, map.clone(), Encoding::Opaque)
            }
        }
    }

    /// A policy document that stands here as an object, as a string, or percent-encoded in a
    /// string. Its places are those of the file, as far as they can be told.
    pub(super) fn document(
        &self,
        json: &Json<'_>,
        kind: PolicyKind,
        address: Option<&str>,
    ) -> Document {
        let (origin, parsed) = match &json.value {
            Value::String(text) => {
                let decoded = syntax::decode(text);
                let map = self.map(json, text);
                let (map, encoding) = match (&decoded, self.written, self.inner) {
                    (Cow::Owned(_), ..) => (percent_encoded(text).within(&map), Encoding::Opaque),
                    (Cow::Borrowed(_), Written::Json, None) => (map, Encoding::JsonString),
                    _ => (map, Encoding::Opaque),
                };
                let origin = Origin::mapped(Arc::clone(self.file), &decoded, map, encoding);
                (origin, syntax::parse(&decoded, kind))
            }
            // Its places are those of the text already.
            _ => (self.origin().with_extent(self.span(json.span)), parsed(json, kind)),
        };
        let origin = match address {
            Some(address) => origin.with_address(address),
            None => origin,
        };
        Document::new(kind, Arc::new(origin), parsed)
    }
}

/// [`Frame::document`] of a file in JSON.
pub(super) fn document(
    file: &Arc<SourceFile>,
    json: &Json<'_>,
    kind: PolicyKind,
    address: Option<&str>,
) -> Document {
    Frame::of(file, Written::Json).document(json, kind, address)
}

/// How the places of what [`syntax::decode`] makes of a text become the text's.
fn percent_encoded(text: &str) -> PositionMap {
    let mut map = PositionMap::new(Span::new(0, text.len()));
    let (mut made, mut at) = (0, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let plain = rest.find('%').unwrap_or(rest.len());
        if plain > 0 {
            map.linear(made, Span::new(at, at + plain));
            (made, at) = (made + plain, at + plain);
        } else {
            map.made(made, Span::new(at, at + 3));
            (made, at) = (made + 1, at + 3);
        }
    }
    map
}

/// Where something stands whose places are the file's. What fixes write is JSON, and cannot stand
/// everywhere in YAML.
pub(super) fn whole_file(file: &Arc<SourceFile>, written: Written) -> Origin {
    match written {
        Written::Json => Origin::file(Arc::clone(file)),
        Written::Yaml => Origin::read_only(Arc::clone(file)),
    }
}

fn parsed(json: &Json<'_>, kind: PolicyKind) -> Parsed {
    syntax::parse_value(Spanned::new(json.value.clone(), json.span), kind)
}
