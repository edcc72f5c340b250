//! L14.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, DocumentView, Finding, Findings};

use super::alias_action_without_alias::halves;

declare_rule! {
    /// ## What it does
    /// Finds identity policies that allow creating, changing or deleting aliases on aliases and on no key.
    ///
    /// ## Why is this bad?
    /// KMS asks for these actions on the alias and on its key, or keys. The key's policy may give the half
    /// on the key; where it does not, the action is denied.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Alias",
    ///       "Effect": "Allow",
    ///       "Action": ["kms:CreateAlias", "kms:DeleteAlias"],
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:alias/orders*"
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
    ///       "Sid": "Alias",
    ///       "Effect": "Allow",
    ///       "Action": ["kms:CreateAlias", "kms:DeleteAlias"],
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:alias/orders*"
    ///     },
    ///     {
    ///       "Sid": "Key",
    ///       "Effect": "Allow",
    ///       "Action": ["kms:CreateAlias", "kms:DeleteAlias"],
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static ALIAS_ACTION_WITHOUT_KEY = {
        code: "IAM114",
        name: "alias-action-without-key",
        summary: "an alias action allowed on aliases but on no key",
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
        |reach| reach.aliases,
        |reach| reach.keys,
        |place, action| {
            let message = format!("`{}` is allowed on aliases, but on no key", action.value);
            let help = "add the key, unless its key policy allows it";
            Finding::at(place.span, message).related(action.span, "needs a key, too").help(help)
        },
    );
}
