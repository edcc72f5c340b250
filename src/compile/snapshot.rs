//! The world, frozen.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::{FixedState, RandomState};
use smallvec::SmallVec;

use super::{Grants, PolicySlot};
use crate::model::{
    AccountId, AliasName, Grant, GrantId, GrantToken, GrantVisibility, Key, KeyArn, KeyId,
    PrincipalArn, PrincipalArnKind, Readings, Region, Timestamp, UniqueId, fingerprint,
};

/// Which world a snapshot was taken from, and at which of its changes: a decision on one world is
/// none on another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Epoch {
    world: [u8; 16],
    count: u64,
    /// Of a world as it might be, which is no backend's.
    supposed: bool,
}

impl Epoch {
    /// A change of a world that has no id, as a folder has none.
    #[must_use]
    pub const fn new(count: u64) -> Self {
        Self { world: [0; 16], count, supposed: false }
    }

    /// A change of the world with an id: a keystore's own, made at random.
    #[must_use]
    pub const fn of(world: [u8; 16], count: u64) -> Self {
        Self { world, count, supposed: false }
    }

    /// The next change of the same world.
    #[must_use]
    pub const fn next(self) -> Self {
        Self { count: self.count.wrapping_add(1), ..self }
    }

    /// The same change of a world that is supposed to be another: no executor runs a proof of it.
    #[must_use]
    const fn supposed(self) -> Self {
        Self { supposed: true, ..self }
    }

    /// How often the world had changed.
    #[must_use]
    pub const fn count(self) -> u64 {
        self.count
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.count)?;
        if self.world != [0; 16] {
            f.write_str(" of world ")?;
            self.world.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        }
        if self.supposed { f.write_str(" as it might be") } else { Ok(()) }
    }
}

/// A fact, or the reason why it is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known<T> {
    /// The fact.
    Known(T),
    /// Why it is unknown, and what to do.
    Unknown(Box<str>),
}

impl<T> Known<T> {
    /// The fact, if known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(fact) => Some(fact),
            Self::Unknown(_) => None,
        }
    }

    /// The fact as something else.
    pub fn map<U>(self, to: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Self::Known(fact) => Known::Known(to(fact)),
            Self::Unknown(why) => Known::Unknown(why),
        }
    }
}

/// A key with everything that is attached to it.
#[derive(Clone, Debug)]
pub struct KeyEntry {
    /// What `DescribeKey` says.
    pub key: Key,
    /// Its key policies: `default`, and `AWS_RAM` when the key is shared.
    pub policies: SmallVec<[PolicySlot; 1]>,
    /// Its grants.
    pub grants: Known<Grants>,
    /// Its tags.
    pub tags: Known<Arc<[(String, String)]>>,
    /// The aliases that point to it.
    pub aliases: Known<SmallVec<[AliasName; 1]>>,
}

/// What is read again of a key while a service runs.
#[derive(Clone, Debug)]
pub struct KeyFacts {
    /// What `DescribeKey` says.
    pub key: Key,
    /// Its key policies.
    pub policies: Vec<PolicySlot>,
    /// Its grants.
    pub grants: Known<Grants>,
    /// Its tags. Reading them takes a permission of its own, which few policies make necessary.
    pub tags: Known<Vec<(String, String)>>,
    /// The aliases that point to it. The same holds.
    pub aliases: Known<Vec<AliasName>>,
}

/// A user or role with its policies.
#[derive(Clone, Debug)]
pub struct Entity {
    /// The user's or role's ARN.
    pub arn: PrincipalArn,
    /// `AIDA…` or `AROA…`.
    pub id: Option<UniqueId>,
    /// Inline and managed policies, those of a user's groups included.
    pub policies: Vec<PolicySlot>,
    /// Its permissions boundary.
    pub boundary: Option<PolicySlot>,
    /// Its tags.
    pub tags: Vec<(String, String)>,
}

/// What is known of an entity.
#[derive(Clone, Copy, Debug)]
pub enum EntityLookup<'s> {
    /// Its policies are known.
    Found(&'s Entity),
    /// The account's IAM is known, and there is no such entity.
    Missing,
    /// The account's IAM is not known.
    Unknown(&'s str),
}

/// The place of an account in an organization.
#[derive(Clone, Debug, Default)]
pub struct Membership {
    /// `o-…`.
    pub organization: Box<str>,
    /// `aws:PrincipalOrgPaths` of the account: `o-…/r-…/ou-…/`.
    pub path: Box<str>,
    /// SCPs and RCPs do not reach the management account.
    pub is_management: bool,
    /// The SCPs attached to root, each OU on the way, and the account; a level without any denies
    /// everything.
    pub service_control: Vec<Vec<PolicySlot>>,
    /// The customer's RCPs of the same levels; `RCPFullAWSAccess` is always attached besides.
    pub resource_control: Vec<Vec<PolicySlot>>,
}

/// A VPC endpoint's policy.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `vpce-…`.
    pub id: Box<str>,
    /// What it lets through.
    pub policy: PolicySlot,
}

/// Where an alias points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasTarget<'s> {
    /// To this key.
    Key(&'s KeyId),
    /// The account's aliases in the Region are known, and this is none of them.
    Missing,
    /// The account's aliases in the Region are not known.
    Unknown(&'s str),
}

/// Two facts of one world contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Occurs when one key is described twice.
    #[error("key `{0}` is described twice")]
    DuplicateKey(Box<KeyArn>),
    /// Occurs when one user or role is described twice.
    #[error("`{0}` is described twice")]
    DuplicateEntity(Box<PrincipalArn>),
    /// Occurs when a key is of another partition than the others of its account and Region.
    #[error("key `{0}` is of another partition than other keys of its account and Region")]
    OtherPartition(Box<KeyArn>),
    /// Occurs when a grant is filed under a key it is not on.
    #[error("grant `{grant}` is on key `{on}`, but is filed under key `{under}`")]
    ForeignGrant {
        /// The grant's id.
        grant: String,
        /// The key it is on.
        on: Box<KeyArn>,
        /// The key it is filed under.
        under: Box<KeyArn>,
    },
}

/// An immutable view of keys, aliases, grants, policies and organization at one moment. Copies, also
/// those in which something is changed, share everything else.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    epoch: Epoch,
    taken_at: Option<Timestamp>,
    /// When the facts of single keys were read, where not with the rest.
    read_at: HashMap<KeyArn, Timestamp>,
    readings: Readings,
    facts: Arc<Facts>,
    /// What takes the place of facts of the same name; but for keys there are few, so they are
    /// searched.
    changes: Option<Arc<Changes>>,
}

// Names in a world are other people's, so tables of them are keyed at random.
type Table<K, V> = HashMap<K, V, RandomState>;

#[derive(Clone, Debug, Default)]
struct Facts {
    places: Table<(AccountId, Region), Place>,
    knows_all_keys: bool,
    entities: Table<PrincipalArn, Arc<Entity>>,
    /// Roles by account and name, whatever their paths; the numbers of [`role_number`].
    roles: Table<u64, Vec<PrincipalArn>>,
    accounts: HashMap<AccountId, Known<()>>,
    memberships: Table<AccountId, Known<Option<Membership>>>,
    default_membership: Option<Known<Option<Membership>>>,
    endpoints: HashMap<Box<str>, Endpoint>,
    disabled_regions: HashSet<(AccountId, Region)>,
    grant_tokens: HashMap<GrantToken, Vec<(KeyArn, GrantId)>>,
    knows_all_grant_tokens: bool,
}

/// An account's Region.
#[derive(Clone, Debug, Default)]
struct Place {
    /// INVARIANT (ids): partitions do not share account ids and Regions, so all keys of a place are
    /// of one, and an id names one key.
    partition: Box<str>,
    keys: Keys,
    /// `None` when nothing is said of them.
    aliases: Option<Known<Table<AliasName, KeyId>>>,
}

/// Keys side by side, found by the hash of their ids: a table of ids would take as much again.
#[derive(Clone, Debug, Default)]
struct Keys {
    all: Vec<KeyEntry>,
    hashing: RandomState,
    /// The place of the first key with a hash.
    places: HashMap<u64, u32, FixedState>,
    /// Places of further keys with the hash of another one, of which there is hardly ever any.
    more: Vec<u32>,
}

impl Keys {
    fn get(&self, id: &KeyId) -> Option<&KeyEntry> {
        self.place(id).and_then(|place| self.all.get(place as usize))
    }

    fn place(&self, id: &KeyId) -> Option<u32> {
        let is_it = |place: &u32| {
            self.all.get(*place as usize).is_some_and(|entry| entry.key.arn.id() == id)
        };
        let first = self.places.get(&self.hash(id)).copied();
        first.filter(is_it).or_else(|| self.more.iter().copied().find(|place| is_it(place)))
    }

    /// Adds a key; `false` when there is one of its id.
    fn insert(&mut self, entry: KeyEntry) -> bool {
        let id = entry.key.arn.id();
        let Ok(place) = u32::try_from(self.all.len()) else { return false };
        if self.place(id).is_some() {
            return false;
        }
        match self.places.entry(self.hash(id)) {
            Entry::Vacant(slot) => *slot.insert(place),
            Entry::Occupied(_) => {
                self.more.push(place);
                place
            }
        };
        self.all.push(entry);
        true
    }

    fn hash(&self, id: &KeyId) -> u64 {
        self.hashing.hash_one(id.as_str())
    }
}

#[derive(Clone, Debug, Default)]
struct Changes {
    /// A service reads many keys again, one by one, and also new ones.
    keys: Table<(AccountId, Region, KeyId), Arc<KeyEntry>>,
    entities: Vec<Arc<Entity>>,
    memberships: Vec<(AccountId, Membership)>,
    endpoints: Vec<Endpoint>,
}

impl Snapshot {
    /// Starts an empty world.
    #[must_use]
    pub fn builder() -> SnapshotBuilder {
        SnapshotBuilder {
            snapshot: Self::default(),
            facts: Facts::default(),
            tags: HashSet::default(),
        }
    }

    /// Which change of the world this is.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// When the facts were read, where known.
    #[must_use]
    pub fn taken_at(&self) -> Option<Timestamp> {
        self.taken_at
    }

    /// When the facts of a key were read, where known.
    #[must_use]
    pub fn read_at(&self, arn: &KeyArn) -> Option<Timestamp> {
        self.read_at.get(arn).copied().or(self.taken_at)
    }

    /// How open points of the documentation are read.
    #[must_use]
    pub fn readings(&self) -> &Readings {
        &self.readings
    }

    /// A key.
    #[must_use]
    pub fn key(&self, arn: &KeyArn) -> Option<&KeyEntry> {
        if let Some(changed) = self.changed_key(arn.account(), arn.region(), arn.id()) {
            return (changed.key.arn == *arn).then_some(changed);
        }
        let place = self.facts.places.get(&(arn.account(), arn.region().clone()))?;
        if !arn.is_of_partition(&place.partition) {
            return None;
        }
        place.keys.get(arn.id())
    }

    /// Whether a key that is not here does not exist, rather than being unknown.
    #[must_use]
    pub fn knows_all_keys(&self) -> bool {
        self.facts.knows_all_keys
    }

    /// The same world, but for how open points of the documentation are read. As of every world that
    /// is supposed to be another, no executor runs a proof of it.
    #[must_use]
    pub fn with_readings(&self, readings: Readings) -> Self {
        Self { readings, epoch: self.epoch.supposed(), ..self.clone() }
    }

    /// The same world, but for the policies of one key; `None` when there is no such key.
    #[must_use]
    pub fn with_key_policies(&self, arn: &KeyArn, policies: Vec<PolicySlot>) -> Option<Self> {
        Some(self.with_key(KeyEntry { policies: policies.into(), ..self.key(arn)?.clone() }))
    }

    /// The same world with one more key; `None` when it is there already.
    #[must_use]
    pub fn with_new_key(&self, entry: KeyEntry) -> Option<Self> {
        self.key(&entry.key.arn).is_none().then(|| self.with_key(entry))
    }

    fn with_key(&self, entry: KeyEntry) -> Self {
        let arn = &entry.key.arn;
        let name = (arn.account(), arn.region().clone(), arn.id().clone());
        self.changed(|changes| {
            changes.keys.insert(name, Arc::new(entry));
        })
    }

    /// The same world, but at another of its changes.
    #[must_use]
    pub fn at_epoch(self, epoch: Epoch) -> Self {
        Self { epoch, ..self }
    }

    /// The same world at the same epoch, but for facts of one key, read at this instant. Which key
    /// an alias names stays as it was.
    #[must_use]
    pub fn with_key_facts(&self, facts: KeyFacts, read_at: Timestamp) -> Self {
        let KeyFacts { key, policies, grants, tags, aliases } = facts;
        let arn = key.arn.clone();
        let (tags, aliases) = (tags.map(Into::into), aliases.map(SmallVec::from_vec));
        let entry = KeyEntry { key, policies: policies.into(), grants, tags, aliases };
        let mut changed = self.with_key(entry);
        changed.read_at.insert(arn, read_at);
        Self { epoch: self.epoch, ..changed }
    }

    /// The same world, but for the identity policies of one user or role; `None` when there is none
    /// such.
    #[must_use]
    pub fn with_identity_policies(
        &self,
        arn: &PrincipalArn,
        policies: Vec<PolicySlot>,
    ) -> Option<Self> {
        let EntityLookup::Found(known) = self.entity(arn) else { return None };
        Some(self.with_entity(Entity { policies, ..known.clone() }))
    }

    /// The same world, but for the permissions boundary of one user or role; `None` when there is
    /// none such.
    #[must_use]
    pub fn with_boundary(&self, arn: &PrincipalArn, boundary: PolicySlot) -> Option<Self> {
        let EntityLookup::Found(known) = self.entity(arn) else { return None };
        Some(self.with_entity(Entity { boundary: Some(boundary), ..known.clone() }))
    }

    fn with_entity(&self, entity: Entity) -> Self {
        self.changed(|changes| {
            changes.entities.retain(|known| known.arn != entity.arn);
            changes.entities.push(Arc::new(entity));
        })
    }

    /// The same world, but for the place of one account in its organization.
    #[must_use]
    pub fn with_membership(&self, account: AccountId, membership: Membership) -> Self {
        self.changed(|changes| {
            changes.memberships.retain(|(known, _)| *known != account);
            changes.memberships.push((account, membership));
        })
    }

    /// The same world, but for the policy of one VPC endpoint; `None` when there is none such.
    #[must_use]
    pub fn with_endpoint_policy(&self, id: &str, policy: PolicySlot) -> Option<Self> {
        let endpoint = Endpoint { policy, ..self.endpoint(id)?.clone() };
        Some(self.changed(|changes| {
            changes.endpoints.retain(|known| *known.id != *id);
            changes.endpoints.push(endpoint);
        }))
    }

    fn changed(&self, change: impl FnOnce(&mut Changes)) -> Self {
        let mut changed = Self { epoch: self.epoch.supposed(), ..self.clone() };
        change(Arc::make_mut(changed.changes.get_or_insert_default()));
        changed
    }

    /// All keys, sorted by ARN.
    #[must_use]
    pub fn keys(&self) -> Vec<&KeyEntry> {
        let changed = self.changes.iter().flat_map(|changes| changes.keys.values());
        let is_unchanged =
            |arn: &KeyArn| self.changed_key(arn.account(), arn.region(), arn.id()).is_none();
        let all = self.facts.places.values().flat_map(|place| &place.keys.all);
        let mut keys: Vec<&KeyEntry> = all
            .filter(|entry| is_unchanged(&entry.key.arn))
            .chain(changed.map(AsRef::as_ref))
            .collect();
        keys.sort_by(|a, b| a.key.arn.cmp(&b.key.arn));
        keys
    }

    /// All users and roles, sorted by ARN.
    #[must_use]
    pub fn entities(&self) -> Vec<&Entity> {
        let all = self.facts.entities.values();
        let mut entities: Vec<&Entity> =
            all.map(|entity| self.changed_entity(&entity.arn).unwrap_or(entity)).collect();
        entities.sort_by(|a, b| a.arn.as_str().cmp(b.arn.as_str()));
        entities
    }

    /// The key with an id in an account and Region.
    #[must_use]
    pub fn key_by_id(&self, account: AccountId, region: &Region, id: &KeyId) -> Option<&KeyEntry> {
        let changed = self.changed_key(account, region, id);
        let known = || self.facts.places.get(&(account, region.clone()))?.keys.get(id);
        changed.or_else(known)
    }

    fn changed_key(&self, account: AccountId, region: &Region, id: &KeyId) -> Option<&KeyEntry> {
        let changes = self.changes.as_ref().filter(|changes| !changes.keys.is_empty())?;
        changes.keys.get(&(account, region.clone(), id.clone())).map(AsRef::as_ref)
    }

    fn changed_entity(&self, arn: &PrincipalArn) -> Option<&Entity> {
        let changes = self.changes.as_ref()?;
        changes.entities.iter().find(|entity| entity.arn == *arn).map(AsRef::as_ref)
    }

    /// Where an alias points.
    #[must_use]
    pub fn alias(&self, account: AccountId, region: &Region, name: &AliasName) -> AliasTarget<'_> {
        let place = self.facts.places.get(&(account, region.clone()));
        match place.and_then(|place| place.aliases.as_ref()) {
            Some(Known::Known(aliases)) => {
                aliases.get(name).map_or(AliasTarget::Missing, AliasTarget::Key)
            }
            Some(Known::Unknown(reason)) => AliasTarget::Unknown(reason),
            None => AliasTarget::Unknown(
                "the world says nothing of the aliases of this account and Region",
            ),
        }
    }

    /// A user or role.
    #[must_use]
    pub fn entity(&self, arn: &PrincipalArn) -> EntityLookup<'_> {
        if let Some(entity) = self.facts.entities.get(arn) {
            return EntityLookup::Found(self.changed_entity(arn).unwrap_or(entity));
        }
        match self.facts.accounts.get(&arn.account()) {
            Some(Known::Known(())) => EntityLookup::Missing,
            Some(Known::Unknown(reason)) => EntityLookup::Unknown(reason),
            None => {
                EntityLookup::Unknown("the world says nothing of the account's users and roles")
            }
        }
    }

    /// The roles of an account with a name, whatever their paths.
    pub fn roles_named(&self, account: AccountId, name: &str) -> impl Iterator<Item = &Entity> {
        let roles = self.facts.roles.get(&role_number(account, name)).into_iter().flatten();
        // INVARIANT (roles): numbers may meet, names decide.
        let own = roles.filter(move |arn| arn.account() == account && arn.name() == name);
        own.filter_map(|arn| match self.entity(arn) {
            EntityLookup::Found(entity) => Some(entity),
            EntityLookup::Missing | EntityLookup::Unknown(_) => None,
        })
    }

    /// The account's place in an organization: `Ok(None)` when it is in none.
    ///
    /// # Errors
    /// Why it is not known.
    pub fn membership(&self, account: AccountId) -> Result<Option<&Membership>, &str> {
        if let Some(changes) = &self.changes
            && let Some((_, changed)) = changes.memberships.iter().find(|(it, _)| *it == account)
        {
            return Ok(Some(changed));
        }
        let facts = &self.facts;
        match facts.memberships.get(&account).or(facts.default_membership.as_ref()) {
            Some(Known::Known(membership)) => Ok(membership.as_ref()),
            Some(Known::Unknown(reason)) => Err(reason),
            None => Err("the world does not say whether the account is in an organization"),
        }
    }

    /// Whether the account is known to be disabled in an opt-in Region.
    #[must_use]
    pub fn is_disabled(&self, account: AccountId, region: &Region) -> bool {
        self.facts.disabled_regions.contains(&(account, region.clone()))
    }

    /// The grants a token belongs to.
    #[must_use]
    pub fn grants_of_token(&self, token: &GrantToken) -> &[(KeyArn, GrantId)] {
        self.facts.grant_tokens.get(token).map(Vec::as_slice).unwrap_or_default()
    }

    /// The known tokens of a grant.
    pub fn tokens_of_grant(&self, grant: &Grant) -> impl Iterator<Item = &GrantToken> {
        let is_of = |(on, of): &(KeyArn, GrantId)| *on == grant.key && *of == grant.id;
        self.facts
            .grant_tokens
            .iter()
            .filter(move |(_, grants)| grants.iter().any(is_of))
            .map(|(token, _)| token)
    }

    /// Whether a token that belongs to no grant here was never given out.
    #[must_use]
    pub fn knows_all_grant_tokens(&self) -> bool {
        self.facts.knows_all_grant_tokens
    }

    /// A VPC endpoint, by its id.
    #[must_use]
    pub fn endpoint(&self, id: &str) -> Option<&Endpoint> {
        let mut changed = self.changes.iter().flat_map(|changes| &changes.endpoints);
        changed.find(|endpoint| *endpoint.id == *id).or_else(|| self.facts.endpoints.get(id))
    }
}

fn role_number(account: AccountId, name: &str) -> u64 {
    fingerprint(account.as_str()).rotate_left(1) ^ fingerprint(name)
}

/// Puts a snapshot together; what is not said stays unknown.
#[derive(Clone, Debug)]
pub struct SnapshotBuilder {
    snapshot: Snapshot,
    facts: Facts,
    /// The lists of tags so far.
    tags: HashSet<Arc<[(String, String)]>, RandomState>,
}

impl SnapshotBuilder {
    /// Which change of the world this is.
    pub fn epoch(&mut self, epoch: Epoch) -> &mut Self {
        self.snapshot.epoch = epoch;
        self
    }

    /// When the facts were read.
    pub fn taken_at(&mut self, instant: Timestamp) -> &mut Self {
        self.snapshot.taken_at = Some(instant);
        self
    }

    /// When the facts of one key were read, where not with the rest.
    pub fn read_at(&mut self, key: KeyArn, instant: Timestamp) -> &mut Self {
        self.snapshot.read_at.insert(key, instant);
        self
    }

    /// How open points of the documentation are read.
    pub fn readings(&mut self, readings: Readings) -> &mut Self {
        self.snapshot.readings = readings;
        self
    }

    /// Adds a key; its `aliases` are filled in by [`Self::build`] from [`Self::aliases`].
    ///
    /// # Errors
    /// When the key is there already, a grant is on another key, or a key of the same account and
    /// Region is of another partition.
    pub fn key(&mut self, mut entry: KeyEntry) -> Result<&mut Self, SnapshotError> {
        let arn = entry.key.arn.clone();
        let mut grants = entry.grants.known().into_iter().flat_map(|all| all.iter());
        if let Some(grant) = grants.find(|one| one.key != arn) {
            return Err(SnapshotError::ForeignGrant {
                grant: grant.id.to_string(),
                on: Box::new(grant.key.clone()),
                under: Box::new(arn),
            });
        }
        if let Known::Known(tags) = &entry.tags {
            // Many keys have the same tags.
            match self.tags.get(tags) {
                Some(known) => entry.tags = Known::Known(Arc::clone(known)),
                None => drop(self.tags.insert(Arc::clone(tags))),
            }
        }
        let place = self.facts.places.entry((arn.account(), arn.region().clone())).or_default();
        if place.keys.all.is_empty() {
            place.partition = arn.partition().into();
        } else if !arn.is_of_partition(&place.partition) {
            return Err(SnapshotError::OtherPartition(Box::new(arn)));
        }
        if place.keys.insert(entry) {
            Ok(self)
        } else {
            Err(SnapshotError::DuplicateKey(Box::new(arn)))
        }
    }

    /// States that a key which is not added does not exist: a keystore knows all its keys.
    pub fn knows_all_keys(&mut self) -> &mut Self {
        self.facts.knows_all_keys = true;
        self
    }

    /// States all aliases of an account in a Region, or why they are unknown.
    pub fn aliases(
        &mut self,
        account: AccountId,
        region: Region,
        aliases: Known<Vec<(AliasName, KeyId)>>,
    ) -> &mut Self {
        self.facts.places.entry((account, region)).or_default().aliases = Some(match aliases {
            Known::Known(aliases) => Known::Known(aliases.into_iter().collect()),
            Known::Unknown(reason) => Known::Unknown(reason),
        });
        self
    }

    /// Adds a user or role.
    ///
    /// # Errors
    /// When it is there already.
    pub fn entity(&mut self, entity: Entity) -> Result<&mut Self, SnapshotError> {
        let arn = entity.arn.clone();
        if self.facts.entities.insert(arn.clone(), Arc::new(entity)).is_some() {
            return Err(SnapshotError::DuplicateEntity(Box::new(arn)));
        }
        if arn.kind() == PrincipalArnKind::Role {
            let number = role_number(arn.account(), arn.name());
            self.facts.roles.entry(number).or_default().push(arn);
        }
        Ok(self)
    }

    /// States that all users and roles of an account are told, or why they are unknown.
    pub fn account(&mut self, account: AccountId, iam: Known<()>) -> &mut Self {
        self.facts.accounts.insert(account, iam);
        self
    }

    /// States an account's place in an organization.
    pub fn membership(
        &mut self,
        account: AccountId,
        membership: Known<Option<Membership>>,
    ) -> &mut Self {
        self.facts.memberships.insert(account, membership);
        self
    }

    /// States the place of every account not told of otherwise: `Known(None)` for a world without
    /// organizations.
    pub fn other_memberships(&mut self, membership: Known<Option<Membership>>) -> &mut Self {
        self.facts.default_membership = Some(membership);
        self
    }

    /// Adds a VPC endpoint.
    pub fn endpoint(&mut self, endpoint: Endpoint) -> &mut Self {
        self.facts.endpoints.insert(endpoint.id.clone(), endpoint);
        self
    }

    /// States that an account is disabled in an opt-in Region; otherwise it is taken to be enabled.
    pub fn disabled_region(&mut self, account: AccountId, region: Region) -> &mut Self {
        self.facts.disabled_regions.insert((account, region));
        self
    }

    /// Adds a token of a grant. Those of grants that have not spread are known without.
    pub fn grant_token(&mut self, token: GrantToken, key: KeyArn, id: GrantId) -> &mut Self {
        self.facts.grant_tokens.entry(token).or_default().push((key, id));
        self
    }

    /// States that a token which is not added was never given out.
    pub fn knows_all_grant_tokens(&mut self) -> &mut Self {
        self.facts.knows_all_grant_tokens = true;
        self
    }

    /// Freezes the world.
    #[must_use]
    pub fn build(mut self) -> Snapshot {
        for place in self.facts.places.values_mut() {
            place.keys.all.shrink_to_fit();
            for grant in place
                .keys
                .all
                .iter()
                .filter_map(|entry| entry.grants.known())
                .flat_map(|all| all.iter())
            {
                if let GrantVisibility::TokenOnly(token) = &grant.visibility {
                    let own = (grant.key.clone(), grant.id.clone());
                    self.facts.grant_tokens.entry(token.clone()).or_default().push(own);
                }
            }
            let Some(Known::Known(aliases)) = &place.aliases else { continue };
            let mut names: HashMap<&KeyId, Vec<&AliasName>> = HashMap::new();
            for (name, id) in aliases {
                names.entry(id).or_default().push(name);
            }
            for entry in &mut place.keys.all {
                let mut own = names.remove(entry.key.arn.id()).unwrap_or_default();
                own.sort_unstable();
                entry.aliases = Known::Known(own.into_iter().cloned().collect());
            }
        }
        Snapshot { facts: Arc::new(self.facts), ..self.snapshot }
    }
}
