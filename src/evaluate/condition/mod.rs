//! Whether one condition holds.
//!
//! Presence, set qualifiers and negation are decided here, once for all operators; how a single
//! value compares is in `compare`.

mod compare;

#[cfg(test)]
mod tests;

use smallvec::SmallVec;

use super::context::{Found, RequestContext, Values};
use crate::compile::{CompiledCondition, Operands, ResourceMatcher};
use crate::model::{Effect, Operator, Reading, Readings, SetQualifier, Truth};
use crate::pattern::{Resolved, Variable};
use compare::Comparison;

/// What a condition is judged against.
pub(crate) struct Scope<'q> {
    pub(crate) context: RequestContext<'q>,
    /// Whether the policy sees the tags and aliases of the key (X7).
    pub(crate) sees_tags: bool,
    pub(crate) effect: Effect,
    pub(crate) readings: &'q Readings,
}

impl<'q> Scope<'q> {
    /// Whether a comparison on an open point holds.
    pub(crate) fn open_point(&self, reading: Reading) -> Truth {
        self.readings.holds(reading, self.effect).into()
    }

    /// The chosen value's place.
    pub(crate) fn choice(&self, reading: Reading) -> usize {
        self.readings.choice(reading)
    }

    /// An answer that differs with what AWS leaves open: an Allow needs both, a Deny either, so that
    /// in doubt the request is refused.
    fn refusing(&self, one: Truth, other: Truth) -> Truth {
        match self.effect {
            Effect::Allow => one.and(other),
            Effect::Deny => one.or(other),
        }
    }

    /// X7: the answer of a part of a statement that may read the tags and aliases of the key.
    pub(crate) fn with_tags(&self, reads_tags: bool, ask: impl Fn(&Self) -> Truth) -> Truth {
        if self.sees_tags || !reads_tags {
            return ask(self);
        }
        let seen = Self { sees_tags: true, ..*self };
        match self.choice(Reading::KeyPolicyTags) {
            0 => self.refusing(ask(self), ask(&seen)),
            1 => ask(self),
            _ => ask(&seen),
        }
    }

    /// Whether a statement speaks of the resource.
    pub(crate) fn speaks_of(&self, matcher: &'q ResourceMatcher, resource: &str) -> Truth {
        let named = self.names(matcher, resource);
        match (matcher.completed(), self.choice(Reading::IncompleteArn)) {
            (None, _) | (_, 1) => named,
            (Some(completed), 0) => self.refusing(named, self.names(completed, resource)),
            (Some(completed), _) => self.names(completed, resource),
        }
    }

    fn names(&self, matcher: &'q ResourceMatcher, resource: &str) -> Truth {
        let ask =
            |wildcards| matcher.matches(resource, wildcards, |variable| self.resolve(variable));
        let named = match self.choice(Reading::VariableWildcards) {
            0 if matcher.has_variables() => self.refusing(ask(false), ask(true)),
            choice => ask(choice == 2),
        };
        if matcher.is_negated() { named.and(self.stands(matcher.variables())) } else { named }
    }

    /// C20, R6: whether what is negated keeps its effect, though a variable may be without value:
    /// the value of the policy it stands in drops out, or the statement does (iam user guide,
    /// "Policy variables").
    fn stands(&self, variables: impl Iterator<Item = &'q Variable>) -> Truth {
        if self.effect == Effect::Deny || self.choice(Reading::UnresolvedVariable) == 0 {
            return Truth::True;
        }
        // That nobody knows the value is not that there is one.
        let has_value = |variable| match self.resolve(variable) {
            Resolved::Nothing => Truth::False,
            Resolved::Unknown => Truth::Unknown,
            Resolved::Text(_) => Truth::True,
        };
        variables.map(has_value).fold(Truth::True, Truth::and)
    }

    /// What a policy variable stands for: only single-valued keys can be used (iam user guide,
    /// "Policy variables").
    pub(crate) fn resolve(&self, variable: &'q Variable) -> Resolved<'q> {
        match self.context.find(&variable.key, self.sees_tags) {
            Found::One(text) => Resolved::Text([text, "", ""]),
            Found::Pair(one, other) => Resolved::Text([one, ":", other]),
            Found::Many(_) | Found::Unsupported => Resolved::Nothing,
            Found::Absent => match &variable.default {
                Some(text) => Resolved::Text([text, "", ""]),
                None => Resolved::Nothing,
            },
            Found::Unknown => Resolved::Unknown,
        }
    }
}

/// Whether the condition holds for the request.
pub(crate) fn holds<'q>(condition: &'q CompiledCondition, scope: &Scope<'q>) -> Truth {
    scope.with_tags(condition.reads_tags, |scope| holds_for(condition, scope))
}

fn holds_for<'q>(condition: &'q CompiledCondition, scope: &Scope<'q>) -> Truth {
    let found = scope.context.find(&condition.key, scope.sees_tags);
    let operator = condition.operator;
    if matches!(found, Found::Unsupported) {
        (scope.effect == Effect::Deny).into()
    } else if let Operands::Null(values) = &condition.operands {
        null(values, operator.qualifier, &found, scope)
    } else {
        let comparison = Comparison { condition, scope };
        match &found {
            Found::Unknown | Found::Unsupported => Truth::Unknown,
            Found::Absent => absent(condition, scope),
            // An empty list of values holds for no value under a qualifier (C21).
            Found::One(_) | Found::Pair(..)
                if operator.qualifier.is_some() && condition.operands.is_empty() =>
            {
                Truth::False
            }
            Found::Many(values)
                if operator.qualifier.is_some() && condition.operands.is_empty() =>
            {
                (values.is_empty() && operator.qualifier == Some(SetQualifier::ForAllValues)).into()
            }
            Found::One(value) => match operator.qualifier {
                None => comparison.signed(value),
                // C5: a set of one empty string counts as empty here.
                Some(SetQualifier::ForAllValues) if value.is_empty() => Truth::True,
                Some(_) => comparison.signed(value),
            },
            Found::Many(values) => many(*values, &comparison),
            Found::Pair(one, other) => {
                let mut joined: SmallVec<[u8; 128]> = SmallVec::new();
                for piece in [one, ":", other] {
                    joined.extend_from_slice(piece.as_bytes());
                }
                std::str::from_utf8(&joined).map_or(Truth::Unknown, |it| comparison.signed(it))
            }
        }
    }
}

/// C3: a missing key (iam user guide, "Condition operators", "…IfExists"; "Set operators").
fn absent(condition: &CompiledCondition, scope: &Scope<'_>) -> Truth {
    let operator = condition.operator;
    match operator.qualifier {
        Some(SetQualifier::ForAllValues) => Truth::True,
        Some(SetQualifier::ForAnyValue) if operator.if_exists => {
            scope.open_point(Reading::ForAnyValueIfExists)
        }
        Some(SetQualifier::ForAnyValue) => Truth::False,
        None => (operator.if_exists || operator.operator.is_negated()).into(),
    }
}

fn many<'q>(values: Values<'q>, comparison: &Comparison<'_, 'q>) -> Truth {
    let operator = comparison.condition.operator;
    match operator.qualifier {
        Some(SetQualifier::ForAllValues) => {
            if values.len() == 1 && values.first() == Some("") {
                return Truth::True;
            }
            let mut all = Truth::True;
            values.any(|value| {
                all = all.and(comparison.signed(value));
                all.is_false()
            });
            all
        }
        Some(SetQualifier::ForAnyValue) => {
            let mut any = Truth::False;
            values.any(|value| {
                any = any.or(comparison.signed(value));
                any.is_true()
            });
            any
        }
        // A key with several values needs a set operator; without one, what AWS does is
        // observed for positive operators (no match) and open for negated ones (C6).
        None => match (values.len(), values.first()) {
            (0, _) => (operator.if_exists || operator.operator.is_negated()).into(),
            (1, Some(value)) => comparison.signed(value),
            _ if operator.operator.is_negated() => {
                comparison.scope.open_point(Reading::MultivaluedNegated)
            }
            _ => Truth::False,
        },
    }
}

/// C16: `Null`, whether the key is missing.
fn null(
    wanted: &[Option<Result<bool, bool>>],
    qualifier: Option<SetQualifier>,
    found: &Found<'_>,
    scope: &Scope<'_>,
) -> Truth {
    match qualifier {
        // Access Analyzer, NULL_WITH_QUALIFIER.
        Some(SetQualifier::ForAllValues) => return Truth::True,
        Some(SetQualifier::ForAnyValue) => return Truth::False,
        None => {}
    }
    if wanted.is_empty() {
        return Truth::False;
    }
    let open = match found {
        Found::One("") => Some(Reading::EmptyStringPresence),
        Found::Many(values) if values.is_empty() => Some(Reading::EmptySetPresence),
        _ => None,
    };
    let missing = match (found, open) {
        (Found::Unknown, _) => Truth::Unknown,
        (Found::Absent, _) => Truth::True,
        (_, Some(reading)) => match scope.choice(reading) {
            0 => return scope.open_point(reading),
            choice => (choice == 1).into(),
        },
        (_, None) => Truth::False,
    };
    let mut any = Truth::False;
    for value in wanted {
        any = any.or(match value {
            Some(Ok(true)) => missing,
            Some(Ok(false)) => missing.not(),
            Some(Err(value)) => {
                let holds = if *value { missing } else { missing.not() };
                match scope.choice(Reading::BoolTextCase) {
                    0 => scope.refusing(holds, Truth::False),
                    1 => holds,
                    _ => Truth::False,
                }
            }
            None => scope.open_point(Reading::MalformedOperand),
        });
    }
    any
}

/// The comparison behind a negated operator.
pub(crate) fn positive(operator: Operator) -> Operator {
    match operator {
        Operator::ArnNotEquals => Operator::ArnEquals,
        Operator::ArnNotLike => Operator::ArnLike,
        Operator::DateNotEquals => Operator::DateEquals,
        Operator::NotIpAddress => Operator::IpAddress,
        Operator::NumericNotEquals => Operator::NumericEquals,
        Operator::StringNotEquals => Operator::StringEquals,
        Operator::StringNotEqualsIgnoreCase => Operator::StringEqualsIgnoreCase,
        Operator::StringNotLike => Operator::StringLike,
        other => other,
    }
}
