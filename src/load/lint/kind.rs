//! What kind of policy a bare document is.

use super::Json;
use super::value::{elements, get, members, text};
use crate::model::PolicyKind;
use crate::syntax::json::Value;

/// A kind that a user or a name tells, rather than the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyKindHint(pub PolicyKind);

impl PolicyKindHint {
    /// Words for kinds: in file names (`limits.scp.json`), folders and the configuration.
    const WORDS: &[(&str, PolicyKind)] = &[
        ("boundary", PolicyKind::Boundary),
        ("endpoint", PolicyKind::Endpoint),
        ("identity", PolicyKind::Identity),
        ("key", PolicyKind::Key),
        ("rcp", PolicyKind::ResourceControl),
        ("scp", PolicyKind::ServiceControl),
        ("session", PolicyKind::Session),
    ];

    /// `key`, `identity`, `scp`, `rcp`, `endpoint`, `session` or `boundary`.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(name, _)| *name == word).map(|(_, kind)| Self(*kind))
    }

    /// From the words between dots of a file's name, as in `limits.scp.json`; and from the folders
    /// of a world, as in `scps/limits.json`.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let mut parts = name.rsplit('/');
        let file = parts.next().unwrap_or_default();
        let words = file.split('.').skip(1);
        words.filter_map(Self::of_word).next().or_else(|| match parts.next() {
            Some("scps") => Some(Self(PolicyKind::ServiceControl)),
            Some("rcps") => Some(Self(PolicyKind::ResourceControl)),
            Some("endpoints") => Some(Self(PolicyKind::Endpoint)),
            _ => None,
        })
    }
}

/// The kind of a bare document by its statements: with principals it is on a resource. `None` when
/// it is on a resource of another service, or the trust policy of a role.
pub(super) fn of_document(document: &Json<'_>) -> Option<PolicyKind> {
    let statements = get(document, "Statement")?;
    let statements = match &statements.value {
        Value::Object(_) => std::slice::from_ref(statements),
        _ => elements(statements),
    };
    let has_principals = statements
        .iter()
        .flat_map(members)
        .any(|(name, _)| name == "Principal" || name == "NotPrincipal");
    if !has_principals {
        return Some(PolicyKind::Identity);
    }
    let mut actions = statements
        .iter()
        .flat_map(members)
        .filter(|(name, _)| *name == "Action" || *name == "NotAction")
        .flat_map(|(_, value)| match &value.value {
            Value::String(_) => std::slice::from_ref(value),
            _ => elements(value),
        })
        .filter_map(text)
        .peekable();
    // Without any action nothing tells that it is on something else.
    if actions.peek().is_none() {
        return Some(PolicyKind::Key);
    }
    let ours = |action: &str| match action.split_once(':') {
        Some((service, _)) => service.eq_ignore_ascii_case("kms"),
        None => true,
    };
    actions.any(ours).then_some(PolicyKind::Key)
}
