//! What the documents show is what the program does.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn program() -> &'static str {
    env!("CARGO_BIN_EXE_keyproof")
}

/// A shell command in a folder, with the program on the path and nothing else in the environment.
fn shell(folder: &Path, command: &str) -> Output {
    let programs = Path::new(program()).parent().unwrap();
    Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
        .output()
        .unwrap()
}

/// The `console` blocks of a document: commands, exit codes and the start of what they print.
fn transcripts(text: &str) -> Vec<(String, i32, String)> {
    let mut found = Vec::new();
    for block in text.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        let (mut command, mut code, mut output) = (String::new(), 0, String::new());
        for line in block.lines() {
            if let Some(start) = line.strip_prefix("$ ") {
                command = start.to_owned();
            } else if command.ends_with('\\') {
                command = format!("{} {}", command.trim_end_matches('\\').trim_end(), line.trim());
            } else if let Some(status) = line.strip_prefix("? ") {
                code = status.parse().unwrap();
            } else {
                output.push_str(line);
                output.push('\n');
            }
        }
        found.push((command, code, output));
    }
    found
}

#[test]
fn commands_of_the_documents_print_what_is_shown() {
    for document in ["README.md", "docs/cli.md"] {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        let transcripts = transcripts(&text);
        assert!(!transcripts.is_empty(), "{document} shows no command");
        for (command, code, shown) in transcripts {
            let output = shell(&root(), &command);
            let printed = String::from_utf8(output.stdout).unwrap();
            let errors = String::from_utf8_lossy(&output.stderr);
            assert_eq!(
                output.status.code(),
                Some(code),
                "{document}: {command}\n{printed}{errors}"
            );
            assert!(
                printed.starts_with(&shown),
                "{document}: {command}\nshown:\n{shown}\nprinted:\n{printed}"
            );
        }
    }
}

#[test]
fn readme_has_exactly_the_two_commands() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let commands: Vec<&str> =
        text.split("```sh\n").skip(1).filter_map(|block| block.split("\n```").next()).collect();
    assert_eq!(commands, ["cargo run --release -- demo", "cargo test"]);
}

#[test]
fn steps_of_the_demo_can_be_typed_one_by_one() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("demo");
    let output = shell(temporary.path(), "keyproof demo --folder demo");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    for (verdict, place) in [
        (
            "destination  implicit-deny  kms:ReEncryptTo",
            "policy default:14:5) names other principals",
        ),
        ("source       explicit-deny  kms:ReEncryptFrom", "policy default:14:5) denies"),
    ] {
        assert!(printed.contains(verdict) && printed.contains(place), "{printed}");
    }
    let steps: Vec<&str> = printed
        .lines()
        .filter_map(|line| line.strip_prefix("$ "))
        .filter(|line| line.starts_with("keyproof "))
        .collect();
    assert_eq!(steps.len(), 7, "{printed}");
    for step in steps {
        let output = shell(&folder, step);
        let refused = step.contains("--caller reporting") || step.contains("--caller contractor");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(i32::from(refused)), "{step}\n{errors}");
    }
    assert!(!folder.join("denied.bin").exists());
    let opened = std::fs::read_to_string(folder.join("opened.txt")).unwrap();
    assert_eq!(opened, std::fs::read_to_string(folder.join("secret.txt")).unwrap());
    let audit = std::fs::read_to_string(folder.join("demo.redb.audit.jsonl")).unwrap();
    let outcomes: Vec<String> = audit
        .lines()
        .map(|line| {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            format!(
                "{} {}",
                event["eventName"].as_str().unwrap(),
                event["outcome"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            "Encrypt intended",
            "Encrypt succeeded",
            "ReEncrypt intended",
            "ReEncrypt succeeded",
            "ReEncrypt denied",
            "ReEncrypt denied",
            "Decrypt intended",
            "Decrypt succeeded",
        ]
    );
    assert!(!audit.contains("the order of the blue tenant"));
}
