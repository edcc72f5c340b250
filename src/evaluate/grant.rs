//! Whether a grant gives a permission.
//!
//! Source: kms developer guide, "Grants in AWS KMS"; botocore `kms/2014-11-01` `GrantConstraints`.

use super::trace::GrantOutcome;
use super::{Found, Question};
use crate::compile::class_of;
use crate::model::{
    Action, CallerPrincipal, ConditionKey, EncryptionContext, EncryptionContextConstraint, Grant,
    GrantPrincipal, GrantVisibility, PolicyKind, Principal, PrincipalArnKind, Reading, Readings,
    Truth, eq_ignore_case,
};

/// Why the grant applies to the question or not (G1 to G5).
pub(super) fn outcome(
    grant: &Grant,
    question: &Question<'_>,
    note: &mut dyn FnMut(Reading),
) -> GrantOutcome {
    if !grant.operations.contains(question.context.action) {
        return GrantOutcome::Operation;
    }
    match is_grantee(&grant.grantee, question.principal, question.readings) {
        Truth::False => return GrantOutcome::Grantee,
        Truth::Unknown => return GrantOutcome::Unknown,
        Truth::True => {}
    }
    if let GrantVisibility::TokenOnly(token) = &grant.visibility
        && !question.grant_tokens.contains(token)
    {
        return GrantOutcome::NotPropagated;
    }
    if let Some(wanted) = &grant.constraints.source_arn {
        match source_arn(wanted, question, note) {
            Truth::False => return GrantOutcome::SourceArn,
            Truth::Unknown => return GrantOutcome::Unknown,
            Truth::True => {}
        }
    }
    if let Some(constraint) = &grant.constraints.encryption_context
        && constrains(question.context.action)
    {
        let context = question.context.facts.and_then(|facts| facts.operation.encryption_context);
        return match context {
            Some(context) if satisfies(context, constraint, question, note) => {
                GrantOutcome::Applies
            }
            Some(_) => GrantOutcome::Context,
            None => GrantOutcome::Unknown,
        };
    }
    GrantOutcome::Applies
}

/// G3: encryption context constraints bind cryptographic operations with a symmetric key; they
/// are ignored for DescribeKey and RetireGrant.
fn constrains(action: Action) -> bool {
    !matches!(action, Action::DescribeKey | Action::RetireGrant)
}

fn satisfies(
    context: &EncryptionContext,
    constraint: &EncryptionContextConstraint,
    question: &Question<'_>,
    note: &mut dyn FnMut(Reading),
) -> bool {
    let any_case = question.readings.choice(Reading::GrantContextKeyCase) == 1;
    let mut has = |name: &str, value: &str| {
        if context.value(name) == Some(value) {
            return true;
        }
        let folded = context.iter().any(|(key, own)| eq_ignore_case(key, name) && own == value);
        if folded {
            note(Reading::GrantContextKeyCase);
        }
        folded && any_case
    };
    // An empty request context fails both forms.
    match constraint {
        EncryptionContextConstraint::Equals(wanted) => {
            !context.is_empty()
                && context.len() == wanted.len()
                && wanted.iter().all(|(name, value)| has(name, value))
        }
        EncryptionContextConstraint::Subset(wanted) => {
            !context.is_empty() && wanted.iter().all(|(name, value)| has(name, value))
        }
    }
}

/// G4: `SourceArn` is evaluated when a service makes the request.
fn source_arn(wanted: &str, question: &Question<'_>, note: &mut dyn FnMut(Reading)) -> Truth {
    if !matches!(question.principal, CallerPrincipal::Service { .. }) {
        note(Reading::GrantSourceArnDirect);
        return (question.readings.choice(Reading::GrantSourceArnDirect) == 1).into();
    }
    match question.context.find(&ConditionKey::new("aws:SourceArn"), PolicyKind::Key) {
        Found::One(found) => (found == wanted).into(),
        Found::Unknown => Truth::Unknown,
        Found::Absent | Found::Many(_) => Truth::False,
    }
}

/// G2: a grantee is the principal itself, and a role stands for its sessions; naming an account
/// lets it delegate.
fn is_grantee(grantee: &GrantPrincipal, caller: &CallerPrincipal, readings: &Readings) -> Truth {
    let principal = match grantee {
        GrantPrincipal::Principal(arn) => Principal::Arn(arn.clone()),
        GrantPrincipal::Service(service) => Principal::Service(service.clone()),
        GrantPrincipal::Unique(id) => Principal::Unique(id.clone()),
        GrantPrincipal::Other(_) => return Truth::False,
    };
    match class_of(&principal, caller, readings) {
        Some((_, truth)) => truth,
        None => Truth::False,
    }
}

/// Whether the grant names an account rather than one of its identities.
pub(super) fn names_account(grant: &Grant) -> bool {
    matches!(&grant.grantee, GrantPrincipal::Principal(arn) if arn.kind() == PrincipalArnKind::Root)
}
