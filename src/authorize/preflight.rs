//! Questions without the data: will this call be allowed?

use super::denied::overall;
use super::resolve::NoInspector;
use super::state::{Judged, key_fault};
use super::{
    Authorizer, DecryptRequest, EncryptRequest, KeyFault, KeyIdentifier, Leg, ReEncryptRequest,
    ResolveError, Side, SideAnswer,
};
use crate::compile::Caller;
use crate::evaluate::{OperationFacts, supplies};
use crate::model::{
    Action, Decision, EncryptionAlgorithm, EncryptionContext, GrantToken, InvalidText, KnownKey,
    Region, ResourceKind,
};

/// One key of a question, with what the request says on its side.
#[derive(Clone, Debug)]
pub struct PreflightKey {
    /// The key as the request would name it.
    pub name: KeyIdentifier,
    /// The encryption context of this side.
    pub context: EncryptionContext,
    /// The algorithm of this side; the one the key's spec defaults to when not given.
    pub algorithm: EncryptionAlgorithm,
}

/// What is asked about.
#[derive(Clone, Debug)]
pub enum PreflightOperation {
    /// An action on one key.
    Action {
        /// The action.
        action: Action,
        /// The key.
        key: PreflightKey,
    },
    /// `ReEncrypt`: both sides.
    ReEncrypt {
        /// The key that decrypts.
        source: PreflightKey,
        /// The key that encrypts.
        destination: PreflightKey,
    },
}

/// A question without the data.
#[derive(Clone, Debug)]
pub struct Preflight {
    /// What is asked about.
    pub operation: PreflightOperation,
    /// The Region the request would be sent to; by default that of the first key named by ARN.
    pub region: Option<Region>,
    /// Grant tokens of the request.
    pub grant_tokens: Vec<GrantToken>,
}

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
}

impl PreflightOperation {
    /// Reads the name of an operation or action that is decided on one key: `Decrypt`,
    /// `kms:DescribeKey`. `ReEncrypt` is [`Self::ReEncrypt`], and no action.
    ///
    /// # Errors
    /// When it is none.
    pub fn action(name: &str) -> Result<Action, InvalidText> {
        let action: Action = name.parse().map_err(|error: InvalidText| {
            if name.trim_start_matches("kms:").eq_ignore_ascii_case("ReEncrypt") {
                InvalidText::new(
                    name,
                    "an action: the operation ReEncrypt is authorized as `kms:ReEncryptFrom` and `kms:ReEncryptTo`",
                )
            } else {
                error
            }
        })?;
        if action.resource_kind() == ResourceKind::Key && action != Action::RetireGrant {
            Ok(action)
        } else {
            Err(InvalidText::new(name, "an action that is decided on one key"))
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
        let region = question.region()?;
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
        let resolved = self.resolve_key(key.name.clone(), region, caller)?;
        let carries = |known| supplies(action, known);
        let facts = OperationFacts {
            encryption_context: carries(KnownKey::KmsEncryptionContext).then_some(&key.context),
            encryption_algorithm: carries(KnownKey::KmsEncryptionAlgorithm)
                .then_some(key.algorithm),
            request_alias: resolved.alias(),
            re_encrypt_on_same_key: None,
        };
        let key = resolved.arn();
        let leg = Leg { side: Side::Key, action, key, region, facts, grant_tokens };
        let sides = vec![self.explain_leg(&leg, caller)];
        // States and usages of the other operations are not judged here; data keys are made with
        // the same keys that encrypt.
        let makes_data_keys = carries(KnownKey::KmsEncryptionAlgorithm)
            && !matches!(action, Action::ReEncryptFrom | Action::ReEncryptTo);
        let allowed = sides.iter().all(|side| side.explanation.decision.is_allow());
        let algorithm = EncryptionAlgorithm::SymmetricDefault;
        let fault = (allowed && makes_data_keys)
            .then(|| key_fault(self.snapshot(), Side::Key, &resolved, algorithm))
            .flatten();
        Ok(PreflightAnswer { operation: action.name(), sides, fault })
    }
}

impl Preflight {
    fn region(&self) -> Result<Region, PreflightError> {
        if let Some(region) = &self.region {
            return Ok(region.clone());
        }
        let keys = match &self.operation {
            PreflightOperation::Action { key, .. } => vec![key],
            PreflightOperation::ReEncrypt { source, destination } => vec![source, destination],
        };
        keys.into_iter().find_map(|key| key.name.region()).ok_or(PreflightError::NoRegion)
    }
}
