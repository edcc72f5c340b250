//! A policy document as parsed: spans kept, nothing expanded.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>.

use super::key::named;
use super::{
    AccountId, ConditionKey, ConditionOperator, PrincipalArn, ServiceName, Span, Spanned, UniqueId,
};

named! {
    /// The policies a key can have.
    PolicyName, "a key policy's name (`default` or `AWS_RAM`)", {
        /// Kept by AWS Resource Access Manager.
        AwsRam = "AWS_RAM",
        /// Every key has it.
        Default = "default",
    }
}

/// What a document is used as; decides which elements it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyKind {
    /// A permissions boundary.
    Boundary,
    /// A VPC endpoint policy.
    Endpoint,
    /// A policy of a user, group or role.
    Identity,
    /// A key policy, `default` or `AWS_RAM`.
    Key,
    /// A resource control policy.
    ResourceControl,
    /// A service control policy.
    ServiceControl,
    /// A policy passed when a session was made.
    Session,
}

impl PolicyKind {
    /// The name AWS gives the type in its denial messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Boundary => "permissions boundary",
            Self::Endpoint => "VPC endpoint policy",
            Self::Identity => "identity-based policy",
            Self::Key => "key policy",
            Self::ResourceControl => "resource control policy",
            Self::ServiceControl => "service control policy",
            Self::Session => "session policy",
        }
    }

    /// Whether statements name principals.
    #[must_use]
    pub fn has_principals(self) -> bool {
        matches!(self, Self::Endpoint | Self::Key | Self::ResourceControl)
    }
}

named! {
    /// The version of the policy language; variables exist only in the second.
    Version, "`2012-10-17` or `2008-10-17`", {
        /// No policy variables.
        V2008 = "2008-10-17",
        /// The current one.
        V2012 = "2012-10-17",
    }
}

named! {
    /// What a matching statement does.
    Effect, "`Allow` or `Deny` (case-sensitive)", {
        /// Adds a permission.
        Allow = "Allow",
        /// Takes it away, whatever else allows.
        Deny = "Deny",
    }
}

/// A policy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDocument {
    /// `None` behaves as 2008-10-17.
    pub version: Option<Spanned<Version>>,
    /// The document's id.
    pub id: Option<Spanned<String>>,
    /// At least one.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its name.
    pub sid: Option<Spanned<String>>,
    /// What it does.
    pub effect: Spanned<Effect>,
    /// Whom it speaks of; `None` in policies that name no principals.
    pub principal: Option<PrincipalElement>,
    /// Which actions; a key policy's statement without has no effect.
    pub action: Option<Element>,
    /// Which resources; a key policy's statement without has no effect.
    pub resource: Option<Element>,
    /// `Condition`, operator by operator, in the order written.
    pub condition: Vec<ConditionEntry>,
    /// The statement's braces.
    pub span: Span,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`: the strings and the polarity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// One of these.
    Is(Vec<Spanned<String>>),
    /// None of these.
    IsNot(Vec<Spanned<String>>),
}

impl Element {
    /// The strings, whatever the polarity.
    #[must_use]
    pub fn entries(&self) -> &[Spanned<String>] {
        match self {
            Self::Is(entries) | Self::IsNot(entries) => entries,
        }
    }
}

/// `Principal` or `NotPrincipal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrincipalElement {
    /// One of these.
    Is(Vec<Spanned<Principal>>),
    /// Everybody but these.
    IsNot(Vec<Spanned<Principal>>),
}

impl PrincipalElement {
    /// The principals, whatever the polarity.
    #[must_use]
    pub fn entries(&self) -> &[Spanned<Principal>] {
        match self {
            Self::Is(entries) | Self::IsNot(entries) => entries,
        }
    }
}

/// One principal as a policy names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// An account: its id, or its root ARN with the partition it was written in.
    Account {
        /// The account.
        account: AccountId,
        /// `None` when written as twelve digits.
        partition: Option<Box<str>>,
    },
    /// A user, role, assumed-role session or federated-user session.
    Arn(PrincipalArn),
    /// `CanonicalUser`: S3 only, matches nobody in KMS.
    CanonicalUser(Box<str>),
    /// `{"AWS": "*"}`.
    EveryAws,
    /// `"*"`.
    Everyone,
    /// `Federated`: role trust policies only, matches nobody in KMS.
    Federated(Box<str>),
    /// A service.
    Service(ServiceName),
    /// What AWS stores once the named principal is gone.
    Unique(UniqueId),
}

/// One operator of a `Condition` with its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionEntry {
    /// The operator.
    pub operator: Spanned<ConditionOperator>,
    /// Its keys, all of which must hold.
    pub conditions: Vec<Condition>,
}

/// One key of an operator with its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The key.
    pub key: Spanned<ConditionKey>,
    /// The values, of which one must match (none, for a negated operator).
    pub values: Vec<Spanned<ConditionValue>>,
    /// From the key's first quote to the end of its values.
    pub span: Span,
}

/// A value; unquoted numbers and booleans keep their source text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConditionValue {
    /// `true` or `false` without quotes.
    Boolean(bool),
    /// A number without quotes, as written.
    Number(String),
    /// A string.
    String(String),
}

impl ConditionValue {
    /// The text that is compared.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Boolean(true) => "true",
            Self::Boolean(false) => "false",
            Self::Number(text) | Self::String(text) => text,
        }
    }
}
