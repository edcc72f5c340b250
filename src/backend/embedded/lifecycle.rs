//! The states of a key and what each allows.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>.

use super::keystore::{Rows as _, Table, Writer};
use super::material::{Family, Material, Place};
use super::record::{AliasRecord, FamilyRecord, KeyRecord, MaterialRecord, under};
use super::{Keystore, KeystoreError, MaterialId};
use crate::model::{Key, KeyArn, KeyOrigin, KeyState, MultiRegionKeyType, Timestamp};

impl Keystore {
    /// Makes a disabled key usable again.
    ///
    /// # Errors
    /// When the key does not exist or waits to be deleted.
    pub fn enable_key(&self, key: &KeyArn) -> Result<(), KeystoreError> {
        self.switch(key, KeyState::Enabled)
    }

    /// Makes a key unusable until it is enabled.
    ///
    /// # Errors
    /// When the key does not exist or waits to be deleted.
    pub fn disable_key(&self, key: &KeyArn) -> Result<(), KeystoreError> {
        self.switch(key, KeyState::Disabled)
    }

    /// Gives a symmetric key, and its related keys with it, new material; what the old encrypted
    /// still decrypts.
    ///
    /// # Errors
    /// When the key does not exist, is not usable, is not symmetric, is a replica, or was rotated
    /// [`Self::MAX_ROTATIONS`] times.
    pub fn rotate_key(&self, key: &KeyArn, now: Timestamp) -> Result<MaterialId, KeystoreError> {
        self.write(|writer| {
            let (_, found) = writer.key(key)?;
            require(&found, Step::Rotate)?;
            let unsupported = |reason: &str| KeystoreError::UnsupportedOperation {
                reason: format!("`{key}` cannot be rotated: {reason}"),
            };
            if !found.spec.is_symmetric() || found.origin != KeyOrigin::AwsKms {
                return Err(unsupported("it is not a symmetric key made by KMS"));
            }
            if found.multi_region == Some(MultiRegionKeyType::Replica) {
                return Err(unsupported("it is a replica; rotate its primary key"));
            }
            let family = Family::of(key);
            let mut record = writer.family(&family)?;
            if record.rotations >= Self::MAX_ROTATIONS {
                let limit = Self::MAX_ROTATIONS as usize;
                return Err(KeystoreError::LimitExceeded {
                    what: format!("rotations of `{key}`"),
                    limit,
                });
            }
            let id = writer.add_material(&family, &found, &Material::generate(found.spec)?, now)?;
            record.rotate(id, now);
            writer.put(family.as_str(), &record)?;
            Ok(id)
        })
    }

    /// Lets a key wait for its deletion. A primary with replicas waits for these first. Gives the
    /// date after which [`Self::delete_expired_keys`] deletes it, `None` for a primary that waits.
    ///
    /// # Errors
    /// When the key does not exist, waits already, or `days` is not 7 to 30.
    pub fn schedule_key_deletion(
        &self,
        key: &KeyArn,
        days: u16,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, KeystoreError> {
        if !(7..=30).contains(&days) {
            return Err(KeystoreError::validation(format!(
                "a key waits 7 to 30 days for its deletion, not {days}"
            )));
        }
        self.write(|writer| {
            let (mut record, found) = writer.key(key)?;
            require(&found, Step::ScheduleDeletion)?;
            let waits_for_replicas = found.multi_region == Some(MultiRegionKeyType::Primary)
                && writer.relatives(key)?.len() > 1;
            let date = (!waits_for_replicas).then(|| after_days(now, days));
            record.set_state(if waits_for_replicas {
                KeyState::PendingReplicaDeletion
            } else {
                KeyState::PendingDeletion
            });
            record.pending_window = Some(days);
            record.set_deletion_date(date);
            writer.put(key.as_str(), &record)?;
            Ok(date)
        })
    }

    /// Lets a key that waits for its deletion live; it is disabled then.
    ///
    /// # Errors
    /// When the key does not exist or does not wait to be deleted.
    pub fn cancel_key_deletion(&self, key: &KeyArn) -> Result<(), KeystoreError> {
        self.write(|writer| {
            let (mut record, found) = writer.key(key)?;
            require(&found, Step::CancelDeletion)?;
            record.set_state(KeyState::Disabled);
            record.pending_window = None;
            record.set_deletion_date(None);
            writer.put(key.as_str(), &record)
        })
    }

    /// Deletes, for ever, the keys whose waiting time is over, with their policies, grants,
    /// aliases, tags and, when no related key is left, their material. Gives the deleted keys.
    ///
    /// # Errors
    /// When the store fails.
    pub fn delete_expired_keys(&self, now: Timestamp) -> Result<Vec<KeyArn>, KeystoreError> {
        self.write(|writer| {
            let mut deleted = Vec::new();
            for (row, record) in writer.records::<KeyRecord>("")? {
                let arn = writer.arn(&row)?;
                let pending = writer.sound(record.key(&arn))?.state == KeyState::PendingDeletion;
                let date = writer.sound(record.deletion_date())?;
                if pending && date.is_some_and(|date| date <= now) {
                    writer.delete_key(&arn, now)?;
                    deleted.push(arn);
                }
            }
            Ok(deleted)
        })
    }

    /// How often a key may be rotated on demand.
    pub const MAX_ROTATIONS: u32 = 25;

    fn switch(&self, key: &KeyArn, state: KeyState) -> Result<(), KeystoreError> {
        self.write(|writer| {
            let (mut record, found) = writer.key(key)?;
            require(&found, Step::Switch)?;
            record.set_state(state);
            writer.put(key.as_str(), &record)
        })
    }
}

/// What is to be done with a key, as the table of states tells operations apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    CancelDeletion,
    /// CreateGrant.
    CreateGrant,
    /// Encrypt, Decrypt, ReEncrypt.
    Cryptography,
    /// CreateAlias, TagResource, UntagResource, UpdateKeyDescription; UpdateAlias on its new
    /// target.
    Describe,
    /// ReplicateKey.
    Replicate,
    Rotate,
    ScheduleDeletion,
    /// EnableKey and DisableKey.
    Switch,
}

/// Refuses what the key's state forbids.
pub(super) fn require(key: &Key, step: Step) -> Result<(), KeystoreError> {
    use KeyState::{
        Creating, Disabled, Enabled, PendingDeletion, PendingImport, PendingReplicaDeletion,
        Unavailable, Updating,
    };

    let invalid = |reason| {
        Err(KeystoreError::InvalidState { key: key.arn.clone(), state: key.state, reason })
    };
    match (key.state, step) {
        (PendingDeletion | PendingReplicaDeletion, Step::CancelDeletion) => Ok(()),
        (_, Step::CancelDeletion) => invalid("is not pending deletion; there is nothing to cancel"),
        (Enabled, _) => Ok(()),
        (Disabled, Step::Describe | Step::ScheduleDeletion | Step::Switch) => Ok(()),
        (Disabled, _) => Err(KeystoreError::Disabled { key: key.arn.clone() }),
        // AWS leaves open whether cryptography is refused with `DisabledException` here; other
        // emulators and SDK tests use `KMSInvalidStateException`.
        (PendingDeletion | PendingReplicaDeletion, _) => {
            invalid("is pending deletion; cancel the deletion and enable the key first")
        }
        (PendingImport | Unavailable | Creating, Step::Describe | Step::ScheduleDeletion)
        | (Unavailable, Step::CreateGrant | Step::Switch)
        | (Updating, Step::CreateGrant | Step::Cryptography | Step::Describe | Step::Rotate) => {
            Ok(())
        }
        (PendingImport, _) => invalid("is pending import; import key material first"),
        (Unavailable, _) => invalid("is unavailable; connect its key store first"),
        (Creating, _) => invalid("is creating; wait until it is enabled"),
        (Updating, _) => invalid("is updating; wait until it is enabled"),
    }
}

impl Writer<'_> {
    /// A key as it is kept and as it is known.
    pub(super) fn key(&self, arn: &KeyArn) -> Result<(KeyRecord, Key), KeystoreError> {
        let record =
            self.record::<KeyRecord>(arn.as_str())?.ok_or_else(|| KeystoreError::no_key(arn))?;
        let key = self.sound(record.key(arn))?;
        Ok((record, key))
    }

    /// The keys that share this key's material, itself included.
    pub(super) fn relatives(&self, arn: &KeyArn) -> Result<Vec<KeyArn>, KeystoreError> {
        let mut related = Vec::new();
        for row in self.names(Table::Keys, "")? {
            let other = self.arn(&row)?;
            if other.is_related_to(arn) {
                related.push(other);
            }
        }
        Ok(related)
    }

    /// Seals and keeps material.
    pub(super) fn add_material(
        &self,
        family: &Family,
        key: &Key,
        material: &Material,
        now: Timestamp,
    ) -> Result<MaterialId, KeystoreError> {
        let keystore = self.keystore();
        let place = Place { store: keystore.store_id(), family, id: material.id(), spec: key.spec };
        let sealed = material.seal(keystore.root(), place)?;
        self.put(&MaterialRecord::row(family, place.id), &MaterialRecord::new(&sealed, now))?;
        Ok(place.id)
    }

    fn family(&self, family: &Family) -> Result<FamilyRecord, KeystoreError> {
        self.record(family.as_str())?
            .ok_or_else(|| self.damaged(format!("the key `{}` has no material", family.as_str())))
    }

    fn arn(&self, row: &str) -> Result<KeyArn, KeystoreError> {
        self.sound(row.parse().map_err(Into::into))
    }

    fn delete_key(&self, arn: &KeyArn, now: Timestamp) -> Result<(), KeystoreError> {
        self.remove_grants(arn)?;
        self.remove(Table::Keys, arn.as_str())?;
        self.remove_all(Table::Policies, &under(arn.as_str()))?;
        self.remove_all(Table::Tags, &under(arn.as_str()))?;
        for (row, alias) in self.records::<AliasRecord>("")? {
            if alias.points_to(arn) {
                self.remove(Table::Aliases, &row)?;
            }
        }
        let family = Family::of(arn);
        match self.relatives(arn)?.as_slice() {
            [] => {
                self.remove(Table::Families, family.as_str())?;
                self.remove_all(Table::Materials, &under(family.as_str()))
            }
            // The primary's own waiting time begins when its last replica is gone.
            [last] => {
                let (mut record, key) = self.key(last)?;
                if key.state == KeyState::PendingReplicaDeletion {
                    record.set_state(KeyState::PendingDeletion);
                    let days = record.pending_window.unwrap_or(30);
                    record.set_deletion_date(Some(after_days(now, days)));
                    self.put(last.as_str(), &record)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn after_days(now: Timestamp, days: u16) -> Timestamp {
    Timestamp::from_epoch_seconds(now.epoch_seconds().saturating_add(i64::from(days) * 86_400))
}
