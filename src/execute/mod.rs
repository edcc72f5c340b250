//! F5: runs proofs, and nothing else.

mod audit;
mod backend;
mod executor;

#[cfg(test)]
mod tests;

pub use audit::{AuditError, AuditLog, AuditOutcome, AuditRecord, AuditSide};
pub use backend::{Decrypted, Encrypted, KmsBackend, ReEncrypted};
pub use executor::{EpochSource, ExecuteError, Executor, TimeSource};
