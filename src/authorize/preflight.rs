//! Questions without the data: will this call be allowed?

use super::algorithm::algorithm_fault;
use super::denied::overall;
use super::resolve::{NoInspector, count};
use super::state::{Judged, operation_fault, token_fault};
use super::{
    Authorizer, DecryptRequest, EncryptRequest, KeyFault, Leg, LegResource, Preflight,
    PreflightKey, PreflightOperation, ReEncryptRequest, ResolveError, Side, SideAnswer,
};
use crate::compile::Caller;
use crate::evaluate::{OperationFacts, supplies};
use crate::model::{Action, Decision, GrantToken, KnownKey, Region, ResourceKind};

/// The answer to a pre-flight question.
#[derive(Debug)]
pub struct PreflightAnswer {
    /// AWS's name of the operation.
    pub operation: &'static str,
    /// Every side's answer.
    pub sides: Vec<SideAnswer>,
    /// Set when all sides allow, but a key cannot be used.
    pub fault: Option<KeyFault>,
}

impl PreflightAnswer {
    /// The answer of the policies for the whole operation.
    pub fn decision(&self) -> Decision {
        overall(self.sides.iter().map(|side| side.explanation.decision))
    }

    /// The decision, or AWS's error when a permitted key cannot be used: `allow`,
    /// `implicit-deny`, …, `DisabledException`.
    #[must_use]
    pub fn outcome(&self) -> &'static str {
        match &self.fault {
            Some(fault) => fault.code,
            None => self.decision().as_str(),
        }
    }
}

/// A pre-flight question cannot be put.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PreflightError {
    /// Occurs when the Region is neither given nor part of a key's name.
    #[error("the Region is not known: give the Region, or name the key by its ARN")]
    NoRegion,
    /// Occurs for actions that are not decided on one key alone.
    #[error("`{0}` is not decided on one key alone")]
    NotOnOneKey(Action),
    /// Occurs when a name does not lead to a key.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// Occurs when KMS would refuse the request for its form.
    #[error("{code}: {message}")]
    Refused {
        /// AWS's error.
        code: &'static str,
        /// What is wrong with it.
        message: String,
    },
}

impl PreflightError {
    /// AWS's error; `None` when AWS's answer is not known.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Resolve(error) => error.code(),
            Self::Refused { code, .. } => Some(code),
            Self::NoRegion | Self::NotOnOneKey(_) => None,
        }
    }
}

impl Authorizer<'_> {
    /// Answers a question without the data: names are resolved, all sides judged, and the keys'
    /// state, usage and algorithms when all sides allow. The ciphertext is taken to be made by the
    /// source key.
    ///
    /// # Errors
    /// When a name does not lead to a key.
    pub fn preflight(
        &self,
        question: Preflight,
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        count(&question.grant_tokens)?;
        if let PreflightOperation::Malformed { message } = question.operation {
            return Err(PreflightError::Refused { code: "ValidationException", message });
        }
        let region = question.region()?;
        let (tokens, dry_run) = (question.grant_tokens.clone(), question.dry_run);
        let mut answer = self.answer_to(question, region, caller)?;
        let side = answer.sides.first().map_or(Side::Key, |side| side.side);
        if answer.decision().is_allow() {
            // G5, K10: with all permits, first the tokens, then the keys, at last the dry run.
            answer.fault = token_fault(self.snapshot(), side, &tokens).or(answer.fault);
            if dry_run && answer.fault.is_none() {
                let message = "the request would have succeeded, but it is a dry run".to_owned();
                let code = "DryRunOperationException";
                answer.fault = Some(KeyFault { side, code, message });
            }
        }
        Ok(answer)
    }

    fn answer_to(
        &self,
        question: Preflight,
        region: Region,
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        let grant_tokens = question.grant_tokens;
        match question.operation {
            PreflightOperation::ReEncrypt { source, destination } => {
                let request = ReEncryptRequest {
                    region,
                    ciphertext: None,
                    source_key: Some(source.name),
                    source_algorithm: source.algorithm,
                    source_context: source.context,
                    destination_key: destination.name,
                    destination_algorithm: destination.algorithm,
                    destination_context: destination.context,
                    grant_tokens,
                };
                let operation = self.resolve_re_encrypt(request, caller, &NoInspector)?;
                Ok(self.answer(&operation, caller))
            }
            PreflightOperation::Action { action: Action::Encrypt, key } => {
                let PreflightKey { name: key, context, algorithm } = key;
                let request = EncryptRequest {
                    region,
                    key,
                    plaintext: None,
                    algorithm,
                    context,
                    grant_tokens,
                };
                let operation = self.resolve_encrypt(request, caller)?;
                Ok(self.answer(&operation, caller))
            }
            PreflightOperation::Action { action: Action::Decrypt, key } => {
                let PreflightKey { name, context, algorithm } = key;
                let key = Some(name);
                let request = DecryptRequest {
                    region,
                    ciphertext: None,
                    key,
                    algorithm,
                    context,
                    grant_tokens,
                };
                let operation = self.resolve_decrypt(request, caller, &NoInspector)?;
                Ok(self.answer(&operation, caller))
            }
            PreflightOperation::Action { action, key } => {
                self.action(action, &key, &region, &grant_tokens, caller)
            }
            other => self.catalogued(other, &region, &grant_tokens, caller),
        }
    }

    fn answer<O: Judged>(&self, operation: &O, caller: &Caller) -> PreflightAnswer {
        let sides = self.explain(operation, caller);
        let allowed = sides.iter().all(|side| side.explanation.decision.is_allow());
        let fault = allowed.then(|| operation.key_fault(self.snapshot())).flatten();
        PreflightAnswer { operation: O::NAME, sides, fault }
    }

    fn action(
        &self,
        action: Action,
        key: &PreflightKey,
        region: &Region,
        grant_tokens: &[GrantToken],
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        if action.resource_kind() != ResourceKind::Key || action == Action::RetireGrant {
            return Err(PreflightError::NotOnOneKey(action));
        }
        // AWS's operations that take an alias are those that tell it to policies.
        let resolved = match supplies(action, KnownKey::KmsRequestAlias) {
            true => self.resolve_key(key.name.clone(), region, caller)?,
            false => self.plain_key(key.name.clone(), region, caller)?,
        };
        let carries = |known| supplies(action, known);
        let facts = OperationFacts {
            encryption_context: carries(KnownKey::KmsEncryptionContext).then_some(&key.context),
            encryption_algorithm: carries(KnownKey::KmsEncryptionAlgorithm)
                .then_some(key.algorithm),
            request_alias: resolved.alias(),
            ..OperationFacts::default()
        };
        let key = resolved.arn();
        let resource = LegResource::Key(key);
        let leg = Leg { side: Side::Key, action, resource, region, facts, grant_tokens };
        let sides = vec![self.explain_leg(&leg, caller)];
        let allowed = sides.iter().all(|side| side.explanation.decision.is_allow());
        let fault = allowed
            .then(|| {
                let fault = operation_fault(self.snapshot(), Side::Key, action, resolved.arn());
                fault.or_else(|| algorithm_fault(self.snapshot(), action, resolved.arn(), caller))
            })
            .flatten();
        Ok(PreflightAnswer { operation: action.name(), sides, fault })
    }
}
