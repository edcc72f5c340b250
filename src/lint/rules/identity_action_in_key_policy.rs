//! L15.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, Fix, StatementView};
use crate::model::{Action, Element, ResourceKind};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Finds statements of key policies all of whose actions are on no key: creating and listing keys,
    /// listing aliases, random bytes, custom key stores, and actions of other services.
    ///
    /// ## Why is this bad?
    /// KMS looks for permission to do them in identity policies alone, so in a key policy they
    /// allow and deny nothing.
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
    ///       "Sid": "Manage",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/key-admin"},
    ///       "Action": ["kms:CreateKey", "kms:ListKeys"],
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
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static IDENTITY_ACTION_IN_KEY_POLICY = {
        code: "KEY015",
        name: "identity-action-in-key-policy",
        summary: "an action that only identity policies can allow",
        level: Warning,
        since: "0.1.0",
        covers: ["L15"],
        analyzer: ["UNSUPPORTED_ACTION_IN_POLICY"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    report(view, findings, false);
}

/// Reports statements with actions on the key beside, or the others.
pub(super) fn report(view: &StatementView<'_>, findings: &mut Findings<'_>, beside: bool) {
    if !key_policy::is_written(&view.document) {
        return;
    }
    let Some(Element::Is(actions)) = &view.statement.action else { return };
    let is_keyless = |action: Action| action.resource_kind() == ResourceKind::Any;
    if beside == view.actions().iter().all(is_keyless) {
        return;
    }
    for entry in actions {
        let named = pattern::actions(&entry.value);
        let service = entry.value.split_once(':').map(|(service, _)| service);
        let is_foreign = service.is_some_and(|it| !it.eq_ignore_ascii_case("kms"));
        if !is_foreign && (named.is_empty() || !named.iter().all(is_keyless)) {
            continue;
        }
        let does = if view.is_allow() { "allows" } else { "denies" };
        let message = format!("`{}` in a key policy {does} nothing", entry.value);
        let help = match is_foreign {
            true => "a key policy is about `kms:` actions alone: write it in an identity policy",
            false => "write it in an identity policy, with the resource `*`",
        };
        let finding = Finding::at(entry.span, message).help(help);
        let fix = Fix::safe(format!("remove `{}`", entry.value));
        findings.push(finding.fix(fix.remove_element(view.document.document.text(), entry.span)));
    }
}
