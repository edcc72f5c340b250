//! `Condition`: operators, keys, values.

use std::collections::HashSet;

use super::SyntaxErrorKind;
use super::document::{MAX_CONDITION_VALUES, Reader};
use super::error::shown;
use super::json::{Member, Value};
use super::suggest::closest;
use crate::model::{
    Condition, ConditionEntry, ConditionKey, ConditionOperator, ConditionValue, Operator, Span,
    Spanned, Timestamp,
};

impl Reader {
    /// The operators. Empty objects and lists are stored by IAM at each level, so they are no errors.
    pub(super) fn condition(&mut self, value: Spanned<Value<'_>>) -> Vec<ConditionEntry> {
        let Value::Object(members) = value.value else {
            self.wrong_type(&value, "`Condition`", "an object from operators to objects");
            return Vec::new();
        };
        let mut entries = Vec::new();
        for Member { key, value } in self.members(members) {
            let operator = match key.value.parse::<ConditionOperator>() {
                Ok(operator) => Some(Spanned::new(operator, key.span)),
                // IAM overlooks an unknown operator without keys; a misspelt one is worth a word.
                Err(_) => {
                    let suggestion = nearest_operator(&key.value);
                    let text = shown(&key.value);
                    self.error(key.span, SyntaxErrorKind::UnknownOperator { text, suggestion });
                    None
                }
            };
            let is_date = operator
                .as_ref()
                .is_some_and(|operator| operator.value.operator.as_str().starts_with("Date"));
            let conditions = self.conditions(value, is_date);
            entries.extend(operator.map(|operator| ConditionEntry { operator, conditions }));
        }
        entries
    }

    fn conditions(&mut self, value: Spanned<Value<'_>>, is_date: bool) -> Vec<Condition> {
        let Value::Object(members) = value.value else {
            self.wrong_type(&value, "a condition operator", "an object from keys to values");
            return Vec::new();
        };
        // Two members that differ in case name one key, and one of them would be ignored.
        let mut names = HashSet::new();
        let mut conditions = Vec::with_capacity(members.len());
        for Member { key, value } in members {
            let name = ConditionKey::new(&key.value);
            if !names.insert(name.lower().to_owned()) {
                let name = shown(&key.value);
                self.error(key.span, SyntaxErrorKind::DuplicateConditionKey { name });
                continue;
            }
            let span = Span::new(key.span.start(), value.span.end());
            let values = self.condition_values(value);
            if is_date {
                self.dates(&values);
            }
            conditions.push(Condition { key: Spanned::new(name, key.span), values, span });
        }
        conditions
    }

    fn condition_values(&mut self, value: Spanned<Value<'_>>) -> Vec<Spanned<ConditionValue>> {
        let values = match value.value {
            Value::Array(values) => values,
            _ => vec![value],
        };
        let mut read = Vec::with_capacity(values.len());
        for value in values {
            if !self.count(|reader| &mut reader.values, VALUES, value.span) {
                break;
            }
            // The grammar lets numbers and booleans stand without quotes:
            // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
            let literal = match value.value {
                Value::Boolean(boolean) => ConditionValue::Boolean(boolean),
                Value::Number(text) => ConditionValue::Number(text.to_owned()),
                Value::String(text) => ConditionValue::String(text.into_owned()),
                Value::Array(_) | Value::Null | Value::Object(_) => {
                    let expected = "a string, a number, a boolean or an array of these";
                    self.wrong_type(&value, "a condition value", expected);
                    continue;
                }
            };
            read.push(Spanned::new(literal, value.span));
        }
        read
    }

    /// IAM refuses a policy with a date it cannot read ("The policy failed legacy parsing").
    fn dates(&mut self, values: &[Spanned<ConditionValue>]) {
        for value in values {
            let text = value.value.as_str();
            if text.parse::<Timestamp>().is_err() {
                self.error(value.span, SyntaxErrorKind::InvalidDate { text: shown(text) });
            }
        }
    }
}

const VALUES: (&str, usize) = ("condition values", MAX_CONDITION_VALUES);

/// The operator that `text` was probably meant to be: its three parts are looked up apart.
fn nearest_operator(text: &str) -> Option<String> {
    let (qualifier, rest) = match text.split_once(':') {
        Some((qualifier, rest)) => {
            (format!("{}:", closest(qualifier, &["ForAllValues", "ForAnyValue"])?), rest)
        }
        None => (String::new(), text),
    };
    let cut = rest.len().saturating_sub("IfExists".len());
    let (name, suffix) = match (rest.get(..cut), rest.get(cut..)) {
        (Some(name), Some(suffix)) if suffix.eq_ignore_ascii_case("IfExists") => (name, "IfExists"),
        _ => (rest, ""),
    };
    let names: Vec<&str> = Operator::ALL.iter().map(|operator| operator.as_str()).collect();
    let name = closest(name, &names)?;
    // `NullIfExists` does not exist: `Null` already tests for presence.
    let suffix = if name == Operator::Null.as_str() { "" } else { suffix };
    Some(format!("{qualifier}{name}{suffix}"))
}
