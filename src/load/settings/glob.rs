//! Patterns for paths, as `.gitignore` and keyproof.toml write them.

use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::lint::PathMatcher;

/// Patterns relative to a folder.
#[derive(Clone, Debug)]
pub struct Globs {
    set: GlobSet,
    /// The folder, absolute.
    base: PathBuf,
    /// What relative names are relative to.
    here: PathBuf,
}

impl Globs {
    /// Compiles patterns. One without a slash is for files and folders of that name at any depth;
    /// one that matches a folder matches what is below it. `here` is the folder that relative names
    /// of files are relative to.
    ///
    /// # Errors
    /// When one is no pattern: what is wrong, and its place in the list.
    pub fn new<S: AsRef<str>>(
        patterns: &[S],
        base: &Path,
        here: &Path,
    ) -> Result<Self, (usize, String)> {
        let mut builder = GlobSetBuilder::new();
        for (index, pattern) in patterns.iter().enumerate() {
            let failed = |error: globset::Error| (index, error.kind().to_string());
            for pattern in forms(pattern.as_ref()) {
                let glob = GlobBuilder::new(&pattern).literal_separator(true).build();
                builder.add(glob.map_err(failed)?);
            }
        }
        let set = builder.build().map_err(|error| (0, error.kind().to_string()))?;
        let here = plain(here);
        Ok(Self { set, base: plain(&here.join(base)), here })
    }

    /// Whether a file or folder is meant.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        if self.set.is_empty() {
            return false;
        }
        let path = plain(&self.here.join(name));
        path.strip_prefix(&self.base).is_ok_and(|inner| self.set.is_match(inner))
    }

    /// As the linter takes it.
    #[must_use]
    pub fn matcher(self) -> PathMatcher {
        PathMatcher::new(move |name| self.matches(name))
    }
}

/// A pattern for the thing itself, and one for what is below it.
fn forms(pattern: &str) -> [String; 2] {
    let trimmed = pattern.trim_start_matches("./").trim_end_matches('/');
    let anchored = match trimmed.strip_prefix('/') {
        Some(anchored) => anchored.to_owned(),
        None if trimmed.contains('/') => trimmed.to_owned(),
        None => format!("**/{trimmed}"),
    };
    let below = format!("{anchored}/**");
    [anchored, below]
}

/// A path without `.` and `..`, by its words alone.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_relative_to_their_folder() {
        let globs = |pattern: &str| {
            Globs::new(&[pattern], Path::new("/repo"), Path::new("/repo/sub")).unwrap()
        };
        assert!(globs("sub/*.json").matches("a.json"));
        assert!(globs("*.json").matches("../other/a.json"));
        assert!(globs("/sub").matches("./deep/a.json"));
        assert!(globs("sub/").matches("/repo/sub/a.json"));
        assert!(globs("**/deep/*").matches("deep/a.json"));
        assert!(!globs("*.json").matches("/elsewhere/a.json"));
        assert!(!globs("sub/*.json").matches("deep/a.json"));
        assert!(!globs("/a.json").matches("a.json"));
        assert!(Globs::new(&["a", "["], Path::new("/"), Path::new("/")).is_err());
    }
}
