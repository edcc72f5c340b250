//! `world.toml`: callers by name, readings, and what is not in other files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::LoadError;
use super::principal::caller_principal;
use super::{awscli, read_text, toml_error};
use crate::compile::{Caller, SessionPolicies, Snapshot};
use crate::model::{
    AccountId, ContextMap, ContextValue, InvalidText, PolicyKind, Readings, Region,
};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ConfigFile {
    #[serde(default)]
    organization: OrganizationFile,
    #[serde(default)]
    readings: BTreeMap<String, String>,
    /// The opt-in Regions in which accounts are disabled.
    #[serde(default)]
    disabled_regions: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    defaults: CallFile,
    #[serde(default)]
    callers: BTreeMap<String, CallerFile>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct OrganizationFile {
    /// No account that organization.json does not name is in an organization.
    #[serde(default)]
    none: bool,
}

/// What is stated of a call.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CallFile {
    #[serde(default)]
    direct: bool,
    #[serde(default)]
    context: BTreeMap<String, Values>,
    #[serde(default)]
    absent: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CallerFile {
    arn: String,
    role: Option<String>,
    user: Option<String>,
    session_policies: Option<Vec<PathBuf>>,
    #[serde(default)]
    session_tags: BTreeMap<String, String>,
    source_identity: Option<String>,
    #[serde(default)]
    direct: bool,
    #[serde(default)]
    context: BTreeMap<String, Values>,
    #[serde(default)]
    absent: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Values {
    Many(Vec<String>),
    One(String),
}

/// `world.toml`, read.
#[derive(Clone, Debug, Default)]
pub(super) struct Config {
    file: ConfigFile,
    path: PathBuf,
    pub(super) readings: Readings,
    session_policies: BTreeMap<String, SessionPolicies>,
}

impl Config {
    /// Reads `world.toml`; without one, nothing is stated.
    pub(super) fn read(folder: &Path) -> Result<Self, LoadError> {
        let path = folder.join("world.toml");
        if !super::is_there(&path) {
            return Ok(Self { path, ..Self::default() });
        }
        let text = read_text(&path)?;
        let file: ConfigFile =
            toml::from_str(&text).map_err(|error| toml_error(&path, &text, &error))?;
        let mut readings = Readings::default();
        for (name, value) in &file.readings {
            let reading =
                name.parse().map_err(|error| LoadError::at(&path, format!("readings: {error}")))?;
            readings
                .choose(reading, value)
                .map_err(|error| LoadError::at(&path, format!("readings.{name}: {error}")))?;
        }
        let mut errors = LoadError::default();
        let mut session_policies = BTreeMap::new();
        for (name, caller) in &file.callers {
            let Some(files) = &caller.session_policies else { continue };
            let mut slots = Vec::new();
            for file in files {
                let file = folder.join(file);
                let slot = read_text(&file).and_then(|text| {
                    awscli::document(&file, &text, PolicyKind::Session, "session policy")
                });
                match slot {
                    Ok(slot) => slots.push(slot),
                    Err(error) => errors.extend(error),
                }
            }
            session_policies.insert(name.clone(), SessionPolicies::Some(slots));
        }
        errors.finish(Self { file, path, readings, session_policies })
    }

    /// The Regions in which an account is disabled.
    pub(super) fn disabled_regions(&self) -> Result<Vec<(AccountId, Region)>, LoadError> {
        disabled_regions(&self.file.disabled_regions)
            .map_err(|message| LoadError::at(&self.path, message))
    }

    /// Whether accounts that organization.json does not name are in no organization.
    pub(super) fn no_organization(&self) -> bool {
        self.file.organization.none
    }

    /// The names of callers, sorted.
    pub(super) fn callers(&self) -> impl Iterator<Item = &str> {
        self.file.callers.keys().map(String::as_str)
    }

    /// A caller by its name, or by its ARN.
    pub(super) fn caller(&self, snapshot: &Snapshot, name: &str) -> Result<Caller, LoadError> {
        let unnamed;
        let (file, session_policies) = match self.file.callers.get(name) {
            Some(file) => (file, self.session_policies.get(name).cloned().unwrap_or_default()),
            None if name.contains([':', '.']) => {
                unnamed = CallerFile {
                    arn: name.to_owned(),
                    role: None,
                    user: None,
                    session_policies: None,
                    session_tags: BTreeMap::new(),
                    source_identity: None,
                    direct: false,
                    context: BTreeMap::new(),
                    absent: Vec::new(),
                };
                (&unnamed, SessionPolicies::None)
            }
            None => {
                let known: Vec<&str> = self.callers().collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let message =
                    format!("has no caller `{name}` (it has: {known}); an ARN will do too");
                return Err(LoadError::at(&self.path, message));
            }
        };
        let at = |message: String| LoadError::at(&self.path, format!("caller `{name}`: {message}"));
        let (role, user) = (file.role.as_deref(), file.user.as_deref());
        let principal = caller_principal(&file.arn, role, user, snapshot).map_err(at)?;
        let context = self.context(file).map_err(at)?;
        Ok(Caller { principal, context, session_policies })
    }

    fn context(&self, file: &CallerFile) -> Result<ContextMap, String> {
        let mut context = ContextMap::new();
        let defaults = &self.file.defaults;
        for (pairs, absent) in
            [(&defaults.context, &defaults.absent), (&file.context, &file.absent)]
        {
            for (key, value) in pairs {
                context.set(key, value.clone().into());
            }
            for key in absent {
                context.set(key, ContextValue::Absent);
            }
        }
        for (tag, value) in &file.session_tags {
            let key = format!("aws:PrincipalTag/{tag}");
            context
                .insert(&key, ContextValue::One(value.clone()))
                .map_err(|error| error.to_string())?;
        }
        if let Some(identity) = &file.source_identity {
            context.set("aws:SourceIdentity", ContextValue::One(identity.clone()));
        }
        if defaults.direct || file.direct {
            direct_call(&mut context);
        }
        Ok(context)
    }
}

impl From<Values> for ContextValue {
    fn from(values: Values) -> Self {
        match values {
            Values::Many(values) => Self::Many(values),
            Values::One(value) => Self::One(value),
        }
    }
}

/// Accounts and Regions of `disabled-regions`.
pub(super) fn disabled_regions(
    given: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<(AccountId, Region)>, String> {
    let mut all = Vec::new();
    for (account, regions) in given {
        let at = |error: InvalidText| format!("disabled-regions: {error}");
        let account: AccountId = account.parse().map_err(at)?;
        for region in regions {
            all.push((account, region.parse().map_err(at)?));
        }
    }
    Ok(all)
}

/// States what is so of every call that goes straight to KMS's public endpoint: it comes through
/// no VPC endpoint and from no other service. What was stated already stays.
pub fn direct_call(context: &mut ContextMap) {
    const ABSENT: &[&str] = &[
        "aws:CalledVia",
        "aws:CalledViaFirst",
        "aws:CalledViaLast",
        "aws:SourceAccount",
        "aws:SourceArn",
        "aws:SourceOrgID",
        "aws:SourceOrgPaths",
        "aws:SourceVpc",
        "aws:SourceVpcArn",
        "aws:SourceVpce",
        "aws:VpcSourceIp",
        "aws:VpceAccount",
        "aws:VpceOrgID",
        "aws:VpceOrgPaths",
        "kms:ViaService",
    ];
    for key in ABSENT {
        // An error means that the key was stated.
        let _ = context.insert(key, ContextValue::Absent);
    }
    for key in ["aws:ViaAWSService", "kms:GrantIsForAWSResource"] {
        let _ = context.insert(key, ContextValue::One("false".into()));
    }
}
