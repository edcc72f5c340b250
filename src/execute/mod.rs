//! F5: runs proofs, and nothing else.

mod audit;
mod backend;
mod executor;
mod live;

#[cfg(test)]
mod tests;

pub use audit::{AuditError, AuditLog, AuditOutcome, AuditRecord, AuditSide};
pub use backend::{
    DataKey, Decrypted, Disagreement, Encrypted, KeyBackend, KmsBackend, ReEncrypted,
};
pub use executor::{EpochSource, ExecuteError, Executor, TimeSource};
pub use live::{Freshness, KeyReader, LiveWorld, NoReader, Refresh, RefreshError, Run};
