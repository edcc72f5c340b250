//! What `aws kms describe-key`, `list-grants`, `list-aliases`, `list-resource-tags` and
//! `get-key-policy` print.

use std::collections::HashSet;
use std::path::Path;

use serde_json::{Value, json};

use super::error::{LoadError, Problem};
use super::node::{JsonFile, Node, compile};
use crate::compile::{PolicySlot, Source};
use crate::model::{
    AccountId, ActionSet, AliasArn, AliasName, EncryptionContext, EncryptionContextConstraint,
    Grant, GrantConstraints, GrantOperation, GrantPrincipal, GrantVisibility, Key, KeyArn, KeyId,
    KeyManager, KeyOrigin, KeySpec, KeyState, KeyUsage, MultiRegionKeyType, PolicyKind,
    PrincipalArn,
};

/// `key.json`.
pub(super) fn key(path: &Path) -> Result<Key, LoadError> {
    let file = JsonFile::read(path)?;
    let json = file.json()?;
    described_key(&file.node(&json))
}

/// What `describe-key` prints.
pub(super) fn described_key(root: &Node<'_>) -> Result<Key, LoadError> {
    let metadata = root.member("KeyMetadata")?;
    let arn: KeyArn = metadata.member("Arn")?.parse()?;
    let state: KeyState = metadata.member("KeyState")?.parse()?;
    // What AWS says twice must agree, or one of the two is not what AWS said.
    if let Some(account) = metadata.find("AWSAccountId")?
        && account.str()? != arn.account().as_str()
    {
        return Err(account.problem(format!("is not the account of `{arn}`")));
    }
    if let Some(id) = metadata.find("KeyId")?
        && id.str()? != arn.id().as_str()
    {
        return Err(id.problem(format!("is not the id of `{arn}`")));
    }
    if let Some(enabled) = metadata.find("Enabled")?
        && enabled.bool()? != (state == KeyState::Enabled)
        && (enabled.bool()? || state == KeyState::Enabled)
    {
        return Err(enabled.problem(format!("contradicts the key's state, `{}`", state.as_str())));
    }
    let multi_region = match metadata.find("MultiRegion")? {
        Some(node) if node.bool()? => {
            let configuration = metadata.member("MultiRegionConfiguration")?;
            Some(configuration.member("MultiRegionKeyType")?.parse::<MultiRegionKeyType>()?)
        }
        _ => None,
    };
    // Older outputs have the key's spec under its former name.
    let spec = match metadata.find("KeySpec")? {
        Some(node) => node,
        None => metadata.member("CustomerMasterKeySpec")?,
    };
    Ok(Key {
        arn,
        spec: spec.parse::<KeySpec>()?,
        usage: metadata.member("KeyUsage")?.parse::<KeyUsage>()?,
        state,
        origin: match metadata.find("Origin")? {
            Some(node) => node.parse()?,
            None => KeyOrigin::AwsKms,
        },
        manager: metadata.member("KeyManager")?.parse::<KeyManager>()?,
        multi_region,
    })
}

/// `policy.json`: the document itself, or what `get-key-policy` prints.
pub(super) fn key_policy(path: &Path, text: &str, name: &str) -> Result<PolicySlot, LoadError> {
    let file = JsonFile::line(path, 1, text);
    let json = file.json()?;
    let root = file.node(&json);
    if root.is_object()
        && let Some(policy) = root.find("Policy")?
    {
        return policy.policy(PolicyKind::Key, name);
    }
    document(path, &file.text, PolicyKind::Key, name)
}

/// A file that is one policy document.
pub(super) fn document(
    path: &Path,
    text: &str,
    kind: PolicyKind,
    name: &str,
) -> Result<PolicySlot, LoadError> {
    let source = Source::file(&path.display().to_string(), text);
    compile(source, kind, name, |span, message| Problem::at(path, text, span, message))
}

/// `grants.json`.
pub(super) fn grants(path: &Path) -> Result<Vec<Grant>, LoadError> {
    let file = JsonFile::read(path)?;
    let json = file.json()?;
    let root = file.node(&json);
    root.is_whole("Truncated")?;
    let mut grants: Vec<Grant> = Vec::new();
    let mut ids = HashSet::new();
    for node in root.member("Grants")?.elements()? {
        let grant = grant(&node, None, 0)?;
        if !ids.insert(grant.id.clone()) {
            return Err(node.problem(format!("is a second grant `{}`", grant.id)));
        }
        grants.push(grant);
    }
    Ok(grants)
}

/// What `list-grants` prints of a grant, and the token that `create-grant` prints.
const GRANT: &[&str] = &[
    "Constraints",
    "CreationDate",
    "GrantId",
    "GrantToken",
    "GranteePrincipal",
    "GranteeServicePrincipal",
    "IssuingAccount",
    "KeyId",
    "Name",
    "Operations",
    "RetiringPrincipal",
    "RetiringServicePrincipal",
];

/// One grant. Where it stands for `key` alone it need not say its key and id.
pub(super) fn grant(
    node: &Node<'_>,
    key: Option<&KeyArn>,
    place: usize,
) -> Result<Grant, LoadError> {
    // A misspelt constraint would be none: the grant would give too much.
    if let Some((name, _)) = node.members()?.into_iter().find(|(name, _)| !GRANT.contains(name)) {
        let message = format!("has `{name}`, which is no member of a grant: {}", GRANT.join(", "));
        return Err(node.problem(message));
    }
    let grantee = match (node.find("GranteePrincipal")?, node.find("GranteeServicePrincipal")?) {
        (Some(principal), None) => GrantPrincipal::listed(principal.str()?),
        (None, Some(service)) => GrantPrincipal::Service(service.parse()?),
        _ => {
            return Err(node.problem("has either `GranteePrincipal` or `GranteeServicePrincipal`"));
        }
    };
    let retiring = match (node.find("RetiringPrincipal")?, node.find("RetiringServicePrincipal")?) {
        (Some(principal), _) => Some(GrantPrincipal::listed(principal.str()?)),
        (None, Some(service)) => Some(GrantPrincipal::Service(service.parse()?)),
        (None, None) => None,
    };
    let operations = node.member("Operations")?.elements()?;
    let operations: ActionSet = operations
        .iter()
        .map(|operation| operation.parse::<GrantOperation>().map(GrantOperation::action))
        .collect::<Result<_, _>>()?;
    let issuing_account = match node.find("IssuingAccount")? {
        Some(issuer) => Some(account(&issuer)?),
        None => None,
    };
    Ok(Grant {
        id: match (node.find("GrantId")?, key) {
            (None, Some(_)) => format!("grant-{}", place + 1)
                .parse()
                .map_err(|_| node.problem("has no `GrantId`"))?,
            _ => node.member("GrantId")?.parse()?,
        },
        name: match node.find("Name")? {
            Some(name) if !name.str()?.is_empty() => Some(name.str()?.into()),
            _ => None,
        },
        key: match (node.find("KeyId")?, key) {
            (None, Some(key)) => key.clone(),
            _ => node.member("KeyId")?.parse::<KeyArn>()?,
        },
        grantee,
        retiring,
        operations,
        constraints: constraints(node)?,
        issuing_account,
        creation_date: None,
        visibility: GrantVisibility::Propagated,
    })
}

/// An account as twelve digits or as its root ARN.
fn account(node: &Node<'_>) -> Result<AccountId, LoadError> {
    if let Ok(arn) = node.str()?.parse::<PrincipalArn>() {
        return Ok(arn.account());
    }
    node.parse()
}

fn constraints(node: &Node<'_>) -> Result<GrantConstraints, LoadError> {
    let Some(constraints) = node.find("Constraints")? else {
        return Ok(GrantConstraints::default());
    };
    let mut read = GrantConstraints::default();
    for (name, value) in constraints.members()? {
        if name.starts_with("EncryptionContext") && read.encryption_context.is_some() {
            let message = "is a second encryption context constraint: a grant has one at most";
            return Err(value.problem(message));
        }
        match name {
            "EncryptionContextEquals" => {
                read.encryption_context = Some(EncryptionContextConstraint::Equals(pairs(&value)?));
            }
            "EncryptionContextSubset" => {
                read.encryption_context = Some(EncryptionContextConstraint::Subset(pairs(&value)?));
            }
            "SourceArn" => read.source_arn = Some(value.str()?.into()),
            // A constraint nobody here knows would be dropped: the grant would give too much.
            other => {
                return Err(
                    value.problem(format!("`{other}` is no grant constraint that is known"))
                );
            }
        }
    }
    Ok(read)
}

fn pairs(node: &Node<'_>) -> Result<EncryptionContext, LoadError> {
    let mut pairs = EncryptionContext::new();
    for (name, value) in node.members()? {
        if !pairs.insert(name, value.str()?) {
            return Err(value.problem(format!("has `{name}` twice")));
        }
    }
    Ok(pairs)
}

/// `aliases.json`; aliases of AWS managed keys that have no key yet point nowhere.
pub(super) fn aliases(path: &Path) -> Result<Vec<(AliasName, KeyId)>, LoadError> {
    let file = JsonFile::read(path)?;
    let json = file.json()?;
    let root = file.node(&json);
    root.is_whole("Truncated")?;
    let mut aliases = Vec::new();
    let mut names = HashSet::new();
    for alias in root.member("Aliases")?.elements()? {
        let name: AliasName = alias.member("AliasName")?.parse()?;
        if !names.insert(name.clone()) {
            return Err(alias.problem(format!("is a second `{name}`")));
        }
        if let Some(arn) = alias.find("AliasArn")?
            && arn.parse::<AliasArn>()?.name != name
        {
            return Err(arn.problem(format!("is not the ARN of `{name}`")));
        }
        if let Some(target) = alias.find("TargetKeyId")? {
            aliases.push((name, target.parse()?));
        }
    }
    Ok(aliases)
}

/// `tags.json`.
pub(super) fn tags(path: &Path) -> Result<Vec<(String, String)>, LoadError> {
    let file = JsonFile::read(path)?;
    let json = file.json()?;
    let root = file.node(&json);
    root.is_whole("Truncated")?;
    root.member("Tags")?;
    root.tags("Tags", ("TagKey", "TagValue"))
}

/// A grant as `list-grants` prints it.
#[must_use]
pub fn grant_json(grant: &Grant) -> Value {
    let operations: Vec<&str> = grant.operations.iter().map(|action| action.name()).collect();
    let mut json = json!({
        "KeyId": grant.key.as_str(),
        "GrantId": grant.id.as_str(),
        "Operations": operations,
        "IssuingAccount": PrincipalArn::root(
            grant.key.partition(),
            grant.issuing_account.unwrap_or(grant.key.account()),
        )
        .as_str(),
    });
    let Some(object) = json.as_object_mut() else { return json };
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    if let Some(name) = &grant.name {
        put("Name", json!(name));
    }
    if let Some(date) = grant.creation_date {
        put("CreationDate", json!(date.to_string()));
    }
    let is_service = matches!(grant.grantee, GrantPrincipal::Service(_));
    let grantee = if is_service { "GranteeServicePrincipal" } else { "GranteePrincipal" };
    put(grantee, json!(grant.grantee.as_str()));
    if let Some(retiring) = &grant.retiring {
        let is_service = matches!(retiring, GrantPrincipal::Service(_));
        let name = if is_service { "RetiringServicePrincipal" } else { "RetiringPrincipal" };
        put(name, json!(retiring.as_str()));
    }
    let mut constraints = serde_json::Map::new();
    if let Some(constraint) = &grant.constraints.encryption_context {
        let (name, pairs) = match constraint {
            EncryptionContextConstraint::Equals(pairs) => ("EncryptionContextEquals", pairs),
            EncryptionContextConstraint::Subset(pairs) => ("EncryptionContextSubset", pairs),
        };
        let pairs = pairs.iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        constraints.insert(name.to_owned(), Value::Object(pairs));
    }
    if let Some(arn) = &grant.constraints.source_arn {
        constraints.insert("SourceArn".into(), json!(arn));
    }
    if !constraints.is_empty() {
        put("Constraints", Value::Object(constraints));
    }
    json
}
