//! The record of what was asked, decided and done.

use crate::authorize::Side;
use crate::compile::Epoch;
use crate::model::{
    Action, CallerPrincipal, Decision, EncryptionAlgorithm, EncryptionContext, KeyArn, Region,
    Timestamp,
};

/// One side of an operation as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditSide {
    /// Which key.
    pub side: Side,
    /// The action asked about.
    pub action: Action,
    /// The key.
    pub key: KeyArn,
    /// What was decided.
    pub decision: Decision,
    /// The encryption context of this side.
    pub encryption_context: EncryptionContext,
    /// The algorithm of this side; `None` where nothing is encrypted or decrypted.
    pub encryption_algorithm: Option<EncryptionAlgorithm>,
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditOutcome {
    /// It was refused; nothing was executed.
    Denied {
        /// AWS's error.
        code: &'static str,
    },
    /// It was allowed here, and the backend, which judges callers itself, refused it.
    Disagreed {
        /// Which key the backend named, where it named one.
        side: Option<Side>,
        /// The backend's words.
        message: String,
        /// The backend's name for the request.
        request_id: Option<String>,
    },
    /// It ran, and its result was not kept: the backend failed or named other keys.
    Failed {
        /// AWS's error, where there is one.
        code: Option<String>,
        /// What went wrong.
        message: String,
    },
    /// It is authorized and about to run. Recorded before the backend is called.
    Intended,
    /// It ran.
    Succeeded {
        /// Key material of each side, where the backend names it.
        key_materials: Vec<(Side, String)>,
    },
}

impl AuditOutcome {
    /// `denied`, `disagreed`, `failed`, `intended` or `succeeded`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Denied { .. } => "denied",
            Self::Disagreed { .. } => "disagreed",
            Self::Failed { .. } => "failed",
            Self::Intended => "intended",
            Self::Succeeded { .. } => "succeeded",
        }
    }
}

/// One record. Never holds plaintext, grant tokens or key material.
#[derive(Clone, Debug)]
pub struct AuditRecord<'a> {
    /// Ties the intention and the outcome of one call together. Counts the calls of one executor;
    /// a log that outlives it must add what tells executors apart.
    pub call: u64,
    /// When.
    pub time: Timestamp,
    /// AWS's name of the operation.
    pub operation: &'static str,
    /// The Region the request is sent to.
    pub region: &'a Region,
    /// Who called.
    pub principal: &'a CallerPrincipal,
    /// Which state of the world it was judged on.
    pub epoch: Epoch,
    /// Every side.
    pub sides: &'a [AuditSide],
    /// What became of it.
    pub outcome: AuditOutcome,
}

/// The record could not be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the audit record could not be written: {0}")]
pub struct AuditError(pub String);

/// Keeps records.
pub trait AuditLog: Send + Sync {
    /// Keeps one record, durably: when it returns, the record must not get lost.
    ///
    /// # Errors
    /// When it cannot be kept. An intention that cannot be kept is not carried out.
    fn record(&self, record: &AuditRecord<'_>) -> Result<(), AuditError>;

    /// Keeps several, durably; a log that can do so with one write does.
    ///
    /// # Errors
    /// When one cannot be kept; the others may have been.
    fn record_all(&self, records: &[AuditRecord<'_>]) -> Result<(), AuditError> {
        records.iter().try_for_each(|record| self.record(record))
    }
}
