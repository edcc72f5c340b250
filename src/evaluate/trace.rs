//! Watching an evaluation.

use std::sync::Arc;

use super::Layer;
use super::context::Found;
use crate::compile::{CompiledCondition, CompiledStatement, Policy, PrincipalClasses};
use crate::model::{Decision, Grant, GrantId, GrantPrincipal, Reading, Truth};

/// Sees what an evaluation does. Events borrow; text is made by `report` alone.
pub trait Sink {
    /// Ask everything, also what can no longer change the answer.
    const EXHAUSTIVE: bool;

    /// One event.
    fn event(&mut self, event: Event<'_>);
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Event<'e> {
    /// A condition of the statement whose event follows was judged.
    Condition {
        /// The condition.
        condition: &'e CompiledCondition,
        /// Its place in the statement.
        index: usize,
        /// Whether it holds.
        holds: Truth,
        /// What the request said of its key.
        found: &'e Found<'e>,
    },
    /// A grant was judged.
    Grant {
        /// The grant.
        grant: &'e Grant,
        /// Why it applies or not.
        outcome: GrantOutcome,
    },
    /// A statement that names the action was judged.
    Statement {
        /// The layer.
        layer: Layer,
        /// The policy.
        policy: &'e Arc<Policy>,
        /// The statement.
        statement: &'e CompiledStatement,
        /// How its elements came out.
        elements: Elements,
    },
    /// What a layer depends on is not known.
    Unknown {
        /// The layer.
        layer: Layer,
        /// What is missing.
        what: &'e str,
        /// Why, and what to do.
        reason: &'e str,
    },
    /// A reading decided something.
    Reading(Reading),
}

/// How the elements of a statement came out.
#[derive(Clone, Copy, Debug)]
pub struct Elements {
    /// As what it names the caller; `None` in policies that name no principals.
    pub principal: Option<PrincipalClasses>,
    /// Whether it names the resource.
    pub resource: Truth,
    /// Whether all its conditions hold.
    pub conditions: Truth,
    /// Whether it applies.
    pub applies: Truth,
}

/// Why a grant applies or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantOutcome {
    /// It gives the permission.
    Applies,
    /// Its encryption context constraint is not met.
    Context,
    /// It names another grantee.
    Grantee,
    /// It has not spread, and the request does not carry its token.
    NotPropagated,
    /// It does not list the operation.
    Operation,
    /// Its `SourceArn` constraint is not met.
    SourceArn,
    /// Whether it applies depends on an unknown fact.
    Unknown,
    /// The grant that would be made is wider than it.
    Wider,
}

/// Sees nothing, so that nothing is paid for.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTrace;

impl Sink for NoTrace {
    const EXHAUSTIVE: bool = false;

    fn event(&mut self, _: Event<'_>) {}
}

/// Keeps what is needed to explain an answer.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Statements that name the action, in the order they were asked.
    pub statements: Vec<StatementFinding>,
    /// Grants of the key.
    pub grants: Vec<GrantFinding>,
    /// Facts that are missing.
    pub unknown: Vec<UnknownFinding>,
    /// Readings that decided something.
    pub readings: Vec<Reading>,
    conditions: Vec<ConditionFinding>,
}

/// A statement as it was judged.
#[derive(Clone, Debug)]
pub struct StatementFinding {
    /// The layer.
    pub layer: Layer,
    /// The policy.
    pub policy: Arc<Policy>,
    /// The statement's place in the policy.
    pub index: usize,
    /// How its elements came out.
    pub elements: Elements,
    /// Its conditions.
    pub conditions: Vec<ConditionFinding>,
}

impl StatementFinding {
    /// The statement.
    #[must_use]
    pub fn statement(&self) -> Option<&CompiledStatement> {
        self.policy.statements().get(self.index)
    }
}

/// A condition as it was judged.
#[derive(Clone, Debug)]
pub struct ConditionFinding {
    /// Its place in the statement.
    pub index: usize,
    /// Whether it holds.
    pub holds: Truth,
    /// What the request said of its key: `None` when nobody said, no values when it is absent.
    pub found: Option<Vec<String>>,
}

/// A grant as it was judged.
#[derive(Clone, Debug)]
pub struct GrantFinding {
    /// The grant's id.
    pub id: GrantId,
    /// Whom it names.
    pub grantee: GrantPrincipal,
    /// Why it applies or not.
    pub outcome: GrantOutcome,
}

/// A missing fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFinding {
    /// The layer that depends on it.
    pub layer: Layer,
    /// What is missing.
    pub what: String,
    /// Why, and what to do.
    pub reason: String,
}

impl Sink for Trace {
    const EXHAUSTIVE: bool = true;

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Condition { index, holds, found, .. } => {
                self.conditions.push(ConditionFinding { index, holds, found: values(found) });
            }
            Event::Grant { grant, outcome } => self.grants.push(GrantFinding {
                id: grant.id.clone(),
                grantee: grant.grantee.clone(),
                outcome,
            }),
            Event::Statement { layer, policy, statement, elements } => {
                self.statements.push(StatementFinding {
                    layer,
                    policy: Arc::clone(policy),
                    index: statement.index,
                    elements,
                    conditions: std::mem::take(&mut self.conditions),
                });
            }
            Event::Unknown { layer, what, reason } => {
                let finding =
                    UnknownFinding { layer, what: what.to_owned(), reason: reason.to_owned() };
                if !self.unknown.contains(&finding) {
                    self.unknown.push(finding);
                }
            }
            Event::Reading(reading) => {
                if !self.readings.contains(&reading) {
                    self.readings.push(reading);
                }
            }
        }
    }
}

fn values(found: &Found<'_>) -> Option<Vec<String>> {
    match found {
        Found::Absent => Some(Vec::new()),
        Found::Many(values) => Some(values.collect()),
        Found::One(value) => Some(vec![(*value).to_owned()]),
        Found::Pair(one, other) => Some(vec![format!("{one}:{other}")]),
        Found::Unknown | Found::Unsupported => None,
    }
}

/// An answer with its reasons.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The answer.
    pub decision: Decision,
    /// For an implicit denial or an open answer: the layers without a sure allow, in the order
    /// AWS names them. For an explicit denial: the layers that deny.
    pub by: Vec<Layer>,
    /// What was seen.
    pub trace: Trace,
}

impl Explanation {
    /// An answer that is open because a fact is missing before any policy can be asked.
    #[must_use]
    pub fn unknown(layer: Layer, what: &str, reason: &str) -> Self {
        let mut trace = Trace::default();
        trace.event(Event::Unknown { layer, what, reason });
        Self { decision: Decision::Undetermined, by: vec![layer], trace }
    }
}
