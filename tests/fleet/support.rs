//! Fleets with real ciphertexts: a keystore with the keys of `policies/demo`, and items that the
//! caller `orders` may move from `alias/orders` to `alias/archive`.

use std::future::Future;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyproof::authorize::{Authorizer, DecryptRequest, EncryptRequest};
use keyproof::backend::embedded::{self, EmbeddedKms, Keystore, RootKey};
use keyproof::compile::{
    Caller, Entity, Epoch, Grants, KeyEntry, Known, Policy, PolicySlot, SessionPolicies, Snapshot,
    Source,
};
use keyproof::execute::{EpochSource as _, KmsBackend as _};
use keyproof::model::{
    CallerPrincipal, CiphertextBlob, ContextMap, ContextValue, EncryptionAlgorithm,
    EncryptionContext, Key, Plaintext, PolicyKind, Timestamp,
};
use keyproof::syntax;

pub const ORDERS: &str =
    "arn:aws:kms:eu-central-1:111122223333:key/5e1c9b4a-7d20-4f6b-9a3e-1f0c2d8b6a11";
pub const ARCHIVE: &str =
    "arn:aws:kms:eu-central-1:111122223333:key/9b7f3d52-0c44-4e1a-8d6f-2a5e7c913b22";

/// A folder with a keystore, `keys.redb`.
pub struct Home {
    pub folder: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = keyproof::load::world(&demo()).unwrap();
        let snapshot = world.snapshot(Epoch::new(0)).unwrap();
        let root = RootKey::generate().unwrap();
        let now = Timestamp::from_epoch_seconds(1_780_000_000);
        Keystore::create_filled(
            &folder.path().join("keys.redb"),
            root,
            Some(&folder.path().join("keys.redb.root-key")),
            |keystore| embedded::import(keystore, &snapshot, now),
        )
        .unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn kms(&self) -> EmbeddedKms {
        let root = RootKey::from_file(&self.path("keys.redb.root-key")).unwrap();
        EmbeddedKms::new(Keystore::open(&self.path("keys.redb"), root).unwrap())
    }

    /// Writes `count` items; each `plaintext(n)` under `alias/orders`.
    pub fn write_items(&self, name: &str, count: u64) {
        let kms = self.kms();
        let (snapshot, caller) = (permissive(&kms), anyone());
        let mut file = BufWriter::new(std::fs::File::create(self.path(name)).unwrap());
        for n in 0..count {
            let blob = encrypt(&kms, &snapshot, &caller, &plaintext(n));
            let text = STANDARD.encode(blob.as_bytes());
            writeln!(
                file,
                r#"{{"id":"{n}","ciphertext":"{text}","sourceContext":{{"tenant":"blue"}}}}"#
            )
            .unwrap();
        }
        file.into_inner().unwrap();
    }

    /// Writes `count` blobs into a folder.
    pub fn write_blobs(&self, name: &str, count: u64) {
        let kms = self.kms();
        let (snapshot, caller) = (permissive(&kms), anyone());
        for n in 0..count {
            let folder = self.path(name).join((n % 7).to_string());
            std::fs::create_dir_all(&folder).unwrap();
            let blob = encrypt(&kms, &snapshot, &caller, &plaintext(n));
            std::fs::write(folder.join(n.to_string()), blob.as_bytes()).unwrap();
        }
    }

    /// Every item is in the results once and opens to its plaintext.
    pub fn assert_complete(&self, results: &str, count: u64) {
        let kms = self.kms();
        let (snapshot, caller) = (permissive(&kms), anyone());
        let mut seen = vec![false; usize::try_from(count).unwrap()];
        for line in BufReader::new(std::fs::File::open(self.path(results)).unwrap()).lines() {
            let result: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
            let n: u64 = result["id"].as_str().unwrap().parse().unwrap();
            let place = &mut seen[usize::try_from(n).unwrap()];
            assert!(!std::mem::replace(place, true), "item {n} is there twice");
            let blob = STANDARD.decode(result["ciphertext"].as_str().unwrap()).unwrap();
            assert_eq!(decrypt(&kms, &snapshot, &caller, blob), plaintext(n), "item {n}");
            assert_eq!(result["sourceKeyId"], ORDERS);
            assert_eq!(result["destinationKeyId"], ARCHIVE);
        }
        assert!(seen.iter().all(|seen| *seen), "an item is lost");
    }

    /// The same for a mirrored folder.
    pub fn assert_mirrored(&self, name: &str, count: u64) {
        let kms = self.kms();
        let (snapshot, caller) = (permissive(&kms), anyone());
        for n in 0..count {
            let path = self.path(name).join((n % 7).to_string()).join(n.to_string());
            let blob = std::fs::read(&path).unwrap();
            assert_eq!(decrypt(&kms, &snapshot, &caller, blob), plaintext(n), "item {n}");
        }
    }
}

pub fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/demo")
}

pub fn plaintext(n: u64) -> Vec<u8> {
    format!("the secret of item {n:>12}").into_bytes()
}

pub fn blue() -> EncryptionContext {
    EncryptionContext::from_iter([("tenant".to_owned(), "blue".to_owned())])
}

/// The keystore's keys in a world in which [`anyone`] may do everything.
pub fn permissive(kms: &EmbeddedKms) -> Snapshot {
    let policy =
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}"#;
    let mut builder = Snapshot::builder();
    builder.other_memberships(Known::Known(None)).knows_all_keys().epoch(kms.epoch().unwrap());
    let account = "111122223333".parse().unwrap();
    builder.account(account, Known::Known(()));
    builder.aliases(account, "eu-central-1".parse().unwrap(), Known::Known(Vec::new()));
    for arn in [ORDERS, ARCHIVE] {
        let entry = KeyEntry {
            policies: vec![slot(policy, PolicyKind::Key)].into(),
            grants: Known::Known(Grants::default()),
            tags: Known::Known([].into()),
            aliases: Known::Known(Vec::new().into()),
            key: Key::symmetric(arn.parse().unwrap()),
        };
        builder.key(entry).unwrap();
    }
    let entity = Entity {
        arn: ROLE.parse().unwrap(),
        id: None,
        policies: Vec::new(),
        boundary: None,
        tags: Vec::new(),
    };
    builder.entity(entity).unwrap();
    builder.build()
}

const ROLE: &str = "arn:aws:iam::111122223333:role/anyone";

fn slot(policy: &str, kind: PolicyKind) -> PolicySlot {
    let document = syntax::parse(policy, kind).into_result().unwrap();
    let source = Source::file("policy.json", policy);
    PolicySlot::Compiled(Arc::new(Policy::compile(&document, kind, "policy", source)))
}

pub fn anyone() -> Caller {
    let mut context = ContextMap::new().complete();
    context.set("aws:ViaAWSService", ContextValue::One("false".into()));
    Caller {
        principal: CallerPrincipal::RoleSession {
            session: "arn:aws:sts::111122223333:assumed-role/anyone/i-1".parse().unwrap(),
            role: ROLE.parse().unwrap(),
            id: None,
        },
        context,
        session_policies: SessionPolicies::None,
    }
}

fn encrypt(kms: &EmbeddedKms, snapshot: &Snapshot, caller: &Caller, text: &[u8]) -> CiphertextBlob {
    let request = EncryptRequest {
        region: "eu-central-1".parse().unwrap(),
        key: ORDERS.parse().unwrap(),
        plaintext: Some(Plaintext::new(text.to_vec()).unwrap()),
        algorithm: EncryptionAlgorithm::SymmetricDefault,
        context: blue(),
        grant_tokens: Vec::new(),
    };
    let authorizer = Authorizer::new(snapshot);
    let operation = authorizer.resolve_encrypt(request, caller).unwrap();
    now(kms.encrypt(authorizer.authorize(operation, caller).unwrap())).unwrap().ciphertext
}

fn decrypt(kms: &EmbeddedKms, snapshot: &Snapshot, caller: &Caller, blob: Vec<u8>) -> Vec<u8> {
    let request = DecryptRequest {
        region: "eu-central-1".parse().unwrap(),
        key: Some(ARCHIVE.parse().unwrap()),
        ciphertext: Some(CiphertextBlob::new(blob).unwrap()),
        algorithm: EncryptionAlgorithm::SymmetricDefault,
        context: blue(),
        grant_tokens: Vec::new(),
    };
    let authorizer = Authorizer::new(snapshot);
    let operation = authorizer.resolve_decrypt(request, caller, kms).unwrap();
    let opened = now(kms.decrypt(authorizer.authorize(operation, caller).unwrap())).unwrap();
    opened.plaintext.expose().to_vec()
}

/// What a future that never waits gives.
pub fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here waits"),
    }
}
