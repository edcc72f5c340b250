//! The store: opened, read and written in transactions.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redb::{
    Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase as _, ReadableTable,
    StorageError, TableDefinition, TableError, WriteTransaction,
};

use super::crypto::Session;
use super::record::{Malformed, Record};
use super::seal::{self, KEY_LEN, PREFIX_LEN};
use super::{KeystoreError, RootKey, file};
use crate::compile::Epoch;

/// The embedded KMS's keys, policies, grants, aliases and tags in one file.
///
/// Every operation is one transaction: done and on disk, or not done at all. One process at a
/// time has a keystore open. Nothing here judges whether the caller may.
///
/// ```
/// use keyproof::backend::embedded::{Keystore, NewKey, RootKey};
/// use keyproof::model::Timestamp;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("keystore.redb");
/// let keystore = Keystore::create(&path, RootKey::generate()?)?;
/// let new = NewKey::symmetric("111122223333".parse()?, "eu-central-1".parse()?);
/// let key = keystore.create_key(&new, Timestamp::from_epoch_seconds(1_800_000_000))?;
/// assert!(keystore.key(&key)?.policies.len() == 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Keystore {
    database: Database,
    root: RootKey,
    store_id: Vec<u8>,
    path: PathBuf,
    /// As on disk: no other process writes while this one has the file open.
    epoch: AtomicU64,
}

impl Keystore {
    /// Opens a keystore.
    ///
    /// The whole file is checked first, so that a damaged one is refused rather than believed.
    ///
    /// # Errors
    /// When the file is missing, not a keystore, damaged, of a newer format, open elsewhere, or
    /// sealed under another root key.
    pub fn open(path: &Path, root: RootKey) -> Result<Self, KeystoreError> {
        Self::open_within(path, root, Duration::ZERO)
    }

    /// Opens a keystore, and waits so long for another process that has it open.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_within(
        path: &Path,
        root: RootKey,
        patience: Duration,
    ) -> Result<Self, KeystoreError> {
        Self::probe(path)?;
        let since = Instant::now();
        let database = loop {
            match checked_builder().open(path).map_err(|error| open_error(path, error)) {
                Err(KeystoreError::InUse { .. }) if since.elapsed() < patience => {
                    std::thread::sleep(PAUSE);
                }
                opened => break opened?,
            }
        };
        let store_id = check(&database, path, &root)?;
        let epoch = AtomicU64::new(0);
        let keystore = Self { database, root, store_id, path: path.to_owned(), epoch };
        keystore.note_epoch(keystore.read()?.epoch()?);
        Ok(keystore)
    }

    /// Refuses a file that is no keystore by its first bytes, before a root key is looked for.
    ///
    /// # Errors
    /// When the file cannot be read or is no keystore.
    pub fn probe(path: &Path) -> Result<(), KeystoreError> {
        refuse_strangers(path)
    }

    /// Makes a new, empty keystore and opens it. Its file appears under its name when it is
    /// complete; others than its owner may not read it.
    ///
    /// # Errors
    /// When there is a file of this name already, or it cannot be written.
    pub fn create(path: &Path, root: RootKey) -> Result<Self, KeystoreError> {
        match file::create_whole(path, |temporary| initialize(temporary, &root))? {
            file::Creation::Created => Self::open(path, root),
            file::Creation::Existed => {
                Err(KeystoreError::AlreadyExists { what: format!("the file `{}`", path.display()) })
            }
        }
    }

    /// Makes a new keystore and fills it: its file appears under its name when `fill` is done, or
    /// not at all. The root key is written to the new file `root_file` just before, where one is
    /// named.
    ///
    /// # Errors
    /// When `fill` fails, when one of the files is there already, or cannot be written.
    pub fn create_filled<T, E: From<KeystoreError>>(
        path: &Path,
        root: RootKey,
        root_file: Option<&Path>,
        fill: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let exists = |path: &Path| KeystoreError::AlreadyExists {
            what: format!("the file `{}`", path.display()),
        };
        let mut filled = None;
        let made = file::create_whole(path, |temporary| -> Result<(), E> {
            initialize(temporary, &root)?;
            let keystore = Self::open(temporary, root)?;
            filled = Some(fill(&keystore)?);
            match root_file.map(|file| (file, keystore.root.save(file))) {
                Some((file, Ok(file::Creation::Existed))) => Err(exists(file).into()),
                Some((_, Err(error))) => Err(error.into()),
                _ => Ok(()),
            }
        })?;
        filled.filter(|_| made == file::Creation::Created).ok_or_else(|| exists(path).into())
    }

    /// Opens a keystore, after making it if there is no file of this name.
    ///
    /// # Errors
    /// As [`Self::open`] and [`Self::create`].
    pub fn open_or_create(path: &Path, root: RootKey) -> Result<Self, KeystoreError> {
        let exists = path
            .try_exists()
            .map_err(|source| KeystoreError::io("look for the keystore", path, source))?;
        if !exists {
            // Whoever was faster has made it; it is opened below in either case.
            file::create_whole(path, |temporary| initialize(temporary, &root))?;
        }
        Self::open(path, root)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Of this keystore and no other, and raised by every write: what was judged at another epoch
    /// is stale.
    ///
    /// # Errors
    /// When the store fails.
    pub fn epoch(&self) -> Result<Epoch, KeystoreError> {
        self.named(self.epoch.load(Ordering::SeqCst))
    }

    /// With the keystore's own id.
    fn named(&self, count: u64) -> Result<Epoch, KeystoreError> {
        let id = self.store_id.first_chunk();
        let id = id.ok_or_else(|| KeystoreError::damaged(&self.path, "its id is too short"))?;
        Ok(Epoch::of(*id, count))
    }

    /// Epochs only grow, whichever of two writers tells first.
    fn note_epoch(&self, count: u64) {
        self.epoch.fetch_max(count, Ordering::SeqCst);
    }

    /// The keys as they are now, for cryptography.
    pub(crate) fn session(&self) -> Result<Session<'_>, KeystoreError> {
        Session::new(self.read()?)
    }

    pub(super) fn read(&self) -> Result<Reader<'_>, KeystoreError> {
        Ok(Reader { keystore: self, transaction: self.database.begin_read()? })
    }

    /// Does all of `change` or, when it fails, nothing; raises the epoch; returns when it is on
    /// disk.
    pub(super) fn write<T>(
        &self,
        change: impl FnOnce(&Writer<'_>) -> Result<T, KeystoreError>,
    ) -> Result<T, KeystoreError> {
        let mut transaction = self.database.begin_write()?;
        // Policies and tags are chosen by others; two phases keep a crash from ever making a
        // half-written commit look whole.
        transaction.set_two_phase_commit(true);
        let writer = Writer { keystore: self, transaction };
        // Dropping the transaction on an error undoes it.
        let done = change(&writer)?;
        let epoch = writer.epoch()?.wrapping_add(1);
        writer.set(Table::Meta, EPOCH, &epoch.to_be_bytes())?;
        let committed = writer.transaction.commit();
        match &committed {
            Ok(()) => self.note_epoch(epoch),
            // Whether it is on disk is for the disk to say.
            Err(_) => {
                if let Ok(found) = self.read().and_then(|reader| reader.epoch()) {
                    self.note_epoch(found);
                }
            }
        }
        committed?;
        Ok(done)
    }

    pub(super) fn root(&self) -> &RootKey {
        &self.root
    }

    pub(super) fn store_id(&self) -> &[u8] {
        &self.store_id
    }
}

impl fmt::Debug for Keystore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keystore").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What kinds of rows there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Aliases,
    Families,
    GrantNames,
    Grants,
    Keys,
    Materials,
    Meta,
    Policies,
    Tags,
    Tokens,
}

impl Table {
    const ALL: [Self; 10] = [
        Self::Aliases,
        Self::Families,
        Self::GrantNames,
        Self::Grants,
        Self::Keys,
        Self::Materials,
        Self::Meta,
        Self::Policies,
        Self::Tags,
        Self::Tokens,
    ];

    fn definition(self) -> TableDefinition<'static, &'static str, &'static [u8]> {
        TableDefinition::new(match self {
            Self::Aliases => "aliases",
            Self::Families => "families",
            Self::GrantNames => "grant-names",
            Self::Grants => "grants",
            Self::Keys => "keys",
            Self::Materials => "materials",
            Self::Meta => "meta",
            Self::Policies => "policies",
            Self::Tags => "tags",
            Self::Tokens => "tokens",
        })
    }
}

/// What a reading and a writing transaction have in common.
pub(super) trait Rows {
    fn keystore(&self) -> &Keystore;

    /// Hands an open table to `look`.
    fn with_table<T>(
        &self,
        table: Table,
        look: impl FnOnce(&dyn ReadableRows) -> Result<T, KeystoreError>,
    ) -> Result<T, KeystoreError>;

    fn record<R: Record>(&self, row: &str) -> Result<Option<R>, KeystoreError> {
        let bytes = self.with_table(R::TABLE, |rows| rows.value(row))?;
        bytes.map(|bytes| self.sound(R::decode(&bytes))).transpose()
    }

    /// All records whose row's name begins with `prefix`, sorted by name.
    fn records<R: Record>(&self, prefix: &str) -> Result<Vec<(String, R)>, KeystoreError> {
        self.with_table(R::TABLE, |rows| rows.values(prefix))?
            .into_iter()
            .map(|(row, bytes)| Ok((row, self.sound(R::decode(&bytes))?)))
            .collect()
    }

    fn names(&self, table: Table, prefix: &str) -> Result<Vec<String>, KeystoreError> {
        self.with_table(table, |rows| rows.names(prefix))
    }

    fn epoch(&self) -> Result<u64, KeystoreError> {
        let bytes = self.with_table(Table::Meta, |rows| rows.value(EPOCH))?;
        bytes
            .and_then(|bytes| <[u8; 8]>::try_from(bytes).ok())
            .map(u64::from_be_bytes)
            .ok_or_else(|| self.damaged("the epoch is missing".into()))
    }

    fn sound<T>(&self, read: Result<T, Malformed>) -> Result<T, KeystoreError> {
        read.map_err(|Malformed(detail)| self.damaged(detail))
    }

    fn damaged(&self, detail: String) -> KeystoreError {
        KeystoreError::damaged(&self.keystore().path, detail)
    }
}

/// One table, whether it can be written or not.
pub(super) trait ReadableRows {
    fn value(&self, row: &str) -> Result<Option<Vec<u8>>, KeystoreError>;
    fn values(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, KeystoreError>;
    fn names(&self, prefix: &str) -> Result<Vec<String>, KeystoreError>;
}

impl<T: ReadableTable<&'static str, &'static [u8]>> ReadableRows for T {
    fn value(&self, row: &str) -> Result<Option<Vec<u8>>, KeystoreError> {
        Ok(self.get(row)?.map(|value| value.value().to_vec()))
    }

    fn values(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, KeystoreError> {
        let mut found = Vec::new();
        for entry in self.range(prefix..)? {
            let (row, value) = entry?;
            if !row.value().starts_with(prefix) {
                break;
            }
            found.push((row.value().to_owned(), value.value().to_vec()));
        }
        Ok(found)
    }

    fn names(&self, prefix: &str) -> Result<Vec<String>, KeystoreError> {
        let mut found = Vec::new();
        for entry in self.range(prefix..)? {
            let (row, _) = entry?;
            if !row.value().starts_with(prefix) {
                break;
            }
            found.push(row.value().to_owned());
        }
        Ok(found)
    }
}

/// The store at one moment.
pub(super) struct Reader<'a> {
    keystore: &'a Keystore,
    transaction: ReadTransaction,
}

impl<'a> Reader<'a> {
    pub(super) fn root(&self) -> &'a RootKey {
        self.keystore.root()
    }

    pub(super) fn store_id(&self) -> &'a [u8] {
        self.keystore.store_id()
    }

    /// The epoch with the keystore's own id.
    pub(super) fn named_epoch(&self) -> Result<Epoch, KeystoreError> {
        self.keystore.named(self.epoch()?)
    }
}

impl Rows for Reader<'_> {
    fn keystore(&self) -> &Keystore {
        self.keystore
    }

    fn with_table<T>(
        &self,
        table: Table,
        look: impl FnOnce(&dyn ReadableRows) -> Result<T, KeystoreError>,
    ) -> Result<T, KeystoreError> {
        look(&self.transaction.open_table(table.definition())?)
    }
}

/// The store while it is changed.
pub(super) struct Writer<'a> {
    keystore: &'a Keystore,
    transaction: WriteTransaction,
}

impl Writer<'_> {
    pub(super) fn put<R: Record>(&self, row: &str, record: &R) -> Result<(), KeystoreError> {
        self.set(R::TABLE, row, &self.sound(record.encode())?)
    }

    pub(super) fn remove(&self, table: Table, row: &str) -> Result<(), KeystoreError> {
        self.transaction.open_table(table.definition())?.remove(row)?;
        Ok(())
    }

    /// Removes all rows whose name begins with `prefix`.
    pub(super) fn remove_all(&self, table: Table, prefix: &str) -> Result<(), KeystoreError> {
        self.names(table, prefix)?.iter().try_for_each(|row| self.remove(table, row))
    }

    fn set(&self, table: Table, row: &str, value: &[u8]) -> Result<(), KeystoreError> {
        self.transaction.open_table(table.definition())?.insert(row, value)?;
        Ok(())
    }
}

impl Rows for Writer<'_> {
    fn keystore(&self) -> &Keystore {
        self.keystore
    }

    fn with_table<T>(
        &self,
        table: Table,
        look: impl FnOnce(&dyn ReadableRows) -> Result<T, KeystoreError>,
    ) -> Result<T, KeystoreError> {
        look(&self.transaction.open_table(table.definition())?)
    }
}

/// A small cache (a keystore is small), and every page's checksum looked at before it is trusted.
fn checked_builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(16 * 1024 * 1024).set_check_integrity_on_open(true);
    builder
}

/// Makes the tables, the store's id, and what tells a wrong root key from the right one.
fn initialize(path: &Path, root: &RootKey) -> Result<(), KeystoreError> {
    let database = Builder::new().create(path).map_err(|error| open_error(path, error))?;
    let transaction = database.begin_write()?;
    for table in Table::ALL {
        transaction.open_table(table.definition())?;
    }
    let store_id = seal::random::<KEY_LEN>()?;
    let prefix = seal::fresh_prefix()?;
    let data = seal::encode_fields(CHECK_DOMAIN, [store_id.as_slice()]);
    let sealed =
        seal::seal(root.expose(), CHECK_DOMAIN.as_bytes(), &prefix, &data, CHECK.as_bytes())?;
    {
        let mut meta = transaction.open_table(Table::Meta.definition())?;
        meta.insert(FORMAT, FORMAT_VERSION.to_be_bytes().as_slice())?;
        meta.insert(EPOCH, 1_u64.to_be_bytes().as_slice())?;
        meta.insert(STORE_ID, store_id.as_slice())?;
        meta.insert(CHECK, [prefix.as_slice(), &sealed].concat().as_slice())?;
    }
    transaction.commit()?;
    database.close().map_err(|error| open_error(path, error))
}

/// Judges format and root key; gives the store's id.
fn check(database: &Database, path: &Path, root: &RootKey) -> Result<Vec<u8>, KeystoreError> {
    let transaction = database.begin_read()?;
    let stranger = || KeystoreError::NotAKeystore { path: path.to_owned() };
    let table_error = |error| match error {
        TableError::Storage(error) => KeystoreError::damaged(path, error),
        _ => stranger(),
    };
    let meta = transaction.open_table(Table::Meta.definition()).map_err(table_error)?;
    let found = meta.value(FORMAT)?.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
    let found = u64::from_be_bytes(found.ok_or_else(stranger)?);
    if found > FORMAT_VERSION {
        let (path, known) = (path.to_owned(), FORMAT_VERSION);
        return Err(KeystoreError::NewerFormat { path, found, known });
    }
    for table in Table::ALL {
        transaction.open_table(table.definition()).map_err(table_error)?;
    }
    let missing = || KeystoreError::damaged(path, "the record that checks the root key is missing");
    let store_id = meta.value(STORE_ID)?.ok_or_else(missing)?;
    let sealed = meta.value(CHECK)?.ok_or_else(missing)?;
    let (prefix, sealed) = sealed.split_first_chunk::<PREFIX_LEN>().ok_or_else(missing)?;
    let data = seal::encode_fields(CHECK_DOMAIN, [store_id.as_slice()]);
    seal::open(root.expose(), CHECK_DOMAIN.as_bytes(), prefix, &data, sealed)
        .ok_or_else(|| KeystoreError::WrongRootKey { path: path.to_owned() })?;
    Ok(store_id)
}

/// Refuses what is no redb file at all before redb looks at it.
fn refuse_strangers(path: &Path) -> Result<(), KeystoreError> {
    use std::io::Read as _;

    let io = |source| KeystoreError::io("open the keystore", path, source);
    let mut start = Vec::new();
    // Opening a pipe would wait for somebody to write to it.
    if !path.metadata().map_err(io)?.is_file() {
        return Err(KeystoreError::NotAKeystore { path: path.to_owned() });
    }
    let file = std::fs::File::open(path).map_err(io)?;
    file.take(REDB_MAGIC.len() as u64).read_to_end(&mut start).map_err(io)?;
    if start != REDB_MAGIC {
        return Err(KeystoreError::NotAKeystore { path: path.to_owned() });
    }
    Ok(())
}

fn open_error(path: &Path, error: DatabaseError) -> KeystoreError {
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            KeystoreError::InUse { path: path.to_owned() }
        }
        // redb says `InvalidData` and `UnexpectedEof` of files that are too short or no redb files.
        DatabaseError::Storage(StorageError::Io(source))
            if !matches!(
                source.kind(),
                std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof
            ) =>
        {
            KeystoreError::io("open the keystore", path, source)
        }
        other => KeystoreError::damaged(path, other),
    }
}

/// Between two attempts to open a keystore that is in use.
const PAUSE: Duration = Duration::from_millis(25);
const FORMAT_VERSION: u64 = 1;
const FORMAT: &str = "format";
const EPOCH: &str = "epoch";
const STORE_ID: &str = "store-id";
const CHECK: &str = "root-key-check";
const CHECK_DOMAIN: &str = "keyproof/root-key-check/v1";
/// The first bytes of every redb file (redb `docs/design.md`, "Database header").
const REDB_MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";
