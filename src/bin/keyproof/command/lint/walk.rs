//! Which files to lint.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::WalkBuilder;
use keyproof::load::Globs;
use keyproof::report::Unreadable;

/// Files in a folder that may hold policies. Others are linted when they are named.
const ENDINGS: &[&str] = &["json", "policy", "template", "tfstate", "yaml", "yml"];

/// Something to lint by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file that somebody named: it has to hold policies.
    Named,
    /// A file that was found in a folder.
    Found,
    /// Standard input.
    Input,
    /// A world folder.
    World,
}

/// Finds what to lint, and hands it on as it is found.
pub struct Walk<'w> {
    /// Takes each thing once, by name.
    take: &'w mut dyn FnMut(String, Kind),
    seen: HashSet<String>,
    exclude: &'w [Globs],
    unreadable: Vec<Unreadable>,
}

impl<'w> Walk<'w> {
    /// Finds what the paths name, and tells what could not be reached. `input` is the name of
    /// standard input.
    pub fn over(
        paths: &[PathBuf],
        input: &str,
        exclude: &'w [Globs],
        take: &'w mut dyn FnMut(String, Kind),
    ) -> Vec<Unreadable> {
        let mut walk = Self { take, seen: HashSet::new(), exclude, unreadable: Vec::new() };
        // What is named comes first: when it is found, too, it was named all the same.
        let (folders, rest): (Vec<&PathBuf>, Vec<&PathBuf>) =
            paths.iter().partition(|path| path.is_dir());
        for path in rest {
            let text = path.to_string_lossy();
            if text == "-" {
                walk.found(input.to_owned(), Kind::Input);
                continue;
            }
            match std::fs::metadata(path) {
                Ok(_) => walk.found(name(path), Kind::Named),
                Err(_) if text.contains(['*', '?', '[', '{']) => walk.glob(path),
                Err(error) => walk.wrong(path, error.to_string()),
            }
        }
        for folder in folders {
            walk.folder(folder, None);
        }
        walk.unreadable
    }

    fn found(&mut self, name: String, kind: Kind) {
        if self.seen.insert(name.clone()) {
            (self.take)(name, kind);
        }
    }

    /// The files that a pattern matches, for shells that do not.
    fn glob(&mut self, pattern: &Path) {
        let is_plain =
            |part: &&std::ffi::OsStr| !part.to_string_lossy().contains(['*', '?', '[', '{']);
        let base: PathBuf = pattern.iter().take_while(is_plain).collect();
        let rest: PathBuf = pattern.iter().skip_while(is_plain).collect();
        let base = if base.as_os_str().is_empty() { PathBuf::from(".") } else { base };
        let anchored = format!("/{}", rest.to_string_lossy());
        let here = std::env::current_dir().unwrap_or_default();
        match Globs::new(&[anchored], &base, &here) {
            Err((_, message)) => self.wrong(pattern, format!("is no pattern: {message}")),
            Ok(globs) => {
                if self.folder(&base, Some(&globs)) == 0 {
                    self.wrong(pattern, "matches no file".to_owned());
                }
            }
        }
    }

    /// The files below a folder; with a pattern, those it matches, whatever their ending. Tells how
    /// many there are.
    fn folder(&mut self, folder: &Path, only: Option<&Globs>) -> usize {
        if only.is_none() && is_world(folder) {
            self.found(name(folder), Kind::World);
            return 1;
        }
        let mut count = 0;
        let worlds = Arc::new(Mutex::new(Vec::new()));
        let found_worlds = Arc::clone(&worlds);
        let exclude = self.exclude.to_vec();
        let takes_worlds = only.is_none();
        let mut walk = WalkBuilder::new(folder);
        walk.follow_links(true).require_git(false).sort_by_file_name(Ord::cmp);
        // What the CDK writes is seldom kept in Git: who names the folder means what is in it.
        if folder.file_name().is_some_and(|name| name == "cdk.out") {
            walk.standard_filters(false);
        }
        walk.filter_entry(move |entry| {
            if exclude.iter().any(|globs| globs.matches(&entry.path().to_string_lossy())) {
                return false;
            }
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            let is_world = takes_worlds && is_folder && entry.depth() > 0 && is_world(entry.path());
            if is_world {
                let mut worlds = found_worlds.lock().unwrap_or_else(PoisonError::into_inner);
                worlds.push(entry.path().to_owned());
            }
            !is_world
        });
        for entry in walk.build() {
            match entry {
                Err(error) => self.unreachable(folder, &error),
                Ok(entry) => {
                    let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
                    let ending = entry.path().extension().map(|ending| ending.to_string_lossy());
                    let wanted = match only {
                        Some(globs) => globs.matches(&entry.path().to_string_lossy()),
                        None => ending.is_some_and(|ending| ENDINGS.contains(&ending.as_ref())),
                    };
                    if is_file && wanted {
                        count += 1;
                        self.found(name(entry.path()), Kind::Found);
                    }
                }
            }
        }
        let worlds = std::mem::take(&mut *worlds.lock().unwrap_or_else(PoisonError::into_inner));
        for world in worlds {
            count += 1;
            self.found(name(&world), Kind::World);
        }
        count
    }

    fn unreachable(&mut self, folder: &Path, error: &ignore::Error) {
        match error {
            ignore::Error::Loop { child, ancestor } => {
                let above = name(ancestor);
                self.wrong(child, format!("is a link that leads back to `{above}`"));
            }
            ignore::Error::WithDepth { err, .. } => self.unreachable(folder, err),
            ignore::Error::WithPath { path, err } => self.unreachable(path, err),
            other => {
                let message = match other.io_error() {
                    Some(error) => error.to_string(),
                    None => other.to_string(),
                };
                self.wrong(folder, message);
            }
        }
    }

    fn wrong(&mut self, path: &Path, message: String) {
        self.unreadable.push(Unreadable { file: name(path), place: None, message });
    }
}

/// How findings name a path: as it was given, with forward slashes.
pub fn name(path: &Path) -> String {
    let text = path.to_string_lossy();
    let text = if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() };
    match text.strip_prefix("./") {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => text,
    }
}

/// Whether a folder is a world: it says so, or it has accounts.
fn is_world(folder: &Path) -> bool {
    folder.join("world.toml").is_file()
        || std::fs::read_dir(folder.join("accounts")).is_ok_and(|accounts| {
            let mut accounts = accounts.filter_map(Result::ok);
            accounts.any(|account| {
                let name = account.file_name();
                let name = name.as_encoded_bytes();
                name.len() == 12 && name.iter().all(u8::is_ascii_digit)
            })
        })
}
