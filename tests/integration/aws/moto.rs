//! The real protocol, spoken with a program not written here: moto's server. It enforces nothing,
//! ignores `DryRun` and `SourceKeyId` and leaves members out; each of these must lead to an error
//! of ours and not to a pass.

use std::path::Path;
use std::process::Command;

use keyproof::authorize::{Authorizer, Preflight, PreflightKey, PreflightOperation};
use keyproof::compile::{Epoch, Snapshot};
use keyproof::load::World;
use keyproof::model::{Action, EncryptionAlgorithm, EncryptionContext};
use serde_json::{Value, json};

use super::server::{Moto, PACKAGES, WORLD, bin, free_port, python};

impl Moto {
    /// Tells the collected world that the disabled key is enabled; its ARN.
    fn enable_old_key(&self) -> String {
        let old = self.key("old").to_owned();
        let key = format!(
            "world/accounts/{}/regions/eu-central-1/keys/{}/key.json",
            self.account(),
            old.rsplit('/').next().unwrap()
        );
        let text = std::fs::read_to_string(self.path(&key)).unwrap();
        let text = text
            .replace("\"Disabled\"", "\"Enabled\"")
            .replace("\"Enabled\": false", "\"Enabled\": true");
        std::fs::write(self.path(&key), text).unwrap();
        old
    }
}

/// The same account, written by hand.
fn by_hand(moto: &Moto) {
    let account = moto.account();
    let write = |path: &str, value: Value| {
        let path = moto.path("hand").join(format!("accounts/{account}")).join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, value.to_string()).unwrap();
    };
    let (root, app) =
        (format!("arn:aws:iam::{account}:root"), format!("arn:aws:iam::{account}:role/app"));
    let statement = |principal: &str, action: Value| json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": "*"});
    let all = json!({"Version": "2012-10-17", "Statement": [statement(&root, json!("kms:*"))]});
    let archive = json!({"Version": "2012-10-17", "Statement": [
        statement(&app, json!(["kms:Encrypt", "kms:ReEncryptTo"])),
        statement(&root, json!("kms:PutKeyPolicy")),
    ]});
    let grant = json!({
        "KeyId": moto.key("archive"), "GrantId": "grant", "Operations": ["Decrypt"],
        "GranteePrincipal": format!("arn:aws:iam::{account}:user/alice"),
        "Constraints": {"EncryptionContextSubset": {"tenant": "blue"}},
    });
    let id = |name: &str| moto.key(name).rsplit('/').next().unwrap().to_owned();
    let region = "regions/eu-central-1";
    let keys = [
        ("orders", "Enabled", &all, json!([])),
        ("archive", "Enabled", &archive, json!([grant])),
        ("old", "Disabled", &all, json!([])),
    ];
    let mut aliases = Vec::new();
    for (name, state, policy, grants) in keys {
        let key = format!("{region}/keys/{}", id(name));
        write(
            &format!("{key}/key.json"),
            json!({"KeyMetadata": {
                "Arn": moto.key(name), "KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT",
                "KeyState": state, "KeyManager": "CUSTOMER", "Origin": "AWS_KMS",
            }}),
        );
        write(&format!("{key}/policy.json"), policy.clone());
        write(&format!("{key}/grants.json"), json!({"Grants": grants}));
        write(&format!("{key}/tags.json"), json!({"Tags": [{"TagKey": "name", "TagValue": name}]}));
        aliases.push(json!({"AliasName": format!("alias/{name}"), "TargetKeyId": id(name)}));
    }
    write(&format!("{region}/aliases.json"), json!({"Aliases": aliases}));
    let inline = |actions: Value| {
        json!([{"PolicyName": "keys", "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
        }}])
    };
    write(
        "iam.json",
        json!({
            "UserDetailList": [{
                "UserName": "alice", "Arn": format!("arn:aws:iam::{account}:user/alice"),
                "AttachedManagedPolicies": [],
                "UserPolicyList": inline(json!(["kms:Decrypt"])),
            }],
            "GroupDetailList": [],
            "RoleDetailList": [{
                "RoleName": "app", "Arn": app, "AttachedManagedPolicies": [],
                "RolePolicyList": inline(json!(["kms:Encrypt", "kms:ReEncrypt*", "kms:DescribeKey"])),
            }],
            "Policies": [],
        }),
    );
    std::fs::write(moto.path("hand/world.toml"), WORLD).unwrap();
}

/// What every caller may do with every key by its alias, with and without the grant's context.
fn decisions(moto: &Moto, folder: &str) -> Vec<String> {
    let world: World = keyproof::load::world(&moto.path(folder)).unwrap();
    let snapshot: Snapshot = world.snapshot(Epoch::new(0)).unwrap();
    let account = moto.account();
    let callers = [
        format!("arn:aws:iam::{account}:user/alice"),
        format!("arn:aws:sts::{account}:assumed-role/app/i-1"),
        format!("arn:aws:iam::{account}:root"),
    ];
    let key = |name: &str, blue: bool| PreflightKey {
        name: format!("alias/{name}").parse().unwrap(),
        context: EncryptionContext::from_iter(
            blue.then(|| ("tenant".to_owned(), "blue".to_owned())),
        ),
        algorithm: EncryptionAlgorithm::SymmetricDefault,
    };
    let names = ["orders", "archive", "old"];
    let mut found = Vec::new();
    for name in callers {
        let caller = world.caller(&snapshot, &name).unwrap();
        let mut operations = Vec::new();
        for blue in [false, true] {
            for one in names {
                for action in
                    [Action::Encrypt, Action::Decrypt, Action::DescribeKey, Action::ListGrants]
                {
                    let mut key = key(one, blue);
                    if action == Action::ListGrants {
                        // It takes no alias.
                        key.name = moto.key(one).parse().unwrap();
                    }
                    operations.push(PreflightOperation::Action { action, key });
                }
                for other in names {
                    let (source, destination) = (key(one, blue), key(other, blue));
                    operations.push(PreflightOperation::ReEncrypt { source, destination });
                }
            }
        }
        for operation in operations {
            let asked = format!("{operation:?}");
            let region = Some("eu-central-1".parse().unwrap());
            let question =
                Preflight { operation, region, grant_tokens: Vec::new(), dry_run: false };
            let answer = Authorizer::new(&snapshot).preflight(question, &caller).unwrap();
            found.push(format!("{name} {asked}: {}", answer.outcome()));
        }
    }
    found
}

#[test]
fn a_collected_account_decides_as_the_one_written_by_hand() {
    let moto = Moto::new();
    moto.collect();
    by_hand(&moto);
    let (collected, by_hand) = (decisions(&moto, "world"), decisions(&moto, "hand"));
    assert_eq!(collected, by_hand);
    for outcome in ["allow", "implicit-deny", "DisabledException"] {
        let ending = format!(": {outcome}");
        assert!(collected.iter().any(|line| line.ends_with(&ending)), "no {outcome}");
    }
    assert!(!collected.iter().any(|line| line.ends_with("undetermined")), "{collected:#?}");
}

#[test]
fn the_commands_of_the_readme_run_on_it() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let mut blocks =
        readme.split("```bash\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    // What is installed is that of `python`.
    assert!(blocks.next().unwrap().contains(PACKAGES));
    let free = free_port();
    let commands: Vec<String> = blocks.map(|it| it.replace("5000", &free.to_string())).collect();
    assert_eq!(commands.len(), 4);
    let home = tempfile::tempdir().unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_keyproof")).parent().unwrap();
    let stop = "trap 'kill $moto 2>/dev/null || true' EXIT\n";
    let output = Command::new("sh")
        .args(["-e", "-c", &[stop, &commands.concat()].concat()])
        .current_dir(home.path())
        .env_clear()
        .env("PATH", format!("{}:{}:/usr/bin:/bin", programs.display(), bin(python()).display()))
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}{errors}");
    for line in [
        "2 keys",
        "ReEncrypt by arn:aws:sts::123456789012:assumed-role/app/keyproof: allow",
        "exit code 1",
        "2 items: 2 may be moved, 0 refused",
        "finished: 2 of 2 items moved",
    ] {
        assert!(printed.contains(line), "no `{line}` in\n{printed}{errors}");
    }
    assert!(errors.contains("AccessDeniedException"), "{errors}");
    assert!(home.path().join("moved.bin").exists());
    let archived = std::fs::read_to_string(home.path().join("archived.jsonl")).unwrap();
    assert_eq!(archived.lines().count(), 2);
}

#[test]
fn the_guarded_operations_run_on_it() {
    let moto = Moto::new();
    moto.collect();
    std::fs::write(moto.path("secret.txt"), "the secret").unwrap();
    let app = format!("--caller arn:aws:sts::{}:assumed-role/app/i-1", moto.account());
    let alice = format!("--caller arn:aws:iam::{}:user/alice", moto.account());
    let aws = "--backend aws --world world --audit audit.jsonl";
    moto.done(&format!(
        "encrypt {aws} {app} --key-id alias/orders --plaintext secret.txt --output blue.bin"
    ));
    let err = moto.done(&format!(
        "re-encrypt {aws} {app} --ciphertext-blob blue.bin --source-key-id alias/orders \
         --destination-key-id alias/archive --destination-encryption-context tenant=blue \
         --output moved.bin --max-age 10m --refresh before-each"
    ));
    let (orders, archive) = (moto.key("orders"), moto.key("archive"));
    assert!(err.contains(&format!("re-encrypted from {orders} to {archive}")), "{err}");
    moto.done(&format!(
        "decrypt {aws} {alice} --ciphertext-blob moved.bin --key-id alias/archive \
         --encryption-context tenant=blue --output opened.txt"
    ));
    assert_eq!(std::fs::read_to_string(moto.path("opened.txt")).unwrap(), "the secret");

    // moto enforces none of this; we do, before it is asked.
    for (words, code, says) in [
        (
            format!(
                "decrypt {aws} {app} --ciphertext-blob moved.bin --key-id alias/archive --encryption-context tenant=blue"
            ),
            1,
            "AccessDeniedException",
        ),
        (
            format!("encrypt {aws} {app} --key-id alias/old --plaintext secret.txt"),
            1,
            "DisabledException",
        ),
        // It takes another key than the one named, and says so.
        (
            format!(
                "re-encrypt {aws} {app} --ciphertext-blob blue.bin --source-key-id {orders} \
                 --source-encryption-context tenant=red --destination-key-id alias/archive"
            ),
            2,
            "InvalidCiphertextException",
        ),
    ] {
        let (found, out, err) = moto.keyproof(&words);
        assert!(found == code && err.contains(says) && out.is_empty(), "{words}\n{found} {err}");
    }
}

#[test]
fn a_fleet_is_moved_on_it() {
    use base64::Engine as _;

    let moto = Moto::new();
    moto.collect();
    let app = format!("--caller arn:aws:sts::{}:assumed-role/app/i-1", moto.account());
    let alice = format!("--caller arn:aws:iam::{}:user/alice", moto.account());
    let aws = "--backend aws --world world --audit audit.jsonl";
    let mut items = String::new();
    for n in 0..3 {
        std::fs::write(moto.path("secret.txt"), format!("the secret {n}")).unwrap();
        moto.done(&format!(
            "encrypt {aws} {app} --key-id alias/orders --plaintext secret.txt --output blue{n}.bin"
        ));
        let blob = std::fs::read(moto.path(&format!("blue{n}.bin"))).unwrap();
        let blob = base64::engine::general_purpose::STANDARD.encode(blob);
        items += &format!("{}\n", json!({"id": n.to_string(), "ciphertext": blob}));
    }
    std::fs::write(moto.path("in.jsonl"), items).unwrap();
    let run = format!(
        "fleet run {aws} {app} --input in.jsonl --source-key-id alias/orders \
         --destination-key-id alias/archive --destination-encryption-context tenant=blue"
    );
    moto.done(&format!("{run} --output out.jsonl --max-age 10m --refresh when-stale"));
    let results = std::fs::read_to_string(moto.path("out.jsonl")).unwrap();
    assert_eq!(results.lines().count(), 3);
    for line in results.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["destinationKeyId"], moto.key("archive"));
        let blob = line["ciphertext"].as_str().unwrap();
        let blob = base64::engine::general_purpose::STANDARD.decode(blob).unwrap();
        std::fs::write(moto.path("moved.bin"), blob).unwrap();
        moto.done(&format!(
            "decrypt {aws} {alice} --ciphertext-blob moved.bin --key-id alias/archive \
             --encryption-context tenant=blue --output opened.txt"
        ));
        let opened = std::fs::read_to_string(moto.path("opened.txt")).unwrap();
        assert_eq!(opened, format!("the secret {}", line["id"].as_str().unwrap()));
    }

    // It decrypts with whichever key made the ciphertext; AWS would refuse another.
    let old = moto.enable_old_key();
    let root = format!("--caller arn:aws:iam::{}:root", moto.account());
    let wrong = run
        .replace("alias/orders", &old)
        .replace("alias/archive", "alias/orders")
        .replace(&app, &root);
    let (code, _, err) = moto.keyproof(&format!("{wrong} --output wrong.jsonl"));
    assert!(code == 2 && err.contains("was judged: the result is discarded"), "{code} {err}");
    assert!(!moto.path("wrong.jsonl").exists());
}

#[test]
fn a_source_key_it_ignores_is_another_key_and_the_result_is_discarded() {
    let moto = Moto::new();
    moto.collect();
    let root = format!("--caller arn:aws:iam::{}:root", moto.account());
    let aws = format!("--backend aws --world world --audit audit.jsonl {root}");
    std::fs::write(moto.path("secret.txt"), "the secret").unwrap();
    // A further key of the same account that the ciphertext was not made by.
    let second = moto.enable_old_key();
    moto.done(&format!(
        "encrypt {aws} --key-id alias/orders --plaintext secret.txt --output a.bin"
    ));
    let (code, out, err) = moto.keyproof(&format!(
        "re-encrypt {aws} --ciphertext-blob a.bin --source-key-id {second} --destination-key-id alias/orders"
    ));
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("but") && err.contains("was judged: the result is discarded"), "{err}");
    let audit = std::fs::read_to_string(moto.path("audit.jsonl")).unwrap();
    assert!(audit.lines().last().unwrap().contains("\"outcome\":\"failed\""), "{audit}");
}

#[test]
fn a_dry_run_it_performs_is_an_error_and_no_agreement() {
    let moto = Moto::new();
    moto.collect();
    let session = &moto.made["session"];
    let word = |name: &str| session[name].as_str().unwrap();
    let credentials = [
        ("AWS_ACCESS_KEY_ID", word("AccessKeyId")),
        ("AWS_SECRET_ACCESS_KEY", word("SecretAccessKey")),
        ("AWS_SESSION_TOKEN", word("SessionToken")),
    ];
    let app = format!("--caller arn:aws:sts::{}:assumed-role/app/i-1", moto.account());
    let check = format!("check --world world {app} --operation Encrypt --key-id alias/orders");
    let (code, _, err) = moto.keyproof_as(&format!("{check} --verify-live"), &credentials);
    assert!(code == 2 && err.contains("does not honour DryRun"), "{code} {err}");
    // The administrator's credentials are not the app's.
    let (code, _, err) = moto.keyproof(&format!("{check} --verify-live"));
    assert_eq!(code, 2, "{err}");
}

#[test]
fn a_key_that_is_gone_is_told() {
    let moto = Moto::new();
    moto.collect();
    std::fs::write(moto.path("secret.txt"), "the secret").unwrap();
    let root = format!("--caller arn:aws:iam::{}:root", moto.account());
    let world = moto.path(&format!("world/accounts/{}/regions/eu-central-1", moto.account()));
    let (gone, key) = ("00000000-0000-4000-8000-000000000000", moto.key("orders"));
    let id = key.rsplit('/').next().unwrap();
    for file in ["key.json", "policy.json", "grants.json", "tags.json"] {
        let text = std::fs::read_to_string(world.join("keys").join(id).join(file)).unwrap();
        let to = world.join("keys").join(gone);
        std::fs::create_dir_all(&to).unwrap();
        std::fs::write(to.join(file), text.replace(id, gone)).unwrap();
    }
    let (code, _, err) = moto.keyproof(&format!(
        "encrypt --backend aws --world world --audit audit.jsonl {root} --plaintext secret.txt \
         --key-id {}",
        key.replace(id, gone)
    ));
    assert!(code == 2 && err.contains("NotFoundException: "), "{code} {err}");
}
