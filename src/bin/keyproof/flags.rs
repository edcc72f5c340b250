//! The flags of one request, which scenario files and matrices take the place of.

use crate::cli::{CallerArgs, RequestArgs};
use crate::output::CliError;

/// Refuses every flag of one request, where scenario files say what is asked.
pub fn refuse_all(args: &RequestArgs, caller: &CallerArgs) -> Result<(), CliError> {
    let callers = [
        (caller.caller.is_some(), "--caller"),
        (!caller.context.is_empty(), "--context"),
        (!caller.absent.is_empty(), "--absent"),
        (caller.direct, "--direct"),
        (!args.encryption_context.is_empty(), "--encryption-context"),
    ];
    let given = given(callers.into_iter().chain(request(args)));
    refuse(&given, "scenario files say who asks for what")
}

/// Refuses the flags of one request that say nothing of all.
pub fn refuse_in_matrix(args: &RequestArgs) -> Result<(), CliError> {
    refuse(&given(request(args)), "a matrix asks for every operation on every key")
}

/// The flags of a request, but those that a matrix takes as well.
fn request(args: &RequestArgs) -> impl Iterator<Item = (bool, &'static str)> {
    let all = [
        (args.operation.is_some(), "--operation"),
        (args.key_id.is_some(), "--key-id"),
        (args.source_key_id.is_some(), "--source-key-id"),
        (args.destination_key_id.is_some(), "--destination-key-id"),
        (args.alias_name.is_some(), "--alias-name"),
        (args.target_key_id.is_some(), "--target-key-id"),
        (args.grantee_principal.is_some(), "--grantee-principal"),
        (args.grantee_service_principal.is_some(), "--grantee-service-principal"),
        (args.retiring_principal.is_some(), "--retiring-principal"),
        (args.retiring_service_principal.is_some(), "--retiring-service-principal"),
        (!args.operations.is_empty(), "--operations"),
        (!args.encryption_context_equals.is_empty(), "--encryption-context-equals"),
        (!args.encryption_context_subset.is_empty(), "--encryption-context-subset"),
        (args.source_arn.is_some(), "--source-arn"),
        (args.grant_id.is_some(), "--grant-id"),
        (args.policy_name.is_some(), "--policy-name"),
        (args.policy.is_some(), "--policy"),
        (args.bypass_policy_lockout_safety_check, "--bypass-policy-lockout-safety-check"),
        (args.replica_region.is_some(), "--replica-region"),
        (args.primary_region.is_some(), "--primary-region"),
        (args.tagged, "--tagged"),
        (args.dry_run, "--dry-run"),
        (!args.dry_run_modifiers.is_empty(), "--dry-run-modifier"),
        (!args.source_encryption_context.is_empty(), "--source-encryption-context"),
        (!args.destination_encryption_context.is_empty(), "--destination-encryption-context"),
        (args.encryption_algorithm.is_some(), "--encryption-algorithm"),
        (args.source_encryption_algorithm.is_some(), "--source-encryption-algorithm"),
        (args.destination_encryption_algorithm.is_some(), "--destination-encryption-algorithm"),
        (!args.grant_tokens.is_empty(), "--grant-token"),
        (args.region.is_some(), "--region"),
    ];
    all.into_iter()
}

fn given(flags: impl Iterator<Item = (bool, &'static str)>) -> Vec<&'static str> {
    flags.filter(|(given, _)| *given).map(|(_, flag)| flag).collect()
}

fn refuse(flags: &[&str], why: &str) -> Result<(), CliError> {
    if flags.is_empty() {
        return Ok(());
    }
    Err(CliError::new(format_args!("{} would be ignored: {why}", flags.join(", "))))
}
