//! `tests/vectors/kms.jsonl` end to end: names resolved, every side decided, the keys judged.

use std::fmt::Write as _;

use keyproof::authorize::{
    Authorizer, CiphertextInspector, DecryptRequest, Denied, GrantRequest, InspectError,
    KeyIdentifier, Preflight, PreflightError, PreflightKey, PreflightOperation, Provenance,
    ReEncryptRequest, ResolveError, SideAnswer,
};
use keyproof::compile::{
    Caller, Entity, KeyEntry, Known, Membership, PolicySlot, SessionPolicies, Snapshot,
};
use keyproof::model::{
    CallerPrincipal, CiphertextBlob, ContextMap, ContextValue, Decision, EncryptionAlgorithm,
    EncryptionContext, EncryptionContextConstraint, Grant, GrantConstraints, GrantOperation,
    GrantPrincipal, GrantToken, GrantVisibility, Key, KeyArn, PolicyKind, PrincipalArn, Reading,
    Readings, Region,
};
use serde_json::{Value, json};

use crate::world::slot;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/kms.jsonl");

/// Cases whose point lies beyond the decision, each with its reason.
const BEYOND: &[(&str, &str)] = &[
    ("V074", "the cryptography refuses a wrong context: tests of the embedded KMS"),
    ("V079", "the cryptography refuses a plaintext that is too long: tests of the embedded KMS"),
    ("V149", "grant tokens are made by the keystore: tests of the embedded KMS"),
];

#[test]
fn kms_vectors_come_out_as_told() {
    let text = std::fs::read_to_string(FILE).unwrap();
    let (mut failures, mut judged) = (String::new(), 0);
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        if BEYOND.iter().any(|(id, _)| case["id"] == *id) {
            continue;
        }
        judged += 1;
        let expected = expected(&case);
        let mut answer = ask(&case, &Readings::default());
        if case["certainty"] == "UNCERTAIN" && answer != expected {
            let choices = Reading::ALL
                .iter()
                .flat_map(|reading| reading.values().iter().map(move |value| (*reading, *value)));
            for (reading, value) in choices {
                let mut readings = Readings::default();
                readings.choose(reading, value).unwrap();
                let other = ask(&case, &readings);
                if other == expected {
                    answer = other;
                    break;
                }
            }
        }
        if answer != expected {
            writeln!(
                failures,
                "{} ({}) {}: expected {expected}, got {answer}",
                case["id"], case["certainty"], case["title"]
            )
            .unwrap();
        }
    }
    println!("{judged} cases of {FILE}");
    assert_eq!(judged + BEYOND.len(), text.lines().count());
    assert!(failures.is_empty(), "\n{failures}");
}

fn expected(case: &Value) -> Value {
    let expected = &case["expected"];
    let outcome = match expected["overall"].as_str().unwrap() {
        "ALLOW" => json!("ALLOW"),
        "DENY" => json!("AccessDeniedException"),
        _ => expected["error"]["type"].clone(),
    };
    // DryRunOperationException is how KMS says that a dry run would have succeeded.
    let outcome = if outcome == "DryRunOperationException" { json!("ALLOW") } else { outcome };
    let sides = expected.get("sides").cloned().unwrap_or(Value::Null);
    json!({"outcome": outcome, "sides": sides})
}

struct MadeBy(Option<KeyArn>);

impl CiphertextInspector for MadeBy {
    fn inspect(&self, _: &CiphertextBlob) -> Result<Provenance, InspectError> {
        Ok(self.0.clone().map_or(Provenance::Opaque, Provenance::Key))
    }
}

fn ask(case: &Value, readings: &Readings) -> Value {
    let (snapshot, caller) = world(case, readings);
    let authorizer = Authorizer::new(&snapshot);
    let request = &case["request"];
    let region: Region = request["region"].as_str().unwrap().parse().unwrap();
    let name =
        |member: &str| request[member].as_str().map(|text| text.parse::<KeyIdentifier>().unwrap());
    let algorithm = |member: &str| {
        request[member]
            .as_str()
            .map_or(EncryptionAlgorithm::SymmetricDefault, |text| text.parse().unwrap())
    };
    let made_by: Option<KeyArn> =
        request["CiphertextKey"].as_str().map(|text| text.parse().unwrap());
    let blob = made_by.as_ref().map(|_| CiphertextBlob::new(*b"blob").unwrap());
    let symmetric = made_by
        .as_ref()
        .is_none_or(|arn| snapshot.key(arn).is_none_or(|entry| entry.key.spec.is_symmetric()));
    let inspector = MadeBy(made_by.filter(|_| symmetric));
    let grant_tokens: Vec<GrantToken> = request["GrantTokens"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|token| GrantToken::new(token.as_str().unwrap()).unwrap())
        .collect();
    let operation = request["operation"].as_str().unwrap();
    let outcome = match operation {
        "ReEncrypt" => {
            let asked = ReEncryptRequest {
                region,
                source_key: name("SourceKeyId"),
                ciphertext: blob,
                source_algorithm: algorithm("SourceEncryptionAlgorithm"),
                source_context: pairs(&request["SourceEncryptionContext"]),
                destination_key: name("DestinationKeyId").unwrap(),
                destination_algorithm: algorithm("DestinationEncryptionAlgorithm"),
                destination_context: pairs(&request["DestinationEncryptionContext"]),
                grant_tokens,
            };
            authorizer.resolve_re_encrypt(asked, &caller, &inspector).map(|operation| {
                let sides = authorizer.explain(&operation, &caller);
                (
                    sides,
                    authorizer
                        .authorize(operation, &caller)
                        .map(drop)
                        .map_err(|denied| code(&denied)),
                )
            })
        }
        "Decrypt" => {
            let asked = DecryptRequest {
                region,
                key: name("KeyId"),
                ciphertext: Some(blob.unwrap_or_else(|| CiphertextBlob::new(*b"blob").unwrap())),
                algorithm: EncryptionAlgorithm::SymmetricDefault,
                context: pairs(&request["EncryptionContext"]),
                grant_tokens,
            };
            authorizer.resolve_decrypt(asked, &caller, &inspector).map(|operation| {
                let sides = authorizer.explain(&operation, &caller);
                (
                    sides,
                    authorizer
                        .authorize(operation, &caller)
                        .map(drop)
                        .map_err(|denied| code(&denied)),
                )
            })
        }
        _ => {
            let question = Preflight {
                operation: preflight(operation, request, &name),
                region: Some(region),
                grant_tokens,
            };
            match authorizer.preflight(question, &caller) {
                Ok(answer) => {
                    let verdict = match (&answer.fault, answer.decision()) {
                        (Some(fault), _) => Err(fault.code.to_owned()),
                        (None, Decision::Allow) => Ok(()),
                        (None, _) => Err("AccessDeniedException".to_owned()),
                    };
                    Ok((answer.sides, verdict))
                }
                Err(PreflightError::Resolve(error)) => Err(error),
                Err(error) => {
                    return json!({"outcome": error.code(), "sides": case["expected"]["sides"]});
                }
            }
        }
    };
    match outcome {
        Ok((sides, verdict)) => {
            let outcome = verdict.err().unwrap_or_else(|| "ALLOW".into());
            let sides =
                if case["expected"]["sides"].is_null() { Value::Null } else { decisions(&sides) };
            json!({"outcome": outcome, "sides": sides})
        }
        Err(ResolveError::SourceKeyMissing) if !request["DryRun"].is_boolean() => {
            // Without SourceKeyId, an RSA ciphertext is taken for a symmetric one.
            json!({"outcome": "InvalidCiphertextException", "sides": case["expected"]["sides"]})
        }
        Err(error) => json!({"outcome": error.code(), "sides": case["expected"]["sides"]}),
    }
}

fn preflight(
    operation: &str,
    request: &Value,
    name: &dyn Fn(&str) -> Option<KeyIdentifier>,
) -> PreflightOperation {
    let text = |member: &str| request[member].as_str().unwrap();
    let key = || name("KeyId").unwrap();
    match operation {
        "CreateAlias" => PreflightOperation::CreateAlias {
            alias: text("AliasName").parse().unwrap(),
            target: name("TargetKeyId").unwrap(),
        },
        "UpdateAlias" => PreflightOperation::UpdateAlias {
            alias: text("AliasName").parse().unwrap(),
            target: name("TargetKeyId").unwrap(),
        },
        "CreateGrant" => {
            let made =
                grant(0, request, &"arn:aws:kms:us-west-2:111122223333:key/x".parse().unwrap());
            PreflightOperation::CreateGrant {
                key: key(),
                grant: Box::new(GrantRequest {
                    grantee: made.grantee,
                    retiring: made.retiring,
                    operations: made.operations,
                    constraints: made.constraints,
                }),
            }
        }
        "RetireGrant" => PreflightOperation::RetireGrant {
            key: text("KeyId").parse().unwrap(),
            grant: text("GrantId").parse().unwrap(),
        },
        "CreateKey" | "ListKeys" => {
            PreflightOperation::NoKey { action: operation.parse().unwrap(), tagged: false }
        }
        "PutKeyPolicy" => PreflightOperation::PutKeyPolicy {
            key: key(),
            policy: match request["PolicyBytes"].as_u64() {
                Some(bytes) => Some(" ".repeat(usize::try_from(bytes).unwrap())),
                None => Some(request["Policy"].to_string()),
            },
            bypass: request["BypassPolicyLockoutSafetyCheck"] == json!(true),
        },
        _ => PreflightOperation::Action {
            action: PreflightOperation::action(operation).unwrap(),
            key: PreflightKey {
                name: key(),
                context: pairs(&request["EncryptionContext"]),
                algorithm: EncryptionAlgorithm::SymmetricDefault,
            },
        },
    }
}

fn code<O>(denied: &Denied<O>) -> String {
    // A dry run without ciphertext has nothing to mint, and is allowed all the same.
    match &denied.fault {
        Some(fault) if fault.message.contains("has no CiphertextBlob") => "ALLOW".into(),
        _ => denied.code().into(),
    }
}

fn decisions(sides: &[SideAnswer]) -> Value {
    let pairs = sides.iter().map(|side| {
        let decision = match side.explanation.decision {
            Decision::Allow => "ALLOW",
            Decision::ExplicitDeny => "EXPLICIT_DENY",
            Decision::ImplicitDeny => "IMPLICIT_DENY",
            Decision::Undetermined => "UNDETERMINED",
        };
        (format!("{}@{}", side.action, side.resource), json!(decision))
    });
    Value::Object(pairs.collect())
}

fn pairs(value: &Value) -> EncryptionContext {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect()
}

fn world(case: &Value, readings: &Readings) -> (Snapshot, Caller) {
    let mut builder = Snapshot::builder();
    builder.readings(readings.clone()).knows_all_keys();
    let caller = caller(&case["caller"]);
    let slots = |value: &Value, kind: PolicyKind| -> Vec<PolicySlot> {
        match value {
            Value::Null => Vec::new(),
            Value::Array(documents) => {
                documents.iter().map(|one| slot(&one.to_string(), kind)).collect()
            }
            one => vec![slot(&one.to_string(), kind)],
        }
    };
    let mut memberships = std::collections::HashMap::new();
    let mut member = |account: &str| {
        let account: keyproof::model::AccountId = account.parse().unwrap();
        memberships.entry(account).or_insert_with(|| Membership {
            organization: case["caller"]["orgId"].as_str().unwrap_or("o-other").into(),
            ..Membership::default()
        });
        account
    };
    // `scps` and `rcps` are complete for all levels, so one level holds them all.
    let mut scps = Vec::new();
    if let (true, Some(account)) = (case["scps"].is_array(), case["caller"]["account"].as_str()) {
        scps.push((member(account), slots(&case["scps"], PolicyKind::ServiceControl)));
    }
    if case["scpsOfKeyAccount"].is_array() {
        let owner = owner(&case["keys"][0]);
        scps.push((member(&owner), slots(&case["scpsOfKeyAccount"], PolicyKind::ServiceControl)));
    }
    let mut rcps = Vec::new();
    if case["rcps"].is_array() {
        let owner = owner(&case["keys"][0]);
        rcps.push((member(&owner), slots(&case["rcps"], PolicyKind::ResourceControl)));
    }
    let full = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
    for (account, membership) in &mut memberships {
        let own = scps.iter().find(|(of, _)| of == account).map(|(_, slots)| slots.clone());
        membership.service_control =
            vec![own.unwrap_or_else(|| slots(&full, PolicyKind::ServiceControl))];
        membership.resource_control =
            rcps.iter().filter(|(of, _)| of == account).map(|(_, slots)| slots.clone()).collect();
        if let Some(id) = case["caller"]["orgId"].as_str()
            && case["caller"]["account"].as_str() == Some(account.as_str())
        {
            membership.organization = id.into();
        }
    }
    builder.other_memberships(Known::Known(None));
    if let (Some(id), Some(account)) =
        (case["caller"]["orgId"].as_str(), case["caller"]["account"].as_str())
    {
        let account = account.parse().unwrap();
        memberships.entry(account).or_insert_with(|| Membership {
            organization: id.into(),
            service_control: vec![slots(&full, PolicyKind::ServiceControl)],
            ..Membership::default()
        });
    }
    for (account, membership) in memberships {
        builder.membership(account, Known::Known(Some(membership)));
    }
    if let Some(arn) = caller
        .principal
        .entity_arn()
        .filter(|_| !matches!(caller.principal, CallerPrincipal::Root(_)))
    {
        builder
            .entity(Entity {
                arn: arn.clone(),
                id: None,
                policies: slots(&case["identityPolicy"], PolicyKind::Identity),
                boundary: slots(&case["caller"]["permissionsBoundary"], PolicyKind::Boundary).pop(),
                tags: Vec::new(),
            })
            .unwrap();
    }
    for known in case["existingPrincipals"].as_array().into_iter().flatten() {
        let arn: PrincipalArn = known.as_str().unwrap().parse().unwrap();
        builder.account(arn.account(), Known::Known(()));
        // The caller is there already.
        let _ = builder.entity(Entity {
            arn,
            id: None,
            policies: Vec::new(),
            boundary: None,
            tags: Vec::new(),
        });
    }
    let mut aliases = std::collections::HashMap::new();
    for given in case["keys"].as_array().unwrap() {
        let entry = key(given);
        let arn = entry.key.arn.clone();
        let named: &mut Vec<_> = aliases.entry((arn.account(), arn.region().clone())).or_default();
        named.extend(
            given["aliases"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|name| (name.as_str().unwrap().parse().unwrap(), arn.id().clone())),
        );
        builder.key(entry).unwrap();
    }
    if let (Some(account), Some(region)) =
        (case["caller"]["account"].as_str(), case["request"]["region"].as_str())
    {
        aliases.entry((account.parse().unwrap(), region.parse().unwrap())).or_default();
    }
    for ((account, region), named) in aliases {
        builder.aliases(account, region, Known::Known(named));
    }
    if !case["vpcePolicy"].is_null() {
        builder.endpoint(keyproof::compile::Endpoint {
            id: case["caller"]["sourceVpce"].as_str().unwrap().into(),
            policy: slots(&case["vpcePolicy"], PolicyKind::Endpoint).pop().unwrap(),
        });
    }
    (builder.build(), caller)
}

fn owner(key: &Value) -> String {
    key["arn"].as_str().unwrap().split(':').nth(4).unwrap().to_owned()
}

fn caller(given: &Value) -> Caller {
    let arn = |member: &str| -> PrincipalArn { given[member].as_str().unwrap().parse().unwrap() };
    let principal = match given["type"].as_str().unwrap() {
        "role-session" => CallerPrincipal::RoleSession {
            session: arn("sessionArn"),
            role: arn("principalArn"),
            id: None,
        },
        "user" => CallerPrincipal::User { arn: arn("principalArn"), id: None },
        "root-user" => CallerPrincipal::Root(arn("principalArn")),
        "service" => CallerPrincipal::Service {
            names: vec![given["servicePrincipal"].as_str().unwrap().parse().unwrap()],
        },
        other => panic!("a caller of type {other}"),
    };
    let mut context = ContextMap::new().complete();
    for (member, key) in [
        ("viaService", "kms:ViaService"),
        ("sourceArn", "aws:SourceArn"),
        ("sourceAccount", "aws:SourceAccount"),
        ("sourceVpce", "aws:SourceVpce"),
    ] {
        if let Some(value) = given[member].as_str() {
            context.set(key, ContextValue::One(value.into()));
        }
    }
    let session_policies = match given["sessionPolicies"].as_array() {
        Some(documents) => SessionPolicies::Some(
            documents.iter().map(|one| slot(&one.to_string(), PolicyKind::Session)).collect(),
        ),
        None => SessionPolicies::None,
    };
    Caller { principal, context, session_policies }
}

fn key(given: &Value) -> KeyEntry {
    let text = |member: &str| given[member].as_str().unwrap();
    let arn: KeyArn = text("arn").parse().unwrap();
    let mut key = Key::symmetric(arn.clone());
    key.spec = text("keySpec").parse().unwrap();
    key.usage = text("keyUsage").parse().unwrap();
    key.state = text("state").parse().unwrap();
    key.manager = text("keyManager").parse().unwrap();
    key.multi_region = given["multiRegion"].as_str().and_then(|kind| kind.parse().ok());
    let mut policies = vec![slot(&given["policy"].to_string(), PolicyKind::Key)];
    if given["ramPolicy"].is_object() {
        policies.push(slot(&given["ramPolicy"].to_string(), PolicyKind::Key));
    }
    let grants = given["grants"].as_array().into_iter().flatten().enumerate();
    KeyEntry {
        policies,
        grants: Known::Known(grants.map(|(place, given)| grant(place, given, &arn)).collect()),
        tags: Known::Known(
            pairs(&given["tags"]).iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        ),
        aliases: Known::Known(Vec::new()),
        key,
    }
}

fn grant(place: usize, given: &Value, key: &KeyArn) -> Grant {
    let constraints = &given["Constraints"];
    let encryption_context = if constraints["EncryptionContextEquals"].is_object() {
        Some(EncryptionContextConstraint::Equals(pairs(&constraints["EncryptionContextEquals"])))
    } else if constraints["EncryptionContextSubset"].is_object() {
        Some(EncryptionContextConstraint::Subset(pairs(&constraints["EncryptionContextSubset"])))
    } else {
        None
    };
    let service = |member: &str| {
        given[member].as_str().map(|name| GrantPrincipal::Service(name.parse().unwrap()))
    };
    let listed = |member: &str| given[member].as_str().map(GrantPrincipal::listed);
    let token = given["GrantToken"].as_str().map_or("unknown-token", |token| token);
    Grant {
        id: given["GrantId"]
            .as_str()
            .map_or_else(|| format!("grant-{place}"), str::to_owned)
            .parse()
            .unwrap(),
        name: None,
        key: key.clone(),
        grantee: service("GranteeServicePrincipal").or_else(|| listed("GranteePrincipal")).unwrap(),
        retiring: service("RetiringServicePrincipal").or_else(|| listed("RetiringPrincipal")),
        operations: given["Operations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap().parse::<GrantOperation>().unwrap().action())
            .collect(),
        constraints: GrantConstraints {
            encryption_context,
            source_arn: constraints["SourceArn"].as_str().map(Into::into),
        },
        issuing_account: given["IssuingAccount"]
            .as_str()
            .map(|arn| arn.parse::<PrincipalArn>().unwrap().account()),
        creation_date: None,
        visibility: if given["propagated"] == json!(false) {
            GrantVisibility::TokenOnly(GrantToken::new(token).unwrap())
        } else {
            GrantVisibility::Propagated
        },
    }
}
