//! What AWS KMS says of a key, as facts of a world.

use aws_sdk_kms::Client;
use aws_sdk_kms::types::{GrantListEntry, KeyMetadata};

use super::{AwsKmsError, AwsKmsErrorKind, Clients};
use crate::backend::slot::key_policy;
use crate::compile::{KeyFacts, Known, PolicySlot};
use crate::execute::KeyReader;
use crate::model::{
    ActionSet, AliasName, EncryptionContext, EncryptionContextConstraint, Grant, GrantConstraints,
    GrantOperation, GrantPrincipal, GrantVisibility, InvalidText, Key, KeyArn, MultiRegionKeyType,
    PrincipalArn, Timestamp,
};

/// Reads state, both key policies, all grants, tags and aliases of a key, under the credentials of
/// this process: `kms:DescribeKey`, `kms:GetKeyPolicy` and `kms:ListGrants` are needed. Without
/// `kms:ListResourceTags` or `kms:ListAliases`, what hangs on tags or aliases is undetermined.
#[derive(Clone, Debug)]
pub struct AwsKeyReader {
    clients: Clients,
}

impl AwsKeyReader {
    /// Reads through these clients.
    #[must_use]
    pub fn new(clients: Clients) -> Self {
        Self { clients }
    }

    async fn facts(&self, arn: &KeyArn) -> Result<KeyFacts, AwsKmsError> {
        let client = self.clients.of(arn.region());
        let described = client.describe_key().key_id(arn.as_str()).send().await?;
        let key = key(described.key_metadata())?;
        let mut policies = Vec::new();
        for name in ["default", "AWS_RAM"] {
            policies.extend(policy(&client, arn, name).await?);
        }
        let grants = Known::Known(grants(&client, arn).await?.into());
        // Whoever may use a key need not be let list these, and few decisions hang on them.
        let (tags, aliases) = (known(tags(&client, arn).await), known(aliases(&client, arn).await));
        Ok(KeyFacts { key, policies, grants, tags, aliases })
    }
}

impl KeyReader for AwsKeyReader {
    async fn read(&self, key: &KeyArn) -> Result<KeyFacts, String> {
        self.facts(key).await.map_err(|error| error.to_string())
    }
}

fn known<T>(read: Result<T, AwsKmsError>) -> Known<T> {
    read.map_or_else(|error| Known::Unknown(error.to_string().into()), Known::Known)
}

/// What the marker of a page says of the next one.
fn next(
    operation: &'static str,
    truncated: bool,
    marker: Option<&str>,
) -> Result<Option<String>, AwsKmsError> {
    match marker {
        Some(next) if truncated => Ok(Some(next.to_owned())),
        None if truncated => Err(AwsKmsError::incomplete(operation, "NextMarker")),
        _ => Ok(None),
    }
}

async fn tags(client: &Client, arn: &KeyArn) -> Result<Vec<(String, String)>, AwsKmsError> {
    let (mut tags, mut marker) = (Vec::new(), None);
    loop {
        let request = client.list_resource_tags().key_id(arn.as_str());
        let page = request.set_marker(marker.take()).send().await?;
        marker = next("ListResourceTags", page.truncated(), page.next_marker())?;
        let listed =
            page.tags.ok_or_else(|| AwsKmsError::incomplete("ListResourceTags", "Tags"))?;
        tags.extend(listed.into_iter().map(|tag| (tag.tag_key, tag.tag_value)));
        if marker.is_none() {
            return Ok(tags);
        }
    }
}

async fn aliases(client: &Client, arn: &KeyArn) -> Result<Vec<AliasName>, AwsKmsError> {
    let (mut aliases, mut marker) = (Vec::new(), None);
    loop {
        let request = client.list_aliases().key_id(arn.as_str());
        let page = request.set_marker(marker.take()).send().await?;
        marker = next("ListAliases", page.truncated(), page.next_marker())?;
        let listed =
            page.aliases.ok_or_else(|| AwsKmsError::incomplete("ListAliases", "Aliases"))?;
        for alias in listed {
            let name = alias.alias_name.as_deref();
            let name = name.ok_or_else(|| AwsKmsError::incomplete("ListAliases", "AliasName"))?;
            aliases.push(name.parse::<AliasName>()?);
        }
        if marker.is_none() {
            return Ok(aliases);
        }
    }
}

/// A key policy; `None` for a key that is not shared and has no policy `AWS_RAM`.
async fn policy(
    client: &Client,
    arn: &KeyArn,
    name: &str,
) -> Result<Option<PolicySlot>, AwsKmsError> {
    let asked = client.get_key_policy().key_id(arn.as_str()).policy_name(name).send().await;
    let answer = match asked.map_err(AwsKmsError::from) {
        Err(error) if name != "default" && error.kind() == AwsKmsErrorKind::NotFound => {
            return Ok(None);
        }
        answer => answer?,
    };
    // An emulator that ignores the name answers with the other policy.
    if answer.policy_name().is_some_and(|answered| answered != name) {
        return Ok(None);
    }
    let text = answer.policy().ok_or_else(|| AwsKmsError::incomplete("GetKeyPolicy", "Policy"))?;
    Ok(Some(key_policy(arn, name, text)))
}

async fn grants(client: &Client, arn: &KeyArn) -> Result<Vec<Grant>, AwsKmsError> {
    let mut grants = Vec::new();
    let mut marker = None;
    loop {
        let page =
            client.list_grants().key_id(arn.as_str()).set_marker(marker.take()).send().await?;
        let listed = page.grants.as_deref();
        for entry in listed.ok_or_else(|| AwsKmsError::incomplete("ListGrants", "Grants"))? {
            grants.push(grant(entry, arn)?);
        }
        marker = next("ListGrants", page.truncated(), page.next_marker())?;
        if marker.is_none() {
            return Ok(grants);
        }
    }
}

/// What `DescribeKey` says.
pub(super) fn key(metadata: Option<&KeyMetadata>) -> Result<Key, AwsKmsError> {
    let missing = |member| move || AwsKmsError::incomplete("DescribeKey", member);
    let metadata = metadata.ok_or_else(missing("KeyMetadata"))?;
    let multi_region = match metadata.multi_region() {
        Some(true) => {
            let kind = metadata
                .multi_region_configuration()
                .and_then(|configuration| configuration.multi_region_key_type())
                .ok_or_else(missing("MultiRegionKeyType"))?;
            Some(kind.as_str().parse::<MultiRegionKeyType>()?)
        }
        _ => None,
    };
    Ok(Key {
        arn: metadata.arn().ok_or_else(missing("Arn"))?.parse()?,
        spec: metadata.key_spec().ok_or_else(missing("KeySpec"))?.as_str().parse()?,
        usage: metadata.key_usage().ok_or_else(missing("KeyUsage"))?.as_str().parse()?,
        state: metadata.key_state().ok_or_else(missing("KeyState"))?.as_str().parse()?,
        origin: metadata.origin().ok_or_else(missing("Origin"))?.as_str().parse()?,
        manager: metadata.key_manager().ok_or_else(missing("KeyManager"))?.as_str().parse()?,
        multi_region,
    })
}

fn grant(entry: &GrantListEntry, key: &KeyArn) -> Result<Grant, AwsKmsError> {
    let missing = |member| move || AwsKmsError::incomplete("ListGrants", member);
    let grantee = match (entry.grantee_principal(), entry.grantee_service_principal()) {
        (Some(principal), _) => GrantPrincipal::listed(principal),
        (None, Some(service)) => GrantPrincipal::Service(service.parse()?),
        (None, None) => return Err(missing("GranteePrincipal")()),
    };
    let retiring = match (entry.retiring_principal(), entry.retiring_service_principal()) {
        (Some(principal), _) => Some(GrantPrincipal::listed(principal)),
        (None, Some(service)) => Some(GrantPrincipal::Service(service.parse()?)),
        (None, None) => None,
    };
    let operations: ActionSet = entry
        .operations()
        .iter()
        .map(|operation| operation.as_str().parse::<GrantOperation>())
        .map(|operation| operation.map(GrantOperation::action))
        .collect::<Result<_, InvalidText>>()?;
    let on = entry.key_id().ok_or_else(missing("KeyId"))?;
    // Where an emulator has the key's id, AWS has its ARN.
    if on != key.as_str() && on != key.id().as_str() {
        let message = format!("a grant of {on} was listed for {key}");
        return Err(AwsKmsError::own(AwsKmsErrorKind::Unintelligible, message));
    }
    let issuer = entry.issuing_account().map(|text| match text.parse::<PrincipalArn>() {
        Ok(arn) => Ok(arn.account()),
        Err(_) => text.parse(),
    });
    Ok(Grant {
        id: entry.grant_id().ok_or_else(missing("GrantId"))?.parse()?,
        name: entry.name().filter(|name| !name.is_empty()).map(Into::into),
        key: key.clone(),
        grantee,
        retiring,
        operations,
        constraints: constraints(entry)?,
        issuing_account: issuer.transpose()?,
        creation_date: entry
            .creation_date()
            .map(|date| Timestamp::new(date.secs(), date.subsec_nanos())),
        visibility: GrantVisibility::Propagated,
    })
}

fn constraints(entry: &GrantListEntry) -> Result<GrantConstraints, AwsKmsError> {
    let Some(constraints) = entry.constraints() else { return Ok(GrantConstraints::default()) };
    let context =
        match (constraints.encryption_context_equals(), constraints.encryption_context_subset()) {
            (Some(pairs), None) => Some(EncryptionContextConstraint::Equals(
                EncryptionContext::from_iter(pairs.clone()),
            )),
            (None, Some(pairs)) => Some(EncryptionContextConstraint::Subset(
                EncryptionContext::from_iter(pairs.clone()),
            )),
            (None, None) => None,
            (Some(_), Some(_)) => {
                let message = "a grant has two encryption context constraints".to_owned();
                return Err(AwsKmsError::own(AwsKmsErrorKind::Unintelligible, message));
            }
        };
    Ok(GrantConstraints {
        encryption_context: context,
        source_arn: constraints.source_arn().map(Into::into),
    })
}
