//! Operations that make and end grants.
//!
//! Source: kms developer guide, "Grants in AWS KMS"; API reference of the operations.

use super::catalog::Need;
use super::{
    Authorizer, GrantRequest, KeyFault, KeyIdentifier, LegResource, PreflightAnswer,
    PreflightError, ResolveError, RetiredGrant, Side,
};
use crate::compile::{Caller, Known};
use crate::evaluate::{
    CreatedGrant, GrantSubject, OperationFacts, constraint_pairs, constraint_type,
};
use crate::model::{
    Action, ContextMap, Grant, GrantId, GrantOperation, GrantPrincipal, GrantToken, Key, KeyArn,
    Region,
};

impl Authorizer<'_> {
    pub(super) fn create_grant(
        &self,
        key: KeyIdentifier,
        grant: &GrantRequest,
        region: &Region,
        tokens: &[GrantToken],
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        let key = self.plain_key(key, region, caller)?;
        if let Some(entry) = self.snapshot().key(key.arn())
            && let Some(message) = grant_fault(&entry.key, grant)
        {
            return Err(PreflightError::Refused { code: "ValidationException", message });
        }
        let created = CreatedGrant::new(
            &grant.grantee,
            grant.retiring.as_ref(),
            grant.operations,
            &grant.constraints,
        );
        let facts = created.facts();
        let (side, action) = (Side::Key, Action::CreateGrant);
        let need = Need { side, action, resource: LegResource::Key(key.arn()), region, facts };
        Ok(self.answer_needs("CreateGrant", &[need], tokens, caller))
    }

    pub(super) fn retire_grant(
        &self,
        named: RetiredGrant,
        region: &Region,
        tokens: &[GrantToken],
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        let (key, id) = match named {
            RetiredGrant::Id(key, id) => (self.plain_key(key, region, caller)?.arn().clone(), id),
            RetiredGrant::Token(token) => self.grant_of_token(&token, region)?,
        };
        let grant = self.known_grant(&key, &id)?;
        let context = constraint_pairs(grant.constraints.encryption_context.as_ref());
        let mut parameters = ContextMap::new();
        constraint_type(grant.constraints.encryption_context.as_ref(), &mut parameters);
        let facts = OperationFacts {
            encryption_context: Some(&context),
            parameters: Some(&parameters),
            grant: GrantSubject::Retired(grant),
            ..OperationFacts::default()
        };
        let (side, action) = (Side::Key, Action::RetireGrant);
        let need = Need { side, action, resource: LegResource::Key(&key), region, facts };
        Ok(self.answer_needs("RetireGrant", &[need], tokens, caller))
    }

    /// The permission on the key; then whether there is such a grant.
    pub(super) fn revoke_grant(
        &self,
        key: KeyIdentifier,
        id: Option<&GrantId>,
        region: &Region,
        tokens: &[GrantToken],
        caller: &Caller,
    ) -> Result<PreflightAnswer, PreflightError> {
        let key = self.plain_key(key, region, caller)?;
        let (side, action) = (Side::Key, Action::RevokeGrant);
        let (resource, facts) = (LegResource::Key(key.arn()), OperationFacts::default());
        let need = Need { side, action, resource, region, facts };
        let mut answer = self.answer_needs("RevokeGrant", &[need], tokens, caller);
        answer.also(|| {
            let grants = self.snapshot().key(key.arn())?.grants.known()?;
            let id = id.filter(|id| grants.iter().all(|grant| grant.id != **id))?;
            let message = format!("{} has no grant `{id}`", key.arn());
            Some(KeyFault { side, code: "NotFoundException", message })
        });
        Ok(answer)
    }

    fn grant_of_token(
        &self,
        token: &GrantToken,
        region: &Region,
    ) -> Result<(KeyArn, GrantId), PreflightError> {
        let grants = self.snapshot().grants_of_token(token);
        match grants.iter().find(|(key, _)| key.region() == region) {
            Some(found) => Ok(found.clone()),
            None if self.snapshot().knows_all_grant_tokens() => {
                let message = "the grant token belongs to no grant of this Region".to_owned();
                Err(PreflightError::Refused { code: "InvalidGrantTokenException", message })
            }
            None => Err(ResolveError::Unknown {
                what: "the grant of the token".to_owned(),
                reason: "the world does not know the token: name the grant by its key and id"
                    .to_owned(),
            }
            .into()),
        }
    }

    fn known_grant(&self, key: &KeyArn, id: &GrantId) -> Result<&Grant, ResolveError> {
        let unknown = |reason: &str| ResolveError::Unknown {
            what: format!("grant `{id}` of {key}"),
            reason: reason.to_owned(),
        };
        let entry = self.snapshot().key(key).ok_or_else(|| unknown("the world has no such key"))?;
        let grants = match &entry.grants {
            Known::Known(grants) => grants,
            Known::Unknown(reason) => return Err(unknown(reason)),
        };
        grants.iter().find(|grant| grant.id == *id).ok_or_else(|| ResolveError::NotFound {
            what: format!("grant `{id}`"),
            account: key.account(),
            region: key.region().clone(),
        })
    }
}

/// Why KMS would not make such a grant on the key (G11).
fn grant_fault(key: &Key, grant: &GrantRequest) -> Option<String> {
    if grant.operations.is_empty() {
        return Some("a grant allows at least one operation".into());
    }
    // Observed, not documented.
    if grant.operations == [Action::CreateGrant].into_iter().collect() {
        return Some("a grant of CreateGrant alone allows nothing".into());
    }
    for named in std::iter::once(&grant.grantee).chain(&grant.retiring) {
        if let GrantPrincipal::Other(text) = named {
            return Some(format!("`{text}` is no principal that a grant can name"));
        }
    }
    let service = matches!(grant.grantee, GrantPrincipal::Service(_));
    if service && grant.constraints.source_arn.is_none() {
        return Some("a grant to a service needs a SourceArn constraint".into());
    }
    if service && grant.retiring.is_none() {
        return Some("a grant to a service needs a retiring principal".into());
    }
    let pairs = constraint_pairs(grant.constraints.encryption_context.as_ref());
    if pairs.len() > 8 {
        return Some("an encryption context constraint has at most 8 pairs".into());
    }
    if pairs.iter().any(|(_, value)| value.chars().count() > 384) {
        return Some(
            "a value of an encryption context constraint has at most 384 characters".into(),
        );
    }
    if grant.constraints.encryption_context.is_some() && !key.spec.is_symmetric() {
        return Some("only grants on symmetric keys have encryption context constraints".into());
    }
    let grantable = GrantOperation::of_key(key.spec, key.usage);
    let wrong = grant.operations.iter().find(|action| !grantable.contains(*action))?;
    Some(format!("a grant on a {} key for {} cannot allow {}", key.spec, key.usage, wrong.name()))
}
