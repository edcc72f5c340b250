//! A world folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::awscli;
use super::collected::Collected;
use super::config::Config;
use super::error::LoadError;
use super::{iam, keys, organization};
use crate::compile::{Caller, Endpoint, Epoch, KeyEntry, Known, Snapshot, SnapshotBuilder};
use crate::execute::LiveWorld;
use crate::model::{AccountId, KeyArn, KeyId, PolicyKind, Readings, Region, Timestamp};

/// A world folder, read: facts that can be frozen, and callers by name.
#[derive(Clone, Debug)]
pub struct World {
    keys: Vec<KeyEntry>,
    /// When the facts of keys were read, where it is told.
    read_at: Vec<(KeyArn, Timestamp)>,
    facts: SnapshotBuilder,
    aliases: SnapshotBuilder,
    config: Config,
}

impl World {
    /// How open points are read; what `world.toml` says, until changed here.
    pub fn readings_mut(&mut self) -> &mut Readings {
        &mut self.config.readings
    }

    /// The names of callers in `world.toml`, sorted.
    pub fn callers(&self) -> impl Iterator<Item = &str> {
        self.config.callers()
    }

    /// Freezes the world as the folder tells it.
    ///
    /// # Errors
    /// When two files contradict each other.
    pub fn snapshot(&self, epoch: Epoch) -> Result<Snapshot, LoadError> {
        let mut builder = self.aliases.clone();
        for entry in &self.keys {
            builder
                .key(entry.clone())
                .map_err(|error| LoadError::at(Path::new("the world"), error.to_string()))?;
        }
        for (key, instant) in &self.read_at {
            builder.read_at(key.clone(), *instant);
        }
        builder.epoch(epoch).readings(self.config.readings.clone());
        Ok(builder.build())
    }

    /// Everything the folder tells but keys and aliases: for worlds whose keys are kept elsewhere.
    #[must_use]
    pub fn without_keys(&self) -> SnapshotBuilder {
        let mut builder = self.facts.clone();
        builder.readings(self.config.readings.clone());
        builder
    }

    /// A caller by its name in `world.toml`, or by its ARN.
    ///
    /// # Errors
    /// When there is no such caller, or its role cannot be told from its session.
    pub fn caller(&self, snapshot: &Snapshot, name: &str) -> Result<Caller, LoadError> {
        self.config.caller(snapshot, name)
    }
}

/// Reads a world folder again and puts it in place of a world that is in use, all at once. Where
/// the folder cannot be read, the world stays as it is, and so does its epoch.
///
/// # Errors
/// Everything that is wrong with any of its files.
pub fn reload<R>(live: &LiveWorld<R>, folder: &Path) -> Result<Epoch, LoadError> {
    live.replace(|epoch| world(folder)?.snapshot(epoch))
}

/// Reads a world folder.
///
/// # Errors
/// Everything that is wrong with any of its files.
pub fn world(folder: &Path) -> Result<World, LoadError> {
    if !folder.is_dir() {
        return Err(LoadError::at(
            folder,
            "is not a folder: a world is one (docs/cli.md, \"The world folder\")",
        ));
    }
    let mut reader = Reader {
        folder,
        facts: Snapshot::builder(),
        aliases: Vec::new(),
        keys: Vec::new(),
        read_at: Vec::new(),
        policies: keys::Policies::default(),
        errors: LoadError::default(),
    };
    let config = reader.errors.take(Config::read(folder)).unwrap_or_default();
    reader.organization(&config);
    for (account, region) in reader.errors.take(config.disabled_regions()).unwrap_or_default() {
        reader.facts.disabled_region(account, region);
    }
    let accounts = reader.list(&folder.join("accounts"), Kind::Folder);
    if accounts.is_empty() && reader.errors.problems().is_empty() {
        return Err(LoadError::at(
            folder,
            "is not a world: it has no folder accounts/<account id>",
        ));
    }
    for path in accounts {
        reader.account(&path);
    }
    reader.endpoints();
    let Reader { facts, aliases: named, keys, read_at, errors, .. } = reader;
    let mut aliases = facts.clone();
    for (account, region, known) in named {
        aliases.aliases(account, region, known);
    }
    errors.finish(World { keys, read_at, facts, aliases, config })
}

type Aliases = Known<Vec<(crate::model::AliasName, KeyId)>>;

struct Reader<'p> {
    folder: &'p Path,
    facts: SnapshotBuilder,
    aliases: Vec<(AccountId, Region, Aliases)>,
    keys: Vec<KeyEntry>,
    read_at: Vec<(KeyArn, Timestamp)>,
    policies: keys::Policies,
    errors: LoadError,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
}

impl Reader<'_> {
    fn list(&mut self, folder: &Path, kind: Kind) -> Vec<PathBuf> {
        let listed = list(folder, kind);
        self.errors.take(listed).unwrap_or_default()
    }

    fn organization(&mut self, config: &Config) {
        let path = self.folder.join("organization.json");
        let reason =
            "add organization.json, or say `none = true` under [organization] of world.toml";
        let others = if config.no_organization() {
            Known::Known(None)
        } else {
            Known::Unknown(reason.into())
        };
        self.facts.other_memberships(others);
        if super::is_there(&path) {
            let read = organization::memberships(self.folder);
            for (account, membership) in self.errors.take(read).unwrap_or_default() {
                self.facts.membership(account, Known::Known(Some(membership)));
            }
        }
    }

    fn account(&mut self, path: &Path) {
        let Some(account) = self.errors.named::<AccountId>(path) else { return };
        let iam = path.join("iam.json");
        if super::is_there(&iam) {
            let read = iam::entities(&iam, account);
            if let Some(entities) = self.errors.take(read) {
                self.facts.account(account, Known::Known(()));
                for entity in entities {
                    if let Err(error) = self.facts.entity(entity) {
                        self.errors.extend(LoadError::at(&iam, error.to_string()));
                    }
                }
            }
        } else {
            let reason =
                format!("add {}: aws iam get-account-authorization-details", iam.display());
            self.facts.account(account, Known::Unknown(reason.into()));
        }
        for region in self.list(&path.join("regions"), Kind::Folder) {
            self.region(&region, account);
        }
    }

    fn region(&mut self, path: &Path, account: AccountId) {
        let Some(region) = self.errors.named::<Region>(path) else { return };
        let collected = Collected::read(path);
        let Some(collected) = self.errors.take(collected) else { return };
        let file = path.join("aliases.json");
        let aliases = if super::is_there(&file) {
            let read = awscli::aliases(&file);
            self.errors.take(read).map(Known::Known)
        } else {
            let reason =
                missing(&file, "aws kms list-aliases", collected.reason("", "aliases.json"));
            Some(Known::Unknown(reason.into()))
        };
        if let Some(aliases) = aliases {
            self.aliases.push((account, region.clone(), aliases));
        }
        let folders = self.list(&path.join("keys"), Kind::Folder);
        let place = keys::Place { account, region, collected, policies: &self.policies };
        let before = self.keys.len();
        place.read(&folders, &mut self.keys, &mut self.errors);
        let read = self.keys.get(before..).unwrap_or_default();
        let at = place.collected.at;
        self.read_at.extend(read.iter().flat_map(|entry| at.map(|at| (entry.key.arn.clone(), at))));
    }

    fn endpoints(&mut self) {
        for path in self.list(&self.folder.join("endpoints"), Kind::File) {
            let id = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
            let read = super::read_text(&path).and_then(|text| {
                awscli::document(&path, &text, PolicyKind::Endpoint, &format!("endpoint {id}"))
            });
            if let Some(policy) = self.errors.take(read) {
                self.facts.endpoint(Endpoint { id: id.into(), policy });
            }
        }
    }
}

/// Why what a file would say is not known, and what to do.
pub(super) fn missing(file: &Path, command: &str, unread: Option<&str>) -> String {
    let add = format!("add {}: {command}", file.display());
    match unread {
        Some(reason) => format!("it could not be collected ({reason}); {add}"),
        None => add,
    }
}

/// The JSON files of a folder, sorted; none when there is no folder.
pub(super) fn json_files(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let mut files = list(folder, Kind::File)?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    Ok(files)
}

pub(super) fn list(folder: &Path, kind: Kind) -> Result<Vec<PathBuf>, LoadError> {
    if !super::is_there(folder) {
        return Ok(Vec::new());
    }
    let failed = |error: std::io::Error| LoadError::at(folder, error.to_string());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() == (kind == Kind::Folder) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
