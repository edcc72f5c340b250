//! What AWS answers when it does not do what it was asked.

use std::fmt;

use aws_sdk_kms::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_kms::operation::RequestId;

use crate::authorize::Side;
use crate::execute::{ClassifyFailure, FailureClass};
use crate::model::{Action, InvalidText, KeyArn};

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AwsKmsErrorKind {
    /// The credentials may not do this: `AccessDeniedException`.
    AccessDenied,
    /// There are no credentials, or AWS does not take them: they are expired, unknown or the
    /// signature is wrong.
    Credentials,
    /// A custom key store's or KMS's own dependency did not answer: `DependencyTimeoutException`.
    DependencyTimeout,
    /// The key is disabled.
    Disabled,
    /// The dry run was answered with a result: the endpoint does not honour `DryRun`, and may have
    /// done what it was asked.
    DryRunIgnored,
    /// The dry run would have succeeded: `DryRunOperationException`.
    DryRunSucceeds,
    /// The answer lacks a member that is always there.
    Incomplete,
    /// The source key did not make the ciphertext.
    IncorrectKey,
    /// KMS failed: `KMSInternalException`, or a status of 500 and above.
    Internal,
    /// The ciphertext or its encryption context is wrong.
    InvalidCiphertext,
    /// A grant token is wrong.
    InvalidGrantToken,
    /// The key's usage or spec does not fit.
    InvalidKeyUsage,
    /// The key's state does not let it be used.
    InvalidState,
    /// The key cannot be reached for now: `KeyUnavailableException`.
    KeyUnavailable,
    /// There is no such key.
    NotFound,
    /// An exception that is not known here.
    Other,
    /// Too many requests.
    Throttled,
    /// No answer in time. What was asked may have been done.
    Timeout,
    /// What came back is no answer of KMS.
    Unintelligible,
    /// No connection.
    Unreachable,
    /// A member of the request is malformed: `ValidationException`.
    Validation,
}

/// Whom and what an `AccessDeniedException` names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Whose credentials were refused.
    pub principal: Option<String>,
    /// The action that was refused.
    pub action: Option<Action>,
    /// The key it was refused on.
    pub key: Option<KeyArn>,
}

/// An error of AWS KMS, or on the way to it.
#[derive(Clone, PartialEq, Eq)]
pub struct AwsKmsError {
    kind: AwsKmsErrorKind,
    code: Option<Box<str>>,
    message: Box<str>,
    request_id: Option<Box<str>>,
}

impl AwsKmsError {
    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> AwsKmsErrorKind {
        self.kind
    }

    /// AWS's words; empty where it has none.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// AWS's name of the request, for its support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Whom and what the message names, in the wording of AWS's access denied errors: "User: … is
    /// not authorized to perform: kms:… on resource: … because …".
    #[must_use]
    pub fn named(&self) -> Named {
        let after = |mark: &str| {
            let (_, rest) = self.message.split_once(mark)?;
            rest.split_whitespace().next().map(|word| word.trim_end_matches([',', '.']))
        };
        Named {
            principal: after("User: ").map(str::to_owned),
            action: after("not authorized to perform: ").and_then(|word| word.parse().ok()),
            key: after("on resource: ").and_then(|word| word.parse().ok()),
        }
    }

    /// Which side of an operation the message names.
    #[must_use]
    pub fn side(&self) -> Option<Side> {
        Some(match self.named().action? {
            Action::ReEncryptFrom => Side::Source,
            Action::ReEncryptTo => Side::Destination,
            _ => Side::Key,
        })
    }

    pub(super) fn incomplete(operation: &str, member: &str) -> Self {
        Self::own(AwsKmsErrorKind::Incomplete, format!("the answer to {operation} has no {member}"))
    }

    pub(super) fn dry_run_ignored(operation: &str) -> Self {
        let message = format!("the dry run of {operation} was answered with a result");
        Self::own(AwsKmsErrorKind::DryRunIgnored, message)
    }

    pub(super) fn ciphertext_not_ignored(error: &Self) -> Self {
        let message =
            format!("the dry run was to ignore the ciphertext, and was answered: {error}");
        Self::own(AwsKmsErrorKind::DryRunIgnored, message)
    }

    pub(super) fn own(kind: AwsKmsErrorKind, message: String) -> Self {
        Self { kind, code: None, message: message.into(), request_id: None }
    }

    /// What to do about it.
    fn advice(&self) -> &'static str {
        use AwsKmsErrorKind as K;
        match self.kind {
            K::AccessDenied => {
                "the credentials of this process may not: give their role the permission, or bring \
                 the world up to date"
            }
            K::Credentials => "give this process credentials that AWS takes",
            K::DependencyTimeout | K::Internal | K::KeyUnavailable => "try again later",
            K::Disabled => "enable the key",
            K::DryRunIgnored => {
                "this endpoint does not honour DryRun, and may have done what it was asked: use one \
                 that does"
            }
            K::DryRunSucceeds => "the operation would succeed",
            K::Incomplete | K::Unintelligible => "the endpoint does not behave as AWS KMS does",
            K::IncorrectKey => "name the key that made the ciphertext",
            K::InvalidCiphertext => {
                "the ciphertext is truncated or altered, or the encryption context is not the one \
                 it was made with"
            }
            K::InvalidGrantToken => "give the token that CreateGrant gave, or none",
            K::InvalidKeyUsage => "use a key whose usage and spec fit",
            K::InvalidState => "bring the key into a state in which it can be used",
            K::NotFound => "name a key that is there, in its own Region",
            K::Other => "look the exception up in the documentation of AWS KMS",
            K::Throttled => "send fewer requests a second",
            K::Timeout => "try again; what was asked may have been done",
            K::Unreachable => "check network, endpoint and Region",
            K::Validation => "correct the request",
        }
    }
}

impl fmt::Display for AwsKmsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        if self.message.is_empty() {
            f.write_str(self.advice())?;
        } else {
            write!(f, "{} ({})", self.message, self.advice())?;
        }
        match &self.request_id {
            Some(id) => write!(f, " [request {id}]"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for AwsKmsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AwsKmsError({:?}: {self})", self.kind)
    }
}

/// The SDK has sent three times already what makes sense to send again.
impl ClassifyFailure for AwsKmsError {
    fn class(&self) -> FailureClass {
        use AwsKmsErrorKind as K;
        match self.kind {
            K::Credentials => FailureClass::Every,
            K::Throttled => FailureClass::Throttled,
            K::DependencyTimeout
            | K::Internal
            | K::KeyUnavailable
            | K::Timeout
            | K::Unintelligible
            | K::Unreachable => FailureClass::Transient,
            K::AccessDenied
            | K::Disabled
            | K::DryRunIgnored
            | K::DryRunSucceeds
            | K::Incomplete
            | K::IncorrectKey
            | K::InvalidCiphertext
            | K::InvalidGrantToken
            | K::InvalidKeyUsage
            | K::InvalidState
            | K::NotFound
            | K::Other
            | K::Validation => FailureClass::Permanent,
        }
    }

    fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }
}

impl std::error::Error for AwsKmsError {}

impl<E, R> From<SdkError<E, R>> for AwsKmsError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: fmt::Debug + Status,
{
    fn from(error: SdkError<E, R>) -> Self {
        use AwsKmsErrorKind as K;
        let told = |error: &SdkError<E, R>| DisplayErrorContext(error).to_string();
        match &error {
            SdkError::ServiceError(context) => {
                let meta = context.err().meta();
                let status = context.raw().status();
                Self {
                    kind: kind(meta.code(), status),
                    code: meta.code().map(Into::into),
                    message: match (meta.code(), meta.message()) {
                        (_, Some(message)) => message.into(),
                        (Some(_), None) => "".into(),
                        (None, None) => {
                            format!("an answer of status {status} without an exception").into()
                        }
                    },
                    request_id: meta.request_id().map(Into::into),
                }
            }
            SdkError::TimeoutError(_) => Self::own(K::Timeout, "no answer in time".into()),
            SdkError::DispatchFailure(failure) => {
                let message = told(&error);
                let kind = if failure.is_timeout() {
                    K::Timeout
                } else if is_of_credentials(&message) {
                    K::Credentials
                } else {
                    K::Unreachable
                };
                let message = match kind {
                    K::Credentials => "no credentials could be had".into(),
                    K::Timeout => "no answer in time".into(),
                    _ => reasons(&error),
                };
                Self::own(kind, message)
            }
            SdkError::ResponseError(context) => {
                let status = context.raw().status();
                let message = format!("an answer of status {status} that cannot be read");
                Self::own(K::Unintelligible, message)
            }
            _ => Self::own(K::Validation, reasons(&error)),
        }
    }
}

/// An error and what it comes from, one after the other.
fn reasons(error: &dyn std::error::Error) -> String {
    let all = std::iter::successors(Some(error), |error| error.source());
    let mut texts: Vec<String> = Vec::new();
    for text in all.map(ToString::to_string) {
        // Some tell their source's words themselves.
        if !texts.last().is_some_and(|last| last.ends_with(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

/// The status of an HTTP answer.
pub(super) trait Status {
    /// 200 and so on.
    fn status(&self) -> u16;
}

impl Status for aws_sdk_kms::config::http::HttpResponse {
    fn status(&self) -> u16 {
        aws_sdk_kms::config::http::HttpResponse::status(self).as_u16()
    }
}

/// Values of answers that are not of the form they always have.
impl From<InvalidText> for AwsKmsError {
    fn from(error: InvalidText) -> Self {
        Self::own(AwsKmsErrorKind::Unintelligible, format!("in the answer, {error}"))
    }
}

/// The SDK has no error of its own for it.
fn is_of_credentials(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("credential") || message.contains("identity")
}

/// The kind of an exception. Some are not in KMS's model: every AWS service has them.
fn kind(code: Option<&str>, status: u16) -> AwsKmsErrorKind {
    use AwsKmsErrorKind as K;
    match code.unwrap_or_default() {
        "AccessDenied" | "AccessDeniedException" => K::AccessDenied,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "NotAuthorized"
        | "OptInRequired"
        | "RequestExpired"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => K::Credentials,
        "DependencyTimeoutException" => K::DependencyTimeout,
        "DisabledException" => K::Disabled,
        "DryRunOperationException" => K::DryRunSucceeds,
        "IncorrectKeyException" => K::IncorrectKey,
        "InternalError"
        | "InternalFailure"
        | "InternalServiceError"
        | "KMSInternalException"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => K::Internal,
        "InvalidCiphertextException" => K::InvalidCiphertext,
        "InvalidGrantTokenException" => K::InvalidGrantToken,
        "InvalidKeyUsageException" => K::InvalidKeyUsage,
        "KMSInvalidStateException" => K::InvalidState,
        "KeyUnavailableException" => K::KeyUnavailable,
        "NotFoundException" => K::NotFound,
        "RequestLimitExceeded"
        | "RequestThrottled"
        | "SlowDown"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException" => K::Throttled,
        "InvalidArnException" | "ValidationError" | "ValidationException" => K::Validation,
        "" if status == 429 => K::Throttled,
        "" if status == 401 || status == 403 => K::AccessDenied,
        "" if status >= 500 => K::Internal,
        "" => K::Unintelligible,
        _ if status >= 500 => K::Internal,
        _ => K::Other,
    }
}
