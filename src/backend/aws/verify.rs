//! Asking KMS what was decided here, as a dry run.

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{DataKeySpec, DryRunModifierType};

use super::kms::{pairs, spec, tokens};
use super::{AwsKmsError, AwsKmsErrorKind, Clients};
use crate::authorize::{Preflight, PreflightAnswer, PreflightKey, PreflightOperation, SideAnswer};
use crate::execute::ClassifyFailure;
use crate::model::{Action, CiphertextBlob, Decision, GrantToken, KeyArn};

/// A question that KMS answers without doing anything.
#[derive(Debug)]
pub struct LiveQuestion {
    operation: Asked,
    grant_tokens: Vec<GrantToken>,
}

#[derive(Debug)]
enum Asked {
    Decrypt(Key),
    Encrypt(Key),
    GenerateDataKey(Key),
    ReEncrypt { source: Key, destination: Key },
}

#[derive(Debug)]
struct Key {
    arn: KeyArn,
    said: PreflightKey,
}

/// KMS has no dry run for the operation without ciphertext or plaintext.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "KMS cannot be asked about {0} without doing it: Decrypt, Encrypt, GenerateDataKey and \
     ReEncrypt can be verified"
)]
pub struct NotVerifiable(pub String);

impl LiveQuestion {
    /// The question that was answered here, about the keys it was answered for.
    ///
    /// # Errors
    /// When the operation has no dry run.
    pub fn new(question: &Preflight, answer: &PreflightAnswer) -> Result<Self, NotVerifiable> {
        let refused = || NotVerifiable(answer.operation.to_owned());
        let key = |said: &PreflightKey, side: Option<&SideAnswer>| {
            let arn = side.and_then(|side| side.resource.parse().ok()).ok_or_else(refused)?;
            Ok(Key { arn, said: said.clone() })
        };
        let (first, second) = (answer.sides.first(), answer.sides.get(1));
        let operation = match &question.operation {
            PreflightOperation::ReEncrypt { source, destination } => Asked::ReEncrypt {
                source: key(source, first)?,
                destination: key(destination, second)?,
            },
            PreflightOperation::Action { action: Action::Decrypt, key: said } => {
                Asked::Decrypt(key(said, first)?)
            }
            PreflightOperation::Action { action: Action::Encrypt, key: said } => {
                Asked::Encrypt(key(said, first)?)
            }
            PreflightOperation::Action { action: Action::GenerateDataKey, key: said } => {
                Asked::GenerateDataKey(key(said, first)?)
            }
            _ => return Err(refused()),
        };
        Ok(Self { operation, grant_tokens: question.grant_tokens.clone() })
    }
}

/// What KMS answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveAnswer {
    /// The operation would succeed.
    Allow,
    /// The credentials may not.
    Deny(AwsKmsError),
    /// The credentials may, or it is not told, and a key cannot do it.
    Fault(AwsKmsError),
}

/// Whether KMS and the decision made here agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Both say the same.
    Agree,
    /// They differ.
    Disagree,
    /// They cannot be compared: no decision was made here, or KMS looked at a key's state before
    /// the permissions that are refused here.
    Incomparable,
}

impl Verdict {
    /// `agree`, `disagree` or `incomparable`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agree => "agree",
            Self::Disagree => "disagree",
            Self::Incomparable => "incomparable",
        }
    }
}

impl LiveAnswer {
    /// `allow`, `deny`, or AWS's error.
    #[must_use]
    pub fn outcome(&self) -> &str {
        match self {
            Self::Allow => "allow",
            Self::Deny(_) => "deny",
            Self::Fault(error) => error.code().unwrap_or("error"),
        }
    }

    /// AWS's words, where it refuses.
    #[must_use]
    pub fn error(&self) -> Option<&AwsKmsError> {
        match self {
            Self::Allow => None,
            Self::Deny(error) | Self::Fault(error) => Some(error),
        }
    }

    /// Compares with the decision made here and, for an allow, the fault of a key.
    #[must_use]
    pub fn compare(&self, decision: Decision, fault: Option<&str>) -> Verdict {
        let same = |same: bool| if same { Verdict::Agree } else { Verdict::Disagree };
        match (decision, self) {
            (Decision::Undetermined, _) => Verdict::Incomparable,
            (Decision::Allow, Self::Allow) => same(fault.is_none()),
            (Decision::Allow, Self::Fault(error)) => same(fault.is_some() && fault == error.code()),
            // KMS may have refused before it came to the fault.
            (Decision::Allow, Self::Deny(_)) => Verdict::Disagree,
            (_, Self::Allow) => Verdict::Disagree,
            (_, Self::Deny(_)) => Verdict::Agree,
            (_, Self::Fault(_)) => Verdict::Incomparable,
        }
    }
}

impl Clients {
    /// Asks KMS, under the credentials of this process, whether the operation would succeed.
    /// Nothing is encrypted, decrypted or made: every request is a dry run. `ciphertext` is what
    /// would be decrypted; without one, KMS is told to leave it out of consideration.
    ///
    /// # Errors
    /// When KMS does not say, or does not honour the dry run.
    pub async fn verify(
        &self,
        question: &LiveQuestion,
        ciphertext: Option<&CiphertextBlob>,
    ) -> Result<LiveAnswer, AwsKmsError> {
        let grant_tokens = tokens(&question.grant_tokens);
        let blob = ciphertext.map(|blob| Blob::new(blob.as_bytes()));
        let modifiers = match ciphertext {
            Some(_) => None,
            None => Some(vec![DryRunModifierType::IgnoreCiphertext]),
        };
        let (operation, error) = match &question.operation {
            Asked::ReEncrypt { source, destination } => {
                let sent = self
                    .of(destination.arn.region())
                    .re_encrypt()
                    .set_ciphertext_blob(blob)
                    .source_key_id(source.arn.as_str())
                    .source_encryption_algorithm(spec(source.said.algorithm))
                    .set_source_encryption_context(pairs(&source.said.context))
                    .destination_key_id(destination.arn.as_str())
                    .destination_encryption_algorithm(spec(destination.said.algorithm))
                    .set_destination_encryption_context(pairs(&destination.said.context))
                    .set_grant_tokens(grant_tokens)
                    .dry_run(true)
                    .set_dry_run_modifiers(modifiers)
                    .send();
                ("ReEncrypt", sent.await.err().map(AwsKmsError::from))
            }
            Asked::Decrypt(key) => {
                let sent = self
                    .of(key.arn.region())
                    .decrypt()
                    .set_ciphertext_blob(blob)
                    .key_id(key.arn.as_str())
                    .encryption_algorithm(spec(key.said.algorithm))
                    .set_encryption_context(pairs(&key.said.context))
                    .set_grant_tokens(grant_tokens)
                    .dry_run(true)
                    .set_dry_run_modifiers(modifiers)
                    .send();
                ("Decrypt", sent.await.err().map(AwsKmsError::from))
            }
            Asked::Encrypt(key) => {
                let sent = self
                    .of(key.arn.region())
                    .encrypt()
                    // KMS wants one; what it is does not matter to a permission.
                    .plaintext(Blob::new([0]))
                    .key_id(key.arn.as_str())
                    .encryption_algorithm(spec(key.said.algorithm))
                    .set_encryption_context(pairs(&key.said.context))
                    .set_grant_tokens(grant_tokens)
                    .dry_run(true)
                    .send();
                ("Encrypt", sent.await.err().map(AwsKmsError::from))
            }
            Asked::GenerateDataKey(key) => {
                let sent = self
                    .of(key.arn.region())
                    .generate_data_key()
                    .key_id(key.arn.as_str())
                    .key_spec(DataKeySpec::Aes256)
                    .set_encryption_context(pairs(&key.said.context))
                    .set_grant_tokens(grant_tokens)
                    .dry_run(true)
                    .send();
                ("GenerateDataKey", sent.await.err().map(AwsKmsError::from))
            }
        };
        use AwsKmsErrorKind as K;
        match error {
            None => Err(AwsKmsError::dry_run_ignored(operation)),
            Some(error) => match error.kind() {
                K::DryRunSucceeds => Ok(LiveAnswer::Allow),
                K::AccessDenied => Ok(LiveAnswer::Deny(error)),
                K::IncorrectKey | K::InvalidCiphertext if ciphertext.is_none() => {
                    Err(AwsKmsError::ciphertext_not_ignored(&error))
                }
                K::Disabled
                | K::IncorrectKey
                | K::InvalidCiphertext
                | K::InvalidKeyUsage
                | K::InvalidState
                | K::NotFound => Ok(LiveAnswer::Fault(error)),
                _ => Err(error),
            },
        }
    }
}
