//! L44.

use crate::evaluate::supplies;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, DocumentView, Finding, Findings, StatementView};
use crate::model::{Action, ActionSet, Element, KnownKey, PolicyKind, Spanned};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Finds identity policies that allow or deny the use of keys by their tags or aliases and, without
    /// a condition on tags, also allow changing these tags or aliases on any key.
    ///
    /// ## Why is this bad?
    /// Whoever may tag a key or point an alias at it chooses for themselves which keys the condition
    /// lets them use.
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
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/*",
    ///       "Condition": {"StringEquals": {"aws:ResourceTag/team": "orders"}}
    ///     },
    ///     {
    ///       "Sid": "Tag",
    ///       "Effect": "Allow",
    ///       "Action": ["kms:TagResource", "kms:ListResourceTags"],
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/*"
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
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/*",
    ///       "Condition": {"StringEquals": {"aws:ResourceTag/team": "orders"}}
    ///     },
    ///     {
    ///       "Sid": "Tag",
    ///       "Effect": "Allow",
    ///       "Action": ["kms:TagResource", "kms:ListResourceTags"],
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/*",
    ///       "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["cost-center"]}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static CHANGEABLE_TAG_OR_ALIAS = {
        code: "IAM044",
        name: "changeable-tag-or-alias",
        summary: "tags or aliases that whoever is limited by them can change",
        level: Warning,
        since: "0.1.0",
        covers: ["L44"],
        analyzer: [],
        check: Check::Document(check),
    }
}

fn check(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    if view.document.kind != PolicyKind::Identity {
        return;
    }
    for (by, actions) in [
        (KnownKey::AwsResourceTag, &[Action::TagResource, Action::UntagResource][..]),
        (KnownKey::KmsRequestAlias, &[Action::CreateAlias, Action::UpdateAlias]),
        (
            KnownKey::KmsResourceAliases,
            &[Action::CreateAlias, Action::UpdateAlias, Action::DeleteAlias],
        ),
    ] {
        let limited = view.statements().find_map(|one| {
            let uses = one.actions().iter().any(|it| supplies(it, KnownKey::KmsRequestAlias));
            let mut conditions = one.conditions();
            let (_, condition) =
                conditions.find(|(_, it)| it.key.value.known() == Some(by)).filter(|_| uses)?;
            Some(condition)
        });
        let Some(limit) = limited else { continue };
        let is_denied = |action: Action| {
            view.statements().any(|one| !one.is_allow() && one.actions().contains(action))
        };
        for one in view.statements().filter(|one| one.is_allow() && is_free(one)) {
            let Some(Element::Is(entries)) = &one.statement.action else { continue };
            let changing = entries.iter().find(|entry| {
                let named = pattern::actions(&entry.value);
                named != ActionSet::ALL
                    && actions.iter().any(|it| named.contains(*it) && !is_denied(*it))
            });
            let Some(entry) = changing else { continue };
            let what = if by == KnownKey::AwsResourceTag { "tags" } else { "aliases" };
            let message = format!(
                "whoever has this can change the {what} that limit them in another statement"
            );
            let help = match by {
                KnownKey::AwsResourceTag => {
                    "limit `aws:TagKeys` to other tags, or leave tagging to administrators"
                }
                _ => "leave aliases to administrators, or allow only those of other names",
            };
            findings.push(
                Finding::at(entry.span, message).related(limit.key.span, "the limit").help(help),
            );
        }
    }
}

/// Whether a statement is for any key, whatever its tags and aliases, and any tag.
fn is_free(view: &StatementView<'_>) -> bool {
    use KnownKey as K;
    let is_limited = view.conditions().any(|(_, one)| {
        matches!(
            one.key.value.known(),
            Some(K::AwsRequestTag | K::AwsResourceTag | K::AwsTagKeys | K::KmsResourceAliases)
        )
    });
    let resources = match &view.statement.resource {
        Some(Element::Is(entries)) => entries.as_slice(),
        _ => return false,
    };
    // Keys that are named one by one are those that are meant.
    let is_any = |entry: &Spanned<String>| {
        entry.value == "*" || entry.value.ends_with("key/*") || entry.value.ends_with(":*")
    };
    !is_limited && resources.iter().any(is_any)
}
