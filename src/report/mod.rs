//! F6: answers as text and JSON. Writes to a writer, never prints; the only floor below the rim
//! that makes sentences.

mod explain;
mod json;
mod lint;
mod reason;
mod remedy;
mod rules;
mod xml;

pub use explain::{Style, answer, explanation};
pub use json::{answer_json, explanation_json, rules_json, side_json};
pub use lint::{
    Accepted, Area, Excerpt, Found, FoundFix, Lines, LintReport, NotKnown, Point, Related,
    Resolver, Unreadable, lint_concise, lint_github, lint_gitlab, lint_json, lint_junit,
    lint_sarif, lint_summary, lint_text,
};
pub use reason::{Reason, reasons};
pub use rules::{rule_markdown, rule_text, rules_markdown, rules_text};
pub use xml::xml_text;
