//! Puts questions to the evaluator: gathers, for one leg and one caller, the policies and facts of
//! the snapshot that decide it.

use super::{Leg, LegResource, Operation, SideAnswer};
use crate::compile::{Caller, EntityLookup, KeyEntry, Known, Membership, PolicySlot, Snapshot};
use crate::evaluate::{
    Attached, Explanation, Facts, Layer, Policies, Question, RequestContext, decide, explain,
};
use crate::model::{CallerPrincipal, ContextValue, Decision, KeyArn, KeyManager};

/// Decides on one snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Authorizer<'s> {
    snapshot: &'s Snapshot,
}

impl<'s> Authorizer<'s> {
    /// An authorizer over a frozen world.
    #[must_use]
    pub fn new(snapshot: &'s Snapshot) -> Self {
        Self { snapshot }
    }

    /// The world.
    #[must_use]
    pub fn snapshot(&self) -> &'s Snapshot {
        self.snapshot
    }

    /// Every side's full answer.
    #[must_use]
    pub fn explain<O: Operation>(&self, operation: &O, caller: &Caller) -> Vec<SideAnswer> {
        operation.legs().iter().map(|leg| self.explain_leg(leg, caller)).collect()
    }

    /// The answer for one leg.
    pub fn decide_leg(&self, leg: &Leg<'_>, caller: &Caller) -> Decision {
        match self.entry(leg) {
            Ok(entry) => self.ask(leg, entry, caller, decide),
            Err(_) => Decision::Undetermined,
        }
    }

    /// The answer for one leg with its reasons.
    #[must_use]
    pub fn explain_leg(&self, leg: &Leg<'_>, caller: &Caller) -> SideAnswer {
        let explanation = match self.entry(leg) {
            Ok(entry) => self.ask(leg, entry, caller, explain),
            Err(arn) => Explanation::unknown(
                Layer::Key,
                arn.as_str(),
                "the world has no such key: add its folder to the world",
            ),
        };
        let resource = match leg.resource {
            LegResource::Alias(alias) => alias.to_string(),
            LegResource::Any => "*".to_owned(),
            LegResource::Key(arn) => arn.to_string(),
            LegResource::Principal(arn) => arn.to_string(),
        };
        SideAnswer { side: leg.side, action: leg.action, resource: resource.into(), explanation }
    }

    /// The key a leg is about, if it is about one; `Err` when the world does not have it.
    fn entry<'l>(&self, leg: &Leg<'l>) -> Result<Option<&'s KeyEntry>, &'l KeyArn> {
        match leg.resource {
            LegResource::Key(arn) => self.snapshot.key(arn).map(Some).ok_or(arn),
            LegResource::Alias(_) | LegResource::Any | LegResource::Principal(_) => Ok(None),
        }
    }

    fn ask<T>(
        &self,
        leg: &Leg<'_>,
        entry: Option<&KeyEntry>,
        caller: &Caller,
        answer: impl FnOnce(&Question<'_>) -> T,
    ) -> T {
        let entity = self.entity(caller);
        let principal_membership = match caller.principal.account() {
            Some(account) => self.snapshot.membership(account),
            None => Ok(None),
        };
        let owner = entry.map(|entry| entry.key.arn.account());
        // An alias has an owner as well, though no policy of its own.
        let holder = match leg.resource {
            LegResource::Alias(alias) => Some(alias.account),
            LegResource::Any | LegResource::Principal(_) => None,
            LegResource::Key(arn) => Some(arn.account()),
        };
        let resource_membership = match holder {
            Some(account) => self.snapshot.membership(account),
            None => Err("the action is on no resource"),
        };
        let alias;
        let resource = match leg.resource {
            LegResource::Alias(arn) => {
                alias = arn.to_string();
                alias.as_str()
            }
            LegResource::Any => "*",
            LegResource::Key(arn) => arn.as_str(),
            LegResource::Principal(arn) => arn.as_str(),
        };
        let facts = Facts {
            resource: holder.map(|_| resource),
            principal: &caller.principal,
            entity,
            principal_membership,
            key: entry,
            resource_membership,
            region: Some(leg.region),
            operation: leg.facts,
        };
        let none = Attached::NotApplicable;
        let question = Question {
            principal: &caller.principal,
            resource,
            resource_account: owner,
            region_disabled: caller
                .principal
                .account()
                .is_some_and(|account| self.snapshot.is_disabled(account, leg.region)),
            context: RequestContext {
                action: leg.action,
                stated: &caller.context,
                facts: Some(&facts),
            },
            policies: Policies {
                key: entry.map_or(none, |entry| Attached::Union(&entry.policies)),
                identity: identity(&caller.principal, entity),
                boundary: boundary(entity),
                session: Attached::session(&caller.session_policies),
                service_control: service_control(&caller.principal, principal_membership),
                resource_control: entry
                    .map_or(none, |entry| resource_control(caller, entry, resource_membership)),
                endpoint: self.endpoint(caller),
                grants: match entry.map(|entry| &entry.grants) {
                    Some(Known::Known(grants)) => Ok(grants),
                    Some(Known::Unknown(reason)) => Err(reason),
                    None => Ok(&[]),
                },
            },
            grant_tokens: leg.grant_tokens,
            readings: self.snapshot.readings(),
        };
        answer(&question)
    }

    /// The user or role whose IAM policies count.
    fn entity(&self, caller: &Caller) -> Result<Option<&'s crate::compile::Entity>, &'s str> {
        match (&caller.principal, caller.principal.entity_arn()) {
            (CallerPrincipal::Root(_), _) | (_, None) => Ok(None),
            (_, Some(arn)) => match self.snapshot.entity(arn) {
                EntityLookup::Found(entity) => Ok(Some(entity)),
                EntityLookup::Missing => {
                    Err("the account's IAM facts do not have this user or role")
                }
                EntityLookup::Unknown(reason) => Err(reason),
            },
        }
    }

    /// The endpoint the call came through, as `aws:SourceVpce` states it.
    fn endpoint(&self, caller: &Caller) -> Attached<'s> {
        let stated = |key: &str| caller.context.stated(key);
        // Calls that a service makes, for itself or for the caller, do not come through the
        // caller's endpoint (iam user guide, "Forward access sessions").
        let service = matches!(caller.principal, CallerPrincipal::Service { .. })
            || matches!(stated("kms:viaservice"), Some(ContextValue::One(_)))
            || matches!(stated("aws:viaawsservice"), Some(ContextValue::One(text)) if text == "true");
        if service {
            return Attached::NotApplicable;
        }
        match stated("aws:sourcevpce") {
            Some(ContextValue::Absent) => Attached::NotApplicable,
            Some(ContextValue::One(id)) => match self.snapshot.endpoint(id) {
                Some(endpoint) => Attached::Union(std::slice::from_ref(&endpoint.policy)),
                None => Attached::Unknown(
                    "the world has no policy of the endpoint in aws:SourceVpce: \
                     add endpoints/<vpce id>.json",
                ),
            },
            Some(ContextValue::Many(_)) => Attached::Unknown("aws:SourceVpce has one value"),
            None if caller.context.is_complete() => Attached::NotApplicable,
            None => Attached::Unknown(
                "whether the call comes through a VPC endpoint is not stated: \
                 give aws:SourceVpce, or say that the call is direct",
            ),
        }
    }
}

fn identity<'s>(
    principal: &CallerPrincipal,
    entity: Result<Option<&'s crate::compile::Entity>, &'s str>,
) -> Attached<'s> {
    match (principal, entity) {
        (_, Ok(Some(entity))) => Attached::Union(&entity.policies),
        (_, Err(reason)) => Attached::Unknown(reason),
        (_, Ok(None)) => Attached::NotApplicable,
    }
}

fn boundary<'s>(entity: Result<Option<&'s crate::compile::Entity>, &'s str>) -> Attached<'s> {
    match entity {
        Ok(Some(entity)) => match &entity.boundary {
            Some(slot) => Attached::Union(std::slice::from_ref::<PolicySlot>(slot)),
            None => Attached::NotApplicable,
        },
        Ok(None) => Attached::NotApplicable,
        Err(reason) => Attached::Unknown(reason),
    }
}

/// SCPs bind the principals of member accounts, service-linked roles excepted (organizations user
/// guide, "SCPs").
fn service_control<'s>(
    principal: &CallerPrincipal,
    membership: Result<Option<&'s Membership>, &'s str>,
) -> Attached<'s> {
    match membership {
        _ if principal.is_service_linked_role() || principal.account().is_none() => {
            Attached::NotApplicable
        }
        Ok(Some(member)) if !member.is_management => Attached::Levels(&member.service_control),
        Ok(_) => Attached::NotApplicable,
        Err(reason) => Attached::Unknown(reason),
    }
}

/// RCPs bind customer managed keys of member accounts; service-linked roles are excepted
/// (organizations user guide, "RCPs"; kms developer guide, "Resource control policies").
fn resource_control<'s>(
    caller: &Caller,
    entry: &KeyEntry,
    membership: Result<Option<&'s Membership>, &'s str>,
) -> Attached<'s> {
    match membership {
        _ if caller.principal.is_service_linked_role() || entry.key.manager == KeyManager::Aws => {
            Attached::NotApplicable
        }
        Ok(Some(member)) if !member.is_management => Attached::Levels(&member.resource_control),
        Ok(_) => Attached::NotApplicable,
        Err(reason) => Attached::Unknown(reason),
    }
}
