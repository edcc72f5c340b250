//! G: grants.

use keyproof::model::{
    Action, CallerPrincipal, EncryptionContextConstraint, Grant, GrantPrincipal, GrantVisibility,
    Principal, Reading,
};

use super::reached::reach;
use super::{Class, Said, Subject, Truth, World, all, or};

impl World {
    // G1 to G5
    pub(super) fn grant(&self, grant: &Grant) -> Truth {
        if !grant.operations.contains(self.action) {
            return Some(false);
        }
        reach("G1");
        reach("G2");
        let principal = match &grant.grantee {
            GrantPrincipal::Principal(arn) => Principal::Arn(arn.clone()),
            GrantPrincipal::Service(service) => Principal::Service(service.clone()),
            GrantPrincipal::Unique(id) => Principal::Unique(id.clone()),
            GrantPrincipal::Other(_) => return Some(false),
        };
        let grantee = self.names(&principal, false).map_or(Some(false), |(_, truth)| truth);
        let token = match &grant.visibility {
            GrantVisibility::Propagated => true,
            GrantVisibility::TokenOnly(token) => {
                reach("G5");
                self.tokens.contains(token)
            }
        };
        let source = match (&grant.constraints.source_arn, &self.principal) {
            (None, _) => Some(true),
            (Some(wanted), CallerPrincipal::Service { .. }) => match self.said("aws:SourceArn") {
                Said::One(value) => Some(value == **wanted),
                Said::Unknown => None,
                _ => Some(false),
            },
            (Some(_), _) => Some(self.reading(Reading::GrantSourceArnDirect) == "ignored"),
        };
        if grant.constraints.source_arn.is_some() {
            reach("G4");
        }
        if let (Action::CreateGrant, Some(Subject::Created(child))) = (self.action, &self.subject) {
            reach("G8");
            return all([grantee, Some(token), source, Some(narrower(child, grant))]);
        }
        if grant.constraints.encryption_context.is_some() {
            reach("G3");
        }
        let own = &self.encryption_context;
        let has = |(name, value): (&str, &str)| {
            own.iter().any(|(key, had)| {
                had == value
                    && (key == name
                        || (self.reading(Reading::GrantContextKeyCase) == "insensitive"
                            && key.to_lowercase() == name.to_lowercase()))
            })
        };
        let context = match &grant.constraints.encryption_context {
            _ if self.action == Action::DescribeKey => true,
            None => true,
            Some(EncryptionContextConstraint::Equals(wanted)) => {
                !own.is_empty() && own.len() == wanted.len() && wanted.iter().all(has)
            }
            Some(EncryptionContextConstraint::Subset(wanted)) => {
                !own.is_empty() && wanted.iter().all(has)
            }
        };
        all([grantee, Some(token), source, Some(context)])
    }

    /// G9: who retires the grant by what it says, and whose account may delegate it.
    pub(super) fn retires(&self, grant: &Grant) -> [Truth; 2] {
        reach("G9");
        let own = self.principal.account().map(|account| account.to_string());
        let by = |named: &GrantPrincipal| -> [Truth; 2] {
            let principal = match named {
                GrantPrincipal::Principal(arn) => Principal::Arn(arn.clone()),
                GrantPrincipal::Service(service) => Principal::Service(service.clone()),
                GrantPrincipal::Unique(id) => Principal::Unique(id.clone()),
                GrantPrincipal::Other(_) => return [Some(false); 2],
            };
            match self.names(&principal, false) {
                None => [Some(false); 2],
                Some((Class::Account, truth)) => [Some(false), truth],
                Some((_, truth)) => [truth, Some(false)],
            }
        };
        let mut found = [Some(false); 2];
        let grantee = grant.operations.contains(Action::RetireGrant).then_some(&grant.grantee);
        for named in grant.retiring.iter().chain(grantee) {
            let [itself, account] = by(named);
            found = [or(found[0], itself), or(found[1], account)];
        }
        let owner = grant.key.account().to_string();
        let issuer = grant.issuing_account.map_or(owner.clone(), |account| account.to_string());
        if own.as_ref() == Some(&issuer)
            || (own.as_ref() == Some(&owner) && self.reading(Reading::RetireByOwner) == "allow")
        {
            found[1] = Some(true);
        }
        found
    }
}

/// G8: no operation the parent lacks, and constraints at least as strict.
fn narrower(child: &Grant, parent: &Grant) -> bool {
    let pairs = |constraint: &EncryptionContextConstraint| match constraint {
        EncryptionContextConstraint::Equals(pairs) | EncryptionContextConstraint::Subset(pairs) => {
            pairs.clone()
        }
    };
    let has_pairs_of = |wanted, own: &EncryptionContextConstraint| {
        let own = pairs(own);
        pairs(wanted).iter().all(|(name, value)| own.value(name) == Some(value))
    };
    let context = match (
        parent.constraints.encryption_context.as_ref(),
        child.constraints.encryption_context.as_ref(),
    ) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wanted @ EncryptionContextConstraint::Subset(_)), Some(own)) => {
            has_pairs_of(wanted, own)
        }
        (Some(wanted), Some(own)) => wanted == own,
    };
    let source = &parent.constraints.source_arn;
    Action::ALL
        .iter()
        .all(|action| !child.operations.contains(*action) || parent.operations.contains(*action))
        && context
        && (source.is_none() || *source == child.constraints.source_arn)
}
