//! Every exception of every operation that is sent, what every AWS service may answer, and no
//! answer at all: what it is taken for, how often it is sent again, what is recorded.
//!
//! The lists are those of the SDK's error types, `aws_sdk_kms::operation::*::*Error`, which are
//! KMS's model.

use keyproof::authorize::{
    DecryptRequest, DescribeKeyRequest, EncryptRequest, GenerateDataKeyRequest, KeyIdentifier,
    NoInspector,
};
use keyproof::backend::aws::{AwsKmsError, AwsKmsErrorKind as Kind, Clients};
use keyproof::execute::{AuditOutcome, ClassifyFailure as _, ExecuteError, FailureClass as Class};
use keyproof::model::{
    CiphertextBlob, DataKeyLength, EncryptionAlgorithm, EncryptionContext, Plaintext,
};
use serde_json::json;

use super::backend::{guard, re_encrypt};
use super::stub::{Reply, Stub, block_on, clients};
use crate::world::{SOURCE, app, key_arn, region};

const OPERATIONS: [&str; 5] = ["ReEncrypt", "Encrypt", "Decrypt", "GenerateDataKey", "DescribeKey"];

/// What came of an operation.
struct Failed {
    error: AwsKmsError,
    disagrees: bool,
    log: Vec<AuditOutcome>,
}

/// Runs an operation that fails.
fn fails(operation: &str, clients: Clients) -> Failed {
    let (guard, live, log) = guard(clients);
    let key = || KeyIdentifier::Arn(key_arn(SOURCE));
    let (algorithm, context) = (EncryptionAlgorithm::SymmetricDefault, EncryptionContext::new());
    macro_rules! ends {
        ($request:expr) => {
            match block_on(guard.guarded(&live, &app(), $request, &NoInspector)) {
                Err(ExecuteError::Backend(error)) => (error, false),
                Err(ExecuteError::Disagreement { error, .. }) => (error, true),
                Err(other) => panic!("{operation}: {other}"),
                Ok(_) => panic!("{operation} succeeds"),
            }
        };
    }
    let (error, disagrees) = match operation {
        "ReEncrypt" => ends!(re_encrypt()),
        "Encrypt" => ends!(EncryptRequest {
            region: region(),
            key: key(),
            plaintext: Some(Plaintext::new(b"secret".to_vec()).unwrap()),
            algorithm,
            context,
            grant_tokens: Vec::new(),
        }),
        "Decrypt" => ends!(DecryptRequest {
            region: region(),
            ciphertext: Some(CiphertextBlob::new(*b"old").unwrap()),
            key: Some(key()),
            algorithm,
            context,
            grant_tokens: Vec::new(),
        }),
        "GenerateDataKey" => ends!(GenerateDataKeyRequest {
            region: region(),
            key: key(),
            context,
            length: DataKeyLength::AES_128,
            grant_tokens: Vec::new(),
        }),
        "DescribeKey" => {
            ends!(DescribeKeyRequest { region: region(), key: key(), grant_tokens: Vec::new() })
        }
        other => panic!("{other}"),
    };
    let log = log.0.lock().unwrap().clone();
    Failed { error, disagrees, log }
}

/// What each operation's error type lists, with the status KMS sends.
fn modelled(operation: &str) -> Vec<(&'static str, u16)> {
    let of_all = [
        ("DependencyTimeoutException", 503),
        ("KMSInternalException", 500),
        ("NotFoundException", 400),
    ];
    let of_cryptography = [
        ("DisabledException", 409),
        ("DryRunOperationException", 400),
        ("InvalidGrantTokenException", 400),
        ("InvalidKeyUsageException", 400),
        ("KeyUnavailableException", 500),
        ("KMSInvalidStateException", 409),
    ];
    let of_decryption = [("IncorrectKeyException", 400), ("InvalidCiphertextException", 400)];
    let mut found = of_all.to_vec();
    match operation {
        "DescribeKey" => found.push(("InvalidArnException", 400)),
        _ => found.extend(of_cryptography),
    }
    if ["Decrypt", "ReEncrypt"].contains(&operation) {
        found.extend(of_decryption);
    }
    found
}

/// What every AWS service may answer.
const OF_EVERY_SERVICE: [(&str, u16); 14] = [
    ("AccessDeniedException", 400),
    ("ExpiredTokenException", 403),
    ("IncompleteSignature", 400),
    ("InternalFailure", 500),
    ("InvalidClientTokenId", 403),
    ("InvalidSignatureException", 403),
    ("MissingAuthenticationToken", 403),
    ("OptInRequired", 403),
    ("RequestExpired", 400),
    ("ServiceUnavailable", 503),
    ("ThrottlingException", 400),
    ("TooManyRequestsException", 429),
    ("UnrecognizedClientException", 403),
    ("ValidationException", 400),
];

fn expected(code: &str) -> (Kind, Class) {
    match code {
        "AccessDeniedException" => (Kind::AccessDenied, Class::Permanent),
        "DependencyTimeoutException" => (Kind::DependencyTimeout, Class::Transient),
        "DisabledException" => (Kind::Disabled, Class::Permanent),
        "DryRunOperationException" => (Kind::DryRunSucceeds, Class::Permanent),
        "ExpiredTokenException"
        | "IncompleteSignature"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "OptInRequired"
        | "RequestExpired"
        | "UnrecognizedClientException" => (Kind::Credentials, Class::Every),
        "IncorrectKeyException" => (Kind::IncorrectKey, Class::Permanent),
        "InternalFailure" | "KMSInternalException" | "ServiceUnavailable" => {
            (Kind::Internal, Class::Transient)
        }
        "InvalidArnException" | "ValidationException" => (Kind::Validation, Class::Permanent),
        "InvalidCiphertextException" => (Kind::InvalidCiphertext, Class::Permanent),
        "InvalidGrantTokenException" => (Kind::InvalidGrantToken, Class::Permanent),
        "InvalidKeyUsageException" => (Kind::InvalidKeyUsage, Class::Permanent),
        "KMSInvalidStateException" => (Kind::InvalidState, Class::Permanent),
        "KeyUnavailableException" => (Kind::KeyUnavailable, Class::Transient),
        "NotFoundException" => (Kind::NotFound, Class::Permanent),
        "ThrottlingException" | "TooManyRequestsException" => (Kind::Throttled, Class::Throttled),
        other => panic!("{other}"),
    }
}

#[test]
fn every_exception_of_every_operation_is_known_and_sent_again_where_that_helps() {
    for operation in OPERATIONS {
        for (code, status) in modelled(operation).into_iter().chain(OF_EVERY_SERVICE) {
            let at = format!("{operation}: {code}");
            let stub = Stub::new(move |_| {
                Reply::Text(status, json!({"__type": code, "message": "the words"}).to_string())
            });
            let Failed { error, disagrees, log } = fails(operation, stub.clients());
            assert_eq!((error.kind(), error.class()), expected(code), "{at}");
            assert_eq!((error.code(), error.message()), (Some(code), "the words"), "{at}");
            assert_eq!(error.request_id(), Some("request-1"), "{at}");
            assert_eq!(disagrees, code == "AccessDeniedException", "{at}");
            let sent = match error.class() {
                Class::Throttled | Class::Transient => 3,
                Class::Every | Class::Permanent => 1,
            };
            assert_eq!(stub.count(operation), sent, "{at}");
            let ended = if disagrees { "disagreed" } else { "failed" };
            let outcomes: Vec<&str> = log.iter().map(AuditOutcome::as_str).collect();
            assert_eq!(outcomes, ["intended", ended], "{at}");
            // The words and what to do.
            assert!(error.to_string().contains("the words ("), "{at}: {error}");
        }
    }
}

#[test]
fn the_lists_are_those_of_the_sdk() {
    use aws_sdk_kms::error::ProvideErrorMetadata;
    use aws_sdk_kms::operation::{
        decrypt::DecryptError, describe_key::DescribeKeyError, encrypt::EncryptError,
        generate_data_key::GenerateDataKeyError, re_encrypt::ReEncryptError,
    };

    /// Whether the SDK has a variant for it, which the text of the error's debug form begins with.
    fn is_known<E: std::fmt::Debug + ProvideErrorMetadata>(error: &E) -> bool {
        !format!("{error:?}").starts_with("Unhandled")
    }
    for operation in OPERATIONS {
        for (code, status) in modelled(operation) {
            let stub = Stub::new(move |_| Reply::Text(status, json!({"__type": code}).to_string()));
            let client = stub.clients().of(&region());
            let blob = || aws_sdk_kms::primitives::Blob::new(*b"x");
            macro_rules! known {
                ($call:expr, $error:ty) => {{
                    let error: $error = block_on($call.send()).unwrap_err().into_service_error();
                    is_known(&error)
                }};
            }
            let known = match operation {
                "ReEncrypt" => known!(
                    client.re_encrypt().ciphertext_blob(blob()).destination_key_id(SOURCE),
                    ReEncryptError
                ),
                "Encrypt" => {
                    known!(client.encrypt().plaintext(blob()).key_id(SOURCE), EncryptError)
                }
                "Decrypt" => known!(client.decrypt().ciphertext_blob(blob()), DecryptError),
                "GenerateDataKey" => {
                    known!(client.generate_data_key().key_id(SOURCE), GenerateDataKeyError)
                }
                _ => known!(client.describe_key().key_id(SOURCE), DescribeKeyError),
            };
            assert!(known, "{operation} has no {code}");
        }
    }
}

#[test]
fn no_answer_is_told_apart_from_a_torn_one_and_from_a_closed_door() {
    for operation in OPERATIONS {
        let silent = Stub::new(|_| Reply::Silence);
        let torn = Stub::new(|_| Reply::Torn);
        for (clients, kind, class, sent) in [
            (silent.clients(), Kind::Timeout, Class::Transient, Some((&silent, 3))),
            (torn.clients(), Kind::Unintelligible, Class::Transient, Some((&torn, 3))),
            (clients("http://127.0.0.1:9", true), Kind::Unreachable, Class::Transient, None),
            (clients(&silent.address, false), Kind::Credentials, Class::Every, Some((&silent, 3))),
        ] {
            let Failed { error, log, .. } = fails(operation, clients);
            assert_eq!((error.kind(), error.class()), (kind, class), "{operation}: {error}");
            assert!(matches!(
                log.as_slice(),
                [AuditOutcome::Intended, AuditOutcome::Failed { .. }]
            ));
            if let Some((stub, count)) = sent {
                // How many attempts fit into the operation's time depends on the machine.
                let heard = stub.count(operation);
                assert!((2..=count).contains(&heard), "{operation}: {heard} {error}");
            }
        }
    }
}
