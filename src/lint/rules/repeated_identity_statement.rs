//! L47.

use super::repeated_statement;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, DocumentView, Findings};
use crate::model::PolicyKind;

declare_rule! {
    /// ## What it does
    /// Finds statements in policies other than key policies that repeat another of the same policy,
    /// whatever their names.
    ///
    /// ## Why is this bad?
    /// The second one changes nothing. Whoever takes one of them out believes that the permission is
    /// gone.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    ///     },
    ///     {
    ///       "Sid": "UseAgain",
    ///       "Effect": "Allow",
    ///       "Action": ["kms:Decrypt"],
    ///       "Resource": [
    ///         "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    ///       ]
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
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static REPEATED_IDENTITY_STATEMENT = {
        code: "IAM047",
        name: "repeated-identity-statement",
        summary: "a statement that stands there twice",
        level: Note,
        since: "0.1.0",
        covers: ["L47"],
        analyzer: ["REDUNDANT_STATEMENT"],
        check: Check::Document(check),
    }
}

fn check(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    if view.document.kind != PolicyKind::Key {
        repeated_statement::report(view, findings);
    }
}
