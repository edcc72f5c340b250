//! The layout of symmetric ciphertexts: `docs/ciphertext.md`.

use aws_lc_rs::digest;

use super::seal::{self, PREFIX_LEN, TAG_LEN};
use super::{KeystoreError, MaterialId};
use crate::model::{CiphertextBlob, EncryptionContext, KeyArn, Region};

/// Which key made a ciphertext, as far as the ciphertext tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// A symmetric ciphertext names its key. The name is authenticated only when it is decrypted.
    Key {
        /// The key that made it, in the Region where it was made.
        key: KeyArn,
        /// The key material that made it.
        material: MaterialId,
    },
    /// An RSA ciphertext names nothing.
    Opaque,
}

impl Provenance {
    /// Reads which key made a ciphertext, without opening it.
    ///
    /// # Errors
    /// [`KeystoreError::InvalidCiphertext`] when it is neither a symmetric ciphertext of a known
    /// version nor as long as an RSA ciphertext.
    pub fn of(ciphertext: &CiphertextBlob) -> Result<Self, KeystoreError> {
        let bytes = ciphertext.as_bytes();
        if bytes.starts_with(MAGIC) {
            let Blob { key, material, .. } =
                Blob::parse(bytes).ok_or(KeystoreError::InvalidCiphertext)?;
            Ok(Self::Key { key, material })
        } else if RSA_LENGTHS.contains(&bytes.len()) {
            Ok(Self::Opaque)
        } else {
            Err(KeystoreError::InvalidCiphertext)
        }
    }

    /// The key that decrypts the ciphertext in a Region: the one that made it, or its related
    /// multi-Region key there. `None` when there can be none.
    #[must_use]
    pub fn key_in(&self, region: &Region) -> Option<KeyArn> {
        match self {
            Self::Key { key, .. } if key.region() == region => Some(key.clone()),
            Self::Key { key, .. } if key.id().is_multi_region() => {
                KeyArn::new(key.partition(), region, key.account(), key.id()).ok()
            }
            Self::Key { .. } | Self::Opaque => None,
        }
    }
}

/// A symmetric ciphertext, taken apart.
pub(super) struct Blob<'a> {
    pub(super) key: KeyArn,
    pub(super) material: MaterialId,
    /// Salt and nonce.
    pub(super) prefix: &'a [u8; PREFIX_LEN],
    /// Everything before the sealed bytes.
    pub(super) header: &'a [u8],
    /// Ciphertext and tag.
    pub(super) sealed: &'a [u8],
}

impl<'a> Blob<'a> {
    /// `None` when the bytes are not laid out as version 1 says.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?.strip_prefix(&[VERSION, SUITE])?;
        let (material, rest) = rest.split_first_chunk::<{ MaterialId::BYTES }>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (arn, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        let (prefix, rest) = rest.split_first_chunk::<PREFIX_LEN>()?;
        let (sum, sealed) = rest.split_first_chunk::<CHECKSUM_LEN>()?;
        if checksum(bytes.get(..bytes.len() - rest.len())?) != *sum {
            return None;
        }
        // A plaintext has at least one byte.
        if sealed.len() <= TAG_LEN {
            return None;
        }
        Some(Self {
            key: std::str::from_utf8(arn).ok()?.parse().ok()?,
            material: MaterialId::from_bytes(*material),
            prefix,
            header: bytes.get(..bytes.len() - sealed.len())?,
            sealed,
        })
    }
}

/// What stands before the sealed bytes.
pub(super) fn header(
    key: &KeyArn,
    material: MaterialId,
    prefix: &[u8; PREFIX_LEN],
) -> Result<Vec<u8>, KeystoreError> {
    let arn = key.as_str().as_bytes();
    let length = u16::try_from(arn.len())
        .map_err(|_| KeystoreError::validation("the key's ARN is longer than 65535 bytes"))?;
    let version = [VERSION, SUITE];
    let mut header =
        [MAGIC, &version, material.as_bytes(), &length.to_be_bytes(), arn, prefix].concat();
    let sum = checksum(&header);
    header.extend_from_slice(&sum);
    Ok(header)
}

/// Tells damage from a ciphertext of another key before any key is asked. It protects from
/// accidents alone: whoever alters a ciphertext on purpose can compute it.
fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_LEN] {
    let mut sum = [0; CHECKSUM_LEN];
    let digest = digest::digest(&digest::SHA256, bytes);
    sum.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    sum
}

/// The additional data of a ciphertext: the whole header and the encryption context, whose pairs
/// are sorted by name. Each part stands after its length, so no two contexts look alike.
pub(super) fn associated_data(header: &[u8], context: &EncryptionContext) -> Vec<u8> {
    let pairs = context.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
    seal::encode_fields("keyproof/ciphertext/v1", std::iter::once(header).chain(pairs))
}

/// What the key of a ciphertext is derived for.
pub(super) const PURPOSE: &[u8] = b"keyproof/ciphertext/v1";

// Seven bytes: an RSA ciphertext starts with them once in 2^56, and is then still read as RSA by
// whoever names the algorithm.
const MAGIC: &[u8] = b"\x8bKPROOF";
const VERSION: u8 = 1;
/// AES-256-GCM under a key derived with HKDF-SHA-256.
const SUITE: u8 = 1;
const CHECKSUM_LEN: usize = 8;
const RSA_LENGTHS: [usize; 3] = [256, 384, 512];
