//! What a request for a grant says of it.

use crate::model::{
    ActionSet, ContextMap, ContextValue, EncryptionContext, EncryptionContextConstraint,
    GrantConstraints, GrantPrincipal,
};

/// The context keys of `CreateGrant` (kms developer guide, "AWS KMS condition keys").
pub(crate) fn grant_parameters(
    grantee: &GrantPrincipal,
    retiring: Option<&GrantPrincipal>,
    operations: ActionSet,
    constraints: &GrantConstraints,
) -> (EncryptionContext, ContextMap) {
    let mut parameters = ContextMap::new();
    let mut put = |name: &str, value: &str| parameters.set(name, ContextValue::One(value.into()));
    match grantee {
        GrantPrincipal::Service(service) => put("kms:GranteeServicePrincipal", service.as_str()),
        other => put("kms:GranteePrincipal", other.as_str()),
    }
    match retiring {
        Some(GrantPrincipal::Service(service)) => {
            put("kms:RetiringServicePrincipal", service.as_str());
        }
        Some(other) => put("kms:RetiringPrincipal", other.as_str()),
        None => {}
    }
    if let Some(arn) = &constraints.source_arn {
        put("kms:GrantConstraintSourceArn", arn);
    }
    let operations = operations.iter().map(|action| action.name().to_owned()).collect();
    parameters.set("kms:GrantOperations", ContextValue::Many(operations));
    let constraint = constraints.encryption_context.as_ref();
    constraint_type(constraint, &mut parameters);
    (constraint_pairs(constraint), parameters)
}

/// Adds the type of an encryption context constraint.
pub(crate) fn constraint_type(
    constraint: Option<&EncryptionContextConstraint>,
    parameters: &mut ContextMap,
) {
    let name = match constraint {
        Some(EncryptionContextConstraint::Equals(_)) => "EncryptionContextEquals",
        Some(EncryptionContextConstraint::Subset(_)) => "EncryptionContextSubset",
        None => return,
    };
    parameters.set("kms:GrantConstraintType", ContextValue::One(name.into()));
}

/// The pairs of an encryption context constraint.
pub(crate) fn constraint_pairs(
    constraint: Option<&EncryptionContextConstraint>,
) -> EncryptionContext {
    match constraint {
        Some(
            EncryptionContextConstraint::Equals(pairs) | EncryptionContextConstraint::Subset(pairs),
        ) => pairs.clone(),
        None => EncryptionContext::new(),
    }
}
