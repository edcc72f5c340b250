//! Aliases.

use keyproof::authorize::KeyIdentifier;
use keyproof::backend::embedded::Keystore;
use keyproof::model::{AliasArn, KeyArn};
use serde_json::{Value, json};

use super::{DeleteAlias, OneAlias, Store, find, open, say};
use crate::cli::Format;
use crate::input;
use crate::output::{CliError, Io};

pub fn alias<E: std::fmt::Display>(
    args: &OneAlias,
    io: &mut Io,
    act: impl FnOnce(&Keystore, &AliasArn, &KeyArn, keyproof::model::Timestamp) -> Result<(), E>,
) -> Result<(), CliError> {
    let name = input::alias_name(&args.alias_name)?;
    let keystore = open(&args.store)?;
    let target = find(&keystore, &args.target_key_id)?;
    let alias = AliasArn {
        partition: target.partition().into(),
        region: target.region().clone(),
        account: target.account(),
        name,
    };
    act(&keystore, &alias, &target, input::now()).map_err(CliError::new)?;
    let said = format_args!("{alias} points to {target}");
    say(io, args.store.format, said, "AliasArn", &alias.to_string())
}

pub fn delete_alias(args: &DeleteAlias, io: &mut Io) -> Result<(), CliError> {
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
    let said = format_args!("{alias} deleted");
    say(io, args.store.format, said, "AliasArn", &alias.to_string())
}

pub fn list_aliases(store: &Store, io: &mut Io) -> Result<(), CliError> {
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
