//! Aliases.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{AccountId, InvalidText, Region, split_arn};

/// `alias/<name>`: 1 to 256 characters of `[a-zA-Z0-9:/_-]`, case-sensitive.
///
/// Source: botocore `kms/2014-11-01` `AliasNameType`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AliasName(Arc<str>);

impl AliasName {
    /// The whole name, with its `alias/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `alias/aws/…` belongs to AWS managed keys.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with("alias/aws/")
    }
}

impl FromStr for AliasName {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let name = text.strip_prefix("alias/").unwrap_or_default();
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b":/_-".contains(&b);
        if !name.is_empty() && text.len() <= 256 && name.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidText::new(
                text,
                "an alias name (`alias/` and letters, digits, `/`, `_`, `-`)",
            ))
        }
    }
}

/// `arn:<partition>:kms:<region>:<account>:alias/<name>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AliasArn {
    /// `aws`, `aws-cn`, …
    pub partition: Box<str>,
    /// The alias's Region.
    pub region: Region,
    /// The alias's account.
    pub account: AccountId,
    /// The alias's name.
    pub name: AliasName,
}

impl FromStr for AliasArn {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let invalid = || {
            InvalidText::new(text, "an alias ARN (`arn:aws:kms:<region>:<account>:alias/<name>`)")
        };
        match split_arn(text) {
            Some(["arn", partition, "kms", region, account, name])
                if partition.starts_with("aws") =>
            {
                Ok(Self {
                    partition: partition.into(),
                    region: region.parse().map_err(|_| invalid())?,
                    account: account.parse().map_err(|_| invalid())?,
                    name: name.parse().map_err(|_| invalid())?,
                })
            }
            _ => Err(invalid()),
        }
    }
}

impl fmt::Display for AliasArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, region, account, name } = self;
        write!(f, "arn:{partition}:kms:{region}:{account}:{name}")
    }
}

impl fmt::Display for AliasName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AliasName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
