//! Cases of whole operations, end to end: names resolved, every side decided, the keys judged, and
//! where a keystore can hold them, the operation run.

mod embedded;

use keyproof::authorize::{
    Authorizer, CiphertextInspector, DecryptRequest, Denied, GrantRequest, InspectError, Judged,
    KeyIdentifier, Preflight, PreflightError, PreflightKey, PreflightOperation, Provenance,
    ReEncryptRequest, SideAnswer,
};
use keyproof::compile::{
    Caller, Entity, Epoch, KeyEntry, Known, Membership, PolicySlot, SessionPolicies, Snapshot,
};
use keyproof::model::{
    CallerPrincipal, CiphertextBlob, ContextMap, ContextValue, Decision, EncryptionAlgorithm,
    EncryptionContext, EncryptionContextConstraint, Grant, GrantConstraints, GrantOperation,
    GrantPrincipal, GrantToken, GrantVisibility, Key, KeyArn, PolicyKind, PrincipalArn, Readings,
    Region,
};
use serde_json::{Value, json};

use crate::world::slot;

/// The answer of a case: judged as a question, and run where a keystore can hold its keys.
pub fn judge(case: &Value, readings: &Readings) -> Value {
    let mut answer = ask(case, readings);
    if let Some(outcome) = embedded::outcome(case, readings) {
        answer["outcome"] = json!(outcome);
    }
    answer
}

pub fn expected(case: &Value) -> Value {
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
    /// `None` for other operations.
    fn of(case: &Value) -> Option<Self> {
        let request = &case["request"];
        let name = |member: &str| request[member].as_str().map(|text| text.parse().unwrap());
        let algorithm = |member: &str| {
            request[member]
                .as_str()
                .map_or(EncryptionAlgorithm::SymmetricDefault, |text| text.parse().unwrap())
        };
        let (key, source) = match request["operation"].as_str()? {
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

fn grant_tokens(request: &Value) -> Vec<GrantToken> {
    let tokens = request["GrantTokens"].as_array().into_iter().flatten();
    tokens.map(|token| GrantToken::new(token.as_str().unwrap()).unwrap()).collect()
}

fn ask(case: &Value, readings: &Readings) -> Value {
    let (snapshot, caller) = world(case, readings, Epoch::new(0));
    let authorizer = Authorizer::new(&snapshot);
    let request = &case["request"];
    let made_by: Option<KeyArn> =
        request["CiphertextKey"].as_str().map(|text| text.parse().unwrap());
    let blob = made_by.as_ref().map(|_| CiphertextBlob::new(*b"blob").unwrap());
    let symmetric = made_by
        .as_ref()
        .is_none_or(|arn| snapshot.key(arn).is_none_or(|entry| entry.key.spec.is_symmetric()));
    let inspector = MadeBy(made_by.filter(|_| symmetric));
    let operation = request["operation"].as_str().unwrap();
    let outcome = match (operation, Asked::of(case)) {
        ("ReEncrypt", Some(asked)) => authorizer
            .resolve_re_encrypt(
                ReEncryptRequest {
                    region: asked.region,
                    source_key: asked.source_key,
                    ciphertext: blob,
                    source_algorithm: asked.source_algorithm,
                    source_context: asked.source_context,
                    destination_key: asked.destination_key.unwrap(),
                    destination_algorithm: asked.destination_algorithm,
                    destination_context: asked.destination_context,
                    grant_tokens: asked.grant_tokens,
                },
                &caller,
                &inspector,
            )
            .map(|operation| verdict(&authorizer, operation, &caller)),
        (_, Some(asked)) => authorizer
            .resolve_decrypt(
                DecryptRequest {
                    region: asked.region,
                    key: asked.source_key,
                    ciphertext: blob.or_else(|| CiphertextBlob::new(*b"blob").ok()),
                    algorithm: asked.source_algorithm,
                    context: asked.source_context,
                    grant_tokens: asked.grant_tokens,
                },
                &caller,
                &inspector,
            )
            .map(|operation| verdict(&authorizer, operation, &caller)),
        (_, None) => {
            let name = |member: &str| {
                request[member].as_str().map(|text| text.parse::<KeyIdentifier>().unwrap())
            };
            let question = Preflight {
                operation: preflight(operation, request, &name),
                region: Some(request["region"].as_str().unwrap().parse().unwrap()),
                grant_tokens: grant_tokens(request),
            };
            match authorizer.preflight(question, &caller) {
                Ok(answer) => {
                    let verdict = match (&answer.fault, answer.decision()) {
                        (Some(fault), _) => fault.code,
                        (None, Decision::Allow) => "ALLOW",
                        (None, _) => "AccessDeniedException",
                    };
                    Ok((answer.sides, verdict.to_owned()))
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
            let sides =
                if case["expected"]["sides"].is_null() { Value::Null } else { decisions(&sides) };
            json!({"outcome": verdict, "sides": sides})
        }
        Err(error) => json!({"outcome": error.code(), "sides": case["expected"]["sides"]}),
    }
}

fn verdict<O: Judged>(
    authorizer: &Authorizer<'_>,
    operation: O,
    caller: &Caller,
) -> (Vec<SideAnswer>, String) {
    let sides = authorizer.explain(&operation, caller);
    let verdict = match authorizer.authorize(operation, caller) {
        Ok(_) => "ALLOW".to_owned(),
        Err(denied) => code(&denied),
    };
    (sides, verdict)
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

fn world(case: &Value, readings: &Readings, epoch: Epoch) -> (Snapshot, Caller) {
    let mut builder = Snapshot::builder();
    builder.epoch(epoch).readings(readings.clone()).knows_all_keys();
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
        policies: policies.into(),
        grants: Known::Known(grants.map(|(place, given)| grant(place, given, &arn)).collect()),
        tags: Known::Known(
            pairs(&given["tags"]).iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        ),
        aliases: Known::Known(Vec::new().into()),
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
