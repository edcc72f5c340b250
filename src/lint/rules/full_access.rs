//! L06.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{Action, ActionSet, Element, Principal};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy that give every action to a service, to anything of another
    /// account, or to a user or role that does not seem to manage the key: its name does not say
    /// so, and others are let manage it.
    ///
    /// ## Why is this bad?
    /// `kms:*` holds what nobody needs who only uses a key: to change the key policy, to make
    /// grants for anybody, to delete the key. Those of another account can make grants, while most
    /// of the rest has no effect for them.
    ///
    /// ## Example
    /// ```json,key
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Delegate",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///       "Action": "kms:*",
    ///       "Resource": "*"
    ///     },
    ///     {
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": "kms:*",
    ///       "Resource": "*"
    ///     }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,key
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Delegate",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///       "Action": "kms:*",
    ///       "Resource": "*"
    ///     },
    ///     {
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///       "Resource": "*"
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static FULL_ACCESS = {
        code: "KEY006",
        name: "full-access",
        summary: "every action for a principal that does not manage the key",
        level: Warning,
        since: "0.1.0",
        covers: ["L06"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(&view.document) || !view.is_allow() || is_narrowed(view) {
        return;
    }
    let Some(Element::Is(actions)) = &view.statement.action else { return };
    let everything = actions.iter().find(|one| pattern::actions(&one.value) == ActionSet::ALL);
    let Some(action) = everything else { return };
    let owner = key_policy::owner(&view.document);
    for entry in view.principals() {
        let account = key_policy::account_of(&entry.value);
        let is_foreign = owner.zip(account).is_some_and(|(owner, account)| owner != account);
        let who = match &entry.value {
            Principal::Service(_) => "a service",
            _ if is_foreign => "another account",
            Principal::Arn(arn)
                if !seems_to_manage(arn.name()) && others_manage(view, &entry.value) =>
            {
                "somebody who does not seem to manage the key"
            }
            _ => continue,
        };
        let message = format!("`{}` gives every permission on the key to {who}", action.value);
        findings.push(
            Finding::at(action.span, message)
                .related(entry.span, who)
                .help("list the actions that are needed"),
        );
        return;
    }
}

/// Whether a condition on what is asked for takes most of it away.
fn is_narrowed(view: &StatementView<'_>) -> bool {
    view.conditions().any(|(_, one)| one.key.value.lower().starts_with("kms:"))
}

/// Whether a name says that its bearer manages keys or everything.
fn seems_to_manage(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    MANAGERS.iter().any(|word| name.contains(word))
}

const MANAGERS: &[&str] = &[
    "admin",
    "breakglass",
    "break-glass",
    "cdk-",
    "cloudformation",
    "controltower",
    "deploy",
    "manager",
    "organizationaccountaccess",
    "owner",
    "pipeline",
    "terraform",
];

/// Whether somebody else of the principal's account may change the policy by another statement, or
/// another statement shows that the principal is one that uses the key.
fn others_manage(view: &StatementView<'_>, entry: &Principal) -> bool {
    let account = key_policy::account_of(entry);
    view.document.statements().any(|other| {
        let manages = other.actions().contains(Action::PutKeyPolicy);
        let mut principals = other.principals().iter().map(|one| &one.value);
        other.index != view.index
            && other.is_allow()
            && match manages {
                true => principals.any(|one| key_policy::account_of(one) == account),
                false => principals.any(|one| one == entry),
            }
    })
}
