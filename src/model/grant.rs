//! Grants.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html> and botocore
//! `kms/2014-11-01` (`CreateGrant`, `GrantConstraints`, `GrantListEntry`).

use std::fmt;
use std::str::FromStr;

use super::{
    AccountId, Action, ActionSet, EncryptionContext, InvalidText, KeyArn, KeySpec, KeyUsage,
    PrincipalArn, ServiceName, Timestamp, UniqueId,
};

/// 1 to 128 characters; 64 hexadecimal digits in practice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantId(Box<str>);

impl GrantId {
    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GrantId {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        if (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidText::new(text, "a grant id (1 to 128 characters)"))
        }
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A grant token: makes a new grant usable before it has spread. Secret, so it has no text form.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct GrantToken(Box<str>);

impl GrantToken {
    /// Wraps a token of 1 to 8,192 characters.
    ///
    /// # Errors
    /// When it is empty or longer.
    pub fn new(text: &str) -> Result<Self, InvalidText> {
        if (1..=8192).contains(&text.len()) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidText::new("…", "a grant token of 1 to 8192 characters"))
        }
    }

    /// The token itself, for the backend that must send it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for GrantToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GrantToken(…)")
    }
}

/// An operation a grant can allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantOperation(Action);

impl GrantOperation {
    /// Every action that a grant can allow (botocore `GrantOperation`).
    pub const ALL: &'static [Action] = &[
        Action::CreateGrant,
        Action::Decapsulate,
        Action::Decrypt,
        Action::DeriveSharedSecret,
        Action::DescribeKey,
        Action::Encapsulate,
        Action::Encrypt,
        Action::GenerateDataKey,
        Action::GenerateDataKeyPair,
        Action::GenerateDataKeyPairWithoutPlaintext,
        Action::GenerateDataKeyWithoutPlaintext,
        Action::GenerateMac,
        Action::GetPublicKey,
        Action::ReEncryptFrom,
        Action::ReEncryptTo,
        Action::RetireGrant,
        Action::Sign,
        Action::Verify,
        Action::VerifyMac,
    ];

    /// The operations that a grant on a key of this kind can allow (botocore `GrantOperation`; kms
    /// developer guide, "Grant operations"). A spec goes with some usages alone; of others there is
    /// no key.
    #[must_use]
    pub fn of_key(spec: KeySpec, usage: KeyUsage) -> ActionSet {
        use Action as A;
        let own: &[Action] = match usage {
            KeyUsage::EncryptDecrypt if spec.is_symmetric() => &[
                A::Encrypt,
                A::Decrypt,
                A::GenerateDataKey,
                A::GenerateDataKeyWithoutPlaintext,
                A::GenerateDataKeyPair,
                A::GenerateDataKeyPairWithoutPlaintext,
                A::ReEncryptFrom,
                A::ReEncryptTo,
            ],
            KeyUsage::EncryptDecrypt => {
                &[A::Encrypt, A::Decrypt, A::ReEncryptFrom, A::ReEncryptTo, A::GetPublicKey]
            }
            KeyUsage::SignVerify => &[A::Sign, A::Verify, A::GetPublicKey],
            KeyUsage::GenerateVerifyMac => &[A::GenerateMac, A::VerifyMac],
            KeyUsage::KeyAgreement => &[A::DeriveSharedSecret, A::GetPublicKey],
            KeyUsage::EncapsulateDecapsulate => &[A::Encapsulate, A::Decapsulate, A::GetPublicKey],
        };
        own.iter().copied().chain([A::CreateGrant, A::RetireGrant, A::DescribeKey]).collect()
    }

    /// The action it allows.
    #[must_use]
    pub fn action(self) -> Action {
        self.0
    }

    /// The actions of a list of operations.
    ///
    /// # Errors
    /// When one is no grant operation.
    pub fn set(names: &[String]) -> Result<ActionSet, InvalidText> {
        names.iter().map(|name| name.parse().map(Self::action)).collect()
    }
}

impl FromStr for GrantOperation {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        Self::ALL
            .iter()
            .find(|action| action.name() == text)
            .map(|action| Self(*action))
            .ok_or_else(|| {
                InvalidText::new(text, "a grant operation (`Decrypt`, `ReEncryptFrom`, …)")
            })
    }
}

/// Whom a grant names as grantee or retiring principal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GrantPrincipal {
    /// A principal that was deleted, or a pseudo principal of a service: matches no caller we know.
    Other(Box<str>),
    /// A root user, user, role, session or federated user.
    Principal(PrincipalArn),
    /// An AWS service.
    Service(ServiceName),
    /// What AWS shows once the named principal is gone.
    Unique(UniqueId),
}

impl GrantPrincipal {
    /// Reads what `list-grants` prints as `GranteePrincipal` or `RetiringPrincipal`: a principal's
    /// ARN, a service name (legacy service grants), a unique id, or a service's pseudo principal.
    #[must_use]
    pub fn listed(text: &str) -> Self {
        if let Ok(arn) = text.parse() {
            Self::Principal(arn)
        } else if let Ok(id) = text.parse() {
            Self::Unique(id)
        } else if let Ok(service) = text.parse() {
            Self::Service(service)
        } else {
            Self::Other(text.into())
        }
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(text) => text,
            Self::Principal(arn) => arn.as_str(),
            Self::Service(service) => service.as_str(),
            Self::Unique(id) => id.as_str(),
        }
    }
}

/// What the request's encryption context must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EncryptionContextConstraint {
    /// Exactly these pairs.
    Equals(EncryptionContext),
    /// At least these pairs.
    Subset(EncryptionContext),
}

/// Under what conditions a grant applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantConstraints {
    /// On the encryption context of cryptographic operations with a symmetric key.
    pub encryption_context: Option<EncryptionContextConstraint>,
    /// On the resource a service acts for.
    pub source_arn: Option<Box<str>>,
}

/// Whether a grant is in effect everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantVisibility {
    /// It has spread: every request sees it.
    Propagated,
    /// It is new: only a request that carries this token can count on it.
    TokenOnly(GrantToken),
}

/// One grant: one key, one grantee, only ever adding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The grant's id.
    pub id: GrantId,
    /// Its friendly name.
    pub name: Option<Box<str>>,
    /// The key it is on.
    pub key: KeyArn,
    /// Who may use it.
    pub grantee: GrantPrincipal,
    /// Who may retire it.
    pub retiring: Option<GrantPrincipal>,
    /// What it allows.
    pub operations: ActionSet,
    /// When it applies.
    pub constraints: GrantConstraints,
    /// The account under which it was issued; the key's own account when not told.
    pub issuing_account: Option<AccountId>,
    /// When it was made.
    pub creation_date: Option<Timestamp>,
    /// Whether it has spread.
    pub visibility: GrantVisibility,
}
