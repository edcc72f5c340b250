//! What the AWS CLI wrote of IAM and Organizations, found by its shape.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::folder;
use crate::model::{AccountId, PrincipalArn};

/// What was taken over, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Files of the world that were written, from the world's folder.
    pub written: Vec<PathBuf>,
    /// Files that were none of those looked for, or not whole, with the reason.
    pub left_out: Vec<(PathBuf, String)>,
    /// Whether one of these is torn, or no JSON at all: what it told before stays as it was.
    pub is_torn: bool,
    /// Why no `organization.json` was written, where parts of an organization were found.
    pub organization: Option<String>,
}

/// Reads every JSON file of `from` and takes over what is known by its shape: account
/// authorization details to `accounts/<id>/iam.json`, organization policies to `scps` and `rcps`,
/// and `organization.json` when all its parts are there. Whose list of children or policies a file
/// is, is told by the id in its name (`accounts.ou-….json`), as [`super::commands`] names them.
///
/// # Errors
/// When a file cannot be read or written.
pub fn facts(from: &Path, world: &Path) -> io::Result<Facts> {
    let mut facts = Facts::default();
    let mut parts = Parts::default();
    let mut paths: Vec<PathBuf> =
        fs::read_dir(from)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    paths.sort();
    for path in paths {
        let bytes = fs::read(&path)?;
        let value: Value = match serde_json::from_slice(&bytes) {
            Ok(value) => value,
            Err(error) => {
                facts.left_out.push((path, format!("is not JSON: {error}")));
                facts.is_torn = true;
                continue;
            }
        };
        match shape(&path, &value) {
            Ok(Shape::Iam(account)) => {
                let to = PathBuf::from("accounts").join(account.as_str()).join("iam.json");
                folder::write(&world.join(&to), &bytes)?;
                facts.written.push(to);
            }
            Ok(Shape::Policy { folder: kind, id }) => {
                let to = PathBuf::from(kind).join(format!("{id}.json"));
                folder::write(&world.join(&to), &bytes)?;
                facts.written.push(to);
                parts.policies.insert(id);
            }
            Ok(Shape::Whole) => parts.whole = Some(bytes),
            Ok(Shape::Part(part)) => parts.add(part),
            Err(reason) => facts.left_out.push((path, reason)),
        }
    }
    let to = PathBuf::from("organization.json");
    match parts.organization() {
        None => {}
        Some(Ok(bytes)) => {
            folder::write(&world.join(&to), &bytes)?;
            facts.written.push(to);
        }
        Some(Err(reason)) => facts.organization = Some(reason),
    }
    Ok(facts)
}

enum Shape {
    Iam(AccountId),
    Part(Part),
    Policy {
        folder: &'static str,
        id: String,
    },
    /// An organization as a world has it.
    Whole,
}

enum Part {
    Accounts(String, Value),
    Organization(Value),
    Roots(Value),
    Targets(String, Vec<String>),
    Units(String, Value),
}

fn shape(path: &Path, value: &Value) -> Result<Shape, String> {
    let object = value.as_object().ok_or("is none of the files looked for")?;
    let truncated = object.get("IsTruncated").and_then(Value::as_bool) == Some(true);
    let more = object.get("NextToken").is_some_and(|token| !token.is_null());
    if truncated || more {
        return Err("is not whole: there are more pages".into());
    }
    let has = |name: &str| object.contains_key(name);
    if has("RoleDetailList") && has("UserDetailList") && has("GroupDetailList") {
        return account_of(object).map(Shape::Iam);
    }
    if let (Some(policy), true) = (object.get("Policy"), !has("PolicyName")) {
        let summary = policy.get("PolicySummary").ok_or("is none of the files looked for")?;
        let text = |name: &str| summary.get(name).and_then(Value::as_str).unwrap_or_default();
        let folder = match text("Type") {
            "SERVICE_CONTROL_POLICY" => "scps",
            "RESOURCE_CONTROL_POLICY" => "rcps",
            other => {
                return Err(format!("is a policy of type `{other}`, which decides nothing here"));
            }
        };
        let id = text("Id").to_owned();
        if !id.starts_with("p-") || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(format!("`{id}` is no policy id"));
        }
        return Ok(Shape::Policy { folder, id });
    }
    if has("Organization") && has("Targets") {
        return Ok(Shape::Whole);
    }
    let of = || owner(path).ok_or("names no parent or target: put its id at the end of the name");
    let part = if let Some(found) = object.get("Organization") {
        Part::Organization(found.clone())
    } else if let Some(found) = object.get("Roots") {
        Part::Roots(found.clone())
    } else if let Some(found) = object.get("OrganizationalUnits") {
        Part::Units(of()?, found.clone())
    } else if let Some(found) = object.get("Accounts") {
        Part::Accounts(of()?, found.clone())
    } else if let Some(Value::Array(found)) = object.get("Policies") {
        Part::Targets(of()?, ids(found)?)
    } else {
        return Err("is none of the files looked for".into());
    };
    Ok(Shape::Part(part))
}

/// The account that all users, roles and groups are of.
fn account_of(details: &Map<String, Value>) -> Result<AccountId, String> {
    let mut accounts = BTreeSet::new();
    for list in ["UserDetailList", "RoleDetailList", "GroupDetailList"] {
        let entries = details.get(list).and_then(Value::as_array).into_iter().flatten();
        for entry in entries {
            let arn = entry.get("Arn").and_then(Value::as_str).unwrap_or_default();
            // A group's ARN is no principal's.
            let account = match arn.parse::<PrincipalArn>() {
                Ok(arn) => Some(arn.account()),
                Err(_) => arn.split(':').nth(4).and_then(|text| text.parse().ok()),
            };
            accounts.insert(account.ok_or_else(|| format!("`{arn}` names no account"))?);
        }
    }
    let mut accounts = accounts.into_iter();
    match (accounts.next(), accounts.next()) {
        (Some(account), None) => Ok(account),
        (None, _) => Err("has no user, role or group, so its account is not known".into()),
        (Some(_), Some(_)) => Err("has users and roles of several accounts".into()),
    }
}

/// The id at the end of a file's name: `accounts.r-ab12`, `policies.SERVICE_CONTROL_POLICY.111122223333`.
fn owner(path: &Path) -> Option<String> {
    let id = path.file_stem()?.to_str()?.rsplit('.').next()?;
    let known = id.starts_with("r-") || id.starts_with("ou-") || id.parse::<AccountId>().is_ok();
    known.then(|| id.to_owned())
}

fn ids(entries: &[Value]) -> Result<Vec<String>, String> {
    let id = |entry: &Value| {
        let id = entry.get("Id").and_then(Value::as_str).map(str::to_owned);
        id.ok_or_else(|| "has an entry without `Id`".to_owned())
    };
    entries.iter().map(id).collect()
}

#[derive(Default)]
struct Parts {
    whole: Option<Vec<u8>>,
    organization: Option<Value>,
    roots: Option<Value>,
    units: BTreeMap<String, Value>,
    accounts: BTreeMap<String, Value>,
    targets: BTreeMap<String, Vec<String>>,
    policies: BTreeSet<String>,
}

impl Parts {
    fn add(&mut self, part: Part) {
        match part {
            Part::Accounts(of, value) => drop(self.accounts.insert(of, value)),
            Part::Organization(value) => self.organization = Some(value),
            Part::Roots(value) => self.roots = Some(value),
            Part::Targets(of, ids) => self.targets.entry(of).or_default().extend(ids),
            Part::Units(of, value) => drop(self.units.insert(of, value)),
        }
    }

    /// `organization.json`, or what is missing of it; `None` when nothing of it was found. One with
    /// a part missing would tell wrong things of an account.
    fn organization(self) -> Option<Result<Vec<u8>, String>> {
        if let Some(whole) = self.whole {
            return Some(Ok(whole));
        }
        if self.organization.is_none() && self.roots.is_none() && self.targets.is_empty() {
            return None;
        }
        Some(self.assembled())
    }

    fn assembled(self) -> Result<Vec<u8>, String> {
        let organization = self.organization.ok_or("describe-organization is missing")?;
        let roots = self.roots.ok_or("list-roots is missing")?;
        let mut open = ids(roots.as_array().ok_or("`Roots` is no list")?)?;
        let mut seen = BTreeSet::new();
        while let Some(unit) = open.pop() {
            if !seen.insert(unit.clone()) {
                return Err(format!("{unit} is its own ancestor"));
            }
            let list = |map: &BTreeMap<String, Value>, what: &str| {
                let listed =
                    map.get(&unit).ok_or_else(|| format!("{what} of {unit} is missing"))?;
                ids(listed.as_array().ok_or_else(|| format!("{what} of {unit} is no list"))?)
            };
            let accounts = list(&self.accounts, "list-accounts-for-parent")?;
            for target in accounts.iter().chain([&unit]) {
                if !self.targets.contains_key(target) {
                    return Err(format!("list-policies-for-target of {target} is missing"));
                }
            }
            open.extend(list(&self.units, "list-organizational-units-for-parent")?);
        }
        let whole = json!({
            "Organization": organization,
            "Roots": roots,
            "OrganizationalUnits": self.units,
            "Accounts": self.accounts,
            "Targets": self.targets,
        });
        Ok(format!("{whole:#}\n").into_bytes())
    }
}
