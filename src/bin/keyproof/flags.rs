//! Which flags of a request go with which operations: one that does not apply is refused, not
//! ignored.

use keyproof::model::{Action, ResourceKind};

use crate::cli::{CallerArgs, RequestArgs};
use crate::output::CliError;

/// Where a flag belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// To every request.
    Every,
    /// To the operations named.
    Of(&'static [&'static str]),
    /// To operations on one key that the request names.
    OneKey,
}

const CONTEXT: &[&str] = &[
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
];
const ALGORITHM: &[&str] = &["Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo"];
const ALIAS: &[&str] = &["CreateAlias", "DeleteAlias", "UpdateAlias"];
const GRANT: &[&str] = &["CreateGrant"];
const RE_ENCRYPT: &[&str] = &["ReEncrypt"];

/// The flags of a request that were given.
fn given(args: &RequestArgs) -> impl Iterator<Item = (&'static str, Use)> {
    let all = [
        (args.operation.is_some(), "--operation", Use::Every),
        (args.key_id.is_some(), "--key-id", Use::OneKey),
        (args.source_key_id.is_some(), "--source-key-id", Use::Of(RE_ENCRYPT)),
        (args.destination_key_id.is_some(), "--destination-key-id", Use::Of(RE_ENCRYPT)),
        (args.alias_name.is_some(), "--alias-name", Use::Of(ALIAS)),
        (args.target_key_id.is_some(), "--target-key-id", Use::Of(&["CreateAlias", "UpdateAlias"])),
        (args.grantee_principal.is_some(), "--grantee-principal", Use::Of(GRANT)),
        (args.retiring_principal.is_some(), "--retiring-principal", Use::Of(GRANT)),
        (!args.operations.is_empty(), "--operations", Use::Of(GRANT)),
        (!args.encryption_context_equals.is_empty(), "--encryption-context-equals", Use::Of(GRANT)),
        (!args.encryption_context_subset.is_empty(), "--encryption-context-subset", Use::Of(GRANT)),
        (args.source_arn.is_some(), "--source-arn", Use::Of(GRANT)),
        (args.grant_id.is_some(), "--grant-id", Use::Of(&["RetireGrant"])),
        (args.policy.is_some(), "--policy", Use::Of(&["PutKeyPolicy"])),
        (
            args.bypass_policy_lockout_safety_check,
            "--bypass-policy-lockout-safety-check",
            Use::Of(&["PutKeyPolicy"]),
        ),
        (args.replica_region.is_some(), "--replica-region", Use::Of(&["ReplicateKey"])),
        (args.primary_region.is_some(), "--primary-region", Use::Of(&["UpdatePrimaryRegion"])),
        (args.tagged, "--tagged", Use::Of(&["CreateKey", "ReplicateKey"])),
        (!args.encryption_context.is_empty(), "--encryption-context", Use::Of(CONTEXT)),
        (
            !args.source_encryption_context.is_empty(),
            "--source-encryption-context",
            Use::Of(RE_ENCRYPT),
        ),
        (
            !args.destination_encryption_context.is_empty(),
            "--destination-encryption-context",
            Use::Of(RE_ENCRYPT),
        ),
        (args.encryption_algorithm.is_some(), "--encryption-algorithm", Use::Of(ALGORITHM)),
        (
            args.source_encryption_algorithm.is_some(),
            "--source-encryption-algorithm",
            Use::Of(RE_ENCRYPT),
        ),
        (
            args.destination_encryption_algorithm.is_some(),
            "--destination-encryption-algorithm",
            Use::Of(RE_ENCRYPT),
        ),
        (!args.grant_tokens.is_empty(), "--grant-token", Use::Every),
        (args.region.is_some(), "--region", Use::Every),
    ];
    all.into_iter().filter(|(given, ..)| *given).map(|(_, flag, belongs)| (flag, belongs))
}

/// Refuses flags of other operations.
pub fn refuse_of_others(args: &RequestArgs, operation: &str) -> Result<(), CliError> {
    let names_one_key = match operation {
        "ReEncrypt" => false,
        _ => operation.parse::<Action>().map_or(true, |action| {
            !ALIAS.contains(&operation) && action.resource_kind() != ResourceKind::Any
        }),
    };
    for (flag, belongs) in given(args) {
        let belongs = match belongs {
            Use::Of(names) if !names.contains(&operation) => names.join(", "),
            Use::OneKey if !names_one_key => "operations on one key".to_owned(),
            _ => continue,
        };
        let instead = match (operation, flag) {
            ("ReEncrypt", "--key-id" | "--encryption-context" | "--encryption-algorithm") => {
                "; ReEncrypt has one for the source and one for the destination"
            }
            _ => "",
        };
        return Err(CliError::new(format_args!(
            "{flag} does not apply to {operation}: it belongs to {belongs}{instead}"
        )));
    }
    Ok(())
}

/// Refuses every flag of one request, where scenario files say what is asked.
pub fn refuse_all(request: &RequestArgs, caller: &CallerArgs) -> Result<(), CliError> {
    let of_caller = [
        (caller.caller.is_some(), "--caller"),
        (!caller.context.is_empty(), "--context"),
        (!caller.absent.is_empty(), "--absent"),
        (caller.direct, "--direct"),
    ];
    let of_caller = of_caller.into_iter().filter(|(given, _)| *given).map(|(_, flag)| flag);
    let flags: Vec<&str> = of_caller.chain(given(request).map(|(flag, _)| flag)).collect();
    if flags.is_empty() {
        return Ok(());
    }
    Err(CliError::new(format_args!(
        "{} would be ignored: scenario files say who asks for what",
        flags.join(", ")
    )))
}
