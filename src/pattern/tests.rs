#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::model::Truth;

#[test]
fn a_star_that_ends_its_segment_crosses_colons_and_no_other_does() {
    let crossing = Template::resource("arn:aws:kms:*", false);
    assert!(crossing.matches_text("arn:aws:kms:us-east-1:111122223333:key/1"));
    let inside = Template::resource("arn:aws:kms:us-*-1:111122223333:key/*", false);
    assert!(inside.matches_text("arn:aws:kms:us-east-1:111122223333:key/1"));
    assert!(!inside.matches_text("arn:aws:kms:us-east:x-1:111122223333:key/1"));
    assert!(!Template::resource("a?c", false).matches_text("a:c"));
}

#[test]
fn variables_are_read_with_defaults_and_escapes() {
    let template = Template::like("home/${aws:username}/${*}x", true);
    let alice = |_: &Variable| Resolved::Text(["alice", "", ""]);
    assert_eq!(template.matches("home/alice/*x", false, alice), Truth::True);
    assert_eq!(template.matches("home/alice/yx", false, alice), Truth::False);
    assert_eq!(template.matches("home/alice/*x", false, |_| Resolved::Unknown), Truth::Unknown);
    assert_eq!(template.matches("away/alice/*x", false, |_| Resolved::Unknown), Truth::False);
    assert_eq!(template.matches("home//*x", false, |_| Resolved::Nothing), Truth::False);
    let default = Template::equal("${aws:PrincipalTag/team, 'a, b'}", true, false);
    assert_eq!(default.variables().next().unwrap().default.as_deref(), Some("a, b"));
    assert!(Template::equal("${aws:username", true, false).matches_text("${aws:username"));
}

#[test]
fn values_of_variables_are_literal_unless_asked_otherwise() {
    let template = Template::like("a-${k:v}", true);
    let star = |_: &Variable| Resolved::Text(["*", "", ""]);
    assert_eq!(template.matches("a-b", false, star), Truth::False);
    assert_eq!(template.matches("a-b", true, star), Truth::True);
}

/// What a match of a pattern, as a string and as a resource, looks at.
fn work(pattern: &str, text: &str) -> usize {
    super::positions::WORK.set(0);
    for template in [Template::like(pattern, true), Template::resource(pattern, true)] {
        template.matches(text, false, |_| Resolved::Text([text, "", ""]));
    }
    Template::equal(pattern, true, true).matches(text, false, |_| Resolved::Text([text, "", ""]));
    super::positions::WORK.get()
}

#[test]
fn the_work_of_hostile_patterns_is_linear_in_pattern_and_in_text() {
    for unit in ["*?", "?", "*a", "a*?", "*a?:", "?*:", "*?${*}", "aaaaaaaaaaaaaaa?*"] {
        for letter in ["a", "b", ":", "ab"] {
            let pattern = |bytes: usize| unit.repeat(bytes / unit.len());
            let text = |bytes: usize| letter.repeat(bytes / letter.len());
            for (long, wide) in [(1, 1024), (8, 512), (32, 256), (2, 2048)] {
                let done = work(&pattern(long * 1024), &text(wide));
                let bound = 3 * long * 1024 * (wide + 64);
                assert!(done <= bound, "{unit} {letter}: {done} of {bound}");
            }
        }
    }
    let (one, many) = ("${k:v}".to_owned(), "${k:v}*".repeat(100));
    let text = "a".repeat(1024);
    assert!(work(&many, &text) <= 100 * (work(&one, &text) + 3 * text.len() * text.len()));
}

#[test]
fn an_action_pattern_becomes_a_set() {
    assert_eq!(actions("kms:reencrypt*").iter().count(), 2);
    assert!(actions("kms:ReEncrypt").is_empty());
    assert!(actions("s3:*").is_empty());
    assert!(actions("k*:Decrypt").is_empty());
    assert_eq!(actions("KMS:*"), ActionSet::ALL);
}

/// The same pattern as a regular expression, written independently of the matcher.
fn as_regex(pattern: &str, segments: bool) -> regex::Regex {
    let mut text = String::from("(?s)^");
    let characters: Vec<char> = pattern.chars().collect();
    for (at, character) in characters.iter().enumerate() {
        let last = characters.get(at + 1).is_none_or(|next| *next == ':');
        match character {
            '*' if segments && !last => text.push_str("[^:]*"),
            '*' => text.push_str(".*"),
            '?' if segments => text.push_str("[^:]"),
            '?' => text.push('.'),
            other => text.push_str(&regex::escape(&other.to_string())),
        }
    }
    regex::Regex::new(&(text + "$")).unwrap()
}

proptest! {
    #[test]
    fn matching_agrees_with_regular_expressions(
        pattern in "[ab:*?é]{0,12}",
        text in "[ab:é]{0,140}",
    ) {
        prop_assert_eq!(Template::glob(&pattern).matches_text(&text), as_regex(&pattern, false).is_match(&text));
        prop_assert_eq!(
            Template::resource(&pattern, false).matches_text(&text),
            as_regex(&pattern, true).is_match(&text)
        );
    }

    #[test]
    fn a_pattern_made_from_a_text_matches_it(text in "[ab:é]{0,40}", cut in 0usize..40, length in 0usize..40) {
        let characters: Vec<char> = text.chars().collect();
        let cut = cut.min(characters.len());
        let end = (cut + length).min(characters.len());
        let pattern: String =
            characters.iter().take(cut).chain(&['*']).chain(characters.iter().skip(end)).collect();
        prop_assert!(Template::glob(&pattern).matches_text(&text));
    }
}
