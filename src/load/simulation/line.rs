//! A question as a line of JSON.

use std::path::Path;

use serde_json::Value;

use super::Simulation;
use crate::compile::{PolicySlot, SessionPolicies};
use crate::load::LoadError;
use crate::load::awscli;
use crate::load::node::{JsonFile, Node};
use crate::model::{
    AccountId, CallerPrincipal, ContextMap, ContextValue, GrantToken, PolicyKind, PrincipalArn,
    ServiceName, UniqueId,
};

/// Reads a line.
pub(super) fn read(text: &str, file: &Path, line: usize) -> Result<Simulation, LoadError> {
    let file = JsonFile::line(file, line, text);
    let json = file.json()?;
    let root = file.node(&json);
    root.only(&[
        "action",
        "context",
        "grantId",
        "grantTokens",
        "id",
        "key",
        "org",
        "policies",
        "principal",
        "resource",
        "resourceAccount",
    ])?;
    let principal = principal(&root.member("principal")?)?;
    let (action, resource) = (root.member("action")?, root.member("resource")?);
    let mut simulation =
        Simulation::new(principal, action.str()?, resource.str()?).map_err(|error| {
            // The message says which of the two it is about.
            let is_action = action.str().is_ok_and(|text| text.starts_with(&error.text));
            let at_fault = if is_action { action } else { resource };
            at_fault.problem(error.to_string())
        })?;
    // Without a name of its own a question goes by its line.
    simulation.id = Some(id(&root)?.unwrap_or_else(|| line.into()));
    if let (Some(given), Some(own)) = (root.find("resourceAccount")?, simulation.resource_account())
        && given.parse::<AccountId>()? != own
    {
        return Err(given.problem(format!("is not the account of the resource, {own}")));
    }
    if let Some(stated) = root.find("context")? {
        simulation.context = context(&stated)?;
    }
    for token in root.list("grantTokens")? {
        let token =
            GrantToken::new(token.str()?).map_err(|error| token.problem(error.to_string()))?;
        simulation.grant_tokens.push(token);
    }
    if let Some(key) = root.find("key")? {
        let described = awscli::described_key(&key)?;
        simulation.describe(described).map_err(|error| key.problem(error.to_string()))?;
    }
    if let Some(org) = root.find("org")? {
        organization(&org, &mut simulation)?;
    }
    if let Some(given) = root.find("policies")? {
        policies(&given, &mut simulation)?;
    }
    if let Some(id) = root.find("grantId")? {
        simulation.retire(id.str()?).map_err(|error| id.problem(error.to_string()))?;
    }
    Ok(simulation)
}

/// The name of a question, even when the rest of it is wrong.
pub(super) fn id_of(text: &str) -> Option<Value> {
    let file = JsonFile::line(Path::new(""), 1, text);
    let json = file.json().ok()?;
    id(&file.node(&json)).ok()?
}

/// A string or a number, given back as it came.
fn id(root: &Node<'_>) -> Result<Option<Value>, LoadError> {
    let Some(id) = root.find("id")? else { return Ok(None) };
    let plain = id.plain()?;
    Ok(Some(if id.is_number() { plain.parse().unwrap_or_default() } else { plain.into() }))
}

fn principal(node: &Node<'_>) -> Result<CallerPrincipal, LoadError> {
    node.only(&[
        "account",
        "arn",
        "id",
        "roleArn",
        "service",
        "serviceLinked",
        "serviceNames",
        "type",
        "userArn",
    ])?;
    let arn = |member: &str| node.member(member)?.parse::<PrincipalArn>();
    let unique = || -> Result<Option<UniqueId>, LoadError> {
        match node.find("id")? {
            // A role session's id is `AROA…:session`. Emulators make ids of other forms; no policy
            // can name those.
            Some(id) => Ok(id.str()?.split(':').next().and_then(|text| text.parse().ok())),
            None => Ok(None),
        }
    };
    let kind = node.member("type")?;
    let principal = match kind.str()? {
        "anonymous" => CallerPrincipal::Anonymous,
        "federated-user" => {
            CallerPrincipal::FederatedUser { arn: arn("arn")?, user: arn("userArn")? }
        }
        "role-session" => CallerPrincipal::RoleSession {
            session: arn("arn")?,
            role: arn("roleArn")?,
            id: unique()?,
        },
        "root" => CallerPrincipal::Root(arn("arn")?),
        "service" => CallerPrincipal::Service { names: services(node)? },
        "user" => CallerPrincipal::User { arn: arn("arn")?, id: unique()? },
        _ => {
            return Err(kind.problem(
                "is no type of principal: `user`, `role-session`, `federated-user`, `root`, \
                 `service` or `anonymous`",
            ));
        }
    };
    let principal = principal.checked().map_err(|error| node.problem(error.to_string()))?;
    if let (Some(given), Some(own)) = (node.find("account")?, principal.account())
        && given.parse::<AccountId>()? != own
    {
        return Err(given.problem(format!("is not the account of the ARN, {own}")));
    }
    if let Some(flag) = node.find("serviceLinked")?
        && flag.bool()? != principal.is_service_linked_role()
    {
        return Err(flag.problem(
            "contradicts the role's ARN: a service-linked role has the path `/aws-service-role/`",
        ));
    }
    Ok(principal)
}

fn services(node: &Node<'_>) -> Result<Vec<ServiceName>, LoadError> {
    let mut names = node
        .list("serviceNames")?
        .iter()
        .map(Node::parse)
        .collect::<Result<Vec<ServiceName>, _>>()?;
    if let Some(service) = node.find("service")? {
        let name = service.parse()?;
        if !names.contains(&name) {
            names.insert(0, name);
        }
    }
    if names.is_empty() {
        return Err(node.problem("has no `serviceNames`"));
    }
    Ok(names)
}

fn context(node: &Node<'_>) -> Result<ContextMap, LoadError> {
    let mut map = ContextMap::new().complete();
    for (name, value) in node.members()? {
        let stated = if value.is_null() {
            ContextValue::Absent
        } else if value.is_array() {
            ContextValue::Many(value.elements()?.iter().map(Node::plain).collect::<Result<_, _>>()?)
        } else {
            ContextValue::One(value.plain()?)
        };
        map.insert(name, stated).map_err(|error| value.problem(error.to_string()))?;
    }
    Ok(map)
}

fn organization(node: &Node<'_>, simulation: &mut Simulation) -> Result<(), LoadError> {
    node.only(&["keyManager", "principalAccountIsManagement", "resourceAccountIsManagement"])?;
    let flag = |name: &str| node.find(name)?.map_or(Ok(false), |flag| flag.bool());
    simulation.is_principal_management = flag("principalAccountIsManagement")?;
    simulation.is_resource_management = flag("resourceAccountIsManagement")?;
    if let Some(manager) = node.find("keyManager")? {
        let manager: crate::model::KeyManager = manager.parse()?;
        simulation.is_aws_managed |= manager == crate::model::KeyManager::Aws;
    }
    Ok(())
}

fn policies(node: &Node<'_>, simulation: &mut Simulation) -> Result<(), LoadError> {
    node.only(&[
        "boundary",
        "grants",
        "identity",
        // SCPs of the key's account and RCPs of the caller's: they reach neither.
        "principalAccountRcps",
        "rcps",
        "resource",
        "resourceAccountScps",
        "scps",
        "session",
        "vpce",
    ])?;
    simulation.identity = union(node, "identity", PolicyKind::Identity)?;
    simulation.boundary = single(node, "boundary", PolicyKind::Boundary)?;
    let session = union(node, "session", PolicyKind::Session)?;
    if !session.is_empty() {
        simulation.session = SessionPolicies::Some(session);
    }
    simulation.service_control = levels(node, "scps", PolicyKind::ServiceControl)?;
    simulation.resource_control = levels(node, "rcps", PolicyKind::ResourceControl)?;
    simulation.endpoint = single(node, "vpce", PolicyKind::Endpoint)?;
    simulation.key_policies = union(node, "resource", PolicyKind::Key)?;
    if let Some(given) = node.find("grants")? {
        let list = if given.is_object() { given.member("Grants")? } else { given };
        let key = simulation.key_arn().cloned();
        for (place, node) in list.elements()?.iter().enumerate() {
            let grant = awscli::grant(node, key.as_ref(), place)?;
            if Some(&grant.key) != key.as_ref() {
                return Err(node.problem("is on another key than the one that is asked about"));
            }
            simulation.grants.push(grant);
        }
    }
    Ok(())
}

/// One document, or several whose union counts.
fn union(node: &Node<'_>, name: &str, kind: PolicyKind) -> Result<Vec<PolicySlot>, LoadError> {
    node.find(name)?.map_or_else(|| Ok(Vec::new()), |documents| slots(&documents, name, kind))
}

fn slots(node: &Node<'_>, name: &str, kind: PolicyKind) -> Result<Vec<PolicySlot>, LoadError> {
    if !node.is_array() {
        return Ok(vec![node.policy(kind, name)?]);
    }
    let documents = node.elements()?;
    documents.iter().map(|document| document.policy(kind, name)).collect()
}

fn single(node: &Node<'_>, name: &str, kind: PolicyKind) -> Result<Option<PolicySlot>, LoadError> {
    node.find(name)?.map(|document| document.policy(kind, name)).transpose()
}

fn levels(
    node: &Node<'_>,
    name: &str,
    kind: PolicyKind,
) -> Result<Option<Vec<Vec<PolicySlot>>>, LoadError> {
    let Some(levels) = node.find(name)? else { return Ok(None) };
    let levels = levels.elements()?;
    levels.iter().map(|level| slots(level, name, kind)).collect::<Result<_, _>>().map(Some)
}
