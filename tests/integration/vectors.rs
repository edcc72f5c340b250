//! Decisions with sources, one a line.
//!
//! `KEYPROOF_VECTORS` names the file (default: those of `tests/vectors`). Cases that AWS's
//! documentation decides must come out as told; those it leaves open must come out so under one of
//! the readings.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyproof::compile::{GrantsRef, Policy, PolicySlot, PrincipalClass, Source};
use keyproof::evaluate::{
    Attached, Explanation, GrantSubject, Policies, Question, RequestContext, explain,
};
use keyproof::load::Simulation;
use keyproof::model::{
    Action, CallerPrincipal, ContextMap, ContextValue, PolicyKind, Reading, Readings, Truth,
};
use keyproof::{pattern, syntax};
use serde_json::{Value, json};

use crate::kms_vectors;

const DEFAULT: [&str; 3] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/iam.jsonl"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/kms.jsonl"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/kms-more.jsonl"),
];

/// Cases that ask more than whether a document can be evaluated. CreatePolicy refuses a managed
/// policy without the version 2012-10-17; the page of `Version` says that such policies exist and how
/// they behave, and they are evaluated so (P4).
const BEYOND: [&str; 2] = ["policy-valid-003", "policy-valid-004"];

#[test]
fn vectors_come_out_as_told() {
    let files = match std::env::var_os("KEYPROOF_VECTORS") {
        Some(file) => vec![PathBuf::from(file)],
        None => DEFAULT.map(PathBuf::from).to_vec(),
    };
    let failures: String = files.iter().map(|file| failures(file)).collect();
    assert!(failures.is_empty(), "\n{failures}");
}

/// The cases of a file that come out otherwise, a line each.
fn failures(path: &Path) -> String {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut failures = String::new();
    let mut judged = 0;
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        judged += 1;
        let read = || {
            let case: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
            let (judge, expected) = judge(&case).ok_or("an unknown kind")?;
            Ok::<_, String>((case, judge, expected))
        };
        // One case that cannot be read says so, and leaves the others to be judged.
        let (case, judge, expected) = match caught(read).and_then(|read| read) {
            Ok(read) => read,
            Err(error) => {
                writeln!(failures, "{}:{}: {error}: {line}", path.display(), number + 1).unwrap();
                continue;
            }
        };
        if case["id"].as_str().is_some_and(|id| BEYOND.contains(&id)) {
            assert!(!as_expected(&judge(&case, &Readings::default()), &expected), "{line}");
            continue;
        }
        let open = ["uncertain", "doc-contradiction"]
            .iter()
            .any(|word| case["certainty"].as_str().is_some_and(|it| it.eq_ignore_ascii_case(word)));
        let judge = |case: &Value, readings: &Readings| {
            caught(|| judge(case, readings)).unwrap_or_else(|text| json!({"outcome": text}))
        };
        let mut answer = judge(&case, &Readings::default());
        if open && !as_expected(&answer, &expected) {
            answer = Reading::ALL
                .iter()
                .flat_map(|reading| reading.values().iter().map(move |value| (*reading, *value)))
                .map(|(reading, value)| {
                    let mut readings = Readings::default();
                    readings.choose(reading, value).expect("a value of this reading");
                    judge(&case, &readings)
                })
                .find(|answer| as_expected(answer, &expected))
                .unwrap_or(answer);
        }
        if !as_expected(&answer, &expected) {
            let (id, certainty) = (&case["id"], &case["certainty"]);
            writeln!(failures, "{id} ({certainty}): expected {expected}, got {answer}: {line}")
                .expect("writing to a string");
        }
    }
    println!("{judged} cases of {}", path.display());
    assert!(judged > 0, "{} holds no case", path.display());
    failures
}

#[test]
fn a_case_with_a_member_that_nobody_reads_says_so() {
    let text = std::fs::read_to_string(DEFAULT[1]).unwrap();
    let case: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    for (place, told) in [
        ("", "`surprise` of the case is not read"),
        ("/caller", "`surprise` of the caller is not read"),
        ("/keys/0", "`surprise` of a key is not read"),
        ("/request", "`surprise` of Decrypt is not read"),
        ("/expected", "`surprise` of what is expected is not read"),
    ] {
        let mut case = case.clone();
        case.pointer_mut(place).unwrap()["surprise"] = json!(true);
        let answer = kms_vectors::judge(&case, &Readings::default());
        assert_eq!(answer["outcome"], told, "{answer}");
    }
}

/// The value; or what it panics with.
fn caught<T>(make: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(make)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        format!("panics: {}", text.unwrap_or_default())
    })
}

/// The answer of a case.
type Judge = fn(&Value, &Readings) -> Value;

/// An expected object need not name every member of the answer.
fn as_expected(answer: &Value, expected: &Value) -> bool {
    match expected.as_object() {
        Some(members) => members.iter().all(|(name, value)| answer[name] == *value),
        None => answer == expected,
    }
}

/// How a case is judged, and what it expects; whole operations have no kind.
fn judge(case: &Value) -> Option<(Judge, Value)> {
    let expected = &case["expected"];
    let judge: Judge = match case["kind"].as_str() {
        None if case["request"].is_object() => {
            return Some((kms_vectors::judge, kms_vectors::expected(case)));
        }
        Some("policy_valid") => return Some((policy_valid, expected["valid"].clone())),
        Some("action_match") => action_match,
        Some("resource_match") => resource_match,
        Some("principal_match") => principal_match,
        Some("condition") => condition,
        Some("evaluate") => evaluate,
        _ => return None,
    };
    Some((judge, expected.clone()))
}

fn policy_valid(case: &Value, _: &Readings) -> Value {
    let input = &case["input"];
    let kind = policy_kind(input["policyType"].as_str().expect("a policy type"));
    let text = input["raw"].as_str().expect("a text");
    json!(syntax::parse(text, kind).into_result().is_ok())
}

fn action_match(case: &Value, _: &Readings) -> Value {
    let input = &case["input"];
    let text = |member: &str| input[member].as_str().expect("a string");
    json!(pattern::matches_action(text("pattern"), text("action")))
}

fn resource_match(case: &Value, readings: &Readings) -> Value {
    let input = &case["input"];
    let element = input["element"].as_str().expect("an element");
    let statement = json!({"Effect": "Allow", "Action": "kms:Decrypt", element: input["patterns"]});
    let kind = policy_kind(input["policyType"].as_str().expect("a policy type"));
    let resource = input["resource"].as_str().expect("a resource");
    let Some(explanation) = ask(input, statement, kind, &alice(), resource, readings) else {
        return json!("invalid");
    };
    json!(explanation.trace.statements[0].elements.resource == Truth::True)
}

fn condition(case: &Value, readings: &Readings) -> Value {
    let input = &case["input"];
    let statement = json!({
        "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": input["condition"],
    });
    let Some(explanation) = ask(input, statement, PolicyKind::Identity, &alice(), "*", readings)
    else {
        return json!("invalid");
    };
    json!(explanation.trace.statements[0].elements.conditions == Truth::True)
}

fn principal_match(case: &Value, readings: &Readings) -> Value {
    let input = &case["input"];
    let statement = json!({
        "Effect": "Allow", "Principal": input["principal"], "Action": "kms:Decrypt", "Resource": "*",
    });
    let caller = requester(&input["requester"]);
    let Some(explanation) = ask(input, statement, PolicyKind::Key, &caller, "*", readings) else {
        return json!("invalid");
    };
    let classes = explanation.trace.statements[0].elements.principal.expect("a principal");
    let named = PrincipalClass::ALL.iter().find(|class| classes.in_class(**class) == Truth::True);
    json!(named.map_or("none", |class| class.as_str()))
}

/// The question of `keyproof simulate --batch`.
fn evaluate(case: &Value, readings: &Readings) -> Value {
    let line = case["input"].to_string();
    let simulation = Simulation::from_json(&line, Path::new("case"), 1)
        .unwrap_or_else(|error| panic!("{}: {error}: {line}", case["id"]));
    let answer = simulation.answer(readings);
    let side = answer.outcome.as_ref().expect("an answer");
    assert_eq!(simulation.decide(readings), side.explanation.decision, "{line}");
    json!({"decision": answer.decision(), "by": answer.by()})
}

/// Puts one statement in a document and asks it; `None` when the document is refused.
fn ask(
    input: &Value,
    statement: Value,
    kind: PolicyKind,
    caller: &CallerPrincipal,
    resource: &str,
    readings: &Readings,
) -> Option<Explanation> {
    let mut document = json!({"Statement": [statement]});
    match input.get("version") {
        Some(Value::Null) => {}
        Some(version) => document["Version"] = version.clone(),
        None => document["Version"] = json!("2012-10-17"),
    }
    let text = document.to_string();
    let document = syntax::parse(&text, kind).into_result().ok()?;
    let source = Source::file("case.json", &text);
    let slots = [PolicySlot::Compiled(Arc::new(Policy::compile(&document, kind, "case", source)))];
    let stated = context(&input["context"]);
    let none = Attached::NotApplicable;
    let (identity, key) = match kind {
        PolicyKind::Key => (none, Attached::Union(&slots)),
        _ => (Attached::Union(&slots), Attached::Union(&[])),
    };
    let question = Question {
        principal: caller,
        resource,
        resource_account: caller.account().or_else(|| "111122223333".parse().ok()),
        region_disabled: false,
        context: RequestContext {
            action: Action::Decrypt,
            stated: &stated,
            facts: None,
            grant: GrantSubject::None,
        },
        policies: Policies {
            key,
            identity,
            boundary: none,
            session: none,
            service_control: none,
            resource_control: none,
            endpoint: none,
            grants: Ok(GrantsRef::NONE),
        },
        grant_tokens: &[],
        readings,
    };
    Some(explain(&question))
}

fn context(given: &Value) -> ContextMap {
    let mut map = ContextMap::new().complete();
    for (key, value) in given.as_object().into_iter().flatten() {
        let value = match value {
            Value::Array(values) => ContextValue::Many(values.iter().map(plain).collect()),
            one => ContextValue::One(plain(one)),
        };
        map.insert(key, value).expect("each key once");
    }
    map
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn policy_kind(name: &str) -> PolicyKind {
    match name {
        "identity" | "identity-managed" | "identity-inline" => PolicyKind::Identity,
        "boundary" => PolicyKind::Boundary,
        "session" => PolicyKind::Session,
        "scp" => PolicyKind::ServiceControl,
        "rcp" => PolicyKind::ResourceControl,
        "vpce" => PolicyKind::Endpoint,
        "resource" | "kms" | "key" | "key-policy" => PolicyKind::Key,
        other => panic!("a policy type `{other}`"),
    }
}

fn alice() -> CallerPrincipal {
    requester(
        &json!({"type": "user", "arn": "arn:aws:iam::111122223333:user/alice", "id": "AIDAEXAMPLEALICE"}),
    )
}

fn requester(given: &Value) -> CallerPrincipal {
    let arn = |member: &str| {
        given[member]
            .as_str()
            .unwrap_or_else(|| panic!("{given}: {member}"))
            .parse()
            .expect("a principal ARN")
    };
    // A role session's id is `AROA…:session`.
    let id =
        || given["id"].as_str().and_then(|id| id.split(':').next()).and_then(|id| id.parse().ok());
    match given["type"].as_str() {
        Some("anonymous") => CallerPrincipal::Anonymous,
        Some("federated-user") => {
            CallerPrincipal::FederatedUser { arn: arn("arn"), user: arn("userArn") }
        }
        Some("role-session") => {
            CallerPrincipal::RoleSession { session: arn("arn"), role: arn("roleArn"), id: id() }
        }
        Some("root") => CallerPrincipal::Root(arn("arn")),
        Some("service") => CallerPrincipal::Service {
            names: given["serviceNames"]
                .as_array()
                .expect("service names")
                .iter()
                .map(|name| name.as_str().expect("a name").parse().expect("a service name"))
                .collect(),
        },
        Some("user") => CallerPrincipal::User { arn: arn("arn"), id: id() },
        other => panic!("a requester of type {other:?}"),
    }
}
