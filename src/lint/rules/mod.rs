//! The rules, one file each, and the table of them.

/// Declares the modules of the rules and the table, in the order of codes.
macro_rules! rules {
    ($($module:ident::$rule:ident,)*) => {
        $(pub(super) mod $module;)*

        /// Every rule there is or was, sorted by code.
        pub static RULES: &[&super::Rule] = &[$(&$module::$rule),*];
    };
}

rules! {
    unsupplied_condition_key::UNSUPPLIED_CONDITION_KEY,
    re_encrypt_without_star::RE_ENCRYPT_WITHOUT_STAR,
    unknown_action::UNKNOWN_ACTION,
    wildcard_principal::WILDCARD_PRINCIPAL,
    principal_without_identity::PRINCIPAL_WITHOUT_IDENTITY,
    unmanageable_key::UNMANAGEABLE_KEY,
    iam_without_effect::IAM_WITHOUT_EFFECT,
    everything_delegated_to_iam::EVERYTHING_DELEGATED_TO_IAM,
    full_access::FULL_ACCESS,
    identity_action_in_key_policy::IDENTITY_ACTION_IN_KEY_POLICY,
    identity_key_in_key_policy::IDENTITY_KEY_IN_KEY_POLICY,
    via_service_for_service_principal::VIA_SERVICE_FOR_SERVICE_PRINCIPAL,
    any_account_through_service::ANY_ACCOUNT_THROUGH_SERVICE,
    service_without_source::SERVICE_WITHOUT_SOURCE,
    not_principal_with_allow::NOT_PRINCIPAL_WITH_ALLOW,
    incomplete_not_principal::INCOMPLETE_NOT_PRINCIPAL,
    not_action_with_allow::NOT_ACTION_WITH_ALLOW,
    own_account_action::OWN_ACCOUNT_ACTION,
    deleted_principal::DELETED_PRINCIPAL,
    inert_statement::INERT_STATEMENT,
    locked_out_manager::LOCKED_OUT_MANAGER,
    deny_of_everything_without_the_key::DENY_OF_EVERYTHING_WITHOUT_THE_KEY,
    unguarded_deletion::UNGUARDED_DELETION,
    lockout_check_bypass::LOCKOUT_CHECK_BYPASS,
    oversized_policy::OVERSIZED_POLICY,
    service_moves_ciphertext::SERVICE_MOVES_CIPHERTEXT,
    shared_through_ram::SHARED_THROUGH_RAM,
    no_manager_named::NO_MANAGER_NAMED,
    retire_grant_in_key_policy::RETIRE_GRANT_IN_KEY_POLICY,
    service_without_source_here::SERVICE_WITHOUT_SOURCE_HERE,
    whole_external_account::WHOLE_EXTERNAL_ACCOUNT,
    foreign_resource::FOREIGN_RESOURCE,
    nearly_oversized_policy::NEARLY_OVERSIZED_POLICY,
    named_resource::NAMED_RESOURCE,
    repeated_statement::REPEATED_STATEMENT,
    missing_version::MISSING_VERSION,
    redundant_action::REDUNDANT_ACTION,
    unpaired_source_arn::UNPAIRED_SOURCE_ARN,
    principal_key_for_service::PRINCIPAL_KEY_FOR_SERVICE,
    source_key_without_service::SOURCE_KEY_WITHOUT_SERVICE,
    expired_suppression::EXPIRED_SUPPRESSION,
    unused_suppression::UNUSED_SUPPRESSION,
    broken_json::BROKEN_JSON,
    duplicate_member::DUPLICATE_MEMBER,
    missing_member::MISSING_MEMBER,
    unknown_member::UNKNOWN_MEMBER,
    invalid_value::INVALID_VALUE,
    invalid_principal::INVALID_PRINCIPAL,
    invalid_action::INVALID_ACTION,
    invalid_resource::INVALID_RESOURCE,
    unknown_operator::UNKNOWN_OPERATOR,
    unsupported_element::UNSUPPORTED_ELEMENT,
    one_sided_re_encryption::ONE_SIDED_RE_ENCRYPTION,
}
