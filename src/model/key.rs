//! Keys and what is known of them.
//!
//! Source: botocore `kms/2014-11-01` (`KeyMetadata`, `KeySpec`, `KeyUsageType`, `KeyState`).

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use super::{InvalidText, KeyArn};

/// Declares an enum whose variants have the names AWS gives them.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident, $expected:literal, { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// All of them, in AWS's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// AWS's name for it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::model::InvalidText;

            fn from_str(text: &str) -> Result<Self, $crate::model::InvalidText> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::model::InvalidText::new(text, $expected)),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(crate) use named;

named! {
    /// What a key may be used for; fixed at creation.
    KeyUsage, "a key usage (`ENCRYPT_DECRYPT`, `SIGN_VERIFY`, …)", {
        /// Encrypt, Decrypt, ReEncrypt and, for symmetric keys, data keys.
        EncryptDecrypt = "ENCRYPT_DECRYPT",
        /// Sign and Verify.
        SignVerify = "SIGN_VERIFY",
        /// GenerateMac and VerifyMac.
        GenerateVerifyMac = "GENERATE_VERIFY_MAC",
        /// DeriveSharedSecret.
        KeyAgreement = "KEY_AGREEMENT",
        /// Encapsulate and Decapsulate.
        EncapsulateDecapsulate = "ENCAPSULATE_DECAPSULATE",
    }
}

named! {
    /// The kind of key material; fixed at creation.
    KeySpec, "a key spec (`SYMMETRIC_DEFAULT`, `RSA_2048`, …)", {
        /// AES-256-GCM (SM4 in China).
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        /// RSA, 2,048 bits.
        Rsa2048 = "RSA_2048",
        /// RSA, 3,072 bits.
        Rsa3072 = "RSA_3072",
        /// RSA, 4,096 bits.
        Rsa4096 = "RSA_4096",
        /// NIST P-256.
        EccNistP256 = "ECC_NIST_P256",
        /// NIST P-384.
        EccNistP384 = "ECC_NIST_P384",
        /// NIST P-521.
        EccNistP521 = "ECC_NIST_P521",
        /// Ed25519.
        EccNistEdwards25519 = "ECC_NIST_EDWARDS25519",
        /// secp256k1.
        EccSecgP256k1 = "ECC_SECG_P256K1",
        /// HMAC-SHA-224.
        Hmac224 = "HMAC_224",
        /// HMAC-SHA-256.
        Hmac256 = "HMAC_256",
        /// HMAC-SHA-384.
        Hmac384 = "HMAC_384",
        /// HMAC-SHA-512.
        Hmac512 = "HMAC_512",
        /// SM2, China Regions only.
        Sm2 = "SM2",
        /// ML-DSA-44.
        MlDsa44 = "ML_DSA_44",
        /// ML-DSA-65.
        MlDsa65 = "ML_DSA_65",
        /// ML-DSA-87.
        MlDsa87 = "ML_DSA_87",
        /// ML-KEM-512.
        MlKem512 = "ML_KEM_512",
        /// ML-KEM-768.
        MlKem768 = "ML_KEM_768",
        /// ML-KEM-1024.
        MlKem1024 = "ML_KEM_1024",
    }
}

impl KeySpec {
    /// Whether it is the symmetric encryption spec, the only one with an encryption context.
    #[must_use]
    pub fn is_symmetric(self) -> bool {
        self == Self::SymmetricDefault
    }

    /// The encryption algorithms a key of this spec supports, when its usage is
    /// `ENCRYPT_DECRYPT` (kms-api `EncryptionAlgorithmSpec`).
    #[must_use]
    pub fn encryption_algorithms(self) -> &'static [EncryptionAlgorithm] {
        use EncryptionAlgorithm::{RsaesOaepSha1, RsaesOaepSha256, Sm2Pke, SymmetricDefault};
        match self {
            Self::SymmetricDefault => &[SymmetricDefault],
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => &[RsaesOaepSha1, RsaesOaepSha256],
            Self::Sm2 => &[Sm2Pke],
            _ => &[],
        }
    }

    /// The values of `kms:SigningAlgorithm`, `kms:MacAlgorithm` or `kms:KeyAgreementAlgorithm` that a
    /// key of this spec supports for this usage (kms API reference, "CreateKey", `KeySpec`).
    #[must_use]
    pub fn algorithms(self, usage: KeyUsage) -> &'static [&'static str] {
        match (usage, self) {
            (KeyUsage::SignVerify, Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096) => &[
                "RSASSA_PSS_SHA_256",
                "RSASSA_PSS_SHA_384",
                "RSASSA_PSS_SHA_512",
                "RSASSA_PKCS1_V1_5_SHA_256",
                "RSASSA_PKCS1_V1_5_SHA_384",
                "RSASSA_PKCS1_V1_5_SHA_512",
            ],
            (KeyUsage::SignVerify, Self::EccNistP256 | Self::EccSecgP256k1) => &["ECDSA_SHA_256"],
            (KeyUsage::SignVerify, Self::EccNistP384) => &["ECDSA_SHA_384"],
            (KeyUsage::SignVerify, Self::EccNistP521) => &["ECDSA_SHA_512"],
            (KeyUsage::SignVerify, Self::EccNistEdwards25519) => {
                &["ED25519_SHA_512", "ED25519_PH_SHA_512"]
            }
            (KeyUsage::SignVerify, Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87) => {
                &["ML_DSA_SHAKE_256"]
            }
            (KeyUsage::SignVerify, Self::Sm2) => &["SM2DSA"],
            (KeyUsage::GenerateVerifyMac, Self::Hmac224) => &["HMAC_SHA_224"],
            (KeyUsage::GenerateVerifyMac, Self::Hmac256) => &["HMAC_SHA_256"],
            (KeyUsage::GenerateVerifyMac, Self::Hmac384) => &["HMAC_SHA_384"],
            (KeyUsage::GenerateVerifyMac, Self::Hmac512) => &["HMAC_SHA_512"],
            (KeyUsage::KeyAgreement, _) => &["ECDH"],
            _ => &[],
        }
    }

    /// Symmetric, asymmetric or HMAC: what a key's alias cannot be moved across (kms API reference,
    /// "UpdateAlias").
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::SymmetricDefault => "symmetric",
            Self::Hmac224 | Self::Hmac256 | Self::Hmac384 | Self::Hmac512 => "HMAC",
            _ => "asymmetric",
        }
    }

    /// The usages a key of this spec may be created with.
    #[must_use]
    pub fn key_usages(self) -> &'static [KeyUsage] {
        use KeyUsage::{
            EncapsulateDecapsulate, EncryptDecrypt, GenerateVerifyMac, KeyAgreement, SignVerify,
        };
        match self {
            Self::SymmetricDefault => &[EncryptDecrypt],
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => &[EncryptDecrypt, SignVerify],
            Self::EccNistP256 | Self::EccNistP384 | Self::EccNistP521 => {
                &[SignVerify, KeyAgreement]
            }
            Self::EccNistEdwards25519
            | Self::EccSecgP256k1
            | Self::MlDsa44
            | Self::MlDsa65
            | Self::MlDsa87 => &[SignVerify],
            Self::Hmac224 | Self::Hmac256 | Self::Hmac384 | Self::Hmac512 => &[GenerateVerifyMac],
            Self::Sm2 => &[EncryptDecrypt, SignVerify, KeyAgreement],
            Self::MlKem512 | Self::MlKem768 | Self::MlKem1024 => &[EncapsulateDecapsulate],
        }
    }
}

named! {
    /// Where a key is in its life.
    ///
    /// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>.
    KeyState, "a key state (`Enabled`, `Disabled`, `PendingDeletion`, …)", {
        /// A multi-Region replica is being made.
        Creating = "Creating",
        /// Usable.
        Enabled = "Enabled",
        /// Switched off.
        Disabled = "Disabled",
        /// Waiting for key material to be imported.
        PendingImport = "PendingImport",
        /// Waiting out its deletion window.
        PendingDeletion = "PendingDeletion",
        /// A primary waiting for its replicas to be deleted.
        PendingReplicaDeletion = "PendingReplicaDeletion",
        /// Its custom key store is disconnected.
        Unavailable = "Unavailable",
        /// Its primary Region is being changed; usable meanwhile.
        Updating = "Updating",
    }
}

named! {
    /// Where key material comes from.
    KeyOrigin, "a key origin (`AWS_KMS`, `EXTERNAL`, `AWS_CLOUDHSM`, `EXTERNAL_KEY_STORE`)", {
        /// Made by KMS.
        AwsKms = "AWS_KMS",
        /// Imported.
        External = "EXTERNAL",
        /// In a CloudHSM key store.
        AwsCloudHsm = "AWS_CLOUDHSM",
        /// In an external key store.
        ExternalKeyStore = "EXTERNAL_KEY_STORE",
    }
}

named! {
    /// Who manages a key.
    KeyManager, "a key manager (`CUSTOMER` or `AWS`)", {
        /// A customer managed key.
        Customer = "CUSTOMER",
        /// An AWS managed key: RCPs do not reach it, its policy cannot be edited.
        Aws = "AWS",
    }
}

named! {
    /// The role of a multi-Region key.
    MultiRegionKeyType, "`PRIMARY` or `REPLICA`", {
        /// The one that can be replicated.
        Primary = "PRIMARY",
        /// A replica in another Region.
        Replica = "REPLICA",
    }
}

named! {
    /// How plaintext is encrypted.
    EncryptionAlgorithm, "an encryption algorithm (`SYMMETRIC_DEFAULT`, `RSAES_OAEP_SHA_1`, `RSAES_OAEP_SHA_256`, `SM2PKE`)", {
        /// AES-256-GCM with the encryption context as additional data.
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        /// RSA-OAEP with SHA-1 and MGF1-SHA-1.
        RsaesOaepSha1 = "RSAES_OAEP_SHA_1",
        /// RSA-OAEP with SHA-256 and MGF1-SHA-256.
        RsaesOaepSha256 = "RSAES_OAEP_SHA_256",
        /// SM2 encryption, China Regions only.
        Sm2Pke = "SM2PKE",
    }
}

/// A key id: a UUID, or `mrk-` and 32 hexadecimal digits for a multi-Region key.
///
/// The id of a key ARN shares the ARN's text.
#[derive(Clone)]
pub struct KeyId {
    whole: Arc<str>,
    /// Where in `whole` the id starts.
    start: u32,
}

impl KeyId {
    /// The id at the end of a longer text, which is kept.
    pub(super) fn at_end_of(whole: &str, id: &str) -> Result<Self, InvalidText> {
        // KMS names keys by UUID or mrk- id; other ids (letters, digits, dashes) are taken too, as
        // AWS promises no form for them.
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let start = whole.strip_suffix(id).and_then(|before| u32::try_from(before.len()).ok());
        match start {
            Some(start) if !id.is_empty() && id.len() <= 128 && id.bytes().all(allowed) => {
                Ok(Self { whole: whole.into(), start })
            }
            _ => {
                Err(InvalidText::new(id, "a key id (a UUID, or `mrk-` and 32 hexadecimal digits)"))
            }
        }
    }

    /// The text that the id is the end of.
    pub(super) fn whole(&self) -> &str {
        &self.whole
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.whole.get(self.start as usize..).unwrap_or_default()
    }

    /// Whether it is written as a multi-Region key's id.
    #[must_use]
    pub fn is_multi_region(&self) -> bool {
        self.as_str().starts_with("mrk-")
    }
}

impl PartialEq for KeyId {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for KeyId {}

impl PartialOrd for KeyId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for KeyId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for KeyId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl FromStr for KeyId {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        Self::at_end_of(text, text)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What `DescribeKey` says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key's ARN.
    pub arn: KeyArn,
    /// The kind of material.
    pub spec: KeySpec,
    /// What it may be used for.
    pub usage: KeyUsage,
    /// Where it is in its life.
    pub state: KeyState,
    /// Where its material comes from.
    pub origin: KeyOrigin,
    /// Who manages it.
    pub manager: KeyManager,
    /// `None` for a single-Region key.
    pub multi_region: Option<MultiRegionKeyType>,
}

impl Key {
    /// A symmetric, enabled, customer managed, single-Region key: what `CreateKey` makes when
    /// nothing is asked for.
    #[must_use]
    pub fn symmetric(arn: KeyArn) -> Self {
        Self {
            arn,
            spec: KeySpec::SymmetricDefault,
            usage: KeyUsage::EncryptDecrypt,
            state: KeyState::Enabled,
            origin: KeyOrigin::AwsKms,
            manager: KeyManager::Customer,
            multi_region: None,
        }
    }
}
