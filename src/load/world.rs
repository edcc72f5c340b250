//! A world folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::awscli;
use super::config::Config;
use super::error::LoadError;
use super::{iam, organization};
use crate::compile::{
    Caller, Endpoint, Epoch, KeyEntry, Known, PolicySlot, Snapshot, SnapshotBuilder,
};
use crate::model::{AccountId, KeyId, PolicyKind, Readings, Region};

/// A world folder, read: facts that can be frozen, and callers by name.
#[derive(Clone, Debug)]
pub struct World {
    keys: Vec<KeyEntry>,
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
        errors: LoadError::default(),
    };
    let config = reader.take(Config::read(folder)).unwrap_or_default();
    reader.organization(&config);
    for (account, region) in reader.take(config.disabled_regions()).unwrap_or_default() {
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
    let Reader { facts, aliases: named, keys, errors, .. } = reader;
    let mut aliases = facts.clone();
    for (account, region, known) in named {
        aliases.aliases(account, region, known);
    }
    errors.finish(World { keys, facts, aliases, config })
}

type Aliases = Known<Vec<(crate::model::AliasName, KeyId)>>;

struct Reader<'p> {
    folder: &'p Path,
    facts: SnapshotBuilder,
    aliases: Vec<(AccountId, Region, Aliases)>,
    keys: Vec<KeyEntry>,
    errors: LoadError,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
}

impl Reader<'_> {
    /// The value, or its error noted.
    fn take<T>(&mut self, result: Result<T, LoadError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.extend(error);
                None
            }
        }
    }

    fn list(&mut self, folder: &Path, kind: Kind) -> Vec<PathBuf> {
        let listed = list(folder, kind);
        self.take(listed).unwrap_or_default()
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
        if path.exists() {
            let read = organization::memberships(self.folder);
            for (account, membership) in self.take(read).unwrap_or_default() {
                self.facts.membership(account, Known::Known(Some(membership)));
            }
        }
    }

    fn account(&mut self, path: &Path) {
        let Some(account) = self.named::<AccountId>(path) else { return };
        let iam = path.join("iam.json");
        if iam.exists() {
            let read = iam::entities(&iam, account);
            if let Some(entities) = self.take(read) {
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
        let Some(region) = self.named::<Region>(path) else { return };
        let file = path.join("aliases.json");
        let aliases = if file.exists() {
            let read = awscli::aliases(&file);
            self.take(read).map(Known::Known)
        } else {
            let reason = format!("add {}: aws kms list-aliases", file.display());
            Some(Known::Unknown(reason.into()))
        };
        if let Some(aliases) = aliases {
            self.aliases.push((account, region.clone(), aliases));
        }
        for key in self.list(&path.join("keys"), Kind::Folder) {
            if let Some(id) = self.named::<KeyId>(&key) {
                self.key(&key, account, &region, &id);
            }
        }
    }

    fn key(&mut self, path: &Path, account: AccountId, region: &Region, id: &KeyId) {
        const FILES: &[&str] =
            &["key.json", "policy.json", "policy.AWS_RAM.json", "grants.json", "tags.json"];
        for file in self.list(path, Kind::File) {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.ends_with(".json") && !FILES.contains(&name) {
                let message = format!("is none of the files of a key: {}", FILES.join(", "));
                self.errors.extend(LoadError::at(&file, message));
            }
        }
        let file = path.join("key.json");
        if !file.exists() {
            let message = "is missing: aws kms describe-key prints it";
            self.errors.extend(LoadError::at(&file, message));
            return;
        }
        let read = awscli::key(&file);
        let Some(key) = self.take(read) else { return };
        let arn = &key.arn;
        if arn.account() != account || arn.region() != region || arn.id() != id {
            let message = format!("describes {arn}, which belongs in another folder");
            self.errors.extend(LoadError::at(&file, message));
            return;
        }
        let mut policies = Vec::new();
        let default = path.join("policy.json");
        if default.exists() {
            let read = awscli::key_policy(&default, "key policy default");
            policies.extend(self.take(read));
        } else {
            let reason = format!("add {}: aws kms get-key-policy", default.display());
            policies.push(PolicySlot::Unreadable {
                name: "key policy default".into(),
                reason: reason.into(),
            });
        }
        let shared = path.join("policy.AWS_RAM.json");
        if shared.exists() {
            let read = awscli::key_policy(&shared, "key policy AWS_RAM");
            policies.extend(self.take(read));
        }
        let grants =
            self.optional(&path.join("grants.json"), "aws kms list-grants", awscli::grants);
        let tags =
            self.optional(&path.join("tags.json"), "aws kms list-resource-tags", awscli::tags);
        if let Known::Known(grants) = &grants
            && let Some(grant) = grants.iter().find(|grant| grant.key != key.arn)
        {
            let message = format!("grant `{}` is on {}", grant.id, grant.key);
            self.errors.extend(LoadError::at(&path.join("grants.json"), message));
            return;
        }
        let unnamed = "the aliases of this account and Region are not known";
        let aliases = Known::Unknown(unnamed.into());
        self.keys.push(KeyEntry { key, policies, grants, tags, aliases });
    }

    /// A file that may be missing; what it would say is unknown then.
    fn optional<T: Default>(
        &mut self,
        path: &Path,
        command: &str,
        read: impl Fn(&Path) -> Result<T, LoadError>,
    ) -> Known<T> {
        if path.exists() {
            Known::Known(self.take(read(path)).unwrap_or_default())
        } else {
            Known::Unknown(format!("add {}: {command}", path.display()).into())
        }
    }

    fn endpoints(&mut self) {
        for path in self.list(&self.folder.join("endpoints"), Kind::File) {
            let id = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
            let read = super::read_text(&path).and_then(|text| {
                awscli::document(&path, &text, PolicyKind::Endpoint, &format!("endpoint {id}"))
            });
            if let Some(policy) = self.take(read) {
                self.facts.endpoint(Endpoint { id: id.into(), policy });
            }
        }
    }

    /// What a folder's name stands for.
    fn named<T: std::str::FromStr>(&mut self, path: &Path) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let parsed = name.parse().map_err(|error: T::Err| LoadError::at(path, error.to_string()));
        self.take(parsed)
    }
}

/// The JSON files of a folder, sorted; none when there is no folder.
pub(super) fn json_files(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let mut files = list(folder, Kind::File)?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    Ok(files)
}

fn list(folder: &Path, kind: Kind) -> Result<Vec<PathBuf>, LoadError> {
    if !folder.exists() {
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
