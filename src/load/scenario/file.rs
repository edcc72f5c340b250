//! The shape of scenario files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::inline::{self, Inline};
use super::{Case, Scenario};
use crate::authorize::{Preflight, Side};
use crate::compile::{Caller, Epoch, Snapshot};
use crate::load::{self, LoadError, RequestWords, World, direct_call};
use crate::model::{ContextMap, ContextValue, EncryptionContext, GrantToken, Readings};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ScenarioFile {
    #[serde(default)]
    clauses: Vec<String>,
    source: Option<String>,
    world: Option<PathBuf>,
    #[serde(default)]
    readings: BTreeMap<String, String>,
    /// The opt-in Regions in which accounts are disabled.
    #[serde(default)]
    disabled_regions: BTreeMap<String, Vec<String>>,
    /// Whether grant tokens that are of no grant of the file were never given out.
    #[serde(default)]
    knows_all_grant_tokens: bool,
    #[serde(default)]
    account: Vec<inline::Account>,
    #[serde(default)]
    key: Vec<inline::Key>,
    #[serde(default)]
    principal: Vec<inline::Principal>,
    #[serde(default)]
    endpoint: Vec<inline::Endpoint>,
    #[serde(default)]
    callers: BTreeMap<String, inline::CallerFile>,
    #[serde(default, rename = "case")]
    cases: Vec<Spanned<CaseFile>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CaseFile {
    name: String,
    #[serde(default)]
    clauses: Vec<String>,
    #[serde(default)]
    readings: BTreeMap<String, String>,
    caller: String,
    operation: Option<String>,
    key_id: Option<String>,
    source_key_id: Option<String>,
    destination_key_id: Option<String>,
    alias_name: Option<String>,
    target_key_id: Option<String>,
    grantee_principal: Option<String>,
    grantee_service_principal: Option<String>,
    retiring_principal: Option<String>,
    retiring_service_principal: Option<String>,
    operations: Option<Vec<String>>,
    encryption_context_equals: Option<BTreeMap<String, String>>,
    encryption_context_subset: Option<BTreeMap<String, String>>,
    source_arn: Option<String>,
    grant_id: Option<String>,
    grant_token: Option<String>,
    policy_name: Option<String>,
    policy: Option<String>,
    #[serde(default)]
    bypass_policy_lockout_safety_check: bool,
    replica_region: Option<String>,
    primary_region: Option<String>,
    #[serde(default)]
    tagged: bool,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    dry_run_modifiers: Vec<String>,
    encryption_context: Option<BTreeMap<String, String>>,
    source_encryption_context: Option<BTreeMap<String, String>>,
    destination_encryption_context: Option<BTreeMap<String, String>>,
    encryption_algorithm: Option<String>,
    source_encryption_algorithm: Option<String>,
    destination_encryption_algorithm: Option<String>,
    region: Option<String>,
    #[serde(default)]
    grant_tokens: Vec<String>,
    #[serde(default)]
    context: BTreeMap<String, OneOrMany>,
    #[serde(default)]
    absent: Vec<String>,
    #[serde(default)]
    direct: bool,
    expect: String,
    #[serde(default)]
    sides: BTreeMap<String, String>,
    #[serde(default)]
    because: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    Many(Vec<String>),
    One(String),
}

impl From<OneOrMany> for ContextValue {
    fn from(value: OneOrMany) -> Self {
        match value {
            OneOrMany::Many(values) => Self::Many(values),
            OneOrMany::One(value) => Self::One(value),
        }
    }
}

pub(super) fn read(path: &Path, world: Option<&World>) -> Result<Scenario, LoadError> {
    let text = crate::load::read_text(path)?;
    let mut file: ScenarioFile =
        toml::from_str(&text).map_err(|error| crate::load::toml_error(path, &text, &error))?;
    let at = |message: String| LoadError::at(path, message);
    if file.cases.is_empty() {
        return Err(at("the scenario has no `[[case]]`".into()));
    }
    let readings = choose(Readings::default(), &file.readings).map_err(&at)?;
    let cases = std::mem::take(&mut file.cases);
    let brings_own = !(file.account.is_empty()
        && file.key.is_empty()
        && file.principal.is_empty()
        && file.endpoint.is_empty()
        && file.callers.is_empty());
    let named;
    let (snapshot, callers) = match (&file.world, brings_own) {
        (Some(_), true) => {
            return Err(at("a scenario names a world or brings its own, not both".into()));
        }
        (Some(relative), false) => {
            let folder = path.parent().unwrap_or(Path::new("")).join(relative);
            named = crate::load::world(&folder)?;
            (with_readings(&named, &readings, &file.readings)?, Callers::Folder(&named))
        }
        (None, true) => {
            let inline = Inline {
                path,
                accounts: file.account,
                keys: file.key,
                principals: file.principal,
                endpoints: file.endpoint,
                readings,
                disabled_regions: file.disabled_regions,
                knows_all_grant_tokens: file.knows_all_grant_tokens,
            };
            (inline.snapshot()?, Callers::Inline(&file.callers))
        }
        (None, false) => match world {
            Some(world) => {
                (with_readings(world, &readings, &file.readings)?, Callers::Folder(world))
            }
            None => {
                return Err(at(
                    "the scenario names no world: add `world = \"…\"`, or give --world".into(),
                ));
            }
        },
    };
    let mut built = Vec::with_capacity(cases.len());
    // Cases come in the order of the file, so its lines are counted once.
    let (mut line, mut counted) = (1, 0);
    for case in cases {
        let before = text.get(counted..case.span().start).unwrap_or_default();
        line += before.bytes().filter(|byte| *byte == b'\n').count();
        counted = case.span().start;
        let case = case.into_inner();
        let name = case.name.clone();
        built.push(
            case.build(line, &callers, &snapshot).map_err(|message| {
                LoadError::line(path, line, format!("case `{name}`: {message}"))
            })?,
        );
    }
    let (clauses, source) = (file.clauses, file.source);
    Ok(Scenario { path: path.to_owned(), clauses, source, cases: built, snapshot })
}

/// Readings with others chosen over them.
fn choose(mut readings: Readings, chosen: &BTreeMap<String, String>) -> Result<Readings, String> {
    for (name, value) in chosen {
        let reading = name.parse().map_err(|error| format!("readings: {error}"))?;
        readings.choose(reading, value).map_err(|error| format!("readings.{name}: {error}"))?;
    }
    Ok(readings)
}

/// The world's snapshot, with the file's readings over the world's own.
fn with_readings(
    world: &World,
    readings: &Readings,
    named: &BTreeMap<String, String>,
) -> Result<Snapshot, LoadError> {
    if named.is_empty() {
        return world.snapshot(Epoch::new(0));
    }
    let mut world = world.clone();
    for name in named.keys() {
        if let Ok(reading) = name.parse() {
            // The value was accepted for this very reading above.
            let _ = world.readings_mut().choose(reading, readings.value(reading));
        }
    }
    world.snapshot(Epoch::new(0))
}

enum Callers<'a> {
    Folder(&'a World),
    Inline(&'a BTreeMap<String, inline::CallerFile>),
}

impl Callers<'_> {
    fn caller(&self, name: &str, snapshot: &Snapshot) -> Result<Caller, String> {
        match self {
            Self::Folder(world) => world.caller(snapshot, name).map_err(|error| error.to_string()),
            Self::Inline(callers) => match callers.get(name) {
                Some(caller) => caller.build(snapshot),
                None => inline::CallerFile::of(name).build(snapshot),
            },
        }
    }
}

impl CaseFile {
    fn build(
        self,
        line: usize,
        callers: &Callers<'_>,
        snapshot: &Snapshot,
    ) -> Result<Case, String> {
        let mut caller = callers.caller(&self.caller, snapshot)?;
        self.add_context(&mut caller.context)?;
        let region = load::region(self.region.as_deref(), snapshot).map_err(text)?;
        let snapshot = match self.readings.is_empty() {
            true => None,
            false => {
                let readings = choose(snapshot.readings().clone(), &self.readings)?;
                Some(Box::new(snapshot.with_readings(readings)))
            }
        };
        let question = Preflight {
            operation: self.words().operation().map_err(text)?,
            region,
            grant_tokens: self
                .grant_tokens
                .iter()
                .map(|token| GrantToken::new(token).map_err(text))
                .collect::<Result<_, _>>()?,
            dry_run: self.dry_run,
        };
        for (side, decision) in &self.sides {
            let known: Vec<&str> = Side::ALL.iter().map(|side| side.as_str()).collect();
            if !known.contains(&side.as_str()) {
                return Err(format!("`sides` has `{side}`: it takes {}", known.join(", ")));
            }
            if !["allow", "explicit-deny", "implicit-deny", "undetermined"]
                .contains(&decision.as_str())
            {
                return Err(format!("`sides.{side}` is `{decision}`, which is no decision"));
            }
        }
        let is_error = self.expect.ends_with("Exception");
        let decisions = ["allow", "deny", "explicit-deny", "implicit-deny", "undetermined"];
        if !is_error && !decisions.contains(&self.expect.as_str()) {
            return Err(format!(
                "`expect` is `{}`: it takes allow, deny, explicit-deny, implicit-deny, undetermined, or AWS's error",
                self.expect
            ));
        }
        Ok(Case {
            name: self.name,
            line,
            clauses: self.clauses,
            expect: self.expect,
            sides: self.sides.into_iter().collect(),
            because: self.because,
            caller,
            question,
            snapshot,
        })
    }

    fn add_context(&self, context: &mut ContextMap) -> Result<(), String> {
        for (key, value) in &self.context {
            context.set(key, value.clone().into());
        }
        for key in &self.absent {
            if self.context.keys().any(|stated| stated.eq_ignore_ascii_case(key)) {
                return Err(format!("`{key}` is both in `context` and in `absent`"));
            }
            context.set(key, ContextValue::Absent);
        }
        if self.direct {
            direct_call(context);
        }
        Ok(())
    }

    fn words(&self) -> RequestWords {
        let pairs = |pairs: &Option<BTreeMap<String, String>>| {
            pairs.clone().map(|pairs| pairs.into_iter().collect::<EncryptionContext>())
        };
        RequestWords {
            operation: self.operation.clone(),
            key_id: self.key_id.clone(),
            source_key_id: self.source_key_id.clone(),
            destination_key_id: self.destination_key_id.clone(),
            alias_name: self.alias_name.clone(),
            target_key_id: self.target_key_id.clone(),
            grantee_principal: self.grantee_principal.clone(),
            grantee_service_principal: self.grantee_service_principal.clone(),
            retiring_principal: self.retiring_principal.clone(),
            retiring_service_principal: self.retiring_service_principal.clone(),
            operations: self.operations.clone(),
            encryption_context_equals: pairs(&self.encryption_context_equals),
            encryption_context_subset: pairs(&self.encryption_context_subset),
            source_arn: self.source_arn.clone(),
            grant_id: self.grant_id.clone(),
            grant_token: self.grant_token.clone(),
            policy_name: self.policy_name.clone(),
            policy: self.policy.clone(),
            bypass_policy_lockout_safety_check: self.bypass_policy_lockout_safety_check,
            replica_region: self.replica_region.clone(),
            primary_region: self.primary_region.clone(),
            tagged: self.tagged,
            dry_run: self.dry_run,
            dry_run_modifiers: self.dry_run_modifiers.clone(),
            encryption_context: pairs(&self.encryption_context),
            source_encryption_context: pairs(&self.source_encryption_context),
            destination_encryption_context: pairs(&self.destination_encryption_context),
            encryption_algorithm: self.encryption_algorithm.clone(),
            source_encryption_algorithm: self.source_encryption_algorithm.clone(),
            destination_encryption_algorithm: self.destination_encryption_algorithm.clone(),
        }
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
