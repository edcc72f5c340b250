//! A keystore's writer is killed at random moments; what it acknowledged must still be there.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use keyproof::backend::embedded::{Keystore, NewGrant, NewKey, RootKey, default_key_policy};
use keyproof::model::{
    Action, GrantConstraints, GrantId, GrantPrincipal, KeyArn, KeyState, PolicyName, Timestamp,
};

const KILLS: usize = 200;
const FOLDER: &str = "KEYPROOF_KILL_TEST_FOLDER";
const WRITER: &str = "writer_to_be_killed";

#[test]
fn two_hundred_kills_lose_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut known = Acknowledged::default();
    for round in 0..KILLS {
        let mut new = Acknowledged::default();
        for line in acknowledged_before_a_kill(folder.path(), round) {
            new.read(&line);
        }
        // Killed before the keystore was made, there is nothing to look at.
        if folder.path().join("keys.redb").exists() {
            new.assert_is_in(&open(folder.path()));
        }
        known.add(new);
    }
    let keystore = open(folder.path());
    known.assert_is_in(&keystore);
    // Nothing that is there is broken either, acknowledged or not.
    for stored in keystore.contents().unwrap().keys {
        keystore.verify_key(&stored.key.arn).unwrap();
        assert!(stored.policies.contains_key(&PolicyName::Default));
    }
    assert!(known.keys.len() >= KILLS / 2, "only {} keys were made", known.keys.len());
    assert!(known.grants.len() >= KILLS / 4, "only {} grants were made", known.grants.len());
    assert!(known.policies.len() >= KILLS / 8, "only {} policies", known.policies.len());
}

/// Not a test by itself: the process that is killed. It does nothing without its folder.
#[test]
fn writer_to_be_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let keystore = open(Path::new(&folder));
    let account = "111122223333".parse().unwrap();
    // The end of a line that the test harness began.
    acknowledge("");
    loop {
        let new = NewKey::symmetric(account, "eu-central-1".parse().unwrap());
        let key = keystore.create_key(&new, now()).unwrap();
        acknowledge(&format!("key {key}"));
        let grant = NewGrant {
            name: Some("reader".into()),
            grantee: GrantPrincipal::listed("arn:aws:iam::444455556666:role/app"),
            retiring: None,
            operations: [Action::Decrypt].into_iter().collect(),
            constraints: GrantConstraints::default(),
            issuing_account: None,
        };
        let grant = keystore.create_grant(&key, grant, now()).unwrap();
        acknowledge(&format!("grant {key} {}", grant.id));
        for number in 1..=3 {
            let text = policy(&key, number);
            keystore.put_policy(&key, PolicyName::Default, &text).unwrap();
            acknowledge(&format!("policy {key} {number}"));
        }
    }
}

/// Runs the writer and kills it; gives the lines that it wrote whole.
fn acknowledged_before_a_kill(folder: &Path, round: usize) -> Vec<String> {
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", WRITER, "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(writer.stdout.take().unwrap());
    let (first, at_first) = mpsc::channel();
    let reader = thread::spawn(move || read_whole_lines(output, &first));
    // Most kills hit the writing, some the opening and the repair after the last kill.
    if round % 8 != 7 {
        at_first.recv_timeout(Duration::from_secs(20)).unwrap();
    }
    thread::sleep(Duration::from_micros(random(40_000)));
    writer.kill().unwrap();
    let output = writer.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains("panicked"), "round {round}: {errors}");
    reader.join().unwrap()
}

fn read_whole_lines(mut output: impl std::io::BufRead, first: &mpsc::Sender<()>) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        let _ = output.read_line(&mut line).unwrap();
        match line.strip_suffix('\n') {
            Some(whole) if whole.starts_with("ack ") => {
                lines.push(whole.to_owned());
                // Nobody listens when the kill does not wait for it.
                let _ = first.send(());
            }
            Some(_) => {}
            None => return lines,
        }
    }
}

#[derive(Default)]
struct Acknowledged {
    keys: Vec<KeyArn>,
    grants: Vec<(KeyArn, GrantId)>,
    /// The last policy of each key.
    policies: BTreeMap<KeyArn, u32>,
}

impl Acknowledged {
    fn read(&mut self, line: &str) {
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["ack", "key", key] => self.keys.push(key.parse().unwrap()),
            ["ack", "grant", key, id] => {
                self.grants.push((key.parse().unwrap(), id.parse().unwrap()));
            }
            ["ack", "policy", key, number] => {
                self.policies.insert(key.parse().unwrap(), number.parse().unwrap());
            }
            other => panic!("{other:?}"),
        }
    }

    fn add(&mut self, new: Self) {
        self.keys.extend(new.keys);
        self.grants.extend(new.grants);
        self.policies.extend(new.policies);
    }

    fn assert_is_in(&self, keystore: &Keystore) {
        for key in &self.keys {
            keystore.verify_key(key).unwrap();
            assert_eq!(keystore.key(key).unwrap().key.state, KeyState::Enabled);
        }
        for (key, id) in &self.grants {
            let grants = keystore.grants(key).unwrap();
            assert!(grants.iter().any(|grant| grant.id == *id), "{key} {id}");
        }
        for (key, number) in &self.policies {
            let stored = keystore.key(key).unwrap();
            // The next one may have been committed and not yet acknowledged.
            let possible = [*number, number + 1].map(|number| policy(key, number));
            assert!(possible.contains(stored.policies.get(&PolicyName::Default).unwrap()));
        }
    }
}

fn open(folder: &Path) -> Keystore {
    let root = RootKey::from_file_or_new(&folder.join("root.key")).unwrap();
    Keystore::open_or_create(&folder.join("keys.redb"), root).unwrap()
}

fn policy(key: &KeyArn, number: u32) -> String {
    default_key_policy(key).replace("key-default-1", &format!("number-{number}"))
}

/// Written whole and at once: what the parent reads was committed before.
fn acknowledge(what: &str) {
    let line = if what.is_empty() { "\n".to_owned() } else { format!("ack {what}\n") };
    let mut output = std::io::stdout().lock();
    output.write_all(line.as_bytes()).unwrap();
    output.flush().unwrap();
}

fn now() -> Timestamp {
    Timestamp::from_epoch_seconds(1_800_000_000)
}

fn random(below: u64) -> u64 {
    RandomState::new().hash_one(0) % below
}
