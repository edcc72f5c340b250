//! L44.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, DocumentView, Finding, Findings, StatementView, identity, key_policy};
use crate::model::{Action, Condition, KnownKey, PolicyKind, Spanned, split_arn};
use crate::pattern::{self, Template};

declare_rule! {
    /// ## What it does
    /// Finds identity policies that allow the use of keys by their tags or aliases and, beside that, to
    /// tag keys or to point such an alias to them without a limit.
    ///
    /// ## Why is this bad?
    /// Whoever may tag a key, or give it an alias, takes it into the set that the condition allows. The
    /// condition limits nobody then who has both permissions.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "UseOurs",
    ///       "Effect": "Allow",
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "arn:aws:kms:*:111122223333:key/*",
    ///       "Condition": {"StringEquals": {"aws:ResourceTag/team": "orders"}}
    ///     },
    ///     {
    ///       "Sid": "Tag",
    ///       "Effect": "Allow",
    ///       "Action": ["kms:TagResource", "kms:UntagResource"],
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
    ///       "Sid": "UseOurs",
    ///       "Effect": "Allow",
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "arn:aws:kms:*:111122223333:key/*",
    ///       "Condition": {"StringEquals": {"aws:ResourceTag/team": "orders"}}
    ///     },
    ///     {
    ///       "Sid": "Tag",
    ///       "Effect": "Allow",
    ///       "Action": ["kms:TagResource", "kms:UntagResource"],
    ///       "Resource": "arn:aws:kms:*:111122223333:key/*",
    ///       "Condition": {"StringEquals": {"aws:ResourceTag/team": "orders"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static OWN_TAGS_AND_ALIASES = {
        code: "IAM044",
        name: "own-tags-and-aliases",
        summary: "a limit by tags or aliases that the same policy lets change",
        level: Warning,
        since: "0.1.0",
        covers: ["L44"],
        analyzer: [],
        check: Check::Document(check),
    }
}

fn check(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    if view.document.kind != PolicyKind::Identity || !view.document.is_whole() {
        return;
    }
    for one in view.statements().filter(StatementView::is_allow) {
        for (operator, condition) in one.conditions() {
            if key_policy::met_by_absence(operator.value, condition) != Some(false) {
                continue;
            }
            let changing = match condition.key.value.known() {
                Some(KnownKey::AwsResourceTag) => tagging(view),
                Some(KnownKey::KmsResourceAliases) => naming(view, condition),
                _ => None,
            };
            let Some((changing, entry)) = changing else { continue };
            // What may be changed has to be what may then be used.
            if changing.index == one.index {
                continue;
            }
            let message = format!(
                "`{}` in this policy lets whoever is limited by `{}` change it",
                entry.value, condition.key.value
            );
            let help = match condition.key.value.known() {
                Some(KnownKey::AwsResourceTag) => {
                    "limit tagging by the same condition, or by `aws:RequestTag` and `aws:TagKeys`"
                }
                _ => "allow other aliases there alone, or leave it to somebody else",
            };
            findings.push(
                Finding::at(entry.span, message)
                    .related(condition.key.span, "the limit")
                    .help(help),
            );
        }
    }
}

/// A statement that allows tagging many keys whatever the tags.
fn tagging<'c>(view: &DocumentView<'c>) -> Option<(StatementView<'c>, &'c Spanned<String>)> {
    let limits = [KnownKey::AwsRequestTag, KnownKey::AwsResourceTag, KnownKey::AwsTagKeys];
    view.statements().filter(StatementView::is_allow).find_map(|one| {
        let is_limited = one.conditions().any(|(_, condition)| {
            condition.key.value.known().is_some_and(|key| limits.contains(&key))
        });
        let entry = naming_only(&one, &[Action::TagResource])?;
        (!is_limited && is_on_many_keys(&one)).then_some((one, entry))
    })
}

/// A statement that allows pointing an alias that meets the condition to many keys.
fn naming<'c>(
    view: &DocumentView<'c>,
    condition: &Condition,
) -> Option<(StatementView<'c>, &'c Spanned<String>)> {
    let making = [Action::CreateAlias, Action::UpdateAlias];
    let on_keys = view.statements().filter(StatementView::is_allow).any(|one| {
        making.iter().any(|action| one.actions().contains(*action))
            && one.conditions().next().is_none()
            && is_on_many_keys(&one)
    });
    view.statements().filter(|one| one.is_allow() && on_keys).find_map(|one| {
        let entry = naming_only(&one, &making)?;
        let resources = identity::resources(&one)?;
        let is_named = |value: &str| {
            let name = value.replace(['*', '?'], "x");
            let alias = format!("arn:aws:kms:us-east-1:111122223333:{name}");
            // Region and account are as the entry has them: only the name counts.
            resources.iter().any(|entry| match split_arn(&entry.value) {
                Some([.., resource]) => {
                    identity::reach(&entry.value).aliases
                        && Template::glob(resource).matches_text(&name)
                }
                None => Template::resource(&entry.value, false).matches_text(&alias),
            })
        };
        condition.values.iter().any(|value| is_named(value.value.as_str())).then_some((one, entry))
    })
}

/// The entry that names one of the actions, other than by a wildcard for everything.
fn naming_only<'c>(one: &StatementView<'c>, wanted: &[Action]) -> Option<&'c Spanned<String>> {
    identity::actions(one)?.iter().find(|entry| {
        entry.value != "*"
            && pattern::actions(&entry.value).iter().any(|action| wanted.contains(&action))
    })
}

/// Whether a statement is on keys that it does not name one by one.
fn is_on_many_keys(one: &StatementView<'_>) -> bool {
    let resources = identity::resources(one).unwrap_or_default();
    resources.iter().any(|entry| identity::reach(&entry.value).keys && entry.value.contains('*'))
}
