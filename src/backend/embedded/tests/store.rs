use std::fs;
use std::path::Path;

use super::super::material::Material;
use super::super::record::{KeyRecord, Record as _};
use super::*;

fn filled() -> (TempDir, Vec<u8>) {
    let (folder, keystore) = keystore();
    for _ in 0..3 {
        let key = create(&keystore);
        keystore.rotate_key(&key, now()).unwrap();
    }
    drop(keystore);
    let bytes = fs::read(folder.path().join("keys.redb")).unwrap();
    (folder, bytes)
}

#[test]
fn what_was_written_is_there_when_opened_again() {
    let (folder, keystore) = keystore();
    let pairs = context(&[("a", "b")]);
    let key = create(&keystore);
    let ciphertext = encrypt(&keystore, side(&key, &pairs), b"secret");
    let contents = keystore.contents().unwrap();
    drop(keystore);
    let keystore = Keystore::open(&folder.path().join("keys.redb"), root()).unwrap();
    assert_eq!(keystore.contents().unwrap(), contents);
    assert_eq!(decrypt(&keystore, side(&key, &pairs), &ciphertext).unwrap(), b"secret");
}

#[test]
fn a_wrong_root_key_is_told() {
    let (folder, keystore) = keystore();
    drop(keystore);
    let path = folder.path().join("keys.redb");
    let result = Keystore::open(&path, RootKey::generate().unwrap());
    assert!(matches!(result, Err(KeystoreError::WrongRootKey { .. })), "{result:?}");
    assert!(Keystore::open(&path, root()).is_ok());
}

#[test]
fn two_do_not_have_a_keystore_open_at_once() {
    let (folder, _keystore) = keystore();
    let result = Keystore::open(&folder.path().join("keys.redb"), root());
    assert!(matches!(result, Err(KeystoreError::InUse { .. })), "{result:?}");
}

#[test]
fn a_keystore_in_use_is_waited_for() {
    let (folder, keystore) = keystore();
    let path = folder.path().join("keys.redb");
    let other = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(200));
        drop(keystore);
    });
    assert!(Keystore::open_within(&path, root(), std::time::Duration::from_secs(60)).is_ok());
    other.join().unwrap();
}

#[test]
fn a_keystore_is_made_with_its_content_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let (path, root_file) = (folder.path().join("keys.redb"), folder.path().join("root.key"));
    let wrong = NewKey { description: "x".repeat(9000), ..symmetric() };
    let make = |new: &NewKey| {
        let root = RootKey::generate().unwrap();
        Keystore::create_filled(&path, root, Some(&root_file), |keystore| {
            keystore.create_key(new, now())
        })
    };
    assert_eq!(code(make(&wrong)), "ValidationException");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let key = make(&symmetric()).unwrap();
    let open = || Keystore::open(&path, RootKey::from_file(&root_file).unwrap()).unwrap();
    open().verify_key(&key).unwrap();
    assert_eq!(code(make(&symmetric())), "AlreadyExistsException");
    open().verify_key(&key).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn an_existing_file_is_not_replaced() {
    let (folder, keystore) = keystore();
    let key = create(&keystore);
    drop(keystore);
    let path = folder.path().join("keys.redb");
    assert_eq!(code(Keystore::create(&path, root())), "AlreadyExistsException");
    assert!(Keystore::open_or_create(&path, root()).unwrap().key(&key).is_ok());
    assert!(Keystore::open_or_create(&folder.path().join("new.redb"), root()).is_ok());
    // Nothing temporary stays behind.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn what_is_no_keystore_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let open = || Keystore::open(&path, root()).unwrap_err();
    assert!(matches!(open(), KeystoreError::Io { .. }));
    for content in ["", "{}", "redb", &"x".repeat(10_000)] {
        fs::write(&path, content).unwrap();
        assert!(matches!(open(), KeystoreError::NotAKeystore { .. }), "{content:.10}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
    fs::remove_file(&path).unwrap();
    drop(redb::Database::create(&path).unwrap());
    assert!(matches!(open(), KeystoreError::NotAKeystore { .. }));
    let folder = Keystore::open(folder.path(), root()).unwrap_err();
    assert!(matches!(folder, KeystoreError::NotAKeystore { .. }));
}

#[test]
fn a_newer_keystore_is_told() {
    let (folder, keystore) = keystore();
    drop(keystore);
    let path = folder.path().join("keys.redb");
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let meta = redb::TableDefinition::<&str, &[u8]>::new("meta");
    transaction
        .open_table(meta)
        .unwrap()
        .insert("format", [0, 0, 0, 0, 0, 0, 0, 2].as_slice())
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = Keystore::open(&path, root()).unwrap_err();
    assert!(matches!(error, KeystoreError::NewerFormat { found: 2, known: 1, .. }), "{error}");
}

#[test]
fn records_of_other_versions_or_with_unknown_fields_are_refused() {
    let record = KeyRecord::new(
        &crate::model::Key::symmetric("arn:aws:kms:a-b-1:111122223333:key/k".parse().unwrap()),
        "",
        now(),
    );
    let text = String::from_utf8(record.encode().unwrap()).unwrap();
    assert!(KeyRecord::decode(text.as_bytes()).is_ok());
    for altered in [
        text.replace("\"v\":1", "\"v\":2"),
        text.replace("\"description\"", "\"surprise\":1,\"description\""),
        text.replace("\"v\":1", "\"v\":1,\"w\":1"),
        text.replace("Enabled", "Enabledish"),
    ] {
        assert_ne!(altered, text);
        let decoded = KeyRecord::decode(altered.as_bytes());
        let arn = "arn:aws:kms:a-b-1:111122223333:key/k".parse().unwrap();
        assert!(decoded.and_then(|record| record.key(&arn)).is_err(), "{altered}");
    }
}

/// Opens a copy with other bytes; whatever it is, it must be an answer and no panic, and what
/// opens must be readable or say that it is not.
fn try_open(path: &Path, bytes: &[u8]) -> Result<usize, KeystoreError> {
    fs::write(path, bytes).unwrap();
    let keystore = Keystore::open(path, root())?;
    let contents = keystore.contents()?;
    contents.keys.iter().try_for_each(|key| keystore.verify_key(&key.key.arn))?;
    Ok(contents.keys.len())
}

#[test]
fn a_truncated_keystore_is_told() {
    let (folder, bytes) = filled();
    let path = folder.path().join("copy");
    assert_eq!(try_open(&path, &bytes).unwrap(), 3);
    let lengths = (0..bytes.len()).step_by(4096).flat_map(|n| [n, n + 1, n + 100, n + 4095]);
    for length in lengths.filter(|length| *length < bytes.len()) {
        let error = try_open(&path, &bytes[..length]).unwrap_err();
        assert!(
            matches!(error, KeystoreError::NotAKeystore { .. } | KeystoreError::Damaged { .. }),
            "{length}: {error:?}"
        );
    }
}

#[test]
fn an_altered_keystore_is_told_or_unharmed() {
    let (folder, bytes) = filled();
    let path = folder.path().join("copy");
    let mut refused = 0;
    for place in (0..bytes.len()).step_by(bytes.len() / 150).chain(0..320) {
        let mut altered = bytes.clone();
        altered[place] ^= 0x41;
        match try_open(&path, &altered) {
            Ok(keys) => assert_eq!(keys, 3, "{place}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 0);
}

#[test]
fn key_material_is_nowhere_in_the_file() {
    let (folder, keystore) = keystore();
    let key = create(&keystore);
    let rsa_key = keystore.create_key(&rsa(KeySpec::Rsa2048), now()).unwrap();
    let reader = keystore.session().unwrap();
    let secrets = [reader.material_for_test(&key), reader.material_for_test(&rsa_key)];
    drop(reader);
    drop(keystore);
    let bytes = fs::read(folder.path().join("keys.redb")).unwrap();
    for secret in secrets {
        let part = match &secret {
            Material::Symmetric(key) => key.to_vec(),
            // The private exponent's part of the document is as good as the whole.
            Material::Rsa(document) => document[400..432].to_vec(),
        };
        assert_eq!(part.len(), 32);
        for needle in [part.clone(), super::super::material::hex(&part).into_bytes()] {
            assert!(!bytes.windows(needle.len()).any(|window| window == needle));
        }
        let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &part);
        let stem = &base64.as_bytes()[..40];
        assert!(!bytes.windows(stem.len()).any(|window| window == stem));
    }
    let root_bytes: Vec<u8> = (0..32).collect();
    assert!(!bytes.windows(32).any(|window| window == root_bytes));
}

#[cfg(unix)]
#[test]
fn the_root_key_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root.key");
    assert!(matches!(RootKey::from_file(&path), Err(KeystoreError::NoRootKey { .. })));
    assert_eq!(code(RootKey::from_file(folder.path())), "ValidationException");
    let made = RootKey::from_file_or_new(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let again = RootKey::from_file_or_new(&path).unwrap();
    assert_eq!(made.expose(), again.expose());
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(RootKey::from_base64(&text).unwrap().expose(), made.expose());
    for mode in [0o640, 0o604, 0o610] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = RootKey::from_file(&path).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    let keystore = folder.path().join("keys.redb");
    drop(Keystore::create(&keystore, made).unwrap());
    assert_eq!(fs::metadata(&keystore).unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn what_is_no_root_key_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root.key");
    drop(RootKey::from_file_or_new(&path).unwrap());
    for text in ["", "AAAA", &ROOT[..43], &format!("{ROOT}AAAA"), &"A".repeat(300), "öööö"] {
        assert!(matches!(RootKey::from_base64(text), Err(KeystoreError::InvalidRootKey { .. })));
        fs::write(&path, text).unwrap();
        let error = RootKey::from_file(&path).unwrap_err();
        assert!(matches!(error, KeystoreError::InvalidRootKey { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("restore") && !text.contains("remove"), "{text}");
    }
    assert_eq!(format!("{:?}", root()), "RootKey(…)");
}
