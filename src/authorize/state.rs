//! Whether the keys can do what was permitted: provenance, state, usage, algorithm.
//!
//! Judged after the permits and before minting, in the order of kms-semantics 2.3: source state,
//! usage and algorithm, then whether it made the ciphertext, then the destination.
//! Source: kms developer guide, "Key states of AWS KMS keys".

use super::{Decrypt, Encrypt, KeyFault, Operation, ReEncrypt, ResolvedKey, Side};
use crate::compile::Snapshot;
use crate::model::{EncryptionAlgorithm, KeyState, KeyUsage, Reading};

/// An operation whose keys can be judged.
pub trait Judged: Operation {
    /// Why a key cannot do what was permitted.
    fn key_fault(&self, snapshot: &Snapshot) -> Option<KeyFault>;

    /// Why there is nothing to run, as in a pre-flight: no proof is minted for it.
    fn missing_data(&self) -> Option<KeyFault>;
}

impl Judged for ReEncrypt {
    fn key_fault(&self, snapshot: &Snapshot) -> Option<KeyFault> {
        key_fault(snapshot, Side::Source, &self.source, self.source_algorithm)
            .or_else(|| provenance(Side::Source, &self.source, self.made_by_other_key))
            .or_else(|| {
                let algorithm = self.destination_algorithm;
                key_fault(snapshot, Side::Destination, &self.destination, algorithm)
            })
    }

    fn missing_data(&self) -> Option<KeyFault> {
        missing(Side::Source, self.ciphertext.is_none(), "CiphertextBlob")
    }
}

impl Judged for Decrypt {
    fn key_fault(&self, snapshot: &Snapshot) -> Option<KeyFault> {
        key_fault(snapshot, Side::Key, &self.key, self.algorithm)
            .or_else(|| provenance(Side::Key, &self.key, self.made_by_other_key))
    }

    fn missing_data(&self) -> Option<KeyFault> {
        missing(Side::Key, self.ciphertext.is_none(), "CiphertextBlob")
    }
}

impl Judged for Encrypt {
    fn key_fault(&self, snapshot: &Snapshot) -> Option<KeyFault> {
        key_fault(snapshot, Side::Key, &self.key, self.algorithm)
    }

    fn missing_data(&self) -> Option<KeyFault> {
        missing(Side::Key, self.plaintext.is_none(), "Plaintext")
    }
}

fn provenance(side: Side, key: &ResolvedKey, made_by_other_key: bool) -> Option<KeyFault> {
    made_by_other_key.then(|| KeyFault {
        side,
        code: "IncorrectKeyException",
        message: format!("the ciphertext was not made by {}", key.arn()),
    })
}

fn missing(side: Side, missing: bool, member: &'static str) -> Option<KeyFault> {
    missing.then(|| KeyFault {
        side,
        code: "ValidationException",
        message: format!("the request has no {member}"),
    })
}

/// What is wrong with a key for a cryptographic operation with this algorithm.
pub(crate) fn key_fault(
    snapshot: &Snapshot,
    side: Side,
    key: &ResolvedKey,
    algorithm: EncryptionAlgorithm,
) -> Option<KeyFault> {
    let arn = key.arn();
    let fault = |code, message| Some(KeyFault { side, code, message });
    let Some(entry) = snapshot.key(arn) else {
        return fault("NotFoundException", format!("key `{arn}` does not exist"));
    };
    let key = &entry.key;
    let invalid = "KMSInvalidStateException";
    match key.state {
        KeyState::Enabled | KeyState::Updating => {}
        KeyState::Disabled => return fault("DisabledException", format!("{arn} is disabled")),
        KeyState::PendingDeletion | KeyState::PendingReplicaDeletion => {
            let code = snapshot.readings().value(Reading::PendingDeletionError);
            return fault(code, format!("{arn} is pending deletion"));
        }
        KeyState::PendingImport => return fault(invalid, format!("{arn} is pending import")),
        KeyState::Unavailable => return fault(invalid, format!("{arn} is unavailable")),
        KeyState::Creating => return fault(invalid, format!("{arn} is creating")),
    }
    if key.usage != KeyUsage::EncryptDecrypt {
        let message =
            format!("{arn} key usage is {}, which is not valid for this operation", key.usage);
        return fault("InvalidKeyUsageException", message);
    }
    if !key.spec.encryption_algorithms().contains(&algorithm) {
        let message = format!(
            "encryption algorithm {algorithm} cannot be used with the {} key {arn}",
            key.spec
        );
        return fault("InvalidKeyUsageException", message);
    }
    None
}
