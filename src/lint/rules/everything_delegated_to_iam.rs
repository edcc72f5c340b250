//! L05.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{ActionSet, Element, Principal};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy that give every action to the account's root principal,
    /// without a condition.
    ///
    /// ## Why is this bad?
    /// It is the default, and what keeps a key manageable; it also means that whoever may write IAM
    /// policies in the account decides who may use the key. Where the key policy should decide
    /// alone, let the account manage the key and name those who use it.
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
    ///       "Sid": "Manage",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
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
    pub(in crate::lint) static EVERYTHING_DELEGATED_TO_IAM = {
        code: "KEY005",
        name: "everything-delegated-to-iam",
        summary: "everything is left to IAM policies",
        level: Note,
        since: "0.1.0",
        covers: ["L05"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let plain = view.is_allow() && view.statement.condition.is_empty();
    if !key_policy::is_written(&view.document) || !plain || view.actions() != ActionSet::ALL {
        return;
    }
    let Some(Element::Is(actions)) = &view.statement.action else { return };
    let owner = key_policy::owner(&view.document);
    for entry in view.principals() {
        let Principal::Account { account, .. } = &entry.value else { continue };
        // An account that stands in for one nobody knows yet is not to be named.
        if !view.is_known(entry.span) || owner.is_some_and(|owner| owner != *account) {
            continue;
        }
        let everything = actions.iter().find(|one| pattern::actions(&one.value) == ActionSet::ALL);
        let span = everything.map_or(entry.span, |one| one.span);
        let message = format!("IAM policies of account {account} decide about everything");
        findings.push(Finding::at(span, message).related(entry.span, "the account"));
    }
}
