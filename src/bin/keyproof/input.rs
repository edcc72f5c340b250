//! From words to what the library takes: worlds, callers, requests, files.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use keyproof::authorize::{KeyIdentifier, Preflight};
use keyproof::backend::embedded::{self, Keystore, KeystoreError, RootKey};
use keyproof::compile::{Caller, Epoch, Snapshot};
use keyproof::load::{self, RequestWords, World};
use keyproof::model::{
    ActionSet, ContextMap, ContextValue, EncryptionAlgorithm, EncryptionContext,
    EncryptionContextConstraint, GrantOperation, GrantToken, Reading, Readings, Region, Timestamp,
};

use crate::cli::{CallerArgs, RequestArgs, RootKeyArgs};
use crate::output::{self, CliError};

/// The largest file taken for data.
const MAX_DATA_BYTES: u64 = 16 * 1024 * 1024;

/// A frozen world with its callers.
pub struct Loaded {
    pub snapshot: Snapshot,
    pub world: World,
    pub keystore: Option<Keystore>,
}

/// Now, for audit records and `aws:CurrentTime`.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    Timestamp::new(seconds, since.subsec_nanos())
}

/// Reads a world folder, with the keys of a keystore in place of its own where one is given.
pub fn world(
    folder: &Path,
    keystore: Option<&PathBuf>,
    root_key: &RootKeyArgs,
    readings: &[String],
) -> Result<Loaded, CliError> {
    let mut world = load::world(folder).map_err(CliError::new)?;
    choose_readings(world.readings_mut(), readings)?;
    let keystore = keystore.map(|path| open_keystore(path, root_key)).transpose()?;
    let snapshot = match &keystore {
        Some(keystore) => {
            let mut builder = world.without_keys();
            let contents = keystore.contents().map_err(CliError::new)?;
            embedded::add_keys(&mut builder, contents).map_err(CliError::new)?;
            builder.build()
        }
        None => world.snapshot(Epoch(0)).map_err(CliError::new)?,
    };
    Ok(Loaded { snapshot, world, keystore })
}

/// Chooses readings written as `name=value`.
pub fn choose_readings(readings: &mut Readings, choices: &[String]) -> Result<(), CliError> {
    for choice in choices {
        let (name, value) = split(choice, "a reading")?;
        let reading: Reading = name.parse().map_err(CliError::new)?;
        readings.choose(reading, value).map_err(CliError::new)?;
    }
    Ok(())
}

/// Opens an existing keystore.
pub fn open_keystore(path: &Path, args: &RootKeyArgs) -> Result<Keystore, CliError> {
    if !path.exists() {
        return Err(CliError::at(
            path,
            "no such keystore: make one with `keyproof keys create` or `keyproof keys import`",
        ));
    }
    Keystore::open(path, root_key(path, args, RootKey::from_file)?)
        .map_err(|error| CliError::at(path, error))
}

/// Opens a keystore, or makes a new one.
pub fn create_keystore(path: &Path, args: &RootKeyArgs) -> Result<Keystore, CliError> {
    // A root key is made for a new keystore alone: for one that exists, another would be wrong.
    let from_file = if path.exists() { RootKey::from_file } else { RootKey::from_file_or_new };
    let root_key = root_key(path, args, from_file)?;
    Keystore::open_or_create(path, root_key).map_err(|error| CliError::at(path, error))
}

fn root_key(
    keystore: &Path,
    args: &RootKeyArgs,
    from_file: fn(&Path) -> Result<RootKey, KeystoreError>,
) -> Result<RootKey, CliError> {
    if let Some(path) = &args.root_key {
        return from_file(path).map_err(|error| CliError::at(path, error));
    }
    if let Some(text) = std::env::var_os("KEYPROOF_ROOT_KEY") {
        let text =
            text.into_string().map_err(|_| CliError::new("KEYPROOF_ROOT_KEY is not base64"))?;
        return RootKey::from_base64(&text)
            .map_err(|error| CliError::new(format_args!("KEYPROOF_ROOT_KEY: {error}")));
    }
    let beside = output::beside(keystore, "root-key");
    from_file(&beside).map_err(|error| CliError::at(&beside, error))
}

/// The caller named by the flags.
pub fn caller(loaded: &Loaded, args: &CallerArgs) -> Result<Caller, CliError> {
    let name = args.caller.as_deref().ok_or_else(|| {
        CliError::new("who calls is missing: give --caller with a name of world.toml or an ARN")
    })?;
    let mut caller = loaded.world.caller(&loaded.snapshot, name).map_err(CliError::new)?;
    add_context(&mut caller.context, args)?;
    Ok(caller)
}

fn add_context(context: &mut ContextMap, args: &CallerArgs) -> Result<(), CliError> {
    let mut given: Vec<(&str, Vec<String>)> = Vec::new();
    for pair in &args.context {
        let (key, value) = split(pair, "a condition key")?;
        match given.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(key)) {
            Some((_, values)) => values.push(value.to_owned()),
            None => given.push((key, vec![value.to_owned()])),
        }
    }
    for (key, mut values) in given {
        let value = match (values.len(), values.pop()) {
            (1, Some(one)) => ContextValue::One(one),
            (_, Some(last)) => {
                values.push(last);
                ContextValue::Many(values)
            }
            (_, None) => ContextValue::Absent,
        };
        context.set(key, value);
    }
    for key in &args.absent {
        context.set(key, ContextValue::Absent);
    }
    if args.direct {
        load::direct_call(context);
    }
    Ok(())
}

/// The question described by the flags.
pub fn preflight(args: &RequestArgs, snapshot: &Snapshot) -> Result<Preflight, CliError> {
    let operation = words(args)?.operation();
    let flag = |word: &str| format!("--{word}");
    Ok(Preflight {
        operation: operation.map_err(|error| CliError::new(error.message(flag)))?,
        region: region(args.region.as_deref(), snapshot)?,
        grant_tokens: grant_tokens(&args.grant_tokens)?,
    })
}

fn words(args: &RequestArgs) -> Result<RequestWords, CliError> {
    let pairs = |pairs: &[String]| match pairs {
        [] => Ok(None),
        _ => encryption_context(pairs).map(Some),
    };
    // Not to be told from not given.
    let algorithm = |name: &String| {
        let default = EncryptionAlgorithm::SymmetricDefault.as_str();
        (name != default).then(|| name.clone())
    };
    Ok(RequestWords {
        operation: args.operation.clone(),
        key_id: args.key_id.clone(),
        source_key_id: args.source_key_id.clone(),
        destination_key_id: args.destination_key_id.clone(),
        alias_name: args.alias_name.clone(),
        target_key_id: args.target_key_id.clone(),
        grantee_principal: args.grantee_principal.clone(),
        retiring_principal: args.retiring_principal.clone(),
        operations: (!args.operations.is_empty()).then(|| args.operations.clone()),
        encryption_context_equals: pairs(&args.encryption_context_equals)?,
        encryption_context_subset: pairs(&args.encryption_context_subset)?,
        source_arn: args.source_arn.clone(),
        grant_id: args.grant_id.clone(),
        policy: args.policy.as_deref().map(read_text).transpose()?,
        bypass_policy_lockout_safety_check: args.bypass_policy_lockout_safety_check,
        replica_region: args.replica_region.clone(),
        primary_region: args.primary_region.clone(),
        tagged: args.tagged,
        encryption_context: pairs(&args.encryption_context)?,
        source_encryption_context: pairs(&args.source_encryption_context)?,
        destination_encryption_context: pairs(&args.destination_encryption_context)?,
        encryption_algorithm: algorithm(&args.encryption_algorithm),
        source_encryption_algorithm: algorithm(&args.source_encryption_algorithm),
        destination_encryption_algorithm: algorithm(&args.destination_encryption_algorithm),
    })
}

/// The operations of a grant.
pub fn grant_operations(names: &[String]) -> Result<ActionSet, CliError> {
    GrantOperation::set(names).map_err(CliError::new)
}

/// The encryption context constraint of a grant.
pub fn context_constraint(
    equals: &[String],
    subset: &[String],
) -> Result<Option<EncryptionContextConstraint>, CliError> {
    Ok(if !equals.is_empty() {
        Some(EncryptionContextConstraint::Equals(encryption_context(equals)?))
    } else if !subset.is_empty() {
        Some(EncryptionContextConstraint::Subset(encryption_context(subset)?))
    } else {
        None
    })
}

/// The Region given, else the only one that has keys.
pub fn region(given: Option<&str>, snapshot: &Snapshot) -> Result<Option<Region>, CliError> {
    load::region(given, snapshot).map_err(CliError::new)
}

/// Grant tokens of a request.
pub fn grant_tokens(given: &[String]) -> Result<Vec<GrantToken>, CliError> {
    given.iter().map(|text| GrantToken::new(text).map_err(CliError::new)).collect()
}

/// Pairs of an encryption context.
pub fn encryption_context(pairs: &[String]) -> Result<EncryptionContext, CliError> {
    let mut context = EncryptionContext::new();
    for pair in pairs {
        let (name, value) = split(pair, "a pair of the encryption context")?;
        if !context.insert(name, value) {
            return Err(CliError::new(format_args!("the encryption context has `{name}` twice")));
        }
    }
    Ok(context)
}

/// Reads a word in the type it stands for.
pub fn parse<T: FromStr>(text: &str) -> Result<T, CliError>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(CliError::new)
}

/// A key's name.
pub fn key_identifier(text: &str) -> Result<KeyIdentifier, CliError> {
    parse(text)
}

/// An algorithm's name.
pub fn algorithm(text: &str) -> Result<EncryptionAlgorithm, CliError> {
    parse(text)
}

/// Splits `name=value` at the first `=`.
pub fn split<'a>(pair: &'a str, what: &str) -> Result<(&'a str, &'a str), CliError> {
    match pair.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name, value)),
        _ => Err(CliError::new(format_args!("`{pair}` is not {what}: write it as name=value"))),
    }
}

/// Reads data from a file, or from standard input for `-`.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().take(MAX_DATA_BYTES + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(MAX_DATA_BYTES + 1).read_to_end(&mut bytes))
    };
    let read = read.map_err(|error| CliError::at(path, error))?;
    if read as u64 > MAX_DATA_BYTES {
        return Err(CliError::at(path, "is too large"));
    }
    Ok(bytes)
}

/// Reads a text from a file, or from standard input for `-`.
pub fn read_text(path: &Path) -> Result<String, CliError> {
    String::from_utf8(read_bytes(path)?).map_err(|_| CliError::at(path, "is not UTF-8 text"))
}
