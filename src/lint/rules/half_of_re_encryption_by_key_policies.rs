//! L08.

use crate::lint::rule::declare_rule;
use crate::lint::{Check, Collection, DocumentView, Finding, Findings, StatementView, identity};
use crate::model::{Action, GrantPrincipal, PolicyKind, Principal, PrincipalArn, PrincipalElement};
use crate::pattern;

declare_rule! {
    /// ## What it does
    /// Finds users and roles that the key policies of several keys let do one half of `ReEncrypt` on
    /// some and the other half on none, where the input does not tell their own policies.
    ///
    /// ## Why is this bad?
    /// `ReEncrypt` needs `kms:ReEncryptFrom` on the source key and `kms:ReEncryptTo` on the destination
    /// key. Unless an identity policy or the policy of a key elsewhere allows the other half, every
    /// call is denied.
    ///
    /// ## Example
    /// ```json,world
    /// {
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "Move",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/mover"},
    ///         "Action": "kms:ReEncryptFrom",
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/0987dcba-09fe-87dc-65ba-ab0987654321/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "Move",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/loader"},
    ///         "Action": ["kms:ReEncrypt*"],
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
    ///   "accounts/111122223333/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "Move",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/mover"},
    ///         "Action": "kms:ReEncryptFrom",
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   },
    ///   "accounts/111122223333/regions/eu-central-1/keys/0987dcba-09fe-87dc-65ba-ab0987654321/policy.json": {
    ///     "Version": "2012-10-17",
    ///     "Statement": [
    ///       {
    ///         "Sid": "Delegate",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    ///         "Action": "kms:*",
    ///         "Resource": "*"
    ///       },
    ///       {
    ///         "Sid": "Move",
    ///         "Effect": "Allow",
    ///         "Principal": {"AWS": "arn:aws:iam::111122223333:role/mover"},
    ///         "Action": ["kms:ReEncryptTo"],
    ///         "Resource": "*"
    ///       }
    ///     ]
    ///   }
    /// }
    /// ```
    pub(in crate::lint) static HALF_OF_RE_ENCRYPTION_BY_KEY_POLICIES = {
        code: "WLD108",
        name: "half-of-re-encryption-by-key-policies",
        summary: "a user or role that key policies let do one half of `ReEncrypt`",
        level: Note,
        since: "0.1.0",
        covers: ["L08"],
        analyzer: [],
        check: Check::Collection(check),
    }
}

fn check(collection: &Collection, findings: &mut Findings<'_>) {
    let policies: Vec<DocumentView<'_>> = collection
        .documents
        .iter()
        .filter(|one| one.kind == PolicyKind::Key)
        .filter_map(|document| {
            let syntax = document.syntax()?;
            Some(DocumentView { document, syntax, collection })
        })
        .collect();
    if policies.len() < 2 || !policies.iter().all(|one| one.document.is_whole()) {
        return;
    }
    let statements: Vec<StatementView<'_>> = policies
        .iter()
        .flat_map(DocumentView::statements)
        .filter(StatementView::is_allow)
        .collect();
    let halves = [
        (Action::ReEncryptFrom, Action::ReEncryptTo),
        (Action::ReEncryptTo, Action::ReEncryptFrom),
    ];
    for one in &statements {
        for (half, other) in halves {
            let only = [half].into_iter().collect();
            let mut entries = identity::actions(one).unwrap_or_default().iter();
            let Some(entry) = entries.find(|entry| pattern::actions(&entry.value) == only) else {
                continue;
            };
            for principal in one.principals() {
                let Principal::Arn(arn) = &principal.value else { continue };
                // What it may do besides is told, and asked.
                if collection.entities.iter().any(|entity| entity.arn == *arn)
                    || is_granted(collection, arn, other)
                    || statements.iter().any(|it| it.actions().contains(other) && names(it, arn))
                {
                    continue;
                }
                let message =
                    format!("no key policy here lets `{arn}` do the other half, `{other}`");
                let finding = Finding::at(entry.span, message)
                    .related(principal.span, "may do one half here")
                    .help(format!(
                        "allow `{other}` on the other key, unless an identity policy does"
                    ));
                findings.push_in(one.document.document, finding);
            }
        }
    }
}

/// Whether a statement is for somebody by name, or for everybody.
fn names(one: &StatementView<'_>, arn: &PrincipalArn) -> bool {
    match &one.statement.principal {
        Some(PrincipalElement::IsNot(_)) => true,
        _ => one.principals().iter().any(|entry| match &entry.value {
            Principal::Arn(named) => named == arn,
            Principal::EveryAws | Principal::Everyone => true,
            _ => false,
        }),
    }
}

fn is_granted(collection: &Collection, arn: &PrincipalArn, action: Action) -> bool {
    collection.grants.iter().any(|subject| {
        subject.grant.operations.contains(action)
            && matches!(&subject.grant.grantee, GrantPrincipal::Principal(grantee) if grantee == arn)
    })
}
