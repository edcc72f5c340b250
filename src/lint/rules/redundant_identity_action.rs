//! Access Analyzer.

use super::redundant_action;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Findings, StatementView};
use crate::model::PolicyKind;

declare_rule! {
    /// ## What it does
    /// Finds entries of `Action` in policies other than key policies whose KMS actions are all named by
    /// another entry of the same list.
    ///
    /// ## Why is this bad?
    /// The entry changes nothing. It makes the list longer than it is, and whoever removes one of the
    /// two believes the action gone.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Action": ["kms:GenerateDataKey*", "kms:GenerateDataKey"],
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    ///     }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Action": ["kms:GenerateDataKey*"],
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static REDUNDANT_IDENTITY_ACTION = {
        code: "IAM401",
        name: "redundant-identity-action",
        summary: "an action that another entry names already",
        level: Note,
        since: "0.1.0",
        covers: [],
        analyzer: ["REDUNDANT_ACTION"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if view.kind() != PolicyKind::Key {
        redundant_action::report(view, findings);
    }
}
