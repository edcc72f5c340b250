//! Walking a JSON file with places for every complaint.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use super::error::{LoadError, Problem};
use crate::compile::{Policy, PolicySlot, Source};
use crate::model::{PolicyKind, Span};
use crate::syntax;
use crate::syntax::json::{self, Json, JsonValue};

/// A JSON file.
pub(super) struct JsonFile<'p> {
    pub(super) path: &'p Path,
    pub(super) text: String,
    json: Json,
}

impl<'p> JsonFile<'p> {
    pub(super) fn read(path: &'p Path) -> Result<Self, LoadError> {
        Self::parse(path, super::read_text(path)?)
    }

    pub(super) fn parse(path: &'p Path, text: String) -> Result<Self, LoadError> {
        match json::read(&text) {
            Ok(json) => Ok(Self { path, text, json }),
            Err(error) => Err(Problem::at(path, &text, error.span, error.to_string()).into()),
        }
    }

    pub(super) fn root(&self) -> Node<'_> {
        Node { file: self.path, text: &self.text, json: &self.json }
    }
}

/// A value of a JSON file.
#[derive(Clone, Copy)]
pub(super) struct Node<'f> {
    file: &'f Path,
    text: &'f str,
    json: &'f Json,
}

impl<'f> Node<'f> {
    pub(super) fn problem(&self, message: impl Into<String>) -> LoadError {
        Problem::at(self.file, self.text, self.json.span, message).into()
    }

    /// A member that is there and not null.
    pub(super) fn find(&self, name: &str) -> Result<Option<Self>, LoadError> {
        let JsonValue::Object(members) = &self.json.value else {
            return Err(self.problem(format!("is {}, not an object", self.json.value.kind())));
        };
        let mut named = members.iter().filter(|(member, _)| member.value == name);
        let found = named.next().map(|(_, json)| Self { json, ..*self });
        if named.next().is_some() {
            return Err(self.problem(format!("has `{name}` twice")));
        }
        Ok(found.filter(|node| !matches!(node.json.value, JsonValue::Null)))
    }

    pub(super) fn member(&self, name: &str) -> Result<Self, LoadError> {
        self.find(name)?.ok_or_else(|| self.problem(format!("has no `{name}`")))
    }

    pub(super) fn members(&self) -> Result<Vec<(&'f str, Self)>, LoadError> {
        match &self.json.value {
            JsonValue::Object(members) => Ok(members
                .iter()
                .map(|(name, json)| (name.value.as_str(), Self { json, ..*self }))
                .collect()),
            other => Err(self.problem(format!("is {}, not an object", other.kind()))),
        }
    }

    pub(super) fn is_object(&self) -> bool {
        matches!(self.json.value, JsonValue::Object(_))
    }

    pub(super) fn str(&self) -> Result<&'f str, LoadError> {
        match &self.json.value {
            JsonValue::String(text) => Ok(text),
            other => Err(self.problem(format!("is {}, not a string", other.kind()))),
        }
    }

    pub(super) fn bool(&self) -> Result<bool, LoadError> {
        match &self.json.value {
            JsonValue::Boolean(value) => Ok(*value),
            other => Err(self.problem(format!("is {}, not a boolean", other.kind()))),
        }
    }

    pub(super) fn parse<T: FromStr>(&self) -> Result<T, LoadError>
    where
        T::Err: std::fmt::Display,
    {
        self.str()?.parse().map_err(|error: T::Err| self.problem(error.to_string()))
    }

    pub(super) fn elements(&self) -> Result<Vec<Self>, LoadError> {
        match &self.json.value {
            JsonValue::Array(elements) => {
                Ok(elements.iter().map(|json| Self { json, ..*self }).collect())
            }
            other => Err(self.problem(format!("is {}, not an array", other.kind()))),
        }
    }

    /// The elements of a member that may be missing.
    pub(super) fn list(&self, name: &str) -> Result<Vec<Self>, LoadError> {
        self.find(name)?.map_or_else(|| Ok(Vec::new()), |list| list.elements())
    }

    /// A member that is a list of `{Key, Value}`-like objects.
    pub(super) fn tags(
        &self,
        list: &str,
        (key, value): (&str, &str),
    ) -> Result<Vec<(String, String)>, LoadError> {
        self.list(list)?
            .iter()
            .map(|tag| {
                Ok((tag.member(key)?.str()?.to_owned(), tag.member(value)?.str()?.to_owned()))
            })
            .collect()
    }

    /// Refuses the first page of a list that goes on.
    pub(super) fn is_whole(&self, flag: &str) -> Result<(), LoadError> {
        match self.find(flag)? {
            Some(node) if node.bool()? => Err(node.problem(
                "the list goes on: print all of it, as the AWS CLI does without --no-paginate and --max-items",
            )),
            _ => Ok(()),
        }
    }

    /// A policy document: an object, a JSON string, or a percent-encoded string.
    pub(super) fn policy(&self, kind: PolicyKind, name: &str) -> Result<PolicySlot, LoadError> {
        let file = self.file.display().to_string();
        match &self.json.value {
            JsonValue::Object(_) => {
                let source = Source::part(&file, self.text, self.json.span);
                compile(source, kind, name, |span, message| {
                    let base = self.json.span.start();
                    let span = Span::new(base + span.start(), base + span.end());
                    Problem::at(self.file, self.text, span, message)
                })
            }
            JsonValue::String(text) => {
                let text = percent_decoded(text).map_err(|message| self.problem(message))?;
                let source = Source::decoded(&file, &text);
                compile(source, kind, name, |span, message| {
                    let (line, column) = span.line_column(&text);
                    let inside =
                        format!("line {line}, column {column} of the document inside: {message}");
                    Problem::at(self.file, self.text, self.json.span, inside)
                })
            }
            other => Err(self.problem(format!("is {}, not a policy document", other.kind()))),
        }
    }
}

/// Parses and compiles a document, or tells every error with its place.
pub(super) fn compile(
    source: Source,
    kind: PolicyKind,
    name: &str,
    place: impl Fn(Span, String) -> Problem,
) -> Result<PolicySlot, LoadError> {
    match syntax::parse(&source.text, kind).into_result() {
        Ok(document) => {
            Ok(PolicySlot::Compiled(Arc::new(Policy::compile(&document, kind, name, source))))
        }
        Err(errors) => {
            let mut all = LoadError::default();
            for error in errors {
                all.push(place(error.span, error.to_string()));
            }
            Err(all)
        }
    }
}

/// The raw IAM API percent-encodes documents (RFC 3986); the CLI decodes them.
fn percent_decoded(text: &str) -> Result<String, String> {
    if !text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%7B")) {
        return Ok(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        match (digit(), digit()) {
            (Some(high), Some(low)) => bytes.extend(u8::try_from(high * 16 + low).ok()),
            _ => return Err("has a `%` without two hexadecimal digits".into()),
        }
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8 once decoded".into())
}
