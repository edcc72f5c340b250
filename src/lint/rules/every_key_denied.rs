//! Resource control policies.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView, identity};
use crate::model::{Action, ActionSet, PolicyKind, Spanned};

declare_rule! {
    /// ## What it does
    /// Finds statements of resource control policies that deny decryption and encryption with every key
    /// without a condition.
    ///
    /// ## Why is this bad?
    /// They bind whoever calls, services included. Nothing that is encrypted with a customer managed
    /// key of the accounts below can be read any more, and no key policy can help.
    ///
    /// ## Example
    /// ```json,rcp
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Limits",
    ///       "Effect": "Deny",
    ///       "Principal": "*",
    ///       "Action": "kms:*",
    ///       "Resource": "*"
    ///     }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,rcp
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Limits",
    ///       "Effect": "Deny",
    ///       "Principal": "*",
    ///       "Action": "kms:*",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
    ///         "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static EVERY_KEY_DENIED = {
        code: "IAM406",
        name: "every-key-denied",
        summary: "a resource control policy that denies everybody the use of every key",
        level: Warning,
        since: "0.1.0",
        covers: [],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let uses: ActionSet = [Action::Decrypt, Action::GenerateDataKey].into_iter().collect();
    if view.kind() != PolicyKind::ResourceControl
        || view.is_allow()
        || !view.statement.condition.is_empty()
        || !uses.is_subset_of(view.actions())
    {
        return;
    }
    let all = |entry: &&Spanned<String>| {
        let reach = identity::reach(&entry.value);
        reach.keys && reach.strangers
    };
    let resources = identity::resources(view).unwrap_or_default();
    let Some(resource) = resources.iter().find(all) else { return };
    let message = "nobody can use any key of the accounts this policy is attached to";
    let help = "add a condition, such as `StringNotEqualsIfExists` on `aws:PrincipalOrgID` with \
                `BoolIfExists` on `aws:PrincipalIsAWSService`";
    findings.push(Finding::at(resource.span, message).help(help));
}
