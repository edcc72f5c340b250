//! A file that is a policy document.

use std::sync::Arc;

use super::value::{document, get};
use super::{Format, Input, Json, LoadError, kind};
use crate::lint::{Collection, Document, Origin};
use crate::model::PolicyKind;
use crate::syntax::json::Value;
use crate::syntax::{Parsed, SyntaxError};

pub(super) const DOCUMENT: Format = Format::Json { recognizes, read };

fn recognizes(root: &Json<'_>) -> bool {
    // `Statement` may be misspelt, or be forgotten: `Version` with a date is a policy's, too.
    let version = get(root, "Version").and_then(super::value::text);
    matches!(root.value, Value::Object(_))
        && (get(root, "Statement").is_some()
            || version.is_some_and(|version| version.starts_with("20")))
}

fn read(input: &Input<'_>, root: &Json<'_>, into: &mut Collection) -> Result<(), LoadError> {
    let kind = input.hint.map(|hint| hint.0).or_else(|| match get(root, "Statement") {
        Some(_) => kind::of_document(root),
        None => Some(PolicyKind::Identity),
    });
    if let Some(kind) = kind {
        into.documents.push(document(input.file, root, kind, None));
    }
    Ok(())
}

/// Whether a text that is no JSON was probably meant as a policy document.
pub(super) fn looks_like_one(text: &str) -> bool {
    text.contains("\"Statement\"") && text.contains("\"Effect\"")
}

/// A document of which nothing could be read.
pub(super) fn broken(input: &Input<'_>, error: SyntaxError, into: &mut Collection) {
    let kind = input.hint.map_or(PolicyKind::Identity, |hint| hint.0);
    let parsed = Parsed { document: None, errors: vec![error] };
    let origin = Arc::new(Origin::file(Arc::clone(input.file)));
    into.documents.push(Document::new(kind, origin, parsed));
}
