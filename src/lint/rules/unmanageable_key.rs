//! L03.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, DocumentView, Finding, Findings, ask, key_policy};
use crate::model::Action;

declare_rule! {
    /// ## What it does
    /// Asks, for everybody whom a key policy names and for the accounts it names, whether they
    /// could call `PutKeyPolicy`, and finds policies that let nobody. It speaks only of documents
    /// that are surely all of a key's policy: those that come with their key, what `get-key-policy`
    /// prints, and those that let somebody manage the key, beside other statements.
    ///
    /// ## Why is this bad?
    /// No principal, the account's root user included, has a permission on a key that its policy
    /// does not give. A key whose policy nobody can change cannot be managed, shared or deleted any
    /// more without AWS Support.
    ///
    /// ## Example
    /// ```json
    /// {
    ///   "PolicyName": "default",
    ///   "Policy": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Use",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///         "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   }
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json
    /// {
    ///   "PolicyName": "default",
    ///   "Policy": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "Use",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///         "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   }
    /// }
    /// ```
    pub(in crate::lint) static UNMANAGEABLE_KEY = {
        code: "KEY003",
        name: "unmanageable-key",
        summary: "a key policy that lets nobody change it",
        level: Error,
        since: "0.1.0",
        covers: ["L03"],
        analyzer: [],
        check: Check::Document(check),
    }
}

fn check(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_complete(view) || !ask::nobody_is_given(view, Action::PutKeyPolicy) {
        return;
    }
    let Some(first) = view.statements().next() else { return };
    let message = "nobody can change this key policy: no statement gives `kms:PutKeyPolicy` to \
                   anybody who could use it";
    findings.push(Finding::at(first.statement.span, message).help(
        "let the account's root principal or a role that manages the key call `kms:PutKeyPolicy`",
    ));
}
