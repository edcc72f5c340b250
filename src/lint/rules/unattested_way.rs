//! L49.

use crate::evaluate::supplies;
use crate::lint::rule::declare_rule;
use crate::lint::{Check, DocumentView, Finding, Findings, StatementView};
use crate::lint::{condition, key_policy};
use crate::model::{Action, ActionSet, Condition, Element, KnownKey, Operator, Principal, Spanned};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Finds keys that require an attestation document (`kms:RecipientAttestation:…`) in one
    /// statement while another statement of the policy lets the same principal do the same without,
    /// and an `Allow` whose condition on attestation a request without a document meets.
    ///
    /// ## Why is this bad?
    /// Outside of the enclave there is no document, and nothing asks for one: whoever holds the
    /// role's credentials takes the other way, and attestation protects nothing.
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
    ///       "Sid": "Enclave",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": ["kms:Decrypt"],
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "StringEqualsIgnoreCase": {
    ///           "kms:RecipientAttestation:ImageSha384": "9fedcba8abcdef7abcdef6abcdef5abcdef4abcdef3abcdef2abcdef1abcdef0abcdef1abcdef2abcdef3abcdef4abcdef5"
    ///         }
    ///       }
    ///     },
    ///     {
    ///       "Sid": "App",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": ["kms:Decrypt", "kms:DescribeKey"],
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
    ///       "Sid": "Enclave",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": ["kms:Decrypt"],
    ///       "Resource": "*",
    ///       "Condition": {
    ///         "StringEqualsIgnoreCase": {
    ///           "kms:RecipientAttestation:ImageSha384": "9fedcba8abcdef7abcdef6abcdef5abcdef4abcdef3abcdef2abcdef1abcdef0abcdef1abcdef2abcdef3abcdef4abcdef5"
    ///         }
    ///       }
    ///     },
    ///     {
    ///       "Sid": "App",
    ///       "Effect": "Allow",
    ///       "Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"},
    ///       "Action": ["kms:Encrypt", "kms:DescribeKey"],
    ///       "Resource": "*"
    ///     }
    ///   ]
    /// }
    /// ```
    pub(in crate::lint) static UNATTESTED_WAY = {
        code: "KEY049",
        name: "unattested-way",
        summary: "attestation that a request can go without",
        level: Warning,
        since: "0.1.0",
        covers: ["L49"],
        analyzer: [],
        check: Check::Document(check),
    }
}

fn check(view: &DocumentView<'_>, findings: &mut Findings<'_>) {
    if !key_policy::is_written(view) {
        return;
    }
    let allows: Vec<StatementView<'_>> =
        view.statements().filter(StatementView::is_allow).collect();
    for one in &allows {
        for (operator, condition) in one.conditions() {
            if is_attestation(condition)
                && key_policy::met_by_absence(operator.value, condition) == Some(true)
                && operator.value.operator != Operator::Null
                && !condition::needs(one, ATTESTATION)
            {
                let message = "requests without an attestation document meet this condition";
                findings.push(
                    Finding::at(condition.key.span, message)
                        .help("require it by `StringEqualsIgnoreCase` without `IfExists`"),
                );
            }
        }
    }
    // A `Deny` of what is not attested closes every other way.
    let denied = |action: Action| {
        view.statements().any(|one| {
            !one.is_allow()
                && one.actions().contains(action)
                && one.conditions().any(|(_, condition)| is_attestation(condition))
        })
    };
    for attested in allows.iter().filter(|one| condition::needs(one, ATTESTATION)) {
        for other in allows.iter().filter(|one| !asks(one)) {
            let Some(who) = shared(attested, other) else { continue };
            let Some(Element::Is(entries)) = &other.statement.action else { continue };
            let both = attested.actions();
            let is_way = |action: &Action| {
                both.contains(*action)
                    && supplies(*action, KnownKey::KmsRecipientAttestation)
                    && !denied(*action)
            };
            let way = entries.iter().find(|entry| {
                let named = pattern::actions(&entry.value);
                // `kms:*` is an administrator's; other rules speak of it.
                named != ActionSet::ALL && named.iter().any(|action| is_way(&action))
            });
            let Some(entry) = way else { continue };
            let message = "this is allowed to the same principal without attestation";
            let mut finding = Finding::at(entry.span, message).related(who.span, "the principal");
            if let Some(action) = &attested.statement.action
                && let Some(first) = action.entries().first()
            {
                finding = finding.related(first.span, "attested here");
            }
            findings.push(finding.help("take it out of this statement, or add the attestation"));
        }
    }
}

const ATTESTATION: &[KnownKey] = &[KnownKey::KmsRecipientAttestation];

fn is_attestation(one: &Condition) -> bool {
    one.key.value.known() == Some(KnownKey::KmsRecipientAttestation)
}

fn asks(view: &StatementView<'_>) -> bool {
    view.conditions().any(|(_, one)| is_attestation(one))
}

/// A principal of the second statement whom the first is for, too; accounts only delegate.
fn shared<'c>(
    attested: &StatementView<'c>,
    other: &StatementView<'c>,
) -> Option<&'c Spanned<Principal>> {
    let is_somebody = |one: &&Spanned<Principal>| !matches!(one.value, Principal::Account { .. });
    let mut all = other.principals().iter().filter(is_somebody);
    all.find(|one| attested.principals().iter().any(|it| it.value == one.value))
}
