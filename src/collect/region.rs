//! Keys and aliases of one account and Region.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};

use aws_sdk_kms::Client;
use aws_sdk_kms::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use serde_json::{Value, json};

use super::folder::{self, Journal};
use super::json;
use super::pace::Pace;
use crate::model::{AccountId, KeyArn, Region, Timestamp};

/// Whose keys are read, and where they are written.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// The world folder.
    pub world: &'a Path,
    /// The account of the credentials.
    pub account: AccountId,
    /// The Region.
    pub region: Region,
    /// Whose the credentials are; written beside what they read.
    pub identity: String,
    /// Now.
    pub now: Timestamp,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Keys that are read.
    pub done: usize,
    /// Keys that are to be read.
    pub of: usize,
}

/// A thing that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The key; `None` for what belongs to the Region.
    pub key: Option<KeyArn>,
    /// The file that is not there.
    pub item: String,
    /// Why.
    pub reason: String,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected {
    /// Keys, those shared by other accounts included.
    pub keys: usize,
    /// Keys that an interrupted run had read.
    pub resumed: usize,
    /// What could not be read.
    pub unread: Vec<Unread>,
}

/// The run ended before everything was read. What was read stays, and the next run goes on there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// Occurs when AWS stops answering, or does not take the credentials.
    #[error("{operation}: {reason}; run the command again to go on where it stopped")]
    Aws {
        /// What was asked.
        operation: &'static str,
        /// What came.
        reason: String,
    },
    /// Occurs when a file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Occurs when a run with other credentials was interrupted here.
    #[error(
        "{}: a run of {other} was interrupted here: finish it with the same credentials, or remove \
         the file",
        path.display()
    )]
    OtherRun {
        /// The journal.
        path: PathBuf,
        /// Whose run it was.
        other: String,
    },
}

/// Reads the keys and aliases of one account and Region into a world folder.
///
/// A run that is interrupted leaves `collecting.jsonl` behind, with which no world is read, and the
/// next run does not read again what that one had. `collected.json` is written last.
///
/// # Errors
/// When AWS does not answer, or a file cannot be written.
pub async fn collect(
    client: &Client,
    place: &Place<'_>,
    pace: &mut Pace,
    mut progress: impl FnMut(Progress),
) -> Result<Collected, CollectError> {
    let home = place.home(place.account);
    let path = home.join(Journal::NAME);
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| CollectError::Io { path, source }
    };
    let first = json!({
        "schema": "keyproof/collecting/1",
        "identity": place.identity,
        "at": place.now.to_string(),
    });
    let (mut journal, lines) = Journal::open(&path, &first).map_err(io(&path))?;
    let text = |line: Option<&Value>, name: &str| {
        line.and_then(|line| line.get(name)).and_then(Value::as_str).map(str::to_owned)
    };
    // What the interrupted run read is as old as its beginning.
    let begun = text(lines.first(), "at").unwrap_or_else(|| place.now.to_string());
    if let Some(other) = text(lines.first(), "identity").filter(|other| *other != place.identity) {
        return Err(CollectError::OtherRun { path, other });
    }
    let mut done: BTreeMap<KeyArn, Vec<Unread>> = BTreeMap::new();
    for line in &lines {
        if let Some(key) = text(Some(line), "key").and_then(|key| key.parse::<KeyArn>().ok()) {
            let unread = line.get("unknown").and_then(Value::as_array).into_iter().flatten();
            let unread = unread.map(|one| Unread {
                key: Some(key.clone()),
                item: text(Some(one), "item").unwrap_or_default(),
                reason: text(Some(one), "reason").unwrap_or_default(),
            });
            done.insert(key.clone(), unread.collect());
        }
    }
    let mut reader = Reader { client, pace };
    let keys = reader.keys(&place.region).await?;
    let resumed = keys.iter().filter(|key| done.contains_key(*key)).count();
    let mut unread = reader.aliases(&home).await?;
    let mut foreign: BTreeMap<AccountId, Vec<Unread>> = BTreeMap::new();
    for (number, key) in keys.iter().enumerate() {
        progress(Progress { done: number, of: keys.len() });
        let home = place.home(key.account());
        let is_own = key.account() == place.account;
        if !is_own && owner_collected(&home.join(COLLECTED)) {
            continue;
        }
        let found = match done.remove(key) {
            Some(found) => found,
            None => {
                let found = reader.key(key, &home.join("keys").join(key.id().as_str())).await?;
                let items: Vec<Value> = found.iter().map(unknown).collect();
                let line = json!({"key": key.as_str(), "unknown": items});
                journal.add(&line).map_err(io(&path))?;
                found
            }
        };
        if is_own {
            unread.extend(found);
        } else {
            foreign.entry(key.account()).or_default().extend(found);
        }
    }
    progress(Progress { done: keys.len(), of: keys.len() });
    let listed: BTreeSet<&str> = keys
        .iter()
        .filter(|key| key.account() == place.account)
        .map(|key| key.id().as_str())
        .collect();
    let folder = home.join("keys");
    for gone in folder::folders(&folder).map_err(io(&folder))? {
        let id = gone.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !listed.contains(id) {
            folder::remove_key(&gone).map_err(io(&gone))?;
        }
    }
    let summary = |account: AccountId, unread: &[Unread], shared: bool| {
        let unknown: Vec<Value> = unread.iter().map(unknown).collect();
        json!({
            "schema": "keyproof/collected/1",
            "account": account.as_str(),
            "region": place.region.as_str(),
            "identity": place.identity,
            "at": begun,
            "shared": shared,
            "unknown": unknown,
        })
    };
    let mut written = vec![(home.join(COLLECTED), summary(place.account, &unread, false))];
    for (account, unread) in &foreign {
        written.push((place.home(*account).join(COLLECTED), summary(*account, unread, true)));
    }
    for (path, summary) in written {
        folder::write_json(&path, &summary).map_err(io(&path))?;
    }
    unread.extend(foreign.into_values().flatten());
    drop(journal);
    folder::remove(&path).map_err(io(&path))?;
    Ok(Collected { keys: keys.len(), resumed, unread })
}

/// What was read when, and what could not be.
const COLLECTED: &str = "collected.json";

impl Place<'_> {
    fn home(&self, account: AccountId) -> PathBuf {
        let account = self.world.join("accounts").join(account.as_str());
        account.join("regions").join(self.region.as_str())
    }
}

/// Whether the key's own account has been collected: it knows more than those it shares with.
fn owner_collected(path: &Path) -> bool {
    let read = std::fs::read(path).ok();
    let value: Option<Value> = read.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    value.is_some_and(|value| value.get("shared").and_then(Value::as_bool) == Some(false))
}

fn unknown(unread: &Unread) -> Value {
    json!({
        "key": unread.key.as_ref().map(|key| key.id().as_str()),
        "item": unread.item,
        "reason": unread.reason,
    })
}

/// What AWS answers instead of a thing.
struct Refused {
    code: Option<String>,
    text: String,
}

impl Refused {
    fn of<E, R>(error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: fmt::Debug,
    {
        let service = match error {
            SdkError::ServiceError(context) => Some(context.err().meta()),
            _ => None,
        };
        let code = service.and_then(|meta| meta.code()).map(str::to_owned);
        let text = match (&code, service.and_then(|meta| meta.message())) {
            (Some(code), Some(message)) if !message.is_empty() => format!("{code}: {message}"),
            (Some(code), _) => code.clone(),
            (None, _) => DisplayErrorContext(error).to_string(),
        };
        Self { code, text }
    }

    /// What to do when nothing can be read without it.
    fn with_advice(self) -> String {
        match self.code.as_deref() {
            Some("AccessDenied" | "AccessDeniedException") => {
                format!("{}; `keyproof collect --print-policy` prints what it needs", self.text)
            }
            _ => self.text,
        }
    }

    /// An answer about this one thing, rather than a failure of everything.
    fn is_of_the_item(&self) -> bool {
        matches!(
            self.code.as_deref(),
            Some(
                "AccessDenied"
                    | "AccessDeniedException"
                    | "InvalidArnException"
                    | "KMSInvalidStateException"
                    | "NotFoundException"
                    | "UnsupportedOperationException"
                    | "ValidationException"
            )
        )
    }

    fn is_throttling(&self) -> bool {
        matches!(
            self.code.as_deref(),
            Some("Throttling" | "ThrottlingException" | "TooManyRequestsException")
        )
    }

    fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

/// Reads things of one Region.
struct Reader<'r> {
    client: &'r Client,
    pace: &'r mut Pace,
}

/// How often a throttled request is sent again, after the SDK's own attempts.
const PATIENCE: u32 = 6;

/// What is written, or why it is not.
type Item = Result<Value, String>;

impl Reader<'_> {
    /// Sends a request at the pace; again, and more slowly, while AWS says that it is too fast.
    async fn send<T, E, R, F>(&mut self, request: impl Fn() -> F) -> Result<T, Refused>
    where
        F: Future<Output = Result<T, SdkError<E, R>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: fmt::Debug,
    {
        let mut tries = 0;
        loop {
            self.pace.wait().await;
            let refused = match request().await {
                Ok(answer) => return Ok(answer),
                Err(error) => Refused::of(&error),
            };
            tries += 1;
            if !refused.is_throttling() || tries > PATIENCE {
                return Err(refused);
            }
            self.pace.slow_down(tries);
        }
    }

    async fn keys(&mut self, region: &Region) -> Result<Vec<KeyArn>, CollectError> {
        let operation = "ListKeys";
        let failed = |reason: String| CollectError::Aws { operation, reason };
        let (mut keys, mut marker) = (BTreeSet::new(), None::<String>);
        loop {
            let client = self.client;
            let page = self
                .send(|| client.list_keys().limit(1000).set_marker(marker.clone()).send())
                .await
                .map_err(|refused| failed(refused.with_advice()))?;
            let listed = page.keys.as_deref();
            for entry in listed.ok_or_else(|| failed("the answer has no `Keys`".into()))? {
                let arn: KeyArn = entry
                    .key_arn()
                    .ok_or_else(|| failed("the answer has a key without `KeyArn`".into()))?
                    .parse()
                    .map_err(|error| failed(format!("in the answer, {error}")))?;
                if arn.region() != region {
                    return Err(failed(format!("{arn} was listed in Region {region}")));
                }
                keys.insert(arn);
            }
            match next(page.truncated(), page.next_marker()).map_err(failed)? {
                Some(next) => marker = Some(next),
                None => return Ok(keys.into_iter().collect()),
            }
        }
    }

    /// Writes `aliases.json`, or removes it when the aliases cannot be read.
    async fn aliases(&mut self, home: &Path) -> Result<Vec<Unread>, CollectError> {
        let (client, mut aliases, mut marker) = (self.client, Vec::new(), None::<String>);
        let read = loop {
            let page =
                self.send(|| client.list_aliases().limit(100).set_marker(marker.clone()).send());
            let page = match page.await {
                Ok(page) => page,
                Err(refused) => break item("ListAliases", refused)?,
            };
            let Some(listed) = page.aliases.as_deref() else {
                break Err("ListAliases: the answer has no `Aliases`".to_owned());
            };
            aliases.extend(listed.iter().map(json::alias));
            match next(page.truncated(), page.next_marker()) {
                Ok(Some(next)) => marker = Some(next),
                Ok(None) => break Ok(json!({"Aliases": aliases, "Truncated": false})),
                Err(reason) => break Err(reason),
            }
        };
        put(home, None, "aliases.json", read.map(Some))
    }

    /// Writes the files of a key; what could not be read.
    async fn key(&mut self, key: &KeyArn, home: &Path) -> Result<Vec<Unread>, CollectError> {
        let (client, arn) = (self.client, key.as_str());
        let described = match self.send(|| client.describe_key().key_id(arn).send()).await {
            Ok(answer) => answer.key_metadata().map(json::key).ok_or_else(|| "is empty".to_owned()),
            // It was deleted after it was listed.
            Err(refused) if refused.is("NotFoundException") => {
                let path = home.to_owned();
                folder::remove_key(home).map_err(|source| CollectError::Io { path, source })?;
                return Ok(Vec::new());
            }
            Err(refused) => item("DescribeKey", refused)?,
        };
        let described = match described {
            Ok(described) => described,
            // Without it the rest says nothing: the world has no such key.
            Err(reason) => {
                let path = home.to_owned();
                folder::remove_key(home).map_err(|source| CollectError::Io { path, source })?;
                return Ok(vec![Unread {
                    key: Some(key.clone()),
                    item: "key.json".into(),
                    reason,
                }]);
            }
        };
        let mut unread = Vec::new();
        for (name, file) in [("default", "policy.json"), ("AWS_RAM", "policy.AWS_RAM.json")] {
            let policy = self.policy(arn, name).await?;
            unread.extend(put(home, Some(key), file, policy)?);
        }
        let grants = self.grants(key).await?;
        unread.extend(put(home, Some(key), "grants.json", grants.map(Some))?);
        let tags = self.tags(arn).await?;
        unread.extend(put(home, Some(key), "tags.json", tags.map(Some))?);
        let rotation = self.rotation(arn).await?;
        unread.extend(put(home, Some(key), "rotation.json", rotation)?);
        // Last: a folder with this file is a key of the world.
        unread.extend(put(home, Some(key), "key.json", Ok(Some(described)))?);
        Ok(unread)
    }

    /// `None` when the key has no policy of that name, as keys that are not shared have no
    /// `AWS_RAM`.
    async fn policy(
        &mut self,
        arn: &str,
        name: &str,
    ) -> Result<Result<Option<Value>, String>, CollectError> {
        let client = self.client;
        let request = || client.get_key_policy().key_id(arn).policy_name(name).send();
        Ok(match self.send(request).await {
            // An endpoint that does not know the name answers with the other policy.
            Ok(answer) if answer.policy_name().is_some_and(|answered| answered != name) => Ok(None),
            Ok(answer) => match answer.policy() {
                Some(text) => Ok(Some(json::policy(name, text))),
                None => Err("GetKeyPolicy: the answer has no `Policy`".into()),
            },
            Err(refused) if name != "default" && refused.is("NotFoundException") => Ok(None),
            Err(refused) => item("GetKeyPolicy", refused)?.map(Some),
        })
    }

    async fn grants(&mut self, key: &KeyArn) -> Result<Item, CollectError> {
        let (client, mut grants, mut marker) = (self.client, Vec::new(), None::<String>);
        loop {
            let request = || {
                client
                    .list_grants()
                    .key_id(key.as_str())
                    .limit(100)
                    .set_marker(marker.clone())
                    .send()
            };
            let page = match self.send(request).await {
                Ok(page) => page,
                Err(refused) => return item("ListGrants", refused),
            };
            let Some(listed) = page.grants.as_deref() else {
                return Ok(Err("ListGrants: the answer has no `Grants`".to_owned()));
            };
            grants.extend(listed.iter().map(|entry| json::grant(entry, key)));
            match next(page.truncated(), page.next_marker()) {
                Ok(Some(next)) => marker = Some(next),
                Ok(None) => return Ok(Ok(json!({"Grants": grants, "Truncated": false}))),
                Err(reason) => return Ok(Err(reason)),
            }
        }
    }

    async fn tags(&mut self, arn: &str) -> Result<Item, CollectError> {
        let (client, mut tags, mut marker) = (self.client, Vec::new(), None::<String>);
        loop {
            let request =
                || client.list_resource_tags().key_id(arn).set_marker(marker.clone()).send();
            let page = match self.send(request).await {
                Ok(page) => page,
                Err(refused) => return item("ListResourceTags", refused),
            };
            let Some(listed) = page.tags.as_deref() else {
                return Ok(Err("ListResourceTags: the answer has no `Tags`".to_owned()));
            };
            tags.extend(listed.iter().map(json::tag));
            match next(page.truncated(), page.next_marker()) {
                Ok(Some(next)) => marker = Some(next),
                Ok(None) => return Ok(Ok(json!({"Tags": tags, "Truncated": false}))),
                Err(reason) => return Ok(Err(reason)),
            }
        }
    }

    /// `None` for keys that are not rotated. Nothing is decided by it.
    async fn rotation(&mut self, arn: &str) -> Result<Result<Option<Value>, String>, CollectError> {
        let client = self.client;
        Ok(match self.send(|| client.get_key_rotation_status().key_id(arn).send()).await {
            Ok(answer) => Ok(Some(json::rotation(&answer))),
            Err(refused)
                if refused.is("UnsupportedOperationException")
                    || refused.is("KMSInvalidStateException") =>
            {
                Ok(None)
            }
            Err(refused) => item("GetKeyRotationStatus", refused)?.map(Some),
        })
    }
}

/// The next page, if there is one.
fn next(truncated: bool, marker: Option<&str>) -> Result<Option<String>, String> {
    match (truncated, marker) {
        (false, _) => Ok(None),
        (true, Some(marker)) => Ok(Some(marker.to_owned())),
        (true, None) => Err("the answer has more pages and no `NextMarker`".into()),
    }
}

/// Why one thing is not known; what concerns all things ends the run.
fn item(operation: &'static str, refused: Refused) -> Result<Item, CollectError> {
    if refused.is_of_the_item() {
        Ok(Err(format!("{operation}: {}", refused.text)))
    } else {
        Err(CollectError::Aws { operation, reason: refused.text })
    }
}

/// Writes a file, or sees to it that there is none: what was read before is no longer so.
fn put(
    home: &Path,
    key: Option<&KeyArn>,
    name: &str,
    read: Result<Option<Value>, String>,
) -> Result<Vec<Unread>, CollectError> {
    let path = home.join(name);
    let (written, unread) = match read {
        Ok(Some(value)) => (folder::write_json(&path, &value), Vec::new()),
        Ok(None) => (folder::remove(&path), Vec::new()),
        Err(reason) => {
            let unread = Unread { key: key.cloned(), item: name.to_owned(), reason };
            (folder::remove(&path), vec![unread])
        }
    };
    match written {
        Ok(()) => Ok(unread),
        Err(source) => Err(CollectError::Io { path, source }),
    }
}
