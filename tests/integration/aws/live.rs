//! A world that changes while it is judged on: its age, what is read again, and its replacement.

use std::convert::Infallible;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyproof::authorize::{Authorizer, NoInspector, Operation, ReEncrypt, ReEncryptRequest};
use keyproof::backend::aws::{AwsKeyReader, AwsKms, AwsKmsError};
use keyproof::compile::{Grants, KeyFacts, Known, PolicySlot, Snapshot};
use keyproof::execute::{
    AuditOutcome, ExecuteError, Executor, Freshness, KeyReader, LiveWorld, NoReader, Refresh,
    TimeSource,
};
use keyproof::model::{EncryptionContextConstraint, Key, KeyArn, KeyState, PolicyKind, Timestamp};
use serde_json::json;

use super::backend::{Log, re_encrypt};
use super::stub::{Stub, block_on, exception, ok};
use crate::world::{
    APP, DESTINATION, SOURCE, World, allows, app, delegates, key_arn, region, slot,
};

const READ: i64 = 1_780_000_000;

/// A clock that a test sets.
#[derive(Clone)]
struct Clock(Arc<AtomicI64>);

impl TimeSource for Clock {
    fn now(&self) -> Timestamp {
        Timestamp::from_epoch_seconds(self.0.load(Ordering::Relaxed))
    }
}

/// Says of every key what a test says, and counts.
#[derive(Default)]
struct Says {
    policy: Mutex<Option<String>>,
    asked: AtomicUsize,
}

impl KeyReader for &Says {
    async fn read(&self, key: &KeyArn) -> Result<KeyFacts, String> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let policy = self.policy.lock().unwrap().clone().ok_or("the line is cut")?;
        Ok(KeyFacts {
            key: Key::symmetric(key.clone()),
            policies: vec![slot(&policy, PolicyKind::Key)],
            grants: Known::Known(Grants::default()),
            tags: Known::Known(Vec::new()),
            aliases: Known::Known(Vec::new()),
        })
    }
}

fn facts(read_at: Option<i64>) -> Snapshot {
    let mut builder = World::new()
        .key(SOURCE, &delegates("111122223333", "kms:*"))
        .key(DESTINATION, &delegates("111122223333", "kms:*"))
        .role(APP, &allows("kms:*"))
        .into_builder();
    if let Some(at) = read_at {
        builder.taken_at(Timestamp::from_epoch_seconds(at));
    }
    builder.build()
}

struct Setup {
    stub: Stub,
    log: Log,
    clock: Clock,
}

type Failure = ExecuteError<ReEncrypt, AwsKmsError>;

impl Setup {
    fn new() -> Self {
        let stub = Stub::new(|_| {
            ok(json!({"CiphertextBlob": "bmV3", "SourceKeyId": SOURCE, "KeyId": DESTINATION}))
        });
        Self { stub, log: Log::default(), clock: Clock(Arc::new(AtomicI64::new(READ + 60))) }
    }

    fn run<R: KeyReader>(
        &self,
        world: &Arc<LiveWorld<R>>,
        max_age: u64,
        refresh: Refresh,
    ) -> Result<(), Failure> {
        let backend = AwsKms::new(self.stub.clients(), Arc::clone(world));
        let freshness = Freshness { max_age: Some(Duration::from_secs(max_age)), refresh };
        let executor =
            Executor::new(backend, self.log.clone(), self.clock.clone()).with_freshness(freshness);
        let caller = app();
        block_on(executor.guarded(world, &caller, re_encrypt(), &NoInspector)).map(drop)
    }

    /// The outcomes recorded since the last time.
    fn recorded(&self) -> Vec<&'static str> {
        self.log.0.lock().unwrap().drain(..).map(|outcome| outcome.as_str()).collect()
    }
}

#[test]
fn facts_that_are_too_old_are_refused_and_the_refusal_is_recorded() {
    let setup = Setup::new();
    let world = Arc::new(LiveWorld::new(facts(Some(READ)), NoReader));
    assert!(setup.run(&world, 60, Refresh::Never).is_ok(), "60 s may be 60 s");
    assert_eq!(setup.recorded(), ["intended", "succeeded"]);
    let error = setup.run(&world, 59, Refresh::Never).unwrap_err();
    assert!(matches!(error, ExecuteError::Outdated { age: Some(60), max_age: 59 }), "{error}");
    assert_eq!(setup.recorded(), ["denied"]);
    assert_eq!(setup.stub.count("ReEncrypt"), 1);
}

#[test]
fn facts_of_unknown_age_or_of_the_future_are_refused() {
    let setup = Setup::new();
    for read_at in [None, Some(READ + 61)] {
        let world = Arc::new(LiveWorld::new(facts(read_at), NoReader));
        let error = setup.run(&world, 1_000_000, Refresh::Never).unwrap_err();
        assert!(matches!(error, ExecuteError::Outdated { age: None, .. }), "{error}");
    }
    assert_eq!(setup.stub.count("ReEncrypt"), 0);
}

#[test]
fn stale_facts_are_read_again_once_for_both_keys_and_then_decide() {
    let (setup, says) = (Setup::new(), Says::default());
    *says.policy.lock().unwrap() = Some(delegates("111122223333", "kms:*"));
    let world = Arc::new(LiveWorld::new(facts(Some(READ)), &says));
    assert!(setup.run(&world, 100, Refresh::WhenStale).is_ok());
    assert_eq!(says.asked.load(Ordering::Relaxed), 0, "60 s are not stale");
    assert!(setup.run(&world, 10, Refresh::WhenStale).is_ok());
    assert_eq!(says.asked.load(Ordering::Relaxed), 2);
    assert!(setup.run(&world, 10, Refresh::WhenStale).is_ok());
    assert_eq!(says.asked.load(Ordering::Relaxed), 2, "they are fresh now");
    // A permission is taken away.
    *says.policy.lock().unwrap() = Some(delegates("999999999999", "kms:*"));
    setup.clock.0.fetch_add(11, Ordering::Relaxed);
    let error = setup.run(&world, 10, Refresh::WhenStale).unwrap_err();
    assert!(matches!(error, ExecuteError::Denied(_)), "{error}");
    assert_eq!(setup.stub.count("ReEncrypt"), 3);
}

#[test]
fn what_cannot_be_read_again_is_refused() {
    let (setup, says) = (Setup::new(), Says::default());
    let world = Arc::new(LiveWorld::new(facts(Some(READ)), &says));
    for (max_age, refresh) in [(10, Refresh::WhenStale), (1000, Refresh::BeforeEach)] {
        let error = setup.run(&world, max_age, refresh).unwrap_err();
        assert!(matches!(error, ExecuteError::NotRefreshed(_)), "{error}");
        assert!(error.to_string().contains("the line is cut"), "{error}");
        assert_eq!(setup.recorded(), ["denied"]);
    }
    assert!(setup.run(&world, 1000, Refresh::WhenStale).is_ok(), "what is not stale is not read");
    assert_eq!(setup.stub.count("ReEncrypt"), 1);
}

#[test]
fn before_each_reads_before_each() {
    let (setup, says) = (Setup::new(), Says::default());
    *says.policy.lock().unwrap() = Some(delegates("111122223333", "kms:*"));
    let world = Arc::new(LiveWorld::new(facts(Some(READ)), &says));
    for run in 1..=3 {
        assert!(setup.run(&world, 1000, Refresh::BeforeEach).is_ok());
        assert_eq!(says.asked.load(Ordering::Relaxed), 2 * run);
    }
}

#[test]
fn a_proof_does_not_run_on_a_world_that_was_replaced() {
    let setup = Setup::new();
    let world = Arc::new(LiveWorld::new(facts(Some(READ)), NoReader));
    let before = world.current();
    let caller = app();
    let authorizer = Authorizer::new(&before);
    let operation = authorizer.resolve_re_encrypt(re_encrypt(), &caller, &NoInspector).unwrap();
    let proof = authorizer.authorize(operation, &caller).unwrap();
    let epoch = world.replace(|_| Ok::<_, Infallible>(facts(Some(READ)))).unwrap();
    assert_eq!(epoch, before.epoch().next());
    let backend = AwsKms::new(setup.stub.clients(), Arc::clone(&world));
    let executor = Executor::new(backend, setup.log.clone(), setup.clock.clone());
    let error = block_on(executor.re_encrypt(proof)).unwrap_err();
    assert!(matches!(error, ExecuteError::Stale { .. }), "{error}");
    assert_eq!(setup.stub.count("ReEncrypt"), 0);
}

#[test]
fn a_folder_is_read_again_whole_or_the_old_world_stays() {
    let folder = tempfile::tempdir().unwrap();
    let account = folder.path().join("accounts/111122223333");
    let key = account.join("regions/eu-central-1/keys/11111111-1111-4111-8111-111111111111");
    std::fs::create_dir_all(&key).unwrap();
    std::fs::write(
        key.join("key.json"),
        json!({"KeyMetadata": {
            "Arn": SOURCE, "KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": "Enabled", "KeyManager": "CUSTOMER",
        }})
        .to_string(),
    )
    .unwrap();
    let read = keyproof::load::world(folder.path()).unwrap();
    let live = LiveWorld::new(read.snapshot(keyproof::compile::Epoch::new(4)).unwrap(), NoReader);
    let state = || live.current().key(&key_arn(SOURCE)).unwrap().key.state;
    let held = live.current();

    std::fs::write(key.join("grants.json"), "{").unwrap();
    let error = keyproof::load::reload(&live, folder.path()).unwrap_err();
    assert!(error.to_string().contains("grants.json:1:"), "{error}");
    assert_eq!((state(), live.current().epoch().count()), (KeyState::Enabled, 4));

    std::fs::remove_file(key.join("grants.json")).unwrap();
    let text = std::fs::read_to_string(key.join("key.json")).unwrap();
    std::fs::write(key.join("key.json"), text.replace("Enabled", "Disabled")).unwrap();
    assert_eq!(keyproof::load::reload(&live, folder.path()).unwrap().count(), 5);
    assert_eq!(state(), KeyState::Disabled);
    assert_eq!(held.key(&key_arn(SOURCE)).unwrap().key.state, KeyState::Enabled);
}

#[test]
fn aws_tells_the_facts_of_a_key() {
    let policy = delegates("111122223333", "kms:*");
    let said = policy.clone();
    let stub = Stub::new(move |asked| {
        let name = asked.body["PolicyName"].as_str().unwrap_or_default();
        match (asked.operation.as_str(), name, asked.body["Marker"].as_str()) {
            ("DescribeKey", ..) => ok(json!({"KeyMetadata": {
                "KeyId": "x", "Arn": SOURCE, "KeySpec": "SYMMETRIC_DEFAULT",
                "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled", "Origin": "AWS_KMS",
                "KeyManager": "CUSTOMER", "MultiRegion": false,
            }})),
            ("GetKeyPolicy", "default", _) => ok(json!({"Policy": said, "PolicyName": "default"})),
            ("GetKeyPolicy", ..) => exception("NotFoundException", "no such policy"),
            ("ListGrants", _, None) => {
                ok(json!({"Truncated": true, "NextMarker": "2", "Grants": [{
                    "KeyId": SOURCE, "GrantId": "a".repeat(64), "Operations": ["Decrypt"],
                    "GranteePrincipal": APP, "IssuingAccount": "arn:aws:iam::111122223333:root",
                    "Constraints": {"EncryptionContextSubset": {"tenant": "blue"}},
                }]}))
            }
            ("ListGrants", ..) => ok(json!({"Truncated": false, "Grants": [{
                "KeyId": SOURCE, "GrantId": "b".repeat(64), "Operations": ["DescribeKey"],
                "GranteeServicePrincipal": "dynamodb.amazonaws.com",
            }]})),
            ("ListResourceTags", _, None) => ok(json!({"Truncated": true, "NextMarker": "2",
                "Tags": [{"TagKey": "env", "TagValue": "prod"}]})),
            ("ListResourceTags", ..) => {
                ok(json!({"Tags": [{"TagKey": "team", "TagValue": "a"}], "Truncated": false}))
            }
            ("ListAliases", ..) => exception("AccessDeniedException", "not to be listed"),
            other => panic!("{other:?}"),
        }
    });
    let facts = block_on(AwsKeyReader::new(stub.clients()).read(&key_arn(SOURCE))).unwrap();
    assert_eq!(facts.key, Key::symmetric(key_arn(SOURCE)));
    let [PolicySlot::Compiled(compiled)] = facts.policies.as_slice() else { panic!() };
    assert_eq!(&*compiled.source.text, policy);
    let Known::Known(grants) = facts.grants else { panic!() };
    let ids: Vec<&str> = grants.iter().map(|grant| grant.id.as_str()).collect();
    assert_eq!(ids, ["a".repeat(64), "b".repeat(64)]);
    let constraint = grants[0].constraints.encryption_context.clone();
    assert!(matches!(constraint, Some(EncryptionContextConstraint::Subset(_))));
    let tags = [("env", "prod"), ("team", "a")].map(|(key, value)| (key.into(), value.into()));
    assert_eq!(facts.tags, Known::Known(tags.to_vec()));
    let Known::Unknown(why) = facts.aliases else { panic!("these were not told") };
    assert!(why.contains("not to be listed"), "{why}");

    let cut = Stub::new(|asked| match asked.operation.as_str() {
        "ListGrants" => exception("AccessDeniedException", "not authorized"),
        "GetKeyPolicy" => exception("NotFoundException", ""),
        _ => exception("AccessDeniedException", ""),
    });
    assert!(block_on(AwsKeyReader::new(cut.clients()).read(&key_arn(SOURCE))).is_err());
}

#[test]
fn the_age_is_that_of_the_oldest_key() {
    let mut builder = World::new()
        .key(SOURCE, &delegates("111122223333", "kms:*"))
        .key(DESTINATION, &delegates("111122223333", "kms:*"))
        .role(APP, &allows("kms:*"))
        .into_builder();
    builder.read_at(key_arn(SOURCE), Timestamp::from_epoch_seconds(READ));
    let (caller, request) = (app(), || ReEncryptRequest { region: region(), ..re_encrypt() });
    let read_at = |snapshot: &Snapshot| {
        let authorizer = Authorizer::new(snapshot);
        let operation = authorizer.resolve_re_encrypt(request(), &caller, &NoInspector).unwrap();
        assert_eq!(operation.legs().len(), 2);
        authorizer.authorize(operation, &caller).unwrap().read_at()
    };
    assert_eq!(read_at(&builder.clone().build()), None, "one of two is not known");
    builder.taken_at(Timestamp::from_epoch_seconds(READ + 5));
    assert_eq!(read_at(&builder.build()), Some(Timestamp::from_epoch_seconds(READ)));
}

#[test]
fn outcomes_have_names() {
    let disagreed =
        AuditOutcome::Disagreed { side: None, message: String::new(), request_id: None };
    assert_eq!(disagreed.as_str(), "disagreed");
}
