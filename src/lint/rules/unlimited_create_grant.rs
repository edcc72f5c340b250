//! L22.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{
    Action, Condition, ConditionKey, ConditionOperator, Element, KnownKey, Operator, PolicyKind,
    Principal,
};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Finds statements that name `kms:CreateGrant` for somebody who cannot change the key policy,
    /// without a condition on what may be granted, to whom or through which service. A `Deny` in the
    /// same document that has such a condition counts as a limit.
    ///
    /// ## Why is this bad?
    /// Whoever may create grants may give any operation to anybody, in any account, and more than
    /// they have themselves: it is nearly the power to write the key policy. Applications need it
    /// for grants that AWS services make for them, which `kms:GrantIsForAWSResource` or
    /// `kms:ViaService` tell.
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
    ///       "Action": ["kms:Decrypt", "kms:CreateGrant"],
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
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "*"
    ///     },
    ///     {
    ///       "Sid": "Attach",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": "kms:CreateGrant",
    ///       "Resource": "*",
    ///       "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static UNLIMITED_CREATE_GRANT = {
        code: "CON022",
        name: "unlimited-create-grant",
        summary: "`kms:CreateGrant` without a limit",
        level: Warning,
        since: "0.1.0",
        covers: ["L22"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let is_key = key_policy::is_written(&view.document);
    if !view.is_allow() || !(is_key || view.kind() == PolicyKind::Identity) {
        return;
    }
    // Who may write the policy gains nothing by grants.
    if view.actions().contains(Action::PutKeyPolicy)
        || is_limited(view)
        // Identity policies of other conditions were thought about: which keys, whose tags.
        || (!is_key && view.conditions().any(|(_, one)| !is_circumstance(&one.key.value)))
        || view.document.statements().any(|one| {
            !one.is_allow() && one.actions().contains(Action::CreateGrant) && is_limited(&one)
        })
        || (is_key && !gives_users(view))
    {
        return;
    }
    let Some(Element::Is(entries)) = &view.statement.action else { return };
    let creates = is_key && !view.actions().contains(Action::EnableKey);
    for entry in entries {
        let named = pattern::actions(&entry.value);
        // `kms:*` is another rule's, and `kms:Create*` is what administrators have.
        let is_meant = named.contains(Action::CreateGrant)
            && named.iter().all(|action| {
                let name = action.name();
                name.contains("Grant") || (creates && name.starts_with("Create"))
            });
        if !is_meant || !view.statement.condition.iter().all(|one| view.is_known(one.operator.span))
        {
            continue;
        }
        let message = "grants of every operation to anybody are allowed";
        findings.push(Finding::at(entry.span, message).help(
            "give it a statement of its own with `\"Bool\": {\"kms:GrantIsForAWSResource\": \"true\"}`, or \
             conditions on `kms:GrantOperations` and `kms:GranteePrincipal`",
        ));
    }
}

/// Whether a condition limits which grants can be created.
fn is_limited(view: &StatementView<'_>) -> bool {
    use KnownKey as K;
    view.conditions().any(|(operator, one)| {
        // A Deny limits what meets it.
        !(view.is_allow() && lets_all(operator.value, one))
            && matches!(
                one.key.value.known(),
                Some(
                    K::AwsCalledVia
                        | K::AwsCalledViaFirst
                        | K::AwsCalledViaLast
                        | K::AwsViaAwsService
                        | K::KmsEncryptionContext
                        | K::KmsEncryptionContextKeys
                        | K::KmsGrantConstraintSourceArn
                        | K::KmsGrantConstraintType
                        | K::KmsGrantIsForAwsResource
                        | K::KmsGrantOperations
                        | K::KmsGranteePrincipal
                        | K::KmsGranteeServicePrincipal
                        | K::KmsRetiringPrincipal
                        | K::KmsRetiringServicePrincipal
                        | K::KmsViaService
                )
            )
    })
}

/// Whether a condition that names a limit is none: grants for anything but AWS resources, to whomever,
/// of whatever operation.
fn lets_all(operator: ConditionOperator, condition: &Condition) -> bool {
    use KnownKey as K;
    let Some(key) = condition.key.value.known() else { return false };
    let any =
        |is_any: fn(&str) -> bool| condition.values.iter().any(|it| is_any(it.value.as_str()));
    match (key, operator.operator) {
        (K::KmsGrantIsForAwsResource, Operator::Bool) => {
            !any(|text| text.eq_ignore_ascii_case("true"))
        }
        (
            K::KmsGranteePrincipal | K::KmsGrantOperations | K::KmsRetiringPrincipal,
            Operator::Null,
        ) => true,
        (_, Operator::StringLike | Operator::ArnLike | Operator::ArnEquals) => any(|text| {
            matches!(text, "*" | "arn:*" | "arn:aws:*" | "arn:aws:iam::*" | "arn:aws:iam::*:*")
        }),
        _ => false,
    }
}

/// Whether a condition key tells from where, when or how a request is made, whatever it asks for.
fn is_circumstance(key: &ConditionKey) -> bool {
    use KnownKey as K;
    matches!(
        key.known(),
        Some(
            K::AwsCurrentTime
                | K::AwsMultiFactorAuthAge
                | K::AwsMultiFactorAuthPresent
                | K::AwsRequestedRegion
                | K::AwsSecureTransport
                | K::AwsSourceIp
                | K::AwsSourceVpc
                | K::AwsSourceVpce
                | K::AwsVpcSourceIp
        )
    )
}

/// Whether a statement gives to users and roles: accounts decide in their identity policies, and what
/// services create they create for themselves.
fn gives_users(view: &StatementView<'_>) -> bool {
    let is_user = |one: &Principal| {
        matches!(one, Principal::Arn(_) | Principal::EveryAws | Principal::Everyone)
    };
    view.principals().iter().any(|one| is_user(&one.value))
}
