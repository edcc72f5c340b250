//! Facts of a request that do not follow from principal, key and operation.

use super::{ConditionKey, EncryptionContext, InvalidText, KnownKey, lower};

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
    /// INVARIANT (known): a bit for each known key or family that an entry is of, so that most
    /// look-ups end here.
    known: u128,
    complete: bool,
}

// One word holds a bit for each known key.
const _: () = assert!(KnownKey::ALL.len() <= 128);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    lower: Box<str>,
    name: Box<str>,
    known: Option<KnownKey>,
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
                self.put(place, Entry::new(name, value));
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
            Err(place) => self.put(place, Entry::new(name, value)),
        }
    }

    fn put(&mut self, place: usize, entry: Entry) {
        self.known |= entry.known.map_or(0, |known| 1 << known as u32);
        self.entries.insert(place, entry);
    }

    /// What was stated of a key.
    #[must_use]
    pub fn of(&self, key: &ConditionKey) -> Option<&ContextValue> {
        match key.known() {
            Some(known) => self.of_known(known, key.lower()),
            None => self.stated(key.lower()),
        }
    }

    /// What was stated of a known key, or of the member of a family with this lower-case name.
    #[must_use]
    pub fn of_known(&self, known: KnownKey, lower_name: &str) -> Option<&ContextValue> {
        if self.known >> known as u32 & 1 == 0 { None } else { self.stated(lower_name) }
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
        let pairs = || self.encryption_pairs().map(|(name, one)| (name.to_owned(), one.to_owned()));
        self.complete.then(|| pairs().collect())
    }

    /// The pairs that the stated `kms:EncryptionContext:…` keys tell.
    pub fn encryption_pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        const FAMILY: &str = "kms:encryptioncontext:";
        let named = self.entries.iter().filter(|entry| entry.lower.starts_with(FAMILY));
        named.filter_map(|entry| match &entry.value {
            ContextValue::One(value) => Some((entry.name.get(FAMILY.len()..)?, value.as_str())),
            ContextValue::Absent | ContextValue::Many(_) => None,
        })
    }

    fn place(&self, lower_name: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| entry.lower.as_ref().cmp(lower_name))
    }
}

impl Entry {
    fn new(name: &str, value: ContextValue) -> Self {
        // Of the lowered name: it is what keys are compared in, also where a letter beyond ASCII
        // folds into one of a known key's.
        let key = ConditionKey::new(&lower(name));
        Self { lower: key.lower().into(), name: name.into(), known: key.known(), value }
    }
}
