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
// The crate's executor adapter is the one user of the cryptography besides tests.
#[cfg_attr(not(test), allow(dead_code, reason = "called by the executor's adapter alone"))]
mod crypto;
mod error;
mod file;
mod grant;
mod key;
mod keystore;
mod lifecycle;
mod material;
mod plaintext;
mod policy;
mod record;
mod root_key;
mod seal;
mod tag;
#[cfg(test)]
mod tests;

pub use blob::Provenance;
pub use contents::{KeystoreContents, StoredKey};
#[allow(unused_imports, reason = "named by the executor's adapter alone")]
pub(crate) use crypto::{CipherSide, Decrypted, Encrypted, ReEncrypted, Session};
pub use error::KeystoreError;
pub use grant::{CreatedGrant, NewGrant};
pub use key::{KeyScope, NewKey, NewReplica};
pub use keystore::Keystore;
pub use material::MaterialId;
pub use plaintext::Plaintext;
pub use policy::{PolicyName, default_key_policy};
pub use root_key::RootKey;
