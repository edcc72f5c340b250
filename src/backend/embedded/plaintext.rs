//! Plaintext.

use std::fmt;

use zeroize::Zeroizing;

use super::KeystoreError;

/// 1 to 4,096 bytes that were or are to be encrypted; wiped when dropped, never printed.
///
/// ```
/// use keyproof::backend::embedded::Plaintext;
///
/// let plaintext = Plaintext::new(b"secret".to_vec())?;
/// assert_eq!(format!("{plaintext:?}"), "Plaintext(6 bytes)");
/// # Ok::<(), keyproof::backend::embedded::KeystoreError>(())
/// ```
pub struct Plaintext(Zeroizing<Vec<u8>>);

impl Plaintext {
    /// The largest plaintext KMS takes, in bytes (botocore `kms/2014-11-01` `PlaintextType`).
    pub const MAX_BYTES: usize = 4096;

    /// Takes over a buffer; it is wiped when the plaintext is dropped, refused ones at once.
    ///
    /// # Errors
    /// When there are no bytes, or more than [`Self::MAX_BYTES`].
    pub fn new(bytes: Vec<u8>) -> Result<Self, KeystoreError> {
        let bytes = Zeroizing::new(bytes);
        if bytes.is_empty() || bytes.len() > Self::MAX_BYTES {
            return Err(KeystoreError::validation(format!(
                "the plaintext has {} bytes; KMS encrypts 1 to {} bytes",
                bytes.len(),
                Self::MAX_BYTES
            )));
        }
        Ok(Self(bytes))
    }

    /// The bytes, for the one who may see them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plaintext({} bytes)", self.0.len())
    }
}
