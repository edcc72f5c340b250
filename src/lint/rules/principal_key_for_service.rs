//! Access Analyzer.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{KnownKey, Principal, Spanned};

declare_rule! {
    /// ## What it does
    /// Finds conditions on `aws:PrincipalArn`, `aws:PrincipalAccount`, `aws:PrincipalOrgID`,
    /// `aws:PrincipalOrgPaths` and `aws:PrincipalTag/…` in statements of a key policy whose
    /// principals are services alone.
    ///
    /// ## Why is this bad?
    /// A service that calls as itself has no ARN, no account and no tags: an `Allow` under such a
    /// condition never applies.
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
    ///       "Sid": "LetTrailEncrypt",
    ///       "Effect": "Allow",
    ///       "Principal": {"Service": "cloudtrail.amazonaws.com"},
    ///       "Action": "kms:GenerateDataKey*",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "StringEquals": {
    ///           "aws:SourceArn": "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main",
    ///           "aws:PrincipalOrgID": "o-a1b2c3d4e5"
    ///         }
    ///       }
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
    ///       "Sid": "LetTrailEncrypt",
    ///       "Effect": "Allow",
    ///       "Principal": {"Service": "cloudtrail.amazonaws.com"},
    ///       "Action": "kms:GenerateDataKey*",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "StringEquals": {
    ///           "aws:SourceArn": "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main",
    ///           "aws:SourceOrgID": "o-a1b2c3d4e5"
    ///         }
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static PRINCIPAL_KEY_FOR_SERVICE = {
        code: "KEY404",
        name: "principal-key-for-service",
        summary: "a condition on users and roles in a statement for a service principal",
        level: Error,
        since: "0.1.0",
        covers: [],
        analyzer: ["UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let is_service = |one: &Spanned<Principal>| matches!(one.value, Principal::Service(_));
    let principals = view.principals();
    let services = !principals.is_empty() && principals.iter().all(is_service);
    if !key_policy::is_written(&view.document) || !view.is_allow() || !services {
        return;
    }
    for (operator, condition) in view.conditions() {
        let instead = match condition.key.value.known() {
            Some(KnownKey::AwsPrincipalOrgId) => "write `aws:SourceOrgID` instead",
            Some(KnownKey::AwsPrincipalOrgPaths) => "write `aws:SourceOrgPaths` instead",
            Some(KnownKey::AwsPrincipalAccount) => "write `aws:SourceAccount` instead",
            Some(KnownKey::AwsPrincipalArn | KnownKey::AwsPrincipalTag) => {
                "write `aws:SourceArn` or `aws:SourceAccount` instead"
            }
            _ => continue,
        };
        if key_policy::met_by_absence(operator.value, condition) == Some(false) {
            let name = &condition.key.value;
            let message = format!("services have no `{name}`: this condition never holds");
            findings.push(Finding::at(condition.key.span, message).help(instead));
        }
    }
}
