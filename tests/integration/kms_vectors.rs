//! Cases of whole operations, end to end: names resolved, every side decided, the keys judged, and
//! where a keystore can hold them, the operation run.

mod embedded;
mod members;
mod request;
mod world;

use keyproof::authorize::{
    Authorizer, CiphertextInspector, DecryptRequest, InspectError, Judged, KeyIdentifier,
    Preflight, PreflightAnswer, PreflightError, Provenance, ReEncryptRequest, ResolveError,
    SideAnswer,
};
use keyproof::compile::{Caller, Epoch, Snapshot};
use keyproof::load::RequestError;
use keyproof::model::{
    CiphertextBlob, Decision, EncryptionAlgorithm, EncryptionContext, GrantToken, KeyArn, Readings,
    Region,
};
use serde_json::{Map, Value, json};

use request::{flag, grant_tokens, ignores_ciphertext, words};
use world::world;

/// How a case came out.
struct Outcome {
    /// `ALLOW`, AWS's error, or why there is neither.
    code: String,
    message: String,
    sides: Vec<SideAnswer>,
}

/// The answer of a case: judged as a question, and run where a keystore can hold its keys.
pub fn judge(case: &Value, readings: &Readings) -> Value {
    if let Some(unread) = members::unread(case) {
        return json!({"outcome": unread});
    }
    let mut outcome = ask(case, readings);
    if let Some(run) = embedded::outcome(case, readings)
        && run != outcome.code
    {
        // What the ciphertext holds shows when it is opened; else the two must agree.
        outcome.code = match outcome.code.as_str() {
            "ALLOW" => run,
            judged => format!("judged as {judged}, run as {run}"),
        };
    }
    if outcome.code == "ALLOW"
        && let Some(code) = request::payload_fault(case)
    {
        outcome.code = code.to_owned();
    }
    if flag(&case["request"], "DryRun") && outcome.code == "ALLOW" {
        outcome.code = "DryRunOperationException".to_owned();
    }
    let wanted = &case["expected"];
    let mut answer =
        json!({"outcome": outcome.code, "sides": wanted_sides(wanted, &outcome.sides)});
    // Of several errors that AWS may give, any will do.
    let others = [&wanted["alternatives"], &wanted["error"]["alternatives"]];
    let mut others = others.into_iter().filter_map(Value::as_array).flatten();
    if others.any(|other| *other == answer["outcome"]) {
        answer["outcome"] = expected_outcome(wanted);
    }
    if outcome.code.ends_with("Exception") {
        answer["http"] = http(wanted, &outcome.code);
    }
    for (member, text) in messages(wanted) {
        let met = outcome.message.starts_with(text.trim_end_matches('.'));
        answer[member] = if met { json!(text) } else { json!(outcome.message) };
    }
    answer
}

/// The sides that are expected, as they came out.
fn wanted_sides(wanted: &Value, sides: &[SideAnswer]) -> Value {
    let Some(wanted) = wanted["sides"].as_object() else { return Value::Null };
    let found = sides.iter().map(|side| {
        let decision = match side.explanation.decision {
            Decision::Allow => "ALLOW",
            Decision::ExplicitDeny => "EXPLICIT_DENY",
            Decision::ImplicitDeny => "IMPLICIT_DENY",
            Decision::Undetermined => "UNDETERMINED",
        };
        (format!("{}@{}", side.action, side.resource), json!(decision))
    });
    let found: Map<String, Value> = found.collect();
    let of = |name: &String| found.get(name).cloned().unwrap_or_else(|| json!("no such side"));
    Value::Object(wanted.keys().map(|name| (name.clone(), of(name))).collect())
}

/// The status of an error (botocore: `fault: true` is 500). AWS's pages contradict each other on
/// that of AccessDeniedException.
fn http(wanted: &Value, code: &str) -> Value {
    let told = &wanted["error"]["http"];
    match code {
        "AccessDeniedException" if *told == json!(403) => told.clone(),
        "DependencyTimeoutException" | "KMSInternalException" | "KeyUnavailableException" => {
            json!(500)
        }
        _ => json!(400),
    }
}

/// The texts that are expected, by the member that tells them.
fn messages(wanted: &Value) -> Vec<(&'static str, String)> {
    let text = |member: &str| {
        let told = wanted[member].as_str().or_else(|| wanted["error"][member].as_str());
        told.map(str::to_owned)
    };
    let all = ["message", "messagePrefix"].map(|member| text(member).map(|text| (member, text)));
    all.into_iter().flatten().collect()
}

fn expected_outcome(wanted: &Value) -> Value {
    match wanted["overall"].as_str().unwrap() {
        "ALLOW" => json!("ALLOW"),
        "DENY" => json!("AccessDeniedException"),
        _ => wanted["error"]["type"].clone(),
    }
}

pub fn expected(case: &Value) -> Value {
    let wanted = &case["expected"];
    let sides = wanted.get("sides").cloned().unwrap_or(Value::Null);
    let mut all = json!({"outcome": expected_outcome(wanted), "sides": sides});
    if !wanted["error"]["http"].is_null() {
        all["http"] = wanted["error"]["http"].clone();
    }
    for (member, text) in messages(wanted) {
        all[member] = json!(text);
    }
    all
}

struct MadeBy(Option<KeyArn>);

impl CiphertextInspector for MadeBy {
    fn inspect(&self, _: &CiphertextBlob) -> Result<Provenance, InspectError> {
        Ok(self.0.clone().map_or(Provenance::Opaque, Provenance::Key))
    }
}

/// What a case asks of the keys that encrypt and decrypt.
struct Asked {
    region: Region,
    source_key: Option<KeyIdentifier>,
    source_algorithm: EncryptionAlgorithm,
    source_context: EncryptionContext,
    destination_key: Option<KeyIdentifier>,
    destination_algorithm: EncryptionAlgorithm,
    destination_context: EncryptionContext,
    grant_tokens: Vec<GrantToken>,
}

impl Asked {
    /// `None` for other operations, and where the ciphertext is not to be looked at.
    fn of(case: &Value) -> Option<Self> {
        let request = &case["request"];
        let name = |member: &str| request[member].as_str().map(|text| text.parse().unwrap());
        let algorithm = |member: &str| {
            request[member]
                .as_str()
                .map_or(EncryptionAlgorithm::SymmetricDefault, |text| text.parse().unwrap())
        };
        let (key, source) = match request["operation"].as_str()? {
            _ if ignores_ciphertext(request) => return None,
            "ReEncrypt" => ("SourceKeyId", "Source"),
            "Decrypt" => ("KeyId", ""),
            _ => return None,
        };
        Some(Self {
            region: request["region"].as_str().unwrap().parse().unwrap(),
            source_key: name(key),
            source_algorithm: algorithm(&format!("{source}EncryptionAlgorithm")),
            source_context: pairs(&request[format!("{source}EncryptionContext")]),
            destination_key: name("DestinationKeyId"),
            destination_algorithm: algorithm("DestinationEncryptionAlgorithm"),
            destination_context: pairs(&request["DestinationEncryptionContext"]),
            grant_tokens: grant_tokens(request),
        })
    }
}

/// The key that made the ciphertext: for Decrypt, the one that is named, unless another is told.
fn made_by(request: &Value) -> Option<&str> {
    let named = || request["KeyId"].as_str().filter(|_| request["operation"] == "Decrypt");
    request["CiphertextKey"].as_str().or_else(named)
}

fn ask(case: &Value, readings: &Readings) -> Outcome {
    let (snapshot, caller) = world(case, readings, Epoch::new(0));
    let authorizer = Authorizer::new(&snapshot);
    let Some(asked) = Asked::of(case) else { return question(case, &authorizer, &caller) };
    let request = &case["request"];
    let blob = made_by(request).map(|_| CiphertextBlob::new(*b"blob").unwrap());
    let key: Option<KeyArn> = request["CiphertextKey"].as_str().map(|text| text.parse().unwrap());
    let inspector = MadeBy(key.filter(|arn| names_its_key(&snapshot, arn)));
    let outcome = if request["operation"] == "ReEncrypt" {
        let Some(destination_key) = asked.destination_key else {
            return refused("ValidationException", "the request has no DestinationKeyId");
        };
        let request = ReEncryptRequest {
            region: asked.region,
            source_key: asked.source_key,
            ciphertext: blob,
            source_algorithm: asked.source_algorithm,
            source_context: asked.source_context,
            destination_key,
            destination_algorithm: asked.destination_algorithm,
            destination_context: asked.destination_context,
            grant_tokens: asked.grant_tokens,
        };
        let operation = authorizer.resolve_re_encrypt(request, &caller, &inspector);
        operation.map(|operation| verdict(&authorizer, operation, &caller))
    } else {
        let request = DecryptRequest {
            region: asked.region,
            key: asked.source_key,
            ciphertext: blob,
            algorithm: asked.source_algorithm,
            context: asked.source_context,
            grant_tokens: asked.grant_tokens,
        };
        let operation = authorizer.resolve_decrypt(request, &caller, &inspector);
        operation.map(|operation| verdict(&authorizer, operation, &caller))
    };
    outcome.unwrap_or_else(|error| unresolved(&error))
}

/// Asymmetric ciphertexts do not.
fn names_its_key(snapshot: &Snapshot, arn: &KeyArn) -> bool {
    snapshot.key(arn).is_none_or(|entry| entry.key.spec.is_symmetric())
}

fn verdict<O: Judged>(authorizer: &Authorizer<'_>, operation: O, caller: &Caller) -> Outcome {
    let sides = authorizer.explain(&operation, caller);
    match authorizer.authorize(operation, caller) {
        Ok(_) => Outcome { code: "ALLOW".to_owned(), message: String::new(), sides },
        Err(denied) if denied.fault.is_none() && denied.decision() == Decision::Undetermined => {
            Outcome { code: "UNDETERMINED".to_owned(), message: denied.to_string(), sides }
        }
        Err(denied) => {
            let message = denied.fault.as_ref().map(|fault| fault.message.clone());
            let message = message.unwrap_or_else(|| denied.to_string());
            Outcome { code: denied.code().to_owned(), message, sides }
        }
    }
}

fn question(case: &Value, authorizer: &Authorizer<'_>, caller: &Caller) -> Outcome {
    let request = &case["request"];
    let lists_grants = request["operation"] == "ListRetirableGrants";
    let by = ["RetiringPrincipal", "RetiringServicePrincipal"];
    if lists_grants && by.iter().all(|member| request[*member].is_null()) {
        // The engine judges the permission alone; KMS wants to know whose grants.
        return refused("ValidationException", "the request names no retiring principal");
    }
    let operation = match words(request).operation() {
        Ok(operation) => operation,
        // What a person would have mistyped, a request just has.
        Err(error @ (RequestError::Missing { .. } | RequestError::Invalid(_))) => {
            return refused("ValidationException", &error.to_string());
        }
        Err(error) => return refused(&format!("cannot be put: {error}"), ""),
    };
    let question = Preflight {
        operation,
        region: Some(request["region"].as_str().unwrap().parse().unwrap()),
        grant_tokens: grant_tokens(request),
        dry_run: flag(request, "DryRun"),
    };
    match authorizer.preflight(question, caller) {
        Ok(PreflightAnswer { sides, fault: Some(fault), .. }) => {
            Outcome { code: fault.code.to_owned(), message: fault.message, sides }
        }
        Ok(answer) => {
            let code = match answer.decision() {
                Decision::Allow => "ALLOW",
                Decision::Undetermined => "UNDETERMINED",
                Decision::ExplicitDeny | Decision::ImplicitDeny => "AccessDeniedException",
            };
            Outcome { code: code.to_owned(), message: String::new(), sides: answer.sides }
        }
        Err(PreflightError::Resolve(error)) => unresolved(&error),
        Err(error) => {
            let code = error.code().map_or_else(|| error.to_string(), str::to_owned);
            let message = match error {
                PreflightError::Refused { message, .. } => message,
                other => other.to_string(),
            };
            refused(&code, &message)
        }
    }
}

fn unresolved(error: &ResolveError) -> Outcome {
    refused(error.code().unwrap_or("UNDETERMINED"), &error.to_string())
}

fn refused(code: &str, message: &str) -> Outcome {
    Outcome { code: code.to_owned(), message: message.to_owned(), sides: Vec::new() }
}

fn pairs(value: &Value) -> EncryptionContext {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect()
}
