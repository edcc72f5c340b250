//! Operations that need more than one permission, or one that is not on a key.
//!
//! Source: kms developer guide, "AWS KMS permissions", "Controlling access to aliases" and
//! "Controlling access to multi-Region keys".

use std::sync::Arc;

use super::preflight::GrantRequest;
use super::state::operation_fault;
use super::{
    Authorizer, KeyFault, KeyIdentifier, Leg, LegResource, PreflightAnswer, PreflightError,
    PreflightOperation, ResolveError, ResolvedKey, Side,
};
use crate::compile::{AliasTarget, Caller, EntityLookup, Known, Policy, PolicySlot, Source};
use crate::evaluate::{GrantSubject, OperationFacts};
use crate::model::{
    AccountId, Action, ActionSet, AliasArn, AliasName, ConditionKey, ContextMap, ContextValue,
    Decision, EncryptionContext, EncryptionContextConstraint, GrantId, GrantPrincipal, GrantToken,
    Key, KeyArn, KeySpec, KeyUsage, KnownKey, PolicyKind, Principal, PrincipalArnKind, Region,
    ResourceKind, SetQualifier,
};
use crate::syntax;

/// A question in the making: which resource, and the parameters that supply context keys.
struct Need<'n> {
    side: Side,
    action: Action,
    resource: LegResource<'n>,
    region: &'n Region,
    facts: OperationFacts<'n>,
}

impl Authorizer<'_> {
    /// Answers for the operations of this file.
    pub(super) fn catalogued(
        &self,
        operation: PreflightOperation,
        region: &Region,
        tokens: &[GrantToken],
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        use PreflightOperation as O;
        match operation {
            O::CreateAlias { alias, target } => {
                self.alias(Action::CreateAlias, alias, Some(target), region, caller)
            }
            O::UpdateAlias { alias, target } => {
                self.alias(Action::UpdateAlias, alias, Some(target), region, caller)
            }
            O::DeleteAlias { alias } => {
                self.alias(Action::DeleteAlias, alias, None, region, caller)
            }
            O::CreateGrant { key, grant } => self.create_grant(key, &grant, region, tokens, caller),
            O::RetireGrant { key, grant } => self.retire_grant(&key, &grant, tokens, caller),
            O::NoKey { action, tagged } => self.no_key(action, tagged, region, caller),
            O::PutKeyPolicy { key, policy, bypass } => {
                self.put_key_policy(key, policy.as_deref(), bypass, region, caller)
            }
            O::ReplicateKey { key, replica_region, tagged } => {
                self.replicate_key(key, &replica_region, tagged, region, caller)
            }
            O::UpdatePrimaryRegion { key, primary_region } => {
                self.update_primary_region(key, &primary_region, region, caller)
            }
            O::Action { action, .. } => Err(PreflightError::NotOnOneKey(action)),
            O::ReEncrypt { .. } => Err(PreflightError::NotOnOneKey(Action::ReEncryptFrom)),
        }
    }

    /// The alias by IAM alone; the key it points to, and the one it would point to, by key policy.
    fn alias(
        &self,
        action: Action,
        name: AliasName,
        target: Option<KeyIdentifier>,
        region: &Region,
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        if name.is_reserved() {
            let message = format!("`{name}` belongs to AWS managed keys");
            return Err(PreflightError::Refused { code: "InvalidAliasNameException", message });
        }
        let account = account(caller, &name)?;
        let current = match (action, self.snapshot().alias(account, region, &name)) {
            (Action::CreateAlias, _) => None,
            (_, AliasTarget::Key(id)) => Some(KeyIdentifier::Id(id.clone())),
            (_, AliasTarget::Missing) => {
                let what = format!("`{name}`");
                let region = region.clone();
                return Err(ResolveError::NotFound { what, account, region }.into());
            }
            (_, AliasTarget::Unknown(reason)) => {
                let (what, reason) = (format!("`{name}`"), reason.to_owned());
                return Err(ResolveError::Unknown { what, reason }.into());
            }
        };
        let current = current.map(|key| self.resolve_key(key, region, caller)).transpose()?;
        let target = target.map(|key| self.plain_key(key, region, caller)).transpose()?;
        let partition = caller.principal.arn().map_or("aws", |arn| arn.partition());
        let alias = AliasArn { partition: partition.into(), region: region.clone(), account, name };
        let need = |side, resource| Need {
            side,
            action,
            resource,
            region,
            facts: OperationFacts::default(),
        };
        let mut needs = vec![need(Side::Alias, LegResource::Alias(&alias))];
        if let Some(key) = &current {
            needs.push(need(Side::Current, LegResource::Key(key.arn())));
        }
        if let Some(key) = &target {
            let side = if action == Action::CreateAlias { Side::Key } else { Side::Target };
            needs.push(need(side, LegResource::Key(key.arn())));
        }
        Ok(self.answer_needs(action.name(), &needs, &[], caller))
    }

    fn create_grant(
        &self,
        key: KeyIdentifier,
        grant: &GrantRequest,
        region: &Region,
        tokens: &[GrantToken],
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        let key = self.plain_key(key, region, caller)?;
        if let Some(entry) = self.snapshot().key(key.arn())
            && let Some(message) = grant_fault(&entry.key, grant)
        {
            return Err(PreflightError::Refused { code: "ValidationException", message });
        }
        let (context, parameters) = grant_parameters(grant);
        let facts = OperationFacts {
            encryption_context: Some(&context),
            parameters: Some(&parameters),
            grant: GrantSubject::Created {
                operations: grant.operations,
                constraints: &grant.constraints,
            },
            ..OperationFacts::default()
        };
        let (side, action) = (Side::Key, Action::CreateGrant);
        let need = Need { side, action, resource: LegResource::Key(key.arn()), region, facts };
        Ok(self.answer_needs("CreateGrant", &[need], tokens, caller))
    }

    fn retire_grant(
        &self,
        key: &KeyArn,
        id: &GrantId,
        tokens: &[GrantToken],
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        let unknown = |reason: &str| ResolveError::Unknown {
            what: format!("grant `{id}` of {key}"),
            reason: reason.to_owned(),
        };
        let entry = self.snapshot().key(key).ok_or_else(|| unknown("the world has no such key"))?;
        let grants = match &entry.grants {
            Known::Known(grants) => grants,
            Known::Unknown(reason) => return Err(unknown(reason).into()),
        };
        let grant =
            grants.iter().find(|grant| grant.id == *id).ok_or_else(|| ResolveError::NotFound {
                what: format!("grant `{id}`"),
                account: key.account(),
                region: key.region().clone(),
            })?;
        let context = constraint_pairs(grant.constraints.encryption_context.as_ref());
        let mut parameters = ContextMap::new();
        constraint_type(grant.constraints.encryption_context.as_ref(), &mut parameters);
        let facts = OperationFacts {
            encryption_context: Some(&context),
            parameters: Some(&parameters),
            grant: GrantSubject::Retired(grant),
            ..OperationFacts::default()
        };
        let (side, action, region) = (Side::Key, Action::RetireGrant, key.region());
        let need = Need { side, action, resource: LegResource::Key(key), region, facts };
        Ok(self.answer_needs("RetireGrant", &[need], tokens, caller))
    }

    /// The permission; then whether the new `default` policy, without the `AWS_RAM` one, lets the
    /// caller replace it again (kms API reference, "PutKeyPolicy").
    fn put_key_policy(
        &self,
        key: KeyIdentifier,
        policy: Option<&str>,
        bypass: bool,
        region: &Region,
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        let key = self.plain_key(key, region, caller)?;
        let document = policy.map(|text| self.key_policy(text)).transpose()?;
        let mut parameters = ContextMap::new();
        parameters.set("kms:PolicyName", ContextValue::One("default".into()));
        if bypass {
            let name = "kms:BypassPolicyLockoutSafetyCheck";
            parameters.set(name, ContextValue::One("true".into()));
        }
        let facts = OperationFacts { parameters: Some(&parameters), ..OperationFacts::default() };
        let (side, action) = (Side::Key, Action::PutKeyPolicy);
        let need = Need { side, action, resource: LegResource::Key(key.arn()), region, facts };
        let mut answer = self.answer_needs("PutKeyPolicy", &[need], &[], caller);
        if let (Some(slot), false, true) = (document, bypass, answer.decision().is_allow())
            && let Some(changed) = self.snapshot().with_key_policies(key.arn(), vec![slot])
        {
            let leg = Leg {
                side,
                action,
                resource: LegResource::Key(key.arn()),
                region,
                facts,
                grant_tokens: &[],
            };
            let after = Authorizer::new(&changed).explain_leg(&leg, caller);
            match after.explanation.decision {
                Decision::Allow => {}
                // What the new policy says depends on a fact that nobody told.
                Decision::Undetermined => answer.sides.push(after),
                Decision::ExplicitDeny | Decision::ImplicitDeny => {
                    answer.fault = Some(KeyFault {
                        side,
                        code: "MalformedPolicyDocumentException",
                        message: "the new key policy will not allow you to update the key policy in the future"
                            .into(),
                    });
                }
            }
        }
        Ok(answer)
    }

    /// A key policy as KMS takes it: at most 32,768 bytes, and naming principals that exist, as far
    /// as the world knows.
    fn key_policy(&self, text: &str) -> Result<PolicySlot, PreflightError> {
        if text.len() > 32_768 {
            let message = format!("the policy has {} bytes, more than 32768", text.len());
            return Err(PreflightError::Refused { code: "LimitExceededException", message });
        }
        let malformed =
            |message| PreflightError::Refused { code: "MalformedPolicyDocumentException", message };
        let document = syntax::parse(text, PolicyKind::Key).into_result().map_err(|errors| {
            malformed(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        })?;
        let elements = document.statements.iter().filter_map(|one| one.principal.as_ref());
        for principal in elements.flat_map(|element| element.entries()) {
            if let Principal::Arn(arn) = &principal.value
                && matches!(arn.kind(), PrincipalArnKind::User | PrincipalArnKind::Role)
                && matches!(self.snapshot().entity(arn), EntityLookup::Missing)
            {
                return Err(malformed(format!("the principal `{arn}` does not exist")));
            }
        }
        // kms developer guide, "kms:EncryptionContext": such a condition holds without the key.
        let is_loose = |key: &ConditionKey| {
            matches!(key.known(), Some(KnownKey::KmsEncryptionContext | KnownKey::AwsRequestTag))
        };
        for entry in document.statements.iter().flat_map(|one| &one.condition) {
            if entry.operator.value.qualifier == Some(SetQualifier::ForAllValues)
                && let Some(loose) = entry.conditions.iter().find(|one| is_loose(&one.key.value))
            {
                return Err(malformed(format!(
                    "OverlyPermissiveCondition: ForAllValues cannot be used with `{}`",
                    loose.key.value
                )));
            }
        }
        let source = Source::file("the new key policy", text);
        let policy = Policy::compile(&document, PolicyKind::Key, "key policy default", source);
        Ok(PolicySlot::Compiled(Arc::new(policy)))
    }

    /// IAM alone decides; a new key's tags are a permission of their own.
    fn no_key(
        &self,
        action: Action,
        tagged: bool,
        region: &Region,
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        if action.resource_kind() != ResourceKind::Any {
            return Err(PreflightError::NotOnOneKey(action));
        }
        let new_key = new_key_parameters(caller);
        let parameters = (action == Action::CreateKey).then_some(&new_key);
        let facts = OperationFacts { parameters, ..OperationFacts::default() };
        let need = |action| Need {
            side: Side::Account,
            action,
            resource: LegResource::Any,
            region,
            facts,
        };
        let mut needs = vec![need(action)];
        if tagged {
            needs.push(need(Action::TagResource));
        }
        Ok(self.answer_needs(action.name(), &needs, &[], caller))
    }

    /// `kms:ReplicateKey` on the primary, by its key policy, and `kms:CreateKey` in the replica's
    /// Region, by IAM.
    fn replicate_key(
        &self,
        key: KeyIdentifier,
        replica_region: &Region,
        tagged: bool,
        region: &Region,
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        let primary = self.plain_key(key, region, caller)?;
        let mut parameters = ContextMap::new();
        parameters.set("kms:ReplicaRegion", ContextValue::One(replica_region.to_string()));
        let facts = OperationFacts { parameters: Some(&parameters), ..OperationFacts::default() };
        let mut replica = new_key_parameters(caller);
        for (name, value) in [("kms:MultiRegion", "true"), ("kms:MultiRegionKeyType", "REPLICA")] {
            replica.set(name, ContextValue::One(value.into()));
        }
        if let Some(entry) = self.snapshot().key(primary.arn()) {
            replica.set("kms:KeySpec", ContextValue::One(entry.key.spec.as_str().into()));
            replica.set("kms:KeyUsage", ContextValue::One(entry.key.usage.as_str().into()));
        }
        let created = OperationFacts { parameters: Some(&replica), ..OperationFacts::default() };
        let mut needs = vec![
            Need {
                side: Side::Key,
                action: Action::ReplicateKey,
                resource: LegResource::Key(primary.arn()),
                region,
                facts,
            },
            Need {
                side: Side::Account,
                action: Action::CreateKey,
                resource: LegResource::Any,
                region: replica_region,
                facts: created,
            },
        ];
        if tagged {
            needs.push(Need {
                side: Side::Account,
                action: Action::TagResource,
                resource: LegResource::Any,
                region: replica_region,
                facts: created,
            });
        }
        Ok(self.answer_needs("ReplicateKey", &needs, &[], caller))
    }

    /// The permission on the primary and on the replica that takes its place, each in its Region.
    fn update_primary_region(
        &self,
        key: KeyIdentifier,
        primary_region: &Region,
        region: &Region,
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        let current = self.plain_key(key, region, caller)?;
        let arn = current.arn();
        let target = KeyArn::new(arn.partition(), primary_region, arn.account(), arn.id())
            .map_err(|error| PreflightError::Refused {
                code: "InvalidArnException",
                message: error.to_string(),
            })?;
        let mut parameters = ContextMap::new();
        parameters.set("kms:PrimaryRegion", ContextValue::One(primary_region.to_string()));
        let facts = OperationFacts { parameters: Some(&parameters), ..OperationFacts::default() };
        let action = Action::UpdatePrimaryRegion;
        let needs = [
            Need { side: Side::Current, action, resource: LegResource::Key(arn), region, facts },
            Need {
                side: Side::Target,
                action,
                resource: LegResource::Key(&target),
                region: primary_region,
                facts,
            },
        ];
        Ok(self.answer_needs("UpdatePrimaryRegion", &needs, &[], caller))
    }

    /// The key of an operation that takes a key id or key ARN, and no alias.
    pub(super) fn plain_key(
        &self,
        name: KeyIdentifier,
        region: &Region,
        caller: &Caller,
    ) -> Result<ResolvedKey, PreflightError> {
        if matches!(name, KeyIdentifier::Alias(_) | KeyIdentifier::AliasArn(_)) {
            let message = "this operation takes no alias: name the key by its id or ARN".to_owned();
            return Err(PreflightError::Refused { code: "NotFoundException", message });
        }
        Ok(self.resolve_key(name, region, caller)?)
    }

    fn answer_needs(
        &self,
        operation: &'static str,
        needs: &[Need<'_>],
        grant_tokens: &[GrantToken],
        caller: &Caller,
    ) -> PreflightAnswer {
        let legs = needs.iter().map(|need| Leg {
            side: need.side,
            action: need.action,
            resource: need.resource,
            region: need.region,
            facts: need.facts,
            grant_tokens,
        });
        let sides: Vec<_> = legs.map(|leg| self.explain_leg(&leg, caller)).collect();
        let allowed = sides.iter().all(|side| side.explanation.decision.is_allow());
        let faults = needs.iter().filter_map(|need| match need.resource {
            LegResource::Key(arn) => operation_fault(self.snapshot(), need.side, need.action, arn),
            LegResource::Alias(_) | LegResource::Any => None,
        });
        let fault = if allowed { faults.take(1).next() } else { None };
        PreflightAnswer { operation, sides, fault }
    }
}

fn account(caller: &Caller, name: &AliasName) -> Result<AccountId, ResolveError> {
    caller.principal.account().ok_or_else(|| ResolveError::NoAccount(name.to_string()))
}

/// What `CreateKey` puts into its request: what was stated of it, else its defaults, which count
/// (kms developer guide, "kms:KeySpec").
fn new_key_parameters(caller: &Caller) -> ContextMap {
    let mut parameters = ContextMap::new();
    for (name, lower, default) in [
        ("kms:KeySpec", "kms:keyspec", "SYMMETRIC_DEFAULT"),
        ("kms:KeyUsage", "kms:keyusage", "ENCRYPT_DECRYPT"),
        ("kms:KeyOrigin", "kms:keyorigin", "AWS_KMS"),
        ("kms:MultiRegion", "kms:multiregion", "false"),
    ] {
        let default = ContextValue::One(default.into());
        parameters.set(name, caller.context.stated(lower).cloned().unwrap_or(default));
    }
    for (name, lower) in [
        ("kms:MultiRegionKeyType", "kms:multiregionkeytype"),
        ("kms:BypassPolicyLockoutSafetyCheck", "kms:bypasspolicylockoutsafetycheck"),
    ] {
        if let Some(value) = caller.context.stated(lower) {
            parameters.set(name, value.clone());
        }
    }
    parameters
}

/// Why KMS would not make such a grant on the key.
fn grant_fault(key: &Key, grant: &GrantRequest) -> Option<String> {
    if grant.operations.is_empty() {
        return Some("a grant allows at least one operation".into());
    }
    let service = matches!(grant.grantee, GrantPrincipal::Service(_));
    if service && grant.constraints.source_arn.is_none() {
        return Some("a grant to a service needs a SourceArn constraint".into());
    }
    if service && grant.retiring.is_none() {
        return Some("a grant to a service needs a retiring principal".into());
    }
    let pairs = constraint_pairs(grant.constraints.encryption_context.as_ref());
    if pairs.len() > 8 {
        return Some("an encryption context constraint has at most 8 pairs".into());
    }
    if grant.constraints.encryption_context.is_some() && !key.spec.is_symmetric() {
        return Some("only grants on symmetric keys have encryption context constraints".into());
    }
    let grantable = grantable(key);
    let wrong = grant.operations.iter().find(|action| !grantable.contains(*action))?;
    Some(format!("a grant on a {} key for {} cannot allow {}", key.spec, key.usage, wrong.name()))
}

/// The operations a grant on the key can allow (botocore `GrantOperation`; kms developer guide,
/// "Grant operations").
fn grantable(key: &Key) -> ActionSet {
    use Action as A;
    let mut actions = vec![A::CreateGrant, A::RetireGrant, A::DescribeKey];
    match key.usage {
        KeyUsage::EncryptDecrypt => {
            actions.extend([A::Encrypt, A::Decrypt, A::ReEncryptFrom, A::ReEncryptTo]);
        }
        KeyUsage::SignVerify => actions.extend([A::Sign, A::Verify]),
        KeyUsage::GenerateVerifyMac => actions.extend([A::GenerateMac, A::VerifyMac]),
        KeyUsage::KeyAgreement => actions.push(A::DeriveSharedSecret),
        KeyUsage::EncapsulateDecapsulate => actions.extend([A::Encapsulate, A::Decapsulate]),
    }
    if key.spec == KeySpec::SymmetricDefault {
        actions.extend([
            A::GenerateDataKey,
            A::GenerateDataKeyWithoutPlaintext,
            A::GenerateDataKeyPair,
            A::GenerateDataKeyPairWithoutPlaintext,
        ]);
    } else if key.usage != KeyUsage::GenerateVerifyMac {
        actions.push(A::GetPublicKey);
    }
    actions.into_iter().collect()
}

/// The context keys of `CreateGrant` (kms developer guide, "AWS KMS condition keys").
fn grant_parameters(grant: &GrantRequest) -> (EncryptionContext, ContextMap) {
    let mut parameters = ContextMap::new();
    let mut put = |name: &str, value: &str| parameters.set(name, ContextValue::One(value.into()));
    match &grant.grantee {
        GrantPrincipal::Service(service) => put("kms:GranteeServicePrincipal", service.as_str()),
        other => put("kms:GranteePrincipal", other.as_str()),
    }
    match &grant.retiring {
        Some(GrantPrincipal::Service(service)) => {
            put("kms:RetiringServicePrincipal", service.as_str());
        }
        Some(other) => put("kms:RetiringPrincipal", other.as_str()),
        None => {}
    }
    if let Some(arn) = &grant.constraints.source_arn {
        put("kms:GrantConstraintSourceArn", arn);
    }
    let operations = grant.operations.iter().map(|action| action.name().to_owned()).collect();
    parameters.set("kms:GrantOperations", ContextValue::Many(operations));
    let constraint = grant.constraints.encryption_context.as_ref();
    constraint_type(constraint, &mut parameters);
    (constraint_pairs(constraint), parameters)
}

fn constraint_type(constraint: Option<&EncryptionContextConstraint>, parameters: &mut ContextMap) {
    let name = match constraint {
        Some(EncryptionContextConstraint::Equals(_)) => "EncryptionContextEquals",
        Some(EncryptionContextConstraint::Subset(_)) => "EncryptionContextSubset",
        None => return,
    };
    parameters.set("kms:GrantConstraintType", ContextValue::One(name.into()));
}

fn constraint_pairs(constraint: Option<&EncryptionContextConstraint>) -> EncryptionContext {
    match constraint {
        Some(
            EncryptionContextConstraint::Equals(pairs) | EncryptionContextConstraint::Subset(pairs),
        ) => pairs.clone(),
        None => EncryptionContext::new(),
    }
}
