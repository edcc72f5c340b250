//! The files of an account as iam-collect lays them out, with the names below `accounts/<account>`
//! in lower case.
//!
//! It collects no grants, aliases or facts of keys.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::value::{document, elements, get, members, parse, text};
use super::{Format, Json, LoadError, SourceFile};
use crate::lint::{Collection, KeyFacts, KeySubject, Origin, Unknown};
use crate::model::{AccountId, KeyArn, KeyId, PolicyKind, PrincipalArn, Region};
use crate::syntax::json::Value;

/// `inline-policies.json`, by itself.
pub(super) const INLINE: Format = Format::Json {
    recognizes: |root| is_inline(root),
    read: |input, root, into| {
        inline(input.file, root, None, None, into);
        Ok(())
    },
};

fn is_inline(json: &Json<'_>) -> bool {
    !elements(json).is_empty()
        && elements(json).iter().all(|one| get(one, "PolicyDocument").is_some())
}

/// What the files of a world folder tell that are iam-collect's.
#[derive(Default)]
pub(super) struct Collected {
    /// Whether there was any.
    pub(super) any: bool,
    keys: BTreeMap<String, (Arc<KeyFacts>, Option<Unknown>)>,
    entities: HashMap<String, PrincipalArn>,
}

impl Collected {
    /// One file, by its path from the folder; whether it is iam-collect's. What a thing is,
    /// `metadata.json` tells, which has to come before the others.
    pub(super) fn member(
        &mut self,
        parts: &[&str],
        file: &Arc<SourceFile>,
        json: &Json<'_>,
        into: &mut Collection,
    ) -> Result<bool, LoadError> {
        match parts {
            ["accounts", account, "kms", region, "key", id, member] => {
                let told = get(json, "arn").filter(|_| *member == "metadata.json");
                let arn = match told {
                    Some(arn) => Some(parse(file, arn)?),
                    None => of_path(account, region, id),
                };
                let folder = parts.get(..6).unwrap_or_default().join("/");
                self.key(folder, arn, member, file, json, into);
            }
            ["accounts", account, "iam", "policy", name, "current-policy.json"] => {
                let mut read = document(file, json, PolicyKind::Identity, None);
                read.name = format!("managed policy {name}").into();
                read.account = account.parse().ok();
                into.documents.push(read);
            }
            ["accounts", _, "iam", "role" | "user", _, "metadata.json"] => {
                let folder = parts.get(..5).unwrap_or_default().join("/");
                let arn = get(json, "arn").and_then(text).and_then(|arn| arn.parse().ok());
                self.entities.extend(arn.map(|arn| (folder, arn)));
            }
            ["accounts", account, "iam", "group" | "role" | "user", _, "inline-policies.json"] => {
                let folder = parts.get(..5).unwrap_or_default().join("/");
                let entity = self.entities.get(&folder);
                inline(file, json, account.parse().ok(), entity, into);
            }
            ["organizations", _, list @ ("rcps" | "scps"), _, "policy.json"] => {
                let (kind, name) = match *list {
                    "rcps" => (PolicyKind::ResourceControl, "resource control policy"),
                    _ => (PolicyKind::ServiceControl, "service control policy"),
                };
                let mut read = document(file, json, kind, None);
                read.name = name.into();
                into.documents.push(read);
            }
            // Of what holds no policies that are read, that it is there.
            ["accounts", account, service, ..]
                if !matches!(*service, "iam.json" | "regions") && is_account(account) => {}
            ["indexes", _] | ["organizations", _, _, ..] => {}
            _ => return Ok(false),
        }
        self.any = true;
        Ok(true)
    }

    fn key(
        &mut self,
        folder: String,
        arn: Option<KeyArn>,
        member: &str,
        file: &Arc<SourceFile>,
        json: &Json<'_>,
        into: &mut Collection,
    ) {
        let origin = Arc::new(Origin::file(Arc::clone(file)));
        let (facts, unknown) = self.keys.entry(folder).or_insert_with(|| {
            let facts = Arc::new(arn.as_ref().map(KeyFacts::of).unwrap_or_default());
            into.keys.push(KeySubject {
                facts: Arc::clone(&facts),
                knows_grants: false,
                span: json.span,
                origin: Arc::clone(&origin),
            });
            let reason = "the key has no `policy.json`".into();
            (facts, Some(Unknown { origin, span: json.span, reason }))
        });
        if member == "policy.json" {
            let mut read = document(file, json, PolicyKind::Key, None);
            read.name = "key policy default".into();
            read.account = facts.account;
            read.key = Some(Arc::clone(facts));
            into.documents.push(read);
            *unknown = None;
        }
    }

    /// After all files: what was not there.
    pub(super) fn finish(self, into: &mut Collection) {
        into.unknown.extend(self.keys.into_values().filter_map(|(_, unknown)| unknown));
    }
}

fn is_account(name: &str) -> bool {
    name.parse::<AccountId>().is_ok()
}

fn of_path(account: &str, region: &str, id: &str) -> Option<KeyArn> {
    let (account, region): (AccountId, Region) = (account.parse().ok()?, region.parse().ok()?);
    let id: KeyId = id.parse().ok()?;
    KeyArn::new("aws", &region, account, &id).ok()
}

fn inline(
    file: &Arc<SourceFile>,
    json: &Json<'_>,
    account: Option<AccountId>,
    entity: Option<&PrincipalArn>,
    into: &mut Collection,
) {
    // Newer versions write an object with the names.
    let listed = elements(json).iter().filter_map(|one| {
        Some((
            get(one, "PolicyName").and_then(text).unwrap_or_default(),
            get(one, "PolicyDocument")?,
        ))
    });
    let named = members(json).filter(|(_, one)| matches!(one.value, Value::Object(_)));
    for (name, policy) in listed.chain(named) {
        let mut read = document(file, policy, PolicyKind::Identity, None);
        read.name = format!("inline policy {name}").into();
        read.account = account;
        read.entity = entity.cloned();
        into.documents.push(read);
    }
}
