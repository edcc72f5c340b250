//! L47.

use std::collections::HashMap;

use crate::lint::rule::declare_rule;
use crate::lint::{Check, ContentHash, DocumentView, Finding, Findings, Fix};
use crate::model::{ActionSet, Element, PolicyKind, Span, Statement};

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy that say the same as an earlier one under another `Sid`, or
    /// under none.
    ///
    /// ## Why is this bad?
    /// The second has no effect, and whoever removes a permission may miss it.
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
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///       "Resource": "*"
    ///     },
    ///     {
    ///       "Sid": "UseAgain",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
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
    ///       "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    ///       "Resource": "*"
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static REPEATED_STATEMENT = {
        code: "KEY247",
        name: "repeated-statement",
        summary: "a statement that stands there twice",
        level: Note,
        since: "0.1.0",
        covers: ["L47"],
        analyzer: ["REDUNDANT_STATEMENT"],
        check: Check::Document(check),
    }
}

fn check(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    if view.document.kind == PolicyKind::Key {
        report(view, findings);
    }
}

/// The same for every kind of policy.
pub(super) fn report(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    // Statements of different actions are not the same, and need no text.
    let mut alike: HashMap<ActionSet, usize> = HashMap::new();
    for statement in view.statements() {
        *alike.entry(statement.actions()).or_default() += 1;
    }
    let mut seen: HashMap<ContentHash, Span> = HashMap::new();
    for statement in view.statements() {
        let own = statement.statement;
        if alike.get(&statement.actions()) == Some(&1) {
            continue;
        }
        let nameless = Statement {
            sid: None,
            action: own.action.as_ref().map(sorted),
            resource: own.resource.as_ref().map(sorted),
            ..own.clone()
        };
        let hash = ContentHash::of_statement(&nameless);
        let Some(first) = seen.get(&hash) else {
            seen.insert(hash, own.span);
            continue;
        };
        let finding = Finding::at(own.span, "this statement repeats another")
            .related(*first, "the same")
            .help("remove one of them");
        let fix = Fix::safe("remove the statement");
        findings.push(finding.fix(fix.remove_element(view.document.text(), own.span)));
    }
}

/// The same set of strings in an order of its own.
fn sorted(element: &Element) -> Element {
    let mut entries = element.entries().to_vec();
    entries.sort_by(|a, b| a.value.cmp(&b.value));
    match element {
        Element::Is(_) => Element::Is(entries),
        Element::IsNot(_) => Element::IsNot(entries),
    }
}
