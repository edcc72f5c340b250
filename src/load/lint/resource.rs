//! What the tools that declare resources have in common: policies with an address, grants whose
//! key is a link, values that nobody knows yet.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::value::{Frame, Written, elements, get, members, parse, text};
use super::{Json, LoadError};
use crate::lint::{Collection, Document, GrantSubject, KeyFacts, Origin, SourceFile, Unknown};
use crate::model::{
    EncryptionContext, EncryptionContextConstraint, Grant, GrantConstraints, GrantOperation,
    GrantPrincipal, GrantVisibility, KeyArn, PolicyKind, Span,
};
use crate::syntax::json::Value;

/// Where a resource stands and how it is called.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) file: &'a Arc<SourceFile>,
    pub(super) address: &'a str,
    pub(super) written: Written,
}

impl At<'_> {
    /// The origin of what is told of the resource.
    pub(super) fn origin(&self) -> Arc<Origin> {
        let origin = Origin::file(Arc::clone(self.file)).with_extent(Span::default());
        Arc::new(origin.with_address(self.address))
    }

    /// A policy that stands there as an object or as text, of a key if it is one's; none where there
    /// is an empty text.
    pub(super) fn document(
        &self,
        json: &Json<'_>,
        kind: PolicyKind,
        key: Option<&Arc<KeyFacts>>,
    ) -> Option<Document> {
        if text(json).is_some_and(|text| text.trim().is_empty()) {
            return None;
        }
        let frame = Frame::of(self.file, self.written);
        let mut document = frame.document(json, kind, Some(self.address));
        document.account = key.and_then(|key| key.account);
        document.key = key.cloned();
        Some(document)
    }

    /// Something that nobody knows yet.
    pub(super) fn unknown(&self, span: Span, reason: impl Into<Box<str>>, into: &mut Collection) {
        into.unknown.push(Unknown { origin: self.origin(), span, reason: reason.into() });
    }
}

/// How a tool spells the members of a grant.
pub(super) struct GrantNames {
    pub(super) grantee: &'static str,
    pub(super) retiring: &'static str,
    pub(super) operations: &'static str,
    pub(super) equals: &'static str,
    pub(super) subset: &'static str,
}

/// Terraform's spelling.
pub(super) const SNAKE: GrantNames = GrantNames {
    grantee: "grantee_principal",
    retiring: "retiring_principal",
    operations: "operations",
    equals: "encryption_context_equals",
    subset: "encryption_context_subset",
};

/// That of Pulumi and of what Kubernetes declares.
pub(super) const CAMEL: GrantNames = GrantNames {
    grantee: "granteePrincipal",
    retiring: "retiringPrincipal",
    operations: "operations",
    equals: "encryptionContextEquals",
    subset: "encryptionContextSubset",
};

/// A grant that a tool declares; `None` when its grantee is not told.
pub(super) fn grant(
    at: At<'_>,
    json: &Json<'_>,
    names: &GrantNames,
    facts: &Arc<KeyFacts>,
) -> Result<Option<GrantSubject>, LoadError> {
    let Some(grantee_at) = get(json, names.grantee) else { return Ok(None) };
    let Some(grantee) = text(grantee_at) else { return Ok(None) };
    let operations_at = get(json, names.operations);
    let operations = operations_at.map(elements).unwrap_or_default().iter();
    let operations = operations.map(|one| Ok(parse::<GrantOperation>(at.file, one)?.action()));
    let constraints_at = get(json, "constraints");
    let Ok(id) = "unnamed".parse() else { return Ok(None) };
    let Some(key) = facts.arn.clone().or_else(|| UNKNOWN_KEY.parse::<KeyArn>().ok()) else {
        return Ok(None);
    };
    Ok(Some(GrantSubject {
        grant: Grant {
            id,
            name: get(json, "name").and_then(text).filter(|it| !it.is_empty()).map(Into::into),
            key,
            grantee: GrantPrincipal::listed(grantee),
            retiring: get(json, names.retiring)
                .and_then(text)
                .filter(|it| !it.is_empty())
                .map(GrantPrincipal::listed),
            operations: operations.collect::<Result<_, LoadError>>()?,
            constraints: constraints(constraints_at, names),
            issuing_account: None,
            creation_date: None,
            visibility: GrantVisibility::Propagated,
        },
        facts: Arc::clone(facts),
        span: json.span,
        grantee: grantee_at.span,
        operations: operations_at.map_or(json.span, |it| it.span),
        constraints: constraints_at.map_or(json.span, |it| it.span),
        origin: at.origin(),
    }))
}

/// An object, or a list of one.
fn constraints(json: Option<&Json<'_>>, names: &GrantNames) -> GrantConstraints {
    let mut read = GrantConstraints::default();
    let Some(json) = json else { return read };
    let one = match json.value {
        Value::Array(_) => elements(json),
        _ => std::slice::from_ref(json),
    };
    for (name, value) in one.iter().flat_map(members) {
        let mut pairs = EncryptionContext::new();
        for (name, value) in members(value) {
            pairs.insert(name, text(value).unwrap_or_default());
        }
        if pairs.is_empty() {
            continue;
        }
        if name == names.equals {
            read.encryption_context = Some(EncryptionContextConstraint::Equals(pairs));
        } else if name == names.subset {
            read.encryption_context = Some(EncryptionContextConstraint::Subset(pairs));
        }
    }
    read
}

/// What stands for the key of a grant whose key nobody knows yet.
const UNKNOWN_KEY: &str =
    "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000";

/// Keys of one input, by the names that others link to them with.
#[derive(Default)]
pub(super) struct Keys {
    /// `None` for a name of several keys.
    keys: HashMap<String, Option<Arc<KeyFacts>>>,
}

impl Keys {
    /// One more key, and what it is called.
    pub(super) fn add(&mut self, names: Vec<String>, facts: &Arc<KeyFacts>) {
        for name in names {
            let known = self.keys.entry(name).or_insert_with(|| Some(Arc::clone(facts)));
            if known.as_ref().is_some_and(|it| !Arc::ptr_eq(it, facts)) {
                *known = None;
            }
        }
    }

    /// The only key of a name.
    pub(super) fn named(&self, name: &str) -> Option<Arc<KeyFacts>> {
        self.keys.get(name).cloned().flatten()
    }

    /// The key that an id or ARN means; one that is not among these is known by its ARN alone.
    pub(super) fn meant(&self, name: &str) -> Arc<KeyFacts> {
        self.named(name).unwrap_or_else(|| {
            let facts = name.parse().map(|arn| KeyFacts::of(&arn)).unwrap_or_default();
            Arc::new(facts)
        })
    }
}

/// The facts that a tool tells with the words of the API.
pub(super) fn fact<T: std::str::FromStr>(json: Option<&Json<'_>>) -> Option<T> {
    json.and_then(text).and_then(|text| text.parse().ok())
}

/// The value of a boolean, quoted or not.
pub(super) fn is_true(json: Option<&Json<'_>>) -> Option<bool> {
    match &json?.value {
        Value::Boolean(value) => Some(*value),
        Value::String(text) => match Cow::as_ref(text) {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
