use proptest::prelude::*;

use super::super::{KeyScope, NewReplica, Provenance, blob, material};
use super::*;
use crate::model::KeyUsage;

const RSA: [KeySpec; 3] = [KeySpec::Rsa2048, KeySpec::Rsa3072, KeySpec::Rsa4096];
const OAEP: [EncryptionAlgorithm; 2] =
    [EncryptionAlgorithm::RsaesOaepSha1, EncryptionAlgorithm::RsaesOaepSha256];

#[test]
fn what_every_spec_and_algorithm_encrypts_it_decrypts() {
    let (_folder, keystore) = keystore();
    let none = EncryptionContext::new();
    let purpose = context(&[("purpose", "test"), ("tenant", "7")]);
    let key = create(&keystore);
    for length in [1, 15, 16, 17, 4095, 4096] {
        let bytes = vec![0x5a; length];
        let ciphertext = encrypt(&keystore, side(&key, &purpose), &bytes);
        assert!(ciphertext.as_bytes().len() <= length + 256);
        assert_eq!(decrypt(&keystore, side(&key, &purpose), &ciphertext).unwrap(), bytes);
    }
    for (spec, limits) in RSA.into_iter().zip([[214, 190], [342, 318], [470, 446]]) {
        let key = keystore.create_key(&rsa(spec), now()).unwrap();
        for (algorithm, limit) in OAEP.into_iter().zip(limits) {
            assert_eq!(material::max_plaintext(spec, algorithm), limit);
            let side = CipherSide { key: &key, context: &none, algorithm };
            for length in [1, limit] {
                let bytes = vec![0xa5; length];
                let ciphertext = encrypt(&keystore, side, &bytes);
                assert_eq!(ciphertext.as_bytes().len(), limits[0] + 42);
                assert_eq!(Provenance::of(&ciphertext).unwrap(), Provenance::Opaque);
                assert_eq!(decrypt(&keystore, side, &ciphertext).unwrap(), bytes);
            }
            let long = plaintext(&vec![0; limit + 1]);
            let session = keystore.session().unwrap();
            assert_eq!(code(session.encrypt(side, &long)), "ValidationException");
        }
    }
}

#[test]
fn plaintexts_have_1_to_4096_bytes() {
    assert!(Plaintext::new(vec![]).is_err());
    assert!(Plaintext::new(vec![0; 4097]).is_err());
}

#[test]
fn the_largest_ciphertext_fits_whatever_the_context() {
    let (_folder, keystore) = keystore();
    let long = NewKey {
        partition: format!("aws-{}", "x".repeat(800)),
        region: "aa-bbbbbbbbbbbbbbbbbbbbbbbbbbb-1".parse().unwrap(),
        id: Some("k".repeat(128).parse().unwrap()),
        ..symmetric()
    };
    let key = keystore.create_key(&long, now()).unwrap();
    let pairs: EncryptionContext =
        (0..100).map(|n| (format!("name-{n}"), "v".repeat(500))).collect();
    let ciphertext = encrypt(&keystore, side(&key, &pairs), &[1; 4096]);
    assert!(ciphertext.as_bytes().len() <= CiphertextBlob::MAX_BYTES);
    assert!(decrypt(&keystore, side(&key, &pairs), &ciphertext).is_ok());
    let longer = NewKey { partition: format!("aws-{}", "x".repeat(900)), ..long };
    assert_eq!(code(keystore.create_key(&longer, now())), "ValidationException");
}

#[test]
fn a_ciphertext_altered_or_cut_anywhere_is_invalid() {
    let (_folder, keystore) = keystore();
    let pairs = context(&[("a", "b")]);
    let multi = NewKey { scope: KeyScope::MultiRegion, ..symmetric() };
    for key in [create(&keystore), keystore.create_key(&multi, now()).unwrap()] {
        let side = side(&key, &pairs);
        let bytes = encrypt(&keystore, side, b"secret").as_bytes().to_vec();
        let opened =
            |bytes: Vec<u8>| code(decrypt(&keystore, side, &CiphertextBlob::new(bytes).unwrap()));
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut altered = bytes.clone();
                altered[place] ^= 1 << bit;
                assert_eq!(opened(altered), "InvalidCiphertextException", "{place}.{bit}");
            }
            if place > 0 {
                let cut = bytes[..place].to_vec();
                assert_eq!(opened(cut), "InvalidCiphertextException", "cut at {place}");
                let front = bytes[place..].to_vec();
                assert_eq!(opened(front), "InvalidCiphertextException", "cut before {place}");
            }
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(opened(longer), "InvalidCiphertextException");
    }
}

#[test]
fn a_damaged_ciphertext_names_no_key() {
    let (_folder, keystore) = keystore();
    let none = EncryptionContext::new();
    let key = create(&keystore);
    // One as long as an RSA ciphertext, one of another length.
    for length in [256 - 111 - key.as_str().len(), 9] {
        let bytes = encrypt(&keystore, side(&key, &none), &vec![7; length]).as_bytes().to_vec();
        let sealed = bytes.len() - length - 16;
        for place in 0..sealed {
            for bit in 0..8 {
                let mut altered = bytes.clone();
                altered[place] ^= 1 << bit;
                match Provenance::of(&CiphertextBlob::new(altered).unwrap()) {
                    // Without its mark it may be an RSA ciphertext; that names no key either.
                    Ok(Provenance::Opaque) => assert!(place < 7 && bytes.len() == 256),
                    other => assert_eq!(code(other), "InvalidCiphertextException"),
                }
            }
        }
        for cut in 1..sealed + 17 {
            let cut = CiphertextBlob::new(bytes[..cut].to_vec()).unwrap();
            assert_eq!(code(Provenance::of(&cut)), "InvalidCiphertextException");
        }
    }
}

#[test]
fn an_rsa_ciphertext_altered_or_cut_is_invalid() {
    let (_folder, keystore) = keystore();
    let none = EncryptionContext::new();
    let key = keystore.create_key(&rsa(KeySpec::Rsa2048), now()).unwrap();
    let side =
        CipherSide { key: &key, context: &none, algorithm: EncryptionAlgorithm::RsaesOaepSha256 };
    let bytes = encrypt(&keystore, side, b"secret").as_bytes().to_vec();
    for place in (0..bytes.len()).step_by(5) {
        let mut altered = bytes.clone();
        altered[place] ^= 1;
        for wrong in [altered, bytes[..=place.min(254)].to_vec()] {
            let wrong = CiphertextBlob::new(wrong).unwrap();
            assert_eq!(code(decrypt(&keystore, side, &wrong)), "InvalidCiphertextException");
        }
    }
    let other = CipherSide { algorithm: EncryptionAlgorithm::RsaesOaepSha1, ..side };
    let ciphertext = CiphertextBlob::new(bytes).unwrap();
    assert_eq!(code(decrypt(&keystore, other, &ciphertext)), "InvalidCiphertextException");
}

#[test]
fn another_context_does_not_open() {
    let (_folder, keystore) = keystore();
    let key = create(&keystore);
    let made = context(&[("ab", "c"), ("d", "")]);
    let ciphertext = encrypt(&keystore, side(&key, &made), b"secret");
    for wrong in [
        context(&[]),
        context(&[("ab", "c")]),
        context(&[("a", "bc"), ("d", "")]),
        context(&[("ab", "cd"), ("", "")]),
        context(&[("AB", "c"), ("d", "")]),
        context(&[("ab", "c"), ("d", ""), ("e", "")]),
    ] {
        let result = decrypt(&keystore, side(&key, &wrong), &ciphertext);
        assert_eq!(code(result), "InvalidCiphertextException", "{wrong:?}");
    }
    let reordered = context(&[("d", ""), ("ab", "c")]);
    assert!(decrypt(&keystore, side(&key, &reordered), &ciphertext).is_ok());
}

#[test]
fn a_ciphertext_of_another_key_is_told_apart() {
    let (_folder, keystore) = keystore();
    let none = EncryptionContext::new();
    let (one, other) = (create(&keystore), create(&keystore));
    let ciphertext = encrypt(&keystore, side(&one, &none), b"secret");
    let result = decrypt(&keystore, side(&other, &none), &ciphertext);
    assert_eq!(code(result), "IncorrectKeyException");
    let Provenance::Key { key, material } = Provenance::of(&ciphertext).unwrap() else {
        panic!("opaque")
    };
    assert_eq!(key, one);
    assert_eq!(Some(material), keystore.key(&one).unwrap().current_material);
    assert_eq!(material.to_string().len(), 64);
}

#[test]
fn what_is_no_ciphertext_has_no_provenance() {
    for bytes in [vec![0; 1], vec![0; 255], b"\x8bKPROOF\x02".to_vec(), b"\x8bKPROOF\x01".to_vec()]
    {
        let result = Provenance::of(&CiphertextBlob::new(bytes).unwrap());
        assert_eq!(code(result), "InvalidCiphertextException");
    }
}

#[test]
fn old_material_decrypts_after_rotation() {
    let (_folder, keystore) = keystore();
    let none = EncryptionContext::new();
    let key = create(&keystore);
    let mut made = Vec::new();
    for n in 0..=Keystore::MAX_ROTATIONS {
        made.push(encrypt(&keystore, side(&key, &none), &[7]));
        let rotated = keystore.rotate_key(&key, now());
        if n == Keystore::MAX_ROTATIONS {
            assert_eq!(code(rotated), "LimitExceededException");
        } else {
            let id = rotated.unwrap();
            assert_eq!(keystore.key(&key).unwrap().current_material, Some(id));
        }
    }
    let session = keystore.session().unwrap();
    let mut materials: Vec<_> = made
        .iter()
        .map(|ciphertext| session.decrypt(side(&key, &none), ciphertext).unwrap().material)
        .collect();
    materials.sort();
    materials.dedup();
    assert_eq!(materials.len(), made.len());
    keystore.verify_key(&key).unwrap();
}

#[test]
fn a_related_multi_region_key_opens_and_no_other() {
    let (_folder, keystore) = keystore();
    let none = EncryptionContext::new();
    let multi = NewKey { scope: KeyScope::MultiRegion, ..symmetric() };
    let primary = keystore.create_key(&multi, now()).unwrap();
    let region: crate::model::Region = "us-east-1".parse().unwrap();
    let new = NewReplica {
        region: region.clone(),
        policy: None,
        description: String::new(),
        tags: vec![],
    };
    let replica = keystore.replicate_key(&primary, &new, now()).unwrap();
    assert_eq!(replica.id(), primary.id());
    let before = encrypt(&keystore, side(&primary, &none), b"one");
    keystore.rotate_key(&primary, now()).unwrap();
    assert_eq!(code(keystore.rotate_key(&replica, now())), "UnsupportedOperationException");
    let after = encrypt(&keystore, side(&replica, &none), b"two");
    for key in [&primary, &replica] {
        assert_eq!(decrypt(&keystore, side(key, &none), &before).unwrap(), b"one");
        assert_eq!(decrypt(&keystore, side(key, &none), &after).unwrap(), b"two");
    }
    let provenance = Provenance::of(&before).unwrap();
    assert_eq!(provenance.key_in(&region), Some(replica));
    assert_eq!(provenance.key_in(primary.region()), Some(primary.clone()));
    assert_eq!(code(keystore.replicate_key(&primary, &new, now())), "AlreadyExistsException");
    let single = create(&keystore);
    let ciphertext = encrypt(&keystore, side(&single, &none), b"x");
    assert_eq!(Provenance::of(&ciphertext).unwrap().key_in(&region), None);
}

#[test]
fn re_encrypting_changes_key_context_and_algorithm() {
    let (_folder, keystore) = keystore();
    let (none, pairs) = (EncryptionContext::new(), context(&[("a", "b")]));
    let source = create(&keystore);
    let destination = keystore.create_key(&rsa(KeySpec::Rsa2048), now()).unwrap();
    let algorithm = EncryptionAlgorithm::RsaesOaepSha256;
    let to = CipherSide { key: &destination, context: &none, algorithm };
    let session = keystore.session().unwrap();
    let from = side(&source, &pairs);
    let ciphertext = session.encrypt(from, &plaintext(b"secret")).unwrap().ciphertext;
    let done = session.re_encrypt(from, &ciphertext, to).unwrap();
    assert_eq!((&done.source, &done.destination), (&source, &destination));
    assert_eq!(done.source_algorithm, EncryptionAlgorithm::SymmetricDefault);
    assert_eq!(done.destination_algorithm, algorithm);
    assert!(done.source_material.is_some() && done.destination_material.is_none());
    assert_eq!(decrypt(&keystore, to, &done.ciphertext).unwrap(), b"secret");
    let back = session.re_encrypt(to, &done.ciphertext, side(&source, &none)).unwrap();
    assert_eq!(decrypt(&keystore, side(&source, &none), &back.ciphertext).unwrap(), b"secret");
    let long = session.encrypt(from, &plaintext(&[1; 191])).unwrap().ciphertext;
    assert_eq!(code(session.re_encrypt(from, &long, to)), "ValidationException");
}

#[test]
fn state_usage_and_algorithm_are_judged_again() {
    let (_folder, keystore) = keystore();
    let (none, pairs) = (EncryptionContext::new(), context(&[("a", "b")]));
    let key = create(&keystore);
    let sign = NewKey { usage: KeyUsage::SignVerify, ..rsa(KeySpec::Rsa2048) };
    let sign = keystore.create_key(&sign, now()).unwrap();
    let wrapped = keystore.create_key(&rsa(KeySpec::Rsa2048), now()).unwrap();
    let algorithm = EncryptionAlgorithm::RsaesOaepSha256;
    let attempt = |side| code(keystore.session().unwrap().encrypt(side, &plaintext(b"x")));
    assert_eq!(attempt(CipherSide { algorithm, ..side(&key, &none) }), "InvalidKeyUsageException");
    assert_eq!(attempt(side(&wrapped, &none)), "InvalidKeyUsageException");
    assert_eq!(attempt(CipherSide { algorithm, ..side(&sign, &none) }), "InvalidKeyUsageException");
    assert_eq!(attempt(CipherSide { algorithm, ..side(&wrapped, &pairs) }), "ValidationException");
    let ciphertext = encrypt(&keystore, side(&key, &none), b"x");
    keystore.disable_key(&key).unwrap();
    assert_eq!(attempt(side(&key, &none)), "DisabledException");
    assert_eq!(code(decrypt(&keystore, side(&key, &none), &ciphertext)), "DisabledException");
    keystore.schedule_key_deletion(&key, 7, now()).unwrap();
    assert_eq!(attempt(side(&key, &none)), "KMSInvalidStateException");
    let unknown = "arn:aws:kms:eu-central-1:111122223333:key/nothing".parse().unwrap();
    assert_eq!(attempt(side(&unknown, &none)), "NotFoundException");
}

#[test]
fn a_session_keeps_to_its_epoch() {
    let (_folder, keystore) = keystore();
    let none = EncryptionContext::new();
    let key = create(&keystore);
    let session = keystore.session().unwrap();
    keystore.disable_key(&key).unwrap();
    assert_eq!(session.epoch().count() + 1, keystore.epoch().unwrap().count());
    assert!(session.encrypt(side(&key, &none), &plaintext(b"x")).is_ok());
}

#[test]
fn equal_plaintexts_give_different_ciphertexts() {
    let (_folder, keystore) = keystore();
    let none = EncryptionContext::new();
    let key = create(&keystore);
    let one = encrypt(&keystore, side(&key, &none), b"x");
    assert_ne!(one, encrypt(&keystore, side(&key, &none), b"x"));
}

fn any_context() -> impl Strategy<Value = EncryptionContext> {
    // Few letters and short texts, lengths' own bytes among them, so that collisions would be met.
    let text = "[ab\u{0}\u{1}]{0,3}";
    prop::collection::btree_map(text, text, 0..4).prop_map(|pairs| pairs.into_iter().collect())
}

proptest! {
    #[test]
    fn no_two_contexts_are_encoded_alike(
        one in any_context(),
        other in any_context(),
        header in prop::collection::vec(0_u8..3, 0..4),
        other_header in prop::collection::vec(0_u8..3, 0..4),
    ) {
        let alike = blob::associated_data(&header, &one)
            == blob::associated_data(&other_header, &other);
        prop_assert_eq!(alike, one == other && header == other_header);
    }

    #[test]
    fn no_bytes_make_inspection_panic(bytes in prop::collection::vec(any::<u8>(), 1..300)) {
        let _ = Provenance::of(&CiphertextBlob::new(bytes.clone()).unwrap());
        let marked = [b"\x8bKPROOF\x01\x01".as_slice(), &bytes].concat();
        let _ = Provenance::of(&CiphertextBlob::new(marked).unwrap());
    }
}
