//! L16.

use crate::evaluate::supplies;
use crate::lint::key_policy;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, Finding, Findings, StatementView};
use crate::model::{
    Action, ActionSet, Element, KnownKey, PolicyKind, ResourceKind, SetQualifier, Spanned,
};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Finds `kms:` condition keys and keys of tags in a request beside actions whose requests
    /// never carry them. Entries with wildcards count only when no action of the statement supplies
    /// the key.
    ///
    /// ## Why is this bad?
    /// An absent key meets no condition but negated ones, so that an `Allow` never applies to the
    /// action, and a `Deny` never or always does. An encryption context, for instance, is in
    /// requests of cryptographic operations on symmetric keys and in `CreateGrant`, but not in
    /// `DescribeKey`.
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
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": ["kms:Decrypt", "kms:DescribeKey"],
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}
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
    ///       "Action": "kms:Decrypt",
    ///       "Resource": "*",
    ///       "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}
    ///     },
    ///     {
    ///       "Sid": "See",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": "kms:DescribeKey",
    ///       "Resource": "*"
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static UNSUPPLIED_CONDITION_KEY = {
        code: "CON016",
        name: "unsupplied-condition-key",
        summary: "a condition key that the action never supplies",
        level: Error,
        since: "0.1.0",
        covers: ["L16", "L23", "L49"],
        analyzer: ["UNSUPPORTED_ACTION_FOR_CONDITION_KEY", "MISSING_ACTION_FOR_CONDITION_KEY"],
        check: Check::Statement(check),
    }
}

fn check(view: &StatementView<'_>, findings: &mut Findings<'_>) {
    let Some(Element::Is(entries)) = &view.statement.action else { return };
    if entries.iter().any(|entry| !view.is_known(entry.span)) {
        return;
    }
    for (operator, condition) in view.conditions() {
        let Some(key) = condition.key.value.known().filter(|key| is_judged(view, *key)) else {
            continue;
        };
        let Some(met) = key_policy::met_by_absence(operator.value, condition) else { continue };
        // `IfExists` and `ForAllValues` in an `Allow` say that the key may be missing.
        let is_spoken_of = operator.value.if_exists
            || operator.value.qualifier == Some(SetQualifier::ForAllValues);
        if view.is_allow() && met && is_spoken_of {
            continue;
        }
        let judged: Vec<_> = entries.iter().filter(|entry| has_keys(view, &entry.value)).collect();
        let lacks = |entry: &Spanned<String>| {
            pattern::actions(&entry.value).iter().all(|action| !may_supply(action, key))
        };
        let nobody = judged.iter().all(|entry| lacks(entry));
        let denies = !view.is_allow() && met;
        let found: Vec<_> = judged
            .iter()
            .filter(|entry| lacks(entry) && (nobody || denies || !entry.value.contains(['*', '?'])))
            .collect();
        let Some(first) = found.first() else { continue };
        let names: Vec<String> = found.iter().map(|one| format!("`{}`", one.value)).collect();
        let effect = match (view.is_allow(), met) {
            (true, false) => "it is never allowed here",
            (true, true) => "the condition limits nothing for it",
            (false, false) => "it is never denied here",
            (false, true) => "it is always denied here",
        };
        let name = &condition.key.value;
        let message = match names.as_slice() {
            [one] => format!("{one} never supplies `{name}`: {effect}"),
            many => format!(
                "{} never supply `{name}`: {}",
                many.join(", "),
                effect.replace("it is", "they are").replace("for it", "for them")
            ),
        };
        let mut finding =
            Finding::at(condition.key.span, message).related(first.span, "does not supply it");
        if !nobody {
            finding = finding.help("put these actions into a statement of their own");
        }
        findings.push(finding);
    }
}

/// AWS's pages differ on whether untagging supplies the tags of the request: the kms developer guide
/// says so, the Service Authorization Reference does not.
fn may_supply(action: Action, key: KnownKey) -> bool {
    supplies(action, key) || (action, key) == (Action::UntagResource, KnownKey::AwsRequestTag)
}

/// Keys that key policies never see are another rule's.
fn is_judged(view: &StatementView<'_>, key: KnownKey) -> bool {
    let is_own = match key {
        KnownKey::KmsResourceAliases | KnownKey::AwsResourceTag => view.kind() == PolicyKind::Key,
        _ => false,
    };
    !is_own
}

/// Whether an entry names actions of KMS that can be allowed by this kind of policy, but not all.
fn has_keys(view: &StatementView<'_>, entry: &str) -> bool {
    let named = pattern::actions(entry);
    let counts = |action: Action| {
        // `RetireGrant` is on keys, and yet no key policy allows it.
        view.kind() != PolicyKind::Key
            || (action.resource_kind() != ResourceKind::Any && action != Action::RetireGrant)
    };
    named != ActionSet::ALL && named.iter().any(counts)
}
