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
    // Among ASCII letters the two mappings are one; beyond them, a letter can fold into ASCII (`K`
    // of Kelvin), so only texts that are ASCII both are surely different.
    if left == right || left.eq_ignore_ascii_case(right) {
        return true;
    }
    if left.is_ascii() && right.is_ascii() {
        return false;
    }
    left.chars().map(lower_char).eq(right.chars().map(lower_char))
}

/// A number that equal texts share and different texts hardly ever do, so that most comparisons of
/// different texts end before they are read, and tables can be looked into by it. It is not keyed:
/// whoever writes the texts can make numbers meet, so what it finds is still compared.
#[must_use]
pub fn fingerprint(text: &str) -> u64 {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let last = rest.iter().fold(1, |last: u64, byte| last << 8 | u64::from(*byte));
    let mix = |hash: u64, word: u64| {
        let mixed = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ mixed >> 29
    };
    mix(words.iter().fold(0, |hash, word| mix(hash, u64::from_le_bytes(*word))), last)
}

/// The lower case of one code point, as [`lower`] takes it.
#[must_use]
pub fn lower_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}
