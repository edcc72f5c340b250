//! What can go wrong in the embedded KMS.

use std::path::{Path, PathBuf};

use crate::compile::Epoch;
use crate::execute::{ClassifyFailure, FailureClass};
use crate::model::{InvalidText, KeyArn, KeyState};

/// The embedded KMS did not do what it was asked.
///
/// What AWS KMS would refuse too carries the name of AWS's exception: [`Self::aws_code`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// Occurs when something is to be made that is there already.
    #[error("{what} exists already; choose another or use that one")]
    AlreadyExists {
        /// What is there, with its name.
        what: String,
    },
    /// Occurs when the cryptography library fails for a reason that is not the input's.
    #[error("the cryptography library failed to {action}; try again")]
    Cryptography {
        /// What it was asked to do.
        action: &'static str,
    },
    /// Occurs when the file is a keystore whose content cannot be read.
    #[error(
        "the keystore `{}` is damaged ({detail}); restore it from a copy",
        path.display()
    )]
    Damaged {
        /// The keystore's file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// Occurs when a disabled key is used.
    #[error("`{key}` is disabled; enable the key first")]
    Disabled {
        /// The key.
        key: KeyArn,
    },
    /// Occurs when the key named by the request is not the one that made the ciphertext.
    #[error(
        "the ciphertext was not made with `{key}`; name the key that made it, or none for a symmetric ciphertext"
    )]
    IncorrectKey {
        /// The key named by the request.
        key: KeyArn,
    },
    /// Occurs when another process has the keystore open.
    #[error("another process has the keystore `{}` open; wait until it ends", path.display())]
    InUse {
        /// The keystore's file.
        path: PathBuf,
    },
    /// Occurs when a name cannot be an alias.
    #[error("`{name}` cannot be used: names under `alias/aws/` belong to AWS managed keys")]
    InvalidAliasName {
        /// The name.
        name: String,
    },
    /// Occurs when a ciphertext cannot be opened; the reason is not told, as KMS does not.
    #[error(
        "the ciphertext cannot be opened: it is truncated or altered, or the encryption context is not the one it was made with"
    )]
    InvalidCiphertext,
    /// Occurs when the keystore changed after the operation was judged: judge again.
    #[error("the keystore changed since the decision (epoch {judged}, now {now}): judge again")]
    Stale {
        /// The epoch of the proof.
        judged: Epoch,
        /// The current one.
        now: Epoch,
    },
    /// Occurs when a key's usage or spec does not fit the operation.
    #[error("`{key}` cannot be used so: {reason}")]
    InvalidKeyUsage {
        /// The key.
        key: KeyArn,
        /// What does not fit.
        reason: String,
    },
    /// Occurs when a request carries a token of no grant.
    #[error(
        "a grant token of the request is of no grant; leave it out or give the one CreateGrant gave"
    )]
    InvalidGrantToken,
    /// Occurs when what the root key was to be made of is not a root key.
    #[error("{}", invalid_root_key(file.as_deref()))]
    InvalidRootKey {
        /// The file it was read from, if it was.
        file: Option<PathBuf>,
    },
    /// Occurs when the key's state forbids the operation.
    #[error("`{key}` {reason}")]
    InvalidState {
        /// The key.
        key: KeyArn,
        /// Its state.
        state: KeyState,
        /// The rest of AWS's sentence, and what to do.
        reason: &'static str,
    },
    /// Occurs when a file cannot be read or written.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Occurs when something would grow beyond AWS's quota.
    #[error("{what} would exceed the limit of {limit}; remove some first")]
    LimitExceeded {
        /// What would be too many or too long.
        what: String,
        /// The limit.
        limit: usize,
    },
    /// Occurs when a policy is not a JSON document.
    #[error("the policy is not a JSON document: {detail}")]
    MalformedPolicy {
        /// Where and why.
        detail: String,
    },
    /// Occurs when the keystore was written by a later keyproof.
    #[error(
        "the keystore `{}` has format {found}, this keyproof knows format {known}; use a newer keyproof",
        path.display()
    )]
    NewerFormat {
        /// The keystore's file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The format known here.
        known: u64,
    },
    /// Occurs when a file is no keystore.
    #[error("`{}` is not a keystore; name the file that keyproof made", path.display())]
    NotAKeystore {
        /// The file.
        path: PathBuf,
    },
    /// Occurs when a key, alias, grant or policy does not exist.
    #[error("{what} does not exist; list what there is")]
    NotFound {
        /// What was looked for, with its name.
        what: String,
    },
    /// Occurs when the root key's file is not there.
    #[error(
        "there is no root key file `{}`; restore it from a copy, or give the root key the keystore was made \
         with: without it the keystore's keys are lost",
        path.display()
    )]
    NoRootKey {
        /// The root key's file.
        path: PathBuf,
    },
    /// Occurs when others than the owner may read the root key's file.
    #[error(
        "the root key file `{}` can be read by others (mode {mode:04o}); run `chmod 600` on it",
        path.display()
    )]
    RootKeyPermissions {
        /// The root key's file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Occurs when the store fails while it is in use.
    #[error("the keystore failed: {source}")]
    Storage {
        /// The store's answer.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Occurs when a tag is not one KMS takes.
    #[error("{reason}")]
    Tag {
        /// What is wrong with it.
        reason: String,
    },
    /// Occurs when an operation is not possible for this kind of key.
    #[error("{reason}")]
    UnsupportedOperation {
        /// What is not possible.
        reason: String,
    },
    /// Occurs when a value is outside of what KMS takes.
    #[error("{reason}")]
    Validation {
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// Occurs when the keystore was made under another root key.
    #[error(
        "the root key does not open the keystore `{}`; give the root key it was made with",
        path.display()
    )]
    WrongRootKey {
        /// The keystore's file.
        path: PathBuf,
    },
}

impl KeystoreError {
    /// The name of the exception AWS KMS answers with, `None` when the trouble is the keystore's
    /// own.
    ///
    /// ```
    /// use keyproof::backend::embedded::KeystoreError;
    ///
    /// let code = KeystoreError::InvalidCiphertext.aws_code();
    /// assert_eq!(code, Some("InvalidCiphertextException"));
    /// ```
    #[must_use]
    pub fn aws_code(&self) -> Option<&'static str> {
        Some(match self {
            Self::AlreadyExists { .. } => "AlreadyExistsException",
            Self::Disabled { .. } => "DisabledException",
            Self::IncorrectKey { .. } => "IncorrectKeyException",
            Self::InvalidAliasName { .. } => "InvalidAliasNameException",
            Self::InvalidCiphertext => "InvalidCiphertextException",
            Self::InvalidGrantToken => "InvalidGrantTokenException",
            Self::InvalidKeyUsage { .. } => "InvalidKeyUsageException",
            Self::InvalidState { .. } => "KMSInvalidStateException",
            Self::LimitExceeded { .. } => "LimitExceededException",
            Self::MalformedPolicy { .. } => "MalformedPolicyDocumentException",
            Self::NotFound { .. } => "NotFoundException",
            Self::Tag { .. } => "TagException",
            Self::UnsupportedOperation { .. } => "UnsupportedOperationException",
            Self::Validation { .. } => "ValidationException",
            Self::Cryptography { .. }
            | Self::Damaged { .. }
            | Self::InUse { .. }
            | Self::InvalidRootKey { .. }
            | Self::Io { .. }
            | Self::NewerFormat { .. }
            | Self::NoRootKey { .. }
            | Self::NotAKeystore { .. }
            | Self::RootKeyPermissions { .. }
            | Self::Stale { .. }
            | Self::Storage { .. }
            | Self::WrongRootKey { .. } => return None,
        })
    }

    pub(super) fn no_key(key: &KeyArn) -> Self {
        Self::NotFound { what: format!("the key `{key}`") }
    }

    pub(super) fn validation(reason: impl Into<String>) -> Self {
        Self::Validation { reason: reason.into() }
    }

    pub(super) fn damaged(path: &Path, detail: impl ToString) -> Self {
        Self::Damaged { path: path.to_owned(), detail: detail.to_string() }
    }

    pub(super) fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
    }
}

impl ClassifyFailure for KeystoreError {
    fn class(&self) -> FailureClass {
        match self {
            Self::Cryptography { .. } => FailureClass::Transient,
            _ if self.aws_code().is_some() => FailureClass::Permanent,
            _ => FailureClass::Every,
        }
    }

    fn code(&self) -> Option<&str> {
        self.aws_code()
    }
}

fn invalid_root_key(file: Option<&Path>) -> String {
    let lost = "without it the keystore's keys are lost";
    match file {
        Some(file) => format!(
            "the root key file `{}` does not hold the base64 of 32 bytes; restore it from a copy: {lost}",
            file.display()
        ),
        None => format!(
            "the root key given is not the base64 of 32 bytes; give the one the keystore was made with: {lost}"
        ),
    }
}

impl From<InvalidText> for KeystoreError {
    fn from(error: InvalidText) -> Self {
        Self::validation(error.to_string())
    }
}

/// The store's many error types say the same: it failed.
macro_rules! storage_errors {
    ($($name:ident),+) => {$(
        impl From<redb::$name> for KeystoreError {
            fn from(error: redb::$name) -> Self {
                Self::Storage { source: Box::new(error) }
            }
        }
    )+};
}
storage_errors!(CommitError, StorageError, TableError, TransactionError);
