//! L24.

use crate::lint::condition;
use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{Action, KnownKey, Operator};

declare_rule! {
    /// ## What it does
    /// Finds limits on the grantees of new grants that grants to services pass: an `Allow` whose
    /// condition on `kms:GranteePrincipal` a request without it meets, and a `Deny` that such a
    /// request does not meet.
    ///
    /// ## Why is this bad?
    /// A grant has either a grantee principal or a grantee service principal. `kms:GranteePrincipal`
    /// is not there in requests for the second kind, so that a negated condition or one with
    /// `IfExists` says nothing of them.
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
    ///       "Action": "kms:CreateGrant",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "ArnNotEquals": {"kms:GranteePrincipal": "arn:aws:iam::111122223333:role/batch"}
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
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": "kms:CreateGrant",
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "ArnNotEquals": {"kms:GranteePrincipal": "arn:aws:iam::111122223333:role/batch"},
    ///         "Null": {"kms:GranteeServicePrincipal": "true"}
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static GRANTEE_WITHOUT_SERVICE = {
        code: "CON024",
        name: "grantee-without-service",
        summary: "grants limited by grantee, but not those to services",
        level: Warning,
        since: "0.1.0",
        covers: ["L24"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let has = |key| view.conditions().any(|(_, one)| one.key.value.known() == Some(key));
    if !view.actions().contains(Action::CreateGrant)
        || has(KnownKey::KmsGranteeServicePrincipal)
        || condition::needs(view, &[KnownKey::KmsGranteePrincipal]) == view.is_allow()
    {
        return;
    }
    for (operator, one) in view.conditions() {
        if one.key.value.known() != Some(KnownKey::KmsGranteePrincipal) {
            continue;
        }
        let met = key_policy::met_by_absence(operator.value, one);
        let (message, help) = match (view.is_allow(), met) {
            (true, Some(true)) => (
                "grants to any service are allowed: they have no grantee principal",
                "add a condition on `kms:GranteeServicePrincipal`, or `\"Null\": {\"kms:GranteeServicePrincipal\": \"true\"}`",
            ),
            // Only what says which grantees are right is a limit; others are denied one by one.
            (false, Some(false)) if operator.value.operator.is_negated() => (
                "grants to services are not denied: they have no grantee principal",
                "deny them by a statement of their own with a condition on `kms:GranteeServicePrincipal`",
            ),
            (false, Some(true)) if has_presence(view) => (
                "grants to services are not denied: they have no grantee principal",
                "deny them by a statement of their own with a condition on `kms:GranteeServicePrincipal`",
            ),
            _ => continue,
        };
        if operator.value.operator != Operator::Null {
            findings.push(Finding::at(one.key.span, message).help(help));
        }
    }
}

/// Whether only grants with a grantee principal are denied.
fn has_presence(view: &StatementView<'_>) -> bool {
    view.conditions().any(|(operator, one)| {
        one.key.value.known() == Some(KnownKey::KmsGranteePrincipal)
            && operator.value.operator == Operator::Null
            && key_policy::met_by_absence(operator.value, one) == Some(false)
    })
}
