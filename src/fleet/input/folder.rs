//! The files of a folder and of the folders in it, sorted by name.

use std::path::{Path, PathBuf};

use crate::fleet::FleetError;

/// One folder's names are held at a time, and those of the folders above it.
pub(super) struct Walk {
    root: PathBuf,
    /// Names yet to come, from the root, each folder's in reverse.
    waiting: Vec<String>,
}

impl Walk {
    pub(super) fn new(root: &Path) -> Result<Self, FleetError> {
        let mut walk = Self { root: root.to_owned(), waiting: Vec::new() };
        walk.enter("")?;
        Ok(walk)
    }

    /// The next file's name, from the root, with `/` between its parts.
    pub(super) fn next(&mut self) -> Result<Option<String>, FleetError> {
        while let Some(name) = self.waiting.pop() {
            let path = self.root.join(&name);
            let failed = |error| FleetError::io("read", &path, error);
            let found = std::fs::symlink_metadata(&path).map_err(failed)?;
            if found.is_dir() {
                self.enter(&name)?;
            } else if std::fs::metadata(&path).map_err(failed)?.is_file() {
                return Ok(Some(name));
            } else {
                let message =
                    "is no regular file: a folder of ciphertexts holds files and folders alone";
                let place = path.display().to_string();
                return Err(FleetError::Item { place, message: message.into() });
            }
        }
        Ok(None)
    }

    fn enter(&mut self, folder: &str) -> Result<(), FleetError> {
        let path = self.root.join(folder);
        let failed = |error| FleetError::io("read", &path, error);
        let first = self.waiting.len();
        for entry in std::fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else {
                let place = entry.path().display().to_string();
                return Err(FleetError::Item { place, message: "the name is not UTF-8".into() });
            };
            let parent = if folder.is_empty() { String::new() } else { format!("{folder}/") };
            self.waiting.push(parent + &name);
        }
        if let Some(new) = self.waiting.get_mut(first..) {
            new.sort_unstable_by(|one, other| other.cmp(one));
        }
        Ok(())
    }
}
