//! What would have to change: each layer, whose hands it takes, and that nothing else is allowed.

mod widening;

use keyproof::authorize::{
    Authorizer, Preflight, PreflightAnswer, PreflightKey, PreflightOperation, Side,
};
use keyproof::compile::{Caller, PolicySlot, SessionPolicies, Snapshot};
use keyproof::model::{
    Action, CallerPrincipal, ContextMap, ContextValue, Decision, EncryptionAlgorithm,
    EncryptionContext, Key, KeyManager, KeyState, PolicyKind,
};
use keyproof::remedy::{
    Addition, Document, Elsewhere, Fix, Obstacle, Owner, Place, Remedies, apply, remedies,
};
use keyproof::report::{Style, explanation, explanation_json};
use keyproof::syntax;
use serde_json::{Value, json};

use crate::world::{
    APP, DESTINATION, SOURCE, World, allows, app, delegates, key_arn, named, region, slot,
};

const A: &str = "111122223333";
const NOTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;

fn key(arn: &str, pairs: &[(&str, &str)]) -> PreflightKey {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    PreflightKey {
        name: arn.parse().unwrap(),
        context: pairs.iter().map(pair).collect::<EncryptionContext>(),
        algorithm: EncryptionAlgorithm::SymmetricDefault,
    }
}

fn about(operation: PreflightOperation) -> Preflight {
    Preflight { operation, region: Some(region()), grant_tokens: Vec::new(), dry_run: false }
}

fn asks(action: Action, arn: &str, pairs: &[(&str, &str)]) -> Preflight {
    about(PreflightOperation::Action { action, key: key(arn, pairs) })
}

fn decided(snapshot: &Snapshot, caller: &Caller, question: &Preflight) -> PreflightAnswer {
    Authorizer::new(snapshot).preflight(question.clone(), caller).unwrap()
}

fn advised(snapshot: &Snapshot, caller: &Caller, question: &Preflight) -> Remedies {
    remedies(snapshot, caller, question, &decided(snapshot, caller, question))
}

/// The additions for a question with one side, decided once more from outside.
fn additions(snapshot: &Snapshot, caller: &Caller, question: &Preflight) -> Vec<Addition> {
    let mut found = advised(snapshot, caller, question);
    let Fix::Add(additions) = found.sides.remove(0).fix else { panic!("no fix: {found:?}") };
    let all: Vec<&Addition> = additions.iter().collect();
    let is_allowed = |additions: &[&Addition]| {
        let (changed, caller) = apply(snapshot, caller, additions).unwrap();
        decided(&changed, &caller, question).decision().is_allow()
    };
    assert!(is_allowed(&all));
    for left_out in 0..all.len() {
        let mut fewer = all.clone();
        fewer.remove(left_out);
        assert!(!is_allowed(&fewer));
    }
    additions
}

fn statement(addition: &Addition) -> Value {
    serde_json::from_str(&syntax::print_statement(&addition.statement)).unwrap()
}

fn only(additions: &[Addition]) -> &Addition {
    assert_eq!(additions.len(), 1, "{additions:?}");
    &additions[0]
}

fn user(arn: &str) -> Caller {
    Caller { principal: CallerPrincipal::User { arn: arn.parse().unwrap(), id: None }, ..app() }
}

fn alice() -> Caller {
    user("arn:aws:iam::111122223333:user/alice")
}

#[test]
fn delegation_leaves_the_fix_to_the_callers_own_policies() {
    let world = World::new().key(SOURCE, &delegates(A, "kms:*")).role(APP, NOTHING);
    let found =
        additions(&world.snapshot(), &app(), &asks(Action::Decrypt, SOURCE, &[("tenant", "blue")]));
    let one = only(&found);
    assert_eq!(one.place, Place::Identity(APP.parse().unwrap()));
    assert!(
        matches!(&one.document, Document::Further { name, .. } if &**name == "a further inline policy of role app")
    );
    assert_eq!((&one.owner, one.elsewhere), (&Owner::Account(A.parse().unwrap()), None));
    assert_eq!(
        statement(one),
        json!({
            "Sid": "AllowDecrypt", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": SOURCE,
            "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": "blue"}}
        })
    );
}

#[test]
fn an_inline_policy_takes_the_statement_and_managed_policies_do_not() {
    let taken = r#"{"Version":"2012-10-17","Statement":{"Sid":"AllowDescribeKey","Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let policy = |name: &str, file: &str| named(taken, PolicyKind::Identity, name, file);
    let policies = vec![
        policy("managed policy m of role app", "m.json"),
        policy("inline policy i of group app", "g.json"),
        policy("inline policy i of role app", "i.json"),
    ];
    let world = World::new().key(SOURCE, &delegates(A, "kms:*")).entity(APP, policies, None);
    let found = additions(&world.snapshot(), &app(), &asks(Action::DescribeKey, SOURCE, &[]));
    let Document::Existing(document) = &only(&found).document else { panic!("{found:?}") };
    assert_eq!(&*document.source.file, "i.json");
    // The name that the document has already is not given twice.
    assert_eq!(
        statement(&found[0]),
        json!({"Sid": "AllowDescribeKey2", "Effect": "Allow", "Action": "kms:DescribeKey", "Resource": SOURCE})
    );
}

#[test]
fn without_delegation_the_key_policy_names_the_role_or_the_user() {
    let policy = delegates("444455556666", "kms:*");
    for (caller, name) in [(app(), APP), (alice(), "arn:aws:iam::111122223333:user/alice")] {
        let world = World::new().key(SOURCE, &policy).entity(name, Vec::new(), None);
        let found = additions(&world.snapshot(), &caller, &asks(Action::DescribeKey, SOURCE, &[]));
        assert_eq!(only(&found).place, Place::KeyPolicy(key_arn(SOURCE)));
        assert_eq!(
            statement(&found[0]),
            json!({
                "Sid": "AllowDescribeKey", "Effect": "Allow", "Principal": {"AWS": name},
                "Action": "kms:DescribeKey", "Resource": "*"
            })
        );
    }
}

#[test]
fn across_accounts_what_is_missing_is_told_with_the_account_it_is_missing_in() {
    let own = delegates("444455556666", "kms:*");
    let question = asks(Action::Decrypt, DESTINATION, &[]);
    let snapshot = World::new().key(DESTINATION, &own).role(APP, NOTHING).snapshot();
    let both = additions(&snapshot, &app(), &question);
    let places: Vec<_> = both.iter().map(|one| (one.place.as_str(), one.elsewhere)).collect();
    assert_eq!(
        places,
        [("identity", Some(Elsewhere::NotKeys)), ("key-policy", Some(Elsewhere::NotCallers))]
    );
    assert_eq!(both[1].owner, Owner::Account("444455556666".parse().unwrap()));
    let snapshot = World::new().key(DESTINATION, &own).role(APP, &allows("kms:*")).snapshot();
    assert_eq!(only(&additions(&snapshot, &app(), &question)).place.as_str(), "key-policy");
    let given = delegates(A, "kms:*");
    let snapshot = World::new().key(DESTINATION, &given).role(APP, NOTHING).snapshot();
    assert_eq!(only(&additions(&snapshot, &app(), &question)).place.as_str(), "identity");
}

#[test]
fn a_boundary_gets_a_statement_for_this_role_alone() {
    let boundary = slot(NOTHING, PolicyKind::Boundary);
    let policies = vec![slot(&allows("kms:*"), PolicyKind::Identity)];
    let world =
        World::new().key(SOURCE, &delegates(A, "kms:*")).entity(APP, policies, Some(boundary));
    let found = additions(&world.snapshot(), &app(), &asks(Action::DescribeKey, SOURCE, &[]));
    assert_eq!(only(&found).place, Place::Boundary(APP.parse().unwrap()));
    assert_eq!(
        statement(&found[0])["Condition"],
        json!({"StringEquals": {"aws:PrincipalArn": APP}})
    );
}

#[test]
fn one_statement_in_one_document_comes_before_two() {
    // Naming a user is not limited by a boundary, so the key policy alone does.
    let world = World::new().key(SOURCE, &delegates(A, "kms:*")).entity(
        "arn:aws:iam::111122223333:user/alice",
        Vec::new(),
        Some(slot(NOTHING, PolicyKind::Boundary)),
    );
    let found = additions(&world.snapshot(), &alice(), &asks(Action::DescribeKey, SOURCE, &[]));
    assert_eq!(only(&found).place.as_str(), "key-policy");
}

#[test]
fn session_policies_are_passed_by_whoever_makes_the_session() {
    let world = World::new().key(SOURCE, &delegates(A, "kms:*")).role(APP, &allows("kms:*"));
    let snapshot = world.snapshot();
    let session_policies = SessionPolicies::Some(vec![slot(NOTHING, PolicyKind::Session)]);
    let caller = Caller { session_policies, ..app() };
    let found = additions(&snapshot, &caller, &asks(Action::DescribeKey, SOURCE, &[]));
    assert_eq!((&only(&found).place, &found[0].owner), (&Place::Session, &Owner::SessionMaker));
}

#[test]
fn a_federated_session_needs_a_session_policy() {
    let principal = CallerPrincipal::FederatedUser {
        arn: "arn:aws:sts::111122223333:federated-user/fred".parse().unwrap(),
        user: "arn:aws:iam::111122223333:user/alice".parse().unwrap(),
    };
    let caller = Caller { principal, ..app() };
    let alice = "arn:aws:iam::111122223333:user/alice";
    let policies = vec![slot(&allows("kms:*"), PolicyKind::Identity)];
    let world = World::new().key(SOURCE, &delegates(A, "kms:*")).entity(alice, policies, None);
    let found = additions(&world.snapshot(), &caller, &asks(Action::DescribeKey, SOURCE, &[]));
    assert_eq!(only(&found).place, Place::Session);
    assert!(matches!(found[0].document, Document::Further { .. }));
}

#[test]
fn only_the_level_of_scps_that_lacks_an_allow_gets_one() {
    let full = |file: &str| named(&allows("*"), PolicyKind::ServiceControl, "SCP full", file);
    let list = named(NOTHING, PolicyKind::ServiceControl, "SCP list", "list.json");
    let question = asks(Action::DescribeKey, SOURCE, &[]);
    let world = |unit: Vec<PolicySlot>| {
        World::new()
            .key(SOURCE, &delegates(A, "kms:*"))
            .role(APP, &allows("kms:*"))
            .levels(A, "o-example/r-1/ou-2/", vec![vec![full("a")], unit, vec![full("b")]])
            .snapshot()
    };
    let found = additions(&world(vec![list]), &app(), &question);
    let level = only(&found).level.as_ref().unwrap();
    assert_eq!((level.index, level.of, level.target.as_deref()), (1, 3, Some("ou-2")));
    assert_eq!(found[0].owner, Owner::Organization("o-example".into()));
    assert!(
        matches!(&found[0].document, Document::Existing(policy) if &*policy.name == "SCP list")
    );
    assert_eq!(
        statement(&found[0])["Condition"],
        json!({"StringEquals": {"aws:PrincipalArn": APP}})
    );
    // A level without any SCP gets one.
    let found = additions(&world(Vec::new()), &app(), &question);
    assert!(matches!(only(&found).document, Document::Further { .. }));
}

#[test]
fn an_scp_attached_twice_is_changed_once() {
    let list = || named(NOTHING, PolicyKind::ServiceControl, "SCP list", "list.json");
    let world = World::new()
        .key(SOURCE, &delegates(A, "kms:*"))
        .role(APP, &allows("kms:*"))
        .levels(A, "", vec![vec![list()], vec![list()]]);
    let found = additions(&world.snapshot(), &app(), &asks(Action::DescribeKey, SOURCE, &[]));
    assert_eq!(only(&found).level.as_ref().unwrap().target, None);
}

#[test]
fn an_endpoint_gets_a_statement_that_names_the_caller() {
    let nobody = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}}"#;
    let snapshot = World::new()
        .key(SOURCE, &delegates(A, "kms:*"))
        .role(APP, &allows("kms:*"))
        .endpoint("vpce-1", nobody)
        .snapshot();
    let mut caller = app();
    caller.context.set("aws:SourceVpce", ContextValue::One("vpce-1".into()));
    let question = asks(Action::DescribeKey, SOURCE, &[]);
    let found = additions(&snapshot, &caller, &question);
    assert_eq!(
        (&only(&found).place, &found[0].owner),
        (&Place::Endpoint("vpce-1".into()), &Owner::Endpoint)
    );
    assert_eq!(statement(&found[0])["Principal"], json!({"AWS": APP}));
    assert_eq!(statement(&found[0])["Resource"], json!(SOURCE));
    caller.context.set("aws:VpceAccount", ContextValue::One("999999999999".into()));
    let found = additions(&snapshot, &caller, &question);
    assert_eq!(found[0].elsewhere, Some(Elsewhere::NotCallers));
}

#[test]
fn a_service_is_allowed_for_the_resource_it_works_for() {
    let mut context = ContextMap::new().complete();
    context
        .set("aws:SourceArn", ContextValue::One("arn:aws:logs:eu-central-1:111122223333:*".into()));
    context.set("aws:SourceAccount", ContextValue::One(A.into()));
    let principal = CallerPrincipal::Service { names: vec!["logs.amazonaws.com".parse().unwrap()] };
    let caller = Caller { principal, context, session_policies: SessionPolicies::None };
    let snapshot = World::new().key(SOURCE, &delegates(A, "kms:*")).snapshot();
    let found = additions(&snapshot, &caller, &asks(Action::Decrypt, SOURCE, &[]));
    let one = statement(only(&found));
    assert_eq!(one["Principal"], json!({"Service": "logs.amazonaws.com"}));
    assert_eq!(
        one["Condition"]["StringEquals"],
        json!({"aws:SourceAccount": A, "aws:SourceArn": "arn:aws:logs:eu-central-1:111122223333:*"})
    );
}

#[test]
fn a_root_user_is_not_given_as_its_account() {
    let principal = CallerPrincipal::Root("arn:aws:iam::111122223333:root".parse().unwrap());
    let caller = Caller { principal, ..app() };
    let snapshot = World::new()
        .key(SOURCE, &delegates("444455556666", "kms:*"))
        .role(APP, &allows("kms:*"))
        .snapshot();
    let question = asks(Action::DescribeKey, SOURCE, &[]);
    let found = additions(&snapshot, &caller, &question);
    let root = "arn:aws:iam::111122223333:root";
    assert_eq!(statement(only(&found))["Principal"], json!({"AWS": root}));
    let (changed, _) = apply(&snapshot, &caller, &[&found[0]]).unwrap();
    assert_eq!(decided(&changed, &app(), &question).decision(), Decision::ImplicitDeny);
}

#[test]
fn a_value_that_looks_like_a_variable_stays_a_value() {
    for (version, written) in
        [("2012-10-17", "${$}{aws:username}"), ("2008-10-17", "${aws:username}")]
    {
        let policy = delegates("444455556666", "kms:*").replace("2012-10-17", version);
        let snapshot = World::new().key(SOURCE, &policy).role(APP, NOTHING).snapshot();
        let question = asks(Action::Decrypt, SOURCE, &[("owner", "${aws:username}")]);
        let found = additions(&snapshot, &app(), &question);
        let condition = &statement(only(&found))["Condition"]["StringEquals"];
        assert_eq!(condition["kms:EncryptionContext:owner"], json!(written));
        let (changed, caller) = apply(&snapshot, &app(), &[&found[0]]).unwrap();
        for other in [&[("owner", "app")][..], &[]] {
            let other = asks(Action::Decrypt, SOURCE, other);
            assert_eq!(decided(&changed, &caller, &other).decision(), Decision::ImplicitDeny);
        }
    }
}

#[test]
fn an_explicit_deny_is_told_with_the_condition_that_made_it_apply() {
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"},
        {"Sid":"Tenant","Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*",
         "Condition":{"Bool":{"aws:SecureTransport":"true"},"StringNotEquals":{"kms:EncryptionContext:tenant":["blue","green"]}}}]}"#;
    let question = asks(Action::Decrypt, SOURCE, &[("tenant", "red")]);
    for (identity, expected) in
        [(allows("kms:*"), Decision::Allow), (NOTHING.to_owned(), Decision::ImplicitDeny)]
    {
        let snapshot = World::new().key(SOURCE, policy).role(APP, &identity).snapshot();
        let found = advised(&snapshot, &app(), &question);
        assert!(found.fixed.is_none() && found.sides[0].or_request.is_empty());
        let Fix::Denied { denials, otherwise } = &found.sides[0].fix else { panic!("{found:?}") };
        assert_eq!(*otherwise, expected);
        assert_eq!(denials.len(), 1);
        assert_eq!(denials[0].finding.statement().unwrap().sid.as_deref(), Some("Tenant"));
        assert_eq!(denials[0].owner, Owner::Account(A.parse().unwrap()));
        let condition = &denials[0].conditions[1];
        assert_eq!(condition.key.as_str(), "kms:EncryptionContext:tenant");
        assert_eq!(condition.values, ["blue", "green"]);
        assert_eq!(condition.found.as_deref(), Some(&["red".to_owned()][..]));
    }
}

#[test]
fn a_condition_that_alone_is_not_met_is_told() {
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Sid":"Blue","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/app"},"Action":"kms:Decrypt","Resource":"*",
         "Condition":{"StringEquals":{"kms:EncryptionContext:tenant":"blue"}}},
        {"Sid":"Others","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/other"},"Action":"kms:Decrypt","Resource":"*",
         "Condition":{"StringEquals":{"kms:EncryptionContext:tenant":"blue"}}}]}"#;
    let snapshot = World::new().key(SOURCE, policy).role(APP, NOTHING).snapshot();
    let found = advised(&snapshot, &app(), &asks(Action::Decrypt, SOURCE, &[("tenant", "red")]));
    let [instead] = found.sides[0].or_request.as_slice() else { panic!("{found:?}") };
    assert_eq!(instead.finding.index, 0);
    assert_eq!(instead.conditions[0].values, ["blue"]);
}

#[test]
fn what_is_not_known_allows_no_promise() {
    let question = asks(Action::DescribeKey, SOURCE, &[]);
    // The key lacks an allow, and whether an endpoint is in between is not stated.
    let snapshot =
        World::new().key(SOURCE, &delegates("444455556666", "kms:*")).role(APP, NOTHING).snapshot();
    let caller = Caller { context: ContextMap::new(), ..app() };
    let found = advised(&snapshot, &caller, &question);
    let Fix::Nothing(Obstacle::Unknown(unknown)) = &found.sides[0].fix else { panic!("{found:?}") };
    assert!(unknown[0].reason.contains("aws:SourceVpce"), "{unknown:?}");
    assert!(found.fixed.is_none());
    // A policy that cannot be read makes the side undetermined: nothing is said of it.
    let slots = vec![PolicySlot::Unreadable { name: "p".into(), reason: "lost".into() }];
    let world = World::new().key(SOURCE, &delegates(A, "kms:*")).entity(APP, slots, None);
    let found = advised(&world.snapshot(), &app(), &question);
    assert!(found.sides.is_empty());
    // One that may deny leaves no sure fix.
    let slots = vec![PolicySlot::Unreadable { name: "p".into(), reason: "lost".into() }];
    let key = delegates("444455556666", "kms:*");
    let snapshot = World::new().key(SOURCE, &key).entity(APP, slots, None).snapshot();
    let found = advised(&snapshot, &app(), &question);
    assert!(matches!(found.sides[0].fix, Fix::Nothing(Obstacle::Unknown(_))), "{found:?}");
}

#[test]
fn where_no_statement_helps_none_is_proposed() {
    let role = |world: World| world.role(APP, NOTHING).snapshot();
    let snapshot = role(World::new().key(DESTINATION, &delegates(A, "kms:*")));
    let found = advised(&snapshot, &app(), &asks(Action::PutKeyPolicy, DESTINATION, &[]));
    assert!(matches!(found.sides[0].fix, Fix::Nothing(Obstacle::Service)), "{found:?}");
    // Nobody changes the policy of an AWS managed key.
    let mut managed = Key::symmetric(key_arn(SOURCE));
    managed.manager = KeyManager::Aws;
    let policy = delegates("444455556666", "kms:*");
    let snapshot = role(World::new().key_with(managed, &policy, Vec::new()));
    let found = advised(&snapshot, &app(), &asks(Action::DescribeKey, SOURCE, &[]));
    assert!(matches!(found.sides[0].fix, Fix::Nothing(Obstacle::Unreachable)), "{found:?}");
}

#[test]
fn each_side_has_its_own_fix_and_the_whole_is_decided_again() {
    let mut disabled = Key::symmetric(key_arn(DESTINATION));
    disabled.state = KeyState::Disabled;
    let question = about(PreflightOperation::ReEncrypt {
        source: key(SOURCE, &[("tenant", "blue")]),
        destination: key(DESTINATION, &[]),
    });
    for (state, outcome) in
        [(KeyState::Enabled, "allow"), (KeyState::Disabled, "DisabledException")]
    {
        disabled.state = state;
        let snapshot = World::new()
            .key(SOURCE, &delegates(A, "kms:*"))
            .key_with(disabled.clone(), &delegates("444455556666", "kms:*"), Vec::new())
            .role(APP, NOTHING)
            .snapshot();
        let found = advised(&snapshot, &app(), &question);
        let counts: Vec<usize> = found
            .sides
            .iter()
            .map(|side| match &side.fix {
                Fix::Add(additions) => additions.len(),
                _ => 0,
            })
            .collect();
        assert_eq!(counts, [1, 2]);
        assert_eq!(found.fixed.unwrap().outcome(), outcome);
    }
}

#[test]
fn permissions_of_one_operation_go_into_one_document() {
    let inline = named(NOTHING, PolicyKind::Identity, "inline policy i of role app", "i.json");
    let snapshot = World::new()
        .key(SOURCE, &delegates(A, "kms:*"))
        .alias("alias/orders", SOURCE)
        .entity(APP, vec![inline], None)
        .snapshot();
    let alias = "alias/orders".parse().unwrap();
    let found = advised(&snapshot, &app(), &about(PreflightOperation::DeleteAlias { alias }));
    let fixed = found.fixed.as_ref().unwrap();
    assert_eq!((found.sides.len(), fixed.outcome()), (2, "allow"));
    assert_eq!(fixed.sides[0].side, Side::Alias);
    let sids: Vec<Value> = found
        .sides
        .iter()
        .map(|side| match &side.fix {
            Fix::Add(additions) => statement(only(additions))["Sid"].clone(),
            _ => Value::Null,
        })
        .collect();
    assert_eq!(sids, ["AllowDeleteAliasAlias", "AllowDeleteAliasCurrent"]);
}

/// The lines and the JSON of the remedies for a question.
fn told(snapshot: &Snapshot, caller: &Caller, question: &Preflight) -> (String, Value) {
    let answer = decided(snapshot, caller, question);
    let found = remedies(snapshot, caller, question, &answer);
    let mut out = Vec::new();
    explanation(&mut out, &answer, &found, snapshot.readings(), Style::Plain).unwrap();
    let json = explanation_json(&answer, &caller.principal, snapshot.readings(), &found);
    (String::from_utf8(out).unwrap(), json["remedies"][0].clone())
}

#[test]
fn texts_tell_what_to_change_where_and_who() {
    let scp = named(NOTHING, PolicyKind::ServiceControl, "SCP list", "list.json");
    let question = asks(Action::Decrypt, SOURCE, &[("tenant", "red")]);
    let snapshot = World::new()
        .key(SOURCE, &delegates(A, "kms:*"))
        .role(APP, &allows("kms:*"))
        .levels(
            A,
            "o-example/r-1/",
            vec![vec![scp], vec![slot(&allows("*"), PolicyKind::ServiceControl)]],
        )
        .snapshot();
    let (text, json) = told(&snapshot, &app(), &question);
    let line = "  smallest fix: add to SCP list (list.json), attached to r-1, in organization o-example (its management account must change it):\n";
    assert!(text.contains(line), "{text}");
    assert_eq!((&json["fix"], &json["additions"][0]["attached"]), (&json!("add"), &json!("r-1")));

    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Sid":"Blue","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/app"},"Action":"kms:Decrypt","Resource":"*",
         "Condition":{"StringEquals":{"kms:EncryptionContext:tenant":"blue"}}}]}"#;
    let snapshot = World::new().key(SOURCE, policy).role(APP, NOTHING).snapshot();
    let (text, json) = told(&snapshot, &app(), &question);
    let lines = "  or change the request: key policy, statement 1 `Blue` (policy.json:2:9) allows it if\n    this holds: StringEquals kms:EncryptionContext:tenant `blue` (request: `red`)\n";
    assert!(text.contains(lines), "{text}");
    assert_eq!(json["or-request"][0]["conditions"][0]["request"], json!(["red"]));

    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*"}}"#;
    let snapshot = World::new().key(SOURCE, policy).role(APP, NOTHING).snapshot();
    let (text, json) = told(&snapshot, &app(), &question);
    for line in [
        "    key policy, statement 1 (policy.json:1:37), in account 111122223333\n",
        "      it has no condition that another request could fail\n",
        "    without it the answer would be implicit-deny\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    assert_eq!((&json["fix"], &json["otherwise"]), (&json!("denied"), &json!("implicit-deny")));
    assert_eq!(json["denials"][0]["account"], json!(A));

    let (text, json) = told(&snapshot, &app(), &asks(Action::PutKeyPolicy, SOURCE, &[]));
    assert!(text.contains("nothing that is added helps"), "{text}");
    assert_eq!(json["fix"], json!("denied"));
    let snapshot =
        World::new().key(DESTINATION, &delegates(A, "kms:*")).role(APP, NOTHING).snapshot();
    let (text, json) = told(&snapshot, &app(), &asks(Action::PutKeyPolicy, DESTINATION, &[]));
    assert!(text.contains("  no fix: KMS refuses this call whatever the policies say\n"), "{text}");
    assert_eq!((&json["fix"], &json["obstacle"]), (&json!("none"), &json!("service")));
}
