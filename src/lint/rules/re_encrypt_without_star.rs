//! L07.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, Fix, StatementView};
use crate::model::{Action, Effect, Element, Span};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Finds the action `kms:ReEncrypt`.
    ///
    /// ## Why is this bad?
    /// There is no such action: the operation `ReEncrypt` is authorized as `kms:ReEncryptFrom` on the
    /// source key and as `kms:ReEncryptTo` on the destination key. An `Allow` of `kms:ReEncrypt` allows
    /// nothing, and a `Deny` of it denies nothing.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Allow",
    ///     "Action": "kms:ReEncrypt",
    ///     "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    ///   }
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": {
    ///     "Effect": "Allow",
    ///     "Action": ["kms:ReEncryptFrom", "kms:ReEncryptTo"],
    ///     "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    ///   }
    /// }
    /// ```
    pub(in crate::lint) static RE_ENCRYPT_WITHOUT_STAR = {
        code: "IAM007",
        name: "re-encrypt-without-star",
        summary: "the action `kms:ReEncrypt`, which does not exist",
        level: Error,
        since: "0.1.0",
        covers: ["L07"],
        analyzer: ["INVALID_ACTION"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let Some(element) = &view.statement.action else { return };
    for entry in element.entries() {
        if !entry.value.eq_ignore_ascii_case("kms:ReEncrypt") {
            continue;
        }
        let message = format!("there is no action `{}`", entry.value);
        let finding = Finding::at(entry.span, message).help(
            "write `kms:ReEncryptFrom` on the source key and `kms:ReEncryptTo` on the destination \
             key, or `kms:ReEncrypt*` for both",
        );
        findings.push(finding.fix(mend(view, element, entry.span, &entry.value)));
    }
}

/// Where both halves are named besides, the entry goes; otherwise it gets its star.
fn mend(view: &StatementView<'_>, element: &Element, span: Span, written: &str) -> Fix {
    let named = element.entries().iter().fold(crate::model::ActionSet::NONE, |set, entry| {
        set.union(pattern::actions(&entry.value))
    });
    if named.contains(Action::ReEncryptFrom) && named.contains(Action::ReEncryptTo) {
        let fix = Fix::safe(format!("remove `{written}`, which names nothing"));
        if let Some(fix) = fix.remove_element(view.document.document.text(), span) {
            return fix;
        }
    }
    let title = format!("write `{written}*`");
    // An `Allow` would begin to allow, and so would a `Deny` that names one exception more.
    let fix = match (view.statement.effect.value, element) {
        (Effect::Allow, Element::Is(_)) | (Effect::Deny, Element::IsNot(_)) => Fix::unsafe_(title),
        (Effect::Allow, Element::IsNot(_)) | (Effect::Deny, Element::Is(_)) => Fix::safe(title),
    };
    fix.replace_string(span, &format!("{written}*"))
}
