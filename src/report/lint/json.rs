//! `keyproof/lint/1`; docs/schema/lint-1.json describes it.

use serde_json::{Value, json};

use super::{Accepted, Area, Found, LintReport, Point};
use crate::lint::{Applicability, Level};

/// The report as a JSON object.
#[must_use]
pub fn lint_json(report: &LintReport) -> Value {
    let accepted = report.accepted.iter().map(|(found, why)| {
        let mut value = finding(found);
        if let Value::Object(members) = &mut value {
            let (by, reason) = match why {
                Accepted::Baseline => ("baseline", None),
                Accepted::Suppressed(reason) => ("suppression", Some(reason)),
            };
            members.insert("accepted".into(), json!({"by": by, "reason": reason}));
        }
        value
    });
    let unknown = report.unknown.iter().map(|one| {
        json!({
            "file": one.file, "address": one.address, "span": area(one.area), "reason": one.reason,
        })
    });
    let unreadable = report.unreadable.iter().map(|one| {
        json!({
            "file": one.file,
            "line": one.place.map(|(line, _)| line),
            "column": one.place.map(|(_, column)| column),
            "message": one.message,
        })
    });
    let suppressed =
        report.accepted.iter().filter(|(_, why)| matches!(why, Accepted::Suppressed(_))).count();
    json!({
        "schema": "keyproof/lint/1",
        "summary": {
            "files": report.files.len(),
            "errors": report.count(Level::Error),
            "warnings": report.count(Level::Warning),
            "notes": report.count(Level::Note),
            "suppressed": suppressed,
            "baseline": report.accepted.len() - suppressed,
            "unknown": report.unknown.len(),
            "unreadable": report.unreadable.len(),
        },
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "accepted": accepted.collect::<Vec<_>>(),
        "unknown": unknown.collect::<Vec<_>>(),
        "unreadable": unreadable.collect::<Vec<_>>(),
    })
}

fn finding(found: &Found) -> Value {
    let related = found.related.iter().map(|related| {
        json!({"file": related.file, "span": area(related.area), "message": related.message})
    });
    let fix = found.fix.as_ref().map(|fix| {
        let edits = fix.edits.as_ref().map(|edits| {
            let edit = |(at, text): &(Area, String)| json!({"span": area(*at), "text": text});
            edits.iter().map(edit).collect::<Vec<_>>()
        });
        json!({
            "title": fix.title,
            "safe": fix.applicability == Applicability::Safe,
            "edits": edits,
        })
    });
    let statement = found.statement.as_ref().map(|statement| {
        json!({
            "pointer": format!("/Statement/{}", statement.index),
            "sid": statement.sid,
            "hash": statement.hash.to_string(),
        })
    });
    json!({
        "code": found.rule.code.as_str(),
        "name": found.rule.name,
        "level": found.level.as_str(),
        "message": found.message,
        "help": found.help,
        "file": found.file,
        "address": found.address,
        "span": area(found.area),
        "related": related.collect::<Vec<_>>(),
        "fix": fix,
        "statement": statement,
        "fingerprint": found.fingerprint(),
    })
}

fn area(area: Area) -> Value {
    json!({"start": point(area.start), "end": point(area.end)})
}

fn point(point: Point) -> Value {
    json!({"line": point.line, "column": point.column, "offset": point.offset})
}
