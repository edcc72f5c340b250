//! AWS Config: snapshots and histories as it delivers them, and what `get-resource-config-history`
//! and `batch-get-resource-config` print.
//!
//! The API writes an item's configuration as JSON in a string, and a key's policy in it as JSON in
//! a string again.

use std::collections::HashSet;
use std::sync::Arc;

use super::value::{Frame, Written, elements, get, path, text};
use super::{Format, Json, LoadError, SourceFile};
use crate::lint::{Collection, KeyFacts, KeySubject, Origin, PositionMap, Unknown};
use crate::model::{AccountId, KeyArn, MultiRegionKeyType, PolicyKind, PrincipalArn, Span};
use crate::syntax::json::{self, Value};

/// Items, as each of the ways to ask for them calls their list.
const LISTS: &[&str] = &["configurationItems", "baseConfigurationItems"];

pub(super) const ITEMS: Format = Format::Json {
    recognizes: |root| items(root).next().is_some_and(|one| get(one, "resourceType").is_some()),
    read: |input, root, into| {
        read(input.file, root, into)?;
        into.forbid_edits();
        Ok(())
    },
};

fn items<'v, 'f>(root: &'v Json<'f>) -> impl Iterator<Item = &'v Json<'f>> {
    let listed = LISTS.iter().filter_map(|name| get(root, name)).flat_map(elements);
    // A notification of one change.
    listed.chain(get(root, "configurationItem"))
}

fn read(file: &Arc<SourceFile>, root: &Json<'_>, into: &mut Collection) -> Result<(), LoadError> {
    let mut newest = Vec::new();
    for item in items(root) {
        let Some(kind) = get(item, "resourceType").and_then(text) else { continue };
        let arn = get(item, "ARN").or_else(|| get(item, "arn")).and_then(text);
        let id = get(item, "resourceId").and_then(text);
        let taken = get(item, "configurationItemCaptureTime");
        newest.push((
            taken.map(time),
            Item { file, item, kind, address: arn.or(id).unwrap_or(kind) },
        ));
    }
    // A history tells a resource as often as it changed: what it is now counts.
    newest.sort_by(|(left, _), (right, _)| {
        right.partial_cmp(left).unwrap_or(std::cmp::Ordering::Equal)
    });
    let mut seen = HashSet::new();
    newest.retain(|(_, item)| seen.insert((item.kind, item.address)));
    newest.sort_by_key(|(_, item)| item.item.span.start());
    for (_, item) in newest {
        item.read(into)?;
    }
    Ok(())
}

/// A time in ISO 8601, which sorts as text, or in seconds, as older versions of the AWS CLI print.
fn time(json: &Json<'_>) -> (f64, String) {
    match &json.value {
        Value::Number(seconds) => (seconds.parse().unwrap_or_default(), String::new()),
        _ => (0.0, text(json).unwrap_or_default().to_owned()),
    }
}

struct Item<'v, 'f> {
    file: &'v Arc<SourceFile>,
    item: &'v Json<'f>,
    kind: &'v str,
    address: &'v str,
}

impl Item<'_, '_> {
    fn read(&self, into: &mut Collection) -> Result<(), LoadError> {
        let is_gone = get(self.item, "configurationItemStatus")
            .and_then(text)
            .is_some_and(|status| status.starts_with("ResourceDeleted"));
        if is_gone || !KINDS.contains(&self.kind) {
            return Ok(());
        }
        let frame = Frame::of(self.file, Written::Json);
        let Some(configuration) = get(self.item, "configuration") else {
            self.unknown(self.item.span, "`configuration` is not in the item", into);
            return Ok(());
        };
        opened(frame, configuration, &mut |frame, json| self.resource(frame, json, into))
    }

    fn resource(
        &self,
        frame: Frame<'_>,
        json: &Json<'_>,
        into: &mut Collection,
    ) -> Result<(), LoadError> {
        match self.kind {
            "AWS::KMS::Key" => return self.key(json, into),
            "AWS::EC2::VPCEndpoint" => {
                self.policy(frame, json, "policyDocument", PolicyKind::Endpoint, into);
            }
            "AWS::Organizations::Policy" => {
                let kind = match get(json, "Type").and_then(text) {
                    Some("SERVICE_CONTROL_POLICY") => PolicyKind::ServiceControl,
                    Some("RESOURCE_CONTROL_POLICY") => PolicyKind::ResourceControl,
                    _ => return Ok(()),
                };
                self.policy(frame, json, "Content", kind, into);
            }
            "AWS::IAM::Policy" => {
                let versions = get(json, "policyVersionList").map(elements).unwrap_or_default();
                let mut versions = versions.iter();
                let default = versions.find(|one| {
                    get(one, "isDefaultVersion").is_some_and(|it| it.value == Value::Boolean(true))
                });
                match default {
                    Some(version) => {
                        self.policy(frame, version, "document", PolicyKind::Identity, into);
                    }
                    None => self.unknown(
                        frame.span(json.span),
                        "the default version of the policy is not in the item",
                        into,
                    ),
                }
            }
            _ => {
                let lists = ["groupPolicyList", "rolePolicyList", "userPolicyList"];
                let Some(policies) = lists.into_iter().find_map(|name| get(json, name)) else {
                    return Ok(());
                };
                for policy in elements(policies) {
                    self.policy(frame, policy, "policyDocument", PolicyKind::Identity, into);
                }
            }
        }
        Ok(())
    }

    fn key(&self, json: &Json<'_>, into: &mut Collection) -> Result<(), LoadError> {
        let told = |name: &str| get(json, name).and_then(text);
        let arn: Option<KeyArn> =
            told("arn").and_then(|arn| arn.parse().ok()).or_else(|| self.address.parse().ok());
        let multi_region = match get(json, "multiRegion").map(|it| &it.value) {
            Some(Value::Boolean(false)) => Some(None),
            Some(Value::Boolean(true)) => {
                let kind = path(json, &["multiRegionConfiguration", "multiRegionKeyType"]);
                let kind = kind.and_then(text);
                kind.and_then(|kind| kind.parse::<MultiRegionKeyType>().ok()).map(Some)
            }
            _ => None,
        };
        let spec = told("keySpec").or_else(|| told("customerMasterKeySpec"));
        let facts = Arc::new(KeyFacts {
            spec: spec.and_then(|it| it.parse().ok()),
            usage: told("keyUsage").and_then(|it| it.parse().ok()),
            origin: told("origin").and_then(|it| it.parse().ok()),
            manager: told("keyManager").and_then(|it| it.parse().ok()),
            multi_region,
            ..arn.as_ref().map(KeyFacts::of).unwrap_or_default()
        });
        into.keys.push(KeySubject {
            facts: Arc::clone(&facts),
            knows_grants: false,
            span: self.item.span,
            origin: self.origin(),
        });
        let frame = Frame::of(self.file, Written::Json);
        let Some(more) = get(self.item, "supplementaryConfiguration") else {
            self.unknown(self.item.span, "`supplementaryConfiguration` is not in the item", into);
            return Ok(());
        };
        opened(frame, more, &mut |frame, json| {
            let before = into.documents.len();
            self.policy(frame, json, "Policy", PolicyKind::Key, into);
            for document in into.documents.iter_mut().skip(before) {
                document.key = Some(Arc::clone(&facts));
            }
            Ok(())
        })
    }

    fn policy(
        &self,
        frame: Frame<'_>,
        json: &Json<'_>,
        name: &str,
        kind: PolicyKind,
        into: &mut Collection,
    ) {
        let Some(policy) = get(json, name) else {
            let reason = format!("`{name}` is not in the item");
            return self.unknown(frame.span(json.span), &reason, into);
        };
        let mut add = |frame: Frame<'_>, policy: &Json<'_>| {
            let mut document = frame.document(policy, kind, Some(self.address));
            document.account = self.account();
            document.entity = self.entity();
            into.documents.push(document);
        };
        // The API's values are JSON themselves: of a text, a JSON string.
        let Some(quoted) = text(policy).filter(|it| it.trim_start().starts_with('"')) else {
            return add(frame, policy);
        };
        match json::read_up_to(quoted, usize::MAX) {
            Ok(inner) => {
                let map = frame.map(policy, quoted);
                add(Frame { inner: Some((quoted, &map)), ..frame }, &inner);
            }
            Err(_) => add(frame, policy),
        }
    }

    fn account(&self) -> Option<AccountId> {
        let told = get(self.item, "awsAccountId").or_else(|| get(self.item, "accountId"));
        told.and_then(text).and_then(|it| it.parse().ok())
    }

    fn entity(&self) -> Option<PrincipalArn> {
        let has_policies = matches!(self.kind, "AWS::IAM::Role" | "AWS::IAM::User");
        self.address.parse().ok().filter(|_| has_policies)
    }

    fn origin(&self) -> Arc<Origin> {
        let origin = Origin::file(Arc::clone(self.file)).with_extent(Span::default());
        Arc::new(origin.with_address(self.address))
    }

    fn unknown(&self, span: Span, reason: &str, into: &mut Collection) {
        into.unknown.push(Unknown { origin: self.origin(), span, reason: reason.into() });
    }
}

/// An object, or the object that a string holds as JSON.
fn opened(
    frame: Frame<'_>,
    json: &Json<'_>,
    then: &mut dyn FnMut(Frame<'_>, &Json<'_>) -> Result<(), LoadError>,
) -> Result<(), LoadError> {
    let Some(inner) = text(json) else { return then(frame, json) };
    let map: PositionMap = frame.map(json, inner);
    match json::read_up_to(inner, usize::MAX) {
        Ok(root) => then(Frame { inner: Some((inner, &map)), ..frame }, &root),
        Err(error) => {
            let message = format!("cannot be read: {error}");
            Err(super::problem(frame.file, map.span(error.span), message))
        }
    }
}

/// Resources whose policies are read.
const KINDS: &[&str] = &[
    "AWS::EC2::VPCEndpoint",
    "AWS::IAM::Group",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::IAM::User",
    "AWS::KMS::Key",
    "AWS::Organizations::Policy",
];
