//! What each layer says, from the policies attached to it.

use std::cell::OnceCell;
use std::sync::Arc;

use super::combine::{GrantKind, Leaves, Shape, layers};
use super::condition::{self, Scope};
use super::trace::{Elements, Event, GrantOutcome, Sink};
use super::{Attached, CallerKind, GrantSubject, Layer, Question, Relation, grant};
use crate::compile::{
    CallerKeys, CompiledStatement, Numbers, Policy, PolicySlot, PrincipalClass, PrincipalClasses,
    SessionPolicies,
};
use crate::model::{
    Action, CallerPrincipal, Decision, Effect, Grant, Kleene, PolicyKind, Reading, Truth,
    fingerprint,
};

const LAYERS: usize = Layer::Grant as usize + 1;

/// What statements and grants are found by, worked out when the first large policy asks for it.
pub(super) struct FoundBy<'q> {
    question: &'q Question<'q>,
    caller: OnceCell<CallerKeys<'q>>,
    resource: OnceCell<u64>,
}

impl<'q> FoundBy<'q> {
    pub(super) fn new(question: &'q Question<'q>) -> Self {
        Self { question, caller: OnceCell::new(), resource: OnceCell::new() }
    }

    fn keys(&self) -> CallerKeys<'q> {
        *self.caller.get_or_init(|| CallerKeys::new(self.question.principal))
    }
}

impl Numbers for FoundBy<'_> {
    fn caller(&self) -> CallerKeys<'_> {
        self.keys()
    }

    fn resource(&self) -> u64 {
        *self.resource.get_or_init(|| fingerprint(self.question.resource))
    }
}

/// What a layer's Allows came to, kept so that each is asked once.
pub(super) struct Evaluation<'q, S: Sink> {
    question: &'q Question<'q>,
    found_by: &'q FoundBy<'q>,
    sink: &'q mut S,
    algebra: Kleene,
    allows: [Option<Truth>; LAYERS],
    denies: [Option<Truth>; LAYERS],
    classes: Option<PrincipalClasses>,
    grants: Option<[Truth; 3]>,
}

impl<'q, S: Sink> Evaluation<'q, S> {
    pub(super) fn new(
        question: &'q Question<'q>,
        found_by: &'q FoundBy<'q>,
        sink: &'q mut S,
    ) -> Self {
        Self {
            question,
            found_by,
            sink,
            algebra: Kleene,
            allows: [None; LAYERS],
            denies: [None; LAYERS],
            classes: None,
            grants: None,
        }
    }

    /// Asks what the answer did not need, so that a trace is complete.
    pub(super) fn ask_the_rest(&mut self, shape: Shape) {
        for layer in layers(shape.relation) {
            if *layer != Layer::Key {
                self.allows(*layer);
            }
        }
        match shape.relation {
            Relation::NoResource => {}
            Relation::Retire => {
                self.grant_truths();
            }
            Relation::CrossAccount | Relation::SameAccount => {
                self.key_policy_classes();
                self.grant_truths();
            }
        }
    }

    /// The layers behind an answer that is not a plain yes, in the order AWS names them.
    pub(super) fn attribute(&mut self, decision: Decision, shape: Shape) -> Vec<Layer> {
        match decision {
            Decision::Allow => self.allowing(shape),
            Decision::ExplicitDeny => {
                let all = layers(shape.relation).iter().copied();
                all.filter(|layer| self.denies(*layer).is_true()).collect()
            }
            Decision::ImplicitDeny | Decision::Undetermined => self.lacking(decision, shape),
        }
    }

    /// Who gave the permission: the key policy by itself, the account's IAM, or a grant.
    fn allowing(&mut self, shape: Shape) -> Vec<Layer> {
        match shape.relation {
            Relation::NoResource => return vec![Layer::Identity],
            Relation::Retire => return vec![Layer::Grant],
            Relation::CrossAccount | Relation::SameAccount => {}
        }
        let named = self.names(PrincipalClass::ALL);
        let direct = shape.relation == Relation::SameAccount
            && !self
                .names(&[
                    PrincipalClass::User,
                    PrincipalClass::Session,
                    PrincipalClass::Everyone,
                    PrincipalClass::Role,
                    PrincipalClass::UserOfFederatedSession,
                ])
                .is_false();
        let identity = matches!(shape.caller, CallerKind::Service | CallerKind::Root)
            || self.allows(Layer::Identity).is_true();
        match (named.is_true(), direct, identity) {
            (true, true, _) => vec![Layer::Key],
            (true, false, true) if shape.caller == CallerKind::Identity => {
                vec![Layer::Key, Layer::Identity]
            }
            (true, false, true) => vec![Layer::Key],
            _ => vec![Layer::Grant],
        }
    }

    /// E7, E8: which layers lack an allow.
    fn lacking(&mut self, decision: Decision, shape: Shape) -> Vec<Layer> {
        let cross = shape.relation == Relation::CrossAccount;
        if shape.is_refused() {
            return vec![Layer::Service];
        }
        let mut lacking: Vec<Layer> = Vec::new();
        for layer in [Layer::ServiceControl, Layer::Endpoint] {
            if !self.allows(layer).is_true() {
                lacking.push(layer);
            }
        }
        // A role that is named, or a grantee, needs no identity policy in its own account: what it
        // lacks are the layers that cap it.
        let mut needs_identity = true;
        if shape.relation == Relation::Retire {
            lacking.push(Layer::Grant);
            needs_identity = self.grants(GrantKind::ToAccount).is_true();
        } else if shape.relation != Relation::NoResource {
            let named = self.names(PrincipalClass::ALL);
            let given =
                self.grants(GrantKind::ByCallerAccount).or(self.grants(GrantKind::ByOthers));
            if !named.or(given).or(self.grants(GrantKind::ToAccount)).is_true() {
                lacking.push(Layer::Key);
            }
            let capped = [PrincipalClass::Role, PrincipalClass::UserOfFederatedSession];
            needs_identity = cross || !self.names(&capped).or(given).is_true();
        }
        if shape.caller == CallerKind::Identity {
            for layer in [Layer::Identity, Layer::Boundary, Layer::Session] {
                if (layer != Layer::Identity || needs_identity) && !self.allows(layer).is_true() {
                    lacking.push(layer);
                }
            }
        } else if match shape.caller {
            CallerKind::Root => cross,
            // E16: what has no key needs an identity policy, and services have none.
            CallerKind::Service => shape.relation == Relation::NoResource,
            CallerKind::Anonymous | CallerKind::Identity => false,
        } {
            lacking.push(Layer::Identity);
        }
        if decision == Decision::Undetermined {
            let denying = layers(shape.relation).iter().copied();
            let open: Vec<Layer> =
                denying.filter(|layer| self.denies(*layer) == Truth::Unknown).collect();
            lacking.extend(open);
            lacking.sort_unstable();
            lacking.dedup();
        }
        lacking
    }

    fn attached(&self, layer: Layer) -> (Attached<'q>, PolicyKind) {
        let policies = &self.question.policies;
        match layer {
            Layer::Key => (policies.key, PolicyKind::Key),
            Layer::Identity => (policies.identity, PolicyKind::Identity),
            Layer::Boundary => (policies.boundary, PolicyKind::Boundary),
            Layer::Session => (policies.session, PolicyKind::Session),
            Layer::ServiceControl => (policies.service_control, PolicyKind::ServiceControl),
            Layer::ResourceControl => (policies.resource_control, PolicyKind::ResourceControl),
            Layer::Endpoint => (policies.endpoint, PolicyKind::Endpoint),
            Layer::Service | Layer::Grant => (Attached::NotApplicable, PolicyKind::Identity),
        }
    }

    /// Whether a statement with this effect applies, in any policy of the layer (Deny) or in a
    /// policy of every level (Allow).
    fn ask(&mut self, layer: Layer, effect: Effect) -> Truth {
        let (attached, kind) = self.attached(layer);
        match attached {
            Attached::NotApplicable => (effect == Effect::Allow).into(),
            Attached::Unknown(reason) => {
                self.sink.event(Event::Unknown { layer, what: kind.as_str(), reason });
                Truth::Unknown
            }
            Attached::Union(slots) => self.any_slot(layer, slots, effect, &mut None),
            // An account in an organization has at least the root's level: without any, nothing is
            // allowed.
            Attached::Levels([]) => Truth::False,
            Attached::Levels(levels) => {
                let mut truth = Truth::from(effect == Effect::Allow);
                for level in levels {
                    let one = self.any_slot(layer, level, effect, &mut None);
                    truth = match effect {
                        Effect::Allow => truth.and(one),
                        Effect::Deny => truth.or(one),
                    };
                    let settled = truth == Truth::from(effect == Effect::Deny);
                    if settled && !S::EXHAUSTIVE {
                        break;
                    }
                }
                truth
            }
        }
    }

    fn any_slot(
        &mut self,
        layer: Layer,
        slots: &'q [PolicySlot],
        effect: Effect,
        classes: &mut Option<PrincipalClasses>,
    ) -> Truth {
        let mut any = Truth::False;
        for slot in slots {
            match slot {
                PolicySlot::Unreadable { name, reason } => {
                    self.sink.event(Event::Unknown { layer, what: name, reason });
                    any = any.or(Truth::Unknown);
                    if let Some(classes) = classes {
                        classes.add_all(&PrincipalClasses::ALL, Truth::Unknown);
                    }
                }
                PolicySlot::Compiled(policy) => {
                    let action = self.question.context.action;
                    let found_by = self.found_by;
                    let mut visit = |statement| {
                        any = any.or(self.statement(layer, policy, statement, classes));
                        // A Deny that applies settles the question; Allows of key policies are
                        // asked until they name the caller in a class that nothing limits.
                        !S::EXHAUSTIVE
                            && match classes {
                                None => any.is_true(),
                                Some(classes) => classes.is_free(),
                            }
                    };
                    if S::EXHAUSTIVE {
                        let named = policy.statements().iter().filter(|statement| {
                            statement.effect == effect && statement.actions.contains(action)
                        });
                        named.for_each(|statement| {
                            visit(statement);
                        });
                    } else {
                        policy.visit(effect, action, found_by, visit);
                    }
                    if !S::EXHAUSTIVE && any.is_true() && classes.is_none() {
                        return any;
                    }
                }
            }
        }
        any
    }

    /// Whether a statement that names the action applies.
    fn statement(
        &mut self,
        layer: Layer,
        policy: &'q Arc<Policy>,
        statement: &'q CompiledStatement,
        classes: &mut Option<PrincipalClasses>,
    ) -> Truth {
        let question = self.question;
        let scope = Scope {
            context: question.context,
            sees_tags: policy.kind != PolicyKind::Key,
            effect: statement.effect,
            readings: question.readings,
        };
        let mut applies = Truth::from(statement.inert.is_none());
        let principal = statement.principal.as_ref().map(|matcher| {
            matcher.classes(
                question.principal,
                statement.effect,
                self.has_boundary(),
                question.readings,
            )
        });
        if let Some(named) = &principal {
            applies = applies.and(named.any());
            // Whoever is named so already gains nothing from another statement.
            if !S::EXHAUSTIVE && classes.is_some_and(|all| all.includes(named)) {
                return Truth::False;
            }
        }
        let mut resource = Truth::False;
        if !applies.is_false() || S::EXHAUSTIVE {
            let matcher = &statement.resource;
            resource = scope.with_tags(matcher.has_variables(), |scope| {
                scope.speaks_of(matcher, question.resource)
            });
            applies = applies.and(resource);
        }
        let mut conditions = Truth::True;
        if S::EXHAUSTIVE {
            let shows_tags = scope.sees_tags || scope.choice(Reading::KeyPolicyTags) != 1;
            for (index, condition) in statement.conditions.iter().enumerate() {
                let holds = condition::holds(condition, &scope);
                let found = question.context.find(&condition.key, shows_tags);
                self.sink.event(Event::Condition { condition, index, holds, found: &found });
                conditions = conditions.and(holds);
            }
        } else {
            for condition in statement.conditions_by_cost() {
                if applies.and(conditions).is_false() {
                    break;
                }
                conditions = conditions.and(condition::holds(condition, &scope));
            }
        }
        applies = applies.and(conditions);
        if let (Some(all), Some(named)) = (classes, &principal) {
            all.add_all(named, applies);
        }
        let elements = Elements { principal, resource, conditions, applies };
        self.sink.event(Event::Statement { layer, policy, statement, elements });
        applies
    }

    fn has_boundary(&self) -> Truth {
        match self.question.policies.boundary {
            Attached::NotApplicable => Truth::False,
            Attached::Unknown(_) => Truth::Unknown,
            Attached::Union(_) | Attached::Levels(_) => Truth::True,
        }
    }

    fn key_policy_classes(&mut self) -> PrincipalClasses {
        if let Some(classes) = self.classes {
            return classes;
        }
        let mut classes = Some(PrincipalClasses::default());
        match self.question.policies.key {
            Attached::Union(slots) => {
                self.any_slot(Layer::Key, slots, Effect::Allow, &mut classes);
            }
            Attached::Unknown(reason) => {
                self.sink.event(Event::Unknown { layer: Layer::Key, what: "key policy", reason });
                if let Some(classes) = &mut classes {
                    classes.add_all(&PrincipalClasses::ALL, Truth::Unknown);
                }
            }
            Attached::NotApplicable | Attached::Levels(_) => {}
        }
        let classes = classes.unwrap_or_default();
        self.classes = Some(classes);
        classes
    }

    fn grant_truths(&mut self) -> [Truth; 3] {
        if let Some(truths) = self.grants {
            return truths;
        }
        let [mut by_caller_account, mut by_others, mut to_account] = [Truth::False; 3];
        if self.question.context.action == Action::RetireGrant {
            let truths = self.retire_truths();
            self.grants = Some(truths);
            return truths;
        }
        match self.question.policies.grants {
            Err(reason) => {
                let (layer, what) = (Layer::Grant, "grants");
                self.sink.event(Event::Unknown { layer, what, reason });
                [by_caller_account, by_others, to_account] = [Truth::Unknown; 3];
            }
            Ok(grants) => {
                let question = self.question;
                let found_by = self.found_by;
                let own = question.principal.account();
                let mut visit = |one: &'q Grant| {
                    // Without another word, the key's own account issued the grant.
                    let issuer = one.issuing_account.unwrap_or(one.key.account());
                    let slot = if grant::names_account(one) {
                        &mut to_account
                    } else if own == Some(issuer) {
                        &mut by_caller_account
                    } else {
                        &mut by_others
                    };
                    if slot.is_true() && !S::EXHAUSTIVE {
                        return false;
                    }
                    let outcome = grant::outcome(one, question);
                    *slot = slot.or(match outcome {
                        GrantOutcome::Applies => Truth::True,
                        GrantOutcome::Unknown => Truth::Unknown,
                        _ => Truth::False,
                    });
                    self.sink.event(Event::Grant { grant: one, outcome });
                    // What the caller's own account gives is asked first, and is enough.
                    by_caller_account.is_true() && !S::EXHAUSTIVE
                };
                if S::EXHAUSTIVE {
                    grants.all().iter().for_each(|one| {
                        visit(one);
                    });
                } else {
                    let request = &question.context;
                    // Only where constraints bind do they narrow the grants.
                    let binds =
                        grant::constrains(request.action) && request.action != Action::CreateGrant;
                    let context = grant::told(request).filter(|_| binds);
                    grants.visit(|| found_by.keys(), context, visit);
                }
            }
        }
        let truths = [by_caller_account, by_others, to_account];
        self.grants = Some(truths);
        truths
    }
}

impl<S: Sink> Evaluation<'_, S> {
    /// G9: who may retire the grant that is asked about, by the grant itself and by delegation.
    fn retire_truths(&mut self) -> [Truth; 3] {
        let GrantSubject::Retired(grant) = self.question.context.grant else {
            let (what, reason) = ("the grant to retire", "it is not told which grant it is");
            self.sink.event(Event::Unknown { layer: Layer::Grant, what, reason });
            return [Truth::Unknown; 3];
        };
        let [itself, delegated] = grant::may_retire(grant, self.question);
        let outcome = match itself.or(delegated) {
            Truth::True => GrantOutcome::Applies,
            Truth::Unknown => GrantOutcome::Unknown,
            Truth::False => GrantOutcome::Grantee,
        };
        self.sink.event(Event::Grant { grant, outcome });
        [itself, Truth::False, delegated]
    }
}

impl<S: Sink> Leaves for Evaluation<'_, S> {
    type A = Kleene;

    fn denies(&mut self, layer: Layer) -> Truth {
        if let Some(Some(truth)) = self.denies.get(layer as usize) {
            return *truth;
        }
        let truth = self.ask(layer, Effect::Deny);
        if let Some(slot) = self.denies.get_mut(layer as usize) {
            *slot = Some(truth);
        }
        truth
    }

    fn allows(&mut self, layer: Layer) -> Truth {
        if let Some(Some(truth)) = self.allows.get(layer as usize) {
            return *truth;
        }
        let truth = match (layer, self.question.principal, self.attached(layer).0) {
            // A GetFederationToken session without session policy may do nothing that its user's
            // identity policies allow (iam user guide, "Evaluation logic").
            (Layer::Session, CallerPrincipal::FederatedUser { .. }, Attached::NotApplicable) => {
                Truth::False
            }
            _ => self.ask(layer, Effect::Allow),
        };
        if let Some(slot) = self.allows.get_mut(layer as usize) {
            *slot = Some(truth);
        }
        truth
    }

    fn names(&mut self, classes: &[PrincipalClass]) -> Truth {
        let all = self.key_policy_classes();
        classes.iter().fold(Truth::False, |any, class| any.or(all.in_class(*class)))
    }

    fn grants(&mut self, kind: GrantKind) -> Truth {
        let [by_caller_account, by_others, to_account] = self.grant_truths();
        match kind {
            GrantKind::ByCallerAccount => by_caller_account,
            GrantKind::ByOthers => by_others,
            GrantKind::ToAccount => to_account,
        }
    }

    fn algebra(&mut self) -> &mut Kleene {
        &mut self.algebra
    }
}

impl<'a> Attached<'a> {
    /// The session policies of a caller.
    #[must_use]
    pub fn session(policies: &'a SessionPolicies) -> Self {
        match policies {
            SessionPolicies::None => Self::NotApplicable,
            SessionPolicies::Some(slots) => Self::Union(slots),
        }
    }
}
