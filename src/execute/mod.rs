//! F5: runs proofs, and nothing else.

mod audit;
mod backend;
mod batch;
mod executor;
mod live;

#[cfg(test)]
mod tests;

pub use audit::{AuditError, AuditLog, AuditOutcome, AuditRecord, AuditSide};
pub use backend::{
    ClassifyFailure, DataKey, Decrypted, Disagreement, Encrypted, FailureClass, KeyBackend,
    KmsBackend, ReEncrypted,
};
pub use batch::{Answered, Concluded, Intended, Wait};
pub use executor::{EpochSource, ExecuteError, Executor, TimeSource};
pub use live::{Freshness, KeyReader, LiveWorld, NoReader, Refresh, RefreshError, Run};
