//! Answers of KMS as the AWS CLI prints them.

use aws_sdk_kms::operation::get_key_rotation_status::GetKeyRotationStatusOutput;
use aws_sdk_kms::primitives::DateTime;
use aws_sdk_kms::types::{
    AliasListEntry, GrantListEntry, KeyMetadata, MultiRegionConfiguration, MultiRegionKey, Tag,
};
use serde_json::{Map, Value, json};

use crate::model::{KeyArn, Timestamp};

/// `describe-key`.
pub(super) fn key(metadata: &KeyMetadata) -> Value {
    let mut object = Object::default();
    object.put("AWSAccountId", metadata.aws_account_id());
    object.put("KeyId", Some(metadata.key_id()));
    object.put("Arn", metadata.arn());
    object.put("CreationDate", metadata.creation_date().map(date));
    object.put("Enabled", Some(metadata.enabled()));
    object.put("Description", metadata.description());
    object.put("KeyUsage", metadata.key_usage().map(|word| word.as_str()));
    object.put("KeyState", metadata.key_state().map(|word| word.as_str()));
    object.put("DeletionDate", metadata.deletion_date().map(date));
    object.put("ValidTo", metadata.valid_to().map(date));
    object.put("Origin", metadata.origin().map(|word| word.as_str()));
    object.put("CustomKeyStoreId", metadata.custom_key_store_id());
    object.put("CloudHsmClusterId", metadata.cloud_hsm_cluster_id());
    object.put("ExpirationModel", metadata.expiration_model().map(|word| word.as_str()));
    object.put("KeyManager", metadata.key_manager().map(|word| word.as_str()));
    object.put("KeySpec", metadata.key_spec().map(|word| word.as_str()));
    // The CLI prints the spec under its former name as well.
    object.put("CustomerMasterKeySpec", metadata.key_spec().map(|word| word.as_str()));
    object
        .list("EncryptionAlgorithms", metadata.encryption_algorithms().iter().map(|a| a.as_str()));
    object.list("SigningAlgorithms", metadata.signing_algorithms().iter().map(|a| a.as_str()));
    object.list(
        "KeyAgreementAlgorithms",
        metadata.key_agreement_algorithms().iter().map(|a| a.as_str()),
    );
    object.list("MacAlgorithms", metadata.mac_algorithms().iter().map(|a| a.as_str()));
    object.put("MultiRegion", metadata.multi_region());
    object.put("MultiRegionConfiguration", metadata.multi_region_configuration().map(regions));
    object.put("PendingDeletionWindowInDays", metadata.pending_deletion_window_in_days());
    object.put("CurrentKeyMaterialId", metadata.current_key_material_id());
    json!({"KeyMetadata": object.0})
}

fn regions(configuration: &MultiRegionConfiguration) -> Value {
    let key = |key: &MultiRegionKey| {
        let mut object = Object::default();
        object.put("Arn", key.arn());
        object.put("Region", key.region());
        Value::Object(object.0)
    };
    let mut object = Object::default();
    object
        .put("MultiRegionKeyType", configuration.multi_region_key_type().map(|word| word.as_str()));
    object.put("PrimaryKey", configuration.primary_key().map(key));
    let replicas: Vec<Value> = configuration.replica_keys().iter().map(key).collect();
    object.put("ReplicaKeys", Some(replicas));
    Value::Object(object.0)
}

/// `get-key-policy`.
pub(super) fn policy(name: &str, text: &str) -> Value {
    json!({"Policy": text, "PolicyName": name})
}

/// One of `list-grants` of a key. Where an emulator has the key's id, AWS has its ARN.
pub(super) fn grant(entry: &GrantListEntry, key: &KeyArn) -> Value {
    let mut object = Object::default();
    let on = entry.key_id().map(|on| if on == key.id().as_str() { key.as_str() } else { on });
    object.put("KeyId", on);
    object.put("GrantId", entry.grant_id());
    object.put("Name", entry.name());
    object.put("CreationDate", entry.creation_date().map(date));
    object.put("GranteePrincipal", entry.grantee_principal());
    object.put("GranteeServicePrincipal", entry.grantee_service_principal());
    object.put("RetiringPrincipal", entry.retiring_principal());
    object.put("RetiringServicePrincipal", entry.retiring_service_principal());
    object.put("IssuingAccount", entry.issuing_account());
    let operations: Vec<&str> = entry.operations().iter().map(|word| word.as_str()).collect();
    object.put("Operations", Some(operations));
    if let Some(constraints) = entry.constraints() {
        let mut inner = Object::default();
        inner.put("EncryptionContextEquals", constraints.encryption_context_equals().map(sorted));
        inner.put("EncryptionContextSubset", constraints.encryption_context_subset().map(sorted));
        inner.put("SourceArn", constraints.source_arn());
        object.put("Constraints", Some(Value::Object(inner.0)));
    }
    Value::Object(object.0)
}

fn sorted(pairs: &std::collections::HashMap<String, String>) -> Value {
    let sorted: std::collections::BTreeMap<_, _> = pairs.iter().collect();
    json!(sorted)
}

/// One of `list-aliases`.
pub(super) fn alias(entry: &AliasListEntry) -> Value {
    let mut object = Object::default();
    object.put("AliasName", entry.alias_name());
    object.put("AliasArn", entry.alias_arn());
    object.put("TargetKeyId", entry.target_key_id());
    object.put("CreationDate", entry.creation_date().map(date));
    object.put("LastUpdatedDate", entry.last_updated_date().map(date));
    Value::Object(object.0)
}

/// One of `list-resource-tags`.
pub(super) fn tag(tag: &Tag) -> Value {
    json!({"TagKey": tag.tag_key(), "TagValue": tag.tag_value()})
}

/// `get-key-rotation-status`.
pub(super) fn rotation(answer: &GetKeyRotationStatusOutput) -> Value {
    let mut object = Object::default();
    object.put("KeyRotationEnabled", Some(answer.key_rotation_enabled()));
    object.put("KeyId", answer.key_id());
    object.put("RotationPeriodInDays", answer.rotation_period_in_days());
    object.put("NextRotationDate", answer.next_rotation_date().map(date));
    Value::Object(object.0)
}

fn date(date: &DateTime) -> String {
    Timestamp::new(date.secs(), date.subsec_nanos()).to_string()
}

/// An object without members that are not said.
#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn put(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
    }

    fn list<'v>(&mut self, name: &str, values: impl Iterator<Item = &'v str>) {
        let values: Vec<&str> = values.collect();
        self.put(name, (!values.is_empty()).then_some(values));
    }
}
