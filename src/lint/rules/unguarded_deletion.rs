//! L45.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{Action, Element, Principal, Spanned};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy that let a user or role schedule the key's deletion or
    /// disable it without any condition, where no `Deny` with a condition guards it.
    ///
    /// ## Why is this bad?
    /// Data under a deleted key is lost. A condition on
    /// `kms:ScheduleKeyDeletionPendingWindowInDays`, `kms:TrailingDaysWithoutKeyUsage` or
    /// `aws:MultiFactorAuthPresent` leaves time to notice, or asks for a second factor.
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
    ///       "Action": ["kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"],
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
    ///       "Action": "kms:ScheduleKeyDeletion",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "NumericGreaterThanEquals": {"kms:ScheduleKeyDeletionPendingWindowInDays": "14"}
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static UNGUARDED_DELETION = {
        code: "KEY045",
        name: "unguarded-deletion",
        summary: "deleting or disabling the key without a guard",
        level: Note,
        since: "0.1.0",
        covers: ["L45"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let plain = view.is_allow() && view.statement.condition.is_empty();
    if !key_policy::is_written(&view.document) || !plain {
        return;
    }
    let by_name = |one: &Spanned<Principal>| matches!(one.value, Principal::Arn(_));
    let Some(Element::Is(entries)) = &view.statement.action else { return };
    if !view.principals().iter().any(by_name) {
        return;
    }
    for action in [Action::ScheduleKeyDeletion, Action::DisableKey] {
        let guarded = view
            .document
            .statements()
            .any(|other| !other.is_allow() && other.actions().contains(action));
        let entry = entries.iter().find(|one| pattern::actions(&one.value).contains(action));
        if let Some(entry) = entry.filter(|_| !guarded) {
            let message = format!("`{action}` is allowed without a guard");
            findings.push(Finding::at(entry.span, message).help(
                "add a condition, such as on the waiting period, the last use or a second factor",
            ));
            return;
        }
    }
}
