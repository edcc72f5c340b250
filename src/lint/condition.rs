//! What rules on conditions share: what a condition asks of a request, and how it can be rewritten.

use super::finding::Fix;
use super::key_policy;
use super::subject::StatementView;
use crate::compile::{Cidr, Decimal, parse_bool};
use crate::model::{
    Condition, ConditionEntry, ConditionOperator, KnownKey, Operator, Timestamp, split_arn,
};

/// What rewriting a condition does to the requests that meet it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Fewer do.
    Fewer,
    /// More do.
    More,
    /// The same do.
    None,
    /// It cannot be said.
    Unknown,
}

/// A fix that changes a condition of a statement: safe where nobody gains by it.
pub(super) fn fix(view: &StatementView<'_>, change: Change, title: impl Into<String>) -> Fix {
    let is_safe = match change {
        Change::Fewer => view.is_allow(),
        Change::More => !view.is_allow(),
        Change::None => true,
        Change::Unknown => false,
    };
    if is_safe { Fix::safe(title) } else { Fix::unsafe_(title) }
}

/// A fix that writes another operator, unless the statement has that one already: no member of an
/// object stands twice.
pub(super) fn with_operator(
    view: &StatementView<'_>,
    entry: &ConditionEntry,
    operator: ConditionOperator,
    change: Change,
) -> Option<Fix> {
    let is_taken = view.statement.condition.iter().any(|one| one.operator.value == operator);
    let text = operator.to_string();
    (!is_taken).then(|| {
        fix(view, change, format!("write `{text}`")).replace_string(entry.operator.span, &text)
    })
}

/// Whether a request has to carry one of these keys to meet the statement's conditions.
pub(super) fn needs(view: &StatementView<'_>, keys: &[KnownKey]) -> bool {
    view.conditions().any(|(operator, condition)| {
        condition.key.value.known().is_some_and(|key| keys.contains(&key))
            && key_policy::met_by_absence(operator.value, condition) == Some(false)
    })
}

/// The conditions of an operator on keys with one value, or on those with several.
pub(super) fn on_keys_with(entry: &ConditionEntry, several: bool) -> Vec<&Condition> {
    let known =
        |one: &&Condition| one.key.value.known().is_some_and(|key| key.is_multivalued() == several);
    entry.conditions.iter().filter(known).collect()
}

/// The names of conditions' keys, for a message.
pub(super) fn names(conditions: &[&Condition]) -> String {
    let names: Vec<String> = conditions.iter().map(|one| format!("`{}`", one.key.value)).collect();
    names.join(", ")
}

/// Whether a value is of the type that an operator compares. Of dates the parser speaks; `*` alone
/// under an ARN operator is read in two ways.
pub(super) fn reads(operator: Operator, text: &str) -> bool {
    let name = operator.as_str();
    match operator {
        Operator::Bool | Operator::Null => parse_bool(text).is_some(),
        Operator::IpAddress | Operator::NotIpAddress => Cidr::parse(text).is_some(),
        _ if name.starts_with("Numeric") => Decimal::parse(text).is_some(),
        _ if name.starts_with("Date") => text.parse::<Timestamp>().is_ok(),
        _ if name.starts_with("Arn") => {
            text == "*" || text.contains("${") || split_arn(text).is_some()
        }
        _ => true,
    }
}
