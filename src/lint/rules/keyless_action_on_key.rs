//! L13.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, Fix, StatementView, identity};
use crate::model::{ResourceKind, Spanned};

declare_rule! {
    /// ## What it does
    /// Finds actions that are on no key and no alias, such as `kms:CreateKey`, `kms:ListKeys` and those
    /// on custom key stores, in statements that name resources without `*`.
    ///
    /// ## Why is this bad?
    /// Such an action is decided on `*`. A statement for certain keys or aliases neither allows nor
    /// denies it.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Make",
    ///       "Effect": "Allow",
    ///       "Action": "kms:CreateKey",
    ///       "Resource": "arn:aws:kms:*:111122223333:key/*"
    ///     }
    ///   ]
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Make",
    ///       "Effect": "Allow",
    ///       "Action": "kms:CreateKey",
    ///       "Resource": "*"
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static KEYLESS_ACTION_ON_KEY = {
        code: "IAM013",
        name: "keyless-action-on-key",
        summary: "a key or alias as the resource of an action that is on none",
        level: Error,
        since: "0.1.0",
        covers: ["L13"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if !identity::names_resources(view) {
        return;
    }
    let Some((actions, resources)) = identity::actions(view).zip(identity::resources(view)) else {
        return;
    };
    let is_keyless = |entry: &Spanned<String>| identity::is_only(&entry.value, ResourceKind::Any);
    if resources.iter().any(|entry| identity::reach(&entry.value).none) {
        return;
    }
    let Some(resource) = resources.first() else { return };
    let effect = if view.is_allow() { "allowed" } else { "denied" };
    if let (all, [one]) = (actions, resources)
        && let Some(first) = all.first()
        && all.iter().all(is_keyless)
    {
        let message = match all {
            [one] => format!("`{}` is on no key: it is not {effect} here", one.value),
            _ => format!(
                "`{}` and the others are on no key: they are not {effect} here",
                first.value
            ),
        };
        let fix = Fix::unsafe_("write `*`").replace_string(one.span, "*");
        let finding = Finding::at(one.span, message).related(first.span, "is on no key");
        findings.push(finding.help("write `\"Resource\": \"*\"`").fix(fix));
        return;
    }
    for entry in actions.iter().filter(|entry| is_keyless(entry)) {
        let message = format!("`{}` is on no key: it is not {effect} here", entry.value);
        findings.push(
            Finding::at(entry.span, message)
                .related(resource.span, "it is decided on `*`")
                .help("put it into a statement with `\"Resource\": \"*\"`"),
        );
    }
}
