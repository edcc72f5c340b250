//! How the layers make one answer: written once, over any [`Algebra`].
//!
//! Sources: iam user guide, "Policy evaluation logic" and "Cross-account policy evaluation"; kms
//! developer guide, "Key policies" and "Grants". The clauses E0 to E8 are those of
//! `docs/semantics.md`.

use super::Layer;
use crate::compile::PrincipalClass as Class;
use crate::model::Algebra;

/// Which of the caller's facts change how layers combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerKind {
    /// Unsigned; KMS refuses it.
    Anonymous,
    /// A user, a role session, or a federated session.
    Identity,
    /// The root user of its account.
    Root,
    /// An AWS service calling as itself.
    Service,
}

/// Where the resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The key is another account's.
    CrossAccount,
    /// The action has no key.
    NoResource,
    /// A grant is retired: the grant and IAM decide, whosesoever the key is.
    Retire,
    /// The key is the caller's account's.
    SameAccount,
}

/// The plain facts of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Who calls.
    pub caller: CallerKind,
    /// Where the resource is.
    pub relation: Relation,
    /// Whether the operation can be used across accounts.
    pub works_across_accounts: bool,
    /// Whether the resource is of another partition than the caller: they share nothing.
    pub is_other_partition: bool,
    /// Whether the caller's account is known to be disabled in the Region.
    pub is_disabled_region: bool,
    /// Whether a root user of another account is taken to have an identity allow (a reading).
    pub foreign_root_allowed: bool,
    /// Whether a permission that only a grant gives is capped by these layers (readings).
    pub grant_caps: GrantCaps,
}

/// Which layers cap what only a grant gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantCaps {
    /// Permissions boundary.
    pub boundary: bool,
    /// Every SCP level.
    pub service_control: bool,
    /// Session policies.
    pub session: bool,
    /// For a foreign grantee of a grant that the key's account issued: the identity policy.
    pub identity_for_owner_grant: bool,
}

/// Which grants are asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantKind {
    /// Those that name the caller, and that the caller's account issued.
    ByCallerAccount,
    /// Those that name the caller, and that any other account issued, the key's owner above all.
    ByOthers,
    /// Those that name the caller's account: it may delegate.
    ToAccount,
}

/// What the layers say. Each is asked at most once.
pub trait Leaves {
    /// How truth is represented.
    type A: Algebra;

    /// Whether a statement of the layer denies.
    fn denies(&mut self, layer: Layer) -> Truth<Self>;
    /// Whether the layer allows: every level of SCPs, the union of identity policies, …
    fn allows(&mut self, layer: Layer) -> Truth<Self>;
    /// Whether the key policies allow, naming the caller in one of these classes.
    fn names(&mut self, classes: &[Class]) -> Truth<Self>;
    /// Whether a grant gives the permission.
    fn grants(&mut self, kind: GrantKind) -> Truth<Self>;
    /// The algebra.
    fn algebra(&mut self) -> &mut Self::A;
}

type Truth<L> = <<L as Leaves>::A as Algebra>::T;

/// Whether a statement denies, and whether everything that must allow does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Combined<T> {
    /// E1.
    pub denied: T,
    /// E2 to E8.
    pub allowed: T,
}

/// The layers of a question, in the order AWS names denials.
pub(super) fn layers(relation: Relation) -> &'static [Layer] {
    match relation {
        // Actions without a key have no key policy, and RCPs do not reach them (E2).
        // E15: neither does any policy of the key or its account reach RetireGrant.
        Relation::NoResource | Relation::Retire => &[
            Layer::ServiceControl,
            Layer::Endpoint,
            Layer::Identity,
            Layer::Boundary,
            Layer::Session,
        ],
        _ => &[
            Layer::ResourceControl,
            Layer::ServiceControl,
            Layer::Endpoint,
            Layer::Key,
            Layer::Identity,
            Layer::Boundary,
            Layer::Session,
        ],
    }
}

impl Shape {
    /// E0, E14: refused by KMS itself, whatever the policies say.
    #[must_use]
    pub fn is_refused(self) -> bool {
        self.caller == CallerKind::Anonymous
            || self.is_other_partition
            || self.is_disabled_region
            || (self.relation == Relation::CrossAccount && !self.works_across_accounts)
    }
}

/// Combines the layers. `exhaustive` asks all of them, also those that can no longer matter.
pub fn combine<L: Leaves>(leaves: &mut L, shape: Shape, exhaustive: bool) -> Combined<Truth<L>> {
    let denied = denied(leaves, shape, exhaustive);
    if !exhaustive && leaves.algebra().is_true(&denied) {
        let allowed = leaves.algebra().constant(false);
        return Combined { denied, allowed };
    }
    let allowed = allowed(leaves, shape);
    Combined { denied, allowed }
}

/// E1: a Deny anywhere.
fn denied<L: Leaves>(leaves: &mut L, shape: Shape, exhaustive: bool) -> Truth<L> {
    let mut any = leaves.algebra().constant(false);
    for layer in layers(shape.relation) {
        let one = leaves.denies(*layer);
        any = leaves.algebra().or(any, one);
        if !exhaustive && leaves.algebra().is_true(&any) {
            break;
        }
    }
    any
}

fn allowed<L: Leaves>(leaves: &mut L, shape: Shape) -> Truth<L> {
    if shape.is_refused() {
        return leaves.algebra().constant(false);
    }
    // E2: RCPFullAWSAccess is always attached, so RCPs only ever deny. E4: the endpoint.
    let endpoint = leaves.allows(Layer::Endpoint);
    if leaves.algebra().is_false(&endpoint) {
        return endpoint;
    }
    // E3: every level of SCPs.
    let service_control = leaves.allows(Layer::ServiceControl);
    let policies = match shape.relation {
        Relation::NoResource => capped_identity(leaves, shape),
        // E15: no policy allows it without a grant.
        Relation::Retire => leaves.algebra().constant(false),
        _ if shape.caller == CallerKind::Service => {
            // E6: services have no IAM policies.
            leaves.names(&[Class::Service, Class::Everyone])
        }
        Relation::SameAccount => same_account(leaves, shape),
        Relation::CrossAccount => {
            // E8: any naming will do, but the caller's account must allow as well.
            let named = leaves.names(Class::ALL);
            if leaves.algebra().is_false(&named) {
                named
            } else {
                let own = capped_identity(leaves, shape);
                leaves.algebra().and(named, own)
            }
        }
    };
    let by_policies = leaves.algebra().and(policies, service_control.clone());
    if shape.relation == Relation::NoResource || leaves.algebra().is_true(&by_policies) {
        return leaves.algebra().and(endpoint, by_policies);
    }
    let by_grant = granted(leaves, shape, service_control);
    let either = leaves.algebra().or(by_policies, by_grant);
    leaves.algebra().and(endpoint, either)
}

/// E7: the caller's own account.
fn same_account<L: Leaves>(leaves: &mut L, shape: Shape) -> Truth<L> {
    // Naming a user, a session or everyone is not limited by implicit denials elsewhere.
    let free = leaves.names(&[Class::User, Class::Session, Class::Everyone]);
    if leaves.algebra().is_true(&free) {
        return free;
    }
    // Naming a role, or the user behind a federated session, is limited by boundary and session.
    let role = leaves.names(&[Class::Role, Class::UserOfFederatedSession]);
    let capped = if leaves.algebra().is_false(&role) {
        role
    } else {
        let caps = caps(leaves);
        leaves.algebra().and(role, caps)
    };
    let direct = leaves.algebra().or(free, capped);
    if leaves.algebra().is_true(&direct) {
        return direct;
    }
    // Naming the account only lets the account delegate.
    let account = leaves.names(&[Class::Account]);
    if leaves.algebra().is_false(&account) {
        return direct;
    }
    let own = capped_identity(leaves, shape);
    let delegated = leaves.algebra().and(account, own);
    leaves.algebra().or(direct, delegated)
}

/// The caller's side: identity policies within boundary and session policies.
fn capped_identity<L: Leaves>(leaves: &mut L, shape: Shape) -> Truth<L> {
    let identity = identity(leaves, shape);
    if leaves.algebra().is_false(&identity) {
        return identity;
    }
    let caps = caps(leaves);
    leaves.algebra().and(identity, caps)
}

fn identity<L: Leaves>(leaves: &mut L, shape: Shape) -> Truth<L> {
    match (shape.caller, shape.relation) {
        // Nothing is implicitly denied to a root user in its own account.
        (CallerKind::Root, Relation::SameAccount | Relation::NoResource | Relation::Retire) => {
            leaves.algebra().constant(true)
        }
        (CallerKind::Root, Relation::CrossAccount) => {
            leaves.algebra().constant(shape.foreign_root_allowed)
        }
        // Services and the unsigned have no identity policies.
        (CallerKind::Service | CallerKind::Anonymous, _) => leaves.algebra().constant(false),
        (CallerKind::Identity, _) => leaves.allows(Layer::Identity),
    }
}

fn caps<L: Leaves>(leaves: &mut L) -> Truth<L> {
    let boundary = leaves.allows(Layer::Boundary);
    if leaves.algebra().is_false(&boundary) {
        return boundary;
    }
    let session = leaves.allows(Layer::Session);
    leaves.algebra().and(boundary, session)
}

/// What a grant gives, within the layers that cap it.
fn granted<L: Leaves>(leaves: &mut L, shape: Shape, service_control: Truth<L>) -> Truth<L> {
    let cross = shape.relation == Relation::CrossAccount;
    let mut given = leaves.grants(GrantKind::ByCallerAccount);
    for kind in [GrantKind::ByOthers, GrantKind::ToAccount] {
        if leaves.algebra().is_true(&given) {
            break;
        }
        let mut more = leaves.grants(kind);
        let needs_identity = match kind {
            GrantKind::ByOthers => cross && shape.grant_caps.identity_for_owner_grant,
            _ => true,
        };
        if needs_identity && !leaves.algebra().is_false(&more) {
            let own = identity(leaves, shape);
            more = leaves.algebra().and(more, own);
        }
        given = leaves.algebra().or(given, more);
    }
    let caps = shape.grant_caps;
    for (applies, layer) in [(caps.boundary, Layer::Boundary), (caps.session, Layer::Session)] {
        // Services have neither.
        if applies && shape.caller != CallerKind::Service && !leaves.algebra().is_false(&given) {
            let cap = leaves.allows(layer);
            given = leaves.algebra().and(given, cap);
        }
    }
    if caps.service_control {
        given = leaves.algebra().and(given, service_control);
    }
    given
}
