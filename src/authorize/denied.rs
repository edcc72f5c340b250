//! Refusals, as data.

use std::fmt;

use super::Side;
use crate::evaluate::Explanation;
use crate::model::{Action, Decision};

/// A permission was not a sure yes; the explanation is drawn up afterwards, for all sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was answered.
    pub decision: Decision,
}

/// The full answer for one side.
#[derive(Clone, Debug)]
pub struct SideAnswer {
    /// Which key.
    pub side: Side,
    /// The action asked about.
    pub action: Action,
    /// The resource asked about: the ARN of a key or alias, or `*`.
    pub resource: Box<str>,
    /// The answer with its reasons.
    pub explanation: Explanation,
}

/// The key itself cannot do what was permitted. Only a permitted caller learns of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFault {
    /// Which key.
    pub side: Side,
    /// AWS's error: `DisabledException`, `IncorrectKeyException`, …
    pub code: &'static str,
    /// What is the matter and what to do.
    pub message: String,
}

/// An operation that is not authorized: handed back, with every side's answer.
#[derive(Debug)]
pub struct Denied<O> {
    /// The operation.
    pub operation: O,
    /// Every side's answer, never just the first.
    pub sides: Vec<SideAnswer>,
    /// Set when all sides allow, but a key cannot be used.
    pub fault: Option<KeyFault>,
}

impl<O> Denied<O> {
    /// The answer for the whole operation: a denial on any side is a denial; otherwise an open
    /// answer leaves it open.
    pub fn decision(&self) -> Decision {
        overall(self.sides.iter().map(|side| side.explanation.decision))
    }

    /// AWS's error for it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.fault.as_ref().map_or("AccessDeniedException", |fault| fault.code)
    }
}

impl<O> fmt::Display for Denied<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused = self.sides.iter().filter(|side| !side.explanation.decision.is_allow());
        let mut separator = "";
        for side in refused {
            let SideAnswer { side, action, resource, explanation } = side;
            write!(f, "{separator}{action} on the {side} {resource}: {}", explanation.decision)?;
            separator = "; ";
        }
        match &self.fault {
            Some(fault) => write!(f, "{separator}{}: {}", fault.code, fault.message),
            None => Ok(()),
        }
    }
}

/// The answer for an operation from the answers for its sides.
pub(crate) fn overall(decisions: impl Iterator<Item = Decision>) -> Decision {
    decisions.fold(Decision::Allow, |all, one| match (all, one) {
        (Decision::ExplicitDeny, _) | (_, Decision::ExplicitDeny) => Decision::ExplicitDeny,
        (Decision::ImplicitDeny, _) | (_, Decision::ImplicitDeny) => Decision::ImplicitDeny,
        (Decision::Undetermined, _) | (_, Decision::Undetermined) => Decision::Undetermined,
        _ => Decision::Allow,
    })
}
