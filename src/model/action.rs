//! The closed list of `kms:` actions.
//!
//! Source: Service Authorization Reference for AWS KMS,
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html>,
//! and botocore `kms/2014-11-01`. There is no action `kms:ReEncrypt`.

use std::fmt;
use std::str::FromStr;

use super::{InvalidText, eq_ignore_case};

/// What kind of resource an action is authorised on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResourceKind {
    /// An alias, and separately the key it points to.
    AliasAndKey,
    /// No resource: the policies are asked about `*`.
    Any,
    /// A key.
    Key,
}

macro_rules! actions {
    ($($name:ident: $kind:ident, $reach:ident;)+) => {
        /// One `kms:` action.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the names are AWS's own")]
        pub enum Action { $($name),+ }

        impl Action {
            /// All of them, sorted by name.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The action's name without its prefix: `Decrypt`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            /// The action as policies write it: `kms:Decrypt`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => concat!("kms:", stringify!($name))),+ }
            }

            /// What it is authorised on.
            #[must_use]
            pub const fn resource_kind(self) -> ResourceKind {
                match self { $(Self::$name => ResourceKind::$kind),+ }
            }

            /// Whether a permission on a key of another account has any effect
            /// (<https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html>).
            #[must_use]
            pub const fn works_across_accounts(self) -> bool {
                match self { $(Self::$name => actions!(@reach $reach)),+ }
            }
        }
    };
    (@reach cross) => { true };
    (@reach own) => { false };
}

actions! {
    CancelKeyDeletion: Key, own;
    ConnectCustomKeyStore: Any, own;
    CreateAlias: AliasAndKey, own;
    CreateCustomKeyStore: Any, own;
    CreateGrant: Key, cross;
    CreateKey: Any, own;
    Decapsulate: Key, cross;
    Decrypt: Key, cross;
    DeleteAlias: AliasAndKey, own;
    DeleteCustomKeyStore: Any, own;
    DeleteImportedKeyMaterial: Key, own;
    DeriveSharedSecret: Key, cross;
    DescribeCustomKeyStores: Any, own;
    DescribeKey: Key, cross;
    DisableKey: Key, own;
    DisableKeyRotation: Key, own;
    DisconnectCustomKeyStore: Any, own;
    EnableKey: Key, own;
    EnableKeyRotation: Key, own;
    Encapsulate: Key, cross;
    Encrypt: Key, cross;
    GenerateDataKey: Key, cross;
    GenerateDataKeyPair: Key, cross;
    GenerateDataKeyPairWithoutPlaintext: Key, cross;
    GenerateDataKeyWithoutPlaintext: Key, cross;
    GenerateMac: Key, cross;
    GenerateRandom: Any, own;
    GetKeyLastUsage: Key, own;
    GetKeyPolicy: Key, own;
    GetKeyRotationStatus: Key, cross;
    GetParametersForImport: Key, own;
    GetPublicKey: Key, cross;
    ImportKeyMaterial: Key, own;
    ListAliases: Any, own;
    ListGrants: Key, cross;
    ListKeyPolicies: Key, own;
    ListKeyRotations: Key, own;
    ListKeys: Any, own;
    ListResourceTags: Key, own;
    ListRetirableGrants: Any, own;
    PutKeyPolicy: Key, own;
    ReEncryptFrom: Key, cross;
    ReEncryptTo: Key, cross;
    ReplicateKey: Key, own;
    RetireGrant: Key, cross;
    RevokeGrant: Key, cross;
    RotateKeyOnDemand: Key, own;
    ScheduleKeyDeletion: Key, own;
    Sign: Key, cross;
    SynchronizeMultiRegionKey: Key, own;
    TagResource: Key, own;
    UntagResource: Key, own;
    UpdateAlias: AliasAndKey, own;
    UpdateCustomKeyStore: Any, own;
    UpdateKeyDescription: Key, own;
    UpdatePrimaryRegion: Key, own;
    Verify: Key, cross;
    VerifyMac: Key, cross;
}

impl FromStr for Action {
    type Err = InvalidText;

    /// Reads `kms:Decrypt` or `Decrypt`; case is ignored, as IAM ignores it.
    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let name = match text.split_once(':') {
            Some((prefix, name)) if prefix.eq_ignore_ascii_case("kms") => name,
            Some(_) => "",
            None => text,
        };
        Self::ALL
            .iter()
            .copied()
            .find(|action| eq_ignore_case(action.name(), name))
            .ok_or_else(|| InvalidText::new(text, "an action of AWS KMS"))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A set of actions, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ActionSet(u64);

// One word holds all actions; a longer list would not compile.
const _: () = assert!(Action::ALL.len() <= 64);

impl ActionSet {
    /// Every action.
    pub const ALL: Self = Self(u64::MAX >> (64 - Action::ALL.len()));
    /// No action.
    pub const NONE: Self = Self(0);

    /// Adds an action.
    pub fn insert(&mut self, action: Action) {
        self.0 |= 1 << action as u32;
    }

    /// Whether the action is in the set.
    #[must_use]
    pub const fn contains(self, action: Action) -> bool {
        self.0 >> (action as u32) & 1 == 1
    }

    /// Whether the set holds nothing.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Everything that is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Everything that is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Every action that is not in the set.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(!self.0 & Self::ALL.0)
    }

    /// Whether every action of `self` is in `other`.
    #[must_use]
    pub const fn is_subset_of(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The actions of the set, sorted by name.
    pub fn iter(self) -> impl Iterator<Item = Action> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let action = Action::ALL.get(left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(*action)
        })
    }
}

impl FromIterator<Action> for ActionSet {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        let mut set = Self::NONE;
        actions.into_iter().for_each(|action| set.insert(action));
        set
    }
}
