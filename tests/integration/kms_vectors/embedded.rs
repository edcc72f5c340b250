//! The same cases on a real keystore: the ciphertext is made, the operation judged and run.

use keyproof::authorize::{
    DecryptRequest, EncryptRequest, KeyIdentifier, ReEncryptRequest, ResolveError,
};
use keyproof::backend::embedded::{
    EmbeddedKms, Keystore, KeystoreError, RootKey, add_keys, import,
};
use keyproof::compile::{Caller, Epoch, Known, Snapshot};
use keyproof::execute::{AuditError, AuditLog, AuditRecord, ExecuteError, Executor, TimeSource};
use keyproof::model::{
    CallerPrincipal, CiphertextBlob, ContextMap, EncryptionAlgorithm, EncryptionContext, KeyArn,
    KeyState, Plaintext, PolicyKind, Readings, Timestamp,
};
use serde_json::{Value, json};

use super::{Asked, made_by, pairs, world};
use crate::executor::run;
use crate::world::slot;

struct Silent;

impl AuditLog for Silent {
    fn record(&self, _: &AuditRecord<'_>) -> Result<(), AuditError> {
        Ok(())
    }
}

struct Noon;

impl TimeSource for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_epoch_seconds(1_780_000_000)
    }
}

type Guard = Executor<EmbeddedKms, Silent, Noon>;

/// The outcome of a ReEncrypt or Decrypt on a keystore with the case's keys; `None` for what a
/// keystore cannot hold, or where there is no ciphertext.
pub(super) fn outcome(case: &Value, readings: &Readings) -> Option<String> {
    let asked = Asked::of(case)?;
    let made_by: KeyArn = made_by(&case["request"])?.parse().ok()?;
    if case["request"]["DryRun"] == json!(true) {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.redb");
    let keystore = Keystore::create(&path, RootKey::generate().unwrap()).unwrap();
    import(&keystore, &world(case, readings, Epoch::new(0)).0, Noon.now()).ok()?;
    keystore.key(&made_by).ok()?;
    let guard: Guard = Executor::new(EmbeddedKms::new(keystore), Silent, Noon);
    let keystore = guard.backend().keystore();
    let enabled = |on: bool| {
        for given in case["keys"].as_array().unwrap() {
            if given["state"] == json!(KeyState::Disabled.as_str()) {
                let arn = given["arn"].as_str().unwrap().parse().unwrap();
                let change = if on { Keystore::enable_key } else { Keystore::disable_key };
                change(keystore, &arn).unwrap();
            }
        }
    };
    enabled(true);
    let length = case["request"]["PlaintextLength"].as_u64().unwrap_or(6);
    let plaintext = vec![b'p'; usize::try_from(length).unwrap()];
    let own = &case["request"]["CiphertextEncryptionContext"];
    let context = if own.is_null() { asked.source_context.clone() } else { pairs(own) };
    let blob = encrypt(&guard, &made_by, plaintext.clone(), asked.source_algorithm, &context)?;
    enabled(false);

    let epoch = keystore.epoch().unwrap();
    let (snapshot, caller) = world(case, readings, epoch);
    let backend = guard.backend();
    if case["request"]["operation"] == "Decrypt" {
        let request = DecryptRequest {
            region: asked.region,
            key: asked.source_key,
            ciphertext: Some(blob),
            algorithm: asked.source_algorithm,
            context: asked.source_context,
            grant_tokens: asked.grant_tokens,
        };
        return Some(match run(guard.guarded_decrypt(&snapshot, &caller, request, backend)) {
            Ok(done) => {
                assert_eq!(done.plaintext.expose(), plaintext);
                "ALLOW".into()
            }
            Err(error) => code(&error),
        });
    }
    let (algorithm, context) = (asked.destination_algorithm, asked.destination_context.clone());
    let request = ReEncryptRequest {
        region: asked.region,
        source_key: asked.source_key,
        ciphertext: Some(blob),
        source_algorithm: asked.source_algorithm,
        source_context: asked.source_context,
        destination_key: asked.destination_key.unwrap(),
        destination_algorithm: asked.destination_algorithm,
        destination_context: asked.destination_context,
        grant_tokens: asked.grant_tokens,
    };
    Some(match run(guard.guarded_re_encrypt(&snapshot, &caller, request, backend)) {
        Ok(done) => {
            let opened =
                decrypt(&guard, &done.destination_key, done.ciphertext, algorithm, context);
            assert_eq!(opened, plaintext);
            "ALLOW".into()
        }
        Err(error) => code(&error),
    })
}

fn code<O: std::fmt::Debug>(error: &ExecuteError<O, KeystoreError>) -> String {
    let code = match error {
        ExecuteError::Denied(denied) => Some(denied.code()),
        ExecuteError::Resolve(error) => ResolveError::code(error),
        ExecuteError::Backend(error) => error.aws_code(),
        _ => None,
    };
    code.unwrap_or_else(|| panic!("{error}")).to_owned()
}

/// The outcome of making a ciphertext under a key, whatever the key's policy; `None` where the key
/// cannot.
fn encrypt(
    guard: &Guard,
    key: &KeyArn,
    plaintext: Vec<u8>,
    algorithm: EncryptionAlgorithm,
    context: &EncryptionContext,
) -> Option<CiphertextBlob> {
    let request = EncryptRequest {
        region: key.region().clone(),
        key: KeyIdentifier::Arn(key.clone()),
        plaintext: Some(Plaintext::new(plaintext).unwrap()),
        algorithm,
        context: context.clone(),
        grant_tokens: Vec::new(),
    };
    let (snapshot, caller) = open_world(guard, key);
    run(guard.guarded_encrypt(&snapshot, &caller, request)).ok().map(|done| done.ciphertext)
}

fn decrypt(
    guard: &Guard,
    key: &KeyArn,
    ciphertext: CiphertextBlob,
    algorithm: EncryptionAlgorithm,
    context: EncryptionContext,
) -> Vec<u8> {
    let request = DecryptRequest {
        region: key.region().clone(),
        key: Some(KeyIdentifier::Arn(key.clone())),
        ciphertext: Some(ciphertext),
        algorithm,
        context,
        grant_tokens: Vec::new(),
    };
    let (snapshot, caller) = open_world(guard, key);
    let done = run(guard.guarded_decrypt(&snapshot, &caller, request, guard.backend())).unwrap();
    done.plaintext.expose().to_vec()
}

/// A world in which everybody may do everything with the keystore's keys, and a caller.
fn open_world(guard: &Guard, key: &KeyArn) -> (Snapshot, Caller) {
    let contents = guard.backend().keystore().contents().unwrap();
    let mut builder = Snapshot::builder();
    builder.other_memberships(Known::Known(None));
    add_keys(&mut builder, contents).unwrap();
    let open = json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}});
    let policies = vec![slot(&open.to_string(), PolicyKind::Key)];
    let built = builder.build();
    let epoch = built.epoch();
    let snapshot = built.with_key_policies(key, policies).unwrap().at_epoch(epoch);
    let root = format!("arn:{}:iam::{}:root", key.partition(), key.account());
    let mut caller = Caller::new(CallerPrincipal::Root(root.parse().unwrap()));
    caller.context = ContextMap::new().complete();
    (snapshot, caller)
}
