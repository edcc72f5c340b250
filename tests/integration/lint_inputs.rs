//! The readers of files that declare or tell resources, held to where findings stand in them, to what they say is unknown, and to what they do with what cannot be read.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A file of `tests/inputs`, and what is told of it.
struct Case {
    file: &'static str,
    /// A part of the file, and what to write there for IAM007.
    mistake: (&'static str, &'static str),
    /// Line and column of the finding, and the resource it names.
    found: (u64, u64, &'static str),
    /// A part of the file, and what to write there to make something unknown.
    unknown: (&'static str, &'static str),
    /// What is said of it.
    reason: &'static str,
    /// A byte in the middle of something, where the file is cut.
    cut: &'static str,
}

const ACTION: (&str, &str) = ("kms:ReEncrypt*", "kms:ReEncrypt");
const SENSITIVE: (&str, &str) =
    (r#""sensitive_values": {}"#, r#""sensitive_values": {"policy": true}"#);

const CASES: &[Case] = &[
    Case {
        file: "terraform/plan.json",
        mistake: ACTION,
        found: (23, 324, "module.keys.aws_kms_key.src"),
        unknown: (r#""after_sensitive": {}"#, r#""after_sensitive": {"policy": true}"#),
        reason: "`policy` is sensitive",
        cut: "kms:ReEncrypt",
    },
    Case {
        file: "terraform/state.json",
        mistake: ACTION,
        found: (20, 322, "aws_kms_key.src"),
        unknown: SENSITIVE,
        reason: "`policy` is sensitive",
        cut: "kms:ReEncrypt",
    },
    Case {
        file: "terraform/terraform.tfstate",
        mistake: ACTION,
        found: (23, 322, "aws_kms_key.src[0]"),
        unknown: (
            r#""sensitive_attributes": []"#,
            r#""sensitive_attributes": [[{"type": "get_attr", "value": "policy"}]]"#,
        ),
        reason: "`policy` is sensitive",
        cut: "kms:ReEncrypt",
    },
    Case {
        file: "cloudformation/template.json",
        mistake: ACTION,
        found: (38, 18, "SourceKey"),
        unknown: (r#""kms:ReEncrypt*""#, r#"{"Ref": "Action"}"#),
        reason: "known only once it is deployed",
        cut: "kms:ReEncrypt",
    },
    Case {
        file: "cloudformation/template.yaml",
        mistake: ACTION,
        found: (22, 17, "SourceKey"),
        unknown: ("- kms:ReEncrypt*", "- !Ref Action"),
        reason: "known only once it is deployed",
        cut: "${AWS::Partition}",
    },
    // In a block scalar.
    Case {
        file: "cloudformation/template.yaml",
        mistake: (r#""kms:ReEncrypt*""#, r#""kms:ReEncrypt""#),
        found: (32, 23, "AppPolicy"),
        unknown: ("PolicyDocument: |", "PolicyDocument: !Sub |\n        ${Action}"),
        reason: "`PolicyDocument` is known only once it is deployed",
        cut: "${AWS::Partition}",
    },
    Case {
        file: "cloudformation/sam.yaml",
        mistake: ACTION,
        found: (16, 23, "Mover"),
        unknown: ("kms:ReEncrypt*", "!Ref Action"),
        reason: "known only once it is deployed",
        cut: "${AWS::Partition}",
    },
    Case {
        file: "cdk/Stack.template.json",
        mistake: ACTION,
        found: (16, 73, "Stack/Key/Resource"),
        unknown: (r#""kms:*""#, r#"{"Ref": "Action"}"#),
        reason: "known only once it is deployed",
        cut: "kms:ReEncrypt",
    },
    Case {
        file: "pulumi/stack.json",
        mistake: ACTION,
        found: (24, 321, "urn:pulumi:dev::app::aws:kms/key:Key::src"),
        unknown: (
            r#""description": "source""#,
            r#""policy": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}"#,
        ),
        reason: "`policy` is secret",
        cut: "kms:ReEncrypt",
    },
    Case {
        file: "pulumi/preview.json",
        mistake: ACTION,
        found: (15, 321, "urn:pulumi:dev::app::aws:kms/key:Key::src"),
        unknown: (
            r#""description": "source""#,
            r#""policy": "04da6b54-80e4-46f7-96ec-b56ff0331ba9""#,
        ),
        reason: "`policy` is known only after the update",
        cut: "kms:ReEncrypt",
    },
    Case {
        file: "aws-config/snapshot.json",
        mistake: ACTION,
        found: (27, 320, KEY),
        unknown: (r#""Policy": "#, r#""policy": "#),
        reason: "`Policy` is not in the item",
        cut: "kms:ReEncrypt",
    },
    // JSON in a string in JSON in a string.
    Case {
        file: "aws-config/history.json",
        mistake: ACTION,
        found: (19, 586, KEY),
        unknown: (r#""supplementaryConfiguration": "#, r#""supplementary": "#),
        reason: "`supplementaryConfiguration` is not in the item",
        cut: "kms:ReEncrypt",
    },
    // In quotes of YAML.
    Case {
        file: "kubernetes/crossplane.yaml",
        mistake: (r#""kms:ReEncrypt*","kms"#, r#""kms:ReEncrypt","kms"#),
        found: (44, 81, "Policy/mover"),
        unknown: ("    document:", "    documents:"),
        reason: "its policy is not told here",
        cut: "{ name: src }",
    },
];

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1111aaaa-22bb-33cc-44dd-555555eeeeee";

pub(crate) const BAD: &str = r#"{"Version": "2012-10-17", "Statement":
  {"Effect": "Deny", "Action": "kms:ReEncrypt", "Resource": "*"}}"#;

impl Case {
    fn text(&self) -> String {
        std::fs::read_to_string(root().join(self.file)).unwrap()
    }

    fn with(&self, (from, to): (&str, &str)) -> String {
        let text = self.text();
        assert!(text.contains(from), "{}: {from}", self.file);
        text.replacen(from, to, 1)
    }

    fn name(&self) -> &'static str {
        self.file.rsplit('/').next().unwrap()
    }
}

pub(crate) fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inputs")
}

pub(crate) fn written(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

/// Exit code, and the report in JSON.
pub(crate) fn run(folder: &Path, words: &[&str]) -> (i32, Value) {
    let (code, out, _) = shown(folder, &[&["--format", "json"], words].concat());
    (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}\n{out}")))
}

pub(crate) fn shown(folder: &Path, words: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyproof"));
    command.args(["lint", "--isolated"]).args(words).current_dir(folder).env_clear();
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

pub(crate) fn list<'v>(report: &'v Value, name: &str) -> &'v [Value] {
    report[name].as_array().unwrap_or_else(|| panic!("{name}: {report:#}"))
}

/// Findings that somebody would have to do something about.
pub(crate) fn matters(report: &Value) -> Vec<&Value> {
    list(report, "findings").iter().filter(|one| one["level"] != "note").collect()
}

#[test]
fn good_files_give_no_finding() {
    for case in CASES {
        let (code, report) = run(&root(), &[case.file]);
        assert_eq!((code, matters(&report).len()), (0, 0), "{}: {report:#}", case.file);
        assert_eq!(report["summary"]["files"], 1, "{}", case.file);
    }
}

#[test]
fn a_mistake_is_found_where_it_stands() {
    for case in CASES {
        let text = case.with(case.mistake);
        let folder = written(&[(case.name(), text.as_bytes())]);
        let (code, report) = run(folder.path(), &[case.name()]);
        let [finding] = *matters(&report) else { panic!("{}: {report:#}", case.file) };
        let start = &finding["span"]["start"];
        let place = (start["line"].as_u64().unwrap(), start["column"].as_u64().unwrap());
        let found = (place.0, place.1, finding["address"].as_str().unwrap());
        assert_eq!((code, &finding["code"]), (1, &"IAM007".into()), "{}", case.file);
        assert_eq!(found, case.found, "{}", case.file);
        let line = text.lines().nth(usize::try_from(place.0).unwrap() - 1).unwrap();
        let at = line.get(usize::try_from(place.1).unwrap() - 1..).unwrap();
        let at = at.trim_start_matches(['\\', '"']);
        assert!(at.starts_with("kms:ReEncrypt"), "{}: {at}", case.file);
    }
}

#[test]
fn what_is_unknown_is_told_and_gives_no_finding() {
    for case in CASES {
        let (_, good) = run(&root(), &[case.file]);
        let folder = written(&[(case.name(), case.with(case.unknown).as_bytes())]);
        let (code, report) = run(folder.path(), &[case.name()]);
        assert_eq!((code, matters(&report).len()), (0, 0), "{}: {report:#}", case.file);
        let count = |report: &Value| report["summary"]["unknown"].as_u64().unwrap();
        assert!(count(&report) >= count(&good).max(1), "{}: {report:#}", case.file);
        assert_ne!(report["unknown"], good["unknown"], "{}", case.file);
        let told = list(&report, "unknown").iter().any(|one| {
            one["reason"] == case.reason && case.found.2 == one["address"].as_str().unwrap()
        });
        assert!(told, "{}: {report:#}", case.file);
        let (_, out, err) = shown(folder.path(), &[case.name()]);
        let summary = format!("{} unknown value", count(&report));
        assert!(err.contains(&summary), "{}: {out}{err}", case.file);
    }
}

#[test]
fn a_resource_that_lacks_only_where_its_template_goes_is_judged() {
    const TEMPLATE: &str = r#"
Resources:
  Use:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          Effect: Allow
          Action: kms:Decrypt
          Resource: !Sub arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:alias/orders
"#;
    let found = |text: &str| {
        let folder = written(&[("template.yaml", text.as_bytes())]);
        let (_, report) = run(folder.path(), &["template.yaml"]);
        let findings = list(&report, "findings");
        let is_found = findings.iter().any(|it| it.to_string().contains("IAM011"));
        (is_found, list(&report, "unknown").len())
    };
    assert_eq!(found(TEMPLATE), (true, 0));
    assert_eq!(found(&TEMPLATE.replace("alias/orders", "${Name}")), (false, 1));
}

#[test]
fn a_principal_and_a_service_are_wrong_wherever_a_template_goes() {
    const TEMPLATE: &str = r#"
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: { AWS: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:root" }
            Action: kms:*
            Resource: "*"
          - Effect: Allow
            Principal: { AWS: !Sub "arn:aws:iam::${AWS::AccountId}:role/app" }
            Action: kms:Decrypt
            Resource: "*"
            Condition: { StringEquals: { kms:ViaService: !Sub "ec2.${AWS::Region}.amazonaws.com" } }
"#;
    let found = |from: &str, to: &str| {
        let folder = written(&[("template.yaml", TEMPLATE.replace(from, to).as_bytes())]);
        let (_, report) = run(folder.path(), &["template.yaml"]);
        matters(&report).into_iter().map(Value::to_string).collect::<String>()
    };
    assert_eq!(found("", ""), "");
    assert_eq!(
        found("\"arn:${AWS::Partition}:iam::${AWS::AccountId}:root\"", "\"${AWS::AccountId}\""),
        ""
    );
    assert!(found("role/app", "group/app").contains("SYN006"));
    assert!(found("role/app", "role/*").contains("SYN006"));
    assert!(found("ec2.$", "ebs.$").contains("CON026"));
}

#[test]
fn what_records_things_made_elsewhere_is_not_edited() {
    for case in CASES {
        let text = case.with(case.mistake);
        let folder = written(&[(case.name(), text.as_bytes())]);
        run(folder.path(), &[case.name(), "--fix", "--unsafe-fixes"]);
        let after = std::fs::read_to_string(folder.path().join(case.name())).unwrap();
        let is_source = case.file.starts_with("cloudformation/") || case.file.starts_with("cdk/");
        assert!(after == text || is_source, "{}", case.file);
    }
}

#[test]
fn an_account_told_by_the_aws_cli_is_linted() {
    let details = serde_json::json!({"UserDetailList": [], "GroupDetailList": [], "Policies": [],
    "RoleDetailList": [{
        "Arn": "arn:aws:iam::111122223333:role/app", "RoleName": "app",
        "RolePolicyList": [{"PolicyName": "use", "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Action": "kms:ReEncrypt", "Resource": "*"}],
        }}],
    }]});
    let folder = written(&[("iam-details.json", format!("{details:#}").as_bytes())]);
    let (code, report) = run(folder.path(), &["iam-details.json"]);
    assert_eq!(code, 1, "{report:#}");
    assert!(report["findings"].to_string().contains("IAM007"), "{report:#}");
}

#[test]
fn a_policy_known_only_after_apply_is_told() {
    let text = std::fs::read_to_string(root().join("terraform/plan.json")).unwrap();
    let mut plan: Value = serde_json::from_str(&text).unwrap();
    let module = &mut plan["planned_values"]["root_module"]["child_modules"][0];
    module["resources"][0]["values"].as_object_mut().unwrap().remove("policy");
    let change = &mut plan["resource_changes"][0]["change"];
    change["after_unknown"]["policy"] = true.into();
    let folder = written(&[("plan.json", plan.to_string().as_bytes())]);
    let (code, report) = run(folder.path(), &["plan.json"]);
    assert_eq!((code, list(&report, "findings").len()), (0, 0), "{report:#}");
    assert_eq!(list(&report, "unknown")[0]["reason"], "`policy` is known after apply");
}

#[test]
fn a_cut_file_is_told_and_the_others_are_linted() {
    for case in CASES {
        let text = case.text();
        let end = text.find(case.cut).unwrap() + 3;
        let cut = &text.as_bytes()[..end];
        let folder = written(&[(case.name(), cut), ("other.json", BAD.as_bytes())]);
        unreadable(folder.path(), &[case.name(), "other.json"], case.name());
        unreadable(folder.path(), &["."], case.name());
    }
}

#[test]
fn a_mistake_of_grammar_in_a_found_file_is_told() {
    for case in CASES.iter().filter(|case| !case.file.ends_with("yaml")) {
        let text = case.text().replacen(",\n", "\n", 1);
        let folder = written(&[(case.name(), text.as_bytes()), ("other.json", BAD.as_bytes())]);
        unreadable(folder.path(), &["."], case.name());
    }
    let cut = written(&[("terraform.tfstate", b""), ("other.json", BAD.as_bytes())]);
    unreadable(cut.path(), &["."], "terraform.tfstate");
    // What is no file of ours is not ours to judge.
    let foreign = written(&[("tsconfig.json", b"{ // strict\n \"strict\": true,\n}")]);
    let (code, report) = run(foreign.path(), &["."]);
    assert_eq!((code, list(&report, "unreadable").len()), (0, 0), "{report:#}");
}

/// One file is said to be unreadable, with exit code 2, and the finding in the other is there.
pub(crate) fn unreadable(folder: &Path, words: &[&str], name: &str) {
    let (code, report) = run(folder, words);
    assert_eq!(code, 2, "{name} in {words:?}: {report:#}");
    let told: Vec<_> = list(&report, "unreadable").iter().map(|one| &one["file"]).collect();
    assert_eq!(told, [name], "{words:?}: {report:#}");
    let other = matters(&report).iter().any(|one| one["file"] == "other.json");
    assert!(other, "{name} in {words:?}: {report:#}");
}

#[test]
fn what_is_too_much_or_no_text_is_told_and_the_others_are_linted() {
    let mut bomb = String::from("AWSTemplateFormatVersion: '2010-09-09'\nA0: &a0 [x, x, x, x]\n");
    for at in 1..20 {
        let repeated = vec![format!("*a{}", at - 1); 10].join(", ");
        bomb.push_str(&format!("A{at}: &a{at} [{repeated}]\n"));
    }
    bomb.push_str("Resources: { K: { Type: AWS::KMS::Key, Properties: { KeyPolicy: *a19 } } }\n");
    let zeros = format!("[{}0]", "0,".repeat(20_000_000));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let binary: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    let invalid = b"{\"Version\": \"2012-10-17\", \"Statement\": \"\xff\"}";
    let broken: &[(&str, &[u8], &str)] = &[
        ("bomb.yaml", bomb.as_bytes(), "holds more than 500000 values"),
        ("zeros.json", zeros.as_bytes(), "cannot be read: more than 3000000 values"),
        ("deep.json", deep.as_bytes(), "cannot be read: "),
        ("binary.json", &binary, "is binary"),
        ("invalid.json", invalid, "is not UTF-8 text"),
        ("sparse.json", b"", "is larger than 64 MiB, and is not read"),
    ];
    for (name, bytes, message) in broken {
        let folder = written(&[(name, bytes), ("other.json", BAD.as_bytes())]);
        if *name == "sparse.json" {
            let file = std::fs::File::options().write(true).open(folder.path().join(name)).unwrap();
            file.set_len(200 * 1024 * 1024).unwrap();
        }
        for words in [&["."][..], &[name, "other.json"]] {
            unreadable(folder.path(), words, name);
        }
        let (_, report) = run(folder.path(), &["."]);
        let told = list(&report, "unreadable")[0]["message"].as_str().unwrap();
        assert!(told.starts_with(message), "{name}: {told}");
    }
}

#[cfg(unix)]
#[test]
fn links_that_lead_back_are_told_and_the_others_are_linted() {
    let folder = written(&[("a/b/other.json", BAD.as_bytes())]);
    std::os::unix::fs::symlink("../..", folder.path().join("a/b/loop")).unwrap();
    let (code, report) = run(folder.path(), &["."]);
    assert_eq!((code, matters(&report).len()), (2, 1), "{report:#}");
    assert_eq!(list(&report, "unreadable")[0]["file"], "a/b/loop");
}

#[test]
fn every_template_of_a_cdk_out_is_linted() {
    let template = std::fs::read_to_string(root().join("cdk/Stack.template.json")).unwrap();
    let template = template.replace("kms:ReEncrypt*", "kms:ReEncrypt");
    let manifest = std::fs::read(root().join("cdk/manifest.json")).unwrap();
    let folder = written(&[
        ("app/cdk.out/One.template.json", template.as_bytes()),
        ("app/cdk.out/assembly-Stage/Two.template.json", template.as_bytes()),
        ("app/cdk.out/manifest.json", &manifest),
    ]);
    let files = |words: &[&str]| -> Vec<String> {
        let (_, report) = run(folder.path(), words);
        assert_eq!(list(&report, "unreadable").len(), 0, "{report:#}");
        let found = matters(&report).into_iter();
        found.map(|one| one["file"].as_str().unwrap().to_owned()).collect()
    };
    let both = ["app/cdk.out/One.template.json", "app/cdk.out/assembly-Stage/Two.template.json"];
    assert_eq!(files(&["."]), both);
    assert_eq!(files(&["app/cdk.out"]), both);
    // Ignored, it is left out of a folder, and linted when it is named.
    for pattern in ["cdk.out", "cdk.out/*", "*.template.json"] {
        std::fs::write(folder.path().join("app/.gitignore"), pattern).unwrap();
        assert_eq!(files(&["."]), [""; 0], "{pattern}");
        assert_eq!(files(&["app/cdk.out"]), both, "{pattern}");
    }
}
