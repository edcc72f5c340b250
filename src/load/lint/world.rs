//! A world folder, and the same in one file: an object whose members are the folder's files.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use super::awscli::read_grant;
use super::iam_collect::Collected;
use super::value::{document, elements, get, members, parse, path, text};
use super::{Format, Input, Json, LoadError, Problem, SourceFile, files_below, kind, lint_file};
use crate::lint::{Collection, Document, EntitySubject, KeyFacts, KeySubject, Origin, Unknown};
use crate::model::{AccountId, KeyArn, KeyId, PolicyKind, PrincipalArn, Region};
use crate::syntax::json;

/// The folder in one file.
pub(super) const BUNDLE: Format = Format::Json {
    recognizes: |root| {
        let mut names = members(root).peekable();
        names.peek().is_some()
            && names.all(|(name, _)| name.starts_with("accounts/") && name.ends_with(".json"))
    },
    read: |input: &Input<'_>, root, into| {
        let mut reader = Reader { into, keys: Vec::new(), collected: Collected::default() };
        // What a key is stands beside what is attached to it, which shares it.
        let (keys, others): (Vec<_>, Vec<_>) =
            members(root).partition(|(name, _)| name.ends_with("/key.json"));
        for (name, value) in keys.into_iter().chain(others) {
            reader.member(name, input.file, value)?;
        }
        Ok(())
    },
};

/// What `aws iam get-account-authorization-details` prints.
pub(super) const ACCOUNT: Format = Format::Json {
    recognizes: |root| {
        ["RoleDetailList", "UserDetailList"].iter().any(|list| get(root, list).is_some())
    },
    read: |input, root, into| {
        let lists = ["RoleDetailList", "UserDetailList"].into_iter();
        let mut listed = lists.filter_map(|list| get(root, list)).flat_map(elements);
        let Some(arn) = listed.find_map(|one| get(one, "Arn")) else { return Ok(()) };
        let account = parse::<PrincipalArn>(input.file, arn)?.account();
        let mut reader = Reader { into, keys: Vec::new(), collected: Collected::default() };
        reader.iam(input.file, root, account)
    },
};

/// The folder.
pub(super) fn folder(folder: &Path) -> Result<(Collection, Vec<Problem>), LoadError> {
    let mut collection = Collection::default();
    let mut reader =
        Reader { into: &mut collection, keys: Vec::new(), collected: Collected::default() };
    let mut errors = LoadError::default();
    let mut files = files_below(folder)?;
    // What a key is stands beside what is attached to it, which shares it.
    let is_fact = |name: &str| name.ends_with("/key.json") || name.ends_with("/metadata.json");
    files.sort_by_key(|(name, _)| !is_fact(name));
    for (name, place) in files {
        if !name.ends_with(".json") {
            continue;
        }
        let read = lint_file(&place).and_then(|file| {
            let root = json::read_up_to(&file.text, usize::MAX)
                .map_err(|error| super::problem(&file, error.span, error.to_string()))?;
            reader.member(&name, &file, &root)
        });
        if let Err(error) = read {
            errors.extend(error);
        }
    }
    let collected = std::mem::take(&mut reader.collected);
    let is_ours = !collected.any;
    collected.finish(&mut collection);
    if is_ours {
        let told: HashSet<_> = collection
            .documents
            .iter()
            .filter_map(|one| one.key.as_ref())
            .map(Arc::as_ptr)
            .collect();
        let lacking = collection.keys.iter().filter(|key| !told.contains(&Arc::as_ptr(&key.facts)));
        collection.unknown.extend(lacking.map(|key| Unknown {
            origin: Arc::clone(&key.origin),
            span: key.span,
            reason: "the folder has no policy of the key".into(),
        }));
    }
    // Organizations, readings and what else a world tells: the world's own reader knows. What
    // iam-collect wrote is none: for that reader it would be empty.
    if is_ours && let Ok(world) = crate::load::world(folder) {
        collection.snapshot = world.snapshot(crate::compile::Epoch::default()).ok();
    }
    Ok((collection, errors.problems().to_vec()))
}

/// The file's own name.
fn member_of(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// What `describe-key` prints of a key, as far as it says.
fn described(json: &Json<'_>, arn: &KeyArn) -> KeyFacts {
    let metadata = get(json, "KeyMetadata").unwrap_or(json);
    let told = |name: &str| get(metadata, name).and_then(text);
    let multi_region = match get(metadata, "MultiRegion").map(|it| &it.value) {
        Some(json::Value::Boolean(false)) => Some(None),
        Some(json::Value::Boolean(true)) => {
            let kind = path(metadata, &["MultiRegionConfiguration", "MultiRegionKeyType"]);
            kind.and_then(text).and_then(|kind| kind.parse().ok()).map(Some)
        }
        _ => None,
    };
    KeyFacts {
        spec: told("KeySpec")
            .or_else(|| told("CustomerMasterKeySpec"))
            .and_then(|it| it.parse().ok()),
        usage: told("KeyUsage").and_then(|it| it.parse().ok()),
        origin: told("Origin").and_then(|it| it.parse().ok()),
        manager: told("KeyManager").and_then(|it| it.parse().ok()),
        multi_region,
        ..KeyFacts::of(arn)
    }
}

struct Reader<'c> {
    into: &'c mut Collection,
    keys: Vec<(String, Arc<KeyFacts>)>,
    collected: Collected,
}

impl Reader<'_> {
    /// One file, by its path from the folder.
    fn member(
        &mut self,
        name: &str,
        file: &Arc<SourceFile>,
        json: &Json<'_>,
    ) -> Result<(), LoadError> {
        let parts: Vec<&str> = name.split('/').collect();
        match parts.as_slice() {
            ["accounts", account, "iam.json"] => {
                let Ok(account) = account.parse() else { return Ok(()) };
                self.iam(file, json, account)
            }
            ["accounts", account, "regions", region, "keys", id, member] => {
                let arn = (|| {
                    let (account, region): (AccountId, Region) =
                        (account.parse().ok()?, region.parse().ok()?);
                    let id: KeyId = id.parse().ok()?;
                    KeyArn::new("aws", &region, account, &id).ok()
                })();
                match arn {
                    Some(arn) => self.key(name, file, json, &arn, member),
                    None => Ok(()),
                }
            }
            ["endpoints", _] => {
                self.policy(file, json, PolicyKind::Endpoint, "endpoint policy");
                Ok(())
            }
            ["scps", _] => {
                self.policy(file, json, PolicyKind::ServiceControl, "service control policy");
                Ok(())
            }
            ["rcps", _] => {
                self.policy(file, json, PolicyKind::ResourceControl, "resource control policy");
                Ok(())
            }
            parts => self.collected.member(parts, file, json, self.into).map(drop),
        }
    }

    /// The facts of a key, shared by all that is attached to it.
    fn facts(
        &mut self,
        name: &str,
        file: &Arc<SourceFile>,
        json: &Json<'_>,
        arn: &KeyArn,
    ) -> Arc<KeyFacts> {
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        if let Some((_, facts)) = self.keys.iter().find(|(known, _)| known == folder) {
            return Arc::clone(facts);
        }
        let facts = Arc::new(match member_of(name) {
            "key.json" => described(json, arn),
            _ => KeyFacts::of(arn),
        });
        self.keys.push((folder.to_owned(), Arc::clone(&facts)));
        self.into.keys.push(KeySubject {
            facts: Arc::clone(&facts),
            knows_grants: false,
            span: json.span,
            origin: Arc::new(Origin::file(Arc::clone(file))),
        });
        facts
    }

    fn key(
        &mut self,
        name: &str,
        file: &Arc<SourceFile>,
        json: &Json<'_>,
        arn: &KeyArn,
        member: &str,
    ) -> Result<(), LoadError> {
        let facts = self.facts(name, file, json, arn);
        match member {
            "policy.json" | "policy.AWS_RAM.json" => {
                let policy = if member == "policy.json" { "default" } else { "AWS_RAM" };
                let inner = get(json, "Policy").filter(|_| get(json, "Statement").is_none());
                let mut read = document(file, inner.unwrap_or(json), PolicyKind::Key, None);
                read.name = format!("key policy {policy}").into();
                read.account = facts.account;
                read.key = Some(facts);
                self.into.documents.push(read);
            }
            "grants.json" => {
                for grant in get(json, "Grants").map(elements).unwrap_or_default() {
                    self.into.grants.push(read_grant(file, grant, &facts, arn)?);
                }
                let mut keys = self.into.keys.iter_mut();
                if let Some(key) = keys.find(|key| Arc::ptr_eq(&key.facts, &facts)) {
                    key.knows_grants = true;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn policy(&mut self, file: &Arc<SourceFile>, json: &Json<'_>, kind: PolicyKind, name: &str) {
        // `describe-policy` wraps the document: `Policy.Content` is a string.
        let content = path(json, &["Policy", "Content"]);
        if content.is_none() && kind::of_document(json).is_none() {
            return;
        }
        let mut read = document(file, content.unwrap_or(json), kind, None);
        read.name = name.into();
        self.into.documents.push(read);
    }

    /// `get-account-authorization-details`.
    fn iam(
        &mut self,
        file: &Arc<SourceFile>,
        json: &Json<'_>,
        account: AccountId,
    ) -> Result<(), LoadError> {
        let lists = [("UserDetailList", "UserPolicyList"), ("RoleDetailList", "RolePolicyList")];
        for (list, inline) in lists {
            for entity in get(json, list).map(elements).unwrap_or_default() {
                let Some(arn) = get(entity, "Arn") else { continue };
                let arn: PrincipalArn = parse(file, arn)?;
                let mut unread = Vec::new();
                for policy in get(entity, inline).map(elements).unwrap_or_default() {
                    self.identity(file, policy, account, &arn, "inline policy");
                }
                for attached in
                    get(entity, "AttachedManagedPolicies").map(elements).unwrap_or_default()
                {
                    let named = get(attached, "PolicyArn").and_then(text);
                    let kind = PolicyKind::Identity;
                    unread.extend(self.managed(file, json, named, account, &arn, kind));
                }
                if let Some(boundary) = get(entity, "PermissionsBoundary") {
                    let named = get(boundary, "PermissionsBoundaryArn").and_then(text);
                    let kind = PolicyKind::Boundary;
                    unread.extend(self.managed(file, json, named, account, &arn, kind));
                }
                let groups = get(entity, "GroupList").map(elements).unwrap_or_default();
                for group in groups.iter().filter_map(text) {
                    self.group(file, json, group, account, &arn, &mut unread);
                }
                self.into.entities.push(EntitySubject {
                    arn,
                    unread,
                    span: entity.span,
                    origin: Arc::new(Origin::file(Arc::clone(file))),
                });
            }
        }
        self.into.whole_accounts.push(account);
        Ok(())
    }

    fn group(
        &mut self,
        file: &Arc<SourceFile>,
        json: &Json<'_>,
        name: &str,
        account: AccountId,
        entity: &PrincipalArn,
        unread: &mut Vec<Box<str>>,
    ) {
        let mut groups = get(json, "GroupDetailList").map(elements).unwrap_or_default().iter();
        let named = groups.find(|group| get(group, "GroupName").and_then(text) == Some(name));
        let Some(group) = named else { return };
        for policy in get(group, "GroupPolicyList").map(elements).unwrap_or_default() {
            self.identity(file, policy, account, entity, "inline policy of a group");
        }
        for attached in get(group, "AttachedManagedPolicies").map(elements).unwrap_or_default() {
            let named = get(attached, "PolicyArn").and_then(text);
            unread.extend(self.managed(file, json, named, account, entity, PolicyKind::Identity));
        }
    }

    fn identity(
        &mut self,
        file: &Arc<SourceFile>,
        policy: &Json<'_>,
        account: AccountId,
        entity: &PrincipalArn,
        what: &str,
    ) {
        let Some(json) = get(policy, "PolicyDocument") else { return };
        let mut read = document(file, json, PolicyKind::Identity, None);
        let name = get(policy, "PolicyName").and_then(text).unwrap_or_default();
        read.name = format!("{what} {name}").into();
        self.attach(read, account, entity);
    }

    /// The default version of a managed policy; the name of one that is not in the file.
    fn managed(
        &mut self,
        file: &Arc<SourceFile>,
        json: &Json<'_>,
        arn: Option<&str>,
        account: AccountId,
        entity: &PrincipalArn,
        kind: PolicyKind,
    ) -> Option<Box<str>> {
        let mut policies = get(json, "Policies").map(elements).unwrap_or_default().iter();
        let policy = policies.find(|policy| get(policy, "Arn").and_then(text) == arn);
        let Some(policy) = policy.filter(|_| arn.is_some()) else {
            return Some(arn.unwrap_or("a policy without ARN").into());
        };
        let versions = get(policy, "PolicyVersionList").map(elements).unwrap_or_default();
        let is_default = |version: &&Json<'_>| {
            get(version, "IsDefaultVersion")
                .is_some_and(|it| it.value == json::Value::Boolean(true))
        };
        let version = versions.iter().find(is_default);
        let Some(json) = version.and_then(|version| get(version, "Document")) else {
            return arn.map(Into::into);
        };
        let mut read = document(file, json, kind, None);
        let name = get(policy, "PolicyName").and_then(text).unwrap_or_default();
        read.name = format!("managed policy {name}").into();
        self.attach(read, account, entity);
        None
    }

    fn attach(&mut self, mut read: Document, account: AccountId, entity: &PrincipalArn) {
        read.account = Some(account);
        read.entity = Some(entity.clone());
        self.into.documents.push(read);
    }
}
