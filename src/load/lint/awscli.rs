//! What the AWS CLI prints.

use std::sync::Arc;

use super::value::{document, elements, get, members, parse, text};
use super::{Format, Json, LoadError, problem};
use crate::lint::{GrantSubject, KeyFacts, Origin, SourceFile};
use crate::model::{
    AccountId, EncryptionContext, EncryptionContextConstraint, Grant, GrantConstraints,
    GrantOperation, GrantPrincipal, GrantVisibility, KeyArn, PolicyKind, PrincipalArn,
};

/// `aws kms get-key-policy`.
pub(super) const KEY_POLICY: Format = Format::Json {
    recognizes: |root| get(root, "Policy").is_some() && get(root, "Statement").is_none(),
    read: |input, root, into| {
        let Some(policy) = get(root, "Policy") else { return Ok(()) };
        let kind = input.hint.map_or(PolicyKind::Key, |hint| hint.0);
        let mut read = document(input.file, policy, kind, None);
        // It is all there is of its key's policy, whichever key that is.
        read.key = Some(Arc::new(KeyFacts::default()));
        if let Some(name) = get(root, "PolicyName").and_then(text) {
            read.name = format!("key policy {name}").into();
        }
        into.documents.push(read);
        Ok(())
    },
};

/// `aws kms list-grants`.
pub(super) const GRANTS: Format = Format::Json {
    recognizes: |root| get(root, "Grants").is_some(),
    read: |input, root, into| {
        let Some(grants) = get(root, "Grants") else { return Ok(()) };
        for grant in elements(grants) {
            let key: KeyArn = match get(grant, "KeyId") {
                Some(key) => parse(input.file, key)?,
                None => return Err(problem(input.file, grant.span, "has no `KeyId`")),
            };
            let facts = Arc::new(KeyFacts::of(&key));
            into.grants.push(read_grant(input.file, grant, &facts, &key)?);
        }
        Ok(())
    },
};

/// One grant of `list-grants`.
pub(super) fn read_grant(
    file: &Arc<SourceFile>,
    json: &Json<'_>,
    facts: &Arc<KeyFacts>,
    key: &KeyArn,
) -> Result<GrantSubject, LoadError> {
    let member = |name: &str| get(json, name);
    let service_of = |name: &str| match member(name) {
        Some(service) => parse(file, service).map(|name| Some(GrantPrincipal::Service(name))),
        None => Ok(None),
    };
    let principal_of = |name: &str| member(name).and_then(text).map(GrantPrincipal::listed);
    let grantee_at = member("GranteePrincipal").or_else(|| member("GranteeServicePrincipal"));
    let grantee = match principal_of("GranteePrincipal") {
        Some(grantee) => Some(grantee),
        None => service_of("GranteeServicePrincipal")?,
    };
    let Some((grantee, grantee_at)) = grantee.zip(grantee_at) else {
        return Err(problem(file, json.span, "the grant has no `GranteePrincipal`"));
    };
    let retiring = match principal_of("RetiringPrincipal") {
        Some(retiring) => Some(retiring),
        None => service_of("RetiringServicePrincipal")?,
    };
    let operations_at = member("Operations");
    let operations = operations_at.map(elements).unwrap_or_default().iter();
    let operations = operations.map(|one| Ok(parse::<GrantOperation>(file, one)?.action()));
    let id = match member("GrantId") {
        Some(id) => parse(file, id)?,
        None => "unnamed".parse().map_err(|_| problem(file, json.span, "has no `GrantId`"))?,
    };
    Ok(GrantSubject {
        grant: Grant {
            id,
            name: member("Name").and_then(text).filter(|name| !name.is_empty()).map(Into::into),
            key: key.clone(),
            grantee,
            retiring,
            operations: operations.collect::<Result<_, LoadError>>()?,
            constraints: constraints(file, member("Constraints"))?,
            issuing_account: member("IssuingAccount").and_then(text).and_then(account),
            creation_date: None,
            visibility: GrantVisibility::Propagated,
        },
        facts: Arc::clone(facts),
        span: json.span,
        grantee: grantee_at.span,
        operations: operations_at.map_or(json.span, |at| at.span),
        constraints: member("Constraints").map_or(json.span, |at| at.span),
        origin: Arc::new(Origin::file(Arc::clone(file))),
    })
}

/// An account as twelve digits or as its root ARN.
fn account(text: &str) -> Option<AccountId> {
    let arn = text.parse::<PrincipalArn>().map(|arn| arn.account());
    arn.or_else(|_| text.parse()).ok()
}

fn constraints(
    file: &Arc<SourceFile>,
    json: Option<&Json<'_>>,
) -> Result<GrantConstraints, LoadError> {
    let mut read = GrantConstraints::default();
    for (name, value) in json.into_iter().flat_map(members) {
        let pairs = || {
            let mut pairs = EncryptionContext::new();
            for (name, value) in members(value) {
                pairs.insert(name, text(value).unwrap_or_default());
            }
            pairs
        };
        match name {
            "EncryptionContextEquals" => {
                read.encryption_context = Some(EncryptionContextConstraint::Equals(pairs()));
            }
            "EncryptionContextSubset" => {
                read.encryption_context = Some(EncryptionContextConstraint::Subset(pairs()));
            }
            "SourceArn" => read.source_arn = text(value).map(Into::into),
            other => {
                let message = format!("`{other}` is no grant constraint that is known");
                return Err(problem(file, value.span, message));
            }
        }
    }
    Ok(read)
}
