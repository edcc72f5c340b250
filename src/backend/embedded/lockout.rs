//! KMS's lock-out check: whoever sets a key policy must be able to replace it again.
//!
//! Sources: <https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html>,
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html> and
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html>.

use super::KeystoreContents;
use super::kms::add_keys;
use crate::authorize::{Authorizer, KeyIdentifier, Preflight, PreflightError, PreflightOperation};
use crate::backend::slot::key_policy;
use crate::compile::{Caller, Grants, KeyEntry, Known, SnapshotBuilder, SnapshotError};
use crate::model::{Decision, Key, KeyArn, PolicyName};

/// The new policy would lock its author out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockoutError {
    /// Occurs when the policy does not let the caller replace it again.
    #[error(
        "MalformedPolicyDocumentException: the new key policy will not allow {caller} to update the key policy \
         in the future ({decision}); give --world and --caller of somebody who may, or bypass the check"
    )]
    LockedOut {
        /// Who was asked about.
        caller: String,
        /// What was answered.
        decision: Decision,
    },
    /// Occurs when the key is not in the keystore.
    #[error("key `{0}` does not exist")]
    NoKey(Box<KeyArn>),
    /// Occurs when KMS would refuse the policy for its form.
    #[error(transparent)]
    Policy(#[from] PreflightError),
    /// Occurs when two facts of the world contradict each other.
    #[error(transparent)]
    World(#[from] SnapshotError),
}

/// With `text` as the key's `default` policy, and without the `AWS_RAM` policy, the caller must be
/// able to call PutKeyPolicy again.
///
/// # Errors
/// When it is not a sure yes.
pub fn lockout_check(
    mut builder: SnapshotBuilder,
    mut contents: KeystoreContents,
    key: &KeyArn,
    text: &str,
    caller: &Caller,
) -> Result<(), LockoutError> {
    let stored = contents.keys.iter_mut().find(|stored| stored.key.arn == *key);
    let stored = stored.ok_or_else(|| LockoutError::NoKey(Box::new(key.clone())))?;
    stored.policies = [(PolicyName::Default, text.to_owned())].into();
    add_keys(&mut builder, contents)?;
    judge(builder, key, text, caller)
}

/// The same for a key that is yet to be made.
///
/// # Errors
/// When it is not a sure yes.
pub fn lockout_check_of_new(
    mut builder: SnapshotBuilder,
    key: Key,
    tags: &[(String, String)],
    text: &str,
    caller: &Caller,
) -> Result<(), LockoutError> {
    let arn = key.arn.clone();
    builder.knows_all_keys();
    builder.key(KeyEntry {
        policies: [key_policy(&arn, PolicyName::Default.as_str(), text)].into(),
        key,
        grants: Known::Known(Grants::default()),
        tags: Known::Known(tags.into()),
        aliases: Known::Known(Vec::new().into()),
    })?;
    judge(builder, &arn, text, caller)
}

/// Asks in a world where the policy is the key's already: what is decided is the next PutKeyPolicy.
fn judge(
    builder: SnapshotBuilder,
    key: &KeyArn,
    text: &str,
    caller: &Caller,
) -> Result<(), LockoutError> {
    let snapshot = builder.build();
    let question = Preflight {
        operation: PreflightOperation::PutKeyPolicy {
            key: KeyIdentifier::Arn(key.clone()),
            name: Some(PolicyName::Default),
            policy: Some(text.to_owned()),
            bypass: false,
        },
        region: Some(key.region().clone()),
        grant_tokens: Vec::new(),
        dry_run: false,
    };
    match Authorizer::new(&snapshot).preflight(question, caller)?.decision() {
        Decision::Allow => Ok(()),
        decision => Err(LockoutError::LockedOut { caller: caller.principal.to_string(), decision }),
    }
}
