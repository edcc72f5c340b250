//! Content hashes.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::model::{InvalidText, Statement};
use crate::syntax::print_statement;

/// The first 16 bytes of a SHA-256: two texts with the same one are the same text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 16]);

impl ContentHash {
    /// Of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut first = [0; 16];
        for (byte, digest) in first.iter_mut().zip(Sha256::digest(text)) {
            *byte = digest;
        }
        Self(first)
    }

    /// Of a statement's canonical text: white space and the order of members do not count.
    #[must_use]
    pub fn of_statement(statement: &Statement) -> Self {
        Self::of(&print_statement(statement))
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ContentHash {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let invalid = || InvalidText::new(text, "a content hash of 32 hexadecimal digits");
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| invalid())?;
        Ok(Self(number.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::ContentHash;

    #[test]
    fn hashes_are_read_as_they_are_written() {
        let hash = ContentHash::of("");
        assert_eq!(hash.to_string(), "e3b0c44298fc1c149afbf4c8996fb924");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert!("e3b0".parse::<ContentHash>().is_err());
    }
}
