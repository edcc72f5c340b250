//! Grants.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html>.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::keystore::{Rows as _, Table, Writer};
use super::lifecycle::{self, Step};
use super::material::hex;
use super::record::{GrantNameRecord, GrantRecord, TokenRecord, last_part, row, under};
use super::{Keystore, KeystoreError, seal};
use crate::model::{
    AccountId, Action, ActionSet, EncryptionContextConstraint, Grant, GrantConstraints, GrantId,
    GrantOperation, GrantPrincipal, GrantToken, GrantVisibility, Key, KeyArn, Timestamp,
};

/// What CreateGrant is asked for.
#[derive(Clone, Debug)]
pub struct NewGrant {
    /// 1 to 256 characters; the same request under the same name makes one grant.
    pub name: Option<String>,
    /// Who may use the key: a principal, or a service with `constraints.source_arn` and `retiring`.
    pub grantee: GrantPrincipal,
    /// Who may retire the grant.
    pub retiring: Option<GrantPrincipal>,
    /// What is allowed; must be grantable on the key.
    pub operations: ActionSet,
    /// When it is allowed.
    pub constraints: GrantConstraints,
    /// The account under which the grant is issued; the key's when `None`.
    pub issuing_account: Option<AccountId>,
}

/// What CreateGrant gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedGrant {
    /// The grant, possibly made by the same request before.
    pub id: GrantId,
    /// A new token for it; earlier ones stay good.
    pub token: GrantToken,
}

impl Keystore {
    /// Makes a grant, or finds the one that the same request under the same name made before.
    ///
    /// # Errors
    /// When the key does not exist or is not usable, when the grant is not one KMS makes on such a
    /// key, or the key has [`Self::MAX_GRANTS`] grants.
    pub fn create_grant(
        &self,
        key: &KeyArn,
        new: NewGrant,
        now: Timestamp,
    ) -> Result<CreatedGrant, KeystoreError> {
        self.write(|writer| {
            let (_, found) = writer.key(key)?;
            lifecycle::require(&found, Step::CreateGrant)?;
            validate(&found, &new)?;
            let id: GrantId = hex(&seal::random::<32>()?).parse()?;
            let record = GrantRecord::new(&Grant {
                id: id.clone(),
                name: new.name.map(Into::into),
                key: key.clone(),
                grantee: new.grantee,
                retiring: new.retiring,
                operations: new.operations,
                constraints: new.constraints,
                issuing_account: Some(new.issuing_account.unwrap_or(key.account())),
                creation_date: Some(now),
                visibility: GrantVisibility::Propagated,
            });
            let (id, mut record) = match writer.same_grant(key, &record)? {
                Some(found) => found,
                None => (id, record),
            };
            let token = URL_SAFE_NO_PAD.encode(seal::random::<48>()?);
            let hash = TokenRecord::row(&token);
            let named = TokenRecord { key: key.to_string(), grant: id.to_string() };
            writer.put(&hash, &named)?;
            record.tokens.push(hash);
            writer.put(&row(&[key.as_str(), id.as_str()]), &record)?;
            if let Some(name) = &record.name {
                writer.put(&row(&[key.as_str(), name, id.as_str()]), &GrantNameRecord {})?;
            }
            if writer.names(Table::Grants, &under(key.as_str()))?.len() > Self::MAX_GRANTS {
                let what = format!("the grants of `{key}`");
                return Err(KeystoreError::LimitExceeded { what, limit: Self::MAX_GRANTS });
            }
            Ok(CreatedGrant { id, token: GrantToken::new(&token)? })
        })
    }

    /// Takes a token of a grant that was made elsewhere.
    pub(super) fn keep_token(
        &self,
        key: &KeyArn,
        id: &GrantId,
        token: &GrantToken,
    ) -> Result<(), KeystoreError> {
        self.write(|writer| {
            let place = row(&[key.as_str(), id.as_str()]);
            let missing =
                || KeystoreError::NotFound { what: format!("the grant `{id}` of `{key}`") };
            let mut record = writer.record::<GrantRecord>(&place)?.ok_or_else(missing)?;
            let hash = TokenRecord::row(token.expose());
            let named = TokenRecord { key: key.to_string(), grant: id.to_string() };
            writer.put(&hash, &named)?;
            record.tokens.push(hash);
            writer.put(&place, &record)
        })
    }

    /// A key's grants, sorted by id.
    ///
    /// # Errors
    /// When the key does not exist, or the store fails or is damaged.
    pub fn grants(&self, key: &KeyArn) -> Result<Vec<Grant>, KeystoreError> {
        Ok(self.key(key)?.grants)
    }

    /// Ends a grant by the will of those it was made for. In the store this is the same as
    /// [`Self::revoke_grant`]; who may do which is judged before.
    ///
    /// # Errors
    /// When the key has no such grant.
    pub fn retire_grant(&self, key: &KeyArn, id: &GrantId) -> Result<(), KeystoreError> {
        self.revoke_grant(key, id)
    }

    /// Ends a grant by the will of the key's owner.
    ///
    /// # Errors
    /// When the key has no such grant.
    pub fn revoke_grant(&self, key: &KeyArn, id: &GrantId) -> Result<(), KeystoreError> {
        self.write(|writer| {
            writer.key(key)?;
            writer.remove_grant(key, id.as_str())
        })
    }

    /// Which grant a token names; `None` for a token that was never given out, or whose grant
    /// has ended.
    ///
    /// # Errors
    /// When the store fails or is damaged.
    pub fn grant_of_token(
        &self,
        token: &GrantToken,
    ) -> Result<Option<(KeyArn, GrantId)>, KeystoreError> {
        let reader = self.read()?;
        let Some(record) = reader.record::<TokenRecord>(&TokenRecord::row(token.expose()))? else {
            return Ok(None);
        };
        let key = reader.sound(record.key.parse().map_err(Into::into))?;
        Ok(Some((key, reader.sound(record.grant.parse().map_err(Into::into))?)))
    }

    /// How many grants a key may have.
    pub const MAX_GRANTS: usize = 50_000;
}

fn validate(key: &Key, new: &NewGrant) -> Result<(), KeystoreError> {
    let grantable = GrantOperation::of_key(key.spec, key.usage);
    if let Some(action) = new.operations.iter().find(|action| !grantable.contains(*action)) {
        return Err(KeystoreError::validation(format!(
            "`{}` cannot be granted on a `{}` key for `{}`",
            action.name(),
            key.spec,
            key.usage
        )));
    }
    if new.operations.is_empty() {
        return Err(KeystoreError::validation("a grant allows at least one operation"));
    }
    // Observed, not documented.
    if new.operations == [Action::CreateGrant].into_iter().collect() {
        return Err(KeystoreError::validation(
            "a grant of `CreateGrant` alone allows nothing; add the operations to pass on",
        ));
    }
    let name_byte = |b: u8| b.is_ascii_alphanumeric() || b":/_-".contains(&b);
    if let Some(name) = &new.name
        && (!(1..=256).contains(&name.len()) || !name.bytes().all(name_byte))
    {
        return Err(KeystoreError::validation(
            "a grant's name has 1 to 256 letters, digits, `:`, `/`, `_`, `-`",
        ));
    }
    let service = matches!(new.grantee, GrantPrincipal::Service(_));
    if service && (new.constraints.source_arn.is_none() || new.retiring.is_none()) {
        return Err(KeystoreError::validation(
            "a grant to a service needs a source ARN and a retiring principal",
        ));
    }
    for principal in std::iter::once(&new.grantee).chain(&new.retiring) {
        if let GrantPrincipal::Other(text) = principal {
            return Err(KeystoreError::validation(format!(
                "`{text}` cannot be in a grant; give the ARN of a principal, or a service's name"
            )));
        }
    }
    validate_constraints(key, &new.constraints)
}

fn validate_constraints(key: &Key, constraints: &GrantConstraints) -> Result<(), KeystoreError> {
    if let Some(
        EncryptionContextConstraint::Equals(context) | EncryptionContextConstraint::Subset(context),
    ) = &constraints.encryption_context
    {
        if !key.spec.is_symmetric() {
            return Err(KeystoreError::validation(
                "only grants on symmetric keys can constrain the encryption context",
            ));
        }
        let fits = |value: &str| value.chars().count() <= 384;
        if !(1..=8).contains(&context.len()) || !context.iter().all(|(_, value)| fits(value)) {
            return Err(KeystoreError::validation(
                "an encryption context constraint has 1 to 8 pairs, with values of up to 384 characters",
            ));
        }
    }
    match &constraints.source_arn {
        Some(arn) if !(20..=512).contains(&arn.len()) || !arn.starts_with("arn:aws") => {
            Err(KeystoreError::validation(format!("`{arn}` is not the ARN of a source")))
        }
        _ => Ok(()),
    }
}

impl Writer<'_> {
    /// The grant of the same name and request.
    fn same_grant(
        &self,
        key: &KeyArn,
        new: &GrantRecord,
    ) -> Result<Option<(GrantId, GrantRecord)>, KeystoreError> {
        let Some(name) = &new.name else {
            return Ok(None);
        };
        for named in self.names(Table::GrantNames, &under(&row(&[key.as_str(), name])))? {
            let id = last_part(&named);
            if let Some(found) = self.record::<GrantRecord>(&row(&[key.as_str(), id]))?
                && found.is_same_request(new)
            {
                return Ok(Some((self.sound(id.parse().map_err(Into::into))?, found)));
            }
        }
        Ok(None)
    }

    fn remove_grant(&self, key: &KeyArn, id: &str) -> Result<(), KeystoreError> {
        let place = row(&[key.as_str(), id]);
        let record = self.record::<GrantRecord>(&place)?.ok_or_else(|| {
            KeystoreError::NotFound { what: format!("the grant `{id}` of `{key}`") }
        })?;
        for token in &record.tokens {
            self.remove(Table::Tokens, token)?;
        }
        if let Some(name) = &record.name {
            self.remove(Table::GrantNames, &row(&[key.as_str(), name, id]))?;
        }
        self.remove(Table::Grants, &place)
    }

    pub(super) fn remove_grants(&self, key: &KeyArn) -> Result<(), KeystoreError> {
        for place in self.names(Table::Grants, &under(key.as_str()))? {
            self.remove_grant(key, last_part(&place))?;
        }
        Ok(())
    }
}
