//! Decisions with sources, one a line.
//!
//! `KEYPROOF_VECTORS` names the file (default: `tests/vectors/iam.jsonl`). Cases that AWS's
//! documentation decides must come out as told; those it leaves open must come out so under one of
//! the readings that decided them.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use keyproof::compile::{Policy, PolicySlot, PrincipalClass, Source};
use keyproof::evaluate::{Attached, Explanation, Policies, Question, RequestContext, explain};
use keyproof::model::{
    Action, CallerPrincipal, ContextMap, ContextValue, PolicyKind, Reading, Readings, Truth,
};
use keyproof::{pattern, syntax};
use serde_json::{Value, json};

const DEFAULT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/iam.jsonl");

#[test]
fn vectors_come_out_as_told() {
    let path =
        std::env::var_os("KEYPROOF_VECTORS").map_or_else(|| PathBuf::from(DEFAULT), PathBuf::from);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut failures = String::new();
    let mut judged = 0;
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let case: Value = serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("{}:{}: {error}", path.display(), number + 1));
        let kind = case["kind"].as_str().unwrap_or_default();
        let Some(judge) = judge(kind) else { continue };
        judged += 1;
        let open = matches!(case["certainty"].as_str(), Some("uncertain" | "doc-contradiction"));
        let (mut answer, decided_by) = judge(&case["input"], &Readings::default());
        if open && answer != case["expected"] {
            answer = decided_by
                .iter()
                .flat_map(|reading| reading.values().iter().map(move |value| (*reading, *value)))
                .map(|(reading, value)| {
                    let mut readings = Readings::default();
                    readings.choose(reading, value).expect("a value of this reading");
                    judge(&case["input"], &readings).0
                })
                .find(|answer| *answer == case["expected"])
                .unwrap_or(answer);
        }
        if answer != case["expected"] {
            writeln!(
                failures,
                "{} ({}): expected {}, got {answer}: {}",
                case["id"], case["certainty"], case["expected"], case["input"]
            )
            .expect("writing to a string");
        }
    }
    println!("{judged} cases of {}", path.display());
    assert!(judged > 0, "{} holds no case of a kind that is judged here", path.display());
    assert!(failures.is_empty(), "\n{failures}");
}

/// The answer of a case, and the readings that had a part in it.
type Judge = fn(&Value, &Readings) -> (Value, Vec<Reading>);

fn judge(kind: &str) -> Option<Judge> {
    match kind {
        "action_match" => Some(action_match),
        "resource_match" => Some(resource_match),
        "principal_match" => Some(principal_match),
        "condition" => Some(condition),
        _ => None,
    }
}

fn action_match(input: &Value, _: &Readings) -> (Value, Vec<Reading>) {
    let text = |member: &str| input[member].as_str().expect("a string");
    (json!(pattern::matches_action(text("pattern"), text("action"))), Vec::new())
}

fn resource_match(input: &Value, readings: &Readings) -> (Value, Vec<Reading>) {
    let element = input["element"].as_str().expect("an element");
    let statement = json!({"Effect": "Allow", "Action": "kms:Decrypt", element: input["patterns"]});
    let kind = policy_kind(input["policyType"].as_str().expect("a policy type"));
    let resource = input["resource"].as_str().expect("a resource");
    let Some(explanation) = ask(input, statement, kind, &alice(), resource, readings) else {
        return (json!("invalid"), Vec::new());
    };
    let matches = explanation.trace.statements[0].elements.resource == Truth::True;
    (json!(matches), explanation.trace.readings)
}

fn condition(input: &Value, readings: &Readings) -> (Value, Vec<Reading>) {
    let statement = json!({
        "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": input["condition"],
    });
    let Some(explanation) = ask(input, statement, PolicyKind::Identity, &alice(), "*", readings)
    else {
        return (json!("invalid"), Vec::new());
    };
    let holds = explanation.trace.statements[0].elements.conditions == Truth::True;
    (json!(holds), explanation.trace.readings)
}

fn principal_match(input: &Value, readings: &Readings) -> (Value, Vec<Reading>) {
    let statement = json!({
        "Effect": "Allow", "Principal": input["principal"], "Action": "kms:Decrypt", "Resource": "*",
    });
    let caller = requester(&input["requester"]);
    let Some(explanation) = ask(input, statement, PolicyKind::Key, &caller, "*", readings) else {
        return (json!("invalid"), Vec::new());
    };
    let classes = explanation.trace.statements[0].elements.principal.expect("a principal");
    let named = PrincipalClass::ALL.iter().find(|class| classes.in_class(**class) == Truth::True);
    (json!(named.map_or("none", |class| class.as_str())), explanation.trace.readings)
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
        context: RequestContext { action: Action::Decrypt, stated: &stated, facts: None },
        policies: Policies {
            key,
            identity,
            boundary: none,
            session: none,
            service_control: none,
            resource_control: none,
            endpoint: none,
            grants: Ok(&[]),
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
        "identity" => PolicyKind::Identity,
        "boundary" => PolicyKind::Boundary,
        "session" => PolicyKind::Session,
        "scp" => PolicyKind::ServiceControl,
        "rcp" => PolicyKind::ResourceControl,
        "vpce" => PolicyKind::Endpoint,
        "resource" | "kms" | "key" => PolicyKind::Key,
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
