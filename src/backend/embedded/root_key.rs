//! The key that seals all others.

use std::io::Read;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::seal::{KEY_LEN, random};
use super::{KeystoreError, file};

/// The 32 bytes under which a keystore's key material is sealed; wiped when dropped, never
/// printed.
///
/// ```
/// use keyproof::backend::embedded::RootKey;
///
/// let text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// assert!(RootKey::from_base64(text).is_ok());
/// assert!(RootKey::from_base64("too short").is_err());
/// ```
pub struct RootKey(Zeroizing<[u8; KEY_LEN]>);

impl RootKey {
    /// Reads the base64 of 32 bytes, as `openssl rand -base64 32` prints it.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn from_base64(text: &str) -> Result<Self, KeystoreError> {
        Self::decode(text).ok_or_else(|| KeystoreError::InvalidRootKey { file: None })
    }

    /// Reads the root key from a file that its owner alone may read.
    ///
    /// # Errors
    /// When there is no such file, when group or others have any permission on it, or when it does
    /// not hold the base64 of 32 bytes.
    pub fn from_file(path: &Path) -> Result<Self, KeystoreError> {
        let io = |source| KeystoreError::io("read the root key file", path, source);
        let kind = std::fs::metadata(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => KeystoreError::NoRootKey { path: path.to_owned() },
            _ => io(source),
        })?;
        // A pipe would wait for somebody to write.
        if !kind.is_file() {
            return Err(KeystoreError::validation(format!(
                "`{}` is no regular file, so it is no root key file",
                path.display()
            )));
        }
        let file = std::fs::File::open(path).map_err(io)?;
        // The opened file is asked, not its name: nobody can change it in between.
        let metadata = file.metadata().map_err(io)?;
        file::refuse_shared(path, &metadata)?;
        let mut text = Zeroizing::new(String::with_capacity(MAX_FILE_BYTES));
        let invalid = || KeystoreError::InvalidRootKey { file: Some(path.to_owned()) };
        // More than a root key needs is not read at all: the buffer never grows.
        if metadata.len() >= MAX_FILE_BYTES as u64 {
            return Err(invalid());
        }
        file.take(MAX_FILE_BYTES as u64).read_to_string(&mut text).map_err(io)?;
        Self::decode(&text).ok_or_else(invalid)
    }

    /// Like [`Self::from_file`]; when there is no such file, a new root key is made and written to
    /// it first, whole and for its owner alone.
    ///
    /// # Errors
    /// As [`Self::from_file`], and when the file cannot be written.
    pub fn from_file_or_new(path: &Path) -> Result<Self, KeystoreError> {
        if !path.try_exists().map_err(|source| KeystoreError::io("look for", path, source))? {
            // Whoever was faster has made the root key; it is read below in either case.
            Self::generate()?.save(path)?;
        }
        Self::from_file(path)
    }

    /// Makes a root key that is kept nowhere.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> Result<Self, KeystoreError> {
        Ok(Self(Zeroizing::new(random()?)))
    }

    /// Writes the root key to a new file, whole and for its owner alone.
    pub(super) fn save(&self, path: &Path) -> Result<file::Creation, KeystoreError> {
        // Room for all of it at once: a text that grows would leave a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(MAX_FILE_BYTES));
        STANDARD.encode_string(*self.0, &mut text);
        text.push('\n');
        file::create_whole(path, |temporary| {
            std::fs::write(temporary, text.as_bytes())
                .map_err(|source| KeystoreError::io("write", temporary, source))
        })
    }

    pub(super) fn expose(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    fn decode(text: &str) -> Option<Self> {
        // One byte more than is needed, so that a longer text is seen to be longer.
        let mut bytes = Zeroizing::new([0; KEY_LEN + 1]);
        let length = STANDARD.decode_slice(text.trim().as_bytes(), &mut *bytes).ok()?;
        let (key, _) = bytes.split_first_chunk::<KEY_LEN>()?;
        (length == KEY_LEN).then(|| Self(Zeroizing::new(*key)))
    }
}

impl std::fmt::Debug for RootKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RootKey(…)")
    }
}

const MAX_FILE_BYTES: usize = 256;
