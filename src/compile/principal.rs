//! `Principal` and `NotPrincipal`.

use std::fmt;

use crate::model::{
    CallerPrincipal, Effect, Principal, PrincipalArn, PrincipalArnKind, PrincipalElement, Reading,
    Readings, Truth,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrincipalClasses([Truth; PrincipalClass::ALL.len()]);

impl Default for PrincipalClasses {
    fn default() -> Self {
        Self([Truth::False; PrincipalClass::ALL.len()])
    }
}

impl PrincipalClasses {
    /// How surely in this class.
    #[must_use]
    pub fn in_class(&self, class: PrincipalClass) -> Truth {
        self.0.get(class as usize).copied().unwrap_or(Truth::False)
    }

    /// How surely in any class.
    #[must_use]
    pub fn any(&self) -> Truth {
        self.0.iter().copied().fold(Truth::False, Truth::or)
    }

    /// Adds what is known of a class.
    pub fn add(&mut self, class: PrincipalClass, truth: Truth) {
        if let Some(slot) = self.0.get_mut(class as usize) {
            *slot = slot.or(truth);
        }
    }

    /// Adds all of `other`, as far as `truth` holds.
    pub fn add_all(&mut self, other: &Self, truth: Truth) {
        for (slot, more) in self.0.iter_mut().zip(other.0) {
            *slot = slot.or(more.and(truth));
        }
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
                for entry in entries {
                    if let Some((class, truth)) = class_of(&entry.value, caller, readings) {
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

/// As what one principal names the caller, if at all, and how surely.
#[must_use]
pub fn class_of(
    principal: &Principal,
    caller: &CallerPrincipal,
    readings: &Readings,
) -> Option<(PrincipalClass, Truth)> {
    let class = match principal {
        Principal::Everyone => PrincipalClass::Everyone,
        Principal::EveryAws => match caller {
            CallerPrincipal::Service { .. } => (readings.choice(Reading::ServicePrincipalEveryAws)
                == 1)
                .then_some(PrincipalClass::Everyone)?,
            _ => PrincipalClass::Everyone,
        },
        Principal::Account { account, partition } => {
            let arn = caller.arn()?;
            let same_partition = partition.as_deref().is_none_or(|known| known == arn.partition());
            (arn.account() == *account && same_partition).then_some(PrincipalClass::Account)?
        }
        Principal::Arn(arn) => class_of_arn(arn, caller)?,
        // `AIDA…` is never a role and `AROA…` never a user.
        Principal::Unique(unique) => match caller {
            CallerPrincipal::User { .. } if !unique.as_str().starts_with("AIDA") => return None,
            CallerPrincipal::RoleSession { .. } if !unique.as_str().starts_with("AROA") => {
                return None;
            }
            CallerPrincipal::User { id, .. } => match id {
                Some(id) => (id == unique).then_some(PrincipalClass::User)?,
                None => return Some((PrincipalClass::User, Truth::Unknown)),
            },
            CallerPrincipal::RoleSession { id, .. } => match id {
                Some(id) => (id == unique).then_some(PrincipalClass::Role)?,
                None => return Some((PrincipalClass::Role, Truth::Unknown)),
            },
            _ => return None,
        },
        Principal::Service(service) => match caller {
            CallerPrincipal::Service { names } => {
                names.contains(service).then_some(PrincipalClass::Service)?
            }
            _ => return None,
        },
        // Neither occurs in KMS requests (iam user guide, "Principal").
        Principal::CanonicalUser(_) | Principal::Federated(_) => return None,
    };
    Some((class, Truth::True))
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
    for principal in listed {
        match class_of(principal, caller, readings) {
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
