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
    re_encrypt_without_star::RE_ENCRYPT_WITHOUT_STAR,
    unmanageable_key::UNMANAGEABLE_KEY,
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
