//! The request of a case, in the words of the command line, and the condition keys it supplies.

use keyproof::load::RequestWords;
use keyproof::model::{ContextMap, ContextValue, GrantToken};
use serde_json::Value;

use super::pairs;

pub fn grant_tokens(request: &Value) -> Vec<GrantToken> {
    let tokens = request["GrantTokens"].as_array().into_iter().flatten();
    tokens.map(|token| GrantToken::new(token.as_str().unwrap()).unwrap()).collect()
}

/// Whether a member is true; one that is neither true nor false is a mistake of the case.
pub fn flag(request: &Value, member: &str) -> bool {
    match &request[member] {
        Value::Null => false,
        value => value.as_bool().unwrap_or_else(|| panic!("`{member}` is {value}")),
    }
}

/// Whether the ciphertext is not to be looked at.
pub fn ignores_ciphertext(request: &Value) -> bool {
    flag(request, "DryRun") && list(&request["DryRunModifiers"]).is_some_and(|all| !all.is_empty())
}

fn list(value: &Value) -> Option<Vec<String>> {
    let all = value.as_array()?;
    Some(all.iter().map(|one| one.as_str().unwrap().to_owned()).collect())
}

pub fn words(request: &Value) -> RequestWords {
    let operation = request["operation"].as_str().unwrap();
    let text = |member: &str| request[member].as_str().map(str::to_owned);
    let of = |operations: &[&str], member: &str| {
        operations.contains(&operation).then(|| text(member)).flatten()
    };
    let map = |value: &Value| value.is_object().then(|| pairs(value));
    let constraints = &request["Constraints"];
    RequestWords {
        operation: Some(operation.to_owned()),
        // It filters the list of aliases, and is not asked about.
        key_id: text("KeyId").filter(|_| operation != "ListAliases"),
        source_key_id: text("SourceKeyId"),
        destination_key_id: text("DestinationKeyId"),
        alias_name: text("AliasName"),
        target_key_id: text("TargetKeyId"),
        grantee_principal: of(&["CreateGrant"], "GranteePrincipal"),
        grantee_service_principal: of(&["CreateGrant"], "GranteeServicePrincipal"),
        retiring_principal: text("RetiringPrincipal"),
        retiring_service_principal: text("RetiringServicePrincipal"),
        operations: list(&request["Operations"]),
        encryption_context_equals: map(&constraints["EncryptionContextEquals"]),
        encryption_context_subset: map(&constraints["EncryptionContextSubset"]),
        source_arn: constraints["SourceArn"].as_str().map(str::to_owned),
        grant_id: text("GrantId"),
        grant_token: text("GrantToken"),
        policy_name: text("PolicyName"),
        policy: policy(request),
        bypass_policy_lockout_safety_check: flag(request, "BypassPolicyLockoutSafetyCheck"),
        replica_region: text("ReplicaRegion"),
        primary_region: text("PrimaryRegion"),
        tagged: matches!(operation, "CreateKey" | "ReplicateKey")
            && request["Tags"].as_array().is_some_and(|tags| !tags.is_empty()),
        dry_run: flag(request, "DryRun"),
        dry_run_modifiers: list(&request["DryRunModifiers"]).unwrap_or_default(),
        encryption_context: map(&request["EncryptionContext"]),
        source_encryption_context: map(&request["SourceEncryptionContext"]),
        destination_encryption_context: map(&request["DestinationEncryptionContext"]),
        encryption_algorithm: text("EncryptionAlgorithm"),
        source_encryption_algorithm: text("SourceEncryptionAlgorithm"),
        destination_encryption_algorithm: text("DestinationEncryptionAlgorithm"),
    }
}

/// What is wrong with the data, where no keystore can tell: a context that is not the ciphertext's,
/// or more than the key encrypts.
pub fn payload_fault(case: &Value) -> Option<&'static str> {
    let request = &case["request"];
    if ignores_ciphertext(request) {
        return None;
    }
    let source = if request["operation"] == "ReEncrypt" { "Source" } else { "" };
    let own = &request["CiphertextEncryptionContext"];
    if !own.is_null() && pairs(own) != pairs(&request[format!("{source}EncryptionContext")]) {
        return Some("InvalidCiphertextException");
    }
    let (key, algorithm) = match request["operation"].as_str()? {
        "ReEncrypt" => ("DestinationKeyId", "DestinationEncryptionAlgorithm"),
        "Encrypt" => ("KeyId", "EncryptionAlgorithm"),
        _ => return None,
    };
    let length = request["PlaintextLength"].as_u64()?;
    let spec = key_of(case, request[key].as_str()?)?["keySpec"].as_str()?;
    let modulus = match spec {
        "SYMMETRIC_DEFAULT" => return (length > 4096).then_some("ValidationException"),
        "SM2" => return (length > 1024).then_some("ValidationException"),
        rsa => rsa.strip_prefix("RSA_")?.parse::<u64>().ok()? / 8,
    };
    let hash = if request[algorithm] == "RSAES_OAEP_SHA_1" { 20 } else { 32 };
    (length > modulus - 2 * hash - 2).then_some("ValidationException")
}

/// The key that a request names by ARN, id or alias.
fn key_of<'c>(case: &'c Value, name: &str) -> Option<&'c Value> {
    case["keys"].as_array()?.iter().find(|key| {
        let aliases = key["aliases"].as_array().into_iter().flatten();
        let mut aliases = aliases.filter_map(Value::as_str);
        let arn = key["arn"].as_str().unwrap();
        arn == name
            || arn.ends_with(&format!("/{name}"))
            || aliases.any(|alias| name == alias || name.ends_with(&format!(":{alias}")))
    })
}

/// The policy's text, brought to its length with spaces; without a policy, one that keeps the key
/// in its account's hands.
fn policy(request: &Value) -> Option<String> {
    let text = match &request["Policy"] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        document => Some(document.to_string()),
    };
    let Some(bytes) = request["PolicyBytes"].as_u64() else { return text };
    let bytes = usize::try_from(bytes).unwrap();
    let account = request["KeyId"].as_str().and_then(|arn| arn.split(':').nth(4)).unwrap_or("*");
    let text = text.unwrap_or_else(|| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{account}"}},"Action":"kms:*","Resource":"*"}}}}"#
        )
    });
    Some(format!("{text:<bytes$}"))
}

/// Members that supply a condition key: the operations, the key, and the value of a request that
/// leaves the member out.
const SUPPLIED: &[(&str, &[&str], &str, Option<&str>)] = &[
    (
        "KeyPairSpec",
        &["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"],
        "kms:DataKeyPairSpec",
        None,
    ),
    ("KeyAgreementAlgorithm", &["DeriveSharedSecret"], "kms:KeyAgreementAlgorithm", None),
    ("MacAlgorithm", &["GenerateMac", "VerifyMac"], "kms:MacAlgorithm", None),
    ("MessageType", &["Sign", "Verify"], "kms:MessageType", Some("RAW")),
    ("SigningAlgorithm", &["Sign", "Verify"], "kms:SigningAlgorithm", None),
    ("WrappingAlgorithm", &["GetParametersForImport"], "kms:WrappingAlgorithm", None),
    ("WrappingKeySpec", &["GetParametersForImport"], "kms:WrappingKeySpec", None),
    ("ExpirationModel", &["ImportKeyMaterial"], "kms:ExpirationModel", None),
    ("ValidTo", &["ImportKeyMaterial"], "kms:ValidTo", None),
    ("RotationPeriodInDays", &["EnableKeyRotation"], "kms:RotationPeriodInDays", Some("365")),
    (
        "PendingWindowInDays",
        &["ScheduleKeyDeletion"],
        "kms:ScheduleKeyDeletionPendingWindowInDays",
        Some("30"),
    ),
    ("KeySpec", &["CreateKey"], "kms:KeySpec", None),
    ("KeyUsage", &["CreateKey"], "kms:KeyUsage", None),
    ("Origin", &["CreateKey"], "kms:KeyOrigin", None),
    ("MultiRegion", &["CreateKey"], "kms:MultiRegion", None),
];

/// States the condition keys of a request that do not follow from its words.
pub fn state(case: &Value, context: &mut ContextMap) {
    let request = &case["request"];
    let operation = request["operation"].as_str().unwrap();
    let mut set = |key: &str, value: String| context.set(key, ContextValue::One(value));
    for (member, operations, key, default) in SUPPLIED {
        if operations.contains(&operation) {
            match &request[*member] {
                Value::Null => {
                    default.iter().for_each(|default| set(key, (*default).to_owned()));
                }
                Value::String(text) => set(key, text.clone()),
                other => set(key, other.to_string()),
            }
        }
    }
    if let Some(algorithm) = request["EncapsulationAlgorithm"].as_str() {
        assert_eq!(algorithm, "ML_KEM", "EncapsulationAlgorithm");
    }
    for (name, value) in request["Recipient"].as_object().into_iter().flatten() {
        let known =
            name == "ImageSha384" || name.starts_with("PCR") || name.starts_with("NitroTPM");
        match (known, value) {
            (true, Value::String(text)) => {
                set(&format!("kms:RecipientAttestation:{name}"), text.clone());
            }
            // What is attested is in the document, which nobody reads here.
            _ => assert_eq!(name, "KeyEncryptionAlgorithm", "a member of Recipient"),
        }
    }
    let mut names = Vec::new();
    for tag in request["Tags"].as_array().into_iter().flatten() {
        let name = tag["TagKey"].as_str().unwrap();
        set(&format!("aws:RequestTag/{name}"), tag["TagValue"].as_str().unwrap().to_owned());
        names.push(name.to_owned());
    }
    names.extend(list(&request["TagKeys"]).unwrap_or_default());
    let asked = request["KeyId"].as_str().and_then(|name| key_of(case, name));
    if let Some(days) = asked.and_then(|key| key["lastUsedDaysAgo"].as_u64()) {
        set("kms:TrailingDaysWithoutKeyUsage", days.to_string());
    }
    if !names.is_empty() {
        context.set("aws:TagKeys", ContextValue::Many(names));
    }
}
