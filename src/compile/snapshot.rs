//! The world, frozen.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::PolicySlot;
use crate::model::{
    AccountId, AliasName, Grant, GrantId, GrantToken, GrantVisibility, Key, KeyArn, KeyId,
    PrincipalArn, Readings, Region, Timestamp, UniqueId,
};

/// Which world a snapshot was taken from, and at which of its changes: a decision on one world is
/// none on another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Epoch {
    world: [u8; 16],
    count: u64,
}

impl Epoch {
    /// A change of a world that has no id, as a folder has none.
    #[must_use]
    pub const fn new(count: u64) -> Self {
        Self { world: [0; 16], count }
    }

    /// A change of the world with an id: a keystore's own, made at random.
    #[must_use]
    pub const fn of(world: [u8; 16], count: u64) -> Self {
        Self { world, count }
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
        Ok(())
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
}

/// A key with everything that is attached to it.
#[derive(Clone, Debug)]
pub struct KeyEntry {
    /// What `DescribeKey` says.
    pub key: Key,
    /// Its key policies: `default`, and `AWS_RAM` when the key is shared.
    pub policies: Vec<PolicySlot>,
    /// Its grants.
    pub grants: Known<Vec<Grant>>,
    /// Its tags.
    pub tags: Known<Vec<(String, String)>>,
    /// The aliases that point to it.
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

type Place = (AccountId, Region);

/// An immutable view of keys, aliases, grants, policies and organization at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    epoch: Epoch,
    taken_at: Option<Timestamp>,
    readings: Readings,
    keys: HashMap<KeyArn, KeyEntry>,
    /// INVARIANT (ids): one entry a key; partitions do not share account ids and Regions.
    by_id: HashMap<(AccountId, Region, KeyId), KeyArn>,
    knows_all_keys: bool,
    aliases: HashMap<Place, HashMap<AliasName, KeyId>>,
    unknown_aliases: HashMap<Place, Box<str>>,
    entities: HashMap<PrincipalArn, Entity>,
    accounts: HashMap<AccountId, Known<()>>,
    memberships: HashMap<AccountId, Known<Option<Membership>>>,
    default_membership: Option<Known<Option<Membership>>>,
    endpoints: HashMap<Box<str>, Endpoint>,
    disabled_regions: HashSet<Place>,
    grant_tokens: HashMap<GrantToken, Vec<(KeyArn, GrantId)>>,
    knows_all_grant_tokens: bool,
}

impl Snapshot {
    /// Starts an empty world.
    #[must_use]
    pub fn builder() -> SnapshotBuilder {
        SnapshotBuilder { snapshot: Self::default() }
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

    /// How open points of the documentation are read.
    #[must_use]
    pub fn readings(&self) -> &Readings {
        &self.readings
    }

    /// A key.
    #[must_use]
    pub fn key(&self, arn: &KeyArn) -> Option<&KeyEntry> {
        self.keys.get(arn)
    }

    /// Whether a key that is not here does not exist, rather than being unknown.
    #[must_use]
    pub fn knows_all_keys(&self) -> bool {
        self.knows_all_keys
    }

    /// The same world, but for how open points of the documentation are read.
    #[must_use]
    pub fn with_readings(&self, readings: Readings) -> Self {
        Self { readings, ..self.clone() }
    }

    /// The same world, but for the policies of one key; `None` when there is no such key.
    #[must_use]
    pub fn with_key_policies(&self, arn: &KeyArn, policies: Vec<PolicySlot>) -> Option<Self> {
        let mut changed = self.clone();
        changed.keys.get_mut(arn)?.policies = policies;
        Some(changed)
    }

    /// The same world, but for the identity policies of one user or role; `None` when there is none
    /// such.
    #[must_use]
    pub fn with_identity_policies(
        &self,
        arn: &PrincipalArn,
        policies: Vec<PolicySlot>,
    ) -> Option<Self> {
        let mut changed = self.clone();
        changed.entities.get_mut(arn)?.policies = policies;
        Some(changed)
    }

    /// The same world, but for the permissions boundary of one user or role; `None` when there is
    /// none such.
    #[must_use]
    pub fn with_boundary(&self, arn: &PrincipalArn, boundary: PolicySlot) -> Option<Self> {
        let mut changed = self.clone();
        changed.entities.get_mut(arn)?.boundary = Some(boundary);
        Some(changed)
    }

    /// The same world, but for the place of one account in its organization.
    #[must_use]
    pub fn with_membership(&self, account: AccountId, membership: Membership) -> Self {
        let mut changed = self.clone();
        changed.memberships.insert(account, Known::Known(Some(membership)));
        changed
    }

    /// The same world, but for the policy of one VPC endpoint; `None` when there is none such.
    #[must_use]
    pub fn with_endpoint_policy(&self, id: &str, policy: PolicySlot) -> Option<Self> {
        let mut changed = self.clone();
        changed.endpoints.get_mut(id)?.policy = policy;
        Some(changed)
    }

    /// All keys, sorted by ARN.
    #[must_use]
    pub fn keys(&self) -> Vec<&KeyEntry> {
        let mut keys: Vec<_> = self.keys.values().collect();
        keys.sort_by(|a, b| a.key.arn.cmp(&b.key.arn));
        keys
    }

    /// All users and roles, sorted by ARN.
    #[must_use]
    pub fn entities(&self) -> Vec<&Entity> {
        let mut entities: Vec<_> = self.entities.values().collect();
        entities.sort_by(|a, b| a.arn.as_str().cmp(b.arn.as_str()));
        entities
    }

    /// The key with an id in an account and Region.
    #[must_use]
    pub fn key_by_id(&self, account: AccountId, region: &Region, id: &KeyId) -> Option<&KeyEntry> {
        self.keys.get(self.by_id.get(&(account, region.clone(), id.clone()))?)
    }

    /// Where an alias points.
    #[must_use]
    pub fn alias(&self, account: AccountId, region: &Region, name: &AliasName) -> AliasTarget<'_> {
        let place = (account, region.clone());
        if let Some(reason) = self.unknown_aliases.get(&place) {
            return AliasTarget::Unknown(reason);
        }
        match self.aliases.get(&place) {
            Some(aliases) => aliases.get(name).map_or(AliasTarget::Missing, AliasTarget::Key),
            None => AliasTarget::Unknown(
                "the world says nothing of the aliases of this account and Region",
            ),
        }
    }

    /// A user or role.
    #[must_use]
    pub fn entity(&self, arn: &PrincipalArn) -> EntityLookup<'_> {
        if let Some(entity) = self.entities.get(arn) {
            return EntityLookup::Found(entity);
        }
        match self.accounts.get(&arn.account()) {
            Some(Known::Known(())) => EntityLookup::Missing,
            Some(Known::Unknown(reason)) => EntityLookup::Unknown(reason),
            None => {
                EntityLookup::Unknown("the world says nothing of the account's users and roles")
            }
        }
    }

    /// The roles of an account with a name, whatever their paths.
    pub fn roles_named(&self, account: AccountId, name: &str) -> impl Iterator<Item = &Entity> {
        self.entities.values().filter(move |entity| {
            entity.arn.account() == account && entity.arn.role_name() == Some(name)
        })
    }

    /// The account's place in an organization: `Ok(None)` when it is in none.
    ///
    /// # Errors
    /// Why it is not known.
    pub fn membership(&self, account: AccountId) -> Result<Option<&Membership>, &str> {
        match self.memberships.get(&account).or(self.default_membership.as_ref()) {
            Some(Known::Known(membership)) => Ok(membership.as_ref()),
            Some(Known::Unknown(reason)) => Err(reason),
            None => Err("the world does not say whether the account is in an organization"),
        }
    }

    /// Whether the account is known to be disabled in an opt-in Region.
    #[must_use]
    pub fn is_disabled(&self, account: AccountId, region: &Region) -> bool {
        self.disabled_regions.contains(&(account, region.clone()))
    }

    /// The grants a token belongs to.
    #[must_use]
    pub fn grants_of_token(&self, token: &GrantToken) -> &[(KeyArn, GrantId)] {
        self.grant_tokens.get(token).map(Vec::as_slice).unwrap_or_default()
    }

    /// The known tokens of a grant.
    pub fn tokens_of_grant(&self, grant: &Grant) -> impl Iterator<Item = &GrantToken> {
        let is_of = |(on, of): &(KeyArn, GrantId)| *on == grant.key && *of == grant.id;
        self.grant_tokens
            .iter()
            .filter(move |(_, grants)| grants.iter().any(is_of))
            .map(|(token, _)| token)
    }

    /// Whether a token that belongs to no grant here was never given out.
    #[must_use]
    pub fn knows_all_grant_tokens(&self) -> bool {
        self.knows_all_grant_tokens
    }

    /// The same world with one more key; `None` when it is there already.
    #[must_use]
    pub fn with_key(&self, entry: KeyEntry) -> Option<Self> {
        let arn = entry.key.arn.clone();
        if self.keys.contains_key(&arn) {
            return None;
        }
        let mut changed = self.clone();
        let by_id = (arn.account(), arn.region().clone(), arn.id().clone());
        changed.by_id.insert(by_id, arn.clone());
        changed.keys.insert(arn, entry);
        Some(changed)
    }

    /// A VPC endpoint, by its id.
    #[must_use]
    pub fn endpoint(&self, id: &str) -> Option<&Endpoint> {
        self.endpoints.get(id)
    }
}

/// Puts a snapshot together; what is not said stays unknown.
#[derive(Clone, Debug)]
pub struct SnapshotBuilder {
    snapshot: Snapshot,
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

    /// How open points of the documentation are read.
    pub fn readings(&mut self, readings: Readings) -> &mut Self {
        self.snapshot.readings = readings;
        self
    }

    /// Adds a key; its `aliases` are filled in by [`Self::build`] from [`Self::aliases`].
    ///
    /// # Errors
    /// When the key is there already, or a grant is on another key.
    pub fn key(&mut self, entry: KeyEntry) -> Result<&mut Self, SnapshotError> {
        let arn = entry.key.arn.clone();
        if let Some(grant) =
            entry.grants.known().and_then(|all| all.iter().find(|one| one.key != arn))
        {
            return Err(SnapshotError::ForeignGrant {
                grant: grant.id.to_string(),
                on: Box::new(grant.key.clone()),
                under: Box::new(arn),
            });
        }
        let by_id = (arn.account(), arn.region().clone(), arn.id().clone());
        self.snapshot.by_id.insert(by_id, arn.clone());
        match self.snapshot.keys.insert(arn.clone(), entry) {
            Some(_) => Err(SnapshotError::DuplicateKey(Box::new(arn))),
            None => Ok(self),
        }
    }

    /// States that a key which is not added does not exist: a keystore knows all its keys.
    pub fn knows_all_keys(&mut self) -> &mut Self {
        self.snapshot.knows_all_keys = true;
        self
    }

    /// States all aliases of an account in a Region, or why they are unknown.
    pub fn aliases(
        &mut self,
        account: AccountId,
        region: Region,
        aliases: Known<Vec<(AliasName, KeyId)>>,
    ) -> &mut Self {
        match aliases {
            Known::Known(aliases) => {
                self.snapshot.aliases.insert((account, region), aliases.into_iter().collect());
            }
            Known::Unknown(reason) => {
                self.snapshot.unknown_aliases.insert((account, region), reason);
            }
        }
        self
    }

    /// Adds a user or role.
    ///
    /// # Errors
    /// When it is there already.
    pub fn entity(&mut self, entity: Entity) -> Result<&mut Self, SnapshotError> {
        let arn = entity.arn.clone();
        match self.snapshot.entities.insert(arn.clone(), entity) {
            Some(_) => Err(SnapshotError::DuplicateEntity(Box::new(arn))),
            None => Ok(self),
        }
    }

    /// States that all users and roles of an account are told, or why they are unknown.
    pub fn account(&mut self, account: AccountId, iam: Known<()>) -> &mut Self {
        self.snapshot.accounts.insert(account, iam);
        self
    }

    /// States an account's place in an organization.
    pub fn membership(
        &mut self,
        account: AccountId,
        membership: Known<Option<Membership>>,
    ) -> &mut Self {
        self.snapshot.memberships.insert(account, membership);
        self
    }

    /// States the place of every account not told of otherwise: `Known(None)` for a world without
    /// organizations.
    pub fn other_memberships(&mut self, membership: Known<Option<Membership>>) -> &mut Self {
        self.snapshot.default_membership = Some(membership);
        self
    }

    /// Adds a VPC endpoint.
    pub fn endpoint(&mut self, endpoint: Endpoint) -> &mut Self {
        self.snapshot.endpoints.insert(endpoint.id.clone(), endpoint);
        self
    }

    /// States that an account is disabled in an opt-in Region; otherwise it is taken to be enabled.
    pub fn disabled_region(&mut self, account: AccountId, region: Region) -> &mut Self {
        self.snapshot.disabled_regions.insert((account, region));
        self
    }

    /// Adds a token of a grant. Those of grants that have not spread are known without.
    pub fn grant_token(&mut self, token: GrantToken, key: KeyArn, id: GrantId) -> &mut Self {
        self.snapshot.grant_tokens.entry(token).or_default().push((key, id));
        self
    }

    /// States that a token which is not added was never given out.
    pub fn knows_all_grant_tokens(&mut self) -> &mut Self {
        self.snapshot.knows_all_grant_tokens = true;
        self
    }

    /// Freezes the world.
    #[must_use]
    pub fn build(mut self) -> Snapshot {
        let Snapshot { keys, aliases, grant_tokens, .. } = &mut self.snapshot;
        for entry in keys.values_mut() {
            for grant in entry.grants.known().into_iter().flatten() {
                if let GrantVisibility::TokenOnly(token) = &grant.visibility {
                    let own = (grant.key.clone(), grant.id.clone());
                    grant_tokens.entry(token.clone()).or_default().push(own);
                }
            }
            let place = (entry.key.arn.account(), entry.key.arn.region().clone());
            if let Some(all) = aliases.get(&place) {
                let mut own: Vec<AliasName> = all
                    .iter()
                    .filter(|(_, id)| *id == entry.key.arn.id())
                    .map(|(name, _)| name.clone())
                    .collect();
                own.sort();
                entry.aliases = Known::Known(own);
            }
        }
        self.snapshot
    }
}
