//! What is particular to single formats of `keyproof lint`, and what no format may show or skip.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::lint_inputs::{BAD, list, matters, root, run, shown, unreadable, written};

/// File, line and column of what matters.
fn places(report: &Value) -> Vec<(String, u64, u64)> {
    let found = matters(report).into_iter().map(|one| {
        let start = &one["span"]["start"];
        let number = |name: &str| start[name].as_u64().unwrap();
        assert_eq!(one["code"], "IAM007", "{report:#}");
        (one["file"].as_str().unwrap().to_owned(), number("line"), number("column"))
    });
    found.collect()
}

fn text(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap()
}

fn json_of(file: &str) -> Value {
    serde_json::from_str(&text(file)).unwrap()
}

fn reasons(report: &Value) -> Vec<&str> {
    list(report, "unknown").iter().map(|one| one["reason"].as_str().unwrap()).collect()
}

const PLAIN: (&str, &str) = ("kms:ReEncrypt*", "kms:ReEncrypt");
const ENCODED: (&str, &str) = ("kms%3AReEncrypt%2A", "kms%3AReEncrypt");

#[test]
fn places_in_every_way_to_write_a_policy_are_exact() {
    // File, what is mended into a mistake, which time it stands there, and where it is found.
    let cases = [
        ("pulumi/stack.json", PLAIN, 2, (58, 94)),
        ("aws-config/snapshot.json", ENCODED, 1, (50, 135)),
        ("aws-config/snapshot.json", ENCODED, 2, (82, 129)),
        ("kubernetes/crossplane.yaml", PLAIN, 1, (21, 24)),
        ("kubernetes/ack.yaml", PLAIN, 1, (17, 16)),
        ("kubernetes/ack.yaml", PLAIN, 2, (40, 72)),
    ];
    for (file, (good, bad), nth, place) in cases {
        let text = text(file);
        let (at, _) = text.match_indices(good).nth(nth - 1).unwrap();
        let text = format!("{}{bad}{}", &text[..at], &text[at + good.len()..]);
        let folder = written(&[(file, text.as_bytes())]);
        let (code, report) = run(folder.path(), &[file]);
        assert_eq!(code, 1, "{file}: {report:#}");
        assert_eq!(places(&report), [(file.to_owned(), place.0, place.1)], "{file}");
    }
}

#[test]
fn of_a_history_the_newest_item_counts_and_none_that_was_deleted() {
    let mut history = json_of("aws-config/history.json");
    history["configurationItems"].as_array_mut().unwrap().reverse();
    let folder = written(&[("history.json", history.to_string().as_bytes())]);
    let (code, report) = run(folder.path(), &["history.json"]);
    assert_eq!((code, matters(&report).len()), (0, 0), "{report:#}");
    assert_eq!(list(&report, "findings").len(), 1, "{report:#}");
    history["configurationItems"][1]["configurationItemStatus"] = "ResourceDeleted".into();
    let folder = written(&[("history.json", history.to_string().as_bytes())]);
    let (code, report) = run(folder.path(), &["history.json"]);
    assert_eq!((code, list(&report, "findings").len()), (0, 0), "{report:#}");
}

#[test]
fn an_item_of_which_nothing_is_told_is_unknown() {
    let mut snapshot = json_of("aws-config/snapshot.json");
    snapshot["configurationItems"][1]["configuration"] = Value::Null;
    let folder = written(&[("snapshot.json", snapshot.to_string().as_bytes())]);
    let (_, report) = run(folder.path(), &["snapshot.json"]);
    assert_eq!(reasons(&report), ["`configuration` is not in the item"]);
}

#[test]
fn what_pulumi_is_replacing_is_not_linted() {
    let mut stack = json_of("pulumi/stack.json");
    let resources = stack["deployment"]["resources"].as_array_mut().unwrap();
    let mut old = resources[0].clone();
    old["delete"] = true.into();
    old["outputs"]["policy"] =
        old["outputs"]["policy"].as_str().unwrap().replace(PLAIN.0, PLAIN.1).into();
    resources.push(old);
    let folder = written(&[("stack.json", stack.to_string().as_bytes())]);
    let (code, report) = run(folder.path(), &["stack.json"]);
    assert_eq!((code, matters(&report).len()), (0, 0), "{report:#}");
}

#[test]
fn what_a_composition_puts_in_is_unknown() {
    let (_, report) = run(&root(), &["kubernetes/crossplane.yaml"]);
    assert_eq!(reasons(&report), ["`policy` is known only once it is composed"]);
}

#[test]
fn manifests_in_json_are_read() {
    let policy = r#"{"Statement": {"Effect": "Deny", "Action": "kms:ReEncrypt", "Resource": "*"}}"#;
    let manifest = json!({"apiVersion": "v1", "kind": "List", "items": [{
        "apiVersion": "iam.services.k8s.aws/v1alpha1", "kind": "Policy",
        "metadata": {"name": "mover"}, "spec": {"policyDocument": policy}}]});
    let folder = written(&[("list.json", manifest.to_string().as_bytes())]);
    let (code, report) = run(folder.path(), &["."]);
    let [finding] = *matters(&report) else { panic!("{report:#}") };
    assert_eq!((code, &finding["address"]), (1, &"Policy/mover".into()));
}

const KEY: &str =
    "aws/aws/accounts/111122223333/kms/us-east-1/key/1111aaaa-22bb-33cc-44dd-555555eeeeee";

/// A folder of iam-collect.
fn collected() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("iam-collect")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root().join("iam-collect")).unwrap();
                let name = name.to_string_lossy().replace('\\', "/");
                files.push((name, std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    files
}

fn collected_with(change: impl Fn(&str, String) -> Option<String>) -> tempfile::TempDir {
    let files = collected().into_iter();
    let files: Vec<_> =
        files.filter_map(|(name, text)| change(&name, text).map(|text| (name, text))).collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    written(&files)
}

#[test]
fn every_policy_of_iam_collect_is_linted_where_it_stands() {
    let folder = collected_with(|_, text| {
        let text = text.replace(PLAIN.0, PLAIN.1);
        Some(text.replace("kms:ScheduleKeyDeletion", PLAIN.1))
    });
    let account = "aws/aws/accounts/111122223333";
    let expected = [
        (format!("{account}/iam/policy/reencrypt/current-policy.json"), 7, 9),
        (format!("{account}/iam/role/mover/inline-policies.json"), 1, 102),
        (format!("{KEY}/policy.json"), 20, 9),
        ("aws/aws/organizations/o-exampleorgid/scps/p-denykms/policy.json".to_owned(), 1, 64),
    ];
    for words in [&["."][..], &["aws"], &["aws/aws"]] {
        let (code, report) = run(folder.path(), words);
        assert_eq!((code, places(&report)), (1, expected.to_vec()), "{words:?}: {report:#}");
    }
    // A part of the folder has no shape of its own, and its files have.
    let (code, report) = run(folder.path(), &[account]);
    assert_eq!((code, places(&report)), (1, expected[..3].to_vec()), "{report:#}");
}

#[test]
fn a_folder_of_iam_collect_never_passes_unread() {
    let folder = collected_with(|name, text| (!name.ends_with("/policy.json")).then_some(text));
    let (code, report) = run(folder.path(), &["."]);
    assert_eq!((code, reasons(&report)), (0, vec!["the key has no `policy.json`"]));
    let bucket = "aws/aws/accounts/111122223333/s3/bucket/b/policy.json";
    let folder = written(&[(bucket, b"{}"), ("other.json", BAD.as_bytes())]);
    unreadable(folder.path(), &["."], "aws/aws");
    let cut = collected_with(|name, text| {
        Some(if name.starts_with(KEY) { text[..text.len() / 2].to_owned() } else { text })
    });
    let (code, report) = run(cut.path(), &["."]);
    assert_eq!((code, list(&report, "unreadable").len()), (2, 3), "{report:#}");
}

/// What the text output shows of a file on one line.
fn text_of(name: &str, value: &Value) -> String {
    let folder = written(&[(name, value.to_string().as_bytes())]);
    let (code, out, err) = shown(folder.path(), &["--fail-level", "note", name]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(!out.contains("SECRET"), "{out}");
    assert!(!err.contains("SECRET"), "{err}");
    out
}

#[test]
fn neighbours_of_a_policy_are_not_shown() {
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Action": "kms:ReEncrypt", "Resource": "*"}]});
    let mut values = json!({"name": "SECRET", "policy": policy.to_string(), "zone": "SECRET"});
    let state = |kind: &str, values: &Value| {
        json!({"format_version": "1.0", "terraform_version": "1.11.4", "values": {"root_module": {
            "resources": [{"address": format!("{kind}.a"), "mode": "managed", "type": kind,
                           "name": "a", "values": values}]}}})
    };
    let out = text_of("state.json", &state("aws_iam_policy", &values));
    assert!(out.contains(r#"…"{\"Statement\""#), "{out}");
    // An empty document is marked as a whole; a grant has no text of its own.
    values["policy"] = "{}".into();
    text_of("state.json", &state("aws_iam_policy", &values));
    let grant = json!({"constraints": [], "grant_creation_tokens": ["SECRET"],
        "grant_token": "SECRET", "grantee_principal": "arn:aws:iam::111122223333:role/mover",
        "key_id": "1111aaaa-22bb-33cc-44dd-555555eeeeee",
        "operations": ["CreateGrant", "Decrypt", "ReEncryptFrom"], "tag": "SECRET"});
    text_of("state.json", &state("aws_kms_grant", &grant));
    let template = json!({"Resources": {
        "A": {"Type": "AWS::IAM::ManagedPolicy",
              "Properties": {"Description": "SECRET", "PolicyDocument": policy, "Z": "SECRET"}},
        "B": {"Type": "X::Y::Z", "Properties": {"Password": "SECRET"}}}});
    let out = text_of("template.json", &template);
    assert!(out.contains(r#""Action":"kms:ReEncrypt""#), "{out}");
    let item = json!({"configurationItems": [{"resourceType": "AWS::IAM::Role",
        "ARN": "arn:aws:iam::111122223333:role/mover",
        "configuration": json!({"a": "SECRET", "rolePolicyList": [
            {"policyDocument": policy.to_string()}], "z": "SECRET"}).to_string()}]});
    text_of("items.json", &item);
    let stack = json!({"version": 3, "deployment": {"resources": [{"urn": "urn:pulumi:a::b::c::d",
        "type": "aws:iam/policy:Policy", "outputs": {"a": "SECRET", "policy": policy, "z": "SECRET"}
    }]}});
    text_of("stack.json", &stack);
}

#[test]
fn a_name_says_what_a_broken_file_is() {
    let broken = b"{\n  \"a\": [\n    1 2\n  ],\n  \"b\": 1\n}\n";
    for name in ["a.template", "a.policy", "a.template.json", "limits.scp.json", "scps/a.json"] {
        let folder = written(&[(name, broken), ("other.json", BAD.as_bytes())]);
        unreadable(folder.path(), &["."], name);
    }
    // What makes texts of other kinds has the same ending.
    let other: &[(&str, &[u8])] = &[
        ("page.template", b"{% if a %}{{ b }}{% endif %}"),
        ("mail.template", b"Dear ${name},"),
        ("tsconfig.json", broken),
    ];
    let (code, report) = run(written(other).path(), &["."]);
    assert_eq!((code, list(&report, "unreadable").len()), (0, 0), "{report:#}");
}

#[test]
fn standard_input_may_have_any_shape() {
    let cases = [
        ("terraform/plan.json", "plans/tf.json"),
        ("terraform/terraform.tfstate", "a.tfstate"),
        ("cloudformation/template.yaml", "stack.yaml"),
        ("cdk/Stack.template.json", "x"),
        ("pulumi/stack.json", "stack"),
        ("aws-config/snapshot.json", "snapshot.json"),
        ("kubernetes/ack.yaml", "k8s/ack.yml"),
    ];
    for (file, name) in cases {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyproof"));
        let words = ["lint", "--isolated", "--format", "json", "--stdin-filename", name, "-"];
        command.args(words).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let bad = text(file).replacen(PLAIN.0, PLAIN.1, 1);
        child.stdin.take().unwrap().write_all(bad.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = places(&report);
        assert_eq!((output.status.code(), found.len()), (Some(1), 1), "{file}: {report:#}");
        assert_eq!(found[0].0, name);
    }
}

#[cfg(unix)]
fn pipe(path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn nobody_waits_for_a_pipe() {
    let folder = written(&[("other.json", BAD.as_bytes())]);
    pipe(&folder.path().join("pipe.json"));
    unreadable(folder.path(), &["pipe.json", "other.json"], "pipe.json");
    let (_, report) = run(folder.path(), &["pipe.json"]);
    assert_eq!(list(&report, "unreadable")[0]["message"], "is no regular file");
    // One that is found is no file, and is left out.
    let (code, report) = run(folder.path(), &["."]);
    assert_eq!((code, places(&report).len()), (1, 1), "{report:#}");
    // In a world it would be a fact.
    let world = collected_with(|_, text| Some(text));
    let policy = world.path().join(KEY).join("policy.json");
    std::fs::remove_file(&policy).unwrap();
    pipe(&policy);
    let (code, report) = run(world.path(), &["."]);
    assert_eq!((code, list(&report, "unreadable").len()), (2, 1), "{report:#}");
    // A baseline is no pipe either.
    for option in ["--baseline", "--write-baseline"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyproof"));
        command.args(["lint", "other.json", option, "pipe.json"]).current_dir(folder.path());
        let output = command.output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains("pipe.json: is no regular file"), "{err}");
    }
}

#[test]
fn aliases_of_manifests_are_bounded() {
    let mut bomb = String::from("apiVersion: kms.aws.upbound.io/v1beta1\nkind: Key\na0: &a0 [x]\n");
    for at in 1..20 {
        let repeated = vec![format!("*a{}", at - 1); 10].join(", ");
        bomb.push_str(&format!("a{at}: &a{at} [{repeated}]\n"));
    }
    let folder = written(&[("bomb.yaml", bomb.as_bytes()), ("other.json", BAD.as_bytes())]);
    unreadable(folder.path(), &["."], "bomb.yaml");
}
