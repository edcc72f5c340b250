//! Walking a JSON file with places for every complaint.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use super::error::{LoadError, Problem};
use crate::compile::{Policy, PolicySlot, Source};
use crate::model::{PolicyKind, Span, Spanned};
use crate::syntax::json::{self, Value};
use crate::syntax::{self, SyntaxError};

/// The text of a JSON file, or one line of a file of such.
pub(super) struct JsonFile<'p> {
    path: &'p Path,
    pub(super) text: String,
    /// How many lines stand before it.
    before: usize,
}

impl<'p> JsonFile<'p> {
    pub(super) fn read(path: &'p Path) -> Result<Self, LoadError> {
        Ok(Self { path, text: super::read_text(path)?, before: 0 })
    }

    /// One line of a file, counted from 1.
    pub(super) fn line(path: &'p Path, line: usize, text: &str) -> Self {
        Self { path, text: text.to_owned(), before: line.saturating_sub(1) }
    }

    /// Its value, which [`Self::node`] walks.
    pub(super) fn json(&self) -> Result<Json<'_>, LoadError> {
        json::read_up_to(&self.text, usize::MAX).map_err(|error| {
            Problem::at(self.path, &self.text, error.span, described(&error))
                .after(self.before)
                .into()
        })
    }

    pub(super) fn node<'f>(&'f self, json: &'f Json<'f>) -> Node<'f> {
        Node { file: self.path, text: &self.text, before: self.before, json }
    }
}

type Json<'t> = Spanned<Value<'t>>;

/// An error with what to write instead.
pub(super) fn described(error: &SyntaxError) -> String {
    match error.kind.help() {
        Some(help) => format!("{error} ({help})"),
        None => error.to_string(),
    }
}

/// A value of a JSON file.
#[derive(Clone, Copy)]
pub(super) struct Node<'f> {
    file: &'f Path,
    text: &'f str,
    before: usize,
    json: &'f Json<'f>,
}

impl<'f> Node<'f> {
    pub(super) fn problem(&self, message: impl Into<String>) -> LoadError {
        self.at(self.json.span, message).into()
    }

    fn at(&self, span: Span, message: impl Into<String>) -> Problem {
        Problem::at(self.file, self.text, span, message).after(self.before)
    }

    /// Refuses an object with other members: a misspelt one would be overlooked.
    pub(super) fn only(&self, names: &[&str]) -> Result<(), LoadError> {
        for (name, value) in self.members()? {
            if !names.contains(&name) {
                let known = names.join("`, `");
                return Err(
                    value.problem(format!("`{name}` is no member here; there is `{known}`"))
                );
            }
        }
        Ok(())
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.json.value, Value::Null)
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self.json.value, Value::Number(_))
    }

    pub(super) fn is_array(&self) -> bool {
        matches!(self.json.value, Value::Array(_))
    }

    /// A string, or a number or boolean as it is written.
    pub(super) fn plain(&self) -> Result<String, LoadError> {
        match &self.json.value {
            Value::Boolean(value) => Ok(value.to_string()),
            Value::Number(text) => Ok((*text).to_owned()),
            Value::String(text) => Ok(text.to_string()),
            other => Err(self.problem(format!("is {}, not a text", other.type_name()))),
        }
    }

    /// A member that is there and not null.
    pub(super) fn find(&self, name: &str) -> Result<Option<Self>, LoadError> {
        let Value::Object(members) = &self.json.value else {
            return Err(self.problem(format!("is {}, not an object", self.json.value.type_name())));
        };
        let mut named = members.iter().filter(|member| member.key.value == name);
        let found = named.next().map(|member| Self { json: &member.value, ..*self });
        if named.next().is_some() {
            return Err(self.problem(format!("has `{name}` twice")));
        }
        Ok(found.filter(|node| !matches!(node.json.value, Value::Null)))
    }

    pub(super) fn member(&self, name: &str) -> Result<Self, LoadError> {
        self.find(name)?.ok_or_else(|| self.problem(format!("has no `{name}`")))
    }

    pub(super) fn members(&self) -> Result<Vec<(&'f str, Self)>, LoadError> {
        match &self.json.value {
            Value::Object(members) => Ok(members
                .iter()
                .map(|member| (member.key.value.as_ref(), Self { json: &member.value, ..*self }))
                .collect()),
            other => Err(self.problem(format!("is {}, not an object", other.type_name()))),
        }
    }

    pub(super) fn is_object(&self) -> bool {
        matches!(self.json.value, Value::Object(_))
    }

    pub(super) fn str(&self) -> Result<&'f str, LoadError> {
        match &self.json.value {
            Value::String(text) => Ok(text),
            other => Err(self.problem(format!("is {}, not a string", other.type_name()))),
        }
    }

    pub(super) fn bool(&self) -> Result<bool, LoadError> {
        match &self.json.value {
            Value::Boolean(value) => Ok(*value),
            other => Err(self.problem(format!("is {}, not a boolean", other.type_name()))),
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
            Value::Array(elements) => {
                Ok(elements.iter().map(|json| Self { json, ..*self }).collect())
            }
            other => Err(self.problem(format!("is {}, not an array", other.type_name()))),
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
        let mut further = match self.find(flag)? {
            Some(node) if node.bool()? => Some(node),
            _ => None,
        };
        for marker in ["Marker", "NextMarker", "NextToken"] {
            further = further.or(self.find(marker)?.filter(|node| !node.is_null()));
        }
        match further {
            Some(node) => Err(node.problem(
                "the list goes on: print all of it, as the AWS CLI does without --no-paginate and --max-items",
            )),
            None => Ok(()),
        }
    }

    /// A policy document: an object, a JSON string, or a percent-encoded string.
    pub(super) fn policy(&self, kind: PolicyKind, name: &str) -> Result<PolicySlot, LoadError> {
        let file = self.file.display().to_string();
        match &self.json.value {
            Value::Object(_) => {
                let source = Source::part(&file, self.text, self.json.span);
                let source = source.further_down(self.before);
                compile(source, kind, name, |span, message| {
                    let base = self.json.span.start();
                    let span = Span::new(base + span.start(), base + span.end());
                    self.at(span, message)
                })
            }
            Value::String(text) => {
                let text = syntax::decode(text);
                let source = Source::decoded(&file, &text);
                compile(source, kind, name, |span, message| {
                    let (line, column) = span.line_column(&text);
                    let inside =
                        format!("line {line}, column {column} of the document inside: {message}");
                    self.at(self.json.span, inside)
                })
            }
            other => Err(self.problem(format!("is {}, not a policy document", other.type_name()))),
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
                all.push(place(error.span, described(&error)));
            }
            Err(all)
        }
    }
}
