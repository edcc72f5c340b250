//! Which condition keys an action supplies.
//!
//! Source: Service Authorization Reference for AWS KMS and kms developer guide, "AWS KMS
//! permissions" and "AWS KMS condition keys".

use crate::model::{Action, KnownKey, ResourceKind};

/// Whether requests for `action` can carry `key`. Keys that every request can carry (`aws:` keys
/// but those of tags) are supplied by all.
#[must_use]
pub fn supplies(action: Action, key: KnownKey) -> bool {
    use Action as A;
    use KnownKey as K;
    match key {
        K::AwsRequestTag => {
            matches!(action, A::CreateKey | A::TagResource)
        }
        K::AwsTagKeys => {
            matches!(action, A::CreateKey | A::TagResource | A::UntagResource)
        }
        K::KmsBypassPolicyLockoutSafetyCheck => {
            matches!(action, A::CreateKey | A::PutKeyPolicy)
        }
        K::KmsDataKeyPairSpec => {
            matches!(action, A::GenerateDataKeyPair | A::GenerateDataKeyPairWithoutPlaintext)
        }
        K::KmsEncryptionAlgorithm => {
            matches!(
                action,
                A::Decrypt
                    | A::Encrypt
                    | A::GenerateDataKey
                    | A::GenerateDataKeyPair
                    | A::GenerateDataKeyPairWithoutPlaintext
                    | A::GenerateDataKeyWithoutPlaintext
                    | A::ReEncryptFrom
                    | A::ReEncryptTo
            )
        }
        K::KmsEncryptionContext => {
            matches!(
                action,
                A::CreateGrant
                    | A::Decrypt
                    | A::Encrypt
                    | A::GenerateDataKey
                    | A::GenerateDataKeyPair
                    | A::GenerateDataKeyPairWithoutPlaintext
                    | A::GenerateDataKeyWithoutPlaintext
                    | A::ReEncryptFrom
                    | A::ReEncryptTo
                    | A::RetireGrant
            )
        }
        K::KmsEncryptionContextKeys => {
            matches!(
                action,
                A::CreateGrant
                    | A::Decrypt
                    | A::Encrypt
                    | A::GenerateDataKey
                    | A::GenerateDataKeyPair
                    | A::GenerateDataKeyPairWithoutPlaintext
                    | A::GenerateDataKeyWithoutPlaintext
                    | A::ReEncryptFrom
                    | A::ReEncryptTo
                    | A::RetireGrant
            )
        }
        K::KmsExpirationModel => {
            matches!(action, A::ImportKeyMaterial)
        }
        K::KmsGrantConstraintSourceArn => {
            matches!(action, A::CreateGrant)
        }
        K::KmsGrantConstraintType => {
            matches!(action, A::CreateGrant | A::RetireGrant)
        }
        K::KmsGrantIsForAwsResource => {
            matches!(action, A::CreateGrant | A::ListGrants | A::RevokeGrant)
        }
        K::KmsGrantOperations => {
            matches!(action, A::CreateGrant)
        }
        K::KmsGranteePrincipal => {
            matches!(action, A::CreateGrant)
        }
        K::KmsGranteeServicePrincipal => {
            matches!(action, A::CreateGrant)
        }
        K::KmsKeyAgreementAlgorithm => {
            matches!(action, A::DeriveSharedSecret)
        }
        K::KmsMacAlgorithm => {
            matches!(action, A::GenerateMac | A::VerifyMac)
        }
        K::KmsMessageType => {
            matches!(action, A::Sign | A::Verify)
        }
        K::KmsPolicyName => {
            matches!(action, A::GetKeyPolicy | A::PutKeyPolicy)
        }
        K::KmsPrimaryRegion => {
            matches!(action, A::UpdatePrimaryRegion)
        }
        K::KmsReEncryptOnSameKey => {
            matches!(action, A::ReEncryptFrom | A::ReEncryptTo)
        }
        K::KmsRecipientAttestation => {
            matches!(
                action,
                A::Decrypt
                    | A::DeriveSharedSecret
                    | A::GenerateDataKey
                    | A::GenerateDataKeyPair
                    | A::GenerateRandom
            )
        }
        K::KmsReplicaRegion => {
            matches!(action, A::ReplicateKey)
        }
        K::KmsRequestAlias => {
            matches!(
                action,
                A::Decapsulate
                    | A::Decrypt
                    | A::DeriveSharedSecret
                    | A::DescribeKey
                    | A::Encapsulate
                    | A::Encrypt
                    | A::GenerateDataKey
                    | A::GenerateDataKeyPair
                    | A::GenerateDataKeyPairWithoutPlaintext
                    | A::GenerateDataKeyWithoutPlaintext
                    | A::GenerateMac
                    | A::GetPublicKey
                    | A::ReEncryptFrom
                    | A::ReEncryptTo
                    | A::Sign
                    | A::Verify
                    | A::VerifyMac
            )
        }
        K::KmsRetiringPrincipal => {
            matches!(action, A::CreateGrant)
        }
        K::KmsRetiringServicePrincipal => {
            matches!(action, A::CreateGrant)
        }
        K::KmsRotationPeriodInDays => {
            matches!(action, A::EnableKeyRotation)
        }
        K::KmsScheduleKeyDeletionPendingWindowInDays => {
            matches!(action, A::ScheduleKeyDeletion)
        }
        K::KmsSigningAlgorithm => {
            matches!(action, A::Sign | A::Verify)
        }
        K::KmsTrailingDaysWithoutKeyUsage => {
            matches!(action, A::DisableKey | A::ScheduleKeyDeletion)
        }
        K::KmsValidTo => {
            matches!(action, A::ImportKeyMaterial)
        }
        K::KmsWrappingAlgorithm => {
            matches!(action, A::GetParametersForImport)
        }
        K::KmsWrappingKeySpec => {
            matches!(action, A::GetParametersForImport)
        }
        // The reference lists no condition keys for these.
        K::KmsCallerAccount => !matches!(
            action,
            A::GenerateRandom | A::ListAliases | A::ListKeys | A::ListRetirableGrants
        ),
        // A key that is yet to be made has no aliases.
        K::KmsResourceAliases => action.resource_kind() != ResourceKind::Any,
        K::KmsCustomerMasterKeySpec
        | K::KmsCustomerMasterKeyUsage
        | K::KmsKeyOrigin
        | K::KmsKeySpec
        | K::KmsKeyUsage
        | K::KmsMultiRegion
        | K::KmsMultiRegionKeyType
        | K::KmsViaService
        | K::AwsResourceTag => {
            action.resource_kind() != ResourceKind::Any || action == A::CreateKey
        }
        _ => true,
    }
}

/// Whether every request for `action` carries `key`, because KMS requires the parameter that it is
/// read from (kms API reference, "CreateGrant", "TagResource", "UntagResource").
#[must_use]
pub fn always_supplies(action: Action, key: KnownKey) -> bool {
    matches!(
        (action, key),
        (Action::CreateGrant, KnownKey::KmsGrantOperations)
            | (Action::TagResource | Action::UntagResource, KnownKey::AwsTagKeys)
    )
}
