//! Access Analyzer.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::lint::{condition, key_policy};
use crate::model::{KnownKey, PolicyKind};

declare_rule! {
    /// ## What it does
    /// Finds resource control policies that deny requests whose principal is not of an organization,
    /// account or list of principals, without an exemption for AWS services that call as themselves.
    ///
    /// ## Why is this bad?
    /// A service principal is of no account and no organization. CloudTrail, S3 and others that use
    /// keys by a service principal are denied in every account the policy is attached to.
    ///
    /// ## Example
    /// ```json,rcp
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Perimeter",
    ///       "Effect": "Deny",
    ///       "Principal": "*",
    ///       "Action": "kms:*",
    ///       "Resource": "*",
    ///       "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
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
    ///       "Sid": "Perimeter",
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
    pub(in crate::lint) static RCP_THAT_HITS_SERVICES = {
        code: "CON404",
        name: "rcp-that-hits-services",
        summary: "a resource control policy by principal that denies AWS services",
        level: Warning,
        since: "0.1.0",
        covers: [],
        analyzer: ["RCP_MISSING_RELATED_PRINCIPAL_CONDITION_KEY"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    use KnownKey as K;
    if view.kind() != PolicyKind::ResourceControl || view.is_allow() {
        return;
    }
    let speaks_of_services = view.conditions().any(|(_, one)| {
        one.key.value.known().is_some_and(|key| {
            key_policy::is_source(key)
                || matches!(
                    key,
                    K::AwsPrincipalIsAwsService
                        | K::AwsPrincipalServiceName
                        | K::AwsPrincipalServiceNamesList
                )
        })
    });
    // What a service's request has to carry to be denied, none of them carries.
    let is_of_principals = condition::needs(
        view,
        &[
            K::AwsPrincipalArn,
            K::AwsPrincipalOrgId,
            K::AwsPrincipalOrgPaths,
            K::AwsPrincipalTag,
            K::KmsViaService,
        ],
    );
    if speaks_of_services || is_of_principals {
        return;
    }
    for (operator, one) in view.conditions() {
        let is_principal = matches!(
            one.key.value.known(),
            Some(
                K::AwsPrincipalAccount
                    | K::AwsPrincipalArn
                    | K::AwsPrincipalOrgId
                    | K::AwsPrincipalOrgPaths
                    | K::AwsPrincipalTag
            )
        );
        if is_principal && key_policy::met_by_absence(operator.value, one) == Some(true) {
            let message = format!("AWS services, which have no `{}`, are denied", one.key.value);
            let help = "add `\"BoolIfExists\": {\"aws:PrincipalIsAWSService\": \"false\"}`";
            findings.push(Finding::at(one.key.span, message).help(help));
            return;
        }
    }
}
