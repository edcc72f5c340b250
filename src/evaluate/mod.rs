//! F3: one question to all policies that apply → [`Decision`]. Total and pure; generic over who
//! watches.
//!
//! The clauses (C…, E…, G…, X…) are those of `docs/semantics.md`.

mod combine;
mod condition;
mod context;
mod grant;
mod grant_request;
mod layers;
mod supplied;
mod trace;
mod world;

#[cfg(test)]
mod tests;

use std::fmt;

pub use combine::{CallerKind, Combined, GrantCaps, GrantKind, Leaves, Relation, Shape, combine};
pub use context::{Facts, Found, GrantSubject, OperationFacts, RequestContext, Values};
pub(crate) use grant_request::{CreatedGrant, constraint_pairs, constraint_type};
pub use trace::{
    ConditionFinding, Elements, Event, Explanation, GrantFinding, GrantOutcome, NoTrace, Sink,
    StatementFinding, Trace, UnknownFinding,
};

use crate::compile::{CompiledCondition, GrantsRef, PolicySlot};
use crate::model::{
    AccountId, Action, CallerPrincipal, Decision, Effect, GrantToken, PolicyKind, Reading,
    Readings, Truth,
};
use layers::{Evaluation, FoundBy};
pub use supplied::{always_supplies, supplies};
pub use world::{Asked, Target};

/// A group of policies that is decided together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// KMS itself: unsigned calls, operations that do not work across accounts.
    Service,
    /// RCPs of the key's organization.
    ResourceControl,
    /// SCPs of the caller's organization.
    ServiceControl,
    /// The policy of the VPC endpoint the call came through.
    Endpoint,
    /// The key policies.
    Key,
    /// The caller's identity policies.
    Identity,
    /// The caller's permissions boundary.
    Boundary,
    /// The caller's session policies.
    Session,
    /// Grants; they only ever allow.
    Grant,
}

impl Layer {
    /// `key-policy`, `identity`, …
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::ResourceControl => "rcp",
            Self::ServiceControl => "scp",
            Self::Endpoint => "vpc-endpoint",
            Self::Key => "key-policy",
            Self::Identity => "identity",
            Self::Boundary => "boundary",
            Self::Session => "session",
            Self::Grant => "grant",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Policies of one layer, or why they are unknown or do not count.
#[derive(Clone, Copy, Debug)]
pub enum Attached<'a> {
    /// The layer does not apply to this caller or resource: it allows and never denies.
    NotApplicable,
    /// It is not known which policies there are.
    Unknown(&'a str),
    /// These; their union counts.
    Union(&'a [PolicySlot]),
    /// These levels, each a union, each of which must allow.
    Levels(&'a [Vec<PolicySlot>]),
}

/// Everything that decides one question.
#[derive(Clone, Copy, Debug)]
pub struct Policies<'a> {
    /// The key's own policies.
    pub key: Attached<'a>,
    /// The caller's identity policies.
    pub identity: Attached<'a>,
    /// The caller's permissions boundary.
    pub boundary: Attached<'a>,
    /// The caller's session policies.
    pub session: Attached<'a>,
    /// The SCPs of the caller's account, level by level.
    pub service_control: Attached<'a>,
    /// The customer's RCPs of the key's account.
    pub resource_control: Attached<'a>,
    /// The policy of the VPC endpoint.
    pub endpoint: Attached<'a>,
    /// The key's grants; `Err` says why they are not known.
    pub grants: Result<GrantsRef<'a>, &'a str>,
}

/// One question: may this principal do this action on this resource?
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Who asks.
    pub principal: &'a CallerPrincipal,
    /// The resource's ARN; `*` for actions without a resource.
    pub resource: &'a str,
    /// The account the resource is in; `None` for actions without a key.
    pub resource_account: Option<AccountId>,
    /// Whether the caller's account is known to be disabled in the Region of the request.
    pub region_disabled: bool,
    /// What the request says.
    pub context: RequestContext<'a>,
    /// What decides.
    pub policies: Policies<'a>,
    /// Tokens of grants that have not spread yet.
    pub grant_tokens: &'a [GrantToken],
    /// How open points are read.
    pub readings: &'a Readings,
}

impl Question<'_> {
    fn shape(&self) -> Shape {
        let readings = self.readings;
        Shape {
            caller: match self.principal {
                CallerPrincipal::Anonymous => CallerKind::Anonymous,
                CallerPrincipal::Root(_) => CallerKind::Root,
                CallerPrincipal::Service { .. } => CallerKind::Service,
                _ => CallerKind::Identity,
            },
            relation: match self.resource_account {
                _ if self.context.action == Action::RetireGrant => Relation::Retire,
                None => Relation::NoResource,
                Some(account) => match self.principal.account() {
                    Some(own) if own != account => Relation::CrossAccount,
                    _ => Relation::SameAccount,
                },
            },
            is_other_partition: self.principal.arn().is_some_and(|own| {
                let resource = self.resource.strip_prefix("arn:");
                resource.is_some_and(|rest| !own.is_in_partition_of(rest) && rest.contains(':'))
            }),
            is_disabled_region: self.region_disabled,
            works_across_accounts: self.context.action.works_across_accounts(),
            foreign_root_allowed: readings.choice(Reading::CrossAccountRoot) == 1,
            grant_caps: GrantCaps {
                boundary: readings.choice(Reading::GrantUnderBoundary) == 0,
                service_control: readings.choice(Reading::GrantUnderScp) == 0,
                session: readings.choice(Reading::GrantUnderSession) == 0,
                identity_for_owner_grant: readings.choice(Reading::CrossAccountGrantByOwner) == 0,
            },
        }
    }
}

/// The answer, as fast as it can be had.
pub fn decide(question: &Question<'_>) -> Decision {
    let mut sink = NoTrace;
    let found_by = FoundBy::new(question);
    let mut evaluation = Evaluation::new(question, &found_by, &mut sink);
    decision(combine(&mut evaluation, question.shape(), false))
}

/// The answer with everything that led to it; the same answer as [`decide`]'s.
#[must_use]
pub fn explain(question: &Question<'_>) -> Explanation {
    let mut trace = Trace::default();
    let shape = question.shape();
    let found_by = FoundBy::new(question);
    let mut evaluation = Evaluation::new(question, &found_by, &mut trace);
    let combined = combine(&mut evaluation, shape, true);
    let decision = decision(combined);
    evaluation.ask_the_rest(shape);
    let by = evaluation.attribute(decision, shape);
    for reading in Reading::ALL {
        if decides(question, *reading, decision) {
            trace.event(Event::Reading(*reading));
        }
    }
    Explanation { decision, by, trace }
}

/// Whether the answer would be another under another choice for the reading.
fn decides(question: &Question<'_>, reading: Reading, decision: Decision) -> bool {
    let chosen = question.readings.choice(reading);
    (0..reading.values().len()).filter(|choice| *choice != chosen).any(|choice| {
        let readings = question.readings.with(reading, choice);
        decide(&Question { readings: &readings, ..*question }) != decision
    })
}

/// Whether a single condition holds, as part of a policy of this kind and a statement of this
/// effect. For tools that test conditions by themselves; decisions ask [`decide`].
pub fn condition_holds<'q>(
    condition: &'q CompiledCondition,
    context: RequestContext<'q>,
    kind: PolicyKind,
    effect: Effect,
    readings: &'q Readings,
) -> Truth {
    let sees_tags = kind != PolicyKind::Key;
    let scope = condition::Scope { context, sees_tags, effect, readings };
    condition::holds(condition, &scope)
}

/// The four answers from two truths.
fn decision(combined: Combined<Truth>) -> Decision {
    match (combined.denied, combined.allowed) {
        (Truth::True, _) => Decision::ExplicitDeny,
        (_, Truth::False) => Decision::ImplicitDeny,
        (Truth::False, Truth::True) => Decision::Allow,
        _ => Decision::Undetermined,
    }
}
