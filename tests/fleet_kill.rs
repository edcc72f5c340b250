//! A fleet's run is killed at random moments and gone on with: no item is lost, none is doubled,
//! each opens to its plaintext, the input is untouched.
//!
//! `KEYPROOF_FLEET_ITEMS=100000 cargo test --release --test fleet_kill` does it with more items.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "fleet/support.rs"]
mod support;

use std::hash::{BuildHasher as _, RandomState};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use support::{Home, demo};

const KILLS: usize = 10;

fn items() -> u64 {
    std::env::var("KEYPROOF_FLEET_ITEMS").map_or(2000, |text| text.parse().unwrap())
}

fn run(home: &Home, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyproof"));
    command
        .args(["fleet", "run", "--keystore", "keys.redb", "--caller", "orders", "--world"])
        .arg(demo())
        .args(["--region", "eu-central-1", "--destination-key-id", "alias/archive"])
        .args(words.split_whitespace())
        .current_dir(home.folder.path())
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Kills runs until enough were killed after the journal was made; some must have moved items.
fn kill(home: &Home, words: &str, journal: &str, total: u64) {
    let mut killed = 0;
    let mut most = 0;
    for round in 0..KILLS * 20 {
        if killed == KILLS {
            assert!(most > 0, "no kill hit a run that had moved something");
            return;
        }
        let mut child = run(home, words).spawn().unwrap();
        // Half of the kills hit the beginning: the plan, the making of the journal, the repair.
        let until = Duration::from_micros(random(if round % 2 == 0 { 400_000 } else { 1_500_000 }));
        let since = Instant::now();
        while since.elapsed() < until && child.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(2));
        }
        let ended = child.try_wait().unwrap();
        let _ = child.kill();
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!errors.contains("panicked"), "round {round}: {errors}");
        assert!(ended.is_none(), "round {round} ended before it was killed: {errors}");
        let Ok(status) = keyproof::fleet::status(&home.path(journal), 0) else { continue };
        assert!(status.tally.moved >= most, "what was done is undone");
        assert_eq!((status.total, status.finished), (total, false));
        most = status.tally.moved;
        killed += 1;
    }
    panic!("only {killed} runs were killed while they worked");
}

fn finish(home: &Home, words: &str) {
    let output = run(home, words).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
}

#[test]
fn ten_kills_lose_no_item_and_double_none() {
    let (home, count) = (Home::new(), items());
    home.write_items("in.jsonl", count);
    let input = std::fs::read(home.path("in.jsonl")).unwrap();
    let words = "--input in.jsonl --output out.jsonl";
    // So slow that it is not done before it is killed.
    let slow = format!("{words} --requests-per-second {}", count / 20);
    kill(&home, &slow, "out.jsonl.journal", count);
    assert!(!home.path("out.jsonl").exists());
    finish(&home, words);
    home.assert_complete("out.jsonl", count);
    assert_eq!(std::fs::read(home.path("in.jsonl")).unwrap(), input);
    assert!(!home.path("out.jsonl.part").exists());
}

#[test]
fn a_mirrored_folder_survives_kills() {
    let (home, count) = (Home::new(), items() / 10);
    home.write_blobs("in", count);
    let words = "--input in --output out --source-encryption-context tenant=blue";
    let slow = format!("{words} --requests-per-second {}", count / 20);
    kill(&home, &slow, "out.journal", count);
    assert!(!home.path("out").exists());
    finish(&home, words);
    home.assert_mirrored("out", count);
    let results = std::fs::read_to_string(home.path("out.results.jsonl")).unwrap();
    assert_eq!(results.lines().count() as u64, count);
}

#[test]
fn an_interrupted_run_says_how_to_go_on() {
    let home = Home::new();
    home.write_items("in.jsonl", 200);
    let words = "--input in.jsonl --output out.jsonl";
    let mut child = run(&home, &format!("{words} --requests-per-second 20")).spawn().unwrap();
    let journal = home.path("out.jsonl.journal");
    let since = Instant::now();
    // It is looked at while it runs.
    while keyproof::fleet::status(&journal, 0).map_or(0, |status| status.tally.moved) == 0 {
        assert!(since.elapsed() < Duration::from_secs(60), "nothing is moved");
        thread::sleep(Duration::from_millis(20));
    }
    let told = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(told.success());
    let _ = child.wait().unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.contains("run the same command again to go on"), "{errors}");
    finish(&home, words);
    home.assert_complete("out.jsonl", 200);
}

#[test]
fn a_disk_without_room_loses_nothing() {
    let home = Home::new();
    home.write_items("in.jsonl", 300);
    let words = "--input in.jsonl --output out.jsonl";
    for blocks in [100, 400, 2500] {
        let (code, errors) = run_within(&home, words, blocks);
        match code {
            Some(0) => {}
            Some(2) => {
                assert!(errors.contains("too large"), "{blocks}: {errors}");
                // The journal is full first, or the records are.
                let advice = match blocks {
                    100 => "make room, then run the same command again",
                    _ => "make the audit log writable, then run the same command again",
                };
                assert!(errors.contains(advice), "{blocks}: {errors}");
            }
            code => panic!("{blocks}: {code:?} {errors}"),
        }
    }
    finish(&home, words);
    home.assert_complete("out.jsonl", 300);
}

#[test]
fn a_disk_without_room_for_the_journal_or_the_results_loses_nothing() {
    let home = Home::new();
    home.write_items("short.jsonl", 300);
    // Numbers all the same, and so long that the results fill a disk before the records do.
    let items = std::fs::read_to_string(home.path("short.jsonl")).unwrap();
    let long = format!("\"id\":\"{}", "0".repeat(5000));
    std::fs::write(home.path("in.jsonl"), items.replace("\"id\":\"", &long)).unwrap();
    let words = "--input in.jsonl --output out.jsonl";
    let advice = "what is in the journal is safe: make room, then run the same command again";
    let (code, errors) = run_within(&home, words, 20);
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("journal: cannot") && errors.contains(advice), "{errors}");
    assert!(!home.path("out.jsonl.journal").exists());
    // Each has records of its own, so that these have room.
    let mut most = 0;
    for round in 0..3 {
        let (code, errors) = run_within(&home, &format!("{words} --audit {round}.jsonl"), 2200);
        assert_eq!(code, Some(2), "{errors}");
        assert!(errors.contains("cannot write the results") && errors.contains(advice), "{errors}");
        let status = keyproof::fleet::status(&home.path("out.jsonl.journal"), 0).unwrap();
        assert!(status.tally.moved >= most && status.tally.failed == 0, "{:?}", status.tally);
        most = status.tally.moved;
    }
    assert!(most > 0 && !home.path("out.jsonl").exists());
    finish(&home, words);
    home.assert_complete("out.jsonl", 300);
}

#[test]
fn without_a_file_for_records_nothing_is_begun() {
    let home = Home::new();
    home.write_items("in.jsonl", 3);
    let words = "--input in.jsonl --output out.jsonl";
    for audit in ["nowhere/audit.jsonl", "in"] {
        std::fs::create_dir_all(home.path("in")).unwrap();
        let output = run(&home, &format!("{words} --audit {audit}")).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains("name a") && errors.contains(audit), "{errors}");
        for made in ["out.jsonl", "out.jsonl.part", "out.jsonl.journal"] {
            assert!(!home.path(made).exists(), "{made}");
        }
    }
    finish(&home, words);
    home.assert_complete("out.jsonl", 3);
}

/// Runs where no file may grow beyond so many blocks of 512 bytes; writing more fails as on a full
/// disk. Exit code and standard error.
fn run_within(home: &Home, words: &str, blocks: u32) -> (Option<i32>, String) {
    let program = run(home, words);
    let typed: Vec<String> = std::iter::once(program.get_program())
        .chain(program.get_args())
        .map(|word| word.to_str().unwrap().to_owned())
        .collect();
    let shell = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &shell])
        .args(&typed)
        .current_dir(home.folder.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!errors.contains("panicked"), "{errors}");
    (output.status.code(), errors)
}

fn random(below: u64) -> u64 {
    RandomState::new().hash_one(0) % below
}
