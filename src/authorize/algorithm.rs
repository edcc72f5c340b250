//! Whether a key supports the algorithm that a request states.

use super::{KeyFault, Side};
use crate::compile::{Caller, Snapshot};
use crate::model::{Action, ContextValue, KeyArn};

/// K12: the algorithm of a signature, a MAC or a key agreement, as it is stated as a condition key,
/// must be one of the key's (kms API reference, "Sign", "GenerateMac", "DeriveSharedSecret":
/// `InvalidKeyUsageException`). What is not stated is taken to fit.
pub(super) fn algorithm_fault(
    snapshot: &Snapshot,
    action: Action,
    arn: &KeyArn,
    caller: &Caller,
) -> Option<KeyFault> {
    let name = match action {
        Action::Sign | Action::Verify => "kms:signingalgorithm",
        Action::GenerateMac | Action::VerifyMac => "kms:macalgorithm",
        Action::DeriveSharedSecret => "kms:keyagreementalgorithm",
        _ => return None,
    };
    let Some(ContextValue::One(algorithm)) = caller.context.stated(name) else { return None };
    let key = &snapshot.key(arn)?.key;
    let fits = key.spec.algorithms(key.usage).contains(&algorithm.as_str());
    (!fits).then(|| KeyFault {
        side: Side::Key,
        code: "InvalidKeyUsageException",
        message: format!("{algorithm} cannot be used with the {} key {arn}", key.spec),
    })
}
