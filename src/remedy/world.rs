//! Copies of the world in which something is changed.

use std::sync::Arc;

use super::statement::document;
use super::{Addition, Document, Place};
use crate::compile::{
    Caller, EntityLookup, Membership, Policy, PolicySlot, SessionPolicies, Snapshot, Source,
};
use crate::evaluate::StatementFinding;
use crate::model::{PolicyDocument, PolicyKind, Statement};
use crate::syntax;

/// A copy of the world with these statements added, and the caller in it; `None` when a document
/// they are meant for is not there, or would be none with them.
#[must_use]
pub fn apply(
    snapshot: &Snapshot,
    caller: &Caller,
    additions: &[&Addition],
) -> Option<(Snapshot, Caller)> {
    let mut world = World { snapshot: snapshot.clone(), caller: caller.clone() };
    let mut done: Vec<(&Place, &Arc<Policy>)> = Vec::new();
    for addition in additions {
        match &addition.document {
            Document::Further { name, .. } => {
                let slot = further(&addition.place, name, &addition.statement)?;
                let at = addition.level.as_ref().map_or(0, |level| level.index);
                world = world.with(&addition.place, |level, slots| {
                    if level == at {
                        slots.push(slot.clone());
                    }
                })?;
            }
            Document::Existing(policy) => {
                let same = |place: &Place, other: &Policy| {
                    *place == addition.place && is_same(other, policy)
                };
                if done.iter().any(|(place, other)| same(place, other)) {
                    continue;
                }
                done.push((&addition.place, policy));
                let mut statements: Vec<Statement> = Vec::new();
                for other in additions {
                    if let Document::Existing(target) = &other.document
                        && same(&other.place, target)
                        && !statements.contains(&other.statement)
                    {
                        statements.push(other.statement.clone());
                    }
                }
                let slot = extended(policy, statements)?;
                let mut found = false;
                world = world.with(&addition.place, |_, slots| {
                    for known in slots.iter_mut() {
                        if matches!(known, PolicySlot::Compiled(one) if is_same(one, policy)) {
                            *known = slot.clone();
                            found = true;
                        }
                    }
                })?;
                if !found {
                    return None;
                }
            }
        }
    }
    Some((world.snapshot, world.caller))
}

/// A world and the caller in it.
pub(super) struct World {
    pub(super) snapshot: Snapshot,
    pub(super) caller: Caller,
}

impl World {
    /// The world with what `edit` makes of the documents of these statements; they are judged as
    /// they are, so nothing needs to be printable.
    pub(super) fn edited(
        mut self,
        findings: &[(&Place, &StatementFinding)],
        edit: impl Fn(&mut PolicyDocument, &StatementFinding),
    ) -> Option<Self> {
        for (number, (place, _)) in findings.iter().enumerate() {
            if findings.iter().take(number).any(|(earlier, _)| earlier == place) {
                continue;
            }
            self = self.with(place, |_, slots| {
                for slot in slots.iter_mut() {
                    let PolicySlot::Compiled(policy) = slot else { continue };
                    // From the last statement on, so that taking one away moves none of the rest.
                    let mut own: Vec<&StatementFinding> = findings
                        .iter()
                        .filter(|(other, one)| other == place && is_same(&one.policy, policy))
                        .map(|(_, finding)| *finding)
                        .collect();
                    own.sort_by_key(|finding| std::cmp::Reverse(finding.index));
                    own.dedup_by_key(|finding| finding.index);
                    if own.is_empty() {
                        continue;
                    }
                    let Some(mut document) = document(policy) else { continue };
                    own.iter().for_each(|finding| edit(&mut document, finding));
                    let source = policy.source.clone();
                    let changed = Policy::compile(&document, policy.kind, &policy.name, source);
                    *slot = PolicySlot::Compiled(Arc::new(changed));
                }
            })?;
        }
        Some(self)
    }

    /// The world with other policies at a place; `change` is called for each level of SCPs or
    /// RCPs, and once, with level 0, for everything else.
    fn with(
        self,
        place: &Place,
        mut change: impl FnMut(usize, &mut Vec<PolicySlot>),
    ) -> Option<Self> {
        let Self { snapshot, mut caller } = self;
        let snapshot = match place {
            Place::KeyPolicy(arn) => {
                let mut slots = snapshot.key(arn)?.policies.to_vec();
                change(0, &mut slots);
                snapshot.with_key_policies(arn, slots)?
            }
            Place::Identity(arn) => {
                let EntityLookup::Found(entity) = snapshot.entity(arn) else { return None };
                let mut slots = entity.policies.clone();
                change(0, &mut slots);
                snapshot.with_identity_policies(arn, slots)?
            }
            Place::Boundary(arn) => {
                let EntityLookup::Found(entity) = snapshot.entity(arn) else { return None };
                let mut slots = vec![entity.boundary.clone()?];
                change(0, &mut slots);
                snapshot.with_boundary(arn, slots.pop()?)?
            }
            Place::Endpoint(id) => {
                let mut slots = vec![snapshot.endpoint(id)?.policy.clone()];
                change(0, &mut slots);
                snapshot.with_endpoint_policy(id, slots.pop()?)?
            }
            Place::Session => {
                let mut slots = match caller.session_policies {
                    SessionPolicies::None => Vec::new(),
                    SessionPolicies::Some(slots) => slots,
                };
                change(0, &mut slots);
                caller.session_policies = SessionPolicies::Some(slots);
                snapshot
            }
            Place::ServiceControl(account) => {
                let mut membership = snapshot.membership(*account).ok()??.clone();
                levels(&mut membership.service_control, &mut change);
                snapshot.with_membership(*account, membership)
            }
            Place::ResourceControl(account) => {
                let mut membership: Membership = snapshot.membership(*account).ok()??.clone();
                levels(&mut membership.resource_control, &mut change);
                snapshot.with_membership(*account, membership)
            }
        };
        Some(Self { snapshot, caller })
    }
}

/// Whether two policies are one document.
pub(super) fn is_same(a: &Policy, b: &Policy) -> bool {
    a.kind == b.kind && a.name == b.name && a.source == b.source
}

fn levels(levels: &mut [Vec<PolicySlot>], change: &mut impl FnMut(usize, &mut Vec<PolicySlot>)) {
    for (level, slots) in levels.iter_mut().enumerate() {
        change(level, slots);
    }
}

fn extended(policy: &Policy, statements: Vec<Statement>) -> Option<PolicySlot> {
    let mut document = document(policy)?;
    document.statements.extend(statements);
    let text = syntax::print(&document);
    let source = policy.source.with_text(&text);
    compiled(&text, policy.kind, &policy.name, source)
}

fn further(place: &Place, name: &str, statement: &Statement) -> Option<PolicySlot> {
    let kind = match place {
        Place::Identity(_) => PolicyKind::Identity,
        Place::ServiceControl(_) => PolicyKind::ServiceControl,
        Place::Session => PolicyKind::Session,
        Place::Boundary(_)
        | Place::Endpoint(_)
        | Place::KeyPolicy(_)
        | Place::ResourceControl(_) => return None,
    };
    let text = syntax::print(&super::statement::alone(statement.clone()));
    compiled(&text, kind, name, Source::file(name, &text))
}

/// The policy as its printed text says, which is what is proposed.
fn compiled(text: &str, kind: PolicyKind, name: &str, source: Source) -> Option<PolicySlot> {
    let document = syntax::parse(text, kind).into_result().ok()?;
    Some(PolicySlot::Compiled(Arc::new(Policy::compile(&document, kind, name, source))))
}
