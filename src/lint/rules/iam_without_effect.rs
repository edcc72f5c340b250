//! L04.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, DocumentView, Finding, Findings, StatementView};
use crate::model::{Action, Principal, PrincipalElement};

declare_rule! {
    /// ## What it does
    /// Finds key policies that somebody can change but that have no `Allow` for the account's root
    /// principal.
    ///
    /// ## Why is this bad?
    /// IAM policies allow something on a key only where the key policy gives it to the account.
    /// Without such a statement every identity policy that allows this key has no effect. That may
    /// be intended: then the key policy is the only place that tells who may use the key.
    ///
    /// ## Example
    /// ```json,key
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Admin",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/key-admin"},
    ///       "Action": [
    ///         "kms:CancelKeyDeletion",
    ///         "kms:Describe*",
    ///         "kms:Disable*",
    ///         "kms:Enable*",
    ///         "kms:Get*",
    ///         "kms:List*",
    ///         "kms:Put*",
    ///         "kms:ScheduleKeyDeletion",
    ///         "kms:TagResource",
    ///         "kms:UntagResource",
    ///         "kms:Update*"
    ///       ],
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
    ///       "Action": [
    ///         "kms:CancelKeyDeletion",
    ///         "kms:Describe*",
    ///         "kms:Disable*",
    ///         "kms:Enable*",
    ///         "kms:Get*",
    ///         "kms:List*",
    ///         "kms:Put*",
    ///         "kms:ScheduleKeyDeletion",
    ///         "kms:TagResource",
    ///         "kms:UntagResource",
    ///         "kms:Update*"
    ///       ],
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
    pub(in crate::lint) static IAM_WITHOUT_EFFECT = {
        code: "KEY004",
        name: "iam-without-effect",
        summary: "no statement for the account: its IAM policies allow nothing on the key",
        level: Note,
        since: "0.1.0",
        covers: ["L04"],
        analyzer: [],
        check: Check::Document(check),
    }
}

fn check(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(view) || !view.document.is_whole() {
        return;
    }
    let allows = || view.statements().filter(|one| one.is_allow());
    // Another account's principal cannot change the policy: who can is of the key's account.
    let managers = || {
        let manage = allows().filter(|one| one.actions().contains(Action::PutKeyPolicy));
        manage.flat_map(|one| one.principals()).map(|one| key_policy::account_of(&one.value))
    };
    let first = managers().next().flatten();
    let managed_by = key_policy::owner(view).or(first.filter(|_| managers().all(|it| it == first)));
    let is_account = |one: &StatementView<'_>| {
        let mut entries = one.principals().iter();
        entries.any(|entry| match entry.value {
            Principal::Account { account, .. } => managed_by.is_none_or(|own| own == account),
            _ => false,
        }) || key_policy::everybody(one).is_some()
            || matches!(one.statement.principal, Some(PrincipalElement::IsNot(_)))
    };
    if allows().any(|one| is_account(&one)) {
        return;
    }
    let manages = allows().find(|one| one.actions().contains(Action::PutKeyPolicy));
    let Some(manages) = manages else { return };
    let Some(entry) = manages.principals().first() else { return };
    let message = "no statement is for the account, so its IAM policies allow nothing on this key";
    findings
        .push(Finding::at(entry.span, message).help(
            "add a statement for the account's root principal, if IAM policies should count",
        ));
}
