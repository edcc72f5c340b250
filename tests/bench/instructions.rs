//! How many instructions the fast path takes, as callgrind counts them: the same number on every
//! run, however busy the machine is.
//!
//! `cargo bench --bench instructions` compares with `instructions.txt` beside this file and fails
//! at a difference of more than 5 %; `-- --overwrite` writes that file.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench")]

#[path = "fixture.rs"]
mod fixture;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, ExitCode};

use keyproof::authorize::{Authorizer, NoInspector};
use keyproof::compile::Snapshot;

use fixture::{SMALL, Size, asks, caller, re_encrypt, world};

/// How far a count may be from what is written.
const MARGIN: f64 = 0.05;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["run", name, count] => {
            run(name, count.parse().unwrap());
            ExitCode::SUCCESS
        }
        // `cargo bench -- --test` asks whether it runs at all.
        rest if rest.contains(&"--test") => {
            names().iter().for_each(|name| run(name, 1));
            ExitCode::SUCCESS
        }
        rest => compare(rest.contains(&"--overwrite")),
    }
}

fn names() -> Vec<String> {
    let mut names = Vec::new();
    for (size, _) in sizes() {
        names.extend(asks().iter().map(|(outcome, _)| format!("{size}: {outcome}")));
    }
    names.push("ReEncrypt, request included".to_owned());
    names
}

fn sizes() -> [(&'static str, Size); 3] {
    [
        ("small", SMALL),
        ("1,000 statements", Size { statements: 1_000, ..SMALL }),
        ("5,000 grants", Size { grants: 5_000, ..SMALL }),
    ]
}

fn run(name: &str, count: u32) {
    let caller = caller();
    for (size_name, size) in sizes() {
        let Some(outcome) = name.strip_prefix(size_name).and_then(|it| it.strip_prefix(": "))
        else {
            continue;
        };
        let world = world(size);
        let authorizer = Authorizer::new(&world);
        let (_, ask) = asks().into_iter().find(|(known, _)| *known == outcome).unwrap();
        for _ in 0..count {
            let _ = black_box(authorizer.decide_leg(black_box(&ask.leg()), &caller));
        }
        return;
    }
    let world: Snapshot = world(SMALL);
    let authorizer = Authorizer::new(&world);
    for _ in 0..count {
        let operation = authorizer.resolve_re_encrypt(re_encrypt(), &caller, &NoInspector).unwrap();
        let _ = black_box(authorizer.authorize(operation, &caller).unwrap());
    }
}

fn compare(overwrite: bool) -> ExitCode {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/instructions.txt");
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let known: BTreeMap<&str, f64> = written
        .lines()
        .filter_map(|line| line.rsplit_once(char::is_whitespace))
        .map(|(name, count)| (name.trim(), count.parse().unwrap()))
        .collect();
    let mut text = String::new();
    let mut fits = true;
    for name in names() {
        // What is done once cancels out.
        let count = (counted(&name, 2_000) - counted(&name, 1_000)) as f64 / 1_000.0;
        writeln!(text, "{name:<40}{count:>8.0}").unwrap();
        let old = known.get(name.as_str()).copied().unwrap_or_default();
        let change = (count / old - 1.0) * 100.0;
        let wrong = (count - old).abs() > old * MARGIN;
        fits &= !wrong;
        println!("{name:<40}{count:>8.0} {change:>+7.1} %{}", if wrong { "  <--" } else { "" });
    }
    if overwrite {
        std::fs::write(&path, text).unwrap();
    } else if !fits {
        eprintln!(
            "more than 5 % from {}: if it is meant, run with `-- --overwrite`",
            path.display()
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn counted(name: &str, count: u32) -> i64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .args(["run", name, &count.to_string()])
        .output()
        .unwrap_or_else(|error| panic!("valgrind: {error}"));
    let text = String::from_utf8_lossy(&output.stderr);
    let total =
        text.lines().find_map(|line| line.split_once("Collected : ")).unwrap_or_else(|| {
            panic!("valgrind printed no count: {text}");
        });
    total.1.trim().parse().unwrap()
}
