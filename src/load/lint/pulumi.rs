//! Pulumi: what `pulumi stack export` and `pulumi preview --json` print.

use std::collections::HashMap;
use std::sync::Arc;

use super::resource::{At, CAMEL, Keys, fact, grant, is_true};
use super::value::{Written, elements, get, members, path, text};
use super::{Format, Json, LoadError, SourceFile};
use crate::lint::{AliasSubject, Collection, KeyFacts, KeySubject};
use crate::model::{KeyArn, KeyManager, KeyOrigin, MultiRegionKeyType, PolicyKind, Span};
use crate::syntax::json::Value;

/// A stack that was exported.
pub(super) const STACK: Format = Format::Json {
    recognizes: |root| {
        get(root, "version").is_some()
            && get(root, "deployment")
                .is_some_and(|it| get(it, "manifest").is_some() || get(it, "resources").is_some())
    },
    read: |input, root, into| {
        let listed = path(root, &["deployment", "resources"]).map(elements).unwrap_or_default();
        // What is being replaced is there a second time.
        let stays = |one: &&Json<'_>| is_true(get(one, "delete")) != Some(true);
        let parts = ["outputs", "inputs"];
        let told = listed.iter().filter(stays).filter_map(|one| Resource::of(one, one, parts));
        read(input.file, &told.collect::<Vec<_>>(), into)
    },
};

/// A preview.
pub(super) const PREVIEW: Format = Format::Json {
    recognizes: |root| {
        let steps = get(root, "steps").map(elements).unwrap_or_default();
        !steps.is_empty()
            && steps.iter().all(|one| get(one, "op").is_some() && get(one, "urn").is_some())
    },
    read: |input, root, into| {
        let steps = get(root, "steps").map(elements).unwrap_or_default().iter();
        // What will be is there without `newState` when it goes.
        let told =
            steps.filter_map(|one| Resource::of(one, get(one, "newState")?, ["inputs", "outputs"]));
        read(input.file, &told.collect::<Vec<_>>(), into)
    },
};

struct Resource<'v, 'f> {
    urn: &'v str,
    kind: &'v str,
    span: Span,
    id: Option<&'v str>,
    /// What was asked for and what came of it; the first that has an attribute tells it.
    parts: Vec<&'v Json<'f>>,
    /// The resources that attributes come from.
    dependencies: Option<&'v Json<'f>>,
}

/// What is told of an attribute.
enum Attribute<'v, 'f> {
    Absent,
    Known(&'v Json<'f>),
    Unknown(&'static str),
}

impl<'v, 'f> Resource<'v, 'f> {
    fn of(step: &'v Json<'f>, state: &'v Json<'f>, parts: [&str; 2]) -> Option<Self> {
        Some(Self {
            urn: get(state, "urn").or_else(|| get(step, "urn")).and_then(text)?,
            kind: get(state, "type").and_then(text)?,
            span: state.span,
            id: get(state, "id").and_then(text),
            parts: parts.into_iter().filter_map(|name| get(state, name)).collect(),
            dependencies: get(state, "propertyDependencies"),
        })
    }

    fn attribute(&self, name: &str) -> Attribute<'v, 'f> {
        let told: Vec<_> = self.parts.iter().filter_map(|part| get(part, name)).collect();
        if told.iter().any(|json| holds(json, &is_secret)) {
            return Attribute::Unknown("is secret");
        }
        match told.first() {
            None => Attribute::Absent,
            Some(json) if holds(json, &is_computed) => {
                Attribute::Unknown("is known only after the update")
            }
            Some(json) => Attribute::Known(json),
        }
    }

    fn known(&self, name: &str) -> Option<&'v Json<'f>> {
        match self.attribute(name) {
            Attribute::Known(json) => Some(json),
            _ => None,
        }
    }
}

/// Whether a value is such a one, or has one in it.
fn holds(json: &Json<'_>, is: &dyn Fn(&Json<'_>) -> bool) -> bool {
    is(json)
        || match &json.value {
            Value::Array(elements) => elements.iter().any(|one| holds(one, is)),
            _ => members(json).any(|(_, one)| holds(one, is)),
        }
}

/// What Pulumi marks a secret with; the value beside it is encrypted, or in clear with
/// `--show-secrets`.
fn is_secret(json: &Json<'_>) -> bool {
    get(json, "4dabf18193072939515e22adb298388d").and_then(text)
        == Some("1b47061264138c4ac30d75fd1eb44270")
}

/// What a preview has in the place of what nobody knows yet.
fn is_computed(json: &Json<'_>) -> bool {
    text(json) == Some("04da6b54-80e4-46f7-96ec-b56ff0331ba9")
}

fn read(
    file: &Arc<SourceFile>,
    resources: &[Resource<'_, '_>],
    into: &mut Collection,
) -> Result<(), LoadError> {
    let mut reader = Reader { file, keys: Keys::default(), elsewhere: HashMap::new(), into };
    for resource in resources {
        reader.key(resource);
    }
    let policies = resources.iter().filter(|one| one.kind == KEY_POLICY);
    let targets = policies.map(|one| reader.target(one, &["keyId"]));
    reader.elsewhere = targets.map(|facts| (Arc::as_ptr(&facts), facts)).collect();
    for resource in resources {
        reader.resource(resource)?;
    }
    into.forbid_edits();
    Ok(())
}

struct Reader<'r> {
    file: &'r Arc<SourceFile>,
    keys: Keys,
    /// The keys whose policy is a resource of its own: that is what the key gets in the end.
    elsewhere: HashMap<*const KeyFacts, Arc<KeyFacts>>,
    into: &'r mut Collection,
}

impl Reader<'_> {
    fn key(&mut self, resource: &Resource<'_, '_>) {
        if !KEYS.iter().any(|(kind, _)| *kind == resource.kind) {
            return;
        }
        let arn: Option<KeyArn> = fact(resource.known("arn"));
        let multi_region = if resource.kind.to_ascii_lowercase().contains("replica") {
            Some(Some(MultiRegionKeyType::Replica))
        } else {
            is_true(resource.known("multiRegion"))
                .map(|is| is.then_some(MultiRegionKeyType::Primary))
        };
        let facts = Arc::new(KeyFacts {
            spec: fact(resource.known("customerMasterKeySpec").or(resource.known("keySpec"))),
            usage: fact(resource.known("keyUsage")),
            origin: resource.kind.contains("external").then_some(KeyOrigin::External),
            manager: Some(KeyManager::Customer),
            multi_region,
            ..arn.as_ref().map(KeyFacts::of).unwrap_or_default()
        });
        let told = ["arn", "keyId"].into_iter().filter_map(|name| resource.known(name));
        let told = told.filter_map(text).chain(resource.id);
        let mut names: Vec<String> =
            std::iter::once(resource.urn).chain(told).map(Into::into).collect();
        names.dedup();
        self.keys.add(names, &facts);
        let origin = self.at(resource).origin();
        self.into.keys.push(KeySubject { facts, knows_grants: false, span: resource.span, origin });
    }

    fn at<'a>(&'a self, resource: &'a Resource<'_, '_>) -> At<'a> {
        At { file: self.file, address: resource.urn, written: Written::Json }
    }

    /// The key that an attribute means, by its value or by the resource that it comes from.
    fn target(&self, resource: &Resource<'_, '_>, attributes: &[&str]) -> Arc<KeyFacts> {
        let mut known = attributes.iter().filter_map(|name| resource.known(name)).filter_map(text);
        if let Some(name) = known.next() {
            return self.keys.meant(name);
        }
        let found = attributes.iter().find_map(|name| {
            let urns = get(resource.dependencies?, name)?;
            elements(urns).iter().filter_map(text).find_map(|urn| self.keys.named(urn))
        });
        found.unwrap_or_default()
    }

    fn resource(&mut self, resource: &Resource<'_, '_>) -> Result<(), LoadError> {
        match resource.kind {
            "aws:kms/alias:Alias" | "aws-native:kms:Alias" => {
                let name = resource.known("name").or_else(|| resource.known("aliasName"));
                if let Some(name) = fact(name) {
                    self.into.aliases.push(AliasSubject {
                        name,
                        target: Some(self.target(resource, &["targetKeyArn", "targetKeyId"])),
                        span: resource.span,
                        origin: self.at(resource).origin(),
                    });
                }
            }
            "aws:kms/grant:Grant" => {
                let facts = self.target(resource, &["keyId"]);
                let parts = ["granteePrincipal", "retiringPrincipal", "operations", "constraints"];
                let unknown = parts.into_iter().find_map(|name| match resource.attribute(name) {
                    Attribute::Unknown(why) => Some(format!("`{name}` {why}")),
                    _ => None,
                });
                if let Some(reason) = unknown {
                    let at = At { file: self.file, address: resource.urn, written: Written::Json };
                    at.unknown(resource.span, reason, self.into);
                } else if let Some(part) = resource.parts.first() {
                    let read = grant(self.at(resource), part, &CAMEL, &facts)?;
                    self.into.grants.extend(read);
                }
            }
            "aws:organizations/policy:Policy" | "aws-native:organizations:Policy" => {
                let kind = match resource.known("type").and_then(text) {
                    None | Some("SERVICE_CONTROL_POLICY") => PolicyKind::ServiceControl,
                    Some("RESOURCE_CONTROL_POLICY") => PolicyKind::ResourceControl,
                    Some(_) => return Ok(()),
                };
                self.policy(resource, "content", kind, None);
            }
            "aws:iam/role:Role" => self.policies(resource, "inlinePolicies", "policy"),
            "aws-native:iam:Role" | "aws-native:iam:User" | "aws-native:iam:Group" => {
                self.policies(resource, "policies", "policyDocument");
            }
            KEY_POLICY => {
                let facts = self.target(resource, &["keyId"]);
                self.policy(resource, "policy", PolicyKind::Key, Some(&facts));
            }
            kind => {
                if let Some((_, attribute)) = KEYS.iter().find(|(name, _)| *name == kind) {
                    let facts = self.keys.named(resource.urn);
                    let is_elsewhere = facts
                        .as_ref()
                        .is_some_and(|facts| self.elsewhere.contains_key(&Arc::as_ptr(facts)));
                    if !is_elsewhere {
                        self.policy(resource, attribute, PolicyKind::Key, facts.as_ref());
                    }
                }
                if let Some((_, attribute, kind)) = POLICIES.iter().find(|it| it.0 == kind) {
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
            Attribute::Unknown(why) => self.unknown(resource, attribute, why),
            Attribute::Known(json) => self.document(resource, json, kind, key),
        }
    }

    fn unknown(&mut self, resource: &Resource<'_, '_>, attribute: &str, why: &str) {
        let at = At { file: self.file, address: resource.urn, written: Written::Json };
        at.unknown(resource.span, format!("`{attribute}` {why}"), self.into);
    }

    /// Policies in a list of a resource.
    fn policies(&mut self, resource: &Resource<'_, '_>, attribute: &str, member: &str) {
        match resource.attribute(attribute) {
            Attribute::Absent => {}
            Attribute::Unknown(why) => self.unknown(resource, attribute, why),
            Attribute::Known(json) => {
                for policy in elements(json).iter().filter_map(|one| get(one, member)) {
                    self.document(resource, policy, PolicyKind::Identity, None);
                }
            }
        }
    }

    fn document(
        &mut self,
        resource: &Resource<'_, '_>,
        json: &Json<'_>,
        kind: PolicyKind,
        key: Option<&Arc<KeyFacts>>,
    ) {
        self.into.documents.extend(self.at(resource).document(json, kind, key));
    }
}

const KEY_POLICY: &str = "aws:kms/keyPolicy:KeyPolicy";

/// Keys, and where their policy stands.
const KEYS: &[(&str, &str)] = &[
    ("aws-native:kms:Key", "keyPolicy"),
    ("aws-native:kms:ReplicaKey", "keyPolicy"),
    ("aws:kms/externalKey:ExternalKey", "policy"),
    ("aws:kms/key:Key", "policy"),
    ("aws:kms/replicaExternalKey:ReplicaExternalKey", "policy"),
    ("aws:kms/replicaKey:ReplicaKey", "policy"),
];

/// Resources with one policy, where it stands and what it is.
const POLICIES: &[(&str, &str, PolicyKind)] = &[
    ("aws-native:ec2:VpcEndpoint", "policyDocument", PolicyKind::Endpoint),
    ("aws-native:iam:GroupPolicy", "policyDocument", PolicyKind::Identity),
    ("aws-native:iam:ManagedPolicy", "policyDocument", PolicyKind::Identity),
    ("aws-native:iam:RolePolicy", "policyDocument", PolicyKind::Identity),
    ("aws-native:iam:UserPolicy", "policyDocument", PolicyKind::Identity),
    ("aws-native:sso:PermissionSet", "inlinePolicy", PolicyKind::Identity),
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "policy", PolicyKind::Endpoint),
    ("aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy", "policy", PolicyKind::Endpoint),
    ("aws:iam/groupPolicy:GroupPolicy", "policy", PolicyKind::Identity),
    ("aws:iam/policy:Policy", "policy", PolicyKind::Identity),
    ("aws:iam/rolePolicy:RolePolicy", "policy", PolicyKind::Identity),
    ("aws:iam/userPolicy:UserPolicy", "policy", PolicyKind::Identity),
    (
        "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy",
        "inlinePolicy",
        PolicyKind::Identity,
    ),
];
