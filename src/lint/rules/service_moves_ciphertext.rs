//! L53.

use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{Action, ActionSet, Element, KnownKey, Principal, Spanned};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Finds statements of a key policy that let a service, or somebody through a service,
    /// re-encrypt from and to the key, without a condition on `kms:ReEncryptOnSameKey` or on the
    /// encryption context.
    ///
    /// ## Why is this bad?
    /// Guides of many services print `kms:ReEncrypt*`, and few need it. `kms:ReEncryptFrom` lets
    /// data be moved under any other key on which the same caller has `kms:ReEncryptTo`.
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
    ///       "Principal": {"Service": "s3.amazonaws.com"},
    ///       "Action": ["kms:Decrypt", "kms:ReEncrypt*"],
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}
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
    ///       "Principal": {"Service": "s3.amazonaws.com"},
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static SERVICE_MOVES_CIPHERTEXT = {
        code: "KEY053",
        name: "service-moves-ciphertext",
        summary: "re-encryption for a service without a limit on the destination",
        level: Note,
        since: "0.1.0",
        covers: ["L53"],
        analyzer: [],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(&view.document) || !view.is_allow() {
        return;
    }
    let is_service = |one: &Spanned<Principal>| matches!(one.value, Principal::Service(_));
    let keys: Vec<_> = view.conditions().filter_map(|(_, one)| one.key.value.known()).collect();
    let through = keys.contains(&KnownKey::KmsViaService);
    let limited = [
        KnownKey::KmsEncryptionContext,
        KnownKey::KmsEncryptionContextKeys,
        KnownKey::KmsReEncryptOnSameKey,
    ];
    if keys.iter().any(|key| limited.contains(key))
        || !(through || view.principals().iter().any(is_service))
    {
        return;
    }
    let Some(Element::Is(entries)) = &view.statement.action else { return };
    let both = ActionSet::from_iter([Action::ReEncryptFrom, Action::ReEncryptTo]);
    // What takes every action, or half of them, is another rule's.
    let named = |entry: &Spanned<String>| pattern::actions(&entry.value);
    let is_meant = |entry: &&Spanned<String>| {
        let named = named(entry);
        named.contains(Action::ReEncryptFrom)
            && named.iter().all(|action| action.name().starts_with("Re"))
    };
    if !both.is_subset_of(view.actions()) {
        return;
    }
    if let Some(entry) = entries.iter().find(is_meant) {
        let message = "the service may move ciphertexts from this key to any other";
        findings.push(Finding::at(entry.span, message).help(
            "remove it, or add a condition on `kms:ReEncryptOnSameKey` or the encryption context",
        ));
    }
}
