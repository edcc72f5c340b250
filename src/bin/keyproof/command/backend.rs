//! Where the guarded operations run, as the command line chooses.

#[cfg(feature = "aws")]
use std::sync::Arc;

use keyproof::authorize::{
    Authorized, CiphertextInspector, Decrypt, Encrypt, InspectError, Provenance, ReEncrypt,
};
#[cfg(feature = "aws")]
use keyproof::backend::aws::{AwsKeyReader, AwsKms, AwsKmsError};
use keyproof::backend::embedded::{EmbeddedKms, KeystoreError};
use keyproof::compile::{Epoch, KeyFacts};
#[cfg(feature = "aws")]
use keyproof::execute::LiveWorld;
use keyproof::execute::{
    ClassifyFailure, Decrypted, Disagreement, Encrypted, EpochSource, FailureClass, KeyReader,
    KmsBackend, NoReader, ReEncrypted,
};
use keyproof::model::{CiphertextBlob, KeyArn};

/// The words of `--backend`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum BackendName {
    /// A keystore in a file.
    #[default]
    Embedded,
    /// AWS KMS, under the credentials of the environment or of --profile.
    #[cfg(feature = "aws")]
    Aws,
}

/// Where operations run.
pub enum Backend {
    Embedded(EmbeddedKms),
    #[cfg(feature = "aws")]
    Aws(AwsKms<Arc<LiveWorld<Reader>>>),
}

/// What goes wrong there.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    #[error(transparent)]
    Embedded(KeystoreError),
    #[cfg(feature = "aws")]
    #[error(transparent)]
    Aws(AwsKmsError),
}

impl BackendError {
    /// AWS's exception, where the text does not begin with it.
    pub fn unsaid_code(&self) -> Option<&str> {
        match self {
            Self::Embedded(error) => error.aws_code(),
            #[cfg(feature = "aws")]
            Self::Aws(_) => None,
        }
    }
}

impl ClassifyFailure for BackendError {
    fn class(&self) -> FailureClass {
        match self {
            Self::Embedded(error) => error.class(),
            #[cfg(feature = "aws")]
            Self::Aws(error) => error.class(),
        }
    }

    fn code(&self) -> Option<&str> {
        match self {
            Self::Embedded(error) => error.code(),
            #[cfg(feature = "aws")]
            Self::Aws(error) => error.code(),
        }
    }
}

/// What reads keys again.
pub enum Reader {
    None(NoReader),
    #[cfg(feature = "aws")]
    Aws(AwsKeyReader),
}

impl KeyReader for Reader {
    async fn read(&self, key: &KeyArn) -> Result<KeyFacts, String> {
        match self {
            Self::None(reader) => reader.read(key).await,
            #[cfg(feature = "aws")]
            Self::Aws(reader) => reader.read(key).await,
        }
    }
}

impl EpochSource for Backend {
    fn epoch(&self) -> Result<Epoch, String> {
        match self {
            Self::Embedded(kms) => kms.epoch(),
            #[cfg(feature = "aws")]
            Self::Aws(kms) => kms.epoch(),
        }
    }
}

impl CiphertextInspector for Backend {
    fn inspect(&self, ciphertext: &CiphertextBlob) -> Result<Provenance, InspectError> {
        match self {
            Self::Embedded(kms) => kms.inspect(ciphertext),
            // AWS does not tell how its ciphertexts are laid out.
            #[cfg(feature = "aws")]
            Self::Aws(_) => Ok(Provenance::Opaque),
        }
    }
}

/// Sends one operation to whichever backend it is.
macro_rules! forward {
    ($self:ident.$method:ident($operation:ident)) => {
        match $self {
            Self::Embedded(kms) => kms.$method($operation).await.map_err(BackendError::Embedded),
            #[cfg(feature = "aws")]
            Self::Aws(kms) => kms.$method($operation).await.map_err(BackendError::Aws),
        }
    };
}

impl KmsBackend for Backend {
    type Error = BackendError;
    const JUDGES: bool = cfg!(feature = "aws");

    fn disagreement(error: &BackendError) -> Option<Disagreement> {
        match error {
            BackendError::Embedded(_) => None,
            #[cfg(feature = "aws")]
            BackendError::Aws(error) => AwsKms::<Arc<LiveWorld<Reader>>>::disagreement(error),
        }
    }

    async fn re_encrypt(
        &self,
        operation: Authorized<'_, ReEncrypt>,
    ) -> Result<ReEncrypted, BackendError> {
        forward!(self.re_encrypt(operation))
    }

    async fn encrypt(&self, operation: Authorized<'_, Encrypt>) -> Result<Encrypted, BackendError> {
        forward!(self.encrypt(operation))
    }

    async fn decrypt(&self, operation: Authorized<'_, Decrypt>) -> Result<Decrypted, BackendError> {
        forward!(self.decrypt(operation))
    }
}
