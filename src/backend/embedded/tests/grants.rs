use super::super::NewGrant;
use super::*;
use crate::model::{
    Action, EncryptionContextConstraint, GrantConstraints, GrantPrincipal, GrantToken, KeyUsage,
    PolicyName,
};

fn decrypting() -> NewGrant {
    NewGrant {
        name: None,
        grantee: GrantPrincipal::listed("arn:aws:iam::444455556666:role/app"),
        retiring: None,
        operations: [Action::Decrypt, Action::ReEncryptFrom].into_iter().collect(),
        constraints: GrantConstraints::default(),
        issuing_account: None,
    }
}

fn with_context(constraint: EncryptionContextConstraint) -> GrantConstraints {
    GrantConstraints { encryption_context: Some(constraint), source_arn: None }
}

#[test]
fn a_grant_is_kept_as_it_was_asked_for() {
    let (_folder, keystore) = keystore();
    let key = create(&keystore);
    let new = NewGrant {
        name: Some("reader".into()),
        retiring: Some(GrantPrincipal::listed("arn:aws:iam::111122223333:user/admin")),
        constraints: GrantConstraints {
            encryption_context: Some(EncryptionContextConstraint::Subset(context(&[("a", "b")]))),
            source_arn: Some("arn:aws:s3:::a-bucket-of-ours".into()),
        },
        ..decrypting()
    };
    let made = keystore.create_grant(&key, new.clone(), now()).unwrap();
    assert_eq!(made.id.as_str().len(), 64);
    let [grant] = &keystore.grants(&key).unwrap()[..] else { panic!("one grant") };
    assert_eq!(grant.id, made.id);
    assert_eq!(grant.name.as_deref(), Some("reader"));
    assert_eq!((&grant.grantee, &grant.retiring), (&new.grantee, &new.retiring));
    assert_eq!((grant.operations, &grant.constraints), (new.operations, &new.constraints));
    assert_eq!(grant.issuing_account, Some(key.account()));
    assert_eq!(grant.creation_date, Some(now()));
}

#[test]
fn the_same_request_under_the_same_name_makes_one_grant() {
    let (_folder, keystore) = keystore();
    let key = create(&keystore);
    let named = NewGrant { name: Some("n".into()), ..decrypting() };
    let later = Timestamp::from_epoch_seconds(1_900_000_000);
    let one = keystore.create_grant(&key, named.clone(), now()).unwrap();
    let same = keystore.create_grant(&key, named.clone(), later).unwrap();
    assert_eq!(one.id, same.id);
    assert_ne!(one.token, same.token);
    let narrower = NewGrant { operations: [Action::Decrypt].into_iter().collect(), ..named };
    assert_ne!(keystore.create_grant(&key, narrower, now()).unwrap().id, one.id);
    let unnamed = keystore.create_grant(&key, decrypting(), now()).unwrap();
    assert_ne!(keystore.create_grant(&key, decrypting(), now()).unwrap().id, unnamed.id);
    assert_eq!(keystore.grants(&key).unwrap().len(), 4);
    for token in [&one.token, &same.token] {
        let found = keystore.grant_of_token(token).unwrap();
        assert_eq!(found, Some((key.clone(), one.id.clone())));
    }
    keystore.retire_grant(&key, &one.id).unwrap();
    assert_eq!(keystore.grant_of_token(&same.token).unwrap(), None);
    assert_eq!(keystore.grant_of_token(&GrantToken::new("x").unwrap()).unwrap(), None);
    assert_eq!(code(keystore.revoke_grant(&key, &one.id)), "NotFoundException");
}

#[test]
fn impossible_grants_are_refused() {
    let (_folder, keystore) = keystore();
    let key = create(&keystore);
    let rsa_key = keystore.create_key(&rsa(KeySpec::Rsa2048), now()).unwrap();
    let sign = NewKey { usage: KeyUsage::SignVerify, ..rsa(KeySpec::Rsa2048) };
    let sign = keystore.create_key(&sign, now()).unwrap();
    let operations = |actions: &[Action]| NewGrant {
        operations: actions.iter().copied().collect(),
        ..decrypting()
    };
    let pairs: EncryptionContext = (0..9).map(|n| (n.to_string(), String::new())).collect();
    let equals = |pairs| with_context(EncryptionContextConstraint::Equals(pairs));
    for (key, new) in [
        (&key, operations(&[])),
        (&key, operations(&[Action::CreateGrant])),
        (&key, operations(&[Action::Sign])),
        (&key, operations(&[Action::RevokeGrant])),
        (&rsa_key, operations(&[Action::GenerateDataKey])),
        (&sign, operations(&[Action::Decrypt])),
        (&key, NewGrant { name: Some("a b".into()), ..decrypting() }),
        (&key, NewGrant { name: Some(String::new()), ..decrypting() }),
        (&key, NewGrant { grantee: GrantPrincipal::listed("logs.amazonaws.com"), ..decrypting() }),
        (&key, NewGrant { grantee: GrantPrincipal::listed("nobody"), ..decrypting() }),
        (&key, NewGrant { constraints: equals(pairs), ..decrypting() }),
        (&key, NewGrant { constraints: equals(context(&[])), ..decrypting() }),
        (
            &key,
            NewGrant { constraints: equals(context(&[("a", &"x".repeat(385))])), ..decrypting() },
        ),
        (&rsa_key, NewGrant { constraints: equals(context(&[("a", "b")])), ..decrypting() }),
    ] {
        let result = keystore.create_grant(key, new.clone(), now());
        assert_eq!(code(result), "ValidationException", "{new:?}");
    }
    for (key, action) in
        [(&rsa_key, Action::GetPublicKey), (&sign, Action::Sign), (&key, Action::GenerateDataKey)]
    {
        keystore.create_grant(key, operations(&[action]), now()).unwrap();
    }
    keystore.disable_key(&key).unwrap();
    assert_eq!(code(keystore.create_grant(&key, decrypting(), now())), "DisabledException");
}

#[test]
fn contents_are_all_of_one_epoch() {
    let (_folder, keystore) = keystore();
    let (one, other) = (create(&keystore), create(&keystore));
    keystore.create_grant(&one, decrypting(), now()).unwrap();
    keystore.put_policy(&other, PolicyName::Default, "{}").unwrap();
    let contents = keystore.contents().unwrap();
    assert_eq!(contents.epoch.count(), 5);
    assert_eq!(contents.epoch, keystore.epoch().unwrap());
    let mut arns = [one.clone(), other.clone()];
    arns.sort();
    assert_eq!(contents.keys.iter().map(|key| key.key.arn.clone()).collect::<Vec<_>>(), arns);
    for key in &contents.keys {
        assert_eq!(*key, keystore.key(&key.key.arn).unwrap());
        assert_eq!(key.grants.len(), usize::from(key.key.arn == one));
    }
}
