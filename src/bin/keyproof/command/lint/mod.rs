//! `lint`

mod baseline;
mod job;
mod mend;
mod walk;

use std::io::Write;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};

use clap::{Args, ValueEnum};
use keyproof::lint::{Applicability, Extent, Level, Linter};
use keyproof::load::{self, Globs, LintSettings};
use keyproof::report::{self, LintReport, Resolver, Style, Unreadable};

use crate::exit::Exit;
use crate::input;
use crate::output::{CliError, Io, Target};
use crate::place;
use baseline::Baseline;
use job::{Done, Shop};
use mend::{Mend, Mended};
use walk::{Kind, Walk};

/// From how many files on other threads are worth their start.
const ENOUGH: usize = 16;

/// `lint`
#[derive(Args, Debug)]
pub struct Lint {
    /// Files, folders, patterns such as 'policies/**/*.json', or - for standard input
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// The name of standard input, for findings and for settings by path
    #[arg(long, value_name = "NAME", default_value = "<stdin>")]
    stdin_filename: String,
    /// Files and folders that are not linted, when a folder is; may be repeated
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// How to show the findings
    #[arg(long, value_enum, default_value_t)]
    format: LintFormat,
    /// A file for the findings, written whole or not at all
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The rules that run: codes, the start of codes (KEY), names; several are separated by commas
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    select: Vec<String>,
    /// The rules that do not run
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    ignore: Vec<String>,
    /// The level from which on findings make the exit code 1 [default: warning]
    #[arg(long, value_enum, value_name = "LEVEL")]
    fail_level: Option<FailLevel>,
    /// Findings do not change the exit code
    #[arg(long)]
    exit_zero: bool,
    /// Report only findings that are not in this baseline
    #[arg(long, value_name = "FILE", conflicts_with = "write_baseline")]
    baseline: Option<PathBuf>,
    /// Write all findings into a baseline
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
    /// Mend what can be mended without giving anybody more
    #[arg(long)]
    fix: bool,
    /// With --fix or --diff: mend also what changes decisions
    #[arg(long)]
    unsafe_fixes: bool,
    /// Show what --fix would change, and change nothing
    #[arg(long, conflicts_with_all = ["fix", "write_baseline"])]
    diff: bool,
    /// A configuration file in place of keyproof.toml, or a setting, as in 'lint.select=["KEY"]';
    /// may be repeated
    #[arg(long, value_name = "FILE|KEY=VALUE")]
    config: Vec<String>,
    /// Read no keyproof.toml
    #[arg(long)]
    isolated: bool,
    /// How many threads lint [default: one a core]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
}

/// How findings are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LintFormat {
    /// With the source, for people.
    #[default]
    Text,
    /// A line each.
    Concise,
    /// For programs.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// For CI servers.
    Junit,
}

/// A level on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailLevel {
    /// Any finding.
    Note,
    /// Warnings and errors.
    Warning,
    /// Errors.
    Error,
}

impl From<FailLevel> for Level {
    fn from(level: FailLevel) -> Self {
        match level {
            FailLevel::Note => Self::Note,
            FailLevel::Warning => Self::Warning,
            FailLevel::Error => Self::Error,
        }
    }
}

/// Lints files and folders.
pub fn run(args: &Lint, io: &mut Io) -> Result<Exit, CliError> {
    if args.unsafe_fixes && !args.fix && !args.diff {
        return Err(CliError::new("--unsafe-fixes says which fixes: add --fix or --diff"));
    }
    if args.fix && args.paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(CliError::new("standard input cannot be mended: use --diff"));
    }
    if let Some(path) = &args.output {
        Target::check(Some(path))?;
    }
    let here = std::env::current_dir().map_err(|error| CliError::at(Path::new("."), error))?;
    let mut settings = settings(args, &here)?;
    let baseline = match (&args.baseline, &settings.baseline, &args.write_baseline) {
        (_, _, Some(_)) | (None, None, _) => None,
        (Some(path), ..) | (None, Some(path), _) => Some(Baseline::read(path)?),
    };
    let extent = match args.exclude.as_slice() {
        [] => extent(&args.paths, settings.folder.as_deref()),
        _ => Extent::Some,
    };
    let suppressions = std::mem::take(&mut settings.suppressions);
    let linter = Linter::new(settings.config, suppressions, Some(input::now()));
    let boldest = if args.unsafe_fixes { Applicability::Unsafe } else { Applicability::Safe };
    let mend = (args.fix || args.diff).then_some(Mend { boldest, is_dry: args.diff });
    let shop = Shop::new(linter, settings.kinds, mend);
    let fail_level = args.fail_level.map(Level::from).or(settings.fail_level);
    let mut report = LintReport {
        files: Vec::new(),
        findings: Vec::new(),
        accepted: Vec::new(),
        unknown: Vec::new(),
        unreadable: Vec::new(),
        fail_level: fail_level.unwrap_or(Level::Warning),
    };
    let mut mended = Vec::new();
    let (all, unreadable) = all(args, &settings.exclude, &shop);
    report.unreadable.extend(unreadable);
    for path in args.output.iter().chain(&args.write_baseline) {
        keep_inputs(path, &all)?;
    }
    for (_, _, done) in all {
        report.files.extend(done.files);
        report.findings.extend(done.findings);
        report.accepted.extend(done.accepted);
        report.unknown.extend(done.unknown);
        report.unreadable.extend(done.unreadable);
        mended.extend(done.mended);
    }
    mended.sort_by(|a, b| a.name.cmp(&b.name));
    if args.diff {
        return diff(&mended, &report, io);
    }
    for one in &mended {
        report.unreadable.extend(one.write().err());
    }
    let mut resolver = Resolver::default();
    report.findings.extend(shop.linter.finish(extent).iter().map(|one| resolver.found(one)));
    report.settle();
    if let Some(path) = &args.write_baseline {
        let baseline = Baseline::of(&report);
        baseline.write(path)?;
        let count = report.findings.len();
        writeln!(io.err, "{}: {count} findings accepted", path.display())?;
        told(&report, io)?;
        return Ok(if report.unreadable.is_empty() { Exit::Yes } else { Exit::NoAnswer });
    }
    if let Some(baseline) = baseline {
        baseline.apply(&mut report);
        report.settle();
    }
    show(args, &report, io)?;
    told(&report, io)?;
    io.report_aside(|out| report::lint_summary(out, &report))?;
    Ok(match () {
        () if !report.unreadable.is_empty() => Exit::NoAnswer,
        () if report.fails() && !args.exit_zero => Exit::No,
        () => Exit::Yes,
    })
}

/// The configuration, with what the command line says.
fn settings(args: &Lint, here: &Path) -> Result<LintSettings, CliError> {
    let (words, files): (Vec<String>, Vec<String>) =
        args.config.iter().cloned().partition(|one| one.contains('=') && !Path::new(one).exists());
    let path = match files.as_slice() {
        [] if args.isolated => None,
        [] => load::find_settings(here),
        [one] => Some(here.join(one)),
        _ => return Err(CliError::new("--config names one file")),
    };
    let mut settings = load::lint_settings(path.as_deref(), &words, here).map_err(CliError::new)?;
    let base = &mut settings.config.base;
    if !args.select.is_empty() {
        base.select.clone_from(&args.select);
        base.ignore.clear();
    }
    base.ignore.extend(args.ignore.iter().cloned());
    if let Some((word, meant)) = base.unknown_selector() {
        return Err(CliError::new(load::no_such_rule(word, meant)));
    }
    if !args.exclude.is_empty() {
        let globs = Globs::new(&args.exclude, here, here).map_err(|(index, message)| {
            let pattern = args.exclude.get(index).map_or("", String::as_str);
            CliError::new(format_args!("--exclude `{pattern}` is no pattern for paths: {message}"))
        });
        settings.exclude.push(globs?);
    }
    Ok(settings)
}

/// Refuses to write to a file that is linted.
fn keep_inputs(path: &Path, linted: &[(String, Kind, Done)]) -> Result<(), CliError> {
    if !path.is_file() {
        return Ok(());
    }
    let files = linted.iter().filter(|(_, kind, _)| matches!(kind, Kind::Named | Kind::Found));
    let used: Vec<_> = files.map(|(name, ..)| ("a file that is linted", Path::new(name))).collect();
    // A report in a folder that is linted, such as the last run's, is one of its files, too.
    let is_ours =
        std::fs::read_to_string(path).is_ok_and(|text| OURS.iter().any(|it| text.contains(it)));
    for (world, ..) in linted.iter().filter(|(_, kind, _)| *kind == Kind::World) {
        place::refuse_used(path, "the output", &[], Some(Path::new(world)))?;
    }
    if is_ours { Ok(()) } else { place::refuse_used(path, "the output", &used, None) }
}

/// What is in the files that this command writes.
const OURS: &[&str] =
    &["\"keyproof/lint/", "\"keyproof/baseline/", "sarif-schema", "\"check_name\""];

/// Whether everything that the configuration is for is linted.
fn extent(paths: &[PathBuf], folder: Option<&Path>) -> Extent {
    let Some(folder) = folder.and_then(|folder| std::fs::canonicalize(folder).ok()) else {
        return Extent::Some;
    };
    let folders = paths.iter().filter(|path| path.is_dir());
    let mut walked = folders.filter_map(|path| std::fs::canonicalize(path).ok());
    if walked.any(|above| folder.starts_with(above)) { Extent::All } else { Extent::Some }
}

/// Lints everything, by several threads where there is enough to do, while the folders are still
/// walked. A file is dropped with its job.
fn all(
    args: &Lint,
    exclude: &[Globs],
    shop: &Shop,
) -> (Vec<(String, Kind, Done)>, Vec<Unreadable>) {
    let helpers = || {
        let threads = args.jobs.or_else(|| std::thread::available_parallelism().ok());
        threads.map_or(1, NonZero::get) - 1
    };
    let (sender, receiver) = mpsc::channel::<(String, Kind)>();
    let receiver = Mutex::new(receiver);
    let done = Mutex::new(Vec::new());
    let work = || {
        let mut mine = Vec::new();
        let next = || receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        while let Ok((name, kind)) = next() {
            let done = shop.lint(&name, kind);
            mine.push((name, kind, done));
        }
        done.lock().unwrap_or_else(PoisonError::into_inner).extend(mine);
    };
    let unreadable = std::thread::scope(|scope| {
        let mut count = 0;
        let mut take = |name, kind| {
            count += 1;
            if count == ENOUGH {
                for _ in 0..helpers() {
                    scope.spawn(work);
                }
            }
            // The receiver is there as long as we are.
            let _ = sender.send((name, kind));
        };
        let unreadable = Walk::over(&args.paths, &args.stdin_filename, exclude, &mut take);
        drop(sender);
        work();
        unreadable
    });
    (done.into_inner().unwrap_or_else(PoisonError::into_inner), unreadable)
}

fn diff(mended: &[Mended], report: &LintReport, io: &mut Io) -> Result<Exit, CliError> {
    io.report(|out| mended.iter().try_for_each(|one| out.write_all(one.diff().as_bytes())))?;
    told(report, io)?;
    Ok(match () {
        () if !report.unreadable.is_empty() => Exit::NoAnswer,
        () if !mended.is_empty() => Exit::No,
        () => Exit::Yes,
    })
}

/// What could not be read, on standard error.
fn told(report: &LintReport, io: &mut Io) -> Result<(), CliError> {
    for one in &report.unreadable {
        let place = one.place.map(|(line, column)| format!(":{line}:{column}"));
        io.error(&CliError::new(format_args!(
            "{}{}: {}",
            one.file,
            place.unwrap_or_default(),
            one.message
        )));
    }
    Ok(())
}

fn show(args: &Lint, report: &LintReport, io: &mut Io) -> Result<(), CliError> {
    let style = if args.output.is_some() { Style::Plain } else { io.style };
    let mut text = Vec::new();
    match args.format {
        LintFormat::Text => report::lint_text(&mut text, report, style)?,
        LintFormat::Concise => report::lint_concise(&mut text, report, style)?,
        LintFormat::Json => text = json(&report::lint_json(report)),
        LintFormat::Sarif => text = json(&report::lint_sarif(report)),
        LintFormat::Github => report::lint_github(&mut text, report)?,
        LintFormat::Gitlab => text = json(&report::lint_gitlab(report)),
        LintFormat::Junit => report::lint_junit(&mut text, report)?,
    }
    match &args.output {
        Some(path) => Target::open(Some(path), false)?.write(io, &text),
        None => Ok(io.out.write_all(&text)?),
    }
}

/// A JSON text. Control characters that JSON lets stand are written as escapes: terminals obey some.
fn json(value: &serde_json::Value) -> Vec<u8> {
    let mut text = format!("{value:#}\n");
    let obeyed = |c: char| ('\u{7f}'..='\u{9f}').contains(&c);
    if text.contains(obeyed) {
        let mut escaped = String::with_capacity(text.len());
        for c in text.chars() {
            if obeyed(c) {
                escaped.push_str(&format!("\\u{:04x}", u32::from(c)));
            } else {
                escaped.push(c);
            }
        }
        text = escaped;
    }
    text.into_bytes()
}
