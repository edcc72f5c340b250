//! Fixes mend what they are for, and safe ones never widen access.

use std::path::Path;
use std::sync::Arc;

use keyproof::compile::{Policy, PolicySlot, Source};
use keyproof::evaluate::{Attached, GrantSubject, Policies, Question, RequestContext, decide};
use keyproof::lint::{Applicability, Collection, Diagnostic, Level, SourceFile};
use keyproof::load::{PolicyKindHint, lint_file, lint_input};
use keyproof::model::{
    Action, CallerPrincipal, ContextMap, Decision, Effect, PolicyDocument, PolicyKind, Readings,
};
use keyproof::syntax;

use crate::lint_rules::lint;

/// Every fixture that is one file, with its fixable findings.
fn fixable() -> Vec<(Arc<SourceFile>, Collection, Diagnostic)> {
    let mut all = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint");
    for folder in std::fs::read_dir(root).unwrap() {
        for entry in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() || path.file_name().unwrap() == "expected.txt" {
                continue;
            }
            let file = lint_file(&path).unwrap();
            let Some(collection) = lint_input(&file, None).unwrap() else { continue };
            for found in lint(&collection).into_iter().filter(|one| one.fix.is_some()) {
                let again = lint_input(&file, None).unwrap().unwrap();
                all.push((Arc::clone(&file), again, found));
            }
        }
    }
    all
}

/// The text after a fix.
fn fixed(file: &SourceFile, found: &Diagnostic) -> Option<String> {
    let mut edits = found.file_edits()?;
    edits.sort_by_key(|(span, _)| std::cmp::Reverse(*span));
    let mut text = file.text.to_string();
    for (span, with) in edits {
        text.replace_range(span.start()..span.end(), &with);
    }
    Some(text)
}

#[test]
fn fixes_mend_what_they_are_for_and_break_nothing() {
    for (file, before, found) in fixable() {
        let Some(text) = fixed(&file, &found) else { continue };
        let after = Arc::new(SourceFile { name: file.name.clone(), text: text.clone().into() });
        let hint = PolicyKindHint::of_name(&file.name);
        let collection = lint_input(&after, hint).unwrap().unwrap();
        let left = lint(&collection);
        let count = |list: &[Diagnostic], only: Option<&Diagnostic>| {
            let same = |one: &&Diagnostic| only.is_none_or(|it| std::ptr::eq(it.rule, one.rule));
            list.iter().filter(same).filter(|one| one.level > Level::Note).count()
        };
        let all = lint(&before);
        assert!(
            count(&left, Some(&found)) < count(&all, Some(&found)).max(1),
            "{}: {} is still there after its fix\n{text}",
            file.name,
            found.rule.name
        );
        // What is only a note is not counted: without it there are as many as before.
        let own = usize::from(found.level > Level::Note);
        assert!(
            count(&left, None) <= count(&all, None).saturating_sub(own),
            "{}: the fix of {} adds findings\n{text}",
            file.name,
            found.rule.name
        );
        let Some(fix) = &found.fix else { continue };
        if fix.applicability == Applicability::Safe {
            for (old, new) in before.documents.iter().zip(&collection.documents) {
                let pair = (old.syntax().unwrap(), new.syntax().unwrap());
                never_wider(old.kind, pair, &format!("{}: {}", file.name, found.rule.name));
            }
        }
    }
}

/// Whether a decision gives more than another: what is undetermined may be either.
fn given(decision: Decision) -> u8 {
    match decision {
        Decision::ExplicitDeny | Decision::ImplicitDeny => 0,
        Decision::Undetermined => 1,
        Decision::Allow => 2,
    }
}

/// Holds that no request is given more by the new document than by the old one.
pub fn never_wider(kind: PolicyKind, pair: (&PolicyDocument, &PolicyDocument), what: &str) {
    let slot = |document: &PolicyDocument| {
        let source = Source::file("test", "");
        PolicySlot::Compiled(Arc::new(Policy::compile(document, kind, "test", source)))
    };
    let (old, new) = (slot(pair.0), slot(pair.1));
    let resources = [
        "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:us-east-1:444455556666:key/mrk-1234abcd12ab34cd56ef1234567890ab",
    ];
    for action in Action::ALL.iter().copied() {
        for caller in callers() {
            for resource in resources {
                for stated in [ContextMap::new(), ContextMap::new().complete()] {
                    let ask = |slot| decision(kind, slot, &caller, resource, action, &stated);
                    let (before, after) = (ask(&old), ask(&new));
                    assert!(
                        given(after) <= given(before),
                        "{what}: {action} for {caller} on {resource}: {before}, then {after}"
                    );
                }
            }
        }
    }
}

fn callers() -> Vec<CallerPrincipal> {
    let role = |account: &str, name: &str| CallerPrincipal::RoleSession {
        session: format!("arn:aws:sts::{account}:assumed-role/{name}/s").parse().unwrap(),
        role: format!("arn:aws:iam::{account}:role/{name}").parse().unwrap(),
        id: None,
    };
    vec![
        role("111122223333", "orders"),
        role("111122223333", "key-admin"),
        role("111122223333", "stranger"),
        role("444455556666", "reader"),
        role("444455556666", "stranger"),
        CallerPrincipal::Root("arn:aws:iam::111122223333:root".parse().unwrap()),
        CallerPrincipal::User {
            arn: "arn:aws:iam::111122223333:user/alice".parse().unwrap(),
            id: None,
        },
        CallerPrincipal::Service {
            names: vec!["logs.eu-central-1.amazonaws.com".parse().unwrap()],
        },
    ]
}

/// What one policy decides when all others allow.
fn decision(
    kind: PolicyKind,
    slot: &PolicySlot,
    caller: &CallerPrincipal,
    resource: &str,
    action: Action,
    stated: &ContextMap,
) -> Decision {
    let readings = Readings::default();
    let open = everything(PolicyKind::Identity, "");
    let open_key = everything(PolicyKind::Key, r#""Principal": "*","#);
    let own = Attached::Union(std::slice::from_ref(slot));
    let levels = [vec![slot.clone()]];
    let mut policies = Policies {
        key: Attached::Union(std::slice::from_ref(&open_key)),
        identity: Attached::Union(std::slice::from_ref(&open)),
        boundary: Attached::NotApplicable,
        session: Attached::NotApplicable,
        service_control: Attached::NotApplicable,
        resource_control: Attached::NotApplicable,
        endpoint: Attached::NotApplicable,
        grants: Ok(keyproof::compile::GrantsRef::NONE),
    };
    match kind {
        PolicyKind::Boundary => policies.boundary = own,
        PolicyKind::Endpoint => policies.endpoint = own,
        PolicyKind::Identity => policies.identity = own,
        PolicyKind::Key => policies.key = own,
        PolicyKind::ResourceControl => policies.resource_control = Attached::Levels(&levels),
        PolicyKind::ServiceControl => policies.service_control = Attached::Levels(&levels),
        PolicyKind::Session => policies.session = own,
    }
    if kind == PolicyKind::Identity {
        // An open key policy would allow by itself.
        policies.key = Attached::NotApplicable;
    }
    decide(&Question {
        principal: caller,
        resource,
        region_disabled: false,
        resource_account: resource.split(':').nth(4).map(|account| account.parse().unwrap()),
        context: RequestContext { action, stated, facts: None, grant: GrantSubject::None },
        policies,
        grant_tokens: &[],
        readings: &readings,
    })
}

fn everything(kind: PolicyKind, principal: &str) -> PolicySlot {
    let effect = Effect::Allow.as_str();
    let text = format!(
        r#"{{"Statement": {{"Effect": "{effect}", {principal} "Action": "*", "Resource": "*"}}}}"#
    );
    let document = syntax::parse(&text, kind).into_result().unwrap();
    PolicySlot::Compiled(Arc::new(Policy::compile(&document, kind, "open", Source::file("", ""))))
}
