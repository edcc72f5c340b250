//! L33.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::Principal;

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy that let another account decide by itself which of its
    /// principals may use the key.
    ///
    /// ## Why is this bad?
    /// The owner of the key does not see whom the other account lets. A role named in the key
    /// policy is the only one of its account that can use the key.
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
    ///       "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
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
    ///       "Principal": {"AWS": "arn:aws:iam::444455556666:role/reader"},
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///       "Resource": "*"
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static WHOLE_EXTERNAL_ACCOUNT = {
        code: "KEY133",
        name: "whole-external-account",
        summary: "another account's root principal, where a role would do",
        level: Note,
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
    for entry in view.principals() {
        let Principal::Account { account, .. } = &entry.value else { continue };
        if *account != owner {
            let message = format!("account {account} decides which of its principals may do this");
            findings.push(Finding::at(entry.span, message).help("name the role that needs it"));
        }
    }
}
