//! CloudFormation and SAM templates, in JSON and YAML, and what the CDK writes.

mod fill;
mod intrinsic;

use std::sync::Arc;

pub(super) use intrinsic::Environment;

use self::intrinsic::{Eval, Template, is_call};
use super::resource::{At, Keys, fact, is_true};
use super::value::{Written, elements, get, members, path, text, whole_file};
use super::{Format, Json, SourceFile, yaml};
use crate::lint::{
    AliasSubject, Collection, Document, Encoding, KeyFacts, KeySubject, Origin, PositionMap,
};
use crate::model::{KeyManager, MultiRegionKeyType, PolicyKind, Span, Spanned};
use crate::syntax::{self, json::Value};

/// A template in JSON.
pub(super) const JSON: Format = Format::Json {
    recognizes,
    read: |input, root, into| {
        read(input.file, root, Written::Json, &Environment::default(), into);
        Ok(())
    },
};

/// A template in YAML.
pub(super) const YAML: Format = Format::Text {
    recognizes: |file| {
        let is_resources = |line: &str| {
            line.strip_prefix("Resources")
                .or_else(|| line.strip_prefix("\"Resources\""))
                .is_some_and(|rest| rest.trim_start().starts_with(':'))
        };
        file.text.contains("AWS::") && file.text.lines().any(is_resources)
    },
    read: |input, into| {
        for root in yaml::read(input.file)? {
            read(input.file, &root, Written::Yaml, &Environment::default(), into);
        }
        Ok(())
    },
};

pub(super) fn recognizes(root: &Json<'_>) -> bool {
    get(root, "AWSTemplateFormatVersion").is_some()
        || get(root, "Resources").is_some_and(|resources| {
            members(resources).any(|(_, one)| {
                get(one, "Type").and_then(text).is_some_and(|kind| kind.contains("::"))
            })
        })
}

/// Adds what a template tells. What is malformed in it beyond policies is CloudFormation's to say.
pub(super) fn read(
    file: &Arc<SourceFile>,
    root: &Json<'_>,
    written: Written,
    environment: &Environment,
    into: &mut Collection,
) {
    let mut reader = Reader {
        file,
        written,
        template: Template { root, environment },
        keys: Keys::default(),
        into,
    };
    let Some(resources) = get(root, "Resources") else { return };
    for (name, resource) in members(resources) {
        reader.key(name, resource);
    }
    for (name, resource) in members(resources) {
        if is_loop(name) {
            let at = At { file, address: name, written };
            at.unknown(
                resource.span,
                "the resources it makes are known only once it is deployed",
                reader.into,
            );
        } else {
            reader.resource(name, resource);
        }
    }
}

/// Whether a member of `Resources` makes resources rather than being one.
fn is_loop(name: &str) -> bool {
    name.starts_with("Fn::")
}

struct Reader<'r, 'v, 'f> {
    file: &'r Arc<SourceFile>,
    written: Written,
    template: Template<'r, 'v, 'f>,
    keys: Keys,
    into: &'r mut Collection,
}

impl Reader<'_, '_, '_> {
    fn key(&mut self, name: &str, resource: &Json<'_>) {
        let kind = get(resource, "Type").and_then(text);
        let is_replica = kind == Some("AWS::KMS::ReplicaKey");
        if !is_replica && kind != Some("AWS::KMS::Key") {
            return;
        }
        let property = |name: &str| path(resource, &["Properties", name]);
        let multi_region = match (is_replica, property("MultiRegion")) {
            (true, _) => Some(Some(MultiRegionKeyType::Replica)),
            (false, None) => Some(None),
            (false, told) => is_true(told).map(|is| is.then_some(MultiRegionKeyType::Primary)),
        };
        let facts = Arc::new(KeyFacts {
            account: self.template.environment.account,
            region: self.template.environment.region.clone(),
            spec: fact(property("KeySpec")),
            usage: fact(property("KeyUsage")),
            origin: fact(property("Origin")),
            manager: Some(KeyManager::Customer),
            multi_region,
            ..KeyFacts::default()
        });
        self.keys.add(vec![name.to_owned()], &facts);
        let origin = self.at(address(name, resource)).origin();
        self.into.keys.push(KeySubject { facts, knows_grants: false, span: resource.span, origin });
    }

    fn at<'a>(&'a self, address: &'a str) -> At<'a> {
        At { file: self.file, address, written: self.written }
    }

    fn resource(&mut self, name: &str, resource: &Json<'_>) {
        let Some(kind) = get(resource, "Type").and_then(text) else { return };
        let Some(properties) = get(resource, "Properties") else { return };
        let address = address(name, resource);
        let property = |name: &str| get(properties, name);
        match kind {
            "AWS::KMS::Key" | "AWS::KMS::ReplicaKey" => {
                if let Some(policy) = property("KeyPolicy") {
                    let facts = self.keys.named(name);
                    self.policy(address, "KeyPolicy", policy, PolicyKind::Key, facts);
                }
            }
            "AWS::KMS::Alias" => {
                let target = property("TargetKeyId").and_then(referred);
                if let Some(name) = fact(property("AliasName")) {
                    let origin = self.at(address).origin();
                    let target = target.and_then(|target| self.keys.named(target));
                    self.into.aliases.push(AliasSubject {
                        name,
                        target,
                        span: resource.span,
                        origin,
                    });
                }
            }
            "AWS::IAM::Group" | "AWS::IAM::Role" | "AWS::IAM::User" => {
                self.policies(address, property("Policies"), false);
            }
            "AWS::Serverless::Function" | "AWS::Serverless::StateMachine" => {
                self.policies(address, property("Policies"), true);
            }
            "AWS::Organizations::Policy" => {
                let kind = match property("Type").map(|it| self.template.evaluate(it)) {
                    Some(Eval::Known(it)) if text(&it) == Some("SERVICE_CONTROL_POLICY") => {
                        PolicyKind::ServiceControl
                    }
                    Some(Eval::Known(it)) if text(&it) == Some("RESOURCE_CONTROL_POLICY") => {
                        PolicyKind::ResourceControl
                    }
                    Some(Eval::Known(_)) | None => return,
                    Some(_) => {
                        let reason = "`Type` is known only once it is deployed";
                        return self.at_unknown(address, resource.span, reason);
                    }
                };
                if let Some(policy) = property("Content") {
                    self.policy(address, "Content", policy, kind, None);
                }
            }
            other => {
                let known = POLICIES.iter().find(|(kind, ..)| *kind == other);
                if let Some((_, name, kind)) = known
                    && let Some(policy) = property(name)
                {
                    self.policy(address, name, policy, *kind, None);
                }
            }
        }
    }

    /// Policies in a list of a resource. In SAM's, an element may also be the name of a policy or a
    /// policy template, and one may stand without a list.
    fn policies(&mut self, address: &str, json: Option<&Json<'_>>, is_sam: bool) {
        let Some(json) = json else { return };
        let listed = match &json.value {
            Value::Array(elements) => elements.as_slice(),
            _ => std::slice::from_ref(json),
        };
        for one in listed {
            if is_call(one) {
                if !matches!(self.template.evaluate(one), Eval::Absent) {
                    let reason = "`Policies` is known only once it is deployed";
                    self.at_unknown(address, one.span, reason);
                }
                continue;
            }
            if let Some(policy) = get(one, "PolicyDocument") {
                self.policy(address, "PolicyDocument", policy, PolicyKind::Identity, None);
            } else if is_sam && get(one, "Statement").is_some() {
                self.policy(address, "Policies", one, PolicyKind::Identity, None);
            }
        }
    }

    fn at_unknown(&mut self, address: &str, span: Span, reason: &str) {
        let at = At { file: self.file, address, written: self.written };
        at.unknown(span, reason, self.into);
    }

    fn policy(
        &mut self,
        address: &str,
        property: &str,
        json: &Json<'_>,
        kind: PolicyKind,
        key: Option<Arc<KeyFacts>>,
    ) {
        let document = match self.template.evaluate(json) {
            Eval::Absent => return,
            Eval::Known(value) => match &value.value {
                // As it stands in the file.
                Value::String(_) if !is_call(json) => self.at(address).document(json, kind, None),
                Value::String(text) => Some(self.opaque(address, json.span, text, kind)),
                _ => self.filled(address, &value, kind),
            },
            Eval::Partial { .. } | Eval::Unknown => None,
        };
        let is_empty = text(json).is_some_and(|text| text.trim().is_empty());
        match document {
            Some(mut document) => {
                document.account = self.template.environment.account;
                document.key = key;
                self.into.documents.push(document);
            }
            None if is_empty => {}
            None => {
                let reason = format!("`{property}` is known only once it is deployed");
                self.at_unknown(address, json.span, &reason);
            }
        }
    }

    /// A text put together by functions: all that can be told of a place is the whole.
    fn opaque(&self, address: &str, span: Span, text: &str, kind: PolicyKind) -> Document {
        let map = PositionMap::opaque(span);
        let origin = Origin::mapped(Arc::clone(self.file), text, map, Encoding::Opaque);
        let origin = Arc::new(origin.with_address(address));
        Document::new(kind, origin, syntax::parse(text, kind))
    }

    /// A document with something well-formed for what nobody knows; `None` when no statement is
    /// known.
    fn filled(&self, address: &str, json: &Json<'_>, kind: PolicyKind) -> Option<Document> {
        let (filled, holes) = fill::document(&self.template, json)?;
        let origin = whole_file(self.file, self.written).with_extent(json.span);
        let origin = origin.with_address(address);
        let parsed = syntax::parse_value(filled, kind);
        let because = "known only once it is deployed";
        Some(Document::new(kind, Arc::new(origin), parsed).with_holes(holes, because))
    }
}

/// What people call a resource: the construct's path, or the logical name.
fn address<'v>(name: &'v str, resource: &'v Json<'_>) -> &'v str {
    path(resource, &["Metadata", "aws:cdk:path"]).and_then(text).unwrap_or(name)
}

/// The resource that `Ref` or `Fn::GetAtt` names.
fn referred<'v>(json: &'v Json<'_>) -> Option<&'v str> {
    let (function, argument) = members(json).next()?;
    match function {
        "Ref" => text(argument),
        "Fn::GetAtt" => match &argument.value {
            Value::Array(parts) => parts.first().and_then(text),
            _ => text(argument).map(|it| it.split('.').next().unwrap_or(it)),
        },
        _ => None,
    }
}

/// Resources with one policy, where it stands and what it is.
const POLICIES: &[(&str, &str, PolicyKind)] = &[
    ("AWS::EC2::VPCEndpoint", "PolicyDocument", PolicyKind::Endpoint),
    ("AWS::IAM::GroupPolicy", "PolicyDocument", PolicyKind::Identity),
    ("AWS::IAM::ManagedPolicy", "PolicyDocument", PolicyKind::Identity),
    ("AWS::IAM::Policy", "PolicyDocument", PolicyKind::Identity),
    ("AWS::IAM::RolePolicy", "PolicyDocument", PolicyKind::Identity),
    ("AWS::IAM::UserPolicy", "PolicyDocument", PolicyKind::Identity),
    ("AWS::SSO::PermissionSet", "InlinePolicy", PolicyKind::Identity),
];
