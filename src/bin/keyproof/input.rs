//! From words to what the library takes: worlds, callers, requests, files.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use keyproof::authorize::{KeyIdentifier, Preflight};
use keyproof::backend::embedded::{self, Keystore, KeystoreError, RootKey};
use keyproof::compile::{Caller, Epoch, Snapshot};
use keyproof::load::{self, RequestWords, World};
use keyproof::model::{
    ActionSet, AliasName, ContextMap, ContextValue, EncryptionAlgorithm, EncryptionContext,
    EncryptionContextConstraint, GrantOperation, GrantPrincipal, GrantToken, KeyId, Reading,
    Readings, Region, Timestamp,
};

use crate::cli::{CallerArgs, OptionalWorldArgs, RequestArgs, RootKeyArgs};
use crate::output::{self, CliError};
use crate::place;

/// The largest file taken for data.
const MAX_DATA_BYTES: u64 = 16 * 1024 * 1024;

/// How long another process may have the keystore open before that is an error.
const PATIENCE: Duration = Duration::from_secs(5);

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
        None => world.snapshot(Epoch::new(0)).map_err(CliError::new)?,
    };
    Ok(Loaded { snapshot, world, keystore })
}

/// The world where a command can also do without; the environment's keystore counts.
pub fn optional_world(args: &OptionalWorldArgs) -> Result<Loaded, CliError> {
    let folder = args.world.as_ref().ok_or_else(|| {
        CliError::new("the world is missing: give --world, or name scenario files")
    })?;
    let ambient = std::env::var_os("KEYPROOF_KEYSTORE").map(PathBuf::from);
    let keystore = args.keystore.as_ref().or(ambient.as_ref());
    world(folder, keystore, &args.root_key, &args.readings)
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
    place::refuse_dangling(path)?;
    if !path.exists() {
        return Err(CliError::at(
            path,
            "no such keystore: make one with `keyproof keys create` or `keyproof keys import`",
        ));
    }
    Keystore::probe(path).map_err(CliError::new)?;
    let root_key = match given_root_key(args)? {
        Some(given) => given,
        None => existing_root_key(&root_key_file(path, args))?,
    };
    Keystore::open_within(path, root_key, PATIENCE).map_err(CliError::new)
}

/// Does something in a keystore; when there is none, it is made with what was done in it, or not
/// at all.
pub fn in_keystore<T>(
    path: &Path,
    args: &RootKeyArgs,
    work: impl Fn(&Keystore) -> Result<T, CliError>,
) -> Result<T, CliError> {
    place::refuse_dangling(path)?;
    if path.exists() {
        return work(&open_keystore(path, args)?);
    }
    let root_key_is_there = root_key_file(path, args).exists();
    new_keystore(path, args, &work).or_else(|error| {
        // Another process may be making it at this moment: its root key is there first.
        let since = Instant::now();
        while !path.exists() {
            let begun = !root_key_is_there && root_key_file(path, args).exists();
            if !begun || since.elapsed() > PATIENCE {
                return Err(error);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        work(&open_keystore(path, args)?)
    })
}

fn new_keystore<T>(
    path: &Path,
    args: &RootKeyArgs,
    work: impl Fn(&Keystore) -> Result<T, CliError>,
) -> Result<T, CliError> {
    if let Some(given) = given_root_key(args)? {
        return Keystore::create_filled(path, given, None, work);
    }
    let file = root_key_file(path, args);
    place::refuse_dangling(&file)?;
    place::refuse_used(&file, "the root key", &[("the keystore", path)], None)?;
    if file.exists() {
        let root_key = existing_root_key(&file)?;
        return Keystore::create_filled(path, root_key, None, work);
    }
    let root_key = RootKey::generate().map_err(CliError::new)?;
    Keystore::create_filled(path, root_key, Some(&file), work)
}

/// The file the root key would be in.
pub fn root_key_file(keystore: &Path, args: &RootKeyArgs) -> PathBuf {
    args.root_key.clone().unwrap_or_else(|| output::beside(keystore, "root-key"))
}

/// The root key of the environment; a file that is named goes before it.
fn given_root_key(args: &RootKeyArgs) -> Result<Option<RootKey>, CliError> {
    let text = match std::env::var_os("KEYPROOF_ROOT_KEY") {
        Some(text) if args.root_key.is_none() => text,
        _ => return Ok(None),
    };
    let told = |error| CliError::new(format_args!("KEYPROOF_ROOT_KEY: {error}"));
    let text = text.into_string().unwrap_or_default();
    RootKey::from_base64(&text).map(Some).map_err(told)
}

fn existing_root_key(file: &Path) -> Result<RootKey, CliError> {
    RootKey::from_file(file).map_err(|error| match error {
        KeystoreError::NoRootKey { .. } => CliError::new(format_args!(
            "{error}; --root-key names another file, KEYPROOF_ROOT_KEY holds the key itself"
        )),
        other => CliError::new(other),
    })
}

/// The caller named by the flags.
pub fn caller(loaded: &Loaded, args: &CallerArgs) -> Result<Caller, CliError> {
    let name = args.caller.as_deref().ok_or_else(|| {
        CliError::new("who calls is missing: give --caller with a name of world.toml or an ARN")
    })?;
    caller_named(loaded, name, args)
}

/// A caller of the world, with the context of the flags.
pub fn caller_named(loaded: &Loaded, name: &str, args: &CallerArgs) -> Result<Caller, CliError> {
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
    for key in &args.absent {
        if given.iter().any(|(stated, _)| stated.eq_ignore_ascii_case(key)) {
            return Err(CliError::new(format_args!(
                "`{key}` is both in --context and in --absent: give one of the two"
            )));
        }
        context.set(key, ContextValue::Absent);
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
    if args.direct {
        load::direct_call(context);
    }
    Ok(())
}

/// The question described by the flags.
pub fn preflight(args: &RequestArgs, snapshot: &Snapshot) -> Result<Preflight, CliError> {
    let operation = words(args)?.operation();
    let flag = |word: &str| format!("--{word}");
    let ambient = std::env::var("AWS_REGION").ok();
    let given = args.region.as_ref().or(ambient.as_ref()).map(String::as_str);
    Ok(Preflight {
        operation: operation.map_err(|error| CliError::new(error.message(flag)))?,
        region: region(given, snapshot)?,
        grant_tokens: match names_grant_by_token(args) {
            true => Vec::new(),
            false => grant_tokens(&args.grant_tokens)?,
        },
        dry_run: args.dry_run,
    })
}

/// Whether `--grant-token` is the grant to retire, rather than a token that the request carries.
fn names_grant_by_token(args: &RequestArgs) -> bool {
    let operation = args.operation.as_deref().unwrap_or_default();
    operation.trim_start_matches("kms:") == "RetireGrant" && !args.grant_tokens.is_empty()
}

fn words(args: &RequestArgs) -> Result<RequestWords, CliError> {
    let pairs = |pairs: &[String]| match pairs {
        [] => Ok(None),
        _ => encryption_context(pairs).map(Some),
    };
    Ok(RequestWords {
        operation: args.operation.clone(),
        key_id: args.key_id.clone(),
        source_key_id: args.source_key_id.clone(),
        destination_key_id: args.destination_key_id.clone(),
        alias_name: args.alias_name.clone(),
        target_key_id: args.target_key_id.clone(),
        grantee_principal: args.grantee_principal.clone(),
        grantee_service_principal: args.grantee_service_principal.clone(),
        retiring_principal: args.retiring_principal.clone(),
        retiring_service_principal: args.retiring_service_principal.clone(),
        operations: (!args.operations.is_empty()).then(|| args.operations.clone()),
        encryption_context_equals: pairs(&args.encryption_context_equals)?,
        encryption_context_subset: pairs(&args.encryption_context_subset)?,
        source_arn: args.source_arn.clone(),
        grant_id: args.grant_id.clone(),
        grant_token: match args.grant_tokens.as_slice() {
            [token] if names_grant_by_token(args) => Some(token.clone()),
            _ => None,
        },
        policy_name: args.policy_name.clone(),
        policy: args.policy.as_deref().map(key_policy).transpose()?,
        bypass_policy_lockout_safety_check: args.bypass_policy_lockout_safety_check,
        replica_region: args.replica_region.clone(),
        primary_region: args.primary_region.clone(),
        tagged: args.tagged,
        dry_run: args.dry_run,
        dry_run_modifiers: args.dry_run_modifiers.clone(),
        encryption_context: pairs(&args.encryption_context)?,
        source_encryption_context: pairs(&args.source_encryption_context)?,
        destination_encryption_context: pairs(&args.destination_encryption_context)?,
        encryption_algorithm: args.encryption_algorithm.clone(),
        source_encryption_algorithm: args.source_encryption_algorithm.clone(),
        destination_encryption_algorithm: args.destination_encryption_algorithm.clone(),
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

/// Refuses a request of which nothing tells the Region.
pub fn known_region(found: Option<Region>) -> Result<Region, CliError> {
    found.ok_or_else(|| {
        CliError::new("the Region is not known: give --region, or name a key by its ARN")
    })
}

/// Grant tokens of a request.
pub fn grant_tokens(given: &[String]) -> Result<Vec<GrantToken>, CliError> {
    given.iter().map(|text| GrantToken::new(text).map_err(CliError::new)).collect()
}

/// Reads a key policy and refuses it, with every error's place, unless it is one.
pub fn key_policy(path: &Path) -> Result<String, CliError> {
    let text = read_text(path)?;
    load::key_policy(path, &text).map_err(CliError::new)?;
    Ok(text)
}

/// The name of an alias that is to be made or changed.
pub fn alias_name(text: &str) -> Result<AliasName, CliError> {
    let length = text.chars().count();
    if length > 256 {
        return Err(CliError::new(format_args!(
            "the alias has {length} characters; it may have 256, `alias/` included"
        )));
    }
    let alias: AliasName = parse(text)?;
    if alias.is_reserved() {
        return Err(CliError::new(KeystoreError::InvalidAliasName { name: text.to_owned() }));
    }
    Ok(alias)
}

/// The id of a key that is to be made: as KMS makes them.
pub fn new_key_id(text: &str) -> Result<KeyId, CliError> {
    let hex = |part: &str, digits: usize| {
        part.len() == digits
            && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let parts: Vec<&str> = text.split('-').collect();
    let fits = match parts.as_slice() {
        ["mrk", digits] => hex(digits, 32),
        [a, b, c, d, e] => hex(a, 8) && hex(b, 4) && hex(c, 4) && hex(d, 4) && hex(e, 12),
        _ => false,
    };
    if fits {
        return parse(text);
    }
    Err(CliError::new(format_args!(
        "`{text}` is not the id of a key: give a UUID, or `mrk-` and 32 hexadecimal digits, in lower case"
    )))
}

/// The tags of a key.
pub fn tags(pairs: &[String]) -> Result<Vec<(String, String)>, CliError> {
    let split = |pair: &String| {
        let (name, value) = split(pair, "a tag")?;
        Ok((name.to_owned(), value.to_owned()))
    };
    pairs.iter().map(split).collect()
}

/// A principal of a grant: an ARN, or a service.
pub fn grant_principal(text: &str) -> Result<GrantPrincipal, CliError> {
    if text.starts_with("arn:") {
        parse(text).map(GrantPrincipal::Principal)
    } else {
        parse(text).map(GrantPrincipal::Service)
    }
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

/// A time: `90s`, `15m`, `2h`.
#[cfg(feature = "aws")]
pub fn duration(text: &str) -> Result<Duration, String> {
    let (digits, seconds) = match text.char_indices().next_back() {
        Some((end, 's')) => (text.get(..end), 1),
        Some((end, 'm')) => (text.get(..end), 60),
        Some((end, 'h')) => (text.get(..end), 3600),
        _ => (None, 0),
    };
    let number = digits.and_then(|digits| digits.parse::<u64>().ok());
    let seconds = number.and_then(|number| number.checked_mul(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "it is a number with s, m or h".into())
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
