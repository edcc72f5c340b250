//! L46.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{Action, Element, KnownKey, Principal, Spanned};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy that let a user or role call `PutKeyPolicy` by name, where
    /// no statement denies it under `kms:BypassPolicyLockoutSafetyCheck`.
    ///
    /// ## Why is this bad?
    /// KMS refuses a key policy that would keep its author from changing it again, unless the
    /// request says to bypass the check. A `Deny` keeps everybody from doing so by mistake.
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
    ///       "Sid": "Admin",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/key-admin"},
    ///       "Action": ["kms:PutKeyPolicy", "kms:GetKeyPolicy"],
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
    ///       "Sid": "Admin",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/key-admin"},
    ///       "Action": ["kms:PutKeyPolicy", "kms:GetKeyPolicy"],
    ///       "Resource": "*"
    ///     },
    ///     {
    ///       "Sid": "KeepTheCheck",
    ///       "Effect": "Deny",
    ///       "Principal": {"AWS": "*"},
    ///       "Action": "kms:PutKeyPolicy",
    ///       "Resource": "*",
    ///       "Condition": {"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "true"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static LOCKOUT_CHECK_BYPASS = {
        code: "KEY046",
        name: "lockout-check-bypass",
        summary: "nothing denies to bypass the lockout check",
        level: Note,
        since: "0.1.0",
        covers: ["L46"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(&view.document) || !view.is_allow() || speaks_of_bypass(view) {
        return;
    }
    let Some(Element::Is(entries)) = &view.statement.action else { return };
    let by_name = |one: &Spanned<Principal>| matches!(one.value, Principal::Arn(_));
    let guarded = view.document.statements().any(|other| {
        !other.is_allow()
            && other.actions().contains(Action::PutKeyPolicy)
            && speaks_of_bypass(&other)
    });
    if guarded || !view.principals().iter().any(by_name) {
        return;
    }
    let puts = |one: &&Spanned<String>| pattern::actions(&one.value).contains(Action::PutKeyPolicy);
    if let Some(entry) = entries.iter().find(puts) {
        let message = "the policy may be replaced with the lockout check bypassed";
        findings.push(
            Finding::at(entry.span, message).help(
                "deny `kms:PutKeyPolicy` where `kms:BypassPolicyLockoutSafetyCheck` is `true`",
            ),
        );
    }
}

fn speaks_of_bypass(view: &StatementView<'_>) -> bool {
    let bypass = Some(KnownKey::KmsBypassPolicyLockoutSafetyCheck);
    view.conditions().any(|(_, condition)| condition.key.value.known() == bypass)
}
