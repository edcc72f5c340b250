//! Fleets on a server that answers as AWS does, fails, hangs and throttles.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::program::{ARCHIVE, SOURCE, home, keyproof};
use super::stub::{Asked, Reply, Stub, exception, ok};

const COUNT: usize = 12;
const RUN: &str = "fleet run --backend aws --world policies/demo --caller orders --input in.jsonl \
                   --source-key-id alias/orders --source-encryption-context tenant=blue \
                   --destination-key-id alias/archive \
                   --audit audit.jsonl --output out.jsonl --concurrency 2";

/// A folder with an input of `COUNT` items; the ciphertext of each is its number.
fn fleet() -> tempfile::TempDir {
    let home = home();
    let lines: Vec<String> = (0..COUNT)
        .map(|n| json!({"id": n.to_string(), "ciphertext": base64(&format!("old{n:03}"))}))
        .map(|line| line.to_string())
        .collect();
    std::fs::write(home.path().join("in.jsonl"), lines.join("\n")).unwrap();
    home
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// The right answer.
fn moved(asked: &Asked) -> Reply {
    let old = asked.body["CiphertextBlob"].as_str().unwrap();
    ok(json!({
        "CiphertextBlob": old.replacen(&base64("old"), &base64("new"), 1),
        "SourceKeyId": SOURCE, "KeyId": ARCHIVE,
        "SourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "DestinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    }))
}

/// Answers the calls whose numbers are given otherwise.
fn except(other: impl Fn(usize) -> Option<Reply> + Send + Sync + 'static) -> Stub {
    let calls = AtomicUsize::new(0);
    Stub::new(move |asked| {
        assert_eq!(asked.operation, "ReEncrypt");
        other(calls.fetch_add(1, Ordering::SeqCst)).unwrap_or_else(|| moved(asked))
    })
}

fn lines(home: &Path, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(home.join(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn outcomes(home: &Path, outcome: &str) -> usize {
    lines(home, "audit.jsonl").iter().filter(|line| line["outcome"] == outcome).count()
}

/// The run goes on to its end; every item is there once.
fn finishes(home: &Path, stub: &Stub) {
    let (code, out, err) = keyproof(stub, home, RUN);
    assert_eq!(code, 0, "{out}{err}");
    let mut found: Vec<(String, String)> = lines(home, "out.jsonl")
        .iter()
        .map(|line| ("id", "ciphertext", line))
        .map(|(id, blob, line)| (line[id].to_string(), line[blob].to_string()))
        .collect();
    found.sort();
    let mut expected: Vec<(String, String)> = (0..COUNT)
        .map(|n| (json!(n.to_string()), json!(base64(&format!("new{n:03}")))))
        .map(|(id, blob)| (id.to_string(), blob.to_string()))
        .collect();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_fleet_is_moved_and_recorded() {
    let home = fleet();
    let stub = except(|_| None);
    finishes(home.path(), &stub);
    let asked = stub.asked();
    assert_eq!(asked.len(), COUNT);
    assert!(asked.iter().all(|asked| asked.body["SourceKeyId"] == SOURCE));
    assert_eq!(outcomes(home.path(), "succeeded"), COUNT);
}

#[test]
fn the_example_of_the_help_runs() {
    let home = fleet();
    let help = keyproof(&except(|_| None), home.path(), "fleet run --help").1;
    let (_, example) = help.split_once("With AWS KMS").unwrap();
    let words: Vec<&str> = example
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .flat_map(str::split_whitespace)
        .filter(|word| *word != "\\")
        .collect();
    assert!(words.len() > 15 && words[0] == "keyproof", "{example}");
    std::os::unix::fs::symlink("policies/demo", home.path().join("world")).unwrap();
    let items = std::fs::read_to_string(home.path().join("in.jsonl")).unwrap();
    let items = items.replace("{\"", "{\"sourceContext\":{\"tenant\":\"blue\"},\"");
    std::fs::write(home.path().join("fleet.jsonl"), items).unwrap();
    let (code, out, err) = keyproof(&except(|_| None), home.path(), &words[1..].join(" "));
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(lines(home.path(), "archived.jsonl").len(), COUNT);
}

#[test]
fn a_source_key_is_asked_for_before_anything_is_sent() {
    let home = fleet();
    let stub = Stub::new(|_| panic!("nothing is asked"));
    let words = RUN.replace("--source-key-id alias/orders ", "");
    let (code, _, err) = keyproof(&stub, home.path(), &words);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("`sourceKeyId`") && err.contains("--source-key-id"), "{err}");
    assert!(!home.path().join("out.jsonl.journal").exists());
}

#[test]
fn a_refusal_of_aws_is_a_failure_of_the_item_with_its_own_record() {
    let home = fleet();
    let stub = Stub::new(|asked| match asked.body["CiphertextBlob"] == base64("old005") {
        true => exception("AccessDeniedException", "not authorized to perform: kms:ReEncryptTo"),
        false => moved(asked),
    });
    let (code, out, err) = keyproof(&stub, home.path(), RUN);
    assert!(code == 2 && err.contains("1 items failed"), "{code} {out}{err}");
    assert_eq!(outcomes(home.path(), "disagreed"), 1);
    let (_, out, _) = keyproof(&stub, home.path(), "fleet status --journal out.jsonl.journal");
    assert!(out.contains("item `5`: AccessDeniedException: "), "{out}");
    assert!(out.contains("the backend refuses on the destination"), "{out}");
    assert!(!home.path().join("out.jsonl").exists());
    finishes(home.path(), &except(|_| None));
}

#[test]
fn expired_credentials_end_the_run_and_what_is_moved_is_safe() {
    let home = fleet();
    let expired = |call| (call >= 5).then(|| exception("ExpiredTokenException", "expired"));
    let (code, out, err) = keyproof(&except(expired), home.path(), RUN);
    assert!(code == 2 && err.contains("ExpiredTokenException: expired"), "{code} {out}{err}");
    assert!(err.contains("give this process credentials") && err.contains("again"), "{err}");
    assert!(out.contains("5 of 12 items moved"), "{out}");
    let stub = except(|_| None);
    finishes(home.path(), &stub);
    assert_eq!(stub.asked().len(), COUNT - 5);
}

#[test]
fn throttling_slows_and_every_request_sent_is_recorded() {
    let home = fleet();
    let stub = except(|call| {
        (call < 9 && call % 3 != 0).then(|| exception("ThrottlingException", "Rate exceeded"))
    });
    finishes(home.path(), &stub);
    assert_eq!(stub.asked().len(), COUNT + 6);
    assert_eq!(outcomes(home.path(), "intended"), COUNT + 6);
}

#[test]
fn a_call_without_an_answer_is_sent_again() {
    let home = fleet();
    let stub = except(|call| (call == 4).then_some(Reply::Silence));
    let (code, out, err) = keyproof(&stub, home.path(), &format!("{RUN} --timeout 1"));
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(lines(home.path(), "out.jsonl").len(), COUNT);
}

#[test]
fn an_answer_for_another_key_ends_the_run() {
    let home = fleet();
    let wrong = |call| {
        (call == 6).then(|| {
            ok(json!({"CiphertextBlob": "bmV3", "SourceKeyId": ARCHIVE, "KeyId": ARCHIVE}))
        })
    };
    let (code, _, err) = keyproof(&except(wrong), home.path(), RUN);
    assert!(code == 2 && err.contains("was judged: the result is discarded"), "{code} {err}");
    assert!(err.contains("find out what answers in the backend's place"), "{err}");
    // What was moved by then is kept, so that nothing is moved twice.
    let kept = lines(home.path(), "out.jsonl.part").len();
    assert_eq!(outcomes(home.path(), "succeeded"), kept);
    finishes(home.path(), &except(|_| None));
}

#[test]
fn keys_are_read_again_once_and_not_for_each_item() {
    let home = fleet();
    let policy = |arn: &str| {
        let id = arn.rsplit('/').next().unwrap();
        let keys = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("policies/demo/accounts/111122223333/regions/eu-central-1/keys");
        std::fs::read_to_string(keys.join(id).join("policy.json")).unwrap()
    };
    let stub = Stub::new(move |asked| {
        let key = asked.body["KeyId"].as_str().unwrap_or_default().to_owned();
        match asked.operation.as_str() {
            "DescribeKey" => ok(json!({"KeyMetadata": {
                "KeyId": key.rsplit('/').next().unwrap(), "Arn": key, "KeySpec": "SYMMETRIC_DEFAULT",
                "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled", "Origin": "AWS_KMS",
                "KeyManager": "CUSTOMER", "Enabled": true,
            }})),
            "GetKeyPolicy" if asked.body["PolicyName"] == "default" => {
                ok(json!({"Policy": policy(&key), "PolicyName": "default"}))
            }
            "GetKeyPolicy" => exception("NotFoundException", "none"),
            "ListGrants" => ok(json!({"Grants": [], "Truncated": false})),
            _ => moved(asked),
        }
    });
    let aged = format!("{RUN} --max-age 15m");
    let (code, _, err) = keyproof(&stub, home.path(), &aged);
    assert!(code == 2 && err.contains("is not known; they may be 900 s old"), "{code} {err}");
    assert!(err.contains("--refresh when-stale"), "{err}");
    assert_eq!(stub.asked().len(), 0);
    let (code, out, err) = keyproof(&stub, home.path(), &format!("{aged} --refresh when-stale"));
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!((stub.count("DescribeKey"), stub.count("ReEncrypt")), (2, COUNT));
}

#[test]
fn keys_that_cannot_be_read_again_are_told_before_anything_is_begun() {
    let home = fleet();
    let stub = Stub::new(|asked| match asked.operation.as_str() {
        "DescribeKey" => exception("AccessDeniedException", "not you"),
        other => panic!("{other}"),
    });
    let words = format!("{RUN} --max-age 15m --refresh when-stale");
    let (code, _, err) = keyproof(&stub, home.path(), &words);
    assert!(code == 2 && err.contains("cannot be read again") && err.contains("not you"), "{err}");
    assert!(!home.path().join("out.jsonl.journal").exists());
}

#[test]
fn a_job_that_was_finished_without_refused_items_says_so() {
    let home = fleet();
    let operator = RUN.replace("--caller orders", "--caller operator");
    let stub = Stub::new(|_| panic!("nothing is asked"));
    let skipping = format!("{operator} --skip-refused");
    let (code, out, err) = keyproof(&stub, home.path(), &skipping);
    assert_eq!(code, 0, "{out}{err}");
    let (code, _, err) = keyproof(&stub, home.path(), &operator);
    assert!(code == 1 && err.contains("without 12 items that were refused"), "{code} {err}");
    assert_eq!(keyproof(&stub, home.path(), &skipping).0, 0);
}

#[test]
fn flags_and_files_that_do_not_fit_are_refused() {
    let home = fleet();
    let stub = Stub::new(|_| panic!("nothing is asked"));
    std::fs::write(home.path().join("notes.txt"), "mine").unwrap();
    for (more, says) in [
        ("--keystore x", "--keystore and --root-key would be ignored"),
        ("--refresh when-stale", "nothing is stale without"),
        ("--only-material-older-than 2026-01-01", "would select every item"),
        ("--refusals in.jsonl", "would overwrite the input"),
        ("--refusals notes.txt", "exists already"),
    ] {
        let (code, _, err) = keyproof(&stub, home.path(), &format!("{RUN} {more}"));
        assert!(code == 2 && err.contains(says), "{more}: {err}");
    }
    for (from, to, says) in [
        ("--backend aws", "--keystore x --max-age 1m", "--max-age would be ignored"),
        ("--backend aws", "", "the keystore is missing"),
        ("audit.jsonl", "in.jsonl", "the audit file would overwrite the input"),
    ] {
        let (code, _, err) = keyproof(&stub, home.path(), &RUN.replace(from, to));
        assert!(code == 2 && err.contains(says), "{to}: {err}");
    }
    std::fs::create_dir(home.path().join("blobs")).unwrap();
    std::fs::write(home.path().join("blobs/one"), "old").unwrap();
    let words = RUN.replace("in.jsonl", "blobs").replace("audit.jsonl", "blobs/audit.jsonl");
    let (code, _, err) = keyproof(&stub, home.path(), &words);
    assert!(code == 2 && err.contains("would be inside the input folder"), "{err}");
    assert!(!home.path().join("blobs/audit.jsonl").exists());
}
