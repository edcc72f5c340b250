//! Key policies.

use std::path::{Path, PathBuf};

use keyproof::backend::embedded;
use keyproof::compile::{Caller, Epoch, Known, Snapshot, SnapshotBuilder};
use keyproof::load;
use keyproof::model::{CallerPrincipal, Key, KeyArn, PolicyName, PrincipalArn};
use serde_json::json;

use super::{Author, GetPolicy, Name, PutPolicy, open_key, say};
use crate::cli::Format;
use crate::input;
use crate::output::{CliError, Io};

pub fn get_policy(args: &GetPolicy, io: &mut Io) -> Result<(), CliError> {
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

pub fn put_policy(args: &PutPolicy, io: &mut Io) -> Result<(), CliError> {
    let text = input::key_policy(&args.policy)?;
    let (keystore, arn) = open_key(&args.key)?;
    if !args.author.bypass_policy_lockout_safety_check {
        let contents = keystore.contents().map_err(CliError::new)?;
        let (builder, caller) = author(&args.author, &arn)?;
        embedded::lockout_check(builder, contents, &arn, &text, &caller)
            .map_err(|error| CliError::at(&args.policy, error))?;
    }
    keystore.put_policy(&arn, PolicyName::Default, &text).map_err(CliError::new)?;
    say(io, args.key.store.format, format_args!("{arn} policy replaced"), "KeyId", arn.as_str())
}

/// Refuses, before a key is made, a policy of it that its author could not replace.
pub fn refuse_lockout(
    args: &Author,
    path: &Path,
    key: Key,
    tags: &[(String, String)],
    text: &str,
) -> Result<(), CliError> {
    if args.bypass_policy_lockout_safety_check {
        return Ok(());
    }
    let (builder, caller) = author(args, &key.arn)?;
    embedded::lockout_check_of_new(builder, key, tags, text, &caller)
        .map_err(|error| CliError::at(path, error))
}

/// Who must be able to replace the policy again, and the world it is asked in.
fn author(args: &Author, key: &KeyArn) -> Result<(SnapshotBuilder, Caller), CliError> {
    if let Some(name) = &args.caller {
        let ambient = || std::env::var_os("KEYPROOF_WORLD").map(PathBuf::from);
        let folder = args.world.clone().or_else(ambient);
        let folder = folder.ok_or_else(|| CliError::new("--caller needs --world"))?;
        let world = load::world(&folder).map_err(CliError::new)?;
        let snapshot = world.snapshot(Epoch::new(0)).map_err(CliError::new)?;
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
