//! L03.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, DocumentView, Finding, Findings, ask, key_policy};
use crate::model::Action;

declare_rule! {
    /// ## What it does
    /// Does what `unmanageable-key` does for documents that may be only a part of a key's policy,
    /// such as statements that a guide prints or that a module adds to others.
    ///
    /// ## Why is this bad?
    /// When it is all of the policy, nobody can change it, and the key cannot be managed, shared or
    /// deleted any more without AWS Support.
    ///
    /// ## Example
    /// ```json,key
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
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
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///       "Resource": "*"
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static NO_MANAGER_NAMED = {
        code: "KEY103",
        name: "no-manager-named",
        summary: "a document that lets nobody change a key policy",
        level: Note,
        since: "0.1.0",
        covers: ["L03"],
        analyzer: [],
        check: Check::Document(check),
    }
}

fn check(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    if key_policy::is_complete(view) || !ask::nobody_is_given(view, Action::PutKeyPolicy) {
        return;
    }
    let Some(first) = view.statements().next() else { return };
    let message = "nothing here lets anybody change the key policy";
    findings.push(Finding::at(first.statement.span, message).help(
        "if this is all of the policy, let the account's root principal or a role that manages the \
         key call `kms:PutKeyPolicy`",
    ));
}
