//! Condition operators and condition keys.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>.

use std::fmt;
use std::str::FromStr;

use super::key::named;
use super::{InvalidText, lower};

named! {
    /// How values are compared, without set qualifier and `IfExists`.
    Operator, "a condition operator (`StringEquals`, `ArnLike`, `Bool`, …; names are case-sensitive)", {
        /// Six parts, each a glob; the same as [`Self::ArnLike`].
        ArnEquals = "ArnEquals",
        /// Six parts, each a glob.
        ArnLike = "ArnLike",
        /// Not [`Self::ArnEquals`].
        ArnNotEquals = "ArnNotEquals",
        /// Not [`Self::ArnLike`].
        ArnNotLike = "ArnNotLike",
        /// Bytes against base64.
        BinaryEquals = "BinaryEquals",
        /// `true` or `false`.
        Bool = "Bool",
        /// The same instant.
        DateEquals = "DateEquals",
        /// A later instant.
        DateGreaterThan = "DateGreaterThan",
        /// The same instant or a later one.
        DateGreaterThanEquals = "DateGreaterThanEquals",
        /// An earlier instant.
        DateLessThan = "DateLessThan",
        /// The same instant or an earlier one.
        DateLessThanEquals = "DateLessThanEquals",
        /// Another instant.
        DateNotEquals = "DateNotEquals",
        /// Inside a CIDR range.
        IpAddress = "IpAddress",
        /// Outside all CIDR ranges.
        NotIpAddress = "NotIpAddress",
        /// Presence of the key.
        Null = "Null",
        /// The same number.
        NumericEquals = "NumericEquals",
        /// A larger number.
        NumericGreaterThan = "NumericGreaterThan",
        /// The same number or a larger one.
        NumericGreaterThanEquals = "NumericGreaterThanEquals",
        /// A smaller number.
        NumericLessThan = "NumericLessThan",
        /// The same number or a smaller one.
        NumericLessThanEquals = "NumericLessThanEquals",
        /// Another number.
        NumericNotEquals = "NumericNotEquals",
        /// The same text.
        StringEquals = "StringEquals",
        /// The same text in any case.
        StringEqualsIgnoreCase = "StringEqualsIgnoreCase",
        /// A glob: `*` any run, `?` one character.
        StringLike = "StringLike",
        /// Another text.
        StringNotEquals = "StringNotEquals",
        /// Another text in any case.
        StringNotEqualsIgnoreCase = "StringNotEqualsIgnoreCase",
        /// Not [`Self::StringLike`].
        StringNotLike = "StringNotLike",
    }
}

impl Operator {
    /// Whether the operator is the negation of another: true when the key is missing.
    #[must_use]
    pub fn is_negated(self) -> bool {
        matches!(
            self,
            Self::ArnNotEquals
                | Self::ArnNotLike
                | Self::DateNotEquals
                | Self::NotIpAddress
                | Self::NumericNotEquals
                | Self::StringNotEquals
                | Self::StringNotEqualsIgnoreCase
                | Self::StringNotLike
        )
    }

    /// Whether policy variables are expanded in its values: string and ARN operators alone.
    #[must_use]
    pub fn expands_variables(self) -> bool {
        self.as_str().starts_with("String") || self.as_str().starts_with("Arn")
    }
}

/// How a set of request values is quantified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SetQualifier {
    /// `ForAllValues:` every request value matches; true for none.
    ForAllValues,
    /// `ForAnyValue:` some request value matches; false for none.
    ForAnyValue,
}

/// A whole operator as written: `ForAllValues:StringLikeIfExists`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConditionOperator {
    /// `ForAllValues:` or `ForAnyValue:`.
    pub qualifier: Option<SetQualifier>,
    /// The comparison.
    pub operator: Operator,
    /// `IfExists`: true when the key is missing.
    pub if_exists: bool,
}

impl FromStr for ConditionOperator {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let (qualifier, rest) = if let Some(rest) = text.strip_prefix("ForAllValues:") {
            (Some(SetQualifier::ForAllValues), rest)
        } else if let Some(rest) = text.strip_prefix("ForAnyValue:") {
            (Some(SetQualifier::ForAnyValue), rest)
        } else {
            (None, text)
        };
        let (name, if_exists) = match rest.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (rest, false),
        };
        let operator =
            name.parse().map_err(|error: InvalidText| InvalidText::new(text, error.expected))?;
        if operator == Operator::Null && if_exists {
            return Err(InvalidText::new(text, "a condition operator: `Null` takes no `IfExists`"));
        }
        Ok(Self { qualifier, operator, if_exists })
    }
}

impl fmt::Display for ConditionOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.qualifier {
            Some(SetQualifier::ForAllValues) => "ForAllValues:",
            Some(SetQualifier::ForAnyValue) => "ForAnyValue:",
            None => "",
        })?;
        f.write_str(self.operator.as_str())?;
        f.write_str(if self.if_exists { "IfExists" } else { "" })
    }
}

macro_rules! known_keys {
    ($($(#[$doc:meta])* $variant:ident = $text:literal $(, $many:ident)?;)+) => {
        /// A condition key the engine knows; the tail of a family's name (`aws:PrincipalTag/…`)
        /// is in [`ConditionKey::tail`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the names are AWS's own")]
        pub enum KnownKey { $($(#[$doc])* $variant),+ }

        impl KnownKey {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// AWS's spelling; a family ends with its separator.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// Whether it is a family: its name goes on after the separator.
            #[must_use]
            pub fn is_family(self) -> bool {
                self.as_str().ends_with(['/', ':'])
            }

            /// Whether it is about the tags or the aliases of the KMS key.
            #[must_use]
            pub const fn is_of_tags(self) -> bool {
                matches!(self, Self::AwsResourceTag | Self::KmsResourceAliases)
            }

            /// Whether a request can carry several values of the key
            /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>).
            #[must_use]
            pub const fn is_multivalued(self) -> bool {
                match self { $(Self::$variant => known_keys!(@many $($many)?)),+ }
            }
        }
    };
    (@many many) => { true };
    (@many) => { false };
}

known_keys! {
    AwsAssumedRoot = "aws:AssumedRoot";
    AwsCalledVia = "aws:CalledVia", many;
    AwsCalledViaFirst = "aws:CalledViaFirst";
    AwsCalledViaLast = "aws:CalledViaLast";
    AwsCurrentTime = "aws:CurrentTime";
    AwsEpochTime = "aws:EpochTime";
    AwsFederatedProvider = "aws:FederatedProvider";
    AwsMultiFactorAuthAge = "aws:MultiFactorAuthAge";
    AwsMultiFactorAuthPresent = "aws:MultiFactorAuthPresent";
    AwsPrincipalAccount = "aws:PrincipalAccount";
    AwsPrincipalArn = "aws:PrincipalArn";
    AwsPrincipalIsAwsService = "aws:PrincipalIsAWSService";
    AwsPrincipalOrgId = "aws:PrincipalOrgID";
    AwsPrincipalOrgPaths = "aws:PrincipalOrgPaths", many;
    AwsPrincipalServiceName = "aws:PrincipalServiceName";
    AwsPrincipalServiceNamesList = "aws:PrincipalServiceNamesList", many;
    AwsPrincipalTag = "aws:PrincipalTag/";
    AwsPrincipalType = "aws:PrincipalType";
    AwsReferer = "aws:referer";
    AwsRequestTag = "aws:RequestTag/";
    AwsRequestedRegion = "aws:RequestedRegion";
    AwsResourceAccount = "aws:ResourceAccount";
    AwsResourceOrgId = "aws:ResourceOrgID";
    AwsResourceOrgPaths = "aws:ResourceOrgPaths", many;
    AwsResourceTag = "aws:ResourceTag/";
    AwsSecureTransport = "aws:SecureTransport";
    AwsSourceAccount = "aws:SourceAccount";
    AwsSourceArn = "aws:SourceArn";
    AwsSourceIdentity = "aws:SourceIdentity";
    AwsSourceIp = "aws:SourceIp";
    AwsSourceOrgId = "aws:SourceOrgID";
    AwsSourceOrgPaths = "aws:SourceOrgPaths", many;
    AwsSourceVpc = "aws:SourceVpc";
    AwsSourceVpcArn = "aws:SourceVpcArn";
    AwsSourceVpce = "aws:SourceVpce";
    AwsTagKeys = "aws:TagKeys", many;
    AwsTokenIssueTime = "aws:TokenIssueTime";
    AwsUserAgent = "aws:UserAgent";
    AwsUserId = "aws:userid";
    AwsUserName = "aws:username";
    AwsViaAwsService = "aws:ViaAWSService";
    AwsVpcSourceIp = "aws:VpcSourceIp";
    AwsVpceAccount = "aws:VpceAccount";
    AwsVpceOrgId = "aws:VpceOrgID";
    AwsVpceOrgPaths = "aws:VpceOrgPaths", many;
    KmsBypassPolicyLockoutSafetyCheck = "kms:BypassPolicyLockoutSafetyCheck";
    KmsCallerAccount = "kms:CallerAccount";
    KmsCustomerMasterKeySpec = "kms:CustomerMasterKeySpec";
    KmsCustomerMasterKeyUsage = "kms:CustomerMasterKeyUsage";
    KmsDataKeyPairSpec = "kms:DataKeyPairSpec";
    KmsEncryptionAlgorithm = "kms:EncryptionAlgorithm";
    KmsEncryptionContext = "kms:EncryptionContext:";
    KmsEncryptionContextKeys = "kms:EncryptionContextKeys", many;
    KmsExpirationModel = "kms:ExpirationModel";
    KmsGrantConstraintSourceArn = "kms:GrantConstraintSourceArn";
    KmsGrantConstraintType = "kms:GrantConstraintType";
    KmsGrantIsForAwsResource = "kms:GrantIsForAWSResource";
    KmsGrantOperations = "kms:GrantOperations", many;
    KmsGranteePrincipal = "kms:GranteePrincipal";
    KmsGranteeServicePrincipal = "kms:GranteeServicePrincipal";
    KmsKeyAgreementAlgorithm = "kms:KeyAgreementAlgorithm";
    KmsKeyOrigin = "kms:KeyOrigin";
    KmsKeySpec = "kms:KeySpec";
    KmsKeyUsage = "kms:KeyUsage";
    KmsMacAlgorithm = "kms:MacAlgorithm";
    KmsMessageType = "kms:MessageType";
    KmsMultiRegion = "kms:MultiRegion";
    KmsMultiRegionKeyType = "kms:MultiRegionKeyType";
    KmsPolicyName = "kms:PolicyName";
    KmsPrimaryRegion = "kms:PrimaryRegion";
    KmsReEncryptOnSameKey = "kms:ReEncryptOnSameKey";
    KmsRecipientAttestation = "kms:RecipientAttestation:";
    KmsReplicaRegion = "kms:ReplicaRegion";
    KmsRequestAlias = "kms:RequestAlias";
    KmsResourceAliases = "kms:ResourceAliases", many;
    KmsRetiringPrincipal = "kms:RetiringPrincipal";
    KmsRetiringServicePrincipal = "kms:RetiringServicePrincipal";
    KmsRotationPeriodInDays = "kms:RotationPeriodInDays";
    KmsScheduleKeyDeletionPendingWindowInDays = "kms:ScheduleKeyDeletionPendingWindowInDays";
    KmsSigningAlgorithm = "kms:SigningAlgorithm";
    KmsTrailingDaysWithoutKeyUsage = "kms:TrailingDaysWithoutKeyUsage";
    KmsValidTo = "kms:ValidTo";
    KmsViaService = "kms:ViaService";
    KmsWrappingAlgorithm = "kms:WrappingAlgorithm";
    KmsWrappingKeySpec = "kms:WrappingKeySpec";
}

/// What the values of a condition key are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// An ARN.
    Arn,
    /// `true` or `false`.
    Boolean,
    /// An instant.
    Date,
    /// An address.
    Ip,
    /// A number.
    Number,
    /// A text.
    Text,
    /// Seconds since 1970, which operators on dates and on numbers take.
    UnixTime,
}

impl KnownKey {
    /// The type of its values (Service Authorization Reference for AWS KMS; iam user guide, "AWS
    /// global condition context keys").
    #[must_use]
    pub const fn value_type(self) -> KeyType {
        match self {
            Self::AwsPrincipalArn
            | Self::AwsSourceArn
            | Self::AwsSourceVpcArn
            | Self::KmsGrantConstraintSourceArn => KeyType::Arn,
            Self::AwsMultiFactorAuthPresent
            | Self::AwsPrincipalIsAwsService
            | Self::AwsSecureTransport
            | Self::AwsViaAwsService
            | Self::KmsBypassPolicyLockoutSafetyCheck
            | Self::KmsGrantIsForAwsResource
            | Self::KmsMultiRegion
            | Self::KmsReEncryptOnSameKey => KeyType::Boolean,
            Self::AwsCurrentTime | Self::AwsTokenIssueTime => KeyType::Date,
            Self::AwsSourceIp | Self::AwsVpcSourceIp => KeyType::Ip,
            Self::AwsMultiFactorAuthAge
            | Self::KmsRotationPeriodInDays
            | Self::KmsScheduleKeyDeletionPendingWindowInDays
            | Self::KmsTrailingDaysWithoutKeyUsage => KeyType::Number,
            Self::AwsEpochTime | Self::KmsValidTo => KeyType::UnixTime,
            _ => KeyType::Text,
        }
    }
}

/// The name of a condition key, compared without case over its whole length.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConditionKey {
    name: Box<str>,
    lower: Box<str>,
    known: Option<KnownKey>,
    tail: usize,
}

impl ConditionKey {
    /// Takes any name; keys of other services are keys nobody here knows more of.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let lowered = lower(name);
        // The names of keys are ASCII: no other letter folds into one of theirs.
        let found = KnownKey::ALL.iter().copied().find_map(|known| {
            let (length, known_name) = (known.as_str().len(), known.as_str());
            let fits = match known.is_family() {
                true => name.len() > length,
                false => name.len() == length,
            };
            let head = name.get(..length).filter(|_| fits)?;
            head.eq_ignore_ascii_case(known_name).then_some((known, length))
        });
        Self {
            name: name.into(),
            tail: found.map_or(lowered.len(), |(_, tail)| tail),
            lower: lowered.into(),
            known: found.map(|(known, _)| known),
        }
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// In the case it is compared in.
    #[must_use]
    pub fn lower(&self) -> &str {
        &self.lower
    }

    /// Which key it is, when the engine knows it.
    #[must_use]
    pub fn known(&self) -> Option<KnownKey> {
        self.known
    }

    /// For a family: what follows the separator, in lower case (`team` of `aws:PrincipalTag/Team`).
    #[must_use]
    pub fn tail(&self) -> &str {
        self.lower.get(self.tail..).unwrap_or_default()
    }
}

impl fmt::Display for ConditionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
