//! The one joint to real cryptography.

use std::future::Future;

use crate::authorize::{Authorized, Decrypt, Encrypt, ReEncrypt};
use crate::model::{CiphertextBlob, EncryptionAlgorithm, KeyArn, Plaintext};

/// What `ReEncrypt` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReEncrypted {
    /// The new ciphertext.
    pub ciphertext: CiphertextBlob,
    /// The key that decrypted.
    pub source_key: KeyArn,
    /// The key that encrypted.
    pub destination_key: KeyArn,
    /// How the old ciphertext was made.
    pub source_algorithm: EncryptionAlgorithm,
    /// How the new one was made.
    pub destination_algorithm: EncryptionAlgorithm,
    /// The source's key material, for symmetric keys: 64 hexadecimal digits.
    pub source_material: Option<String>,
    /// The destination's key material, for symmetric keys: 64 hexadecimal digits.
    pub destination_material: Option<String>,
}

/// What `Encrypt` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encrypted {
    /// The ciphertext.
    pub ciphertext: CiphertextBlob,
    /// The key that encrypted.
    pub key: KeyArn,
    /// How it was made.
    pub algorithm: EncryptionAlgorithm,
    /// The key material, for symmetric keys: 64 hexadecimal digits.
    pub material: Option<String>,
}

/// What `Decrypt` answers.
#[derive(Debug)]
pub struct Decrypted {
    /// What was encrypted.
    pub plaintext: Plaintext,
    /// The key that decrypted.
    pub key: KeyArn,
    /// How the ciphertext was made.
    pub algorithm: EncryptionAlgorithm,
    /// The key material, for symmetric keys: 64 hexadecimal digits.
    pub material: Option<String>,
}

/// What a failure means for those that come after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureClass {
    /// Every call would fail: expired credentials, a broken store.
    Every,
    /// This call would fail again, others need not: the ciphertext or its context is wrong.
    Permanent,
    /// Too many requests: the same call works when it is sent later and more slowly.
    Throttled,
    /// The same call may work when it is sent again.
    Transient,
}

/// Tells failures apart by what to do about them; errors of backends that move many ciphertexts
/// implement it.
pub trait ClassifyFailure {
    /// What this failure means.
    fn class(&self) -> FailureClass;

    /// AWS's name of it, where there is one.
    fn code(&self) -> Option<&str> {
        None
    }
}

/// Runs operations that were authorized. Every method takes a proof by value, so none can be
/// reached without a decision on exactly that operation, and no proof runs twice.
///
/// A backend is called with key ARNs, explicit keys and explicit algorithms: those of the proof.
pub trait KmsBackend: Send + Sync {
    /// What can go wrong; [`crate::execute::ExecuteError`] carries it.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Decrypts under the source key and encrypts under the destination key; the plaintext leaves
    /// neither.
    fn re_encrypt(
        &self,
        operation: Authorized<'_, ReEncrypt>,
    ) -> impl Future<Output = Result<ReEncrypted, Self::Error>> + Send;

    /// Encrypts.
    fn encrypt(
        &self,
        operation: Authorized<'_, Encrypt>,
    ) -> impl Future<Output = Result<Encrypted, Self::Error>> + Send;

    /// Decrypts.
    fn decrypt(
        &self,
        operation: Authorized<'_, Decrypt>,
    ) -> impl Future<Output = Result<Decrypted, Self::Error>> + Send;
}
