//! Answers as JSON. The shapes are versioned by their `schema` member.

use serde::Serialize;

use super::explain::grant_outcome;
use super::reason::reasons;
use super::remedy;
use crate::authorize::{PreflightAnswer, SideAnswer};
use crate::evaluate::StatementFinding;
use crate::model::{CallerPrincipal, Readings, Truth};
use crate::remedy::{Addition, Denial, Elsewhere, Fix, Obstacle, Owner, Remedies, Wanted};
use crate::syntax;

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
    #[serde(skip_serializing_if = "Option::is_none")]
    remedies: Option<Vec<Remedy<'a>>>,
    /// The outcome with all additions of `remedies`.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedied: Option<&'a str>,
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

#[derive(Serialize)]
struct Remedy<'a> {
    side: &'static str,
    /// `add`, `denied` or `none`.
    fix: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    additions: Vec<AdditionShape<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    denials: Vec<StatementShape<'a>>,
    /// What would be decided without the denials.
    #[serde(skip_serializing_if = "Option::is_none")]
    otherwise: Option<&'static str>,
    /// `service`, `unreachable` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    obstacle: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<Unknown<'a>>,
    /// Statements that allow another request.
    #[serde(skip_serializing_if = "Vec::is_empty", rename = "or-request")]
    or_request: Vec<StatementShape<'a>>,
}

#[derive(Serialize)]
struct AdditionShape<'a> {
    layer: &'static str,
    document: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attached: Option<String>,
    #[serde(flatten)]
    owner: OwnerShape<'a>,
    statement: serde_json::Value,
}

#[derive(Serialize)]
struct OwnerShape<'a> {
    /// `account`, `endpoint-owner`, `organization` or `session-maker`.
    owner: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<&'a str>,
    /// `not-callers` or `not-keys`: the change must be made in another account.
    #[serde(skip_serializing_if = "Option::is_none")]
    elsewhere: Option<&'static str>,
}

#[derive(Serialize)]
struct StatementShape<'a> {
    layer: &'static str,
    policy: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(flatten)]
    owner: Option<OwnerShape<'a>>,
    conditions: Vec<WantedShape<'a>>,
}

#[derive(Serialize)]
struct WantedShape<'a> {
    operator: String,
    key: &'a str,
    values: &'a [String],
    /// `null` when nobody said; empty when the request does not carry the key.
    request: Option<&'a [String]>,
}

/// A whole answer.
#[must_use]
pub fn answer_json(answer: &PreflightAnswer, caller: &CallerPrincipal) -> serde_json::Value {
    whole("keyproof/check/1", answer, caller, None)
}

/// A whole answer with everything that was judged, and what would have to change for an allow. Its
/// readings are named with the values they have in `readings`.
#[must_use]
pub fn explanation_json(
    answer: &PreflightAnswer,
    caller: &CallerPrincipal,
    readings: &Readings,
    remedies: &Remedies,
) -> serde_json::Value {
    whole("keyproof/explain/1", answer, caller, Some((readings, remedies)))
}

fn whole(
    schema: &'static str,
    answer: &PreflightAnswer,
    caller: &CallerPrincipal,
    explained: Option<(&Readings, &Remedies)>,
) -> serde_json::Value {
    let caller = caller.to_string();
    let trace = explained.map(|(readings, _)| readings);
    let answer = Answer {
        schema,
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
        remedies: explained.map(|(_, remedies)| {
            let sides = remedies.sides.iter().filter_map(|one| remedy_shape(answer, one));
            sides.collect()
        }),
        remedied: explained
            .and_then(|(_, remedies)| remedies.fixed.as_ref().map(PreflightAnswer::outcome)),
    };
    serde_json::to_value(answer).unwrap_or_default()
}

fn remedy_shape<'a>(
    answer: &PreflightAnswer,
    remedy: &'a crate::remedy::Remedy,
) -> Option<Remedy<'a>> {
    let mut shape = Remedy {
        side: answer.sides.get(remedy.index)?.side.as_str(),
        fix: "none",
        additions: Vec::new(),
        denials: Vec::new(),
        otherwise: None,
        obstacle: None,
        unknown: Vec::new(),
        or_request: Vec::new(),
    };
    let instead = remedy.or_request.iter();
    shape.or_request =
        instead.map(|one| statement_shape(&one.finding, &one.conditions, None)).collect();
    match &remedy.fix {
        Fix::Add(additions) => {
            shape.fix = "add";
            shape.additions = additions.iter().map(addition_shape).collect();
        }
        Fix::Denied { denials, otherwise } => {
            shape.fix = "denied";
            shape.otherwise = Some(otherwise.as_str());
            shape.denials = denials.iter().map(denial_shape).collect();
        }
        Fix::Nothing(Obstacle::Service) => shape.obstacle = Some("service"),
        Fix::Nothing(Obstacle::Unreachable) => shape.obstacle = Some("unreachable"),
        Fix::Nothing(Obstacle::Unknown(unknown)) => {
            shape.obstacle = Some("unknown");
            shape.unknown = unknown
                .iter()
                .map(|one| Unknown {
                    layer: one.layer.as_str(),
                    what: &one.what,
                    reason: &one.reason,
                })
                .collect();
        }
    }
    Some(shape)
}

fn addition_shape(addition: &Addition) -> AdditionShape<'_> {
    let text = syntax::print_statement(&addition.statement);
    AdditionShape {
        layer: addition.place.as_str(),
        document: remedy::document(addition),
        file: remedy::file(addition),
        attached: addition.level.as_ref().map(remedy::attached),
        owner: owner_shape(&addition.owner, addition.elsewhere),
        statement: serde_json::from_str(&text).unwrap_or_default(),
    }
}

fn denial_shape(denial: &Denial) -> StatementShape<'_> {
    let owner = owner_shape(&denial.owner, denial.elsewhere);
    statement_shape(&denial.finding, &denial.conditions, Some(owner))
}

fn statement_shape<'a>(
    finding: &'a StatementFinding,
    conditions: &'a [Wanted],
    owner: Option<OwnerShape<'a>>,
) -> StatementShape<'a> {
    let place = remedy::start(finding);
    StatementShape {
        layer: finding.layer.as_str(),
        policy: &finding.policy.name,
        sid: finding.statement().and_then(|statement| statement.sid.as_deref()),
        index: finding.index,
        file: place.map(|(file, ..)| file),
        line: place.map(|(_, line, _)| line),
        column: place.map(|(.., column)| column),
        owner,
        conditions: conditions
            .iter()
            .map(|one| WantedShape {
                operator: one.operator.to_string(),
                key: one.key.as_str(),
                values: &one.values,
                request: one.found.as_deref(),
            })
            .collect(),
    }
}

fn owner_shape(owner: &Owner, elsewhere: Option<Elsewhere>) -> OwnerShape<'_> {
    let (word, account, organization) = match owner {
        Owner::Account(account) => ("account", Some(account.as_str()), None),
        Owner::Endpoint => ("endpoint-owner", None, None),
        Owner::Organization(id) => ("organization", None, Some(id.as_ref())),
        Owner::SessionMaker => ("session-maker", None, None),
    };
    let elsewhere = elsewhere.map(|elsewhere| match elsewhere {
        Elsewhere::NotCallers => "not-callers",
        Elsewhere::NotKeys => "not-keys",
    });
    OwnerShape { owner: word, account, organization, elsewhere }
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

/// Rules with their documentation.
#[must_use]
pub fn rules_json(rules: &[&crate::lint::Rule]) -> serde_json::Value {
    let rules = rules.iter().map(|rule| {
        let removed = match rule.status {
            crate::lint::Status::Active => None,
            crate::lint::Status::Removed { since, reason } => {
                Some(serde_json::json!({"since": since, "reason": reason}))
            }
        };
        serde_json::json!({
            "code": rule.code.as_str(),
            "name": rule.name,
            "summary": rule.summary,
            "level": rule.level.as_str(),
            "since": rule.since,
            "removed": removed,
            "covers": rule.covers,
            "access-analyzer": rule.analyzer,
            "documentation": rule.documentation(),
        })
    });
    serde_json::json!({"schema": "keyproof/rules/1", "rules": rules.collect::<Vec<_>>()})
}
