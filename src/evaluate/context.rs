//! What a request says of a condition key.
//!
//! Keys that follow from principal, key and operation are derived on demand; the rest is what the
//! caller stated. Nothing is copied into a map first.

use super::supplied::supplies;
use crate::compile::{Entity, KeyEntry, Membership};
use crate::model::{
    Action, ActionSet, AliasName, CallerPrincipal, ConditionKey, ContextMap, ContextValue,
    EncryptionAlgorithm, EncryptionContext, Grant, GrantConstraints, KnownKey, PrincipalArn,
    Region, ResourceKind, ServiceName, Truth, eq_ignore_case, split_arn,
};

/// A key fails `kms:ResourceAliases` conditions above this many aliases (kms developer guide,
/// "ABAC for AWS KMS").
const ALIASES_PER_KEY: usize = 50;

/// What a request says of one key.
#[derive(Clone, Debug)]
pub enum Found<'a> {
    /// The request does not carry it.
    Absent,
    /// Several values, or an empty set.
    Many(Values<'a>),
    /// One value.
    One(&'a str),
    /// One value: these two with a colon between them, as `aws:userid` is of a session.
    Pair(&'a str, &'a str),
    /// AWS evaluates no conditions on it here, as on the aliases of a key that has too many: every
    /// condition refuses.
    Unsupported,
    /// Nobody said.
    Unknown,
}

impl<'a> Found<'a> {
    /// Whether a key that AWS lists is single-valued or a set does not depend on how its value was
    /// stated (X12).
    fn stated(value: &'a ContextValue, known: Option<KnownKey>) -> Self {
        let multivalued = known.map(KnownKey::is_multivalued);
        match value {
            ContextValue::Absent => Self::Absent,
            ContextValue::Many(values) => match (values.as_slice(), multivalued) {
                ([value], Some(false)) => Self::One(value),
                _ => Self::Many(Values::Stated(values)),
            },
            ContextValue::One(value) if multivalued == Some(true) => {
                Self::Many(Values::Single(value))
            }
            ContextValue::One(value) => Self::One(value),
        }
    }
}

/// The values of a multivalued key, wherever they are kept.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// The aliases of a key.
    Aliases(&'a [AliasName]),
    /// The names of an encryption context.
    Names(&'a EncryptionContext),
    /// The names of a service.
    Services(&'a [ServiceName]),
    /// A single one.
    Single(&'a str),
    /// As stated.
    Stated(&'a [String]),
}

impl<'a> Values<'a> {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Aliases(aliases) => aliases.len(),
            Self::Names(context) => context.len(),
            Self::Services(names) => names.len(),
            Self::Single(_) => 1,
            Self::Stated(values) => values.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `visit` with each value until it says stop; tells whether it did.
    pub fn any(&self, mut visit: impl FnMut(&'a str) -> bool) -> bool {
        match *self {
            Self::Aliases(aliases) => aliases.iter().any(|alias| visit(alias.as_str())),
            Self::Names(context) => context.names().any(visit),
            Self::Services(names) => names.iter().any(|name| visit(name.as_str())),
            Self::Single(value) => visit(value),
            Self::Stated(values) => values.iter().any(|value| visit(value)),
        }
    }

    /// All of them.
    #[must_use]
    pub fn collect(&self) -> Vec<String> {
        let mut all = Vec::with_capacity(self.len());
        self.any(|value| {
            all.push(value.to_owned());
            false
        });
        all
    }

    /// The first value.
    #[must_use]
    pub fn first(&self) -> Option<&'a str> {
        let mut first = None;
        self.any(|value| {
            first = Some(value);
            true
        });
        first
    }
}

/// What the operation itself puts into the request context, for one side.
#[derive(Clone, Copy, Debug, Default)]
pub struct OperationFacts<'a> {
    /// The encryption context of this side; `None` when the operation has none.
    pub encryption_context: Option<&'a EncryptionContext>,
    /// The algorithm used, also when it was not written.
    pub encryption_algorithm: Option<EncryptionAlgorithm>,
    /// The alias the request names this side's key by.
    pub request_alias: Option<&'a AliasName>,
    /// For ReEncrypt: whether both sides use one key.
    pub re_encrypt_on_same_key: Option<Truth>,
    /// The keys that the operation's own parameters supply, complete: a key of the operation that
    /// is not in it is absent. `None` when the parameters are not told.
    pub parameters: Option<&'a ContextMap>,
    /// The grant that is made or retired.
    pub grant: GrantSubject<'a>,
}

/// The grant an operation is about.
#[derive(Clone, Copy, Debug, Default)]
pub enum GrantSubject<'a> {
    /// `CreateGrant`: what the new grant would allow, and when.
    Created {
        /// Its operations.
        operations: ActionSet,
        /// Its constraints.
        constraints: &'a GrantConstraints,
    },
    /// None, or it is not told.
    #[default]
    None,
    /// `RetireGrant`: the grant itself.
    Retired(&'a Grant),
}

/// The facts that context keys are derived from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Who calls.
    pub principal: &'a CallerPrincipal,
    /// The user or role behind the caller; `Ok(None)` when there is none. `Err`: why not known.
    pub entity: Result<Option<&'a Entity>, &'a str>,
    /// The caller's account in its organization.
    pub principal_membership: Result<Option<&'a Membership>, &'a str>,
    /// The key asked about; `None` for actions without a key.
    pub key: Option<&'a KeyEntry>,
    /// The ARN of the key or alias; `None` for actions without a resource.
    pub resource: Option<&'a str>,
    /// The place of the resource's account in its organization.
    pub resource_membership: Result<Option<&'a Membership>, &'a str>,
    /// The Region the request is sent to, where it is told.
    pub region: Option<&'a Region>,
    /// What the operation adds.
    pub operation: OperationFacts<'a>,
}

/// Everything a request says.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext<'a> {
    /// The action that is asked about: decides which `kms:` keys the request carries.
    pub action: Action,
    /// What was stated.
    pub stated: &'a ContextMap,
    /// What keys are derived from; `None` when only stated keys count.
    pub facts: Option<&'a Facts<'a>>,
    /// The grant it is about.
    pub grant: GrantSubject<'a>,
}

impl<'a> RequestContext<'a> {
    /// What the request says of `key` to a policy that sees the tags and aliases of the key, or not.
    #[must_use]
    pub fn find(&self, key: &ConditionKey, sees_tags: bool) -> Found<'a> {
        match key.known() {
            Some(known) => self.find_known(known, (key.lower(), key.tail()), sees_tags),
            None => match self.stated.stated(key.lower()) {
                Some(value) => Found::stated(value, None),
                None if self.stated.is_complete() => Found::Absent,
                None => Found::Unknown,
            },
        }
    }

    /// What the request says of a known key, or of the member of a family, by its lower-case name.
    pub(super) fn find_known(
        &self,
        known: KnownKey,
        (lower, tail): (&str, &str),
        sees_tags: bool,
    ) -> Found<'a> {
        if !sees_tags && known.is_of_tags() {
            return Found::Absent;
        }
        let stated = || self.stated.of_known(known, lower);
        let stated_wins =
            matches!(known, KnownKey::AwsPrincipalTag | KnownKey::AwsPrincipalServiceNamesList)
                && stated().is_some();
        if let Some(facts) = self.facts
            && !stated_wins
            && let Some(found) = facts.derive(known, (lower, tail), self.action)
        {
            return found;
        }
        match stated() {
            Some(value) => Found::stated(value, Some(known)),
            None if self.facts.is_some()
                && is_of_forwarding(known)
                && self.forwards().is_some() =>
            {
                flag(self.forwards() == Some(true))
            }
            None if self.stated.is_complete() => Found::Absent,
            None => self.unstated(known),
        }
    }

    /// Whether a service makes the request for the caller: `kms:ViaService` tells (kms developer
    /// guide, "kms:GrantIsForAWSResource"; iam user guide, "Forward access sessions"). `None` when it
    /// is not told.
    fn forwards(&self) -> Option<bool> {
        match self.stated.of_known(KnownKey::KmsViaService, "kms:viaservice") {
            Some(ContextValue::One(_)) => Some(true),
            Some(_) | None if self.stated.is_complete() => Some(false),
            _ => None,
        }
    }

    /// A key nobody stated: a `kms:` key the action never supplies is absent, all else unknown.
    fn unstated(&self, known: KnownKey) -> Found<'a> {
        match self.facts {
            Some(_) if !supplies(self.action, known) => Found::Absent,
            _ => Found::Unknown,
        }
    }
}

impl<'a> Facts<'a> {
    /// The value of a key that follows from the facts; `None` when it must be stated.
    fn derive(
        &self,
        known: KnownKey,
        (lower, tail): (&str, &str),
        action: Action,
    ) -> Option<Found<'a>> {
        use KnownKey as K;
        let operation = self.operation;
        let parameter = operation.parameters.and_then(|all| all.of_known(known, lower));
        if let Some(value) = parameter {
            return Some(Found::stated(value, Some(known)));
        }
        Some(match known {
            K::KmsCallerAccount if !supplies(action, known) => Found::Absent,
            // Conditions on keys of KMS do not reach aliases (kms developer guide, "AWS KMS
            // permissions"), though the service authorization reference lists these two.
            K::KmsCallerAccount | K::KmsViaService if self.is_about_alias(action) => {
                Found::Unsupported
            }
            K::KmsCallerAccount | K::AwsPrincipalAccount => {
                one(self.principal.arn().map(PrincipalArn::account_str))
            }
            K::AwsPrincipalArn => one(self.principal.policy_arn().map(|arn| arn.as_str())),
            K::AwsPrincipalIsAwsService => {
                flag(matches!(self.principal, CallerPrincipal::Service { .. }))
            }
            K::AwsPrincipalServiceName => match self.principal {
                CallerPrincipal::Service { names } => one(names.first().map(ServiceName::as_str)),
                _ => Found::Absent,
            },
            K::AwsPrincipalServiceNamesList => match self.principal {
                // A service has several names, so one alone is not the list.
                CallerPrincipal::Service { names } if names.len() > 1 => {
                    Found::Many(Values::Services(names))
                }
                CallerPrincipal::Service { .. } => Found::Unknown,
                _ => Found::Absent,
            },
            K::AwsPrincipalType => one(Some(match self.principal {
                CallerPrincipal::Anonymous => "Anonymous",
                CallerPrincipal::FederatedUser { .. } => "FederatedUser",
                CallerPrincipal::RoleSession { .. } => "AssumedRole",
                CallerPrincipal::Root(_) => "Account",
                // AWS documents no value for services.
                CallerPrincipal::Service { .. } => return None,
                CallerPrincipal::User { .. } => "User",
            })),
            K::AwsUserName => match self.principal {
                CallerPrincipal::User { arn, .. } => one(Some(arn.name())),
                _ => Found::Absent,
            },
            K::AwsUserId => return self.user_id(),
            K::AwsPrincipalTag => return self.principal_tag(tail),
            K::AwsPrincipalOrgId => organization(self.principal_membership)?,
            K::AwsPrincipalOrgPaths => organization_path(self.principal_membership)?,
            K::AwsResourceOrgId => organization(self.resource_membership)?,
            K::AwsResourceOrgPaths => organization_path(self.resource_membership)?,
            K::AwsResourceAccount => one(Some(account_text(self.resource?))),
            K::AwsRequestedRegion => one(Some(self.region?.as_str())),
            // KMS answers over TLS alone (kms developer guide, "Infrastructure security").
            K::AwsSecureTransport => flag(true),
            K::KmsKeySpec | K::KmsCustomerMasterKeySpec => one(Some(self.key?.key.spec.as_str())),
            K::KmsKeyUsage | K::KmsCustomerMasterKeyUsage => {
                one(Some(self.key?.key.usage.as_str()))
            }
            K::KmsKeyOrigin => one(Some(self.key?.key.origin.as_str())),
            K::KmsMultiRegion => flag(self.key?.key.multi_region.is_some()),
            K::KmsMultiRegionKeyType => one(self.key?.key.multi_region.map(|kind| kind.as_str())),
            K::KmsResourceAliases => self.resource_aliases()?,
            K::AwsResourceTag => self.resource_tag(tail)?,
            _ if !supplies(action, known) => Found::Absent,
            K::KmsEncryptionAlgorithm => one(Some(operation.encryption_algorithm?.as_str())),
            K::KmsEncryptionContext => encryption_context(operation.encryption_context?, tail),
            K::KmsEncryptionContextKeys => match operation.encryption_context? {
                context if context.is_empty() => Found::Absent,
                context => Found::Many(Values::Names(context)),
            },
            K::KmsRequestAlias => one(operation.request_alias.map(AliasName::as_str)),
            K::KmsReEncryptOnSameKey => match operation.re_encrypt_on_same_key? {
                Truth::True => flag(true),
                Truth::False => flag(false),
                Truth::Unknown => Found::Unknown,
            },
            _ if operation.parameters.is_some() && is_parameter(known) => Found::Absent,
            _ => return None,
        })
    }

    fn is_about_alias(&self, action: Action) -> bool {
        let is_alias = |arn: &str| split_arn(arn).is_some_and(|[.., it]| it.starts_with("alias/"));
        action.resource_kind() == ResourceKind::AliasAndKey && self.resource.is_some_and(is_alias)
    }

    fn user_id(&self) -> Option<Found<'a>> {
        let id = self.entity.ok().flatten().and_then(|entity| entity.id.as_ref());
        Some(match self.principal {
            CallerPrincipal::Root(arn) => one(Some(arn.account_str())),
            CallerPrincipal::User { id: own, .. } => one(Some(own.as_ref().or(id)?.as_str())),
            CallerPrincipal::RoleSession { session, id: own, .. } => {
                let id = own.as_ref().or(id)?;
                Found::Pair(id.as_str(), session.name())
            }
            CallerPrincipal::FederatedUser { arn, .. } => {
                Found::Pair(arn.account_str(), arn.name())
            }
            CallerPrincipal::Anonymous => one(Some("anonymous")),
            CallerPrincipal::Service { .. } => return None,
        })
    }

    /// The entity's own tags. Session tags win over them and are stated, so [`RequestContext::find`]
    /// asks what was stated first (iam user guide, "Passing session tags").
    fn principal_tag(&self, tail: &str) -> Option<Found<'a>> {
        match (self.principal, self.entity) {
            (_, Ok(Some(entity))) => Some(tag(&entity.tags, tail)),
            (CallerPrincipal::Service { .. } | CallerPrincipal::Root(_), _) => Some(Found::Absent),
            _ => None,
        }
    }

    fn resource_aliases(&self) -> Option<Found<'a>> {
        let aliases = self.key?.aliases.known()?;
        Some(match aliases.len() {
            0 => Found::Absent,
            count if count > ALIASES_PER_KEY => Found::Unsupported,
            _ => Found::Many(Values::Aliases(aliases)),
        })
    }

    fn resource_tag(&self, tail: &str) -> Option<Found<'a>> {
        self.key?.tags.known().map(|tags| tag(tags, tail))
    }
}

/// Whether a key's value comes from the parameters of the request, rather than from how it was
/// sent.
fn is_parameter(known: KnownKey) -> bool {
    known.as_str().starts_with("kms:")
        && !matches!(
            known,
            KnownKey::KmsViaService
                | KnownKey::KmsGrantIsForAwsResource
                | KnownKey::KmsRecipientAttestation
                | KnownKey::KmsTrailingDaysWithoutKeyUsage
        )
}

/// Whether a key says that a service makes the request for the caller.
fn is_of_forwarding(known: KnownKey) -> bool {
    matches!(known, KnownKey::AwsViaAwsService | KnownKey::KmsGrantIsForAwsResource)
}

fn one(value: Option<&str>) -> Found<'_> {
    value.map_or(Found::Absent, Found::One)
}

fn flag<'a>(value: bool) -> Found<'a> {
    one(Some(if value { "true" } else { "false" }))
}

/// The account part of an ARN.
fn account_text(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

/// A tag whose name equals `tail` without case; two such tags make the answer unknown, as AWS
/// warns that it is (iam user guide, "Condition").
fn tag<'a>(tags: &'a [(String, String)], tail: &str) -> Found<'a> {
    let mut matching = tags.iter().filter(|(name, _)| eq_ignore_case(name, tail));
    match (matching.next(), matching.next()) {
        (Some((_, value)), None) => one(Some(value)),
        (None, _) => Found::Absent,
        _ => Found::Unknown,
    }
}

fn encryption_context<'a>(context: &'a EncryptionContext, tail: &str) -> Found<'a> {
    let mut matching = context.iter().filter(|(name, _)| eq_ignore_case(name, tail));
    match (matching.next(), matching.next()) {
        (Some((_, value)), None) => one(Some(value)),
        (None, _) => Found::Absent,
        _ => Found::Unknown,
    }
}

fn organization<'a>(membership: Result<Option<&'a Membership>, &'a str>) -> Option<Found<'a>> {
    membership.ok().map(|membership| one(membership.map(|it| it.organization.as_ref())))
}

fn organization_path<'a>(membership: Result<Option<&'a Membership>, &'a str>) -> Option<Found<'a>> {
    membership.ok().map(|membership| {
        membership.map_or(Found::Absent, |it| Found::Many(Values::Single(it.path.as_ref())))
    })
}
