//! For people: with the source, or a line each.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};

use super::excerpt::harmless;
use super::{Accepted, Excerpt, Found, LintReport};
use crate::lint::{Applicability, Level};
use crate::report::Style;

/// How many places that are not known are listed in a summary.
const LISTED: usize = 10;

/// Each finding with its source, the place underlined.
///
/// # Errors
/// When the writer fails.
pub fn lint_text(out: &mut dyn Write, report: &LintReport, style: Style) -> io::Result<()> {
    let painter = Painter(style);
    for found in &report.findings {
        painter.finding(out, found)?;
        writeln!(out)?;
    }
    Ok(())
}

/// `path:line:column: level[CODE] message`, a line each.
///
/// # Errors
/// When the writer fails.
pub fn lint_concise(out: &mut dyn Write, report: &LintReport, style: Style) -> io::Result<()> {
    let painter = Painter(style);
    for found in &report.findings {
        let level = painter.on(level_style(found.level), found.level.as_str());
        let at = found.area.start;
        writeln!(
            out,
            "{}:{}:{}: {level}[{}] {}",
            harmless(&found.file),
            at.line,
            at.column,
            found.rule.code,
            harmless(&found.message)
        )?;
    }
    Ok(())
}

/// What was looked at and what came of it: for standard error, so that no format hides it.
///
/// # Errors
/// When the writer fails.
pub fn lint_summary(out: &mut dyn Write, report: &LintReport) -> io::Result<()> {
    for one in report.unknown.iter().take(LISTED) {
        let at = one.area.start;
        let address = address(one.address.as_deref());
        let (file, reason) = (harmless(&one.file), harmless(&one.reason));
        writeln!(out, "unknown: {file}:{}:{}{address}: {reason}", at.line, at.column)?;
    }
    if let Some(more) = report.unknown.len().checked_sub(LISTED).filter(|more| *more > 0) {
        writeln!(out, "unknown: {more} more, listed by --format json")?;
    }
    let files = counted(report.files.len(), "file");
    let levels: Vec<String> =
        [(Level::Error, "error"), (Level::Warning, "warning"), (Level::Note, "note")]
            .into_iter()
            .map(|(level, word)| counted(report.count(level), word))
            .collect();
    let suppressed =
        report.accepted.iter().filter(|(_, why)| matches!(why, Accepted::Suppressed(_))).count();
    let baseline = report.accepted.len() - suppressed;
    write!(out, "{files}: {}; {suppressed} suppressed, ", levels.join(", "))?;
    if baseline > 0 {
        write!(out, "{baseline} in the baseline, ")?;
    }
    writeln!(out, "{}", counted(report.unknown.len(), "unknown value"))?;
    let fixable = |wanted: Applicability| {
        let fixes = report.findings.iter().filter_map(|found| found.fix.as_ref());
        fixes.filter(|fix| fix.edits.is_some() && fix.applicability == wanted).count()
    };
    match (fixable(Applicability::Safe), fixable(Applicability::Unsafe)) {
        (0, 0) => Ok(()),
        (safe, 0) => writeln!(out, "--fix mends {safe}"),
        (safe, unsafe_) => {
            writeln!(out, "--fix mends {safe}, --fix --unsafe-fixes {unsafe_} more")
        }
    }
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

fn address(address: Option<&str>) -> String {
    address.map(|address| format!(" ({})", harmless(address))).unwrap_or_default()
}

fn level_style(level: Level) -> Ansi {
    let color = match level {
        Level::Error => AnsiColor::Red,
        Level::Warning => AnsiColor::Yellow,
        Level::Note => AnsiColor::Cyan,
    };
    color.on_default().bold()
}

const FRAME: Ansi = AnsiColor::Blue.on_default().bold();
const BOLD: Ansi = Ansi::new().bold();

struct Painter(Style);

impl Painter {
    fn on(&self, ansi: Ansi, text: &str) -> String {
        match self.0 {
            Style::Colour => format!("{ansi}{text}{ansi:#}"),
            Style::Plain => text.to_owned(),
        }
    }

    fn finding(&self, out: &mut dyn Write, found: &Found) -> io::Result<()> {
        let level = level_style(found.level);
        let head = format!("{}[{}]", found.level, found.rule.code);
        let message = format!(": {}", harmless(&found.message));
        writeln!(out, "{}{}", self.on(level, &head), self.on(BOLD, &message))?;
        let last = found.related.iter().map(|related| related.excerpt.line);
        let last = last.chain([found.excerpt.line]).max().unwrap_or_default();
        let margin = last.to_string().len();
        let fill = " ".repeat(margin);
        let at = found.area.start;
        writeln!(
            out,
            "{fill}{} {}:{}:{}{}",
            self.on(FRAME, "-->"),
            harmless(&found.file),
            at.line,
            at.column,
            address(found.address.as_deref())
        )?;
        self.excerpt(out, &found.excerpt, margin, ('^', level), "")?;
        for related in &found.related {
            // In the same file the number of the line tells enough.
            if related.file != found.file {
                let at = related.area.start;
                let (arrow, file) = (self.on(FRAME, ":::"), harmless(&related.file));
                writeln!(out, "{fill}{arrow} {file}:{}:{}", at.line, at.column)?;
            }
            self.excerpt(out, &related.excerpt, margin, ('-', FRAME), &related.message)?;
        }
        let note = |label: &str, text: &str| {
            format!("{fill} {} {}: {}", self.on(FRAME, "="), self.on(BOLD, label), harmless(text))
        };
        writeln!(out, "{}", note("rule", found.rule.name))?;
        if let Some(help) = &found.help {
            writeln!(out, "{}", note("help", help))?;
        }
        if let Some(fix) = &found.fix {
            let label = match (&fix.edits, fix.applicability) {
                (None, _) => "fix by hand",
                (Some(_), Applicability::Safe) => "fix",
                (Some(_), Applicability::Unsafe) => "unsafe fix",
            };
            writeln!(out, "{}", note(label, &fix.title))?;
        }
        Ok(())
    }

    fn excerpt(
        &self,
        out: &mut dyn Write,
        excerpt: &Excerpt,
        margin: usize,
        (mark, ansi): (char, Ansi),
        label: &str,
    ) -> io::Result<()> {
        let fill = " ".repeat(margin);
        let number = format!("{:margin$}", excerpt.line);
        let bar = self.on(FRAME, "|");
        writeln!(out, "{fill} {bar}")?;
        let line = format!("{} {bar} {}", self.on(FRAME, &number), excerpt.text);
        writeln!(out, "{}", line.trim_end())?;
        let mut marks = String::from(mark).repeat(excerpt.width);
        if let Some(until) = excerpt.until {
            marks.push_str(&format!(" … to line {until}"));
        }
        if !label.is_empty() {
            marks.push_str(&format!(" {}", harmless(label)));
        }
        writeln!(out, "{fill} {bar} {}{}", " ".repeat(excerpt.indent), self.on(ansi, &marks))
    }
}
