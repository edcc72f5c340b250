//! The program as a whole: a cold `check` beside `true`, and what a matrix gains from a second core.
//!
//! `cargo bench --bench program`
#![expect(clippy::unwrap_used, reason = "a bench")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PROGRAM: &str = env!("CARGO_BIN_EXE_keyproof");

fn main() {
    let test = std::env::args().any(|argument| argument == "--test");
    cold(if test { 1 } else { 400 });
    matrix(if test { 2 } else { 12_000 });
}

/// Starts both in turn, so that a busy machine is busy for both.
fn cold(rounds: u32) {
    let check = || {
        let mut command = Command::new(PROGRAM);
        command.current_dir(ROOT).args([
            "check",
            "--world",
            "policies/demo",
            "--caller",
            "orders",
            "--source-key-id",
            "alias/orders",
            "--source-encryption-context",
            "tenant=blue",
            "--destination-key-id",
            "arn:aws:kms:eu-central-1:444455556666:alias/inbox",
            "--destination-encryption-context",
            "tenant=blue",
        ]);
        command
    };
    let (mut least, mut nothing) = (Duration::MAX, Duration::MAX);
    for _ in 0..rounds {
        nothing = nothing.min(timed(&mut Command::new("true")).0);
        let (time, output) = timed(&mut check());
        assert!(output.status.success(), "{output:?}");
        least = least.min(time);
    }
    let ratio = least.as_secs_f64() / nothing.as_secs_f64();
    println!("true              {:>8.0} us", nothing.as_secs_f64() * 1e6);
    println!("cold check        {:>8.0} us (x{ratio:.1})", least.as_secs_f64() * 1e6);
}

fn timed(command: &mut Command) -> (Duration, Output) {
    let start = Instant::now();
    let output = command.output().unwrap();
    (start.elapsed(), output)
}

/// The demo world with many keys more, all of the first key's kind.
fn matrix(keys: usize) {
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new(ROOT).join("policies/demo"), folder.path());
    let all = folder.path().join("accounts/111122223333/regions/eu-central-1/keys");
    let first = all.join("5e1c9b4a-7d20-4f6b-9a3e-1f0c2d8b6a11");
    for number in 0..keys {
        let id = format!("{number:08x}-0000-4000-8000-000000000000");
        fs::create_dir(all.join(&id)).unwrap();
        for file in fs::read_dir(&first).unwrap() {
            let file = file.unwrap();
            let text = fs::read_to_string(file.path()).unwrap();
            let text = text.replace("5e1c9b4a-7d20-4f6b-9a3e-1f0c2d8b6a11", &id);
            fs::write(all.join(&id).join(file.file_name()), text).unwrap();
        }
    }
    let rate = |cores: &str| {
        let mut command = Command::new("taskset");
        command.args(["-c", cores, PROGRAM, "check", "--matrix", "--world"]).arg(folder.path());
        // Answers go nowhere, so that no reader takes a core.
        command.stdout(std::process::Stdio::null());
        let rates = (0..5).map(|_| {
            let output = command.output().unwrap();
            assert!(output.status.success(), "{output:?}");
            let text = String::from_utf8(output.stderr).unwrap();
            let words: Vec<&str> = text.split_whitespace().collect();
            let place = words.iter().position(|word| *word == "a").unwrap();
            words.get(place - 1).unwrap().parse::<f64>().unwrap()
        });
        rates.fold(0.0, f64::max)
    };
    let (one, two) = (rate("0"), rate("0,1"));
    println!("matrix, one core  {one:>10.0} decisions a second");
    println!(
        "matrix, two cores {two:>10.0} decisions a second ({:.0} % of twice)",
        two / one * 50.0
    );
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
