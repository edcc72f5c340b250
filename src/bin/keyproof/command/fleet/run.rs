//! `fleet run`

use std::future::Future;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use keyproof::backend::embedded;
use keyproof::execute::{Executor, Wait};
use keyproof::fleet::{self, Driver, End, FleetError, Options, Output, Report, Snap};
use serde_json::json;

use super::{JobArgs, Refusals, show_plan};
use crate::cli::Format;
use crate::command::backend::{BackendArgs, BackendFiles, Repeats};
use crate::command::guarded::Clock;
use crate::exit::Exit;
use crate::output::{self, CliError, Io};
use crate::place::{self, Used};

/// `fleet run`
#[derive(Args, Debug)]
pub struct Run {
    #[command(flatten)]
    pub job: JobArgs,
    #[command(flatten)]
    pub backend: BackendArgs,
    /// Where the new ciphertexts go: a new folder for those of an input folder, else a new file of
    /// JSON lines. It is there when it is complete
    #[arg(long, short, value_name = "PATH")]
    pub output: PathBuf,
    /// A new file for what was done, item by item, when the output is a folder [default: the
    /// output's name with `.results.jsonl`]
    #[arg(long, value_name = "FILE")]
    pub results: Option<PathBuf>,
    /// The journal, made on the first run [default: the output's name with `.journal`]
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// Move the others although some items are refused
    #[arg(long)]
    pub skip_refused: bool,
    /// Finish although some items failed, without these
    #[arg(long)]
    pub skip_failed: bool,
    /// How many calls are under way at once
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub concurrency: u16,
    /// Calls a second at most; less while the backend throttles [default: as fast as it goes]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub requests_per_second: Option<f64>,
    /// How many seconds one call may take
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
    /// How to show the report
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.01..=1e6).contains(&rate) => Ok(rate),
        _ => Err("give a number between 0.01 and 1000000".to_owned()),
    }
}

pub fn run(args: &Run, io: &mut Io) -> Result<Exit, CliError> {
    let places = Places::of(args)?;
    places.refuse_overwriting(args)?;
    let loaded = args.backend.world(&places.backend, &args.job.world, &args.job.readings)?;
    args.job.refuse_unknown_material(&loaded)?;
    let job = args.job.job(&loaded)?;
    let caller = args.job.caller(&loaded)?;
    let mut refusals = Refusals::open(&args.job, &places.used())?;
    // A run sends again by itself, and knows how many calls there are.
    let (world, backend, freshness) = args.backend.open(loaded, Repeats::Caller)?;
    let audit = places.backend.audit_log()?;
    let executor = Executor::new(backend, audit, Clock).with_freshness(freshness);
    let driver = Tokio::new()?;
    let options = Options {
        skip_refused: args.skip_refused,
        skip_failed: args.skip_failed,
        concurrency: args.concurrency.into(),
        requests_per_second: args.requests_per_second,
        timeout: Duration::from_secs(args.timeout),
        seed: u64::from_be_bytes(embedded::random_bytes().map_err(CliError::new)?),
        ..Options::default()
    };
    let mut progress = Progress::new();
    let report = fleet::run(
        &fleet::Fleet {
            job: &job,
            output: &places.output,
            journal: &places.journal,
            world: &world,
            caller: &caller,
        },
        &executor,
        executor.backend(),
        &driver,
        &options,
        &driver.stop,
        |item, refusal| refusals.add(item, refusal),
        |snap| progress.show(snap, io),
    );
    progress.clear(io);
    let first = refusals.finish()?;
    match report {
        Ok(report) => {
            if let Some(plan) = report.plan.as_ref().filter(|plan| plan.refused > 0) {
                show_plan(plan, &first, Format::Text, io, true)?;
            }
            finish(args, &places, &report, io)
        }
        Err(error @ FleetError::Refusals { .. }) => {
            for refusal in &first {
                let text = |name: &str| refusal[name].as_str().unwrap_or_default().to_owned();
                let (id, code, reason) = (text("id"), text("code"), text("reason"));
                let line = format!("item `{id}`: {code}: {reason}");
                let _ = writeln!(io.err, "{}", output::plain(&line));
            }
            Err(CliError::denied(format_args!(
                "{error}; `keyproof fleet plan` tells all reasons, --skip-refused moves the others"
            )))
        }
        Err(error) => Err(CliError::new(error)),
    }
}

fn finish(args: &Run, places: &Places, report: &Report, io: &mut Io) -> Result<Exit, CliError> {
    let (word, exit) = match &report.end {
        End::Failures => ("failures", Exit::NoAnswer),
        End::Finished => ("finished", Exit::Yes),
        End::Interrupted => ("interrupted", Exit::NoAnswer),
        End::Stopped(_) => ("stopped", Exit::NoAnswer),
    };
    let tally = &report.tally;
    let rate = report.moved_now as f64 / report.time.as_secs_f64().max(0.001);
    io.done(format_args!("{} of {} items are moved", tally.moved, report.total));
    match args.format {
        Format::Text => {
            writeln!(
                io.out,
                "{word}: {} of {} items moved, {} refused, {} failed, {} not selected",
                tally.moved, report.total, tally.refused, tally.failed, tally.not_selected
            )?;
            writeln!(
                io.out,
                "this run moved {} in {:.1} s, {rate:.0} a second",
                report.moved_now,
                report.time.as_secs_f64()
            )?;
        }
        Format::Json => {
            let report = json!({
                "schema": "keyproof/fleet-report/1", "end": word, "items": report.total,
                "moved": tally.moved, "refused": tally.refused, "failed": tally.failed,
                "notSelected": tally.not_selected, "movedNow": report.moved_now,
                "seconds": report.time.as_secs_f64(),
                "output": args.output.display().to_string(),
                "results": places.output.results.display().to_string(),
                "journal": places.journal.display().to_string(),
            });
            writeln!(io.out, "{report:#}")?;
        }
    }
    let journal = places.journal.display();
    let message = match &report.end {
        // It was finished without them, which this command does not accept.
        End::Finished if report.plan.is_none() && tally.refused > 0 && !args.skip_refused => {
            let _ = io.out.flush();
            return Err(CliError::denied(format_args!(
                "the job was finished without {} items that were refused: if they are allowed now, \
                 list them in an input of their own and move them to another output",
                tally.refused
            )));
        }
        End::Finished => return Ok(exit),
        End::Interrupted => {
            "interrupted; what is moved is kept: run the same command again to go on".to_owned()
        }
        End::Failures => format!(
            "{} items failed, `keyproof fleet status --journal {journal}` tells why: run the same \
             command again to try them again, or add --skip-failed to finish without them",
            tally.failed
        ),
        End::Stopped(error) => error.to_string(),
    };
    let _ = io.out.flush();
    Err(CliError::new(message))
}

/// The files of a run.
struct Places {
    output: Output,
    journal: PathBuf,
    backend: BackendFiles,
}

impl Places {
    fn of(args: &Run) -> Result<Self, CliError> {
        let lines = args.output.extension().is_some_and(|ending| ending == "jsonl");
        let mirrored = args.job.input.is_dir() && !lines;
        let results = match (&args.results, mirrored) {
            (Some(results), true) => results.clone(),
            (None, true) => output::beside(&args.output, "results.jsonl"),
            (_, false) => args.output.clone(),
        };
        let beside_output = || output::beside(&args.output, "journal");
        Ok(Self {
            output: Output { results, folder: mirrored.then(|| args.output.clone()) },
            journal: args.journal.clone().unwrap_or_else(beside_output),
            backend: args.backend.files(&args.job.world, &[("the input", &args.job.input)])?,
        })
    }

    fn used(&self) -> Vec<Used<'_>> {
        let mut used = self.backend.keys();
        used.extend([
            ("the audit file", self.backend.audit.as_path()),
            ("the journal", &self.journal),
            ("the results", &self.output.results),
        ]);
        used.extend(self.output.folder.iter().map(|folder| ("the output", folder.as_path())));
        used
    }

    fn refuse_overwriting(&self, args: &Run) -> Result<(), CliError> {
        place::refuse_dangling(&self.journal)?;
        args.job.refuse_inside_input(&self.backend.audit, "the audit file")?;
        if args.results.is_some() && self.output.folder.is_none() {
            return Err(CliError::new(
                "--results belongs to an output folder: JSON lines are their own results",
            ));
        }
        let mut used = self.backend.keys();
        used.push(("the input", &args.job.input));
        used.push(("the audit file", &self.backend.audit));
        let results = [("the results", self.output.results.as_path())];
        let folder = self.output.folder.iter().map(|folder| ("the output", folder.as_path()));
        let ours: Vec<(&'static str, &Path)> = [("the journal", self.journal.as_path())]
            .into_iter()
            .chain(results)
            .chain(folder)
            .collect();
        for (what, path) in ours {
            args.job.refuse_overwriting(path, what, &used)?;
            let part = output::beside(path, "part");
            args.job.refuse_overwriting(&part, what, &used)?;
            if let Some(folder) = &self.output.folder
                && path != folder
                && place::is_inside(path, folder)
            {
                let message = format!("{what} would be inside the output: name a file elsewhere");
                return Err(CliError::at(path, message));
            }
            used.push((what, path));
        }
        Ok(())
    }
}

/// Real time, and futures that may need a runtime.
struct Tokio {
    runtime: tokio::runtime::Runtime,
    since: Instant,
    stop: Arc<AtomicBool>,
}

impl Tokio {
    fn new() -> Result<Self, CliError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(CliError::new)?;
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        // Who does not want to wait, and asks again, loses nothing either.
        let ask = move || {
            if asked.swap(true, Ordering::Relaxed) {
                std::process::exit(2);
            }
        };
        #[cfg(unix)]
        runtime.spawn({
            let ask = ask.clone();
            async move {
                use tokio::signal::unix::{SignalKind, signal};

                let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
                while terminate.recv().await.is_some() {
                    ask();
                }
            }
        });
        runtime.spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                ask();
            }
        });
        Ok(Self { runtime, since: Instant::now(), stop })
    }
}

impl Wait for Tokio {
    fn wait<F: Future>(&self, future: F, limit: Duration) -> Option<F::Output> {
        self.runtime.block_on(async { tokio::time::timeout(limit, future).await }).ok()
    }
}

impl Driver for Tokio {
    fn now(&self) -> Duration {
        self.since.elapsed()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// One line that is written over on a terminal, else a line now and then.
struct Progress {
    terminal: bool,
    last: Option<Instant>,
    shown: bool,
}

impl Progress {
    fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        // The first plain line is not at once: short runs need none.
        Self { terminal, last: (!terminal).then(Instant::now), shown: false }
    }

    fn show(&mut self, snap: &Snap<'_>, io: &mut Io) {
        let pause = if self.terminal { EVERY_ON_TERMINAL } else { EVERY };
        if self.last.is_some_and(|last| last.elapsed() < pause) {
            return;
        }
        self.last = Some(Instant::now());
        self.shown = true;
        let tally = snap.tally;
        let mut line = format!("{} of {} items", tally.tried(), snap.total);
        if tally.failed > 0 {
            line.push_str(&format!(", {} failed", tally.failed));
        }
        line.push_str(&format!(", {:.0} a second", snap.rate));
        if let Some(limit) = snap.limit {
            line.push_str(&format!(" (limit {limit:.1})"));
        }
        if let Some(left) = snap.left {
            let seconds = left.as_secs();
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            line.push_str(&format!(", {hours}:{minutes:02}:{:02} left", seconds % 60));
        }
        let _ = if self.terminal {
            write!(io.err, "\r\x1b[K{line}").and_then(|()| io.err.flush())
        } else {
            writeln!(io.err, "{line}")
        };
    }

    fn clear(&self, io: &mut Io) {
        if self.terminal && self.shown {
            let _ = write!(io.err, "\r\x1b[K");
        }
    }
}

const EVERY_ON_TERMINAL: Duration = Duration::from_millis(200);
const EVERY: Duration = Duration::from_secs(10);
