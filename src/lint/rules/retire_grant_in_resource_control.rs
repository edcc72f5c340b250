//! Resource control policies.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, Fix, StatementView, identity};
use crate::model::{Action, PolicyKind};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Finds `kms:RetireGrant` among the actions of a resource control policy.
    ///
    /// ## Why is this bad?
    /// KMS takes no notice of resource control policies when a grant is retired, even where they deny
    /// `kms:*`.
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
    ///       "Action": ["kms:RetireGrant", "kms:RevokeGrant"],
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
    ///         "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}
    ///       }
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
    ///       "Action": ["kms:RevokeGrant"],
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
    ///         "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static RETIRE_GRANT_IN_RESOURCE_CONTROL = {
        code: "IAM404",
        name: "retire-grant-in-resource-control",
        summary: "`kms:RetireGrant` in a resource control policy",
        level: Warning,
        since: "0.1.0",
        covers: [],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if view.kind() != PolicyKind::ResourceControl {
        return;
    }
    let only = [Action::RetireGrant].into_iter().collect();
    for entry in identity::actions(view).unwrap_or_default() {
        if pattern::actions(&entry.value) != only {
            continue;
        }
        let message = format!("`{}` has no effect in a resource control policy", entry.value);
        let help =
            "deny it in a service control policy, which binds the users and roles who retire";
        let finding = Finding::at(entry.span, message).help(help);
        let fix = Fix::safe("remove it");
        findings.push(finding.fix(fix.remove_element(view.document.document.text(), entry.span)));
    }
}
