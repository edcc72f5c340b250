//! `collected.json`: what `keyproof collect` read when, and what it could not.

use std::collections::HashMap;
use std::path::Path;

use super::error::LoadError;
use super::node::JsonFile;
use crate::model::Timestamp;

/// What is known of the reading of one account and Region.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// When its first fact was read.
    pub(super) at: Option<Timestamp>,
    /// Why files are not there, by key id (empty for the Region's own) and name.
    unknown: HashMap<(String, String), String>,
}

impl Collected {
    /// Reads a Region's folder; one that nobody collected has no such file.
    pub(super) fn read(region: &Path) -> Result<Self, LoadError> {
        let journal = region.join("collecting.jsonl");
        if journal.exists() {
            let message = "is of a collection that has not ended: run `keyproof collect` again";
            return Err(LoadError::at(&journal, message));
        }
        let path = region.join("collected.json");
        if !path.exists() {
            return Ok(Self::default());
        }
        let file = JsonFile::read(&path)?;
        let json = file.json()?;
        let root = file.node(&json);
        let mut unknown = HashMap::new();
        for entry in root.member("unknown")?.elements()? {
            let key = match entry.find("key")? {
                Some(key) => key.str()?.to_owned(),
                None => String::new(),
            };
            let item = entry.member("item")?.str()?.to_owned();
            unknown.insert((key, item), entry.member("reason")?.str()?.to_owned());
        }
        Ok(Self { at: Some(root.member("at")?.parse()?), unknown })
    }

    /// Why a file of a key, or of the Region for an empty id, could not be read.
    pub(super) fn reason(&self, key: &str, item: &str) -> Option<&str> {
        self.unknown.get(&(key.to_owned(), item.to_owned())).map(String::as_str)
    }
}
