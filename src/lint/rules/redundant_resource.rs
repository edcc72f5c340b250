//! Access Analyzer.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, Fix, StatementView, identity};
use crate::pattern::{Template, split_arn_pattern};

declare_rule! {
    /// ## What it does
    /// Finds entries of `Resource` and `NotResource` for KMS that another entry of the same list
    /// covers.
    ///
    /// ## Why is this bad?
    /// The entry changes nothing. A key that is named beside `key/*` looks as if the statement were for
    /// this key.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Action": "kms:Decrypt",
    ///       "Resource": [
    ///         "arn:aws:kms:*:111122223333:key/*",
    ///         "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    ///       ]
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
    ///       "Sid": "Use",
    ///       "Effect": "Allow",
    ///       "Action": "kms:Decrypt",
    ///       "Resource": [
    ///         "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///         "arn:aws:kms:eu-central-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321"
    ///       ]
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static REDUNDANT_RESOURCE = {
        code: "IAM402",
        name: "redundant-resource",
        summary: "a resource that another entry covers",
        level: Note,
        since: "0.1.0",
        covers: [],
        analyzer: ["REDUNDANT_RESOURCE"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let Some(element) =
        view.statement.resource.as_ref().filter(|_| identity::names_resources(view))
    else {
        return;
    };
    let entries = element.entries();
    for (at, entry) in entries.iter().enumerate() {
        if !is_of_kms(&entry.value) {
            continue;
        }
        let covering = entries.iter().enumerate().find(|(other, one)| {
            // Of two that are the same, the first stays.
            *other != at
                && view.is_known(one.span)
                && covers(&one.value, &entry.value)
                && (!covers(&entry.value, &one.value) || *other < at)
        });
        let Some((_, one)) = covering else { continue };
        let message = format!("`{}` is covered by `{}`", entry.value, one.value);
        let finding = Finding::at(entry.span, message).related(one.span, "covers it");
        let fix = Fix::safe(format!("remove `{}`", entry.value));
        findings.push(finding.fix(fix.remove_element(view.document.document.text(), entry.span)));
    }
}

fn is_of_kms(entry: &str) -> bool {
    split_arn_pattern(entry).is_some_and(|[_, _, service, ..]| service == "kms")
}

/// Whether everything that the second pattern matches, the first matches: it matches the pattern's
/// own text, in which a `*` may stand for several characters.
fn covers(wide: &str, narrow: &str) -> bool {
    if wide == narrow || wide == "*" {
        return true;
    }
    let is_plain = !wide.contains("${") && !narrow.contains("${");
    let is_sound = !(wide.contains('?') && narrow.contains('*'));
    is_plain && is_sound && Template::resource(wide, false).matches_text(narrow)
}
