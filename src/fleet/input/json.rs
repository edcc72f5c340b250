//! An item as a JSON object.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use crate::authorize::KeyIdentifier;
use crate::fleet::{Defaults, FleetError, Item};
use crate::model::{CiphertextBlob, EncryptionContext};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Line<'a> {
    #[serde(default, borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    ciphertext: Cow<'a, str>,
    #[serde(default)]
    source_context: Option<Context>,
    #[serde(default)]
    destination_context: Option<Context>,
    #[serde(default)]
    source_key_id: Option<Cow<'a, str>>,
    #[serde(default)]
    destination_key_id: Option<Cow<'a, str>>,
}

pub(super) fn item(
    position: u64,
    line: u64,
    text: &[u8],
    path: &Path,
    defaults: &Defaults,
) -> Result<Item, FleetError> {
    let read: Line<'_> = serde_json::from_slice(text).map_err(|error| {
        let place = format!("{}:{line}:{}", path.display(), error.column().max(1));
        let message = error.to_string();
        // The place is told once, as that of the file.
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(text, _)| text);
        FleetError::Item { place, message: message.to_owned() }
    })?;
    let parts = Parts {
        id: read.id,
        ciphertext: &read.ciphertext,
        source_context: read.source_context.map(|context| context.0),
        destination_context: read.destination_context.map(|context| context.0),
        source_key: read.source_key_id,
        destination_key: read.destination_key_id,
    };
    parts.item(position, line, defaults).map_err(|message| FleetError::Item {
        place: format!("{}:{line}", path.display()),
        message,
    })
}

/// What an item's texts say, wherever they stand.
pub(super) struct Parts<'a> {
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) ciphertext: &'a str,
    pub(super) source_context: Option<EncryptionContext>,
    pub(super) destination_context: Option<EncryptionContext>,
    pub(super) source_key: Option<Cow<'a, str>>,
    pub(super) destination_key: Option<Cow<'a, str>>,
}

impl Parts<'_> {
    pub(super) fn item(
        self,
        position: u64,
        line: u64,
        defaults: &Defaults,
    ) -> Result<Item, String> {
        let bytes = STANDARD
            .decode(self.ciphertext.trim())
            .map_err(|error| format!("`ciphertext` is not base64: {error}"))?;
        let key = |text: Option<Cow<'_, str>>, member: &str| {
            let key = text.map(|text| text.parse::<KeyIdentifier>());
            key.transpose().map_err(|error| format!("`{member}`: {error}"))
        };
        let source_context = self.source_context.unwrap_or_else(|| defaults.source_context.clone());
        let destination_context = self
            .destination_context
            .or_else(|| defaults.destination_context.clone())
            .unwrap_or_else(|| source_context.clone());
        Ok(Item {
            position,
            id: self.id.map_or_else(|| line.to_string(), Cow::into_owned),
            ciphertext: CiphertextBlob::new(bytes).map_err(|error| error.to_string())?,
            source_key: key(self.source_key, "sourceKeyId")?
                .or_else(|| defaults.source_key.clone()),
            destination_key: key(self.destination_key, "destinationKeyId")?
                .unwrap_or_else(|| defaults.destination_key.clone()),
            source_context,
            destination_context,
        })
    }
}

/// An encryption context; a name that stands twice is an error.
pub(super) struct Context(pub(super) EncryptionContext);

impl<'de> Deserialize<'de> for Context {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Context;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Context, M::Error> {
                let mut context = EncryptionContext::new();
                while let Some((name, value)) = map.next_entry::<String, String>()? {
                    if !context.insert(name.as_str(), value) {
                        let message = format!("the encryption context has `{name}` twice");
                        return Err(M::Error::custom(message));
                    }
                }
                Ok(Context(context))
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}
