//! F4: what an operation needs, who may do it; mints the proof that somebody may.

mod authorized;
mod authorizer;
mod catalog;
mod denied;
mod matrix;
mod operation;
mod preflight;
mod resolve;
mod state;

#[cfg(test)]
mod tests;

pub use authorized::{Authorized, Gate, Permit};
pub use authorizer::Authorizer;
pub use denied::{Denied, KeyFault, Refusal, SideAnswer};
pub use matrix::Cell;
pub use operation::{
    Decrypt, DescribeKey, Encrypt, GenerateDataKey, Leg, LegResource, Operation, Permission,
    ReEncrypt, ReEncryptFrom, ReEncryptTo, ResolvedKey, Side,
};
pub use preflight::{
    GrantRequest, Preflight, PreflightAnswer, PreflightError, PreflightKey, PreflightOperation,
};
pub use resolve::{
    CiphertextInspector, DecryptRequest, DescribeKeyRequest, EncryptRequest,
    GenerateDataKeyRequest, InspectError, KeyIdentifier, NoInspector, Provenance, ReEncryptRequest,
    Request, ResolveError,
};
pub use state::Judged;
