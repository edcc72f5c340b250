//! The members a case can have: one that nobody reads could change the answer unseen.

use serde_json::Value;

/// What describes a case, and decides nothing.
const CASE: &[&str] = &[
    "caller",
    "category",
    "certainty",
    "existingPrincipals",
    "expected",
    "id",
    "identityPolicy",
    "keys",
    "note",
    "rcps",
    "request",
    "scps",
    "scpsOfKeyAccount",
    "source",
    "title",
    "vpcePolicy",
    "why",
];

const CALLER: &[&str] = &[
    "account",
    "context",
    "orgId",
    "permissionsBoundary",
    "principalArn",
    "regionEnabled",
    "servicePrincipal",
    "sessionArn",
    "sessionPolicies",
    "sourceAccount",
    "sourceArn",
    "sourceIp",
    "sourceVpc",
    "sourceVpce",
    "type",
    "userArn",
    "userId",
    "username",
    "viaService",
];

const KEY: &[&str] = &[
    "aliases",
    "arn",
    "customKeyStoreId",
    "grants",
    "keyManager",
    "keySpec",
    "keyUsage",
    "lastUsedDaysAgo",
    "multiRegion",
    "origin",
    "policy",
    "ramPolicy",
    "state",
    "tags",
];

const GRANT: &[&str] = &[
    "Constraints",
    "CreationDate",
    "GrantId",
    "GrantToken",
    "GranteePrincipal",
    "GranteeServicePrincipal",
    "IssuingAccount",
    "KeyId",
    "Name",
    "Operations",
    "RetiringPrincipal",
    "RetiringServicePrincipal",
    "propagated",
];

const CONSTRAINTS: &[&str] = &["EncryptionContextEquals", "EncryptionContextSubset", "SourceArn"];

const EXPECTED: &[&str] =
    &["alternatives", "error", "message", "messagePrefix", "note", "overall", "sides"];

const ERROR: &[&str] =
    &["alternatives", "certainty", "http", "httpCertainty", "message", "messagePrefix", "type"];

/// Members of every request.
const REQUEST: &[&str] = &["operation", "region"];

/// Members of single operations that the answer does not hang on: payloads, texts and paging.
const PAYLOAD: &[&str] = &[
    "Description",
    "KeyMaterialDescription",
    "Limit",
    "Mac",
    "Marker",
    "Message",
    "Name",
    "NumberOfBytes",
    "PublicKey",
    "ResourceOwners",
    "Signature",
    "CustomKeyStoreName",
    "ImportToken",
    "EncryptedKeyMaterial",
    "CloudHsmClusterId",
    "TrustAnchorCertificate",
    "KeyStorePassword",
    "CustomKeyStoreType",
    "RotationType",
    "IncludeKeyMaterial",
    "ImportType",
];

/// Members that are read, with the operations that have them; without any, all have them.
pub const READ: &[(&str, &[&str])] = &[
    ("AliasName", &["CreateAlias", "DeleteAlias", "UpdateAlias"]),
    ("BypassPolicyLockoutSafetyCheck", &["CreateKey", "PutKeyPolicy", "ReplicateKey"]),
    ("CiphertextEncryptionContext", &["Decrypt", "ReEncrypt"]),
    ("CiphertextKey", &["Decrypt", "ReEncrypt"]),
    ("Constraints", &["CreateGrant"]),
    ("CustomKeyStoreId", &[]),
    ("DestinationEncryptionAlgorithm", &["ReEncrypt"]),
    ("DestinationEncryptionContext", &["ReEncrypt"]),
    ("DestinationKeyId", &["ReEncrypt"]),
    ("DryRun", &[]),
    ("DryRunModifiers", &["Decrypt", "ReEncrypt"]),
    ("EncapsulationAlgorithm", &["Decapsulate", "Encapsulate"]),
    ("EncryptionAlgorithm", &["Decrypt", "Encrypt"]),
    ("EncryptionContext", &[]),
    ("ExpirationModel", &["ImportKeyMaterial"]),
    ("GrantId", &["RetireGrant", "RevokeGrant"]),
    ("GrantToken", &["RetireGrant"]),
    ("GrantTokens", &[]),
    ("GranteePrincipal", &["CreateGrant", "ListGrants"]),
    ("GranteeServicePrincipal", &["CreateGrant", "ListGrants"]),
    ("KeyAgreementAlgorithm", &["DeriveSharedSecret"]),
    ("KeyId", &[]),
    ("KeyPairSpec", &["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"]),
    ("KeySpec", &["CreateKey", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"]),
    ("KeyUsage", &["CreateKey"]),
    ("MacAlgorithm", &["GenerateMac", "VerifyMac"]),
    ("MessageType", &["Sign", "Verify"]),
    ("MultiRegion", &["CreateKey"]),
    ("Operations", &["CreateGrant"]),
    ("Origin", &["CreateKey"]),
    ("PendingWindowInDays", &["ScheduleKeyDeletion"]),
    ("PlaintextLength", &["Decrypt", "Encrypt", "ReEncrypt"]),
    ("Policy", &["CreateKey", "PutKeyPolicy", "ReplicateKey"]),
    ("PolicyBytes", &["CreateKey", "PutKeyPolicy", "ReplicateKey"]),
    ("PolicyName", &["GetKeyPolicy", "PutKeyPolicy"]),
    ("PrimaryRegion", &["UpdatePrimaryRegion"]),
    ("Recipient", &[]),
    ("ReplicaRegion", &["ReplicateKey"]),
    ("RetiringPrincipal", &["CreateGrant", "ListRetirableGrants"]),
    ("RetiringServicePrincipal", &["CreateGrant", "ListRetirableGrants"]),
    ("RotationPeriodInDays", &["EnableKeyRotation"]),
    ("SigningAlgorithm", &["Sign", "Verify"]),
    ("SourceEncryptionAlgorithm", &["ReEncrypt"]),
    ("SourceEncryptionContext", &["ReEncrypt"]),
    ("SourceKeyId", &["ReEncrypt"]),
    ("TagKeys", &["UntagResource"]),
    ("Tags", &["CreateKey", "ReplicateKey", "TagResource"]),
    ("TargetKeyId", &["CreateAlias", "UpdateAlias"]),
    ("ValidTo", &["ImportKeyMaterial"]),
    ("WrappingAlgorithm", &["GetParametersForImport"]),
    ("WrappingKeySpec", &["GetParametersForImport"]),
];

/// The first member of a case that is not read, and where it is.
pub fn unread(case: &Value) -> Option<String> {
    let mut unread = of(case, "the case", CASE)
        .or_else(|| of(&case["caller"], "the caller", CALLER))
        .or_else(|| of(&case["expected"], "what is expected", EXPECTED))
        .or_else(|| of(&case["expected"]["error"], "the error", ERROR))
        .or_else(|| of(&case["request"]["Constraints"], "the constraints", CONSTRAINTS));
    for key in case["keys"].as_array().into_iter().flatten() {
        unread = unread.or_else(|| of(key, "a key", KEY));
        for grant in key["grants"].as_array().into_iter().flatten() {
            unread = unread
                .or_else(|| of(grant, "a grant", GRANT))
                .or_else(|| of(&grant["Constraints"], "the constraints of a grant", CONSTRAINTS));
        }
    }
    unread.or_else(|| unread_of_request(&case["request"]))
}

fn unread_of_request(request: &Value) -> Option<String> {
    let operation = request["operation"].as_str()?;
    let is_read = |name: &str| {
        REQUEST.contains(&name)
            || PAYLOAD.contains(&name)
            || READ.iter().any(|(member, operations)| {
                *member == name && (operations.is_empty() || operations.contains(&operation))
            })
    };
    let members = request.as_object()?;
    let name = members.keys().find(|name| !is_read(name))?;
    Some(format!("`{name}` of {operation} is not read"))
}

fn of(value: &Value, what: &str, known: &[&str]) -> Option<String> {
    let name = value.as_object()?.keys().find(|name| !known.contains(&name.as_str()))?;
    Some(format!("`{name}` of {what} is not read"))
}
