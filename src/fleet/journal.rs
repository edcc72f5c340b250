//! The journal of a run: which items are done, and how much of the output counts.
//!
//! An item is done when a commit of the journal says so. The output is on disk before, so a run
//! that is killed between the two finds more output than the journal counts, and cuts it off.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, ReadTransaction, ReadableDatabase,
    ReadableTable as _, TableDefinition,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::FleetError;
use super::output::{sync_folder, with_ending};

/// What has become of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The backend failed, and would again; a later run tries it again.
    Failed,
    /// The new ciphertext is in the output.
    Moved,
    /// It is not one of those to be moved.
    NotSelected,
    /// It may not be moved; a later run decides again.
    Refused,
}

/// Why an item is not moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What the input calls it.
    pub id: String,
    /// AWS's error, or a word of our own.
    pub code: String,
    /// What is the matter.
    pub message: String,
}

/// How far a run has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Items whose new ciphertext is in the output.
    pub moved: u64,
    /// Items that may not be moved.
    pub refused: u64,
    /// Items the backend failed for.
    pub failed: u64,
    /// Items that are not to be moved.
    pub not_selected: u64,
}

/// How much of the results counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Extent {
    /// Bytes.
    pub(super) length: u64,
    /// Where the last batch begins.
    pub(super) last: u64,
    /// The digest of the last batch.
    pub(super) digest: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Progress {
    tally: Tally,
    results: Extent,
    finished: bool,
}

/// What a journal tells of its job.
#[derive(Clone, Debug)]
pub struct Status {
    /// The job.
    pub settings: Value,
    /// How many items its input has.
    pub total: u64,
    /// How far it is.
    pub tally: Tally,
    /// Whether the output is complete and in its place.
    pub finished: bool,
    /// Whether a process works on it at this moment.
    pub running: bool,
    /// The first of the refused and failed items.
    pub problems: Vec<Problem>,
}

/// The journal of one job, open for writing; one process at a time has it so.
pub(super) struct Journal {
    database: Database,
    path: PathBuf,
    progress: Progress,
    pub(super) total: u64,
}

/// One item's outcome, to be committed.
pub(super) struct Entry {
    pub(super) position: u64,
    pub(super) state: State,
    pub(super) problem: Option<Problem>,
}

/// What one job is known by.
pub(super) struct Identity<'a> {
    pub(super) settings: &'a Value,
    pub(super) mark: String,
    pub(super) total: u64,
}

impl Journal {
    /// Makes the journal of a new job: its file is there whole or not at all.
    pub(super) fn create(path: &Path, identity: &Identity<'_>) -> Result<Self, FleetError> {
        let temporary = with_ending(path, &format!("{}.part", std::process::id()));
        let failed = |error| FleetError::io("make the journal", path, error);
        let made = (|| {
            let database = builder().create(&temporary).map_err(|error| opening(path, error))?;
            let mut journal = Self {
                database,
                path: path.to_owned(),
                progress: Progress::default(),
                total: identity.total,
            };
            journal.write_first(identity)?;
            drop(journal);
            std::fs::hard_link(&temporary, path).map_err(failed)?;
            sync_folder(path).map_err(failed)
        })();
        let _ = std::fs::remove_file(&temporary);
        made?;
        Self::open(path)
    }

    /// Opens a journal; waits a moment for whoever just looks at it.
    pub(super) fn open(path: &Path) -> Result<Self, FleetError> {
        let since = Instant::now();
        let database = loop {
            match builder().open(path) {
                Err(DatabaseError::DatabaseAlreadyOpen) if since.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                opened => break opened.map_err(|error| opening(path, error))?,
            }
        };
        let transaction = database.begin_read().map_err(|error| broken(path, error))?;
        let meta = Meta::read(&transaction, path)?;
        let (progress, total) = (meta.progress, meta.total);
        Ok(Self { database, path: path.to_owned(), progress, total })
    }

    /// Refuses a job that is not the journal's; the items are compared when they are known.
    pub(super) fn belongs_to(
        &self,
        settings: &Value,
        mark: Option<&str>,
    ) -> Result<(), FleetError> {
        let meta = Meta::read(&self.read()?, &self.path)?;
        let mut other = Vec::new();
        for (name, value) in settings.as_object().into_iter().flatten() {
            if meta.settings.get(name) != Some(value) {
                other.push(name.as_str());
            }
        }
        if mark.is_some_and(|mark| mark != meta.mark) {
            other.push("items of the input");
        }
        if other.is_empty() {
            return Ok(());
        }
        Err(FleetError::journal(
            &self.path,
            format_args!(
                "is the journal of another job (other {}): name another journal and output, \
                 or run the job it belongs to",
                other.join(", ")
            ),
        ))
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.progress.tally
    }

    pub(super) fn extent(&self) -> &Extent {
        &self.progress.results
    }

    pub(super) fn finished(&self) -> bool {
        self.progress.finished
    }

    /// Which items are moved, as of now.
    pub(super) fn done(&self) -> Result<Done, FleetError> {
        Ok(Done { transaction: self.read()?, path: self.path.clone(), block: None })
    }

    /// Commits outcomes together with the results that hold them.
    pub(super) fn commit(&mut self, entries: &[Entry], results: Extent) -> Result<(), FleetError> {
        let failed = |error: redb::Error| broken(&self.path, error);
        let mut progress = Progress { results, ..self.progress.clone() };
        let written = (|| -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            {
                let mut blocks = transaction.open_table(BLOCKS)?;
                let mut problems = transaction.open_table(PROBLEMS)?;
                let mut open: Option<(u64, Vec<u8>)> = None;
                for entry in entries {
                    let number = entry.position / BLOCK;
                    if open.as_ref().is_none_or(|(current, _)| *current != number) {
                        if let Some((number, block)) = open.take() {
                            blocks.insert(number, block.as_slice())?;
                        }
                        let found = blocks.get(number)?.map(|block| block.value().to_vec());
                        open = Some((number, found.unwrap_or_else(|| vec![0; BLOCK as usize])));
                    }
                    let within = usize::try_from(entry.position % BLOCK).unwrap_or_default();
                    let place = open.as_mut().and_then(|(_, block)| block.get_mut(within));
                    let Some(place) = place else { continue };
                    if let Some(count) = progress.tally.of(*place) {
                        *count = count.saturating_sub(1);
                    }
                    *place = entry.state.byte();
                    if let Some(count) = progress.tally.of(*place) {
                        *count += 1;
                    }
                    match &entry.problem {
                        Some(problem) => {
                            let text = json!(problem).to_string();
                            problems.insert(entry.position, text.as_str())?;
                        }
                        None => drop(problems.remove(entry.position)?),
                    }
                }
                if let Some((number, block)) = open.take() {
                    blocks.insert(number, block.as_slice())?;
                }
                transaction
                    .open_table(META)?
                    .insert(PROGRESS, json!(progress).to_string().as_str())?;
            }
            Ok(transaction.commit()?)
        })();
        written.map_err(failed)?;
        self.progress = progress;
        Ok(())
    }

    /// The output is in its place.
    pub(super) fn finish(&mut self) -> Result<(), FleetError> {
        self.progress.finished = true;
        let extent = self.progress.results.clone();
        self.commit(&[], extent)
    }

    fn write_first(&mut self, identity: &Identity<'_>) -> Result<(), FleetError> {
        let written = (|| -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            {
                let mut meta = transaction.open_table(META)?;
                meta.insert("schema", SCHEMA)?;
                meta.insert("settings", identity.settings.to_string().as_str())?;
                meta.insert("mark", identity.mark.as_str())?;
                meta.insert("total", identity.total.to_string().as_str())?;
                meta.insert(PROGRESS, json!(self.progress).to_string().as_str())?;
                transaction.open_table(BLOCKS)?;
                transaction.open_table(PROBLEMS)?;
            }
            Ok(transaction.commit()?)
        })();
        written.map_err(|error| broken(&self.path, error))
    }

    fn read(&self) -> Result<ReadTransaction, FleetError> {
        self.database.begin_read().map_err(|error| broken(&self.path, error))
    }
}

/// Looks at a journal, also while a run writes it.
///
/// # Errors
/// When there is none, or it cannot be read.
pub fn status(path: &Path, problems: usize) -> Result<Status, FleetError> {
    let read = |transaction: &ReadTransaction, running| -> Result<Status, FleetError> {
        let meta = Meta::read(transaction, path)?;
        let list = || -> Result<Vec<Problem>, redb::Error> {
            let table = transaction.open_table(PROBLEMS)?;
            let mut found = Vec::new();
            for row in table.iter()?.take(problems) {
                found.extend(serde_json::from_str::<Problem>(row?.1.value()));
            }
            Ok(found)
        };
        Ok(Status {
            settings: meta.settings,
            total: meta.total,
            tally: meta.progress.tally,
            finished: meta.progress.finished,
            running,
            problems: list().map_err(|error| broken(path, error))?,
        })
    };
    match builder().open(path) {
        Ok(database) => {
            let transaction = database.begin_read().map_err(|error| broken(path, error))?;
            read(&transaction, false)
        }
        Err(DatabaseError::DatabaseAlreadyOpen) => {
            let database = builder().open_read_only(path).map_err(|error| opening(path, error))?;
            let transaction = database.begin_read().map_err(|error| broken(path, error))?;
            read(&transaction, true)
        }
        Err(error) => Err(opening(path, error)),
    }
}

/// Which items were moved, at one moment.
pub(super) struct Done {
    transaction: ReadTransaction,
    path: PathBuf,
    block: Option<(u64, Vec<u8>)>,
}

impl Done {
    pub(super) fn contains(&mut self, position: u64) -> Result<bool, FleetError> {
        let number = position / BLOCK;
        if self.block.as_ref().is_none_or(|(current, _)| *current != number) {
            let block = (|| -> Result<Vec<u8>, redb::Error> {
                let blocks = self.transaction.open_table(BLOCKS)?;
                Ok(blocks.get(number)?.map(|block| block.value().to_vec()).unwrap_or_default())
            })();
            self.block = Some((number, block.map_err(|error| broken(&self.path, error))?));
        }
        let within = usize::try_from(position % BLOCK).unwrap_or_default();
        let state = self.block.as_ref().and_then(|(_, block)| block.get(within));
        Ok(state == Some(&State::Moved.byte()))
    }
}

impl State {
    fn byte(self) -> u8 {
        match self {
            Self::Moved => 1,
            Self::Refused => 2,
            Self::Failed => 3,
            Self::NotSelected => 4,
        }
    }
}

impl Tally {
    fn of(&mut self, state: u8) -> Option<&mut u64> {
        match state {
            1 => Some(&mut self.moved),
            2 => Some(&mut self.refused),
            3 => Some(&mut self.failed),
            4 => Some(&mut self.not_selected),
            _ => None,
        }
    }
}

struct Meta {
    settings: Value,
    mark: String,
    total: u64,
    progress: Progress,
}

impl Meta {
    fn read(transaction: &ReadTransaction, path: &Path) -> Result<Self, FleetError> {
        let stranger = || FleetError::journal(path, "is not the journal of a fleet");
        let table = transaction.open_table(META).map_err(|_| stranger())?;
        let text = |name: &str| -> Result<String, FleetError> {
            let found = table.get(name).map_err(|error| broken(path, error))?;
            found.map(|text| text.value().to_owned()).ok_or_else(stranger)
        };
        if text("schema")? != SCHEMA {
            return Err(FleetError::journal(
                path,
                "was written by another version of keyproof: finish the job with that one",
            ));
        }
        Ok(Self {
            settings: serde_json::from_str(&text("settings")?).map_err(|_| stranger())?,
            mark: text("mark")?,
            total: text("total")?.parse().map_err(|_| stranger())?,
            progress: serde_json::from_str(&text(PROGRESS)?).map_err(|_| stranger())?,
        })
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    // `status` reads while a run writes.
    builder.set_concurrency_mode(ConcurrencyMode::SingleWriter).set_cache_size(4 * 1024 * 1024);
    builder
}

fn opening(path: &Path, error: DatabaseError) -> FleetError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => {
            FleetError::journal(path, "another process works on this job: wait until it ends")
        }
        DatabaseError::Storage(redb::StorageError::Io(error))
            if error.kind() == std::io::ErrorKind::InvalidData =>
        {
            FleetError::journal(path, "is not the journal of a fleet")
        }
        DatabaseError::Storage(redb::StorageError::Io(error)) => {
            FleetError::io("open the journal", path, error)
        }
        other => FleetError::journal(
            path,
            format_args!(
                "cannot be read ({other}): bring it back from a copy, or begin again with another journal and output"
            ),
        ),
    }
}

fn broken(path: &Path, error: impl Into<redb::Error>) -> FleetError {
    match error.into() {
        redb::Error::Io(error) => FleetError::io("write the journal", path, error),
        other => {
            FleetError::journal(path, format_args!("failed: {other}; run the same command again"))
        }
    }
}

const META: TableDefinition<'static, &str, &str> = TableDefinition::new("meta");
const BLOCKS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("blocks");
const PROBLEMS: TableDefinition<'static, u64, &str> = TableDefinition::new("problems");
const PROGRESS: &str = "progress";
const SCHEMA: &str = "keyproof/fleet-journal/1";
/// Items of one block, a byte each.
const BLOCK: u64 = 1024;
const PATIENCE: Duration = Duration::from_secs(2);
