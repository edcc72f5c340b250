//! Whether a grant gives a permission.
//!
//! Source: kms developer guide, "Grants in AWS KMS"; botocore `kms/2014-11-01` `GrantConstraints`.

use super::trace::GrantOutcome;
use super::{Found, GrantSubject, Question, RequestContext};
use crate::compile::{Pairs, class_of_granted};
use crate::model::{
    Action, CallerPrincipal, EncryptionContextConstraint, Grant, GrantPrincipal, GrantVisibility,
    KnownKey, PrincipalArnKind, Reading, Truth, eq_ignore_case,
};

/// Why the grant applies to the question or not (G1 to G5).
pub(super) fn outcome(grant: &Grant, question: &Question<'_>) -> GrantOutcome {
    if !grant.operations.contains(question.context.action) {
        return GrantOutcome::Operation;
    }
    // What is unknown leaves the rest to be asked: a constraint that is surely not met settles it.
    let mut open = false;
    match is_grantee(&grant.grantee, question.principal) {
        Truth::False => return GrantOutcome::Grantee,
        Truth::Unknown => open = true,
        Truth::True => {}
    }
    if let GrantVisibility::TokenOnly(token) = &grant.visibility
        && !question.grant_tokens.contains(token)
    {
        return GrantOutcome::NotPropagated;
    }
    if let Some(wanted) = &grant.constraints.source_arn {
        match source_arn(wanted, question) {
            Truth::False => return GrantOutcome::SourceArn,
            Truth::Unknown => open = true,
            Truth::True => {}
        }
    }
    if question.context.action == Action::CreateGrant {
        return match created(grant, question) {
            GrantOutcome::Applies if open => GrantOutcome::Unknown,
            outcome => outcome,
        };
    }
    if let Some(constraint) = &grant.constraints.encryption_context
        && constrains(question.context.action)
    {
        match told(&question.context) {
            Some(context) if satisfies(context, constraint, question) => {}
            Some(_) => return GrantOutcome::Context,
            None => open = true,
        }
    }
    if open { GrantOutcome::Unknown } else { GrantOutcome::Applies }
}

/// The encryption context of the request: that of the operation or, without facts, what the stated
/// keys tell.
pub(super) fn told<'q>(request: &RequestContext<'q>) -> Option<Pairs<'q>> {
    match request.facts {
        Some(facts) => facts.operation.encryption_context.map(Pairs::Context),
        None => request.stated.is_complete().then_some(Pairs::Stated(request.stated)),
    }
}

/// G3: encryption context constraints bind cryptographic operations with a symmetric key; they
/// are ignored for DescribeKey and RetireGrant.
pub(super) fn constrains(action: Action) -> bool {
    !matches!(action, Action::DescribeKey | Action::RetireGrant)
}

/// G8: a grant that lets its grantee make grants lets it make narrower ones alone: no further
/// operation, and constraints at least as strict.
fn created(parent: &Grant, question: &Question<'_>) -> GrantOutcome {
    let GrantSubject::Created { operations, constraints } = question.context.grant else {
        return GrantOutcome::Unknown;
    };
    let stricter = match (&parent.constraints.encryption_context, &constraints.encryption_context) {
        (None, _) => true,
        (Some(_), None) => false,
        (
            Some(EncryptionContextConstraint::Subset(wanted)),
            Some(
                EncryptionContextConstraint::Subset(own) | EncryptionContextConstraint::Equals(own),
            ),
        ) => wanted.iter().all(|(name, value)| own.value(name) == Some(value)),
        (
            Some(EncryptionContextConstraint::Equals(wanted)),
            Some(EncryptionContextConstraint::Equals(own)),
        ) => wanted == own,
        (Some(EncryptionContextConstraint::Equals(_)), Some(_)) => false,
    };
    // Whether a chain may drop a SourceArn is not documented; it may not.
    let source = parent.constraints.source_arn.is_none()
        || parent.constraints.source_arn == constraints.source_arn;
    if operations.is_subset_of(parent.operations) && stricter && source {
        GrantOutcome::Applies
    } else {
        GrantOutcome::Wider
    }
}

/// G9: who may retire a grant by what it says, and which accounts may delegate it with IAM: the
/// one it was issued under, and one that is named as retiring principal.
pub(super) fn may_retire(grant: &Grant, question: &Question<'_>) -> [Truth; 2] {
    let caller = question.principal;
    let is_root = |named: &GrantPrincipal| matches!(named, GrantPrincipal::Principal(arn) if arn.kind() == PrincipalArnKind::Root);
    let mut itself = Truth::False;
    let mut delegated = Truth::False;
    if let Some(retiring) = &grant.retiring {
        let named = is_grantee(retiring, caller);
        if is_root(retiring) {
            delegated = delegated.or(named);
        } else {
            itself = itself.or(named);
        }
    }
    if grant.operations.contains(Action::RetireGrant) {
        let named = is_grantee(&grant.grantee, caller);
        if is_root(&grant.grantee) {
            delegated = delegated.or(named);
        } else {
            itself = itself.or(named);
        }
    }
    let owner = grant.key.account();
    let issuer = grant.issuing_account.unwrap_or(owner);
    if caller.account() == Some(issuer) {
        delegated = Truth::True;
    } else if caller.account() == Some(owner) {
        delegated = delegated.or((question.readings.choice(Reading::RetireByOwner) == 1).into());
    }
    [itself, delegated]
}

fn satisfies(
    context: Pairs<'_>,
    constraint: &EncryptionContextConstraint,
    question: &Question<'_>,
) -> bool {
    let any_case = question.readings.choice(Reading::GrantContextKeyCase) == 1;
    let has = |name: &str, value: &str| {
        if context.iter().any(|(key, own)| key == name && own == value) {
            return true;
        }
        let folded = context.iter().any(|(key, own)| eq_ignore_case(key, name) && own == value);
        folded && any_case
    };
    // An empty request context fails both forms.
    let length = context.iter().count();
    match constraint {
        EncryptionContextConstraint::Equals(wanted) => {
            length > 0
                && length == wanted.len()
                && wanted.iter().all(|(name, value)| has(name, value))
        }
        EncryptionContextConstraint::Subset(wanted) => {
            length > 0 && wanted.iter().all(|(name, value)| has(name, value))
        }
    }
}

/// G4: `SourceArn` is evaluated when a service makes the request.
fn source_arn(wanted: &str, question: &Question<'_>) -> Truth {
    if !matches!(question.principal, CallerPrincipal::Service { .. }) {
        return (question.readings.choice(Reading::GrantSourceArnDirect) == 1).into();
    }
    let source_arn = KnownKey::AwsSourceArn;
    match question.context.find_known(source_arn, ("aws:sourcearn", ""), true) {
        Found::One(found) => (found == wanted).into(),
        Found::Unknown => Truth::Unknown,
        Found::Absent | Found::Many(_) | Found::Unsupported | Found::Pair(..) => Truth::False,
    }
}

/// G2: a grantee is the principal itself, and a role stands for its sessions; naming an account
/// lets it delegate.
fn is_grantee(grantee: &GrantPrincipal, caller: &CallerPrincipal) -> Truth {
    class_of_granted(grantee, caller).map_or(Truth::False, |(_, truth)| truth)
}

/// Whether the grant names an account rather than one of its identities.
pub(super) fn names_account(grant: &Grant) -> bool {
    matches!(&grant.grantee, GrantPrincipal::Principal(arn) if arn.kind() == PrincipalArnKind::Root)
}
