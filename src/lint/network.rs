//! Statements that deny what does not come from a network.

use super::key_policy;
use super::subject::StatementView;
use crate::model::{Condition, KnownKey};

/// How to exempt services.
pub(super) const HELP: &str = "add `\"Bool\": {\"aws:ViaAWSService\": \"false\", \"aws:PrincipalIsAWSService\": \"false\"}` to the condition";

/// The condition by which a statement denies requests from outside of a network, those of services
/// for the caller among them (kms developer guide, "Using AWS global condition keys").
pub(super) fn denies_others<'c>(view: &StatementView<'c>) -> Option<&'c Condition> {
    use KnownKey as K;
    let exempts = view.conditions().any(|(_, one)| {
        matches!(
            one.key.value.known(),
            Some(
                K::AwsCalledVia
                    | K::AwsCalledViaFirst
                    | K::AwsCalledViaLast
                    | K::AwsPrincipalIsAwsService
                    | K::AwsPrincipalServiceName
                    | K::AwsPrincipalServiceNamesList
                    | K::AwsViaAwsService
                    | K::KmsViaService
            )
        )
    });
    if exempts {
        return None;
    }
    let mut conditions = view.conditions();
    let found = conditions.find(|(operator, one)| {
        let is_network = matches!(
            one.key.value.known(),
            Some(
                K::AwsSourceIp
                    | K::AwsSourceVpc
                    | K::AwsSourceVpcArn
                    | K::AwsSourceVpce
                    | K::AwsVpcSourceIp
            )
        );
        is_network
            && operator.value.operator.is_negated()
            && key_policy::met_by_absence(operator.value, one) == Some(true)
    });
    found.map(|(_, one)| one)
}
