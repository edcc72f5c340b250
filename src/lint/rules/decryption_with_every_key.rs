//! L09.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView, identity};
use crate::model::{Action, ActionSet, KnownKey, PolicyKind};

declare_rule! {
    /// ## What it does
    /// Finds statements of identity policies that allow `kms:Decrypt` or `kms:ReEncryptFrom` with keys
    /// of any account and no condition on the key, the service or the encryption context.
    ///
    /// ## Why is this bad?
    /// Such a policy opens every ciphertext of every key whose policy delegates to IAM, today's and
    /// those to come. A key policy of another account that lets this account in needs nothing more
    /// either. With `kms:ReEncryptFrom` a ciphertext can be moved to a key that others decrypt with.
    /// Security Hub reports it as KMS.1 and KMS.2.
    ///
    /// ## Example
    /// ```json,identity
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
    ///     {
    ///       "Sid": "Read",
    ///       "Effect": "Allow",
    ///       "Action": ["kms:Decrypt", "kms:DescribeKey"],
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
    ///       "Sid": "Read",
    ///       "Effect": "Allow",
    ///       "Action": ["kms:Decrypt", "kms:DescribeKey"],
    ///       "Resource": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static DECRYPTION_WITH_EVERY_KEY = {
        code: "IAM009",
        name: "decryption-with-every-key",
        summary: "decryption or re-encryption from every key of every account",
        level: Warning,
        since: "0.1.0",
        covers: ["L09"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if view.kind() != PolicyKind::Identity || !view.is_allow() {
        return;
    }
    let reading: ActionSet = [Action::Decrypt, Action::ReEncryptFrom].into_iter().collect();
    let Some(action) = identity::first_of(view, reading) else { return };
    if identity::demands(view, identity::OWNER)
        || identity::demands(view, NARROWING)
        || identity::is_taken_back(view, view.actions().intersection(reading))
    {
        return;
    }
    for (place, keys) in identity::of_strangers(view) {
        let message = format!("`{}` with {keys}, also of other accounts", action.value);
        let help = format!(
            "name the keys that are needed, or at least the account, as in `{}`",
            identity::keys_of_account(view)
        );
        findings
            .push(Finding::at(place, message).related(action.span, "lets read data").help(help));
    }
}

/// Keys that tie the use of a key to something narrower than every key there is.
const NARROWING: &[KnownKey] = &[
    KnownKey::AwsCalledVia,
    KnownKey::AwsCalledViaFirst,
    KnownKey::AwsCalledViaLast,
    KnownKey::AwsResourceTag,
    KnownKey::KmsEncryptionContext,
    KnownKey::KmsEncryptionContextKeys,
    KnownKey::KmsRequestAlias,
    KnownKey::KmsResourceAliases,
    KnownKey::KmsViaService,
];
