//! The second opinion: the clauses of `docs/semantics.md`, read off one after the other, naive and
//! slow. It shares the parsed documents of `model` with the engine and nothing else: wildcards are
//! regular expressions, numbers are fractions, instants come from another parser.

mod values;

use std::net::IpAddr;

use regex::Regex;

use keyproof::model::{
    Action, CallerPrincipal, Condition, Effect, Element, EncryptionContext,
    EncryptionContextConstraint, Grant, GrantPrincipal, GrantToken, GrantVisibility, Operator,
    PolicyDocument, Principal, PrincipalArn, PrincipalArnKind, PrincipalElement, Reading, Readings,
    SetQualifier, Statement, Version,
};

use values::{
    Variable, Wild, arn_parts, cidr, fraction, glob, instant, ordered, variable, wildcards,
};

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
#[derive(Debug)]
pub struct World {
    pub principal: CallerPrincipal,
    pub action: Action,
    pub resource: String,
    pub owner: Option<String>,
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
    pub readings: Readings,
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
        if self.owner.is_some() {
            denied = any([denied, levels(&self.rcps), deny(&self.key)]);
        }
        denied
    }

    fn allowed(&self) -> Truth {
        let own = self.principal.account().map(|account| account.to_string());
        let cross = matches!((&own, &self.owner), (Some(own), Some(owner)) if own != owner);
        // E0
        if matches!(self.principal, CallerPrincipal::Anonymous)
            || (cross && !self.action.works_across_accounts())
        {
            return Some(false);
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
            (None, CallerPrincipal::FederatedUser { .. }) => Some(false),
            (None, _) => Some(true),
        };
        let identity = match self.principal {
            CallerPrincipal::Root(_) if cross => {
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
            return all([caller_side, scp, endpoint]);
        }
        let service = matches!(self.principal, CallerPrincipal::Service { .. });
        let named = |classes: &[Class]| {
            any(self
                .key
                .iter()
                .map(|document| self.applies(document, Effect::Allow, Some(classes), false)))
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
        let by_policies = if service {
            // E6
            named(&[Class::Service, Class::Everyone])
        } else if cross {
            // E8
            and(named(&everything), caller_side)
        } else {
            // E7
            any([
                named(&[Class::User, Class::Session, Class::Everyone]),
                and(named(&[Class::Role, Class::UserOfFederated]), caps),
                and(named(&[Class::Account]), caller_side),
            ])
        };
        // G1, G6, G7
        let by_grants = any(self.grants.iter().map(|grant| {
            let mut gives = self.grant(grant);
            let to_account = matches!(&grant.grantee, GrantPrincipal::Principal(arn) if arn.kind() == PrincipalArnKind::Root);
            let issuer = grant.issuing_account.unwrap_or(grant.key.account()).to_string();
            let by_home = own.as_ref() == Some(&issuer);
            let foreign = cross
                && !by_home
                && self.reading(Reading::CrossAccountGrantByOwner) == "require-identity-policy";
            if to_account || foreign {
                gives = and(gives, identity);
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
        }));
        and(endpoint, or(and(by_policies, scp), by_grants))
    }

    /// Whether a statement with this effect applies, naming the caller in one of the classes.
    fn applies(
        &self,
        document: &Document,
        effect: Effect,
        classes: Option<&[Class]>,
        completes: bool,
    ) -> Truth {
        // E11
        let Some(document) = document else { return None };
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
        // R8, P11
        if action.entries().is_empty() || resource.entries().is_empty() {
            return Some(false);
        }
        let effect = statement.effect.value;
        let principal = match &statement.principal {
            None => Some(true),
            Some(PrincipalElement::Is(entries)) => {
                any(entries.iter().map(|entry| match (self.names(&entry.value), classes) {
                    (Some((class, truth)), wanted)
                        if wanted.is_none_or(|it| it.contains(&class)) =>
                    {
                        truth
                    }
                    _ => Some(false),
                }))
            }
            Some(element) if element.entries().is_empty() => Some(false),
            Some(PrincipalElement::IsNot(entries)) => {
                let reached = self.not_principal(entries.iter().map(|entry| &entry.value), effect);
                if classes.is_none_or(|it| it.contains(&Class::Everyone)) {
                    reached
                } else {
                    Some(false)
                }
            }
        };
        // A1 to A4
        let listed = action.entries().iter().any(|entry| {
            let entry = entry.value.to_lowercase();
            entry == "*" || glob(&entry).is_match(&self.action.as_str().to_lowercase())
        });
        let listed = Some(listed == matches!(action, Element::Is(_)));
        let resource = self.resource(resource, variables, completes);
        let conditions = statement.condition.iter().flat_map(|entry| {
            entry.conditions.iter().map(move |condition| (entry.operator.value, condition))
        });
        let conditions = all(conditions
            .map(|(operator, condition)| self.condition(operator, condition, effect, variables)));
        all([principal, listed, resource, conditions])
    }

    // N1
    fn names(&self, principal: &Principal) -> Option<(Class, Truth)> {
        let caller = &self.principal;
        let surely = |class| Some((class, Some(true)));
        let own = caller.arn();
        match principal {
            Principal::Everyone => surely(Class::Everyone),
            Principal::EveryAws => match caller {
                CallerPrincipal::Service { .. }
                    if self.reading(Reading::ServicePrincipalEveryAws) == "not-covered" =>
                {
                    None
                }
                _ => surely(Class::Everyone),
            },
            Principal::Account { account, partition } => {
                let own = own?;
                let here = own.account() == *account
                    && partition.as_ref().is_none_or(|partition| own.partition() == &**partition);
                if here { surely(Class::Account) } else { None }
            }
            Principal::Arn(arn) => self.names_arn(arn).and_then(surely),
            Principal::Unique(id) => {
                let (own, class, prefix) = match caller {
                    CallerPrincipal::User { id, .. } => (id, Class::User, "AIDA"),
                    CallerPrincipal::RoleSession { id, .. } => (id, Class::Role, "AROA"),
                    _ => return None,
                };
                if !id.as_str().starts_with(prefix) {
                    return None;
                }
                match own {
                    Some(own) if own == id => surely(class),
                    Some(_) => None,
                    None => Some((class, None)),
                }
            }
            Principal::Service(service) => match caller {
                CallerPrincipal::Service { names } if names.contains(service) => {
                    surely(Class::Service)
                }
                _ => None,
            },
            Principal::Federated(_) | Principal::CanonicalUser(_) => None,
        }
    }

    fn names_arn(&self, arn: &PrincipalArn) -> Option<Class> {
        match &self.principal {
            CallerPrincipal::User { arn: own, .. } if own == arn => Some(Class::User),
            CallerPrincipal::RoleSession { role, .. } if role == arn => Some(Class::Role),
            CallerPrincipal::RoleSession { session, .. } if session == arn => Some(Class::Session),
            CallerPrincipal::FederatedUser { arn: own, .. } if own == arn => Some(Class::Session),
            CallerPrincipal::FederatedUser { user, .. } if user == arn => {
                Some(Class::UserOfFederated)
            }
            caller if arn.kind() == PrincipalArnKind::Root => {
                let own = caller.arn()?;
                (own.account() == arn.account() && own.partition() == arn.partition())
                    .then_some(Class::Account)
            }
            _ => None,
        }
    }

    // N7, N8, N9
    fn not_principal<'a>(
        &self,
        listed: impl Iterator<Item = &'a Principal>,
        effect: Effect,
    ) -> Truth {
        let found: Vec<(Class, Truth)> =
            listed.filter_map(|principal| self.names(principal)).collect();
        let bounded = Some(effect == Effect::Deny && self.boundary.is_some());
        if found.iter().any(|(class, _)| *class == Class::Everyone) {
            return bounded;
        }
        if effect == Effect::Allow {
            return any(found.iter().map(|(_, truth)| *truth)).map(|listed| !listed);
        }
        let account = any(found
            .iter()
            .filter(|(class, _)| *class == Class::Account)
            .map(|(_, truth)| *truth));
        let of = |wanted: fn(Class) -> bool| {
            any(found.iter().filter(|(class, _)| wanted(*class)).map(|(_, truth)| *truth))
        };
        let session = of(|class| class == Class::Session);
        let entity = of(|class| !matches!(class, Class::Account | Class::Session));
        let both = matches!(self.principal, CallerPrincipal::RoleSession { .. })
            && self.reading(Reading::NotPrincipalSession) == "deny";
        let itself = if both { and(entity, session) } else { or(entity, session) };
        let needs_account = self.principal.account().is_some()
            && self.reading(Reading::NotPrincipalAccount) == "deny";
        let spared = match self.principal {
            CallerPrincipal::Root(_) => account,
            _ if needs_account => and(itself, account),
            _ => itself,
        };
        or(spared.map(|spared| !spared), bounded)
    }

    fn resource(&self, element: &Element, variables: bool, completes: bool) -> Truth {
        let matched = any(element.entries().iter().map(|entry| {
            let text = entry.value.as_str();
            if text == "*" {
                return Some(true);
            }
            // R2
            let missing = 6_usize.saturating_sub(text.split(':').count());
            let text = &if completes {
                format!("{text}{}", ":*".repeat(missing))
            } else {
                text.to_owned()
            };
            let early = text.find("${").is_some_and(|at| text[..at].matches(':').count() < 5);
            self.matches_pattern(text, &self.resource, variables && !early, true, Wild::Segments)
        }));
        match element {
            Element::Is(_) => matched,
            Element::IsNot(_) => matched.map(|matched| !matched),
        }
    }

    fn said(&self, key: &str) -> Said {
        let key = key.to_lowercase();
        match self.context.iter().find(|(name, _)| *name == key) {
            Some((_, said)) => said.clone(),
            None if self.complete => Said::Absent,
            None => Said::Unknown,
        }
    }

    /// Expands the variables of a pattern and matches a text; `None` when it hangs on an unknown.
    fn matches_pattern(
        &self,
        pattern: &str,
        text: &str,
        variables: bool,
        case: bool,
        wild: Wild,
    ) -> Truth {
        let mut regex = String::from(if case { "(?s)^" } else { "(?si)^" });
        let mut unknown = false;
        let mut rest = pattern;
        while let Some(next) = rest.chars().next() {
            if variables && let Some((variable, after)) = variable(rest) {
                match variable {
                    Variable::Character(character) => {
                        regex.push_str(&regex::escape(&character.to_string()))
                    }
                    Variable::Key(key, default) => match self.said(&key) {
                        Said::One(value) => {
                            if self.reading(Reading::VariableWildcards) == "wildcard" {
                                regex.push_str(&wildcards(&value, Wild::Plain));
                            } else {
                                regex.push_str(&regex::escape(&value));
                            }
                        }
                        Said::Absent if default.is_some() => {
                            regex.push_str(&regex::escape(&default.unwrap()))
                        }
                        Said::Absent | Said::Many(_) => return Some(false),
                        Said::Unknown => {
                            unknown = true;
                            regex.push_str(".*");
                        }
                    },
                }
                rest = after;
                continue;
            }
            let after = &rest[next.len_utf8()..];
            let ends = after.is_empty() || after.starts_with(':');
            match (next, wild) {
                ('*', Wild::Plain) => regex.push_str(".*"),
                ('?', Wild::Plain) => regex.push('.'),
                ('*', Wild::Segments) => regex.push_str(if ends { ".*" } else { "[^:]*" }),
                ('?', Wild::Segments) => regex.push_str("[^:]"),
                _ => regex.push_str(&regex::escape(&next.to_string())),
            }
            rest = after;
        }
        let found = Regex::new(&(regex + "$")).unwrap().is_match(text);
        if found && unknown { None } else { Some(found) }
    }

    fn condition(
        &self,
        operator: keyproof::model::ConditionOperator,
        condition: &Condition,
        effect: Effect,
        variables: bool,
    ) -> Truth {
        let said = self.said(condition.key.value.as_str());
        let values: Vec<&str> = condition.values.iter().map(|value| value.value.as_str()).collect();
        if operator.operator == Operator::Null {
            return self.null(&values, operator.qualifier, &said, effect);
        }
        let negated = operator.operator.is_negated();
        let one = |value: &str| self.compare(operator.operator, value, &values, effect, variables);
        let many = match said {
            Said::Unknown => return None,
            Said::Absent => {
                return match operator.qualifier {
                    Some(SetQualifier::ForAllValues) => Some(true),
                    Some(SetQualifier::ForAnyValue) if operator.if_exists => {
                        self.open(Reading::ForAnyValueIfExists, effect)
                    }
                    Some(SetQualifier::ForAnyValue) => Some(false),
                    None => Some(negated || operator.if_exists),
                };
            }
            Said::One(value) => vec![value],
            Said::Many(values) => values,
        };
        if values.is_empty() {
            match operator.qualifier {
                Some(SetQualifier::ForAllValues) => return Some(many.is_empty()),
                Some(SetQualifier::ForAnyValue) => return Some(false),
                None => {}
            }
        }
        match operator.qualifier {
            Some(SetQualifier::ForAllValues) if many == [""] => Some(true),
            Some(SetQualifier::ForAllValues) => all(many.iter().map(|value| one(value))),
            Some(SetQualifier::ForAnyValue) => any(many.iter().map(|value| one(value))),
            None => match many.as_slice() {
                [] => Some(negated || operator.if_exists),
                [value] => one(value),
                _ if negated => self.open(Reading::MultivaluedNegated, effect),
                _ => Some(false),
            },
        }
    }

    fn null(
        &self,
        values: &[&str],
        qualifier: Option<SetQualifier>,
        said: &Said,
        effect: Effect,
    ) -> Truth {
        match qualifier {
            Some(SetQualifier::ForAllValues) => return Some(true),
            Some(SetQualifier::ForAnyValue) => return Some(false),
            None => {}
        }
        let reading = match said {
            Said::One(value) if value.is_empty() => Some(Reading::EmptyStringPresence),
            Said::Many(values) if values.is_empty() => Some(Reading::EmptySetPresence),
            _ => None,
        };
        if let Some(reading) = reading
            && self.reading(reading) == "safe"
        {
            return self.open(reading, effect);
        }
        let missing = match (said, reading) {
            (Said::Unknown, _) => None,
            (Said::Absent, _) => Some(true),
            (_, Some(reading)) => Some(self.reading(reading) == "true"),
            _ => Some(false),
        };
        any(values.iter().map(|value| match (*value, value.to_lowercase().as_str()) {
            ("true", _) => missing,
            ("false", _) => missing.map(|missing| !missing),
            (_, "true" | "false") => match self.reading(Reading::BoolTextCase) {
                "safe" => self.open(Reading::BoolTextCase, effect),
                "true" if value.eq_ignore_ascii_case("true") => missing,
                "true" => missing.map(|missing| !missing),
                _ => Some(false),
            },
            _ => self.open(Reading::MalformedOperand, effect),
        }))
    }

    /// One value of the request against the values of the policy, negation included.
    fn compare(
        &self,
        operator: Operator,
        value: &str,
        wanted: &[&str],
        effect: Effect,
        variables: bool,
    ) -> Truth {
        let negated = operator.is_negated();
        let name = operator.as_str().replacen("Not", "", 1);
        // Some(Ok(truth)): settled; Some(Err(reading)): open; None: the request's value is no such.
        let mut outcomes: Vec<Result<Truth, Reading>> = Vec::new();
        let unparsable = match name.as_str() {
            "StringEquals" | "StringEqualsIgnoreCase" | "StringLike" => {
                let wild = if name == "StringLike" { Wild::Plain } else { Wild::None };
                let case = name != "StringEqualsIgnoreCase";
                for pattern in wanted {
                    outcomes.push(Ok(self.matches_pattern(pattern, value, variables, case, wild)));
                }
                false
            }
            "ArnEquals" | "ArnLike" => {
                for pattern in wanted {
                    outcomes.push(self.arn(pattern, value, variables));
                }
                let is_arn = value.starts_with("arn:") && value.matches(':').count() >= 5;
                let nothing = outcomes.iter().all(|outcome| *outcome == Ok(Some(false)));
                !is_arn && nothing
            }
            "Bool" => {
                let value = value.eq_ignore_ascii_case("true");
                for text in wanted {
                    outcomes.push(match *text {
                        "true" | "false" => Ok(Some((*text == "true") == value)),
                        _ if ["true", "false"].contains(&text.to_lowercase().as_str()) => {
                            match self.reading(Reading::BoolTextCase) {
                                "safe" => Err(Reading::BoolTextCase),
                                "true" => Ok(Some(text.eq_ignore_ascii_case("true") == value)),
                                _ => Ok(Some(false)),
                            }
                        }
                        _ => Err(Reading::MalformedOperand),
                    });
                }
                false
            }
            "BinaryEquals" => {
                for text in wanted {
                    outcomes.push(Ok(Some(text == &value)));
                }
                false
            }
            "IpAddress" => match value.parse::<IpAddr>() {
                Ok(address) => {
                    for range in wanted {
                        outcomes
                            .push(cidr(range, address).map(Some).ok_or(Reading::MalformedOperand));
                    }
                    false
                }
                Err(_) => true,
            },
            _ => {
                let read = if name.starts_with("Date") { instant } else { fraction };
                match read(value) {
                    Some(value) => {
                        for text in wanted {
                            outcomes.push(match read(text) {
                                Some(operand) => Ok(Some(ordered(&name, &value, &operand))),
                                None => Err(Reading::MalformedOperand),
                            });
                        }
                        false
                    }
                    None => true,
                }
            }
        };
        if unparsable {
            return if negated {
                self.open(Reading::NegatedUnparsable, effect)
            } else {
                Some(false)
            };
        }
        let settled = any(outcomes.iter().filter_map(|outcome| outcome.ok()));
        let open = outcomes.iter().find_map(|outcome| outcome.err());
        match (settled, open) {
            (Some(false), Some(reading)) => self.open(reading, effect),
            (Some(false), None) if negated && variables && self.has_unresolved(&name, wanted) => {
                match self.reading(Reading::UnresolvedVariable) {
                    "value" => Some(true),
                    _ => Some(effect == Effect::Deny),
                }
            }
            (settled, _) if negated => settled.map(|settled| !settled),
            (settled, _) => settled,
        }
    }

    fn has_unresolved(&self, name: &str, wanted: &[&str]) -> bool {
        if !(name.starts_with("String") || name.starts_with("Arn")) {
            return false;
        }
        wanted.iter().any(|text| {
            (0..text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| {
                matches!(variable(&text[at..]), Some((Variable::Key(key, default), _))
                    if match self.said(&key) { Said::Many(_) => true, Said::Absent => default.is_none(), _ => false })
            })
        })
    }

    fn arn(&self, pattern: &str, value: &str, variables: bool) -> Result<Truth, Reading> {
        if pattern == "*" {
            return match self.reading(Reading::ArnPatternStar) {
                "safe" => Err(Reading::ArnPatternStar),
                value => Ok(Some(value == "true")),
            };
        }
        let parts = arn_parts(pattern, variables).ok_or(Reading::MalformedOperand)?;
        let Some(values) = arn_parts(value, false) else { return Ok(Some(false)) };
        Ok(all(parts.iter().zip(&values).map(|(pattern, value)| {
            self.matches_pattern(pattern, value, variables, true, Wild::Plain)
        })))
    }

    // G1 to G5
    fn grant(&self, grant: &Grant) -> Truth {
        if !grant.operations.contains(self.action) {
            return Some(false);
        }
        let principal = match &grant.grantee {
            GrantPrincipal::Principal(arn) => Principal::Arn(arn.clone()),
            GrantPrincipal::Service(service) => Principal::Service(service.clone()),
            GrantPrincipal::Unique(id) => Principal::Unique(id.clone()),
            GrantPrincipal::Other(_) => return Some(false),
        };
        let grantee = self.names(&principal).map_or(Some(false), |(_, truth)| truth);
        let token = match &grant.visibility {
            GrantVisibility::Propagated => true,
            GrantVisibility::TokenOnly(token) => self.tokens.contains(token),
        };
        let source = match (&grant.constraints.source_arn, &self.principal) {
            (None, _) => Some(true),
            (Some(wanted), CallerPrincipal::Service { .. }) => match self.said("aws:SourceArn") {
                Said::One(value) => Some(value == **wanted),
                Said::Unknown => None,
                _ => Some(false),
            },
            (Some(_), _) => Some(self.reading(Reading::GrantSourceArnDirect) == "ignored"),
        };
        let own = &self.encryption_context;
        let has = |(name, value): (&str, &str)| {
            own.iter().any(|(key, had)| {
                had == value
                    && (key == name
                        || (self.reading(Reading::GrantContextKeyCase) == "insensitive"
                            && key.to_lowercase() == name.to_lowercase()))
            })
        };
        let context = match &grant.constraints.encryption_context {
            _ if self.action == Action::DescribeKey => true,
            None => true,
            Some(EncryptionContextConstraint::Equals(wanted)) => {
                !own.is_empty() && own.len() == wanted.len() && wanted.iter().all(has)
            }
            Some(EncryptionContextConstraint::Subset(wanted)) => {
                !own.is_empty() && wanted.iter().all(has)
            }
        };
        all([grantee, Some(token), source, Some(context)])
    }
}
