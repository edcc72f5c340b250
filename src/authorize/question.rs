//! What can be asked without the data.

use super::PreflightError;
use super::resolve::KeyIdentifier;
use crate::model::{
    Action, ActionSet, AliasName, EncryptionAlgorithm, EncryptionContext, GrantConstraints,
    GrantId, GrantPrincipal, GrantToken, InvalidText, PolicyName, Region, ResourceKind,
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

/// What is asked for a key that is yet to be made.
#[derive(Clone, Debug, Default)]
pub struct NewKeyRequest {
    /// Its policy's text; the default key policy without.
    pub policy: Option<String>,
    /// `BypassPolicyLockoutSafetyCheck`.
    pub bypass: bool,
    /// Whether tags are passed, which `kms:TagResource` must allow as well.
    pub tagged: bool,
}

/// Which grant is retired.
#[derive(Clone, Debug)]
pub enum RetiredGrant {
    /// By its key, no alias, and its id.
    Id(KeyIdentifier, GrantId),
    /// By a token.
    Token(GrantToken),
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
    /// `CreateKey`. Spec, usage, origin and tags are stated as the condition keys they supply.
    CreateKey(NewKeyRequest),
    /// `DeleteAlias`: the alias, and the key it points to.
    DeleteAlias {
        /// The alias, in the caller's account.
        alias: AliasName,
    },
    /// `GetKeyPolicy`.
    GetKeyPolicy {
        /// The key.
        key: KeyIdentifier,
        /// `PolicyName`; else `kms:PolicyName` as it is stated, else `default`.
        name: Option<PolicyName>,
    },
    /// `ListRetirableGrants`: of the grants of a principal.
    ListRetirableGrants {
        /// The principal; the permission alone is judged without.
        retiring: Option<GrantPrincipal>,
    },
    /// An action without a key: `ListKeys`, `GenerateRandom`, …
    NoKey {
        /// The action.
        action: Action,
    },
    /// `PutKeyPolicy`: the permission, and whether the new policy would lock its author out.
    PutKeyPolicy {
        /// The key.
        key: KeyIdentifier,
        /// `PolicyName`; else `kms:PolicyName` as it is stated, else `default`.
        name: Option<PolicyName>,
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
        /// The replica.
        new: NewKeyRequest,
    },
    /// A request that KMS takes for none, as with two members of which it takes one:
    /// `ValidationException`, whoever asks.
    Malformed {
        /// What is wrong with it.
        message: String,
    },
    /// `RetireGrant`.
    RetireGrant {
        /// The grant.
        grant: RetiredGrant,
    },
    /// `RevokeGrant`.
    RevokeGrant {
        /// The key.
        key: KeyIdentifier,
        /// The grant; the permission alone is judged without.
        grant: Option<GrantId>,
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
    /// `DryRun`: a request that would succeed is `DryRunOperationException`.
    pub dry_run: bool,
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

impl Preflight {
    pub(super) fn region(&self) -> Result<Region, PreflightError> {
        if let Some(region) = &self.region {
            return Ok(region.clone());
        }
        use PreflightOperation as O;
        let keys = match &self.operation {
            O::Action { key, .. } => vec![&key.name],
            O::ReEncrypt { source, destination } => vec![&source.name, &destination.name],
            O::CreateGrant { key, .. }
            | O::GetKeyPolicy { key, .. }
            | O::RetireGrant { grant: RetiredGrant::Id(key, _) }
            | O::RevokeGrant { key, .. }
            | O::ReplicateKey { key, .. }
            | O::UpdatePrimaryRegion { key, .. }
            | O::PutKeyPolicy { key, .. }
            | O::CreateAlias { target: key, .. }
            | O::UpdateAlias { target: key, .. } => vec![key],
            O::CreateKey(_)
            | O::DeleteAlias { .. }
            | O::ListRetirableGrants { .. }
            | O::Malformed { .. }
            | O::NoKey { .. }
            | O::RetireGrant { grant: RetiredGrant::Token(_) } => Vec::new(),
        };
        keys.into_iter().find_map(KeyIdentifier::region).ok_or(PreflightError::NoRegion)
    }
}
