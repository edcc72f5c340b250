//! Encryption contexts.

use std::collections::BTreeMap;

use super::eq_ignore_case;

/// Name-value pairs bound to a symmetric ciphertext; order does not matter, both halves are
/// compared exactly by the cryptography. Not secret: CloudTrail prints it.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html>.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EncryptionContext(BTreeMap<String, String>);

impl EncryptionContext {
    /// No pairs at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a pair; `false` when the name was there already (nothing is changed then).
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) -> bool {
        match self.0.entry(name.into()) {
            std::collections::btree_map::Entry::Occupied(_) => false,
            std::collections::btree_map::Entry::Vacant(slot) => {
                slot.insert(value.into());
                true
            }
        }
    }

    /// The value of the pair with exactly this name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The values of all pairs whose names equal `name` when case is ignored, as policies look
    /// them up.
    pub fn values_ignore_case<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(key, _)| eq_ignore_case(key, name)).map(|(_, value)| value)
    }

    /// Pairs, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Number of pairs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no pairs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, String)> for EncryptionContext {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}
