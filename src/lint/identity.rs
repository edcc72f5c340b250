//! What policies say of the resources they name: those of identities, sessions, endpoints and
//! organizations, which speak of many keys, aliases and other things.

use super::key_policy::met_by_absence;
use super::subject::StatementView;
use crate::model::{
    AccountId, ActionSet, Element, KnownKey, PolicyKind, ResourceKind, Span, Spanned,
};
use crate::pattern::{self, Template, split_arn_pattern};

/// What of KMS a `Resource` entry can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    /// A key.
    pub keys: bool,
    /// An alias.
    pub aliases: bool,
    /// What actions without a resource are asked on.
    pub none: bool,
    /// Things of accounts that it does not name.
    pub strangers: bool,
}

/// What of KMS a `Resource` entry can be. An ARN with fewer parts goes on with `*` (iam user guide,
/// "Grammar"); what is no ARN is everything, as the grammar has rules of its own for it.
pub(super) fn reach(entry: &str) -> Reach {
    let whole = Reach { keys: true, aliases: true, none: true, strangers: true };
    if entry == "*" {
        return whole;
    }
    if !entry.starts_with("arn:") {
        return Reach { strangers: false, ..whole };
    }
    let mut parts = entry.splitn(6, ':').skip(2);
    let mut part = || parts.next().unwrap_or("*");
    let [_, _, service, _, account, resource] = match split_arn_pattern(entry) {
        Some(parts) => parts,
        None => ["arn", "*", part(), part(), part(), part()],
    };
    if !Template::glob(service).matches_text("kms") && !service.contains("${") {
        return Reach { keys: false, aliases: false, none: false, strangers: false };
    }
    let literal = resource.split(['*', '?', '$']).next().unwrap_or_default();
    let is_open = literal.len() < resource.len();
    let could_be =
        |start: &str| literal.starts_with(start) || (is_open && start.starts_with(literal));
    Reach {
        keys: could_be("key/"),
        aliases: could_be("alias/"),
        none: is_open && literal.is_empty(),
        strangers: account.contains(['*', '?']),
    }
}

/// Whether statements of this kind of policy name resources besides the one they are on.
pub(super) fn names_resources(view: &StatementView<'_>) -> bool {
    view.kind() != PolicyKind::Key
}

/// The entries of `Action`, where all of them are known.
pub(super) fn actions<'c>(view: &StatementView<'c>) -> Option<&'c [Spanned<String>]> {
    known(view, view.statement.action.as_ref()?)
}

/// The entries of `Resource`, where all of them are known.
pub(super) fn resources<'c>(view: &StatementView<'c>) -> Option<&'c [Spanned<String>]> {
    known(view, view.statement.resource.as_ref()?)
}

fn known<'c>(view: &StatementView<'c>, element: &'c Element) -> Option<&'c [Spanned<String>]> {
    match element {
        Element::Is(entries) => {
            entries.iter().all(|entry| view.is_known(entry.span)).then_some(entries.as_slice())
        }
        Element::IsNot(_) => None,
    }
}

/// Whether an entry of `Action` names actions of KMS, all of them on this kind of resource.
pub(super) fn is_only(entry: &str, kind: ResourceKind) -> bool {
    let named = pattern::actions(entry);
    !named.is_empty() && named.iter().all(|action| action.resource_kind() == kind)
}

/// Whether an entry of `Action` names an action of KMS on this kind of resource.
pub(super) fn is_some(entry: &str, kind: ResourceKind) -> bool {
    pattern::actions(entry).iter().any(|action| action.resource_kind() == kind)
}

/// Whether a condition holds only where the request carries one of these keys.
pub(super) fn demands(view: &StatementView<'_>, keys: &[KnownKey]) -> bool {
    view.conditions().any(|(operator, condition)| {
        condition.key.value.known().is_some_and(|key| keys.contains(&key))
            && met_by_absence(operator.value, condition) == Some(false)
    })
}

/// Keys that tell whose a resource is.
pub(super) const OWNER: &[KnownKey] =
    &[KnownKey::AwsResourceAccount, KnownKey::AwsResourceOrgId, KnownKey::AwsResourceOrgPaths];

/// Whether another statement of the document takes the actions back where the resource is not one of
/// certain owners.
pub(super) fn is_taken_back(view: &StatementView<'_>, actions: ActionSet) -> bool {
    view.document.statements().any(|one| {
        let is_limited = matches!(one.statement.resource, Some(Element::IsNot(_)))
            || one.conditions().any(|(_, condition)| {
                condition.key.value.known().is_some_and(|key| OWNER.contains(&key))
            });
        !one.is_allow() && is_limited && actions.is_subset_of(one.actions())
    })
}

/// The keys of an account, as an ARN to write; of the document's own account, where it is known.
pub(super) fn keys_of_account(view: &StatementView<'_>) -> String {
    let account = view.document.document.account;
    let account = account.as_ref().map_or("<account>", AccountId::as_str);
    format!("arn:aws:kms:*:{account}:key/*")
}

/// The entries that make a statement speak of keys of accounts that it does not name, with the words
/// for which keys.
pub(super) fn of_strangers(view: &StatementView<'_>) -> Vec<(Span, &'static str)> {
    let is_open = |entry: &&Spanned<String>| {
        let reach = reach(&entry.value);
        reach.keys && reach.strangers
    };
    match &view.statement.resource {
        Some(Element::Is(_)) => {
            let entries = resources(view).unwrap_or_default().iter().filter(is_open);
            entries.map(|entry| (entry.span, "every key")).collect()
        }
        Some(Element::IsNot(entries)) if !entries.iter().any(|entry| is_open(&entry)) => {
            let first = entries.first().filter(|first| view.is_known(first.span));
            first.map(|first| (first.span, "every key but some")).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The actions of a statement that an entry of `Action` other than `*` names: what a policy for
/// administrators of everything says is not about KMS.
pub(super) fn first_of<'c>(
    view: &StatementView<'c>,
    wanted: ActionSet,
) -> Option<&'c Spanned<String>> {
    actions(view)?.iter().find(|entry| {
        entry.value != "*" && pattern::actions(&entry.value).iter().any(|one| wanted.contains(one))
    })
}
