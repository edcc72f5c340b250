//! Open points of AWS's documentation, each with the answers one can give.

use std::str::FromStr;

use super::{Effect, InvalidText};

macro_rules! readings {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, [$($value:literal),+], $summary:literal;)+) => {
        /// A point that AWS's documentation leaves open or answers twice.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reading { $($(#[$doc])* $variant),+ }

        impl Reading {
            /// All of them, sorted by name.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name used on the command line and in `world.toml`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The values it can have; the first is the default: the one that refuses, or that AWS documents more plainly.
            #[must_use]
            pub const fn values(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($value),+]),+ }
            }

            /// What is open, in one sentence.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary),+ }
            }
        }
    };
}

// A reading with the values `safe`, `true`, `false` says whether one comparison holds; `safe`
// lets it hold in a Deny and not in an Allow, so that either way the request is refused.
readings! {
    /// Three-valued.
    ArnPatternStar = "arn-pattern-star", ["safe", "true", "false"],
        "whether the ARN pattern `*` matches a value, where six parts are compared";
    /// What AWS does to its managed keys alone.
    AwsManagedKeyError = "aws-managed-key-error", ["AccessDeniedException", "UnsupportedOperationException"],
        "which error changing an AWS managed key gives where its policy allows it";
    /// Three-valued.
    BoolTextCase = "bool-text-case", ["safe", "true", "false"],
        "whether a `Bool` value in a policy may be written in any case (`TRUE`)";
    /// `CreateKey` without a policy.
    CreateKeyLockout = "create-key-lockout", ["always", "with-policy"],
        "whether the maker of a key with the default key policy must be able to replace that policy";
    /// A grant issued by the key's owner to a principal of another account.
    CrossAccountGrantByOwner = "cross-account-grant-by-owner", ["require-identity-policy", "grant-suffices"],
        "whether a foreign grantee of a grant issued by the key's account needs an identity policy at home";
    /// The root user of another account.
    CrossAccountRoot = "cross-account-root", ["deny", "allow"],
        "whether a root user needs an identity policy, which it cannot have, for a key of another account";
    /// Three-valued.
    EmptySetPresence = "empty-set-presence", ["safe", "true", "false"],
        "whether `Null` sees a key that is there with an empty set of values as missing";
    /// Three-valued.
    EmptyStringPresence = "empty-string-presence", ["safe", "true", "false"],
        "whether `Null` sees a key whose value is the empty string as missing";
    /// Three-valued.
    ForAnyValueIfExists = "for-any-value-if-exists", ["safe", "true", "false"],
        "whether `ForAnyValue:…IfExists` holds when the key is missing";
    /// `2026` as a year or as seconds.
    FourDigitDate = "four-digit-date", ["safe", "seconds", "year"],
        "whether four digits under a date operator are a year or seconds since 1970";
    /// Names in grant constraints.
    GrantContextKeyCase = "grant-context-key-case", ["sensitive", "insensitive"],
        "whether the names of a grant's encryption context constraint are compared with their case";
    /// Grants against implicit denials elsewhere.
    GrantUnderBoundary = "grant-under-boundary", ["capped", "free"],
        "whether a permission that only a grant gives needs the permissions boundary's allow";
    /// Grants against implicit denials elsewhere.
    GrantUnderScp = "grant-under-scp", ["capped", "free"],
        "whether a permission that only a grant gives needs the allow of every SCP level";
    /// Grants against implicit denials elsewhere.
    GrantUnderSession = "grant-under-session", ["capped", "free"],
        "whether a permission that only a grant gives needs the session policy's allow";
    /// `SourceArn` without a service.
    GrantSourceArnDirect = "grant-source-arn-direct", ["unsatisfied", "ignored"],
        "what a grant's `SourceArn` constraint means when the caller is not an AWS service";
    /// `203.0.113.7/24`.
    HostBits = "host-bits", ["safe", "ignored", "nothing"],
        "whether an address range with bits beyond its length is the range without them or contains nothing";
    /// ARNs with fewer than six parts where AWS does not say that it completes them.
    IncompleteArn = "incomplete-arn", ["safe", "as-written", "completed"],
        "whether an ARN with fewer than six parts is completed with `*` outside identity policies and boundaries";
    /// `aws:ResourceTag/…` and `kms:ResourceAliases` in key policies.
    KeyPolicyTags = "key-policy-tags", ["safe", "absent", "seen"],
        "whether key policies see the tags and aliases of their key";
    /// `ListRetirableGrants`.
    ListRetirableGrantsResource = "list-retirable-grants-resource", ["principal", "any"],
        "whether ListRetirableGrants is asked of the retiring principal it names or of no resource";
    /// Three-valued.
    MalformedOperand = "malformed-operand", ["safe", "true", "false"],
        "whether a comparison holds when the policy's own value is not of the operator's type";
    /// `::ffff:203.0.113.7`.
    MappedAddress = "mapped-address", ["safe", "distinct", "same"],
        "whether an IPv4 address written as IPv6 is in IPv4 ranges";
    /// Three-valued.
    MultivaluedNegated = "multivalued-negated", ["safe", "true", "false"],
        "whether a negated operator without set qualifier holds for a key with several values";
    /// Three-valued.
    NegatedUnparsable = "negated-unparsable", ["safe", "true", "false"],
        "whether a negated operator holds when a value is not a number, date, address or ARN";
    /// A Deny whose `NotPrincipal` lists the caller but not its account.
    NotPrincipalAccount = "not-principal-account", ["deny", "spare"],
        "whether `NotPrincipal` spares a caller that is listed without its account";
    /// A Deny whose `NotPrincipal` lists the role or the session, but not both.
    NotPrincipalSession = "not-principal-session", ["deny", "spare"],
        "whether `NotPrincipal` spares a role session that is listed by its role alone or by itself alone";
    /// An action whose key is pending deletion.
    PendingDeletionError = "pending-deletion-error", ["KMSInvalidStateException", "DisabledException"],
        "which error a cryptographic operation on a key pending deletion gives";
    /// Related multi-Region keys.
    ReEncryptOnSameKeyRelated = "re-encrypt-on-same-key-related", ["unknown", "true", "false"],
        "the value of `kms:ReEncryptOnSameKey` for two related multi-Region keys";
    /// Retiring a grant that another account issued.
    RetireByOwner = "retire-by-owner", ["deny", "allow"],
        "whether the key's account may delegate retiring a grant that another account issued";
    /// `{"AWS": "*"}` and services.
    ServicePrincipalEveryAws = "service-principal-every-aws", ["safe", "not-covered", "covered"],
        "whether `{\"AWS\": \"*\"}`, unlike `\"*\"`, covers AWS services";
    /// Three-valued.
    UnresolvedVariable = "unresolved-variable", ["value", "statement"],
        "whether a variable without value spoils only its own value or makes an Allow's statement inapplicable";
    /// Values put into patterns.
    VariableWildcards = "variable-wildcards", ["safe", "literal", "wildcard"],
        "whether `*` and `?` in the value of a variable are wildcards";
}

/// The value chosen for each reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readings {
    chosen: [u8; Reading::ALL.len()],
}

impl Default for Readings {
    fn default() -> Self {
        Self { chosen: [0; Reading::ALL.len()] }
    }
}

impl Readings {
    /// The chosen value's place in [`Reading::values`]; 0 is the default.
    #[must_use]
    pub fn choice(&self, reading: Reading) -> usize {
        self.chosen.get(reading as usize).copied().unwrap_or_default().into()
    }

    /// The chosen value.
    #[must_use]
    pub fn value(&self, reading: Reading) -> &'static str {
        reading.values().get(self.choice(reading)).copied().unwrap_or_default()
    }

    /// Whether a comparison on an open point holds, for a reading with the values `safe`, `true`
    /// and `false`, in a statement with this effect.
    #[must_use]
    pub fn holds(&self, reading: Reading, effect: Effect) -> bool {
        match self.choice(reading) {
            0 => effect == Effect::Deny,
            1 => true,
            _ => false,
        }
    }

    /// The same choices, but for one reading; `choice` is a place in [`Reading::values`].
    #[must_use]
    pub fn with(&self, reading: Reading, choice: usize) -> Self {
        let mut changed = self.clone();
        if let (Ok(choice), Some(slot)) =
            (u8::try_from(choice), changed.chosen.get_mut(reading as usize))
        {
            *slot = choice;
        }
        changed
    }

    /// Chooses a value.
    ///
    /// # Errors
    /// When the reading has no such value.
    pub fn choose(&mut self, reading: Reading, value: &str) -> Result<(), InvalidText> {
        let choice = reading.values().iter().position(|known| *known == value);
        match (
            choice.and_then(|choice| u8::try_from(choice).ok()),
            self.chosen.get_mut(reading as usize),
        ) {
            (Some(choice), Some(slot)) => {
                *slot = choice;
                Ok(())
            }
            _ => Err(InvalidText::new(
                value,
                "a value of this reading (`keyproof readings` lists them)",
            )),
        }
    }
}

impl FromStr for Reading {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        Self::ALL.iter().copied().find(|reading| reading.name() == text).ok_or_else(|| {
            InvalidText::new(text, "the name of a reading (`keyproof readings` lists them)")
        })
    }
}
