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

pub use arn::ArnPattern;
pub use template::{Resolved, Template, Variable};

use crate::model::{Action, ActionSet, lower};

/// The actions an `Action` entry names. An entry of another service names none.
///
/// Case is ignored; `*` is any run, `?` one character; the prefix must be literal unless the whole
/// entry is `*` (iam user guide, "Action").
#[must_use]
pub fn actions(entry: &str) -> ActionSet {
    if entry == "*" {
        return ActionSet::ALL;
    }
    let entry = lower(entry);
    let Some(("kms", name)) = entry.split_once(':') else {
        return ActionSet::NONE;
    };
    let pattern = Template::glob(name);
    Action::ALL
        .iter()
        .copied()
        .filter(|action| pattern.matches_text(&lower(action.name())))
        .collect()
}

/// Whether an `Action` entry matches an action of any service.
#[must_use]
pub fn matches_action(entry: &str, action: &str) -> bool {
    if entry == "*" {
        return true;
    }
    let (entry, action) = (lower(entry), lower(action));
    match (entry.split_once(':'), action.split_once(':')) {
        (Some((prefix, name)), Some((service, action))) => {
            prefix == service && Template::glob(name).matches_text(action)
        }
        _ => false,
    }
}
