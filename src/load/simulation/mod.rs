//! A decision without a world: one question that brings its own policies.

mod answer;
mod line;

pub use answer::SimulationAnswer;

use std::path::Path;

use serde_json::Value;

use super::{LoadError, awscli};
use crate::compile::{Grants, KeyEntry, Known, PolicySlot, SessionPolicies};
use crate::evaluate::{
    Attached, Facts, GrantSubject, OperationFacts, Policies, Question, RequestContext, decide,
    explain,
};
use crate::model::{
    AccountId, Action, ActionSet, AliasArn, CallerPrincipal, ContextMap, ContextValue, Decision,
    EncryptionAlgorithm, EncryptionContextConstraint, Grant, GrantConstraints, GrantId,
    GrantOperation, GrantToken, InvalidText, Key, KeyArn, KeyManager, Readings, Region,
    ResourceKind,
};

/// What is asked about.
#[derive(Clone, Debug)]
enum Resource {
    /// No resource: `*`.
    Any,
    /// An alias.
    Alias(AliasArn),
    /// A key.
    Key(KeyArn),
}

/// One question with all policies that decide it.
///
/// The context is complete: a key that is not in it is absent from the request. What is left out of
/// the policies does not exist.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// Its name, for whoever asks many: a text or a number.
    pub id: Option<Value>,
    /// Who asks.
    pub principal: CallerPrincipal,
    /// What the request carries.
    pub context: ContextMap,
    /// The identity policies; their union counts.
    pub identity: Vec<PolicySlot>,
    /// The permissions boundary.
    pub boundary: Option<PolicySlot>,
    /// The session policies.
    pub session: SessionPolicies,
    /// The SCPs of the caller's account, root first; `None` outside organizations.
    pub service_control: Option<Vec<Vec<PolicySlot>>>,
    /// The RCPs of the key's account, root first; `None` outside organizations.
    pub resource_control: Option<Vec<Vec<PolicySlot>>>,
    /// The VPC endpoint's policy; `None` when the call comes through none.
    pub endpoint: Option<PolicySlot>,
    /// The key policies: `default` and `AWS_RAM`.
    pub key_policies: Vec<PolicySlot>,
    /// The key's grants.
    pub grants: Vec<Grant>,
    /// Tokens of grants that have not spread.
    pub grant_tokens: Vec<GrantToken>,
    /// Which of the grants is to be retired.
    retired: Option<GrantId>,
    /// What `describe-key` says of the key.
    pub key: Option<Key>,
    /// Whether the key is AWS's, which RCPs do not reach.
    pub is_aws_managed: bool,
    /// Whether the caller's account is its organization's management account.
    pub is_principal_management: bool,
    /// Whether the key's account is its organization's management account.
    pub is_resource_management: bool,
    /// Whether keys that follow from principal, key and operation are derived.
    is_filled: bool,
    action: Action,
    text: String,
    resource: Resource,
}

impl Simulation {
    /// A question without any policy: nothing is allowed.
    ///
    /// # Errors
    /// When the action cannot be asked of the resource.
    pub fn new(
        principal: CallerPrincipal,
        action: &str,
        resource: &str,
    ) -> Result<Self, InvalidText> {
        let action = named_action(action)?;
        Ok(Self {
            id: None,
            principal,
            context: ContextMap::new().complete(),
            identity: Vec::new(),
            boundary: None,
            session: SessionPolicies::None,
            service_control: None,
            resource_control: None,
            endpoint: None,
            key_policies: Vec::new(),
            grants: Vec::new(),
            grant_tokens: Vec::new(),
            retired: None,
            key: None,
            is_aws_managed: false,
            is_principal_management: false,
            is_resource_management: false,
            is_filled: false,
            action,
            text: resource.to_owned(),
            resource: asked_resource(action, resource)?,
        })
    }

    /// Reads one question from a line of JSON; `file` and `line` are for its errors.
    ///
    /// # Errors
    /// When it is not one, with the place.
    pub fn from_json(text: &str, file: &Path, line: usize) -> Result<Self, LoadError> {
        line::read(text, file, line)
    }

    /// The account the resource is in: that of its ARN.
    #[must_use]
    pub fn resource_account(&self) -> Option<AccountId> {
        match &self.resource {
            Resource::Any => None,
            Resource::Alias(arn) => Some(arn.account),
            Resource::Key(arn) => Some(arn.account()),
        }
    }

    /// The key, if the question is on one.
    #[must_use]
    pub fn key_arn(&self) -> Option<&KeyArn> {
        match &self.resource {
            Resource::Key(arn) => Some(arn),
            Resource::Any | Resource::Alias(_) => None,
        }
    }

    /// States what `describe-key` says of the key.
    ///
    /// # Errors
    /// When it says it of another key.
    pub fn describe(&mut self, key: Key) -> Result<(), InvalidText> {
        if self.key_arn() != Some(&key.arn) {
            return Err(InvalidText::new(key.arn.as_str(), "the key that is asked about"));
        }
        self.is_aws_managed |= key.manager == KeyManager::Aws;
        self.key = Some(key);
        Ok(())
    }

    /// Adds the grants that a file has as `aws kms list-grants` prints them.
    ///
    /// # Errors
    /// What is wrong with the file, with its place, and when a grant is on another key.
    pub fn add_grants(&mut self, file: &Path) -> Result<(), LoadError> {
        for grant in awscli::grants(file)? {
            if Some(&grant.key) != self.key_arn() {
                let message =
                    format!("grant `{}` is on another key than the one asked about", grant.id);
                return Err(LoadError::at(file, message));
            }
            self.grants.push(grant);
        }
        Ok(())
    }

    /// States which of the grants is to be retired.
    ///
    /// # Errors
    /// When it is none of them, or nothing is to be retired.
    pub fn retire(&mut self, id: &str) -> Result<(), InvalidText> {
        if self.action != Action::RetireGrant {
            return Err(InvalidText::new(id, "asked about: only kms:RetireGrant names a grant"));
        }
        let known = self.grants.iter().find(|grant| grant.id.as_str() == id);
        let grant = known.ok_or_else(|| InvalidText::new(id, "the id of one of the grants"))?;
        self.retired = Some(grant.id.clone());
        Ok(())
    }

    /// The values stated of a key, by its lower-case name.
    fn stated(&self, name: &str) -> Option<&[String]> {
        match self.context.stated(name) {
            Some(ContextValue::One(value)) => Some(std::slice::from_ref(value)),
            Some(ContextValue::Many(values)) => Some(values),
            Some(ContextValue::Absent) | None => None,
        }
    }

    /// G8: the new grant of a CreateGrant, as its condition keys tell; `None` when they tell no
    /// operations.
    fn created(&self) -> Option<(ActionSet, GrantConstraints)> {
        let one = |name: &str| self.stated(name).and_then(<[String]>::first);
        let operations = GrantOperation::set(self.stated("kms:grantoperations")?).ok()?;
        let pairs = || self.context.encryption_context();
        let encryption_context = match one("kms:grantconstrainttype").map(String::as_str) {
            None => None,
            Some("EncryptionContextEquals") => Some(EncryptionContextConstraint::Equals(pairs()?)),
            Some("EncryptionContextSubset") => Some(EncryptionContextConstraint::Subset(pairs()?)),
            Some(_) => return None,
        };
        let source_arn = one("kms:grantconstraintsourcearn").map(|arn| arn.as_str().into());
        Some((operations, GrantConstraints { encryption_context, source_arn }))
    }

    /// From here on, what follows from principal, key and operation counts, whatever is stated of it.
    pub fn fill(&mut self) {
        self.is_filled = true;
    }

    fn region(&self) -> Option<&Region> {
        match &self.resource {
            Resource::Any => None,
            Resource::Alias(arn) => Some(&arn.region),
            Resource::Key(arn) => Some(arn.region()),
        }
    }

    /// The answer alone.
    pub fn decide(&self, readings: &Readings) -> Decision {
        self.ask(readings, decide)
    }

    /// The answer with its reasons.
    #[must_use]
    pub fn answer(&self, readings: &Readings) -> SimulationAnswer {
        let explanation = self.ask(readings, explain);
        SimulationAnswer::new(self.id.clone(), self.action, &self.text, explanation, readings)
    }

    fn ask<T>(&self, readings: &Readings, answer: impl FnOnce(&Question<'_>) -> T) -> T {
        if !self.is_filled {
            return self.ask_with(None, readings, answer);
        }
        let entry = self.key.clone().map(|key| KeyEntry {
            key,
            policies: Vec::new().into(),
            grants: Known::Known(Grants::default()),
            tags: Known::Unknown("not told".into()),
            aliases: Known::Unknown("not told".into()),
        });
        let is_symmetric = self.key.as_ref().is_some_and(|key| {
            key.spec.encryption_algorithms() == [EncryptionAlgorithm::SymmetricDefault]
        });
        let pairs = self.context.encryption_context().filter(|pairs| !pairs.is_empty());
        let alias = self.stated("kms:requestalias").and_then(|values| values.first()?.parse().ok());
        let facts = Facts {
            principal: &self.principal,
            entity: Err("not told"),
            principal_membership: Err("not told"),
            key: entry.as_ref(),
            resource: (self.text != "*").then_some(&self.text),
            resource_membership: Err("not told"),
            region: self.region(),
            operation: OperationFacts {
                encryption_algorithm: is_symmetric.then_some(EncryptionAlgorithm::SymmetricDefault),
                encryption_context: pairs.as_ref(),
                request_alias: alias.as_ref(),
                ..OperationFacts::default()
            },
        };
        self.ask_with(Some(&facts), readings, answer)
    }

    fn ask_with<'a, T>(
        &'a self,
        facts: Option<&'a Facts<'a>>,
        readings: &'a Readings,
        answer: impl FnOnce(&Question<'_>) -> T,
    ) -> T {
        let on_key = self.key_arn().is_some();
        let spared = self.principal.is_service_linked_role();
        let has_identities =
            !matches!(self.principal, CallerPrincipal::Root(_) | CallerPrincipal::Service { .. });
        let binds_caller =
            !spared && !self.is_principal_management && self.principal.account().is_some();
        let binds_key = on_key && !spared && !self.is_resource_management && !self.is_aws_managed;
        let created = self.created();
        let retired =
            self.retired.as_ref().and_then(|id| self.grants.iter().find(|it| it.id == *id));
        let grant = match (self.action, &created, retired) {
            (Action::CreateGrant, Some((operations, constraints)), _) => {
                GrantSubject::Created { operations: *operations, constraints }
            }
            (Action::RetireGrant, _, Some(grant)) => GrantSubject::Retired(grant),
            _ => GrantSubject::None,
        };
        let question = Question {
            principal: &self.principal,
            resource: &self.text,
            resource_account: self.key_arn().map(KeyArn::account),
            region_disabled: false,
            context: RequestContext { action: self.action, stated: &self.context, facts, grant },
            policies: Policies {
                key: union(&self.key_policies, on_key),
                identity: union(&self.identity, has_identities),
                boundary: union(self.boundary.as_slice(), self.boundary.is_some()),
                session: Attached::session(&self.session),
                service_control: levels(self.service_control.as_deref(), binds_caller),
                resource_control: levels(self.resource_control.as_deref(), binds_key),
                endpoint: union(self.endpoint.as_slice(), self.endpoint.is_some()),
                grants: Ok(self.grants.as_slice().into()),
            },
            grant_tokens: &self.grant_tokens,
            readings,
        };
        answer(&question)
    }
}

fn union(slots: &[PolicySlot], applies: bool) -> Attached<'_> {
    if applies { Attached::Union(slots) } else { Attached::NotApplicable }
}

fn levels(levels: Option<&[Vec<PolicySlot>]>, applies: bool) -> Attached<'_> {
    match levels {
        Some(levels) if applies => Attached::Levels(levels),
        _ => Attached::NotApplicable,
    }
}

/// An action of KMS; never another service's, and not the operation ReEncrypt.
fn named_action(text: &str) -> Result<Action, InvalidText> {
    if !text.contains(':') {
        return Err(InvalidText::new(text, "an action such as `kms:Decrypt`"));
    }
    text.parse::<Action>().map_err(|error| match text.split_once(':') {
        Some((service, _)) if !service.eq_ignore_ascii_case("kms") => {
            InvalidText::new(text, "an action of KMS: other services are not decided here")
        }
        Some((_, name)) if name.eq_ignore_ascii_case("ReEncrypt") => InvalidText::new(
            text,
            "an action: the operation ReEncrypt is authorized as `kms:ReEncryptFrom` and \
             `kms:ReEncryptTo`",
        ),
        _ => error,
    })
}

/// What the action can be asked of.
fn asked_resource(action: Action, text: &str) -> Result<Resource, InvalidText> {
    let kind = action.resource_kind();
    let key = || text.parse().map(Resource::Key);
    match (kind, text) {
        (ResourceKind::Any, "*") => Ok(Resource::Any),
        // What tags a new key has no ARN yet.
        (_, "*") if action == Action::TagResource => Ok(Resource::Any),
        (ResourceKind::Any, _) => Err(InvalidText::new(text, "`*`: the action is on no key")),
        (ResourceKind::Key, _) => key(),
        (ResourceKind::AliasAndKey, _) => match text.parse() {
            Ok(alias) => Ok(Resource::Alias(alias)),
            Err(_) => key(),
        },
    }
}
