//! Statements that deny, and statements that nearly allow.

use super::search::Request;
use super::statement::document;
use super::world::World;
use super::{Denial, Fix, Instead, Place, Wanted};
use crate::compile::Inert;
use crate::evaluate::{Layer, StatementFinding};
use crate::model::{Decision, Effect, Statement, Truth};

impl Request<'_> {
    /// The statements that deny, and what would be decided if they did not apply.
    pub(super) fn denied(&self) -> Fix {
        let trace = &self.side.explanation.trace;
        let placed: Vec<(Place, &StatementFinding)> = trace
            .statements
            .iter()
            .filter(|finding| is(finding, Effect::Deny, Truth::True))
            .filter_map(|finding| Some((self.place(finding.layer)?, finding)))
            .collect();
        let denials = placed.iter().map(|(place, finding)| {
            let (owner, elsewhere) = self.owner(place);
            let conditions = wanted(finding, Truth::True);
            Denial { finding: (*finding).clone(), owner, elsewhere, conditions }
        });
        let findings: Vec<(&Place, &StatementFinding)> =
            placed.iter().map(|(place, finding)| (place, *finding)).collect();
        let world = World { snapshot: self.snapshot.clone(), caller: self.caller.clone() };
        let otherwise = world
            .edited(&findings, |document, finding| {
                if finding.index < document.statements.len() {
                    document.statements.remove(finding.index);
                }
            })
            .map_or(Decision::Undetermined, |world| self.decide(&world.snapshot, &world.caller));
        Fix::Denied { denials: denials.collect(), otherwise }
    }

    /// Allow statements without whose failing conditions the side would be allowed.
    pub(super) fn near_misses(&self) -> Vec<Instead> {
        if self.side.explanation.decision != Decision::ImplicitDeny {
            return Vec::new();
        }
        let trace = &self.side.explanation.trace;
        let failing = trace.statements.iter().filter(|finding| {
            is(finding, Effect::Allow, Truth::False) && finding.elements.conditions.is_false()
        });
        failing
            .filter(|finding| self.allows_without_its_conditions(finding))
            .map(|finding| Instead {
                finding: finding.clone(),
                conditions: wanted(finding, Truth::False),
            })
            .collect()
    }

    fn allows_without_its_conditions(&self, finding: &StatementFinding) -> bool {
        let Some(place) = self.place(finding.layer) else { return false };
        let fails = |index: usize| {
            finding.conditions.iter().any(|one| one.index == index && one.holds.is_false())
        };
        let world = World { snapshot: self.snapshot.clone(), caller: self.caller.clone() };
        world
            .edited(&[(&place, finding)], |document, finding| {
                let Some(statement) = document.statements.get_mut(finding.index) else { return };
                let mut index = 0;
                for entry in &mut statement.condition {
                    entry.conditions.retain(|_| {
                        index += 1;
                        !fails(index - 1)
                    });
                }
            })
            .is_some_and(|world| self.decide(&world.snapshot, &world.caller).is_allow())
    }

    /// Where the policies of a layer are.
    fn place(&self, layer: Layer) -> Option<Place> {
        let key = self.key.map(|entry| &entry.key.arn);
        Some(match layer {
            Layer::Key => Place::KeyPolicy(key?.clone()),
            Layer::Identity => Place::Identity(self.entity()?.0.clone()),
            Layer::Boundary => Place::Boundary(self.entity()?.0.clone()),
            Layer::Session => Place::Session,
            Layer::ServiceControl => Place::ServiceControl(self.caller.principal.account()?),
            Layer::ResourceControl => Place::ResourceControl(key?.account()),
            Layer::Endpoint => match self.caller.context.stated("aws:sourcevpce")? {
                crate::model::ContextValue::One(id) => Place::Endpoint(id.as_str().into()),
                _ => return None,
            },
            Layer::Grant | Layer::Service => return None,
        })
    }
}

fn is(finding: &StatementFinding, effect: Effect, applies: Truth) -> bool {
    let inert: Option<Inert> = finding.statement().and_then(|statement| statement.inert);
    finding.statement().is_some_and(|statement| statement.effect == effect)
        && inert.is_none()
        && finding.elements.applies == applies
}

/// The conditions of a statement that came out like this, with their values as written.
fn wanted(finding: &StatementFinding, holds: Truth) -> Vec<Wanted> {
    let document = document(&finding.policy);
    let written = document.as_ref().and_then(|document| document.statements.get(finding.index));
    let chosen = finding.conditions.iter().filter(|condition| condition.holds == holds);
    chosen
        .filter_map(|condition| {
            let compiled = finding.statement()?.conditions.get(condition.index)?;
            Some(Wanted {
                operator: compiled.operator,
                key: compiled.key.clone(),
                values: written.map(|it| values(it, condition.index)).unwrap_or_default(),
                found: condition.found.clone(),
            })
        })
        .collect()
}

/// The values of a statement's condition, counted through all its operators.
fn values(statement: &Statement, index: usize) -> Vec<String> {
    let condition = statement.condition.iter().flat_map(|entry| &entry.conditions).nth(index);
    condition
        .map(|it| it.values.iter().map(|value| value.value.as_str().to_owned()).collect())
        .unwrap_or_default()
}
