//! Access Analyzer.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::lint::{condition, key_policy};
use crate::model::{KnownKey, PolicyKind};

declare_rule! {
    /// ## What it does
    /// Finds statements that deny everybody whose request is not made for certain resources,
    /// accounts or organizations (`aws:SourceArn`, `aws:SourceAccount`, `aws:SourceOrgID`,
    /// `aws:SourceOrgPaths`) and do not say that they are for services.
    ///
    /// ## Why is this bad?
    /// Only calls that a service makes as itself carry these keys. Requests of users and roles are
    /// without them, meet the negated condition and are denied.
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
    ///       "Condition": {"StringNotEqualsIfExists": {"aws:SourceOrgID": "o-a1b2c3d4e5"}}
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
    ///         "StringNotEqualsIfExists": {"aws:SourceOrgID": "o-a1b2c3d4e5"},
    ///         "Null": {"aws:SourceAccount": "false"},
    ///         "Bool": {"aws:PrincipalIsAWSService": "true"}
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static SOURCE_DENY_THAT_HITS_USERS = {
        code: "CON414",
        name: "source-deny-that-hits-users",
        summary: "a `Deny` by source that denies every user and role",
        level: Warning,
        since: "0.1.0",
        covers: [],
        analyzer: ["RCP_MISSING_RELATED_SERVICE_PRINCIPAL_CONDITION_KEY", "RCP_MISSING_SERVICE_CONDITION_KEY_NULL_CHECK"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    use KnownKey as K;
    let is_for_all = match view.kind() {
        PolicyKind::ResourceControl => true,
        PolicyKind::Key => key_policy::everybody(view).is_some(),
        _ => false,
    };
    let speaks_of_callers = view.conditions().any(|(_, one)| {
        matches!(
            one.key.value.known(),
            Some(
                K::AwsPrincipalAccount
                    | K::AwsPrincipalArn
                    | K::AwsPrincipalIsAwsService
                    | K::AwsPrincipalOrgId
                    | K::AwsPrincipalOrgPaths
                    | K::AwsPrincipalServiceName
                    | K::AwsPrincipalServiceNamesList
                    | K::AwsPrincipalTag
                    | K::AwsPrincipalType
                    | K::KmsCallerAccount
            )
        )
    });
    if view.is_allow()
        || !is_for_all
        || speaks_of_callers
        || condition::needs(view, key_policy::SOURCES)
    {
        return;
    }
    for (operator, one) in view.conditions() {
        let is_source = one.key.value.known().is_some_and(key_policy::is_source);
        if is_source
            && operator.value.operator.is_negated()
            && key_policy::met_by_absence(operator.value, one) == Some(true)
        {
            let message = format!("users and roles never send `{}`, and are denied", one.key.value);
            let help = "add `\"Bool\": {\"aws:PrincipalIsAWSService\": \"true\"}`";
            findings.push(Finding::at(one.key.span, message).help(help));
        }
    }
}
