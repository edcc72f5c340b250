//! L32.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{Action, Element, Span};

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy that allow everything but the actions they list.
    ///
    /// ## Why is this bad?
    /// They allow every action that AWS will add, and those nobody thought of: `PutKeyPolicy` and
    /// `CreateGrant`, with which one gets all others.
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
    ///       "NotAction": ["kms:ScheduleKeyDeletion", "kms:DisableKey"],
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
    pub(in crate::lint) static NOT_ACTION_WITH_ALLOW = {
        code: "KEY032",
        name: "not-action-with-allow",
        summary: "`NotAction` with `Allow`",
        level: Warning,
        since: "0.1.0",
        covers: ["L32"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(&view.document) || !view.is_allow() {
        return;
    }
    let Some(Element::IsNot(listed)) = &view.statement.action else { return };
    let Some((first, last)) = listed.first().zip(listed.last()) else { return };
    let given = view.actions();
    let powers = [Action::PutKeyPolicy, Action::CreateGrant].into_iter();
    let powers: Vec<String> =
        powers.filter(|one| given.contains(*one)).map(|one| format!("`{one}`")).collect();
    let message = match powers.as_slice() {
        [] => "every action but these is allowed, those that AWS will add included".to_owned(),
        some => format!("every action but these is allowed, also {}", some.join(" and ")),
    };
    let span = Span::new(first.span.start(), last.span.end());
    findings.push(Finding::at(span, message).help("list what is allowed in `Action`"));
}
