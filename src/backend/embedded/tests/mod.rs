#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod ciphertext;
mod grants;
mod keys;
mod store;

use tempfile::TempDir;

use super::crypto::CipherSide;
use super::{Keystore, KeystoreError, NewKey, RootKey};
use crate::model::{
    CiphertextBlob, EncryptionAlgorithm, EncryptionContext, KeyArn, KeySpec, Plaintext, Timestamp,
};

const ROOT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn root() -> RootKey {
    RootKey::from_base64(ROOT).unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_epoch_seconds(1_800_000_000)
}

fn keystore() -> (TempDir, Keystore) {
    let folder = tempfile::tempdir().unwrap();
    let keystore = Keystore::create(&folder.path().join("keys.redb"), root()).unwrap();
    (folder, keystore)
}

fn symmetric() -> NewKey {
    NewKey::symmetric("111122223333".parse().unwrap(), "eu-central-1".parse().unwrap())
}

fn rsa(spec: KeySpec) -> NewKey {
    NewKey { spec, ..symmetric() }
}

fn create(keystore: &Keystore) -> KeyArn {
    keystore.create_key(&symmetric(), now()).unwrap()
}

fn context(pairs: &[(&str, &str)]) -> EncryptionContext {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn plaintext(bytes: &[u8]) -> Plaintext {
    Plaintext::new(bytes.to_vec()).unwrap()
}

fn encrypt(keystore: &Keystore, side: CipherSide<'_>, bytes: &[u8]) -> CiphertextBlob {
    keystore.session().unwrap().encrypt(side, &plaintext(bytes)).unwrap().ciphertext
}

fn decrypt(
    keystore: &Keystore,
    side: CipherSide<'_>,
    ciphertext: &CiphertextBlob,
) -> Result<Vec<u8>, KeystoreError> {
    let decrypted = keystore.session().unwrap().decrypt(side, ciphertext)?;
    Ok(decrypted.plaintext.expose().to_vec())
}

fn side<'a>(key: &'a KeyArn, context: &'a EncryptionContext) -> CipherSide<'a> {
    CipherSide { key, context, algorithm: EncryptionAlgorithm::SymmetricDefault }
}

fn code<T: std::fmt::Debug>(result: Result<T, KeystoreError>) -> &'static str {
    result.unwrap_err().aws_code().unwrap_or("none")
}
