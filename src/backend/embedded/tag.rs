//! Tags of keys.

use super::keystore::{Rows as _, Table, Writer};
use super::lifecycle::{self, Step};
use super::record::{TagRecord, row, under};
use super::{Keystore, KeystoreError};
use crate::model::KeyArn;

impl Keystore {
    /// Sets tags; those of the same names are replaced.
    ///
    /// # Errors
    /// When the key does not exist or waits to be deleted, or the tags are not what KMS takes.
    pub fn tag_key(&self, key: &KeyArn, tags: &[(String, String)]) -> Result<(), KeystoreError> {
        validate(tags)?;
        self.write(|writer| {
            let (_, found) = writer.key(key)?;
            lifecycle::require(&found, Step::Describe)?;
            writer.put_tags(key, tags)
        })
    }

    /// Takes tags away; names that are not there are no error.
    ///
    /// # Errors
    /// When the key does not exist or waits to be deleted.
    pub fn untag_key(&self, key: &KeyArn, names: &[String]) -> Result<(), KeystoreError> {
        self.write(|writer| {
            let (_, found) = writer.key(key)?;
            lifecycle::require(&found, Step::Describe)?;
            names
                .iter()
                .try_for_each(|name| writer.remove(Table::Tags, &row(&[key.as_str(), name])))
        })
    }

    /// How many tags a key may have.
    pub const MAX_TAGS: usize = 50;
}

/// Refuses tags that KMS refuses (botocore `kms/2014-11-01` `Tag`, and AWS's tag rules).
pub(super) fn validate(tags: &[(String, String)]) -> Result<(), KeystoreError> {
    for (place, (name, value)) in tags.iter().enumerate() {
        let refused = |reason: &str| KeystoreError::Tag {
            reason: format!("the tag `{}` {reason}", name.escape_default()),
        };
        if !(1..=128).contains(&name.chars().count()) || value.chars().count() > 256 {
            return Err(refused("is too long; names have 1 to 128 characters, values up to 256"));
        }
        if name.contains('\0') || value.contains('\0') {
            return Err(refused("holds a NUL; leave it out"));
        }
        if name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
            return Err(refused("begins with `aws:`, which belongs to AWS; rename it"));
        }
        if tags.iter().take(place).any(|(other, _)| other == name) {
            return Err(refused("is given twice; give it once"));
        }
    }
    Ok(())
}

impl Writer<'_> {
    pub(super) fn put_tags(
        &self,
        key: &KeyArn,
        tags: &[(String, String)],
    ) -> Result<(), KeystoreError> {
        for (name, value) in tags {
            let record = TagRecord { value: value.clone() };
            self.put(&row(&[key.as_str(), name]), &record)?;
        }
        if self.names(Table::Tags, &under(key.as_str()))?.len() > Keystore::MAX_TAGS {
            let what = format!("the tags of `{key}`");
            return Err(KeystoreError::LimitExceeded { what, limit: Keystore::MAX_TAGS });
        }
        Ok(())
    }
}
