//! F1: IAM wildcards and policy variables. A pattern is parsed once, given the cheapest strategy
//! that decides it, and matched without allocation for texts of up to 511 bytes.
//!
//! These are not shell globs: `*` crosses `/`, there are no classes or braces.
//! Sources: iam user guide, "Resource", "Condition operators", "Policy variables".

mod arn;
mod positions;
mod template;

#[cfg(test)]
mod tests;

pub use arn::{ArnPattern, split_arn_pattern};
pub use template::{Resolved, Template, Variable};

use crate::model::{Action, ActionSet};

/// The actions an `Action` entry names. An entry of another service names none.
///
/// The case of ASCII letters is ignored; `*` is any run, `?` one character; the prefix must be
/// literal unless the whole entry is `*` (iam user guide, "Action").
#[must_use]
pub fn actions(entry: &str) -> ActionSet {
    if entry == "*" {
        return ActionSet::ALL;
    }
    let Some((prefix, name)) = entry.split_once(':') else {
        return ActionSet::NONE;
    };
    if !prefix.eq_ignore_ascii_case("kms") {
        return ActionSet::NONE;
    }
    // Nearly all entries are a name as AWS spells it, or the start of one.
    if let Ok(at) = Action::ALL.binary_search_by(|action| action.name().cmp(name)) {
        return Action::ALL.get(at).copied().into_iter().collect();
    }
    let all = Action::ALL.iter().copied();
    let start = name.strip_suffix('*').unwrap_or(name);
    if start.contains(['*', '?']) {
        let pattern = Template::glob(&name.to_ascii_lowercase());
        all.filter(|action| pattern.matches_text(&action.name().to_ascii_lowercase())).collect()
    } else if start.len() < name.len() {
        let starts = |known: &str| {
            known.get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(start))
        };
        all.filter(|action| starts(action.name())).collect()
    } else {
        all.filter(|action| action.name().eq_ignore_ascii_case(name)).collect()
    }
}

/// Whether an `Action` entry matches an action of any service.
#[must_use]
pub fn matches_action(entry: &str, action: &str) -> bool {
    if entry == "*" {
        return true;
    }
    let (entry, action) = (entry.to_ascii_lowercase(), action.to_ascii_lowercase());
    match (entry.split_once(':'), action.split_once(':')) {
        (Some((prefix, name)), Some((service, action))) => {
            prefix == service && Template::glob(name).matches_text(action)
        }
        _ => false,
    }
}
