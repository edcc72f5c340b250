//! L47.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, DocumentView, Finding, Findings, key_policy};
use crate::model::Span;

declare_rule! {
    /// ## What it does
    /// Finds key policies that are longer than KMS stores. White space counts; where the policy is
    /// an object in a larger file, it is counted without. The example stands for one of 33,000
    /// bytes.
    ///
    /// ## Why is this bad?
    /// `PutKeyPolicy` refuses the policy with `LimitExceededException`. The quota cannot be raised.
    ///
    /// ## Example
    /// ```json,key,33000
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
    pub(in crate::lint) static OVERSIZED_POLICY = {
        code: "KEY047",
        name: "oversized-policy",
        summary: "a key policy of more than 32,768 bytes",
        level: Error,
        since: "0.1.0",
        covers: ["L47"],
        analyzer: ["POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA"],
        check: Check::Document(check),
    }
}

fn check(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    let Some(size) = key_policy::size_over(view, key_policy::LARGEST) else { return };
    let Some(first) = view.syntax.statements.first() else { return };
    let start = first.span.start();
    let largest = key_policy::LARGEST;
    let message = format!("the policy has {size} bytes; KMS stores {largest} at most");
    findings.push(Finding::at(Span::new(start, start + 1), message).help(
        "shorten lists with wildcards, name an organization instead of accounts, or use grants",
    ));
}
