//! The folders of keys, read by all cores; a policy that many keys have is compiled once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::awscli;
use super::collected::Collected;
use super::error::LoadError;
use super::world::{Kind, list, missing};
use crate::compile::{Grants, KeyEntry, Known, Policy, PolicySlot};
use crate::model::{AccountId, KeyId, Region};

/// Fewer folders than this are not worth a thread.
const FEW: usize = 64;

/// The Region of an account that keys are in.
pub(super) struct Place<'p> {
    pub(super) account: AccountId,
    pub(super) region: Region,
    pub(super) collected: Collected,
    pub(super) policies: &'p Policies,
}

/// The key policies read so far, by name and text of the file.
#[derive(Default)]
pub(super) struct Policies(Mutex<HashMap<PolicyText, Arc<Policy>>>);

/// The name of a key policy and its text.
type PolicyText = (&'static str, Arc<str>);

impl Policies {
    fn read(&self, path: &Path, name: &'static str) -> Result<PolicySlot, LoadError> {
        let text: Arc<str> = super::read_text(path)?.into();
        let key = (name, text);
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(policy) = known {
            return Ok(PolicySlot::Compiled(Arc::new(policy.at(&path.display().to_string()))));
        }
        let slot = awscli::key_policy(path, &key.1, name)?;
        if let PolicySlot::Compiled(policy) = &slot {
            let policy = Arc::clone(policy);
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, policy);
        }
        Ok(slot)
    }
}

impl Place<'_> {
    /// Reads keys, in the order of their folders; everything that is wrong is noted.
    pub(super) fn read(
        &self,
        folders: &[PathBuf],
        keys: &mut Vec<KeyEntry>,
        errors: &mut LoadError,
    ) {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let share = folders.len().div_ceil(cores).max(FEW);
        thread::scope(|scope| {
            let mut shares = folders.chunks(share);
            let own = shares.next();
            let others: Vec<_> =
                shares.map(|folders| scope.spawn(|| Reader::new(self).all(folders))).collect();
            let first = own.map(|folders| Reader::new(self).all(folders));
            // A share ends early only where this program is wrong: that is not swallowed.
            let rest = others
                .into_iter()
                .map(|share| share.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            for reader in first.into_iter().chain(rest) {
                keys.extend(reader.keys);
                errors.extend(reader.errors);
            }
        });
    }
}

struct Reader<'p> {
    place: &'p Place<'p>,
    keys: Vec<KeyEntry>,
    errors: LoadError,
}

impl<'p> Reader<'p> {
    fn new(place: &'p Place<'p>) -> Self {
        Self { place, keys: Vec::new(), errors: LoadError::default() }
    }

    fn all(mut self, folders: &[PathBuf]) -> Self {
        for folder in folders {
            if let Some(id) = self.errors.named::<KeyId>(folder) {
                self.key(folder, &id);
            }
        }
        self
    }

    fn list(&mut self, folder: &Path) -> Vec<PathBuf> {
        let listed = list(folder, Kind::File);
        self.errors.take(listed).unwrap_or_default()
    }

    fn key(&mut self, path: &Path, id: &KeyId) {
        const FILES: &[&str] = &[
            "key.json",
            "policy.json",
            "policy.AWS_RAM.json",
            "grants.json",
            "tags.json",
            "rotation.json",
        ];
        let place = self.place;
        let why = |item: &str| place.collected.reason(id.as_str(), item);
        for file in self.list(path) {
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
        let Some(key) = self.errors.take(read) else { return };
        let arn = &key.arn;
        if arn.account() != self.place.account
            || arn.region() != &self.place.region
            || arn.id() != id
        {
            let message = format!("describes {arn}, which belongs in another folder");
            self.errors.extend(LoadError::at(&file, message));
            return;
        }
        let mut policies = Vec::new();
        let default = path.join("policy.json");
        if default.exists() {
            let read = self.place.policies.read(&default, "key policy default");
            policies.extend(self.errors.take(read));
        } else {
            let reason = missing(&default, "aws kms get-key-policy", why("policy.json"));
            policies.push(PolicySlot::Unreadable {
                name: "key policy default".into(),
                reason: reason.into(),
            });
        }
        let shared = path.join("policy.AWS_RAM.json");
        if shared.exists() {
            let read = self.place.policies.read(&shared, "key policy AWS_RAM");
            policies.extend(self.errors.take(read));
        } else if let Some(reason) = why("policy.AWS_RAM.json") {
            policies.push(PolicySlot::Unreadable {
                name: "key policy AWS_RAM".into(),
                reason: missing(&shared, "aws kms get-key-policy", Some(reason)).into(),
            });
        }
        let file = path.join("grants.json");
        let reason = missing(&file, "aws kms list-grants", why("grants.json"));
        let grants = self.optional::<_, Grants>(&file, reason, awscli::grants);
        let file = path.join("tags.json");
        let reason = missing(&file, "aws kms list-resource-tags", why("tags.json"));
        let tags = self.optional(&file, reason, awscli::tags);
        if let Known::Known(grants) = &grants
            && let Some(grant) = grants.iter().find(|grant| grant.key != key.arn)
        {
            let message = format!("grant `{}` is on {}", grant.id, grant.key);
            self.errors.extend(LoadError::at(&path.join("grants.json"), message));
            return;
        }
        let unnamed = "the aliases of this account and Region are not known";
        let aliases = Known::Unknown(unnamed.into());
        let policies = policies.into();
        self.keys.push(KeyEntry { key, policies, grants, tags, aliases });
    }

    /// A file that may be missing; what it would say is unknown then.
    fn optional<T, F: From<Vec<T>>>(
        &mut self,
        path: &Path,
        reason: String,
        read: impl Fn(&Path) -> Result<Vec<T>, LoadError>,
    ) -> Known<F> {
        if path.exists() {
            Known::Known(self.errors.take(read(path)).unwrap_or_default().into())
        } else {
            Known::Unknown(reason.into())
        }
    }
}
