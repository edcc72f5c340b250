//! L01.

use crate::lint::key_policy::{self, Reach};
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy that allow something to `*` and have no condition.
    ///
    /// ## Why is this bad?
    /// Every user and role of every AWS account may use the key then: those of other accounts need
    /// a permission of their own account, which they can give themselves.
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
    ///       "Principal": {"AWS": "*"},
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
    pub(in crate::lint) static WILDCARD_PRINCIPAL = {
        code: "KEY001",
        name: "wildcard-principal",
        summary: "every principal of every account, without a condition",
        level: Error,
        since: "0.1.0",
        covers: ["L01"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let Some(entry) = key_policy::allows_everybody(view) else { return };
    if key_policy::reach(view) == Reach::Anybody {
        let message = "every user and role of every AWS account is allowed this";
        findings.push(Finding::at(entry.span, message).help(
            "name roles, or add a condition on `aws:PrincipalOrgID`, `aws:PrincipalAccount` or \
             `aws:PrincipalArn`",
        ));
    }
}
