//! Which policies to try, the fewest first.

use std::cmp::Reverse;
use std::sync::Arc;

use super::statement::{Wish, document, empty};
use super::world::apply;
use super::{Addition, Document, Elsewhere, Fix, Level, Obstacle, Owner, Place};
use crate::authorize::{
    Authorizer, Preflight, PreflightAnswer, PreflightOperation, Side, SideAnswer,
};
use crate::compile::{
    Caller, Entity, EntityLookup, KeyEntry, Membership, Policy, PolicySlot, SessionPolicies,
    Snapshot,
};
use crate::evaluate::{Layer, supplies};
use crate::model::{
    AccountId, CallerPrincipal, ContextValue, Decision, Effect, EncryptionContext,
    EncryptionContextConstraint, KeyArn, KeyManager, KnownKey, PrincipalArn, PrincipalArnKind,
};

/// A side that is asked about again and again.
pub(super) struct Request<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) caller: &'a Caller,
    pub(super) question: &'a Preflight,
    pub(super) index: usize,
    pub(super) side: &'a SideAnswer,
    /// The key, for questions about one.
    pub(super) key: Option<&'a KeyEntry>,
    context: Option<EncryptionContext>,
}

impl<'a> Request<'a> {
    pub(super) fn new(
        snapshot: &'a Snapshot,
        caller: &'a Caller,
        question: &'a Preflight,
        answer: &'a PreflightAnswer,
        index: usize,
    ) -> Option<Self> {
        let side = answer.sides.get(index)?;
        let key = side.resource.parse::<KeyArn>().ok().and_then(|arn| snapshot.key(&arn));
        let context = context(question, side);
        Some(Self { snapshot, caller, question, index, side, key, context })
    }

    /// The fewest statements that give the side an allow.
    pub(super) fn missing(&self) -> Fix {
        let by = &self.side.explanation.by;
        if by.contains(&Layer::Service) {
            return Fix::Nothing(Obstacle::Service);
        }
        // Where SCPs and the endpoint lack an allow, nothing replaces them.
        let mut needed = Vec::new();
        if by.contains(&Layer::ServiceControl) {
            needed.extend(self.service_control());
        }
        if by.contains(&Layer::Endpoint) {
            needed.extend(self.endpoint());
        }
        // Of those with the same number of statements the first is taken: the caller's own
        // policies before the key's, which more people depend on.
        let choices: Vec<Addition> = [self.identity(), self.boundary(), self.session(), self.key()]
            .into_iter()
            .flatten()
            .collect();
        for chosen in subsets(&choices) {
            let all: Vec<&Addition> = needed.iter().chain(chosen).collect();
            if !all.is_empty() && self.allowed_with(&all) {
                return Fix::Add(self.without_superfluous(all));
            }
        }
        let all: Vec<&Addition> = needed.iter().chain(&choices).collect();
        Fix::Nothing(self.obstacle(&all))
    }

    /// What is decided for the side in another world.
    pub(super) fn decide(&self, snapshot: &Snapshot, caller: &Caller) -> Decision {
        answer(snapshot, caller, self.question)
            .and_then(|answer| answer.sides.get(self.index).map(|side| side.explanation.decision))
            .unwrap_or(Decision::Undetermined)
    }

    /// Who can change what is at a place.
    pub(super) fn owner(&self, place: &Place) -> (Owner, Option<Elsewhere>) {
        let organization = |account: &AccountId| {
            let member = self.snapshot.membership(*account).ok().flatten();
            Owner::Organization(member.map(|it| it.organization.clone()).unwrap_or_default())
        };
        let owner = match place {
            Place::KeyPolicy(arn) => Owner::Account(arn.account()),
            Place::Identity(arn) | Place::Boundary(arn) => Owner::Account(arn.account()),
            Place::ServiceControl(account) | Place::ResourceControl(account) => {
                organization(account)
            }
            Place::Endpoint(_) => match self.caller.context.stated("aws:vpceaccount") {
                Some(ContextValue::One(text)) => {
                    text.parse().map_or(Owner::Endpoint, Owner::Account)
                }
                _ => Owner::Endpoint,
            },
            Place::Session => Owner::SessionMaker,
        };
        let elsewhere = match &owner {
            Owner::Account(account) if self.caller.principal.account() != Some(*account) => {
                self.caller.principal.account().map(|_| Elsewhere::NotCallers)
            }
            Owner::Account(account) => self
                .key
                .is_some_and(|entry| entry.key.arn.account() != *account)
                .then_some(Elsewhere::NotKeys),
            _ => None,
        };
        (owner, elsewhere)
    }

    /// The user or role whose IAM policies count, and its name there.
    pub(super) fn entity(&self) -> Option<(&'a PrincipalArn, &'a Entity)> {
        if matches!(self.caller.principal, CallerPrincipal::Root(_)) {
            return None;
        }
        let arn = self.caller.principal.entity_arn()?;
        match self.snapshot.entity(arn) {
            EntityLookup::Found(entity) => Some((arn, entity)),
            EntityLookup::Missing | EntityLookup::Unknown(_) => None,
        }
    }

    fn allowed_with(&self, additions: &[&Addition]) -> bool {
        apply(self.snapshot, self.caller, additions)
            .is_some_and(|(snapshot, caller)| self.decide(&snapshot, &caller).is_allow())
    }

    /// Leaves out, one by one, what the allow does not need.
    fn without_superfluous(&self, mut additions: Vec<&Addition>) -> Vec<Addition> {
        let mut at = 0;
        while at < additions.len() {
            let mut fewer = additions.clone();
            fewer.remove(at);
            if !fewer.is_empty() && self.allowed_with(&fewer) {
                additions = fewer;
            } else {
                at += 1;
            }
        }
        additions.into_iter().cloned().collect()
    }

    fn obstacle(&self, additions: &[&Addition]) -> Obstacle {
        let changed = apply(self.snapshot, self.caller, additions);
        let explanation = changed.and_then(|(snapshot, caller)| {
            let mut sides = answer(&snapshot, &caller, self.question)?.sides;
            (self.index < sides.len()).then(|| sides.swap_remove(self.index).explanation)
        });
        match explanation {
            Some(explanation) if explanation.decision == Decision::Undetermined => {
                let mut unknown = explanation.trace.unknown;
                unknown.retain(|finding| explanation.by.contains(&finding.layer));
                Obstacle::Unknown(unknown)
            }
            _ => Obstacle::Unreachable,
        }
    }

    fn addition(&self, place: Place, level: Option<Level>, into: Document) -> Option<Addition> {
        let wish = Wish {
            caller: self.caller,
            side: self.side.side,
            action: self.side.action,
            resource: &self.side.resource,
            context: self.context.as_ref(),
        };
        let before = match &into {
            Document::Existing(policy) => document(policy)?,
            Document::Further { .. } => empty(),
        };
        let statement = wish.statement(&place, &before)?;
        let (owner, elsewhere) = self.owner(&place);
        Some(Addition { place, level, document: into, owner, elsewhere, statement })
    }

    /// The `default` key policy of a key whose policy customers can change.
    fn key(&self) -> Option<Addition> {
        let entry = self.key?;
        if entry.key.manager == KeyManager::Aws {
            return None;
        }
        // RAM alone writes the other one.
        let policy = compiled(&entry.policies).find(|policy| !policy.name.ends_with("AWS_RAM"))?;
        let document = Document::Existing(Arc::clone(policy));
        self.addition(Place::KeyPolicy(entry.key.arn.clone()), None, document)
    }

    /// An inline policy of the user or role: managed policies and groups have other users.
    fn identity(&self) -> Option<Addition> {
        let (arn, entity) = self.entity()?;
        let owner = match arn.kind() {
            PrincipalArnKind::User => format!("user {}", arn.name()),
            _ => format!("role {}", arn.name()),
        };
        let is_inline = |policy: &&Arc<Policy>| {
            policy.name.starts_with("inline policy ")
                && policy.name.ends_with(&format!(" of {owner}"))
        };
        let document = match compiled(&entity.policies).find(is_inline) {
            Some(policy) => Document::Existing(Arc::clone(policy)),
            None => Document::Further {
                name: format!("a further inline policy of {owner}").into(),
                file: compiled(&entity.policies).map(|policy| policy.source.file.clone()).next(),
            },
        };
        self.addition(Place::Identity(arn.clone()), None, document)
    }

    fn boundary(&self) -> Option<Addition> {
        let (arn, entity) = self.entity()?;
        let policy = compiled(entity.boundary.as_slice()).next()?;
        let document = Document::Existing(Arc::clone(policy));
        self.addition(Place::Boundary(arn.clone()), None, document)
    }

    fn session(&self) -> Option<Addition> {
        let document = match &self.caller.session_policies {
            SessionPolicies::Some(slots) => Document::Existing(Arc::clone(compiled(slots).next()?)),
            // E10: such a session can do nothing without one.
            SessionPolicies::None
                if matches!(self.caller.principal, CallerPrincipal::FederatedUser { .. }) =>
            {
                Document::Further { name: "a session policy".into(), file: None }
            }
            SessionPolicies::None => return None,
        };
        self.addition(Place::Session, None, document)
    }

    fn endpoint(&self) -> Option<Addition> {
        let Some(ContextValue::One(id)) = self.caller.context.stated("aws:sourcevpce") else {
            return None;
        };
        let endpoint = self.snapshot.endpoint(id)?;
        let policy = compiled(std::slice::from_ref(&endpoint.policy)).next()?;
        let document = Document::Existing(Arc::clone(policy));
        self.addition(Place::Endpoint(id.as_str().into()), None, document)
    }

    /// One statement for each level; those that are not needed are left out later.
    fn service_control(&self) -> Vec<Addition> {
        let Some(account) = self.caller.principal.account() else { return Vec::new() };
        let Ok(Some(member)) = self.snapshot.membership(account) else { return Vec::new() };
        let of = member.service_control.len();
        let levels = member.service_control.iter().enumerate();
        levels
            .filter_map(|(index, slots)| {
                let target = target(member, account, index);
                let allows = |policy: &&Arc<Policy>| {
                    policy.statements().iter().any(|statement| statement.effect == Effect::Allow)
                };
                let document = match compiled(slots).find(allows) {
                    Some(policy) => Document::Existing(Arc::clone(policy)),
                    None => Document::Further { name: "a further SCP".into(), file: None },
                };
                let level = Some(Level { index, of, target });
                self.addition(Place::ServiceControl(account), level, document)
            })
            .collect()
    }
}

/// The answer to the whole question.
pub(super) fn answer(
    snapshot: &Snapshot,
    caller: &Caller,
    question: &Preflight,
) -> Option<PreflightAnswer> {
    Authorizer::new(snapshot).preflight(question.clone(), caller).ok()
}

/// The encryption context that conditions on this side see.
fn context(question: &Preflight, side: &SideAnswer) -> Option<EncryptionContext> {
    use PreflightOperation as O;
    if !supplies(side.action, KnownKey::KmsEncryptionContext) {
        return None;
    }
    match &question.operation {
        O::Action { key, .. } => Some(key.context.clone()),
        O::ReEncrypt { source, destination } => match side.side {
            Side::Source => Some(source.context.clone()),
            Side::Destination => Some(destination.context.clone()),
            _ => None,
        },
        // G10: its pairs stand in the request as if they were its context.
        O::CreateGrant { grant, .. } => match &grant.constraints.encryption_context {
            Some(
                EncryptionContextConstraint::Equals(pairs)
                | EncryptionContextConstraint::Subset(pairs),
            ) => Some(pairs.clone()),
            None => None,
        },
        _ => None,
    }
}

/// What a level of SCPs is attached to: the path names root and OUs, and the account comes last.
fn target(member: &Membership, account: AccountId, index: usize) -> Option<Box<str>> {
    let units: Vec<&str> = member.path.split('/').filter(|part| !part.is_empty()).skip(1).collect();
    if units.len() + 1 != member.service_control.len() {
        return None;
    }
    Some(units.get(index).map_or_else(|| account.as_str().into(), |unit| (*unit).into()))
}

fn compiled(slots: &[PolicySlot]) -> impl Iterator<Item = &Arc<Policy>> {
    slots.iter().filter_map(|slot| match slot {
        PolicySlot::Compiled(policy) => Some(policy),
        PolicySlot::Unreadable { .. } => None,
    })
}

/// Every choice from a few, small ones first, and among those of one size the one with the
/// earliest members first.
fn subsets<T>(all: &[T]) -> impl Iterator<Item = Vec<&T>> {
    let bit = |at: usize| 1_usize << (all.len() - 1 - at);
    let mut masks: Vec<usize> = (0..1 << all.len()).collect();
    masks.sort_by_key(|mask| (mask.count_ones(), Reverse(*mask)));
    masks.into_iter().map(move |mask| {
        all.iter().enumerate().filter(|(at, _)| mask & bit(*at) != 0).map(|(_, one)| one).collect()
    })
}
