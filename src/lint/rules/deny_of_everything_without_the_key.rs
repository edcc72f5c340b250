//! L41.

use crate::evaluate::supplies;
use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{Action, ActionSet, Condition, Element, KnownKey, ResourceKind};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy that deny all actions unless a condition key has some
    /// value, where the key is not in the requests of most actions.
    ///
    /// ## Why is this bad?
    /// An absent key meets a negated condition: requests to manage the key, which have no
    /// encryption context, no algorithm and no forwarding service, are denied whatever the value,
    /// for administrators as well.
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
    ///       "Sid": "OnlyTenantA",
    ///       "Effect": "Deny",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": "kms:*",
    ///       "Resource": "*",
    ///       "Condition": {"StringNotEquals": {"kms:EncryptionContext:tenant": "a"}}
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
    ///       "Sid": "OnlyTenantA",
    ///       "Effect": "Deny",
    ///       "Principal": {"AWS": "*"},
    ///       "Action": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
    ///       "Resource": "*",
    ///       "Condition": {"StringNotEquals": {"kms:EncryptionContext:tenant": "a"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static DENY_OF_EVERYTHING_WITHOUT_THE_KEY = {
        code: "KEY041",
        name: "deny-of-everything-without-the-key",
        summary: "a `Deny` of every action under a condition that most of them do not supply",
        level: Warning,
        since: "0.1.0",
        covers: ["L41"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(&view.document) || view.is_allow() || !names_most(view) {
        return;
    }
    let on_keys = view.actions().iter().filter(|one| one.resource_kind() != ResourceKind::Any);
    let on_keys: Vec<Action> = on_keys.collect();
    let hit = |action: Action| {
        // Of what the action does not supply, everything must hold by its absence.
        let mut conditions = view.conditions();
        conditions.all(|(operator, condition)| {
            let met = key_policy::met_by_absence(operator.value, condition);
            !is_missing(view, condition, action) || met == Some(true)
        })
    };
    for (operator, condition) in view.conditions() {
        if key_policy::met_by_absence(operator.value, condition) != Some(true) {
            continue;
        }
        let missing: Vec<&Action> =
            on_keys.iter().filter(|one| is_missing(view, condition, **one) && hit(**one)).collect();
        if missing.len() * 2 > on_keys.len() {
            let name = &condition.key.value;
            let message =
                format!("requests without `{name}` are denied, those to manage the key among them");
            findings.push(
                Finding::at(condition.key.span, message)
                    .help("deny only the actions that supply the key, in `Action`"),
            );
        }
    }
}

/// Whether all actions are named by a wildcard, or all but a few.
fn names_most(view: &StatementView<'_>) -> bool {
    match &view.statement.action {
        Some(Element::Is(entries)) => {
            entries.iter().any(|entry| pattern::actions(&entry.value) == ActionSet::ALL)
        }
        Some(Element::IsNot(_)) => true,
        None => false,
    }
}

/// Whether requests for the action are without the key of a condition.
fn is_missing(view: &StatementView<'_>, condition: &Condition, action: Action) -> bool {
    match condition.key.value.known() {
        // Direct calls have none, and an administrator's are direct.
        Some(KnownKey::KmsViaService) => {
            key_policy::everybody(view).is_some() && !is_on_principals(view)
        }
        Some(key) => !supplies(action, key),
        None => false,
    }
}

fn is_on_principals(view: &StatementView<'_>) -> bool {
    view.conditions().any(|(_, one)| one.key.value.known() == Some(KnownKey::AwsPrincipalArn))
}
