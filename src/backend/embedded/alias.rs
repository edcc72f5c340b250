//! Aliases.

use super::keystore::{Rows as _, Table, Writer};
use super::lifecycle::{self, Step};
use super::record::AliasRecord;
use super::{Keystore, KeystoreError};
use crate::model::{AliasArn, Key, KeyArn, Timestamp};

impl Keystore {
    /// Makes an alias of a key in the same account and Region.
    ///
    /// # Errors
    /// When the name is reserved or taken, or the key does not exist, is elsewhere, waits to be
    /// deleted or has [`Self::MAX_ALIASES`] aliases.
    pub fn create_alias(
        &self,
        alias: &AliasArn,
        target: &KeyArn,
        now: Timestamp,
    ) -> Result<(), KeystoreError> {
        self.write(|writer| {
            refuse_reserved(alias)?;
            writer.require_target(alias, target)?;
            let row = alias.to_string();
            if writer.record::<AliasRecord>(&row)?.is_some() {
                return Err(KeystoreError::AlreadyExists { what: format!("the alias `{alias}`") });
            }
            writer.put(&row, &AliasRecord::new(target, now))
        })
    }

    /// Points an alias to another key of the same spec and usage.
    ///
    /// # Errors
    /// When the alias does not exist, and as [`Self::create_alias`].
    pub fn update_alias(
        &self,
        alias: &AliasArn,
        target: &KeyArn,
        now: Timestamp,
    ) -> Result<(), KeystoreError> {
        self.write(|writer| {
            refuse_reserved(alias)?;
            let row = alias.to_string();
            let mut record = writer
                .record::<AliasRecord>(&row)?
                .ok_or_else(|| KeystoreError::NotFound { what: format!("the alias `{alias}`") })?;
            if record.points_to(target) {
                return Ok(());
            }
            let new = writer.require_target(alias, target)?;
            let (_, old) = writer.key(&writer.sound(record.target())?)?;
            // Callers that name the alias keep working: their algorithm fits the new key too.
            if old.spec.is_symmetric() != new.spec.is_symmetric() || old.usage != new.usage {
                return Err(KeystoreError::validation(format!(
                    "`{target}` is of another kind or usage than the alias's present key; make another alias"
                )));
            }
            record.retarget(target, now);
            writer.put(&row, &record)
        })
    }

    /// Removes an alias; its key stays.
    ///
    /// # Errors
    /// When the alias does not exist.
    pub fn delete_alias(&self, alias: &AliasArn) -> Result<(), KeystoreError> {
        self.write(|writer| {
            let row = alias.to_string();
            if writer.record::<AliasRecord>(&row)?.is_none() {
                return Err(KeystoreError::NotFound { what: format!("the alias `{alias}`") });
            }
            writer.remove(Table::Aliases, &row)
        })
    }

    /// How many aliases a key may have.
    pub const MAX_ALIASES: usize = 50;
}

fn refuse_reserved(alias: &AliasArn) -> Result<(), KeystoreError> {
    if alias.name.is_reserved() {
        return Err(KeystoreError::InvalidAliasName { name: alias.name.to_string() });
    }
    Ok(())
}

impl Writer<'_> {
    fn require_target(&self, alias: &AliasArn, target: &KeyArn) -> Result<Key, KeystoreError> {
        let (_, key) = self.key(target)?;
        if *target.partition() != *alias.partition
            || *target.region() != alias.region
            || target.account() != alias.account
        {
            return Err(KeystoreError::validation(format!(
                "the alias `{alias}` and the key `{target}` must be in one account and Region"
            )));
        }
        lifecycle::require(&key, Step::Describe)?;
        let aliases = self.records::<AliasRecord>("")?;
        if aliases.iter().filter(|(_, record)| record.points_to(target)).count()
            >= Keystore::MAX_ALIASES
        {
            let what = format!("the aliases of `{target}`");
            return Err(KeystoreError::LimitExceeded { what, limit: Keystore::MAX_ALIASES });
        }
        Ok(key)
    }
}
