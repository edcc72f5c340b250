//! Operations that need more than one permission, or one that is not on a key.
//!
//! Source: kms developer guide, "AWS KMS permissions" and "Controlling access to multi-Region keys".

use super::state::operation_fault;
use super::{
    Authorizer, KeyFault, KeyIdentifier, Leg, LegResource, PreflightAnswer, PreflightError,
    PreflightOperation, ResolvedKey, Side,
};
use crate::compile::Caller;
use crate::evaluate::OperationFacts;
use crate::model::{
    Action, ContextMap, ContextValue, Decision, GrantPrincipal, GrantToken, KeyArn, Reading,
    Region, ResourceKind,
};

/// A question in the making: which resource, and the parameters that supply context keys.
pub(super) struct Need<'n> {
    pub(super) side: Side,
    pub(super) action: Action,
    pub(super) resource: LegResource<'n>,
    pub(super) region: &'n Region,
    pub(super) facts: OperationFacts<'n>,
}

impl Authorizer<'_> {
    /// Answers for the operations that are no single action on a key.
    pub(super) fn catalogued(
        &self,
        operation: PreflightOperation,
        region: &Region,
        tokens: &[GrantToken],
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        use PreflightOperation as O;
        match operation {
            O::CreateAlias { alias, target } => {
                self.alias(Action::CreateAlias, alias, Some(target), region, caller)
            }
            O::UpdateAlias { alias, target } => {
                self.alias(Action::UpdateAlias, alias, Some(target), region, caller)
            }
            O::DeleteAlias { alias } => {
                self.alias(Action::DeleteAlias, alias, None, region, caller)
            }
            O::CreateGrant { key, grant } => self.create_grant(key, &grant, region, tokens, caller),
            O::RetireGrant { grant } => self.retire_grant(grant, region, tokens, caller),
            O::RevokeGrant { key, grant } => {
                self.revoke_grant(key, grant.as_ref(), region, tokens, caller)
            }
            O::CreateKey(new) => self.create_key(&new, region, caller),
            O::ListRetirableGrants { retiring } => {
                Ok(self.list_retirable_grants(retiring.as_ref(), region, caller))
            }
            O::NoKey { action } => self.no_key(action, region, caller),
            O::GetKeyPolicy { key, name } => self.get_key_policy(key, name, region, caller),
            O::PutKeyPolicy { key, name, policy, bypass } => {
                self.put_key_policy(key, name, policy.as_deref(), bypass, region, caller)
            }
            O::ReplicateKey { key, replica_region, new } => {
                self.replicate_key(key, &replica_region, &new, region, caller)
            }
            O::UpdatePrimaryRegion { key, primary_region } => {
                self.update_primary_region(key, &primary_region, region, caller)
            }
            O::Malformed { message } => {
                Err(PreflightError::Refused { code: "ValidationException", message })
            }
            O::Action { action, .. } => Err(PreflightError::NotOnOneKey(action)),
            O::ReEncrypt { .. } => Err(PreflightError::NotOnOneKey(Action::ReEncryptFrom)),
        }
    }

    /// IAM alone decides.
    fn no_key(
        &self,
        action: Action,
        region: &Region,
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        if action.resource_kind() != ResourceKind::Any {
            return Err(PreflightError::NotOnOneKey(action));
        }
        let (side, resource, facts) = (Side::Account, LegResource::Any, OperationFacts::default());
        let need = Need { side, action, resource, region, facts };
        Ok(self.answer_needs(action.name(), &[need], &[], caller))
    }

    /// The resource is the retiring principal (kms API reference, "ListRetirableGrants"), while the
    /// developer guide's table of permissions names none (E16): by default, an Allow must name the
    /// principal, and a Deny counts under either name.
    fn list_retirable_grants(
        &self,
        retiring: Option<&GrantPrincipal>,
        region: &Region,
        caller: &Caller,
    ) -> PreflightAnswer {
        let need = |resource| Need {
            side: Side::Account,
            action: Action::ListRetirableGrants,
            resource,
            region,
            facts: OperationFacts::default(),
        };
        let ask =
            |resource| self.answer_needs("ListRetirableGrants", &[need(resource)], &[], caller);
        let unnamed = ask(LegResource::Any);
        let choice = self.snapshot().readings().choice(Reading::ListRetirableGrantsResource);
        let Some(GrantPrincipal::Principal(arn)) = retiring.filter(|_| choice == 0) else {
            return unnamed;
        };
        let mut answer = ask(LegResource::Principal(arn));
        let decision = unnamed.decision();
        if matches!(decision, Decision::ExplicitDeny | Decision::Undetermined) {
            answer.sides.extend(unnamed.sides);
        }
        answer
    }

    /// The permission on the primary and on the replica that takes its place, each in its Region.
    fn update_primary_region(
        &self,
        key: KeyIdentifier,
        primary_region: &Region,
        region: &Region,
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        let current = self.plain_key(key, region, caller)?;
        let arn = current.arn();
        let target = KeyArn::new(arn.partition(), primary_region, arn.account(), arn.id())
            .map_err(|error| PreflightError::Refused {
                code: "InvalidArnException",
                message: error.to_string(),
            })?;
        let mut parameters = ContextMap::new();
        parameters.set("kms:PrimaryRegion", ContextValue::One(primary_region.to_string()));
        let facts = OperationFacts { parameters: Some(&parameters), ..OperationFacts::default() };
        let action = Action::UpdatePrimaryRegion;
        let need = |side, arn, region| Need {
            side,
            action,
            resource: LegResource::Key(arn),
            region,
            facts,
        };
        let mut needs = vec![need(Side::Current, arn, region)];
        // K22: there must be a related key, and another one.
        let fault = if target == *arn {
            let message = format!("{arn} is the primary key of {primary_region} already");
            Some(("UnsupportedOperationException", message))
        } else if self.snapshot().knows_all_keys() && self.snapshot().key(&target).is_none() {
            Some(("NotFoundException", format!("{target} does not exist")))
        } else {
            needs.push(need(Side::Target, &target, primary_region));
            None
        };
        let mut answer = self.answer_needs("UpdatePrimaryRegion", &needs, &[], caller);
        answer
            .also(|| fault.map(|(code, message)| KeyFault { side: Side::Current, code, message }));
        Ok(answer)
    }

    /// The key of an operation that takes a key id or key ARN, and no alias.
    pub(super) fn plain_key(
        &self,
        name: KeyIdentifier,
        region: &Region,
        caller: &Caller,
    ) -> Result<ResolvedKey, PreflightError> {
        if matches!(name, KeyIdentifier::Alias(_) | KeyIdentifier::AliasArn(_)) {
            let message = "this operation takes no alias: name the key by its id or ARN".to_owned();
            return Err(PreflightError::Refused { code: "NotFoundException", message });
        }
        Ok(self.resolve_key(name, region, caller)?)
    }

    pub(super) fn answer_needs(
        &self,
        operation: &'static str,
        needs: &[Need<'_>],
        grant_tokens: &[GrantToken],
        caller: &Caller,
    ) -> PreflightAnswer {
        let legs = needs.iter().map(|need| Leg {
            side: need.side,
            action: need.action,
            resource: need.resource,
            region: need.region,
            facts: need.facts,
            grant_tokens,
        });
        let sides: Vec<_> = legs.map(|leg| self.explain_leg(&leg, caller)).collect();
        let mut answer = PreflightAnswer { operation, sides, fault: None };
        answer.also(|| {
            needs.iter().find_map(|need| match need.resource {
                LegResource::Key(arn) => {
                    operation_fault(self.snapshot(), need.side, need.action, arn)
                }
                LegResource::Alias(_) | LegResource::Any | LegResource::Principal(_) => None,
            })
        });
        answer
    }
}

impl PreflightAnswer {
    /// What stands in the way of an operation that is permitted, after all that was found before.
    pub(super) fn also(&mut self, fault: impl FnOnce() -> Option<KeyFault>) {
        if self.fault.is_none() && self.decision().is_allow() {
            self.fault = fault();
        }
    }
}
