//! SARIF 2.1.0, for GitHub code scanning and other hosts.

use serde_json::{Map, Value, json};

use super::ci::described;
use super::{Accepted, Area, Found, LintReport};
use crate::lint::{Level, RULES, Rule};
use crate::report::rule_markdown;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The report as a SARIF log. Its rules are those that found something.
#[must_use]
pub fn lint_sarif(report: &LintReport) -> Value {
    let all = || report.findings.iter().chain(report.accepted.iter().map(|(found, _)| found));
    let is_of = |rule: &Rule| all().any(|found| std::ptr::eq(found.rule, rule));
    let rules: Vec<&Rule> = RULES.iter().copied().filter(|rule| is_of(rule)).collect();
    let index = |found: &Found| rules.iter().position(|rule| std::ptr::eq(*rule, found.rule));
    let mut results: Vec<(&Found, Value)> =
        report.findings.iter().map(|found| (found, result(found, index(found), None))).collect();
    results.extend(
        report.accepted.iter().map(|(found, why)| (found, result(found, index(found), Some(why)))),
    );
    results.sort_by(|a, b| a.0.order().cmp(&b.0.order()));
    let results: Vec<Value> = results.into_iter().map(|(_, result)| result).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "keyproof",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.into_iter().map(descriptor).collect::<Vec<_>>(),
            }},
            "columnKind": "utf16CodeUnits",
            "invocations": [invocation(report)],
            "results": results,
        }],
    })
}

fn descriptor(rule: &Rule) -> Value {
    let section = |heading| rule.section(heading).unwrap_or_default();
    let text = format!("{}\n\n{}", section("What it does"), section("Why is this bad?"));
    json!({
        "id": rule.code.as_str(),
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": section("What it does")},
        "help": {"text": text, "markdown": rule_markdown(rule, 1)},
        "defaultConfiguration": {"level": rule.level.as_str()},
        "properties": {"tags": ["security", rule.code.area()]},
    })
}

fn result(found: &Found, index: Option<usize>, accepted: Option<&Accepted>) -> Value {
    let mut location = json!({"physicalLocation": place(&found.file, found.area)});
    if let (Some(address), Value::Object(members)) = (&found.address, &mut location) {
        let logical = json!([{"fullyQualifiedName": address, "kind": "resource"}]);
        members.insert("logicalLocations".into(), logical);
    }
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    put("ruleId", found.rule.code.as_str().into());
    put("ruleIndex", index.map_or_else(|| json!(-1), |index| json!(index)));
    put("level", found.level.as_str().into());
    put("message", json!({"text": described(found)}));
    put("locations", json!([location]));
    put(
        "partialFingerprints",
        json!({"contentHash/v1": format!("{}:{}", found.hash, found.ordinal)}),
    );
    if !found.related.is_empty() {
        let related = found.related.iter().enumerate().map(|(id, related)| {
            json!({
                "id": id,
                "physicalLocation": place(&related.file, related.area),
                "message": {"text": related.message},
            })
        });
        put("relatedLocations", related.collect());
    }
    if let Some(fix) = &found.fix
        && let Some(edits) = &fix.edits
    {
        let replacements = edits.iter().map(|(area, text)| {
            json!({"deletedRegion": region(*area), "insertedContent": {"text": text}})
        });
        let change = json!({
            "artifactLocation": artifact(&found.file),
            "replacements": replacements.collect::<Vec<_>>(),
        });
        put("fixes", json!([{"description": {"text": fix.title}, "artifactChanges": [change]}]));
    }
    let suppression = match accepted {
        None => return Value::Object(members),
        Some(Accepted::Baseline) => {
            put("baselineState", "unchanged".into());
            json!({"kind": "external", "justification": "in the baseline"})
        }
        Some(Accepted::Suppressed(reason)) => json!({"kind": "external", "justification": reason}),
    };
    put("suppressions", json!([suppression]));
    Value::Object(members)
}

/// What could not be read, and what is known only once it is applied.
fn invocation(report: &LintReport) -> Value {
    let unreadable = report.unreadable.iter().map(|one| {
        let mut place = json!({"artifactLocation": artifact(&one.file)});
        if let (Some((line, column)), Value::Object(members)) = (one.place, &mut place) {
            let region = json!({"startLine": line, "startColumn": column});
            members.insert("region".into(), region);
        }
        notification(Level::Error, &one.message, place)
    });
    let unknown = report
        .unknown
        .iter()
        .map(|one| notification(Level::Note, &one.reason, place(&one.file, one.area)));
    json!({
        "executionSuccessful": report.unreadable.is_empty(),
        "toolExecutionNotifications": unreadable.chain(unknown).collect::<Vec<_>>(),
    })
}

fn notification(level: Level, message: &str, place: Value) -> Value {
    json!({
        "level": level.as_str(),
        "message": {"text": message},
        "locations": [{"physicalLocation": place}],
    })
}

fn place(file: &str, area: Area) -> Value {
    json!({"artifactLocation": artifact(file), "region": region(area)})
}

fn region(area: Area) -> Value {
    json!({
        "startLine": area.start.line,
        "startColumn": area.start.utf16,
        "endLine": area.end.line,
        "endColumn": area.end.utf16,
    })
}

/// Relative files are below the root of the sources.
fn artifact(file: &str) -> Value {
    let uri = encoded(file);
    if file.starts_with('/') {
        json!({"uri": format!("file://{uri}")})
    } else {
        json!({"uri": uri, "uriBaseId": "%SRCROOT%"})
    }
}

/// A path as a URI.
fn encoded(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
