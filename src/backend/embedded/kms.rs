//! The keystore as a backend of authorized operations, and its keys as a world.

use std::collections::HashMap;

use super::crypto::CipherSide;
use super::seal;
use super::{Keystore, KeystoreContents, KeystoreError, NewGrant, NewKey, Provenance, StoredKey};
use crate::authorize::{
    self, Authorized, CiphertextInspector, Decrypt, DescribeKey, Encrypt, GenerateDataKey,
    InspectError, ReEncrypt,
};
use crate::backend::slot::key_policy;
use crate::compile::{
    Epoch, KeyEntry, Known, PolicySlot, Snapshot, SnapshotBuilder, SnapshotError,
};
use crate::execute::{
    DataKey, Decrypted, Encrypted, EpochSource, KeyBackend, KmsBackend, ReEncrypted,
};
use crate::model::{
    AccountId, AliasArn, AliasName, CiphertextBlob, EncryptionAlgorithm, GrantToken, Key, KeyArn,
    KeyId, KeyManager, KeyOrigin, KeyState, MultiRegionKeyType, Plaintext, PolicyName, Region,
    Timestamp,
};

/// A keystore that runs authorized operations. A proof of another epoch than the keystore's is
/// refused in the very transaction that would use the keys.
#[derive(Debug)]
pub struct EmbeddedKms {
    keystore: Keystore,
}

impl EmbeddedKms {
    /// Wraps an open keystore.
    #[must_use]
    pub fn new(keystore: Keystore) -> Self {
        Self { keystore }
    }

    /// The keystore, for what needs no proof.
    #[must_use]
    pub fn keystore(&self) -> &Keystore {
        &self.keystore
    }

    fn session<O: authorize::Operation>(
        &self,
        proof: &Authorized<'_, O>,
        grant_tokens: &[GrantToken],
    ) -> Result<super::crypto::Session<'_>, KeystoreError> {
        let session = self.keystore.session()?;
        if session.epoch() != proof.epoch() {
            return Err(KeystoreError::Stale { judged: proof.epoch(), now: session.epoch() });
        }
        for token in grant_tokens {
            if self.keystore.grant_of_token(token)?.is_none() {
                return Err(KeystoreError::InvalidGrantToken);
            }
        }
        Ok(session)
    }
}

impl EpochSource for EmbeddedKms {
    fn epoch(&self) -> Result<Epoch, String> {
        self.keystore.epoch().map_err(|error| error.to_string())
    }
}

impl CiphertextInspector for EmbeddedKms {
    fn inspect(&self, ciphertext: &CiphertextBlob) -> Result<authorize::Provenance, InspectError> {
        match Provenance::of(ciphertext) {
            Ok(Provenance::Key { key, .. }) => Ok(authorize::Provenance::Key(key)),
            Ok(Provenance::Opaque) => Ok(authorize::Provenance::Opaque),
            Err(error) => Err(InspectError(error.to_string())),
        }
    }

    fn material_date(&self, ciphertext: &CiphertextBlob) -> Option<Timestamp> {
        match Provenance::of(ciphertext).ok()? {
            Provenance::Key { key, material } => self.keystore.material_date(&key, material),
            Provenance::Opaque => None,
        }
    }
}

impl KmsBackend for EmbeddedKms {
    type Error = KeystoreError;

    async fn re_encrypt(
        &self,
        operation: Authorized<'_, ReEncrypt>,
    ) -> Result<ReEncrypted, KeystoreError> {
        let session = self.session(&operation, operation.grant_tokens())?;
        let ciphertext = operation.ciphertext().ok_or(KeystoreError::InvalidCiphertext)?;
        let source = CipherSide {
            key: operation.source().arn(),
            context: operation.source_context(),
            algorithm: operation.source_algorithm(),
        };
        let destination = CipherSide {
            key: operation.destination().arn(),
            context: operation.destination_context(),
            algorithm: operation.destination_algorithm(),
        };
        let done = session.re_encrypt(source, ciphertext, destination)?;
        Ok(ReEncrypted {
            ciphertext: done.ciphertext,
            source_key: done.source,
            destination_key: done.destination,
            source_algorithm: done.source_algorithm,
            destination_algorithm: done.destination_algorithm,
            source_material: done.source_material.map(|id| id.to_string()),
            destination_material: done.destination_material.map(|id| id.to_string()),
        })
    }

    async fn encrypt(
        &self,
        operation: Authorized<'_, Encrypt>,
    ) -> Result<Encrypted, KeystoreError> {
        let session = self.session(&operation, operation.grant_tokens())?;
        let side = CipherSide {
            key: operation.key().arn(),
            context: operation.context(),
            algorithm: operation.algorithm(),
        };
        let plaintext = operation
            .plaintext()
            .ok_or_else(|| KeystoreError::validation("the request has no plaintext"))?;
        let done = session.encrypt(side, plaintext)?;
        Ok(Encrypted {
            ciphertext: done.ciphertext,
            key: done.key,
            algorithm: done.algorithm,
            material: done.material.map(|id| id.to_string()),
        })
    }

    async fn decrypt(
        &self,
        operation: Authorized<'_, Decrypt>,
    ) -> Result<Decrypted, KeystoreError> {
        let session = self.session(&operation, operation.grant_tokens())?;
        let side = CipherSide {
            key: operation.key().arn(),
            context: operation.context(),
            algorithm: operation.algorithm(),
        };
        let ciphertext = operation.ciphertext().ok_or(KeystoreError::InvalidCiphertext)?;
        let done = session.decrypt(side, ciphertext)?;
        Ok(Decrypted {
            plaintext: done.plaintext,
            key: done.key,
            algorithm: done.algorithm,
            material: done.material.map(|id| id.to_string()),
        })
    }
}

impl KeyBackend for EmbeddedKms {
    async fn generate_data_key(
        &self,
        operation: Authorized<'_, GenerateDataKey>,
    ) -> Result<DataKey, KeystoreError> {
        let session = self.session(&operation, operation.grant_tokens())?;
        let plaintext = Plaintext::new(seal::random_secret(operation.length().bytes())?)?;
        let side = CipherSide {
            key: operation.key().arn(),
            context: operation.context(),
            algorithm: EncryptionAlgorithm::SymmetricDefault,
        };
        let done = session.encrypt(side, &plaintext)?;
        Ok(DataKey {
            plaintext,
            ciphertext: done.ciphertext,
            key: done.key,
            material: done.material.map(|id| id.to_string()),
        })
    }

    async fn describe_key(
        &self,
        operation: Authorized<'_, DescribeKey>,
    ) -> Result<Key, KeystoreError> {
        self.session(&operation, operation.grant_tokens())?.key(operation.key().arn())
    }
}

/// Adds the keystore's keys, policies, grants, aliases and tags to a world that has none.
///
/// # Errors
/// When the world has one of the keys already.
pub fn add_keys(
    builder: &mut SnapshotBuilder,
    contents: KeystoreContents,
) -> Result<(), SnapshotError> {
    builder.epoch(contents.epoch).knows_all_keys();
    let mut aliases: HashMap<(AccountId, Region), Vec<(AliasName, KeyId)>> = HashMap::new();
    for stored in contents.keys {
        let arn = stored.key.arn.clone();
        let place = aliases.entry((arn.account(), arn.region().clone())).or_default();
        place.extend(stored.aliases.iter().map(|alias| (alias.name.clone(), arn.id().clone())));
        builder.key(entry(stored))?;
    }
    for ((account, region), named) in aliases {
        builder.aliases(account, region, Known::Known(named));
    }
    Ok(())
}

fn entry(stored: StoredKey) -> KeyEntry {
    let arn = &stored.key.arn;
    let policies =
        stored.policies.iter().map(|(name, text)| key_policy(arn, name.as_str(), text)).collect();
    KeyEntry {
        key: stored.key,
        policies,
        grants: Known::Known(stored.grants.into()),
        tags: Known::Known(stored.tags.into_iter().collect()),
        aliases: Known::Known(Vec::new().into()),
    }
}

/// Makes the keys of a world in the keystore: same ARNs, policies, grants, aliases, tags and
/// enabled or disabled; new key material. Gives the ARNs, sorted.
///
/// # Errors
/// When the keystore cannot hold one of the keys, or has it already, or a fact of a key is unknown.
/// Keys made before the failing one stay.
pub fn import(
    keystore: &Keystore,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<Vec<KeyArn>, KeystoreError> {
    let entries = snapshot.keys();
    let present = keystore.contents()?.keys;
    for entry in &entries {
        importable(entry)?;
        let arn = &entry.key.arn;
        if present.iter().any(|stored| stored.key.arn == *arn) {
            return Err(KeystoreError::AlreadyExists { what: format!("the key `{arn}`") });
        }
    }
    let mut made = Vec::with_capacity(entries.len());
    for entry in entries {
        let arn = &entry.key.arn;
        let (mut default, mut shared) = (None, None);
        for slot in entry.policies.iter() {
            if let PolicySlot::Compiled(policy) = slot {
                let text = policy.source.text.to_string();
                if policy.name.ends_with("AWS_RAM") {
                    shared = Some(text)
                } else {
                    default = Some(text)
                }
            }
        }
        let tags = entry.tags.known().map(|tags| tags.to_vec()).unwrap_or_default();
        let new = NewKey {
            partition: arn.partition().to_owned(),
            spec: entry.key.spec,
            usage: entry.key.usage,
            scope: match entry.key.multi_region {
                Some(_) => super::KeyScope::MultiRegion,
                None => super::KeyScope::SingleRegion,
            },
            policy: default,
            tags,
            id: Some(arn.id().clone()),
            ..NewKey::symmetric(arn.account(), arn.region().clone())
        };
        keystore.create_key(&new, now)?;
        if let Some(text) = shared {
            keystore.put_policy(arn, PolicyName::AwsRam, &text)?;
        }
        for grant in entry.grants.known().into_iter().flat_map(|all| all.iter()) {
            let new = NewGrant {
                name: grant.name.as_ref().map(ToString::to_string),
                grantee: grant.grantee.clone(),
                retiring: grant.retiring.clone(),
                operations: grant.operations,
                constraints: grant.constraints.clone(),
                issuing_account: grant.issuing_account,
            };
            let id = keystore.create_grant(arn, new, now)?.id;
            for token in snapshot.tokens_of_grant(grant) {
                keystore.keep_token(arn, &id, token)?;
            }
        }
        for name in entry.aliases.known().into_iter().flatten() {
            let alias = AliasArn {
                partition: arn.partition().into(),
                region: arn.region().clone(),
                account: arn.account(),
                name: name.clone(),
            };
            keystore.create_alias(&alias, arn, now)?;
        }
        if entry.key.state == KeyState::Disabled {
            keystore.disable_key(arn)?;
        }
        made.push(arn.clone());
    }
    Ok(made)
}

/// Refuses, before anything is made, what cannot be made the same.
fn importable(entry: &KeyEntry) -> Result<(), KeystoreError> {
    let arn = &entry.key.arn;
    let refuse = |what: String| Err(KeystoreError::validation(format!("{arn} {what}")));
    if entry.key.manager != KeyManager::Customer || entry.key.origin != KeyOrigin::AwsKms {
        return refuse("is not a customer managed key with material made by KMS".into());
    }
    if entry.key.multi_region == Some(MultiRegionKeyType::Replica) {
        return refuse("is a replica: make it with `keyproof keys replicate`".into());
    }
    if !matches!(entry.key.state, KeyState::Enabled | KeyState::Disabled) {
        return refuse(format!(
            "is in state {}: bring it to Enabled or Disabled, or take its folder out of the world",
            entry.key.state
        ));
    }
    for slot in entry.policies.iter() {
        if let PolicySlot::Unreadable { reason, .. } = slot {
            return refuse(format!("has a policy that is not known: {reason}"));
        }
    }
    if let Known::Unknown(reason) = &entry.grants {
        return refuse(format!("has grants that are not known: {reason}"));
    }
    if let Known::Unknown(reason) = &entry.tags {
        return refuse(format!("has tags that are not known: {reason}"));
    }
    if let Known::Unknown(reason) = &entry.aliases {
        return refuse(format!("has aliases that are not known: {reason}"));
    }
    Ok(())
}
