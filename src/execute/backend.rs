//! The one joint to real cryptography.

use std::future::Future;

use crate::authorize::{
    Authorized, Decrypt, DescribeKey, Encrypt, GenerateDataKey, ReEncrypt, Side,
};
use crate::model::{CiphertextBlob, EncryptionAlgorithm, Key, KeyArn, Plaintext};

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

/// What `GenerateDataKey` answers.
#[derive(Debug)]
pub struct DataKey {
    /// The data key itself.
    pub plaintext: Plaintext,
    /// The data key, encrypted.
    pub ciphertext: CiphertextBlob,
    /// The key that encrypted.
    pub key: KeyArn,
    /// The key material: 64 hexadecimal digits.
    pub material: Option<String>,
}

/// A backend that judges callers itself refused what was allowed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// Which key it named, where it named one.
    pub side: Option<Side>,
    /// Its words.
    pub message: String,
    /// Its name for the request.
    pub request_id: Option<String>,
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

/// Tells failures apart by what to do about them.
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
    type Error: ClassifyFailure + std::error::Error + Send + Sync + 'static;

    /// Whether the backend judges callers itself, as AWS does: the executor then keeps the
    /// explanation of its own decision at hand.
    const JUDGES: bool = false;

    /// What an error says of the caller's permissions, when it refuses what was allowed here.
    fn disagreement(_error: &Self::Error) -> Option<Disagreement> {
        None
    }

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

/// Runs the operations of a key that move no ciphertext of the caller's.
pub trait KeyBackend: KmsBackend {
    /// Makes a data key, in the clear and encrypted.
    fn generate_data_key(
        &self,
        operation: Authorized<'_, GenerateDataKey>,
    ) -> impl Future<Output = Result<DataKey, Self::Error>> + Send;

    /// Tells what a key is and which state it is in.
    fn describe_key(
        &self,
        operation: Authorized<'_, DescribeKey>,
    ) -> impl Future<Output = Result<Key, Self::Error>> + Send;
}
