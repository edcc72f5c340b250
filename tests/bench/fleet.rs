//! `cargo bench --bench fleet`: memory of `fleet plan` for 10,000 and 1,000,000 items, and speed of
//! `fleet run` on the embedded keystore beside the bare cryptographic loop, in one process.
//!
//! Both have as many calls under way at once. The run has further threads, which read, decide,
//! record and write: on a machine whose processors are all busy they take their time from the
//! calls. So the processor's time is told next to the clock's: it is what a run costs wherever it
//! runs, and the clock tells whether the calls had to wait for anything.
//!
//! `KEYPROOF_BENCH_ITEMS` and `KEYPROOF_BENCH_PLANNED` choose other numbers.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a bench")]

#[path = "../fleet/support.rs"]
#[expect(dead_code, reason = "the kill tests open what was moved")]
mod support;

use std::future::Future;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use keyproof::audit::JsonLines;
use keyproof::authorize::{Authorized, Authorizer, ReEncrypt};
use keyproof::backend::embedded::EmbeddedKms;
use keyproof::compile::{Caller, Snapshot};
use keyproof::execute::{Executor, KmsBackend as _, LiveWorld, NoReader, TimeSource, Wait};
use keyproof::fleet::{
    self, Defaults, Driver, End, Fleet, Input, Item, Job, Options, Output, Selection,
};
use keyproof::model::{CiphertextBlob, EncryptionAlgorithm, EncryptionContext, Timestamp};

use support::{ARCHIVE, Home, anyone, blue, now, permissive};

/// Set for the process that plans and tells its memory.
const PLAN: &str = "KEYPROOF_BENCH_PLAN";

fn main() {
    if let Ok(folder) = std::env::var(PLAN) {
        return plan(Path::new(&folder));
    }
    let home = Home::new();
    memory(&home, number("KEYPROOF_BENCH_PLANNED", 1_000_000));
    speed(&home, number("KEYPROOF_BENCH_ITEMS", 100_000));
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Plans in processes of their own, and compares the most memory each had.
fn memory(home: &Home, many: u64) {
    const FEW: u64 = 10_000;
    home.write_items("few.jsonl", FEW);
    let few = std::fs::read(home.path("few.jsonl")).unwrap();
    println!("plan           items     seconds   peak memory");
    let mut peaks = Vec::new();
    for count in [FEW, many] {
        let mut file = std::fs::File::create(home.path("plan.jsonl")).unwrap();
        for _ in 0..count / FEW {
            file.write_all(&few).unwrap();
        }
        drop(file);
        let since = Instant::now();
        let output = Command::new(std::env::current_exe().unwrap())
            .env(PLAN, home.folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let kib: u64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        peaks.push(kib);
        println!("          {count:>10}  {:>10.2}  {kib:>8} KiB", since.elapsed().as_secs_f64());
    }
    println!("          growth {:.2} x\n", peaks[1] as f64 / peaks[0] as f64);
}

fn plan(folder: &Path) {
    let kms = {
        use keyproof::backend::embedded::{Keystore, RootKey};
        let root = RootKey::from_file(&folder.join("keys.redb.root-key")).unwrap();
        EmbeddedKms::new(Keystore::open(&folder.join("keys.redb"), root).unwrap())
    };
    let snapshot = permissive(&kms);
    let job = job(&folder.join("plan.jsonl"));
    let plan = fleet::plan(&job, &snapshot, &anyone(), &kms, |_, _| Ok(())).unwrap();
    assert_eq!(plan.allowed, plan.total);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("{}", peak.trim().trim_end_matches(" kB"));
}

fn job(input: &Path) -> Job {
    Job {
        input: Input::find(input).unwrap(),
        defaults: Defaults {
            region: "eu-central-1".parse().unwrap(),
            source_key: None,
            destination_key: ARCHIVE.parse().unwrap(),
            source_context: EncryptionContext::new(),
            destination_context: None,
            source_algorithm: EncryptionAlgorithm::SymmetricDefault,
            destination_algorithm: EncryptionAlgorithm::SymmetricDefault,
            grant_tokens: Vec::new(),
        },
        selection: Selection::default(),
    }
}

fn speed(home: &Home, count: u64) {
    home.write_items("in.jsonl", count);
    let job = job(&home.path("in.jsonl"));
    println!("{count} items     calls    seconds   items/s");
    let planned = {
        let kms = home.kms();
        let worked = processor();
        fleet::plan(&job, &permissive(&kms), &anyone(), &kms, |_, _| Ok(())).unwrap();
        processor() - worked
    };
    let mut one = None;
    for threads in [1, 2, 4] {
        // One beside the other, so that both meet the same machine.
        let (bare, bare_worked) = bare(home, &job, threads);
        let one = *one.get_or_insert(bare);
        let kms = home.kms();
        let (world, caller) = (LiveWorld::new(permissive(&kms), NoReader), anyone());
        let audit = JsonLines::append(&home.path(&format!("audit{threads}")), [7; 16]).unwrap();
        let executor = Executor::new(kms, audit, Clock);
        let output = Output { results: home.path(&format!("out{threads}.jsonl")), folder: None };
        let options = Options { concurrency: threads, ..Options::default() };
        let (since, worked) = (Instant::now(), processor());
        let report = fleet::run(
            &Fleet {
                job: &job,
                output: &output,
                journal: &home.path(&format!("journal{threads}")),
                world: &world,
                caller: &caller,
            },
            &executor,
            executor.backend(),
            &Real(Instant::now()),
            &options,
            &AtomicBool::new(false),
            |_, _| Ok(()),
            |_| (),
        )
        .unwrap();
        assert!(matches!(report.end, End::Finished), "{:?}", report.end);
        let (whole, worked) = (since.elapsed().as_secs_f64(), processor() - worked);
        let rate = |seconds: f64| count as f64 / seconds;
        println!("bare loop     {threads:>6} {bare:>12.2} {:>10.0}", rate(bare));
        let seconds = report.time.as_secs_f64();
        println!(
            "fleet run     {threads:>6} {seconds:>12.2} {:>10.0}   {:.0} % of the bare loop with \
             as many calls at once, {:.0} % of it with one ({whole:.2} s with its plan)",
            rate(seconds),
            100.0 * bare / seconds,
            100.0 * one / seconds
        );
        println!(
            "              processor {worked:.2} s, {planned:.2} s of it for the plan; bare loop \
             {bare_worked:.2} s: {:.0} %",
            100.0 * bare_worked / (worked - planned)
        );
    }
}

/// The backend alone: proofs are made beforehand, nothing is read, recorded or written.
fn bare(home: &Home, job: &Job, threads: usize) -> (f64, f64) {
    let kms = home.kms();
    let (snapshot, caller) = (permissive(&kms), anyone());
    let proofs = Mutex::new(proofs(home, job, &kms, &snapshot, &caller));
    let (since, worked) = (Instant::now(), processor());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let mut waiting = proofs.lock().unwrap();
                    let from = waiting.len().saturating_sub(256);
                    let mine = waiting.split_off(from);
                    drop(waiting);
                    if mine.is_empty() {
                        return;
                    }
                    for proof in mine {
                        std::hint::black_box(now(kms.re_encrypt(proof)).unwrap());
                    }
                }
            });
        }
    });
    (since.elapsed().as_secs_f64(), processor() - worked)
}

/// Seconds of processor time of this process, which other processes do not blur.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

fn proofs<'p>(
    home: &Home,
    job: &Job,
    kms: &EmbeddedKms,
    snapshot: &'p Snapshot,
    caller: &'p Caller,
) -> Vec<Authorized<'p, ReEncrypt>> {
    use base64::Engine as _;

    let text = std::fs::read_to_string(home.path("in.jsonl")).unwrap();
    let authorizer = Authorizer::new(snapshot);
    let proof = |line: &str| {
        let read: serde_json::Value = serde_json::from_str(line).unwrap();
        let blob = base64::engine::general_purpose::STANDARD
            .decode(read["ciphertext"].as_str().unwrap())
            .unwrap();
        let item = Item {
            position: 0,
            id: String::new(),
            ciphertext: CiphertextBlob::new(blob).unwrap(),
            source_key: None,
            destination_key: ARCHIVE.parse().unwrap(),
            source_context: blue(),
            destination_context: blue(),
        };
        let request = item.request(&job.defaults);
        let operation = authorizer.resolve_re_encrypt(request, caller, kms).unwrap();
        authorizer.authorize(operation, caller).unwrap()
    };
    text.lines().map(proof).collect()
}

struct Clock;

impl TimeSource for Clock {
    fn now(&self) -> Timestamp {
        Timestamp::from_epoch_seconds(1_780_000_000)
    }
}

struct Real(Instant);

impl Wait for Real {
    fn wait<F: Future>(&self, future: F, _: Duration) -> Option<F::Output> {
        Some(now(future))
    }
}

impl Driver for Real {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
