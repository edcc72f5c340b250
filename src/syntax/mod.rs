//! F1: text → policy documents, with spans, and with every error of a document at once.
//!
//! Source of the grammar:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>.

mod document;
mod error;
pub(crate) mod json;

pub use document::{Parsed, parse};
pub use error::SyntaxError;
