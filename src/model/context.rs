//! Facts of a request that do not follow from principal, key and operation.

use super::{InvalidText, lower};

/// What is known of one context key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextValue {
    /// The request does not carry the key: this was stated, not assumed.
    Absent,
    /// Several values, or none (an empty set).
    Many(Vec<String>),
    /// One value.
    One(String),
}

/// Context keys by name; names are compared without case.
///
/// A key that is not in the map is *unknown*, unless the map is [complete](Self::complete): then
/// it is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextMap {
    /// INVARIANT (sorted): by lower-case name, each once.
    entries: Vec<(Box<str>, ContextValue)>,
    complete: bool,
}

impl ContextMap {
    /// An empty map in which a missing key is unknown.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares that a key which is not in the map is absent from the request.
    #[must_use]
    pub fn complete(mut self) -> Self {
        self.complete = true;
        self
    }

    /// Whether a missing key is absent rather than unknown.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Adds a key.
    ///
    /// # Errors
    /// When the map has a key of this name already, also in other case: AWS warns that such
    /// requests fail in unexpected ways (IAM user guide, "Condition"), so they are refused.
    pub fn insert(&mut self, name: &str, value: ContextValue) -> Result<(), InvalidText> {
        let key = lower(name);
        match self.entries.binary_search_by(|(other, _)| other.as_ref().cmp(&key)) {
            Ok(_) => Err(InvalidText::new(name, "a context key that was not given before")),
            Err(place) => {
                self.entries.insert(place, (key.into(), value));
                Ok(())
            }
        }
    }

    /// Replaces or adds a key.
    pub fn set(&mut self, name: &str, value: ContextValue) {
        let key = lower(name);
        match self.entries.binary_search_by(|(other, _)| other.as_ref().cmp(&key)) {
            Ok(place) => {
                if let Some(entry) = self.entries.get_mut(place) {
                    entry.1 = value;
                }
            }
            Err(place) => self.entries.insert(place, (key.into(), value)),
        }
    }

    /// What was stated of a key, by its lower-case name.
    #[must_use]
    pub fn stated(&self, lower_name: &str) -> Option<&ContextValue> {
        let place =
            self.entries.binary_search_by(|(other, _)| other.as_ref().cmp(lower_name)).ok()?;
        self.entries.get(place).map(|(_, value)| value)
    }

    /// All stated keys, sorted by lower-case name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ContextValue)> {
        self.entries.iter().map(|(name, value)| (name.as_ref(), value))
    }
}
