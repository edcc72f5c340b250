//! A KMS in a file: real cryptography on aws-lc-rs, keys and policies in one redb file.
//!
//! Nothing here judges who may do what. The cryptographic operations are therefore not public:
//! they are reached through a proof of authorization alone. What is public manages the store, as
//! someone who holds both the file and the root key may.
//!
//! - [`RootKey`] seals key material; it comes from a file or from text.
//! - [`Keystore`] holds keys, materials, policies, grants, aliases and tags. Each operation is one
//!   transaction that is on disk before the call returns.
//! - `docs/ciphertext.md` tells how ciphertexts are laid out.

mod alias;
mod blob;
mod contents;
mod crypto;
mod error;
mod file;
mod grant;
mod key;
mod keystore;
mod kms;
mod lifecycle;
mod lockout;
mod material;
mod policy;
mod record;
mod root_key;
mod seal;
mod tag;
#[cfg(test)]
mod tests;

pub use blob::Provenance;
pub use contents::{KeystoreContents, StoredKey};
pub use error::KeystoreError;
pub use grant::{CreatedGrant, NewGrant};
pub use key::{KeyScope, NewKey, NewReplica, random_key_id};
pub use keystore::Keystore;
pub use kms::{EmbeddedKms, add_keys, import};
pub use lockout::{LockoutError, lockout_check, lockout_check_of_new};
pub use material::MaterialId;
pub use policy::default_key_policy;
pub use root_key::RootKey;
pub use seal::random as random_bytes;
