//! ARNs of keys and principals.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use super::{AccountId, InvalidText, KeyId, fingerprint};

/// Splits at the first five colons; the sixth part may hold more. `None` when there are fewer.
#[must_use]
pub fn split_arn(text: &str) -> Option<[&str; 6]> {
    let mut parts = text.splitn(6, ':');
    let mut next = || parts.next();
    Some([next()?, next()?, next()?, next()?, next()?, next()?])
}

/// An AWS Region code such as `eu-central-1`.
///
/// The codes in use are constants: naming one costs no memory.
#[derive(Clone)]
pub struct Region(RegionText);

#[derive(Clone)]
enum RegionText {
    /// INVARIANT (listed): a code of [`REGIONS`] is kept as its place there, so that the same code is
    /// always kept in the same way.
    Listed(u8),
    Other(Arc<str>),
}

/// Regions as AWS listed them in 2026, sorted; others are Regions just as well.
const REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

impl Region {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            RegionText::Listed(place) => {
                REGIONS.get(usize::from(*place)).copied().unwrap_or_default()
            }
            RegionText::Other(code) => code,
        }
    }
}

impl FromStr for Region {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        if let Ok(place) = REGIONS.binary_search(&text)
            && let Ok(place) = u8::try_from(place)
        {
            Ok(Self(RegionText::Listed(place)))
        } else if is_region(text) {
            Ok(Self(RegionText::Other(text.into())))
        } else {
            Err(InvalidText::new(text, "an AWS Region code such as `eu-central-1`"))
        }
    }
}

fn is_region(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.contains('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_partition(text: &str) -> bool {
    text.starts_with("aws")
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// `arn:<partition>:kms:<region>:<account>:key/<key id>`.
///
/// Copies share their text and parts.
#[derive(Clone)]
pub struct KeyArn(Arc<KeyArnParts>);

struct KeyArnParts {
    region: Region,
    account: AccountId,
    /// Of the ARN's own text, which it shares.
    id: KeyId,
}

impl KeyArn {
    /// Puts a key ARN together.
    ///
    /// # Errors
    /// When `partition` is not a partition's name.
    pub fn new(
        partition: &str,
        region: &Region,
        account: AccountId,
        id: &KeyId,
    ) -> Result<Self, InvalidText> {
        format!("arn:{partition}:kms:{}:{account}:key/{}", region.as_str(), id.as_str()).parse()
    }

    /// The whole ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.id.whole()
    }

    /// `aws`, `aws-cn`, `aws-us-gov`, …
    #[must_use]
    pub fn partition(&self) -> &str {
        partition(self.as_str())
    }

    /// Whether this is its partition.
    #[must_use]
    pub fn is_of_partition(&self, partition: &str) -> bool {
        let rest = self.as_str().strip_prefix("arn:").unwrap_or_default();
        rest.strip_prefix(partition).is_some_and(|rest| rest.starts_with(':'))
    }

    /// The Region the key is in.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.0.region
    }

    /// The account that owns the key.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.0.account
    }

    /// The key id.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        &self.0.id
    }

    /// Whether the two keys are the same or related multi-Region keys: same id, partition and
    /// account, whatever the Region.
    #[must_use]
    pub fn is_related_to(&self, other: &Self) -> bool {
        self == other
            || (self.id().is_multi_region()
                && self.id() == other.id()
                && self.account() == other.account()
                && self.partition() == other.partition())
    }
}

impl FromStr for KeyArn {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let invalid =
            || InvalidText::new(text, "a key ARN (`arn:aws:kms:<region>:<account>:key/<key id>`)");
        let [arn, partition, service, region, account, resource] =
            split_arn(text).ok_or_else(invalid)?;
        let id = resource.strip_prefix("key/").ok_or_else(invalid)?;
        if arn != "arn" || !is_partition(partition) || service != "kms" {
            return Err(invalid());
        }
        Ok(Self(Arc::new(KeyArnParts {
            region: region.parse().map_err(|_| invalid())?,
            account: account.parse().map_err(|_| invalid())?,
            id: KeyId::at_end_of(text, id).map_err(|_| invalid())?,
        })))
    }
}

impl PartialEq for KeyArn {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.as_str() == other.as_str()
    }
}

impl Eq for KeyArn {}

/// The part between the first two colons.
fn partition(arn: &str) -> &str {
    let rest = arn.strip_prefix("arn:").unwrap_or_default();
    rest.split_once(':').map_or("", |(partition, _)| partition)
}

/// What an IAM or STS ARN names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrincipalArnKind {
    /// `arn:aws:sts::A:assumed-role/name/session`.
    AssumedRole,
    /// `arn:aws:sts::A:federated-user/name`.
    FederatedUser,
    /// `arn:aws:iam::A:role/path/name`.
    Role,
    /// `arn:aws:iam::A:root`.
    Root,
    /// `arn:aws:iam::A:user/path/name`.
    User,
}

/// The ARN of an IAM or STS principal, without wildcards.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>.
#[derive(Clone)]
pub struct PrincipalArn {
    text: Arc<str>,
    fingerprint: u64,
    account: AccountId,
    kind: PrincipalArnKind,
    is_service_linked_role: bool,
}

impl PrincipalArn {
    /// The whole ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it names.
    #[must_use]
    pub fn kind(&self) -> PrincipalArnKind {
        self.kind
    }

    /// The account it belongs to.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The [`fingerprint`] of the ARN.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The account's digits.
    #[must_use]
    pub fn account_str(&self) -> &str {
        self.account.as_str()
    }

    /// `aws`, `aws-cn`, `aws-us-gov`, …
    #[must_use]
    pub fn partition(&self) -> &str {
        partition(&self.text)
    }

    /// Whether an ARN that goes on so after its `arn:` is of the same partition.
    #[must_use]
    pub fn is_in_partition_of(&self, rest: &str) -> bool {
        // Both are as long up to the next colon, and the same.
        let own = self.text.get("arn:".len()..).unwrap_or_default();
        let mut pairs = own.bytes().zip(rest.bytes());
        pairs.find(|(own, other)| own != other || *own == b':') == Some((b':', b':'))
    }

    /// The part after the last slash: user, role or session name; empty for a root user.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.kind {
            PrincipalArnKind::Root => "",
            _ => self.text.rsplit('/').next().unwrap_or_default(),
        }
    }

    /// For an assumed-role session: the name of its role, without path.
    #[must_use]
    pub fn role_name(&self) -> Option<&str> {
        match self.kind {
            PrincipalArnKind::AssumedRole => self.text.split('/').nth(1),
            PrincipalArnKind::Role => Some(self.name()),
            _ => None,
        }
    }

    /// Whether a role lives under `/aws-service-role/`: a service-linked role.
    #[must_use]
    pub fn is_service_linked_role(&self) -> bool {
        self.is_service_linked_role
    }

    /// The root user of an account.
    #[must_use]
    pub fn root(partition: &str, account: AccountId) -> Self {
        let text = format!("arn:{partition}:iam::{account}:root");
        Self {
            fingerprint: fingerprint(&text),
            text: text.into(),
            kind: PrincipalArnKind::Root,
            account,
            is_service_linked_role: false,
        }
    }
}

impl FromStr for PrincipalArn {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let invalid = || {
            InvalidText::new(
                text,
                "the ARN of a root user, user, role, assumed-role session or federated user",
            )
        };
        let [arn, partition, service, region, account, resource] =
            split_arn(text).ok_or_else(invalid)?;
        if arn != "arn"
            || !is_partition(partition)
            || !region.is_empty()
            || text.len() > 2048
            || resource.contains(['*', '?', ':', ' '])
        {
            return Err(invalid());
        }
        let account: AccountId = account.parse().map_err(|_| invalid())?;
        let named = |rest: &str| !rest.is_empty() && rest.split('/').all(|part| !part.is_empty());
        let kind = match (service, resource.split_once('/')) {
            ("iam", None) if resource == "root" => PrincipalArnKind::Root,
            ("iam", Some(("user", rest))) if named(rest) => PrincipalArnKind::User,
            ("iam", Some(("role", rest))) if named(rest) => PrincipalArnKind::Role,
            ("sts", Some(("assumed-role", rest)))
                if named(rest) && rest.split('/').count() == 2 =>
            {
                PrincipalArnKind::AssumedRole
            }
            ("sts", Some(("federated-user", rest))) if named(rest) && !rest.contains('/') => {
                PrincipalArnKind::FederatedUser
            }
            _ => return Err(invalid()),
        };
        let is_service_linked_role =
            kind == PrincipalArnKind::Role && resource.starts_with("role/aws-service-role/");
        let (text, fingerprint) = (text.into(), fingerprint(text));
        Ok(Self { text, fingerprint, account, kind, is_service_linked_role })
    }
}

impl PartialEq for PrincipalArn {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
            && (Arc::ptr_eq(&self.text, &other.text) || self.text == other.text)
    }
}

impl Eq for PrincipalArn {}

/// Texts are compared and hashed as the types they are of.
macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.as_str().cmp(other.as_str())
            }
        }
    )*};
}
as_text!(KeyArn, PrincipalArn);

impl Hash for Region {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            RegionText::Listed(place) => place.hash(state),
            RegionText::Other(code) => code.hash(state),
        }
    }
}

impl PartialOrd for Region {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Region {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialEq for Region {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (RegionText::Listed(own), RegionText::Listed(other)) => own == other,
            _ => self.as_str() == other.as_str(),
        }
    }
}

impl Eq for Region {}

macro_rules! display_as_str {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}
display_as_str!(KeyArn, PrincipalArn, Region);
