//! `organization.json`, `scps/*.json`, `rcps/*.json`.
//!
//! `organization.json` puts together what the AWS CLI prints:
//! ```json
//! {
//!   "Organization": { "Id": "o-…", "MasterAccountId": "…" },
//!   "Roots": [ { "Id": "r-…" } ],
//!   "OrganizationalUnits": { "<parent id>": [ { "Id": "ou-…" } ] },
//!   "Accounts": { "<parent id>": [ { "Id": "111122223333" } ] },
//!   "Targets": { "<root, OU or account id>": [ "p-…" ] }
//! }
//! ```
//! from `describe-organization`, `list-roots`, `list-organizational-units-for-parent`,
//! `list-accounts-for-parent` and `list-policies-for-target`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::error::LoadError;
use super::node::{JsonFile, Node};
use crate::compile::{Membership, Policy, PolicySlot, Source};
use crate::model::{AccountId, PolicyKind};
use crate::syntax;

/// The policies AWS attaches itself; they have no file.
const FULL_ACCESS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// The place of every account that `organization.json` names.
pub(super) fn memberships(folder: &Path) -> Result<Vec<(AccountId, Membership)>, LoadError> {
    let path = folder.join("organization.json");
    let file = JsonFile::read(&path)?;
    let json = file.json()?;
    let root = file.node(&json);
    let organization = root.member("Organization")?;
    let roots = root.member("Roots")?.elements()?;
    let mut errors = LoadError::default();
    let mut policies = HashMap::new();
    for (subfolder, kind) in
        [("scps", PolicyKind::ServiceControl), ("rcps", PolicyKind::ResourceControl)]
    {
        if let Err(error) = read_policies(&folder.join(subfolder), kind, &mut policies) {
            errors.extend(error);
        }
    }
    let mut walk = Walk {
        id: organization.member("Id")?.str()?,
        management: organization.member("MasterAccountId")?.parse()?,
        units: children(&root, "OrganizationalUnits")?,
        accounts: children(&root, "Accounts")?,
        targets: targets(&root)?,
        policies,
        found: Vec::new(),
    };
    for unit in roots {
        let path = format!("{}/{}/", walk.id, unit.member("Id")?.str()?);
        walk.unit(&unit, &path, &[], &[], 0)?;
    }
    errors.finish(walk.found)
}

type Children<'f> = HashMap<&'f str, Vec<Node<'f>>>;

/// A member whose members are lists, by parent.
fn children<'f>(root: &Node<'f>, name: &str) -> Result<Children<'f>, LoadError> {
    let Some(node) = root.find(name)? else { return Ok(HashMap::new()) };
    node.members()?.into_iter().map(|(parent, list)| Ok((parent, list.elements()?))).collect()
}

fn targets<'f>(root: &Node<'f>) -> Result<HashMap<&'f str, Vec<&'f str>>, LoadError> {
    let targets = root.member("Targets")?.members()?.into_iter();
    targets
        .map(|(target, list)| {
            let ids = list.elements()?.iter().map(Node::str).collect::<Result<_, _>>()?;
            Ok((target, ids))
        })
        .collect()
}

struct Walk<'f> {
    id: &'f str,
    management: AccountId,
    units: Children<'f>,
    accounts: Children<'f>,
    targets: HashMap<&'f str, Vec<&'f str>>,
    policies: HashMap<String, (PolicyKind, PolicySlot)>,
    found: Vec<(AccountId, Membership)>,
}

type Levels = Vec<Vec<PolicySlot>>;

impl<'f> Walk<'f> {
    fn unit(
        &mut self,
        unit: &Node<'f>,
        path: &str,
        scps: &[Vec<PolicySlot>],
        rcps: &[Vec<PolicySlot>],
        depth: usize,
    ) -> Result<(), LoadError> {
        // AWS allows five levels of OUs below the root.
        if depth > 5 {
            return Err(unit.problem("OUs are nested more than five levels deep"));
        }
        let id_node = unit.member("Id")?;
        let id = id_node.str()?;
        let (scps, rcps) = self.levels(&id_node, id, scps, rcps)?;
        for account in self.accounts.get(id).cloned().unwrap_or_default() {
            let id_node = account.member("Id")?;
            let account: AccountId = id_node.parse()?;
            let (service_control, resource_control) =
                self.levels(&id_node, id_node.str()?, &scps, &rcps)?;
            let membership = Membership {
                organization: self.id.into(),
                path: path.into(),
                is_management: account == self.management,
                service_control,
                resource_control,
            };
            if self.found.iter().any(|(known, _)| *known == account) {
                return Err(id_node.problem(format!("account {account} stands twice")));
            }
            self.found.push((account, membership));
        }
        for child in self.units.get(id).cloned().unwrap_or_default() {
            let path = format!("{path}{}/", child.member("Id")?.str()?);
            self.unit(&child, &path, &scps, &rcps, depth + 1)?;
        }
        Ok(())
    }

    /// The levels so far and the one of `id`.
    fn levels(
        &self,
        node: &Node<'_>,
        id: &str,
        scps: &[Vec<PolicySlot>],
        rcps: &[Vec<PolicySlot>],
    ) -> Result<(Levels, Levels), LoadError> {
        let attached = self.targets.get(id).ok_or_else(|| {
            node.problem(format!("`Targets` does not say which policies are attached to `{id}`"))
        })?;
        let (mut own_scps, mut own_rcps) = (Vec::new(), Vec::new());
        for policy in attached {
            match (*policy, self.policies.get(*policy)) {
                ("p-FullAWSAccess", None) => own_scps.push(full_access()?),
                // It is always attached and only ever allows.
                ("p-RCPFullAWSAccess", None) => {}
                (_, Some((PolicyKind::ResourceControl, slot))) => own_rcps.push(slot.clone()),
                (_, Some((_, slot))) => own_scps.push(slot.clone()),
                (missing, None) => {
                    // Whether it is an SCP or an RCP is not known either.
                    let slot = PolicySlot::Unreadable {
                        name: format!("organization policy {missing}").into(),
                        reason: format!("add scps/{missing}.json or rcps/{missing}.json").into(),
                    };
                    own_scps.push(slot.clone());
                    own_rcps.push(slot);
                }
            }
        }
        let with = |levels: &[Vec<PolicySlot>], own| {
            let mut all = levels.to_vec();
            all.push(own);
            all
        };
        Ok((with(scps, own_scps), with(rcps, own_rcps)))
    }
}

fn full_access() -> Result<PolicySlot, LoadError> {
    let kind = PolicyKind::ServiceControl;
    let document = syntax::parse(FULL_ACCESS, kind).into_result();
    let document =
        document.map_err(|_| LoadError::at(Path::new("p-FullAWSAccess"), "is not a policy"))?;
    let source = Source::file("p-FullAWSAccess", FULL_ACCESS);
    Ok(PolicySlot::Compiled(Arc::new(Policy::compile(
        &document,
        kind,
        "SCP FullAWSAccess",
        source,
    ))))
}

/// Files of a folder, each what `aws organizations describe-policy` prints.
fn read_policies(
    folder: &Path,
    kind: PolicyKind,
    policies: &mut HashMap<String, (PolicyKind, PolicySlot)>,
) -> Result<(), LoadError> {
    let mut errors = LoadError::default();
    for path in super::world::json_files(folder)? {
        let read = (|| {
            let file = JsonFile::read(&path)?;
            let json = file.json()?;
            let root = file.node(&json);
            let policy = root.member("Policy")?;
            let id = policy.member("PolicySummary")?.member("Id")?.str()?.to_owned();
            let word = if kind == PolicyKind::ServiceControl { "SCP" } else { "RCP" };
            let slot = policy.member("Content")?.policy(kind, &format!("{word} {id}"))?;
            Ok((id, slot))
        })();
        match read {
            Ok((id, slot)) => {
                policies.insert(id, (kind, slot));
            }
            Err(error) => errors.extend(error),
        }
    }
    errors.finish(())
}
