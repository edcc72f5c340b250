//! What `aws iam get-account-authorization-details` prints.

use std::collections::HashMap;
use std::path::Path;

use super::error::LoadError;
use super::node::{JsonFile, Node};
use crate::compile::{Entity, PolicySlot};
use crate::model::{AccountId, PolicyKind, PrincipalArn};

/// `iam.json`: the users and roles of an account with all policies that are theirs.
pub(super) fn entities(path: &Path, account: AccountId) -> Result<Vec<Entity>, LoadError> {
    let file = JsonFile::read(path)?;
    let json = file.json()?;
    let root = file.node(&json);
    root.is_whole("IsTruncated")?;
    // Without these three the file is something else.
    for list in ["UserDetailList", "GroupDetailList", "RoleDetailList"] {
        root.member(list)?;
    }
    let mut errors = LoadError::default();
    let mut note = |result: Result<Vec<PolicySlot>, LoadError>| {
        result.unwrap_or_else(|error| {
            errors.extend(error);
            Vec::new()
        })
    };
    let managed = Managed { documents: managed_policies(&root)? };
    let mut groups: HashMap<&str, Vec<PolicySlot>> = HashMap::new();
    for group in root.list("GroupDetailList")? {
        let name = group.member("GroupName")?.str()?;
        let owner = format!("group {name}");
        let mut policies = note(inline(&group, "GroupPolicyList", &owner));
        policies.extend(note(managed.attached(&group, &owner)));
        groups.insert(name, policies);
    }
    let mut entities = Vec::new();
    for user in root.list("UserDetailList")? {
        let name = user.member("UserName")?.str()?;
        let owner = format!("user {name}");
        let mut policies = note(inline(&user, "UserPolicyList", &owner));
        policies.extend(note(managed.attached(&user, &owner)));
        for group in user.list("GroupList")? {
            match groups.get(group.str()?) {
                Some(shared) => policies.extend(shared.iter().cloned()),
                None => policies.push(unreadable(
                    format!("policies of group {}", group.str()?),
                    "GroupDetailList does not have the group",
                )),
            }
        }
        let boundary = note(managed.boundary(&user)).pop();
        entities.push(entity(&user, "UserId", policies, boundary, account)?);
    }
    for role in root.list("RoleDetailList")? {
        let name = role.member("RoleName")?.str()?;
        let owner = format!("role {name}");
        let mut policies = note(inline(&role, "RolePolicyList", &owner));
        policies.extend(note(managed.attached(&role, &owner)));
        let boundary = note(managed.boundary(&role)).pop();
        entities.push(entity(&role, "RoleId", policies, boundary, account)?);
    }
    errors.finish(entities)
}

fn entity(
    node: &Node<'_>,
    id: &str,
    policies: Vec<PolicySlot>,
    boundary: Option<PolicySlot>,
    account: AccountId,
) -> Result<Entity, LoadError> {
    let arn_node = node.member("Arn")?;
    let arn: PrincipalArn = arn_node.parse()?;
    if arn.account() != account {
        return Err(arn_node.problem(format!("is not of account {account}, whose folder this is")));
    }
    Ok(Entity {
        arn,
        // Emulators make ids of other forms; no policy can name those.
        id: node.find(id)?.and_then(|id| id.str().ok().and_then(|text| text.parse().ok())),
        policies,
        boundary,
        tags: node.tags("Tags", ("Key", "Value"))?,
    })
}

fn inline(node: &Node<'_>, list: &str, owner: &str) -> Result<Vec<PolicySlot>, LoadError> {
    let mut errors = LoadError::default();
    let mut policies = Vec::new();
    for policy in node.list(list)? {
        let name = format!("inline policy {} of {owner}", policy.member("PolicyName")?.str()?);
        match policy.member("PolicyDocument")?.policy(PolicyKind::Identity, &name) {
            Ok(slot) => policies.push(slot),
            Err(error) => errors.extend(error),
        }
    }
    errors.finish(policies)
}

/// The default versions of the managed policies, by ARN.
fn managed_policies<'f>(root: &Node<'f>) -> Result<HashMap<&'f str, Node<'f>>, LoadError> {
    let mut documents = HashMap::new();
    for policy in root.list("Policies")? {
        let arn = policy.member("Arn")?.str()?;
        for version in policy.list("PolicyVersionList")? {
            if version.member("IsDefaultVersion")?.bool()? {
                documents.insert(arn, version.member("Document")?);
            }
        }
    }
    Ok(documents)
}

struct Managed<'f> {
    documents: HashMap<&'f str, Node<'f>>,
}

impl Managed<'_> {
    fn attached(&self, node: &Node<'_>, owner: &str) -> Result<Vec<PolicySlot>, LoadError> {
        let mut errors = LoadError::default();
        let mut policies = Vec::new();
        // IAM always prints the list: without it, a policy that denies could be missing.
        for attached in node.member("AttachedManagedPolicies")?.elements()? {
            let arn = attached.member("PolicyArn")?.str()?;
            let name =
                format!("managed policy {} of {owner}", arn.rsplit('/').next().unwrap_or(arn));
            match self.policy(arn, PolicyKind::Identity, &name) {
                Ok(slot) => policies.push(slot),
                Err(error) => errors.extend(error),
            }
        }
        errors.finish(policies)
    }

    fn boundary(&self, node: &Node<'_>) -> Result<Vec<PolicySlot>, LoadError> {
        let Some(boundary) = node.find("PermissionsBoundary")? else { return Ok(Vec::new()) };
        let arn = boundary.member("PermissionsBoundaryArn")?.str()?;
        let name = format!("permissions boundary {}", arn.rsplit('/').next().unwrap_or(arn));
        Ok(vec![self.policy(arn, PolicyKind::Boundary, &name)?])
    }

    fn policy(&self, arn: &str, kind: PolicyKind, name: &str) -> Result<PolicySlot, LoadError> {
        match self.documents.get(arn) {
            Some(document) => document.policy(kind, name),
            None => Ok(unreadable(
                name.to_owned(),
                "`Policies` does not have its default version: print the details with all filters \
                 (User, Role, Group, LocalManagedPolicy, AWSManagedPolicy)",
            )),
        }
    }
}

fn unreadable(name: String, reason: &str) -> PolicySlot {
    PolicySlot::Unreadable { name: name.into(), reason: reason.into() }
}
