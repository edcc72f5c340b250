//! L37.

use crate::lint::key_policy::{self, KeyMatch};
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::Element;

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy whose `Resource` is a key's ARN or a pattern instead of
    /// `*`.
    ///
    /// ## Why is this bad?
    /// In a key policy `*` is the key itself. An ARN is compared with the key's own: a statement
    /// with another key's has no effect, and one with the key's own is lost when the policy is
    /// copied.
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
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
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
    pub(in crate::lint) static NAMED_RESOURCE = {
        code: "KEY237",
        name: "named-resource",
        summary: "a key named in its own key policy",
        level: Note,
        since: "0.1.0",
        covers: ["L37"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(&view.document) {
        return;
    }
    let Some(Element::Is(entries)) = &view.statement.resource else { return };
    for entry in entries.iter().filter(|entry| entry.value != "*") {
        if key_policy::matches_key(&view.document, &entry.value) != KeyMatch::Never {
            let message = "the statement has an effect only on the key with this ARN";
            findings.push(Finding::at(entry.span, message).help("write `*`, which is the key"));
        }
    }
}
