//! L33.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{Action, Element, Principal, ResourceKind, Spanned};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Finds actions allowed to principals of another account that have no effect across accounts.
    /// Whose key it is, where the input does not tell, follows from the account whose root
    /// principal may change the policy.
    ///
    /// ## Why is this bad?
    /// Only cryptographic operations, grants and a few others work on keys of another account;
    /// permissions for the rest are ignored.
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
    ///       "Principal": {"AWS": "arn:aws:iam::444455556666:role/reader"},
    ///       "Action": ["kms:Decrypt", "kms:ScheduleKeyDeletion"],
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
    ///       "Principal": {"AWS": "arn:aws:iam::444455556666:role/reader"},
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "*"
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static OWN_ACCOUNT_ACTION = {
        code: "KEY033",
        name: "own-account-action",
        summary: "an action for another account that works only in the key's own",
        level: Warning,
        since: "0.1.0",
        covers: ["L33"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(&view.document) || !view.is_allow() {
        return;
    }
    let Some(owner) = key_policy::owner(&view.document) else { return };
    let principals = view.principals();
    let is_foreign = |one: &Spanned<Principal>| {
        view.is_known(one.span) && key_policy::account_of(&one.value).is_some_and(|it| it != owner)
    };
    let Some(foreign) = principals.iter().find(|one| is_foreign(one)) else { return };
    let is_mixed = !principals.iter().all(is_foreign);
    let Some(Element::Is(actions)) = &view.statement.action else { return };
    for entry in actions {
        let named = pattern::actions(&entry.value);
        // What is on no key at all is another rule's.
        let is_own = |action: Action| {
            !action.works_across_accounts() && action.resource_kind() != ResourceKind::Any
        };
        let mut on_keys = named.iter().filter(|one| one.resource_kind() != ResourceKind::Any);
        if named.iter().any(is_own) && on_keys.all(is_own) {
            let message =
                format!("`{}` has no effect for another account's principals", entry.value);
            findings.push(
                Finding::at(entry.span, message)
                    .related(foreign.span, format!("the key belongs to account {owner}"))
                    .help(if is_mixed {
                        "give it in a statement for the principals of the key's account alone"
                    } else {
                        "remove it, or let a role of the key's account do it"
                    }),
            );
        }
    }
}
