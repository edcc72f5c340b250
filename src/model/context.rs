//! Facts of a request that do not follow from principal, key and operation.

use super::{EncryptionContext, InvalidText, lower};

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
    entries: Vec<Entry>,
    complete: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    lower: Box<str>,
    name: Box<str>,
    value: ContextValue,
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
        match self.place(&lower(name)) {
            Ok(_) => Err(InvalidText::new(name, "a context key that was not given before")),
            Err(place) => {
                self.entries.insert(place, Entry::new(name, value));
                Ok(())
            }
        }
    }

    /// Replaces or adds a key.
    pub fn set(&mut self, name: &str, value: ContextValue) {
        match self.place(&lower(name)) {
            Ok(place) => {
                if let Some(entry) = self.entries.get_mut(place) {
                    *entry = Entry::new(name, value);
                }
            }
            Err(place) => self.entries.insert(place, Entry::new(name, value)),
        }
    }

    /// What was stated of a key, by its lower-case name.
    #[must_use]
    pub fn stated(&self, lower_name: &str) -> Option<&ContextValue> {
        let place = self.place(lower_name).ok()?;
        self.entries.get(place).map(|entry| &entry.value)
    }

    /// All stated keys with their names as stated, sorted by lower-case name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ContextValue)> {
        self.entries.iter().map(|entry| (entry.name.as_ref(), &entry.value))
    }

    /// The encryption context that the stated `kms:EncryptionContext:…` keys tell; `None` when a
    /// pair may be missing, as the map is not complete.
    #[must_use]
    pub fn encryption_context(&self) -> Option<EncryptionContext> {
        const FAMILY: &str = "kms:encryptioncontext:";
        let named = self.entries.iter().filter(|entry| entry.lower.starts_with(FAMILY));
        let pairs = named.filter_map(|entry| match &entry.value {
            ContextValue::One(value) => {
                Some((entry.name.get(FAMILY.len()..)?.to_owned(), value.clone()))
            }
            ContextValue::Absent | ContextValue::Many(_) => None,
        });
        self.complete.then(|| pairs.collect())
    }

    fn place(&self, lower_name: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| entry.lower.as_ref().cmp(lower_name))
    }
}

impl Entry {
    fn new(name: &str, value: ContextValue) -> Self {
        Self { lower: lower(name).into(), name: name.into(), value }
    }
}
