//! F7: files → worlds and scenarios. The only reader of files that facts come from.
//!
//! Every file of a world folder is what the AWS CLI prints, unchanged. A file that is missing is
//! unknown, not empty; a file that is wrong is an error, told with its place.

mod awscli;
mod collected;
mod config;
mod error;
mod iam;
mod keys;
mod lint;
mod node;
mod organization;
mod principal;
mod request;
mod scenario;
mod settings;
mod simulation;
mod world;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use awscli::grant_json;
pub use config::direct_call;
pub use error::{LoadError, Problem};
pub use lint::{PolicyKindHint, lint_file, lint_input, lint_world};
pub use principal::{caller_principal, verified_caller};
pub use request::{RequestError, RequestWords, region};
pub use scenario::{Case, CaseResult, Scenario};
pub use settings::{Globs, LintSettings, find_settings, lint_settings, no_such_rule};
pub use simulation::{Simulation, SimulationAnswer};
pub use world::{World, reload, world};

use crate::compile::PolicySlot;
use crate::model::{Key, PolicyKind, Span};
use crate::syntax;

/// The largest file read, in bytes.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Refuses a text that is no key policy, with every error's place.
///
/// # Errors
/// Every error of the document.
pub fn key_policy(path: &Path, text: &str) -> Result<(), LoadError> {
    match syntax::parse(text, PolicyKind::Key).into_result() {
        Ok(_) => Ok(()),
        Err(errors) => {
            let mut all = LoadError::default();
            for error in errors {
                all.push(Problem::at(path, text, error.span, node::described(&error)));
            }
            Err(all)
        }
    }
}

/// Reads a file that is one policy document.
///
/// # Errors
/// Every error of the document, with its place.
pub fn policy(path: &Path, kind: PolicyKind) -> Result<PolicySlot, LoadError> {
    let text = read_text(path)?;
    awscli::document(path, &text, kind, kind.as_str())
}

/// Reads what `aws kms describe-key` prints.
///
/// # Errors
/// What is wrong with the file, with its place.
pub fn described_key(path: &Path) -> Result<Key, LoadError> {
    awscli::key(path)
}

/// Whether something has this name, be it a link that leads nowhere: what cannot be read is an
/// error, and not a fact that nobody told.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Reads a file as UTF-8 text.
fn read_text(path: &Path) -> Result<String, LoadError> {
    // A pipe that somebody left in a folder would be waited for; one that is named, as `/dev/fd/63`
    // of a shell, is filled.
    if !path.starts_with("/dev") && path.metadata().is_ok_and(|it| !it.is_file() && !it.is_dir()) {
        return Err(LoadError::at(path, "is no regular file"));
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Err(error) => Err(LoadError::at(path, error.to_string())),
        Ok(read) if read as u64 > MAX_BYTES => {
            Err(LoadError::at(path, format!("is larger than {MAX_BYTES} bytes")))
        }
        Ok(_) => String::from_utf8(bytes).map_err(|_| LoadError::at(path, "is not UTF-8 text")),
    }
}

/// An error of a TOML file, with its place.
fn toml_error(path: &Path, text: &str, error: &toml::de::Error) -> LoadError {
    let message = error.message().to_owned();
    match error.span() {
        Some(range) => {
            let span = Span::new(range.start, range.end);
            LoadError::from(Problem::at(path, text, span, message))
        }
        None => LoadError::at(path, message),
    }
}
