//! What would have to change, as text.

use std::io::{self, Write};

use super::reason::place;
use crate::authorize::PreflightAnswer;
use crate::evaluate::StatementFinding;
use crate::model::Decision;
use crate::remedy::{
    Addition, Document, Elsewhere, Fix, Level, Obstacle, Owner, Place, Remedy, Wanted,
};
use crate::syntax;

/// Writes the remedy of one side.
pub(super) fn remedy(out: &mut dyn Write, remedy: &Remedy) -> io::Result<()> {
    match &remedy.fix {
        Fix::Add(additions) => {
            for (number, addition) in additions.iter().enumerate() {
                let word = if number == 0 { "smallest fix: add" } else { "and add" };
                let Addition { owner, elsewhere, .. } = addition;
                writeln!(out, "  {word} to {}, {}:", target(addition), who(owner, *elsewhere))?;
                writeln!(out, "    {}", syntax::print_statement(&addition.statement))?;
            }
        }
        Fix::Denied { denials, otherwise } => {
            writeln!(out, "  nothing that is added helps against an explicit deny:")?;
            for denial in denials {
                let owner = who(&denial.owner, denial.elsewhere);
                writeln!(out, "    {}, {owner}", place(&denial.finding))?;
                if denial.conditions.is_empty() {
                    writeln!(out, "      it has no condition that another request could fail")?;
                }
                for condition in &denial.conditions {
                    writeln!(out, "      it denies while this holds: {}", wanted(condition))?;
                }
            }
            if !otherwise.is_allow() && *otherwise != Decision::ExplicitDeny {
                writeln!(out, "    without it the answer would be {otherwise}")?;
            }
        }
        Fix::Nothing(obstacle) => match obstacle {
            Obstacle::Service => {
                writeln!(out, "  no fix: KMS refuses this call whatever the policies say")?;
            }
            Obstacle::Unreachable => {
                writeln!(out, "  no fix: no statement in a policy that can be changed allows it")?;
            }
            Obstacle::Unknown(unknown) => {
                writeln!(out, "  no fix is sure: the answer would still be undetermined")?;
                for one in unknown {
                    writeln!(out, "    {}: {}: {}", one.layer, one.what, one.reason)?;
                }
            }
        },
    }
    for instead in &remedy.or_request {
        writeln!(out, "  or change the request: {} allows it if", place(&instead.finding))?;
        for condition in &instead.conditions {
            writeln!(out, "    this holds: {}", wanted(condition))?;
        }
    }
    Ok(())
}

/// Writes what is decided with all fixes.
pub(super) fn fixed(out: &mut dyn Write, answer: &PreflightAnswer) -> io::Result<()> {
    writeln!(out, "with the fixes: {}", answer.outcome())?;
    let open = answer.sides.iter().filter(|side| !side.explanation.decision.is_allow());
    for side in open {
        let decision = side.explanation.decision;
        writeln!(out, "    {} stays {decision}: {}", side.side, side.action)?;
    }
    match &answer.fault {
        Some(fault) => writeln!(out, "    {}: {}", fault.side, fault.message),
        None => Ok(()),
    }
}

/// `key policy default of arn:… (policies/…/policy.json)`.
fn target(addition: &Addition) -> String {
    let mut text = document(addition);
    if let Some(file) = file(addition) {
        text = format!("{text} ({file})");
    }
    match &addition.level {
        Some(level) => format!("{text}, attached to {}", attached(level)),
        None => text,
    }
}

/// The document's name, with that of its key or endpoint where it has none of its own.
pub(super) fn document(addition: &Addition) -> String {
    match (&addition.document, &addition.place) {
        (Document::Existing(policy), Place::KeyPolicy(arn)) => format!("{} of {arn}", policy.name),
        (Document::Existing(policy), Place::Boundary(arn)) => format!("{} of {arn}", policy.name),
        (Document::Existing(policy), _) => policy.name.to_string(),
        (Document::Further { name, .. }, _) => name.to_string(),
    }
}

/// The file, and the place in it for a document that is a part of one.
pub(super) fn file(addition: &Addition) -> Option<String> {
    match &addition.document {
        Document::Existing(policy) => {
            let source = &policy.source;
            Some(if (source.line, source.column) == (1, 1) {
                source.file.to_string()
            } else {
                source.locate(crate::model::Span::default()).to_string()
            })
        }
        Document::Further { file, .. } => file.as_ref().map(ToString::to_string),
    }
}

/// `ou-root-apps`, `level 2 of 3 from the root`.
pub(super) fn attached(level: &Level) -> String {
    match &level.target {
        Some(target) => target.to_string(),
        None => format!("level {} of {} from the root", level.index + 1, level.of),
    }
}

/// Whose hands it takes: `in account 444455556666 (not the caller's; its owner must change it)`.
fn who(owner: &Owner, elsewhere: Option<Elsewhere>) -> String {
    let not = match elsewhere {
        Some(Elsewhere::NotCallers) => " (not the caller's; its owner must change it)",
        Some(Elsewhere::NotKeys) => " (the caller's, not the key's; its owner must change it)",
        None => "",
    };
    match owner {
        Owner::Account(account) => format!("in account {account}{not}"),
        Owner::Endpoint => "in the VPC endpoint's account (its owner must change it)".into(),
        Owner::Organization(id) => {
            format!("in organization {id} (its management account must change it)")
        }
        Owner::SessionMaker => "passed by whoever makes the session".into(),
    }
}

/// `StringEquals kms:EncryptionContext:tenant `blue` (request: `red`)`.
fn wanted(condition: &Wanted) -> String {
    let Wanted { operator, key, values, found } = condition;
    format!("{operator} {key} {} (request: {})", quoted(values), said(found.as_deref()))
}

/// What a request says of a condition key.
pub(super) fn said(found: Option<&[String]>) -> String {
    match found {
        None => "unknown".to_owned(),
        Some([]) => "absent".to_owned(),
        Some(values) => quoted(values),
    }
}

fn quoted(values: &[String]) -> String {
    format!("`{}`", values.join("`, `"))
}

/// The place of a statement's beginning, for JSON.
pub(super) fn start(finding: &StatementFinding) -> Option<(&str, usize, usize)> {
    let statement = finding.statement()?;
    let place = finding.policy.locate(statement);
    Some((place.file, place.line, place.column))
}
