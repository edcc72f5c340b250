//! Whether the keys can do what was permitted: provenance, state, usage, algorithm.
//!
//! Judged after the permits and before minting, in the order of K10: source state,
//! usage and algorithm, then whether it made the ciphertext, then the destination.
//! Source: kms developer guide, "Key states of AWS KMS keys".

use super::{
    Decrypt, DescribeKey, Encrypt, GenerateDataKey, KeyFault, Operation, ReEncrypt, ResolvedKey,
    Side,
};
use crate::compile::Snapshot;
use crate::model::{
    Action, EncryptionAlgorithm, EncryptionContext, GrantToken, Key, KeyArn, KeyManager, KeyOrigin,
    KeyState, KeyUsage, MultiRegionKeyType, Reading,
};

/// An operation whose keys can be judged.
pub trait Judged: Operation {
    /// Why a key cannot do what was permitted.
    fn key_fault(&self, snapshot: &Snapshot) -> Option<KeyFault>;

    /// Why there is nothing to run, as in a pre-flight: no proof is minted for it.
    fn missing_data(&self) -> Option<KeyFault>;
}

impl Judged for ReEncrypt {
    fn key_fault(&self, snapshot: &Snapshot) -> Option<KeyFault> {
        token_fault(snapshot, Side::Source, &self.grant_tokens)
            .or_else(|| key_fault(snapshot, Side::Source, &self.source, self.source_algorithm))
            .or_else(|| context_fault(Side::Source, self.source_algorithm, &self.source_context))
            .or_else(|| {
                provenance(Side::Source, &self.source, self.made_by_other_key, self.unreadable)
            })
            .or_else(|| {
                let algorithm = self.destination_algorithm;
                key_fault(snapshot, Side::Destination, &self.destination, algorithm).or_else(|| {
                    context_fault(Side::Destination, algorithm, &self.destination_context)
                })
            })
    }

    fn missing_data(&self) -> Option<KeyFault> {
        missing(Side::Source, self.ciphertext.is_none(), "CiphertextBlob")
    }
}

impl Judged for Decrypt {
    fn key_fault(&self, snapshot: &Snapshot) -> Option<KeyFault> {
        token_fault(snapshot, Side::Key, &self.grant_tokens)
            .or_else(|| key_fault(snapshot, Side::Key, &self.key, self.algorithm))
            .or_else(|| context_fault(Side::Key, self.algorithm, &self.context))
            .or_else(|| provenance(Side::Key, &self.key, self.made_by_other_key, self.unreadable))
    }

    fn missing_data(&self) -> Option<KeyFault> {
        missing(Side::Key, self.ciphertext.is_none(), "CiphertextBlob")
    }
}

impl Judged for Encrypt {
    fn key_fault(&self, snapshot: &Snapshot) -> Option<KeyFault> {
        token_fault(snapshot, Side::Key, &self.grant_tokens)
            .or_else(|| key_fault(snapshot, Side::Key, &self.key, self.algorithm))
            .or_else(|| context_fault(Side::Key, self.algorithm, &self.context))
    }

    fn missing_data(&self) -> Option<KeyFault> {
        missing(Side::Key, self.plaintext.is_none(), "Plaintext")
    }
}

impl Judged for GenerateDataKey {
    fn key_fault(&self, snapshot: &Snapshot) -> Option<KeyFault> {
        token_fault(snapshot, Side::Key, &self.grant_tokens).or_else(|| {
            operation_fault(snapshot, Side::Key, Action::GenerateDataKey, self.key.arn())
        })
    }

    fn missing_data(&self) -> Option<KeyFault> {
        None
    }
}

impl Judged for DescribeKey {
    fn key_fault(&self, snapshot: &Snapshot) -> Option<KeyFault> {
        token_fault(snapshot, Side::Key, &self.grant_tokens)
            .or_else(|| operation_fault(snapshot, Side::Key, Action::DescribeKey, self.key.arn()))
    }

    fn missing_data(&self) -> Option<KeyFault> {
        None
    }
}

/// G5: a token that was never given out, in a world that knows all of them.
pub(super) fn token_fault(
    snapshot: &Snapshot,
    side: Side,
    tokens: &[GrantToken],
) -> Option<KeyFault> {
    let is_wrong = |token: &GrantToken| snapshot.grants_of_token(token).is_empty();
    let wrong = snapshot.knows_all_grant_tokens() && tokens.iter().any(is_wrong);
    wrong.then(|| KeyFault {
        side,
        code: "InvalidGrantTokenException",
        message: "a grant token belongs to no grant".to_owned(),
    })
}

fn provenance(
    side: Side,
    key: &ResolvedKey,
    made_by_other_key: bool,
    unreadable: bool,
) -> Option<KeyFault> {
    let fault = |code, message| Some(KeyFault { side, code, message });
    if unreadable {
        let message = "the ciphertext is truncated, altered, or none of this KMS".to_owned();
        return fault("InvalidCiphertextException", message);
    }
    if made_by_other_key {
        let message = format!("the ciphertext was not made by {}", key.arn());
        return fault("IncorrectKeyException", message);
    }
    None
}

/// Asymmetric algorithms have no additional data to bind a context to (kms API reference,
/// "Encrypt").
fn context_fault(
    side: Side,
    algorithm: EncryptionAlgorithm,
    context: &EncryptionContext,
) -> Option<KeyFault> {
    let fits = context.is_empty() || algorithm == EncryptionAlgorithm::SymmetricDefault;
    (!fits).then(|| KeyFault {
        side,
        code: "ValidationException",
        message: format!("{algorithm} takes no encryption context"),
    })
}

fn missing(side: Side, missing: bool, member: &'static str) -> Option<KeyFault> {
    missing.then(|| KeyFault {
        side,
        code: "ValidationException",
        message: format!("the request has no {member}"),
    })
}

/// What is wrong with a key's state or usage for an operation (kms developer guide, "Key states of
/// AWS KMS keys").
pub(crate) fn operation_fault(
    snapshot: &Snapshot,
    side: Side,
    action: Action,
    arn: &KeyArn,
) -> Option<KeyFault> {
    use Action as A;
    let fault = |code, what: &str| Some(KeyFault { side, code, message: format!("{arn} {what}") });
    let Some(entry) = snapshot.key(arn) else {
        return fault("NotFoundException", "does not exist");
    };
    let invalid = "KMSInvalidStateException";
    let pending = snapshot.readings().value(Reading::PendingDeletionError);
    if entry.key.manager == KeyManager::Aws && changes(action) {
        let code = snapshot.readings().value(Reading::AwsManagedKeyError);
        return fault(code, "is an AWS managed key, which AWS alone changes");
    }
    let cryptographic = usage(action).is_some() && action != A::GetPublicKey;
    if let Some((code, what)) = material_fault(action, &entry.key) {
        return fault(code, what);
    }
    let state = entry.key.state;
    let is_pending = matches!(state, KeyState::PendingDeletion | KeyState::PendingReplicaDeletion);
    let refused = match action {
        A::CancelKeyDeletion if !is_pending => fault(invalid, "is not pending deletion"),
        A::CancelKeyDeletion => None,
        A::CreateAlias | A::TagResource | A::UntagResource | A::UpdateKeyDescription
            if is_pending =>
        {
            fault(invalid, "is pending deletion")
        }
        A::UpdateAlias if is_pending && side == Side::Target => {
            fault(invalid, "is pending deletion")
        }
        A::EnableKey | A::DisableKey | A::ScheduleKeyDeletion => match state {
            _ if is_pending => fault(invalid, "is pending deletion"),
            KeyState::PendingImport if action != A::ScheduleKeyDeletion => {
                fault(invalid, "is pending import")
            }
            KeyState::Creating if action != A::ScheduleKeyDeletion => fault(invalid, "is creating"),
            KeyState::Updating => fault(invalid, "is updating"),
            _ => None,
        },
        A::GetPublicKey => match state {
            _ if is_pending => fault(pending, "is pending deletion"),
            KeyState::Creating => fault(invalid, "is creating"),
            _ => None,
        },
        A::CreateGrant | A::ReplicateKey | A::UpdatePrimaryRegion => match state {
            KeyState::Disabled => fault("DisabledException", "is disabled"),
            _ if is_pending => fault(pending, "is pending deletion"),
            KeyState::PendingImport => fault(invalid, "is pending import"),
            KeyState::Creating => fault(invalid, "is creating"),
            KeyState::Updating if action == A::ReplicateKey => fault(invalid, "is updating"),
            _ => None,
        },
        _ if cryptographic => match state {
            KeyState::Disabled => fault("DisabledException", "is disabled"),
            _ if is_pending => fault(pending, "is pending deletion"),
            KeyState::PendingImport => fault(invalid, "is pending import"),
            KeyState::Unavailable => fault(invalid, "is unavailable"),
            KeyState::Creating => fault(invalid, "is creating"),
            _ => None,
        },
        _ => None,
    };
    if refused.is_some() {
        return refused;
    }
    let is_primary = entry.key.multi_region == Some(MultiRegionKeyType::Primary);
    let needs_primary =
        action == A::ReplicateKey || (action == A::UpdatePrimaryRegion && side == Side::Current);
    if needs_primary && !is_primary {
        return fault("UnsupportedOperationException", "is not a multi-Region primary key");
    }
    if action == A::GetPublicKey && entry.key.spec.is_symmetric() {
        return fault("UnsupportedOperationException", "is symmetric, and has no public key");
    }
    match usage(action) {
        Some(usages) if !usages.contains(&entry.key.usage) => fault(
            "InvalidKeyUsageException",
            "has a key usage that is not valid for this operation",
        ),
        Some(_) if is_data_key(action) && !entry.key.spec.is_symmetric() => {
            fault("InvalidKeyUsageException", "is not symmetric, and makes no data keys")
        }
        _ => None,
    }
}

/// K23: what nobody but AWS does to an AWS managed key (kms developer guide, "AWS managed keys": its
/// properties and policy cannot be changed, it cannot be rotated at will or be deleted).
fn changes(action: Action) -> bool {
    use Action as A;
    matches!(
        action,
        A::CancelKeyDeletion
            | A::CreateAlias
            | A::DeleteAlias
            | A::DeleteImportedKeyMaterial
            | A::DisableKey
            | A::DisableKeyRotation
            | A::EnableKey
            | A::EnableKeyRotation
            | A::GetParametersForImport
            | A::ImportKeyMaterial
            | A::PutKeyPolicy
            | A::ReplicateKey
            | A::RotateKeyOnDemand
            | A::ScheduleKeyDeletion
            | A::TagResource
            | A::UntagResource
            | A::UpdateAlias
            | A::UpdateKeyDescription
            | A::UpdatePrimaryRegion
    )
}

/// Rotation, imported key material and custom key stores (K20): a key that is being made can do none
/// of it; then comes what the key is, then its state, and at last whether it is a replica.
///
/// Source: kms developer guide, "Key states of AWS KMS keys", footnotes 5 to 9; API reference of
/// the operations.
fn material_fault(action: Action, key: &Key) -> Option<(&'static str, &'static str)> {
    use Action as A;
    let (unsupported, invalid) = ("UnsupportedOperationException", "KMSInvalidStateException");
    let rotates =
        matches!(action, A::EnableKeyRotation | A::DisableKeyRotation | A::RotateKeyOnDemand);
    let is_external = key.origin == KeyOrigin::External;
    let in_custom_store =
        matches!(key.origin, KeyOrigin::AwsCloudHsm | KeyOrigin::ExternalKeyStore);
    let is_of_material = matches!(
        action,
        A::GetParametersForImport | A::ImportKeyMaterial | A::DeleteImportedKeyMaterial
    );
    if key.state == KeyState::Creating && (rotates || is_of_material) {
        return Some((invalid, "is creating"));
    }
    match action {
        A::GenerateDataKeyPair | A::GenerateDataKeyPairWithoutPlaintext => {
            return in_custom_store.then_some((unsupported, "is in a custom key store"));
        }
        A::EnableKeyRotation
        | A::DisableKeyRotation
        | A::RotateKeyOnDemand
        | A::GetKeyRotationStatus
        | A::ListKeyRotations => {
            if in_custom_store {
                return Some((unsupported, "is in a custom key store"));
            }
            if rotates && !key.spec.is_symmetric() {
                return Some((unsupported, "is no symmetric encryption key, and is not rotated"));
            }
            let automatic = matches!(action, A::EnableKeyRotation | A::DisableKeyRotation);
            let asks = action == A::GetKeyRotationStatus && key.state == KeyState::PendingImport;
            if is_external && (automatic || asks) {
                return Some((unsupported, "has imported key material"));
            }
        }
        _ if is_of_material && !is_external => {
            return Some((unsupported, "cannot have imported key material"));
        }
        _ if is_of_material => {}
        _ => return None,
    }
    match key.state {
        KeyState::Disabled if rotates => Some(("DisabledException", "is disabled")),
        KeyState::PendingDeletion | KeyState::PendingReplicaDeletion
            if rotates || matches!(action, A::GetParametersForImport | A::ImportKeyMaterial) =>
        {
            Some((invalid, "is pending deletion"))
        }
        KeyState::PendingImport if rotates => Some((invalid, "is pending import")),
        KeyState::Updating
            if matches!(action, A::GetParametersForImport | A::DeleteImportedKeyMaterial) =>
        {
            Some((invalid, "is updating"))
        }
        _ if rotates && key.multi_region == Some(MultiRegionKeyType::Replica) => {
            Some((unsupported, "is a replica: its primary key is rotated"))
        }
        _ => None,
    }
}

fn is_data_key(action: Action) -> bool {
    action.name().starts_with("GenerateDataKey")
}

/// The usages a key must have one of for an operation; `None` when any will do.
fn usage(action: Action) -> Option<&'static [KeyUsage]> {
    use Action as A;
    match action {
        A::Encrypt | A::Decrypt | A::ReEncryptFrom | A::ReEncryptTo => {
            Some(&[KeyUsage::EncryptDecrypt])
        }
        _ if is_data_key(action) => Some(&[KeyUsage::EncryptDecrypt]),
        A::Sign | A::Verify => Some(&[KeyUsage::SignVerify]),
        A::GenerateMac | A::VerifyMac => Some(&[KeyUsage::GenerateVerifyMac]),
        A::DeriveSharedSecret => Some(&[KeyUsage::KeyAgreement]),
        A::Encapsulate | A::Decapsulate => Some(&[KeyUsage::EncapsulateDecapsulate]),
        A::GetPublicKey => Some(&[
            KeyUsage::EncryptDecrypt,
            KeyUsage::SignVerify,
            KeyUsage::KeyAgreement,
            KeyUsage::EncapsulateDecapsulate,
        ]),
        _ => None,
    }
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
