//! Key material: made, sealed, and put to use.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey,
    OaepPublicEncryptingKey, PrivateDecryptingKey,
};
use zeroize::Zeroizing;

use super::seal::{self, KEY_LEN, PREFIX_LEN};
use super::{KeystoreError, RootKey};
use crate::model::{EncryptionAlgorithm, InvalidText, KeyArn, KeySpec};

/// The name of one key material: 64 lower-case hexadecimal digits, a hash of the material.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MaterialId([u8; MaterialId::BYTES]);

impl MaterialId {
    /// Its length in a ciphertext.
    pub(super) const BYTES: usize = 32;

    pub(super) fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Display for MaterialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for MaterialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for MaterialId {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let invalid = || InvalidText::new(text, "a key material id (64 hexadecimal digits)");
        if text.len() != 2 * Self::BYTES || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        let mut bytes = [0; Self::BYTES];
        for (place, byte) in bytes.iter_mut().enumerate() {
            let digits = text.get(2 * place..2 * place + 2).ok_or_else(invalid)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| invalid())?;
        }
        Ok(Self(bytes))
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    let mut text = String::with_capacity(2 * bytes.len());
    text.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]));
    text
}

/// What key material belongs to: a key, or all related multi-Region keys, which share their id.
/// Hence the Region is no part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Family(String);

impl Family {
    pub(super) fn of(key: &KeyArn) -> Self {
        Self(format!("{}:{}:{}", key.partition(), key.account(), key.id()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a sealed material belongs; bound to it, so that it cannot be moved elsewhere.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) store: &'a [u8],
    pub(super) family: &'a Family,
    pub(super) id: MaterialId,
    pub(super) spec: KeySpec,
}

/// The secret itself. No `Debug`.
pub(super) enum Material {
    /// A PKCS#8 document.
    Rsa(Zeroizing<Vec<u8>>),
    Symmetric(Zeroizing<[u8; KEY_LEN]>),
}

impl Material {
    /// Makes new material.
    pub(super) fn generate(spec: KeySpec) -> Result<Self, KeystoreError> {
        let size = match spec {
            KeySpec::SymmetricDefault => {
                return Ok(Self::Symmetric(Zeroizing::new(seal::random()?)));
            }
            KeySpec::Rsa2048 => KeySize::Rsa2048,
            KeySpec::Rsa3072 => KeySize::Rsa3072,
            KeySpec::Rsa4096 => KeySize::Rsa4096,
            other => {
                return Err(KeystoreError::UnsupportedOperation {
                    reason: format!(
                        "the embedded KMS makes no `{other}` keys; use `SYMMETRIC_DEFAULT` or an RSA spec"
                    ),
                });
            }
        };
        let failed = |_| KeystoreError::Cryptography { action: "make an RSA key" };
        let key = PrivateDecryptingKey::generate(size).map_err(failed)?;
        // The encoder's own buffer is wiped when it is dropped.
        let document = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).map_err(failed)?;
        Ok(Self::Rsa(Zeroizing::new(document.as_ref().to_vec())))
    }

    /// The material's name.
    ///
    /// A hash does not give away what it was made of: 256 random bits, or an RSA key.
    pub(super) fn id(&self) -> MaterialId {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"keyproof/key-material-id/v1\0");
        context.update(self.expose());
        let mut id = [0; MaterialId::BYTES];
        // A SHA-256 digest has exactly as many bytes.
        id.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
        MaterialId(id)
    }

    /// Encrypts the material for the keystore.
    pub(super) fn seal(&self, root: &RootKey, place: Place<'_>) -> Result<Vec<u8>, KeystoreError> {
        let prefix = seal::fresh_prefix()?;
        let sealed =
            seal::seal(root.expose(), PURPOSE, &prefix, &associated_data(place), self.expose())?;
        Ok([&prefix, sealed.as_slice()].concat())
    }

    /// Reads what [`Self::seal`] gave; `None` when it was altered or belongs elsewhere.
    pub(super) fn open(root: &RootKey, place: Place<'_>, bytes: &[u8]) -> Option<Self> {
        let (prefix, sealed) = bytes.split_first_chunk::<PREFIX_LEN>()?;
        let secret = seal::open(root.expose(), PURPOSE, prefix, &associated_data(place), sealed)?;
        let material = if place.spec.is_symmetric() {
            let key = <&[u8; KEY_LEN]>::try_from(secret.as_slice()).ok()?;
            Self::Symmetric(Zeroizing::new(*key))
        } else {
            Self::Rsa(secret)
        };
        (material.id() == place.id).then_some(material)
    }

    fn expose(&self) -> &[u8] {
        match self {
            Self::Rsa(document) => document,
            Self::Symmetric(key) => &**key,
        }
    }
}

/// Encrypts with RSAES-OAEP; the plaintext's size was judged before.
pub(super) fn encrypt_rsa(
    document: &[u8],
    algorithm: EncryptionAlgorithm,
    plaintext: &[u8],
) -> Result<Vec<u8>, KeystoreError> {
    let failed = || KeystoreError::Cryptography { action: "encrypt" };
    let private = PrivateDecryptingKey::from_pkcs8(document).map_err(|_| failed())?;
    let key = OaepPublicEncryptingKey::new(private.public_key()).map_err(|_| failed())?;
    let mut ciphertext = vec![0; key.ciphertext_size()];
    let padding = oaep(algorithm).ok_or_else(failed)?;
    let length =
        key.encrypt(padding, plaintext, &mut ciphertext, None).map_err(|_| failed())?.len();
    ciphertext.truncate(length);
    Ok(ciphertext)
}

/// Decrypts RSAES-OAEP; every failure looks the same (RFC 8017, 7.1.2).
pub(super) fn decrypt_rsa(
    document: &[u8],
    algorithm: EncryptionAlgorithm,
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let private = PrivateDecryptingKey::from_pkcs8(document).ok()?;
    let key = OaepPrivateDecryptingKey::new(private).ok()?;
    if ciphertext.len() != key.key_size_bytes() {
        return None;
    }
    let mut plaintext = Zeroizing::new(vec![0; key.min_output_size()]);
    let length = key.decrypt(oaep(algorithm)?, ciphertext, &mut plaintext, None).ok()?.len();
    plaintext.truncate(length);
    Some(plaintext)
}

/// The largest plaintext, in bytes, that the pair can encrypt: OAEP takes `k - 2 hLen - 2`
/// (RFC 8017, 7.1.1).
pub(super) fn max_plaintext(spec: KeySpec, algorithm: EncryptionAlgorithm) -> usize {
    let modulus = match spec {
        KeySpec::Rsa2048 => 256,
        KeySpec::Rsa3072 => 384,
        KeySpec::Rsa4096 => 512,
        _ => return crate::model::Plaintext::MAX_BYTES,
    };
    let hash = if algorithm == EncryptionAlgorithm::RsaesOaepSha1 { 20 } else { 32 };
    modulus - 2 * hash - 2
}

fn oaep(algorithm: EncryptionAlgorithm) -> Option<&'static OaepAlgorithm> {
    match algorithm {
        EncryptionAlgorithm::RsaesOaepSha1 => Some(&OAEP_SHA1_MGF1SHA1),
        EncryptionAlgorithm::RsaesOaepSha256 => Some(&OAEP_SHA256_MGF1SHA256),
        EncryptionAlgorithm::Sm2Pke | EncryptionAlgorithm::SymmetricDefault => None,
    }
}

fn associated_data(place: Place<'_>) -> Vec<u8> {
    let Place { store, family, id, spec } = place;
    let fields =
        [store, family.as_str().as_bytes(), id.as_bytes().as_slice(), spec.as_str().as_bytes()];
    seal::encode_fields("keyproof/key-material/v1", fields)
}

const PURPOSE: &[u8] = b"keyproof/key-material/v1";
