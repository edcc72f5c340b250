//! AWS KMS as a backend of authorized operations.

use std::collections::HashMap;

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::EncryptionAlgorithmSpec;

use super::{AwsKmsError, AwsKmsErrorKind, Clients, facts};
use crate::authorize::{
    Authorized, Decrypt, DescribeKey, Encrypt, GenerateDataKey, Operation, ReEncrypt,
};
use crate::compile::Epoch;
use crate::execute::{
    DataKey, Decrypted, Disagreement, Encrypted, EpochSource, KeyBackend, KmsBackend, ReEncrypted,
};
use crate::model::{
    CiphertextBlob, EncryptionAlgorithm, EncryptionContext, GrantToken, Key, KeyArn, Plaintext,
};

/// AWS KMS. It judges callers itself, by the credentials of this process: what it refuses after an
/// allow of ours is a disagreement.
///
/// `epochs` tells the epoch of the world that proofs are made on, as a
/// [`LiveWorld`](crate::execute::LiveWorld) does: AWS has none.
#[derive(Debug)]
pub struct AwsKms<E> {
    clients: Clients,
    epochs: E,
}

impl<E: EpochSource> AwsKms<E> {
    /// AWS KMS through these clients.
    pub fn new(clients: Clients, epochs: E) -> Self {
        Self { clients, epochs }
    }

    fn client<O: Operation>(&self, operation: &Authorized<'_, O>) -> aws_sdk_kms::Client {
        self.clients.of(operation.region())
    }
}

impl<E: EpochSource> EpochSource for AwsKms<E> {
    fn epoch(&self) -> Result<Epoch, String> {
        self.epochs.epoch()
    }
}

impl<E: EpochSource> KmsBackend for AwsKms<E> {
    type Error = AwsKmsError;
    const JUDGES: bool = true;

    fn disagreement(error: &AwsKmsError) -> Option<Disagreement> {
        (error.kind() == AwsKmsErrorKind::AccessDenied).then(|| Disagreement {
            side: error.side(),
            message: error.to_string(),
            request_id: error.request_id().map(str::to_owned),
        })
    }

    async fn re_encrypt(
        &self,
        operation: Authorized<'_, ReEncrypt>,
    ) -> Result<ReEncrypted, AwsKmsError> {
        let ciphertext = operation.ciphertext().ok_or_else(|| missing("CiphertextBlob"))?;
        let (source, destination) =
            (operation.source_algorithm(), operation.destination_algorithm());
        let answer = self
            .client(&operation)
            .re_encrypt()
            .ciphertext_blob(Blob::new(ciphertext.as_bytes()))
            .source_key_id(operation.source().arn().as_str())
            .source_encryption_algorithm(spec(source))
            .set_source_encryption_context(pairs(operation.source_context()))
            .destination_key_id(operation.destination().arn().as_str())
            .destination_encryption_algorithm(spec(destination))
            .set_destination_encryption_context(pairs(operation.destination_context()))
            .set_grant_tokens(tokens(operation.grant_tokens()))
            .send()
            .await?;
        let name = ReEncrypt::NAME;
        Ok(ReEncrypted {
            ciphertext: ciphertext_of(name, answer.ciphertext_blob)?,
            source_key: key_of(name, "SourceKeyId", answer.source_key_id)?,
            destination_key: key_of(name, "KeyId", answer.key_id)?,
            source_algorithm: same(source, answer.source_encryption_algorithm)?,
            destination_algorithm: same(destination, answer.destination_encryption_algorithm)?,
            source_material: answer.source_key_material_id,
            destination_material: answer.destination_key_material_id,
        })
    }

    async fn encrypt(&self, operation: Authorized<'_, Encrypt>) -> Result<Encrypted, AwsKmsError> {
        let plaintext = operation.plaintext().ok_or_else(|| missing("Plaintext"))?;
        let answer = self
            .client(&operation)
            .encrypt()
            .plaintext(Blob::new(plaintext.expose()))
            .key_id(operation.key().arn().as_str())
            .encryption_algorithm(spec(operation.algorithm()))
            .set_encryption_context(pairs(operation.context()))
            .set_grant_tokens(tokens(operation.grant_tokens()))
            .send()
            .await?;
        let name = Encrypt::NAME;
        Ok(Encrypted {
            ciphertext: ciphertext_of(name, answer.ciphertext_blob)?,
            key: key_of(name, "KeyId", answer.key_id)?,
            algorithm: same(operation.algorithm(), answer.encryption_algorithm)?,
            material: None,
        })
    }

    async fn decrypt(&self, operation: Authorized<'_, Decrypt>) -> Result<Decrypted, AwsKmsError> {
        let ciphertext = operation.ciphertext().ok_or_else(|| missing("CiphertextBlob"))?;
        let answer = self
            .client(&operation)
            .decrypt()
            .ciphertext_blob(Blob::new(ciphertext.as_bytes()))
            .key_id(operation.key().arn().as_str())
            .encryption_algorithm(spec(operation.algorithm()))
            .set_encryption_context(pairs(operation.context()))
            .set_grant_tokens(tokens(operation.grant_tokens()))
            .send()
            .await?;
        let name = Decrypt::NAME;
        Ok(Decrypted {
            plaintext: plaintext_of(name, answer.plaintext)?,
            key: key_of(name, "KeyId", answer.key_id)?,
            algorithm: same(operation.algorithm(), answer.encryption_algorithm)?,
            material: answer.key_material_id,
        })
    }
}

impl<E: EpochSource> KeyBackend for AwsKms<E> {
    async fn generate_data_key(
        &self,
        operation: Authorized<'_, GenerateDataKey>,
    ) -> Result<DataKey, AwsKmsError> {
        let answer = self
            .client(&operation)
            .generate_data_key()
            .key_id(operation.key().arn().as_str())
            .number_of_bytes(operation.length().bytes().into())
            .set_encryption_context(pairs(operation.context()))
            .set_grant_tokens(tokens(operation.grant_tokens()))
            .send()
            .await?;
        let name = GenerateDataKey::NAME;
        let plaintext = plaintext_of(name, answer.plaintext)?;
        if plaintext.expose().len() != usize::from(operation.length().bytes()) {
            let message = "the data key has another length than was asked for".to_owned();
            return Err(AwsKmsError::own(AwsKmsErrorKind::Unintelligible, message));
        }
        Ok(DataKey {
            plaintext,
            ciphertext: ciphertext_of(name, answer.ciphertext_blob)?,
            key: key_of(name, "KeyId", answer.key_id)?,
            material: answer.key_material_id,
        })
    }

    async fn describe_key(
        &self,
        operation: Authorized<'_, DescribeKey>,
    ) -> Result<Key, AwsKmsError> {
        let answer = self
            .client(&operation)
            .describe_key()
            .key_id(operation.key().arn().as_str())
            .set_grant_tokens(tokens(operation.grant_tokens()))
            .send()
            .await?;
        facts::key(answer.key_metadata())
    }
}

pub(super) fn spec(algorithm: EncryptionAlgorithm) -> EncryptionAlgorithmSpec {
    algorithm.as_str().into()
}

/// `None` where there are none: asymmetric keys take no encryption context at all.
pub(super) fn pairs(context: &EncryptionContext) -> Option<HashMap<String, String>> {
    (!context.is_empty())
        .then(|| context.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

pub(super) fn tokens(tokens: &[GrantToken]) -> Option<Vec<String>> {
    (!tokens.is_empty()).then(|| tokens.iter().map(|token| token.expose().to_owned()).collect())
}

/// Never there: no proof is minted for a request without it.
fn missing(member: &str) -> AwsKmsError {
    AwsKmsError::own(AwsKmsErrorKind::Validation, format!("the request has no {member}"))
}

fn ciphertext_of(operation: &str, blob: Option<Blob>) -> Result<CiphertextBlob, AwsKmsError> {
    let blob = blob.ok_or_else(|| AwsKmsError::incomplete(operation, "CiphertextBlob"))?;
    Ok(CiphertextBlob::new(blob.into_inner())?)
}

fn plaintext_of(operation: &str, blob: Option<Blob>) -> Result<Plaintext, AwsKmsError> {
    let blob = blob.ok_or_else(|| AwsKmsError::incomplete(operation, "Plaintext"))?;
    Ok(Plaintext::new(blob.into_inner())?)
}

fn key_of(operation: &str, member: &str, id: Option<String>) -> Result<KeyArn, AwsKmsError> {
    Ok(id.ok_or_else(|| AwsKmsError::incomplete(operation, member))?.parse()?)
}

/// The algorithm that was asked for, unless the answer names another.
fn same(
    asked: EncryptionAlgorithm,
    answered: Option<EncryptionAlgorithmSpec>,
) -> Result<EncryptionAlgorithm, AwsKmsError> {
    match answered {
        Some(other) if other.as_str() != asked.as_str() => Err(AwsKmsError::own(
            AwsKmsErrorKind::Unintelligible,
            format!("the answer is of algorithm {other}, {asked} was asked for"),
        )),
        _ => Ok(asked),
    }
}
