//! F6: answers as text and JSON. Writes to a writer, never prints; the only floor below the rim
//! that makes sentences.

mod explain;
mod json;
mod reason;
mod remedy;
mod rules;

pub use explain::{Style, answer, explanation};
pub use json::{answer_json, explanation_json, side_json};
pub use reason::{Reason, reasons};
pub use rules::{rule_markdown, rules_markdown};
