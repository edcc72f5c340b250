//! R and C: resources, conditions and what stands in them.

use std::net::IpAddr;

use keyproof::model::{Condition, Effect, Element, Operator, Reading, SetQualifier};
use regex::Regex;

use super::reached::reach;
use super::values::{
    Number, Variable, Wild, arn_parts, cidr, fraction, has_host_bits, instant, ordered, unmapped,
    unmapped_range, variable, wildcards,
};
use super::{Said, Truth, World, all, and, any, in_doubt, or};

impl World {
    pub(super) fn resource(
        &self,
        element: &Element,
        variables: bool,
        completes: bool,
        effect: Effect,
    ) -> Truth {
        let ask = |completes| self.resource_as(element, variables, completes, effect);
        // R2
        match self.reading(Reading::IncompleteArn) {
            _ if completes => ask(true),
            "safe" => in_doubt(effect, ask(false), ask(true)),
            reading => ask(reading == "completed"),
        }
    }

    fn resource_as(
        &self,
        element: &Element,
        variables: bool,
        completes: bool,
        effect: Effect,
    ) -> Truth {
        // C19
        match self.reading(Reading::VariableWildcards) {
            "safe" => {
                let read = |choice| {
                    self.reads(choice).plain_resource(element, variables, completes, effect)
                };
                in_doubt(effect, read("literal"), read("wildcard"))
            }
            _ => self.plain_resource(element, variables, completes, effect),
        }
    }

    fn plain_resource(
        &self,
        element: &Element,
        variables: bool,
        completes: bool,
        effect: Effect,
    ) -> Truth {
        let mut unresolved = Some(false);
        let matched = any(element.entries().iter().map(|entry| {
            let text = entry.value.as_str();
            if text == "*" {
                reach("R1");
                return Some(true);
            }
            reach("R4");
            let missing = 6_usize.saturating_sub(text.split(':').count());
            if missing > 0 {
                reach("R2");
            }
            if text.contains(['*', '?']) {
                reach("R3");
            }
            let text = &if completes {
                format!("{text}{}", ":*".repeat(missing))
            } else {
                text.to_owned()
            };
            let early = text.find("${").is_some_and(|at| text[..at].matches(':').count() < 5);
            if early {
                reach("R5");
            }
            if variables && !early {
                let one = self.has_unresolved("String", &[text]);
                if one == Some(true) {
                    reach("R6");
                }
                unresolved = or(unresolved, one);
            }
            self.matches_pattern(text, &self.resource, variables && !early, true, Wild::Segments)
        }));
        match element {
            Element::Is(_) => matched,
            Element::IsNot(_) => {
                reach("R7");
                self.negated(matched, unresolved, effect)
            }
        }
    }

    /// C20, R6: the opposite, unless a variable without value takes the statement away.
    fn negated(&self, matched: Truth, unresolved: Truth, effect: Effect) -> Truth {
        let opposite = matched.map(|it| !it);
        match (self.reading(Reading::UnresolvedVariable), effect) {
            ("statement", Effect::Allow) => and(opposite, unresolved.map(|it| !it)),
            _ => opposite,
        }
    }

    pub(super) fn said(&self, key: &str) -> Said {
        let key = key.to_lowercase();
        if self.key_policy == Some(false)
            && (key.starts_with("aws:resourcetag/") || key == "kms:resourcealiases")
        {
            reach("X7");
            return Said::Absent;
        }
        match self.context.iter().find(|(name, _)| *name == key) {
            Some((_, said)) => said.clone(),
            None if self.complete => Said::Absent,
            None => Said::Unknown,
        }
    }

    /// Expands the variables of a pattern and matches a text; `None` when it hangs on an unknown.
    pub(super) fn matches_pattern(
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
                reach("C17");
                reach("C18");
                match variable {
                    Variable::Character(character) => {
                        regex.push_str(&regex::escape(&character.to_string()))
                    }
                    Variable::Key(key, default) => match self.said(&key) {
                        Said::One(value) => {
                            if value.contains(['*', '?']) {
                                reach("C19");
                            }
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
                            reach("C22");
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

    pub(super) fn condition(
        &self,
        operator: keyproof::model::ConditionOperator,
        condition: &Condition,
        effect: Effect,
        variables: bool,
    ) -> Truth {
        let name = condition.key.value.as_str();
        let said = self.said(name);
        if name != name.to_lowercase() {
            reach("C2");
        }
        let values: Vec<&str> = condition.values.iter().map(|value| value.value.as_str()).collect();
        if operator.operator == Operator::Null {
            reach("C16");
            return self.null(&values, operator.qualifier, &said, effect);
        }
        let negated = operator.operator.is_negated();
        let one = |value: &str| self.compare(operator.operator, value, &values, effect, variables);
        let many = match said {
            Said::Unknown => {
                reach("C22");
                return None;
            }
            Said::Absent => {
                reach("C3");
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
            reach("C21");
            match operator.qualifier {
                Some(SetQualifier::ForAllValues) => return Some(many.is_empty()),
                Some(SetQualifier::ForAnyValue) => return Some(false),
                None if many.len() == 1 => return Some(negated),
                None => {}
            }
        }
        if many.is_empty() {
            reach("C4");
        } else if operator.qualifier.is_some() {
            reach("C5");
        } else if many.len() > 1 {
            reach("C6");
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

    pub(super) fn null(
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
        if values.is_empty() {
            return Some(false);
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
            (_, says @ ("true" | "false")) => match self.reading(Reading::BoolTextCase) {
                "false" => Some(false),
                reading => {
                    let holds = if says == "true" { missing } else { missing.map(|it| !it) };
                    if reading == "safe" { in_doubt(effect, holds, Some(false)) } else { holds }
                }
            },
            _ => self.open(Reading::MalformedOperand, effect),
        }))
    }

    /// One value of the request against the values of the policy, negation included.
    pub(super) fn compare(
        &self,
        operator: Operator,
        value: &str,
        wanted: &[&str],
        effect: Effect,
        variables: bool,
    ) -> Truth {
        let negated = operator.is_negated();
        let name = operator.as_str().replacen("Not", "", 1);
        reach(match name.as_str() {
            "StringEquals" | "StringEqualsIgnoreCase" => "C7",
            "StringLike" => "C8",
            "ArnEquals" | "ArnLike" => "C14",
            "Bool" => "C11",
            "BinaryEquals" => "C12",
            "IpAddress" => "C13",
            date if date.starts_with("Date") => "C10",
            _ => "C9",
        });
        // Some(Ok(truth)): settled; Some(Err(reading)): open; None: the request's value is no such.
        let mut outcomes: Vec<Result<Truth, Reading>> = Vec::new();
        let unparsable = match name.as_str() {
            "StringEquals" | "StringEqualsIgnoreCase" | "StringLike" => {
                let wild = if name == "StringLike" { Wild::Plain } else { Wild::None };
                let case = name != "StringEqualsIgnoreCase";
                for pattern in wanted {
                    outcomes.push(self.either(|world| {
                        Ok(world.matches_pattern(pattern, value, variables, case, wild))
                    }));
                }
                false
            }
            "ArnEquals" | "ArnLike" => {
                for pattern in wanted {
                    outcomes.push(self.either(|world| world.arn(pattern, value, variables)));
                }
                let is_arn = value.starts_with("arn:") && value.matches(':').count() >= 5;
                let nothing = outcomes.iter().all(|outcome| {
                    matches!(outcome, Ok(Some(false)) | Err(Reading::MalformedOperand))
                });
                !is_arn && nothing
            }
            "Bool" => {
                let value = value.eq_ignore_ascii_case("true");
                for text in wanted {
                    outcomes.push(match *text {
                        "true" | "false" => Ok(Some((*text == "true") == value)),
                        _ if ["true", "false"].contains(&text.to_lowercase().as_str()) => {
                            match self.reading(Reading::BoolTextCase) {
                                // It says the other value however it is read.
                                "safe" if text.eq_ignore_ascii_case("true") != value => {
                                    Ok(Some(false))
                                }
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
                        outcomes.push(self.in_range(range, address));
                    }
                    false
                }
                Err(_) => true,
            },
            _ => {
                let is_date = name.starts_with("Date");
                let read = if is_date { instant } else { fraction };
                let year = |text: &str| {
                    let digits = text.len() == 4 && text.bytes().all(|it| it.is_ascii_digit());
                    if is_date && digits { instant(&format!("{text}-01")) } else { read(text) }
                };
                for text in wanted {
                    let compare = |read: &dyn Fn(&str) -> Option<Number>| {
                        Some(ordered(&name, &read(value)?, &read(text)?))
                    };
                    outcomes.push(match (compare(&read), compare(&year)) {
                        (Some(seconds), Some(year)) => match self.reading(Reading::FourDigitDate) {
                            "safe" if seconds != year => Err(Reading::FourDigitDate),
                            "year" => Ok(Some(year)),
                            _ => Ok(Some(seconds)),
                        },
                        _ => Err(Reading::MalformedOperand),
                    });
                }
                read(value).is_none()
            }
        };
        if unparsable {
            reach("C15");
            return if negated {
                self.open(Reading::NegatedUnparsable, effect)
            } else {
                Some(false)
            };
        }
        let settled = any(outcomes.iter().filter_map(|outcome| outcome.ok()));
        let open = outcomes.iter().find_map(|outcome| outcome.err());
        match (settled, open) {
            (Some(false), Some(reading)) => {
                reach("C15");
                self.open(reading, effect)
            }
            (settled, _) if negated => {
                let unresolved =
                    if variables { self.has_unresolved(&name, wanted) } else { Some(false) };
                if settled == Some(false) && unresolved == Some(true) {
                    reach("C20");
                }
                self.negated(settled, unresolved, effect)
            }
            (settled, _) => settled,
        }
    }

    /// C13
    fn in_range(&self, range: &str, address: IpAddr) -> Result<Truth, Reading> {
        let malformed = Reading::MalformedOperand;
        let distinct = cidr(range, address).ok_or(malformed)?;
        let same = cidr(&unmapped_range(range), unmapped(address)).ok_or(malformed)?;
        let inside = match self.reading(Reading::MappedAddress) {
            "safe" if distinct != same => return Err(Reading::MappedAddress),
            "same" => same,
            _ => distinct,
        };
        match self.reading(Reading::HostBits) {
            _ if !inside || !has_host_bits(range) => Ok(Some(inside)),
            "safe" => Err(Reading::HostBits),
            reading => Ok(Some(reading == "ignored")),
        }
    }

    fn has_unresolved(&self, name: &str, wanted: &[&str]) -> Truth {
        if !(name.starts_with("String") || name.starts_with("Arn")) {
            return Some(false);
        }
        any(wanted.iter().flat_map(|text| {
            let places = (0..text.len()).filter(|at| text.is_char_boundary(*at));
            places.filter_map(|at| match variable(&text[at..]) {
                Some((Variable::Key(key, default), _)) => Some(match self.said(&key) {
                    Said::Many(_) => Some(true),
                    Said::Absent => Some(default.is_none()),
                    Said::One(_) => Some(false),
                    Said::Unknown => None,
                }),
                _ => None,
            })
        }))
    }

    pub(super) fn arn(
        &self,
        pattern: &str,
        value: &str,
        variables: bool,
    ) -> Result<Truth, Reading> {
        if pattern == "*" {
            return match self.reading(Reading::ArnPatternStar) {
                "safe" => Err(Reading::ArnPatternStar),
                value => Ok(Some(value == "true")),
            };
        }
        let Some(parts) = arn_parts(pattern, variables) else {
            if !variables {
                return Err(Reading::MalformedOperand);
            }
            // Variables may bring the parts that are missing.
            let Some(put_in) = self.put_in(pattern) else {
                return Err(Reading::MalformedOperand);
            };
            return match put_in {
                Ok(text) if arn_parts(&text, true).is_some() => self.arn(&text, value, true),
                Ok(_) => Ok(Some(false)),
                Err(truth) => Ok(truth),
            };
        };
        let Some(values) = arn_parts(value, false) else { return Ok(Some(false)) };
        Ok(all(parts.iter().zip(&values).map(|(pattern, value)| {
            self.matches_pattern(pattern, value, variables, true, Wild::Plain)
        })))
    }

    /// C19: one answer where both ways to read `*` and `?` of values agree.
    fn either(&self, ask: impl Fn(&World) -> Result<Truth, Reading>) -> Result<Truth, Reading> {
        if self.reading(Reading::VariableWildcards) != "safe" {
            return ask(self);
        }
        match (ask(&self.reads("literal")), ask(&self.reads("wildcard"))) {
            (literal, wildcard) if literal == wildcard => literal,
            (Ok(None), _) | (_, Ok(None)) => Ok(None),
            _ => Err(Reading::VariableWildcards),
        }
    }

    fn reads(&self, choice: &str) -> World {
        let mut world = self.clone();
        world.readings.choose(Reading::VariableWildcards, choice).unwrap();
        world
    }

    /// A pattern with its variables put in; `None` when it has none.
    fn put_in(&self, pattern: &str) -> Option<Result<String, Truth>> {
        let mut text = String::new();
        let mut found = false;
        let mut rest = pattern;
        while let Some(next) = rest.chars().next() {
            let Some((variable, after)) = variable(rest) else {
                text.push(next);
                rest = &rest[next.len_utf8()..];
                continue;
            };
            rest = after;
            let value = match variable {
                Variable::Character(character) => {
                    text.push_str(&format!("${{{character}}}"));
                    continue;
                }
                Variable::Key(key, default) => match (self.said(&key), default) {
                    (Said::One(value), _) | (Said::Absent, Some(value)) => value,
                    (Said::Unknown, _) => return Some(Err(None)),
                    _ => return Some(Err(Some(false))),
                },
            };
            found = true;
            for character in value.chars() {
                let wild = self.reading(Reading::VariableWildcards) == "wildcard";
                match character {
                    '$' => text.push_str("${$}"),
                    '*' | '?' if !wild => text.push_str(&format!("${{{character}}}")),
                    _ => text.push(character),
                }
            }
        }
        found.then_some(Ok(text))
    }
}
