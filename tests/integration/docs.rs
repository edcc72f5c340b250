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

/// The commands that can be asked for help, in an order in which their examples can be typed.
const COMMANDS: &[&str] = &[
    "",
    "readings",
    #[cfg(feature = "aws")]
    "collect",
    "completions",
    "man",
    "check",
    "explain",
    "simulate",
    "lint",
    "rules",
    "keys create",
    "keys import",
    "encrypt",
    "re-encrypt",
    "decrypt",
    "fleet plan",
    "fleet",
    "fleet run",
    "fleet status",
    "keys replicate",
    "keys list",
    "keys describe",
    "keys get-policy",
    "keys put-policy",
    "keys create-grant",
    "keys list-grants",
    "keys revoke-grant",
    "keys create-grant",
    "keys retire-grant",
    "keys create-alias",
    "keys update-alias",
    "keys list-aliases",
    "keys delete-alias",
    "keys disable",
    "keys enable",
    "keys rotate",
    "keys schedule-deletion",
    "keys cancel-deletion",
];

/// The examples of a help text, each with its continued lines.
fn examples(help: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let lines = help.lines().skip_while(|line| !line.starts_with("Example"));
    for line in lines.skip(1).take_while(|line| !line.is_empty()) {
        match found.last_mut().filter(|last| last.ends_with('\\')) {
            Some(last) => last.push_str(&format!("\n{line}")),
            None => found.push(line.trim().to_owned()),
        }
    }
    found
}

#[test]
fn examples_of_every_help_text_run_as_they_stand() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    for name in ["policies", "tests"] {
        std::os::unix::fs::symlink(root().join(name), folder.join(name)).unwrap();
    }
    std::fs::write(folder.join("secret.txt"), "the order\n").unwrap();
    let delegates = r#"{"Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}}"#;
    let allows = r#"{"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}"#;
    std::fs::write(folder.join("policy.json"), delegates).unwrap();
    std::fs::write(folder.join("alice.json"), allows).unwrap();
    std::fs::copy("tests/cmd/simulate/files/allowed.jsonl", folder.join("questions.jsonl"))
        .unwrap();
    let help = |command: &str| {
        let shown = shell(folder, &format!("keyproof {command} --help"));
        assert!(shown.status.success(), "{command}");
        String::from_utf8(shown.stdout).unwrap()
    };
    for group in ["", "fleet", "keys"] {
        let text = help(group);
        let listed = text.lines().skip_while(|line| *line != "Commands:").skip(1);
        for line in listed.take_while(|line| !line.is_empty() && !line.starts_with("Options")) {
            let Some(word) = line.split_whitespace().next().filter(|_| !line.starts_with("   "))
            else {
                continue;
            };
            let command = format!("{group} {word}").trim().to_owned();
            // Those two are run below, each in a keystore of its own.
            let known =
                ["help", "fleet help", "keys help", "keys", "demo"].contains(&command.as_str());
            assert!(known || COMMANDS.contains(&command.as_str()), "`{command}` is not run");
        }
    }
    for command in COMMANDS {
        let text = help(command);
        let wrapped = |line: &str| line.chars().count() <= 80 || line.starts_with("Usage: ");
        assert!(text.lines().all(wrapped), "{text}");
        let examples = examples(&text);
        assert!(!examples.is_empty(), "the help of `{command}` has no example");
        for example in examples {
            let output = shell(folder, &example);
            let refused = command == &"explain";
            let errors = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(i32::from(refused)), "{example}\n{errors}");
        }
    }
    assert_eq!(std::fs::read_to_string(folder.join("opened.txt")).unwrap(), "the order\n");
    for example in examples(&help("demo")) {
        assert!(shell(folder, &example).status.success(), "{example}");
    }
    std::fs::remove_file(folder.join("demo.redb")).unwrap();
    for example in examples(&help("keys")) {
        assert!(shell(folder, &example).status.success(), "{example}");
    }
    for asked in ["help --help", "keys help -h", "help keys create"] {
        assert!(shell(folder, &format!("keyproof {asked}")).status.success(), "{asked}");
    }
}

#[test]
fn lint_is_one_command_by_its_quick_start_and_by_the_long_way() {
    for words in ["lint --help", "lint --no-such-flag", "lint a b --format nothing"] {
        let quick = shell(&root(), &format!("keyproof {words}"));
        let long = shell(&root(), &format!("keyproof --color never {words}"));
        assert_eq!(quick.status.code(), long.status.code(), "{words}");
        assert_eq!(quick.stdout, long.stdout, "{words}");
        assert_eq!(quick.stderr, long.stderr, "{words}");
    }
}

#[test]
fn the_manual_page_has_all_commands_and_names_no_other_page() {
    let page = shell(&root(), "keyproof man");
    let page = String::from_utf8(page.stdout).unwrap();
    assert!(!page.contains("(1)"), "{page}");
    assert_eq!(page.matches(".TH ").count(), 1);
    for command in COMMANDS.iter().chain(&["demo"]).filter(|command| !command.is_empty()) {
        let heading = format!(".SH \"KEYPROOF {}\"\n", command.to_uppercase());
        assert!(page.contains(&heading), "{heading}\n{page}");
    }
    assert!(page.contains("replica\\-region"), "{page}");
}
