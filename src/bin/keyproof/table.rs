//! Cases and how they came out, in each format of `check`.

use std::io::{self, Write};

use keyproof::load::{CaseResult, Scenario};
use keyproof::report::xml_text;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use crate::output::plain;

type Results<'r> = [(&'r Scenario, Vec<CaseResult<'r>>)];

/// A row a case; what was not met stands below it.
pub fn text(cases: &[CaseResult<'_>], out: &mut dyn Write) -> io::Result<()> {
    let width = cases.iter().map(|case| plain(&case.case.name).width()).max().unwrap_or_default();
    for result in cases {
        let mark = if result.is_met() { "ok  " } else { "FAIL" };
        let name = plain(&result.case.name);
        let fill = " ".repeat(width - name.width());
        writeln!(out, "  {mark}  {name}{fill}  {}", result.outcome)?;
        for line in result.unmet.iter().flat_map(|unmet| unmet.lines()) {
            writeln!(out, "          {}", plain(line))?;
        }
    }
    Ok(())
}

/// One object for all files.
pub fn json(results: &Results<'_>) -> Value {
    let scenarios: Vec<Value> = results
        .iter()
        .map(|(scenario, cases)| {
            let cases: Vec<Value> = cases
                .iter()
                .map(|result| {
                    json!({
                        "name": result.case.name,
                        "line": result.case.line,
                        "expect": result.case.expect,
                        "outcome": result.outcome,
                        "met": result.is_met(),
                        "unmet": result.unmet,
                        "sides": result.answer.as_ref().map(|answer| {
                            answer.sides.iter().map(|side| keyproof::report::side_json(side, None)).collect::<Vec<_>>()
                        }),
                    })
                })
                .collect();
            json!({"file": scenario.path.display().to_string(), "cases": cases})
        })
        .collect();
    json!({"schema": "keyproof/scenarios/1", "scenarios": scenarios})
}

/// JUnit XML, as CI servers read it.
pub fn junit(results: &Results<'_>, out: &mut dyn Write) -> io::Result<()> {
    let all = results.iter().flat_map(|(_, cases)| cases);
    let failures = all.clone().filter(|case| !case.is_met()).count();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"keyproof\" tests=\"{}\" failures=\"{failures}\">",
        all.count()
    )?;
    for (scenario, cases) in results {
        let failures = cases.iter().filter(|case| !case.is_met()).count();
        let file = xml_text(&scenario.path.display().to_string());
        writeln!(
            out,
            "  <testsuite name=\"{file}\" tests=\"{}\" failures=\"{failures}\">",
            cases.len()
        )?;
        for result in cases {
            let (name, line) = (xml_text(&result.case.name), result.case.line);
            write!(
                out,
                "    <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\" line=\"{line}\""
            )?;
            if result.is_met() {
                writeln!(out, "/>")?;
                continue;
            }
            let first =
                result.unmet.first().map_or("", |unmet| unmet.lines().next().unwrap_or_default());
            writeln!(out, ">")?;
            writeln!(
                out,
                "      <failure message=\"{}\">{}</failure>",
                xml_text(first),
                xml_text(&result.unmet.join("\n"))
            )?;
            writeln!(out, "    </testcase>")?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

/// One annotation an unmet case.
pub fn github(results: &Results<'_>, out: &mut dyn Write) -> io::Result<()> {
    let data = |text: &str| {
        let lines: Vec<String> =
            text.split('\n').map(|line| plain(line).replace('%', "%25")).collect();
        lines.join("%0A")
    };
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    for (scenario, cases) in results {
        for result in cases.iter().filter(|case| !case.is_met()) {
            let file = property(&scenario.path.display().to_string());
            let title = property(&result.case.name);
            let message = data(&result.unmet.join("\n"));
            writeln!(
                out,
                "::error title={title},file={file},line={}::{message}",
                result.case.line
            )?;
        }
    }
    Ok(())
}

/// A table for a job summary.
pub fn markdown(results: &Results<'_>, out: &mut dyn Write) -> io::Result<()> {
    let cell = |text: &str| {
        let lines: Vec<_> = text.split('\n').map(plain).collect();
        lines.join("<br>").replace('\\', "\\\\").replace('|', "\\|")
    };
    for (scenario, cases) in results {
        writeln!(out, "### {}\n", plain(&scenario.path.display().to_string()))?;
        writeln!(out, "| | case | expected | outcome |\n|---|---|---|---|")?;
        for result in cases {
            let mark = if result.is_met() { "ok" } else { "**FAIL**" };
            let (name, expect) = (cell(&result.case.name), cell(&result.case.expect));
            writeln!(out, "| {mark} | {name} | {expect} | {} |", cell(&result.outcome))?;
        }
        writeln!(out)?;
    }
    Ok(())
}
