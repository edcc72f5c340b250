//! Key policies: verbatim texts.

use super::keystore::{Table, Writer};
use super::record::{PolicyRecord, row};
use super::{Keystore, KeystoreError};
use crate::model::{KeyArn, PolicyName, PrincipalArn};

impl Keystore {
    /// Replaces a key's policy. The text is kept as it is.
    ///
    /// That the policy means something, and that it locks nobody out, is judged before by whoever
    /// knows policies; here it need only be JSON. KMS lets nobody but RAM write
    /// [`PolicyName::AwsRam`]; whoever fills a keystore plays that part too.
    ///
    /// # Errors
    /// When the key does not exist, or the text is no JSON object or longer than
    /// [`Self::MAX_POLICY_BYTES`].
    pub fn put_policy(
        &self,
        key: &KeyArn,
        name: PolicyName,
        text: &str,
    ) -> Result<(), KeystoreError> {
        validate(text)?;
        self.write(|writer| {
            writer.key(key)?;
            writer.put_policy(key, name, text)
        })
    }

    /// Takes a key's `AWS_RAM` policy away; the `default` one stays for ever.
    ///
    /// # Errors
    /// When the key does not exist or has no such policy.
    pub fn remove_ram_policy(&self, key: &KeyArn) -> Result<(), KeystoreError> {
        use super::keystore::Rows as _;

        self.write(|writer| {
            writer.key(key)?;
            let row = row(&[key.as_str(), PolicyName::AwsRam.as_str()]);
            if writer.record::<PolicyRecord>(&row)?.is_none() {
                let what = format!("the policy `AWS_RAM` of `{key}`");
                return Err(KeystoreError::NotFound { what });
            }
            writer.remove(Table::Policies, &row)
        })
    }

    /// The longest key policy KMS takes, in bytes.
    pub const MAX_POLICY_BYTES: usize = 32_768;
}

/// The policy KMS gives a key that is created without one: the account, and through it IAM, may
/// do everything.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html>.
#[must_use]
pub fn default_key_policy(key: &KeyArn) -> String {
    let root = PrincipalArn::root(key.partition(), key.account());
    format!(
        r#"{{
  "Version": "2012-10-17",
  "Id": "key-default-1",
  "Statement": [
    {{
      "Sid": "Enable IAM User Permissions",
      "Effect": "Allow",
      "Principal": {{ "AWS": "{}" }},
      "Action": "kms:*",
      "Resource": "*"
    }}
  ]
}}
"#,
        root.as_str()
    )
}

/// Refuses what cannot be a policy.
pub(super) fn validate(text: &str) -> Result<(), KeystoreError> {
    if text.len() > Keystore::MAX_POLICY_BYTES {
        let limit = Keystore::MAX_POLICY_BYTES;
        return Err(KeystoreError::LimitExceeded { what: "the policy's bytes".into(), limit });
    }
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text)
        .map_err(|error| KeystoreError::MalformedPolicy { detail: error.to_string() })?;
    Ok(())
}

impl Writer<'_> {
    pub(super) fn put_policy(
        &self,
        key: &KeyArn,
        name: PolicyName,
        text: &str,
    ) -> Result<(), KeystoreError> {
        let record = PolicyRecord { text: text.to_owned() };
        self.put(&row(&[key.as_str(), name.as_str()]), &record)
    }
}
