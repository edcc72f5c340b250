//! Encryption contexts.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::eq_ignore_case;

/// Name-value pairs bound to a symmetric ciphertext; order does not matter, both halves are
/// compared exactly by the cryptography. Not secret: CloudTrail prints it.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html>.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EncryptionContext(
    /// INVARIANT (sorted): by name, each once. Clones share the pairs: a fleet's items and their
    /// requests carry them twice.
    Arc<Vec<(Box<str>, Box<str>)>>,
);

impl EncryptionContext {
    /// No pairs at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a pair; `false` when the name was there already (nothing is changed then).
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) -> bool {
        let name = name.into();
        match self.place(&name) {
            Ok(_) => false,
            Err(place) => {
                Arc::make_mut(&mut self.0).insert(place, (name.into(), value.into().into()));
                true
            }
        }
    }

    /// The value of the pair with exactly this name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.get(self.place(name).ok()?)?;
        Some(value)
    }

    /// The values of all pairs whose names equal `name` when case is ignored, as policies look
    /// them up.
    pub fn values_ignore_case<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(key, _)| eq_ignore_case(key, name)).map(|(_, value)| value)
    }

    /// Pairs, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// Names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name)
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

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.as_ref().cmp(name))
    }
}

impl FromIterator<(String, String)> for EncryptionContext {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let sorted: BTreeMap<String, String> = pairs.into_iter().collect();
        let pairs = sorted.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self(Arc::new(pairs.collect()))
    }
}
