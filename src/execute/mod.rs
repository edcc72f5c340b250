//! F5: runs proofs, and nothing else.

mod audit;
mod backend;
mod batch;
mod executor;

#[cfg(test)]
mod tests;

pub use audit::{AuditError, AuditLog, AuditOutcome, AuditRecord, AuditSide};
pub use backend::{ClassifyFailure, Decrypted, Encrypted, FailureClass, KmsBackend, ReEncrypted};
pub use batch::{Answered, Concluded, Intended, Wait};
pub use executor::{EpochSource, ExecuteError, Executor, TimeSource};
