//! Answers as text.

use std::io::{self, Write};

use super::reason::{place, reasons};
use super::remedy::{self, said};
use crate::authorize::{KeyFault, PreflightAnswer, SideAnswer};
use crate::evaluate::{GrantOutcome, StatementFinding};
use crate::model::{Decision, Effect, Reading, Readings, Truth};
use crate::remedy::Remedies;

/// Whether text carries terminal colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Escape sequences for colour.
    Colour,
    /// Text alone.
    Plain,
}

impl Style {
    fn decision(self, decision: Decision, width: usize) -> String {
        let text = format!("{decision:<width$}");
        let code = match decision {
            Decision::Allow => "32",
            Decision::Undetermined => "33",
            Decision::ExplicitDeny | Decision::ImplicitDeny => "31",
        };
        match self {
            Self::Colour => format!("\x1b[1;{code}m{text}\x1b[0m"),
            Self::Plain => text,
        }
    }
}

/// Writes both sides' answers and the decisive reasons of each: what `check` shows.
///
/// # Errors
/// When the writer fails.
pub fn answer(
    out: &mut dyn Write,
    sides: &[SideAnswer],
    fault: Option<&KeyFault>,
    style: Style,
) -> io::Result<()> {
    for side in sides {
        head(out, side, style)?;
        for reason in reasons(side) {
            writeln!(out, "    {reason}")?;
        }
    }
    write_fault(out, fault)
}

/// Writes both sides' answers with everything that was judged, and what would have to change for
/// an allow: what `explain` shows.
///
/// # Errors
/// When the writer fails.
pub fn explanation(
    out: &mut dyn Write,
    answer: &PreflightAnswer,
    remedies: &Remedies,
    readings: &Readings,
    style: Style,
) -> io::Result<()> {
    for (index, side) in answer.sides.iter().enumerate() {
        head(out, side, style)?;
        for reason in reasons(side) {
            writeln!(out, "    {reason}")?;
        }
        let trace = &side.explanation.trace;
        if !trace.statements.is_empty() {
            writeln!(out, "  statements that name {}:", side.action)?;
        }
        for finding in &trace.statements {
            statement(out, finding)?;
        }
        if !trace.grants.is_empty() {
            writeln!(out, "  grants of the key:")?;
        }
        for grant in &trace.grants {
            let outcome = grant_outcome(grant.outcome);
            writeln!(out, "    {outcome:<8} grant {} to {}", grant.id, grant.grantee.as_str())?;
        }
        for unknown in &trace.unknown {
            writeln!(out, "  unknown: {}: {}: {}", unknown.layer, unknown.what, unknown.reason)?;
        }
        for reading in &trace.readings {
            writeln!(out, "  reading: {}", reading_text(*reading, readings))?;
        }
        for one in remedies.sides.iter().filter(|one| one.index == index) {
            remedy::remedy(out, one)?;
        }
    }
    write_fault(out, answer.fault.as_ref())?;
    match &remedies.fixed {
        Some(fixed) => remedy::fixed(out, fixed),
        None => Ok(()),
    }
}

fn head(out: &mut dyn Write, side: &SideAnswer, style: Style) -> io::Result<()> {
    let decision = style.decision(side.explanation.decision, 13);
    writeln!(out, "{:<11}  {decision}  {} on {}", side.side, side.action, side.resource)
}

fn write_fault(out: &mut dyn Write, fault: Option<&KeyFault>) -> io::Result<()> {
    match fault {
        Some(KeyFault { side, code, message }) => {
            writeln!(out, "{side:<11}  {code}: {message}")
        }
        None => Ok(()),
    }
}

fn statement(out: &mut dyn Write, finding: &StatementFinding) -> io::Result<()> {
    let Some(statement) = finding.statement() else { return Ok(()) };
    let outcome = match (finding.elements.applies, statement.effect) {
        (Truth::True, Effect::Allow) => "allows",
        (Truth::True, Effect::Deny) => "denies",
        (Truth::Unknown, _) => "unknown",
        (Truth::False, _) => "-",
    };
    writeln!(out, "    {outcome:<8} {} {}", statement.effect, place(finding))?;
    let elements = &finding.elements;
    if statement.inert.is_some() {
        writeln!(out, "             it lacks an element, so it has no effect")?;
    }
    if let Some(classes) = &elements.principal {
        let named: Vec<String> = crate::compile::PrincipalClass::ALL
            .iter()
            .filter(|class| !classes.in_class(**class).is_false())
            .map(ToString::to_string)
            .collect();
        let named = if named.is_empty() { "not named".to_owned() } else { named.join(", ") };
        writeln!(out, "             principal: {named}")?;
    }
    if elements.resource.is_false() {
        writeln!(out, "             resource: not named")?;
    }
    for condition in &finding.conditions {
        let Some(compiled) = statement.conditions.get(condition.index) else { continue };
        let holds = match condition.holds {
            Truth::True => "holds",
            Truth::False => "fails",
            Truth::Unknown => "unknown",
        };
        let found = said(condition.found.as_deref());
        let place = finding.policy.source.locate(compiled.span);
        writeln!(
            out,
            "             {holds}: {} {} (request: {found}) {}:{}",
            compiled.operator, compiled.key, place.line, place.column
        )?;
    }
    Ok(())
}

pub(super) fn grant_outcome(outcome: GrantOutcome) -> &'static str {
    match outcome {
        GrantOutcome::Applies => "allows",
        GrantOutcome::Context => "context",
        GrantOutcome::Grantee => "grantee",
        GrantOutcome::NotPropagated => "token",
        GrantOutcome::Operation => "operation",
        GrantOutcome::SourceArn => "source-arn",
        GrantOutcome::Unknown => "unknown",
        GrantOutcome::Wider => "wider",
    }
}

fn reading_text(reading: Reading, readings: &Readings) -> String {
    format!("{} = {}: {}", reading.name(), readings.value(reading), reading.summary())
}
