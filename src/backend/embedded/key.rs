//! Keys: made, replicated, described.

use super::keystore::{Rows as _, Writer};
use super::lifecycle::{self, Step};
use super::material::{Family, Material, Place, hex};
use super::record::{FamilyRecord, KeyRecord, MaterialRecord, last_part, under};
use super::{Keystore, KeystoreError, default_key_policy, policy, seal, tag};
use crate::model::{
    AccountId, Key, KeyArn, KeyId, KeyManager, KeyOrigin, KeySpec, KeyState, KeyUsage,
    MultiRegionKeyType, PolicyName, Region, Timestamp,
};

/// Whether a key can have related keys in other Regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyScope {
    /// It can; this one becomes their primary.
    MultiRegion,
    /// It cannot.
    SingleRegion,
}

/// What CreateKey is asked for.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: String,
    /// The key's Region.
    pub region: Region,
    /// The account that will own the key.
    pub account: AccountId,
    /// The kind of material: symmetric or RSA.
    pub spec: KeySpec,
    /// What the key is for; must be one of the spec's usages.
    pub usage: KeyUsage,
    /// Whether it is a multi-Region key.
    pub scope: KeyScope,
    /// The `default` policy; [`default_key_policy`] when there is none.
    pub policy: Option<String>,
    /// At most 8,192 characters.
    pub description: String,
    /// Names and values.
    pub tags: Vec<(String, String)>,
    /// The id, for worlds that are made again the same; a random one when there is none.
    pub id: Option<KeyId>,
}

impl NewKey {
    /// What CreateKey makes when nothing is asked for: a symmetric single-Region key.
    #[must_use]
    pub fn symmetric(account: AccountId, region: Region) -> Self {
        Self {
            partition: "aws".into(),
            region,
            account,
            spec: KeySpec::SymmetricDefault,
            usage: KeyUsage::EncryptDecrypt,
            scope: KeyScope::SingleRegion,
            policy: None,
            description: String::new(),
            tags: Vec::new(),
            id: None,
        }
    }
}

/// What ReplicateKey is asked for. A replica shares its primary's id and material; policy,
/// description and tags are its own.
#[derive(Clone, Debug)]
pub struct NewReplica {
    /// The Region of the replica.
    pub region: Region,
    /// The `default` policy; [`default_key_policy`] when there is none.
    pub policy: Option<String>,
    /// At most 8,192 characters.
    pub description: String,
    /// Names and values.
    pub tags: Vec<(String, String)>,
}

impl Keystore {
    /// Makes a key; gives its ARN.
    ///
    /// # Errors
    /// When spec and usage do not fit, the embedded KMS does not make such keys, the id is taken,
    /// or policy, description or tags are not what KMS takes.
    pub fn create_key(&self, new: &NewKey, now: Timestamp) -> Result<KeyArn, KeystoreError> {
        let multi_region = new.scope == KeyScope::MultiRegion;
        if !new.spec.key_usages().contains(&new.usage) {
            return Err(KeystoreError::validation(format!(
                "a `{}` key cannot have the usage `{}`",
                new.spec, new.usage
            )));
        }
        let id = match &new.id {
            Some(id) if id.is_multi_region() != multi_region => {
                return Err(KeystoreError::validation(format!(
                    "`{id}` does not fit: ids of multi-Region keys, and no others, begin with `mrk-`"
                )));
            }
            Some(id) => id.clone(),
            None => random_key_id(new.scope)?,
        };
        let arn = KeyArn::new(&new.partition, &new.region, new.account, &id)?;
        // Identifiers are at most 2,048 characters in KMS; the ARN also stands in each
        // ciphertext, which must stay below 6,144 bytes.
        if arn.as_str().len() > MAX_ARN_BYTES {
            return Err(KeystoreError::validation(format!(
                "the key's ARN would have {} characters; it may have {MAX_ARN_BYTES}",
                arn.as_str().len()
            )));
        }
        let key = Key {
            spec: new.spec,
            usage: new.usage,
            multi_region: multi_region.then_some(MultiRegionKeyType::Primary),
            ..Key::symmetric(arn.clone())
        };
        let details = Details::validate(&new.policy, &new.description, &new.tags)?;
        // Making an RSA key takes its time; the store is not kept waiting for it.
        let material = Material::generate(new.spec)?;
        self.write(|writer| {
            let family = Family::of(&arn);
            // An id stands for one key, or for related ones: a ciphertext names its key by it.
            if writer.record::<FamilyRecord>(family.as_str())?.is_some() {
                return Err(KeystoreError::AlreadyExists { what: format!("a key `{id}`") });
            }
            let material = writer.add_material(&family, &key, &material, now)?;
            writer.put(family.as_str(), &FamilyRecord::new(material))?;
            writer.add_key(&key, details, now)
        })?;
        Ok(arn)
    }

    /// Makes a related key of a multi-Region primary key in another Region; gives its ARN.
    ///
    /// # Errors
    /// When the key does not exist, is no usable multi-Region primary key, or has a related key in
    /// that Region; and as [`Self::create_key`].
    pub fn replicate_key(
        &self,
        primary: &KeyArn,
        new: &NewReplica,
        now: Timestamp,
    ) -> Result<KeyArn, KeystoreError> {
        let arn = KeyArn::new(primary.partition(), &new.region, primary.account(), primary.id())?;
        let details = Details::validate(&new.policy, &new.description, &new.tags)?;
        self.write(|writer| {
            let (_, key) = writer.key(primary)?;
            if key.multi_region != Some(MultiRegionKeyType::Primary) {
                return Err(KeystoreError::UnsupportedOperation {
                    reason: format!("`{primary}` is not a multi-Region primary key"),
                });
            }
            lifecycle::require(&key, Step::Replicate)?;
            if writer.record::<KeyRecord>(arn.as_str())?.is_some() {
                return Err(KeystoreError::AlreadyExists { what: format!("the key `{arn}`") });
            }
            let replica = Key {
                arn: arn.clone(),
                state: KeyState::Enabled,
                origin: KeyOrigin::AwsKms,
                manager: KeyManager::Customer,
                multi_region: Some(MultiRegionKeyType::Replica),
                ..key
            };
            writer.add_key(&replica, details, now)
        })?;
        Ok(arn)
    }

    /// Replaces a key's description.
    ///
    /// # Errors
    /// When the key does not exist or waits to be deleted, or the text is too long.
    pub fn update_description(&self, key: &KeyArn, text: &str) -> Result<(), KeystoreError> {
        validate_description(text)?;
        self.write(|writer| {
            let (mut record, found) = writer.key(key)?;
            lifecycle::require(&found, Step::Describe)?;
            record.description = text.to_owned();
            writer.put(key.as_str(), &record)
        })
    }

    /// Opens each of a key's materials, as using the key would, and throws them away.
    ///
    /// # Errors
    /// When the key does not exist, or one of its materials does not open.
    pub fn verify_key(&self, key: &KeyArn) -> Result<(), KeystoreError> {
        let reader = self.read()?;
        let record =
            reader.record::<KeyRecord>(key.as_str())?.ok_or_else(|| KeystoreError::no_key(key))?;
        let spec = reader.sound(record.key(key))?.spec;
        let family = Family::of(key);
        let materials = reader.records::<MaterialRecord>(&under(family.as_str()))?;
        let current = match reader.record::<FamilyRecord>(family.as_str())? {
            Some(record) => Some(reader.sound(record.current())?),
            None => None,
        };
        let mut current_opens = false;
        for (row, record) in materials {
            let id = reader.sound(last_part(&row).parse().map_err(Into::into))?;
            let sealed = reader.sound(record.sealed())?;
            let place = Place { store: self.store_id(), family: &family, id, spec };
            Material::open(self.root(), place, &sealed).ok_or_else(|| {
                reader.damaged(format!("the key material `{id}` of `{key}` does not open"))
            })?;
            current_opens |= current == Some(id);
        }
        if current_opens {
            Ok(())
        } else {
            Err(reader.damaged(format!("the current key material of `{key}` is missing")))
        }
    }
}

/// The checked parts that a key does not share with its related keys.
struct Details<'a> {
    policy: Option<&'a str>,
    description: &'a str,
    tags: &'a [(String, String)],
}

impl<'a> Details<'a> {
    fn validate(
        policy: &'a Option<String>,
        description: &'a str,
        tags: &'a [(String, String)],
    ) -> Result<Self, KeystoreError> {
        let policy = policy.as_deref();
        policy.map(policy::validate).transpose()?;
        validate_description(description)?;
        tag::validate(tags)?;
        Ok(Self { policy, description, tags })
    }
}

impl Writer<'_> {
    fn add_key(&self, key: &Key, new: Details<'_>, now: Timestamp) -> Result<(), KeystoreError> {
        let default;
        let policy = match new.policy {
            Some(policy) => policy,
            None => {
                default = default_key_policy(&key.arn);
                &default
            }
        };
        self.put(key.arn.as_str(), &KeyRecord::new(key, new.description, now))?;
        self.put_policy(&key.arn, PolicyName::Default, policy)?;
        self.put_tags(&key.arn, new.tags)
    }
}

fn validate_description(text: &str) -> Result<(), KeystoreError> {
    match text.chars().count() {
        0..=8192 => Ok(()),
        count => Err(KeystoreError::validation(format!(
            "the description has {count} characters; it may have 8192"
        ))),
    }
}

/// A random UUID (RFC 9562, version 4), or `mrk-` and 32 hexadecimal digits.
///
/// # Errors
/// When the system gives no random bytes.
pub fn random_key_id(scope: KeyScope) -> Result<KeyId, KeystoreError> {
    let mut bits = u128::from_be_bytes(seal::random()?);
    if scope == KeyScope::MultiRegion {
        return Ok(format!("mrk-{}", hex(&bits.to_be_bytes())).parse()?);
    }
    bits = bits & !(0xf << 76) | 0x4 << 76;
    bits = bits & !(0x3 << 62) | 0x2 << 62;
    let (first, second, third) = (bits >> 96, bits >> 80 & 0xffff, bits >> 64 & 0xffff);
    let (fourth, fifth) = (bits >> 48 & 0xffff, bits & 0xffff_ffff_ffff);
    Ok(format!("{first:08x}-{second:04x}-{third:04x}-{fourth:04x}-{fifth:012x}").parse()?)
}

const MAX_ARN_BYTES: usize = 1024;
