//! `keys …`: the embedded keystore, by whoever holds its file and its root key.

mod alias;
mod grant;
mod key;
mod policy;

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use keyproof::authorize::KeyIdentifier;
use keyproof::backend::embedded::{Keystore, StoredKey};
use keyproof::model::KeyArn;
use serde_json::json;

use crate::cli::{Format, RootKeyArgs};
use crate::exit::Exit;
use crate::help;
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
    #[command(after_help = help::keys::CREATE)]
    Create(Create),
    /// Make the keys, policies, grants, aliases and tags of a world folder, with new key material
    #[command(after_help = help::keys::IMPORT)]
    Import(Import),
    /// Make a related multi-Region key in another Region
    #[command(after_help = help::keys::REPLICATE)]
    Replicate(Replicate),
    /// List all keys
    #[command(after_help = help::keys::LIST)]
    List(Store),
    /// Show a key
    #[command(after_help = help::keys::DESCRIBE)]
    Describe(OneKey),
    /// Print a key policy
    #[command(after_help = help::keys::GET_POLICY)]
    GetPolicy(GetPolicy),
    /// Replace the key policy `default`
    #[command(after_help = help::keys::PUT_POLICY)]
    PutPolicy(PutPolicy),
    /// Make a grant; prints its id and token
    #[command(after_help = help::keys::CREATE_GRANT)]
    CreateGrant(CreateGrant),
    /// List a key's grants
    #[command(after_help = help::keys::LIST_GRANTS)]
    ListGrants(OneKey),
    /// Revoke a grant
    #[command(after_help = help::keys::REVOKE_GRANT)]
    RevokeGrant(OneGrant),
    /// Retire a grant
    #[command(after_help = help::keys::RETIRE_GRANT)]
    RetireGrant(OneGrant),
    /// Make an alias
    #[command(after_help = help::keys::CREATE_ALIAS)]
    CreateAlias(OneAlias),
    /// Point an alias to another key
    #[command(after_help = help::keys::UPDATE_ALIAS)]
    UpdateAlias(OneAlias),
    /// Delete an alias
    #[command(after_help = help::keys::DELETE_ALIAS)]
    DeleteAlias(DeleteAlias),
    /// List all aliases
    #[command(after_help = help::keys::LIST_ALIASES)]
    ListAliases(Store),
    /// Make a disabled key usable again
    #[command(after_help = help::keys::ENABLE)]
    Enable(OneKey),
    /// Make a key unusable until it is enabled
    #[command(after_help = help::keys::DISABLE)]
    Disable(OneKey),
    /// Give a key new material; what was encrypted before still decrypts
    #[command(after_help = help::keys::ROTATE)]
    Rotate(OneKey),
    /// Delete a key after a waiting time
    #[command(after_help = help::keys::SCHEDULE_DELETION)]
    ScheduleDeletion(ScheduleDeletion),
    /// Take a scheduled deletion back; the key is disabled then
    #[command(after_help = help::keys::CANCEL_DELETION)]
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
    /// The key id, a UUID or `mrk-` and 32 hexadecimal digits [default: a random one]
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    #[command(flatten)]
    pub author: Author,
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
    #[command(flatten)]
    pub author: Author,
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
    #[command(flatten)]
    pub author: Author,
}

/// KMS's check that a new key policy can be replaced again.
#[derive(Args, Debug)]
pub struct Author {
    /// The world folder that the caller and its IAM policies are in [default: KEYPROOF_WORLD]
    #[arg(long, value_name = "DIR", requires = "caller")]
    pub world: Option<PathBuf>,
    /// Who must be able to replace the policy again [default: the root user of the key's account]
    #[arg(long, value_name = "NAME|ARN")]
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
    /// Who may use the key: the ARN of a user, role, session, federated user or account root, or a
    /// service's name with --source-arn and --retiring-principal
    #[arg(long, value_name = "ARN")]
    pub grantee_principal: String,
    /// Who may retire the grant, an ARN or a service
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
    /// The grant's SourceArn: the resource that a service acts for
    #[arg(long, value_name = "ARN")]
    pub source_arn: Option<String>,
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
        Keys::Create(args) => key::create(args, io)?,
        Keys::Import(args) => key::import(args, io)?,
        Keys::Replicate(args) => key::replicate(args, io)?,
        Keys::List(store) => key::list(store, io)?,
        Keys::Describe(args) => key::describe(args, io)?,
        Keys::GetPolicy(args) => policy::get_policy(args, io)?,
        Keys::PutPolicy(args) => policy::put_policy(args, io)?,
        Keys::CreateGrant(args) => grant::create_grant(args, io)?,
        Keys::ListGrants(args) => grant::list_grants(args, io)?,
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
        Keys::CreateAlias(args) => alias::alias(args, io, Keystore::create_alias)?,
        Keys::UpdateAlias(args) => alias::alias(args, io, Keystore::update_alias)?,
        Keys::DeleteAlias(args) => alias::delete_alias(args, io)?,
        Keys::ListAliases(store) => alias::list_aliases(store, io)?,
        Keys::Enable(args) => change(args, io, "enabled", Keystore::enable_key)?,
        Keys::Disable(args) => change(args, io, "disabled", Keystore::disable_key)?,
        Keys::Rotate(args) => {
            change(args, io, "rotated", |store, key| {
                store.rotate_key(key, input::now()).map(drop)
            })?;
        }
        Keys::ScheduleDeletion(args) => key::schedule_deletion(args, io)?,
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
    say(io, args.store.format, format_args!("{arn} {done}"), "KeyId", arn.as_str())
}

/// Tells what was done; the same text stands in the message if the answer cannot be written.
fn say(
    io: &mut Io,
    format: Format,
    text: fmt::Arguments<'_>,
    name: &str,
    value: &str,
) -> Result<(), CliError> {
    io.done(text);
    match format {
        Format::Text => writeln!(io.out, "{text}")?,
        Format::Json => writeln!(io.out, "{:#}", json!({name: value}))?,
    }
    Ok(())
}
