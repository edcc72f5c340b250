//! Scenario files: cases with an expectation each, a test suite for permissions.

mod file;
mod inline;

use std::path::{Path, PathBuf};

use super::{LoadError, World};
use crate::authorize::{Authorizer, Preflight, PreflightAnswer, PreflightError};
use crate::compile::{Caller, Snapshot};
use crate::report::reasons;

/// A scenario file, read, with the world its cases are asked in.
#[derive(Debug)]
pub struct Scenario {
    /// The file.
    pub path: PathBuf,
    /// The clauses of `docs/semantics.md` that it shows, cases' own besides.
    pub clauses: Vec<String>,
    /// The page that decides, where it names one.
    pub source: Option<String>,
    /// Its cases, in order.
    pub cases: Vec<Case>,
    snapshot: Snapshot,
}

/// One case.
#[derive(Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Line of the file it starts on, from 1.
    pub line: usize,
    /// The clauses of `docs/semantics.md` that it shows.
    pub clauses: Vec<String>,
    /// The outcome it expects.
    pub expect: String,
    sides: Vec<(String, String)>,
    because: Vec<String>,
    caller: Caller,
    question: Preflight,
    /// The file's world under the case's own readings.
    snapshot: Option<Box<Snapshot>>,
}

/// How a case came out.
#[derive(Debug)]
pub struct CaseResult<'s> {
    /// The case.
    pub case: &'s Case,
    /// `allow`, `implicit-deny`, …, or AWS's error.
    pub outcome: String,
    /// The whole answer, unless a name led to no key.
    pub answer: Option<PreflightAnswer>,
    /// What was expected and is not so; empty when the case is met.
    pub unmet: Vec<String>,
}

impl CaseResult<'_> {
    /// Whether every expectation is met.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.unmet.is_empty()
    }
}

impl Scenario {
    /// Reads a scenario file. `world` is asked in where the file neither names a world nor brings
    /// its own.
    ///
    /// # Errors
    /// When the file, or the world it names, is not one.
    pub fn read(path: &Path, world: Option<&World>) -> Result<Self, LoadError> {
        file::read(path, world)
    }

    /// The world its cases are asked in.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Asks every case, in order.
    #[must_use]
    pub fn run(&self) -> Vec<CaseResult<'_>> {
        self.cases.iter().map(|case| case.run(self.snapshot_of(case))).collect()
    }

    /// The world a case is asked in: the file's, under the case's readings.
    #[must_use]
    pub fn snapshot_of<'s>(&'s self, case: &'s Case) -> &'s Snapshot {
        case.snapshot.as_deref().unwrap_or(&self.snapshot)
    }
}

impl Case {
    /// The question and who asks it.
    #[must_use]
    pub fn question(&self) -> (&Preflight, &Caller) {
        (&self.question, &self.caller)
    }

    /// Asks it in a world: `allow`, `implicit-deny`, …, or AWS's error; and the whole answer, or
    /// why there is none.
    pub fn ask(&self, world: &Snapshot) -> (String, Result<PreflightAnswer, PreflightError>) {
        let answer = Authorizer::new(world).preflight(self.question.clone(), &self.caller);
        let outcome = match &answer {
            Ok(answer) => answer.outcome().to_owned(),
            Err(error @ PreflightError::NoRegion) => error.to_string(),
            Err(error) => error.code().unwrap_or("undetermined").to_owned(),
        };
        (outcome, answer)
    }

    fn run(&self, world: &Snapshot) -> CaseResult<'_> {
        let (outcome, answer) = self.ask(world);
        let mut unmet = Vec::new();
        let met = match self.expect.as_str() {
            "deny" => matches!(outcome.as_str(), "implicit-deny" | "explicit-deny"),
            expected => expected == outcome,
        };
        if !met {
            unmet.push(format!("expected {}, got {outcome}", self.expect));
        }
        let sides = answer.as_ref().map(|answer| answer.sides.as_slice()).unwrap_or_default();
        let error = match &answer {
            Ok(answer) => answer
                .fault
                .as_ref()
                .map(|fault| format!("{}: key: {}: {}", fault.side, fault.code, fault.message)),
            Err(error) => Some(error.to_string()),
        };
        for (side, expected) in &self.sides {
            let found = sides.iter().find(|one| one.side.as_str() == side);
            let got = found.map_or("no such side", |one| one.explanation.decision.as_str());
            if got != expected {
                unmet.push(format!("expected {expected} on the {side} side, got {got}"));
            }
        }
        let lines: Vec<String> = sides
            .iter()
            .flat_map(|side| {
                reasons(side).into_iter().map(|reason| {
                    format!("{}: {}: {}: {}", side.side, reason.layer, reason.code, reason.text)
                })
            })
            .chain(error)
            .collect();
        for wanted in &self.because {
            if !lines.iter().any(|line| line.contains(wanted.as_str())) {
                unmet.push(format!(
                    "no reason has `{wanted}`; the reasons are:\n  {}",
                    lines.join("\n  ")
                ));
            }
        }
        CaseResult { case: self, outcome, answer: answer.ok(), unmet }
    }
}
