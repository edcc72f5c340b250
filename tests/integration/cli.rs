//! Transcripts of the program, one file a situation.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use junit_parser::TestStatus;

#[test]
fn commands_print_what_their_transcripts_show() {
    trycmd::TestCases::new().case("tests/cmd/*/*.toml").env("NO_COLOR", "1");
}

#[test]
fn junit_is_read_by_a_junit_parser() {
    let output = Command::new(env!("CARGO_BIN_EXE_keyproof"))
        .args(["check", "--format", "junit", "tests/fixtures/unmet.toml"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let suites = junit_parser::from_reader(output.stdout.as_slice()).unwrap();
    assert_eq!((suites.tests, suites.failures), (2, 1));
    let cases = &suites.suites[0].cases;
    assert!(matches!(cases[0].status, TestStatus::Success));
    assert_eq!(cases[1].original_name, "reporting-may-deliver <too>");
    assert!(
        matches!(&cases[1].status, TestStatus::Failure(failure) if failure.message.contains("expected allow, got implicit-deny"))
    );
}

/// A folder with the demo world and its keys in `demo.redb`, made by the program.
struct Home(tempfile::TempDir);

impl Home {
    fn empty() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
        std::os::unix::fs::symlink(policies, home.path("policies")).unwrap();
        std::fs::write(home.path("secret.txt"), "the secret\n").unwrap();
        home
    }

    fn new() -> Self {
        let home = Self::empty();
        home.done("keys import --keystore demo.redb --world policies/demo");
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names in the folder, besides those that [`Self::empty`] makes.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !["policies", "secret.txt"].contains(&name.as_str()))
            .collect();
        names.sort();
        names
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyproof"));
        command.args(words.split_whitespace()).current_dir(self.0.path()).env_clear();
        command
    }

    /// Exit code, standard output and standard error.
    fn run(&self, words: &str) -> (i32, String, String) {
        ended(&self.command(words).output().unwrap())
    }

    fn done(&self, words: &str) -> String {
        let (code, out, err) = self.run(words);
        assert_eq!(code, 0, "{words}\n{out}{err}");
        out
    }

    /// Standard error of a command that gives no answer.
    fn fails(&self, words: &str) -> String {
        let (code, out, err) = self.run(words);
        assert_eq!((code, out.as_str()), (2, ""), "{words}\n{out}{err}");
        assert!(!err.is_empty(), "{words} fails without a word");
        err
    }

    fn encrypt(&self, more: &str) -> String {
        format!("{ENCRYPT} --plaintext secret.txt {more}")
    }
}

const ENCRYPT: &str = "encrypt --world policies/demo --keystore demo.redb --region eu-central-1 \
                       --caller orders --key-id alias/orders --encryption-context tenant=blue";
const DECRYPT: &str = "decrypt --world policies/demo --keystore demo.redb --region eu-central-1 \
                       --caller orders --encryption-context tenant=blue";

fn ended(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_output_replaces_nothing_the_command_uses() {
    let home = Home::new();
    std::fs::hard_link(home.path("demo.redb"), home.path("other-name")).unwrap();
    std::os::unix::fs::symlink("secret.txt", home.path("link")).unwrap();
    std::fs::create_dir(home.path("folder")).unwrap();
    let before = home.done("keys list --keystore demo.redb");
    for (target, says) in [
        ("secret.txt", "the output would overwrite the input"),
        ("./folder/../secret.txt", "the output would overwrite the input"),
        ("link", "the output would overwrite the input"),
        ("demo.redb", "the output would overwrite the keystore"),
        ("other-name", "the output would overwrite the keystore"),
        ("demo.redb.root-key", "the output would overwrite the root key"),
        ("demo.redb.audit.jsonl", "the output would overwrite the audit file"),
        ("policies/demo/world.toml", "inside the world folder"),
        ("policies/demo/new", "inside the world folder"),
        ("folder", "is no regular file"),
        ("none/blue.bin", "No such file"),
    ] {
        let err = home.fails(&home.encrypt(&format!("--output {target}")));
        assert!(err.contains(says), "{target}: {err}");
    }
    let from_input =
        home.encrypt("--output secret.txt").replace("--plaintext secret.txt", "--plaintext -");
    let file = std::fs::File::open(home.path("secret.txt")).unwrap();
    let (_, _, err) = ended(&home.command(&from_input).stdin(file).output().unwrap());
    assert!(err.contains("the output would overwrite the input"), "{err}");
    assert_eq!(home.text("secret.txt"), "the secret\n");
    assert_eq!(home.done("keys list --keystore demo.redb"), before);
    assert_eq!(
        home.names(),
        ["demo.redb", "demo.redb.root-key", "folder", "link", "other-name"],
        "nothing was begun"
    );
}

#[test]
fn the_output_is_no_pipe_and_links_are_followed() {
    let home = Home::new();
    assert!(Command::new("mkfifo").arg(home.path("pipe")).status().unwrap().success());
    let err = home.fails(&home.encrypt("--output pipe"));
    assert!(err.contains("is no regular file"), "{err}");
    assert!(std::fs::metadata(home.path("pipe")).unwrap().file_type().is_fifo());

    std::fs::create_dir(home.path("folder")).unwrap();
    std::fs::write(home.path("folder/target"), "old").unwrap();
    std::os::unix::fs::symlink("folder/target", home.path("link")).unwrap();
    home.done(&home.encrypt("--output link"));
    assert!(std::fs::symlink_metadata(home.path("link")).unwrap().is_symlink());
    assert!(std::fs::read(home.path("folder/target")).unwrap().starts_with(b"\x8bKPROOF"));

    std::os::unix::fs::symlink("nowhere", home.path("dangling")).unwrap();
    let err = home.fails(&home.encrypt("--output dangling"));
    assert!(err.contains("is a link to `nowhere`, which does not exist"), "{err}");
}

#[test]
fn a_new_plaintext_is_for_its_owner_and_an_existing_file_keeps_its_mode() {
    let home = Home::new();
    home.done(&home.encrypt("--output blue.bin"));
    assert_ne!(mode(&home.path("blue.bin")) & 0o044, 0);
    home.done(&format!("{DECRYPT} --ciphertext-blob blue.bin --output opened.txt"));
    assert_eq!(mode(&home.path("opened.txt")), 0o600);
    assert_eq!(home.text("opened.txt"), "the secret\n");
    for bits in [0o640, 0o444] {
        let permissions = std::fs::Permissions::from_mode(bits);
        std::fs::set_permissions(home.path("opened.txt"), permissions).unwrap();
        home.done(&format!("{DECRYPT} --ciphertext-blob blue.bin --output opened.txt"));
        assert_eq!(mode(&home.path("opened.txt")), bits);
    }
}

#[test]
fn the_audit_file_is_nothing_else() {
    let home = Home::new();
    std::fs::write(home.path("notes"), "notes\n").unwrap();
    std::os::unix::fs::symlink("policies/demo/organization.json", home.path("dangling")).unwrap();
    assert!(Command::new("mkfifo").arg(home.path("pipe")).status().unwrap().success());
    for (audit, says) in [
        ("secret.txt", "the audit file would overwrite the input"),
        ("demo.redb", "the audit file would overwrite the keystore"),
        ("demo.redb.root-key", "the audit file would overwrite the root key"),
        ("blue.bin", "the output would overwrite the audit file"),
        ("dangling", "is a link to `policies/demo/organization.json`, which does not exist"),
        ("policies/demo/world.toml", "inside the world folder"),
        ("policies/demo/organization.json", "inside the world folder"),
        ("notes", "holds something else than audit records"),
        ("pipe", "is no regular file"),
        ("nowhere/audit.jsonl", "nothing is run without its record: name a file that can be"),
    ] {
        let err = home.fails(&home.encrypt(&format!("--output blue.bin --audit {audit}")));
        assert!(err.contains(says), "{audit}: {err}");
    }
    assert_eq!(home.text("notes"), "notes\n");
    assert!(!home.path("blue.bin").exists());
    home.done(&home.encrypt("--output blue.bin --dry-run"));
    assert!(!home.path("demo.redb.audit.jsonl").exists(), "a dry run records nothing");
}

#[test]
fn audit_ids_tie_one_call_together_and_differ_between_runs() {
    let home = Home::new();
    home.done(&home.encrypt("--output blue.bin"));
    home.done(&home.encrypt("--output blue.bin"));
    let events: Vec<serde_json::Value> = home
        .text("demo.redb.audit.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ids: Vec<&str> = events.iter().map(|event| event["eventID"].as_str().unwrap()).collect();
    assert_eq!((ids[0], ids[2]), (ids[1], ids[3]));
    assert_ne!(ids[0], ids[2]);
    assert_eq!(events[1]["outcome"], "succeeded");
    assert_eq!(events[1]["additionalEventData"]["keyMaterialId"].as_str().unwrap().len(), 64);
}

#[test]
fn nobody_is_told_to_remove_a_root_key() {
    let home = Home::new();
    let list = "keys list --keystore demo.redb";
    std::fs::write(home.path("demo.redb.root-key"), "damaged\n").unwrap();
    let err = home.fails(list);
    assert!(err.contains("restore it from a copy") && !err.contains("remove"), "{err}");
    let err = ended(&home.command(list).env("KEYPROOF_ROOT_KEY", "damaged").output().unwrap()).2;
    assert!(err.contains("KEYPROOF_ROOT_KEY: ") && err.contains("keys are lost"), "{err}");
    std::fs::remove_file(home.path("demo.redb.root-key")).unwrap();
    let err = home.fails(list);
    assert!(err.contains("restore it from a copy") && err.contains("--root-key"), "{err}");
    std::fs::create_dir(home.path("demo.redb.root-key")).unwrap();
    assert!(home.fails(list).contains("is no regular file, so it is no root key file"));
    assert!(home.fails("keys list --keystore secret.txt").contains("is not a keystore"));
}

#[test]
fn a_first_command_that_fails_leaves_nothing_behind() {
    let home = Home::empty();
    std::os::unix::fs::symlink("nowhere", home.path("link")).unwrap();
    std::fs::write(home.path("deny.json"), DENY).unwrap();
    let create = "keys create --keystore new.redb --account 111122223333 --region eu-central-1";
    let long = format!("--alias alias/{}", "a".repeat(256));
    for (more, says) in [
        ("--alias alias/aws/x", "belong to AWS managed keys"),
        ("--alias nothing", "is not an alias name"),
        (long.as_str(), "the alias has 262 characters; it may have 256"),
        ("--id x", "is not the id of a key"),
        ("--id mrk-0123456789abcdef0123456789abcdef", "does not fit"),
        ("--tags a", "`a` is not a tag"),
        ("--tags aws:x=1", "belongs to AWS"),
        ("--tags a=1 --tags a=2", "the tag `a` is given twice"),
        ("--key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY", "makes no `ECC_NIST_P256` keys"),
        ("--policy deny.json", "will not allow"),
        ("--root-key new.redb", "the root key would overwrite the keystore"),
        ("--root-key link", "is a link to `nowhere`"),
    ] {
        let err = home.fails(&format!("{create} {more}"));
        assert!(err.contains(says), "{more}: {err}");
        assert_eq!(home.names(), ["deny.json", "link"], "{more}");
    }
    let err = home.fails(&create.replace("new.redb", "link"));
    assert!(err.contains("is a link to `nowhere`"), "{err}");
    home.done(&format!("{create} --policy deny.json --bypass-policy-lockout-safety-check"));
    let id = "0a1b2c3d-0000-4000-8000-0123456789ab";
    home.done(&format!("{create} --id {id} --alias alias/a"));
    let before = home.done("keys list --keystore new.redb");
    assert!(home.fails(&format!("{create} --alias alias/a")).contains("exists already"));
    assert_eq!(home.done("keys list --keystore new.redb"), before);
}

#[test]
fn policies_that_lock_out_are_refused_wherever_they_are_set() {
    let home = Home::empty();
    std::fs::write(home.path("deny.json"), DENY).unwrap();
    let create = "keys create --keystore a.redb --account 111122223333 --region eu-central-1";
    home.done(&format!("{create} --multi-region --alias alias/a"));
    for words in [
        create,
        "keys put-policy --keystore a.redb --key-id alias/a",
        "keys replicate --keystore a.redb --key-id alias/a --replica-region eu-west-1",
    ] {
        let err = home.fails(&format!("{words} --policy deny.json"));
        assert!(err.contains("deny.json: MalformedPolicyDocumentException: "), "{err}");
        let caller = "--world policies/demo --caller operator";
        assert!(home.fails(&format!("{words} --policy deny.json {caller}")).contains("operator"));
        home.done(&format!("{words} --policy deny.json --bypass-policy-lockout-safety-check"));
    }
}

/// A key policy that nobody can replace.
const DENY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:Encrypt", "Resource": "*"}]}"#;

#[test]
fn an_import_that_fails_leaves_nothing_behind() {
    let home = Home::empty();
    let mut copy = Command::new("cp");
    copy.args(["-r", "policies/demo", "world"]).current_dir(home.path(""));
    assert!(copy.status().unwrap().success());
    let folder = "world/accounts/444455556666/regions/eu-central-1/keys";
    let key = home.path(folder).join("c3a8e6f0-41d7-4b95-b2c8-6d9e0f7a5c33/key.json");
    let text = std::fs::read_to_string(&key).unwrap();
    let text = text
        .replace("\"Enabled\",", "\"PendingImport\",")
        .replace("\"Enabled\": true", "\"Enabled\": false");
    std::fs::write(&key, text).unwrap();
    let err = home.fails("keys import --keystore new.redb --world world");
    assert!(err.contains("is in state PendingImport: bring it to Enabled"), "{err}");
    assert_eq!(home.names(), ["world"]);
    let create = "keys create --keystore new.redb --account 444455556666 --region eu-central-1";
    home.done(&format!("{create} --id c3a8e6f0-41d7-4b95-b2c8-6d9e0f7a5c33"));
    let before = home.done("keys list --keystore new.redb");
    let err = home.fails("keys import --keystore new.redb --world policies/demo");
    assert!(err.contains("exists already"), "{err}");
    assert_eq!(home.done("keys list --keystore new.redb"), before);
    home.done(&format!("{} --alias alias/inbox", create.replace("new.redb", "other.redb")));
    let err = home.fails("keys import --keystore other.redb --world policies/demo");
    assert!(err.contains("3 keys were made, and then: the alias"), "{err}");
}

#[test]
fn what_was_done_is_told_when_the_answer_cannot_be_written() {
    let home = Home::new();
    // Open for reading alone: no byte can be written to it.
    let unwritable = || std::fs::File::open(home.path("secret.txt")).unwrap();
    let run = |words: &str| ended(&home.command(words).stdout(unwritable()).output().unwrap());
    for words in ["--help", "--version", "keys --help", "readings", "man", "completions bash"] {
        let (code, _, err) = run(words);
        assert_eq!(code, 2, "{words}");
        assert!(err.starts_with("error: standard output: "), "{words}: {err}");
    }
    let create = "keys create --keystore demo.redb --account 111122223333 --region eu-central-1";
    for (words, done) in [
        (create.to_owned(), " was made; the answer could not be written: "),
        (
            "keys create-alias --keystore demo.redb --alias-name alias/b --target-key-id alias/orders"
                .to_owned(),
            " points to ",
        ),
        (home.encrypt(""), "encrypted under arn:"),
        (home.encrypt("--format json"), "encrypted under arn:"),
    ] {
        let (code, _, err) = run(&words);
        assert_eq!(code, 2, "{words}");
        assert!(err.contains(done) && err.contains("could not be written"), "{words}: {err}");
    }
}

#[test]
fn a_reader_that_goes_away_changes_no_answer() {
    let home = Home::empty();
    let check =
        "check --world policies/demo --caller operator --operation Decrypt --key-id alias/orders";
    for (words, expected) in [(check, 1), ("man", 0), ("--help", 0), ("nothing", 2)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = home.command(words).stdout(writer).output().unwrap();
        assert_eq!(ended(&output).0, expected, "{words}");
    }
}

#[test]
fn a_closed_standard_output_is_refused_before_anything_runs() {
    let home = Home::new();
    let command = format!("\"$0\" {} >&-", home.encrypt(""));
    let output = Command::new("sh")
        .args(["-c", &command, env!("CARGO_BIN_EXE_keyproof")])
        .current_dir(home.path(""))
        .output()
        .unwrap();
    let (code, _, err) = ended(&output);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("standard output is closed"), "{err}");
}

#[test]
fn json_with_an_output_file_names_the_file() {
    let home = Home::new();
    let out = home.done(&home.encrypt("--format json --output blue.bin"));
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["Output"], "blue.bin");
    assert!(answer.get("CiphertextBlob").is_none());
    assert!(std::fs::read(home.path("blue.bin")).unwrap().starts_with(b"\x8bKPROOF"));
    let out = home.done(&home.encrypt("--format json"));
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(answer["CiphertextBlob"].is_string() && answer.get("Output").is_none());
}

#[test]
fn a_scheduled_deletion_tells_its_date() {
    let home = Home::new();
    let on = "--keystore demo.redb --key-id alias/orders";
    let out = home.done(&format!("keys schedule-deletion {on} --pending-window-in-days 7"));
    assert!(out.contains(" pending deletion until 20"), "{out}");
    let out = home.done(&format!("keys describe {on}"));
    assert!(out.contains("\nDeletionDate  20"), "{out}");
    home.done(&format!("keys cancel-deletion {on}"));
    let out = home.done(&format!("keys schedule-deletion {on} --format json"));
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["KeyState"], "PendingDeletion");
    assert_eq!(answer["PendingWindowInDays"], 30);
    assert!(answer["DeletionDate"].is_string());
    assert!(answer["KeyId"].as_str().unwrap().starts_with("arn:aws:kms:"));
}

#[test]
fn grants_are_made_for_services_and_listed_whole() {
    let home = Home::new();
    let on = "--keystore demo.redb --key-id alias/archive";
    let root = "arn:aws:iam::111122223333:root";
    home.done(&format!(
        "keys create-grant {on} --grantee-principal dynamodb.amazonaws.com --name backup \
         --retiring-principal {root} --operations Decrypt --encryption-context-subset a=b \
         --source-arn arn:aws:dynamodb:eu-central-1:111122223333:table/t"
    ));
    let out = home.done(&format!("keys list-grants {on}"));
    for part in [
        "  dynamodb.amazonaws.com  Decrypt  ",
        "  Name=backup",
        "  RetiringPrincipal=arn:aws:iam::111122223333:root",
        "  EncryptionContextSubset={\"a\":\"b\"}",
        "  SourceArn=arn:aws:dynamodb:",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
}

#[test]
fn control_characters_are_not_obeyed() {
    let home = Home::empty();
    let output = home.command("keys list --keystore").arg("a\u{1b}[2Jb").output().unwrap();
    let (code, _, err) = ended(&output);
    assert_eq!(code, 2);
    assert!(err.contains("a\\u{1b}[2Jb"), "{err}");
    let mut explain = home.command("--color always explain --world policies/demo --caller orders");
    let output = explain
        .args(["--source-key-id", "alias/orders", "--destination-key-id", "alias/archive"])
        .arg("--destination-encryption-context")
        .arg("tenant=\u{1b}[2Jblue")
        .output()
        .unwrap();
    let (_, out, _) = ended(&output);
    assert!(out.contains("\u{1b}[1;3") && !out.contains("\u{1b}[2J"), "{out}");
    assert!(out.contains("\\u{1b}[2Jblue"), "{out}");
}

#[test]
fn keystores_made_at_once_become_one() {
    let home = Home::empty();
    let create = "keys create --keystore new.redb --account 111122223333 --region eu-central-1";
    let running: Vec<_> = (0..6)
        .map(|_| home.command(create).stdout(std::process::Stdio::null()).spawn().unwrap())
        .collect();
    for mut one in running {
        assert!(one.wait().unwrap().success());
    }
    assert_eq!(home.done("keys list --keystore new.redb").lines().count(), 6);
    assert_eq!(home.names(), ["new.redb", "new.redb.root-key"]);
}

#[test]
fn commands_at_once_wait_for_each_other() {
    let home = Home::new();
    let running: Vec<_> = (0..4)
        .map(|n| {
            let mut command = home.command(&home.encrypt(&format!("--output {n}.bin")));
            command.stderr(std::process::Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut one in running {
        assert!(one.wait().unwrap().success());
    }
}

#[test]
fn flags_that_do_not_apply_are_refused() {
    let home = Home::empty();
    std::fs::create_dir_all(home.path("tests/fixtures")).unwrap();
    std::fs::copy("tests/fixtures/unmet.toml", home.path("tests/fixtures/unmet.toml")).unwrap();
    for flag in [
        "--caller orders",
        "--operation Decrypt",
        "--key-id alias/orders",
        "--region eu-central-1",
        "--context a=b",
        "--absent a",
        "--direct",
        "--grant-token t",
        "--encryption-algorithm SYMMETRIC_DEFAULT",
    ] {
        let err = home.fails(&format!("check tests/fixtures/unmet.toml {flag}"));
        let name = flag.split(' ').next().unwrap();
        assert!(err.contains(&format!("{name} would be ignored")), "{err}");
    }
    let check = "check --world policies/demo --caller orders --region eu-central-1";
    let policy = "--policy policies/demo/accounts/444455556666/regions/eu-central-1/keys/c3a8e6f0-41d7-4b95-b2c8-6d9e0f7a5c33/policy.json";
    for (operation, flag) in [
        ("Decrypt", policy),
        ("Decrypt", "--grant-id y"),
        ("Decrypt", "--replica-region z"),
        ("Decrypt", "--tagged"),
        ("DescribeKey", "--encryption-context a=b"),
        ("CreateGrant", "--encryption-context a=b"),
    ] {
        let grant = match operation {
            "CreateGrant" => {
                "--grantee-principal arn:aws:iam::111122223333:root --operations Decrypt"
            }
            _ => "",
        };
        let err = home.fails(&format!(
            "{check} --operation {operation} --key-id alias/orders {flag} {grant}"
        ));
        let name = flag.split(' ').next().unwrap();
        assert!(err.contains(&format!("{name} does not apply to {operation}")), "{err}");
    }
    for (operation, more) in
        [("ListKeys", ""), ("CreateAlias", "--alias-name alias/a --target-key-id alias/orders")]
    {
        let asked = format!("{check} --operation {operation} {more} --key-id alias/orders");
        let err = home.fails(asked.trim());
        assert!(err.contains(&format!("--key-id does not apply to {operation}")), "{err}");
    }
    let (code, ..) = ended(
        &home
            .command("check tests/fixtures/unmet.toml")
            .env("AWS_REGION", "eu-central-1")
            .env("KEYPROOF_KEYSTORE", "none.redb")
            .output()
            .unwrap(),
    );
    assert_eq!(code, 1);
}

#[test]
fn errors_of_a_policy_file_name_file_and_place() {
    let home = Home::empty();
    std::fs::write(home.path("bad.json"), "{\n  \"Version\": 7\n}\n").unwrap();
    let check = "check --world policies/demo --caller operator --region eu-central-1";
    let asked = "--operation PutKeyPolicy --key-id alias/orders --policy bad.json";
    assert!(home.fails(&format!("{check} {asked}")).contains("bad.json:2:"));
}

#[test]
fn the_key_of_an_rsa_ciphertext_is_asked_for() {
    let home = Home::new();
    std::fs::write(home.path("rsa.bin"), [7; 256]).unwrap();
    let algorithm = "--encryption-algorithm RSAES_OAEP_SHA_256 --ciphertext-blob rsa.bin";
    let decrypt = DECRYPT.replace(" --encryption-context tenant=blue", "");
    assert!(home.fails(&format!("{decrypt} {algorithm}")).contains("--key-id"));
}

#[test]
fn an_altered_ciphertext_is_no_denial_whether_its_key_is_named_or_not() {
    let home = Home::new();
    home.done(&home.encrypt("--output blue.bin"));
    let mut bytes = std::fs::read(home.path("blue.bin")).unwrap();
    bytes[3] ^= 1;
    std::fs::write(home.path("blue.bin"), bytes).unwrap();
    for key in ["", "--key-id alias/orders"] {
        let decrypt = format!("{DECRYPT} --ciphertext-blob blue.bin --output opened.txt {key}");
        assert!(home.fails(&decrypt).contains("InvalidCiphertextException"), "{key}");
    }
}
