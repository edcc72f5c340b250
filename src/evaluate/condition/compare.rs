//! How one request value compares with the values of a condition.

use std::cmp::Ordering;
use std::net::IpAddr;

use super::{Scope, positive};
use crate::compile::{Cidr, CompiledCondition, Date, Decimal, Operands};
use crate::model::{Operator, Reading, Truth, split_arn};
use crate::pattern::ArnPattern;

pub(super) struct Comparison<'c, 'q> {
    pub(super) condition: &'q CompiledCondition,
    pub(super) scope: &'c Scope<'q>,
}

/// Whether a value matches any of a condition's values.
enum Match {
    /// It surely does, surely does not, or depends on an unknown fact.
    Settled(Truth),
    /// It matches none of those that AWS's documentation decides; the reading says what becomes
    /// of the comparison, negated or not.
    Open(Reading),
    /// The request's value is not of the operator's type.
    Unparsable,
}

impl<'q> Comparison<'_, 'q> {
    /// The condition for one value of the request, negation included.
    pub(super) fn signed(&self, value: &str) -> Truth {
        let operator = self.condition.operator.operator;
        // C21: nothing is matched, whatever the value is.
        if self.condition.operands.is_empty() {
            return operator.is_negated().into();
        }
        match self.matches(value) {
            Match::Settled(truth) if operator.is_negated() => {
                truth.not().and(self.scope.stands(self.condition.operands.variables()))
            }
            Match::Settled(truth) => truth,
            Match::Open(reading) => self.scope.open_point(reading),
            Match::Unparsable if operator.is_negated() => {
                self.scope.open_point(Reading::NegatedUnparsable)
            }
            Match::Unparsable => Truth::False,
        }
    }

    /// C19: the answer to a comparison with variables, whether `*` and `?` of their values are
    /// wildcards being open.
    fn with_wildcards(&self, has_variables: bool, matches: impl Fn(bool) -> Truth) -> Match {
        match self.scope.choice(Reading::VariableWildcards) {
            0 if has_variables => match (matches(false), matches(true)) {
                (literal, wildcard) if literal == wildcard => Match::Settled(literal),
                (Truth::Unknown, _) | (_, Truth::Unknown) => Match::Settled(Truth::Unknown),
                _ => Match::Open(Reading::VariableWildcards),
            },
            choice => Match::Settled(matches(choice == 2)),
        }
    }

    fn matches(&self, value: &str) -> Match {
        let scope = self.scope;
        let operator = positive(self.condition.operator.operator);
        match &self.condition.operands {
            Operands::Text(templates) => any(templates.iter().map(|template| {
                self.with_wildcards(template.has_variables(), |wildcards| {
                    template.matches(value, wildcards, |it| scope.resolve(it))
                })
            })),
            Operands::Arn(patterns) => {
                let is_arn = split_arn(value).is_some_and(|[first, ..]| first == "arn");
                // Whether an open point of another kind is among them.
                let mut is_open = false;
                let result = any(patterns.iter().map(|pattern| {
                    let one = match pattern {
                        ArnPattern::Star => match scope.choice(Reading::ArnPatternStar) {
                            0 => Match::Open(Reading::ArnPatternStar),
                            choice => Match::Settled((choice == 1).into()),
                        },
                        ArnPattern::Malformed => Match::Open(Reading::MalformedOperand),
                        ArnPattern::Parts(_) | ArnPattern::Whole(_) => {
                            let has_variables = pattern.variables().next().is_some();
                            self.with_wildcards(has_variables, |wildcards| {
                                pattern.matches(value, wildcards, |it| scope.resolve(it))
                            })
                        }
                    };
                    is_open |=
                        matches!(one, Match::Open(reading) if reading != Reading::MalformedOperand);
                    one
                }));
                match result {
                    Match::Settled(Truth::False) | Match::Open(Reading::MalformedOperand)
                        if !is_arn && !is_open =>
                    {
                        Match::Unparsable
                    }
                    other => other,
                }
            }
            Operands::Number(numbers) => {
                let Some(value) = Decimal::parse(value) else { return Match::Unparsable };
                any(numbers.iter().map(|number| {
                    typed(number.as_ref(), |number| ordered(operator, value.cmp(&number.value())))
                }))
            }
            Operands::Date(dates) => {
                let Some(value) = Date::parse(value) else { return Match::Unparsable };
                any(dates.iter().map(|date| match date {
                    Some(date) => self.dated(operator, value, *date),
                    None => Match::Open(Reading::MalformedOperand),
                }))
            }
            Operands::Ip(ranges) => {
                let Ok(value) = value.parse::<IpAddr>() else { return Match::Unparsable };
                any(ranges.iter().map(|range| match range {
                    Some(range) => self.contained(value, *range),
                    None => Match::Open(Reading::MalformedOperand),
                }))
            }
            Operands::Bool(values) => {
                // Observed: every request value but `true` counts as false.
                let value = value.eq_ignore_ascii_case("true");
                any(values.iter().map(|wanted| match wanted {
                    Some(Ok(wanted)) => Match::Settled((*wanted == value).into()),
                    // Whether it may be written so matters only where it says the value.
                    Some(Err(wanted)) if *wanted == value => {
                        match scope.choice(Reading::BoolTextCase) {
                            0 => Match::Open(Reading::BoolTextCase),
                            choice => Match::Settled((choice == 1).into()),
                        }
                    }
                    Some(Err(_)) => Match::Settled(Truth::False),
                    None => Match::Open(Reading::MalformedOperand),
                }))
            }
            // Base64 writes bytes in one way, so equal bytes are equal texts.
            Operands::Binary(values) => {
                any(values.iter().map(|wanted| Match::Settled((wanted.as_ref() == value).into())))
            }
            // Presence is decided before any comparison.
            Operands::Null(_) => Match::Settled(Truth::False),
        }
    }

    /// C13.
    fn contained(&self, value: IpAddr, range: Cidr) -> Match {
        let distinct = range.contains(value);
        let same = range.canonical().contains(value.to_canonical());
        let contains = match self.scope.choice(Reading::MappedAddress) {
            0 if distinct != same => return Match::Open(Reading::MappedAddress),
            2 => same,
            _ => distinct,
        };
        match self.scope.choice(Reading::HostBits) {
            0 if contains && range.has_host_bits() => Match::Open(Reading::HostBits),
            2 => Match::Settled((contains && !range.has_host_bits()).into()),
            _ => Match::Settled(contains.into()),
        }
    }

    /// C10: AWS takes "the W3C implementations of the ISO 8601 date formats", of which a year is
    /// one, and seconds; which of them four digits are, it does not say (iam user guide, "Condition
    /// operators").
    fn dated(&self, operator: Operator, value: Date, wanted: Date) -> Match {
        let seconds = ordered(operator, value.seconds.cmp(&wanted.seconds));
        let year = ordered(operator, value.year.cmp(&wanted.year));
        match self.scope.choice(Reading::FourDigitDate) {
            0 if seconds != year => Match::Open(Reading::FourDigitDate),
            2 => Match::Settled(year.into()),
            _ => Match::Settled(seconds.into()),
        }
    }
}

/// One sure match settles it; otherwise an open point stays open.
fn any(matches: impl Iterator<Item = Match>) -> Match {
    let mut truth = Truth::False;
    let mut open = None;
    for one in matches {
        match one {
            Match::Settled(Truth::True) => return Match::Settled(Truth::True),
            Match::Settled(other) => truth = truth.or(other),
            Match::Open(reading) => open = open.or(Some(reading)),
            Match::Unparsable => {}
        }
    }
    match (truth, open) {
        (Truth::False, Some(reading)) => Match::Open(reading),
        _ => Match::Settled(truth),
    }
}

fn typed<T>(operand: Option<T>, compare: impl Fn(T) -> bool) -> Match {
    match operand {
        Some(operand) => Match::Settled(compare(operand).into()),
        None => Match::Open(Reading::MalformedOperand),
    }
}

/// `value <operator> operand`, given how the value compares to the operand.
fn ordered(operator: Operator, ordering: Ordering) -> bool {
    match operator {
        Operator::DateGreaterThan | Operator::NumericGreaterThan => ordering.is_gt(),
        Operator::DateGreaterThanEquals | Operator::NumericGreaterThanEquals => ordering.is_ge(),
        Operator::DateLessThan | Operator::NumericLessThan => ordering.is_lt(),
        Operator::DateLessThanEquals | Operator::NumericLessThanEquals => ordering.is_le(),
        _ => ordering.is_eq(),
    }
}
