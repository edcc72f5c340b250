//! L14.

use crate::lint::identity::{self, Reach};
use crate::lint::rule::declare_rule;
use crate::lint::{Check, DocumentView, Finding, Findings, StatementView};
use crate::model::{Action, Element, PolicyKind, ResourceKind, Spanned};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Finds identity policies that allow creating, changing or deleting aliases on keys and on no
    /// alias.
    ///
    /// ## Why is this bad?
    /// These operations need permission on the alias and on each key concerned. The one on the alias
    /// can only come from an identity policy; the one on the key may come from the key's policy.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Name",
    ///       "Effect": "Allow",
    ///       "Action": ["kms:CreateAlias", "kms:DeleteAlias"],
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
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
    ///       "Sid": "Name",
    ///       "Effect": "Allow",
    ///       "Action": ["kms:CreateAlias", "kms:DeleteAlias"],
    ///       "Resource": [
    ///         "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ///         "arn:aws:kms:eu-central-1:111122223333:alias/orders"
    ///       ]
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static ALIAS_ACTION_WITHOUT_ALIAS = {
        code: "IAM014",
        name: "alias-action-without-alias",
        summary: "an alias action allowed on keys but on no alias",
        level: Note,
        since: "0.1.0",
        covers: ["L14"],
        analyzer: [],
        check: Check::Document(check),
    }
}

fn check(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    halves(
        view,
        findings,
        |reach| reach.keys,
        |reach| reach.aliases,
        |place, action| {
            let message = format!("`{}` is allowed on keys, but on no alias", action.value);
            let help = "add the alias, as in `arn:aws:kms:<region>:<account>:alias/<name>`, unless \
                    another policy allows it";
            Finding::at(place.span, message).related(action.span, "needs an alias, too").help(help)
        },
    );
}

/// Tells the statements that allow an action on alias and key on one of the two, while nothing
/// allows it on the other.
pub(super) fn halves(
    view: &DocumentView<'_>,
    findings: &mut Findings<'_>,
    is_there: fn(Reach) -> bool,
    is_missing: fn(Reach) -> bool,
    tell: impl Fn(&Spanned<String>, &Spanned<String>) -> Finding,
) {
    if view.document.kind != PolicyKind::Identity || !view.document.is_whole() {
        return;
    }
    for one in view.statements().filter(StatementView::is_allow) {
        let actions = identity::actions(&one).unwrap_or_default();
        let resources = identity::resources(&one).unwrap_or_default();
        let is_half = |entry: &&Spanned<String>| {
            let named = pattern::actions(&entry.value);
            identity::is_only(&entry.value, ResourceKind::AliasAndKey)
                && named.iter().any(|action| !reaches(view, action, is_missing))
        };
        let place = resources.iter().find(|entry| is_there(identity::reach(&entry.value)));
        if let Some(place) = place
            && let Some(action) = actions.iter().find(is_half)
        {
            findings.push(tell(place, action));
        }
    }
}

/// Whether the policies of whom this one is attached to, or this one alone, allow an action on what
/// is wanted.
fn reaches(view: &DocumentView<'_>, action: Action, is_wanted: fn(Reach) -> bool) -> bool {
    let own = std::iter::once(*view);
    let documents = view.collection.documents.iter().filter(|other| {
        other.kind == PolicyKind::Identity
            && view.document.entity.is_some()
            && other.entity == view.document.entity
    });
    let others = documents.filter_map(|document| {
        let syntax = document.syntax()?;
        Some(DocumentView { document, syntax, collection: view.collection })
    });
    own.chain(others).any(|document| {
        document.statements().any(|one| {
            let wanted = match &one.statement.resource {
                Some(Element::Is(entries)) => {
                    entries.iter().any(|entry| is_wanted(identity::reach(&entry.value)))
                }
                Some(Element::IsNot(_)) => true,
                None => false,
            };
            one.is_allow() && one.actions().contains(action) && wanted
        })
    })
}
