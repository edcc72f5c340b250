//! Walking a JSON value whose places are kept.

use std::str::FromStr;
use std::sync::Arc;

use super::{Json, LoadError, problem, yaml};
use crate::lint::{Document, Encoding, Origin, PositionMap, SourceFile};
use crate::model::{PolicyKind, Spanned};
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

/// A policy document that stands in a file as an object, as a JSON string, or percent-encoded in a
/// string. Its places are those of the file, as far as they can be told.
pub(super) fn document(
    file: &Arc<SourceFile>,
    json: &Json<'_>,
    kind: PolicyKind,
    address: Option<&str>,
) -> Document {
    document_written(file, json, kind, address, Written::Json)
}

/// [`document`] for files that are not all JSON.
pub(super) fn document_written(
    file: &Arc<SourceFile>,
    json: &Json<'_>,
    kind: PolicyKind,
    address: Option<&str>,
    written: Written,
) -> Document {
    let (origin, parsed) = match &json.value {
        Value::String(text) => {
            let decoded = syntax::decode(text);
            let origin = if matches!(decoded, std::borrow::Cow::Owned(_)) {
                let map = PositionMap::opaque(json.span);
                Origin::mapped(Arc::clone(file), &decoded, map, Encoding::Opaque)
            } else if written == Written::Json {
                Origin::json_string(Arc::clone(file), json.span, text)
            } else {
                let map = yaml::positions(&file.text, json.span, text);
                Origin::mapped(Arc::clone(file), text, map, Encoding::Opaque)
            };
            (origin, syntax::parse(&decoded, kind))
        }
        // Its places are the file's already.
        _ => (whole_file(file, written), parsed(json, kind)),
    };
    let origin = match address {
        Some(address) => origin.with_address(address),
        None => origin,
    };
    Document::new(kind, Arc::new(origin), parsed)
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
