//! L37.

use crate::lint::key_policy::{self, KeyMatch};
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::Element;

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy whose `Resource` cannot be the key the policy is on:
    /// aliases, bare key ids, resources of other services, keys of another account or, where the
    /// input tells which key it is, another key.
    ///
    /// ## Why is this bad?
    /// A key policy speaks of its own key alone. A statement for anything else has no effect.
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
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:alias/orders"
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
    pub(in crate::lint) static FOREIGN_RESOURCE = {
        code: "KEY137",
        name: "foreign-resource",
        summary: "a resource that is not the key",
        level: Warning,
        since: "0.1.0",
        covers: ["L37"],
        analyzer: ["UNSUPPORTED_RESOURCE_ARN_IN_POLICY"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(&view.document) {
        return;
    }
    let entries = match &view.statement.resource {
        Some(Element::Is(entries)) => entries,
        Some(Element::IsNot(entries)) => {
            if let Some(all) = entries.iter().find(|entry| entry.value == "*") {
                let message = "`NotResource` with `*` leaves no key: the statement has no effect";
                let help = r#"write `"Resource": "*"`, which is the key"#;
                findings.push(Finding::at(all.span, message).help(help));
            }
            return;
        }
        None => return,
    };
    for entry in entries.iter().filter(|entry| view.is_known(entry.span)) {
        if key_policy::matches_key(&view.document, &entry.value) == KeyMatch::Never {
            let message = format!("`{}` is not the key that the policy is on", entry.value);
            let help = "write `*`, which is the key";
            findings.push(Finding::at(entry.span, message).help(help));
        }
    }
}
