//! Files of any shape → collections to lint.
//!
//! A format is a file of this folder and one line of [`FORMATS`]. It is recognized by the shape of
//! the file, never by its name; only the kind of a bare policy document, which its text does not
//! always tell, is also taken from the name.

mod awscli;
mod cloudformation;
mod config_items;
mod iam_collect;
mod kind;
mod kubernetes;
mod policy;
mod pulumi;
mod resource;
mod terraform;
mod value;
mod world;
mod yaml;

use std::fs;
use std::path::Path;
use std::sync::Arc;

pub use kind::PolicyKindHint;

use super::error::{LoadError, Problem};
use crate::lint::{Collection, SourceFile};
use crate::model::Spanned;
use crate::syntax::json::{self, Value};
use crate::syntax::{SyntaxError, SyntaxErrorKind};

/// A JSON value with its place in the file.
pub(super) type Json<'f> = Spanned<Value<'f>>;

/// A file that a format is asked to read.
pub(super) struct Input<'f> {
    /// The file; origins share it.
    pub(super) file: &'f Arc<SourceFile>,
    /// What kind a bare policy document is, when its name or the configuration tells.
    pub(super) hint: Option<PolicyKindHint>,
}

/// A way to read files.
pub(super) enum Format {
    /// Files that are JSON.
    Json {
        /// Whether the file has this shape; looks at a few members and is cheap.
        recognizes: fn(&Json<'_>) -> bool,
        /// Adds what the file tells.
        read: fn(&Input<'_>, &Json<'_>, &mut Collection) -> Result<(), LoadError>,
    },
    /// Files that are not.
    Text {
        /// Whether the file has this shape.
        recognizes: fn(&SourceFile) -> bool,
        /// Adds what the file tells.
        read: fn(&Input<'_>, &mut Collection) -> Result<(), LoadError>,
    },
}

/// All formats, the most telling shape first.
const FORMATS: &[Format] = &[
    world::BUNDLE,
    terraform::PLAN,
    terraform::STATE,
    terraform::STATE_FILE,
    cloudformation::JSON,
    cloudformation::YAML,
    pulumi::STACK,
    pulumi::PREVIEW,
    config_items::ITEMS,
    kubernetes::JSON,
    kubernetes::YAML,
    iam_collect::INLINE,
    awscli::KEY_POLICY,
    awscli::GRANTS,
    world::ACCOUNT,
    policy::DOCUMENT,
];

/// Reads a file that was read already. `None` when it has no shape that holds policies: a folder
/// holds other files, too.
///
/// # Errors
/// What is wrong with a file whose shape is known, with its place. A policy document in it that has
/// errors is no such error: the linter reports those.
pub fn lint_input(
    file: &Arc<SourceFile>,
    hint: Option<PolicyKindHint>,
) -> Result<Option<Collection>, LoadError> {
    let mut collection = Collection::default();
    let hint = hint.or_else(|| PolicyKindHint::of_name(&file.name));
    let input = Input { file, hint };
    // Decides between formats in JSON and others: JSON starts with a brace or a bracket, once what
    // some editors put before it is taken away.
    let text = file.text.trim_start_matches('\u{feff}').trim_start();
    let is_json = text.starts_with(['{', '[']);
    let json = is_json.then(|| json::read_up_to(&file.text, usize::MAX));
    for format in FORMATS {
        match (format, &json) {
            (Format::Json { recognizes, read }, Some(Ok(root))) if recognizes(root) => {
                read(&input, root, &mut collection)?;
                return Ok(Some(collection));
            }
            (Format::Text { recognizes, read }, _) if recognizes(file) => {
                read(&input, &mut collection)?;
                return Ok(Some(collection));
            }
            _ => {}
        }
    }
    match json {
        // Nobody can tell what it holds; or it is no policy, but something that holds some.
        Some(Err(error)) if is_too_much(&error) || is_signed(&file.text) => {
            Err(problem(file, error.span, format!("cannot be read: {error}")))
        }
        // What looks like a policy document and cannot be read is reported as one.
        Some(Err(error)) if policy::looks_like_one(&file.text) => {
            policy::broken(&input, error, &mut collection);
            Ok(Some(collection))
        }
        _ => Ok(None),
    }
}

fn is_too_much(error: &SyntaxError) -> bool {
    matches!(error.kind, SyntaxErrorKind::TooDeep { .. } | SyntaxErrorKind::TooMany { .. })
}

/// Whether a text that is no JSON has the marks of a file that holds policies.
fn is_signed(text: &str) -> bool {
    const SIGNS: &[&[&str]] = &[
        &["\"AWSTemplateFormatVersion\""],
        &["\"Resources\"", "\"AWS::"],
        &["\"terraform_version\""],
        &["\"format_version\"", "\"planned_values\""],
        &["\"Grants\"", "\"GranteePrincipal\""],
        &["\"Policy\"", "\\\"Statement\\\""],
        &["\"accounts/", "\"Statement\""],
        &["\"deployment\"", "\"urn:pulumi:"],
        &["\"steps\"", "\"urn:pulumi:"],
        &["\"configurationItem", "\"AWS::"],
        &["\"baseConfigurationItems\"", "\"AWS::"],
        &["\"apiVersion\"", ".services.k8s.aws/"],
        &["\"apiVersion\"", ".aws.upbound.io/"],
        &["\"apiVersion\"", ".aws.m.upbound.io/"],
        &["\"apiVersion\"", ".aws.crossplane.io/"],
        &["\"PolicyName\"", "\"PolicyDocument\""],
        &["\"RoleDetailList\""],
    ];
    SIGNS.iter().any(|signs| signs.iter().all(|sign| text.contains(sign)))
}

/// Reads a world folder into one collection. What is wrong with any of its files, but for the policy
/// documents in them, is told beside it: the others are in the collection.
///
/// # Errors
/// When the folder cannot be walked.
pub fn lint_world(folder: &Path) -> Result<(Collection, Vec<Problem>), LoadError> {
    world::folder(folder)
}

/// Reads a file to lint. Names of findings are the path as it was given.
///
/// # Errors
/// When it cannot be read, is too large or not UTF-8.
pub fn lint_file(path: &Path) -> Result<Arc<SourceFile>, LoadError> {
    let text = super::read_text(path)?;
    let name = path.to_string_lossy().replace('\\', "/");
    Ok(Arc::new(SourceFile { name: name.into(), text: text.into() }))
}

/// A problem at a place of a file.
fn problem(file: &SourceFile, span: crate::model::Span, message: impl Into<String>) -> LoadError {
    Problem::at(Path::new(&*file.name), &file.text, span, message).into()
}

/// The files below a folder, sorted, with their paths from it.
fn files_below(folder: &Path) -> Result<Vec<(String, std::path::PathBuf)>, LoadError> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder_now) = waiting.pop() {
        let failed = |error: std::io::Error| LoadError::at(&folder_now, error.to_string());
        for entry in fs::read_dir(&folder_now).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // Links are not followed: a folder may link to itself.
            let kind = entry.file_type().map_err(failed)?;
            let path = entry.path();
            if kind.is_dir() {
                waiting.push(path);
            } else if let Ok(inner) = path.strip_prefix(folder) {
                found.push((inner.to_string_lossy().replace('\\', "/"), path.clone()));
            }
        }
    }
    found.sort();
    Ok(found)
}
