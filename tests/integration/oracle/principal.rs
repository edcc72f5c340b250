//! N: whom an element names.

use keyproof::model::{
    CallerPrincipal, Effect, Principal, PrincipalArn, PrincipalArnKind, Reading,
};

use super::reached::reach;
use super::{Class, Truth, World, and, any, or};

impl World {
    /// N1. `covers` is whether `{"AWS": "*"}` covers services where that is open.
    pub(super) fn names(&self, principal: &Principal, covers: bool) -> Option<(Class, Truth)> {
        reach("N1");
        let caller = &self.principal;
        let surely = |class| Some((class, Some(true)));
        let own = caller.arn();
        match principal {
            Principal::Everyone => surely(Class::Everyone),
            Principal::EveryAws => match caller {
                CallerPrincipal::Service { .. }
                    if match self.reading(Reading::ServicePrincipalEveryAws) {
                        "safe" => !covers,
                        choice => choice == "not-covered",
                    } =>
                {
                    None
                }
                _ => surely(Class::Everyone),
            },
            Principal::Account { account, partition } => {
                reach("N3");
                let own = own?;
                let here = own.account() == *account
                    && partition.as_ref().is_none_or(|partition| own.partition() == &**partition);
                if here { surely(Class::Account) } else { None }
            }
            Principal::Arn(arn) => self.names_arn(arn).and_then(surely),
            Principal::Unique(id) => {
                let (own, class, prefix) = match caller {
                    CallerPrincipal::User { id, .. } => (id, Class::User, "AIDA"),
                    CallerPrincipal::RoleSession { id, .. } => (id, Class::Role, "AROA"),
                    _ => return None,
                };
                if !id.as_str().starts_with(prefix) {
                    return None;
                }
                reach("N4");
                match own {
                    Some(own) if own == id => surely(class),
                    Some(_) => None,
                    None => Some((class, None)),
                }
            }
            Principal::Service(service) => match caller {
                CallerPrincipal::Service { names } if names.contains(service) => {
                    surely(Class::Service)
                }
                _ => None,
            },
            Principal::Federated(_) | Principal::CanonicalUser(_) => None,
        }
    }

    pub(super) fn names_arn(&self, arn: &PrincipalArn) -> Option<Class> {
        if matches!(self.principal, CallerPrincipal::RoleSession { .. }) {
            reach("N2");
        }
        match &self.principal {
            CallerPrincipal::User { arn: own, .. } if own == arn => Some(Class::User),
            CallerPrincipal::RoleSession { role, .. } if role == arn => Some(Class::Role),
            CallerPrincipal::RoleSession { session, .. } if session == arn => Some(Class::Session),
            CallerPrincipal::FederatedUser { arn: own, .. } if own == arn => Some(Class::Session),
            CallerPrincipal::FederatedUser { user, .. } if user == arn => {
                Some(Class::UserOfFederated)
            }
            caller if arn.kind() == PrincipalArnKind::Root => {
                let own = caller.arn()?;
                (own.account() == arn.account() && own.partition() == arn.partition())
                    .then_some(Class::Account)
            }
            _ => None,
        }
    }

    // N7, N8, N9
    pub(super) fn not_principal<'a>(
        &self,
        listed: impl Iterator<Item = &'a Principal>,
        effect: Effect,
    ) -> Truth {
        let found: Vec<(Class, Truth)> =
            listed.filter_map(|one| self.names(one, effect == Effect::Allow)).collect();
        reach(if effect == Effect::Allow { "N7" } else { "N8" });
        if effect == Effect::Deny && self.boundary.is_some() {
            reach("N9");
        }
        let bounded = Some(effect == Effect::Deny && self.boundary.is_some());
        if found.iter().any(|(class, _)| *class == Class::Everyone) {
            return bounded;
        }
        if effect == Effect::Allow {
            return any(found.iter().map(|(_, truth)| *truth)).map(|listed| !listed);
        }
        let account = any(found
            .iter()
            .filter(|(class, _)| *class == Class::Account)
            .map(|(_, truth)| *truth));
        let of = |wanted: fn(Class) -> bool| {
            any(found.iter().filter(|(class, _)| wanted(*class)).map(|(_, truth)| *truth))
        };
        let session = of(|class| class == Class::Session);
        let entity = of(|class| !matches!(class, Class::Account | Class::Session));
        let both = matches!(self.principal, CallerPrincipal::RoleSession { .. })
            && self.reading(Reading::NotPrincipalSession) == "deny";
        let itself = if both { and(entity, session) } else { or(entity, session) };
        let needs_account = self.principal.account().is_some()
            && self.reading(Reading::NotPrincipalAccount) == "deny";
        let spared = match self.principal {
            CallerPrincipal::Root(_) => account,
            _ if needs_account => and(itself, account),
            _ => itself,
        };
        or(spared.map(|spared| !spared), bounded)
    }
}
