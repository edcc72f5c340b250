//! `docs/operations.md`: one table of every operation, made by asking the engine.

use std::fmt::Write as _;

use keyproof::authorize::{Authorizer, Preflight, PreflightAnswer, Side};
use keyproof::compile::{Caller, KeyEntry, Known, Snapshot};
use keyproof::evaluate::supplies;
use keyproof::load::RequestWords;
use keyproof::model::{
    Action, CallerPrincipal, ContextMap, EncryptionAlgorithm, Grant, GrantConstraints,
    GrantOperation, GrantPrincipal, GrantVisibility, Key, KeyOrigin, KeySpec, KeyState, KeyUsage,
    KnownKey, MultiRegionKeyType, PolicyKind, PrincipalArn, ResourceKind,
};

use crate::coverage::hold_current;
use crate::world::{delegates, key_arn, slot};

const ACCOUNT: &str = "111122223333";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/mrk-11111111111111111111111111111111";
const RELATED: &str = "arn:aws:kms:eu-west-1:111122223333:key/mrk-11111111111111111111111111111111";

const HEAD: &str = "\
# Operations

What the engine knows of every operation of KMS. A test makes the table by asking the engine, and
keeps it current. The clauses are those of [semantics.md](semantics.md).

- *Permissions*: each is asked, and all must be allowed (K17). *No resource* is decided by IAM
  alone (E16).
- *Other accounts*: whether a permission on a key of another account counts (E0).
- *Condition keys*: those of KMS and of tags that the request supplies (X4), besides the keys in
  the lists above the table.
- *Grant*: whether a grant can allow it (G1).
- *States*, *usages* and *origins*: what the key must be once the policies allow (K11, K12, K14,
  K20); for UpdateAlias, the new key.
";

/// A primary key with its replica, both of this kind, a grant on each and an alias.
fn world(spec: KeySpec, usage: KeyUsage, origin: KeyOrigin, state: KeyState) -> Snapshot {
    let mut builder = Snapshot::builder();
    builder.other_memberships(Known::Known(None)).knows_all_keys();
    let account = ACCOUNT.parse().unwrap();
    builder.account(account, Known::Known(()));
    let kinds = [(KEY, MultiRegionKeyType::Primary), (RELATED, MultiRegionKeyType::Replica)];
    for (arn, kind) in kinds {
        let arn = key_arn(arn);
        let root = PrincipalArn::root("aws", account);
        let grant = Grant {
            id: "grant".parse().unwrap(),
            name: None,
            key: arn.clone(),
            grantee: GrantPrincipal::Principal(root),
            retiring: None,
            operations: [Action::DescribeKey].into_iter().collect(),
            constraints: GrantConstraints::default(),
            issuing_account: None,
            creation_date: None,
            visibility: GrantVisibility::Propagated,
        };
        let named = vec![("alias/key".parse().unwrap(), arn.id().clone())];
        builder.aliases(account, arn.region().clone(), Known::Known(named));
        let multi_region = Some(kind);
        let key = Key { spec, usage, origin, state, multi_region, ..Key::symmetric(arn) };
        builder
            .key(KeyEntry {
                key,
                policies: [slot(&delegates(ACCOUNT, "kms:*"), PolicyKind::Key)].into(),
                grants: Known::Known(vec![grant].into()),
                tags: Known::Known([].into()),
                aliases: Known::Known(Vec::new().into()),
            })
            .unwrap();
    }
    builder.build()
}

/// The operation's name: one that needs two actions has its own.
fn operation(action: Action) -> &'static str {
    match action {
        Action::ReEncryptFrom | Action::ReEncryptTo => "ReEncrypt",
        other => other.name(),
    }
}

fn ask(action: Action, world: &Snapshot, tagged: bool) -> PreflightAnswer {
    let some = |text: &str| Some(text.to_owned());
    let mut words = RequestWords { operation: some(operation(action)), ..Default::default() };
    let spec = world.key(&key_arn(KEY)).unwrap().key.spec;
    let algorithm = spec
        .encryption_algorithms()
        .first()
        .copied()
        .unwrap_or(EncryptionAlgorithm::SymmetricDefault);
    match action {
        Action::ReEncryptFrom => {
            words.source_key_id = some(KEY);
            words.destination_key_id = some(KEY);
            words.source_encryption_algorithm = some(algorithm.as_str());
            words.destination_encryption_algorithm = some(algorithm.as_str());
        }
        Action::CreateAlias | Action::UpdateAlias => {
            let moved = action == Action::UpdateAlias;
            words.alias_name = some(if moved { "alias/key" } else { "alias/new" });
            words.target_key_id = some(KEY);
        }
        Action::DeleteAlias => words.alias_name = some("alias/key"),
        _ if action.resource_kind() == ResourceKind::Any => {}
        _ => words.key_id = some(KEY),
    }
    match action {
        Action::Encrypt | Action::Decrypt => words.encryption_algorithm = some(algorithm.as_str()),
        Action::CreateGrant => {
            words.grantee_principal = Some(format!("arn:aws:iam::{ACCOUNT}:root"));
            words.operations = Some(vec!["DescribeKey".to_owned()]);
        }
        Action::RetireGrant => words.grant_id = some("grant"),
        Action::ReplicateKey => words.replica_region = some("ap-south-1"),
        Action::UpdatePrimaryRegion => words.primary_region = some("eu-west-1"),
        _ => {}
    }
    words.tagged = tagged;
    let caller = Caller {
        context: ContextMap::new().complete(),
        ..Caller::new(CallerPrincipal::Root(PrincipalArn::root("aws", ACCOUNT.parse().unwrap())))
    };
    let question = Preflight {
        operation: words.operation().unwrap(),
        region: Some("us-east-1".parse().unwrap()),
        grant_tokens: Vec::new(),
        dry_run: false,
    };
    let answer = Authorizer::new(world).preflight(question, &caller);
    let answer = answer.unwrap_or_else(|error| panic!("{action}: {error}"));
    assert!(answer.decision().is_allow(), "{action}: {:?}", answer.sides);
    answer
}

fn symmetric(state: KeyState) -> Snapshot {
    world(KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt, KeyOrigin::AwsKms, state)
}

fn permissions(action: Action) -> String {
    let on = |answer: &PreflightAnswer| -> Vec<(Action, String)> {
        let sides = answer.sides.iter().map(|side| {
            let resource = match side.side {
                Side::Key => "the key",
                Side::Source => "the source key",
                Side::Destination => "the destination key",
                Side::Alias => "the alias",
                Side::Current if answer.operation == "UpdatePrimaryRegion" => "the primary key",
                Side::Current => "the alias's key",
                Side::Target if answer.operation == "UpdatePrimaryRegion" => "the new primary key",
                Side::Target => "the new key",
                Side::Account => "no resource",
            };
            (side.action, resource.to_owned())
        });
        sides.collect()
    };
    let enabled = symmetric(KeyState::Enabled);
    let plain = on(&ask(action, &enabled, false));
    let mut texts: Vec<String> = Vec::new();
    let mut actions: Vec<Action> = plain.iter().map(|(action, _)| *action).collect();
    actions.dedup();
    for action in actions {
        let resources: Vec<&str> =
            plain.iter().filter(|one| one.0 == action).map(|one| one.1.as_str()).collect();
        texts.push(format!("`{action}` on {}", resources.join(" and ")));
    }
    if matches!(action, Action::CreateKey | Action::ReplicateKey) {
        for (action, resource) in on(&ask(action, &enabled, true)).split_off(plain.len()) {
            texts.push(format!("with tags `{action}` on {resource}"));
        }
    }
    texts.join("; ")
}

fn states(action: Action) -> String {
    let (spec, usage, origin, _) = fitting(action);
    let working: Vec<&str> = KeyState::ALL
        .iter()
        .filter(|state| works(action, spec, usage, origin, **state))
        .map(|state| state.as_str())
        .collect();
    let all = working.len() == KeyState::ALL.len();
    if all {
        return "all".to_owned();
    }
    if working.len() > KeyState::ALL.len() / 2 {
        let failing = KeyState::ALL.iter().map(|state| state.as_str());
        let failing: Vec<&str> = failing.filter(|state| !working.contains(state)).collect();
        return format!("all but {}", failing.join(", "));
    }
    working.join(", ")
}

/// What an operation can be done with, and a state in which it can: CancelKeyDeletion alone needs
/// another than `Enabled`.
fn fitting(action: Action) -> (KeySpec, KeyUsage, KeyOrigin, KeyState) {
    for origin in KeyOrigin::ALL {
        for spec in KeySpec::ALL {
            for usage in spec.key_usages() {
                for state in [KeyState::Enabled, KeyState::PendingDeletion] {
                    if works(action, *spec, *usage, *origin, state) {
                        return (*spec, *usage, *origin, state);
                    }
                }
            }
        }
    }
    panic!("{action} can be done with no key");
}

fn works(
    action: Action,
    spec: KeySpec,
    usage: KeyUsage,
    origin: KeyOrigin,
    state: KeyState,
) -> bool {
    ask(action, &world(spec, usage, origin, state), false).fault.is_none()
}

fn usages(action: Action) -> String {
    let (_, _, origin, state) = fitting(action);
    let mut texts = Vec::new();
    let mut any = true;
    for usage in KeyUsage::ALL {
        let of_usage = KeySpec::ALL.iter().filter(|spec| spec.key_usages().contains(usage));
        let (fitting, others): (Vec<KeySpec>, Vec<KeySpec>) =
            of_usage.partition(|spec| works(action, **spec, *usage, origin, state));
        any &= others.is_empty();
        match (fitting.as_slice(), others.as_slice()) {
            ([], _) => {}
            (_, []) => texts.push(format!("`{usage}`")),
            ([only], _) => texts.push(format!("`{usage}` with `{only}`")),
            (_, [only]) => texts.push(format!("`{usage}` but `{only}`")),
            _ => texts.push(format!("`{usage}` with {fitting:?}")),
        }
    }
    if any { "any".to_owned() } else { texts.join(", ") }
}

fn origins(action: Action) -> String {
    let (spec, usage, _, state) = fitting(action);
    let fitting: Vec<String> = KeyOrigin::ALL
        .iter()
        .filter(|origin| works(action, spec, usage, **origin, state))
        .map(|origin| format!("`{origin}`"))
        .collect();
    if fitting.len() == KeyOrigin::ALL.len() { "any".to_owned() } else { fitting.join(", ") }
}

/// The keys that every request can supply, and those that every request on a key can.
fn common() -> [Vec<KnownKey>; 2] {
    let by = |actions: &[Action]| -> Vec<KnownKey> {
        let all = KnownKey::ALL.iter().copied();
        all.filter(|key| actions.iter().all(|action| supplies(*action, *key))).collect()
    };
    let on_keys: Vec<Action> = Action::ALL
        .iter()
        .copied()
        .filter(|action| action.resource_kind() != ResourceKind::Any)
        .collect();
    let everywhere = by(Action::ALL);
    let on_keys = by(&on_keys).into_iter().filter(|key| !everywhere.contains(key)).collect();
    [everywhere, on_keys]
}

fn listed(keys: impl IntoIterator<Item = KnownKey>) -> String {
    let texts = keys.into_iter().map(|key| match key.as_str() {
        family if family.ends_with(['/', ':']) => format!("`{family}…`"),
        name => format!("`{name}`"),
    });
    texts.collect::<Vec<_>>().join(", ")
}

fn own_keys(action: Action) -> String {
    let [everywhere, on_keys] = common();
    let known = |key: &&KnownKey| {
        everywhere.contains(key)
            || (action.resource_kind() != ResourceKind::Any && on_keys.contains(key))
    };
    let own: Vec<KnownKey> = KnownKey::ALL
        .iter()
        .filter(|key| supplies(action, **key) && !known(key))
        .copied()
        .collect();
    if own.is_empty() { "–".to_owned() } else { listed(own) }
}

fn rows() -> String {
    let mut rows = String::new();
    for action in Action::ALL.iter().filter(|action| **action != Action::ReEncryptTo) {
        let without_key = action.resource_kind() == ResourceKind::Any;
        let yes = |yes: bool| if yes { "yes" } else { "no" };
        let [across, grant] =
            [action.works_across_accounts(), GrantOperation::ALL.contains(action)].map(yes);
        let key = match without_key {
            true => ["–", "–", "–", "–", "–"].map(str::to_owned),
            false => {
                let [across, grant] = [across, grant].map(str::to_owned);
                [across, grant, states(*action), usages(*action), origins(*action)]
            }
        };
        let [across, grant, states, usages, origins] = key;
        writeln!(
            rows,
            "| {} | {} | {across} | {} | {grant} | {states} | {usages} | {origins} |",
            operation(*action),
            permissions(*action),
            own_keys(*action),
        )
        .unwrap();
    }
    rows
}

#[test]
fn the_table_of_operations_is_current() {
    let [from, to] = [Action::ReEncryptFrom, Action::ReEncryptTo];
    assert!(KnownKey::ALL.iter().all(|key| supplies(from, *key) == supplies(to, *key)));
    let [everywhere, on_keys] = common();
    let text = format!(
        "{HEAD}\n\
         Every request can supply the global keys: {}.\n\n\
         Every request on a key supplies besides: {}. X7 says which policies see the key's aliases\n\
         and tags.\n\n\
         | operation | permissions | other accounts | condition keys | grant | states | usages | origins |\n\
         |---|---|---|---|---|---|---|---|\n{}\n\
         `SynchronizeMultiRegionKey` is no operation of the API: KMS itself needs the permission,\n\
         for its service-linked role.\n",
        listed(everywhere),
        listed(on_keys),
        rows(),
    );
    hold_current("docs/operations.md", &text);
}
