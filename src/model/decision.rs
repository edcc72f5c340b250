//! The answer.

use std::fmt;

/// The answer to one question put to all policies that apply.
///
/// The words are IAM's; `Undetermined` is ours: a fact that could change the answer is unknown.
/// Only `Allow` lets anything happen.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// Every layer that must allow does, and none denies.
    Allow,
    /// A statement with `Effect: Deny` matched.
    ExplicitDeny,
    /// Nothing denied, but not everything that must allow did.
    ImplicitDeny,
    /// An unknown fact could turn the answer either way.
    Undetermined,
}

impl Decision {
    /// Whether the answer is yes.
    #[must_use]
    pub fn is_allow(self) -> bool {
        self == Self::Allow
    }

    /// `allow`, `explicit-deny`, `implicit-deny` or `undetermined`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::ExplicitDeny => "explicit-deny",
            Self::ImplicitDeny => "implicit-deny",
            Self::Undetermined => "undetermined",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
