//! Puts questions to the evaluator: gathers, for one leg and one caller, the policies and facts of
//! the snapshot that decide it.

use super::{Leg, LegResource, Operation, SideAnswer};
use crate::compile::{Caller, KeyEntry, Snapshot};
use crate::evaluate::{Asked, Explanation, Layer, Question, Target, decide, explain};
use crate::model::{Decision, KeyArn};

/// Decides on one snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Authorizer<'s> {
    snapshot: &'s Snapshot,
}

impl<'s> Authorizer<'s> {
    /// An authorizer over a frozen world.
    #[must_use]
    pub fn new(snapshot: &'s Snapshot) -> Self {
        Self { snapshot }
    }

    /// The world.
    #[must_use]
    pub fn snapshot(&self) -> &'s Snapshot {
        self.snapshot
    }

    /// Every side's full answer.
    #[must_use]
    pub fn explain<O: Operation>(&self, operation: &O, caller: &Caller) -> Vec<SideAnswer> {
        operation.legs().iter().map(|leg| self.explain_leg(leg, caller)).collect()
    }

    /// The answer for one leg.
    pub fn decide_leg(&self, leg: &Leg<'_>, caller: &Caller) -> Decision {
        match self.entry(leg) {
            Ok(entry) => self.ask(leg, entry, caller, decide),
            Err(_) => Decision::Undetermined,
        }
    }

    /// The answer for one leg with its reasons.
    #[must_use]
    pub fn explain_leg(&self, leg: &Leg<'_>, caller: &Caller) -> SideAnswer {
        let explanation = match self.entry(leg) {
            Ok(entry) => self.ask(leg, entry, caller, explain),
            Err(arn) => Explanation::unknown(
                Layer::Key,
                arn.as_str(),
                "the world has no such key: add its folder to the world",
            ),
        };
        let resource = match leg.resource {
            LegResource::Alias(alias) => alias.to_string(),
            LegResource::Any => "*".to_owned(),
            LegResource::Key(arn) => arn.to_string(),
            LegResource::Principal(arn) => arn.to_string(),
        };
        SideAnswer { side: leg.side, action: leg.action, resource: resource.into(), explanation }
    }

    /// The key a leg is about, if it is about one; `Err` when the world does not have it.
    fn entry<'l>(&self, leg: &Leg<'l>) -> Result<Option<&'s KeyEntry>, &'l KeyArn> {
        match leg.resource {
            LegResource::Key(arn) => self.snapshot.key(arn).map(Some).ok_or(arn),
            LegResource::Alias(_) | LegResource::Any | LegResource::Principal(_) => Ok(None),
        }
    }

    fn ask<T>(
        &self,
        leg: &Leg<'_>,
        entry: Option<&KeyEntry>,
        caller: &Caller,
        answer: impl FnOnce(&Question<'_>) -> T,
    ) -> T {
        let on = match leg.resource {
            LegResource::Alias(alias) => Target::Alias(alias),
            LegResource::Any => Target::Any,
            LegResource::Key(arn) => Target::Key(arn),
            LegResource::Principal(arn) => Target::Principal(arn),
        };
        let asked = Asked {
            action: leg.action,
            on,
            entry,
            region: leg.region,
            operation: leg.facts,
            grant_tokens: leg.grant_tokens,
        };
        asked.put(self.snapshot, caller, answer)
    }
}
