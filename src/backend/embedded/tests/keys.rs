use super::super::{KeyScope, NewReplica, lifecycle};
use super::*;
use crate::model::{AliasArn, Key, KeyState, KeyUsage, MultiRegionKeyType, PolicyName};

fn alias(name: &str) -> AliasArn {
    format!("arn:aws:kms:eu-central-1:111122223333:alias/{name}").parse().unwrap()
}

fn replica(region: &str) -> NewReplica {
    NewReplica {
        region: region.parse().unwrap(),
        policy: None,
        description: String::new(),
        tags: vec![],
    }
}

#[test]
fn a_key_is_kept_as_it_was_asked_for() {
    let (_folder, keystore) = keystore();
    let policy = "{ \"Version\" : \"2012-10-17\",\n \"Statement\": [] }";
    let new = NewKey {
        policy: Some(policy.into()),
        description: "for tests".into(),
        tags: vec![("team".into(), "blue".into())],
        id: Some("1234abcd-12ab-34cd-56ef-1234567890ab".parse().unwrap()),
        ..symmetric()
    };
    let arn = keystore.create_key(&new, now()).unwrap();
    assert_eq!(
        arn.as_str(),
        "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    );
    let stored = keystore.key(&arn).unwrap();
    assert_eq!(stored.key, Key::symmetric(arn.clone()));
    assert_eq!(stored.description, "for tests");
    assert_eq!(stored.creation_date, now());
    assert_eq!(stored.policies[&PolicyName::Default], policy);
    assert_eq!(stored.tags["team"], "blue");
    assert_eq!(stored.materials.len(), 1);
    assert_eq!(code(keystore.create_key(&new, now())), "AlreadyExistsException");
    let elsewhere = NewKey { region: "us-east-1".parse().unwrap(), ..new };
    assert_eq!(code(keystore.create_key(&elsewhere, now())), "AlreadyExistsException");
}

#[test]
fn a_key_without_policy_gets_the_account_one() {
    let (_folder, keystore) = keystore();
    let key = create(&keystore);
    let policy: serde_json::Value =
        serde_json::from_str(&keystore.key(&key).unwrap().policies[&PolicyName::Default]).unwrap();
    let statement = &policy["Statement"][0];
    assert_eq!(statement["Principal"]["AWS"], "arn:aws:iam::111122223333:root");
    assert_eq!(statement["Action"], "kms:*");
    assert_eq!(statement["Effect"], "Allow");
}

#[test]
fn impossible_keys_are_refused() {
    let (_folder, keystore) = keystore();
    let epoch = keystore.epoch().unwrap();
    for (new, expected) in [
        (NewKey { usage: KeyUsage::SignVerify, ..symmetric() }, "ValidationException"),
        (
            NewKey { spec: KeySpec::Hmac256, usage: KeyUsage::GenerateVerifyMac, ..symmetric() },
            "UnsupportedOperationException",
        ),
        (NewKey { id: Some("mrk-1".parse().unwrap()), ..symmetric() }, "ValidationException"),
        (
            NewKey {
                id: Some("abc".parse().unwrap()),
                scope: KeyScope::MultiRegion,
                ..symmetric()
            },
            "ValidationException",
        ),
        (NewKey { partition: "gcp".into(), ..symmetric() }, "ValidationException"),
        (NewKey { policy: Some("{".into()), ..symmetric() }, "MalformedPolicyDocumentException"),
        (NewKey { policy: Some("[]".into()), ..symmetric() }, "MalformedPolicyDocumentException"),
        (NewKey { policy: Some(" ".repeat(32_769)), ..symmetric() }, "LimitExceededException"),
        (NewKey { description: "x".repeat(8193), ..symmetric() }, "ValidationException"),
        (NewKey { tags: vec![("aws:x".into(), String::new())], ..symmetric() }, "TagException"),
        (NewKey { tags: vec![(String::new(), String::new())], ..symmetric() }, "TagException"),
        (
            NewKey {
                tags: (0..51).map(|n| (n.to_string(), String::new())).collect(),
                ..symmetric()
            },
            "LimitExceededException",
        ),
    ] {
        assert_eq!(code(keystore.create_key(&new, now())), expected, "{new:?}");
    }
    assert_eq!(keystore.epoch().unwrap(), epoch);
    assert!(keystore.contents().unwrap().keys.is_empty());
}

#[test]
fn random_ids_are_uuids_or_mrk_ids() {
    let (_folder, keystore) = keystore();
    let uuid =
        regex::Regex::new("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
            .unwrap();
    let mrk = regex::Regex::new("^mrk-[0-9a-f]{32}$").unwrap();
    let multi = NewKey { scope: KeyScope::MultiRegion, ..symmetric() };
    for _ in 0..5 {
        assert!(uuid.is_match(create(&keystore).id().as_str()));
        assert!(mrk.is_match(keystore.create_key(&multi, now()).unwrap().id().as_str()));
    }
}

#[test]
fn policies_are_replaced_verbatim() {
    let (_folder, keystore) = keystore();
    let key = create(&keystore);
    keystore.put_policy(&key, PolicyName::Default, "{ }\n").unwrap();
    keystore.put_policy(&key, PolicyName::AwsRam, "{\"a\":1}").unwrap();
    let policies = keystore.key(&key).unwrap().policies;
    assert_eq!(policies[&PolicyName::Default], "{ }\n");
    assert_eq!(policies[&PolicyName::AwsRam], "{\"a\":1}");
    keystore.remove_ram_policy(&key).unwrap();
    assert_eq!(code(keystore.remove_ram_policy(&key)), "NotFoundException");
    let result = keystore.put_policy(&key, PolicyName::Default, "not json");
    assert_eq!(code(result), "MalformedPolicyDocumentException");
    assert_eq!(keystore.key(&key).unwrap().policies.len(), 1);
}

#[test]
fn states_follow_the_table() {
    use KeyState::{
        Creating, Disabled, PendingDeletion, PendingImport, PendingReplicaDeletion, Unavailable,
        Updating,
    };
    use lifecycle::Step::{
        CancelDeletion, CreateGrant, Cryptography, Describe, Replicate, Rotate, ScheduleDeletion,
        Switch,
    };

    let arn: KeyArn = "arn:aws:kms:eu-central-1:111122223333:key/k".parse().unwrap();
    let steps = [
        CancelDeletion,
        CreateGrant,
        Cryptography,
        Describe,
        Replicate,
        Rotate,
        ScheduleDeletion,
        Switch,
    ];
    // One letter a step: allowed, Disabled, or Invalid state.
    for (state, expected) in [
        (KeyState::Enabled, "Iaaaaaaa"),
        (Disabled, "IDDaDDaa"),
        (PendingDeletion, "aIIIIIII"),
        (PendingReplicaDeletion, "aIIIIIII"),
        (PendingImport, "IIIaIIaI"),
        (Unavailable, "IaIaIIaa"),
        (Creating, "IIIaIIaI"),
        (Updating, "IaaaIaII"),
    ] {
        let key = Key { state, ..Key::symmetric(arn.clone()) };
        let found: String = steps
            .iter()
            .map(|step| match lifecycle::require(&key, *step) {
                Ok(()) => 'a',
                Err(KeystoreError::Disabled { .. }) => 'D',
                Err(_) => 'I',
            })
            .collect();
        assert_eq!(found, expected, "{state}");
    }
}

#[test]
fn a_key_waits_for_its_deletion_and_can_be_saved() {
    let (_folder, keystore) = keystore();
    let key = create(&keystore);
    keystore.create_alias(&alias("a"), &key, now()).unwrap();
    for days in [0, 6, 31] {
        assert_eq!(code(keystore.schedule_key_deletion(&key, days, now())), "ValidationException");
    }
    assert_eq!(code(keystore.cancel_key_deletion(&key)), "KMSInvalidStateException");
    let date = keystore.schedule_key_deletion(&key, 7, now()).unwrap().unwrap();
    assert_eq!(date.epoch_seconds() - now().epoch_seconds(), 7 * 86_400);
    assert_eq!(keystore.key(&key).unwrap().deletion_date, Some(date));
    assert_eq!(code(keystore.enable_key(&key)), "KMSInvalidStateException");
    keystore.cancel_key_deletion(&key).unwrap();
    assert_eq!(keystore.key(&key).unwrap().key.state, KeyState::Disabled);
    assert_eq!(keystore.key(&key).unwrap().deletion_date, None);
    keystore.schedule_key_deletion(&key, 7, now()).unwrap();
    let before = Timestamp::from_epoch_seconds(date.epoch_seconds() - 1);
    assert_eq!(keystore.delete_expired_keys(before).unwrap(), []);
    assert_eq!(keystore.delete_expired_keys(date).unwrap(), std::slice::from_ref(&key));
    assert_eq!(code(keystore.key(&key)), "NotFoundException");
    assert_eq!(code(keystore.alias_target(&alias("a"))), "NotFoundException");
}

#[test]
fn a_primary_key_outlives_its_replicas() {
    let (_folder, keystore) = keystore();
    let none = EncryptionContext::new();
    let multi = NewKey { scope: KeyScope::MultiRegion, ..symmetric() };
    let primary = keystore.create_key(&multi, now()).unwrap();
    let other = keystore.replicate_key(&primary, &replica("us-east-1"), now()).unwrap();
    assert_eq!(keystore.key(&other).unwrap().key.multi_region, Some(MultiRegionKeyType::Replica));
    let result = keystore.replicate_key(&other, &replica("us-west-2"), now());
    assert_eq!(code(result), "UnsupportedOperationException");
    assert_eq!(keystore.schedule_key_deletion(&primary, 10, now()).unwrap(), None);
    let state = |key| keystore.key(key).unwrap().key.state;
    assert_eq!(state(&primary), KeyState::PendingReplicaDeletion);
    let date = keystore.schedule_key_deletion(&other, 7, now()).unwrap().unwrap();
    assert_eq!(keystore.delete_expired_keys(date).unwrap(), [other]);
    assert_eq!(state(&primary), KeyState::PendingDeletion);
    let last = keystore.key(&primary).unwrap().deletion_date.unwrap();
    assert_eq!(last.epoch_seconds() - date.epoch_seconds(), 10 * 86_400);
    keystore.cancel_key_deletion(&primary).unwrap();
    keystore.enable_key(&primary).unwrap();
    encrypt(&keystore, side(&primary, &none), b"x");
}

#[test]
fn aliases_name_keys_of_their_account_and_region() {
    let (_folder, keystore) = keystore();
    let (one, other) = (create(&keystore), create(&keystore));
    let rsa = keystore.create_key(&rsa(KeySpec::Rsa2048), now()).unwrap();
    let foreign = keystore
        .create_key(&NewKey { account: "444455556666".parse().unwrap(), ..symmetric() }, now());
    let foreign = foreign.unwrap();
    let app = alias("app");
    keystore.create_alias(&app, &one, now()).unwrap();
    assert_eq!(keystore.alias_target(&app).unwrap(), one);
    assert_eq!(keystore.key(&one).unwrap().aliases, std::slice::from_ref(&app));
    assert_eq!(code(keystore.create_alias(&app, &other, now())), "AlreadyExistsException");
    let reserved = keystore.create_alias(&alias("aws/s3"), &one, now());
    assert_eq!(code(reserved), "InvalidAliasNameException");
    assert_eq!(code(keystore.create_alias(&alias("x"), &foreign, now())), "ValidationException");
    keystore.update_alias(&app, &other, now()).unwrap();
    assert_eq!(keystore.alias_target(&app).unwrap(), other);
    assert_eq!(code(keystore.update_alias(&app, &rsa, now())), "ValidationException");
    assert_eq!(code(keystore.update_alias(&alias("x"), &one, now())), "NotFoundException");
    for n in 0..Keystore::MAX_ALIASES {
        keystore.create_alias(&alias(&format!("n{n}")), &one, now()).unwrap();
    }
    assert_eq!(code(keystore.create_alias(&alias("more"), &one, now())), "LimitExceededException");
    keystore.delete_alias(&app).unwrap();
    assert_eq!(code(keystore.delete_alias(&app)), "NotFoundException");
}

#[test]
fn tags_and_descriptions_change() {
    let (_folder, keystore) = keystore();
    let key = create(&keystore);
    let tag = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    keystore.tag_key(&key, &[tag("a", "1"), tag("b", "2")]).unwrap();
    keystore.tag_key(&key, &[tag("a", "3")]).unwrap();
    keystore.untag_key(&key, &["b".into(), "c".into()]).unwrap();
    keystore.update_description(&key, "new").unwrap();
    let stored = keystore.key(&key).unwrap();
    assert_eq!(stored.tags.into_iter().collect::<Vec<_>>(), [tag("a", "3")]);
    assert_eq!(stored.description, "new");
    let twice = keystore.tag_key(&key, &[tag("a", "1"), tag("a", "2")]);
    assert_eq!(code(twice), "TagException");
}
