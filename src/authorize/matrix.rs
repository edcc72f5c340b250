//! Every operation on a key at once, for audits: what a pre-flight answers, without the reasons.

use super::state::operation_fault;
use super::{Authorizer, Leg, LegResource, Side};
use crate::compile::{Caller, KeyEntry};
use crate::evaluate::{OperationFacts, supplies};
use crate::model::{
    Action, Decision, EncryptionAlgorithm, EncryptionContext, KnownKey, ResourceKind,
};

/// What one caller may do with one key, operation by operation.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// The action.
    pub action: Action,
    /// What the policies and grants say.
    pub decision: Decision,
    /// AWS's error, when they allow but the key cannot be used.
    pub fault: Option<&'static str>,
}

impl Cell {
    /// `allow`, `implicit-deny`, …, `DisabledException`.
    #[must_use]
    pub fn outcome(&self) -> &'static str {
        self.fault.unwrap_or(self.decision.as_str())
    }
}

impl Authorizer<'_> {
    /// The answers for every action that is decided on one key, sorted by action. Each request
    /// names the key by its ARN and carries this encryption context, where it carries any.
    pub fn cells(
        &self,
        entry: &KeyEntry,
        context: &EncryptionContext,
        caller: &Caller,
    ) -> impl Iterator<Item = Cell> {
        let arn = &entry.key.arn;
        let algorithm = entry.key.spec.encryption_algorithms().first().copied();
        let algorithm = algorithm.unwrap_or(EncryptionAlgorithm::SymmetricDefault);
        let on_one_key = Action::ALL.iter().copied().filter(|action| {
            action.resource_kind() == ResourceKind::Key && *action != Action::RetireGrant
        });
        on_one_key.map(move |action| {
            let carries = |known| supplies(action, known);
            let leg = Leg {
                side: Side::Key,
                action,
                resource: LegResource::Key(arn),
                region: arn.region(),
                facts: OperationFacts {
                    encryption_context: carries(KnownKey::KmsEncryptionContext).then_some(context),
                    encryption_algorithm: carries(KnownKey::KmsEncryptionAlgorithm)
                        .then_some(algorithm),
                    ..OperationFacts::default()
                },
                grant_tokens: &[],
            };
            let decision = self.decide_leg(&leg, caller);
            let fault = decision
                .is_allow()
                .then(|| operation_fault(self.snapshot(), Side::Key, action, arn))
                .flatten();
            Cell { action, decision, fault: fault.map(|fault| fault.code) }
        })
    }
}
