//! "Did you mean": the nearest of a few names.

/// Longer texts are no misspelt names; the limit bounds the work.
const LONGEST: usize = 64;

/// The candidate that `text` is most likely a misspelling of: the same in another case, or a few
/// edits away.
#[must_use]
pub fn closest<'c>(text: &str, candidates: &[&'c str]) -> Option<&'c str> {
    if text.len() > LONGEST {
        return None;
    }
    let text = text.to_lowercase();
    candidates
        .iter()
        .map(|candidate| (distance(&text, &candidate.to_lowercase()), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len() / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, row by row.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (above_left, a) in left.chars().enumerate() {
        let mut diagonal = above_left;
        let mut before = above_left + 1;
        let mut columns = row.iter_mut();
        if let Some(first) = columns.next() {
            *first = before;
        }
        for (cell, b) in columns.zip(right.chars()) {
            let replaced = diagonal + usize::from(a != b);
            diagonal = *cell;
            before = replaced.min(before + 1).min(diagonal + 1);
            *cell = before;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{closest, distance};

    #[test]
    fn edits_are_counted() {
        for (left, right, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("resourc", "resource", 1),
            ("é", "e", 1),
        ] {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn misspelt_names_find_the_right_one() {
        let names = ["Action", "Effect", "NotAction", "Resource", "Sid", "Statement"];
        for (text, expected) in [
            ("Resourc", Some("Resource")),
            ("Resources", Some("Resource")),
            ("Statment", Some("Statement")),
            ("effect", Some("Effect")),
            ("notaction", Some("NotAction")),
            ("SID", Some("Sid")),
            ("Foo", None),
            ("", None),
        ] {
            assert_eq!(closest(text, &names), expected, "{text}");
        }
        assert_eq!(closest(&"Action".repeat(100), &names), None);
    }
}
