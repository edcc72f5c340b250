//! Operations on key policies, and the lock-out check.
//!
//! Source: kms API reference, "PutKeyPolicy", "GetKeyPolicy" and "CreateKey".

use std::sync::Arc;

use super::catalog::Need;
use super::{
    Authorizer, KeyFault, KeyIdentifier, Leg, LegResource, PreflightAnswer, PreflightError, Side,
};
use crate::compile::{Caller, EntityLookup, KeyEntry, Policy, PolicySlot, Snapshot, Source};
use crate::evaluate::OperationFacts;
use crate::model::{
    Action, ConditionKey, ContextMap, ContextValue, Decision, InvalidText, KeyArn, KnownKey,
    PolicyKind, PolicyName, Principal, PrincipalArnKind, Region, SetQualifier,
};
use crate::syntax;

/// What AWS says of principals that it cannot find.
const INVALID_PRINCIPALS: &str = "Policy contains a statement with one or more invalid principals.";

impl Authorizer<'_> {
    /// The permission under the policy's name; then whether there is such a policy.
    pub(super) fn get_key_policy(
        &self,
        key: KeyIdentifier,
        name: Option<PolicyName>,
        region: &Region,
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        let name = policy_name(name, caller)?;
        let key = self.plain_key(key, region, caller)?;
        let parameters = name_parameter(name);
        let facts = OperationFacts { parameters: Some(&parameters), ..OperationFacts::default() };
        let (side, action) = (Side::Key, Action::GetKeyPolicy);
        let need = Need { side, action, resource: LegResource::Key(key.arn()), region, facts };
        let mut answer = self.answer_needs("GetKeyPolicy", &[need], &[], caller);
        answer.also(|| {
            let entry = self.snapshot().key(key.arn())?;
            let missing = name == PolicyName::AwsRam && !is_shared(entry);
            missing.then(|| KeyFault {
                side,
                code: "NotFoundException",
                message: format!("{} has no AWS_RAM policy", key.arn()),
            })
        });
        Ok(answer)
    }

    /// The permission under the policy's name; then whether the new `default` policy, without the
    /// `AWS_RAM` one, lets the caller replace it again. Nobody but RAM writes the `AWS_RAM` policy.
    pub(super) fn put_key_policy(
        &self,
        key: KeyIdentifier,
        name: Option<PolicyName>,
        policy: Option<&str>,
        bypass: bool,
        region: &Region,
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        let name = policy_name(name, caller)?;
        let key = self.plain_key(key, region, caller)?;
        let policy = policy.filter(|_| name == PolicyName::Default);
        let document = policy.map(|text| self.key_policy(text)).transpose()?;
        let mut parameters = name_parameter(name);
        if bypass {
            let name = "kms:BypassPolicyLockoutSafetyCheck";
            parameters.set(name, ContextValue::One("true".into()));
        }
        let facts = OperationFacts { parameters: Some(&parameters), ..OperationFacts::default() };
        let (side, action) = (Side::Key, Action::PutKeyPolicy);
        let need = Need { side, action, resource: LegResource::Key(key.arn()), region, facts };
        let mut answer = self.answer_needs("PutKeyPolicy", &[need], &[], caller);
        answer.also(|| {
            (name == PolicyName::AwsRam).then(|| KeyFault {
                side,
                code: "ValidationException",
                message: "The AWS_RAM policy can only be managed by the RAM service.".into(),
            })
        });
        if let (Some(slot), false) = (document, bypass)
            && let Some(changed) = self.snapshot().with_key_policies(key.arn(), vec![slot])
        {
            lockout(&mut answer, &changed, side, key.arn(), caller);
        }
        Ok(answer)
    }

    /// A key policy as KMS takes it: at most 32,768 bytes, and naming principals that exist, as far
    /// as the world knows (K18).
    pub(super) fn key_policy(&self, text: &str) -> Result<PolicySlot, PreflightError> {
        if text.len() > 32_768 {
            let message = format!("the policy has {} bytes, more than 32768", text.len());
            return Err(PreflightError::Refused { code: "LimitExceededException", message });
        }
        let malformed =
            |message| PreflightError::Refused { code: "MalformedPolicyDocumentException", message };
        // kms API reference, "PutKeyPolicy", `Policy`.
        let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}');
        if let Some(wrong) = text.chars().find(|c| !allowed(*c)) {
            return Err(malformed(format!("a key policy cannot have the character {wrong:?}")));
        }
        let document = syntax::parse(text, PolicyKind::Key).into_result().map_err(|errors| {
            malformed(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        })?;
        let elements = document.statements.iter().filter_map(|one| one.principal.as_ref());
        for principal in elements.flat_map(|element| element.entries()) {
            // Whoever an id named is gone, or is named by ARN.
            if let Principal::Unique(id) = &principal.value {
                return Err(malformed(format!("{INVALID_PRINCIPALS} `{}` is no ARN", id.as_str())));
            }
            if let Principal::Arn(arn) = &principal.value
                && matches!(arn.kind(), PrincipalArnKind::User | PrincipalArnKind::Role)
                && matches!(self.snapshot().entity(arn), EntityLookup::Missing)
            {
                return Err(malformed(format!("{INVALID_PRINCIPALS} `{arn}` does not exist")));
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
}

/// The lock-out check: whether, in a world where the new policy is the key's, the caller could
/// replace it again (kms API reference, "PutKeyPolicy": judged with `kms:PolicyName` `default`).
pub(super) fn lockout(
    answer: &mut PreflightAnswer,
    changed: &Snapshot,
    side: Side,
    key: &KeyArn,
    caller: &Caller,
) {
    if answer.fault.is_some() || !answer.decision().is_allow() {
        return;
    }
    let parameters = name_parameter(PolicyName::Default);
    let leg = Leg {
        side,
        action: Action::PutKeyPolicy,
        resource: LegResource::Key(key),
        region: key.region(),
        facts: OperationFacts { parameters: Some(&parameters), ..OperationFacts::default() },
        grant_tokens: &[],
    };
    let after = Authorizer::new(changed).explain_leg(&leg, caller);
    match after.explanation.decision {
        Decision::Allow => {}
        // What the new policy says depends on a fact that nobody told.
        Decision::Undetermined => answer.sides.push(after),
        Decision::ExplicitDeny | Decision::ImplicitDeny => {
            answer.fault = Some(KeyFault {
                side,
                code: "MalformedPolicyDocumentException",
                message:
                    "The new key policy will not allow you to update the key policy in the future."
                        .into(),
            });
        }
    }
}

/// X13: the name that is given, else stated, else `default`.
fn policy_name(given: Option<PolicyName>, caller: &Caller) -> Result<PolicyName, PreflightError> {
    match (given, caller.context.stated("kms:policyname")) {
        (Some(name), _) => Ok(name),
        (None, Some(ContextValue::One(text))) => text.parse().map_err(|error: InvalidText| {
            PreflightError::Refused { code: "ValidationException", message: error.to_string() }
        }),
        (None, _) => Ok(PolicyName::Default),
    }
}

fn name_parameter(name: PolicyName) -> ContextMap {
    let mut parameters = ContextMap::new();
    parameters.set("kms:PolicyName", ContextValue::One(name.as_str().into()));
    parameters
}

/// Whether the key has a policy of RAM's.
fn is_shared(entry: &KeyEntry) -> bool {
    entry.policies.iter().any(|slot| {
        let name = match slot {
            PolicySlot::Compiled(policy) => policy.name.as_ref(),
            PolicySlot::Unreadable { name, .. } => name.as_ref(),
        };
        name.ends_with(PolicyName::AwsRam.as_str())
    })
}
