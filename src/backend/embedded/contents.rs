//! Everything a keystore holds, but for the secrets.

use std::collections::BTreeMap;

use super::keystore::{Reader, Rows as _, Table};
use super::material::Family;
use super::record::{
    AliasRecord, FamilyRecord, GrantRecord, KeyRecord, PolicyRecord, TagRecord, last_part, under,
};
use super::{Keystore, KeystoreError, MaterialId};
use crate::compile::Epoch;
use crate::model::{AliasArn, Grant, Key, KeyArn, KeySpec, PolicyName, Timestamp};

/// All that a keystore held at one epoch: what a policy snapshot is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeystoreContents {
    /// The epoch at which it was read.
    pub epoch: Epoch,
    /// All keys, sorted by ARN.
    pub keys: Vec<StoredKey>,
}

/// A key and all that hangs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredKey {
    /// What policies know of the key.
    pub key: Key,
    /// Free text.
    pub description: String,
    /// When it was made.
    pub creation_date: Timestamp,
    /// When its waiting time is over, while it waits.
    pub deletion_date: Option<Timestamp>,
    /// The material that encrypts; RSA keys show none, as in KMS.
    pub current_material: Option<MaterialId>,
    /// All materials that decrypt, sorted; none for RSA keys.
    pub materials: Vec<MaterialId>,
    /// How often it was rotated.
    pub rotations: u32,
    /// When it was last rotated.
    pub last_rotation: Option<Timestamp>,
    /// The verbatim texts of its policies.
    pub policies: BTreeMap<PolicyName, String>,
    /// Its grants, sorted by id.
    pub grants: Vec<Grant>,
    /// Its aliases, sorted.
    pub aliases: Vec<AliasArn>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Keystore {
    /// Reads everything in one transaction: no write is seen by half.
    ///
    /// # Errors
    /// When the store fails or is damaged.
    pub fn contents(&self) -> Result<KeystoreContents, KeystoreError> {
        let reader = self.read()?;
        let mut aliases = reader.aliases()?;
        let keys = reader.names(Table::Keys, "")?.into_iter().map(|row| {
            let arn = reader.sound(row.parse().map_err(Into::into))?;
            let of_key = aliases.remove(&arn).unwrap_or_default();
            reader.stored_key(&arn, of_key)
        });
        Ok(KeystoreContents { keys: keys.collect::<Result<_, _>>()?, epoch: reader.named_epoch()? })
    }

    /// Reads one key.
    ///
    /// # Errors
    /// When the key does not exist, or the store fails or is damaged.
    pub fn key(&self, key: &KeyArn) -> Result<StoredKey, KeystoreError> {
        let reader = self.read()?;
        let aliases = reader.aliases()?.remove(key).unwrap_or_default();
        reader.stored_key(key, aliases)
    }

    /// Reads where an alias points.
    ///
    /// # Errors
    /// When the alias does not exist, or the store fails or is damaged.
    pub fn alias_target(&self, alias: &AliasArn) -> Result<KeyArn, KeystoreError> {
        let reader = self.read()?;
        let record = reader
            .record::<AliasRecord>(&alias.to_string())?
            .ok_or_else(|| KeystoreError::NotFound { what: format!("the alias `{alias}`") })?;
        reader.sound(record.target())
    }
}

impl Reader<'_> {
    fn aliases(&self) -> Result<BTreeMap<KeyArn, Vec<AliasArn>>, KeystoreError> {
        let mut by_key = BTreeMap::<_, Vec<_>>::new();
        for (row, record) in self.records::<AliasRecord>("")? {
            let alias = self.sound(row.parse().map_err(Into::into))?;
            by_key.entry(self.sound(record.target())?).or_default().push(alias);
        }
        Ok(by_key)
    }

    fn stored_key(&self, arn: &KeyArn, aliases: Vec<AliasArn>) -> Result<StoredKey, KeystoreError> {
        let record =
            self.record::<KeyRecord>(arn.as_str())?.ok_or_else(|| KeystoreError::no_key(arn))?;
        let key = self.sound(record.key(arn))?;
        let (family, prefix) = (Family::of(arn), under(arn.as_str()));
        let shared = self
            .record::<FamilyRecord>(family.as_str())?
            .ok_or_else(|| self.damaged(format!("the key `{arn}` has no material")))?;
        let mut policies = BTreeMap::new();
        for (row, policy) in self.records::<PolicyRecord>(&prefix)? {
            let name = self.sound(last_part(&row).parse().map_err(Into::into))?;
            policies.insert(name, policy.text);
        }
        let mut grants = Vec::new();
        for (row, grant) in self.records::<GrantRecord>(&prefix)? {
            grants.push(self.sound(grant.grant(arn, last_part(&row)))?);
        }
        let tags = self.records::<TagRecord>(&prefix)?;
        let (current_material, materials) = self.materials(key.spec, &family, &shared)?;
        Ok(StoredKey {
            creation_date: self.sound(record.creation_date())?,
            deletion_date: self.sound(record.deletion_date())?,
            description: record.description,
            current_material,
            materials,
            rotations: shared.rotations,
            last_rotation: self.sound(shared.last_rotation())?,
            policies,
            grants,
            aliases,
            tags: tags.into_iter().map(|(row, tag)| (last_part(&row).into(), tag.value)).collect(),
            key,
        })
    }

    fn materials(
        &self,
        spec: KeySpec,
        family: &Family,
        shared: &FamilyRecord,
    ) -> Result<(Option<MaterialId>, Vec<MaterialId>), KeystoreError> {
        if !spec.is_symmetric() {
            return Ok((None, Vec::new()));
        }
        let all = self
            .names(Table::Materials, &under(family.as_str()))?
            .iter()
            .map(|row| self.sound(last_part(row).parse().map_err(Into::into)))
            .collect::<Result<_, _>>()?;
        Ok((Some(self.sound(shared.current())?), all))
    }
}
