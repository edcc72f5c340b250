//! `Principal` and `NotPrincipal`.

use std::fmt;

use crate::model::{
    CallerPrincipal, Effect, GrantPrincipal, Principal, PrincipalArn, PrincipalArnKind,
    PrincipalElement, Reading, Readings, ServiceName, Truth, UniqueId, fingerprint,
};

/// As what a principal element names a caller; decides which implicit denials limit the
/// permission (iam user guide, "Evaluation logic"; N1, E7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalClass {
    /// The caller's account: it may delegate.
    Account,
    /// Everybody.
    Everyone,
    /// The caller's role.
    Role,
    /// The service that calls.
    Service,
    /// The session itself.
    Session,
    /// The user itself.
    User,
    /// The user behind a federated session.
    UserOfFederatedSession,
}

impl PrincipalClass {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Account,
        Self::Everyone,
        Self::Role,
        Self::Service,
        Self::Session,
        Self::User,
        Self::UserOfFederatedSession,
    ];

    /// `account`, `everyone`, `role`, `service`, `session`, `user` or
    /// `user-of-federated-session`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Everyone => "everyone",
            Self::Role => "role",
            Self::Service => "service",
            Self::Session => "session",
            Self::User => "user",
            Self::UserOfFederatedSession => "user-of-federated-session",
        }
    }
}

impl fmt::Display for PrincipalClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How surely an element names a caller, class by class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrincipalClasses {
    /// A bit for each class that is sure.
    sure: u8,
    /// INVARIANT (apart): a bit for each class that depends on an unknown fact, and is not sure.
    open: u8,
}

// One byte holds a bit for each class.
const _: () = assert!(PrincipalClass::ALL.len() <= 8);

impl PrincipalClasses {
    /// Every class, surely.
    pub const ALL: Self = Self { sure: u8::MAX >> (8 - PrincipalClass::ALL.len()), open: 0 };

    /// How surely in this class.
    #[must_use]
    pub fn in_class(&self, class: PrincipalClass) -> Truth {
        self.among(1 << class as u8)
    }

    /// How surely in any class.
    #[must_use]
    pub fn any(&self) -> Truth {
        self.among(u8::MAX)
    }

    /// Whether everything of `other` is here as surely.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        other.sure & !self.sure == 0 && other.open & !(self.sure | self.open) == 0
    }

    /// Whether the caller is surely named in a class that no implicit denial elsewhere limits (E7):
    /// no other class can add to that.
    #[must_use]
    pub fn is_free(&self) -> bool {
        let free = [PrincipalClass::Everyone, PrincipalClass::Session, PrincipalClass::User];
        free.iter().any(|class| self.in_class(*class).is_true())
    }

    fn among(&self, bits: u8) -> Truth {
        match (self.sure & bits, self.open & bits) {
            (0, 0) => Truth::False,
            (0, _) => Truth::Unknown,
            _ => Truth::True,
        }
    }

    /// Adds what is known of a class.
    pub fn add(&mut self, class: PrincipalClass, truth: Truth) {
        self.add_all(&Self { sure: 1 << class as u8, open: 0 }, truth);
    }

    /// Adds all of `other`, as far as `truth` holds.
    pub fn add_all(&mut self, other: &Self, truth: Truth) {
        match truth {
            Truth::False => {}
            Truth::Unknown => self.open |= other.sure | other.open,
            Truth::True => {
                self.sure |= other.sure;
                self.open |= other.open;
            }
        }
        self.open &= !self.sure;
    }
}

/// Whom a statement speaks of.
#[derive(Clone, Debug)]
pub struct PrincipalMatcher {
    element: PrincipalElement,
}

impl PrincipalMatcher {
    pub(super) fn compile(element: &PrincipalElement) -> Self {
        Self { element: element.clone() }
    }

    /// The numbers of all callers the element can name: a caller with none of them among its
    /// [`CallerKeys`] is not named. `None` when it can name others as well.
    pub(super) fn keys(&self) -> Option<Vec<u64>> {
        let PrincipalElement::Is(entries) = &self.element else { return None };
        let mut keys = Vec::with_capacity(entries.len());
        for entry in entries {
            match &entry.value {
                Principal::Everyone | Principal::EveryAws => return None,
                Principal::Account { account, .. } => keys.push(fingerprint(account.as_str())),
                Principal::Arn(arn) => keys.push(arn_key(arn)),
                Principal::Service(service) => keys.push(fingerprint(service.as_str())),
                Principal::Unique(id) => keys.extend([fingerprint(id.as_str()), ANY_UNIQUE]),
                Principal::CanonicalUser(_) | Principal::Federated(_) => {}
            }
        }
        Some(keys)
    }

    /// How surely, and as what, the element names the caller.
    #[must_use]
    pub fn classes(
        &self,
        caller: &CallerPrincipal,
        effect: Effect,
        has_boundary: Truth,
        readings: &Readings,
    ) -> PrincipalClasses {
        let mut classes = PrincipalClasses::default();
        match &self.element {
            PrincipalElement::Is(entries) => {
                // What is open refuses: a Deny reaches the caller, an Allow does not.
                let covers = covers_services(readings, effect == Effect::Deny);
                for entry in entries {
                    if let Some((class, truth)) = named_as(&entry.value, caller, covers) {
                        classes.add(class, truth);
                    }
                }
            }
            PrincipalElement::IsNot(entries) => {
                let listed = entries.iter().map(|entry| &entry.value);
                classes.add(
                    PrincipalClass::Everyone,
                    not_principal(listed, caller, effect, has_boundary, readings),
                );
            }
        }
        classes
    }
}

/// The number an ARN is found by: a root's is its account's, as it stands for the account.
pub(super) fn arn_key(arn: &PrincipalArn) -> u64 {
    match arn.kind() {
        PrincipalArnKind::Root => fingerprint(arn.account_str()),
        _ => arn.fingerprint(),
    }
}

/// The number of a caller whose unique id is not known: any unique id may name it.
pub(super) const ANY_UNIQUE: u64 = 1;

/// The numbers of the principals that can name a caller in some way, once for a decision.
#[derive(Clone, Copy, Debug)]
pub struct CallerKeys<'a> {
    fixed: [u64; 4],
    /// How many of `fixed` there are: no number stands for none, as any text can have any number.
    count: usize,
    names: &'a [ServiceName],
}

impl<'a> CallerKeys<'a> {
    /// The numbers of a caller.
    #[must_use]
    pub fn new(caller: &'a CallerPrincipal) -> Self {
        let unique =
            |id: &Option<UniqueId>| id.as_ref().map_or(ANY_UNIQUE, |id| fingerprint(id.as_str()));
        let account = caller.arn().map_or(0, |arn| fingerprint(arn.account_str()));
        let (fixed, count) = match caller {
            CallerPrincipal::Anonymous | CallerPrincipal::Service { .. } => ([0; 4], 0),
            CallerPrincipal::FederatedUser { arn, user } => {
                ([account, arn.fingerprint(), user.fingerprint(), 0], 3)
            }
            CallerPrincipal::RoleSession { session, role, id } => {
                ([account, role.fingerprint(), session.fingerprint(), unique(id)], 4)
            }
            CallerPrincipal::Root(_) => ([account, 0, 0, 0], 1),
            CallerPrincipal::User { arn, id } => ([account, arn.fingerprint(), unique(id), 0], 3),
        };
        let names: &[ServiceName] = match caller {
            CallerPrincipal::Service { names } => names,
            _ => &[],
        };
        Self { fixed, count, names }
    }

    /// All of them; some twice.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        let names = self.names.iter().map(|name| fingerprint(name.as_str()));
        self.fixed.into_iter().take(self.count).chain(names)
    }
}

/// As what one principal names the caller, if at all, and how surely.
#[must_use]
pub fn class_of(
    principal: &Principal,
    caller: &CallerPrincipal,
    readings: &Readings,
) -> Option<(PrincipalClass, Truth)> {
    named_as(principal, caller, covers_services(readings, false))
}

/// Whether `{"AWS": "*"}` covers services; `open` is taken where no answer is chosen.
fn covers_services(readings: &Readings, open: bool) -> bool {
    match readings.choice(Reading::ServicePrincipalEveryAws) {
        0 => open,
        choice => choice == 2,
    }
}

fn named_as(
    principal: &Principal,
    caller: &CallerPrincipal,
    covers_services: bool,
) -> Option<(PrincipalClass, Truth)> {
    let class = match principal {
        Principal::Everyone => PrincipalClass::Everyone,
        Principal::EveryAws => match caller {
            CallerPrincipal::Service { .. } if !covers_services => return None,
            _ => PrincipalClass::Everyone,
        },
        Principal::Account { account, partition } => {
            let arn = caller.arn()?;
            let same_partition = partition.as_deref().is_none_or(|known| known == arn.partition());
            (arn.account() == *account && same_partition).then_some(PrincipalClass::Account)?
        }
        Principal::Arn(arn) => class_of_arn(arn, caller)?,
        Principal::Unique(unique) => return class_of_unique(unique, caller),
        Principal::Service(service) => return class_of_service(service, caller),
        // Neither occurs in KMS requests (iam user guide, "Principal").
        Principal::CanonicalUser(_) | Principal::Federated(_) => return None,
    };
    Some((class, Truth::True))
}

/// As what a grant's principal names the caller, if at all, and how surely: as a policy's would.
#[must_use]
pub fn class_of_granted(
    granted: &GrantPrincipal,
    caller: &CallerPrincipal,
) -> Option<(PrincipalClass, Truth)> {
    match granted {
        GrantPrincipal::Principal(arn) => Some((class_of_arn(arn, caller)?, Truth::True)),
        GrantPrincipal::Service(service) => class_of_service(service, caller),
        GrantPrincipal::Unique(unique) => class_of_unique(unique, caller),
        GrantPrincipal::Other(_) => None,
    }
}

fn class_of_service(
    service: &ServiceName,
    caller: &CallerPrincipal,
) -> Option<(PrincipalClass, Truth)> {
    match caller {
        CallerPrincipal::Service { names } if names.contains(service) => {
            Some((PrincipalClass::Service, Truth::True))
        }
        _ => None,
    }
}

/// `AIDA…` is never a role and `AROA…` never a user.
fn class_of_unique(unique: &UniqueId, caller: &CallerPrincipal) -> Option<(PrincipalClass, Truth)> {
    let (own, class, prefix) = match caller {
        CallerPrincipal::User { id, .. } => (id, PrincipalClass::User, "AIDA"),
        CallerPrincipal::RoleSession { id, .. } => (id, PrincipalClass::Role, "AROA"),
        _ => return None,
    };
    match own {
        _ if !unique.as_str().starts_with(prefix) => None,
        Some(own) => (own == unique).then_some((class, Truth::True)),
        None => Some((class, Truth::Unknown)),
    }
}

fn class_of_arn(arn: &PrincipalArn, caller: &CallerPrincipal) -> Option<PrincipalClass> {
    match (arn.kind(), caller) {
        (PrincipalArnKind::User, CallerPrincipal::User { arn: own, .. }) => {
            (arn == own).then_some(PrincipalClass::User)
        }
        (PrincipalArnKind::User, CallerPrincipal::FederatedUser { user, .. }) => {
            (arn == user).then_some(PrincipalClass::UserOfFederatedSession)
        }
        (PrincipalArnKind::Role, CallerPrincipal::RoleSession { role, .. }) => {
            (arn == role).then_some(PrincipalClass::Role)
        }
        (PrincipalArnKind::AssumedRole, CallerPrincipal::RoleSession { session, .. }) => {
            (arn == session).then_some(PrincipalClass::Session)
        }
        (PrincipalArnKind::FederatedUser, CallerPrincipal::FederatedUser { arn: own, .. }) => {
            (arn == own).then_some(PrincipalClass::Session)
        }
        (PrincipalArnKind::Root, _) => {
            let own = caller.arn()?;
            (own.account() == arn.account() && own.partition() == arn.partition())
                .then_some(PrincipalClass::Account)
        }
        _ => None,
    }
}

/// Whether a `NotPrincipal` element reaches the caller (N8, N9).
fn not_principal<'a>(
    listed: impl Iterator<Item = &'a Principal>,
    caller: &CallerPrincipal,
    effect: Effect,
    has_boundary: Truth,
    readings: &Readings,
) -> Truth {
    let [mut account, mut itself, mut session, mut everyone] = [Truth::False; 4];
    // What is open refuses: an Allow leaves the caller out, a Deny does not spare it.
    let covers = covers_services(readings, effect == Effect::Allow);
    for principal in listed {
        match named_as(principal, caller, covers) {
            Some((PrincipalClass::Account, truth)) => account = account.or(truth),
            Some((PrincipalClass::Everyone, _)) => everyone = Truth::True,
            Some((PrincipalClass::Session, truth)) => session = session.or(truth),
            Some((_, truth)) => itself = itself.or(truth),
            None => {}
        }
    }
    // An Allow speaks to whoever is not listed in any way: the plain complement.
    if effect == Effect::Allow {
        return account.or(itself).or(session).or(everyone).not();
    }
    let needs_both = matches!(caller, CallerPrincipal::RoleSession { .. })
        && readings.choice(Reading::NotPrincipalSession) == 0;
    let itself = if needs_both { itself.and(session) } else { itself.or(session) };
    let is_root = matches!(caller, CallerPrincipal::Root(_));
    let needs_account = caller.account().is_some();
    let spared = if is_root {
        account
    } else if needs_account && readings.choice(Reading::NotPrincipalAccount) == 0 {
        itself.and(account)
    } else {
        itself
    };
    // A caller with a permissions boundary is never spared.
    spared.or(everyone).not().or(has_boundary)
}
