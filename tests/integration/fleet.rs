//! Fleets on backends that fail, hang, lie and throttle: no item is lost, none written wrongly, and
//! the end says what to do. Time is virtual: nothing here sleeps.

mod freshness;

use std::collections::BTreeSet;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread::ThreadId;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyproof::authorize::{
    Authorized, CiphertextInspector, Decrypt, Encrypt, InspectError, Provenance, ReEncrypt,
};
use keyproof::compile::{Caller, Epoch, Grants, KeyFacts, Known};
use keyproof::execute::{
    AuditError, AuditLog, AuditRecord, ClassifyFailure, Decrypted, Encrypted, EpochSource,
    Executor, FailureClass, Freshness, KeyReader, KmsBackend, LiveWorld, ReEncrypted, TimeSource,
    Wait,
};
use keyproof::fleet::{
    self, Defaults, Driver, End, Fleet, FleetError, Input, Job, Options, Output, Report, Selection,
};
use keyproof::model::{
    CiphertextBlob, EncryptionAlgorithm, EncryptionContext, Key, KeyArn, KeyState, PolicyKind,
    Timestamp,
};
use serde_json::{Value, json};

use crate::world::{
    APP, DESTINATION, SOURCE, World, allows, app, delegates, key_arn, region, slot,
};

const OTHER: &str =
    "arn:aws:kms:eu-central-1:111122223333:key/33333333-3333-4333-8333-333333333333";

/// What a backend does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Answer,
    AnswerForOtherKey,
    AnswerOfOtherKey,
    AnswerTheOldOne,
    Fail(FailureClass),
    Garbage,
    Hang,
}

#[derive(Debug, thiserror::Error)]
#[error("the backend fails: {0:?}")]
struct Failure(FailureClass);

impl ClassifyFailure for Failure {
    fn class(&self) -> FailureClass {
        self.0
    }
}

trait Acts: Fn(u64, Duration, &[u8]) -> Act + Sync + Send {}

impl<F: Fn(u64, Duration, &[u8]) -> Act + Sync + Send> Acts for F {}

/// Acts by the number of the call, the time and the ciphertext.
struct Backend<'t> {
    time: &'t Virtual,
    calls: AtomicU64,
    act: Box<dyn Acts + 't>,
}

impl KmsBackend for Backend<'_> {
    type Error = Failure;

    async fn re_encrypt(
        &self,
        operation: Authorized<'_, ReEncrypt>,
    ) -> Result<ReEncrypted, Failure> {
        let old = operation.ciphertext().unwrap().as_bytes().to_vec();
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let act = (self.act)(call, self.time.now(), &old);
        let destination = operation.destination().arn().clone();
        let moved = [b"new", old.get(3..).unwrap_or_default()].concat();
        let (key, bytes) = match act {
            Act::Answer => (destination, moved),
            Act::AnswerForOtherKey => (key_arn(OTHER), moved),
            Act::AnswerOfOtherKey => (destination, [b"oth", &moved[3..]].concat()),
            Act::AnswerTheOldOne => (destination, old),
            Act::Fail(class) => return Err(Failure(class)),
            Act::Garbage => (destination, b"<html>".to_vec()),
            Act::Hang => std::future::pending().await,
        };
        Ok(ReEncrypted {
            ciphertext: CiphertextBlob::new(bytes).unwrap(),
            source_key: operation.source().arn().clone(),
            destination_key: key,
            source_algorithm: operation.source_algorithm(),
            destination_algorithm: operation.destination_algorithm(),
            source_material: Some("a".repeat(64)),
            destination_material: Some("b".repeat(64)),
        })
    }

    async fn encrypt(&self, _: Authorized<'_, Encrypt>) -> Result<Encrypted, Failure> {
        unreachable!()
    }

    async fn decrypt(&self, _: Authorized<'_, Decrypt>) -> Result<Decrypted, Failure> {
        unreachable!()
    }
}

impl EpochSource for Backend<'_> {
    fn epoch(&self) -> Result<Epoch, String> {
        Ok(Epoch::new(7))
    }
}

/// The first three bytes name the key.
struct Inspector;

impl CiphertextInspector for Inspector {
    fn inspect(&self, blob: &CiphertextBlob) -> Result<Provenance, InspectError> {
        let key: KeyArn = match blob.as_bytes().get(..3) {
            Some(b"old") => key_arn(SOURCE),
            Some(b"new") => key_arn(DESTINATION),
            Some(b"oth") => key_arn(OTHER),
            _ => return Err(InspectError("it is no ciphertext".into())),
        };
        Ok(Provenance::Key(key))
    }

    fn material_date(&self, blob: &CiphertextBlob) -> Option<Timestamp> {
        blob.as_bytes().ends_with(b"7").then(|| "2026-06-01".parse().unwrap())
    }
}

/// Time that passes when somebody waits for it.
#[derive(Default)]
struct Virtual {
    nanos: AtomicU64,
    /// Done by whoever sleeps.
    sleeps: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Wait for Virtual {
    fn wait<F: Future>(&self, future: F, limit: Duration) -> Option<F::Output> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => {
                self.sleep(limit);
                None
            }
        }
    }
}

impl Driver for Virtual {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::SeqCst))
    }

    fn sleep(&self, time: Duration) {
        if let Some(sleeps) = &self.sleeps {
            sleeps();
        }
        self.nanos.fetch_add(time.as_nanos() as u64, Ordering::SeqCst);
    }
}

impl TimeSource for &Virtual {
    fn now(&self) -> Timestamp {
        Timestamp::from_epoch_seconds(START + Driver::now(*self).as_secs() as i64)
    }
}

/// When the facts of the world were read, and time begins.
const START: i64 = 1_780_000_000;

/// Counts how often it reads; says that the keys are as they were, and from some reading on that
/// they are disabled or cannot be read.
#[derive(Clone, Default)]
struct Reads {
    count: Arc<AtomicU64>,
    disabled_from: Arc<AtomicU64>,
    fails_from: Arc<AtomicU64>,
    /// The number of the one reading that fails, and who met it.
    fails_once: Arc<AtomicU64>,
    failed: Arc<Mutex<Option<ThreadId>>>,
}

impl KeyReader for Reads {
    async fn read(&self, key: &KeyArn) -> Result<KeyFacts, String> {
        let count = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        let is_from = |first: &AtomicU64| (1..=count).contains(&first.load(Ordering::SeqCst));
        if count == self.fails_once.load(Ordering::SeqCst) {
            *self.failed.lock().unwrap() = Some(std::thread::current().id());
            return Err("the line is cut once".into());
        }
        if is_from(&self.fails_from) {
            return Err("the line is cut".into());
        }
        let mut fact = Key::symmetric(key.clone());
        if is_from(&self.disabled_from) {
            fact.state = KeyState::Disabled;
        }
        let policy = delegates("111122223333", "kms:*");
        let policies = vec![slot(&policy, PolicyKind::Key)];
        Ok(KeyFacts {
            key: fact,
            policies,
            grants: Known::Known(Grants::default()),
            tags: Known::Known(Vec::new()),
            aliases: Known::Known(Vec::new()),
        })
    }
}

/// Has room for so many records.
struct Log {
    room: AtomicU64,
}

impl AuditLog for Log {
    fn record(&self, _: &AuditRecord<'_>) -> Result<(), AuditError> {
        let taken =
            self.room.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        taken.map(drop).map_err(|_| AuditError("the disk is full".into()))
    }
}

/// A folder with an input of `COUNT` items, and all that a run needs.
struct Home {
    folder: tempfile::TempDir,
    world: LiveWorld<Reads>,
    freshness: Freshness,
    reads: Reads,
    caller: Caller,
    job: Job,
    output: Output,
    time: Virtual,
    options: Options,
    stop: AtomicBool,
    room: u64,
}

const COUNT: u64 = 200;

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("in.jsonl");
        let lines: Vec<String> = (0..COUNT).map(|n| line(n).to_string()).collect();
        std::fs::write(&input, lines.join("\n")).unwrap();
        Self::of(folder, Input::JsonLines(input))
    }

    fn of(folder: tempfile::TempDir, input: Input) -> Self {
        let world = World::new()
            .key(SOURCE, &delegates("111122223333", "kms:*"))
            .key(DESTINATION, &delegates("111122223333", "kms:ReEncryptTo"))
            .key(OTHER, &delegates("111122223333", "kms:DescribeKey"))
            .role(APP, &allows("kms:*"));
        let mut world = world.into_builder();
        world.taken_at(Timestamp::from_epoch_seconds(START));
        let reads = Reads::default();
        let output = Output { results: folder.path().join("out.jsonl"), folder: None };
        Self {
            world: LiveWorld::new(world.build(), reads.clone()),
            reads,
            freshness: Freshness::default(),
            caller: app(),
            job: Job {
                input,
                defaults: Defaults {
                    region: region(),
                    source_key: None,
                    destination_key: DESTINATION.parse().unwrap(),
                    source_context: EncryptionContext::new(),
                    destination_context: None,
                    source_algorithm: EncryptionAlgorithm::SymmetricDefault,
                    destination_algorithm: EncryptionAlgorithm::SymmetricDefault,
                    grant_tokens: Vec::new(),
                },
                selection: Selection::default(),
            },
            output,
            time: Virtual::default(),
            options: Options { concurrency: 2, ..Options::default() },
            stop: AtomicBool::new(false),
            room: u64::MAX,
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, act: impl Acts) -> Result<Report, FleetError> {
        let backend = Backend { time: &self.time, calls: AtomicU64::new(0), act: Box::new(act) };
        let log = Log { room: AtomicU64::new(self.room) };
        let executor = Executor::new(backend, log, &self.time).with_freshness(self.freshness);
        let journal = self.path("journal");
        let fleet = Fleet {
            job: &self.job,
            output: &self.output,
            journal: &journal,
            world: &self.world,
            caller: &self.caller,
        };
        fleet::run(
            &fleet,
            &executor,
            &Inspector,
            &self.time,
            &self.options,
            &self.stop,
            |_, _| Ok(()),
            |_| (),
        )
    }

    fn reads(&self) -> u64 {
        self.reads.count.load(Ordering::SeqCst)
    }

    /// Runs, and gives why it stopped.
    fn stops(&self, act: impl Acts) -> FleetError {
        match self.run(act).unwrap().end {
            End::Stopped(error) => error,
            other => panic!("{other:?}"),
        }
    }

    /// Runs on a sound backend to the end; every item is there once, and as it should be.
    fn finishes(&self) {
        let report = self.run(|_, _, _| Act::Answer).unwrap();
        assert!(matches!(report.end, End::Finished), "{:?}", report.end);
        assert_eq!(report.tally.moved, COUNT);
        let results = results(&self.output.results);
        assert_eq!(results.len() as u64, COUNT);
        let mut seen = BTreeSet::new();
        for result in results {
            let id = result["id"].as_str().unwrap();
            assert!(seen.insert(id.to_owned()), "{id} is there twice");
            let moved = STANDARD.decode(result["ciphertext"].as_str().unwrap()).unwrap();
            assert_eq!(String::from_utf8(moved).unwrap(), format!("new-{id}"));
            assert_eq!(result["sourceKeyId"], SOURCE);
            assert_eq!(result["destinationKeyId"], DESTINATION);
            assert_eq!(result["destinationKeyMaterialId"], "b".repeat(64));
        }
        assert!(!self.path("out.jsonl.part").exists());
    }
}

fn line(n: u64) -> Value {
    json!({"id": n.to_string(), "ciphertext": STANDARD.encode(format!("old-{n}"))})
}

fn results(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_sound_backend_moves_every_item_once() {
    let home = Home::new();
    home.finishes();
    // A finished job is finished again without a call.
    let report = home.run(|_, _, _| panic!("nothing is left to be called for")).unwrap();
    assert!(matches!(report.end, End::Finished));
    home.finishes();
}

#[test]
fn a_minute_of_throttling_costs_a_minute_and_no_item() {
    let home = Home::new();
    let minute = Duration::from_secs(60);
    let report = home
        .run(|call, now, _| match now > minute || call < 20 {
            true => Act::Answer,
            false => Act::Fail(FailureClass::Throttled),
        })
        .unwrap();
    assert!(matches!(report.end, End::Finished), "{:?}", report.end);
    assert_eq!((report.tally.moved, report.tally.failed), (COUNT, 0));
    assert!(report.time > minute && report.time < minute * 10, "{:?}", report.time);
    home.finishes();
}

#[test]
fn throttling_without_end_ends_the_run() {
    let home = Home::new();
    let error = home.stops(|_, _, _| Act::Fail(FailureClass::Throttled));
    assert!(matches!(error, FleetError::Silent { seconds, .. } if seconds >= 600), "{error}");
    assert!(error.to_string().contains("run the same command again"), "{error}");
    home.finishes();
}

#[test]
fn the_limit_of_calls_a_second_is_kept() {
    let mut home = Home::new();
    home.options.requests_per_second = Some(10.0);
    home.options.concurrency = 1;
    home.finishes();
    let time = Driver::now(&home.time).as_secs_f64();
    assert!((19.0..21.0).contains(&time), "{time}");
}

#[test]
fn no_more_calls_are_under_way_than_are_allowed() {
    let home = Home::new();
    let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
    let report = home.run(|_, _, _| {
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        // Lets the workers that only decide and record try.
        for _ in 0..20 {
            std::thread::yield_now();
        }
        now.fetch_sub(1, Ordering::SeqCst);
        Act::Answer
    });
    assert!(matches!(report.unwrap().end, End::Finished));
    assert!((1..=2).contains(&most.into_inner()));
    home.finishes();
}

#[test]
fn a_call_that_hangs_is_given_up_and_sent_again() {
    let home = Home::new();
    let report =
        home.run(|call, _, _| if call % 10 == 3 { Act::Hang } else { Act::Answer }).unwrap();
    assert!(matches!(report.end, End::Finished), "{:?}", report.end);
    home.finishes();
}

#[test]
fn a_backend_that_always_hangs_ends_the_run() {
    let home = Home::new();
    let error = home.stops(|call, _, _| if call < 30 { Act::Answer } else { Act::Hang });
    let text = error.to_string();
    assert!(text.contains("did not answer within 30 s") && text.contains("again"), "{text}");
    home.finishes();
}

#[test]
fn failures_that_pass_are_sent_again() {
    let home = Home::new();
    let fails = |call, _, _: &[u8]| match call % 3 {
        0 => Act::Fail(FailureClass::Transient),
        _ => Act::Answer,
    };
    assert!(matches!(home.run(fails).unwrap().end, End::Finished));
    home.finishes();
}

#[test]
fn items_that_fail_are_told_and_tried_again_by_the_next_run() {
    let home = Home::new();
    let bad = |_, _, old: &[u8]| match old.ends_with(b"5") {
        true => Act::Fail(FailureClass::Permanent),
        false => Act::Answer,
    };
    let report = home.run(bad).unwrap();
    assert!(matches!(report.end, End::Failures), "{:?}", report.end);
    assert_eq!((report.tally.moved, report.tally.failed), (COUNT - 20, 20));
    assert!(!home.output.results.exists(), "an output that is not complete is not there");
    let status = fleet::status(&home.path("journal"), 3).unwrap();
    assert_eq!((status.tally.failed, status.problems.len(), status.finished), (20, 3, false));
    assert_eq!(status.problems[0].id, "5");
    home.finishes();
    assert!(fleet::status(&home.path("journal"), 3).unwrap().finished);
}

#[test]
fn failed_items_can_be_left_out() {
    let mut home = Home::new();
    home.options.skip_failed = true;
    let report = home
        .run(|_, _, old| match old.ends_with(b"-5") {
            true => Act::Fail(FailureClass::Permanent),
            false => Act::Answer,
        })
        .unwrap();
    assert!(matches!(report.end, End::Finished), "{:?}", report.end);
    assert_eq!(results(&home.output.results).len() as u64, COUNT - 1);
}

#[test]
fn a_run_in_which_everything_fails_is_not_gone_on_with() {
    let home = Home::new();
    let error = home.stops(|_, _, _| Act::Fail(FailureClass::Permanent));
    assert!(matches!(error, FleetError::Hopeless { .. }), "{error}");
    let home = Home::new();
    let error = home.stops(|call, _, _| match call {
        0..50 => Act::Answer,
        _ => Act::Fail(FailureClass::Every),
    });
    assert!(error.to_string().contains("fails for every item"), "{error}");
    home.finishes();
}

#[test]
fn answers_that_were_not_asked_for_are_not_written() {
    for act in [Act::AnswerForOtherKey, Act::AnswerOfOtherKey, Act::AnswerTheOldOne, Act::Garbage] {
        let home = Home::new();
        let error = home.stops(|call, _, _| if call == 77 { act } else { Act::Answer });
        assert!(matches!(error, FleetError::Untrustworthy { .. }), "{act:?}: {error}");
        assert!(error.to_string().contains("nothing was written for it"), "{error}");
        for result in results(&home.path("out.jsonl.part")) {
            let moved = STANDARD.decode(result["ciphertext"].as_str().unwrap()).unwrap();
            assert!(moved.starts_with(b"new-"), "{act:?}");
        }
        home.finishes();
    }
}

#[test]
fn without_its_records_nothing_is_run_and_nothing_written() {
    for room in [0, 1, 15, 16, 17, 40, 200, 300] {
        let mut home = Home::new();
        home.room = room;
        let error = home.stops(|_, _, _| Act::Answer);
        assert!(matches!(error, FleetError::Audit(_)), "{room}: {error}");
        assert!(error.to_string().contains("make the audit log writable"), "{error}");
        // Each item in the output has an intention and an outcome.
        let written = results(&home.path("out.jsonl.part")).len() as u64;
        assert!(written * 2 <= room, "{written} items with {room} records");
        home.room = u64::MAX;
        home.finishes();
    }
}

#[test]
fn a_run_that_is_asked_to_stop_stops_and_is_gone_on_with() {
    let home = Home::new();
    let stop = &home.stop;
    let report = home
        .run(|call, _, _| {
            stop.store(call >= 50, Ordering::SeqCst);
            Act::Answer
        })
        .unwrap();
    assert!(matches!(report.end, End::Interrupted), "{:?}", report.end);
    assert!((51..60).contains(&report.tally.moved), "{:?}", report.tally);
    home.stop.store(false, Ordering::SeqCst);
    home.finishes();
}

#[test]
fn refusals_stop_the_run_before_it_begins() {
    let mut home = Home::new();
    let denied = json!({"id": "denied", "ciphertext": STANDARD.encode("oth-1")});
    let lines: Vec<String> =
        (0..5).map(|n| line(n).to_string()).chain([denied.to_string()]).collect();
    std::fs::write(home.path("in.jsonl"), lines.join("\n")).unwrap();
    let error = home.run(|_, _, _| panic!("nothing may run")).unwrap_err();
    assert!(matches!(error, FleetError::Refusals { refused: 1, total: 6 }), "{error}");
    assert!(!home.path("journal").exists() && !home.path("out.jsonl.part").exists());
    home.options.skip_refused = true;
    let report = home.run(|_, _, _| Act::Answer).unwrap();
    assert!(matches!(report.end, End::Finished), "{:?}", report.end);
    assert_eq!((report.tally.moved, report.tally.refused), (5, 1));
    let status = fleet::status(&home.path("journal"), 3).unwrap();
    assert_eq!(status.problems[0].id, "denied");
    assert_eq!(status.problems[0].code, "AccessDeniedException");
}

#[test]
fn a_journal_belongs_to_one_job() {
    let mut home = Home::new();
    let stop = &home.stop;
    home.run(|_, _, _| {
        stop.store(true, Ordering::SeqCst);
        Act::Answer
    })
    .unwrap();
    home.stop.store(false, Ordering::SeqCst);
    home.job.defaults.destination_context =
        Some(EncryptionContext::from_iter([("a".to_owned(), "b".to_owned())]));
    let error = home.run(|_, _, _| panic!("nothing may run")).unwrap_err();
    assert!(error.to_string().contains("another job (other destination context)"), "{error}");
    home.job.defaults.destination_context = None;
    let input = home.path("in.jsonl");
    let text = std::fs::read_to_string(&input).unwrap();
    std::fs::write(&input, text.replacen(&STANDARD.encode("old-9"), &STANDARD.encode("old-x"), 1))
        .unwrap();
    let error = home.run(|_, _, _| panic!("nothing may run")).unwrap_err();
    assert!(error.to_string().contains("items of the input"), "{error}");
    std::fs::write(&input, text).unwrap();
    home.finishes();
}

#[test]
fn what_is_there_is_not_overwritten() {
    for name in ["out.jsonl", "out.jsonl.part"] {
        let home = Home::new();
        std::fs::write(home.path(name), "precious").unwrap();
        let error = home.run(|_, _, _| panic!("nothing may run")).unwrap_err();
        assert!(matches!(error, FleetError::Exists { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(home.path(name)).unwrap(), "precious");
    }
    let home = Home::new();
    std::fs::write(home.path("journal"), "precious").unwrap();
    let error = home.run(|_, _, _| panic!("nothing may run")).unwrap_err();
    assert!(error.to_string().contains("is not the journal of a fleet"), "{error}");
    assert_eq!(std::fs::read_to_string(home.path("journal")).unwrap(), "precious");
}

#[test]
fn an_output_that_somebody_changed_is_not_added_to() {
    for change in ["", "shorter", "other"] {
        let home = Home::new();
        let stop = &home.stop;
        home.run(|call, _, _| {
            stop.store(call > 40, Ordering::SeqCst);
            Act::Answer
        })
        .unwrap();
        home.stop.store(false, Ordering::SeqCst);
        let part = home.path("out.jsonl.part");
        let text = std::fs::read_to_string(&part).unwrap();
        let changed = match change {
            // What a killed run wrote and did not count is cut off.
            "" => {
                std::fs::write(&part, format!("{text}{{\"id\":\"torn")).unwrap();
                home.finishes();
                continue;
            }
            "shorter" => text[..text.len() / 2].to_owned(),
            _ => text.replace("new", "odd").replace("\"b", "\"c"),
        };
        std::fs::write(&part, &changed).unwrap();
        let error = home.run(|_, _, _| panic!("nothing may run")).unwrap_err();
        assert!(matches!(error, FleetError::OutputChanged { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(&part).unwrap(), changed);
    }
}

#[test]
fn an_output_that_is_gone_is_told_when_its_job_is_finished() {
    for change in ["gone", "shorter", "longer"] {
        let home = Home::new();
        home.finishes();
        let output = home.path("out.jsonl");
        let text = std::fs::read_to_string(&output).unwrap();
        match change {
            "gone" => std::fs::remove_file(&output).unwrap(),
            "shorter" => std::fs::write(&output, &text[..text.len() / 2]).unwrap(),
            _ => std::fs::write(&output, text + "{}\n").unwrap(),
        }
        let error = home.run(|_, _, _| panic!("nothing may run")).unwrap_err();
        assert!(matches!(error, FleetError::OutputChanged { .. }), "{change}: {error}");
    }
}

#[test]
fn an_input_that_changes_while_it_is_read_is_told() {
    let mut home = Home::new();
    // Another worker could have read it to its end before.
    home.options.concurrency = 1;
    let input = home.path("in.jsonl");
    let text = std::fs::read_to_string(&input).unwrap();
    let error = home.stops(|call, _, _| {
        if call == 0 {
            std::fs::write(&input, format!("{text}\n{}\n", line(COUNT))).unwrap();
        }
        Act::Answer
    });
    assert!(matches!(error, FleetError::InputChanged { .. }), "{error}");
    assert!(!home.output.results.exists());
}

#[test]
fn questions_of_one_shape_are_decided_once() {
    let home = Home::new();
    let mut lines: Vec<String> = (0..COUNT).map(|n| line(n).to_string()).collect();
    lines.push(
        json!({"ciphertext": STANDARD.encode("old"), "sourceContext": {"a": "b"}}).to_string(),
    );
    lines.push(json!({"ciphertext": STANDARD.encode("oth")}).to_string());
    lines.push(json!({"ciphertext": STANDARD.encode("???")}).to_string());
    std::fs::write(home.path("in.jsonl"), lines.join("\n")).unwrap();
    let mut refused = Vec::new();
    let plan =
        fleet::plan(&home.job, &home.world.current(), &home.caller, &Inspector, |item, refusal| {
            refused.push((item.id.clone(), refusal.code.clone()));
            Ok(())
        })
        .unwrap();
    assert_eq!((plan.total, plan.allowed, plan.refused), (COUNT + 3, COUNT + 1, 2));
    assert_eq!(plan.decisions, 4);
    assert_eq!(plan.pairs.values().copied().collect::<Vec<_>>(), [(COUNT + 1, 0), (0, 1)]);
    let expected = [("202", "AccessDeniedException"), ("203", "InvalidCiphertextException")];
    assert_eq!(refused, expected.map(|(id, code)| (id.to_owned(), code.to_owned())));
}

#[test]
fn only_what_is_selected_is_moved() {
    let mut home = Home::new();
    home.job.selection.material_before = Some("2026-01-01".parse().unwrap());
    let report = home.run(|_, _, _| Act::Answer).unwrap();
    assert_eq!((report.tally.moved, report.tally.not_selected), (COUNT - 20, 20));
    let mut home = Home::new();
    home.job.selection.key = Some(OTHER.parse().unwrap());
    let report = home.run(|_, _, _| panic!("nothing is to be moved")).unwrap();
    assert!(matches!(report.end, End::Finished));
    assert_eq!(report.tally.not_selected, COUNT);
    assert_eq!(results(&home.output.results).len(), 0);
}

#[test]
fn what_is_no_item_is_told_with_its_place() {
    let good = line(1).to_string();
    let headed = "id,ciphertext,sourceContext\n";
    for (name, text, says) in [
        ("a.jsonl", format!("{good}\n{{\"id\":1}}\n"), "a.jsonl:2:7: invalid type"),
        ("a.jsonl", format!("{good}\n\n{{}}\n"), "a.jsonl:3:2: missing field `ciphertext`"),
        (
            "a.jsonl",
            "{\"ciphertext\":\"b2xk\",\"key\":1}".into(),
            "a.jsonl:1:26: unknown field `key`",
        ),
        ("a.jsonl", "{\"ciphertext\":\"?\"}".into(), "a.jsonl:1: `ciphertext` is not base64"),
        ("a.jsonl", "{\"ciphertext\":\"\"}".into(), "a.jsonl:1: "),
        (
            "a.jsonl",
            "{\"ciphertext\":\"b2xk\",\"sourceContext\":{\"a\":\"b\",\"a\":\"c\"}}".into(),
            "has `a` twice",
        ),
        (
            "a.jsonl",
            "{\"ciphertext\":\"b2xk\",\"sourceKeyId\":\"arn:x\"}".into(),
            "a.jsonl:1: `sourceKeyId`: ",
        ),
        ("a.csv", "id,cipher\n".into(), "a.csv:1: no column is called `cipher`"),
        ("a.csv", "id\n".into(), "a.csv:1: there is no column `ciphertext`"),
        ("a.csv", format!("{headed}1,b2xk\n"), "a.csv:2: the line has 2 fields"),
        ("a.csv", format!("{headed}1,b2xk,{{}}\n2,b2xk,x\n"), "a.csv:3: `sourceContext` is not"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, &text).unwrap();
        let home = Home::of(folder, Input::find(&path).unwrap());
        let error = home.run(|_, _, _| panic!("nothing may run")).unwrap_err();
        assert!(error.to_string().contains(says), "{text}\n{error}");
        assert!(!home.path("journal").exists());
    }
}

#[test]
fn comma_separated_values_are_read_as_json_lines_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.CSV");
    let rows: Vec<String> = (0..COUNT)
        .map(|n| {
            format!("{},{n},\"{{\"\"a\"\": \"\"b\"\"}}\"", STANDARD.encode(format!("old-{n}")))
        })
        .collect();
    std::fs::write(&path, format!("ciphertext,id,sourceContext\r\n{}\r\n", rows.join("\r\n")))
        .unwrap();
    Home::of(folder, Input::find(&path).unwrap()).finishes();
}

#[test]
fn a_folder_is_mirrored() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in");
    std::fs::create_dir_all(input.join("b/c")).unwrap();
    for (name, bytes) in [("z", "old-1"), ("a.bin", "old-2"), ("b/c/x", "old-3"), ("b/y", "old-5")]
    {
        std::fs::write(input.join(name), bytes).unwrap();
    }
    let mut home = Home::of(folder, Input::find(&input).unwrap());
    home.output.folder = Some(home.path("out"));
    let bad = |_, _, old: &[u8]| match old {
        b"old-5" => Act::Fail(FailureClass::Permanent),
        _ => Act::Answer,
    };
    assert!(matches!(home.run(bad).unwrap().end, End::Failures));
    assert!(!home.path("out").exists());
    // What a killed run may have left of an item that is not done.
    std::fs::write(home.path("out.part/b/y"), "torn").unwrap();
    home.options.skip_failed = true;
    assert!(matches!(home.run(bad).unwrap().end, End::Finished));
    let read = |name: &str| std::fs::read_to_string(home.path("out").join(name)).ok();
    assert_eq!(read("z").as_deref(), Some("new-1"));
    assert_eq!(read("a.bin").as_deref(), Some("new-2"));
    assert_eq!(read("b/c/x").as_deref(), Some("new-3"));
    assert_eq!(read("b/y"), None);
    let ids: Vec<Value> =
        results(&home.output.results).iter().map(|result| result["id"].clone()).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(std::fs::read_to_string(input.join("z")).unwrap(), "old-1");
}
