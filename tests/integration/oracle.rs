//! The second opinion: the clauses of `docs/semantics.md`, read off one after the other, naive and
//! slow. It shares the parsed documents of `model` with the engine and nothing else: wildcards are
//! regular expressions, numbers are fractions, instants come from another parser. It notes the
//! clauses an answer comes by ([`reached`]).

mod condition;
mod grant;
mod principal;
pub mod reached;
mod values;

use keyproof::model::{
    Action, CallerPrincipal, Effect, Element, EncryptionContext, Grant, GrantPrincipal, GrantToken,
    PolicyDocument, PrincipalArn, PrincipalArnKind, PrincipalElement, Reading, Readings, Statement,
    Version,
};

use reached::reach;
use values::glob;

/// Two ways to read a part of a statement: either makes a Deny's hold, an Allow's needs both.
fn in_doubt(effect: Effect, one: Truth, other: Truth) -> Truth {
    if effect == Effect::Deny { or(one, other) } else { and(one, other) }
}

/// True, false, or unknown.
type Truth = Option<bool>;

fn and(a: Truth, b: Truth) -> Truth {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn or(a: Truth, b: Truth) -> Truth {
    and(a.map(|a| !a), b.map(|b| !b)).map(|neither| !neither)
}

fn any(all: impl IntoIterator<Item = Truth>) -> Truth {
    all.into_iter().fold(Some(false), or)
}

fn all(all: impl IntoIterator<Item = Truth>) -> Truth {
    all.into_iter().fold(Some(true), and)
}

/// What a request says of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    Absent,
    One(String),
    Many(Vec<String>),
    Unknown,
}

/// A policy that can be read, or one that cannot.
pub type Document = Option<PolicyDocument>;

/// A whole question.
#[derive(Clone, Debug)]
pub struct World {
    pub principal: CallerPrincipal,
    pub action: Action,
    pub resource: String,
    pub owner: Option<String>,
    /// The caller's account is disabled in the Region.
    pub disabled: bool,
    /// By lower-case name.
    pub context: Vec<(String, Said)>,
    pub complete: bool,
    pub encryption_context: EncryptionContext,
    pub tokens: Vec<GrantToken>,
    pub key: Vec<Document>,
    pub identity: Vec<Document>,
    pub boundary: Option<Document>,
    pub session: Option<Vec<Document>>,
    pub scps: Option<Vec<Vec<Document>>>,
    pub rcps: Option<Vec<Vec<Document>>>,
    pub endpoint: Option<Document>,
    pub grants: Vec<Grant>,
    pub subject: Option<Subject>,
    /// The policy that is asked is a key policy, and whether it sees tags and aliases (X7).
    pub key_policy: Option<bool>,
    pub readings: Readings,
}

/// The grant a question is about.
#[derive(Clone, Debug)]
pub enum Subject {
    Created(Grant),
    Retired(Grant),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Allow,
    ExplicitDeny,
    ImplicitDeny,
    Undetermined,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    Account,
    Everyone,
    Role,
    Service,
    Session,
    User,
    UserOfFederated,
}

impl World {
    pub fn decide(&self) -> Answer {
        let denied = self.denied();
        let allowed = self.allowed();
        match (denied, allowed) {
            (Some(true), _) => Answer::ExplicitDeny,
            (_, Some(false)) => Answer::ImplicitDeny,
            (Some(false), Some(true)) => Answer::Allow,
            _ => Answer::Undetermined,
        }
    }

    fn reading(&self, reading: Reading) -> &'static str {
        self.readings.value(reading)
    }

    /// A reading with the values safe, true and false.
    fn open(&self, reading: Reading, effect: Effect) -> Truth {
        Some(match self.reading(reading) {
            "safe" => effect == Effect::Deny,
            value => value == "true",
        })
    }

    // E1
    fn denied(&self) -> Truth {
        reach("E1");
        // E15: no policy of the key or its account reaches RetireGrant.
        let on_key = self.owner.is_some() && self.action != Action::RetireGrant;
        if on_key && self.rcps.is_some() {
            reach("E2");
        }
        let deny = |documents: &[Document]| {
            any(documents.iter().map(|document| self.applies(document, Effect::Deny, None, false)))
        };
        let levels = |levels: &Option<Vec<Vec<Document>>>| {
            any(levels.iter().flatten().map(|level| deny(level)))
        };
        let mut denied = any([
            levels(&self.scps),
            any(self
                .endpoint
                .iter()
                .map(|document| self.applies(document, Effect::Deny, None, false))),
            any(self
                .identity
                .iter()
                .map(|document| self.applies(document, Effect::Deny, None, true))),
            any(self
                .boundary
                .iter()
                .map(|document| self.applies(document, Effect::Deny, None, true))),
            any(self.session.iter().map(|documents| deny(documents))),
        ]);
        if on_key {
            let asked = self.of_key_policy(true);
            let by_key = any(self
                .key
                .iter()
                .map(|document| asked.applies(document, Effect::Deny, None, false)));
            denied = any([denied, levels(&self.rcps), by_key]);
        }
        denied
    }

    fn allowed(&self) -> Truth {
        let own = self.principal.account().map(|account| account.to_string());
        let cross = matches!((&own, &self.owner), (Some(own), Some(owner)) if own != owner);
        let retires = self.action == Action::RetireGrant;
        // E0
        let abroad = |own: &PrincipalArn| {
            let partition = self.resource.split(':').nth(1);
            partition.is_some_and(|partition| partition != own.partition())
        };
        if matches!(self.principal, CallerPrincipal::Anonymous)
            || self.principal.arn().is_some_and(abroad)
            || (cross && !retires && !self.action.works_across_accounts())
        {
            reach("E0");
            return Some(false);
        }
        if cross {
            reach("E0");
        }
        reach("E14");
        if self.disabled {
            return Some(false);
        }
        if self.scps.is_some() {
            reach("E3");
        }
        if self.endpoint.is_some() {
            reach("E4");
        }
        let allow = |documents: &[Document]| {
            any(documents.iter().map(|document| self.applies(document, Effect::Allow, None, false)))
        };
        // E3, E4
        let scp = all(self.scps.iter().flatten().map(|level| allow(level)));
        let endpoint = all(self
            .endpoint
            .iter()
            .map(|document| self.applies(document, Effect::Allow, None, false)));
        let boundary = all(self
            .boundary
            .iter()
            .map(|document| self.applies(document, Effect::Allow, None, true)));
        // E10
        let session = match (&self.session, &self.principal) {
            (Some(documents), _) => allow(documents),
            (None, CallerPrincipal::FederatedUser { .. }) => {
                reach("E10");
                Some(false)
            }
            (None, _) => Some(true),
        };
        let identity = match self.principal {
            CallerPrincipal::Root(_) if cross && !retires => {
                Some(self.reading(Reading::CrossAccountRoot) == "allow")
            }
            CallerPrincipal::Root(_) => Some(true),
            CallerPrincipal::Service { .. } | CallerPrincipal::Anonymous => Some(false),
            _ => any(self
                .identity
                .iter()
                .map(|document| self.applies(document, Effect::Allow, None, true))),
        };
        let caps = and(boundary, session);
        let caller_side = and(identity, caps);
        if self.owner.is_none() {
            reach("E16");
            return all([caller_side, scp, endpoint]);
        }
        let service = matches!(self.principal, CallerPrincipal::Service { .. });
        let asked = self.of_key_policy(true);
        let named = |classes: &[Class]| {
            any(self
                .key
                .iter()
                .map(|document| asked.applies(document, Effect::Allow, Some(classes), false)))
        };
        let everything = [
            Class::Account,
            Class::Everyone,
            Class::Role,
            Class::Service,
            Class::Session,
            Class::User,
            Class::UserOfFederated,
        ];
        if self.key.len() > 1 {
            reach("E12");
        }
        let by_policies = if retires {
            reach("E15");
            Some(false)
        } else if service {
            reach("E6");
            named(&[Class::Service, Class::Everyone])
        } else if cross {
            reach("E5");
            reach("E8");
            and(named(&everything), caller_side)
        } else {
            reach("E5");
            reach("E7");
            any([
                named(&[Class::User, Class::Session, Class::Everyone]),
                and(named(&[Class::Role, Class::UserOfFederated]), caps),
                and(named(&[Class::Account]), caller_side),
            ])
        };
        if let (Some(Subject::Retired(grant)), true) = (&self.subject, retires) {
            let [itself, delegated] = self.retires(grant);
            let gives = or(itself, and(delegated, identity));
            return and(endpoint, self.capped(gives, boundary, session, scp));
        }
        // G1, G6, G7
        let by_grants = any(self.grants.iter().map(|grant| {
            let mut gives = self.grant(grant);
            let to_account = matches!(&grant.grantee, GrantPrincipal::Principal(arn) if arn.kind() == PrincipalArnKind::Root);
            let issuer = grant.issuing_account.unwrap_or(grant.key.account()).to_string();
            let by_home = own.as_ref() == Some(&issuer);
            let foreign = cross
                && !by_home
                && self.reading(Reading::CrossAccountGrantByOwner) == "require-identity-policy";
            if gives == Some(true) {
                reach("G6");
            }
            if to_account || foreign {
                gives = and(gives, identity);
            }
            self.capped(gives, boundary, session, scp)
        }));
        and(endpoint, or(and(by_policies, scp), by_grants))
    }

    /// G7: what caps a permission that only a grant gives.
    fn capped(&self, mut gives: Truth, boundary: Truth, session: Truth, scp: Truth) -> Truth {
        let service = matches!(self.principal, CallerPrincipal::Service { .. });
        if gives == Some(true) && all([boundary, session, scp]) != Some(true) {
            reach("G7");
        }
        if !service && self.reading(Reading::GrantUnderBoundary) == "capped" {
            gives = and(gives, boundary);
        }
        if !service && self.reading(Reading::GrantUnderSession) == "capped" {
            gives = and(gives, session);
        }
        if self.reading(Reading::GrantUnderScp) == "capped" {
            gives = and(gives, scp);
        }
        gives
    }

    /// Whether a statement with this effect applies, naming the caller in one of the classes.
    fn applies(
        &self,
        document: &Document,
        effect: Effect,
        classes: Option<&[Class]>,
        completes: bool,
    ) -> Truth {
        let Some(document) = document else {
            reach("E11");
            return None;
        };
        let variables = document.version.as_ref().is_some_and(|it| it.value == Version::V2012);
        any(document
            .statements
            .iter()
            .filter(|statement| statement.effect.value == effect)
            .map(|statement| self.statement(statement, variables, classes, completes)))
    }

    fn statement(
        &self,
        statement: &Statement,
        variables: bool,
        classes: Option<&[Class]>,
        completes: bool,
    ) -> Truth {
        let (Some(action), Some(resource)) = (&statement.action, &statement.resource) else {
            return Some(false);
        };
        // P11
        if action.entries().is_empty() || resource.entries().is_empty() {
            reach("R8");
            return Some(false);
        }
        let effect = statement.effect.value;
        let principal = match &statement.principal {
            None => Some(true),
            Some(element) if element.entries().is_empty() => {
                reach("N6");
                Some(false)
            }
            Some(PrincipalElement::Is(entries)) => {
                if entries.len() > 1 {
                    reach("N5");
                }
                any(entries.iter().map(|entry| {
                    match (self.names(&entry.value, effect == Effect::Deny), classes) {
                        (Some((class, truth)), wanted)
                            if wanted.is_none_or(|it| it.contains(&class)) =>
                        {
                            truth
                        }
                        _ => Some(false),
                    }
                }))
            }
            Some(PrincipalElement::IsNot(entries)) => {
                let reached = self.not_principal(entries.iter().map(|entry| &entry.value), effect);
                if classes.is_none_or(|it| it.contains(&Class::Everyone)) {
                    reached
                } else {
                    Some(false)
                }
            }
        };
        reach("A1");
        reach("A4");
        if matches!(action, Element::IsNot(_)) {
            reach("A3");
        }
        if action.entries().iter().any(|entry| entry.value.contains(['*', '?'])) {
            reach("A2");
        }
        if statement.principal.is_some() {
            reach("R9");
        }
        if statement.condition.len() > 1 {
            reach("C1");
        }
        let listed = action.entries().iter().any(|entry| {
            let entry = entry.value.to_lowercase();
            entry == "*" || glob(&entry).is_match(&self.action.as_str().to_lowercase())
        });
        let listed = Some(listed == matches!(action, Element::Is(_)));
        let resource =
            self.with_tags(effect, |world| world.resource(resource, variables, completes, effect));
        let conditions = statement.condition.iter().flat_map(|entry| {
            entry.conditions.iter().map(move |condition| (entry.operator.value, condition))
        });
        let conditions = all(conditions.map(|(operator, condition)| {
            self.with_tags(effect, |world| world.condition(operator, condition, effect, variables))
        }));
        all([principal, listed, resource, conditions])
    }

    fn of_key_policy(&self, sees_tags: bool) -> World {
        World { key_policy: Some(sees_tags), ..self.clone() }
    }

    /// X7
    fn with_tags(&self, effect: Effect, ask: impl Fn(&World) -> Truth) -> Truth {
        match (self.key_policy, self.reading(Reading::KeyPolicyTags)) {
            (None, _) | (_, "seen") => ask(self),
            (_, "absent") => ask(&self.of_key_policy(false)),
            _ => in_doubt(effect, ask(self), ask(&self.of_key_policy(false))),
        }
    }
}
