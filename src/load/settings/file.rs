//! The shape of `keyproof.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use toml::Spanned;
use toml::value::Datetime;

type Text = Spanned<String>;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigFile {
    #[serde(default)]
    pub(super) lint: LintFile,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct LintFile {
    pub(super) select: Option<Vec<Text>>,
    pub(super) ignore: Vec<Text>,
    pub(super) severity: BTreeMap<Text, Text>,
    pub(super) exclude: Option<Vec<Text>>,
    pub(super) baseline: Option<PathBuf>,
    pub(super) fail_level: Option<Text>,
    pub(super) per_path: BTreeMap<Text, PathFile>,
    pub(super) suppress: Vec<SuppressFile>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct PathFile {
    pub(super) select: Vec<Text>,
    pub(super) ignore: Vec<Text>,
    pub(super) severity: BTreeMap<Text, Text>,
    pub(super) kind: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SuppressFile {
    pub(super) rules: Spanned<Vec<Text>>,
    pub(super) reason: Text,
    pub(super) path: Option<Texts>,
    pub(super) address: Option<String>,
    pub(super) sid: Option<String>,
    pub(super) pointer: Option<Text>,
    pub(super) hash: Option<Text>,
    pub(super) expires: Option<Spanned<Datetime>>,
}

/// One pattern or several.
pub(super) struct Texts(pub(super) Vec<Text>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<toml::Value>::deserialize(deserializer)?;
        let range = spanned.span();
        let text = |value: toml::Value| match value {
            toml::Value::String(text) => Ok(Spanned::new(range.clone(), text)),
            _ => Err(D::Error::custom("a pattern is a string")),
        };
        match spanned.into_inner() {
            toml::Value::Array(values) => values.into_iter().map(text).collect(),
            value => text(value).map(|one| vec![one]),
        }
        .map(Self)
    }
}

/// The statement a JSON pointer names: `/Statement` or `/Statement/2`.
pub(super) struct Pointed(pub(super) usize);

impl FromStr for Pointed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("/Statement");
        let index = match rest {
            Some("") => Some(0),
            Some(rest) => rest.strip_prefix('/').and_then(|digits| digits.parse().ok()),
            None => None,
        };
        index.map(Self).ok_or_else(|| {
            format!("`{text}` points to no statement: write `/Statement/0` for the first")
        })
    }
}
