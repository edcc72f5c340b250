//! Terraform and OpenTofu: plans and states as `show -json` prints them, and state files.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::resource::{At, Keys, SNAKE, fact, grant, is_true};
use super::value::{Written, elements, get, members, path, text};
use super::{Format, Input, Json, LoadError, SourceFile, kind};
use crate::lint::{AliasSubject, Collection, KeyFacts, KeySubject};
use crate::model::{KeyArn, KeyManager, KeyOrigin, MultiRegionKeyType, PolicyKind};
use crate::syntax::json::Value;

/// `terraform show -json` of a plan.
pub(super) const PLAN: Format = Format::Json {
    recognizes: |root| {
        get(root, "format_version").is_some()
            && (get(root, "planned_values").is_some() || get(root, "resource_changes").is_some())
    },
    read: plan,
};

/// `terraform show -json` of a state.
pub(super) const STATE: Format = Format::Json {
    recognizes: |root| {
        get(root, "format_version").is_some()
            && get(root, "terraform_version").is_some()
            && get(root, "planned_values").is_none()
    },
    read: |input, root, into| {
        let mut resources = Vec::new();
        if let Some(module) = path(root, &["values", "root_module"]) {
            module_resources(module, &mut resources);
        }
        read(input.file, &resources, &HashMap::new(), into)
    },
};

/// `terraform.tfstate`, and what `terraform state pull` prints.
pub(super) const STATE_FILE: Format = Format::Json {
    recognizes: |root| {
        get(root, "terraform_version").is_some()
            && get(root, "lineage").is_some()
            && matches!(get(root, "resources").map(|it| &it.value), Some(Value::Array(_)))
    },
    read: |input, root, into| {
        let mut resources = Vec::new();
        for resource in get(root, "resources").map(elements).unwrap_or_default() {
            instances(resource, &mut resources);
        }
        read(input.file, &resources, &HashMap::new(), into)
    },
};

/// One resource, whichever file told it.
struct Resource<'v, 'f> {
    address: String,
    kind: &'v str,
    values: &'v Json<'f>,
    /// Of a plan: `true` for what is known after apply.
    unknown: Option<&'v Json<'f>>,
    sensitive: Vec<&'v str>,
}

/// What is told of an attribute.
enum Attribute<'v, 'f> {
    /// Nothing, or null.
    Absent,
    /// This.
    Known(&'v Json<'f>),
    /// That nobody knows it, or may show it.
    Unknown(&'static str),
}

impl<'v, 'f> Resource<'v, 'f> {
    fn attribute(&self, name: &str) -> Attribute<'v, 'f> {
        if self.sensitive.contains(&name) {
            return Attribute::Unknown("is sensitive");
        }
        let unknown = self.unknown.and_then(|unknown| get(unknown, name));
        match get(self.values, name) {
            Some(value) => Attribute::Known(value),
            None if is_true(unknown) == Some(true) => Attribute::Unknown("is known after apply"),
            None => Attribute::Absent,
        }
    }

    fn known(&self, name: &str) -> Option<&'v Json<'f>> {
        match self.attribute(name) {
            Attribute::Known(value) => Some(value),
            _ => None,
        }
    }
}

fn plan(input: &Input<'_>, root: &Json<'_>, into: &mut Collection) -> Result<(), LoadError> {
    let mut resources = Vec::new();
    if let Some(module) = path(root, &["planned_values", "root_module"]) {
        module_resources(module, &mut resources);
    }
    let changes = get(root, "resource_changes").map(elements).unwrap_or_default();
    let by_address: HashMap<&str, &Json<'_>> = changes
        .iter()
        .filter_map(|one| Some((get(one, "address").and_then(text)?, get(one, "change")?)))
        .collect();
    for resource in &mut resources {
        let Some(change) = by_address.get(resource.address.as_str()) else { continue };
        resource.unknown = get(change, "after_unknown");
        if let Some(sensitive) = get(change, "after_sensitive") {
            resource.sensitive.extend(sensitive_names(sensitive));
        }
    }
    // What data sources read while planning.
    if let Some(module) = path(root, &["prior_state", "values", "root_module"]) {
        let mut prior = Vec::new();
        module_resources(module, &mut prior);
        resources.extend(prior.into_iter().filter(|one| one.kind == DOCUMENT));
    }
    let mut expressions = HashMap::new();
    if let Some(module) = path(root, &["configuration", "root_module"]) {
        configured(module, "", &mut expressions);
    }
    read(input.file, &resources, &expressions, into)
}

/// The resources of a module and of those below it.
fn module_resources<'v, 'f>(module: &'v Json<'f>, found: &mut Vec<Resource<'v, 'f>>) {
    for one in get(module, "resources").map(elements).unwrap_or_default() {
        let told = (|| {
            let kind = get(one, "type").and_then(text)?;
            let address = get(one, "address").and_then(text)?;
            let is_data = get(one, "mode").and_then(text) == Some("data");
            (is_data == (kind == DOCUMENT)).then_some((kind, address, get(one, "values")?))
        })();
        let Some((kind, address, values)) = told else { continue };
        let sensitive = get(one, "sensitive_values").map(|it| sensitive_names(it).collect());
        found.push(Resource {
            address: address.to_owned(),
            kind,
            values,
            unknown: None,
            sensitive: sensitive.unwrap_or_default(),
        });
    }
    for module in get(module, "child_modules").map(elements).unwrap_or_default() {
        module_resources(module, found);
    }
}

fn sensitive_names<'v>(json: &'v Json<'_>) -> impl Iterator<Item = &'v str> {
    members(json).filter(|(_, value)| is_true(Some(value)) == Some(true)).map(|(name, _)| name)
}

/// The instances of a resource in a state file.
fn instances<'v, 'f>(resource: &'v Json<'f>, found: &mut Vec<Resource<'v, 'f>>) {
    let name = |name: &str| get(resource, name).and_then(text);
    let (Some(kind), Some(own)) = (name("type"), name("name")) else { return };
    let is_data = name("mode") == Some("data");
    if is_data != (kind == DOCUMENT) {
        return;
    }
    let module = name("module").map(|module| format!("{module}.")).unwrap_or_default();
    let data = if is_data { "data." } else { "" };
    for one in get(resource, "instances").map(elements).unwrap_or_default() {
        let Some(values) = get(one, "attributes") else { continue };
        let index = match get(one, "index_key").map(|index| &index.value) {
            Some(Value::Number(number)) => format!("[{number}]"),
            Some(Value::String(key)) => format!("[{key:?}]"),
            _ => String::new(),
        };
        let paths = get(one, "sensitive_attributes").map(elements).unwrap_or_default();
        let first = |path: &'v Json<'f>| elements(path).first();
        let sensitive = paths.iter().filter_map(first);
        found.push(Resource {
            address: format!("{module}{data}{kind}.{own}{index}"),
            kind,
            values,
            unknown: None,
            sensitive: sensitive.filter_map(|step| get(step, "value").and_then(text)).collect(),
        });
    }
}

/// The expressions of a plan's resources by their address in the configuration, which has no
/// indices.
fn configured<'v, 'f>(
    module: &'v Json<'f>,
    prefix: &str,
    found: &mut HashMap<String, &'v Json<'f>>,
) {
    for one in get(module, "resources").map(elements).unwrap_or_default() {
        let address = get(one, "address").and_then(text);
        if let Some((address, expressions)) = address.zip(get(one, "expressions")) {
            found.insert(format!("{prefix}{address}"), expressions);
        }
    }
    for (name, call) in get(module, "module_calls").into_iter().flat_map(members) {
        if let Some(module) = get(call, "module") {
            configured(module, &format!("{prefix}module.{name}."), found);
        }
    }
}

/// An address without its indices, as the configuration has it.
fn without_indices(address: &str) -> String {
    let (mut out, mut depth, mut quoted, mut escaped) = (String::new(), 0_usize, false, false);
    for c in address.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if depth > 0 => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

type Expressions<'v, 'f> = HashMap<String, &'v Json<'f>>;

fn read(
    file: &Arc<SourceFile>,
    resources: &[Resource<'_, '_>],
    expressions: &Expressions<'_, '_>,
    into: &mut Collection,
) -> Result<(), LoadError> {
    let mut reader = Reader {
        file,
        expressions,
        keys: Keys::default(),
        elsewhere: HashMap::new(),
        seen: HashSet::new(),
        into,
    };
    for resource in resources {
        reader.key(resource);
    }
    let policies = resources.iter().filter(|one| one.kind == "aws_kms_key_policy");
    let targets = policies.map(|one| reader.target(one, &["key_id"]));
    reader.elsewhere = targets.map(|facts| (Arc::as_ptr(&facts), facts)).collect();
    for resource in resources {
        reader.resource(resource)?;
    }
    // Once it is known what the resources' policies say: most documents are one of them, or a part
    // of another, and only the rest is worth a look.
    let documents = || resources.iter().filter(|one| one.kind == DOCUMENT);
    let parts: HashSet<_> = documents().flat_map(parts).collect();
    for resource in documents() {
        reader.data(resource, &parts);
    }
    into.forbid_edits();
    Ok(())
}

/// The documents that a document is put together from.
fn parts(document: &Resource<'_, '_>) -> Vec<serde_json::Value> {
    let lists = ["source_policy_documents", "override_policy_documents"];
    let lists = lists.into_iter().filter_map(|name| document.known(name)).flat_map(elements);
    let single = ["source_json", "override_json"].into_iter();
    let parts = lists.chain(single.filter_map(|name| document.known(name)));
    parts.filter_map(text).filter_map(|text| serde_json::from_str(text).ok()).collect()
}

struct Reader<'r, 'v, 'f> {
    file: &'r Arc<SourceFile>,
    expressions: &'r Expressions<'v, 'f>,
    keys: Keys,
    /// The keys whose policy is a resource of its own: that is what the key gets in the end.
    elsewhere: HashMap<*const KeyFacts, Arc<KeyFacts>>,
    /// The policies of resources.
    seen: HashSet<serde_json::Value>,
    into: &'r mut Collection,
}

impl Reader<'_, '_, '_> {
    fn at<'a>(&'a self, resource: &'a Resource<'_, '_>) -> At<'a> {
        At { file: self.file, address: &resource.address, written: Written::Json }
    }

    /// The facts of a key.
    fn key(&mut self, resource: &Resource<'_, '_>) {
        if !KEYS.contains(&resource.kind) {
            return;
        }
        let is_replica = resource.kind.contains("replica");
        let arn: Option<KeyArn> = fact(resource.known("arn"));
        let multi_region = if is_replica {
            Some(Some(MultiRegionKeyType::Replica))
        } else {
            is_true(resource.known("multi_region"))
                .map(|is| is.then_some(MultiRegionKeyType::Primary))
        };
        let facts = Arc::new(KeyFacts {
            spec: fact(resource.known("customer_master_key_spec")),
            usage: fact(resource.known("key_usage")),
            origin: resource.kind.contains("external").then_some(KeyOrigin::External),
            manager: Some(KeyManager::Customer),
            multi_region,
            ..arn.as_ref().map(KeyFacts::of).unwrap_or_default()
        });
        let mut names = vec![resource.address.clone(), without_indices(&resource.address)];
        names.dedup();
        let told = ["arn", "key_id", "id"].into_iter().filter_map(|name| resource.known(name));
        names.extend(told.filter_map(text).map(str::to_owned));
        self.keys.add(names, &facts);
        self.into.keys.push(KeySubject {
            facts,
            knows_grants: false,
            span: resource.values.span,
            origin: self.at(resource).origin(),
        });
    }

    /// The key that an attribute means, by its value or by what the configuration refers to.
    fn target(&self, resource: &Resource<'_, '_>, attributes: &[&str]) -> Arc<KeyFacts> {
        let mut known = attributes.iter().filter_map(|name| resource.known(name)).filter_map(text);
        if let Some(name) = known.next() {
            return self.keys.meant(name);
        }
        let address = without_indices(&resource.address);
        let module = address.rfind("module.").and_then(|at| {
            let rest = address.get(at..)?;
            let (_, after) = rest.split_once('.')?;
            let (_, after) = after.split_once('.')?;
            address.get(..address.len() - after.len())
        });
        let expressions = self.expressions.get(&address);
        let found = attributes.iter().find_map(|name| {
            let references = expressions.and_then(|it| path(it, &[*name, "references"]))?;
            elements(references).iter().filter_map(text).find_map(|reference| {
                let name = without_indices(reference);
                self.keys.named(&format!("{}{name}", module.unwrap_or_default()))
            })
        });
        found.unwrap_or_default()
    }

    fn resource(&mut self, resource: &Resource<'_, '_>) -> Result<(), LoadError> {
        match resource.kind {
            kind if KEYS.contains(&kind) => {
                let facts = self.target(resource, &["arn", "key_id"]);
                let facts = match facts.arn {
                    Some(_) => facts,
                    None => self.keys.named(&resource.address).unwrap_or(facts),
                };
                if !self.elsewhere.contains_key(&Arc::as_ptr(&facts)) {
                    self.policy(resource, "policy", PolicyKind::Key, Some(&facts));
                }
            }
            "aws_kms_key_policy" => {
                let facts = self.target(resource, &["key_id"]);
                self.policy(resource, "policy", PolicyKind::Key, Some(&facts));
            }
            "aws_kms_alias" => {
                if let Some(name) = fact(resource.known("name")) {
                    self.into.aliases.push(AliasSubject {
                        name,
                        target: Some(self.target(resource, &["target_key_arn", "target_key_id"])),
                        span: resource.values.span,
                        origin: self.at(resource).origin(),
                    });
                }
            }
            "aws_kms_grant" => {
                let facts = self.target(resource, &["key_id"]);
                let at = At { file: self.file, address: &resource.address, written: Written::Json };
                if let Attribute::Unknown(why) = resource.attribute("grantee_principal") {
                    let reason = format!("`grantee_principal` {why}");
                    at.unknown(resource.values.span, reason, self.into);
                } else {
                    let read = grant(at, resource.values, &SNAKE, &facts)?;
                    self.into.grants.extend(read);
                }
            }
            "aws_organizations_policy" => {
                let kind = match resource.known("type").and_then(text) {
                    None | Some("SERVICE_CONTROL_POLICY") => PolicyKind::ServiceControl,
                    Some("RESOURCE_CONTROL_POLICY") => PolicyKind::ResourceControl,
                    Some(_) => return Ok(()),
                };
                self.policy(resource, "content", kind, None);
            }
            "aws_iam_role" => {
                self.policies_within(resource, "inline_policy");
            }
            other => {
                let known = POLICIES.iter().find(|(name, ..)| *name == other);
                if let Some((_, attribute, kind)) = known {
                    self.policy(resource, attribute, *kind, None);
                }
            }
        }
        Ok(())
    }

    fn policy(
        &mut self,
        resource: &Resource<'_, '_>,
        attribute: &str,
        kind: PolicyKind,
        key: Option<&Arc<KeyFacts>>,
    ) {
        match resource.attribute(attribute) {
            Attribute::Absent => {}
            // A policy that nobody configured is AWS's default: unknown to a plan, but no policy
            // of the author's.
            Attribute::Unknown(_) if self.is_configured(resource, attribute) == Some(false) => {}
            Attribute::Unknown(why) => {
                let at = At { file: self.file, address: &resource.address, written: Written::Json };
                at.unknown(resource.values.span, format!("`{attribute}` {why}"), self.into);
            }
            Attribute::Known(json) => self.document(resource, json, kind, key),
        }
    }

    fn document(
        &mut self,
        resource: &Resource<'_, '_>,
        json: &Json<'_>,
        kind: PolicyKind,
        key: Option<&Arc<KeyFacts>>,
    ) {
        let Some(document) = self.at(resource).document(json, kind, key) else { return };
        self.seen.extend(text(json).and_then(|text| serde_json::from_str(text).ok()));
        self.into.documents.push(document);
    }

    /// Policies in blocks of a resource, each with a `policy`.
    fn policies_within(&mut self, resource: &Resource<'_, '_>, attribute: &str) {
        let unknown = resource.unknown.and_then(|it| get(it, attribute));
        // A role without such blocks gets what the provider computes, and that is none.
        let is_told = self.is_configured(resource, attribute) != Some(false);
        if is_true(unknown) == Some(true) && is_told {
            return self.policy(resource, attribute, PolicyKind::Identity, None);
        }
        if resource.sensitive.contains(&attribute) {
            return self.policy(resource, attribute, PolicyKind::Identity, None);
        }
        let unknown = unknown.map(elements).unwrap_or_default();
        let blocks = get(resource.values, attribute).map(elements).unwrap_or_default();
        for (place, block) in blocks.iter().enumerate() {
            let unknown = unknown.get(place).and_then(|it| get(it, "policy"));
            match get(block, "policy") {
                Some(policy) => self.document(resource, policy, PolicyKind::Identity, None),
                None if is_true(unknown) == Some(true) => {
                    let at =
                        At { file: self.file, address: &resource.address, written: Written::Json };
                    let reason = format!("`policy` of `{attribute}` is known after apply");
                    at.unknown(block.span, reason, self.into);
                }
                None => {}
            }
        }
    }

    /// Whether the configuration has an attribute; `None` when it does not tell.
    fn is_configured(&self, resource: &Resource<'_, '_>, attribute: &str) -> Option<bool> {
        let expressions = self.expressions.get(&without_indices(&resource.address))?;
        Some(get(expressions, attribute).is_some())
    }

    /// A document that no resource read so far has as its policy.
    fn data(&mut self, resource: &Resource<'_, '_>, parts: &HashSet<serde_json::Value>) {
        let Some(json) = resource.known("json") else { return };
        let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        let Some(own) = text(json).and_then(parsed) else { return };
        if parts.contains(&own) || self.seen.contains(&own) {
            return;
        }
        let text = text(json).unwrap_or_default().to_owned();
        let Ok(root) = crate::syntax::json::read_up_to(&text, usize::MAX) else { return };
        if let Some(kind) = kind::of_document(&root) {
            self.document(resource, json, kind, None);
        }
    }
}

/// The data source that puts policies together.
const DOCUMENT: &str = "aws_iam_policy_document";

const KEYS: &[&str] =
    &["aws_kms_external_key", "aws_kms_key", "aws_kms_replica_external_key", "aws_kms_replica_key"];

/// Resources with one policy, where it stands and what it is.
const POLICIES: &[(&str, &str, PolicyKind)] = &[
    ("aws_iam_group_policy", "policy", PolicyKind::Identity),
    ("aws_iam_policy", "policy", PolicyKind::Identity),
    ("aws_iam_role_policy", "policy", PolicyKind::Identity),
    ("aws_iam_user_policy", "policy", PolicyKind::Identity),
    ("aws_ssoadmin_permission_set_inline_policy", "inline_policy", PolicyKind::Identity),
    ("aws_vpc_endpoint", "policy", PolicyKind::Endpoint),
    ("aws_vpc_endpoint_policy", "policy", PolicyKind::Endpoint),
];
