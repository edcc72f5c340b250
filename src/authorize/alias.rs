//! Operations on aliases.
//!
//! Source: kms developer guide, "Controlling access to aliases"; API reference of the operations.

use super::catalog::Need;
use super::{
    Authorizer, KeyFault, KeyIdentifier, LegResource, PreflightAnswer, PreflightError,
    ResolveError, ResolvedKey, Side,
};
use crate::compile::{AliasTarget, Caller};
use crate::evaluate::OperationFacts;
use crate::model::{Action, AliasArn, AliasName, Region};

/// How many aliases a key can have (kms developer guide, "Resource quotas").
const ALIASES_PER_KEY: usize = 50;

impl Authorizer<'_> {
    /// The alias by IAM alone; the key it points to, and the one it would point to, by key policy.
    pub(super) fn alias(
        &self,
        action: Action,
        name: AliasName,
        target: Option<KeyIdentifier>,
        region: &Region,
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        if action == Action::CreateAlias && name.is_reserved() {
            let message = format!("`{name}` belongs to AWS managed keys");
            return Err(PreflightError::Refused { code: "InvalidAliasNameException", message });
        }
        let own = caller.principal.account();
        let account = own.ok_or_else(|| ResolveError::NoAccount(name.to_string()))?;
        let mut exists = true;
        let current = match (action, self.snapshot().alias(account, region, &name)) {
            (Action::CreateAlias, found) => {
                exists = matches!(found, AliasTarget::Key(_));
                None
            }
            (_, AliasTarget::Key(id)) => Some(KeyIdentifier::Id(id.clone())),
            (_, AliasTarget::Missing) => {
                let what = format!("`{name}`");
                let region = region.clone();
                return Err(ResolveError::NotFound { what, account, region }.into());
            }
            (_, AliasTarget::Unknown(reason)) => {
                let (what, reason) = (format!("`{name}`"), reason.to_owned());
                return Err(ResolveError::Unknown { what, reason }.into());
            }
        };
        let current = current.map(|key| self.resolve_key(key, region, caller)).transpose()?;
        let target = target.map(|key| self.plain_key(key, region, caller)).transpose()?;
        let partition = caller.principal.arn().map_or("aws", |arn| arn.partition());
        let alias = AliasArn { partition: partition.into(), region: region.clone(), account, name };
        let need = |side, resource| Need {
            side,
            action,
            resource,
            region,
            facts: OperationFacts::default(),
        };
        let mut needs = vec![need(Side::Alias, LegResource::Alias(&alias))];
        if let Some(key) = &current {
            needs.push(need(Side::Current, LegResource::Key(key.arn())));
        }
        if let Some(key) = &target {
            let side = if action == Action::CreateAlias { Side::Key } else { Side::Target };
            needs.push(need(side, LegResource::Key(key.arn())));
        }
        let mut answer = self.answer_needs(action.name(), &needs, &[], caller);
        answer.also(|| {
            let fault = |code, message| Some(KeyFault { side: Side::Alias, code, message });
            if action == Action::CreateAlias && exists {
                return fault("AlreadyExistsException", format!("`{}` exists", alias.name));
            }
            if alias.name.is_reserved() {
                let message = format!("`{}` belongs to an AWS managed key", alias.name);
                return fault("KMSInvalidStateException", message);
            }
            self.target_fault(current.as_ref(), target.as_ref()?)
        });
        Ok(answer)
    }

    /// Why the alias cannot point to the key (K19).
    fn target_fault(
        &self,
        current: Option<&ResolvedKey>,
        target: &ResolvedKey,
    ) -> Option<KeyFault> {
        let side = if current.is_some() { Side::Target } else { Side::Key };
        let fault = |code, message| Some(KeyFault { side, code, message });
        let entry = self.snapshot().key(target.arn())?;
        if let Some(current) = current.and_then(|current| self.snapshot().key(current.arn())) {
            let (old, new) = (&current.key, &entry.key);
            if (old.spec.kind(), old.usage) != (new.spec.kind(), new.usage) {
                let (old, new) = (old.spec.kind(), new.spec.kind());
                let message = format!(
                    "an alias moves between keys of one type and usage, not from {old} for {} to {new} for {}",
                    current.key.usage, entry.key.usage
                );
                return fault("ValidationException", message);
            }
            if current.key.arn == entry.key.arn {
                return None;
            }
        }
        let aliases = entry.aliases.known()?;
        if aliases.len() < ALIASES_PER_KEY {
            return None;
        }
        let message = format!("{} has {ALIASES_PER_KEY} aliases", target.arn());
        fault("LimitExceededException", message)
    }
}
