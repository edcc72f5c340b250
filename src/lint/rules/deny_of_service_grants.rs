//! L24.

use crate::lint::condition;
use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{Action, KnownKey, Operator};

declare_rule! {
    /// ## What it does
    /// Finds a `Deny` of grants to all but some grantee principals that does not speak of grantee
    /// service principals.
    ///
    /// ## Why is this bad?
    /// A grant to a service has no grantee principal, and an absent key meets a negated condition:
    /// the statement denies every grant to a service, also where that was never thought of.
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
    ///       "Sid": "OnlyBatch",
    ///       "Effect": "Deny",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": "kms:CreateGrant",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "StringNotEquals": {"kms:GranteePrincipal": "arn:aws:iam::111122223333:role/batch"}
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
    ///       "Sid": "OnlyBatch",
    ///       "Effect": "Deny",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": "kms:CreateGrant",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "StringNotEquals": {"kms:GranteePrincipal": "arn:aws:iam::111122223333:role/batch"},
    ///         "Null": {"kms:GranteeServicePrincipal": "true"}
    ///       }
    ///     },
    ///     {
    ///       "Sid": "OnlyRds",
    ///       "Effect": "Deny",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": "kms:CreateGrant",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "Null": {"kms:GranteeServicePrincipal": "false"},
    ///         "StringNotEquals": {"kms:GranteeServicePrincipal": "rds.amazonaws.com"}
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static DENY_OF_SERVICE_GRANTS = {
        code: "CON124",
        name: "deny-of-service-grants",
        summary: "a `Deny` by grantee that denies every grant to a service",
        level: Note,
        since: "0.1.0",
        covers: ["L24"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let has = |key| view.conditions().any(|(_, one)| one.key.value.known() == Some(key));
    if view.is_allow()
        || !view.actions().contains(Action::CreateGrant)
        || has(KnownKey::KmsGranteeServicePrincipal)
        || has(KnownKey::KmsGrantIsForAwsResource)
        || condition::needs(view, &[KnownKey::KmsGranteePrincipal])
    {
        return;
    }
    for (operator, one) in view.conditions() {
        if one.key.value.known() == Some(KnownKey::KmsGranteePrincipal)
            && operator.value.operator != Operator::Null
            && key_policy::met_by_absence(operator.value, one) == Some(true)
        {
            let message = "every grant to a service is denied: it has no grantee principal";
            findings.push(Finding::at(one.key.span, message).help(
                "if services are to get grants, add `\"Null\": {\"kms:GranteeServicePrincipal\": \"true\"}`",
            ));
        }
    }
}
