//! The short reasons of an answer, machine-readable and one sentence each.

use std::fmt;

use crate::authorize::SideAnswer;
use crate::compile::{CompiledStatement, Operands};
use crate::evaluate::{Elements, GrantOutcome, Layer, StatementFinding};
use crate::model::{Decision, Effect, Truth};

/// Why a side was answered as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The layer.
    pub layer: Layer,
    /// A stable word: `explicit-deny`, `no-matching-allow`, `unknown`, `allows`, …
    pub code: &'static str,
    /// One sentence, with the place of the statement where there is one.
    pub text: String,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.layer, self.text)
    }
}

/// The reasons of one side, the decisive ones first.
#[must_use]
pub fn reasons(side: &SideAnswer) -> Vec<Reason> {
    let explanation = &side.explanation;
    let mut reasons = Vec::new();
    match explanation.decision {
        Decision::Allow => allows(side, &mut reasons),
        Decision::ExplicitDeny => {
            for finding in &explanation.trace.statements {
                if is_applying(finding, Effect::Deny, Truth::True) {
                    reasons.push(Reason {
                        layer: finding.layer,
                        code: "explicit-deny",
                        text: format!("{} denies", place(finding)),
                    });
                }
            }
        }
        Decision::ImplicitDeny | Decision::Undetermined => lacking(side, &mut reasons),
    }
    reasons
}

fn allows(side: &SideAnswer, reasons: &mut Vec<Reason>) {
    let explanation = &side.explanation;
    for finding in &explanation.trace.statements {
        if explanation.by.contains(&finding.layer)
            && is_applying(finding, Effect::Allow, Truth::True)
        {
            reasons.push(Reason {
                layer: finding.layer,
                code: "allows",
                text: format!("{} allows", place(finding)),
            });
        }
    }
    if explanation.by.contains(&Layer::Grant) {
        for grant in &explanation.trace.grants {
            if grant.outcome == GrantOutcome::Applies {
                reasons.push(Reason {
                    layer: Layer::Grant,
                    code: "allows",
                    text: format!("grant {} to {} allows", grant.id, grant.grantee.as_str()),
                });
            }
        }
    }
    if reasons.is_empty() {
        for layer in &explanation.by {
            reasons.push(Reason { layer: *layer, code: "allows", text: "allows".into() });
        }
    }
}

fn lacking(side: &SideAnswer, reasons: &mut Vec<Reason>) {
    let explanation = &side.explanation;
    for layer in &explanation.by {
        let unknown: Vec<_> =
            explanation.trace.unknown.iter().filter(|finding| finding.layer == *layer).collect();
        for finding in &unknown {
            reasons.push(Reason {
                layer: *layer,
                code: "unknown",
                text: format!("{}: {}", finding.what, finding.reason),
            });
        }
        let mut depends = false;
        for finding in explanation.trace.statements.iter().filter(|it| it.layer == *layer) {
            if let Some(effect) = applying(finding, Truth::Unknown) {
                depends = true;
                reasons.push(Reason {
                    layer: *layer,
                    code: "unknown",
                    text: format!(
                        "{} {}, depending on {}",
                        place(finding),
                        if effect == Effect::Deny { "may deny" } else { "may allow" },
                        unknown_conditions(finding)
                    ),
                });
            }
        }
        if unknown.is_empty() && !depends {
            reasons.push(no_allow(*layer, side));
        }
    }
    // What nearly matched comes after what is missing.
    for finding in &explanation.trace.statements {
        if let Some(text) = near_miss(finding) {
            reasons.push(Reason { layer: finding.layer, code: "near-miss", text });
        }
    }
    for grant in &explanation.trace.grants {
        if let Some(why) = grant_miss(grant.outcome) {
            reasons.push(Reason {
                layer: Layer::Grant,
                code: "near-miss",
                text: format!("grant {} to {} {why}", grant.id, grant.grantee.as_str()),
            });
        }
    }
}

fn no_allow(layer: Layer, side: &SideAnswer) -> Reason {
    let SideAnswer { action, resource: key, .. } = side;
    let (code, text) = match layer {
        Layer::Service => (
            "not-across-accounts",
            format!("{action} has no effect on a key of another account, or the call is unsigned"),
        ),
        Layer::Key => (
            "no-matching-allow",
            format!(
                "no statement of the policies of {key} and no grant allows the caller {action}"
            ),
        ),
        Layer::Identity => (
            "no-matching-allow",
            format!("no identity-based policy of the caller allows {action} on {key}"),
        ),
        Layer::Boundary => (
            "no-matching-allow",
            format!("the caller's permissions boundary does not allow {action} on {key}"),
        ),
        Layer::Session => {
            ("no-matching-allow", format!("no session policy allows {action} on {key}"))
        }
        Layer::ServiceControl => (
            "no-matching-allow",
            format!("a level of service control policies has no allow for {action} on {key}"),
        ),
        Layer::Endpoint => (
            "no-matching-allow",
            format!("the VPC endpoint policy does not allow {action} on {key}"),
        ),
        Layer::ResourceControl | Layer::Grant => {
            ("no-matching-allow", format!("no allow for {action}"))
        }
    };
    Reason { layer, code, text }
}

/// `key policy default, statement 2 \`Sid\` (policies/…/policy.json:14:5)`.
pub(super) fn place(finding: &StatementFinding) -> String {
    let policy = &finding.policy;
    match finding.statement() {
        Some(statement) => {
            let sid = statement.sid.as_ref().map(|sid| format!(" `{sid}`")).unwrap_or_default();
            format!(
                "{}, statement {}{sid} ({})",
                policy.name,
                statement.index + 1,
                policy.locate(statement)
            )
        }
        None => policy.name.to_string(),
    }
}

fn applying(finding: &StatementFinding, truth: Truth) -> Option<Effect> {
    let effect = finding.statement()?.effect;
    (finding.elements.applies == truth).then_some(effect)
}

fn is_applying(finding: &StatementFinding, effect: Effect, truth: Truth) -> bool {
    applying(finding, truth) == Some(effect)
}

/// For an Allow that failed in one element: which.
fn near_miss(finding: &StatementFinding) -> Option<String> {
    let statement = finding.statement()?;
    let Elements { principal, resource, conditions, applies } = finding.elements;
    if statement.effect != Effect::Allow || !applies.is_false() {
        return None;
    }
    if statement.inert.is_some() {
        return Some(format!("{} has no effect: it lacks an element", place(finding)));
    }
    let principal = principal.is_none_or(|classes| !classes.any().is_false());
    let failed = [!principal, resource.is_false(), conditions.is_false()];
    if failed.iter().filter(|failed| **failed).count() != 1 {
        return None;
    }
    let why = if !principal {
        "names other principals".to_owned()
    } else if resource.is_false() {
        "names other resources".to_owned()
    } else {
        failed_conditions(finding, statement)
    };
    Some(format!("{} {why}", place(finding)))
}

fn failed_conditions(finding: &StatementFinding, statement: &CompiledStatement) -> String {
    let failed = finding.conditions.iter().filter(|condition| condition.holds.is_false());
    let texts = failed.filter_map(|failed| {
        let condition = statement.conditions.get(failed.index)?;
        let found = match failed.found.as_deref() {
            None => "is unknown".to_owned(),
            Some([]) => "is absent".to_owned(),
            Some([one]) => format!("is `{one}`"),
            Some(many) => format!("is `{}`", many.join("`, `")),
        };
        let place = finding.policy.source.locate(condition.span);
        Some(format!(
            "its condition {} {} fails, as it {found} ({place})",
            condition.operator, condition.key
        ))
    });
    texts.collect::<Vec<_>>().join("; ")
}

/// The conditions an open statement waits for: `aws:SourceVpce StringEquals vpce-1a2b`.
fn unknown_conditions(finding: &StatementFinding) -> String {
    let Some(statement) = finding.statement() else { return String::new() };
    let open = finding.conditions.iter().filter(|condition| condition.holds == Truth::Unknown);
    let texts: Vec<String> = open
        .filter_map(|open| {
            let condition = statement.conditions.get(open.index)?;
            let text = finding.policy.source.text.get(condition.span.start()..condition.span.end());
            let values = match (&condition.operands, text) {
                (Operands::Null(_), _) | (_, None) => String::new(),
                (_, Some(text)) => {
                    let values = text.split_once(':').map_or(text, |_| value_part(text));
                    format!(" {}", values.split_whitespace().collect::<Vec<_>>().join(" "))
                }
            };
            Some(format!("{} {}{values}", condition.key, condition.operator))
        })
        .collect();
    if texts.is_empty() { "unknown facts".to_owned() } else { texts.join(" and ") }
}

/// The values of `"key": values`, as written.
fn value_part(text: &str) -> &str {
    let after_key =
        text.get(1..).and_then(|rest| rest.split_once('"')).map_or(text, |(_, rest)| rest);
    after_key.trim_start().trim_start_matches(':').trim_start()
}

fn grant_miss(outcome: GrantOutcome) -> Option<&'static str> {
    match outcome {
        GrantOutcome::Applies | GrantOutcome::Grantee | GrantOutcome::Operation => None,
        GrantOutcome::Context => Some("has an encryption context constraint that is not met"),
        GrantOutcome::NotPropagated => Some("has not spread, and its token is not in the request"),
        GrantOutcome::SourceArn => Some("has a SourceArn constraint that is not met"),
        GrantOutcome::Unknown => Some("depends on an unknown fact"),
        GrantOutcome::Wider => Some("lets its grantee make narrower grants alone"),
    }
}
