//! Encrypt, Decrypt and ReEncrypt.
//!
//! Not public: whoever calls these must hold a proof that the caller may. Key state, key usage
//! and algorithm are judged again all the same.

use super::keystore::{Reader, Rows as _};
use super::material::{self, Family, Material, Place};
use super::record::{FamilyRecord, KeyRecord, MaterialRecord};
use super::{Keystore, KeystoreError, MaterialId, blob, lifecycle, seal};
use crate::compile::Epoch;
use crate::model::{
    CiphertextBlob, EncryptionAlgorithm, EncryptionContext, Key, KeyArn, KeyUsage, Plaintext,
    Timestamp,
};

/// A key and how it is used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CipherSide<'a> {
    /// The key; a related multi-Region key may open what another of them made.
    pub(crate) key: &'a KeyArn,
    /// Must be empty for RSA keys.
    pub(crate) context: &'a EncryptionContext,
    /// Must be one of the key's algorithms.
    pub(crate) algorithm: EncryptionAlgorithm,
}

/// What Encrypt gives.
#[derive(Debug)]
pub(crate) struct Encrypted {
    pub(crate) ciphertext: CiphertextBlob,
    /// The key that encrypted.
    pub(crate) key: KeyArn,
    pub(crate) algorithm: EncryptionAlgorithm,
    /// `None` for RSA keys, as in KMS.
    pub(crate) material: Option<MaterialId>,
}

/// What Decrypt gives.
#[derive(Debug)]
pub(crate) struct Decrypted {
    pub(crate) plaintext: Plaintext,
    /// The key that decrypted.
    pub(crate) key: KeyArn,
    pub(crate) algorithm: EncryptionAlgorithm,
    /// `None` for RSA keys, as in KMS.
    pub(crate) material: Option<MaterialId>,
}

/// What ReEncrypt gives.
#[derive(Debug)]
pub(crate) struct ReEncrypted {
    pub(crate) ciphertext: CiphertextBlob,
    /// The key that decrypted.
    pub(crate) source: KeyArn,
    pub(crate) source_algorithm: EncryptionAlgorithm,
    /// `None` for RSA keys, as in KMS.
    pub(crate) source_material: Option<MaterialId>,
    /// The key that encrypted.
    pub(crate) destination: KeyArn,
    pub(crate) destination_algorithm: EncryptionAlgorithm,
    /// `None` for RSA keys, as in KMS.
    pub(crate) destination_material: Option<MaterialId>,
}

/// The keystore at one epoch: what is judged stale or not is what is then used.
pub(crate) struct Session<'a> {
    reader: Reader<'a>,
    epoch: Epoch,
}

impl<'a> Session<'a> {
    pub(super) fn new(reader: Reader<'a>) -> Result<Self, KeystoreError> {
        let epoch = reader.named_epoch()?;
        Ok(Self { reader, epoch })
    }

    /// The epoch whose keys this session uses, whatever is written meanwhile.
    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Encrypts under the key's current material.
    pub(crate) fn encrypt(
        &self,
        side: CipherSide<'_>,
        plaintext: &Plaintext,
    ) -> Result<Encrypted, KeystoreError> {
        let key = self.usable(side)?;
        let limit = material::max_plaintext(key.spec, side.algorithm);
        if plaintext.expose().len() > limit {
            return Err(KeystoreError::validation(format!(
                "the plaintext has {} bytes; `{}` with a `{}` key encrypts at most {limit}",
                plaintext.expose().len(),
                side.algorithm,
                key.spec
            )));
        }
        let family = Family::of(side.key);
        let current = self.current(&family)?;
        let material = self.material(&family, &key, current)?.ok_or_else(|| {
            self.reader.damaged(format!("`{}` has no key material `{current}`", side.key))
        })?;
        let (bytes, id) = match &material {
            Material::Symmetric(secret) => {
                let prefix = seal::fresh_prefix()?;
                let header = blob::header(side.key, current, &prefix)?;
                let data = blob::associated_data(&header, side.context);
                let sealed = seal::seal(secret, blob::PURPOSE, &prefix, &data, plaintext.expose())?;
                ([header, sealed].concat(), Some(current))
            }
            Material::Rsa(document) => {
                (material::encrypt_rsa(document, side.algorithm, plaintext.expose())?, None)
            }
        };
        let ciphertext = CiphertextBlob::new(bytes)?;
        Ok(Encrypted { ciphertext, key: key.arn, algorithm: side.algorithm, material: id })
    }

    /// What a key is, at this epoch.
    pub(crate) fn key(&self, arn: &KeyArn) -> Result<Key, KeystoreError> {
        let record = self.reader.record::<KeyRecord>(arn.as_str())?;
        let record = record.ok_or_else(|| KeystoreError::no_key(arn))?;
        self.reader.sound(record.key(arn))
    }

    /// Decrypts with whichever of the key's materials the ciphertext was made with.
    pub(crate) fn decrypt(
        &self,
        side: CipherSide<'_>,
        ciphertext: &CiphertextBlob,
    ) -> Result<Decrypted, KeystoreError> {
        let key = self.usable(side)?;
        let (mut bytes, id) = if key.spec.is_symmetric() {
            let (bytes, id) = self.open_symmetric(side, &key, ciphertext.as_bytes())?;
            (bytes, Some(id))
        } else {
            let family = Family::of(side.key);
            let current = self.current(&family)?;
            let bytes = match self.material(&family, &key, current)? {
                Some(Material::Rsa(document)) => {
                    material::decrypt_rsa(&document, side.algorithm, ciphertext.as_bytes())
                }
                _ => None,
            };
            (bytes.ok_or(KeystoreError::InvalidCiphertext)?, None)
        };
        // What KMS never encrypts, an empty plaintext, it did not make: RSA lets anyone.
        let plaintext = Plaintext::new(std::mem::take(&mut *bytes))
            .map_err(|_| KeystoreError::InvalidCiphertext)?;
        Ok(Decrypted { plaintext, key: key.arn, algorithm: side.algorithm, material: id })
    }

    /// Decrypts and encrypts; the plaintext does not leave this function.
    pub(crate) fn re_encrypt(
        &self,
        source: CipherSide<'_>,
        ciphertext: &CiphertextBlob,
        destination: CipherSide<'_>,
    ) -> Result<ReEncrypted, KeystoreError> {
        let decrypted = self.decrypt(source, ciphertext)?;
        let encrypted = self.encrypt(destination, &decrypted.plaintext)?;
        Ok(ReEncrypted {
            ciphertext: encrypted.ciphertext,
            source: decrypted.key,
            source_algorithm: decrypted.algorithm,
            source_material: decrypted.material,
            destination: encrypted.key,
            destination_algorithm: encrypted.algorithm,
            destination_material: encrypted.material,
        })
    }

    /// The key, if it may be used so now.
    fn usable(&self, side: CipherSide<'_>) -> Result<Key, KeystoreError> {
        let key = self.key(side.key)?;
        lifecycle::require(&key, lifecycle::Step::Cryptography)?;
        let misused = |reason| KeystoreError::InvalidKeyUsage { key: side.key.clone(), reason };
        if key.usage != KeyUsage::EncryptDecrypt {
            return Err(misused(format!(
                "its usage is `{}`, encrypting needs `ENCRYPT_DECRYPT`",
                key.usage
            )));
        }
        if !key.spec.encryption_algorithms().contains(&side.algorithm) {
            return Err(misused(format!(
                "a `{}` key does not work with `{}`",
                key.spec, side.algorithm
            )));
        }
        if !key.spec.is_symmetric() && !side.context.is_empty() {
            return Err(KeystoreError::validation(
                "an encryption context works with symmetric keys only; leave it out",
            ));
        }
        Ok(key)
    }

    fn open_symmetric(
        &self,
        side: CipherSide<'_>,
        key: &Key,
        bytes: &[u8],
    ) -> Result<(zeroize::Zeroizing<Vec<u8>>, MaterialId), KeystoreError> {
        let parts = blob::Blob::parse(bytes).ok_or(KeystoreError::InvalidCiphertext)?;
        let material = self.material(&Family::of(side.key), key, parts.material)?;
        // A ciphertext of another key names other material too. If the material is this key's
        // and the name is not, the name was altered.
        let Some(Material::Symmetric(secret)) = material else {
            return Err(if parts.key.is_related_to(side.key) {
                KeystoreError::InvalidCiphertext
            } else {
                KeystoreError::IncorrectKey { key: side.key.clone() }
            });
        };
        let data = blob::associated_data(parts.header, side.context);
        seal::open(&secret, blob::PURPOSE, parts.prefix, &data, parts.sealed)
            .filter(|_| parts.key.is_related_to(side.key))
            .map(|plaintext| (plaintext, parts.material))
            .ok_or(KeystoreError::InvalidCiphertext)
    }

    fn current(&self, family: &Family) -> Result<MaterialId, KeystoreError> {
        let record = self.reader.record::<FamilyRecord>(family.as_str())?.ok_or_else(|| {
            self.reader.damaged(format!("the key `{}` has no material", family.as_str()))
        })?;
        self.reader.sound(record.current())
    }

    /// `None` when the key has no such material.
    fn material(
        &self,
        family: &Family,
        key: &Key,
        id: MaterialId,
    ) -> Result<Option<Material>, KeystoreError> {
        let Some(record) =
            self.reader.record::<MaterialRecord>(&MaterialRecord::row(family, id))?
        else {
            return Ok(None);
        };
        let place = Place { store: self.reader.store_id(), family, id, spec: key.spec };
        let sealed = self.reader.sound(record.sealed())?;
        Material::open(self.reader.root(), place, &sealed).map(Some).ok_or_else(|| {
            self.reader.damaged(format!("the key material `{id}` of `{}` does not open", key.arn))
        })
    }
}

impl Keystore {
    /// When a key material of a key was made; `None` when there is no such material.
    #[must_use]
    pub fn material_date(&self, key: &KeyArn, id: MaterialId) -> Option<Timestamp> {
        let row = MaterialRecord::row(&Family::of(key), id);
        self.read().ok()?.record::<MaterialRecord>(&row).ok()??.creation_date()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
impl Session<'_> {
    /// The key's material in the clear, to look for where it must not be.
    pub(super) fn material_for_test(&self, arn: &KeyArn) -> Material {
        let key = self.reader.record::<KeyRecord>(arn.as_str()).unwrap().unwrap().key(arn).unwrap();
        let family = Family::of(arn);
        let current = self.current(&family).unwrap();
        self.material(&family, &key, current).unwrap().unwrap()
    }
}
