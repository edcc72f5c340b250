//! Operations that make keys.
//!
//! Source: kms API reference, "CreateKey" and "ReplicateKey"; kms developer guide, "Controlling
//! access to multi-Region keys".

use std::sync::Arc;

use super::catalog::Need;
use super::key_policy::lockout;
use super::{
    Authorizer, KeyFault, KeyIdentifier, LegResource, NewKeyRequest, PreflightAnswer,
    PreflightError, Side,
};
use crate::compile::{Caller, Grants, KeyEntry, Known, PolicySlot};
use crate::evaluate::OperationFacts;
use crate::model::{
    Action, ContextMap, ContextValue, Key, KeyArn, KeyId, MultiRegionKeyType, Reading, Region,
};

impl Authorizer<'_> {
    /// IAM alone decides; tags are a permission of their own, and the maker of the key must be able
    /// to replace its policy.
    pub(super) fn create_key(
        &self,
        new: &NewKeyRequest,
        region: &Region,
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        let policy = self.new_policy(new)?;
        let parameters = new_key_parameters(new, caller);
        let facts = OperationFacts { parameters: Some(&parameters), ..OperationFacts::default() };
        let mut answer = self.answer_needs("CreateKey", &created(new, region, facts), &[], caller);
        if let Some(key) = new_key(&parameters, region, caller) {
            self.new_lockout(&mut answer, key, policy, new, caller);
        }
        Ok(answer)
    }

    /// `kms:ReplicateKey` on the primary, by its key policy, and `kms:CreateKey` in the replica's
    /// Region, by IAM.
    pub(super) fn replicate_key(
        &self,
        key: KeyIdentifier,
        replica_region: &Region,
        new: &NewKeyRequest,
        region: &Region,
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        let primary = self.plain_key(key, region, caller)?;
        let policy = self.new_policy(new)?;
        let mut parameters = ContextMap::new();
        parameters.set("kms:ReplicaRegion", ContextValue::One(replica_region.to_string()));
        let facts = OperationFacts { parameters: Some(&parameters), ..OperationFacts::default() };
        let mut replica = new_key_parameters(new, caller);
        let mut put = |name, value: &str| replica.set(name, ContextValue::One(value.into()));
        put("kms:MultiRegion", "true");
        put("kms:MultiRegionKeyType", MultiRegionKeyType::Replica.as_str());
        let entry = self.snapshot().key(primary.arn());
        if let Some(entry) = entry {
            // Related keys share these.
            put("kms:KeySpec", entry.key.spec.as_str());
            put("kms:KeyUsage", entry.key.usage.as_str());
            put("kms:KeyOrigin", entry.key.origin.as_str());
        }
        let replicated = OperationFacts { parameters: Some(&replica), ..OperationFacts::default() };
        let mut needs = vec![Need {
            side: Side::Key,
            action: Action::ReplicateKey,
            resource: LegResource::Key(primary.arn()),
            region,
            facts,
        }];
        needs.extend(created(new, replica_region, replicated));
        let mut answer = self.answer_needs("ReplicateKey", &needs, &[], caller);
        let arn = primary.arn();
        let made = KeyArn::new(arn.partition(), replica_region, arn.account(), arn.id()).ok();
        // K22: a Region has one of the related keys.
        answer.also(|| {
            let fault = |code, message| Some(KeyFault { side: Side::Key, code, message });
            if replica_region == arn.region() {
                let message = format!("{arn} is in {replica_region} itself");
                return fault("ValidationException", message);
            }
            let related = self.snapshot().key(made.as_ref()?)?;
            fault("AlreadyExistsException", format!("{} exists", related.key.arn))
        });
        // The guide's demand (K18) is on CreateKey alone.
        if let (Some(arn), Some(entry), true) = (made, entry, policy.is_some()) {
            let multi_region = Some(MultiRegionKeyType::Replica);
            let key = Key { arn, multi_region, ..entry.key.clone() };
            self.new_lockout(&mut answer, key, policy, new, caller);
        }
        Ok(answer)
    }

    fn new_policy(&self, new: &NewKeyRequest) -> Result<Option<PolicySlot>, PreflightError> {
        new.policy.as_deref().map(|text| self.key_policy(text)).transpose()
    }

    /// K18: the developer guide asks it of whoever calls CreateKey, the API reference where a policy
    /// is passed.
    fn new_lockout(
        &self,
        answer: &mut PreflightAnswer,
        key: Key,
        policy: Option<PolicySlot>,
        new: &NewKeyRequest,
        caller: &Caller,
    ) {
        let reading = self.snapshot().readings().choice(Reading::CreateKeyLockout);
        if new.bypass || (policy.is_none() && reading == 1) {
            return;
        }
        let arn = key.arn.clone();
        let Some(policy) = policy.or_else(|| self.default_policy(&arn)) else { return };
        let changed = self.snapshot().with_new_key(KeyEntry {
            key,
            policies: [policy].into_iter().collect(),
            grants: Known::Known(Grants::default()),
            tags: if new.tagged { tags(caller) } else { Known::Known([].into()) },
            aliases: Known::Known(Vec::new().into()),
        });
        if let Some(changed) = changed {
            lockout(answer, &changed, Side::Account, &arn, caller);
        }
    }

    /// The policy of a key that is made without one (kms developer guide, "Default key policy").
    fn default_policy(&self, key: &KeyArn) -> Option<PolicySlot> {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"arn:{}:iam::{}:root"}},"Action":"kms:*","Resource":"*"}}}}"#,
            key.partition(),
            key.account()
        );
        self.key_policy(&text).ok()
    }
}

/// What is asked of the caller's account in the Region of a new key.
fn created<'n>(
    new: &NewKeyRequest,
    region: &'n Region,
    facts: OperationFacts<'n>,
) -> Vec<Need<'n>> {
    let mut actions = vec![Action::CreateKey];
    if new.tagged {
        actions.push(Action::TagResource);
    }
    let (side, resource) = (Side::Account, LegResource::Any);
    actions.into_iter().map(|action| Need { side, action, resource, region, facts }).collect()
}

/// What `CreateKey` puts into its request: what was stated of it, else its defaults, which count
/// (kms developer guide, "kms:KeySpec").
fn new_key_parameters(new: &NewKeyRequest, caller: &Caller) -> ContextMap {
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
    // X13: a multi-Region key begins as the primary one.
    if text(&parameters, "kms:multiregion") == Some("true") {
        let primary = ContextValue::One(MultiRegionKeyType::Primary.as_str().into());
        parameters.set("kms:MultiRegionKeyType", primary);
    }
    let bypass = "kms:BypassPolicyLockoutSafetyCheck";
    if new.bypass {
        parameters.set(bypass, ContextValue::One("true".into()));
    } else if let Some(value) = caller.context.stated("kms:bypasspolicylockoutsafetycheck") {
        parameters.set(bypass, value.clone());
    }
    parameters
}

fn text<'m>(parameters: &'m ContextMap, lower: &str) -> Option<&'m str> {
    match parameters.stated(lower)? {
        ContextValue::One(text) => Some(text),
        ContextValue::Absent | ContextValue::Many(_) => None,
    }
}

/// The key that `CreateKey` makes; its id stands for one nobody knows yet. `None` for a caller
/// without account, which makes no keys.
fn new_key(parameters: &ContextMap, region: &Region, caller: &Caller) -> Option<Key> {
    let account = caller.principal.account()?;
    let partition = caller.principal.arn().map_or("aws", |arn| arn.partition());
    let is_multi_region = text(parameters, "kms:multiregion") == Some("true");
    let id: KeyId = match is_multi_region {
        true => "mrk-00000000000000000000000000000000",
        false => "00000000-0000-0000-0000-000000000000",
    }
    .parse()
    .ok()?;
    let mut key = Key::symmetric(KeyArn::new(partition, region, account, &id).ok()?);
    let stated = |lower| text(parameters, lower);
    key.spec = stated("kms:keyspec").and_then(|spec| spec.parse().ok()).unwrap_or(key.spec);
    key.usage = stated("kms:keyusage").and_then(|usage| usage.parse().ok()).unwrap_or(key.usage);
    key.origin = stated("kms:keyorigin").and_then(|it| it.parse().ok()).unwrap_or(key.origin);
    key.multi_region = is_multi_region.then_some(MultiRegionKeyType::Primary);
    Some(key)
}

/// The tags of the request, as they are stated.
fn tags(caller: &Caller) -> Known<Arc<[(String, String)]>> {
    const FAMILY: &str = "aws:RequestTag/";
    let stated = caller.context.iter().filter_map(|(name, value)| match value {
        ContextValue::One(value) => {
            let (family, tag) = name.split_at_checked(FAMILY.len())?;
            family.eq_ignore_ascii_case(FAMILY).then(|| (tag.to_owned(), value.clone()))
        }
        ContextValue::Absent | ContextValue::Many(_) => None,
    });
    let stated: Arc<[_]> = stated.collect();
    if stated.is_empty() {
        return Known::Unknown(
            "the tags of the new key are not stated: give aws:RequestTag/…".into(),
        );
    }
    Known::Known(stated)
}
