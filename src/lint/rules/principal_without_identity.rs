//! L01, L02.

use crate::lint::key_policy::{self, Reach};
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::KnownKey;

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy that allow something to `*` and whose conditions pin down
    /// neither an account, an organization, a principal, a network nor a resource. A value with a
    /// wildcard where the account stands, or a policy variable, pins down nothing.
    ///
    /// ## Why is this bad?
    /// Callers of every AWS account can meet such conditions: an encryption context is what the
    /// caller says it is, and tags of principals are given in the account of the caller.
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
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}
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
    ///       "Principal": {"AWS": "*"},
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "StringEquals": {"kms:EncryptionContext:tenant": "a", "aws:PrincipalAccount": "111122223333"}
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static PRINCIPAL_WITHOUT_IDENTITY = {
        code: "KEY002",
        name: "principal-without-identity",
        summary: "every principal, under conditions that do not say who it is",
        level: Warning,
        since: "0.1.0",
        covers: ["L01", "L02"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let Some(entry) = key_policy::allows_everybody(view) else { return };
    // Calls through a service are another rule's.
    if key_policy::reach(view) != Reach::Unlimited || names_service(view) {
        return;
    }
    let message = "callers of every AWS account can meet these conditions";
    let mut finding = Finding::at(entry.span, message).help(
        "add a condition on `aws:PrincipalOrgID`, `aws:PrincipalAccount` or `aws:PrincipalArn` \
         with a value that names whom you mean",
    );
    for (_, condition) in view.conditions() {
        finding = finding.related(condition.span, "says nothing about who calls");
    }
    findings.push(finding);
}

fn names_service(view: &StatementView<'_>) -> bool {
    view.conditions().any(|(_, one)| one.key.value.known() == Some(KnownKey::KmsViaService))
}
