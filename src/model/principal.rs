//! Who calls.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{AccountId, InvalidText, PrincipalArn};

/// The name of an AWS service principal, such as `logs.us-east-1.amazonaws.com`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ServiceName(Arc<str>);

impl ServiceName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServiceName {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let label = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if text.len() <= 128 && text.contains('.') && text.split('.').all(label) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidText::new(text, "a service principal such as `logs.amazonaws.com`"))
        }
    }
}

/// The unique id IAM gives a user (`AIDA…`) or role (`AROA…`).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UniqueId(Arc<str>);

impl UniqueId {
    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UniqueId {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let known = ["AIDA", "AROA", "AGPA", "ANPA", "ASIA", "AKIA"];
        if text.len() >= 8
            && known.iter().any(|prefix| text.starts_with(prefix))
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        {
            Ok(Self(text.into()))
        } else {
            Err(InvalidText::new(text, "a unique id (`AIDA…` or `AROA…`)"))
        }
    }
}

macro_rules! show {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}
show!(ServiceName, UniqueId);

/// The principal of a request.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallerPrincipal {
    /// Nobody signed the request; KMS refuses it.
    Anonymous,
    /// A session made by `GetFederationToken`.
    FederatedUser {
        /// `arn:aws:sts::A:federated-user/name`.
        arn: PrincipalArn,
        /// The user that asked for the session.
        user: PrincipalArn,
    },
    /// A session of a role.
    RoleSession {
        /// `arn:aws:sts::A:assumed-role/name/session`.
        session: PrincipalArn,
        /// The role, with its path; policies that name a role are compared with this.
        role: PrincipalArn,
        /// `AROA…`, where known.
        id: Option<UniqueId>,
    },
    /// The root user of an account.
    Root(PrincipalArn),
    /// An AWS service calling as itself.
    Service {
        /// The names it goes by, the most specific first.
        names: Vec<ServiceName>,
    },
    /// An IAM user.
    User {
        /// `arn:aws:iam::A:user/path/name`.
        arn: PrincipalArn,
        /// `AIDA…`, where known.
        id: Option<UniqueId>,
    },
}

impl CallerPrincipal {
    /// The same principal, if its parts belong together: each ARN of its kind, the session one of
    /// the role, the federated user one of the user's account.
    ///
    /// # Errors
    /// What does not fit.
    pub fn checked(self) -> Result<Self, InvalidText> {
        use super::PrincipalArnKind as Kind;
        let wrong = |arn: &PrincipalArn, expected| Err(InvalidText::new(arn.as_str(), expected));
        let is_home = |one: &PrincipalArn, other: &PrincipalArn| {
            one.account() == other.account() && one.partition() == other.partition()
        };
        match &self {
            Self::Anonymous => {}
            Self::Service { names } => {
                if names.is_empty() {
                    return Err(InvalidText::new("", "a service: it has no name"));
                }
            }
            Self::Root(arn) if arn.kind() != Kind::Root => {
                return wrong(arn, "the ARN of a root user");
            }
            Self::User { arn, .. } if arn.kind() != Kind::User => {
                return wrong(arn, "the ARN of a user");
            }
            Self::Root(_) | Self::User { .. } => {}
            Self::RoleSession { session, role, .. } => {
                if session.kind() != Kind::AssumedRole {
                    return wrong(session, "the ARN of a role session");
                }
                let fits = role.kind() == Kind::Role
                    && is_home(session, role)
                    && session.role_name() == role.role_name();
                if !fits {
                    return wrong(role, "the ARN of the session's role");
                }
            }
            Self::FederatedUser { arn, user } => {
                if arn.kind() != Kind::FederatedUser {
                    return wrong(arn, "the ARN of a federated user");
                }
                // GetFederationToken can be called by a root user, too.
                if !matches!(user.kind(), Kind::User | Kind::Root) || !is_home(arn, user) {
                    return wrong(user, "the ARN of the user behind the session");
                }
            }
        }
        Ok(self)
    }

    /// The account the principal belongs to; services and the anonymous have none.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        self.arn().map(PrincipalArn::account)
    }

    /// The ARN the principal calls under: the session's for sessions.
    #[must_use]
    pub fn arn(&self) -> Option<&PrincipalArn> {
        match self {
            Self::Anonymous | Self::Service { .. } => None,
            Self::FederatedUser { arn, .. } | Self::Root(arn) | Self::User { arn, .. } => Some(arn),
            Self::RoleSession { session, .. } => Some(session),
        }
    }

    /// The value of `aws:PrincipalArn`: the role's ARN for a role session.
    #[must_use]
    pub fn policy_arn(&self) -> Option<&PrincipalArn> {
        match self {
            Self::RoleSession { role, .. } => Some(role),
            _ => self.arn(),
        }
    }

    /// The entity whose IAM policies count: the user behind a federated session, the role behind
    /// a role session.
    #[must_use]
    pub fn entity_arn(&self) -> Option<&PrincipalArn> {
        match self {
            Self::FederatedUser { user, .. } => Some(user),
            _ => self.policy_arn(),
        }
    }

    /// Whether this is a session of a service-linked role: SCPs and RCPs do not reach it.
    #[must_use]
    pub fn is_service_linked_role(&self) -> bool {
        matches!(self, Self::RoleSession { role, .. } if role.is_service_linked_role())
    }
}

impl fmt::Display for CallerPrincipal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.arn()) {
            (_, Some(arn)) => f.write_str(arn.as_str()),
            (Self::Service { names }, None) => {
                f.write_str(names.first().map_or("a service", ServiceName::as_str))
            }
            _ => f.write_str("anonymous"),
        }
    }
}
