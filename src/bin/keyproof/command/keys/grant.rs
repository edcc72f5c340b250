//! Grants.

use keyproof::backend::embedded::NewGrant;
use keyproof::load;
use keyproof::model::{EncryptionContext, EncryptionContextConstraint, Grant, GrantConstraints};
use serde_json::json;

use super::{CreateGrant, OneKey, open_key};
use crate::cli::Format;
use crate::input;
use crate::output::{CliError, Io, plain};

pub fn create_grant(args: &CreateGrant, io: &mut Io) -> Result<(), CliError> {
    let new = NewGrant {
        name: args.name.clone(),
        grantee: input::grant_principal(&args.grantee_principal)?,
        retiring: args.retiring_principal.as_deref().map(input::grant_principal).transpose()?,
        operations: input::grant_operations(&args.operations)?,
        constraints: GrantConstraints {
            encryption_context: input::context_constraint(
                &args.encryption_context_equals,
                &args.encryption_context_subset,
            )?,
            source_arn: args.source_arn.as_deref().map(Into::into),
        },
        issuing_account: args.issuing_account.as_deref().map(input::parse).transpose()?,
    };
    let (keystore, arn) = open_key(&args.key)?;
    let created = keystore.create_grant(&arn, new, input::now()).map_err(CliError::new)?;
    io.done(format_args!("the grant {} was made", created.id));
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

pub fn list_grants(args: &OneKey, io: &mut Io) -> Result<(), CliError> {
    let (keystore, arn) = open_key(args)?;
    let grants = keystore.grants(&arn).map_err(CliError::new)?;
    match args.store.format {
        Format::Text => {
            for grant in &grants {
                writeln!(io.out, "{}", line(grant))?;
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

/// Id, grantee and operations, then what a grant may have besides.
fn line(grant: &Grant) -> String {
    let operations: Vec<&str> = grant.operations.iter().map(|one| one.name()).collect();
    let mut line =
        format!("{}  {}  {}", grant.id, plain(grant.grantee.as_str()), operations.join(","));
    let mut add = |name: &str, value: &str| {
        line.push_str(&format!("  {name}={}", plain(value)));
    };
    if let Some(name) = &grant.name {
        add("Name", name);
    }
    if let Some(retiring) = &grant.retiring {
        add("RetiringPrincipal", retiring.as_str());
    }
    match &grant.constraints.encryption_context {
        Some(EncryptionContextConstraint::Equals(pairs)) => {
            add("EncryptionContextEquals", &listed(pairs));
        }
        Some(EncryptionContextConstraint::Subset(pairs)) => {
            add("EncryptionContextSubset", &listed(pairs));
        }
        None => {}
    }
    if let Some(arn) = &grant.constraints.source_arn {
        add("SourceArn", arn);
    }
    line
}

/// As JSON: whatever a name or value holds, it is seen where it ends.
fn listed(context: &EncryptionContext) -> String {
    let pairs: serde_json::Map<String, serde_json::Value> =
        context.iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    serde_json::Value::Object(pairs).to_string()
}
