//! Resources of AWS that Kubernetes declares: Crossplane's providers and AWS Controllers for
//! Kubernetes, in YAML or as `kubectl get -o json` prints them.

use std::sync::Arc;

use super::resource::{At, CAMEL, Keys, fact, grant, is_true};
use super::value::{Written, elements, get, members, path, text};
use super::{Format, Json, LoadError, SourceFile, yaml};
use crate::lint::{AliasSubject, Collection, KeyFacts, KeySubject};
use crate::model::{KeyArn, KeyManager, KeyOrigin, MultiRegionKeyType, PolicyKind};
use crate::syntax::json::Value;

/// Manifests in YAML.
pub(super) const YAML: Format = Format::Text {
    recognizes: |file| {
        let is_ours = |line: &str| {
            let line = line.trim_start_matches(['\u{feff}', ' ', '-']);
            let group = line.strip_prefix("apiVersion:").or(line.strip_prefix("\"apiVersion\":"));
            let group = group.map(|it| it.trim().trim_start_matches(['"', '\'']));
            group.and_then(|it| it.split_once('/')).is_some_and(|(group, _)| maker(group).is_some())
        };
        // A template of manifests, which is no YAML yet, has the same lines.
        file.text.contains("aws") && file.text.lines().any(is_ours)
    },
    read: |input, into| {
        let documents = yaml::read(input.file)?;
        read(input.file, &documents, Written::Yaml, into)
    },
};

/// Manifests in JSON.
pub(super) const JSON: Format = Format::Json {
    recognizes: |root| {
        let mut found = Vec::new();
        resources(root, Nesting::Top, &mut found);
        !found.is_empty()
    },
    read: |input, root, into| read(input.file, std::slice::from_ref(root), Written::Json, into),
};

/// Whose resource it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Maker {
    Ack,
    Crossplane,
}

/// From the group of `apiVersion`, as in `kms.aws.upbound.io`.
fn maker(group: &str) -> Option<Maker> {
    const CROSSPLANE: &[&str] =
        &[".aws.crossplane.io", ".aws.m.upbound.io", ".aws.upbound.io", ".aws.m.crossplane.io"];
    match () {
        () if group.ends_with(".services.k8s.aws") => Some(Maker::Ack),
        () if CROSSPLANE.iter().any(|end| group.ends_with(end)) => Some(Maker::Crossplane),
        () => None,
    }
}

/// Where a resource was found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    /// As a document, or in a list.
    Top,
    /// In something that makes resources, such as a composition, which may change it.
    Within,
}

struct Resource<'v, 'f> {
    maker: Maker,
    /// The service of its group: `kms`.
    service: &'v str,
    kind: &'v str,
    name: &'v str,
    /// As `kubectl` calls it, in its namespace.
    address: String,
    json: &'v Json<'f>,
    /// What is asked for.
    wanted: &'v Json<'f>,
    nesting: Nesting,
}

fn resources<'v, 'f>(json: &'v Json<'f>, nesting: Nesting, found: &mut Vec<Resource<'v, 'f>>) {
    if let Some(resource) = resource(json, nesting) {
        return found.push(resource);
    }
    let is_list = get(json, "kind").and_then(text).is_some_and(|kind| kind.ends_with("List"));
    let inside = if is_list { Nesting::Top } else { Nesting::Within };
    match &json.value {
        Value::Array(elements) => {
            elements.iter().for_each(|one| resources(one, nesting, found));
        }
        _ => members(json).for_each(|(_, one)| resources(one, inside, found)),
    }
}

fn resource<'v, 'f>(json: &'v Json<'f>, nesting: Nesting) -> Option<Resource<'v, 'f>> {
    let (group, _) = get(json, "apiVersion").and_then(text)?.split_once('/')?;
    let maker = maker(group)?;
    let kind = get(json, "kind").and_then(text)?;
    let spec = get(json, "spec")?;
    let wanted = match maker {
        Maker::Ack => spec,
        Maker::Crossplane => get(spec, "forProvider")?,
    };
    let metadata = |name: &str| path(json, &["metadata", name]).and_then(text);
    let name = metadata("name").unwrap_or_default();
    let namespace = metadata("namespace").map(|it| format!("{it}/")).unwrap_or_default();
    Some(Resource {
        maker,
        service: group.split('.').next().unwrap_or(group),
        kind,
        name,
        // In a composition it gets its name later.
        address: match name {
            "" => kind.to_owned(),
            name => format!("{namespace}{kind}/{name}"),
        },
        json,
        wanted,
        nesting,
    })
}

fn read(
    file: &Arc<SourceFile>,
    documents: &[Json<'_>],
    written: Written,
    into: &mut Collection,
) -> Result<(), LoadError> {
    let mut found = Vec::new();
    documents.iter().for_each(|one| resources(one, Nesting::Top, &mut found));
    let mut reader = Reader { file, written, keys: Keys::default(), into };
    for resource in &found {
        reader.key(resource);
    }
    for resource in &found {
        reader.resource(resource)?;
    }
    Ok(())
}

struct Reader<'r> {
    file: &'r Arc<SourceFile>,
    written: Written,
    keys: Keys,
    into: &'r mut Collection,
}

impl Reader<'_> {
    fn key(&mut self, resource: &Resource<'_, '_>) {
        if resource.service != "kms" || !KEYS.contains(&resource.kind) {
            return;
        }
        let property = |name: &str| get(resource.wanted, name);
        let status = match resource.maker {
            Maker::Ack => path(resource.json, &["status", "ackResourceMetadata", "arn"]),
            Maker::Crossplane => path(resource.json, &["status", "atProvider", "arn"]),
        };
        let arn: Option<KeyArn> = fact(status);
        let multi_region = if resource.kind.contains("Replica") {
            Some(Some(MultiRegionKeyType::Replica))
        } else {
            is_true(property("multiRegion")).map(|is| is.then_some(MultiRegionKeyType::Primary))
        };
        let facts = Arc::new(KeyFacts {
            region: fact(property("region")),
            spec: fact(property("keySpec").or_else(|| property("customerMasterKeySpec"))),
            usage: fact(property("keyUsage")),
            origin: match resource.kind.contains("External") {
                true => Some(KeyOrigin::External),
                false => fact(property("origin")),
            },
            manager: Some(KeyManager::Customer),
            multi_region,
            ..arn.as_ref().map(KeyFacts::of).unwrap_or_default()
        });
        let mut names = vec![resource.name.to_owned()];
        names.extend(arn.iter().flat_map(|arn| [arn.to_string(), arn.id().to_string()]));
        self.keys.add(names, &facts);
        let (span, origin) = (resource.json.span, self.at(resource).origin());
        self.into.keys.push(KeySubject { facts, knows_grants: false, span, origin });
    }

    fn at<'a>(&self, resource: &'a Resource<'_, '_>) -> At<'a>
    where
        Self: 'a,
    {
        At { file: self.file, address: &resource.address, written: self.written }
    }

    /// The key that a resource is for: by its name in Kubernetes, or by its id.
    fn target(&self, resource: &Resource<'_, '_>, attribute: &str) -> Arc<KeyFacts> {
        let wanted = resource.wanted;
        let (id, reference) = match resource.maker {
            Maker::Ack => {
                let stem = attribute.trim_end_matches("Id");
                let id = get(wanted, &format!("{stem}ID"));
                (id, path(wanted, &[&format!("{stem}Ref"), "from", "name"]))
            }
            Maker::Crossplane => {
                (get(wanted, attribute), path(wanted, &[&format!("{attribute}Ref"), "name"]))
            }
        };
        match (id.and_then(text), reference.and_then(text)) {
            (Some(id), _) => self.keys.meant(id),
            (None, Some(name)) => self.keys.named(name).unwrap_or_default(),
            (None, None) => Arc::default(),
        }
    }

    fn resource(&mut self, resource: &Resource<'_, '_>) -> Result<(), LoadError> {
        let property = |name: &str| get(resource.wanted, name);
        match (resource.service, resource.kind) {
            ("kms", "Alias") => {
                // Crossplane's newer provider takes the name of the manifest.
                let name = fact(property("name").or_else(|| property("aliasName")));
                let manifest = || format!("alias/{}", resource.name).parse().ok();
                if let Some(name) = name.or_else(manifest) {
                    self.into.aliases.push(AliasSubject {
                        name,
                        target: Some(self.target(resource, "targetKeyId")),
                        span: resource.json.span,
                        origin: self.at(resource).origin(),
                    });
                }
            }
            ("kms", "Grant") => {
                let facts = self.target(resource, "keyId");
                match grant(self.at(resource), resource.wanted, &CAMEL, &facts)? {
                    Some(grant) => self.into.grants.push(grant),
                    None => self.unknown(resource, "`granteePrincipal` is not told here"),
                }
            }
            ("kms", kind) if KEYS.contains(&kind) => {
                let facts = self.keys.named(resource.name);
                self.policy(resource, "policy", PolicyKind::Key, facts);
            }
            ("kms", "KeyPolicy") => {
                let facts = self.target(resource, "keyId");
                self.policy(resource, "policy", PolicyKind::Key, Some(facts));
            }
            ("iam", "Group" | "Role" | "User") => {
                for policy in property("inlinePolicy").map(elements).unwrap_or_default() {
                    if let Some(policy) = get(policy, "policy") {
                        self.document(resource, policy, PolicyKind::Identity, None);
                    }
                }
                // By their names, or in a list with them.
                for (_, policy) in property("inlinePolicies").into_iter().flat_map(members) {
                    self.document(resource, policy, PolicyKind::Identity, None);
                }
                for policy in property("inlinePolicies").map(elements).unwrap_or_default() {
                    if let Some(policy) = get(policy, "document").or(get(policy, "policy")) {
                        self.document(resource, policy, PolicyKind::Identity, None);
                    }
                }
            }
            ("organizations", "Policy") => {
                let kind = match property("type").and_then(text) {
                    None | Some("SERVICE_CONTROL_POLICY") => PolicyKind::ServiceControl,
                    Some("RESOURCE_CONTROL_POLICY") => PolicyKind::ResourceControl,
                    Some(_) => return Ok(()),
                };
                self.policy(resource, "content", kind, None);
            }
            (service, kind) => {
                let known = POLICIES.iter().find(|it| (it.0, it.1) == (service, kind));
                if let Some((.., names, kind)) = known {
                    let name = names.iter().find(|name| property(name).is_some());
                    let name = name.or_else(|| names.first()).copied().unwrap_or_default();
                    self.policy(resource, name, *kind, None);
                }
            }
        }
        Ok(())
    }

    fn policy(
        &mut self,
        resource: &Resource<'_, '_>,
        name: &str,
        kind: PolicyKind,
        key: Option<Arc<KeyFacts>>,
    ) {
        match get(resource.wanted, name) {
            Some(json) => self.document(resource, json, kind, key),
            // A key without one gets the default.
            None if resource.nesting == Nesting::Top && kind == PolicyKind::Key => {}
            None if resource.nesting == Nesting::Top => {
                self.unknown(resource, "its policy is not told here");
            }
            None => self.unknown(resource, &format!("`{name}` is known only once it is composed")),
        }
    }

    fn unknown(&mut self, resource: &Resource<'_, '_>, reason: &str) {
        let at = At { file: self.file, address: &resource.address, written: self.written };
        at.unknown(resource.json.span, reason, self.into);
    }

    fn document(
        &mut self,
        resource: &Resource<'_, '_>,
        json: &Json<'_>,
        kind: PolicyKind,
        key: Option<Arc<KeyFacts>>,
    ) {
        self.into.documents.extend(self.at(resource).document(json, kind, key.as_ref()));
    }
}

const KEYS: &[&str] = &["ExternalKey", "Key", "ReplicaExternalKey", "ReplicaKey"];

/// Resources with one policy, what their providers call it, and what it is.
const POLICIES: &[(&str, &str, &[&str], PolicyKind)] = &[
    ("ec2", "VPCEndpoint", &["policy", "policyDocument"], PolicyKind::Endpoint),
    ("ec2", "VPCEndpointPolicy", &["policy"], PolicyKind::Endpoint),
    ("iam", "GroupPolicy", &["policy", "document"], PolicyKind::Identity),
    ("iam", "Policy", &["policy", "document", "policyDocument"], PolicyKind::Identity),
    ("iam", "RolePolicy", &["policy", "document"], PolicyKind::Identity),
    ("iam", "UserPolicy", &["policy", "document"], PolicyKind::Identity),
];
