//! One worker: takes some items, records what it intends, calls the backend, records what came of
//! it, hands the results on. Records of a batch are kept together; a batch is as long as the
//! backend is quick, so that little is done again after a kill.

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::input::{Mark, Raw};
use super::journal::{Entry, Problem, State};
use super::pace::Driver;
use super::plan::Judge;
use super::run::{Fleet, Options, Shared};
use super::{FleetError, Item, Verdict};
use crate::authorize::{CiphertextInspector, Provenance, ReEncrypt};
use crate::execute::{
    Answered, AuditLog, ClassifyFailure, EpochSource, ExecuteError, Executor, FailureClass,
    Intended, KmsBackend, ReEncrypted, TimeSource,
};
use crate::model::EncryptionAlgorithm;

/// Outcomes that belong together.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) entries: Vec<Entry>,
    /// Lines of the results.
    pub(super) lines: Vec<u8>,
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

pub(super) struct Worker<'a, B, A, C, I, D> {
    fleet: Fleet<'a>,
    executor: &'a Executor<B, A, C>,
    inspector: &'a I,
    driver: &'a D,
    options: &'a Options,
    shared: &'a Shared<'a>,
    judge: Judge<'a, I>,
}

impl<'a, B, A, C, I, D> Worker<'a, B, A, C, I, D>
where
    B: KmsBackend + EpochSource,
    B::Error: ClassifyFailure,
    A: AuditLog,
    C: TimeSource,
    I: CiphertextInspector + Sync,
    D: Driver,
{
    pub(super) fn new(
        fleet: Fleet<'a>,
        executor: &'a Executor<B, A, C>,
        inspector: &'a I,
        driver: &'a D,
        options: &'a Options,
        shared: &'a Shared<'a>,
    ) -> Result<Self, FleetError> {
        let judge = Judge::new(fleet.job, fleet.snapshot, fleet.caller, inspector)?;
        Ok(Self { fleet, executor, inspector, driver, options, shared, judge })
    }

    /// Works until no item is left or the run ends.
    pub(super) fn work(&self, sender: &SyncSender<Batch>) {
        while !self.shared.ends() {
            let batch = match self.take() {
                Ok(raw) if raw.is_empty() => return,
                Ok(raw) => self.batch(raw),
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

    fn batch(&self, raw: Vec<Raw>) -> Batch {
        let mut batch = Batch::default();
        if let Err(error) = self.fill(raw, &mut batch) {
            if self.shared.mirror.is_some() {
                // Which of the blobs are on disk is not known.
                batch = Batch::default();
            }
            batch.error = Some(error);
        }
        batch
    }

    fn fill(&self, raw: Vec<Raw>, batch: &mut Batch) -> Result<(), FleetError> {
        let job = self.fleet.job;
        let (mut items, mut proofs) = (Vec::new(), Vec::new());
        for one in raw {
            let (item, mark) = one.item(job.input.path(), &job.defaults)?;
            batch.mark.add(mark);
            match self.judge.prove(&item) {
                Ok(proof) => {
                    proofs.push(proof);
                    items.push(item);
                }
                Err(verdict) => self.left(&item, &verdict, batch)?,
            }
        }
        let begun = self.driver.now();
        let intended = self.executor.intend_all(proofs).map_err(|error| self.fatal(&error))?;
        let mut answers = Vec::with_capacity(items.len());
        let mut answered = Vec::with_capacity(items.len());
        let mut fatal = None;
        for (item, intended) in items.iter().zip(intended) {
            let answer = if fatal.is_some() || !self.wait_turn() {
                Some(intended.withdraw())
            } else {
                let (answer, error) = self.attempts(item, intended);
                fatal = error;
                answer
            };
            if let Some(answer) = answer {
                answers.push(answer);
                answered.push(item);
            }
        }
        let count = answers.len().max(1) as u64;
        let concluded = self
            .executor
            .conclude_all(answers)
            .map_err(|error| FleetError::Audit(error.to_string()));
        // A backend that cannot be trusted is told before a record that cannot be written.
        let concluded = match (concluded, fatal) {
            (Ok(concluded), None) => concluded,
            (Ok(concluded), Some(error)) => {
                batch.error = Some(error);
                concluded
            }
            (Err(_), Some(error)) => return Err(error),
            (Err(error), None) => return Err(error),
        };
        let mut folders = Vec::new();
        batch.lines.reserve(answered.len() * USUAL_LINE);
        for (item, result) in answered.into_iter().zip(concluded) {
            match result {
                Ok(answer) => self.moved(item, &answer, batch, &mut folders)?,
                Err(ExecuteError::Withdrawn) => {}
                Err(error) => self.failed(item, &error, batch)?,
            }
        }
        if let Some(mirror) = &self.shared.mirror {
            mirror.sync(folders)?;
        }
        let nanos = self.driver.now().saturating_sub(begun).as_nanos() / u128::from(count);
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX).max(1);
        self.shared.item_nanos.store(nanos, Ordering::Relaxed);
        Ok(())
    }

    /// Runs one item, again where that makes sense; the second part ends the run.
    fn attempts<'p>(
        &self,
        item: &Item,
        intended: Intended<'p>,
    ) -> (Option<Answered<'p, B::Error>>, Option<FleetError>)
    where
        'a: 'p,
    {
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
                return (Some(answer), None);
            };
            let message = error.to_string();
            let throttled = match class(error) {
                Some(FailureClass::Throttled) => true,
                Some(FailureClass::Transient) => false,
                Some(FailureClass::Permanent) => {
                    let error = self.hopeless(message);
                    return (Some(answer), error);
                }
                Some(FailureClass::Every) => {
                    return (Some(answer), Some(FleetError::Backend(message)));
                }
                None => {
                    let error = self.fatal_for(item, error);
                    return (Some(answer), Some(error));
                }
            };
            let now = self.driver.now();
            if throttled {
                self.shared.pace.throttled(now);
            } else {
                sent += 1;
            }
            let silent = now.saturating_sub(*self.last_success());
            let silence =
                || FleetError::Silent { seconds: silent.as_secs(), last: message.clone() };
            if silent > self.options.patience {
                return (Some(answer), Some(silence()));
            }
            if sent >= self.options.attempts {
                let row = self.shared.exhausted.fetch_add(1, Ordering::Relaxed) + 1;
                return (Some(answer), (row >= MAX_EXHAUSTED).then(silence));
            }
            // A repetition is a call of its own: decided, recorded and run anew.
            let concluded = self.executor.conclude_all(vec![answer]);
            let again = match concluded {
                Ok(_) => self.again(item),
                Err(error) => Err(FleetError::Audit(error.to_string())),
            };
            let next = match again {
                Ok(next) => next,
                Err(error) => {
                    // Nothing is left to be recorded for this item.
                    return (None, Some(error));
                }
            };
            let pause = self.shared.pace.backoff(pauses);
            pauses += 1;
            if !self.pause(pause) || !self.wait_turn() {
                return (Some(next.withdraw()), None);
            }
            intended = next;
        }
    }

    fn again(&self, item: &Item) -> Result<Intended<'a>, FleetError> {
        let Ok(proof) = self.judge.prove(item) else {
            return Err(FleetError::Stale("the decision is another now".into()));
        };
        let intended = self.executor.intend_all(vec![proof]).map_err(|error| self.fatal(&error))?;
        intended.into_iter().next().ok_or_else(|| FleetError::Stale("nothing was decided".into()))
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
        answer: &ReEncrypted,
        batch: &mut Batch,
        folders: &mut Vec<PathBuf>,
    ) -> Result<(), FleetError> {
        let bytes = answer.ciphertext.as_bytes();
        let encoded = match &self.shared.mirror {
            Some(mirror) => {
                folders.push(mirror.write(&item.id, bytes)?);
                None
            }
            None => Some(STANDARD.encode(bytes)),
        };
        let line = Line {
            position: item.position + 1,
            id: &item.id,
            ciphertext: encoded.as_deref(),
            source_key_id: answer.source_key.as_str(),
            source_key_material_id: answer.source_material.as_deref(),
            destination_key_id: answer.destination_key.as_str(),
            destination_key_material_id: answer.destination_material.as_deref(),
            source_encryption_algorithm: answer.source_algorithm.as_str(),
            destination_encryption_algorithm: answer.destination_algorithm.as_str(),
        };
        serde_json::to_writer(&mut batch.lines, &line)
            .map_err(|error| FleetError::Backend(error.to_string()))?;
        batch.lines.push(b'\n');
        batch.entries.push(Entry { position: item.position, state: State::Moved, problem: None });
        Ok(())
    }
}

/// One result.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    position: u64,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ciphertext: Option<&'a str>,
    source_key_id: &'a str,
    source_key_material_id: Option<&'a str>,
    destination_key_id: &'a str,
    destination_key_material_id: Option<&'a str>,
    source_encryption_algorithm: &'a str,
    destination_encryption_algorithm: &'a str,
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

/// Bytes of a result.
const USUAL_LINE: usize = 1024;
const MAX_BATCH: u64 = 512;
/// A batch takes about half a second.
const BATCH_NANOS: u64 = 500_000_000;
/// How soon a waiting worker sees that the run ends.
const SLICE: Duration = Duration::from_millis(100);
/// Items in a row that failed however often they were sent: the backend is down.
const MAX_EXHAUSTED: u64 = 3;
/// Failed items without one that is moved: something is wrong with all of them.
const MAX_HOPELESS: u64 = 100;
