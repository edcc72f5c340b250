//! L33.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, Fix, StatementView, identity};
use crate::model::{AccountId, Action, PolicyKind, PrincipalArn, ResourceKind, Spanned};
use crate::pattern::{self, split_arn_pattern};

declare_rule! {
    /// ## What it does
    /// Finds identity policies that allow on a key or alias of another account what KMS allows in the
    /// key's own account alone, such as managing the key, its tags or its aliases. It speaks only where
    /// the input tells whose policy it is.
    ///
    /// ## Why is this bad?
    /// KMS refuses these operations to callers of other accounts, whatever the policies of both say.
    ///
    /// ## Example
    /// ```json,world
    /// {
    ///   "accounts/111122223333/iam.json": {
    ///     "RoleDetailList": [
    ///       {
    ///         "Arn": "arn:aws:iam::111122223333:role/orders",
    ///         "RolePolicyList": [
    ///           {
    ///             "PolicyName": "p",
    ///             "PolicyDocument": {
    ///               "Version": "2012-10-17",
    ///               "Statement": [
    ///                 {
    ///                   "Sid": "Manage",
    ///                   "Effect": "Allow",
    ///                   "Action": ["kms:EnableKeyRotation", "kms:PutKeyPolicy"],
    ///                   "Resource": "arn:aws:kms:eu-central-1:444455556666:key/0987dcba-09fe-87dc-65ba-ab0987654321"
    ///                 }
    ///               ]
    ///             }
    ///           }
    ///         ]
    ///       }
    ///     ]
    ///   }
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,world
    /// {
    ///   "accounts/111122223333/iam.json": {
    ///     "RoleDetailList": [
    ///       {
    ///         "Arn": "arn:aws:iam::111122223333:role/orders",
    ///         "RolePolicyList": [
    ///           {
    ///             "PolicyName": "p",
    ///             "PolicyDocument": {
    ///               "Version": "2012-10-17",
    ///               "Statement": [
    ///                 {
    ///                   "Sid": "Use",
    ///                   "Effect": "Allow",
    ///                   "Action": ["kms:Decrypt", "kms:DescribeKey"],
    ///                   "Resource": "arn:aws:kms:eu-central-1:444455556666:key/0987dcba-09fe-87dc-65ba-ab0987654321"
    ///                 }
    ///               ]
    ///             }
    ///           }
    ///         ]
    ///       }
    ///     ]
    ///   }
    /// }
    /// ```
    pub(in crate::lint) static ACTION_ABROAD = {
        code: "IAM033",
        name: "action-abroad",
        summary: "an action on another account's key that works in the key's own account alone",
        level: Warning,
        since: "0.1.0",
        covers: ["L33"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let document = view.document.document;
    let account = document.entity.as_ref().map(PrincipalArn::account).or(document.account);
    let Some(own) = account.filter(|_| view.kind() == PolicyKind::Identity && view.is_allow())
    else {
        return;
    };
    let Some((actions, resources)) = identity::actions(view).zip(identity::resources(view)) else {
        return;
    };
    let is_far = |entry: &Spanned<String>| match split_arn_pattern(&entry.value) {
        Some([_, _, "kms", _, account, _]) => {
            account.parse::<AccountId>().is_ok_and(|account| account != own)
        }
        _ => false,
    };
    // Beside a key of its own, an action may be meant for that one.
    let Some(far) = resources.first().filter(|_| resources.iter().all(is_far)) else { return };
    for entry in actions {
        let named = pattern::actions(&entry.value);
        let is_only_own = |action: Action| {
            !action.works_across_accounts() && action.resource_kind() != ResourceKind::Any
        };
        if named.is_empty() || !named.iter().all(is_only_own) {
            continue;
        }
        let message = format!("`{}` does not work on keys of other accounts", entry.value);
        let finding = Finding::at(entry.span, message)
            .related(far.span, "of another account")
            .help("remove it; a role of the key's account can be assumed for it");
        let fix = Fix::safe(format!("remove `{}`", entry.value));
        findings.push(finding.fix(fix.remove_element(document.text(), entry.span)));
    }
}
