//! L43.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, DocumentView, Finding, Findings, StatementView, identity};
use crate::model::{ActionSet, KeyArn, PolicyKind};
use crate::pattern::Template;

declare_rule! {
    /// ## What it does
    /// Finds identity policies that allow actions on a multi-Region key by the ARN of one Region, and
    /// not on the related keys the input tells.
    ///
    /// ## Why is this bad?
    /// Related keys have an ARN for each Region. A caller that fails over to another Region is denied
    /// there until its policy names that key, too. Where only one Region is meant, nothing has to
    /// change.
    ///
    /// ## Example
    /// ```json,world
    /// {
    ///   "accounts/111122223333/iam.json": {
    ///     "RoleDetailList": [
    ///       {
    ///         "Arn": "arn:aws:iam::111122223333:role/orders",
    ///         "RolePolicyList": [
    ///           {
    ///             "PolicyName": "p",
    ///             "PolicyDocument": {
    ///               "Version": "2012-10-17",
    ///               "Statement": [
    ///                 {
    ///                   "Sid": "Use",
    ///                   "Effect": "Allow",
    ///                   "Action": "kms:Decrypt",
    ///                   "Resource": "arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
    ///                 }
    ///               ]
    ///             }
    ///           }
    ///         ]
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/mrk-1234abcd12ab34cd56ef1234567890ab/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/us-east-1/keys/mrk-1234abcd12ab34cd56ef1234567890ab/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   }
    /// }
    /// ```
    ///
    /// ## Use instead
    /// ```json,world
    /// {
    ///   "accounts/111122223333/iam.json": {
    ///     "RoleDetailList": [
    ///       {
    ///         "Arn": "arn:aws:iam::111122223333:role/orders",
    ///         "RolePolicyList": [
    ///           {
    ///             "PolicyName": "p",
    ///             "PolicyDocument": {
    ///               "Version": "2012-10-17",
    ///               "Statement": [
    ///                 {
    ///                   "Sid": "Use",
    ///                   "Effect": "Allow",
    ///                   "Action": "kms:Decrypt",
    ///                   "Resource": "arn:aws:kms:*:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
    ///                 }
    ///               ]
    ///             }
    ///           }
    ///         ]
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/mrk-1234abcd12ab34cd56ef1234567890ab/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/us-east-1/keys/mrk-1234abcd12ab34cd56ef1234567890ab/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   }
    /// }
    /// ```
    pub(in crate::lint) static PINNED_REGION = {
        code: "WLD243",
        name: "pinned-region",
        summary: "an identity policy for one of two related keys",
        level: Note,
        since: "0.1.0",
        covers: ["L43"],
        analyzer: [],
        check: Check::Document(check),
    }
}

fn check(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    if view.document.kind != PolicyKind::Identity || !view.document.is_whole() {
        return;
    }
    for one in view.statements().filter(StatementView::is_allow) {
        for entry in identity::resources(&one).unwrap_or_default() {
            let Ok(arn) = entry.value.parse::<KeyArn>() else { continue };
            let keys = view.collection.keys.iter().filter_map(|key| key.facts.arn.as_ref());
            let mut related = keys.filter(|key| key.is_related_to(&arn) && **key != arn);
            let Some(other) = related.find(|key| !is_allowed(view, key, one.actions())) else {
                continue;
            };
            let message = format!("the related key in {} is not allowed here", other.region());
            let any = entry.value.replace(arn.region().as_str(), "*");
            let help = format!("write `{any}`, if it is meant, too");
            findings.push(Finding::at(entry.span, message).help(help));
        }
    }
}

/// Whether a statement allows one of the actions on a key.
fn is_allowed(view: &DocumentView<'_>, key: &KeyArn, actions: ActionSet) -> bool {
    view.statements().any(|one| {
        let mut entries = identity::resources(&one).unwrap_or_default().iter();
        one.is_allow()
            && !one.actions().intersection(actions).is_empty()
            && entries
                .any(|entry| Template::resource(&entry.value, false).matches_text(key.as_str()))
    })
}
