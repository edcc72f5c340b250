//! An account into a world folder.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use keyproof::authorize::{Authorizer, Preflight, PreflightKey, PreflightOperation};
use keyproof::collect::{self, CollectError, Collected, Pace, Place};
use keyproof::compile::{Epoch, PolicySlot};
use keyproof::model::{Action, Decision, EncryptionAlgorithm, EncryptionContext, Timestamp};
use serde_json::{Value, json};

use super::stub::{Asked, Reply, Stub, block_on, exception, ok};
use crate::world::{APP, SOURCE, app, delegates, key_arn, region};

const SECOND: &str =
    "arn:aws:kms:eu-central-1:111122223333:key/33333333-3333-4333-8333-333333333333";
const SHARED: &str =
    "arn:aws:kms:eu-central-1:444455556666:key/44444444-4444-4444-8444-444444444444";
const NOW: i64 = 1_780_000_000;

/// An account with two keys and one that is shared with it; two to a page.
fn account(asked: &Asked) -> Reply {
    let body = &asked.body;
    let key = body["KeyId"].as_str().unwrap_or_default();
    let marker = body["Marker"].as_str();
    match (asked.operation.as_str(), body["PolicyName"].as_str(), marker) {
        ("ListKeys", _, None) => ok(json!({
            "Keys": [{"KeyArn": SOURCE, "KeyId": "x"}, {"KeyArn": SECOND, "KeyId": "y"}],
            "Truncated": true, "NextMarker": "more",
        })),
        ("ListKeys", ..) => ok(json!({"Keys": [{"KeyArn": SHARED}], "Truncated": false})),
        ("ListAliases", _, None) => ok(json!({
            "Aliases": [{"AliasName": "alias/aws/s3"}], "Truncated": true, "NextMarker": "more",
        })),
        ("ListAliases", ..) => ok(json!({"Truncated": false, "Aliases": [{
            "AliasName": "alias/orders", "TargetKeyId": key_arn(SOURCE).id().as_str(),
            "AliasArn": "arn:aws:kms:eu-central-1:111122223333:alias/orders",
            "CreationDate": 1_700_000_000.5,
        }]})),
        ("DescribeKey", ..) => ok(json!({"KeyMetadata": {
            "KeyId": key_arn(key).id().as_str(), "Arn": key,
            "AWSAccountId": key_arn(key).account().as_str(), "CreationDate": 1_700_000_000.25,
            "KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled",
            "Origin": "AWS_KMS", "KeyManager": "CUSTOMER", "Enabled": true, "MultiRegion": false,
        }})),
        ("GetKeyPolicy", ..) if key == SHARED => exception("AccessDeniedException", "not yours"),
        ("GetKeyPolicy", Some("default"), _) => {
            ok(json!({"Policy": delegates("111122223333", "kms:*"), "PolicyName": "default"}))
        }
        ("GetKeyPolicy", ..) => exception("NotFoundException", "no such policy"),
        ("ListGrants", ..) if key == SHARED => exception("AccessDeniedException", "not yours"),
        ("ListGrants", ..) => ok(json!({"Truncated": false, "Grants": [{
            "KeyId": key, "GrantId": "a".repeat(64), "Operations": ["Decrypt", "RetireGrant"],
            "GranteePrincipal": APP, "CreationDate": 1_700_000_000,
            "Constraints": {"EncryptionContextEquals": {"tenant": "blue"}},
        }]})),
        ("ListResourceTags", ..) if key == SHARED => {
            exception("AccessDeniedException", "not yours")
        }
        ("ListResourceTags", ..) => {
            ok(json!({"Tags": [{"TagKey": "team", "TagValue": "x"}], "Truncated": false}))
        }
        ("GetKeyRotationStatus", ..) if key == SECOND => {
            exception("UnsupportedOperationException", "not rotated")
        }
        ("GetKeyRotationStatus", ..) => ok(json!({"KeyRotationEnabled": true})),
        other => panic!("{other:?}"),
    }
}

fn collect_as(
    stub: &Stub,
    world: &Path,
    identity: &str,
    now: i64,
) -> Result<Collected, CollectError> {
    let place = Place {
        world,
        account: "111122223333".parse().unwrap(),
        region: region(),
        identity: identity.into(),
        now: Timestamp::from_epoch_seconds(now),
    };
    let client = stub.clients().of(&region());
    let mut seen = Vec::new();
    let mut pace = Pace::per_second(1000);
    let ended =
        block_on(collect::collect(&client, &place, &mut pace, |progress| seen.push(progress)));
    if ended.is_ok() {
        let last = seen.last().unwrap();
        assert_eq!(last.done, last.of);
    }
    ended
}

fn collect_into(stub: &Stub, world: &Path) -> Result<Collected, CollectError> {
    collect_as(stub, world, "collector", NOW)
}

fn home(world: &Path) -> std::path::PathBuf {
    world.join("accounts/111122223333/regions/eu-central-1")
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn write_iam(world: &Path) {
    let iam = json!({
        "UserDetailList": [], "GroupDetailList": [], "Policies": [],
        "RoleDetailList": [{
            "RoleName": "app", "Arn": APP, "AttachedManagedPolicies": [], "RolePolicyList": [{
                "PolicyName": "all",
                "PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}},
            }],
        }],
    });
    let path = world.join("accounts/111122223333/iam.json");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, iam.to_string()).unwrap();
    std::fs::write(world.join("world.toml"), "[organization]\nnone = true\n").unwrap();
}

/// What the app may do with a key by a name, in the collected world.
fn decides(world: &Path, name: &str) -> (Decision, String) {
    let snapshot = keyproof::load::world(world).unwrap().snapshot(Epoch::new(0)).unwrap();
    let question = Preflight {
        operation: PreflightOperation::Action {
            action: Action::Decrypt,
            key: PreflightKey {
                name: name.parse().unwrap(),
                context: EncryptionContext::new(),
                algorithm: EncryptionAlgorithm::SymmetricDefault,
            },
        },
        region: Some(region()),
        grant_tokens: Vec::new(),
        dry_run: false,
    };
    let answer = Authorizer::new(&snapshot).preflight(question, &app()).unwrap();
    (answer.decision(), format!("{:?}", answer.sides[0].explanation.trace.unknown))
}

#[test]
fn a_collected_account_is_a_world() {
    let world = tempfile::tempdir().unwrap();
    let world = world.path();
    let stub = Stub::new(account);
    let collected = collect_into(&stub, world).unwrap();
    assert_eq!((collected.keys, collected.resumed), (3, 0));
    write_iam(world);
    let home = home(world);
    assert_eq!(files(&home), ["aliases.json", "collected.json", "keys"]);
    let first = home.join("keys").join(key_arn(SOURCE).id().as_str());
    assert_eq!(
        files(&first),
        ["grants.json", "key.json", "policy.json", "rotation.json", "tags.json"]
    );
    assert_eq!(
        read(&first.join("key.json"))["KeyMetadata"]["CreationDate"],
        json!("2023-11-14T22:13:20.25Z")
    );
    assert_eq!(read(&home.join("aliases.json"))["Aliases"].as_array().unwrap().len(), 2);
    assert_eq!(read(&home.join("collected.json"))["unknown"], json!([]));

    assert_eq!(decides(world, "alias/orders").0, Decision::Allow);
    let snapshot = keyproof::load::world(world).unwrap().snapshot(Epoch::new(0)).unwrap();
    let at = snapshot.read_at(&key_arn(SOURCE));
    assert_eq!(at, Some(Timestamp::from_epoch_seconds(NOW)));
    let entry = snapshot.key(&key_arn(SOURCE)).unwrap();
    assert_eq!(entry.policies.len(), 1, "a key that is not shared has one policy");
    assert_eq!(entry.grants.known().unwrap().len(), 1);
}

#[test]
fn what_cannot_be_read_is_unknown_with_its_reason() {
    let world = tempfile::tempdir().unwrap();
    let world = world.path();
    collect_into(&Stub::new(account), world).unwrap();
    write_iam(world);
    let (decision, unknown) = decides(world, SHARED);
    assert_eq!(decision, Decision::Undetermined);
    assert!(unknown.contains("AccessDeniedException: not yours"), "{unknown}");
    let shared = world.join("accounts/444455556666/regions/eu-central-1");
    assert_eq!(read(&shared.join("collected.json"))["shared"], json!(true));

    // A second policy that may be there is not taken for none.
    let stub = Stub::new(|asked| match asked.body["PolicyName"].as_str() {
        Some("AWS_RAM") => exception("AccessDeniedException", "not this one"),
        _ => account(asked),
    });
    let collected = collect_into(&stub, world).unwrap();
    assert!(collected.unread.iter().any(|one| one.item == "policy.AWS_RAM.json"));
    let snapshot = keyproof::load::world(world).unwrap().snapshot(Epoch::new(0)).unwrap();
    let policies = &snapshot.key(&key_arn(SOURCE)).unwrap().policies;
    assert!(
        matches!(&policies[1], PolicySlot::Unreadable { reason, .. } if reason.contains("not this one")),
        "{policies:?}"
    );

    // Grants that could be read once and cannot now are not those of then.
    let stub = Stub::new(|asked| match asked.operation.as_str() {
        "ListGrants" => exception("AccessDeniedException", "no more"),
        "DescribeKey" if asked.body["KeyId"] == SECOND => {
            exception("AccessDeniedException", "nor this")
        }
        _ => account(asked),
    });
    let collected = collect_into(&stub, world).unwrap();
    let items: Vec<&str> = collected.unread.iter().map(|one| one.item.as_str()).collect();
    assert!(items.contains(&"grants.json") && items.contains(&"key.json"), "{items:?}");
    let first = home(world).join("keys").join(key_arn(SOURCE).id().as_str());
    assert!(!first.join("grants.json").exists());
    assert!(!home(world).join("keys").join(key_arn(SECOND).id().as_str()).exists());
}

#[test]
fn an_interrupted_run_goes_on_and_no_world_is_read_meanwhile() {
    let world = tempfile::tempdir().unwrap();
    let world = world.path();
    write_iam(world);
    let expired = Arc::new(AtomicBool::new(true));
    let stop = Arc::clone(&expired);
    let stub = Stub::new(move |asked| {
        let is_second = asked.body["KeyId"] == SECOND;
        if stop.load(Ordering::Relaxed) && is_second && asked.operation == "ListGrants" {
            return Reply::Text(403, json!({"__type": "ExpiredTokenException"}).to_string());
        }
        account(asked)
    });
    let error = collect_into(&stub, world).unwrap_err();
    assert!(error.to_string().contains("ListGrants: ExpiredTokenException"), "{error}");
    let second = home(world).join("keys").join(key_arn(SECOND).id().as_str());
    assert!(!second.join("key.json").exists(), "a key is there when all of it is");
    let error = keyproof::load::world(world).unwrap_err();
    assert!(error.to_string().contains("has not ended"), "{error}");
    let error = collect_as(&stub, world, "somebody else", NOW).unwrap_err();
    assert!(matches!(error, CollectError::OtherRun { .. }), "{error}");

    expired.store(false, Ordering::Relaxed);
    let before = stub.count("DescribeKey");
    let collected = collect_as(&stub, world, "collector", NOW + 500).unwrap();
    assert_eq!((collected.keys, collected.resumed), (3, 1));
    assert_eq!(stub.count("DescribeKey") - before, 2, "the first key is not read again");
    let at = read(&home(world).join("collected.json"))["at"].clone();
    assert_eq!(at, json!(Timestamp::from_epoch_seconds(NOW).to_string()), "the oldest counts");
    keyproof::load::world(world).unwrap();
}

#[test]
fn throttling_slows_it_down_and_does_not_end_it() {
    let world = tempfile::tempdir().unwrap();
    let count = AtomicUsize::new(0);
    let stub = Stub::new(move |asked| {
        if asked.operation == "ListAliases" && count.fetch_add(1, Ordering::Relaxed) < 4 {
            return exception("ThrottlingException", "slow down");
        }
        account(asked)
    });
    assert_eq!(collect_into(&stub, world.path()).unwrap().keys, 3);
}

#[test]
fn keys_that_are_gone_leave_the_world() {
    let world = tempfile::tempdir().unwrap();
    let world = world.path();
    collect_into(&Stub::new(account), world).unwrap();
    let stub = Stub::new(|asked| match asked.operation.as_str() {
        "ListKeys" => ok(json!({"Keys": [{"KeyArn": SOURCE}], "Truncated": false})),
        _ => account(asked),
    });
    assert_eq!(collect_into(&stub, world).unwrap().keys, 1);
    assert_eq!(files(&home(world).join("keys")), [key_arn(SOURCE).id().as_str()]);
}

#[test]
fn lists_that_do_not_end_are_not_taken_for_whole() {
    let world = tempfile::tempdir().unwrap();
    let stub = Stub::new(|asked| match asked.operation.as_str() {
        "ListKeys" => ok(json!({"Keys": [], "Truncated": true})),
        _ => account(asked),
    });
    let error = collect_into(&stub, world.path()).unwrap_err();
    assert!(error.to_string().contains("no `NextMarker`"), "{error}");
    let stub = Stub::new(|asked| match asked.operation.as_str() {
        "ListGrants" => ok(json!({"Grants": [], "Truncated": true})),
        _ => account(asked),
    });
    let other = tempfile::tempdir().unwrap();
    let collected = collect_into(&stub, other.path()).unwrap();
    assert!(collected.unread.iter().any(|one| one.reason.contains("no `NextMarker`")));
}

#[test]
fn answers_without_their_list_are_not_taken_for_none() {
    for operation in ["ListKeys", "ListAliases", "ListGrants", "ListResourceTags"] {
        let world = tempfile::tempdir().unwrap();
        let stub = Stub::new(move |asked| match &asked.operation {
            asked if asked == operation => ok(json!({})),
            _ => account(asked),
        });
        match collect_into(&stub, world.path()) {
            Err(error) => {
                assert!(operation == "ListKeys" && error.to_string().contains("no `Keys`"))
            }
            Ok(collected) => {
                let is_told =
                    |reason: &str| reason.contains(operation) && reason.contains("has no");
                assert!(collected.unread.iter().any(|one| is_told(&one.reason)), "{operation}");
            }
        }
    }
}

#[test]
fn facts_of_the_aws_cli_are_found_by_their_shape() {
    let (from, world) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let put = |name: &str, value: Value| {
        std::fs::write(from.path().join(name), value.to_string()).unwrap();
    };
    put(
        "whatever.json",
        json!({
            "UserDetailList": [], "GroupDetailList": [], "Policies": [],
            "RoleDetailList": [{"RoleName": "app", "Arn": APP, "AttachedManagedPolicies": [], "RolePolicyList": []}],
        }),
    );
    put(
        "cut.json",
        json!({"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "IsTruncated": true}),
    );
    put("notes.json", json!({"a": 1}));
    put("o.json", json!({"Organization": {"Id": "o-example", "MasterAccountId": "999999999999"}}));
    put("roots.json", json!({"Roots": [{"Id": "r-root"}]}));
    put("units.r-root.json", json!({"OrganizationalUnits": [{"Id": "ou-root-apps"}]}));
    put("units.ou-root-apps.json", json!({"OrganizationalUnits": []}));
    put("accounts.r-root.json", json!({"Accounts": [{"Id": "999999999999"}]}));
    put("accounts.ou-root-apps.json", json!({"Accounts": [{"Id": "111122223333"}]}));
    for target in ["r-root", "ou-root-apps", "999999999999", "111122223333"] {
        put(
            &format!("policies.SERVICE_CONTROL_POLICY.{target}.json"),
            json!({"Policies": [{"Id": "p-FullAWSAccess"}]}),
        );
    }
    put(
        "policies.RESOURCE_CONTROL_POLICY.111122223333.json",
        json!({"Policies": [{"Id": "p-rcp"}]}),
    );
    put(
        "policy.p-rcp.json",
        json!({"Policy": {
            "PolicySummary": {"Id": "p-rcp", "Type": "RESOURCE_CONTROL_POLICY"},
            "Content": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"kms:*\",\"Resource\":\"*\"}]}",
        }}),
    );
    let taken = collect::facts(from.path(), world.path()).unwrap();
    assert!(!taken.is_torn);
    std::fs::write(from.path().join("torn.json"), "{\"RoleDetailList\": [").unwrap();
    assert!(collect::facts(from.path(), world.path()).unwrap().is_torn);
    let written: Vec<String> =
        taken.written.iter().map(|path| path.display().to_string()).collect();
    assert_eq!(written, ["rcps/p-rcp.json", "accounts/111122223333/iam.json", "organization.json"]);
    let left: Vec<String> = taken
        .left_out
        .iter()
        .map(|(path, _)| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(left, ["cut.json", "notes.json"]);
    collect_into(&Stub::new(account), world.path()).unwrap();
    assert_eq!(decides(world.path(), SOURCE).0, Decision::ExplicitDeny, "the RCP reaches the key");

    // With a part missing there is no organization at all, rather than a wrong one.
    std::fs::remove_file(from.path().join("policies.SERVICE_CONTROL_POLICY.ou-root-apps.json"))
        .unwrap();
    let other = tempfile::tempdir().unwrap();
    let taken = collect::facts(from.path(), other.path()).unwrap();
    assert_eq!(taken.organization.unwrap(), "list-policies-for-target of ou-root-apps is missing");
    assert!(!other.path().join("organization.json").exists());
}

#[test]
fn the_policy_it_prints_allows_exactly_what_it_asks_for() {
    let stub = Stub::new(account);
    let world = tempfile::tempdir().unwrap();
    collect_into(&stub, world.path()).unwrap();
    let mut asked: Vec<String> =
        stub.asked().iter().map(|one| format!("kms:{}", one.operation)).collect();
    asked.sort();
    asked.dedup();
    let policy = collect::policy();
    let mut allowed: Vec<String> = policy["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|statement| statement["Action"].as_array().unwrap())
        .map(|action| action.as_str().unwrap().to_owned())
        .collect();
    allowed.sort();
    assert_eq!(asked, allowed);
    let kind = keyproof::model::PolicyKind::Identity;
    keyproof::syntax::parse(&policy.to_string(), kind).into_result().unwrap();
}
