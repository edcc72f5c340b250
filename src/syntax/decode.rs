//! Percent-encoded documents.

use std::borrow::Cow;

/// Undoes percent-encoding (RFC 3986) when `text` is an encoded JSON object, that is when it starts
/// with `%7B`; any other text is returned as it is.
///
/// `GetRolePolicy`, `GetPolicyVersion` and `GetAccountAuthorizationDetails` answer documents so:
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html>. A `+` stays a
/// `+`. A text with a broken escape, or whose bytes are no UTF-8, is returned as it is, and
/// [`parse`](super::parse) then says that it is not JSON.
#[must_use]
pub fn decode(text: &str) -> Cow<'_, str> {
    let encoded = text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%7b"));
    match encoded.then(|| unescape(text)).flatten() {
        Some(decoded) => Cow::Owned(decoded),
        None => Cow::Borrowed(text),
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hexadecimal(bytes.next()?)? << 4 | hexadecimal(bytes.next()?)?,
            _ => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn encoded_documents_are_decoded_and_others_left_alone() {
        for (text, expected) in [
            ("%7B%22a%22%3A%20%22%C3%A9+%25%22%7D", r#"{"a": "é+%"}"#),
            ("%7b%7d", "{}"),
            (r#"{"a": "%7B"}"#, r#"{"a": "%7B"}"#),
            (" %7B%7D", " %7B%7D"),
            ("%7B%", "%7B%"),
            ("%7B%2", "%7B%2"),
            ("%7B%zz%7D", "%7B%zz%7D"),
            ("%7B%FF%7D", "%7B%FF%7D"),
            ("%7B%+1%7D", "%7B%+1%7D"),
            ("%7é", "%7é"),
            ("", ""),
        ] {
            assert_eq!(decode(text), expected);
        }
    }
}
