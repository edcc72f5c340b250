#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::{MAX_BYTES, MAX_DEPTH, Value, is_number, read};
use crate::syntax::SyntaxErrorKind;

#[test]
fn values_know_their_places() {
    let text = "\t{\"é\\n\": [1.50, \"a\\u00e9\\ud83d\\ude00\"],\r\n \"é\\u000a\": null}\n";
    let root = read(text).unwrap();
    let at = |span: crate::model::Span| &text[span.start()..span.end()];
    assert_eq!(at(root.span), text.trim());
    let Value::Object(members) = root.value else { panic!() };
    // The same name twice, seen twice.
    assert_eq!([&members[0].key.value, &members[1].key.value], ["é\n", "é\n"]);
    assert_eq!(at(members[0].key.span), r#""é\n""#);
    assert_eq!(at(members[1].key.span), r#""é\u000a""#);
    assert_eq!(members[1].value.value, Value::Null);
    let Value::Array(elements) = &members[0].value.value else { panic!() };
    assert_eq!(elements[0].value, Value::Number("1.50"));
    assert_eq!(elements[1].value, Value::String("aé😀".into()));
    assert_eq!(at(elements[1].span), r#""a\u00e9\ud83d\ude00""#);
}

#[test]
fn what_is_not_json_is_refused() {
    for (text, expected) in [
        ("", "not JSON: there is no value"),
        (" \n", "not JSON: there is no value"),
        ("not json", "not JSON: this is unexpected here"),
        ("\u{feff}{}", "the text starts with a byte order mark"),
        ("{} {}", "not JSON: nothing may follow the first value"),
        (
            "{}\u{b}",
            "not JSON: only white space (space, tab, line feed, carriage return) may stand here",
        ),
        (
            "\u{a0}{}",
            "not JSON: only white space (space, tab, line feed, carriage return) may stand here",
        ),
        (
            "[1,\u{2028}2]",
            "not JSON: only a comma and white space (space, tab, line feed, carriage return) may stand here",
        ),
        (
            "{\"a\"\u{c}:1}",
            "not JSON: only a colon and white space (space, tab, line feed, carriage return) may stand here",
        ),
        ("{\"a\":1,}", "not JSON: the last comma has nothing after it"),
        ("[1,]", "not JSON: the last comma has nothing after it"),
        ("[1 2]", "not JSON: a comma is missing"),
        ("[1,,2]", "not JSON: this is unexpected here"),
        ("[1", "not JSON: this array is never closed"),
        ("{\"a\":1", "not JSON: this object is never closed"),
        ("{\"a\":1 \"b\":2}", "not JSON: a comma is missing"),
        ("{\"a\" 1}", "not JSON: a colon must follow the name of a member"),
        ("{a:1}", "not JSON: names of members need double quotes"),
        ("{'a':1}", "not JSON: strings need double quotes"),
        ("[1] // x", "not JSON: comments are not allowed"),
        ("[/* x */]", "not JSON: comments are not allowed"),
        ("\"a", "not JSON: this string is never closed"),
        ("\"\\x41\"", "not JSON: this escape does not exist"),
        ("\"\\'\"", "not JSON: this escape does not exist"),
        ("\"\\u12\"", "not JSON: this escape does not exist"),
        ("\"\\ud800\"", "not JSON: this escape is half of a surrogate pair"),
        ("\"\\udc00\"", "not JSON: this escape is half of a surrogate pair"),
        ("\"a\nb\"", "control character U+000A in a string"),
        ("{\"a\u{0}\":1}", "control character U+0000 in a string"),
        ("0x1f", "not JSON: this is not a number"),
        ("+1", "not JSON: this is not a number"),
        ("1.", "not JSON: this is not a number"),
        ("-.5", "not JSON: this is not a number"),
        ("-Infinity", "not JSON: this is not a number"),
        ("1e", "not JSON: this is not a number"),
        ("TRUE", "not JSON: this is unexpected here"),
    ] {
        assert_eq!(read(text).unwrap_err().to_string(), expected, "{text:?}");
    }
}

#[test]
fn sizes_and_depths_have_limits() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(read(&nested(MAX_DEPTH)).is_ok());
    for depth in [MAX_DEPTH + 1, 100_000] {
        let error = read(&nested(depth)).unwrap_err();
        assert_eq!(error.kind, SyntaxErrorKind::TooDeep { limit: MAX_DEPTH });
        assert_eq!((error.span.start(), error.span.end()), (MAX_DEPTH, MAX_DEPTH + 1));
    }
    assert!(read(&format!("\"\\\"{}\"", "[".repeat(200))).is_ok());
    let long = format!("{{}}{}", " ".repeat(MAX_BYTES - 2));
    assert!(read(&long).is_ok());
    let error = read(&(long + " ")).unwrap_err();
    assert!(matches!(error.kind, SyntaxErrorKind::TextTooLong { .. }));
}

#[test]
fn numbers_follow_the_grammar() {
    for text in ["0", "-0", "10", "0.0", "-1.25e+10", "1E5", "1e-05"] {
        assert!(is_number(text), "{text}");
    }
    for text in [
        "", "-", "01", "1.", ".5", "+1", "1e", "1e+", "1e1.5", "0x1", "NaN", "1 ", "１", "--1",
        "1e+-1",
    ] {
        assert!(!is_number(text), "{text}");
    }
}

fn json() -> impl Strategy<Value = String> {
    let space = prop::sample::select(&["", "", "", " ", "\n\t", "\r\n  "][..]);
    let string = prop_oneof![
        "\"[a-z ]{0,4}\"",
        "\"([a-zé😀/]|\\\\[\"\\\\/bfnrt]|\\\\u00[0-9a-fA-F]{2}|\\\\ud83d\\\\ude0[0-9]){0,6}\"",
    ];
    let leaf = prop_oneof![
        string.clone(),
        "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
        prop::sample::select(&["true", "false", "null"][..]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let padded =
            (space.clone(), inner, space.clone()).prop_map(|(a, b, c)| format!("{a}{b}{c}"));
        let member = (string.clone(), space.clone(), padded.clone())
            .prop_map(|(key, space, value)| format!("{space}{key}{space}:{value}"));
        prop_oneof![
            (space.clone(), prop::collection::vec(padded, 0..4)).prop_map(|(space, items)| {
                if items.is_empty() {
                    format!("[{space}]")
                } else {
                    format!("[{}]", items.join(","))
                }
            }),
            (space.clone(), prop::collection::vec(member, 0..4)).prop_map(|(space, items)| {
                if items.is_empty() {
                    format!("{{{space}}}")
                } else {
                    format!("{{{}}}", items.join(","))
                }
            }),
        ]
    })
}

/// Whether the texts agree; `None` where `serde_json` has a limit that we have not.
fn serde_accepts(text: &str) -> Option<bool> {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(_) => Some(true),
        Err(error) if error.to_string().contains("number out of range") => None,
        Err(_) => Some(false),
    }
}

/// The value as `serde_json` has it, the last of repeated members.
fn same(ours: &Value<'_>, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Boolean(a), serde_json::Value::Bool(b)) => a == b,
        (Value::Number(a), serde_json::Value::Number(b)) => {
            // Their reading is a few units of the last place off; the text is what we keep.
            let (a, b) = (a.parse::<f64>().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= a.abs() * 1e-14
        }
        (Value::String(a), serde_json::Value::String(b)) => a == b,
        (Value::Array(a), serde_json::Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(&a.value, b))
        }
        (Value::Object(a), serde_json::Value::Object(b)) => b.iter().all(|(name, theirs)| {
            let last = a.iter().rev().find(|member| member.key.value == *name);
            last.is_some_and(|member| same(&member.value.value, theirs))
        }),
        _ => false,
    }
}

const PIECES: &[&str] = &[
    ",", ":", "[", "]", "{", "}", "\"", "\\", "/", "'", "//", "/*", "*/", "0", "1", ".", "-", "+",
    "e", "x", " ", "\n", "\u{b}", "\u{c}", "\u{a0}", "\u{2028}", "\u{feff}", "\u{1}", "é", "\\u",
    "\\ud800", "\\v", "true", "null", "NaN", "Infinity", "a", "_", "$",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn json_is_read_as_serde_json_reads_it(text in json()) {
        let ours = read(&text);
        prop_assert!(ours.is_ok(), "{text:?}: {ours:?}");
        let theirs = serde_json::from_str(&text).unwrap();
        prop_assert!(same(&ours.unwrap().value, &theirs), "{text:?}");
    }

    #[test]
    fn changed_json_is_accepted_where_serde_json_accepts_it(
        text in json(),
        edits in prop::collection::vec(
            (any::<prop::sample::Index>(), 0_usize..3, prop::sample::select(PIECES)), 1..4),
    ) {
        let mut chars: Vec<char> = text.chars().collect();
        for (place, cut, piece) in edits {
            let start = place.index(chars.len() + 1);
            let end = (start + cut).min(chars.len());
            chars.splice(start..end, piece.chars());
        }
        let text: String = chars.into_iter().collect();
        if let Some(accepted) = serde_accepts(&text) {
            prop_assert_eq!(read(&text).is_ok(), accepted, "{:?}", text);
        }
    }

    #[test]
    fn loose_pieces_are_accepted_where_serde_json_accepts_them(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..8),
    ) {
        let text = pieces.concat();
        if let Some(accepted) = serde_accepts(&text) {
            prop_assert_eq!(read(&text).is_ok(), accepted, "{:?}", text);
        }
    }
}
