//! Access Analyzer.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{Principal, Spanned};

declare_rule! {
    /// ## What it does
    /// Finds conditions on `aws:SourceArn`, `aws:SourceAccount`, `aws:SourceOrgID` and
    /// `aws:SourceOrgPaths` in statements of a key policy that allow something to users, roles or
    /// accounts by name.
    ///
    /// ## Why is this bad?
    /// The keys are in calls that a service makes as itself. Users and roles never send them, also
    /// where a service forwards their call: the statement never applies.
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
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}
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
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"aws:PrincipalAccount": "111122223333"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static SOURCE_KEY_WITHOUT_SERVICE = {
        code: "KEY405",
        name: "source-key-without-service",
        summary: "a condition on a source in a statement for users and roles",
        level: Warning,
        since: "0.1.0",
        covers: [],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let by_name = |one: &Spanned<Principal>| {
        matches!(one.value, Principal::Account { .. } | Principal::Arn(_))
    };
    let principals = view.principals();
    let named = !principals.is_empty() && principals.iter().all(by_name);
    if !key_policy::is_written(&view.document) || !view.is_allow() || !named {
        return;
    }
    for (operator, condition) in view.conditions() {
        let is_source = condition.key.value.known().is_some_and(key_policy::is_source);
        if is_source && key_policy::met_by_absence(operator.value, condition) == Some(false) {
            let name = &condition.key.value;
            let message =
                format!("users and roles never send `{name}`: this condition never holds");
            let help =
                "write `kms:ViaService`, `aws:PrincipalArn` or `aws:PrincipalAccount` instead";
            findings.push(Finding::at(condition.key.span, message).help(help));
        }
    }
}
