//! Comparing and refusing text.

/// A text is not of the form its type asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct InvalidText {
    /// What was given, at most 200 characters of it.
    pub text: String,
    /// What was expected, with an article: "a 12-digit account id".
    pub expected: &'static str,
}

impl InvalidText {
    /// Occurs when `text` does not parse as what `expected` names.
    #[must_use]
    pub fn new(text: &str, expected: &'static str) -> Self {
        Self { text: text.chars().take(200).collect(), expected }
    }
}

/// The lower case that IAM's case-insensitive names are compared in: one code point to one code
/// point where Unicode has such a mapping (`ß` stays apart from `ss`).
#[must_use]
pub fn lower(text: &str) -> String {
    text.chars().map(lower_char).collect()
}

/// Whether two texts are equal under [`lower`].
#[must_use]
pub fn eq_ignore_case(left: &str, right: &str) -> bool {
    left.chars().map(lower_char).eq(right.chars().map(lower_char))
}

fn lower_char(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}
