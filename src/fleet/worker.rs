//! One worker: takes some items, records what it intends, calls the backend, records what came of
//! it, hands the results on. Records of a batch are kept together; a batch is as long as the
//! backend is quick, so that little is done again after a kill.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::input::{Mark, Raw};
use super::journal::{Entry, Problem, State};
use super::line::Lines;
use super::pace::Driver;
use super::plan::Judge;
use super::run::{Fleet, Options, Shared};
use super::slots::Slot;
use super::{FleetError, Item, Verdict};
use crate::authorize::{CiphertextInspector, Provenance, ReEncrypt};
use crate::compile::Snapshot;
use crate::execute::{
    Answered, AuditLog, ClassifyFailure, EpochSource, ExecuteError, Executor, FailureClass,
    Freshness, Intended, KeyReader, KmsBackend, ReEncrypted, Refresh, TimeSource,
};
use crate::model::{EncryptionAlgorithm, KeyArn};

/// Outcomes that belong together.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) entries: Vec<Entry>,
    /// Lines of the results.
    pub(super) lines: Lines,
    /// What was read.
    pub(super) mark: Mark,
    /// Why the run ends.
    pub(super) error: Option<FleetError>,
}

impl Batch {
    pub(super) fn failed(error: FleetError) -> Self {
        Self { error: Some(error), ..Self::default() }
    }
}

pub(super) struct Worker<'a, B, A, C, I, D, R> {
    pub(super) fleet: &'a Fleet<'a, R>,
    pub(super) executor: &'a Executor<B, A, C>,
    pub(super) inspector: &'a I,
    pub(super) driver: &'a D,
    pub(super) options: &'a Options,
    pub(super) shared: &'a Shared<'a>,
}

/// What came of one item.
struct Attempted<'p, E: std::error::Error + 'static> {
    /// `None` when nothing is left to be recorded.
    answer: Option<Answered<'p, E>>,
    ends: Option<Ends>,
}

/// What ends with an item.
enum Ends {
    /// The pass: the facts that it was decided on are too old by now, and can be read again.
    Pass,
    /// The run.
    Run(FleetError),
}

impl<B, A, C, I, D, R> Worker<'_, B, A, C, I, D, R>
where
    B: KmsBackend + EpochSource,
    B::Error: ClassifyFailure,
    A: AuditLog,
    C: TimeSource,
    I: CiphertextInspector + Sync,
    D: Driver,
    R: KeyReader,
{
    /// Works until no item is left or the run ends.
    pub(super) fn work(&self, sender: &SyncSender<Batch>) {
        while !self.shared.ends() {
            // What is decided ahead of its calls grows old, so nothing is where that gains little.
            let mut slot = None;
            if !self.decides_ahead() {
                slot = self.slot();
                if slot.is_none() {
                    return;
                }
            }
            let batch = match self.take() {
                Ok(raw) if raw.is_empty() => return,
                Ok(raw) => self.batch(raw, slot),
                Err(error) => Batch::failed(error),
            };
            if batch.error.is_some() {
                self.shared.broken.store(true, Ordering::Relaxed);
            }
            if sender.send(batch).is_err() {
                return;
            }
        }
    }

    /// How many items one worker does in about half a second, the limit of calls included: it
    /// begins with one.
    fn size(&self) -> u64 {
        let measured = self.shared.item_nanos.load(Ordering::Relaxed);
        if measured == 0 {
            return 1;
        }
        let workers = self.options.concurrency.max(1) as f64;
        let limited = self.shared.pace.rate().map_or(0.0, |rate| 1e9 * workers / rate);
        (BATCH_NANOS / measured.max(limited as u64)).clamp(1, MAX_BATCH)
    }

    /// The next items that are not done.
    fn take(&self) -> Result<Vec<Raw>, FleetError> {
        let count = self.size();
        let mut line = self.shared.input.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Vec::new();
        while (taken.len() as u64) < count {
            let Some(reader) = &mut line.reader else { break };
            let Some(raw) = reader.next()? else {
                line.reader = None;
                break;
            };
            if !line.done.contains(raw.position)? {
                taken.push(raw);
            }
        }
        Ok(taken)
    }

    fn batch(&self, raw: Vec<Raw>, slot: Option<Slot<'_>>) -> Batch {
        let mut batch = Batch::default();
        if let Err(error) = self.fill(raw, slot, &mut batch) {
            if self.shared.mirror.is_some() {
                // Which of the blobs are on disk is not known.
                batch = Batch::default();
            }
            batch.error = Some(error);
        }
        batch
    }

    fn fill<'s>(
        &'s self,
        raw: Vec<Raw>,
        mut slot: Option<Slot<'s>>,
        batch: &mut Batch,
    ) -> Result<(), FleetError> {
        let job = self.fleet.job;
        let mut items = Vec::with_capacity(raw.len());
        for one in raw {
            let (item, mark) = one.item(job.input.path(), &job.defaults)?;
            batch.mark.add(mark);
            items.push(item);
        }
        let mut idle = 0;
        while !items.is_empty() && batch.error.is_none() && !self.shared.ends() {
            let before = items.len();
            items = self.pass(items, &mut slot, batch)?;
            idle = if items.len() < before { 0 } else { idle + 1 };
            if idle == MAX_IDLE {
                let message = "the facts of the keys are too old again before one item is moved: \
                               let them be older (--max-age)";
                return Err(FleetError::Stale(message.to_owned()));
            }
        }
        Ok(())
    }

    /// Moves what can be moved on the world as it is; gives back the items that the facts of the
    /// keys became too old for.
    fn pass<'s>(
        &'s self,
        items: Vec<Item>,
        slot: &mut Option<Slot<'s>>,
        batch: &mut Batch,
    ) -> Result<Vec<Item>, FleetError> {
        let Fleet { job, caller, .. } = *self.fleet;
        let world = self.world(&items)?;
        let judge = Judge::new(job, &world, caller, self.inspector)?;
        let (mut allowed, mut proofs) = (Vec::with_capacity(items.len()), Vec::new());
        for item in items {
            match judge.prove(&item) {
                Ok(proof) => {
                    proofs.push(proof);
                    allowed.push(item);
                }
                Err(verdict) => self.left(&item, &verdict, batch)?,
            }
        }
        let begun = self.driver.now();
        let intended = match self.executor.intend_all(proofs) {
            Ok(intended) => intended,
            Err(error) if self.can_be_renewed(&error) => return Ok(allowed),
            Err(error) => return Err(self.fatal(&error)),
        };
        let waits = self.driver.now();
        if slot.is_none() {
            *slot = self.slot();
        }
        let calls = self.driver.now();
        let mut answers = Vec::with_capacity(allowed.len());
        let mut answered = Vec::with_capacity(allowed.len());
        let (mut again, mut ends) = (Vec::new(), None);
        for (item, intended) in allowed.into_iter().zip(intended) {
            if ends.is_some() || !self.wait_turn() {
                answers.push(intended.withdraw());
                answered.push(item);
                continue;
            }
            let attempted = self.attempts(&judge, &item, intended);
            ends = attempted.ends;
            match (attempted.answer, &ends) {
                (Some(answer), _) => {
                    answers.push(answer);
                    answered.push(item);
                }
                (None, Some(Ends::Pass)) => again.push(item),
                (None, _) => {}
            }
        }
        let count = answers.len().max(1) as u64;
        let called = self.driver.now().saturating_sub(calls);
        self.shared.call_nanos.store(nanos_of_one(called, count), Ordering::Relaxed);
        if self.decides_ahead() {
            *slot = None;
        }
        let concluded = self
            .executor
            .conclude_all(answers)
            .map_err(|error| FleetError::Audit(error.to_string()));
        let goes_on = matches!(ends, Some(Ends::Pass));
        // A backend that cannot be trusted is told before a record that cannot be written.
        let concluded = match (concluded, ends) {
            (Ok(concluded), Some(Ends::Run(error))) => {
                batch.error = Some(error);
                concluded
            }
            (Ok(concluded), _) => concluded,
            (Err(_), Some(Ends::Run(error))) | (Err(error), _) => return Err(error),
        };
        let mut folders = Vec::new();
        batch.lines.bytes.reserve(answered.len() * USUAL_LINE);
        for (item, result) in answered.into_iter().zip(concluded) {
            match result {
                Ok(answer) => self.moved(&item, answer, batch, &mut folders)?,
                Err(error) if did_not_run(&error) => {
                    if goes_on {
                        again.push(item);
                    }
                }
                Err(error) => self.failed(&item, &error, batch)?,
            }
        }
        if let Some(mirror) = &self.shared.mirror {
            mirror.sync(folders)?;
        }
        let waited = calls.saturating_sub(waits);
        let worked = self.driver.now().saturating_sub(begun).saturating_sub(waited);
        self.shared.item_nanos.store(nanos_of_one(worked, count), Ordering::Relaxed);
        Ok(again)
    }

    /// Whether items are decided and their intentions recorded while the calls of others are under
    /// way: with a quick backend, and where facts do not grow too old.
    fn decides_ahead(&self) -> bool {
        let nanos = self.shared.call_nanos.load(Ordering::Relaxed);
        (1..=QUICK_NANOS).contains(&nanos) && self.executor.freshness() == Freshness::default()
    }

    fn slot(&self) -> Option<Slot<'_>> {
        self.shared.slots.take(|| self.shared.ends())
    }

    /// The world, with the facts of these items' keys read again if they are to be.
    fn world(&self, items: &[Item]) -> Result<Arc<Snapshot>, FleetError> {
        let Fleet { job, world, caller, .. } = *self.fleet;
        let current = world.current();
        if self.executor.freshness().refresh == Refresh::Never {
            return Ok(current);
        }
        let judge = Judge::new(job, &current, caller, self.inspector)?;
        let keys: BTreeSet<KeyArn> = items.iter().flat_map(|item| judge.keys(item)).collect();
        let keys: Vec<KeyArn> = keys.into_iter().collect();
        let mut pauses = 0;
        loop {
            // Held for a reading and not for the pause after one: others have other keys, and
            // their reading may succeed meanwhile.
            let reading = self.shared.reading.lock().unwrap_or_else(PoisonError::into_inner);
            // Another worker may have read them meanwhile.
            let current = world.current();
            let read = self.executor.refresh(world, &current, &keys);
            let error = match self.driver.wait(read, self.options.timeout) {
                Some(Ok(fresh)) => return Ok(fresh.unwrap_or(current)),
                Some(Err(error)) => FleetError::from(error),
                None => FleetError::reads_hang(),
            };
            drop(reading);
            pauses += 1;
            if pauses >= self.options.attempts || !self.pause(self.shared.pace.backoff(pauses)) {
                return Err(error);
            }
        }
    }

    /// Runs one item, again where that makes sense.
    fn attempts<'p>(
        &self,
        judge: &Judge<'p, I>,
        item: &Item,
        intended: Intended<'p>,
    ) -> Attempted<'p, B::Error> {
        let ended = |answer, ends| Attempted { answer: Some(answer), ends };
        let mut intended = intended;
        let (mut sent, mut pauses) = (0, 0);
        loop {
            let answer = self
                .executor
                .run(intended, self.driver, self.options.timeout)
                .check(|answer| self.trustworthy(item, answer));
            let Some(error) = answer.error() else {
                self.shared.exhausted.store(0, Ordering::Relaxed);
                self.shared.moved.fetch_add(1, Ordering::Relaxed);
                *self.last_success() = self.driver.now();
                return ended(answer, None);
            };
            let message = error.to_string();
            let throttled = match class(error) {
                Some(FailureClass::Throttled) => true,
                Some(FailureClass::Transient) => false,
                Some(FailureClass::Permanent) => {
                    return ended(answer, self.hopeless(message).map(Ends::Run));
                }
                Some(FailureClass::Every) => {
                    return ended(answer, Some(Ends::Run(FleetError::Backend(message))));
                }
                None if self.can_be_renewed(error) => return ended(answer, Some(Ends::Pass)),
                None => {
                    let error = self.fatal_for(item, error);
                    return ended(answer, Some(Ends::Run(error)));
                }
            };
            let now = self.driver.now();
            if throttled {
                self.shared.pace.throttled(now);
            } else {
                sent += 1;
            }
            let silent = now.saturating_sub(*self.last_success());
            let silence = || {
                Ends::Run(FleetError::Silent { seconds: silent.as_secs(), last: message.clone() })
            };
            if silent > self.options.patience {
                return ended(answer, Some(silence()));
            }
            if sent >= self.options.attempts {
                let row = self.shared.exhausted.fetch_add(1, Ordering::Relaxed) + 1;
                return ended(answer, (row >= MAX_EXHAUSTED).then(silence));
            }
            // A repetition is a call of its own: decided, recorded and run anew.
            let concluded = self.executor.conclude_all(vec![answer]);
            let again = match concluded {
                Ok(_) => self.again(judge, item),
                Err(error) => Err(Ends::Run(FleetError::Audit(error.to_string()))),
            };
            let next = match again {
                Ok(next) => next,
                Err(ends) => return Attempted { answer: None, ends: Some(ends) },
            };
            let pause = self.shared.pace.backoff(pauses);
            pauses += 1;
            if !self.pause(pause) || !self.wait_turn() {
                return ended(next.withdraw(), None);
            }
            intended = next;
        }
    }

    fn again<'p>(&self, judge: &Judge<'p, I>, item: &Item) -> Result<Intended<'p>, Ends> {
        let stale = |message: &str| Ends::Run(FleetError::Stale(message.to_owned()));
        let proof = judge.prove(item).map_err(|_| stale("the decision is another now"))?;
        match self.executor.intend_all(vec![proof]) {
            Ok(intended) => intended.into_iter().next().ok_or_else(|| stale("nothing was decided")),
            Err(error) if self.can_be_renewed(&error) => Err(Ends::Pass),
            Err(error) => Err(Ends::Run(self.fatal(&error))),
        }
    }

    /// Whether the item is to be decided again on facts that are read again.
    fn can_be_renewed(&self, error: &ExecuteError<ReEncrypt, B::Error>) -> bool {
        matches!(error, ExecuteError::Outdated { .. })
            && self.executor.freshness().refresh != Refresh::Never
    }

    /// A new ciphertext must not be the old one, and must name the destination if it names a key.
    fn trustworthy(&self, item: &Item, answer: &ReEncrypted) -> Result<(), String> {
        if answer.ciphertext == item.ciphertext {
            return Err("it is the old ciphertext".into());
        }
        let defaults = &self.fleet.job.defaults;
        if answer.destination_algorithm != defaults.destination_algorithm
            || answer.source_algorithm != defaults.source_algorithm
        {
            return Err("it is of another algorithm".into());
        }
        // Ciphertexts of other algorithms name no key.
        if answer.destination_algorithm != EncryptionAlgorithm::SymmetricDefault {
            return Ok(());
        }
        match self.inspector.inspect(&answer.ciphertext) {
            Ok(Provenance::Key(key)) if !key.is_related_to(&answer.destination_key) => {
                Err(format!("it is a ciphertext of {key}"))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn fatal(&self, error: &ExecuteError<ReEncrypt, B::Error>) -> FleetError {
        match error {
            ExecuteError::Audit(error) => FleetError::Audit(error.to_string()),
            ExecuteError::Outdated { .. } => FleetError::Outdated(error.to_string()),
            other => FleetError::Stale(other.to_string()),
        }
    }

    fn fatal_for(&self, item: &Item, error: &ExecuteError<ReEncrypt, B::Error>) -> FleetError {
        match error {
            ExecuteError::Discarded { .. } | ExecuteError::OtherKey { .. } => {
                FleetError::Untrustworthy { item: item.id.clone(), message: error.to_string() }
            }
            other => self.fatal(other),
        }
    }

    fn hopeless(&self, last: String) -> Option<FleetError> {
        let count = self.shared.failed.fetch_add(1, Ordering::Relaxed) + 1;
        let moved = self.shared.moved.load(Ordering::Relaxed);
        (count >= MAX_HOPELESS && moved == 0).then_some(FleetError::Hopeless { count, last })
    }

    fn last_success(&self) -> std::sync::MutexGuard<'_, Duration> {
        self.shared.last_success.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place in the row of calls; `false` when the run ends before.
    fn wait_turn(&self) -> bool {
        self.pause(self.shared.pace.turn(self.driver.now()))
    }

    fn pause(&self, pause: Duration) -> bool {
        let mut left = pause;
        while !left.is_zero() {
            if self.shared.ends() {
                return false;
            }
            let slice = left.min(SLICE);
            self.driver.sleep(slice);
            left -= slice;
        }
        !self.shared.ends()
    }

    fn left(&self, item: &Item, verdict: &Verdict, batch: &mut Batch) -> Result<(), FleetError> {
        let (state, problem) = match verdict {
            Verdict::Refuse(refusal) if !self.options.skip_refused => {
                // The plan had none, so the world is another since.
                let reason = format!("{}: {}", refusal.code, refusal.reason);
                return Err(FleetError::RefusedSince { item: item.id.clone(), reason });
            }
            Verdict::Refuse(refusal) => {
                (State::Refused, Some(problem(item, &refusal.code, &refusal.reason)))
            }
            Verdict::Allow(_) | Verdict::NotSelected => (State::NotSelected, None),
        };
        self.unwritten(item)?;
        batch.entries.push(Entry { position: item.position, state, problem });
        Ok(())
    }

    fn failed(
        &self,
        item: &Item,
        error: &ExecuteError<ReEncrypt, B::Error>,
        batch: &mut Batch,
    ) -> Result<(), FleetError> {
        let code = match error {
            ExecuteError::Backend(error) | ExecuteError::Disagreement { error, .. } => {
                error.code().unwrap_or("BackendFailed").to_owned()
            }
            ExecuteError::NoAnswer { .. } => "NoAnswer".to_owned(),
            _ => "Discarded".to_owned(),
        };
        self.unwritten(item)?;
        let problem = Some(problem(item, &code, error));
        batch.entries.push(Entry { position: item.position, state: State::Failed, problem });
        Ok(())
    }

    fn unwritten(&self, item: &Item) -> Result<(), FleetError> {
        match &self.shared.mirror {
            Some(mirror) => mirror.remove(&item.id),
            None => Ok(()),
        }
    }

    fn moved(
        &self,
        item: &Item,
        answer: ReEncrypted,
        batch: &mut Batch,
        folders: &mut Vec<PathBuf>,
    ) -> Result<(), FleetError> {
        if let Some(mirror) = &self.shared.mirror {
            folders.push(mirror.write(&item.id, answer.ciphertext.as_bytes())?);
        }
        batch.lines.add(item, answer, self.shared.mirror.is_none())?;
        batch.entries.push(Entry { position: item.position, state: State::Moved, problem: None });
        Ok(())
    }
}

fn problem(item: &Item, code: &str, message: &impl Display) -> Problem {
    Problem { id: item.id.clone(), code: code.to_owned(), message: message.to_string() }
}

/// What a failure means; `None` when nothing after it can be believed.
fn class<E: ClassifyFailure + std::error::Error>(
    error: &ExecuteError<ReEncrypt, E>,
) -> Option<FailureClass> {
    match error {
        ExecuteError::Backend(error) | ExecuteError::Disagreement { error, .. } => {
            Some(error.class())
        }
        ExecuteError::NoAnswer { .. } => Some(FailureClass::Transient),
        _ => None,
    }
}

/// Whether the item is as it was before.
fn did_not_run<E: std::error::Error>(error: &ExecuteError<ReEncrypt, E>) -> bool {
    matches!(
        error,
        ExecuteError::Outdated { .. }
            | ExecuteError::Stale { .. }
            | ExecuteError::UnknownEpoch(_)
            | ExecuteError::Withdrawn
    )
}

fn nanos_of_one(time: Duration, count: u64) -> u64 {
    u64::try_from(time.as_nanos() / u128::from(count)).unwrap_or(u64::MAX).max(1)
}

/// Bytes of a result.
const USUAL_LINE: usize = 1024;
/// Passes in a row that move nothing.
const MAX_IDLE: u32 = 3;
const MAX_BATCH: u64 = 1024;
/// A backend whose calls take no longer is quick: a disk is slower than its calls.
const QUICK_NANOS: u64 = 1_000_000;
/// A batch takes about half a second.
const BATCH_NANOS: u64 = 500_000_000;
/// How soon a waiting worker sees that the run ends.
const SLICE: Duration = Duration::from_millis(100);
/// Items in a row that failed however often they were sent: the backend is down.
const MAX_EXHAUSTED: u64 = 3;
/// Failed items without one that is moved: something is wrong with all of them.
const MAX_HOPELESS: u64 = 100;
