//! Operations, and the permissions each needs on which key.
//!
//! Source: kms developer guide, "AWS KMS permissions".

use std::fmt;

use super::{Gate, Permit, Refusal};
use crate::evaluate::OperationFacts;
use crate::model::{
    Action, AliasArn, AliasName, CiphertextBlob, DataKeyLength, EncryptionAlgorithm,
    EncryptionContext, GrantToken, KeyArn, Plaintext, PrincipalArn, Region, Truth,
};

/// Which key of an operation is spoken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The only key.
    Key,
    /// The key that decrypts.
    Source,
    /// The key that encrypts.
    Destination,
    /// The alias that is made, changed or deleted.
    Alias,
    /// The key an alias points to, or the primary key, before the change.
    Current,
    /// The key an alias points to, or the primary key, after the change.
    Target,
    /// The caller's account, where no key is asked of.
    Account,
}

impl Side {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Key,
        Self::Source,
        Self::Destination,
        Self::Alias,
        Self::Current,
        Self::Target,
        Self::Account,
    ];

    /// `key`, `source`, `destination`, …
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Source => "source",
            Self::Destination => "destination",
            Self::Alias => "alias",
            Self::Current => "current",
            Self::Target => "target",
            Self::Account => "account",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A key a request named, resolved once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedKey {
    pub(super) arn: KeyArn,
    pub(super) alias: Option<AliasName>,
}

impl ResolvedKey {
    /// The key that is judged and used.
    #[must_use]
    pub fn arn(&self) -> &KeyArn {
        &self.arn
    }

    /// The alias the request named it by, if it did.
    #[must_use]
    pub fn alias(&self) -> Option<&AliasName> {
        self.alias.as_ref()
    }
}

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegResource<'o> {
    /// An alias; only identity policies speak of it.
    Alias(&'o AliasArn),
    /// No resource: `*`.
    Any,
    /// A key.
    Key(&'o KeyArn),
    /// The retiring principal whose grants are listed; only identity policies speak of it.
    Principal(&'o PrincipalArn),
}

/// One question of an operation: one action on one resource.
#[derive(Clone, Copy, Debug)]
pub struct Leg<'o> {
    /// Which key.
    pub side: Side,
    /// The action asked about.
    pub action: Action,
    /// The resource asked about.
    pub resource: LegResource<'o>,
    /// The Region the request is sent to.
    pub region: &'o Region,
    /// What this side puts into the request context.
    pub facts: OperationFacts<'o>,
    /// Grant tokens of the request.
    pub grant_tokens: &'o [GrantToken],
}

/// An operation whose permissions are known. Sealed: a new one is a change of this file.
pub trait Operation: sealed::Sealed + Sized {
    /// One permit for each permission the operation needs.
    type Permits: fmt::Debug;

    /// Asks for every permission, also after a refusal, so that no side's answer is missing.
    ///
    /// # Errors
    /// When any permission is not a sure yes.
    fn permits(&self, gate: &Gate<'_>) -> Result<Self::Permits, Refusal>;

    /// The same questions, for those who explain.
    fn legs(&self) -> Vec<Leg<'_>>;

    /// The keys it is about, each once; without an allocation, as every proof asks for them.
    fn keys(&self) -> impl Iterator<Item = &KeyArn>;

    /// The Region the request is sent to.
    fn region(&self) -> &Region;

    /// AWS's name of the operation: `ReEncrypt`.
    const NAME: &'static str;
}

/// A permission of an operation: draws its own question from it.
pub trait Permission: sealed::Sealed {
    /// The operation it belongs to.
    type Of: Operation;

    /// The question.
    fn leg(operation: &Self::Of) -> Leg<'_>;
}

/// `ReEncrypt` with its names resolved.
#[derive(Debug)]
pub struct ReEncrypt {
    pub(super) region: Region,
    pub(super) source: ResolvedKey,
    pub(super) source_algorithm: EncryptionAlgorithm,
    pub(super) source_context: EncryptionContext,
    pub(super) destination: ResolvedKey,
    pub(super) destination_algorithm: EncryptionAlgorithm,
    pub(super) destination_context: EncryptionContext,
    pub(super) same_key: Truth,
    /// `None` in a pre-flight without ciphertext; never minted then.
    pub(super) ciphertext: Option<CiphertextBlob>,
    /// The key the ciphertext says it was made by, when that is not the source key.
    pub(super) made_by_other_key: bool,
    /// The ciphertext is none that the inspector knows.
    pub(super) unreadable: bool,
    pub(super) grant_tokens: Vec<GrantToken>,
}

impl ReEncrypt {
    /// The key that decrypts.
    #[must_use]
    pub fn source(&self) -> &ResolvedKey {
        &self.source
    }

    /// The key that encrypts.
    #[must_use]
    pub fn destination(&self) -> &ResolvedKey {
        &self.destination
    }

    /// How the ciphertext was made.
    #[must_use]
    pub fn source_algorithm(&self) -> EncryptionAlgorithm {
        self.source_algorithm
    }

    /// The context the ciphertext was made with.
    #[must_use]
    pub fn source_context(&self) -> &EncryptionContext {
        &self.source_context
    }

    /// How the new ciphertext is made.
    #[must_use]
    pub fn destination_algorithm(&self) -> EncryptionAlgorithm {
        self.destination_algorithm
    }

    /// The context the new ciphertext is made with.
    #[must_use]
    pub fn destination_context(&self) -> &EncryptionContext {
        &self.destination_context
    }

    /// The ciphertext; `None` in a pre-flight.
    #[must_use]
    pub fn ciphertext(&self) -> Option<&CiphertextBlob> {
        self.ciphertext.as_ref()
    }

    /// Grant tokens, for the backend that sends them.
    #[must_use]
    pub fn grant_tokens(&self) -> &[GrantToken] {
        &self.grant_tokens
    }
}

/// `Encrypt` with its name resolved.
#[derive(Debug)]
pub struct Encrypt {
    pub(super) region: Region,
    pub(super) key: ResolvedKey,
    pub(super) algorithm: EncryptionAlgorithm,
    pub(super) context: EncryptionContext,
    /// `None` in a pre-flight; never minted then.
    pub(super) plaintext: Option<Plaintext>,
    pub(super) grant_tokens: Vec<GrantToken>,
}

impl Encrypt {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &ResolvedKey {
        &self.key
    }

    /// How the ciphertext is made.
    #[must_use]
    pub fn algorithm(&self) -> EncryptionAlgorithm {
        self.algorithm
    }

    /// The context the ciphertext is made with.
    #[must_use]
    pub fn context(&self) -> &EncryptionContext {
        &self.context
    }

    /// What is encrypted; `None` in a pre-flight.
    #[must_use]
    pub fn plaintext(&self) -> Option<&Plaintext> {
        self.plaintext.as_ref()
    }

    /// Grant tokens, for the backend that sends them.
    #[must_use]
    pub fn grant_tokens(&self) -> &[GrantToken] {
        &self.grant_tokens
    }
}

/// `Decrypt` with its name resolved.
#[derive(Debug)]
pub struct Decrypt {
    pub(super) region: Region,
    pub(super) key: ResolvedKey,
    pub(super) algorithm: EncryptionAlgorithm,
    pub(super) context: EncryptionContext,
    /// `None` in a pre-flight; never minted then.
    pub(super) ciphertext: Option<CiphertextBlob>,
    pub(super) made_by_other_key: bool,
    /// The ciphertext is none that the inspector knows.
    pub(super) unreadable: bool,
    pub(super) grant_tokens: Vec<GrantToken>,
}

impl Decrypt {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &ResolvedKey {
        &self.key
    }

    /// How the ciphertext was made.
    #[must_use]
    pub fn algorithm(&self) -> EncryptionAlgorithm {
        self.algorithm
    }

    /// The context the ciphertext was made with.
    #[must_use]
    pub fn context(&self) -> &EncryptionContext {
        &self.context
    }

    /// The ciphertext; `None` in a pre-flight.
    #[must_use]
    pub fn ciphertext(&self) -> Option<&CiphertextBlob> {
        self.ciphertext.as_ref()
    }

    /// Grant tokens, for the backend that sends them.
    #[must_use]
    pub fn grant_tokens(&self) -> &[GrantToken] {
        &self.grant_tokens
    }
}

/// `GenerateDataKey` with its name resolved. Data keys are encrypted under symmetric keys alone.
#[derive(Debug)]
pub struct GenerateDataKey {
    pub(super) region: Region,
    pub(super) key: ResolvedKey,
    pub(super) context: EncryptionContext,
    pub(super) length: DataKeyLength,
    pub(super) grant_tokens: Vec<GrantToken>,
}

impl GenerateDataKey {
    /// The key that encrypts the data key.
    #[must_use]
    pub fn key(&self) -> &ResolvedKey {
        &self.key
    }

    /// The context the data key is encrypted with.
    #[must_use]
    pub fn context(&self) -> &EncryptionContext {
        &self.context
    }

    /// How long the data key is.
    #[must_use]
    pub fn length(&self) -> DataKeyLength {
        self.length
    }

    /// Grant tokens, for the backend that sends them.
    #[must_use]
    pub fn grant_tokens(&self) -> &[GrantToken] {
        &self.grant_tokens
    }
}

/// `DescribeKey` with its name resolved.
#[derive(Debug)]
pub struct DescribeKey {
    pub(super) region: Region,
    pub(super) key: ResolvedKey,
    pub(super) grant_tokens: Vec<GrantToken>,
}

impl DescribeKey {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &ResolvedKey {
        &self.key
    }

    /// Grant tokens, for the backend that sends them.
    #[must_use]
    pub fn grant_tokens(&self) -> &[GrantToken] {
        &self.grant_tokens
    }
}

/// `kms:ReEncryptFrom` on the source key; sees the source side's context, algorithm and alias.
#[derive(Clone, Copy, Debug)]
pub enum ReEncryptFrom {}

/// `kms:ReEncryptTo` on the destination key; sees the destination side's context, algorithm and
/// alias.
#[derive(Clone, Copy, Debug)]
pub enum ReEncryptTo {}

impl Permission for ReEncryptFrom {
    type Of = ReEncrypt;

    fn leg(operation: &ReEncrypt) -> Leg<'_> {
        Leg {
            side: Side::Source,
            action: Action::ReEncryptFrom,
            resource: LegResource::Key(&operation.source.arn),
            region: &operation.region,
            facts: OperationFacts {
                encryption_context: Some(&operation.source_context),
                encryption_algorithm: Some(operation.source_algorithm),
                request_alias: operation.source.alias.as_ref(),
                re_encrypt_on_same_key: Some(operation.same_key),
                ..OperationFacts::default()
            },
            grant_tokens: &operation.grant_tokens,
        }
    }
}

impl Permission for ReEncryptTo {
    type Of = ReEncrypt;

    fn leg(operation: &ReEncrypt) -> Leg<'_> {
        Leg {
            side: Side::Destination,
            action: Action::ReEncryptTo,
            resource: LegResource::Key(&operation.destination.arn),
            region: &operation.region,
            facts: OperationFacts {
                encryption_context: Some(&operation.destination_context),
                encryption_algorithm: Some(operation.destination_algorithm),
                request_alias: operation.destination.alias.as_ref(),
                re_encrypt_on_same_key: Some(operation.same_key),
                ..OperationFacts::default()
            },
            grant_tokens: &operation.grant_tokens,
        }
    }
}

impl Operation for ReEncrypt {
    type Permits = (Permit<ReEncryptFrom>, Permit<ReEncryptTo>);
    const NAME: &'static str = "ReEncrypt";

    fn permits(&self, gate: &Gate<'_>) -> Result<Self::Permits, Refusal> {
        let from = gate.ask::<ReEncryptFrom>(self);
        let to = gate.ask::<ReEncryptTo>(self);
        Ok((from?, to?))
    }

    fn legs(&self) -> Vec<Leg<'_>> {
        vec![ReEncryptFrom::leg(self), ReEncryptTo::leg(self)]
    }

    fn keys(&self) -> impl Iterator<Item = &KeyArn> {
        let (source, destination) = (&self.source.arn, &self.destination.arn);
        std::iter::once(source).chain((source != destination).then_some(destination))
    }

    fn region(&self) -> &Region {
        &self.region
    }
}

/// Operations with one permission of the same name on one key.
macro_rules! single_key_operation {
    ($operation:ident) => {
        impl Permission for $operation {
            type Of = Self;

            fn leg(operation: &Self) -> Leg<'_> {
                Leg {
                    side: Side::Key,
                    action: Action::$operation,
                    resource: LegResource::Key(&operation.key.arn),
                    region: &operation.region,
                    facts: operation.facts(),
                    grant_tokens: &operation.grant_tokens,
                }
            }
        }

        impl Operation for $operation {
            type Permits = Permit<Self>;
            const NAME: &'static str = stringify!($operation);

            fn permits(&self, gate: &Gate<'_>) -> Result<Self::Permits, Refusal> {
                gate.ask::<Self>(self)
            }

            fn legs(&self) -> Vec<Leg<'_>> {
                vec![Self::leg(self)]
            }

            fn keys(&self) -> impl Iterator<Item = &KeyArn> {
                std::iter::once(&self.key.arn)
            }

            fn region(&self) -> &Region {
                &self.region
            }
        }
    };
}
single_key_operation!(Encrypt);
single_key_operation!(Decrypt);
single_key_operation!(GenerateDataKey);
single_key_operation!(DescribeKey);

impl Encrypt {
    fn facts(&self) -> OperationFacts<'_> {
        cipher_facts(&self.context, self.algorithm, &self.key)
    }
}

impl Decrypt {
    fn facts(&self) -> OperationFacts<'_> {
        cipher_facts(&self.context, self.algorithm, &self.key)
    }
}

impl GenerateDataKey {
    fn facts(&self) -> OperationFacts<'_> {
        cipher_facts(&self.context, EncryptionAlgorithm::SymmetricDefault, &self.key)
    }
}

impl DescribeKey {
    fn facts(&self) -> OperationFacts<'_> {
        OperationFacts { request_alias: self.key.alias.as_ref(), ..OperationFacts::default() }
    }
}

/// What an operation that encrypts or decrypts puts into the request context.
fn cipher_facts<'o>(
    context: &'o EncryptionContext,
    algorithm: EncryptionAlgorithm,
    key: &'o ResolvedKey,
) -> OperationFacts<'o> {
    OperationFacts {
        encryption_context: Some(context),
        encryption_algorithm: Some(algorithm),
        request_alias: key.alias.as_ref(),
        ..OperationFacts::default()
    }
}

pub(super) mod sealed {
    /// Operations and permissions are ours alone.
    pub trait Sealed {}

    impl Sealed for super::ReEncrypt {}
    impl Sealed for super::Encrypt {}
    impl Sealed for super::Decrypt {}
    impl Sealed for super::GenerateDataKey {}
    impl Sealed for super::DescribeKey {}
    impl Sealed for super::ReEncryptFrom {}
    impl Sealed for super::ReEncryptTo {}
}
