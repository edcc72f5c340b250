//! L40.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, DocumentView, Finding, Findings, StatementView, ask, key_policy};
use crate::model::{Action, Decision, Element, Principal};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Asks, for everybody whom a key policy names, whether they could call `PutKeyPolicy`, and
    /// finds the `Deny` that takes it from everybody, or from a user or role that a statement gives
    /// it to by name.
    ///
    /// ## Why is this bad?
    /// An explicit `Deny` wins over every `Allow`, for administrators and for the account's root
    /// user. When nobody is left who can change the policy, the `Deny` cannot be removed any more
    /// without AWS Support.
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
    ///       "Sid": "Nobody",
    ///       "Effect": "Deny",
    ///       "Principal": {"AWS": "*"},
    ///       "Action": "kms:*",
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
    ///       "Sid": "OnlyManagers",
    ///       "Effect": "Deny",
    ///       "Principal": {"AWS": "*"},
    ///       "Action": ["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"],
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/key-admin"}
    ///       }
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static LOCKED_OUT_MANAGER = {
        code: "KEY040",
        name: "locked-out-manager",
        summary: "a `Deny` that takes the key policy from whoever manages it",
        level: Error,
        since: "0.1.0",
        covers: ["L40"],
        analyzer: [],
        check: Check::Document(check),
    }
}

fn check(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(view) || !view.document.is_whole() {
        return;
    }
    let names = |one: &StatementView<'_>, allow: bool| {
        one.is_allow() == allow
            && one.actions().contains(Action::PutKeyPolicy)
            && one.compiled().is_some_and(|compiled| compiled.inert.is_none())
    };
    let denies: Vec<_> = view.statements().filter(|one| names(one, false)).collect();
    // What `NotPrincipal` lists without its session or account is another rule's.
    if denies.iter().any(|one| !key_policy::unlisted(one).is_empty()) {
        return;
    }
    let Some(deny) = denies.first() else { return };
    let allow = view.statements().find(|one| names(one, true));
    let answers = ask::by_key_policy(view, Action::PutKeyPolicy);
    let is_denied = |decision: Decision| decision == Decision::ExplicitDeny;
    let no = |decision: Decision| is_denied(decision) || decision == Decision::ImplicitDeny;
    let span = |deny: &StatementView<'_>| {
        let action = deny.statement.action.as_ref().and_then(|element| match element {
            Element::Is(entries) => entries
                .iter()
                .find(|one| pattern::actions(&one.value).contains(Action::PutKeyPolicy)),
            Element::IsNot(_) => None,
        });
        action.map_or(deny.statement.span, |entry| entry.span)
    };
    if let Some(allow) = &allow
        && answers.iter().all(|(_, decision)| no(*decision))
        && answers.iter().any(|(_, decision)| is_denied(*decision))
    {
        let plain = denies.iter().find(|one| one.statement.condition.is_empty());
        let deny = plain.unwrap_or(deny);
        let message = "nobody can change this key policy: `kms:PutKeyPolicy` is denied to \
                       everybody it is allowed to";
        let finding = Finding::at(span(deny), message);
        findings.push(
            finding
                .related(allow.statement.span, "allowed here")
                .help("except whoever manages the key"),
        );
        return;
    }
    for deny in &denies {
        let everybody = key_policy::everybody(deny).is_some();
        if allow.is_none() && everybody && deny.statement.condition.is_empty() {
            let message = "nobody can change a key policy with this statement";
            let help = "except whoever manages the key";
            findings.push(Finding::at(span(deny), message).help(help));
            return;
        }
    }
    // Somebody is left. A manager whom one statement names and another denies is no intention.
    for (caller, _) in answers.iter().filter(|(_, decision)| is_denied(*decision)) {
        let Some(arn) = caller.policy_arn() else { continue };
        let named = |one: &StatementView<'_>| {
            let mut entries = one.principals().iter();
            entries.any(|entry| matches!(&entry.value, Principal::Arn(named) if named == arn))
        };
        let allowed = view.statements().find(|one| names(one, true) && named(one));
        if let Some(allowed) = allowed {
            let message =
                format!("`{arn}` is denied `kms:PutKeyPolicy`, which it is allowed elsewhere");
            findings.push(
                Finding::at(span(deny), message)
                    .related(allowed.statement.span, "allowed here")
                    .help("except it here, or do not allow it there"),
            );
            return;
        }
    }
}
