//! What stands in the store: JSON records of a version, and their way to the model and back.
//!
//! Rows are named by texts joined with NUL, which none of the parts can hold.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::MaterialId;
use super::keystore::Table;
use super::material::{Family, hex};
use crate::model::{
    ActionSet, EncryptionContext, EncryptionContextConstraint, Grant, GrantConstraints, GrantId,
    GrantOperation, GrantPrincipal, GrantVisibility, InvalidText, Key, KeyArn, Timestamp,
};

/// A record that says what no keyproof wrote. It has no way to `KeystoreError` but through the
/// store, which knows its file.
#[derive(Debug)]
pub(super) struct Malformed(pub(super) String);

impl From<InvalidText> for Malformed {
    fn from(error: InvalidText) -> Self {
        Self(error.to_string())
    }
}

/// What is kept in one table.
pub(super) trait Record: Serialize + DeserializeOwned {
    const TABLE: Table;

    fn encode(&self) -> Result<Vec<u8>, Malformed> {
        serde_json::to_vec(&Versioned { v: VERSION, record: self })
            .map_err(|error| Malformed(error.to_string()))
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let Versioned { v, record } =
            serde_json::from_slice(bytes).map_err(|error| Malformed(error.to_string()))?;
        match v {
            VERSION => Ok(record),
            other => Err(Malformed(format!("a record has version {other}, not {VERSION}"))),
        }
    }
}

/// Joins the parts of a row's name.
pub(super) fn row(parts: &[&str]) -> String {
    parts.join("\0")
}

/// The beginning of the names of all rows whose first part is `first`.
pub(super) fn under(first: &str) -> String {
    format!("{first}\0")
}

/// The last part of a row's name.
pub(super) fn last_part(row: &str) -> &str {
    row.rsplit('\0').next().unwrap_or_default()
}

const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Versioned<R> {
    v: u8,
    record: R,
}

/// A key; the row is its ARN.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyRecord {
    spec: String,
    usage: String,
    state: String,
    origin: String,
    manager: String,
    multi_region: Option<String>,
    pub(super) description: String,
    creation_date: String,
    deletion_date: Option<String>,
    /// Days, kept while a primary waits for its replicas to go.
    pub(super) pending_window: Option<u16>,
}

impl Record for KeyRecord {
    const TABLE: Table = Table::Keys;
}

impl KeyRecord {
    pub(super) fn new(key: &Key, description: &str, creation_date: Timestamp) -> Self {
        Self {
            spec: key.spec.to_string(),
            usage: key.usage.to_string(),
            state: key.state.to_string(),
            origin: key.origin.to_string(),
            manager: key.manager.to_string(),
            multi_region: key.multi_region.map(|kind| kind.to_string()),
            description: description.into(),
            creation_date: creation_date.to_string(),
            deletion_date: None,
            pending_window: None,
        }
    }

    pub(super) fn key(&self, arn: &KeyArn) -> Result<Key, Malformed> {
        Ok(Key {
            arn: arn.clone(),
            spec: self.spec.parse()?,
            usage: self.usage.parse()?,
            state: self.state.parse()?,
            origin: self.origin.parse()?,
            manager: self.manager.parse()?,
            multi_region: self.multi_region.as_deref().map(str::parse).transpose()?,
        })
    }

    pub(super) fn set_state(&mut self, state: crate::model::KeyState) {
        self.state = state.to_string();
    }

    pub(super) fn set_deletion_date(&mut self, date: Option<Timestamp>) {
        self.deletion_date = date.map(|date| date.to_string());
    }

    pub(super) fn creation_date(&self) -> Result<Timestamp, Malformed> {
        Ok(self.creation_date.parse()?)
    }

    pub(super) fn deletion_date(&self) -> Result<Option<Timestamp>, Malformed> {
        Ok(self.deletion_date.as_deref().map(str::parse).transpose()?)
    }
}

/// What related keys share; the row is the family.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FamilyRecord {
    current: String,
    pub(super) rotations: u32,
    last_rotation: Option<String>,
}

impl Record for FamilyRecord {
    const TABLE: Table = Table::Families;
}

impl FamilyRecord {
    pub(super) fn new(current: MaterialId) -> Self {
        Self { current: current.to_string(), rotations: 0, last_rotation: None }
    }

    pub(super) fn rotate(&mut self, current: MaterialId, now: Timestamp) {
        self.current = current.to_string();
        self.rotations += 1;
        self.last_rotation = Some(now.to_string());
    }

    pub(super) fn current(&self) -> Result<MaterialId, Malformed> {
        Ok(self.current.parse()?)
    }

    pub(super) fn last_rotation(&self) -> Result<Option<Timestamp>, Malformed> {
        Ok(self.last_rotation.as_deref().map(str::parse).transpose()?)
    }
}

/// One sealed key material; the row is family and material id.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MaterialRecord {
    sealed: String,
    creation_date: String,
}

impl Record for MaterialRecord {
    const TABLE: Table = Table::Materials;
}

impl MaterialRecord {
    pub(super) fn row(family: &Family, id: MaterialId) -> String {
        row(&[family.as_str(), &id.to_string()])
    }

    pub(super) fn new(sealed: &[u8], creation_date: Timestamp) -> Self {
        Self { sealed: STANDARD.encode(sealed), creation_date: creation_date.to_string() }
    }

    pub(super) fn sealed(&self) -> Result<Vec<u8>, Malformed> {
        STANDARD.decode(&self.sealed).map_err(|error| Malformed(error.to_string()))
    }

    pub(super) fn creation_date(&self) -> Option<Timestamp> {
        self.creation_date.parse().ok()
    }
}

/// A key policy's text; the row is key and policy name.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyRecord {
    pub(super) text: String,
}

impl Record for PolicyRecord {
    const TABLE: Table = Table::Policies;
}

/// A tag's value; the row is key and tag name.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TagRecord {
    pub(super) value: String,
}

impl Record for TagRecord {
    const TABLE: Table = Table::Tags;
}

/// An alias's target; the row is the alias's ARN.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AliasRecord {
    target: String,
    creation_date: String,
    pub(super) last_updated: String,
}

impl Record for AliasRecord {
    const TABLE: Table = Table::Aliases;
}

impl AliasRecord {
    pub(super) fn new(target: &KeyArn, now: Timestamp) -> Self {
        let now = now.to_string();
        Self { target: target.to_string(), creation_date: now.clone(), last_updated: now }
    }

    pub(super) fn points_to(&self, key: &KeyArn) -> bool {
        self.target == key.as_str()
    }

    pub(super) fn target(&self) -> Result<KeyArn, Malformed> {
        Ok(self.target.parse()?)
    }

    pub(super) fn retarget(&mut self, target: &KeyArn, now: Timestamp) {
        self.target = target.to_string();
        self.last_updated = now.to_string();
    }
}

/// That a grant has a name; the row is key, name and grant id.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantNameRecord {}

impl Record for GrantNameRecord {
    const TABLE: Table = Table::GrantNames;
}

/// Which grant a token names; the row is the token's SHA-256 in hexadecimal digits.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenRecord {
    pub(super) key: String,
    pub(super) grant: String,
}

impl Record for TokenRecord {
    const TABLE: Table = Table::Tokens;
}

impl TokenRecord {
    pub(super) fn row(token: &str) -> String {
        hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes()).as_ref())
    }
}

/// A grant; the row is key and grant id.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantRecord {
    pub(super) name: Option<String>,
    grantee: String,
    retiring: Option<String>,
    operations: Vec<String>,
    context: Option<ContextRecord>,
    source_arn: Option<String>,
    issuing_account: Option<String>,
    creation_date: Option<String>,
    /// Hashes of its tokens; the tokens themselves are not kept.
    pub(super) tokens: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum ContextRecord {
    Equals(BTreeMap<String, String>),
    Subset(BTreeMap<String, String>),
}

impl Record for GrantRecord {
    const TABLE: Table = Table::Grants;
}

impl GrantRecord {
    pub(super) fn new(grant: &Grant) -> Self {
        let pairs = |context: &EncryptionContext| {
            context.iter().map(|(name, value)| (name.into(), value.into())).collect()
        };
        Self {
            name: grant.name.as_deref().map(Into::into),
            grantee: grant.grantee.as_str().into(),
            retiring: grant.retiring.as_ref().map(|principal| principal.as_str().into()),
            operations: grant.operations.iter().map(|action| action.name().into()).collect(),
            context: grant.constraints.encryption_context.as_ref().map(
                |constraint| match constraint {
                    EncryptionContextConstraint::Equals(context) => {
                        ContextRecord::Equals(pairs(context))
                    }
                    EncryptionContextConstraint::Subset(context) => {
                        ContextRecord::Subset(pairs(context))
                    }
                },
            ),
            source_arn: grant.constraints.source_arn.as_deref().map(Into::into),
            issuing_account: grant.issuing_account.map(|account| account.to_string()),
            creation_date: grant.creation_date.map(|date| date.to_string()),
            tokens: Vec::new(),
        }
    }

    /// Whether both were asked for with the same words: a repeated CreateGrant is no new grant.
    pub(super) fn is_same_request(&self, other: &Self) -> bool {
        let asked = |record: &Self| Self {
            creation_date: None,
            tokens: Vec::new(),
            issuing_account: None,
            ..record.clone()
        };
        asked(self) == asked(other)
    }

    pub(super) fn grant(&self, key: &KeyArn, id: &str) -> Result<Grant, Malformed> {
        let operations: Result<ActionSet, InvalidText> = self
            .operations
            .iter()
            .map(|name| name.parse::<GrantOperation>().map(GrantOperation::action))
            .collect();
        let context = |pairs: &BTreeMap<String, String>| pairs.clone().into_iter().collect();
        Ok(Grant {
            id: id.parse::<GrantId>()?,
            name: self.name.as_deref().map(Into::into),
            key: key.clone(),
            grantee: GrantPrincipal::listed(&self.grantee),
            retiring: self.retiring.as_deref().map(GrantPrincipal::listed),
            operations: operations?,
            constraints: GrantConstraints {
                encryption_context: self.context.as_ref().map(|constraint| match constraint {
                    ContextRecord::Equals(pairs) => {
                        EncryptionContextConstraint::Equals(context(pairs))
                    }
                    ContextRecord::Subset(pairs) => {
                        EncryptionContextConstraint::Subset(context(pairs))
                    }
                }),
                source_arn: self.source_arn.as_deref().map(Into::into),
            },
            issuing_account: self.issuing_account.as_deref().map(str::parse).transpose()?,
            creation_date: self.creation_date.as_deref().map(str::parse).transpose()?,
            // One file spreads at once: nobody needs a token here.
            visibility: GrantVisibility::Propagated,
        })
    }
}
