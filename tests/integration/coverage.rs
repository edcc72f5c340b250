//! What the scenarios show, held to the engine's own tables: every action, operator, grant
//! operation, principal form, key state, layer, reading and clause has its cases.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use keyproof::authorize::{PreflightAnswer, SideAnswer};
use keyproof::evaluate::{GrantOutcome, Layer, StatementFinding};
use keyproof::load::{Case, Scenario};
use keyproof::model::{
    Action, Effect, GrantOperation, KeyArn, KeyState, Operator, Reading, SetQualifier, Truth,
};
use regex::Regex;
use serde_json::Value;

use crate::architecture::{read, sources};
use crate::scenarios::all;

/// A case with its answer.
struct Asked<'s> {
    scenario: &'s Scenario,
    case: &'s Case,
    outcome: String,
    answer: Option<PreflightAnswer>,
}

impl Asked<'_> {
    fn sides(&self) -> &[SideAnswer] {
        self.answer.as_ref().map(|answer| answer.sides.as_slice()).unwrap_or_default()
    }

    fn is_allow(&self) -> bool {
        self.outcome == "allow"
    }

    fn is_denial(&self) -> bool {
        matches!(self.outcome.as_str(), "implicit-deny" | "explicit-deny")
    }
}

fn asked(scenarios: &[Scenario]) -> Vec<Asked<'_>> {
    scenarios
        .iter()
        .flat_map(|scenario| scenario.cases.iter().map(move |case| (scenario, case)))
        .map(|(scenario, case)| {
            let (outcome, answer) = case.ask(scenario.snapshot_of(case));
            Asked { scenario, case, outcome, answer: answer.ok() }
        })
        .collect()
}

/// What has been shown: each with whether an allow and whether a denial showed it.
#[derive(Default)]
struct Shown(BTreeMap<String, [bool; 2]>);

impl Shown {
    fn add(&mut self, what: impl Into<String>, denial: bool) {
        self.0.entry(what.into()).or_default()[usize::from(denial)] = true;
    }

    /// Fails with what is not shown both ways. An exception takes one way out, with a reason, and
    /// must be one.
    fn assert(
        &self,
        all: impl IntoIterator<Item = String>,
        exceptions: &[(&str, &str, &str)],
        ways: [&str; 2],
    ) {
        let mut missing = String::new();
        for what in all {
            let shown = self.0.get(&what).copied().unwrap_or_default();
            for (way, shown) in ways.iter().zip(shown) {
                let excepted = exceptions.iter().any(|(name, out, _)| *name == what && out == way);
                match (shown, excepted) {
                    (false, false) => writeln!(missing, "{what}: no case {way}").unwrap(),
                    (true, true) => {
                        writeln!(missing, "{what}: is no exception, a case {way}").unwrap();
                    }
                    _ => {}
                }
            }
        }
        assert!(missing.is_empty(), "\n{missing}");
    }
}

const WAYS: [&str; 2] = ["is allowed", "is denied"];

#[test]
fn every_action_is_allowed_and_denied() {
    let scenarios = all();
    let mut shown = Shown::default();
    for asked in asked(&scenarios) {
        for side in asked.sides() {
            let decision = side.explanation.decision.as_str();
            if asked.is_allow() {
                shown.add(side.action.name(), false);
            } else if decision.ends_with("deny") {
                shown.add(side.action.name(), true);
            }
        }
    }
    shown.assert(Action::ALL.iter().map(|action| action.name().to_owned()), &[], WAYS);
}

/// The only failing element of an Allow is its conditions.
fn fails_by_conditions(finding: &StatementFinding) -> bool {
    let elements = finding.elements;
    let named = elements.principal.is_none_or(|classes| classes.any().is_true());
    let inert = finding.statement().is_some_and(|statement| statement.inert.is_some());
    named && elements.resource.is_true() && elements.conditions.is_false() && !inert
}

/// The conditions that decided a side: of the only Allow of its layer that applies, all; of an
/// Allow that fails while no other of its layer applies, the only one that fails.
fn decisive(side: &SideAnswer, effect: Effect) -> Vec<(&StatementFinding, usize, bool)> {
    let explanation = &side.explanation;
    let of = |finding: &StatementFinding| finding.statement().is_some_and(|it| it.effect == effect);
    let findings: Vec<_> =
        explanation.trace.statements.iter().filter(|finding| of(finding)).collect();
    let mut decisive = Vec::new();
    for finding in &findings {
        let applying = findings
            .iter()
            .filter(|other| other.layer == finding.layer && other.elements.applies.is_true())
            .count();
        if finding.elements.applies.is_true() && applying == 1 {
            decisive.extend(finding.conditions.iter().map(|one| (*finding, one.index, true)));
        } else if applying == 0 && fails_by_conditions(finding) {
            let mut failed = finding.conditions.iter().filter(|one| one.holds.is_false());
            if let (Some(one), None) = (failed.next(), failed.next()) {
                decisive.push((finding, one.index, false));
            }
        }
    }
    decisive
}

#[test]
fn every_operator_decides_an_allow_and_a_denial() {
    let scenarios = all();
    let mut shown = Shown::default();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for asked in asked(&scenarios) {
        for side in asked.sides() {
            for finding in &side.explanation.trace.statements {
                let statement = finding.statement().unwrap();
                for condition in &statement.conditions {
                    seen.insert(condition.operator.to_string());
                }
            }
            for (finding, index, held) in decisive(side, Effect::Allow) {
                let condition = &finding.statement().unwrap().conditions[index];
                let operator = condition.operator;
                let mut kinds = vec![operator.operator.to_string()];
                kinds.extend(operator.qualifier.map(|qualifier| format!("{qualifier:?}")));
                kinds.extend(operator.if_exists.then(|| "IfExists".to_owned()));
                for kind in kinds {
                    if asked.is_allow() && held {
                        shown.add(kind, false);
                    } else if asked.is_denial() && !held {
                        shown.add(kind, true);
                    }
                }
            }
        }
    }
    let qualifiers = [SetQualifier::ForAllValues, SetQualifier::ForAnyValue];
    let kinds = Operator::ALL.iter().map(ToString::to_string);
    let more = qualifiers.iter().map(|one| format!("{one:?}")).chain(["IfExists".to_owned()]);
    shown.assert(kinds.chain(more), &[], ["in which it holds", "in which it fails"]);
    let written = Operator::ALL.iter().flat_map(|operator| {
        let name = operator.as_str();
        ["", "ForAllValues:", "ForAnyValue:"].into_iter().flat_map(move |qualifier| {
            let if_exists =
                (*operator != Operator::Null).then(|| format!("{qualifier}{name}IfExists"));
            [Some(format!("{qualifier}{name}")), if_exists].into_iter().flatten()
        })
    });
    let missing: Vec<String> = written.filter(|name| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "no case has {}", missing.join(", "));
}

#[test]
fn every_grant_operation_is_given_and_refused() {
    let scenarios = all();
    let mut shown = Shown::default();
    for asked in asked(&scenarios) {
        for side in asked.sides() {
            let explanation = &side.explanation;
            let lists = |outcome| outcome != GrantOutcome::Operation;
            if asked.is_allow() && explanation.by.contains(&Layer::Grant) {
                shown.add(side.action.name(), false);
            } else if asked.is_denial()
                && explanation.decision.as_str() == "implicit-deny"
                && explanation.trace.grants.iter().any(|one| lists(one.outcome))
            {
                shown.add(side.action.name(), true);
            }
        }
    }
    let all = GrantOperation::ALL.iter().map(|action| action.name().to_owned());
    shown.assert(all, &[], ["in which a grant gives it", "in which a grant with it does not"]);
}

/// The text of a statement, as JSON.
fn statement_json(finding: &StatementFinding) -> Value {
    let span = finding.statement().unwrap().span;
    serde_json::from_str(&finding.policy.source.text[span.start()..span.end()]).unwrap()
}

/// The rows of N1 that a `Principal` has.
fn forms(principal: &Value) -> BTreeSet<&'static str> {
    let mut forms = BTreeSet::new();
    if principal == "*" {
        forms.insert("`\"*\"`");
    }
    for (member, entries) in principal.as_object().into_iter().flatten() {
        let entries = match entries {
            Value::Array(entries) => entries.clone(),
            one => vec![one.clone()],
        };
        for entry in entries {
            let entry = entry.as_str().unwrap();
            forms.insert(match member.as_str() {
                "Service" => "`{\"Service\": …}`",
                "Federated" | "CanonicalUser" => "`Federated`, `CanonicalUser`",
                _ if entry == "*" => "`{\"AWS\": \"*\"}`",
                _ if entry.len() == 12 || entry.ends_with(":root") => {
                    "account id, or ARN of its root user"
                }
                _ if entry.contains(":user/") => "user's ARN",
                _ if entry.contains(":role/") => "role's ARN",
                _ if entry.contains(":assumed-role/") => "assumed-role session's ARN",
                _ if entry.contains(":federated-user/") => "federated user's ARN",
                _ => "unique id `AIDA…`, `AROA…`",
            });
        }
    }
    forms
}

#[test]
fn every_principal_form_names_and_does_not_name() {
    let scenarios = all();
    let mut shown = Shown::default();
    for asked in asked(&scenarios) {
        let explanations = asked.sides().iter().map(|side| &side.explanation);
        for finding in explanations.flat_map(|explanation| &explanation.trace.statements) {
            let Some(classes) = finding.elements.principal else { continue };
            let statement = statement_json(finding);
            let forms = forms(&statement["Principal"]);
            if forms.len() != 1 || statement["Effect"] != "Allow" {
                continue;
            }
            let class = keyproof::compile::PrincipalClass::ALL
                .iter()
                .find(|class| classes.in_class(**class).is_true());
            for form in forms {
                let named = match class {
                    Some(class) if asked.is_allow() && finding.elements.applies.is_true() => {
                        let of = class.as_str().replace('-', " ");
                        shown.add(format!("{form} ({of})"), false);
                        true
                    }
                    _ => false,
                };
                if !named && asked.is_denial() && classes.any().is_false() {
                    shown.add(form, true);
                }
            }
        }
    }
    // A denial is of the form; an allow is of the form and the class it names the caller in.
    let semantics = read("docs/semantics.md");
    let table = semantics.split("| entry | caller | class |\n").nth(1).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    assert!(rows.len() >= 11, "{rows:?}");
    let mut missing = String::new();
    for row in rows {
        let (form, caller) = (row[0], row[1]);
        for class in row[2].split(", ").filter(|class| *class != "–") {
            let named = format!("{form} ({class})");
            if !shown.0.get(&named).is_some_and(|ways| ways[0]) {
                writeln!(missing, "{form}: no case is allowed to {caller} as {class}").unwrap();
            }
        }
        // Everyone is whom nobody is not.
        let is_everyone = form == "`\"*\"`";
        let unnamed = shown.0.get(form).is_some_and(|ways| ways[1]);
        if unnamed == is_everyone {
            writeln!(missing, "{form}: no case is denied that it does not name").unwrap();
        }
    }
    assert!(missing.is_empty(), "\n{missing}");
}

#[test]
fn every_key_state_works_and_fails() {
    let scenarios = all();
    let mut shown = Shown::default();
    for asked in asked(&scenarios) {
        let snapshot = asked.scenario.snapshot_of(asked.case);
        let fault = asked.answer.as_ref().and_then(|answer| answer.fault.as_ref());
        for side in asked.sides() {
            let arn = side.resource.parse::<KeyArn>();
            let Some(entry) = arn.ok().and_then(|arn| snapshot.key(&arn)) else { continue };
            if asked.is_allow() {
                shown.add(entry.key.state.as_str(), false);
            } else if fault.is_some_and(|fault| fault.side == side.side) {
                shown.add(entry.key.state.as_str(), true);
            }
        }
    }
    let all = KeyState::ALL.iter().map(|state| state.as_str().to_owned());
    shown.assert(all, &[], ["in which an operation works", "in which one fails"]);
}

#[test]
fn every_layer_allows_and_denies() {
    // An allow of a layer is an Allow of it that applies where the case is allowed; a denial is
    // one that the answer is ascribed to.
    let exceptions = [
        ("service", WAYS[0], "KMS itself only refuses (E0)"),
        ("rcp", WAYS[0], "RCPs only deny (E2)"),
    ];
    let scenarios = all();
    let mut shown = Shown::default();
    let mut explicit: BTreeSet<Layer> = BTreeSet::new();
    for asked in asked(&scenarios) {
        for side in asked.sides() {
            let explanation = &side.explanation;
            if asked.is_allow() {
                for finding in &explanation.trace.statements {
                    let effect = finding.statement().unwrap().effect;
                    if effect == Effect::Allow && finding.elements.applies == Truth::True {
                        shown.add(finding.layer.as_str(), false);
                    }
                }
                if explanation.by.contains(&Layer::Grant) {
                    shown.add(Layer::Grant.as_str(), false);
                }
            } else if asked.is_denial() {
                for layer in &explanation.by {
                    shown.add(layer.as_str(), true);
                    if explanation.decision.as_str() == "explicit-deny" {
                        explicit.insert(*layer);
                    }
                }
            }
        }
    }
    let all = [
        Layer::Service,
        Layer::ResourceControl,
        Layer::ServiceControl,
        Layer::Endpoint,
        Layer::Key,
        Layer::Identity,
        Layer::Boundary,
        Layer::Session,
        Layer::Grant,
    ];
    shown.assert(all.iter().map(|layer| layer.as_str().to_owned()), &exceptions, WAYS);
    // Grants only add (G1), and KMS itself has no statements.
    let silent = [Layer::Service, Layer::Grant];
    let missing: Vec<_> =
        all.iter().filter(|layer| !explicit.contains(layer) && !silent.contains(layer)).collect();
    assert!(missing.is_empty(), "no case is explicitly denied by {missing:?}");
}

/// Readings that no request can come to, with the reason.
const UNREACHED: &[(Reading, &str)] = &[(
    Reading::ReEncryptOnSameKeyRelated,
    "related keys are in two Regions, and a request reaches keys of its own alone (K3)",
)];

#[test]
fn every_value_of_every_reading_decides_a_case() {
    let scenarios = all();
    let mut decided: BTreeSet<(Reading, &str)> = BTreeSet::new();
    for asked in asked(&scenarios) {
        let world = asked.scenario.snapshot_of(asked.case);
        for reading in Reading::ALL {
            let own = world.readings().value(*reading);
            let others = reading.values().iter().filter(|value| **value != own);
            let differs = |value: &&str| {
                let mut readings = world.readings().clone();
                readings.choose(*reading, value).unwrap();
                asked.case.ask(&world.with_readings(readings)).0 != asked.outcome
            };
            if !decided.contains(&(*reading, own)) && others.into_iter().any(differs) {
                decided.insert((*reading, own));
            }
        }
    }
    let reached = |reading: &&Reading| UNREACHED.iter().all(|(other, _)| other != *reading);
    let missing: Vec<String> = Reading::ALL
        .iter()
        .filter(reached)
        .flat_map(|reading| reading.values().iter().map(move |value| (*reading, *value)))
        .filter(|one| !decided.contains(one))
        .map(|(reading, value)| format!("{} = {value}", reading.name()))
        .collect();
    assert!(missing.is_empty(), "no case needs\n{}", missing.join("\n"));
    let reached = decided.iter().find(|(one, _)| UNREACHED.iter().any(|(other, _)| other == one));
    assert!(reached.is_none(), "is reached: {reached:?}");
}

/// Clauses that no scenario can show, each with the test that does.
const SHOWN_BY_TESTS: &[(&str, &str)] = &[
    ("P1", "what_is_not_json_is_refused"),
    ("P2", "the_envelope_is_checked"),
    ("P3", "the_envelope_is_checked"),
    ("P4", "the_envelope_is_checked"),
    ("P5", "the_envelope_is_checked"),
    ("P6", "statement_ids_are_unique_but_for_empty_ones"),
    ("P7", "effects_are_allow_or_deny"),
    ("P8", "members_of_a_statement_are_checked"),
    ("P9", "actions_are_a_star_or_service_and_name"),
    ("P10", "resources_are_arns_outside_key_policies"),
    ("P11", "a_statement_needs_its_members"),
    ("P12", "a_statement_needs_its_members"),
    ("P13", "principals_are_named_in_full"),
    ("P14", "conditions_are_checked"),
    ("P15", "conditions_are_checked"),
    ("P16", "conditions_are_checked"),
    ("P17", "a_document_with_errors_is_no_result"),
    ("P18", "sizes_and_depths_have_limits"),
    ("P19", "not_principal_with_allow_is_read"),
    ("P20", "resource_control_policies_deny_named_services_to_everyone"),
    ("K5", "vectors_come_out_as_told"),
    ("K6", "vectors_come_out_as_told"),
    ("K7", "vectors_come_out_as_told"),
    ("K8", "a_result_for_another_key_is_discarded"),
    ("K13", "a_ciphertext_of_another_key_than_the_one_given_is_refused_after_the_permits"),
    ("K15", "nothing_is_minted_for_a_request_without_data"),
];

/// Compares a document with what it should be, or writes it when `KEYPROOF_OVERWRITE` is set.
pub fn hold_current(path: &str, current: &str) {
    if std::env::var_os("KEYPROOF_OVERWRITE").is_some() {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(path), current).unwrap();
    } else if read(path) != current {
        panic!("{path} is not current: KEYPROOF_OVERWRITE=1 cargo test --test integration");
    }
}

/// The ids of the clauses, in order.
pub fn clauses() -> Vec<String> {
    let clause = Regex::new(r"(?m)^\*\*([A-Z]\d+)\*\*").unwrap();
    clause.captures_iter(&read("docs/semantics.md")).map(|found| found[1].to_owned()).collect()
}

/// The files that show each clause.
fn files(scenarios: &[Scenario]) -> BTreeMap<String, BTreeSet<String>> {
    let mut files: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for scenario in scenarios {
        let path = scenario.path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
        let path = path.to_str().unwrap().replace('\\', "/");
        let cases = scenario.cases.iter().flat_map(|case| &case.clauses);
        for clause in scenario.clauses.iter().chain(cases) {
            files.entry(clause.clone()).or_default().insert(path.clone());
        }
    }
    files
}

#[test]
fn every_clause_is_shown() {
    let scenarios = all();
    let files = files(&scenarios);
    let sources = sources(&["src", "tests/integration"]);
    let mut wrong = String::new();
    for clause in clauses() {
        let tests = SHOWN_BY_TESTS.iter().filter(|(shown, _)| *shown == clause);
        let elsewhere = tests.clone().count();
        match (files.contains_key(&clause), elsewhere) {
            (true, 0) | (false, 1) => {}
            (true, _) => writeln!(wrong, "{clause} has scenarios: take it off the list").unwrap(),
            (false, _) => writeln!(wrong, "{clause}: no scenario and no test").unwrap(),
        }
        for (_, test) in tests {
            let declared = Regex::new(&format!(r"#\[test\]\s+fn {test}\(")).unwrap();
            if !sources.iter().any(|(_, text)| declared.is_match(text)) {
                writeln!(wrong, "{clause}: there is no test {test}").unwrap();
            }
        }
    }
    let known = clauses();
    for clause in files.keys().filter(|clause| !known.contains(clause)) {
        writeln!(wrong, "docs/semantics.md has no clause {clause}").unwrap();
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_table_of_scenarios_is_current() {
    let scenarios = all();
    let files = files(&scenarios);
    let mut section = String::from(
        "## Scenarios\n\n\
         Which files show a clause; a test keeps the table current. Clauses without files are\n\
         shown by unit tests, or say what is not done.\n\n\
         | clause | files |\n|---|---|\n",
    );
    for clause in clauses() {
        if let Some(files) = files.get(&clause) {
            let links: Vec<String> = files
                .iter()
                .map(|file| {
                    let name = file.trim_start_matches("tests/scenarios/");
                    format!("[{}](../{file})", name.trim_end_matches(".toml"))
                })
                .collect();
            writeln!(section, "| {clause} | {} |", links.join(", ")).unwrap();
        }
    }
    section.push('\n');
    let semantics = read("docs/semantics.md");
    let links = semantics.find("\n[aa]: ").expect("the list of links") + 1;
    let start = semantics.find("## Scenarios\n").unwrap_or(links);
    let current = format!("{}{section}{}", &semantics[..start], &semantics[links..]);
    hold_current("docs/semantics.md", &current);
}
