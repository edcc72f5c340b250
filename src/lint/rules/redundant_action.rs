//! Access Analyzer.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, Fix, StatementView};
use crate::model::{ActionSet, Element, PolicyKind};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Finds entries of `Action` in key policies that another entry of the same list covers.
    ///
    /// ## Why is this bad?
    /// They change nothing, and make the list look narrower than it is.
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
    ///       "Action": ["kms:GenerateDataKey", "kms:GenerateDataKey*"],
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
    ///       "Action": ["kms:GenerateDataKey*"],
    ///       "Resource": "*"
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static REDUNDANT_ACTION = {
        code: "KEY401",
        name: "redundant-action",
        summary: "an action that another entry names already",
        level: Note,
        since: "0.1.0",
        covers: [],
        analyzer: ["REDUNDANT_ACTION"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if view.kind() == PolicyKind::Key {
        report(view, findings);
    }
}

/// The same for every kind of policy.
pub(super) fn report(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let Some(Element::Is(entries)) = &view.statement.action else { return };
    let sets: Vec<ActionSet> = entries.iter().map(|one| pattern::actions(&one.value)).collect();
    for (at, (entry, own)) in entries.iter().zip(&sets).enumerate() {
        let covering = entries.iter().zip(&sets).enumerate().find(|(other, (_, named))| {
            // Of two that name the same, the first stays.
            *other != at && own.is_subset_of(**named) && (own != *named || *other < at)
        });
        if let Some((_, (one, _))) = covering.filter(|_| !own.is_empty()) {
            let message = format!("`{}` is covered by `{}`", entry.value, one.value);
            let finding = Finding::at(entry.span, message).related(one.span, "covers it");
            let fix = Fix::safe(format!("remove `{}`", entry.value));
            findings
                .push(finding.fix(fix.remove_element(view.document.document.text(), entry.span)));
        }
    }
}
