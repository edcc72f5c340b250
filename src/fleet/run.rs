//! The run: workers move items, one thread writes what they moved.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::input::{Mark, Reader};
use super::journal::{Done, Entry, Identity, Journal};
use super::output::{Mirror, Results};
use super::pace::{Driver, Pace};
use super::plan::plan_rest;
use super::slots::Slots;
use super::worker::{Batch, Worker};
use super::{FleetError, Item, Job, Output, Plan, Refusal, Tally};
use crate::authorize::CiphertextInspector;
use crate::compile::Caller;
use crate::execute::{
    AuditLog, ClassifyFailure, EpochSource, Executor, KeyReader, KmsBackend, LiveWorld, Refresh,
    TimeSource,
};
use crate::model::KeyArn;

/// Everything that makes a run.
#[derive(Debug)]
pub struct Fleet<'a, R> {
    /// What is to be done.
    pub job: &'a Job,
    /// Where the results go.
    pub output: &'a Output,
    /// The journal; made when there is none.
    pub journal: &'a Path,
    /// The world; its keys are read again while the run goes on, as the executor's freshness says.
    pub world: &'a LiveWorld<R>,
    /// Who is judged.
    pub caller: &'a Caller,
}

/// How it is done. None of it makes another job.
#[derive(Clone, Debug)]
pub struct Options {
    /// Runs although some items are refused, without these.
    pub skip_refused: bool,
    /// Finishes although the backend failed for some items, without these.
    pub skip_failed: bool,
    /// How many calls are under way at once.
    pub concurrency: usize,
    /// Calls a second at most.
    pub requests_per_second: Option<f64>,
    /// How long one call may take.
    pub timeout: Duration,
    /// How often a call that fails is sent, throttled ones not counted.
    pub attempts: u32,
    /// How long the run goes on without an item moved.
    pub patience: Duration,
    /// Scatters the pauses of fleets that run at once.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            skip_refused: false,
            skip_failed: false,
            concurrency: 8,
            requests_per_second: None,
            timeout: Duration::from_secs(30),
            attempts: 8,
            patience: Duration::from_secs(600),
            seed: 1,
        }
    }
}

/// A run at one moment.
#[derive(Clone, Debug)]
pub struct Snap<'a> {
    /// How many items the input has.
    pub total: u64,
    /// All runs of the job together.
    pub tally: &'a Tally,
    /// Items a second of this run.
    pub rate: f64,
    /// How much longer it takes at this rate.
    pub left: Option<Duration>,
    /// The limit of calls a second, where there is one now.
    pub limit: Option<f64>,
}

/// What a run has come to.
#[derive(Debug)]
pub struct Report {
    /// The plan it began with; `None` when the job was finished before.
    pub plan: Option<Plan>,
    /// How many items the input has.
    pub total: u64,
    /// All runs of the job together.
    pub tally: Tally,
    /// Items moved by this run.
    pub moved_now: u64,
    /// How long this run moved items.
    pub time: Duration,
    /// How it ended.
    pub end: End,
}

/// How a run ended.
#[derive(Debug)]
pub enum End {
    /// Every item was tried; some failed, and are tried again by the next run.
    Failures,
    /// The output is complete and in its place.
    Finished,
    /// It was asked to stop.
    Interrupted,
    /// It could not go on.
    Stopped(FleetError),
}

/// Moves the items of a job that are not moved yet.
///
/// `stop` ends the run cleanly: calls under way are awaited, and what they gave is written.
///
/// # Errors
/// When nothing was begun: an item cannot be understood or is refused, the journal is of another
/// job, the output is there already. What happens later is in the report.
#[expect(clippy::too_many_arguments, reason = "four joints, and what is observed")]
pub fn run<B, A, C, I, D, R>(
    fleet: &Fleet<'_, R>,
    executor: &Executor<B, A, C>,
    inspector: &I,
    driver: &D,
    options: &Options,
    stop: &AtomicBool,
    refused: impl FnMut(&Item, &Refusal) -> Result<(), FleetError>,
    mut observe: impl FnMut(&Snap<'_>),
) -> Result<Report, FleetError>
where
    B: KmsBackend + EpochSource,
    B::Error: ClassifyFailure,
    A: AuditLog,
    C: TimeSource,
    I: CiphertextInspector + Sync,
    D: Driver,
    R: KeyReader,
{
    let Fleet { job, output, journal: path, world, caller } = *fleet;
    let settings = job.settings(caller, output);
    let journal = match path.symlink_metadata() {
        Ok(_) => Some(Journal::open(path)?),
        Err(_) => {
            Results::refuse_present(output)?;
            None
        }
    };
    let mut done = None;
    if let Some(journal) = &journal {
        journal.belongs_to(&settings, None)?;
        if journal.finished() {
            Results::check(output, journal.extent())?;
            let (total, tally) = (journal.total, journal.tally().clone());
            let (moved_now, time, end) = (0, Duration::ZERO, End::Finished);
            return Ok(Report { plan: None, total, tally, moved_now, time, end });
        }
        done = Some(journal.done()?);
    }
    let mut is_done = |position| match &mut done {
        Some(done) => done.contains(position),
        None => Ok(false),
    };
    let mut snapshot = world.current();
    if executor.freshness().refresh != Refresh::Never {
        // Which keys there are is known when every item was looked at.
        let first = plan_rest(job, &snapshot, caller, inspector, &mut is_done, |_, _| Ok(()))?;
        let keys: Vec<KeyArn> = first.keys().cloned().collect();
        let limit = options.timeout.saturating_mul(u32::try_from(keys.len()).unwrap_or(u32::MAX));
        let read = driver.wait(executor.refresh(world, &snapshot, &keys), limit);
        if let Some(fresh) = read.ok_or_else(FleetError::reads_hang)?? {
            snapshot = fresh;
        }
    }
    let plan = plan_rest(job, &snapshot, caller, inspector, is_done, refused)?;
    if plan.refused > 0 && !options.skip_refused {
        return Err(FleetError::Refusals { refused: plan.refused, total: plan.total });
    }
    let mark = plan.mark.to_string();
    let mut journal = match journal {
        Some(journal) => {
            journal.belongs_to(&settings, Some(&mark))?;
            journal
        }
        None => {
            let identity = Identity { settings: &settings, mark, total: plan.total };
            Journal::create(path, &identity)?
        }
    };
    let results = Results::open(output, journal.extent())?;
    let begun = driver.now();
    let before = journal.tally().moved;
    let shared = Shared {
        input: Mutex::new(Line { reader: Some(job.input.open()?), done: journal.done()? }),
        pace: Pace::new(options.requests_per_second, options.seed),
        mirror: Mirror::of(output),
        stop,
        broken: AtomicBool::new(false),
        reading: Mutex::new(()),
        slots: Slots::new(options.concurrency.max(1)),
        item_nanos: AtomicU64::new(0),
        call_nanos: AtomicU64::new(0),
        moved: AtomicU64::new(0),
        failed: AtomicU64::new(0),
        exhausted: AtomicU64::new(0),
        last_success: Mutex::new(begun),
    };
    let workers = options.concurrency.max(1);
    let workers = workers + (3 * workers).min(MOST_HELPERS);
    let (sender, receiver) = mpsc::sync_channel::<Batch>(workers);
    let mut writer = Writer {
        journal: &mut journal,
        results,
        marks: Mark::default(),
        can_write: true,
        error: None,
    };
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, shared) = (sender.clone(), &shared);
            scope.spawn(move || {
                Worker { fleet, executor, inspector, driver, options, shared }.work(&sender);
            });
        }
        drop(sender);
        loop {
            match receiver.recv_timeout(TICK) {
                Ok(first) => {
                    let more = std::iter::from_fn(|| receiver.try_recv().ok());
                    let batches: Vec<Batch> =
                        std::iter::once(first).chain(more.take(MAX_BATCHES)).collect();
                    writer.write(batches);
                    if writer.error.is_some() {
                        shared.broken.store(true, Ordering::Relaxed);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let tally = writer.journal.tally();
            let time = driver.now().saturating_sub(begun).as_secs_f64();
            let rate = tally.moved.saturating_sub(before) as f64 / time.max(0.001);
            let rest = plan.total.saturating_sub(tally.tried());
            let left = (rate > 0.0).then(|| Duration::try_from_secs_f64(rest as f64 / rate).ok());
            let limit = shared.pace.rate();
            observe(&Snap { total: plan.total, tally, rate, left: left.flatten(), limit });
        }
    });
    let time = driver.now().saturating_sub(begun);
    let Writer { results, marks, error, .. } = writer;
    let whole = shared.input.into_inner().unwrap_or_else(PoisonError::into_inner).reader.is_none();
    let end = match error {
        Some(error) => End::Stopped(error),
        None if !whole || stop.load(Ordering::Relaxed) && journal.tally().tried() < plan.total => {
            End::Interrupted
        }
        None if marks != plan.mark_of_rest => {
            End::Stopped(FleetError::InputChanged { path: job.input.path().to_owned() })
        }
        None if journal.tally().failed > 0 && !options.skip_failed => End::Failures,
        None => publish(results, &mut journal),
    };
    let tally = journal.tally().clone();
    let moved_now = tally.moved.saturating_sub(before);
    Ok(Report { total: plan.total, plan: Some(plan), tally, moved_now, time, end })
}

fn publish(mut results: Results, journal: &mut Journal) -> End {
    match results.publish().and_then(|()| journal.finish()) {
        Ok(()) => End::Finished,
        Err(error) => End::Stopped(error),
    }
}

impl Tally {
    /// How many items have an outcome.
    #[must_use]
    pub fn tried(&self) -> u64 {
        self.moved + self.refused + self.failed + self.not_selected
    }
}

/// What the workers have in common.
pub(super) struct Shared<'a> {
    pub(super) input: Mutex<Line>,
    pub(super) pace: Pace,
    pub(super) mirror: Option<Mirror>,
    stop: &'a AtomicBool,
    /// Something failed that ends the run.
    pub(super) broken: AtomicBool,
    /// Held by the worker that reads keys again, for all of them.
    pub(super) reading: Mutex<()>,
    /// Held while calls are under way.
    pub(super) slots: Slots,
    /// How long an item takes one worker.
    pub(super) item_nanos: AtomicU64,
    /// How long its call alone takes.
    pub(super) call_nanos: AtomicU64,
    /// Of this run.
    pub(super) moved: AtomicU64,
    /// Of this run.
    pub(super) failed: AtomicU64,
    /// Items in a row that failed however often they were sent.
    pub(super) exhausted: AtomicU64,
    pub(super) last_success: Mutex<Duration>,
}

impl Shared<'_> {
    pub(super) fn ends(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.broken.load(Ordering::Relaxed)
    }
}

/// The items that wait; `reader` is taken away at their end.
pub(super) struct Line {
    pub(super) reader: Option<Reader>,
    pub(super) done: Done,
}

/// Writes batches: results first, then the journal that counts them.
struct Writer<'j> {
    journal: &'j mut Journal,
    results: Results,
    marks: Mark,
    /// Nothing was written in part. What is not in the journal is done again.
    can_write: bool,
    /// The first that ends the run.
    error: Option<FleetError>,
}

impl Writer<'_> {
    fn write(&mut self, batches: Vec<Batch>) {
        let mut lines: Vec<Vec<u8>> = Vec::new();
        let mut entries: Vec<Entry> = Vec::new();
        let mut failure = None;
        for batch in batches {
            lines.push(batch.lines.bytes);
            entries.extend(batch.entries);
            self.marks.add(batch.mark);
            failure = failure.or(batch.error);
        }
        // What others have moved by the time one of them ends the run is kept.
        let written = if self.can_write { self.commit(&entries, &lines) } else { Ok(()) };
        self.can_write &= written.is_ok();
        self.error = self.error.take().or(written.err()).or(failure);
    }

    fn commit(&mut self, entries: &[Entry], lines: &[Vec<u8>]) -> Result<(), FleetError> {
        if entries.is_empty() {
            return Ok(());
        }
        let extent = self.results.append(self.journal.extent(), lines)?;
        self.journal.commit(entries, extent)
    }
}

/// Workers beyond the calls that may be under way: they decide and record for the others.
const MOST_HELPERS: usize = 6;
/// How often progress is told while nothing happens.
const TICK: Duration = Duration::from_millis(250);
/// As many batches as one commit takes.
const MAX_BATCHES: usize = 64;
