//! The program against a server that answers as AWS does.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::stub::{Reply, Stub, exception, identity, ok};

const ORDERS: &str = "arn:aws:sts::111122223333:assumed-role/orders/i-0a1b2c3d4e5f60718";
pub const SOURCE: &str =
    "arn:aws:kms:eu-central-1:111122223333:key/5e1c9b4a-7d20-4f6b-9a3e-1f0c2d8b6a11";
pub const ARCHIVE: &str =
    "arn:aws:kms:eu-central-1:111122223333:key/9b7f3d52-0c44-4e1a-8d6f-2a5e7c913b22";

const KEYS: &str = "--caller orders --source-key-id alias/orders --source-encryption-context \
                    tenant=blue --destination-key-id alias/archive \
                    --destination-encryption-context tenant=blue";

pub fn keyproof(stub: &Stub, folder: &Path, words: &str) -> (i32, String, String) {
    let output: Output = Command::new(env!("CARGO_BIN_EXE_keyproof"))
        .args(words.split_whitespace())
        .current_dir(folder)
        .env_clear()
        .env("AWS_ENDPOINT_URL", &stub.address)
        .env("AWS_ACCESS_KEY_ID", "AKID")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_REGION", "eu-central-1")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

pub fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    std::os::unix::fs::symlink(policies, home.path().join("policies")).unwrap();
    std::fs::write(home.path().join("blue.bin"), "old").unwrap();
    home
}

/// KMS that answers dry runs as told, and runs the rest.
fn kms(dry_run: fn() -> Reply, run: fn() -> Reply, whose: &'static str) -> Stub {
    Stub::new(move |asked| match asked.operation.as_str() {
        "GetCallerIdentity" => identity(whose),
        "ReEncrypt" if asked.body["DryRun"] == json!(true) => dry_run(),
        "ReEncrypt" => run(),
        other => panic!("{other}"),
    })
}

fn allows() -> Reply {
    exception("DryRunOperationException", "would have succeeded")
}

fn denies() -> Reply {
    let message = format!(
        "User: {ORDERS} is not authorized to perform: kms:ReEncryptTo on resource: {ARCHIVE} because \
         no resource-based policy allows the kms:ReEncryptTo action"
    );
    exception("AccessDeniedException", &message)
}

fn done() -> Reply {
    ok(json!({
        "CiphertextBlob": "bmV3", "SourceKeyId": SOURCE, "KeyId": ARCHIVE,
        "SourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "DestinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    }))
}

#[test]
fn check_tells_whether_kms_agrees() {
    let home = home();
    let check = format!("check --world policies/demo {KEYS} --verify-live");
    let (code, out, err) = keyproof(&kms(allows, done, ORDERS), home.path(), &check);
    assert_eq!(code, 0, "{out}{err}");
    let line =
        format!("live: KMS says allow to {ORDERS}, which agrees with the decision made here\n");
    assert!(out.ends_with(&line), "{out}");

    let (code, out, _) = keyproof(&kms(denies, done, ORDERS), home.path(), &check);
    assert_eq!(code, 1);
    assert!(out.contains("which DISAGREES with the decision made here; it names the destination: AccessDeniedException:"), "{out}");
    let (code, out, _) =
        keyproof(&kms(denies, done, ORDERS), home.path(), &format!("{check} --format json"));
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["live"]["verdict"]), (1, &json!("disagree")));
    assert_eq!(json["live"]["error"]["side"], json!("destination"));
    assert_eq!(json["live"]["error"]["requestId"], json!("request-1"));

    let stub = kms(done, done, ORDERS);
    let (code, _, err) = keyproof(&stub, home.path(), &check);
    assert!(code == 2 && err.contains("does not honour DryRun"), "{code} {err}");
    let other = "arn:aws:sts::111122223333:assumed-role/reporting/nightly";
    let stub = kms(allows, done, other);
    let (code, _, err) = keyproof(&stub, home.path(), &check);
    assert!(code == 2 && err.contains("KMS would answer for another"), "{code} {err}");
    assert_eq!(stub.count("ReEncrypt"), 0);
}

#[test]
fn re_encrypt_runs_on_aws_when_both_agree() {
    let home = home();
    let command = format!(
        "re-encrypt --backend aws --world policies/demo {KEYS} --ciphertext-blob blue.bin \
         --audit audit.jsonl --output moved.bin --verify-live"
    );
    let stub = kms(denies, done, ORDERS);
    let (code, _, err) = keyproof(&stub, home.path(), &command);
    assert_eq!((code, stub.count("ReEncrypt")), (1, 1), "{err}");
    assert!(!home.path().join("moved.bin").exists());

    let stub = kms(allows, done, ORDERS);
    let (code, out, err) = keyproof(&stub, home.path(), &command);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    assert!(err.contains(&format!("re-encrypted from {SOURCE} to {ARCHIVE}")), "{err}");
    assert_eq!(std::fs::read(home.path().join("moved.bin")).unwrap(), b"new");
    let sent = stub.asked();
    assert_eq!(
        sent[1].body["CiphertextBlob"],
        json!("b2xk"),
        "the dry run is about this ciphertext"
    );
    assert_eq!(sent[2].body["SourceKeyId"], json!(SOURCE));
}

#[test]
fn a_disagreement_is_shown_with_the_trace_and_recorded() {
    let home = home();
    let command = format!(
        "re-encrypt --backend aws --world policies/demo {KEYS} --ciphertext-blob blue.bin --audit audit.jsonl"
    );
    let stub = kms(allows, denies, ORDERS);
    let (code, out, err) = keyproof(&stub, home.path(), &command);
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert!(err.contains("statements that name kms:ReEncryptTo:"), "{err}");
    assert!(err.contains("the backend refuses on the destination: "), "{err}");
    assert!(err.ends_with("nothing was written\n"), "{err}");
    let audit = std::fs::read_to_string(home.path().join("audit.jsonl")).unwrap();
    let last: Value = serde_json::from_str(audit.lines().last().unwrap()).unwrap();
    assert_eq!(last["outcome"], json!("disagreed"));
    assert_eq!(last["additionalEventData"]["refusedSide"], json!("destination"));
    assert_eq!(last["additionalEventData"]["requestID"], json!("request-1"));

    let (code, out, _) = keyproof(&stub, home.path(), &format!("{command} --format json"));
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["schema"]), (1, &json!("keyproof/disagreement/1")));
    assert!(json["sides"][0]["trace"].is_object(), "{json}");
}

#[test]
fn facts_of_unknown_age_are_refused_or_read_again() {
    let home = home();
    let stub = Stub::new(|asked| match asked.operation.as_str() {
        "DescribeKey" => exception("AccessDeniedException", "not you"),
        other => panic!("{other}"),
    });
    let command = format!(
        "re-encrypt --backend aws --world policies/demo {KEYS} --ciphertext-blob blue.bin \
         --audit audit.jsonl --max-age 15m"
    );
    let (code, _, err) = keyproof(&stub, home.path(), &command);
    assert!(code == 2 && err.contains("is not known; they may be 900 s old"), "{code} {err}");
    let (code, _, err) = keyproof(&stub, home.path(), &format!("{command} --refresh when-stale"));
    assert!(code == 2 && err.contains("could not be read again"), "{code} {err}");
    let audit = std::fs::read_to_string(home.path().join("audit.jsonl")).unwrap();
    assert_eq!(audit.matches("\"outcome\":\"denied\"").count(), 2, "{audit}");
}

#[test]
fn flags_of_one_backend_are_refused_with_the_other() {
    let home = home();
    let stub = Stub::new(|_| panic!("nothing is asked"));
    let command = format!(
        "re-encrypt --world policies/demo {KEYS} --ciphertext-blob blue.bin --audit audit.jsonl"
    );
    for (more, says) in [
        ("--keystore x --max-age 1m", "--max-age would be ignored"),
        ("--keystore x --profile p", "--profile would be ignored"),
        ("--backend aws --keystore x", "--keystore and --root-key would be ignored"),
        ("--backend aws --refresh when-stale", "nothing is stale without"),
        ("--backend aws --max-age 5x", "a number with s, m or h"),
        ("", "the keystore is missing"),
    ] {
        let (code, _, err) = keyproof(&stub, home.path(), &format!("{command} {more}"));
        assert!(code == 2 && err.contains(says), "{more}: {err}");
    }
    for more in ["--matrix", "policies/demo/world.toml"] {
        let check = format!("check --world policies/demo --verify-live {more}");
        let (code, _, err) = keyproof(&stub, home.path(), &check);
        assert!(code == 2 && err.contains("--verify-live would be ignored"), "{more}: {err}");
    }
    assert!(!home.path().join("audit.jsonl").exists(), "nothing was begun");
    let unnamed = command.replace("--source-key-id alias/orders", "--backend aws");
    let (code, _, err) = keyproof(&stub, home.path(), &unnamed);
    assert!(code == 2 && err.contains("name the key"), "{err}");
}

#[test]
fn collect_writes_a_world_and_tells_what_it_could_not_read() {
    let home = home();
    let stub = Stub::new(|asked| match asked.operation.as_str() {
        "GetCallerIdentity" => identity(ORDERS),
        "ListKeys" => ok(json!({"Keys": [{"KeyArn": SOURCE}], "Truncated": false})),
        "ListAliases" => exception("AccessDeniedException", "no aliases"),
        "DescribeKey" => ok(json!({"KeyMetadata": {
            "KeyId": "5e1c9b4a-7d20-4f6b-9a3e-1f0c2d8b6a11", "Arn": SOURCE,
            "KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled",
            "Origin": "AWS_KMS", "KeyManager": "CUSTOMER", "Enabled": true,
        }})),
        _ => exception("AccessDeniedException", "nothing else"),
    });
    let (code, out, err) = keyproof(&stub, home.path(), "collect --world world");
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.starts_with("111122223333 eu-central-1: 1 keys\n"), "{out}");
    assert!(
        out.contains(
            "unknown: aliases.json of the Region: ListAliases: AccessDeniedException: no aliases"
        ),
        "{out}"
    );
    let (code, out, _) = keyproof(&stub, home.path(), "collect --world world --format json");
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, json["collected"][0]["unknown"].as_array().unwrap().len()), (0, 6));
    let (code, _, err) = keyproof(&stub, home.path(), "collect --world world --region nowhere!");
    assert!(code == 2 && err.contains("nowhere!"), "{err}");
}
