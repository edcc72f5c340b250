//! What is to be done: the same for all items, and what one item says of itself.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::Input;
use crate::authorize::{KeyIdentifier, ReEncryptRequest};
use crate::compile::Caller;
use crate::model::{
    CiphertextBlob, EncryptionAlgorithm, EncryptionContext, GrantToken, Region, Timestamp,
};

/// A fleet of ciphertexts and where they go.
#[derive(Debug)]
pub struct Job {
    /// The ciphertexts.
    pub input: Input,
    /// What holds where an item does not say otherwise.
    pub defaults: Defaults,
    /// Which of them are moved.
    pub selection: Selection,
}

/// What holds where an item does not say otherwise.
#[derive(Debug)]
pub struct Defaults {
    /// The Region the requests are sent to.
    pub region: Region,
    /// The key that made the ciphertexts; `None` for the one each names.
    pub source_key: Option<KeyIdentifier>,
    /// The key to encrypt under.
    pub destination_key: KeyIdentifier,
    /// The context of items that have none.
    pub source_context: EncryptionContext,
    /// The new context of items that have none; `None` for the item's source context.
    pub destination_context: Option<EncryptionContext>,
    /// How the ciphertexts were made.
    pub source_algorithm: EncryptionAlgorithm,
    /// How to encrypt.
    pub destination_algorithm: EncryptionAlgorithm,
    /// Sent with each request.
    pub grant_tokens: Vec<GrantToken>,
}

/// Which items are moved; the others are counted and left alone.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Those whose source key is this one or related to it.
    pub key: Option<KeyIdentifier>,
    /// Those whose key material was made before this date, and those of which that is not known.
    pub material_before: Option<Timestamp>,
}

/// Where the results go.
#[derive(Clone, Debug)]
pub struct Output {
    /// JSON lines, one for each moved item.
    pub results: PathBuf,
    /// The folder that mirrors an input folder; without one, results hold the ciphertexts.
    pub folder: Option<PathBuf>,
}

/// One ciphertext to be moved.
#[derive(Debug)]
pub struct Item {
    /// Where it stands in the input, from 0.
    pub position: u64,
    /// What the input calls it.
    pub id: String,
    /// The ciphertext.
    pub ciphertext: CiphertextBlob,
    /// The key that made it; `None` for the one it names.
    pub source_key: Option<KeyIdentifier>,
    /// The key to encrypt under.
    pub destination_key: KeyIdentifier,
    /// The context it was made with.
    pub source_context: EncryptionContext,
    /// The new one.
    pub destination_context: EncryptionContext,
}

impl Item {
    /// The request that moves it.
    #[must_use]
    pub fn request(&self, defaults: &Defaults) -> ReEncryptRequest {
        ReEncryptRequest {
            region: defaults.region.clone(),
            ciphertext: Some(self.ciphertext.clone()),
            source_key: self.source_key.clone(),
            source_algorithm: defaults.source_algorithm,
            source_context: self.source_context.clone(),
            destination_key: self.destination_key.clone(),
            destination_algorithm: defaults.destination_algorithm,
            destination_context: self.destination_context.clone(),
            grant_tokens: defaults.grant_tokens.clone(),
        }
    }
}

impl Job {
    /// What makes two runs runs of one job, next to the items themselves. Grant tokens and world
    /// may change between them: they decide who may, not what is done.
    pub(super) fn settings(&self, caller: &Caller, output: &Output) -> Value {
        let pairs = |context: &EncryptionContext| {
            let pairs = context.iter().map(|(name, value)| (name.to_owned(), json!(value)));
            Value::Object(pairs.collect())
        };
        let Defaults { region, source_key, destination_key, source_context, .. } = &self.defaults;
        json!({
            "input": self.input.path().display().to_string(),
            "caller": caller.principal.to_string(),
            "region": region.as_str(),
            "source key": source_key.as_ref().map(ToString::to_string),
            "destination key": destination_key.to_string(),
            "source context": pairs(source_context),
            "destination context": self.defaults.destination_context.as_ref().map(pairs),
            "source algorithm": self.defaults.source_algorithm.as_str(),
            "destination algorithm": self.defaults.destination_algorithm.as_str(),
            "only key": self.selection.key.as_ref().map(ToString::to_string),
            "only material older than": self.selection.material_before.map(|date| date.to_string()),
            "results": output.results.display().to_string(),
            "folder": output.folder.as_ref().map(|path| path.display().to_string()),
        })
    }
}
