//! A world that is judged on while it changes: replaced whole, or read again key by key.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::audit::AuditLog;
use super::backend::{DataKey, Decrypted, Encrypted, KeyBackend, KmsBackend, ReEncrypted};
use super::executor::{EpochSource, ExecuteError, Executor, TimeSource};
use crate::authorize::{
    Authorized, Decrypt, DescribeKey, Encrypt, GenerateDataKey, Judged, ReEncrypt,
};
use crate::compile::{Epoch, KeyFacts, Snapshot};
use crate::model::{Key, KeyArn, Timestamp};

/// How old the facts of the keys may be, and when they are read again: policies, grants, state, tags
/// and aliases of the operation's keys. IAM, organizations, and which key an alias names when an
/// operation asks for it by that, are renewed by [`LiveWorld::replace`] alone.
///
/// Whatever `refresh` says, an operation on facts that are older than `max_age`, or of unknown age,
/// is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    /// How old they may be; without, any age will do.
    pub max_age: Option<Duration>,
    /// When they are read again.
    pub refresh: Refresh,
}

/// When the facts of an operation's keys are read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refresh {
    /// Before each operation; one whose keys cannot be read is refused.
    BeforeEach,
    /// Never.
    #[default]
    Never,
    /// When they are older than `max_age`, or of unknown age.
    WhenStale,
}

impl Freshness {
    /// Whether the facts of these keys are to be read again.
    pub(super) fn is_due(&self, snapshot: &Snapshot, keys: &[KeyArn], now: Timestamp) -> bool {
        let is_old = |key: &KeyArn| match self.max_age {
            Some(max) => age(snapshot.read_at(key), now).is_none_or(|age| age > max.as_secs()),
            None => false,
        };
        match self.refresh {
            Refresh::BeforeEach => true,
            Refresh::Never => false,
            Refresh::WhenStale => keys.iter().any(is_old),
        }
    }
}

/// How old facts are, in seconds; `None` when that is not known, as when they are of the future.
pub(super) fn age(read_at: Option<Timestamp>, now: Timestamp) -> Option<u64> {
    u64::try_from(now.epoch_seconds().checked_sub(read_at?.epoch_seconds())?).ok()
}

/// Reads the facts of one key again.
pub trait KeyReader: Send + Sync {
    /// What is so of the key now.
    ///
    /// # Errors
    /// Why that cannot be told.
    fn read(&self, key: &KeyArn) -> impl Future<Output = Result<KeyFacts, String>> + Send;
}

/// Reads nothing again: keys stay as the world tells them.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoReader;

impl KeyReader for NoReader {
    async fn read(&self, _: &KeyArn) -> Result<KeyFacts, String> {
        Err("nothing reads keys here".into())
    }
}

/// The facts of a key could not be read again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct RefreshError {
    /// The key.
    pub key: Box<KeyArn>,
    /// Why.
    pub reason: String,
}

/// A world that can be replaced while a service runs. Who takes [`Self::current`] keeps that
/// snapshot, whatever happens to the world meanwhile; a proof made on a world that was replaced
/// since is refused, where the backend's epoch is this world's.
pub struct LiveWorld<R> {
    current: RwLock<Arc<Snapshot>>,
    reader: R,
}

impl<R> LiveWorld<R> {
    /// A world, and what reads its keys again.
    pub fn new(snapshot: Snapshot, reader: R) -> Self {
        Self { current: RwLock::new(Arc::new(snapshot)), reader }
    }

    /// The world as it is at this moment.
    pub fn current(&self) -> Arc<Snapshot> {
        // A writer that panicked has put nothing in: the snapshot is swapped whole.
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another world in place of this one, all at once. `read` is given the epoch that the new
    /// world is to have. When it fails, the world stays as it is.
    ///
    /// # Errors
    /// What `read` says.
    pub fn replace<E>(&self, read: impl FnOnce(Epoch) -> Result<Snapshot, E>) -> Result<Epoch, E> {
        let next = self.current().epoch().next();
        let fresh = read(next)?;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        // Another one may have replaced it meanwhile.
        let epoch = current.epoch().next();
        *current = Arc::new(fresh.at_epoch(epoch));
        Ok(epoch)
    }
}

impl<R: KeyReader> LiveWorld<R> {
    /// Reads the facts of these keys again; the world with them. `now` is the instant before
    /// reading. The epoch stays: how old facts may be is for [`Freshness`] to say.
    ///
    /// # Errors
    /// When one of them cannot be read; the world stays as it is.
    pub async fn refresh(
        &self,
        keys: &[KeyArn],
        now: Timestamp,
    ) -> Result<Arc<Snapshot>, RefreshError> {
        let mut read = Vec::with_capacity(keys.len());
        for key in keys {
            let failed = |reason| RefreshError { key: Box::new(key.clone()), reason };
            let facts = self.reader.read(key).await.map_err(failed)?;
            if facts.key.arn != *key {
                return Err(failed(format!("was answered for by {}", facts.key.arn)));
            }
            read.push(facts);
        }
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let mut fresh = (**current).clone();
        for facts in read {
            // What somebody else has read since is newer.
            if fresh.read_at(&facts.key.arn).is_none_or(|known| known <= now) {
                fresh = fresh.with_key_facts(facts, now);
            }
        }
        *current = Arc::new(fresh);
        Ok(Arc::clone(&current))
    }
}

impl<R: Send + Sync> EpochSource for LiveWorld<R> {
    fn epoch(&self) -> Result<Epoch, String> {
        Ok(self.current().epoch())
    }
}

impl<E: EpochSource> EpochSource for Arc<E> {
    fn epoch(&self) -> Result<Epoch, String> {
        E::epoch(self)
    }
}

impl<R> fmt::Debug for LiveWorld<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LiveWorld(epoch {})", self.current().epoch())
    }
}

/// An operation that an executor over this backend runs.
pub trait Run<B: KmsBackend>: Judged + fmt::Debug {
    /// What it answers.
    type Answer;

    /// Runs it.
    fn run<A: AuditLog, C: TimeSource>(
        executor: &Executor<B, A, C>,
        proof: Authorized<'_, Self>,
    ) -> impl Future<Output = Result<Self::Answer, ExecuteError<Self, B::Error>>>;
}

macro_rules! run {
    ($operation:ident by $backend:ident: $answer:ident = $method:ident) => {
        impl<B: $backend + EpochSource> Run<B> for $operation {
            type Answer = $answer;

            async fn run<A: AuditLog, C: TimeSource>(
                executor: &Executor<B, A, C>,
                proof: Authorized<'_, Self>,
            ) -> Result<$answer, ExecuteError<Self, B::Error>> {
                executor.$method(proof).await
            }
        }
    };
}
run!(ReEncrypt by KmsBackend: ReEncrypted = re_encrypt);
run!(Encrypt by KmsBackend: Encrypted = encrypt);
run!(Decrypt by KmsBackend: Decrypted = decrypt);
run!(GenerateDataKey by KeyBackend: DataKey = generate_data_key);
run!(DescribeKey by KeyBackend: Key = describe_key);
