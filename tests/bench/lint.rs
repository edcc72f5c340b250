//! How many files a second `keyproof lint` judges, beside the bare time to read and parse the same
//! files with serde_json, and how long it takes to start: `cargo bench --bench lint`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const FILES: usize = 10_000;
const ROUNDS: usize = 5;
const STARTS: usize = 200;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let files = tree(folder.path());
    let bytes: u64 = files.iter().map(|file| file.metadata().unwrap().len()).sum();
    println!("{FILES} files, {bytes} bytes");
    let lint = |jobs: &str| {
        let start = Instant::now();
        let status = program()
            .args(["lint", "--isolated", "--exit-zero", "--format", "concise", "--jobs", jobs])
            .arg(folder.path())
            .status()
            .unwrap();
        assert!(status.success());
        start.elapsed()
    };
    // One after the other in each round, so that all see the same machine.
    let mut best = [Duration::MAX; 3];
    for _ in 0..ROUNDS {
        let times = [bare(&files), lint("1"), lint("2")];
        for (best, time) in best.iter_mut().zip(times) {
            *best = (*best).min(time);
        }
    }
    let [bare, one, two] = best;
    show("serde_json alone", bare, bare);
    show("lint, one thread", one, bare);
    show("lint, two threads", two, bare);
    println!("two threads are {:.2} times as fast as one", ratio(one, two));

    let file = folder.path().join("one.json");
    std::fs::copy(&files[0], &file).unwrap();
    let mut starts = [const { Vec::new() }; 2];
    for _ in 0..STARTS {
        starts[0].push(timed(Command::new("true").env_clear()));
        starts[1].push(timed(
            program().args(["lint", "--isolated", "--exit-zero", "--format", "concise"]).arg(&file),
        ));
    }
    let [nothing, first] = starts.map(|mut times| {
        times.sort();
        times[STARTS / 2]
    });
    println!(
        "true: {nothing:.2?}; lint of one file: {first:.2?}, {:.1} times",
        ratio(first, nothing)
    );
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyproof"));
    command.env_clear().stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn timed(command: &mut Command) -> Duration {
    let start = Instant::now();
    command.status().unwrap();
    start.elapsed()
}

/// Reads and parses every file.
fn bare(files: &[PathBuf]) -> Duration {
    let start = Instant::now();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        std::hint::black_box(value);
    }
    start.elapsed()
}

fn show(what: &str, time: Duration, bare: Duration) {
    let rate = FILES as f64 / time.as_secs_f64();
    println!("{what:18}  {time:8.0?}  {rate:7.0} files/s  {:4.1} times bare", ratio(time, bare));
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

/// The samples, again and again in other accounts.
fn tree(folder: &Path) -> Vec<PathBuf> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/samples");
    let mut names: Vec<PathBuf> =
        std::fs::read_dir(samples).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|name| name.is_file());
    names.sort();
    let texts: Vec<(String, String)> = names
        .iter()
        .map(|name| {
            let text = std::fs::read_to_string(name).unwrap();
            (name.file_name().unwrap().to_str().unwrap().to_owned(), text)
        })
        .collect();
    let mut files = Vec::new();
    for (number, (name, text)) in texts.iter().cycle().take(FILES).enumerate() {
        let file =
            folder.join(format!("team-{:03}", number / 100)).join(format!("{number}.{name}"));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let account = format!("{:012}", 100_000_000_000_u64 + number as u64);
        std::fs::write(&file, text.replace("111122223333", &account)).unwrap();
        files.push(file);
    }
    files
}
