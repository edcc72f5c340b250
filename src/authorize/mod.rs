//! F4: what an operation needs, who may do it; mints the proof that somebody may.

mod algorithm;
mod alias;
mod authorized;
mod authorizer;
mod catalog;
mod denied;
mod grant;
mod key_policy;
mod matrix;
mod new_key;
mod operation;
mod preflight;
mod question;
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
pub use preflight::{PreflightAnswer, PreflightError};
pub use question::{
    GrantRequest, NewKeyRequest, Preflight, PreflightKey, PreflightOperation, RetiredGrant,
};
pub use resolve::{
    CiphertextInspector, DecryptRequest, DescribeKeyRequest, EncryptRequest,
    GenerateDataKeyRequest, InspectError, KeyIdentifier, NoInspector, Provenance, ReEncryptRequest,
    Request, ResolveError,
};
pub use state::Judged;
