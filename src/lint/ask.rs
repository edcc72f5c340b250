//! Questions to the evaluator, so that rules decide instead of matching patterns.

use std::sync::{Arc, LazyLock};

use super::key_policy;
use super::subject::DocumentView;
use crate::compile::{Caller, GrantsRef, KeyEntry, Policy, PolicySlot, Snapshot, Source};
use crate::evaluate::{
    Asked, Attached, GrantSubject, OperationFacts, Policies, Question, RequestContext, Target,
    decide, supplies,
};
use crate::model::{
    AccountId, Action, CallerPrincipal, ContextMap, ContextValue, Decision, Element, KnownKey,
    PolicyKind, Principal, PrincipalArn, PrincipalArnKind, PrincipalElement, Readings,
};
use crate::syntax;

/// The answers for everybody whom a key policy could let do something by a direct call, when their
/// own account and organization let them do everything: what the key policy alone decides.
///
/// Of conditions only those on who calls are looked into: a decision that hangs on another is
/// undetermined.
pub(super) fn by_key_policy(
    view: &DocumentView<'_>,
    action: Action,
) -> Vec<(CallerPrincipal, Decision)> {
    let Some(slot) = view.document.slot() else { return Vec::new() };
    let Some(everything) = &*ALLOW_EVERYTHING else { return Vec::new() };
    let readings = Readings::default();
    let known = view.document.key.as_ref().and_then(|key| key.arn.as_ref());
    let owner = view.document.account.or_else(|| known.map(|arn| arn.account()));
    let callers = callers(view, owner);
    let answers = callers.into_iter().map(|caller| {
        // The owner of the key, where it is not known, may be anybody's account.
        let account = owner.or_else(|| caller.account());
        let made = format!(
            "arn:aws:kms:us-east-1:{}:key/00000000-0000-0000-0000-000000000000",
            account.as_ref().map_or(EXAMPLE_ACCOUNT, AccountId::as_str)
        );
        let stated = stated(&caller, view, action);
        let question = Question {
            principal: &caller,
            resource: known.map_or(made.as_str(), |arn| arn.as_str()),
            resource_account: account,
            region_disabled: false,
            context: RequestContext {
                action,
                stated: &stated,
                facts: None,
                grant: GrantSubject::None,
            },
            policies: Policies {
                key: Attached::Union(std::slice::from_ref(&slot)),
                identity: match caller {
                    CallerPrincipal::Root(_) | CallerPrincipal::Service { .. } => {
                        Attached::NotApplicable
                    }
                    _ => Attached::Union(std::slice::from_ref(everything)),
                },
                boundary: Attached::NotApplicable,
                session: Attached::NotApplicable,
                service_control: Attached::NotApplicable,
                resource_control: Attached::NotApplicable,
                endpoint: Attached::NotApplicable,
                grants: Ok(GrantsRef::NONE),
            },
            grant_tokens: &[],
            readings: &readings,
        };
        let decision = decide(&question);
        // Which resource the key is decides nothing here as long as it is not known.
        let hangs = known.is_none() && names_resources(view) && !decision.is_allow();
        (caller, if hangs { Decision::Undetermined } else { decision })
    });
    answers.collect()
}

/// Whether nobody whom a key policy names could do something by it, without a statement that takes
/// back what another gives.
pub(super) fn nobody_is_given(view: &DocumentView<'_>, action: Action) -> bool {
    // Somebody could be named where it is not known yet who.
    if !key_policy::is_written(view) || !view.document.is_whole() {
        return false;
    }
    if is_plainly_given(view, action) {
        return false;
    }
    let no =
        |decision: Decision| matches!(decision, Decision::ExplicitDeny | Decision::ImplicitDeny);
    let answers = by_key_policy(view, action);
    let is_denied = answers.iter().any(|(_, decision)| *decision == Decision::ExplicitDeny);
    let is_given = view.statements().any(|one| {
        one.is_allow()
            && one.actions().contains(action)
            && one.compiled().is_some_and(|compiled| compiled.inert.is_none())
    });
    answers.iter().all(|(_, decision)| no(*decision)) && !(is_denied && is_given)
}

/// Whether one statement gives it to an account without a condition and none denies it: most policies
/// are such, and need no evaluation.
fn is_plainly_given(view: &DocumentView<'_>, action: Action) -> bool {
    let owner = key_policy::owner(view);
    let mut given = false;
    for one in view.statements().filter(|one| one.actions().contains(action)) {
        let is_the_key = match &one.statement.resource {
            Some(Element::Is(all)) => all.iter().any(|entry| entry.value == "*"),
            _ => false,
        };
        let plain = is_the_key && one.statement.condition.is_empty();
        let mut principals = one.principals().iter();
        given |= plain
            && principals.any(|it| {
                matches!(&it.value, Principal::Account { account, .. } if Some(*account) == owner)
            });
        if !one.is_allow() {
            return false;
        }
    }
    given
}

const EXAMPLE_ACCOUNT: &str = "111122223333";

fn names_resources(view: &DocumentView<'_>) -> bool {
    view.syntax.statements.iter().any(|statement| match &statement.resource {
        Some(Element::Is(resources)) => resources.iter().any(|one| one.value != "*"),
        Some(Element::IsNot(_)) => true,
        None => false,
    })
}

/// What every direct request of a caller says of it, and what the policy asks for that none carries.
fn stated(caller: &CallerPrincipal, view: &DocumentView<'_>, action: Action) -> ContextMap {
    let mut stated = ContextMap::new();
    let is_service = matches!(caller, CallerPrincipal::Service { .. });
    let is_carried = |key: KnownKey| match key {
        KnownKey::KmsViaService => false,
        key if key_policy::is_source(key) => is_service,
        key => supplies(action, key),
    };
    let entries = view.syntax.statements.iter().flat_map(|one| &one.condition);
    for one in entries.flat_map(|entry| &entry.conditions) {
        if one.key.value.known().is_some_and(|key| !is_carried(key)) {
            stated.set(one.key.value.as_str(), ContextValue::Absent);
        }
    }
    let text = if is_service { "true" } else { "false" };
    stated.set("aws:PrincipalIsAWSService", ContextValue::One(text.to_owned()));
    if let Some(arn) = caller.policy_arn() {
        stated.set("aws:PrincipalArn", ContextValue::One(arn.as_str().to_owned()));
        let account = arn.account().to_string();
        stated.set("aws:PrincipalAccount", ContextValue::One(account.clone()));
        stated.set("kms:CallerAccount", ContextValue::One(account));
    }
    stated
}

/// A policy that allows everything.
static ALLOW_EVERYTHING: LazyLock<Option<PolicySlot>> = LazyLock::new(|| {
    const TEXT: &str = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let kind = PolicyKind::Identity;
    let document = syntax::parse(TEXT, kind).into_result().ok()?;
    let source = Source::file("", TEXT);
    Some(PolicySlot::Compiled(Arc::new(Policy::compile(&document, kind, "everything", source))))
});

/// One caller for each principal that the policy names anywhere, and one of the owner's account.
fn callers(view: &DocumentView<'_>, owner: Option<AccountId>) -> Vec<CallerPrincipal> {
    let mut callers: Vec<CallerPrincipal> = Vec::new();
    let mut add = |caller: Option<CallerPrincipal>| {
        let caller = caller.map(with_id);
        if let Some(caller) = caller.filter(|caller| !callers.contains(caller)) {
            callers.push(caller);
        }
    };
    let home = owner.or_else(|| EXAMPLE_ACCOUNT.parse().ok());
    for statement in &view.syntax.statements {
        let entries = statement.principal.as_ref().map(PrincipalElement::entries);
        for principal in entries.unwrap_or_default() {
            match &principal.value {
                Principal::Account { account, partition } => {
                    let partition = partition.as_deref().unwrap_or("aws");
                    add(Some(CallerPrincipal::Root(PrincipalArn::root(partition, *account))));
                    add(some_role(partition, *account));
                }
                Principal::Arn(arn) => add(caller_of(arn)),
                Principal::EveryAws | Principal::Everyone => {
                    add(home.and_then(|account| some_role("aws", account)));
                }
                Principal::Service(name) => {
                    add(Some(CallerPrincipal::Service { names: vec![name.clone()] }));
                }
                // Nobody any more, and nobody in KMS.
                Principal::Unique(_) | Principal::CanonicalUser(_) | Principal::Federated(_) => {}
            }
        }
    }
    for arn in key_policy::in_conditions(view) {
        add(caller_of(&arn));
    }
    callers
}

/// A role that no policy names.
fn some_role(partition: &str, account: AccountId) -> Option<CallerPrincipal> {
    let role = format!("arn:{partition}:iam::{account}:role/keyproof-some-role");
    caller_of(&role.parse().ok()?)
}

/// The caller with an id that no policy names: those that do name one speak of somebody deleted.
fn with_id(caller: CallerPrincipal) -> CallerPrincipal {
    match caller {
        CallerPrincipal::RoleSession { session, role, .. } => {
            let id = "AROAKEYPROOFSOMEROLE".parse().ok();
            CallerPrincipal::RoleSession { session, role, id }
        }
        CallerPrincipal::User { arn, .. } => {
            let id = "AIDAKEYPROOFSOMEUSER".parse().ok();
            CallerPrincipal::User { arn, id }
        }
        other => other,
    }
}

/// Whoever calls as a principal.
pub(super) fn caller_of(arn: &PrincipalArn) -> Option<CallerPrincipal> {
    let (partition, account, name) = (arn.partition(), arn.account(), arn.name());
    let caller = match arn.kind() {
        PrincipalArnKind::Root => CallerPrincipal::Root(arn.clone()),
        PrincipalArnKind::User => CallerPrincipal::User { arn: arn.clone(), id: None },
        PrincipalArnKind::Role => {
            let session = format!("arn:{partition}:sts::{account}:assumed-role/{name}/keyproof");
            let session = session.parse().ok()?;
            CallerPrincipal::RoleSession { session, role: arn.clone(), id: None }
        }
        PrincipalArnKind::AssumedRole => {
            let role = format!("arn:{partition}:iam::{account}:role/{}", arn.role_name()?);
            let role = role.parse().ok()?;
            CallerPrincipal::RoleSession { session: arn.clone(), role, id: None }
        }
        PrincipalArnKind::FederatedUser => CallerPrincipal::FederatedUser {
            arn: arn.clone(),
            user: PrincipalArn::root(partition, account),
        },
    };
    Some(caller)
}

/// Whether a caller may do something with a key of a world by a direct call; what the request says
/// besides is not known.
pub(super) fn in_world(
    world: &Snapshot,
    entry: &KeyEntry,
    principal: &CallerPrincipal,
    action: Action,
) -> Decision {
    in_world_with(world, entry, principal, action, OperationFacts::default())
}

/// The same, when the request says this.
pub(super) fn in_world_with(
    world: &Snapshot,
    entry: &KeyEntry,
    principal: &CallerPrincipal,
    action: Action,
    operation: OperationFacts<'_>,
) -> Decision {
    let mut caller = Caller::new(principal.clone());
    for key in ["aws:SourceVpce", "aws:SourceVpc", "kms:ViaService"] {
        caller.context.set(key, ContextValue::Absent);
    }
    let asked = Asked {
        action,
        on: Target::Key(&entry.key.arn),
        entry: Some(entry),
        region: entry.key.arn.region(),
        operation,
        grant_tokens: &[],
    };
    asked.put(world, &caller, decide)
}
