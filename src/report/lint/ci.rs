//! What code hosts show beside a change: annotations of GitHub, code quality of GitLab.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::excerpt::harmless;
use super::{Found, LintReport};
use crate::lint::{ContentHash, Level};

/// Workflow commands of GitHub Actions, one a finding.
///
/// # Errors
/// When the writer fails.
pub fn lint_github(out: &mut dyn Write, report: &LintReport) -> io::Result<()> {
    for found in &report.findings {
        let command = match found.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "notice",
        };
        let (start, end) = (found.area.start, found.area.end);
        write!(
            out,
            "::{command} title={},file={},line={},endLine={}",
            property(&format!("{} {}", found.rule.code, found.rule.name)),
            property(&found.file),
            start.line,
            end.line
        )?;
        // Columns are taken for one line alone.
        if start.line == end.line {
            write!(out, ",col={},endColumn={}", start.column, end.column)?;
        }
        writeln!(out, "::{}", data(&described(found)))?;
    }
    for one in &report.unreadable {
        let place = one.place.map(|(line, column)| format!(",line={line},col={column}"));
        writeln!(
            out,
            "::error title=unreadable,file={}{}::{}",
            property(&one.file),
            place.unwrap_or_default(),
            data(&one.message)
        )?;
    }
    Ok(())
}

/// Message and help.
pub(super) fn described(found: &Found) -> String {
    match &found.help {
        Some(help) => format!("{}\nhelp: {help}", found.message),
        None => found.message.clone(),
    }
}

fn data(text: &str) -> String {
    let lines: Vec<String> =
        text.split('\n').map(|line| harmless(line).replace('%', "%25")).collect();
    lines.join("%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// GitLab's code quality report.
#[must_use]
pub fn lint_gitlab(report: &LintReport) -> Value {
    let findings = report.findings.iter().map(|found| {
        let severity = match found.level {
            Level::Error => "major",
            Level::Warning => "minor",
            Level::Note => "info",
        };
        entry(
            (&format!("{} {}", found.rule.code, found.rule.name), severity),
            &described(found).replace('\n', "; "),
            (&found.file, found.area.start.line, found.area.end.line),
            &found.fingerprint(),
        )
    });
    let unreadable = report.unreadable.iter().map(|one| {
        let line = one.place.map_or(1, |(line, _)| line);
        entry(("unreadable", "critical"), &one.message, (&one.file, line, line), &one.message)
    });
    Value::Array(findings.chain(unreadable).collect())
}

fn entry(
    (check, severity): (&str, &str),
    description: &str,
    (file, begin, end): (&str, usize, usize),
    fingerprint: &str,
) -> Value {
    json!({
        "description": description,
        "check_name": check,
        // It has to be unique in the report.
        "fingerprint": ContentHash::of(&format!("{file}\n{fingerprint}")).to_string(),
        "severity": severity,
        "location": {"path": file, "lines": {"begin": begin, "end": end}},
    })
}
