//! What a request for a grant says of it.

use super::{GrantSubject, OperationFacts};
use crate::model::{
    ActionSet, ContextMap, ContextValue, EncryptionContext, EncryptionContextConstraint,
    GrantConstraints, GrantPrincipal,
};

/// What `CreateGrant` puts into the request context (kms developer guide, "AWS KMS condition keys").
pub(crate) struct CreatedGrant<'a> {
    encryption_context: EncryptionContext,
    parameters: ContextMap,
    operations: ActionSet,
    constraints: &'a GrantConstraints,
}

impl<'a> CreatedGrant<'a> {
    pub(crate) fn new(
        grantee: &GrantPrincipal,
        retiring: Option<&GrantPrincipal>,
        operations: ActionSet,
        constraints: &'a GrantConstraints,
    ) -> Self {
        let mut parameters = ContextMap::new();
        let mut put =
            |name: &str, value: &str| parameters.set(name, ContextValue::One(value.into()));
        match grantee {
            GrantPrincipal::Service(service) => {
                put("kms:GranteeServicePrincipal", service.as_str());
            }
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
        let names = operations.iter().map(|action| action.name().to_owned()).collect();
        parameters.set("kms:GrantOperations", ContextValue::Many(names));
        let constraint = constraints.encryption_context.as_ref();
        constraint_type(constraint, &mut parameters);
        let encryption_context = constraint_pairs(constraint);
        Self { encryption_context, parameters, operations, constraints }
    }

    pub(crate) fn facts(&self) -> OperationFacts<'_> {
        OperationFacts {
            encryption_context: Some(&self.encryption_context),
            parameters: Some(&self.parameters),
            grant: GrantSubject::Created {
                operations: self.operations,
                constraints: self.constraints,
            },
            ..OperationFacts::default()
        }
    }
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
