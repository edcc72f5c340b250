//! The guard: what runs, in which order it is recorded, and what is thrown away.

use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use keyproof::authorize::{
    Authorized, Authorizer, CiphertextInspector, Decrypt, DecryptRequest, DescribeKeyRequest,
    Encrypt, EncryptRequest, GenerateDataKeyRequest, InspectError, KeyIdentifier, NoInspector,
    Provenance, ReEncrypt, ReEncryptRequest,
};
use keyproof::backend::embedded::{self, EmbeddedKms, Keystore, NewKey, RootKey};
use keyproof::compile::{Caller, Epoch, Known, Snapshot};
use keyproof::execute::{
    AuditError, AuditLog, AuditRecord, ClassifyFailure, Decrypted, Encrypted, EpochSource,
    ExecuteError, Executor, FailureClass, KmsBackend, ReEncrypted, TimeSource,
};
use keyproof::model::{
    CallerPrincipal, CiphertextBlob, DataKeyLength, Decision, EncryptionAlgorithm,
    EncryptionContext, Key, KeyArn, KeyState, Plaintext, PrincipalArn, Timestamp,
};

use crate::world::{APP, DESTINATION, SOURCE, World, allows, app, delegates, key_arn, region};

/// Runs a future that never waits.
pub fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here waits"),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the backend is down")]
struct Down;

impl ClassifyFailure for Down {
    fn class(&self) -> FailureClass {
        FailureClass::Transient
    }
}

/// Answers for the keys it is told to, and writes down that it was called.
struct Backend<'l> {
    log: &'l Mutex<Vec<String>>,
    epoch: Epoch,
    answers_for: Option<KeyArn>,
    down: bool,
}

impl KmsBackend for Backend<'_> {
    type Error = Down;

    async fn re_encrypt(&self, operation: Authorized<'_, ReEncrypt>) -> Result<ReEncrypted, Down> {
        self.log.lock().unwrap().push("backend".into());
        if self.down {
            return Err(Down);
        }
        Ok(ReEncrypted {
            ciphertext: CiphertextBlob::new(*b"moved").unwrap(),
            source_key: operation.source().arn().clone(),
            destination_key: self
                .answers_for
                .clone()
                .unwrap_or_else(|| operation.destination().arn().clone()),
            source_algorithm: operation.source_algorithm(),
            destination_algorithm: operation.destination_algorithm(),
            source_material: None,
            destination_material: None,
        })
    }

    async fn encrypt(&self, operation: Authorized<'_, Encrypt>) -> Result<Encrypted, Down> {
        self.log.lock().unwrap().push("backend".into());
        Ok(Encrypted {
            ciphertext: CiphertextBlob::new(*b"made").unwrap(),
            key: self.answers_for.clone().unwrap_or_else(|| operation.key().arn().clone()),
            algorithm: operation.algorithm(),
            material: None,
        })
    }

    async fn decrypt(&self, operation: Authorized<'_, Decrypt>) -> Result<Decrypted, Down> {
        self.log.lock().unwrap().push("backend".into());
        Ok(Decrypted {
            plaintext: Plaintext::new(b"secret".to_vec()).unwrap(),
            key: self.answers_for.clone().unwrap_or_else(|| operation.key().arn().clone()),
            algorithm: operation.algorithm(),
            material: None,
        })
    }
}

impl EpochSource for Backend<'_> {
    fn epoch(&self) -> Result<Epoch, String> {
        Ok(self.epoch)
    }
}

struct Log<'l> {
    log: &'l Mutex<Vec<String>>,
    full: bool,
}

impl AuditLog for Log<'_> {
    fn record(&self, record: &AuditRecord<'_>) -> Result<(), AuditError> {
        if self.full {
            return Err(AuditError("the disk is full".into()));
        }
        self.log.lock().unwrap().push(format!("{} {}", record.operation, record.outcome.as_str()));
        Ok(())
    }
}

struct Noon;

impl TimeSource for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_epoch_seconds(1_780_000_000)
    }
}

struct MadeBy(&'static str);

impl CiphertextInspector for MadeBy {
    fn inspect(&self, _: &CiphertextBlob) -> Result<Provenance, InspectError> {
        Ok(Provenance::Key(key_arn(self.0)))
    }
}

/// A world in which the app may re-encrypt from the source to the destination.
fn world() -> World {
    World::new()
        .key(SOURCE, &delegates("111122223333", "kms:*"))
        .key(DESTINATION, &delegates("111122223333", "kms:ReEncryptTo"))
        .role(APP, &allows("kms:*"))
}

fn request() -> ReEncryptRequest {
    ReEncryptRequest {
        region: region(),
        ciphertext: Some(CiphertextBlob::new(*b"old").unwrap()),
        source_key: None,
        source_algorithm: EncryptionAlgorithm::SymmetricDefault,
        source_context: EncryptionContext::new(),
        destination_key: KeyIdentifier::Arn(key_arn(DESTINATION)),
        destination_algorithm: EncryptionAlgorithm::SymmetricDefault,
        destination_context: EncryptionContext::new(),
        grant_tokens: Vec::new(),
    }
}

/// Runs [`request`] and tells what came of it and what was recorded, in order.
fn guarded(
    snapshot: &Snapshot,
    change: impl FnOnce(&mut Backend<'_>, &mut Log<'_>),
) -> (Result<ReEncrypted, ExecuteError<ReEncrypt, Down>>, Vec<String>) {
    let log = Mutex::new(Vec::new());
    let mut backend = Backend { log: &log, epoch: Epoch::new(7), answers_for: None, down: false };
    let mut audit = Log { log: &log, full: false };
    change(&mut backend, &mut audit);
    let executor = Executor::new(backend, audit, Noon);
    let result = run(executor.guarded_re_encrypt(snapshot, &app(), request(), &MadeBy(SOURCE)));
    drop(executor);
    (result, log.into_inner().unwrap())
}

#[test]
fn intention_is_recorded_before_the_backend_and_outcome_after() {
    let (result, log) = guarded(&world().snapshot(), |_, _| {});
    assert_eq!(result.unwrap().destination_key.as_str(), DESTINATION);
    assert_eq!(log, ["ReEncrypt intended", "backend", "ReEncrypt succeeded"]);
}

#[test]
fn nothing_runs_when_the_intention_cannot_be_recorded() {
    let (result, log) = guarded(&world().snapshot(), |_, audit| audit.full = true);
    assert!(matches!(result, Err(ExecuteError::Audit(_))));
    assert!(log.is_empty());
}

#[test]
fn a_proof_for_an_old_epoch_is_refused_and_nothing_runs() {
    let (result, log) = guarded(&world().snapshot(), |backend, _| backend.epoch = Epoch::new(8));
    let Err(ExecuteError::Stale { judged, now }) = result else { panic!("{result:?}") };
    assert_eq!((judged, now), (Epoch::new(7), Epoch::new(8)));
    assert_eq!(log, ["ReEncrypt denied"]);
}

#[test]
fn a_proof_of_a_world_as_it_might_be_is_refused_and_nothing_runs() {
    let known = world().snapshot();
    let supposed = known.with_readings(known.readings().clone());
    let (result, log) = guarded(&supposed, |_, _| {});
    assert!(matches!(result, Err(ExecuteError::Stale { .. })), "{result:?}");
    assert_eq!(log, ["ReEncrypt denied"]);
}

#[test]
fn a_result_for_another_key_is_discarded() {
    let (result, log) =
        guarded(&world().snapshot(), |backend, _| backend.answers_for = Some(key_arn(SOURCE)));
    assert!(matches!(result, Err(ExecuteError::OtherKey { .. })));
    assert_eq!(log, ["ReEncrypt intended", "backend", "ReEncrypt failed"]);
}

#[test]
fn a_failing_backend_is_recorded() {
    let (result, log) = guarded(&world().snapshot(), |backend, _| backend.down = true);
    assert!(matches!(result, Err(ExecuteError::Backend(Down))));
    assert_eq!(log, ["ReEncrypt intended", "backend", "ReEncrypt failed"]);
}

#[test]
fn a_denial_carries_both_sides_and_is_recorded_without_running() {
    let snapshot = World::new()
        .key(SOURCE, &delegates("111122223333", "kms:ReEncryptFrom"))
        .key(DESTINATION, &delegates("444455556666", "kms:*"))
        .role(APP, &allows("kms:*"))
        .snapshot();
    let (result, log) = guarded(&snapshot, |_, _| {});
    let Err(ExecuteError::Denied(denied)) = result else { panic!("{result:?}") };
    let decisions: Vec<Decision> =
        denied.sides.iter().map(|side| side.explanation.decision).collect();
    assert_eq!(decisions, [Decision::Allow, Decision::ImplicitDeny]);
    assert_eq!(denied.code(), "AccessDeniedException");
    assert_eq!(log, ["ReEncrypt denied"]);
}

#[test]
fn a_disabled_destination_is_told_to_a_permitted_caller_alone() {
    let disabled = Key { state: KeyState::Disabled, ..Key::symmetric(key_arn(DESTINATION)) };
    let permitted = World::new()
        .key(SOURCE, &delegates("111122223333", "kms:*"))
        .key_with(disabled.clone(), &delegates("111122223333", "kms:*"), Vec::new())
        .role(APP, &allows("kms:*"));
    let Err(ExecuteError::Denied(denied)) = guarded(&permitted.snapshot(), |_, _| {}).0 else {
        panic!()
    };
    assert_eq!(denied.code(), "DisabledException");

    let stranger = World::new()
        .key(SOURCE, &delegates("111122223333", "kms:*"))
        .key_with(disabled, &delegates("444455556666", "kms:*"), Vec::new())
        .role(APP, &allows("kms:*"));
    let Err(ExecuteError::Denied(denied)) = guarded(&stranger.snapshot(), |_, _| {}).0 else {
        panic!()
    };
    assert_eq!(denied.code(), "AccessDeniedException");
}

#[test]
fn a_ciphertext_of_another_key_than_the_one_given_is_refused_after_the_permits() {
    let snapshot = world().snapshot();
    let authorizer = Authorizer::new(&snapshot);
    let mut asked = request();
    asked.source_key = Some(KeyIdentifier::Arn(key_arn(SOURCE)));
    let operation = authorizer.resolve_re_encrypt(asked, &app(), &MadeBy(DESTINATION)).unwrap();
    let denied = authorizer.authorize(operation, &app()).unwrap_err();
    assert_eq!(denied.code(), "IncorrectKeyException");
}

#[test]
fn nothing_is_minted_for_a_request_without_data() {
    let snapshot = world().snapshot();
    let authorizer = Authorizer::new(&snapshot);
    let mut asked = request();
    asked.ciphertext = None;
    asked.source_key = Some(KeyIdentifier::Arn(key_arn(SOURCE)));
    let operation = authorizer.resolve_re_encrypt(asked, &app(), &MadeBy(SOURCE)).unwrap();
    let denied = authorizer.authorize(operation, &app()).unwrap_err();
    assert_eq!(denied.code(), "ValidationException");
}

#[test]
fn encrypt_and_decrypt_are_guarded_alike() {
    let snapshot = world().snapshot();
    let log = Mutex::new(Vec::new());
    let backend = Backend {
        log: &log,
        epoch: Epoch::new(7),
        answers_for: Some(key_arn(DESTINATION)),
        down: false,
    };
    let executor = Executor::new(backend, Log { log: &log, full: false }, Noon);
    let encrypt = EncryptRequest {
        region: region(),
        key: KeyIdentifier::Arn(key_arn(SOURCE)),
        plaintext: Some(Plaintext::new(b"secret".to_vec()).unwrap()),
        algorithm: EncryptionAlgorithm::SymmetricDefault,
        context: EncryptionContext::new(),
        grant_tokens: Vec::new(),
    };
    let result = run(executor.guarded_encrypt(&snapshot, &app(), encrypt));
    assert!(matches!(result, Err(ExecuteError::OtherKey { .. })));
    let decrypt = |key: &str| DecryptRequest {
        region: region(),
        ciphertext: Some(CiphertextBlob::new(*b"old").unwrap()),
        key: Some(KeyIdentifier::Arn(key_arn(key))),
        algorithm: EncryptionAlgorithm::SymmetricDefault,
        context: EncryptionContext::new(),
        grant_tokens: Vec::new(),
    };
    let result = run(executor.guarded_decrypt(&snapshot, &app(), decrypt(SOURCE), &MadeBy(SOURCE)));
    assert!(matches!(result, Err(ExecuteError::OtherKey { .. })));
    // The destination's policy lets the app re-encrypt to it, and nothing else.
    let result = run(executor.guarded_decrypt(
        &snapshot,
        &app(),
        decrypt(DESTINATION),
        &MadeBy(DESTINATION),
    ));
    assert!(matches!(result, Err(ExecuteError::Denied(_))));
}

#[test]
fn secrets_have_no_text() {
    let plaintext = Plaintext::new(b"hunter2".to_vec()).unwrap();
    assert_eq!(format!("{plaintext:?}"), "Plaintext(…)");
    let token = keyproof::model::GrantToken::new("token-hunter2").unwrap();
    assert!(!format!("{token:?}").contains("hunter2"));
}

#[test]
fn data_keys_and_descriptions_are_guarded_on_the_embedded_kms() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.redb");
    let keystore = Keystore::create(&path, RootKey::generate().unwrap()).unwrap();
    let new = NewKey::symmetric("111122223333".parse().unwrap(), region());
    let key = keystore.create_key(&new, Noon.now()).unwrap();
    let mut builder = Snapshot::builder();
    builder.other_memberships(Known::Known(None));
    embedded::add_keys(&mut builder, keystore.contents().unwrap()).unwrap();
    let snapshot = builder.build();
    let caller = |account: &str| {
        let root = PrincipalArn::root("aws", account.parse().unwrap());
        let mut caller = Caller::new(CallerPrincipal::Root(root));
        keyproof::load::direct_call(&mut caller.context);
        caller
    };
    let (owner, stranger) = (caller("111122223333"), caller("444455556666"));
    let log = Mutex::new(Vec::new());
    let executor = Executor::new(EmbeddedKms::new(keystore), Log { log: &log, full: false }, Noon);
    let name = || KeyIdentifier::Arn(key.clone());
    let context = EncryptionContext::from_iter([("tenant".into(), "blue".into())]);
    let data_key = || GenerateDataKeyRequest {
        region: region(),
        key: name(),
        context: context.clone(),
        length: DataKeyLength::AES_256,
        grant_tokens: Vec::new(),
    };
    let one = run(executor.guarded_on(&snapshot, &owner, data_key(), &NoInspector)).unwrap();
    let other = run(executor.guarded_on(&snapshot, &owner, data_key(), &NoInspector)).unwrap();
    assert_eq!(one.plaintext.expose().len(), 32);
    assert_ne!(one.plaintext.expose(), other.plaintext.expose());
    let decrypt = DecryptRequest {
        region: region(),
        ciphertext: Some(one.ciphertext.clone()),
        key: None,
        algorithm: EncryptionAlgorithm::SymmetricDefault,
        context: context.clone(),
        grant_tokens: Vec::new(),
    };
    let opened = run(executor.guarded_on(&snapshot, &owner, decrypt, executor.backend())).unwrap();
    assert_eq!(opened.plaintext.expose(), one.plaintext.expose());
    let describe =
        || DescribeKeyRequest { region: region(), key: name(), grant_tokens: Vec::new() };
    let found = run(executor.guarded_on(&snapshot, &owner, describe(), &NoInspector)).unwrap();
    assert_eq!(found, Key::symmetric(key.clone()));
    let refused = run(executor.guarded_on(&snapshot, &stranger, data_key(), &NoInspector));
    assert!(matches!(refused, Err(ExecuteError::Denied(_))));
    let refused = run(executor.guarded_on(&snapshot, &stranger, describe(), &NoInspector));
    assert!(matches!(refused, Err(ExecuteError::Denied(_))));
    executor.backend().keystore().disable_key(&key).unwrap();
    let stale = run(executor.guarded_on(&snapshot, &owner, data_key(), &NoInspector));
    assert!(matches!(stale, Err(ExecuteError::Stale { .. })));
    let log = log.into_inner().unwrap();
    assert_eq!(log.last().unwrap(), "GenerateDataKey denied");
}

#[test]
fn every_damage_to_a_ciphertext_is_an_invalid_ciphertext() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.redb");
    let keystore = Keystore::create(&path, RootKey::generate().unwrap()).unwrap();
    let new = NewKey::symmetric("111122223333".parse().unwrap(), region());
    let key = keystore.create_key(&new, Noon.now()).unwrap();
    let mut builder = Snapshot::builder();
    builder.other_memberships(Known::Known(None));
    embedded::add_keys(&mut builder, keystore.contents().unwrap()).unwrap();
    let snapshot = builder.build();
    let root = PrincipalArn::root("aws", key.account());
    let mut caller = Caller::new(CallerPrincipal::Root(root));
    keyproof::load::direct_call(&mut caller.context);
    let log = Mutex::new(Vec::new());
    let executor = Executor::new(EmbeddedKms::new(keystore), Log { log: &log, full: false }, Noon);
    let encrypt = EncryptRequest {
        region: region(),
        key: KeyIdentifier::Arn(key.clone()),
        plaintext: Some(Plaintext::new(b"secret".to_vec()).unwrap()),
        algorithm: EncryptionAlgorithm::SymmetricDefault,
        context: EncryptionContext::new(),
        grant_tokens: Vec::new(),
    };
    let made = run(executor.guarded_encrypt(&snapshot, &caller, encrypt)).unwrap();
    let open = |bytes: &[u8], key: Option<&KeyArn>| {
        let request = DecryptRequest {
            region: region(),
            ciphertext: Some(CiphertextBlob::new(bytes.to_vec()).unwrap()),
            key: key.map(|key| KeyIdentifier::Arn(key.clone())),
            algorithm: EncryptionAlgorithm::SymmetricDefault,
            context: EncryptionContext::new(),
            grant_tokens: Vec::new(),
        };
        match run(executor.guarded_decrypt(&snapshot, &caller, request, executor.backend())) {
            Ok(_) => "opened",
            Err(ExecuteError::Resolve(error)) => error.code().unwrap(),
            Err(ExecuteError::Denied(denied)) => denied.code(),
            Err(ExecuteError::Backend(error)) => error.aws_code().unwrap(),
            Err(other) => panic!("{other}"),
        }
    };
    let bytes = made.ciphertext.as_bytes();
    assert_eq!(open(bytes, None), "opened");
    for given in [None, Some(&key)] {
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut altered = bytes.to_vec();
                altered[place] ^= 1 << bit;
                assert_eq!(open(&altered, given), "InvalidCiphertextException", "{place}.{bit}");
            }
            if place > 0 {
                assert_eq!(open(&bytes[..place], given), "InvalidCiphertextException", "{place}");
            }
        }
    }
}

#[test]
fn a_decision_on_one_keystore_runs_nothing_on_another_with_the_same_key() {
    let folder = tempfile::tempdir().unwrap();
    let log = Mutex::new(Vec::new());
    let store = |name: &str, policy: &str| {
        let path = folder.path().join(name);
        let keystore = Keystore::create(&path, RootKey::generate().unwrap()).unwrap();
        let world = World::new().key(SOURCE, policy).snapshot();
        embedded::import(&keystore, &world, Noon.now()).unwrap();
        keystore
    };
    let open = store("test.redb", &delegates("111122223333", "kms:*"));
    let closed = store("real.redb", &delegates("444455556666", "kms:*"));
    assert_eq!(open.epoch().unwrap().count(), closed.epoch().unwrap().count());
    let contents = open.contents().unwrap();
    let mut builder = World::new().role(APP, &allows("kms:*")).into_builder();
    embedded::add_keys(&mut builder, contents).unwrap();
    let executor = Executor::new(EmbeddedKms::new(closed), Log { log: &log, full: false }, Noon);
    let request = EncryptRequest {
        region: region(),
        key: KeyIdentifier::Arn(key_arn(SOURCE)),
        plaintext: Some(Plaintext::new(b"secret".to_vec()).unwrap()),
        algorithm: EncryptionAlgorithm::SymmetricDefault,
        context: EncryptionContext::new(),
        grant_tokens: Vec::new(),
    };
    let result = run(executor.guarded_encrypt(&builder.build(), &app(), request));
    assert!(matches!(result, Err(ExecuteError::Stale { .. })), "{result:?}");
    assert_eq!(*log.lock().unwrap(), ["Encrypt denied"]);
}

#[test]
fn a_refusal_before_any_key_is_known_is_recorded() {
    let log = Mutex::new(Vec::new());
    let backend = Backend { log: &log, epoch: Epoch::new(7), answers_for: None, down: false };
    let executor = Executor::new(backend, Log { log: &log, full: false }, Noon);
    let mut asked = request();
    asked.destination_key = KeyIdentifier::Alias("alias/nowhere".parse().unwrap());
    let result =
        run(executor.guarded_re_encrypt(&world().snapshot(), &app(), asked, &MadeBy(SOURCE)));
    assert!(matches!(result, Err(ExecuteError::Resolve(_))), "{result:?}");
    assert_eq!(*log.lock().unwrap(), ["ReEncrypt denied"]);
}
