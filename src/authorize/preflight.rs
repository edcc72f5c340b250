//! Questions without the data: will this call be allowed?

use super::denied::overall;
use super::resolve::NoInspector;
use super::state::{Judged, operation_fault};
use super::{
    Authorizer, DecryptRequest, EncryptRequest, KeyFault, KeyIdentifier, Leg, LegResource,
    ReEncryptRequest, ResolveError, Side, SideAnswer,
};
use crate::compile::Caller;
use crate::evaluate::{OperationFacts, supplies};
use crate::model::{
    Action, ActionSet, AliasName, Decision, EncryptionAlgorithm, EncryptionContext,
    GrantConstraints, GrantId, GrantPrincipal, GrantToken, InvalidText, KeyArn, KnownKey, Region,
    ResourceKind,
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

/// What `CreateGrant` is asked for.
#[derive(Clone, Debug)]
pub struct GrantRequest {
    /// Who may use the key.
    pub grantee: GrantPrincipal,
    /// Who may retire the grant.
    pub retiring: Option<GrantPrincipal>,
    /// What is allowed.
    pub operations: ActionSet,
    /// When it is allowed.
    pub constraints: GrantConstraints,
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
    /// `CreateAlias`: the alias, and the key it would point to.
    CreateAlias {
        /// The alias, in the caller's account.
        alias: AliasName,
        /// The key.
        target: KeyIdentifier,
    },
    /// `CreateGrant`.
    CreateGrant {
        /// The key.
        key: KeyIdentifier,
        /// The grant.
        grant: Box<GrantRequest>,
    },
    /// `DeleteAlias`: the alias, and the key it points to.
    DeleteAlias {
        /// The alias, in the caller's account.
        alias: AliasName,
    },
    /// An action without a key: `CreateKey`, `ListKeys`, …
    NoKey {
        /// The action.
        action: Action,
        /// Whether tags are passed, which `kms:TagResource` must allow as well.
        tagged: bool,
    },
    /// `PutKeyPolicy`: the permission, and whether the new policy would lock its author out.
    PutKeyPolicy {
        /// The key.
        key: KeyIdentifier,
        /// The new policy's text; the permission alone is judged without.
        policy: Option<String>,
        /// `BypassPolicyLockoutSafetyCheck`.
        bypass: bool,
    },
    /// `ReEncrypt`: both sides.
    ReEncrypt {
        /// The key that decrypts.
        source: PreflightKey,
        /// The key that encrypts.
        destination: PreflightKey,
    },
    /// `ReplicateKey`: the primary key, and a new key in another Region.
    ReplicateKey {
        /// The primary key.
        key: KeyIdentifier,
        /// The Region of the replica.
        replica_region: Region,
        /// Whether tags are passed, which `kms:TagResource` must allow as well.
        tagged: bool,
    },
    /// `RetireGrant`.
    RetireGrant {
        /// The key the grant is on.
        key: KeyArn,
        /// The grant.
        grant: GrantId,
    },
    /// `UpdateAlias`: the alias, the key it points to, and the key it would point to.
    UpdateAlias {
        /// The alias, in the caller's account.
        alias: AliasName,
        /// The key.
        target: KeyIdentifier,
    },
    /// `UpdatePrimaryRegion`: the primary key, and the related key that would become it.
    UpdatePrimaryRegion {
        /// The primary key.
        key: KeyIdentifier,
        /// The Region of the new primary.
        primary_region: Region,
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
            .then(|| operation_fault(self.snapshot(), Side::Key, action, resolved.arn()))
            .flatten();
        Ok(PreflightAnswer { operation: action.name(), sides, fault })
    }
}

impl Preflight {
    fn region(&self) -> Result<Region, PreflightError> {
        if let Some(region) = &self.region {
            return Ok(region.clone());
        }
        use PreflightOperation as O;
        let keys = match &self.operation {
            O::Action { key, .. } => vec![&key.name],
            O::ReEncrypt { source, destination } => vec![&source.name, &destination.name],
            O::CreateGrant { key, .. }
            | O::ReplicateKey { key, .. }
            | O::UpdatePrimaryRegion { key, .. }
            | O::PutKeyPolicy { key, .. }
            | O::CreateAlias { target: key, .. }
            | O::UpdateAlias { target: key, .. } => vec![key],
            O::RetireGrant { key, .. } => return Ok(key.region().clone()),
            O::DeleteAlias { .. } | O::NoKey { .. } => Vec::new(),
        };
        keys.into_iter().find_map(KeyIdentifier::region).ok_or(PreflightError::NoRegion)
    }
}
