//! The words of a request, as the command line and scenario files give them.

use std::fmt;
use std::str::FromStr;

use crate::authorize::{
    GrantRequest, NewKeyRequest, PreflightKey, PreflightOperation, RetiredGrant,
};
use crate::compile::Snapshot;
use crate::evaluate::supplies;
use crate::model::{
    Action, EncryptionAlgorithm, EncryptionContext, EncryptionContextConstraint, GrantConstraints,
    GrantOperation, GrantPrincipal, GrantToken, InvalidText, KnownKey, Region, ResourceKind,
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
    pub grantee_service_principal: Option<String>,
    pub retiring_principal: Option<String>,
    pub retiring_service_principal: Option<String>,
    pub operations: Option<Vec<String>>,
    pub encryption_context_equals: Option<EncryptionContext>,
    pub encryption_context_subset: Option<EncryptionContext>,
    pub source_arn: Option<String>,
    pub grant_id: Option<String>,
    /// `RetireGrant`: a token of the grant.
    pub grant_token: Option<String>,
    pub policy_name: Option<String>,
    /// The text of a policy.
    pub policy: Option<String>,
    pub bypass_policy_lockout_safety_check: bool,
    pub replica_region: Option<String>,
    pub primary_region: Option<String>,
    /// Whether tags are passed.
    pub tagged: bool,
    /// Whether it is a dry run; [`Preflight::dry_run`](crate::authorize::Preflight::dry_run) makes it
    /// one.
    pub dry_run: bool,
    pub dry_run_modifiers: Vec<String>,
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
            self.take_dry_run(Action::ReEncryptFrom)?;
            self.re_encrypt(&given)?
        } else {
            let action = match given.parse::<Action>() {
                Ok(action) => action,
                // Tells what is wrong with the name.
                Err(_) => PreflightOperation::action(&given)?,
            };
            self.take_dry_run(action)?;
            self.of_action(action, &given)?
        };
        match self.left() {
            Some(word) => {
                Err(RequestError::Unused { operation: unprefixed(&given).to_owned(), word })
            }
            None => Ok(operation),
        }
    }

    /// Takes `DryRun` and its modifiers, where the operation has them. `IGNORE_CIPHERTEXT` asks for
    /// what is done here anyhow: no ciphertext is looked at.
    fn take_dry_run(&mut self, action: Action) -> Result<(), RequestError> {
        let without = matches!(action, Action::DescribeKey | Action::GetPublicKey);
        if action == Action::RevokeGrant || (GrantOperation::ALL.contains(&action) && !without) {
            self.dry_run = false;
        }
        if matches!(action, Action::Decrypt | Action::ReEncryptFrom) {
            for modifier in std::mem::take(&mut self.dry_run_modifiers) {
                if modifier != "IGNORE_CIPHERTEXT" {
                    return Err(InvalidText::new(&modifier, "`IGNORE_CIPHERTEXT`").into());
                }
            }
        }
        Ok(())
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
            Action::CreateGrant => {
                let key = required(self.key_id.take(), "key-id", name)?;
                match self.grant(name)? {
                    Ok(grant) => O::CreateGrant { key, grant: Box::new(grant) },
                    Err(message) => O::Malformed { message },
                }
            }
            Action::RetireGrant => self.retired_grant(name)?,
            Action::RevokeGrant => O::RevokeGrant {
                key: required(self.key_id.take(), "key-id", name)?,
                grant: self.grant_id.take().map(|text| text.parse()).transpose()?,
            },
            Action::ListRetirableGrants => {
                let retiring = either(
                    self.retiring_principal.take().map(|text| principal(&text)),
                    self.retiring_service_principal.take().map(|text| service(&text)),
                );
                match retiring {
                    Ok(retiring) => O::ListRetirableGrants { retiring },
                    Err(()) => O::Malformed {
                        message: "grants are listed by one retiring principal".to_owned(),
                    },
                }
            }
            Action::GetKeyPolicy => O::GetKeyPolicy {
                key: required(self.key_id.take(), "key-id", name)?,
                name: self.policy_name.take().map(|text| text.parse()).transpose()?,
            },
            Action::PutKeyPolicy => O::PutKeyPolicy {
                key: required(self.key_id.take(), "key-id", name)?,
                name: self.policy_name.take().map(|text| text.parse()).transpose()?,
                policy: self.policy.take(),
                bypass: std::mem::take(&mut self.bypass_policy_lockout_safety_check),
            },
            Action::ReplicateKey => O::ReplicateKey {
                key: required(self.key_id.take(), "key-id", name)?,
                replica_region: required(self.replica_region.take(), "replica-region", name)?,
                new: self.new_key(),
            },
            Action::UpdatePrimaryRegion => O::UpdatePrimaryRegion {
                key: required(self.key_id.take(), "key-id", name)?,
                primary_region: required(self.primary_region.take(), "primary-region", name)?,
            },
            Action::CreateKey => O::CreateKey(self.new_key()),
            _ if action.resource_kind() == ResourceKind::Any => O::NoKey { action },
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

    fn new_key(&mut self) -> NewKeyRequest {
        NewKeyRequest {
            policy: self.policy.take(),
            bypass: std::mem::take(&mut self.bypass_policy_lockout_safety_check),
            tagged: std::mem::take(&mut self.tagged),
        }
    }

    fn retired_grant(&mut self, name: &str) -> Result<PreflightOperation, RequestError> {
        let grant = match (self.grant_token.take(), self.grant_id.take()) {
            (Some(_), Some(_)) => {
                let message = "a grant is retired by its token or by its key and id".to_owned();
                return Ok(PreflightOperation::Malformed { message });
            }
            (Some(token), None) => RetiredGrant::Token(GrantToken::new(&token)?),
            (None, id) => RetiredGrant::Id(
                required(self.key_id.take(), "key-id", name)?,
                required(id, "grant-id", name)?,
            ),
        };
        Ok(PreflightOperation::RetireGrant { grant })
    }

    /// The grant; or why KMS takes it for none.
    fn grant(&mut self, name: &str) -> Result<Result<GrantRequest, String>, RequestError> {
        let grantee = either(
            self.grantee_principal.take().map(|text| principal(&text)),
            self.grantee_service_principal.take().map(|text| service(&text)),
        );
        let retiring = either(
            self.retiring_principal.take().map(|text| principal(&text)),
            self.retiring_service_principal.take().map(|text| service(&text)),
        );
        let names = self.operations.take().unwrap_or_default();
        let context = constraint(
            self.encryption_context_equals.take(),
            self.encryption_context_subset.take(),
        );
        let source_arn = self.source_arn.take().map(Into::into);
        let operations = match GrantOperation::set(&names) {
            Ok(operations) => operations,
            // Another action of KMS cannot be granted; any other name is a slip.
            Err(error) if names.iter().all(|name| name.parse::<Action>().is_ok()) => {
                return Ok(Err(error.to_string()));
            }
            Err(error) => return Err(error.into()),
        };
        let (Ok(grantee), Ok(retiring)) = (grantee, retiring) else {
            return Ok(Err("a grant has one grantee, and one retiring principal at most".into()));
        };
        let encryption_context = match context {
            Ok(context) => context,
            Err(message) => return Ok(Err(message)),
        };
        let Some(grantee) = grantee else {
            let (operation, word) = (name.to_owned(), "grantee-principal");
            return Err(RequestError::Missing { operation, word });
        };
        let constraints = GrantConstraints { encryption_context, source_arn };
        Ok(Ok(GrantRequest { grantee, retiring, operations, constraints }))
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
            ("grantee-service-principal", self.grantee_service_principal.is_some()),
            ("retiring-principal", self.retiring_principal.is_some()),
            ("retiring-service-principal", self.retiring_service_principal.is_some()),
            ("operations", self.operations.is_some()),
            ("encryption-context-equals", self.encryption_context_equals.is_some()),
            ("encryption-context-subset", self.encryption_context_subset.is_some()),
            ("source-arn", self.source_arn.is_some()),
            ("grant-id", self.grant_id.is_some()),
            ("grant-token", self.grant_token.is_some()),
            ("policy-name", self.policy_name.is_some()),
            ("policy", self.policy.is_some()),
            ("bypass-policy-lockout-safety-check", self.bypass_policy_lockout_safety_check),
            ("replica-region", self.replica_region.is_some()),
            ("primary-region", self.primary_region.is_some()),
            ("tagged", self.tagged),
            ("dry-run", self.dry_run),
            ("dry-run-modifiers", !self.dry_run_modifiers.is_empty()),
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

/// A principal or service that a new grant names; what is neither is left to KMS to refuse.
fn principal(text: &str) -> GrantPrincipal {
    if text.starts_with("arn:") {
        text.parse().map_or_else(|_| GrantPrincipal::Other(text.into()), GrantPrincipal::Principal)
    } else {
        service(text)
    }
}

fn service(text: &str) -> GrantPrincipal {
    text.parse().map_or_else(|_| GrantPrincipal::Other(text.into()), GrantPrincipal::Service)
}

/// The one of two members that is given; `Err` when both are.
fn either<T>(one: Option<T>, other: Option<T>) -> Result<Option<T>, ()> {
    match (one, other) {
        (Some(_), Some(_)) => Err(()),
        (one, other) => Ok(one.or(other)),
    }
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
