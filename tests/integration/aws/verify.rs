//! What is decided here and what KMS says, side by side.

use keyproof::authorize::{
    Authorizer, Preflight, PreflightAnswer, PreflightKey, PreflightOperation,
};
use keyproof::backend::aws::{AwsKmsErrorKind as Kind, LiveAnswer, LiveQuestion, Verdict};
use keyproof::model::{Action, CiphertextBlob, Decision, EncryptionAlgorithm, EncryptionContext};
use serde_json::{Value, json};

use super::backend::world;
use super::stub::{Stub, block_on, exception, ok};
use crate::world::{DESTINATION, SOURCE, app};

fn key(arn: &str) -> PreflightKey {
    PreflightKey {
        name: arn.parse().unwrap(),
        context: EncryptionContext::from_iter([("tenant".into(), "blue".into())]),
        algorithm: EncryptionAlgorithm::SymmetricDefault,
    }
}

fn asked(operation: PreflightOperation) -> (Preflight, PreflightAnswer) {
    let question = Preflight { operation, region: None, grant_tokens: Vec::new(), dry_run: false };
    let snapshot = world();
    let answer = Authorizer::new(&snapshot).preflight(question.clone(), &app()).unwrap();
    (question, answer)
}

fn re_encrypt() -> PreflightOperation {
    PreflightOperation::ReEncrypt { source: key(SOURCE), destination: key(DESTINATION) }
}

#[test]
fn an_endpoint_that_looks_at_no_ciphertext_tells_nothing() {
    let stub = Stub::new(|_| exception("InvalidCiphertextException", ""));
    let (question, answer) = asked(re_encrypt());
    let question = LiveQuestion::new(&question, &answer).unwrap();
    let error = block_on(stub.clients().verify(&question, None)).unwrap_err();
    assert_eq!(error.kind(), Kind::DryRunIgnored);
    assert!(error.to_string().contains("to ignore the ciphertext"), "{error}");
    let blob = CiphertextBlob::new(*b"old").unwrap();
    let live = block_on(stub.clients().verify(&question, Some(&blob))).unwrap();
    assert_eq!(live.outcome(), "InvalidCiphertextException");
}

#[test]
fn every_request_is_a_dry_run_and_without_a_ciphertext_it_is_left_out() {
    let stub = Stub::new(|_| exception("DryRunOperationException", "would have succeeded"));
    let clients = stub.clients();
    let mut operations = vec![re_encrypt()];
    for action in [Action::Decrypt, Action::Encrypt, Action::GenerateDataKey] {
        operations.push(PreflightOperation::Action { action, key: key(SOURCE) });
    }
    for operation in operations {
        let (question, answer) = asked(operation);
        let question = LiveQuestion::new(&question, &answer).unwrap();
        let live = block_on(clients.verify(&question, None)).unwrap();
        assert_eq!(live, LiveAnswer::Allow);
        assert_eq!(live.compare(answer.decision(), None), Verdict::Agree);
    }
    let (question, answer) = asked(re_encrypt());
    let question = LiveQuestion::new(&question, &answer).unwrap();
    let blob = CiphertextBlob::new(*b"old").unwrap();
    block_on(clients.verify(&question, Some(&blob))).unwrap();
    let bodies: Vec<Value> = stub.asked().into_iter().map(|asked| asked.body).collect();
    assert!(bodies.iter().all(|body| body["DryRun"] == json!(true)), "{bodies:?}");
    let modifiers: Vec<&Value> = bodies.iter().map(|body| &body["DryRunModifiers"]).collect();
    let ignores = json!(["IGNORE_CIPHERTEXT"]);
    assert_eq!(modifiers, [&ignores, &ignores, &Value::Null, &Value::Null, &Value::Null]);
    assert_eq!(bodies[0]["SourceKeyId"], json!(SOURCE));
    assert_eq!(bodies[0]["CiphertextBlob"], Value::Null);
    assert_eq!(bodies[4]["CiphertextBlob"], json!("b2xk"));
}

#[test]
fn an_endpoint_that_runs_a_dry_run_is_an_error_and_no_agreement() {
    let stub = Stub::new(|_| ok(json!({"CiphertextBlob": "bmV3", "KeyId": DESTINATION})));
    let (question, answer) = asked(re_encrypt());
    let question = LiveQuestion::new(&question, &answer).unwrap();
    let error = block_on(stub.clients().verify(&question, None)).unwrap_err();
    assert_eq!(error.kind(), Kind::DryRunIgnored);
    assert!(error.to_string().contains("does not honour DryRun"), "{error}");
}

#[test]
fn what_kms_cannot_be_asked_is_refused() {
    let action = Action::DescribeKey;
    let (question, answer) = asked(PreflightOperation::Action { action, key: key(SOURCE) });
    let error = LiveQuestion::new(&question, &answer).unwrap_err();
    assert!(error.to_string().contains("about DescribeKey"), "{error}");
}

#[test]
fn agreement_is_of_decision_and_fault() {
    let live = |code: &'static str| {
        let stub = Stub::new(move |_| exception(code, ""));
        let (question, answer) = asked(re_encrypt());
        let question = LiveQuestion::new(&question, &answer).unwrap();
        block_on(stub.clients().verify(&question, None))
    };
    let (deny, disabled) =
        (live("AccessDeniedException").unwrap(), live("DisabledException").unwrap());
    let disabled_here = Some("DisabledException");
    use Decision as D;
    use Verdict as V;
    for (live, decision, fault, verdict) in [
        (&LiveAnswer::Allow, D::Allow, None, V::Agree),
        (&LiveAnswer::Allow, D::Allow, disabled_here, V::Disagree),
        (&LiveAnswer::Allow, D::ImplicitDeny, None, V::Disagree),
        (&LiveAnswer::Allow, D::ExplicitDeny, None, V::Disagree),
        (&LiveAnswer::Allow, D::Undetermined, None, V::Incomparable),
        (&deny, D::Allow, None, V::Disagree),
        (&deny, D::Allow, disabled_here, V::Disagree),
        (&deny, D::ImplicitDeny, None, V::Agree),
        (&deny, D::ExplicitDeny, None, V::Agree),
        (&deny, D::Undetermined, None, V::Incomparable),
        (&disabled, D::Allow, None, V::Disagree),
        (&disabled, D::Allow, disabled_here, V::Agree),
        (&disabled, D::Allow, Some("KMSInvalidStateException"), V::Disagree),
        (&disabled, D::ImplicitDeny, None, V::Incomparable),
    ] {
        assert_eq!(live.compare(decision, fault), verdict, "{live:?} {decision} {fault:?}");
    }
    for code in ["ThrottlingException", "ExpiredTokenException", "ValidationException"] {
        assert!(live(code).is_err(), "{code} is no answer");
    }
}
