//! The baseline: findings that were there when it was written.

use std::collections::BTreeMap;
use std::path::Path;

use keyproof::report::{Accepted, Found, LintReport};
use serde::{Deserialize, Serialize};

use crate::input;
use crate::output::CliError;
use crate::place::{self, Pending};

const SCHEMA: &str = "keyproof/baseline/1";

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    schema: String,
    findings: Vec<Entry>,
}

/// Findings of one rule on one content. Lines do not count: they move.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    file: String,
    rule: String,
    hash: String,
    count: usize,
}

impl Baseline {
    pub fn of(report: &LintReport) -> Self {
        let mut counts: BTreeMap<(String, String, String), usize> = BTreeMap::new();
        for found in &report.findings {
            *counts.entry(key(found)).or_default() += 1;
        }
        let entry = |((file, rule, hash), count)| Entry { file, rule, hash, count };
        Self { schema: SCHEMA.to_owned(), findings: counts.into_iter().map(entry).collect() }
    }

    pub fn read(path: &Path) -> Result<Self, CliError> {
        // A pipe would be waited for; one that a shell makes, as `/dev/fd/63`, is filled.
        if !path.starts_with("/dev")
            && path.metadata().is_ok_and(|it| !it.is_file() && !it.is_dir())
        {
            return Err(CliError::at(path, "is no regular file"));
        }
        let text = input::read_text(path)?;
        let baseline: Self = serde_json::from_str(&text)
            .map_err(|error| CliError::at(path, format_args!("is no baseline: {error}")))?;
        if baseline.schema != SCHEMA {
            let schema = &baseline.schema;
            let message = format_args!("has the schema `{schema}`, not `{SCHEMA}`");
            return Err(CliError::at(path, message));
        }
        Ok(baseline)
    }

    /// Writes the baseline, over an older one but over nothing else.
    pub fn write(&self, path: &Path) -> Result<(), CliError> {
        if let (_, Some(_)) = place::writable(path)? {
            Self::read(path)?;
        }
        let mut text = serde_json::to_string_pretty(self).map_err(CliError::new)?;
        text.push('\n');
        Pending::open(path, false)?.finish(text.as_bytes())
    }

    /// Sets aside the findings that are in the baseline: as many of each as it has. First those in
    /// the same file; then, for files that were renamed, those of the same content in others.
    pub fn apply(self, report: &mut LintReport) {
        let mut left: BTreeMap<(String, String, String), usize> = BTreeMap::new();
        for entry in self.findings {
            *left.entry((entry.file, entry.rule, entry.hash)).or_default() += entry.count;
        }
        let found = std::mem::take(&mut report.findings);
        let (known, rest): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|found| taken(left.get_mut(&key(found))));
        let mut moved: BTreeMap<(String, String), usize> = BTreeMap::new();
        for ((_, rule, hash), count) in left {
            *moved.entry((rule, hash)).or_default() += count;
        }
        let (renamed, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|found| {
            let (_, rule, hash) = key(found);
            taken(moved.get_mut(&(rule, hash)))
        });
        report.findings = rest;
        let known = known.into_iter().chain(renamed);
        report.accepted.extend(known.map(|found| (found, Accepted::Baseline)));
    }
}

fn key(found: &Found) -> (String, String, String) {
    (found.file.clone(), found.rule.code.to_string(), found.hash.to_string())
}

fn taken(count: Option<&mut usize>) -> bool {
    match count {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
}
