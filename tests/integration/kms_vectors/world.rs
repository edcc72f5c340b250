//! The world of a case, and who calls in it.

use keyproof::compile::{
    Caller, Endpoint, Entity, Epoch, KeyEntry, Known, Membership, PolicySlot, SessionPolicies,
    Snapshot,
};
use keyproof::model::{
    CallerPrincipal, ContextMap, ContextValue, EncryptionContextConstraint, Grant,
    GrantConstraints, GrantOperation, GrantPrincipal, GrantToken, GrantVisibility, Key, KeyArn,
    KeyOrigin, PolicyKind, PrincipalArn, Readings, Region, UniqueId,
};
use serde_json::{Value, json};

use super::{pairs, request};
use crate::world::slot;

pub fn world(case: &Value, readings: &Readings, epoch: Epoch) -> (Snapshot, Caller) {
    let mut builder = Snapshot::builder();
    builder.epoch(epoch).readings(readings.clone()).knows_all_keys();
    builder.knows_all_grant_tokens();
    let mut caller = caller(&case["caller"]);
    request::state(case, &mut caller.context);
    if !case["caller"]["regionEnabled"].as_bool().unwrap_or(true) {
        let region = case["request"]["region"].as_str().unwrap().parse().unwrap();
        builder.disabled_region(caller.principal.account().unwrap(), region);
    }
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
                id: id(&caller.principal),
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
        // The tokens of grants that have not spread are known by themselves.
        for (place, given) in given["grants"].as_array().into_iter().flatten().enumerate() {
            if let (Some(token), false) = (given["GrantToken"].as_str(), is_new(given)) {
                let id = grant(place, given, &arn).id;
                builder.grant_token(GrantToken::new(token).unwrap(), arn.clone(), id);
            }
        }
        builder.key(entry).unwrap();
    }
    // What the case does not list, it does not have: also in accounts that only the request names.
    let region: Region = case["request"]["region"].as_str().unwrap().parse().unwrap();
    let named = case["request"].as_object().into_iter().flatten().filter_map(|(_, value)| {
        value.as_str().filter(|text| text.starts_with("arn:"))?.split(':').nth(4)
    });
    for account in named.chain(case["caller"]["account"].as_str()) {
        if let Ok(account) = account.parse() {
            aliases.entry((account, region.clone())).or_default();
        }
    }
    for ((account, region), named) in aliases {
        builder.aliases(account, region, Known::Known(named));
    }
    if !case["vpcePolicy"].is_null() {
        builder.endpoint(Endpoint {
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
            id: unique_id(given, "AROAVECTORSCALLER01"),
        },
        "user" => CallerPrincipal::User {
            arn: arn("principalArn"),
            id: unique_id(given, "AIDAVECTORSCALLER01"),
        },
        "federated-user" => {
            let own = arn("principalArn");
            let user = match given["userArn"].as_str() {
                Some(user) => user.parse().unwrap(),
                None => {
                    format!("arn:aws:iam::{}:user/{}", own.account(), own.name()).parse().unwrap()
                }
            };
            CallerPrincipal::FederatedUser { arn: own, user }
        }
        "anonymous" => CallerPrincipal::Anonymous,
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
        ("sourceVpc", "aws:SourceVpc"),
        ("sourceVpce", "aws:SourceVpce"),
        ("sourceIp", "aws:SourceIp"),
    ] {
        if let Some(value) = given[member].as_str() {
            context.set(key, ContextValue::One(value.into()));
        }
    }
    for (key, value) in given["context"].as_object().into_iter().flatten() {
        let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let value = match value {
            Value::Array(all) => ContextValue::Many(all.iter().map(plain).collect()),
            one => ContextValue::One(plain(one)),
        };
        context.set(key, value);
    }
    // Follows from the ARN.
    if let (Some(name), CallerPrincipal::User { arn, .. }) =
        (given["username"].as_str(), &principal)
    {
        assert_eq!(name, arn.name(), "username");
    }
    // An id that is none of AWS's is what the request says all the same.
    if let (Some(text), None) = (given["userId"].as_str(), id(&principal)) {
        context.set("aws:userid", ContextValue::One(text.into()));
    }
    let session_policies = match given["sessionPolicies"].as_array() {
        Some(documents) => SessionPolicies::Some(
            documents.iter().map(|one| slot(&one.to_string(), PolicyKind::Session)).collect(),
        ),
        None => SessionPolicies::None,
    };
    Caller { principal, context, session_policies }
}

fn id(principal: &CallerPrincipal) -> Option<UniqueId> {
    match principal {
        CallerPrincipal::RoleSession { id, .. } | CallerPrincipal::User { id, .. } => id.clone(),
        _ => None,
    }
}

/// The id of a user or role: every one has its own.
fn unique_id(given: &Value, other: &str) -> Option<UniqueId> {
    let text = given["userId"].as_str().unwrap_or(other);
    text.split(':').next().unwrap().parse().ok()
}

fn key(given: &Value) -> KeyEntry {
    let text = |member: &str| given[member].as_str().unwrap();
    let arn: KeyArn = text("arn").parse().unwrap();
    let mut key = Key::symmetric(arn.clone());
    key.spec = text("keySpec").parse().unwrap();
    key.usage = text("keyUsage").parse().unwrap();
    key.state = text("state").parse().unwrap();
    key.manager = text("keyManager").parse().unwrap();
    key.multi_region = match &given["multiRegion"] {
        Value::Null | Value::Bool(false) => None,
        kind => Some(kind.as_str().unwrap().parse().unwrap()),
    };
    key.origin = match (given["origin"].as_str(), given["customKeyStoreId"].as_str()) {
        (Some(origin), _) => origin.parse().unwrap(),
        (None, Some(_)) => KeyOrigin::AwsCloudHsm,
        (None, None) => KeyOrigin::AwsKms,
    };
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
    let token = given["GrantToken"].as_str().unwrap_or("unknown-token");
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
            .map(|text| text.split(':').nth(4).unwrap_or(text).parse().unwrap()),
        creation_date: None,
        visibility: if is_new(given) {
            GrantVisibility::TokenOnly(GrantToken::new(token).unwrap())
        } else {
            GrantVisibility::Propagated
        },
    }
}

/// Whether a grant has not spread.
fn is_new(given: &Value) -> bool {
    given["propagated"] == json!(false)
}
