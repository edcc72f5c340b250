//! Errors of the grammar as findings, with the wording that tells what to write.

use super::config::Active;
use super::finding::{Diagnostic, Finding, Findings};
use super::rule::Rule;
use super::rules::broken_json::BROKEN_JSON;
use super::rules::duplicate_member::DUPLICATE_MEMBER;
use super::rules::invalid_action::INVALID_ACTION;
use super::rules::invalid_principal::INVALID_PRINCIPAL;
use super::rules::invalid_resource::INVALID_RESOURCE;
use super::rules::invalid_value::INVALID_VALUE;
use super::rules::missing_member::MISSING_MEMBER;
use super::rules::unknown_member::UNKNOWN_MEMBER;
use super::rules::unknown_operator::UNKNOWN_OPERATOR;
use super::rules::unsupported_element::UNSUPPORTED_ELEMENT;
use super::subject::Document;
use crate::syntax::SyntaxErrorKind as Kind;

/// Reports the errors of a document.
pub(super) fn report(document: &Document, active: &Active, found: &mut Vec<Diagnostic>) {
    for error in document.errors() {
        let rule = rule_of(&error.kind);
        let Some(level) = active.level(rule) else { continue };
        let mut finding = Finding::at(error.span, error.kind.to_string());
        if let Some(help) = error.kind.help() {
            finding = finding.help(help);
        }
        Findings::new(rule, level, Some(document), found).push(finding);
    }
}

/// The rule of each kind of error.
fn rule_of(kind: &Kind) -> &'static Rule {
    match kind {
        Kind::ByteOrderMark
        | Kind::ControlCharacter { .. }
        | Kind::NotJson { .. }
        | Kind::TextTooLong { .. }
        | Kind::TooDeep { .. }
        | Kind::TooMany { .. } => &BROKEN_JSON,
        Kind::ConflictingMembers { .. }
        | Kind::DuplicateConditionKey { .. }
        | Kind::DuplicateMember { .. }
        | Kind::DuplicateSid { .. } => &DUPLICATE_MEMBER,
        Kind::EmptyList { .. } | Kind::MissingMember { .. } | Kind::MissingVersion { .. } => {
            &MISSING_MEMBER
        }
        Kind::UnknownMember { .. } => &UNKNOWN_MEMBER,
        Kind::InvalidAction { .. } => &INVALID_ACTION,
        Kind::InvalidPrincipal { .. } => &INVALID_PRINCIPAL,
        Kind::IncompleteArn { .. } | Kind::InvalidResource { .. } => &INVALID_RESOURCE,
        Kind::UnknownOperator { .. } => &UNKNOWN_OPERATOR,
        Kind::InvalidDate { .. }
        | Kind::InvalidSid { .. }
        | Kind::UnknownEffect { .. }
        | Kind::UnknownVersion { .. }
        | Kind::WrongType { .. } => &INVALID_VALUE,
        Kind::PrincipalForbidden { .. } | Kind::ResourceControl { .. } => &UNSUPPORTED_ELEMENT,
    }
}
