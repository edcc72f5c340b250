//! Key policies from a text, as backends hold them.

use std::sync::Arc;

use crate::compile::{Policy, PolicySlot, Source};
use crate::model::{KeyArn, PolicyKind};
use crate::syntax;

/// The policy of a key with this name and text; unreadable when it is no key policy.
pub(super) fn key_policy(key: &KeyArn, name: &str, text: &str) -> PolicySlot {
    let file = format!("{key} policy {name}");
    let label = format!("key policy {name}");
    match syntax::parse(text, PolicyKind::Key).into_result() {
        Ok(document) => {
            let source = Source::file(&file, text);
            PolicySlot::Compiled(Arc::new(Policy::compile(
                &document,
                PolicyKind::Key,
                &label,
                source,
            )))
        }
        Err(errors) => PolicySlot::Unreadable {
            name: label.into(),
            reason: errors.first().map(ToString::to_string).unwrap_or_default().into(),
        },
    }
}
