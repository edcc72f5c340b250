//! L10.

use crate::evaluate::supplies;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView, identity};
use crate::model::{Action, ActionSet, KnownKey, PolicyKind};

declare_rule! {
    /// ## What it does
    /// Finds statements of identity policies that allow `kms:Encrypt`, `kms:ReEncryptTo`, data keys or
    /// `kms:CreateGrant` with keys of any account and no condition on whose key it is. Where tags,
    /// aliases or the encryption context say which keys are meant, `encryption-to-described-key`
    /// speaks.
    ///
    /// ## Why is this bad?
    /// Whoever owns a key decides who decrypts with it. With a key of an account of one's own choice,
    /// data can be encrypted so that this account alone cannot read it any more, or re-encrypted so
    /// that a stranger can. A key policy of that other account is all that has to be added.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Move",
    ///       "Effect": "Allow",
    ///       "Action": "kms:ReEncryptTo",
    ///       "Resource": "*"
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
    ///       "Sid": "Move",
    ///       "Effect": "Allow",
    ///       "Action": "kms:ReEncryptTo",
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"aws:ResourceAccount": "111122223333"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static ENCRYPTION_TO_EVERY_KEY = {
        code: "IAM010",
        name: "encryption-to-every-key",
        summary: "encryption, re-encryption to, or grants on every key of every account",
        level: Warning,
        since: "0.1.0",
        covers: ["L10"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    report(view, findings, false);
}

/// Reports statements that say which keys they mean by something else than the owner, or the others.
pub(super) fn report(view: &StatementView<'_>, findings: &mut Findings<'_>, described: bool) {
    if view.kind() != PolicyKind::Identity || !view.is_allow() {
        return;
    }
    // What takes an encryption algorithm and does not decrypt makes ciphertext.
    let writes = |action: Action| {
        action == Action::CreateGrant
            || (supplies(action, KnownKey::KmsEncryptionAlgorithm)
                && !matches!(action, Action::Decrypt | Action::ReEncryptFrom))
    };
    let writing: ActionSet = Action::ALL.iter().copied().filter(|one| writes(*one)).collect();
    let Some(action) = identity::first_of(view, writing) else { return };
    if identity::demands(view, identity::OWNER)
        || identity::demands(view, NARROWING)
        || identity::demands(view, DESCRIBING) != described
        || identity::is_taken_back(view, view.actions().intersection(writing))
    {
        return;
    }
    for (place, keys) in identity::of_strangers(view) {
        let message = format!("`{}` with {keys}, also of strangers", action.value);
        let help = format!(
            "name the keys or at least the account, as in `{}`, or add a condition on \
             `aws:ResourceAccount` or `aws:ResourceOrgID`",
            identity::keys_of_account(view)
        );
        findings.push(
            Finding::at(place, message)
                .related(action.span, "gives data to the key's owner")
                .help(help),
        );
    }
}

/// Keys that say which keys are meant, of whatever account.
const DESCRIBING: &[KnownKey] = &[
    KnownKey::AwsResourceTag,
    KnownKey::KmsEncryptionContext,
    KnownKey::KmsEncryptionContextKeys,
    KnownKey::KmsResourceAliases,
];

/// Keys that leave the choice of the key to a service, which takes the one its resource has.
const NARROWING: &[KnownKey] = &[
    KnownKey::AwsCalledVia,
    KnownKey::AwsCalledViaFirst,
    KnownKey::AwsCalledViaLast,
    KnownKey::KmsGrantIsForAwsResource,
    KnownKey::KmsViaService,
];
