//! L15.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{Action, ActionSet, Element};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Finds `kms:RetireGrant` in key policies.
    ///
    /// ## Why is this bad?
    /// Who may retire a grant is said by the grant, and by identity policies of the account that
    /// owns the key or issued the grant. AWS lists the action as one for IAM policies alone: a key
    /// policy that names it gives nothing, though guides of several services print it.
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
    ///       "Sid": "Grants",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": ["kms:CreateGrant", "kms:RetireGrant"],
    ///       "Resource": "*",
    ///       "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}
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
    ///       "Sid": "Grants",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": "kms:CreateGrant",
    ///       "Resource": "*",
    ///       "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static RETIRE_GRANT_IN_KEY_POLICY = {
        code: "KEY115",
        name: "retire-grant-in-key-policy",
        summary: "`kms:RetireGrant` in a key policy",
        level: Note,
        since: "0.1.0",
        covers: ["L15"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(&view.document) {
        return;
    }
    let Some(Element::Is(actions)) = &view.statement.action else { return };
    let only = ActionSet::from_iter([Action::RetireGrant]);
    for entry in actions.iter().filter(|entry| pattern::actions(&entry.value) == only) {
        let message = format!("`{}` in a key policy gives nothing", entry.value);
        let help = "name a retiring principal in the grant, or write it in an identity policy";
        findings.push(Finding::at(entry.span, message).help(help));
    }
}
