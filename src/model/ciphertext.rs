//! Ciphertext and plaintext.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::InvalidText;

/// A ciphertext as KMS takes it: 1 to 6,144 bytes, opaque.
///
/// Source: botocore `kms/2014-11-01` `CiphertextType`.
#[derive(Clone, PartialEq, Eq)]
pub struct CiphertextBlob(
    /// Shared by clones: an item of a fleet and its request are one ciphertext.
    Arc<[u8]>,
);

impl CiphertextBlob {
    /// The largest ciphertext KMS takes, in bytes.
    pub const MAX_BYTES: usize = 6144;

    /// Wraps the bytes of a ciphertext.
    ///
    /// # Errors
    /// When there are none, or more than [`Self::MAX_BYTES`].
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Result<Self, InvalidText> {
        let bytes = bytes.into();
        if bytes.is_empty() || bytes.len() > Self::MAX_BYTES {
            let text = format!("{} bytes", bytes.len());
            return Err(InvalidText::new(&text, "a ciphertext of 1 to 6144 bytes"));
        }
        Ok(Self(bytes.into()))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for CiphertextBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CiphertextBlob({} bytes)", self.0.len())
    }
}

/// A plaintext of 1 to 4,096 bytes; wiped when dropped, never printed.
///
/// Source: botocore `kms/2014-11-01` `PlaintextType`.
pub struct Plaintext(Zeroizing<Vec<u8>>);

impl Plaintext {
    /// The largest plaintext KMS takes, in bytes.
    pub const MAX_BYTES: usize = 4096;

    /// Takes the bytes over.
    ///
    /// # Errors
    /// When there are none, or more than [`Self::MAX_BYTES`]; the bytes are wiped then too.
    pub fn new(bytes: impl Into<Zeroizing<Vec<u8>>>) -> Result<Self, InvalidText> {
        let bytes = bytes.into();
        if bytes.is_empty() || bytes.len() > Self::MAX_BYTES {
            let text = format!("{} bytes", bytes.len());
            return Err(InvalidText::new(&text, "a plaintext of 1 to 4096 bytes"));
        }
        Ok(Self(bytes))
    }

    /// The bytes themselves.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plaintext(…)")
    }
}
