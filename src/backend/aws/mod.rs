//! AWS KMS itself, through aws-sdk-kms.
//!
//! - [`AwsKms`] runs proofs: with key ARNs, an explicit source key and explicit algorithms, each in
//!   the Region of its request.
//! - [`AwsKeyReader`] reads policies, grants and state of a key again while a service runs.
//! - [`Clients::verify`] asks KMS what was decided here, as a dry run.
//!
//! The credentials are those of the process. Who is judged is never taken from them.

mod clients;
mod error;
mod facts;
mod kms;
mod verify;

pub use clients::{Clients, Identity, configuration};
pub use error::{AwsKmsError, AwsKmsErrorKind, Named};
pub use facts::AwsKeyReader;
pub use kms::AwsKms;
pub use verify::{LiveAnswer, LiveQuestion, NotVerifiable, Verdict};
