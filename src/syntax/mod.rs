//! F1: the text of a policy and its document, in both directions.
//!
//! [`parse`] reads a document and reports every error it holds, each with its place; [`print()`]
//! writes the canonical form of a document. [`decode()`] undoes the percent-encoding that IAM's API
//! returns documents in. [`json`] is the reader beneath: strict JSON with places, in which a
//! member given twice stays visible (the grammar of policies forbids it, and a map would hide it).
//!
//! What [`parse`] refuses is what the API that stores the policy refuses by its syntax, as far as
//! AWS documents it or others have seen it, and whatever could not be given a meaning. It does not
//! look at sizes by kind of policy (white space counts in some and not in others), at names of
//! actions and condition keys, or at whether a statement is wise: those are for the linter.
//!
//! ```
//! use keyproof::model::PolicyKind;
//! use keyproof::syntax::{parse, print};
//!
//! let text = r#"{"Version": "2012-10-17", "Statement":
//!     {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": "*"}}"#;
//! let document = parse(text, PolicyKind::Identity).into_result().map_err(|mut errors| errors.remove(0))?;
//! assert_eq!(parse(&print(&document), PolicyKind::Identity).errors, []);
//!
//! let parsed = parse(r#"{"Statement": {"effect": "Allow", "Action": "Decrypt"}}"#, PolicyKind::Identity);
//! let messages: Vec<String> = parsed.errors.iter().map(ToString::to_string).collect();
//! assert_eq!(messages, [
//!     "the statement has no `Effect`",
//!     "the statement has no `Resource` or `NotResource`",
//!     "`effect` is not a member of a statement",
//!     "action `Decrypt` has no service prefix",
//! ]);
//! # Ok::<(), keyproof::syntax::SyntaxError>(())
//! ```

mod condition;
mod decode;
mod document;
mod element;
mod error;
pub mod json;
mod print;
mod resource_control;
mod suggest;

#[cfg(test)]
mod tests;

pub use decode::decode;
pub use document::{MAX_CONDITION_VALUES, MAX_ENTRIES, MAX_STATEMENTS, Parsed, parse, parse_value};
pub use error::{ActionProblem, PrincipalProblem, SyntaxError, SyntaxErrorKind};
pub(crate) use print::escape_json;
pub use print::{print, print_statement};
pub use suggest::closest;
