//! Keys: made, imported, replicated, listed, shown, deleted.

use keyproof::backend::embedded::{
    self, KeyScope, Keystore, KeystoreError, NewKey, NewReplica, StoredKey,
};
use keyproof::compile::Epoch;
use keyproof::load;
use keyproof::model::{
    AccountId, AliasArn, Key, KeyArn, KeySpec, KeyState, KeyUsage, MultiRegionKeyType, Region,
};
use serde_json::{Value, json};

use super::policy::refuse_lockout;
use super::{Create, Import, OneKey, Replicate, ScheduleDeletion, Store, open, open_key};
use crate::cli::Format;
use crate::input;
use crate::output::{CliError, Io};

pub fn create(args: &Create, io: &mut Io) -> Result<(), CliError> {
    let account: AccountId = input::parse(&args.account)?;
    let region: Region = input::parse(&args.region)?;
    let alias = args.alias.as_deref().map(input::alias_name).transpose()?;
    let scope = if args.multi_region { KeyScope::MultiRegion } else { KeyScope::SingleRegion };
    let id = match &args.id {
        Some(id) => input::new_key_id(id)?,
        None => embedded::random_key_id(scope).map_err(CliError::new)?,
    };
    let new = NewKey {
        spec: input::parse::<KeySpec>(&args.key_spec)?,
        usage: input::parse::<KeyUsage>(&args.key_usage)?,
        scope,
        policy: args.policy.as_deref().map(input::key_policy).transpose()?,
        description: args.description.clone(),
        tags: input::tags(&args.tags)?,
        id: Some(id.clone()),
        ..NewKey::symmetric(account, region.clone())
    };
    let arn = KeyArn::new(&new.partition, &region, account, &id).map_err(CliError::new)?;
    if let (Some(path), Some(text)) = (&args.policy, &new.policy) {
        let key = Key {
            spec: new.spec,
            usage: new.usage,
            multi_region: args.multi_region.then_some(MultiRegionKeyType::Primary),
            ..Key::symmetric(arn)
        };
        refuse_lockout(&args.author, path, key, &new.tags, text)?;
    }
    let stored = input::in_keystore(&args.store.keystore, &args.store.root_key, |keystore| {
        let partition = new.partition.as_str().into();
        let (region, alias) = (region.clone(), alias.clone());
        let alias = alias.map(|name| AliasArn { partition, region, account, name });
        // Looked for first, so that no key is made without its alias.
        if let Some(alias) = &alias
            && keystore.alias_target(alias).is_ok()
        {
            return Err(
                KeystoreError::AlreadyExists { what: format!("the alias `{alias}`") }.into()
            );
        }
        let arn = keystore.create_key(&new, input::now())?;
        if let Some(alias) = &alias {
            keystore.create_alias(alias, &arn, input::now())?;
        }
        Ok(keystore.key(&arn)?)
    })?;
    let related = [stored.key.clone()];
    io.done(format_args!("the key {} was made", stored.key.arn));
    show_key(&stored, &related, args.store.format, io)
}

pub fn import(args: &Import, io: &mut Io) -> Result<(), CliError> {
    let world = load::world(&args.world).map_err(CliError::new)?;
    let snapshot = world.snapshot(Epoch::new(0)).map_err(CliError::new)?;
    let stays = args.store.keystore.exists();
    let imported = input::in_keystore(&args.store.keystore, &args.store.root_key, |keystore| {
        let count = || keystore.contents().map_or(0, |contents| contents.keys.len());
        let before = count();
        embedded::import(keystore, &snapshot, input::now()).map_err(|error| {
            match count().saturating_sub(before) {
                made if stays && made > 0 => {
                    CliError::new(format_args!("{made} keys were made, and then: {error}"))
                }
                _ => CliError::new(error),
            }
        })
    })?;
    io.done(format_args!("{} keys were made", imported.len()));
    match args.store.format {
        Format::Text => {
            for arn in &imported {
                writeln!(io.out, "{arn}")?;
            }
        }
        Format::Json => {
            let keys: Vec<&str> = imported.iter().map(KeyArn::as_str).collect();
            writeln!(io.out, "{:#}", json!({"Keys": keys}))?;
        }
    }
    Ok(())
}

pub fn replicate(args: &Replicate, io: &mut Io) -> Result<(), CliError> {
    let replica = NewReplica {
        region: input::parse(&args.replica_region)?,
        policy: args.policy.as_deref().map(input::key_policy).transpose()?,
        description: String::new(),
        tags: Vec::new(),
    };
    let (keystore, arn) = open_key(&args.key)?;
    if let (Some(path), Some(text)) = (&args.policy, &replica.policy) {
        let primary = keystore.key(&arn).map_err(CliError::new)?.key;
        let key = Key {
            arn: KeyArn::new(arn.partition(), &replica.region, arn.account(), arn.id())
                .map_err(CliError::new)?,
            multi_region: Some(MultiRegionKeyType::Replica),
            state: KeyState::Enabled,
            ..primary
        };
        refuse_lockout(&args.author, path, key, &[], text)?;
    }
    let made = keystore.replicate_key(&arn, &replica, input::now()).map_err(CliError::new)?;
    io.done(format_args!("the key {made} was made"));
    let (stored, related) = (stored(&keystore, &made)?, related(&keystore, &made)?);
    show_key(&stored, &related, args.key.store.format, io)
}

pub fn list(store: &Store, io: &mut Io) -> Result<(), CliError> {
    let contents = open(store)?.contents().map_err(CliError::new)?;
    match store.format {
        Format::Text => {
            for stored in &contents.keys {
                let key = &stored.key;
                writeln!(io.out, "{}  {}  {}  {}", key.arn, key.spec, key.state, aliases(stored))?;
            }
        }
        Format::Json => {
            let all: Vec<Key> = contents.keys.iter().map(|stored| stored.key.clone()).collect();
            let keys: Vec<Value> =
                contents.keys.iter().map(|stored| key_metadata(stored, &all)).collect();
            writeln!(io.out, "{:#}", json!({"Keys": keys}))?;
        }
    }
    Ok(())
}

pub fn describe(args: &OneKey, io: &mut Io) -> Result<(), CliError> {
    let (keystore, arn) = open_key(args)?;
    let (stored, related) = (stored(&keystore, &arn)?, related(&keystore, &arn)?);
    show_key(&stored, &related, args.store.format, io)
}

pub fn schedule_deletion(args: &ScheduleDeletion, io: &mut Io) -> Result<(), CliError> {
    let (keystore, arn) = open_key(&args.key)?;
    let days = args.pending_window_in_days;
    let date = keystore.schedule_key_deletion(&arn, days, input::now()).map_err(CliError::new)?;
    io.done(format_args!("the key {arn} waits for its deletion"));
    let state = stored(&keystore, &arn)?.key.state;
    match (args.key.store.format, date) {
        (Format::Text, Some(date)) => writeln!(io.out, "{arn} pending deletion until {date}")?,
        (Format::Text, None) => writeln!(
            io.out,
            "{arn} pending deletion: its {days} days begin when its last replica is deleted"
        )?,
        (Format::Json, _) => {
            let mut answer = json!({
                "KeyId": arn.as_str(),
                "KeyState": state.as_str(),
                "PendingWindowInDays": days,
            });
            if let (Some(object), Some(date)) = (answer.as_object_mut(), date) {
                object.insert("DeletionDate".into(), json!(date.to_string()));
            }
            writeln!(io.out, "{answer:#}")?;
        }
    }
    Ok(())
}

fn stored(keystore: &Keystore, arn: &KeyArn) -> Result<StoredKey, CliError> {
    keystore.key(arn).map_err(CliError::new)
}

/// The key itself and those it shares its material with.
fn related(keystore: &Keystore, arn: &KeyArn) -> Result<Vec<Key>, CliError> {
    let keys = keystore.contents().map_err(CliError::new)?.keys.into_iter();
    Ok(keys.map(|stored| stored.key).filter(|key| key.arn.is_related_to(arn)).collect())
}

fn aliases(stored: &StoredKey) -> String {
    let names: Vec<&str> = stored.aliases.iter().map(|alias| alias.name.as_str()).collect();
    names.join(" ")
}

fn show_key(
    stored: &StoredKey,
    related: &[Key],
    format: Format,
    io: &mut Io,
) -> Result<(), CliError> {
    match format {
        Format::Text => {
            let key = &stored.key;
            let multi_region = key.multi_region.map_or("no", |kind| kind.as_str());
            writeln!(io.out, "Arn           {}", key.arn)?;
            writeln!(io.out, "KeySpec       {}", key.spec)?;
            writeln!(io.out, "KeyUsage      {}", key.usage)?;
            writeln!(io.out, "KeyState      {}", key.state)?;
            if let Some(date) = stored.deletion_date {
                writeln!(io.out, "DeletionDate  {date}")?;
            }
            writeln!(io.out, "MultiRegion   {multi_region}")?;
            writeln!(io.out, "Aliases       {}", aliases(stored))?;
            writeln!(io.out, "Created       {}", stored.creation_date)?;
            writeln!(io.out, "Rotations     {}", stored.rotations)?;
            writeln!(io.out, "Grants        {}", stored.grants.len())?;
        }
        Format::Json => {
            writeln!(io.out, "{:#}", json!({"KeyMetadata": key_metadata(stored, related)}))?;
        }
    }
    Ok(())
}

/// As `aws kms describe-key` prints it; `all` has the keys it may be related to.
fn key_metadata(stored: &StoredKey, all: &[Key]) -> Value {
    let key = &stored.key;
    let algorithms: Vec<&str> =
        key.spec.encryption_algorithms().iter().map(|algorithm| algorithm.as_str()).collect();
    let mut metadata = json!({
        "AWSAccountId": key.arn.account().as_str(),
        "KeyId": key.arn.id().as_str(),
        "Arn": key.arn.as_str(),
        "CreationDate": stored.creation_date.to_string(),
        "Enabled": key.state == keyproof::model::KeyState::Enabled,
        "Description": stored.description,
        "KeyUsage": key.usage.as_str(),
        "KeyState": key.state.as_str(),
        "Origin": key.origin.as_str(),
        "KeyManager": key.manager.as_str(),
        "CustomerMasterKeySpec": key.spec.as_str(),
        "KeySpec": key.spec.as_str(),
        "EncryptionAlgorithms": algorithms,
        "MultiRegion": key.multi_region.is_some(),
        "MultiRegionConfiguration": multi_region(key, all),
        "DeletionDate": stored.deletion_date.map(|date| date.to_string()),
        "CurrentKeyMaterialId": stored.current_material.as_ref().map(ToString::to_string),
    });
    if let Some(object) = metadata.as_object_mut() {
        object.retain(|_, value| !value.is_null());
    }
    metadata
}

fn multi_region(key: &Key, all: &[Key]) -> Option<Value> {
    let kind = key.multi_region?;
    let named = |kind: MultiRegionKeyType| {
        let of_kind = move |other: &&Key| {
            other.multi_region == Some(kind) && other.arn.is_related_to(&key.arn)
        };
        let arns = all.iter().filter(of_kind).map(|other| &other.arn);
        arns.map(|arn| json!({"Arn": arn.as_str(), "Region": arn.region().as_str()}))
    };
    Some(json!({
        "MultiRegionKeyType": kind.as_str(),
        "PrimaryKey": named(MultiRegionKeyType::Primary).next(),
        "ReplicaKeys": named(MultiRegionKeyType::Replica).collect::<Vec<_>>(),
    }))
}
