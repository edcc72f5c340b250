//! L03.

use crate::lint::ask;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, DocumentView, Finding, Findings};
use crate::model::{Action, Decision, KeyManager, PolicyKind};

declare_rule! {
    /// ## What it does
    /// Asks, for everybody whom a key policy names and for the accounts it names, whether they could
    /// call `PutKeyPolicy`, and finds policies that let nobody.
    ///
    /// ## Why is this bad?
    /// No principal, the account's root user included, has a permission on a key that its policy does
    /// not give. A key whose policy nobody can change cannot be managed, shared or deleted any more
    /// without AWS Support.
    ///
    /// ## Example
    /// ```json,key
    /// {
    ///   "Version": "2012-10-17",
    ///   "Statement": [
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
    pub(in crate::lint) static UNMANAGEABLE_KEY = {
        code: "KEY003",
        name: "unmanageable-key",
        summary: "a key policy that lets nobody change it",
        level: Error,
        since: "0.1.0",
        covers: ["L03", "L40"],
        analyzer: [],
        check: Check::Document(check),
    }
}

fn check(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    let document = view.document;
    let is_managed = document.key.as_ref().is_some_and(|key| key.manager == Some(KeyManager::Aws));
    // Of a shared key, the owner's policy is the one named `default`; AWS writes those of its keys.
    if document.kind != PolicyKind::Key || is_managed || document.name.ends_with("AWS_RAM") {
        return;
    }
    // Somebody could be named where it is not known yet who.
    if !document.is_whole() {
        return;
    }
    let answers = ask::by_key_policy(view, Action::PutKeyPolicy);
    let nobody =
        |decision: Decision| matches!(decision, Decision::ExplicitDeny | Decision::ImplicitDeny);
    if !answers.iter().all(|(_, decision)| nobody(*decision)) {
        return;
    }
    let names = |allow: bool| {
        view.statements().find(|statement| {
            statement.is_allow() == allow && statement.actions().contains(Action::PutKeyPolicy)
        })
    };
    let help = "let the account's root principal or a role that manages the key call \
                `kms:PutKeyPolicy`";
    let finding = match (names(true), names(false)) {
        // Allowed, and taken back.
        (Some(allow), Some(deny)) => {
            let message = "nobody can change this key policy: this statement denies it to everybody \
                           it is allowed to";
            Finding::at(deny.statement.span, message)
                .related(allow.statement.span, "allowed here")
                .help("except whoever manages the key")
        }
        _ => {
            let Some(first) = view.statements().next() else { return };
            let message = "nobody can change this key policy: no statement gives `kms:PutKeyPolicy` \
                           to anybody who could use it";
            Finding::at(first.statement.span, message).help(help)
        }
    };
    findings.push(finding);
}
