//! JUnit XML: a suite a file, in which a finding is a test that failed.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::ci::described;
use super::{Found, LintReport, Unreadable};
use crate::report::xml_text;

/// The report as JUnit XML. Findings below the level from which on a run fails are tests that
/// passed, with the finding as their output; a file without findings has one test.
///
/// # Errors
/// When the writer fails.
pub fn lint_junit(out: &mut dyn Write, report: &LintReport) -> io::Result<()> {
    let mut suites: BTreeMap<&str, Suite<'_>> =
        report.files.iter().map(|file| (file.as_str(), Suite::default())).collect();
    for found in &report.findings {
        suites.entry(&found.file).or_default().findings.push(found);
    }
    for one in &report.unreadable {
        suites.entry(&one.file).or_default().unreadable.push(one);
    }
    let fails = |found: &&Found| found.level >= report.fail_level;
    let failures = report.findings.iter().filter(fails).count();
    let tests: usize = suites.values().map(Suite::tests).sum();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"keyproof lint\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{}\">",
        report.unreadable.len()
    )?;
    for (file, suite) in &suites {
        let file = xml_text(file);
        let failures = suite.findings.iter().copied().filter(fails).count();
        writeln!(
            out,
            "  <testsuite name=\"{file}\" tests=\"{}\" failures=\"{failures}\" errors=\"{}\">",
            suite.tests(),
            suite.unreadable.len()
        )?;
        for found in &suite.findings {
            let start = found.area.start;
            writeln!(
                out,
                "    <testcase name=\"{} {} at {}:{}\" classname=\"{file}\" file=\"{file}\" line=\"{}\">",
                found.rule.code, found.rule.name, start.line, start.column, start.line
            )?;
            let text = xml_text(&format!(
                "{}:{}:{}: {}",
                found.file,
                start.line,
                start.column,
                described(found)
            ));
            if fails(found) {
                let (message, level) = (xml_text(&found.message), found.level);
                writeln!(
                    out,
                    "      <failure message=\"{message}\" type=\"{level}\">{text}</failure>"
                )?;
            } else {
                writeln!(out, "      <system-out>{text}</system-out>")?;
            }
            writeln!(out, "    </testcase>")?;
        }
        for one in &suite.unreadable {
            let message = xml_text(&one.message);
            writeln!(out, "    <testcase name=\"readable\" classname=\"{file}\" file=\"{file}\">")?;
            writeln!(
                out,
                "      <error message=\"{message}\" type=\"unreadable\">{message}</error>"
            )?;
            writeln!(out, "    </testcase>")?;
        }
        if suite.findings.is_empty() && suite.unreadable.is_empty() {
            writeln!(out, "    <testcase name=\"clean\" classname=\"{file}\" file=\"{file}\"/>")?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

#[derive(Default)]
struct Suite<'r> {
    findings: Vec<&'r Found>,
    unreadable: Vec<&'r Unreadable>,
}

impl Suite<'_> {
    fn tests(&self) -> usize {
        (self.findings.len() + self.unreadable.len()).max(1)
    }
}
