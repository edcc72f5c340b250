//! What is sent to AWS, and what becomes of each of its answers.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use keyproof::authorize::{
    DecryptRequest, DescribeKeyRequest, EncryptRequest, GenerateDataKeyRequest, KeyIdentifier,
    NoInspector, ReEncrypt, ReEncryptRequest, Side,
};
use keyproof::backend::aws::{AwsKms, AwsKmsError, AwsKmsErrorKind as Kind, Clients};
use keyproof::compile::Snapshot;
use keyproof::execute::{
    AuditError, AuditLog, AuditOutcome, AuditRecord, ClassifyFailure as _, ExecuteError, Executor,
    FailureClass as Class, LiveWorld, NoReader, ReEncrypted, TimeSource,
};
use keyproof::model::{
    CiphertextBlob, DataKeyLength, Decision, EncryptionAlgorithm, EncryptionContext, GrantToken,
    KeyState, Plaintext, Timestamp,
};
use serde_json::{Value, json};

use super::stub::{Reply, Stub, block_on, clients, exception, ok};
use crate::world::{APP, DESTINATION, SOURCE, World, allows, app, delegates, key_arn, region};

pub struct Noon;

impl TimeSource for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_epoch_seconds(1_780_000_000)
    }
}

/// Keeps the outcomes of records.
#[derive(Clone, Default)]
pub struct Log(pub Arc<Mutex<Vec<AuditOutcome>>>);

impl AuditLog for Log {
    fn record(&self, record: &AuditRecord<'_>) -> Result<(), AuditError> {
        self.0.lock().unwrap().push(record.outcome.clone());
        Ok(())
    }
}

/// A world in which the app may do everything with both keys.
pub fn world() -> Snapshot {
    World::new()
        .key(SOURCE, &delegates("111122223333", "kms:*"))
        .key(DESTINATION, &delegates("111122223333", "kms:*"))
        .role(APP, &allows("kms:*"))
        .snapshot()
}

pub fn re_encrypt() -> ReEncryptRequest {
    ReEncryptRequest {
        region: region(),
        ciphertext: Some(CiphertextBlob::new(*b"old").unwrap()),
        source_key: Some(KeyIdentifier::Arn(key_arn(SOURCE))),
        source_algorithm: EncryptionAlgorithm::SymmetricDefault,
        source_context: EncryptionContext::from_iter([("tenant".into(), "blue".into())]),
        destination_key: KeyIdentifier::Arn(key_arn(DESTINATION)),
        destination_algorithm: EncryptionAlgorithm::SymmetricDefault,
        destination_context: EncryptionContext::new(),
        grant_tokens: vec![GrantToken::new("token").unwrap()],
    }
}

pub type Guard = Executor<AwsKms<Arc<LiveWorld<NoReader>>>, Log, Noon>;

pub fn guard(clients: Clients) -> (Guard, Arc<LiveWorld<NoReader>>, Log) {
    let live = Arc::new(LiveWorld::new(world(), NoReader));
    let log = Log::default();
    (Executor::new(AwsKms::new(clients, Arc::clone(&live)), log.clone(), Noon), live, log)
}

type Ended = Result<ReEncrypted, ExecuteError<ReEncrypt, AwsKmsError>>;

/// Runs [`re_encrypt`]; what came of it, and the outcomes recorded.
fn run(clients: Clients) -> (Ended, Vec<AuditOutcome>) {
    let (guard, live, log) = guard(clients);
    let ended = block_on(guard.guarded(&live, &app(), re_encrypt(), &NoInspector));
    let log = log.0.lock().unwrap().clone();
    (ended, log)
}

fn answer() -> Value {
    json!({
        "CiphertextBlob": "bmV3", "SourceKeyId": SOURCE, "KeyId": DESTINATION,
        "SourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "DestinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "SourceKeyMaterialId": "a".repeat(64), "DestinationKeyMaterialId": "b".repeat(64),
    })
}

#[test]
fn a_re_encrypt_is_sent_with_both_arns_both_algorithms_and_no_alias() {
    let stub = Stub::new(|_| ok(answer()));
    let (ended, log) = run(stub.clients());
    let done = ended.unwrap();
    assert_eq!(done.ciphertext.as_bytes(), b"new");
    assert_eq!(done.destination_material.unwrap(), "b".repeat(64));
    assert_eq!(log.iter().map(AuditOutcome::as_str).collect::<Vec<_>>(), ["intended", "succeeded"]);
    let asked = stub.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        asked[0].body,
        json!({
            "CiphertextBlob": "b2xk",
            "SourceKeyId": SOURCE, "DestinationKeyId": DESTINATION,
            "SourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "DestinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "SourceEncryptionContext": {"tenant": "blue"},
            "GrantTokens": ["token"],
        })
    );
}

#[test]
fn the_other_operations_are_sent_with_the_key_of_the_proof() {
    let stub = Stub::new(|asked| match asked.operation.as_str() {
        "Encrypt" => ok(json!({"CiphertextBlob": "bmV3", "KeyId": SOURCE})),
        "Decrypt" => ok(json!({
            "Plaintext": "c2VjcmV0", "KeyId": SOURCE, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        })),
        "GenerateDataKey" => ok(json!({
            "CiphertextBlob": "bmV3", "Plaintext": "MDEyMzQ1Njc4OWFiY2RlZg==", "KeyId": SOURCE,
        })),
        "DescribeKey" => ok(json!({"KeyMetadata": {
            "KeyId": "x", "Arn": SOURCE, "KeySpec": "SYMMETRIC_DEFAULT",
            "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Disabled", "Origin": "AWS_KMS",
            "KeyManager": "CUSTOMER",
        }})),
        other => panic!("{other}"),
    });
    let (guard, live, log) = guard(stub.clients());
    let caller = app();
    let key = || KeyIdentifier::Arn(key_arn(SOURCE));
    let (algorithm, context) = (EncryptionAlgorithm::SymmetricDefault, EncryptionContext::new());
    let encrypt = EncryptRequest {
        region: region(),
        key: key(),
        plaintext: Some(Plaintext::new(b"secret".to_vec()).unwrap()),
        algorithm,
        context: context.clone(),
        grant_tokens: Vec::new(),
    };
    let done = block_on(guard.guarded(&live, &caller, encrypt, &NoInspector)).unwrap();
    assert_eq!(done.key, key_arn(SOURCE));
    let decrypt = DecryptRequest {
        region: region(),
        ciphertext: Some(CiphertextBlob::new(*b"old").unwrap()),
        key: Some(key()),
        algorithm,
        context: context.clone(),
        grant_tokens: Vec::new(),
    };
    let done = block_on(guard.guarded(&live, &caller, decrypt, &NoInspector)).unwrap();
    assert_eq!(done.plaintext.expose(), b"secret");
    let data_key = GenerateDataKeyRequest {
        region: region(),
        key: key(),
        context,
        length: DataKeyLength::AES_128,
        grant_tokens: Vec::new(),
    };
    let done = block_on(guard.guarded(&live, &caller, data_key, &NoInspector)).unwrap();
    assert_eq!(done.plaintext.expose(), b"0123456789abcdef");
    let describe = DescribeKeyRequest { region: region(), key: key(), grant_tokens: Vec::new() };
    let done = block_on(guard.guarded(&live, &caller, describe, &NoInspector)).unwrap();
    assert_eq!(done.state, KeyState::Disabled);
    let bodies: Vec<Value> = stub.asked().into_iter().map(|asked| asked.body).collect();
    assert_eq!(
        bodies,
        [
            json!({"KeyId": SOURCE, "Plaintext": "c2VjcmV0", "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}),
            json!({"KeyId": SOURCE, "CiphertextBlob": "b2xk", "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}),
            json!({"KeyId": SOURCE, "NumberOfBytes": 16}),
            json!({"KeyId": SOURCE}),
        ]
    );
    assert_eq!(log.0.lock().unwrap().len(), 8);
}

#[test]
fn every_exception_keeps_code_message_and_request_id_and_tells_whether_to_retry() {
    let cases = [
        ("DependencyTimeoutException", 500, Kind::DependencyTimeout, Class::Transient, 3),
        ("DisabledException", 400, Kind::Disabled, Class::Permanent, 1),
        ("DryRunOperationException", 400, Kind::DryRunSucceeds, Class::Permanent, 1),
        ("ExpiredTokenException", 403, Kind::Credentials, Class::Every, 1),
        ("IncorrectKeyException", 400, Kind::IncorrectKey, Class::Permanent, 1),
        ("IncompleteSignature", 403, Kind::Credentials, Class::Every, 1),
        ("InvalidCiphertextException", 400, Kind::InvalidCiphertext, Class::Permanent, 1),
        ("InvalidGrantTokenException", 400, Kind::InvalidGrantToken, Class::Permanent, 1),
        ("InvalidKeyUsageException", 400, Kind::InvalidKeyUsage, Class::Permanent, 1),
        ("KMSInternalException", 500, Kind::Internal, Class::Transient, 3),
        ("KMSInvalidStateException", 400, Kind::InvalidState, Class::Permanent, 1),
        ("KeyUnavailableException", 500, Kind::KeyUnavailable, Class::Transient, 3),
        ("NotFoundException", 400, Kind::NotFound, Class::Permanent, 1),
        ("ServiceUnavailable", 503, Kind::Internal, Class::Transient, 3),
        ("SomethingNew", 400, Kind::Other, Class::Permanent, 1),
        ("ThrottlingException", 400, Kind::Throttled, Class::Throttled, 3),
        ("UnrecognizedClientException", 403, Kind::Credentials, Class::Every, 1),
        ("ValidationException", 400, Kind::Validation, Class::Permanent, 1),
    ];
    for (code, status, kind, retry, attempts) in cases {
        let stub = Stub::new(move |_| {
            Reply::Text(status, json!({"__type": code, "message": "the words"}).to_string())
        });
        let (ended, log) = run(stub.clients());
        let Err(ExecuteError::Backend(error)) = ended else { panic!("{code}: {ended:?}") };
        assert_eq!((error.kind(), error.class()), (kind, retry), "{code}");
        assert_eq!(error.code(), Some(code));
        assert_eq!(error.message(), "the words");
        assert_eq!(error.request_id(), Some("request-1"), "{code}");
        let text = error.to_string();
        let starts = format!("{code}: the words (");
        assert!(text.starts_with(&starts) && text.ends_with(" [request request-1]"), "{text}");
        assert_eq!(stub.count("ReEncrypt"), attempts, "{code}");
        assert!(matches!(log.as_slice(), [AuditOutcome::Intended, AuditOutcome::Failed { .. }]));
    }
}

#[test]
fn a_failure_that_passes_is_retried() {
    for code in ["ThrottlingException", "KMSInternalException", "KeyUnavailableException"] {
        let count = AtomicUsize::new(0);
        let status = if code == "ThrottlingException" { 400 } else { 500 };
        let stub = Stub::new(move |_| match count.fetch_add(1, Ordering::Relaxed) {
            0 => Reply::Text(503, String::new()),
            1 => Reply::Text(status, json!({"__type": code}).to_string()),
            _ => ok(answer()),
        });
        let (ended, log) = run(stub.clients());
        assert!(ended.is_ok(), "{code}: {ended:?}");
        assert_eq!((stub.count("ReEncrypt"), log.len()), (3, 2));
    }
}

#[test]
fn a_refusal_by_kms_after_an_allow_is_a_disagreement_that_names_the_side() {
    let says = |action: &str, key: &str| {
        format!(
            "User: arn:aws:sts::111122223333:assumed-role/service/i-1 is not authorized to perform: \
             {action} on resource: {key} because no resource-based policy allows the {action} action"
        )
    };
    for (message, side) in [
        (says("kms:ReEncryptFrom", SOURCE), Some(Side::Source)),
        (says("kms:ReEncryptTo", DESTINATION), Some(Side::Destination)),
        (String::new(), None),
    ] {
        let sent = message.clone();
        let stub = Stub::new(move |_| exception("AccessDeniedException", &sent));
        let (ended, log) = run(stub.clients());
        let Err(error) = ended else { panic!("{message}") };
        let text = error.to_string();
        let ExecuteError::Disagreement { side: named, error, sides } = error else {
            panic!("{text}")
        };
        assert_eq!(
            (named, error.kind(), error.class()),
            (side, Kind::AccessDenied, Class::Permanent)
        );
        assert_eq!(stub.count("ReEncrypt"), 1);
        let decisions: Vec<Decision> = sides.iter().map(|side| side.explanation.decision).collect();
        assert_eq!(decisions, [Decision::Allow, Decision::Allow], "the trace is at hand");
        assert!(!sides[0].explanation.trace.statements.is_empty());
        let expected = match side {
            Some(side) => format!("the backend refuses on the {side}:"),
            None => "the backend refuses without naming a key:".to_owned(),
        };
        assert!(text.contains(&expected), "{text}");
        let [AuditOutcome::Intended, AuditOutcome::Disagreed { side: kept, request_id, .. }] =
            log.as_slice()
        else {
            panic!("{log:?}")
        };
        assert_eq!((*kept, request_id.as_deref()), (side, Some("request-1")));
        if side.is_some() {
            let named = error.named();
            assert_eq!(
                named.key,
                Some(key_arn(if side == Some(Side::Source) { SOURCE } else { DESTINATION }))
            );
            assert_eq!(
                named.principal.unwrap(),
                "arn:aws:sts::111122223333:assumed-role/service/i-1"
            );
        }
    }
}

#[test]
fn answers_that_are_none_are_errors() {
    let without = |member: &str| {
        let mut answer = answer();
        answer.as_object_mut().unwrap().remove(member);
        answer
    };
    let with = |member: &str, value: &str| {
        let mut answer = answer();
        answer[member] = json!(value);
        answer
    };
    let cases = [
        (without("KeyId").to_string(), 200, Kind::Incomplete),
        (without("SourceKeyId").to_string(), 200, Kind::Incomplete),
        (without("CiphertextBlob").to_string(), 200, Kind::Incomplete),
        (with("KeyId", "alias/other").to_string(), 200, Kind::Unintelligible),
        (
            with("SourceEncryptionAlgorithm", "RSAES_OAEP_SHA_1").to_string(),
            200,
            Kind::Unintelligible,
        ),
        ("<html>".to_owned(), 200, Kind::Unintelligible),
        ("<html>no such page</html>".to_owned(), 404, Kind::Unintelligible),
        ("<html>error</html>".to_owned(), 500, Kind::Internal),
        (String::new(), 403, Kind::AccessDenied),
    ];
    for (body, status, kind) in cases {
        let sent = body.clone();
        let stub = Stub::new(move |_| Reply::Text(status, sent.clone()));
        let (ended, _) = run(stub.clients());
        let found = match ended {
            Err(ExecuteError::Backend(error) | ExecuteError::Disagreement { error, .. }) => {
                error.kind()
            }
            other => panic!("{body}: {other:?}"),
        };
        assert_eq!(found, kind, "{status} {body}");
    }
}

#[test]
fn an_answer_for_another_key_is_discarded() {
    for member in ["KeyId", "SourceKeyId"] {
        let stub = Stub::new(move |_| {
            let mut answer = answer();
            answer[member] = json!(SOURCE.replace("11111111-1111", "99999999-1111"));
            ok(answer)
        });
        let (ended, log) = run(stub.clients());
        assert!(matches!(ended, Err(ExecuteError::OtherKey { .. })), "{ended:?}");
        assert_eq!(log[1].as_str(), "failed");
    }
}

#[test]
fn silence_a_closed_port_and_missing_credentials_are_told_apart() {
    let stub = Stub::new(|_| Reply::Silence);
    let kind = |clients| match run(clients).0 {
        Err(ExecuteError::Backend(error)) => (error.kind(), error.class()),
        other => panic!("{other:?}"),
    };
    assert_eq!(kind(stub.clients()), (Kind::Timeout, Class::Transient));
    assert_eq!(kind(clients("http://127.0.0.1:9", true)), (Kind::Unreachable, Class::Transient));
    assert_eq!(kind(clients(&stub.address, false)), (Kind::Credentials, Class::Every));
}

#[test]
fn errors_hold_no_secret() {
    let stub = Stub::new(|_| exception("ValidationException", "bad"));
    let (guard, live, _) = guard(stub.clients());
    let request = EncryptRequest {
        region: region(),
        key: KeyIdentifier::Arn(key_arn(SOURCE)),
        plaintext: Some(Plaintext::new(b"hunter2".to_vec()).unwrap()),
        algorithm: EncryptionAlgorithm::SymmetricDefault,
        context: EncryptionContext::new(),
        grant_tokens: vec![GrantToken::new("token-hunter3").unwrap()],
    };
    let error = block_on(guard.guarded(&live, &app(), request, &NoInspector)).unwrap_err();
    let shown = format!("{error} {error:?} {:?}", guard.backend());
    assert!(!shown.contains("hunter"), "{shown}");
}
