//! Where operations run, as the command line chooses.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use keyproof::audit::JsonLines;
use keyproof::authorize::{
    Authorized, CiphertextInspector, Decrypt, Encrypt, InspectError, Provenance, ReEncrypt,
};
#[cfg(feature = "aws")]
use keyproof::backend::aws::{AwsKeyReader, AwsKms, AwsKmsError};
use keyproof::backend::embedded::{self, EmbeddedKms, KeystoreError};
use keyproof::compile::{Epoch, KeyFacts};
use keyproof::execute::{
    ClassifyFailure, Decrypted, Disagreement, Encrypted, EpochSource, FailureClass, Freshness,
    KeyReader, KmsBackend, LiveWorld, NoReader, ReEncrypted,
};
use keyproof::model::{CiphertextBlob, KeyArn};

#[cfg(feature = "aws")]
use super::aws::AwsArgs;
use crate::cli::RootKeyArgs;
use crate::input::{self, Loaded};
use crate::output::{self, CliError};
use crate::place::{self, Used};

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

/// Where operations run, and where their records go.
#[derive(Args, Debug)]
pub struct BackendArgs {
    /// Where it runs
    #[arg(long, value_enum, default_value_t)]
    pub backend: BackendName,
    /// The embedded keystore [default: KEYPROOF_KEYSTORE]
    #[arg(long, value_name = "FILE")]
    pub keystore: Option<PathBuf>,
    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub aws: AwsArgs,
    #[command(flatten)]
    pub root_key: RootKeyArgs,
    /// Where records go, one JSON object a line [default: the keystore's name, or with AWS the
    /// world's, with `.audit.jsonl`]
    #[arg(long, value_name = "FILE")]
    pub audit: Option<PathBuf>,
}

/// Who sends a request again that fails in a way that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// The backend, a few times.
    Backend,
    /// Whoever calls it: the backend sends each request once.
    Caller,
}

/// The files a backend needs and writes.
pub struct BackendFiles {
    /// The keystore that takes the place of the world's keys; AWS has none.
    pub keystore: Option<PathBuf>,
    pub root_key: Option<PathBuf>,
    pub audit: PathBuf,
}

impl BackendFiles {
    /// Those that nothing else may be written to, but for the audit file.
    pub fn keys(&self) -> Vec<Used<'_>> {
        let mut used: Vec<Used<'_>> = Vec::new();
        used.extend(self.keystore.as_ref().map(|path| ("the keystore", path.as_path())));
        used.extend(self.root_key.as_ref().map(|path| ("the root key", path.as_path())));
        used
    }

    /// Opens the audit file.
    pub fn audit_log(&self) -> Result<JsonLines, CliError> {
        let run = embedded::random_bytes().map_err(CliError::new)?;
        JsonLines::append(&self.audit, run).map_err(|error| {
            // What the system says tells nothing of what to do.
            let advice = match error.raw_os_error() {
                Some(_) => {
                    "; nothing is run without its record: name a file that can be written (--audit)"
                }
                None => "",
            };
            CliError::at(&self.audit, format_args!("{error}{advice}"))
        })
    }
}

impl BackendArgs {
    /// The files; none of them is an audit file that would destroy what is in `used`.
    pub fn files(&self, world: &Path, used: &[Used<'_>]) -> Result<BackendFiles, CliError> {
        let keystore = self.keystore()?;
        let root_key = keystore.as_ref().map(|path| input::root_key_file(path, &self.root_key));
        let beside = || output::beside(keystore.as_deref().unwrap_or(world), "audit.jsonl");
        let audit = self.audit.clone().unwrap_or_else(beside);
        place::refuse_dangling(&audit)?;
        let files = BackendFiles { keystore, root_key, audit };
        let mut all = files.keys();
        all.extend_from_slice(used);
        // The default lies beside the keystore, wherever that is.
        let world = self.audit.as_ref().map(|_| world);
        place::refuse_used(&files.audit, "the audit file", &all, world)?;
        Ok(files)
    }

    fn keystore(&self) -> Result<Option<PathBuf>, CliError> {
        match self.backend {
            BackendName::Embedded => {
                #[cfg(feature = "aws")]
                self.aws.refuse_all()?;
                let ambient = std::env::var_os("KEYPROOF_KEYSTORE").map(PathBuf::from);
                let named = self.keystore.clone().or(ambient);
                let missing = "the keystore is missing: give --keystore";
                named.map(Some).ok_or_else(|| CliError::new(missing))
            }
            #[cfg(feature = "aws")]
            BackendName::Aws if self.keystore.is_some() || self.root_key.root_key.is_some() => {
                Err(CliError::new(
                    "--keystore and --root-key would be ignored: --backend aws takes its keys from the world",
                ))
            }
            #[cfg(feature = "aws")]
            BackendName::Aws => Ok(None),
        }
    }

    /// The world that is judged on.
    pub fn world(
        &self,
        files: &BackendFiles,
        folder: &Path,
        readings: &[String],
    ) -> Result<Loaded, CliError> {
        input::world(folder, files.keystore.as_ref(), &self.root_key, readings)
    }

    /// The backend, on a world whose keys can be read again where it can do that.
    pub fn open(
        &self,
        loaded: Loaded,
        #[cfg_attr(not(feature = "aws"), expect(unused_variables, reason = "AWS's alone"))]
        repeats: Repeats,
    ) -> Result<(Arc<LiveWorld<Reader>>, Backend, Freshness), CliError> {
        match self.backend {
            BackendName::Embedded => {
                let keystore =
                    loaded.keystore.ok_or_else(|| CliError::new("the keystore is missing"))?;
                let world = LiveWorld::new(loaded.snapshot, Reader::None(NoReader));
                let backend = Backend::Embedded(EmbeddedKms::new(keystore));
                Ok((Arc::new(world), backend, Freshness::default()))
            }
            #[cfg(feature = "aws")]
            BackendName::Aws => self.aws.open(loaded.snapshot, repeats),
        }
    }
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
