//! Answers as JSON. The shapes are versioned by their `schema` member.

use serde::Serialize;

use super::explain::grant_outcome;
use super::reason::reasons;
use crate::authorize::{PreflightAnswer, SideAnswer};
use crate::evaluate::StatementFinding;
use crate::model::{CallerPrincipal, Readings, Truth};

#[derive(Serialize)]
struct Answer<'a> {
    schema: &'static str,
    operation: &'a str,
    caller: &'a str,
    decision: &'a str,
    outcome: &'a str,
    sides: Vec<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Fault<'a>>,
}

#[derive(Serialize)]
struct Fault<'a> {
    side: &'static str,
    code: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct Side<'a> {
    side: &'static str,
    action: &'static str,
    resource: &'a str,
    decision: &'static str,
    by: Vec<&'static str>,
    reasons: Vec<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<Trace<'a>>,
}

#[derive(Serialize)]
struct Reason {
    layer: &'static str,
    code: &'static str,
    text: String,
}

#[derive(Serialize)]
struct Trace<'a> {
    statements: Vec<Statement<'a>>,
    grants: Vec<Grant<'a>>,
    unknown: Vec<Unknown<'a>>,
    readings: Vec<Reading>,
}

#[derive(Serialize)]
struct Statement<'a> {
    layer: &'static str,
    policy: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    index: usize,
    effect: &'static str,
    applies: Option<bool>,
    file: &'a str,
    line: usize,
    column: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Vec<&'static str>>,
    resource: Option<bool>,
    conditions: Vec<Condition<'a>>,
}

#[derive(Serialize)]
struct Condition<'a> {
    operator: String,
    key: &'a str,
    /// `null` when it depends on an unknown fact.
    holds: Option<bool>,
    /// `null` when nobody said; empty when the request does not carry the key.
    request: Option<&'a [String]>,
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct Grant<'a> {
    id: &'a str,
    grantee: &'a str,
    outcome: &'static str,
}

#[derive(Serialize)]
struct Unknown<'a> {
    layer: &'static str,
    what: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
struct Reading {
    name: &'static str,
    value: &'static str,
}

/// A whole answer. `trace` adds everything that was judged; its readings are named with the values
/// they have in `readings`.
#[must_use]
pub fn answer_json(
    answer: &PreflightAnswer,
    caller: &CallerPrincipal,
    trace: Option<&Readings>,
) -> serde_json::Value {
    let caller = caller.to_string();
    let answer = Answer {
        schema: if trace.is_some() { "keyproof/explain/1" } else { "keyproof/check/1" },
        operation: answer.operation,
        caller: &caller,
        decision: answer.decision().as_str(),
        outcome: answer.outcome(),
        sides: answer.sides.iter().map(|side| side_json(side, trace)).collect(),
        fault: answer.fault.as_ref().map(|fault| Fault {
            side: fault.side.as_str(),
            code: fault.code,
            message: &fault.message,
        }),
    };
    serde_json::to_value(answer).unwrap_or_default()
}

/// One side's answer.
#[must_use]
pub fn side_json(answer: &SideAnswer, trace: Option<&Readings>) -> serde_json::Value {
    let explanation = &answer.explanation;
    let side = Side {
        side: answer.side.as_str(),
        action: answer.action.as_str(),
        resource: &answer.resource,
        decision: explanation.decision.as_str(),
        by: explanation.by.iter().map(|layer| layer.as_str()).collect(),
        reasons: reasons(answer)
            .into_iter()
            .map(|reason| Reason {
                layer: reason.layer.as_str(),
                code: reason.code,
                text: reason.text,
            })
            .collect(),
        trace: trace.map(|readings| Trace {
            statements: explanation.trace.statements.iter().filter_map(statement).collect(),
            grants: explanation
                .trace
                .grants
                .iter()
                .map(|grant| Grant {
                    id: grant.id.as_str(),
                    grantee: grant.grantee.as_str(),
                    outcome: grant_outcome(grant.outcome),
                })
                .collect(),
            unknown: explanation
                .trace
                .unknown
                .iter()
                .map(|unknown| Unknown {
                    layer: unknown.layer.as_str(),
                    what: &unknown.what,
                    reason: &unknown.reason,
                })
                .collect(),
            readings: explanation
                .trace
                .readings
                .iter()
                .map(|reading| Reading { name: reading.name(), value: readings.value(*reading) })
                .collect(),
        }),
    };
    serde_json::to_value(side).unwrap_or_default()
}

fn statement(finding: &StatementFinding) -> Option<Statement<'_>> {
    let statement = finding.statement()?;
    let place = finding.policy.locate(statement);
    let conditions = finding.conditions.iter().filter_map(|condition| {
        let compiled = statement.conditions.get(condition.index)?;
        let place = finding.policy.source.locate(compiled.span);
        Some(Condition {
            operator: compiled.operator.to_string(),
            key: compiled.key.as_str(),
            holds: truth(condition.holds),
            request: condition.found.as_deref(),
            line: place.line,
            column: place.column,
        })
    });
    Some(Statement {
        layer: finding.layer.as_str(),
        policy: &finding.policy.name,
        sid: statement.sid.as_deref(),
        index: statement.index,
        effect: statement.effect.as_str(),
        applies: truth(finding.elements.applies),
        file: place.file,
        line: place.line,
        column: place.column,
        principal: finding.elements.principal.map(|classes| {
            crate::compile::PrincipalClass::ALL
                .iter()
                .filter(|class| classes.in_class(**class).is_true())
                .map(|class| class.as_str())
                .collect()
        }),
        resource: truth(finding.elements.resource),
        conditions: conditions.collect(),
    })
}

fn truth(truth: Truth) -> Option<bool> {
    match truth {
        Truth::True => Some(true),
        Truth::False => Some(false),
        Truth::Unknown => None,
    }
}
