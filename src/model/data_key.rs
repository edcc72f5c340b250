//! Data keys.

use super::InvalidText;

/// How long a data key is: 1 to 1,024 bytes.
///
/// Source: botocore `kms/2014-11-01` `NumberOfBytesType`, `DataKeySpec`.
///
/// ```
/// use keyproof::model::DataKeyLength;
///
/// assert_eq!(DataKeyLength::AES_256.bytes(), 32);
/// assert!(DataKeyLength::new(1025).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataKeyLength(u16);

impl DataKeyLength {
    /// `AES_128`.
    pub const AES_128: Self = Self(16);
    /// `AES_256`.
    pub const AES_256: Self = Self(32);

    /// A number of bytes.
    ///
    /// # Errors
    /// When it is not 1 to 1,024.
    pub fn new(bytes: u16) -> Result<Self, InvalidText> {
        if (1..=1024).contains(&bytes) {
            Ok(Self(bytes))
        } else {
            Err(InvalidText::new(&bytes.to_string(), "a length of 1 to 1024 bytes"))
        }
    }

    /// The number of bytes.
    #[must_use]
    pub fn bytes(self) -> u16 {
        self.0
    }
}
