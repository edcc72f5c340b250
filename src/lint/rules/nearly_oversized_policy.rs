//! L47.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, DocumentView, Finding, Findings, key_policy};
use crate::model::Span;

declare_rule! {
    /// ## What it does
    /// Finds key policies of more than four fifths of the 32,768 bytes that KMS stores. The example
    /// stands for one of 27,000 bytes.
    ///
    /// ## Why is this bad?
    /// The quota cannot be raised, and a policy that grows with every principal will reach it.
    ///
    /// ## Example
    /// ```json,key,27000
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
    pub(in crate::lint) static NEARLY_OVERSIZED_POLICY = {
        code: "KEY147",
        name: "nearly-oversized-policy",
        summary: "a key policy near its largest size",
        level: Note,
        since: "0.1.0",
        covers: ["L47"],
        analyzer: [],
        check: Check::Document(check),
    }
}

fn check(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    let largest = key_policy::LARGEST;
    if key_policy::size_over(view, largest).is_some() {
        return;
    }
    let Some(size) = key_policy::size_over(view, largest / 5 * 4) else { return };
    let Some(first) = view.syntax.statements.first() else { return };
    let start = first.span.start();
    let message = format!("the policy has {size} bytes of the {largest} that KMS stores");
    findings.push(Finding::at(Span::new(start, start + 1), message).help(
        "shorten lists with wildcards, name an organization instead of accounts, or use grants",
    ));
}
