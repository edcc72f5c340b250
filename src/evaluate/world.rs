//! From a world to a question: gathers the policies and facts of a snapshot that decide one action
//! of one caller on one resource.

use super::{Attached, Facts, OperationFacts, Policies, Question, RequestContext};
use crate::compile::{
    Caller, Entity, EntityLookup, GrantsRef, KeyEntry, Known, Membership, PolicySlot, Snapshot,
};
use crate::model::{
    Action, AliasArn, CallerPrincipal, ContextValue, GrantToken, KeyArn, KeyManager, KnownKey,
    PrincipalArn, Region,
};

/// What an action is asked on.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// An alias itself, which has no policy of its own.
    Alias(&'a AliasArn),
    /// No resource: the policies are asked about `*`.
    Any,
    /// A key.
    Key(&'a KeyArn),
    /// A user or role, whose account KMS takes it from.
    Principal(&'a PrincipalArn),
}

/// One action on one resource, before it is known who asks.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The action.
    pub action: Action,
    /// The resource.
    pub on: Target<'a>,
    /// The key it is about, with what is attached to it; `None` when it is about none.
    pub entry: Option<&'a KeyEntry>,
    /// The Region the request is sent to.
    pub region: &'a Region,
    /// What the operation puts into the request context.
    pub operation: OperationFacts<'a>,
    /// Grant tokens of the request.
    pub grant_tokens: &'a [GrantToken],
}

impl Asked<'_> {
    /// Puts the question for a caller to `answer`: [`decide`](super::decide) or
    /// [`explain`](super::explain).
    pub fn put<T>(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        answer: impl FnOnce(&Question<'_>) -> T,
    ) -> T {
        let entity = entity_of(snapshot, caller);
        let principal_membership = match caller.principal.account() {
            Some(account) => snapshot.membership(account),
            None => Ok(None),
        };
        let entry = self.entry;
        // An alias has an owner as well, though no policy of its own.
        let holder = match self.on {
            Target::Alias(alias) => Some(alias.account),
            Target::Any | Target::Principal(_) => None,
            Target::Key(arn) => Some(arn.account()),
        };
        let owner = entry.map(|entry| match self.on {
            Target::Key(arn) => arn.account(),
            Target::Alias(_) | Target::Any | Target::Principal(_) => entry.key.arn.account(),
        });
        let resource_membership = match holder {
            Some(account) => snapshot.membership(account),
            None => Err("the action is on no resource"),
        };
        let alias;
        let resource = match self.on {
            Target::Alias(arn) => {
                alias = arn.to_string();
                alias.as_str()
            }
            Target::Any => "*",
            Target::Key(arn) => arn.as_str(),
            Target::Principal(arn) => arn.as_str(),
        };
        let facts = Facts {
            resource: holder.map(|_| resource),
            principal: &caller.principal,
            entity,
            principal_membership,
            key: entry,
            resource_membership,
            region: Some(self.region),
            operation: self.operation,
        };
        let none = Attached::NotApplicable;
        let question = Question {
            principal: &caller.principal,
            resource,
            resource_account: owner,
            region_disabled: caller
                .principal
                .account()
                .is_some_and(|account| snapshot.is_disabled(account, self.region)),
            context: RequestContext {
                action: self.action,
                stated: &caller.context,
                facts: Some(&facts),
                grant: self.operation.grant,
            },
            policies: Policies {
                key: entry.map_or(none, |entry| Attached::Union(&entry.policies)),
                identity: identity(&caller.principal, entity),
                boundary: boundary(entity),
                session: Attached::session(&caller.session_policies),
                service_control: service_control(&caller.principal, principal_membership),
                resource_control: entry
                    .map_or(none, |entry| resource_control(caller, entry, resource_membership)),
                endpoint: endpoint(snapshot, caller),
                grants: match entry.map(|entry| &entry.grants) {
                    Some(Known::Known(grants)) => Ok(grants.into()),
                    Some(Known::Unknown(reason)) => Err(reason),
                    None => Ok(GrantsRef::NONE),
                },
            },
            grant_tokens: self.grant_tokens,
            readings: snapshot.readings(),
        };
        answer(&question)
    }
}

/// The user or role whose IAM policies count.
fn entity_of<'s>(snapshot: &'s Snapshot, caller: &Caller) -> Result<Option<&'s Entity>, &'s str> {
    match (&caller.principal, caller.principal.entity_arn()) {
        (CallerPrincipal::Root(_), _) | (_, None) => Ok(None),
        (_, Some(arn)) => match snapshot.entity(arn) {
            EntityLookup::Found(entity) => Ok(Some(entity)),
            EntityLookup::Missing => Err("the account's IAM facts do not have this user or role"),
            EntityLookup::Unknown(reason) => Err(reason),
        },
    }
}

/// The endpoint the call came through, as `aws:SourceVpce` states it.
fn endpoint<'s>(snapshot: &'s Snapshot, caller: &Caller) -> Attached<'s> {
    let stated = |known: KnownKey, name: &str| caller.context.of_known(known, name);
    // Calls that a service makes, for itself or for the caller, do not come through the
    // caller's endpoint (iam user guide, "Forward access sessions").
    let service = matches!(caller.principal, CallerPrincipal::Service { .. })
        || matches!(stated(KnownKey::KmsViaService, "kms:viaservice"), Some(ContextValue::One(_)))
        || matches!(stated(KnownKey::AwsViaAwsService, "aws:viaawsservice"), Some(ContextValue::One(text)) if text == "true");
    if service {
        return Attached::NotApplicable;
    }
    match stated(KnownKey::AwsSourceVpce, "aws:sourcevpce") {
        Some(ContextValue::Absent) => Attached::NotApplicable,
        Some(ContextValue::One(id)) => match snapshot.endpoint(id) {
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

fn identity<'s>(
    principal: &CallerPrincipal,
    entity: Result<Option<&'s Entity>, &'s str>,
) -> Attached<'s> {
    match (principal, entity) {
        (_, Ok(Some(entity))) => Attached::Union(&entity.policies),
        (_, Err(reason)) => Attached::Unknown(reason),
        (_, Ok(None)) => Attached::NotApplicable,
    }
}

fn boundary<'s>(entity: Result<Option<&'s Entity>, &'s str>) -> Attached<'s> {
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
