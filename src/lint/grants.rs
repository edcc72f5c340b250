//! What several rules ask of grants.

use std::sync::Arc;

use super::subject::GrantSubject;
use crate::model::GrantPrincipal;

/// Whether a service made the grant for a resource of its own, as far as the grantee tells: it is to
/// a service, to a service-linked role, or to the role EC2 keeps for an instance. Such grants repeat
/// each other and go with their resources (kms developer guide, "Best practices for AWS KMS
/// grants").
pub(super) fn is_of_service(subject: &GrantSubject) -> bool {
    match &subject.grant.grantee {
        GrantPrincipal::Principal(arn) => {
            arn.is_service_linked_role() || arn.as_str().contains(":role/aws:")
        }
        GrantPrincipal::Unique(_) => false,
        GrantPrincipal::Service(_) | GrantPrincipal::Other(_) => true,
    }
}

/// Whether two grants are surely on one key.
pub(super) fn are_on_one_key(left: &GrantSubject, right: &GrantSubject) -> bool {
    Arc::ptr_eq(&left.facts, &right.facts)
        || (left.facts.arn.is_some() && left.facts.arn == right.facts.arn)
}
