//! Worlds written inside a scenario file: small, complete, with nothing unknown but what is said
//! to be.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::file::OneOrMany;
use crate::compile::{
    Caller, Entity, KeyEntry, Known, Membership, Policy, PolicySlot, SessionPolicies, Snapshot,
    Source,
};
use crate::load::config::disabled_regions;
use crate::load::request::constraint;
use crate::load::{LoadError, caller_principal};
use crate::model::{
    self, AccountId, AliasName, ContextMap, ContextValue, Grant as ModelGrant, GrantConstraints,
    GrantOperation, GrantPrincipal, GrantToken, GrantVisibility, KeyArn, KeyId, PolicyKind,
    Readings, Region,
};
use crate::syntax;

/// `[[account]]`: an account in an organization.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Account {
    id: String,
    #[serde(default = "organization")]
    organization: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    management: bool,
    /// The SCPs of root, OUs and account, one list a level.
    #[serde(default)]
    scps: Vec<Vec<String>>,
    /// The customer's RCPs, one list a level.
    #[serde(default)]
    rcps: Vec<Vec<String>>,
}

fn organization() -> String {
    "o-exampleorgid".into()
}

/// `[[key]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Key {
    arn: String,
    policy: String,
    ram_policy: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    key_spec: Option<String>,
    key_usage: Option<String>,
    key_state: Option<String>,
    key_manager: Option<String>,
    origin: Option<String>,
    multi_region: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    grant: Vec<Grant>,
}

/// `[[key.grant]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Grant {
    id: Option<String>,
    grantee: String,
    retiring: Option<String>,
    operations: Vec<String>,
    encryption_context_equals: Option<BTreeMap<String, String>>,
    encryption_context_subset: Option<BTreeMap<String, String>>,
    source_arn: Option<String>,
    issuing_account: Option<String>,
    /// The grant is new: only this token reaches it.
    token: Option<String>,
}

/// `[[principal]]`: a user or role.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Principal {
    arn: String,
    id: Option<String>,
    #[serde(default)]
    policies: Vec<String>,
    boundary: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// `[[endpoint]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Endpoint {
    id: String,
    policy: String,
}

/// `[callers.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct CallerFile {
    arn: String,
    role: Option<String>,
    user: Option<String>,
    session_policies: Option<Vec<String>>,
    #[serde(default)]
    context: BTreeMap<String, OneOrMany>,
    /// Keys of which nothing is known.
    #[serde(default)]
    unknown: bool,
}

pub(super) struct Inline<'a> {
    pub(super) path: &'a Path,
    pub(super) accounts: Vec<Account>,
    pub(super) keys: Vec<Key>,
    pub(super) principals: Vec<Principal>,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) readings: Readings,
    pub(super) disabled_regions: BTreeMap<String, Vec<String>>,
    pub(super) knows_all_grant_tokens: bool,
}

impl Inline<'_> {
    pub(super) fn snapshot(self) -> Result<Snapshot, LoadError> {
        let path = self.path.to_owned();
        self.build().map_err(|message| LoadError::at(&path, message))
    }

    fn build(self) -> Result<Snapshot, String> {
        let file = self.path.display().to_string();
        let mut builder = Snapshot::builder();
        builder.readings(self.readings.clone()).knows_all_keys();
        builder.other_memberships(Known::Known(None));
        if self.knows_all_grant_tokens {
            builder.knows_all_grant_tokens();
        }
        for (account, region) in disabled_regions(&self.disabled_regions)? {
            builder.disabled_region(account, region);
        }
        let mut accounts: Vec<AccountId> = Vec::new();
        for account in &self.accounts {
            let id = parse(&account.id)?;
            let levels = |texts: &[Vec<String>], kind, name: &str| {
                texts
                    .iter()
                    .map(|level| {
                        level
                            .iter()
                            .map(|text| slot(&file, text, kind, name))
                            .collect::<Result<Vec<_>, _>>()
                    })
                    .collect::<Result<Vec<_>, _>>()
            };
            let membership = Membership {
                organization: account.organization.as_str().into(),
                path: account.path.as_str().into(),
                is_management: account.management,
                service_control: levels(&account.scps, PolicyKind::ServiceControl, "scp")?,
                resource_control: levels(&account.rcps, PolicyKind::ResourceControl, "rcp")?,
            };
            builder.membership(id, Known::Known(Some(membership)));
            accounts.push(id);
        }
        let mut aliases: HashMap<(AccountId, Region), Vec<(AliasName, KeyId)>> = HashMap::new();
        for key in self.keys {
            let (entry, names) = key.build(&file)?;
            let arn = &entry.key.arn;
            accounts.push(arn.account());
            let place = (arn.account(), arn.region().clone());
            let id = arn.id().clone();
            aliases
                .entry(place)
                .or_default()
                .extend(names.into_iter().map(|name| (name, id.clone())));
            builder.key(entry).map_err(|error| error.to_string())?;
        }
        for principal in self.principals {
            let entity = principal.build(&file)?;
            accounts.push(entity.arn.account());
            builder.entity(entity).map_err(|error| error.to_string())?;
        }
        for account in accounts {
            builder.account(account, Known::Known(()));
        }
        for ((account, region), names) in aliases {
            builder.aliases(account, region, Known::Known(names));
        }
        for endpoint in self.endpoints {
            let name = format!("endpoint {}", endpoint.id);
            builder.endpoint(crate::compile::Endpoint {
                policy: slot(&file, &endpoint.policy, PolicyKind::Endpoint, &name)?,
                id: endpoint.id.into(),
            });
        }
        Ok(builder.build())
    }
}

impl Key {
    fn build(self, file: &str) -> Result<(KeyEntry, Vec<AliasName>), String> {
        let arn: KeyArn = parse(&self.arn)?;
        let mut key = model::Key::symmetric(arn.clone());
        if let Some(text) = &self.key_spec {
            key.spec = parse(text)?;
        }
        if let Some(text) = &self.key_usage {
            key.usage = parse(text)?;
        }
        if let Some(text) = &self.key_state {
            key.state = parse(text)?;
        }
        if let Some(text) = &self.key_manager {
            key.manager = parse(text)?;
        }
        if let Some(text) = &self.origin {
            key.origin = parse(text)?;
        }
        key.multi_region = self.multi_region.as_deref().map(parse).transpose()?;
        let mut policies = vec![slot(file, &self.policy, PolicyKind::Key, "key policy default")?];
        if let Some(text) = &self.ram_policy {
            policies.push(slot(file, text, PolicyKind::Key, "key policy AWS_RAM")?);
        }
        let grants =
            self.grant.into_iter().enumerate().map(|(place, grant)| grant.build(place, &arn));
        let entry = KeyEntry {
            key,
            policies: policies.into(),
            grants: Known::Known(grants.collect::<Result<_, _>>()?),
            tags: Known::Known(self.tags.into_iter().collect()),
            aliases: Known::Known(Vec::new().into()),
        };
        let names = self.aliases.iter().map(|name| parse(name)).collect::<Result<_, _>>()?;
        Ok((entry, names))
    }
}

impl Grant {
    fn build(self, place: usize, key: &KeyArn) -> Result<ModelGrant, String> {
        let operations =
            GrantOperation::set(&self.operations).map_err(|error| error.to_string())?;
        let pairs = |pairs: Option<BTreeMap<_, _>>| pairs.map(|pairs| pairs.into_iter().collect());
        let encryption_context = constraint(
            pairs(self.encryption_context_equals),
            pairs(self.encryption_context_subset),
        )?;
        Ok(ModelGrant {
            id: parse(&self.id.unwrap_or_else(|| format!("grant-{}", place + 1)))?,
            name: None,
            key: key.clone(),
            grantee: GrantPrincipal::listed(&self.grantee),
            retiring: self.retiring.as_deref().map(GrantPrincipal::listed),
            operations,
            constraints: GrantConstraints {
                encryption_context,
                source_arn: self.source_arn.map(Into::into),
            },
            issuing_account: self.issuing_account.as_deref().map(parse).transpose()?,
            creation_date: None,
            visibility: match &self.token {
                Some(token) => GrantVisibility::TokenOnly(
                    GrantToken::new(token).map_err(|error| error.to_string())?,
                ),
                None => GrantVisibility::Propagated,
            },
        })
    }
}

impl Principal {
    fn build(self, file: &str) -> Result<Entity, String> {
        let policies = self
            .policies
            .iter()
            .map(|text| slot(file, text, PolicyKind::Identity, "identity policy"))
            .collect::<Result<_, _>>()?;
        let boundary = self
            .boundary
            .map(|text| slot(file, &text, PolicyKind::Boundary, "permissions boundary"))
            .transpose()?;
        Ok(Entity {
            arn: parse(&self.arn)?,
            id: self.id.as_deref().map(parse).transpose()?,
            policies,
            boundary,
            tags: self.tags.into_iter().collect(),
        })
    }
}

impl CallerFile {
    pub(super) fn of(arn: &str) -> Self {
        Self {
            arn: arn.to_owned(),
            role: None,
            user: None,
            session_policies: None,
            context: BTreeMap::new(),
            unknown: false,
        }
    }

    pub(super) fn build(&self, snapshot: &Snapshot) -> Result<Caller, String> {
        let mut context = ContextMap::new();
        if !self.unknown {
            context = context.complete();
        }
        for (key, value) in &self.context {
            let value: ContextValue = value.clone().into();
            context.insert(key, value).map_err(|error| error.to_string())?;
        }
        let session_policies = match &self.session_policies {
            None => SessionPolicies::None,
            Some(texts) => SessionPolicies::Some(
                texts
                    .iter()
                    .map(|text| slot("session policy", text, PolicyKind::Session, "session policy"))
                    .collect::<Result<_, _>>()?,
            ),
        };
        let (role, user) = (self.role.as_deref(), self.user.as_deref());
        let principal = caller_principal(&self.arn, role, user, snapshot)?;
        Ok(Caller { principal, context, session_policies })
    }
}

fn slot(file: &str, text: &str, kind: PolicyKind, name: &str) -> Result<PolicySlot, String> {
    let document = syntax::parse(text, kind).into_result().map_err(|errors| {
        let texts: Vec<String> = errors
            .iter()
            .map(|error| {
                let (line, column) = error.span.line_column(text);
                format!("{name}: line {line}, column {column} of the document: {error}")
            })
            .collect();
        texts.join("\n")
    })?;
    let source = Source::decoded(file, text);
    Ok(PolicySlot::Compiled(Arc::new(Policy::compile(&document, kind, name, source))))
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| error.to_string())
}
