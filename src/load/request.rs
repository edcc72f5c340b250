//! The words of a request, as the command line and scenario files give them.

use std::fmt;
use std::str::FromStr;

use crate::authorize::{GrantRequest, PreflightKey, PreflightOperation};
use crate::compile::Snapshot;
use crate::evaluate::supplies;
use crate::model::{
    Action, EncryptionAlgorithm, EncryptionContext, EncryptionContextConstraint, GrantConstraints,
    GrantOperation, GrantPrincipal, InvalidText, KnownKey, Region, ResourceKind,
};

/// What is asked about, in words; each is the command line's flag of its name.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the names are those of AWS's parameters")]
pub struct RequestWords {
    /// An operation or an action; `ReEncrypt` when there is a source key.
    pub operation: Option<String>,
    pub key_id: Option<String>,
    pub source_key_id: Option<String>,
    pub destination_key_id: Option<String>,
    pub alias_name: Option<String>,
    pub target_key_id: Option<String>,
    pub grantee_principal: Option<String>,
    pub retiring_principal: Option<String>,
    pub operations: Option<Vec<String>>,
    pub encryption_context_equals: Option<EncryptionContext>,
    pub encryption_context_subset: Option<EncryptionContext>,
    pub source_arn: Option<String>,
    pub grant_id: Option<String>,
    /// The text of a policy.
    pub policy: Option<String>,
    pub bypass_policy_lockout_safety_check: bool,
    pub replica_region: Option<String>,
    pub primary_region: Option<String>,
    /// Whether tags are passed.
    pub tagged: bool,
    pub encryption_context: Option<EncryptionContext>,
    pub source_encryption_context: Option<EncryptionContext>,
    pub destination_encryption_context: Option<EncryptionContext>,
    pub encryption_algorithm: Option<String>,
    pub source_encryption_algorithm: Option<String>,
    pub destination_encryption_algorithm: Option<String>,
}

/// The words are no request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// A word is not of its kind.
    Invalid(String),
    /// The operation needs a word.
    Missing {
        /// The operation.
        operation: String,
        /// The word.
        word: &'static str,
    },
    /// No operation is named.
    NoOperation,
    /// The operation has no such parameter.
    Unused {
        /// The operation.
        operation: String,
        /// The word.
        word: &'static str,
    },
}

impl RequestError {
    /// The message, with words as the reader writes them.
    #[must_use]
    pub fn message(&self, written: impl Fn(&str) -> String) -> String {
        match self {
            Self::Invalid(message) => message.clone(),
            Self::Missing { operation, word } => format!("{operation} needs {}", written(word)),
            Self::NoOperation => {
                let word = written("operation");
                format!("what is asked about is missing: give {word}, such as Decrypt")
            }
            Self::Unused { operation, word } => {
                format!("{} does not apply to {operation}", written(word))
            }
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message(|word| format!("`{word}`")))
    }
}

impl std::error::Error for RequestError {}

impl From<InvalidText> for RequestError {
    fn from(error: InvalidText) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl RequestWords {
    /// What is asked about.
    ///
    /// # Errors
    /// When a word is missing, wrong, or no parameter of the operation.
    pub fn operation(mut self) -> Result<PreflightOperation, RequestError> {
        let given = match self.operation.take() {
            Some(name) => name,
            None if self.source_key_id.is_some() || self.destination_key_id.is_some() => {
                "ReEncrypt".to_owned()
            }
            None => return Err(RequestError::NoOperation),
        };
        let operation = if given == "ReEncrypt" {
            self.re_encrypt(&given)?
        } else {
            match given.parse::<Action>() {
                Ok(action) => self.of_action(action, &given)?,
                // Tells what is wrong with the name.
                Err(_) => self.of_action(PreflightOperation::action(&given)?, &given)?,
            }
        };
        match self.left() {
            Some(word) => {
                Err(RequestError::Unused { operation: unprefixed(&given).to_owned(), word })
            }
            None => Ok(operation),
        }
    }

    fn re_encrypt(&mut self, name: &str) -> Result<PreflightOperation, RequestError> {
        Ok(PreflightOperation::ReEncrypt {
            source: PreflightKey {
                name: required(self.source_key_id.take(), "source-key-id", name)?,
                context: self.source_encryption_context.take().unwrap_or_default(),
                algorithm: algorithm(self.source_encryption_algorithm.take())?,
            },
            destination: PreflightKey {
                name: required(self.destination_key_id.take(), "destination-key-id", name)?,
                context: self.destination_encryption_context.take().unwrap_or_default(),
                algorithm: algorithm(self.destination_encryption_algorithm.take())?,
            },
        })
    }

    fn of_action(
        &mut self,
        action: Action,
        given: &str,
    ) -> Result<PreflightOperation, RequestError> {
        use PreflightOperation as O;
        let name = action.name();
        Ok(match action {
            Action::CreateAlias => O::CreateAlias {
                alias: required(self.alias_name.take(), "alias-name", name)?,
                target: required(self.target_key_id.take(), "target-key-id", name)?,
            },
            Action::UpdateAlias => O::UpdateAlias {
                alias: required(self.alias_name.take(), "alias-name", name)?,
                target: required(self.target_key_id.take(), "target-key-id", name)?,
            },
            Action::DeleteAlias => {
                O::DeleteAlias { alias: required(self.alias_name.take(), "alias-name", name)? }
            }
            Action::CreateGrant => O::CreateGrant {
                key: required(self.key_id.take(), "key-id", name)?,
                grant: Box::new(self.grant(name)?),
            },
            Action::RetireGrant => O::RetireGrant {
                key: required(self.key_id.take(), "key-id", name)?,
                grant: required(self.grant_id.take(), "grant-id", name)?,
            },
            Action::PutKeyPolicy => O::PutKeyPolicy {
                key: required(self.key_id.take(), "key-id", name)?,
                policy: self.policy.take(),
                bypass: std::mem::take(&mut self.bypass_policy_lockout_safety_check),
            },
            Action::ReplicateKey => O::ReplicateKey {
                key: required(self.key_id.take(), "key-id", name)?,
                replica_region: required(self.replica_region.take(), "replica-region", name)?,
                tagged: std::mem::take(&mut self.tagged),
            },
            Action::UpdatePrimaryRegion => O::UpdatePrimaryRegion {
                key: required(self.key_id.take(), "key-id", name)?,
                primary_region: required(self.primary_region.take(), "primary-region", name)?,
            },
            Action::CreateKey => O::NoKey { action, tagged: std::mem::take(&mut self.tagged) },
            _ if action.resource_kind() == ResourceKind::Any => O::NoKey { action, tagged: false },
            _ => O::Action {
                action: O::action(given)?,
                key: PreflightKey {
                    name: required(self.key_id.take(), "key-id", name)?,
                    context: match supplies(action, KnownKey::KmsEncryptionContext) {
                        true => self.encryption_context.take().unwrap_or_default(),
                        false => EncryptionContext::new(),
                    },
                    algorithm: algorithm(
                        supplies(action, KnownKey::KmsEncryptionAlgorithm)
                            .then(|| self.encryption_algorithm.take())
                            .flatten(),
                    )?,
                },
            },
        })
    }

    fn grant(&mut self, name: &str) -> Result<GrantRequest, RequestError> {
        let principal = |text: String| -> Result<GrantPrincipal, InvalidText> {
            if text.starts_with("arn:") {
                text.parse().map(GrantPrincipal::Principal)
            } else {
                text.parse().map(GrantPrincipal::Service)
            }
        };
        let grantee = self.grantee_principal.take().ok_or_else(|| RequestError::Missing {
            operation: name.to_owned(),
            word: "grantee-principal",
        })?;
        Ok(GrantRequest {
            grantee: principal(grantee)?,
            retiring: self.retiring_principal.take().map(principal).transpose()?,
            operations: GrantOperation::set(&self.operations.take().unwrap_or_default())?,
            constraints: GrantConstraints {
                encryption_context: constraint(
                    self.encryption_context_equals.take(),
                    self.encryption_context_subset.take(),
                )
                .map_err(RequestError::Invalid)?,
                source_arn: self.source_arn.take().map(Into::into),
            },
        })
    }

    /// A word that was not taken.
    fn left(&self) -> Option<&'static str> {
        [
            ("key-id", self.key_id.is_some()),
            ("source-key-id", self.source_key_id.is_some()),
            ("destination-key-id", self.destination_key_id.is_some()),
            ("alias-name", self.alias_name.is_some()),
            ("target-key-id", self.target_key_id.is_some()),
            ("grantee-principal", self.grantee_principal.is_some()),
            ("retiring-principal", self.retiring_principal.is_some()),
            ("operations", self.operations.is_some()),
            ("encryption-context-equals", self.encryption_context_equals.is_some()),
            ("encryption-context-subset", self.encryption_context_subset.is_some()),
            ("source-arn", self.source_arn.is_some()),
            ("grant-id", self.grant_id.is_some()),
            ("policy", self.policy.is_some()),
            ("bypass-policy-lockout-safety-check", self.bypass_policy_lockout_safety_check),
            ("replica-region", self.replica_region.is_some()),
            ("primary-region", self.primary_region.is_some()),
            ("tagged", self.tagged),
            ("encryption-context", self.encryption_context.is_some()),
            ("source-encryption-context", self.source_encryption_context.is_some()),
            ("destination-encryption-context", self.destination_encryption_context.is_some()),
            ("encryption-algorithm", self.encryption_algorithm.is_some()),
            ("source-encryption-algorithm", self.source_encryption_algorithm.is_some()),
            ("destination-encryption-algorithm", self.destination_encryption_algorithm.is_some()),
        ]
        .into_iter()
        .find_map(|(word, given)| given.then_some(word))
    }
}

/// The Region given, else the only one that has keys.
///
/// # Errors
/// When the text is no Region.
pub fn region(given: Option<&str>, snapshot: &Snapshot) -> Result<Option<Region>, InvalidText> {
    if let Some(text) = given.filter(|text| !text.is_empty()) {
        return text.parse().map(Some);
    }
    let keys = snapshot.keys();
    let mut regions = keys.iter().map(|entry| entry.key.arn.region());
    let first = regions.next();
    Ok(first.filter(|first| regions.all(|other| other == *first)).cloned())
}

/// The encryption context constraint of a grant.
pub(super) fn constraint(
    equals: Option<EncryptionContext>,
    subset: Option<EncryptionContext>,
) -> Result<Option<EncryptionContextConstraint>, String> {
    match (equals, subset) {
        (Some(_), Some(_)) => Err("a grant has one encryption context constraint".into()),
        (Some(wanted), None) => Ok(Some(EncryptionContextConstraint::Equals(wanted))),
        (None, Some(wanted)) => Ok(Some(EncryptionContextConstraint::Subset(wanted))),
        (None, None) => Ok(None),
    }
}

fn algorithm(given: Option<String>) -> Result<EncryptionAlgorithm, InvalidText> {
    given.map_or(Ok(EncryptionAlgorithm::SymmetricDefault), |text| text.parse())
}

fn required<T: FromStr>(
    given: Option<String>,
    word: &'static str,
    operation: &str,
) -> Result<T, RequestError>
where
    T::Err: fmt::Display,
{
    let missing = || RequestError::Missing { operation: unprefixed(operation).to_owned(), word };
    let text = given.ok_or_else(missing)?;
    text.parse().map_err(|error: T::Err| RequestError::Invalid(error.to_string()))
}

fn unprefixed(name: &str) -> &str {
    name.strip_prefix("kms:").unwrap_or(name)
}
