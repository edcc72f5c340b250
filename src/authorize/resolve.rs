//! Names → keys, once.
//!
//! A bare key id or alias name is looked up in the caller's account and the request's Region; a
//! foreign key is named by ARN. Sources: kms developer guide, "Allowing users in other accounts to
//! use a KMS key"; botocore `ReEncrypt`, which also takes the short id of a foreign source key of
//! a symmetric ciphertext.

use std::fmt;
use std::str::FromStr;

use super::{
    Authorizer, Decrypt, DescribeKey, Encrypt, GenerateDataKey, Judged, ReEncrypt, ResolvedKey,
};
use crate::compile::{AliasTarget, Caller};
use crate::model::{
    AccountId, AliasArn, AliasName, CiphertextBlob, DataKeyLength, EncryptionAlgorithm,
    EncryptionContext, GrantToken, InvalidText, KeyArn, KeyId, Plaintext, Reading, Region,
    Timestamp, Truth,
};

/// A key as a request names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyIdentifier {
    /// `alias/name`.
    Alias(AliasName),
    /// The ARN of an alias.
    AliasArn(AliasArn),
    /// The ARN of a key.
    Arn(KeyArn),
    /// A key id.
    Id(KeyId),
}

impl KeyIdentifier {
    /// The Region an ARN names.
    #[must_use]
    pub fn region(&self) -> Option<Region> {
        match self {
            Self::AliasArn(arn) => Some(arn.region.clone()),
            Self::Arn(arn) => Some(arn.region().clone()),
            Self::Alias(_) | Self::Id(_) => None,
        }
    }
}

impl FromStr for KeyIdentifier {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let parsed = if text.starts_with("alias/") {
            text.parse().map(Self::Alias)
        } else if text.starts_with("arn:") && text.contains(":alias/") {
            text.parse().map(Self::AliasArn)
        } else if text.starts_with("arn:") {
            text.parse().map(Self::Arn)
        } else {
            text.parse().map(Self::Id)
        };
        parsed.map_err(|_| {
            InvalidText::new(text, "a key id, key ARN, alias name (`alias/…`) or alias ARN")
        })
    }
}

impl fmt::Display for KeyIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alias(name) => name.fmt(f),
            Self::AliasArn(arn) => arn.fmt(f),
            Self::Arn(arn) => arn.fmt(f),
            Self::Id(id) => id.fmt(f),
        }
    }
}

/// `ReEncrypt` as it was asked for.
#[derive(Debug)]
pub struct ReEncryptRequest {
    /// The Region it is sent to.
    pub region: Region,
    /// `None` in a pre-flight; the source key must be given then.
    pub ciphertext: Option<CiphertextBlob>,
    /// The key that made the ciphertext; optional for symmetric ciphertexts, which name it.
    pub source_key: Option<KeyIdentifier>,
    /// How it was made.
    pub source_algorithm: EncryptionAlgorithm,
    /// The context it was made with.
    pub source_context: EncryptionContext,
    /// The key to encrypt under.
    pub destination_key: KeyIdentifier,
    /// How to encrypt.
    pub destination_algorithm: EncryptionAlgorithm,
    /// The context to encrypt with.
    pub destination_context: EncryptionContext,
    /// At most ten.
    pub grant_tokens: Vec<GrantToken>,
}

/// `Encrypt` as it was asked for.
#[derive(Debug)]
pub struct EncryptRequest {
    /// The Region it is sent to.
    pub region: Region,
    /// The key.
    pub key: KeyIdentifier,
    /// `None` in a pre-flight.
    pub plaintext: Option<Plaintext>,
    /// How to encrypt.
    pub algorithm: EncryptionAlgorithm,
    /// The context to encrypt with.
    pub context: EncryptionContext,
    /// At most ten.
    pub grant_tokens: Vec<GrantToken>,
}

/// `Decrypt` as it was asked for.
#[derive(Debug)]
pub struct DecryptRequest {
    /// The Region it is sent to.
    pub region: Region,
    /// `None` in a pre-flight; the key must be given then.
    pub ciphertext: Option<CiphertextBlob>,
    /// The key that made the ciphertext; optional for symmetric ciphertexts, which name it.
    pub key: Option<KeyIdentifier>,
    /// How it was made.
    pub algorithm: EncryptionAlgorithm,
    /// The context it was made with.
    pub context: EncryptionContext,
    /// At most ten.
    pub grant_tokens: Vec<GrantToken>,
}

/// `GenerateDataKey` as it was asked for.
#[derive(Debug)]
pub struct GenerateDataKeyRequest {
    /// The Region it is sent to.
    pub region: Region,
    /// The key that encrypts the data key.
    pub key: KeyIdentifier,
    /// The context to encrypt with.
    pub context: EncryptionContext,
    /// How long the data key is.
    pub length: DataKeyLength,
    /// At most ten.
    pub grant_tokens: Vec<GrantToken>,
}

/// `DescribeKey` as it was asked for.
#[derive(Debug)]
pub struct DescribeKeyRequest {
    /// The Region it is sent to.
    pub region: Region,
    /// The key.
    pub key: KeyIdentifier,
    /// At most ten.
    pub grant_tokens: Vec<GrantToken>,
}

/// What a ciphertext says of the key that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// It names its key: the ARN under which that key is known where the ciphertext was made. A
    /// related multi-Region key opens it as well.
    Key(KeyArn),
    /// It says nothing, as RSA ciphertexts do.
    Opaque,
}

/// A ciphertext is not of any form the inspector knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ciphertext cannot be read: {0}")]
pub struct InspectError(pub String);

/// Tells which key made a ciphertext, without decrypting it.
pub trait CiphertextInspector {
    /// Reads what the ciphertext says.
    ///
    /// # Errors
    /// When it is not a ciphertext this inspector knows.
    fn inspect(&self, ciphertext: &CiphertextBlob) -> Result<Provenance, InspectError>;

    /// When the key material that made the ciphertext was made; `None` where that cannot be told.
    fn material_date(&self, _: &CiphertextBlob) -> Option<Timestamp> {
        None
    }
}

/// Knows no ciphertexts: every one is opaque, so the source key must be given.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoInspector;

impl CiphertextInspector for NoInspector {
    fn inspect(&self, _: &CiphertextBlob) -> Result<Provenance, InspectError> {
        Ok(Provenance::Opaque)
    }
}

/// A name does not lead to a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// Occurs when the ciphertext names a key that is not there for this caller; KMS does not say
    /// which.
    #[error(
        "the ciphertext refers to a key that does not exist, is in another Region, or that you may not use"
    )]
    Masked,
    /// Occurs when the ciphertext is not one.
    #[error(transparent)]
    Ciphertext(#[from] InspectError),
    /// Occurs when a key or alias does not exist in the account and Region it was looked up in.
    #[error("{what} does not exist in account {account}, Region {region}")]
    NotFound {
        /// What was looked up.
        what: String,
        /// Where.
        account: AccountId,
        /// Where.
        region: Region,
    },
    /// Occurs when a key ARN is of another Region than the request is sent to.
    #[error(
        "{key} is not in Region {region}, where the request is sent: keys are used in their own Region"
    )]
    OtherRegion {
        /// The key.
        key: Box<KeyArn>,
        /// Where the request is sent.
        region: Region,
    },
    /// Occurs when the ciphertext does not say which key made it, as RSA's never do, and the source
    /// key is not given. KMS takes such a ciphertext for a symmetric one, which it is not.
    #[error("the ciphertext does not name its key: give the source key")]
    Opaque,
    /// Occurs when there is neither a source key nor a ciphertext to name it.
    #[error("the source key is missing: give it, or the ciphertext that names it")]
    SourceKeyMissing,
    /// Occurs when a request has more than ten grant tokens.
    #[error("a request takes at most 10 grant tokens, not {0}")]
    TooManyGrantTokens(usize),
    /// Occurs when a service or an unsigned request names a key without an account.
    #[error("`{0}` has no account to be looked up in: give the key's ARN")]
    NoAccount(String),
    /// Occurs when the world does not say what a name leads to.
    #[error("{what} is not known: {reason}")]
    Unknown {
        /// What was looked up.
        what: String,
        /// Why it is not known, and what to do.
        reason: String,
    },
}

impl ResolveError {
    /// AWS's error; `None` when AWS's answer is not known.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Masked => Some("AccessDeniedException"),
            Self::Ciphertext(_) | Self::Opaque => Some("InvalidCiphertextException"),
            Self::NotFound { .. } | Self::OtherRegion { .. } => Some("NotFoundException"),
            Self::SourceKeyMissing | Self::TooManyGrantTokens(_) | Self::NoAccount(_) => {
                Some("ValidationException")
            }
            Self::Unknown { .. } => None,
        }
    }
}

impl Authorizer<'_> {
    /// Resolves both keys of a ReEncrypt.
    ///
    /// # Errors
    /// When a name leads to no key, or to none that is known.
    pub fn resolve_re_encrypt(
        &self,
        request: ReEncryptRequest,
        caller: &Caller,
        inspector: &impl CiphertextInspector,
    ) -> Result<ReEncrypt, ResolveError> {
        let region = request.region;
        count(&request.grant_tokens)?;
        let algorithm = request.source_algorithm;
        let given = request.source_key.is_some();
        let (origin, unreadable) =
            origin(request.ciphertext.as_ref(), algorithm, inspector, given)?;
        let missing = absent_source(request.ciphertext.as_ref());
        let source = self.source(request.source_key, origin.as_ref(), missing, &region, caller)?;
        let destination = self.key(request.destination_key, &region, caller)?;
        Ok(ReEncrypt {
            same_key: self.same_key(&source.arn, &destination.arn),
            made_by_other_key: origin.is_some_and(|made_by| !made_by.is_related_to(&source.arn)),
            unreadable,
            region,
            source,
            source_algorithm: algorithm,
            source_context: request.source_context,
            destination,
            destination_algorithm: request.destination_algorithm,
            destination_context: request.destination_context,
            ciphertext: request.ciphertext,
            grant_tokens: request.grant_tokens,
        })
    }

    /// Resolves the key of an Encrypt.
    ///
    /// # Errors
    /// When the name leads to no key, or to none that is known.
    pub fn resolve_encrypt(
        &self,
        request: EncryptRequest,
        caller: &Caller,
    ) -> Result<Encrypt, ResolveError> {
        count(&request.grant_tokens)?;
        Ok(Encrypt {
            key: self.key(request.key, &request.region, caller)?,
            region: request.region,
            algorithm: request.algorithm,
            context: request.context,
            plaintext: request.plaintext,
            grant_tokens: request.grant_tokens,
        })
    }

    /// Resolves the key of a Decrypt.
    ///
    /// # Errors
    /// When the name leads to no key, or to none that is known.
    pub fn resolve_decrypt(
        &self,
        request: DecryptRequest,
        caller: &Caller,
        inspector: &impl CiphertextInspector,
    ) -> Result<Decrypt, ResolveError> {
        count(&request.grant_tokens)?;
        let given = request.key.is_some();
        let (origin, unreadable) =
            origin(request.ciphertext.as_ref(), request.algorithm, inspector, given)?;
        let missing = absent_source(request.ciphertext.as_ref());
        let key = self.source(request.key, origin.as_ref(), missing, &request.region, caller)?;
        Ok(Decrypt {
            made_by_other_key: origin.is_some_and(|made_by| !made_by.is_related_to(&key.arn)),
            unreadable,
            region: request.region,
            key,
            algorithm: request.algorithm,
            context: request.context,
            ciphertext: request.ciphertext,
            grant_tokens: request.grant_tokens,
        })
    }

    /// Resolves the key of a GenerateDataKey.
    ///
    /// # Errors
    /// When the name leads to no key, or to none that is known.
    pub fn resolve_generate_data_key(
        &self,
        request: GenerateDataKeyRequest,
        caller: &Caller,
    ) -> Result<GenerateDataKey, ResolveError> {
        count(&request.grant_tokens)?;
        Ok(GenerateDataKey {
            key: self.key(request.key, &request.region, caller)?,
            region: request.region,
            context: request.context,
            length: request.length,
            grant_tokens: request.grant_tokens,
        })
    }

    /// Resolves the key of a DescribeKey.
    ///
    /// # Errors
    /// When the name leads to no key, or to none that is known.
    pub fn resolve_describe_key(
        &self,
        request: DescribeKeyRequest,
        caller: &Caller,
    ) -> Result<DescribeKey, ResolveError> {
        count(&request.grant_tokens)?;
        Ok(DescribeKey {
            key: self.key(request.key, &request.region, caller)?,
            region: request.region,
            grant_tokens: request.grant_tokens,
        })
    }

    /// Resolves the name of a key that is used in `region` by `caller`.
    ///
    /// # Errors
    /// When the name leads to no key, or to none that is known.
    pub fn resolve_key(
        &self,
        name: KeyIdentifier,
        region: &Region,
        caller: &Caller,
    ) -> Result<ResolvedKey, ResolveError> {
        self.key(name, region, caller)
    }

    fn key(
        &self,
        name: KeyIdentifier,
        region: &Region,
        caller: &Caller,
    ) -> Result<ResolvedKey, ResolveError> {
        let own_account =
            || caller.principal.account().ok_or_else(|| ResolveError::NoAccount(name.to_string()));
        match &name {
            KeyIdentifier::Arn(arn) => {
                if arn.region() != region {
                    let key = Box::new(arn.clone());
                    return Err(ResolveError::OtherRegion { key, region: region.clone() });
                }
                if self.snapshot().knows_all_keys() && self.snapshot().key(arn).is_none() {
                    return Err(not_found(format!("`{arn}`"), arn.account(), region));
                }
                Ok(ResolvedKey { arn: arn.clone(), alias: None })
            }
            KeyIdentifier::Id(id) => {
                let arn = self.by_id(own_account()?, region, id)?;
                Ok(ResolvedKey { arn, alias: None })
            }
            KeyIdentifier::Alias(alias) => self.by_alias(own_account()?, region, alias),
            KeyIdentifier::AliasArn(arn) => {
                if arn.region != *region {
                    let (account, region) = (arn.account, region.clone());
                    return Err(ResolveError::NotFound {
                        what: format!("`{arn}`"),
                        account,
                        region,
                    });
                }
                let found = self.by_alias(arn.account, region, &arn.name)?;
                // Partitions share nothing: the same account id elsewhere is another account.
                if found.arn.partition() != &*arn.partition {
                    return Err(not_found(format!("`{arn}`"), arn.account, region));
                }
                Ok(found)
            }
        }
    }

    fn by_id(
        &self,
        account: AccountId,
        region: &Region,
        id: &KeyId,
    ) -> Result<KeyArn, ResolveError> {
        match self.snapshot().key_by_id(account, region, id) {
            Some(entry) => Ok(entry.key.arn.clone()),
            None if self.snapshot().knows_all_keys() => {
                Err(not_found(format!("key `{id}`"), account, region))
            }
            None => Err(ResolveError::Unknown {
                what: format!("key `{id}` of account {account}, Region {region}"),
                reason: "the world has no such key; name a key of another account by its ARN"
                    .into(),
            }),
        }
    }

    fn by_alias(
        &self,
        account: AccountId,
        region: &Region,
        name: &AliasName,
    ) -> Result<ResolvedKey, ResolveError> {
        match self.snapshot().alias(account, region, name) {
            AliasTarget::Key(id) => {
                let arn = self.by_id(account, region, id)?;
                Ok(ResolvedKey { arn, alias: Some(name.clone()) })
            }
            AliasTarget::Missing => Err(not_found(format!("`{name}`"), account, region)),
            AliasTarget::Unknown(reason) => Err(ResolveError::Unknown {
                what: format!("`{name}` of account {account}, Region {region}"),
                reason: reason.into(),
            }),
        }
    }

    /// The key that opens the ciphertext: the one given, else the one the ciphertext names.
    fn source(
        &self,
        given: Option<KeyIdentifier>,
        origin: Option<&KeyArn>,
        missing: ResolveError,
        region: &Region,
        caller: &Caller,
    ) -> Result<ResolvedKey, ResolveError> {
        match (given, origin) {
            // The short id of a foreign key is enough where the ciphertext names the key.
            (Some(KeyIdentifier::Id(id)), Some(made_by)) if id == *made_by.id() => {
                Ok(ResolvedKey { arn: self.local(made_by, region)?, alias: None })
            }
            (Some(name), _) => self.key(name, region, caller),
            (None, Some(made_by)) => {
                let arn = self.local(made_by, region)?;
                if self.snapshot().knows_all_keys() && self.snapshot().key(&arn).is_none() {
                    return Err(ResolveError::Masked);
                }
                Ok(ResolvedKey { arn, alias: None })
            }
            (None, None) => Err(missing),
        }
    }

    /// The key itself in its own Region, or its related multi-Region key in the request's.
    fn local(&self, made_by: &KeyArn, region: &Region) -> Result<KeyArn, ResolveError> {
        if made_by.region() == region {
            return Ok(made_by.clone());
        }
        if !made_by.id().is_multi_region() {
            return Err(ResolveError::Masked);
        }
        KeyArn::new(made_by.partition(), region, made_by.account(), made_by.id())
            .ok()
            .filter(|arn| self.snapshot().key(arn).is_some())
            .ok_or(ResolveError::Masked)
    }

    fn same_key(&self, source: &KeyArn, destination: &KeyArn) -> Truth {
        if source == destination {
            Truth::True
        } else if source.is_related_to(destination) {
            match self.snapshot().readings().choice(Reading::ReEncryptOnSameKeyRelated) {
                0 => Truth::Unknown,
                choice => (choice == 1).into(),
            }
        } else {
            Truth::False
        }
    }
}

/// A request of an operation that can be run. Sealed, as operations are.
pub trait Request: sealed::Sealed + Sized {
    /// What it becomes when its names are resolved.
    type Operation: Judged + fmt::Debug;

    /// The Region it is sent to.
    fn region(&self) -> &Region;

    /// Resolves its names.
    ///
    /// # Errors
    /// When a name leads to no key, or to none that is known.
    fn resolve(
        self,
        authorizer: &Authorizer<'_>,
        caller: &Caller,
        inspector: &impl CiphertextInspector,
    ) -> Result<Self::Operation, ResolveError>;
}

macro_rules! request {
    ($request:ident, $operation:ident, $resolve:ident $(, $inspector:ident)?) => {
        impl sealed::Sealed for $request {}

        impl Request for $request {
            type Operation = $operation;

            fn region(&self) -> &Region {
                &self.region
            }

            fn resolve(
                self,
                authorizer: &Authorizer<'_>,
                caller: &Caller,
                _inspector: &impl CiphertextInspector,
            ) -> Result<$operation, ResolveError> {
                $(let $inspector = _inspector;)?
                authorizer.$resolve(self, caller $(, $inspector)?)
            }
        }
    };
}
request!(ReEncryptRequest, ReEncrypt, resolve_re_encrypt, inspector);
request!(EncryptRequest, Encrypt, resolve_encrypt);
request!(DecryptRequest, Decrypt, resolve_decrypt, inspector);
request!(GenerateDataKeyRequest, GenerateDataKey, resolve_generate_data_key);
request!(DescribeKeyRequest, DescribeKey, resolve_describe_key);

mod sealed {
    /// Requests are ours alone.
    pub trait Sealed {}
}

/// The error where no key is named at all.
fn absent_source(ciphertext: Option<&CiphertextBlob>) -> ResolveError {
    if ciphertext.is_some() { ResolveError::Opaque } else { ResolveError::SourceKeyMissing }
}

/// The key a symmetric ciphertext names, and whether it is unreadable: where the key is given, that
/// is told to a permitted caller alone.
fn origin(
    ciphertext: Option<&CiphertextBlob>,
    algorithm: EncryptionAlgorithm,
    inspector: &impl CiphertextInspector,
    key_is_given: bool,
) -> Result<(Option<KeyArn>, bool), ResolveError> {
    match ciphertext {
        Some(blob) if algorithm == EncryptionAlgorithm::SymmetricDefault => {
            match inspector.inspect(blob) {
                Ok(Provenance::Key(arn)) => Ok((Some(arn), false)),
                Ok(Provenance::Opaque) => Ok((None, false)),
                Err(_) if key_is_given => Ok((None, true)),
                Err(error) => Err(error.into()),
            }
        }
        _ => Ok((None, false)),
    }
}

fn not_found(what: String, account: AccountId, region: &Region) -> ResolveError {
    ResolveError::NotFound { what, account, region: region.clone() }
}

pub(super) fn count(tokens: &[GrantToken]) -> Result<(), ResolveError> {
    if tokens.len() > 10 { Err(ResolveError::TooManyGrantTokens(tokens.len())) } else { Ok(()) }
}
