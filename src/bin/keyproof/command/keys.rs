//! `keys …`: the embedded keystore, by whoever holds its file and its root key.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use keyproof::authorize::KeyIdentifier;
use keyproof::backend::embedded::{
    self, KeyScope, Keystore, NewGrant, NewKey, NewReplica, PolicyName, StoredKey,
};
use keyproof::compile::{Caller, Epoch, Known, Snapshot, SnapshotBuilder};
use keyproof::load;
use keyproof::model::{
    AccountId, AliasArn, AliasName, CallerPrincipal, GrantConstraints, GrantPrincipal, KeyArn,
    KeyId, KeySpec, KeyUsage, PrincipalArn, Region,
};
use serde_json::{Value, json};

use crate::cli::{Format, RootKeyArgs};
use crate::exit::Exit;
use crate::input;
use crate::output::{CliError, Io};

/// The keystore's file.
#[derive(Args, Debug)]
pub struct Store {
    /// The keystore
    #[arg(long, value_name = "FILE", env = "KEYPROOF_KEYSTORE")]
    pub keystore: PathBuf,
    #[command(flatten)]
    pub root_key: RootKeyArgs,
    /// How to show the answer
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// One key of the keystore.
#[derive(Args, Debug)]
pub struct OneKey {
    #[command(flatten)]
    pub store: Store,
    /// The key: key id, key ARN, alias name or alias ARN; a short name must be the only such one
    #[arg(long, value_name = "KEY")]
    pub key_id: String,
}

/// `keys …`
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make a key, and the keystore if there is none
    #[command(
        after_help = "Example:\n  keyproof keys create --keystore demo.redb --account 111122223333 --region eu-central-1 --alias alias/orders"
    )]
    Create(Create),
    /// Make the keys, policies, grants, aliases and tags of a world folder, with new key material
    #[command(
        after_help = "Example:\n  keyproof keys import --keystore demo.redb --world policies/demo"
    )]
    Import(Import),
    /// Make a related multi-Region key in another Region
    Replicate(Replicate),
    /// List all keys
    List(Store),
    /// Show a key
    Describe(OneKey),
    /// Print a key policy
    GetPolicy(GetPolicy),
    /// Replace the key policy `default`
    #[command(
        after_help = "The new policy must let the key's account (or the caller of --world and --caller) replace it\nagain, as KMS demands; --bypass-policy-lockout-safety-check skips that."
    )]
    PutPolicy(PutPolicy),
    /// Make a grant; prints its id and token
    #[command(
        after_help = "Example:\n  keyproof keys create-grant --keystore demo.redb --key-id alias/orders \\\n      --grantee-principal arn:aws:iam::444455556666:role/mover --operations ReEncryptFrom \\\n      --encryption-context-subset tenant=blue"
    )]
    CreateGrant(CreateGrant),
    /// List a key's grants
    ListGrants(OneKey),
    /// Revoke a grant
    RevokeGrant(OneGrant),
    /// Retire a grant
    RetireGrant(OneGrant),
    /// Make an alias
    CreateAlias(OneAlias),
    /// Point an alias to another key
    UpdateAlias(OneAlias),
    /// Delete an alias
    DeleteAlias(DeleteAlias),
    /// List all aliases
    ListAliases(Store),
    /// Make a disabled key usable again
    Enable(OneKey),
    /// Make a key unusable until it is enabled
    Disable(OneKey),
    /// Give a key new material; what was encrypted before still decrypts
    Rotate(OneKey),
    /// Delete a key after a waiting time
    ScheduleDeletion(ScheduleDeletion),
    /// Take a scheduled deletion back; the key is disabled then
    CancelDeletion(OneKey),
}

/// `keys create`
#[derive(Args, Debug)]
pub struct Create {
    #[command(flatten)]
    pub store: Store,
    /// The account that owns the key
    #[arg(long)]
    pub account: String,
    /// The key's Region
    #[arg(long, env = "AWS_REGION")]
    pub region: String,
    /// The kind of key material
    #[arg(long, value_name = "SPEC", default_value = "SYMMETRIC_DEFAULT")]
    pub key_spec: String,
    /// What the key is for
    #[arg(long, value_name = "USAGE", default_value = "ENCRYPT_DECRYPT")]
    pub key_usage: String,
    /// A file with the key policy [default: the account may do everything, by IAM]
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Make a multi-Region primary key
    #[arg(long)]
    pub multi_region: bool,
    /// Free text
    #[arg(long, default_value = "")]
    pub description: String,
    /// A tag; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub tags: Vec<String>,
    /// An alias to make with it
    #[arg(long, value_name = "NAME")]
    pub alias: Option<String>,
    /// The key id [default: a random one]
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
}

/// `keys import`
#[derive(Args, Debug)]
pub struct Import {
    #[command(flatten)]
    pub store: Store,
    /// The world folder
    #[arg(long, value_name = "DIR", env = "KEYPROOF_WORLD")]
    pub world: PathBuf,
}

/// `keys replicate`
#[derive(Args, Debug)]
pub struct Replicate {
    #[command(flatten)]
    pub key: OneKey,
    /// The Region of the new key
    #[arg(long)]
    pub replica_region: String,
    /// A file with the new key's policy [default: the account may do everything, by IAM]
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// `keys get-policy`
#[derive(Args, Debug)]
pub struct GetPolicy {
    #[command(flatten)]
    pub key: OneKey,
    /// Which policy
    #[arg(long, value_enum, default_value_t)]
    pub policy_name: Name,
}

/// The names key policies have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// The key's own.
    #[default]
    #[value(name = "default")]
    Default,
    /// The one that RAM manages.
    #[value(name = "AWS_RAM")]
    AwsRam,
}

/// `keys put-policy`
#[derive(Args, Debug)]
pub struct PutPolicy {
    #[command(flatten)]
    pub key: OneKey,
    /// A file with the policy, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// The world folder that the caller and its IAM policies are in
    #[arg(long, value_name = "DIR", requires = "caller")]
    pub world: Option<PathBuf>,
    /// Who must be able to replace the policy again [default: the root user of the key's account]
    #[arg(long, value_name = "NAME|ARN", requires = "world")]
    pub caller: Option<String>,
    /// Do not check that the policy can be replaced again
    #[arg(long)]
    pub bypass_policy_lockout_safety_check: bool,
}

/// `keys create-grant`
#[derive(Args, Debug)]
pub struct CreateGrant {
    #[command(flatten)]
    pub key: OneKey,
    /// Who may use the key: the ARN of a user, role, session, federated user or account root
    #[arg(long, value_name = "ARN")]
    pub grantee_principal: String,
    /// Who may retire the grant
    #[arg(long, value_name = "ARN")]
    pub retiring_principal: Option<String>,
    /// What is allowed: Decrypt, ReEncryptFrom, …; several are separated by commas
    #[arg(long, value_name = "NAME", value_delimiter = ',', required = true)]
    pub operations: Vec<String>,
    /// A pair the request's encryption context must have, and no others than such pairs
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "encryption_context_subset")]
    pub encryption_context_equals: Vec<String>,
    /// A pair the request's encryption context must have
    #[arg(long, value_name = "NAME=VALUE")]
    pub encryption_context_subset: Vec<String>,
    /// A name; the same request under the same name makes one grant
    #[arg(long)]
    pub name: Option<String>,
    /// The account that issues the grant [default: the key's]
    #[arg(long, value_name = "ACCOUNT")]
    pub issuing_account: Option<String>,
}

/// `keys revoke-grant`, `keys retire-grant`
#[derive(Args, Debug)]
pub struct OneGrant {
    #[command(flatten)]
    pub key: OneKey,
    /// The grant
    #[arg(long, value_name = "ID")]
    pub grant_id: String,
}

/// `keys create-alias`, `keys update-alias`
#[derive(Args, Debug)]
pub struct OneAlias {
    #[command(flatten)]
    pub store: Store,
    /// The alias: alias/…
    #[arg(long, value_name = "NAME")]
    pub alias_name: String,
    /// The key it points to
    #[arg(long, value_name = "KEY")]
    pub target_key_id: String,
}

/// `keys delete-alias`
#[derive(Args, Debug)]
pub struct DeleteAlias {
    #[command(flatten)]
    pub store: Store,
    /// The alias: its ARN, or alias/… where only one account and Region has it
    #[arg(long, value_name = "NAME|ARN")]
    pub alias_name: String,
}

/// `keys schedule-deletion`
#[derive(Args, Debug)]
pub struct ScheduleDeletion {
    #[command(flatten)]
    pub key: OneKey,
    /// Days until the key is deleted: 7 to 30
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub pending_window_in_days: u16,
}

/// Runs `keys …`.
pub fn run(keys: &Keys, io: &mut Io) -> Result<Exit, CliError> {
    match keys {
        Keys::Create(args) => create(args, io)?,
        Keys::Import(args) => import(args, io)?,
        Keys::Replicate(args) => replicate(args, io)?,
        Keys::List(store) => list(store, io)?,
        Keys::Describe(args) => describe(args, io)?,
        Keys::GetPolicy(args) => get_policy(args, io)?,
        Keys::PutPolicy(args) => put_policy(args, io)?,
        Keys::CreateGrant(args) => create_grant(args, io)?,
        Keys::ListGrants(args) => list_grants(args, io)?,
        Keys::RevokeGrant(args) => {
            change(&args.key, io, "revoked", |store, key| {
                store.revoke_grant(key, &args.grant_id.parse()?)
            })?;
        }
        Keys::RetireGrant(args) => {
            change(&args.key, io, "retired", |store, key| {
                store.retire_grant(key, &args.grant_id.parse()?)
            })?;
        }
        Keys::CreateAlias(args) => alias(args, io, Keystore::create_alias)?,
        Keys::UpdateAlias(args) => alias(args, io, Keystore::update_alias)?,
        Keys::DeleteAlias(args) => delete_alias(args, io)?,
        Keys::ListAliases(store) => list_aliases(store, io)?,
        Keys::Enable(args) => change(args, io, "enabled", Keystore::enable_key)?,
        Keys::Disable(args) => change(args, io, "disabled", Keystore::disable_key)?,
        Keys::Rotate(args) => {
            change(args, io, "rotated", |store, key| {
                store.rotate_key(key, input::now()).map(drop)
            })?;
        }
        Keys::ScheduleDeletion(args) => {
            let days = args.pending_window_in_days;
            change(&args.key, io, "pending deletion", |store, key| {
                store.schedule_key_deletion(key, days, input::now()).map(drop)
            })?;
        }
        Keys::CancelDeletion(args) => change(args, io, "disabled", Keystore::cancel_key_deletion)?,
    }
    Ok(Exit::Yes)
}

fn open(store: &Store) -> Result<Keystore, CliError> {
    input::open_keystore(&store.keystore, &store.root_key)
}

/// Opens the keystore and finds the key.
fn open_key(args: &OneKey) -> Result<(Keystore, KeyArn), CliError> {
    let keystore = open(&args.store)?;
    let arn = find(&keystore, &args.key_id)?;
    Ok((keystore, arn))
}

/// The one key a name stands for; without an account to look short names up in, they must be the
/// only ones.
fn find(keystore: &Keystore, name: &str) -> Result<KeyArn, CliError> {
    let wanted: KeyIdentifier = input::parse(name)?;
    let contents = keystore.contents().map_err(CliError::new)?;
    let matches = |key: &StoredKey| match &wanted {
        KeyIdentifier::Arn(arn) => key.key.arn == *arn,
        KeyIdentifier::Id(id) => key.key.arn.id() == id,
        KeyIdentifier::Alias(alias) => key.aliases.iter().any(|own| own.name == *alias),
        KeyIdentifier::AliasArn(alias) => key.aliases.contains(alias),
    };
    let mut found = contents.keys.iter().filter(|key| matches(key));
    match (found.next(), found.next()) {
        (Some(key), None) => Ok(key.key.arn.clone()),
        (None, _) => Err(CliError::new(format_args!("the keystore has no key `{name}`"))),
        _ => Err(CliError::new(format_args!(
            "`{name}` is a key in several accounts or Regions: give its ARN"
        ))),
    }
}

/// Does one thing to a key.
fn change<E: std::fmt::Display>(
    args: &OneKey,
    io: &mut Io,
    done: &str,
    act: impl FnOnce(&Keystore, &KeyArn) -> Result<(), E>,
) -> Result<(), CliError> {
    let (keystore, arn) = open_key(args)?;
    act(&keystore, &arn).map_err(CliError::new)?;
    match args.store.format {
        Format::Text => writeln!(io.out, "{arn} {done}")?,
        Format::Json => writeln!(io.out, "{:#}", json!({"KeyId": arn.as_str()}))?,
    }
    Ok(())
}

fn create(args: &Create, io: &mut Io) -> Result<(), CliError> {
    let account: AccountId = input::parse(&args.account)?;
    let region: Region = input::parse(&args.region)?;
    let alias: Option<AliasName> = args.alias.as_deref().map(input::parse).transpose()?;
    let new = NewKey {
        spec: input::parse::<KeySpec>(&args.key_spec)?,
        usage: input::parse::<KeyUsage>(&args.key_usage)?,
        scope: if args.multi_region { KeyScope::MultiRegion } else { KeyScope::SingleRegion },
        policy: args.policy.as_deref().map(policy_text).transpose()?,
        description: args.description.clone(),
        tags: input::encryption_context(&args.tags)?
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        id: args.id.as_deref().map(input::parse::<KeyId>).transpose()?,
        ..NewKey::symmetric(account, region.clone())
    };
    let keystore = input::create_keystore(&args.store.keystore, &args.store.root_key)?;
    let arn = keystore.create_key(&new, input::now()).map_err(CliError::new)?;
    if let Some(name) = alias {
        let alias = AliasArn { partition: arn.partition().into(), region, account, name };
        keystore.create_alias(&alias, &arn, input::now()).map_err(CliError::new)?;
    }
    show_key(&keystore, &arn, args.store.format, io)
}

fn import(args: &Import, io: &mut Io) -> Result<(), CliError> {
    let world = load::world(&args.world).map_err(CliError::new)?;
    let snapshot = world.snapshot(Epoch(0)).map_err(CliError::new)?;
    let keystore = input::create_keystore(&args.store.keystore, &args.store.root_key)?;
    let imported = embedded::import(&keystore, &snapshot, input::now()).map_err(CliError::new)?;
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

fn replicate(args: &Replicate, io: &mut Io) -> Result<(), CliError> {
    let (keystore, arn) = open_key(&args.key)?;
    let replica = NewReplica {
        region: input::parse(&args.replica_region)?,
        policy: args.policy.as_deref().map(policy_text).transpose()?,
        description: String::new(),
        tags: Vec::new(),
    };
    let made = keystore.replicate_key(&arn, &replica, input::now()).map_err(CliError::new)?;
    show_key(&keystore, &made, args.key.store.format, io)
}

/// Reads a key policy and refuses it unless it is one.
fn policy_text(path: &Path) -> Result<String, CliError> {
    let text = input::read_text(path)?;
    load::key_policy(path, &text).map_err(CliError::new)?;
    Ok(text)
}

fn list(store: &Store, io: &mut Io) -> Result<(), CliError> {
    let contents = open(store)?.contents().map_err(CliError::new)?;
    match store.format {
        Format::Text => {
            for stored in &contents.keys {
                let aliases: Vec<&str> =
                    stored.aliases.iter().map(|alias| alias.name.as_str()).collect();
                let key = &stored.key;
                writeln!(
                    io.out,
                    "{}  {}  {}  {}",
                    key.arn,
                    key.spec,
                    key.state,
                    aliases.join(" ")
                )?;
            }
        }
        Format::Json => {
            let keys: Vec<Value> = contents.keys.iter().map(key_metadata).collect();
            writeln!(io.out, "{:#}", json!({"Keys": keys}))?;
        }
    }
    Ok(())
}

fn describe(args: &OneKey, io: &mut Io) -> Result<(), CliError> {
    let (keystore, arn) = open_key(args)?;
    show_key(&keystore, &arn, args.store.format, io)
}

fn show_key(
    keystore: &Keystore,
    arn: &KeyArn,
    format: Format,
    io: &mut Io,
) -> Result<(), CliError> {
    let stored = keystore.key(arn).map_err(CliError::new)?;
    match format {
        Format::Text => {
            let key = &stored.key;
            let aliases: Vec<&str> =
                stored.aliases.iter().map(|alias| alias.name.as_str()).collect();
            writeln!(io.out, "Arn          {}", key.arn)?;
            writeln!(io.out, "KeySpec      {}", key.spec)?;
            writeln!(io.out, "KeyUsage     {}", key.usage)?;
            writeln!(io.out, "KeyState     {}", key.state)?;
            writeln!(
                io.out,
                "MultiRegion  {}",
                key.multi_region.map_or("no", |kind| kind.as_str())
            )?;
            writeln!(io.out, "Aliases      {}", aliases.join(" "))?;
            writeln!(io.out, "Created      {}", stored.creation_date)?;
            writeln!(io.out, "Rotations    {}", stored.rotations)?;
            writeln!(io.out, "Grants       {}", stored.grants.len())?;
            if let Some(date) = stored.deletion_date {
                writeln!(io.out, "Deleted at   {date}")?;
            }
        }
        Format::Json => {
            writeln!(io.out, "{:#}", json!({"KeyMetadata": key_metadata(&stored)}))?;
        }
    }
    Ok(())
}

/// As `aws kms describe-key` prints it.
fn key_metadata(stored: &StoredKey) -> Value {
    let key = &stored.key;
    let algorithms: Vec<&str> =
        key.spec.encryption_algorithms().iter().map(|algorithm| algorithm.as_str()).collect();
    json!({
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
        "DeletionDate": stored.deletion_date.map(|date| date.to_string()),
        "CurrentKeyMaterialId": stored.current_material.as_ref().map(ToString::to_string),
    })
}

fn get_policy(args: &GetPolicy, io: &mut Io) -> Result<(), CliError> {
    let (keystore, arn) = open_key(&args.key)?;
    let stored = keystore.key(&arn).map_err(CliError::new)?;
    let name = match args.policy_name {
        Name::Default => PolicyName::Default,
        Name::AwsRam => PolicyName::AwsRam,
    };
    let text = stored
        .policies
        .get(&name)
        .ok_or_else(|| CliError::new(format_args!("{arn} has no policy `{}`", name.as_str())))?;
    match args.key.store.format {
        Format::Text => writeln!(io.out, "{}", text.trim_end())?,
        Format::Json => {
            writeln!(io.out, "{:#}", json!({"Policy": text, "PolicyName": name.as_str()}))?;
        }
    }
    Ok(())
}

fn put_policy(args: &PutPolicy, io: &mut Io) -> Result<(), CliError> {
    let text = policy_text(&args.policy)?;
    let (keystore, arn) = open_key(&args.key)?;
    if !args.bypass_policy_lockout_safety_check {
        let contents = keystore.contents().map_err(CliError::new)?;
        let (builder, caller) = author(args, &arn)?;
        embedded::lockout_check(builder, contents, &arn, &text, &caller)
            .map_err(|error| CliError::at(&args.policy, error))?;
    }
    keystore.put_policy(&arn, PolicyName::Default, &text).map_err(CliError::new)?;
    match args.key.store.format {
        Format::Text => writeln!(io.out, "{arn} policy replaced")?,
        Format::Json => writeln!(io.out, "{:#}", json!({"KeyId": arn.as_str()}))?,
    }
    Ok(())
}

/// Who must be able to replace the policy again, and the world it is asked in.
fn author(args: &PutPolicy, key: &KeyArn) -> Result<(SnapshotBuilder, Caller), CliError> {
    if let (Some(folder), Some(name)) = (&args.world, &args.caller) {
        let world = load::world(folder).map_err(CliError::new)?;
        let snapshot = world.snapshot(Epoch(0)).map_err(CliError::new)?;
        let caller = world.caller(&snapshot, name).map_err(CliError::new)?;
        return Ok((world.without_keys(), caller));
    }
    let mut builder = Snapshot::builder();
    builder.other_memberships(Known::Known(None));
    let root = PrincipalArn::root(key.partition(), key.account());
    let mut caller = Caller::new(CallerPrincipal::Root(root));
    load::direct_call(&mut caller.context);
    Ok((builder, caller))
}

fn create_grant(args: &CreateGrant, io: &mut Io) -> Result<(), CliError> {
    let principal = |text: &str| input::parse(text).map(GrantPrincipal::Principal);
    let new = NewGrant {
        name: args.name.clone(),
        grantee: principal(&args.grantee_principal)?,
        retiring: args.retiring_principal.as_deref().map(principal).transpose()?,
        operations: input::grant_operations(&args.operations)?,
        constraints: GrantConstraints {
            encryption_context: input::context_constraint(
                &args.encryption_context_equals,
                &args.encryption_context_subset,
            )?,
            source_arn: None,
        },
        issuing_account: args.issuing_account.as_deref().map(input::parse).transpose()?,
    };
    let (keystore, arn) = open_key(&args.key)?;
    let created = keystore.create_grant(&arn, new, input::now()).map_err(CliError::new)?;
    match args.key.store.format {
        Format::Text => {
            writeln!(io.out, "GrantId     {}", created.id)?;
            writeln!(io.out, "GrantToken  {}", created.token.expose())?;
        }
        Format::Json => {
            let grant =
                json!({"GrantId": created.id.as_str(), "GrantToken": created.token.expose()});
            writeln!(io.out, "{grant:#}")?;
        }
    }
    Ok(())
}

fn list_grants(args: &OneKey, io: &mut Io) -> Result<(), CliError> {
    let (keystore, arn) = open_key(args)?;
    let grants = keystore.grants(&arn).map_err(CliError::new)?;
    match args.store.format {
        Format::Text => {
            for grant in &grants {
                let operations: Vec<&str> = grant.operations.iter().map(|one| one.name()).collect();
                writeln!(
                    io.out,
                    "{}  {}  {}",
                    grant.id,
                    grant.grantee.as_str(),
                    operations.join(",")
                )?;
            }
        }
        Format::Json => {
            writeln!(
                io.out,
                "{:#}",
                json!({"Grants": grants.iter().map(load::grant_json).collect::<Vec<_>>()})
            )?;
        }
    }
    Ok(())
}

fn alias<E: std::fmt::Display>(
    args: &OneAlias,
    io: &mut Io,
    act: impl FnOnce(&Keystore, &AliasArn, &KeyArn, keyproof::model::Timestamp) -> Result<(), E>,
) -> Result<(), CliError> {
    let name: AliasName = input::parse(&args.alias_name)?;
    let keystore = open(&args.store)?;
    let target = find(&keystore, &args.target_key_id)?;
    let alias = AliasArn {
        partition: target.partition().into(),
        region: target.region().clone(),
        account: target.account(),
        name,
    };
    act(&keystore, &alias, &target, input::now()).map_err(CliError::new)?;
    match args.store.format {
        Format::Text => writeln!(io.out, "{alias} points to {target}")?,
        Format::Json => writeln!(io.out, "{:#}", json!({"AliasArn": alias.to_string()}))?,
    }
    Ok(())
}

fn delete_alias(args: &DeleteAlias, io: &mut Io) -> Result<(), CliError> {
    let keystore = open(&args.store)?;
    let contents = keystore.contents().map_err(CliError::new)?;
    let wanted: KeyIdentifier = input::parse(&args.alias_name)?;
    let matches = |alias: &&AliasArn| match &wanted {
        KeyIdentifier::Alias(name) => alias.name == *name,
        KeyIdentifier::AliasArn(arn) => *alias == arn,
        _ => false,
    };
    let mut found = contents.keys.iter().flat_map(|key| &key.aliases).filter(matches);
    let alias = match (found.next(), found.next()) {
        (Some(alias), None) => alias,
        (None, _) => {
            return Err(CliError::new(format_args!(
                "the keystore has no alias `{}`",
                args.alias_name
            )));
        }
        _ => {
            let message = "is an alias in several accounts or Regions: give its ARN";
            return Err(CliError::new(format_args!("`{}` {message}", args.alias_name)));
        }
    };
    keystore.delete_alias(alias).map_err(CliError::new)?;
    match args.store.format {
        Format::Text => writeln!(io.out, "{alias} deleted")?,
        Format::Json => writeln!(io.out, "{:#}", json!({"AliasArn": alias.to_string()}))?,
    }
    Ok(())
}

fn list_aliases(store: &Store, io: &mut Io) -> Result<(), CliError> {
    let contents = open(store)?.contents().map_err(CliError::new)?;
    let aliases =
        contents.keys.iter().flat_map(|key| key.aliases.iter().map(move |alias| (alias, key)));
    match store.format {
        Format::Text => {
            for (alias, key) in aliases {
                writeln!(io.out, "{alias}  {}", key.key.arn)?;
            }
        }
        Format::Json => {
            let aliases: Vec<Value> = aliases
                .map(|(alias, key)| {
                    json!({
                        "AliasName": alias.name.as_str(),
                        "AliasArn": alias.to_string(),
                        "TargetKeyId": key.key.arn.id().as_str(),
                    })
                })
                .collect();
            writeln!(io.out, "{:#}", json!({"Aliases": aliases}))?;
        }
    }
    Ok(())
}
