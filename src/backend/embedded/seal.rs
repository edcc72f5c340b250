//! AES-256-GCM with a key of its own for each message.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, rand};
use zeroize::Zeroizing;

use super::KeystoreError;

/// Length of a secret key.
pub(super) const KEY_LEN: usize = 32;
/// Length of the salt and the nonce that stand before the sealed bytes.
pub(super) const PREFIX_LEN: usize = SALT_LEN + NONCE_LEN;
/// Length of the tag at the end.
pub(super) const TAG_LEN: usize = 16;

const SALT_LEN: usize = 32;

/// A fresh salt and nonce.
///
/// Every message is encrypted under a key that HKDF-SHA-256 derives from the secret and a random
/// 256-bit salt. Under one fixed AES-GCM key, random 96-bit nonces may serve only 2^32 messages
/// (NIST SP 800-38D, 8.3); here a repetition needs the same salt and the same nonce, 352 random
/// bits, so no number of messages that can be written is too many.
pub(super) fn fresh_prefix() -> Result<[u8; PREFIX_LEN], KeystoreError> {
    random()
}

/// Random bytes, fit for secrets.
///
/// # Errors
/// When the system gives none.
pub fn random<const N: usize>() -> Result<[u8; N], KeystoreError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes)
        .map_err(|_| KeystoreError::Cryptography { action: "make random bytes" })?;
    Ok(bytes)
}

/// Random bytes that are wiped when dropped.
pub(super) fn random_secret(length: u16) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
    let mut bytes = Zeroizing::new(vec![0; usize::from(length)]);
    let failed = |_| KeystoreError::Cryptography { action: "make random bytes" };
    aws_lc_rs::rand::fill(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Encrypts; gives ciphertext and tag, to be kept after `prefix`. The caller puts `prefix` into
/// `aad` if it is to be found altered by more than a wrong key (it always is: a different salt
/// gives a different key, a different nonce a different tag).
pub(super) fn seal(
    secret: &[u8; KEY_LEN],
    purpose: &[u8],
    prefix: &[u8; PREFIX_LEN],
    aad: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, KeystoreError> {
    let failed = || KeystoreError::Cryptography { action: "encrypt" };
    let (key, nonce) = message_key(secret, purpose, prefix).ok_or_else(failed)?;
    // Room for the tag is made beforehand: a buffer that grows would leave plaintext behind.
    let mut buffer = Zeroizing::new(Vec::with_capacity(plaintext.len() + TAG_LEN));
    buffer.extend_from_slice(plaintext);
    key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut *buffer).map_err(|_| failed())?;
    Ok(std::mem::take(&mut *buffer))
}

/// Decrypts what [`seal`] gave; `None` when anything differs from what was sealed.
pub(super) fn open(
    secret: &[u8; KEY_LEN],
    purpose: &[u8],
    prefix: &[u8; PREFIX_LEN],
    aad: &[u8],
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (key, nonce) = message_key(secret, purpose, prefix)?;
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let length = key.open_in_place(nonce, Aad::from(aad), &mut buffer).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}

/// Additional data in which no two lists of fields look alike: a domain, then each field after
/// its length.
pub(super) fn encode_fields<'a>(
    domain: &'a str,
    fields: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<u8> {
    let mut encoded = Vec::new();
    for field in std::iter::once(domain.as_bytes()).chain(fields) {
        encoded.extend_from_slice(&(field.len() as u64).to_be_bytes());
        encoded.extend_from_slice(field);
    }
    encoded
}

fn message_key(
    secret: &[u8; KEY_LEN],
    purpose: &[u8],
    prefix: &[u8; PREFIX_LEN],
) -> Option<(LessSafeKey, Nonce)> {
    let (salt, nonce) = prefix.split_at_checked(SALT_LEN)?;
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    let mut key = Zeroizing::new([0; KEY_LEN]);
    extracted.expand(&[purpose], &AES_256_GCM).ok()?.fill(&mut *key).ok()?;
    let key = UnboundKey::new(&AES_256_GCM, &*key).ok()?;
    Some((LessSafeKey::new(key), Nonce::try_assume_unique_for_key(nonce).ok()?))
}
