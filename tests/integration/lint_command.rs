//! `keyproof lint` over files and folders: what it walks, writes, mends and survives.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use std::sync::Arc;

use keyproof::lint::{Annotation, Diagnostic, Fix, Level, Origin, Place, RULES, SourceFile};
use keyproof::model::Span;
use keyproof::report::{LintReport, Resolver, Style, lint_json, lint_sarif, lint_text};
use serde_json::Value;

const BAD: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    { "Effect": "Deny", "Action": "kms:ReEncrypt", "Resource": "*" }
  ]
}
"#;

const GOOD: &str = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "kms:ReEncrypt*", "Resource": "*"}}"#;

/// A folder to lint in.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            folder.write(name, text.as_bytes());
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyproof"));
        command.arg("lint").args(words.split_whitespace()).current_dir(self.0.path()).env_clear();
        command
    }

    /// Exit code, standard output and standard error; one rule runs, so that others may be added.
    fn run(&self, words: &str) -> (i32, String, String) {
        ended(&self.command(&format!("--select IAM007,SYN,SUP {words}")).output().unwrap())
    }

    fn json(&self, words: &str) -> Value {
        let (_, out, err) = self.run(&format!("--format json {words}"));
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}\n{out}{err}"))
    }

    /// The files with findings.
    fn found(&self, words: &str) -> Vec<String> {
        let report = self.json(words);
        let files = report["findings"].as_array().unwrap().iter();
        files.map(|one| one["file"].as_str().unwrap().to_owned()).collect()
    }
}

fn ended(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn schema(path: &str) -> jsonschema::Validator {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    // One pattern of SARIF's, for the language of messages, has a bracket too many, which regular
    // expressions of Unicode do not take.
    let text = text.replace("{2}]?$", "{2}$");
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

/// A folder with every kind of thing a report can hold.
fn everything() -> Folder {
    let folder = Folder::new(&[
        ("a.json", BAD),
        ("b c.json", BAD),
        ("old.json", BAD),
        ("cut.json", "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\""),
        ("good.json", GOOD),
        (
            "keyproof.toml",
            "[[lint.suppress]]\nrules = [\"IAM007\"]\npath = \"a.json\"\nreason = \"known\"\n\
             [[lint.suppress]]\nrules = [\"KEY\"]\npath = \"nothing\"\nreason = \"gone\"\n",
        ),
    ]);
    let world = root().join("policies/hazards/one-sided-re-encryption.json");
    std::fs::copy(world, folder.path("sides.json")).unwrap();
    let (code, _, err) = folder.run("old.json --write-baseline baseline.json");
    assert_eq!(code, 0, "{err}");
    folder
}

#[test]
fn reports_match_their_schemas() {
    let folder = everything();
    let lint = schema("docs/schema/lint-1.json");
    let sarif = schema("tests/fixtures/sarif/sarif-schema-2.1.0.json");
    for (format, schema) in [("json", &lint), ("sarif", &sarif)] {
        let output = folder
            .command(&format!("--format {format} --baseline baseline.json"))
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let errors: Vec<String> = schema
            .iter_errors(&report)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{format}\n{}\n{report:#}", errors.join("\n"));
        if format == "sarif" {
            let run = &report["runs"][0];
            let results = run["results"].as_array().unwrap();
            let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
            let suppressed: Vec<&str> = results
                .iter()
                .filter_map(|one| one["suppressions"][0]["justification"].as_str())
                .collect();
            assert_eq!(suppressed, ["known", "in the baseline"]);
            for result in results {
                let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
                assert_eq!(rules[index]["id"], result["ruleId"]);
                assert!(result["partialFingerprints"]["contentHash/v1"].is_string());
            }
            let uris: Vec<&str> = results
                .iter()
                .map(|one| &one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
                .map(|uri| uri.as_str().unwrap())
                .collect();
            assert!(uris.contains(&"b%20c.json"), "{uris:?}");
            assert_eq!(run["invocations"][0]["executionSuccessful"], false);
        }
    }
    let wrong = serde_json::json!({"schema": "keyproof/lint/1", "findings": []});
    assert!(!lint.is_valid(&wrong));
    assert!(!sarif.is_valid(&serde_json::json!({"version": "2.1.0", "runs": [{}]})));
}

/// A finding with all parts, in two files, one of which is a string in JSON.
fn with_related() -> LintReport {
    let file =
        |name: &str, text: &str| Arc::new(SourceFile { name: name.into(), text: text.into() });
    let plan = r#"{"policy": "{\"Statement\": [\n1,\n2]}"}"#;
    let start = plan.find("\"{").unwrap();
    let inner = "{\"Statement\": [\n1,\n2]}";
    let literal = Span::new(start, plan.len() - 1);
    let origin = Origin::json_string(file("plan.json", plan), literal, inner);
    let origin = Arc::new(origin.with_address("aws_kms_key.a"));
    let list = inner.find('[').unwrap();
    let place = |span| Place { origin: Arc::clone(&origin), span };
    let other = Arc::new(Origin::file(file("other.json", "{\n  \"a\": [\n  ]\n}\n")));
    let rule = RULES.iter().copied().find(|rule| rule.name == "one-sided-re-encryption").unwrap();
    let diagnostic = Diagnostic {
        rule,
        level: Level::Warning,
        message: "half a door".into(),
        help: Some("open the other half".into()),
        place: place(Span::new(list, list + 7)),
        related: vec![
            Annotation { place: place(Span::new(list + 2, list + 3)), message: "here".into() },
            Annotation {
                place: Place { origin: other, span: Span::new(9, 14) },
                message: "and there".into(),
            },
        ],
        fix: Some(Fix::safe("write 3").replace(Span::new(list + 2, list + 3), "\"3\"")),
        statement: None,
    };
    let mut report = LintReport {
        files: vec!["plan.json".into(), "other.json".into()],
        findings: vec![Resolver::default().found(&diagnostic)],
        accepted: Vec::new(),
        unknown: Vec::new(),
        unreadable: Vec::new(),
        fail_level: Level::Warning,
    };
    report.settle();
    report
}

#[test]
fn related_places_are_shown_with_their_words() {
    let report = with_related();
    let mut text = Vec::new();
    lint_text(&mut text, &report, Style::Plain).unwrap();
    let expected = r#"warning[WLD008]: half a door
 --> plan.json:1:29 (aws_kms_key.a)
  |
1 | {"policy": "{\"Statement\": [\n1,\n2]}"}
  |                             ^^^^^^^^^
  |
1 | {"policy": "{\"Statement\": [\n1,\n2]}"}
  |                                - here
 ::: other.json:2:8
  |
2 |   "a": [
  |        - … to line 3 and there
  = rule: one-sided-re-encryption
  = help: open the other half
  = fix: write 3

"#;
    assert_eq!(String::from_utf8(text).unwrap(), expected);
    let sarif = lint_sarif(&report);
    let errors = schema("tests/fixtures/sarif/sarif-schema-2.1.0.json");
    assert!(errors.is_valid(&sarif), "{sarif:#}");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["relatedLocations"][1]["message"]["text"], "and there");
    assert_eq!(
        result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"],
        "aws_kms_key.a"
    );
    let change = &result["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(change["insertedContent"]["text"], "\\\"3\\\"");
    assert!(schema("docs/schema/lint-1.json").is_valid(&lint_json(&report)));
}

#[test]
fn columns_of_sarif_count_utf16_units() {
    let text = r#"{"Version": "2012-10-17", "Id": "😀é", "Statement": {"Effect": "Deny", "Action": "kms:ReEncrypt", "Resource": "*"}}"#;
    let folder = Folder::new(&[("a.json", text)]);
    let (_, out, _) = folder.run("--select IAM007 --format sarif");
    let report: Value = serde_json::from_str(&out).unwrap();
    let region = &report["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
    let before = &text[..text.find("\"kms:").unwrap()];
    assert_eq!(region["startColumn"], before.encode_utf16().count() + 1);
    let json = folder.json("--select IAM007");
    assert_eq!(json["findings"][0]["span"]["start"]["column"], before.chars().count() + 1);
}

#[test]
fn gitlab_fingerprints_are_unique_and_stay_when_lines_move() {
    let twice = BAD.replace(
        "    { \"Effect\"",
        "    { \"Effect\": \"Deny\", \"Action\": \"kms:ReEncrypt\", \"Resource\": \"*\" },\n    { \"Effect\"",
    );
    let folder = Folder::new(&[("a.json", &twice), ("b.json", BAD)]);
    let fingerprints = || -> Vec<String> {
        let (_, out, _) = folder.run("--select IAM007 --format gitlab");
        let report: Value = serde_json::from_str(&out).unwrap();
        let all = report.as_array().unwrap().iter();
        all.map(|one| one["fingerprint"].as_str().unwrap().to_owned()).collect()
    };
    let before = fingerprints();
    assert_eq!(before.len(), 3);
    assert!(before[0] != before[1] && before[1] != before[2] && before[0] != before[2]);
    folder.write("a.json", twice.replace('{', "\n{").as_bytes());
    assert_eq!(fingerprints(), before);
}

#[test]
fn folders_are_walked_as_git_sees_them() {
    let folder = Folder::new(&[
        (".gitignore", "ignored/\n"),
        ("ignored/a.json", BAD),
        (".hidden/a.json", BAD),
        ("deep/down/a.json", BAD),
        ("a.json", BAD),
        ("a.txt", BAD),
        ("package.json", "{\"name\": \"x\"}"),
        ("tsconfig.json", "{\n  // comment\n  \"a\": 1,\n}"),
        ("notes.yaml", "a: 1\n"),
        ("empty.json", ""),
        ("vendor/a.json", BAD),
    ]);
    assert_eq!(folder.found("--exclude vendor"), ["a.json", "deep/down/a.json"]);
    assert_eq!(folder.found("a.txt ./deep"), ["a.txt", "deep/down/a.json"]);
    assert_eq!(folder.found("**/a.* --exclude=vendor"), ["a.json", "a.txt", "deep/down/a.json"]);
    assert_eq!(folder.found("a.json ./a.json . --exclude vendor --exclude deep"), ["a.json"]);
    let (code, _, err) = folder.run(". --exclude vendor --exit-zero");
    assert_eq!(code, 0, "{err}");
    folder.write("keyproof.toml", b"[lint]\nexclude = [\"vendor\", \"/deep\"]\n");
    assert_eq!(folder.found(""), ["a.json"]);
    assert_eq!(folder.found("--isolated --exclude deep"), ["a.json", "vendor/a.json"]);
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_linted() {
    let folder = Folder::new(&[("a.json", BAD), ("cut.json", "{\"Version\": [1,\n 2")]);
    folder.write("binary.json", b"\x7fELF\x00\x01\xff");
    folder.write("utf16.json", b"\xff\xfe{\x00");
    std::fs::File::create(folder.path("huge.json")).unwrap().set_len(1 << 30).unwrap();
    std::os::unix::fs::symlink(".", folder.path("loop")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path("dangling.json")).unwrap();
    let deep = "[".repeat(100_000);
    folder.write("deep.json", deep.as_bytes());
    let (code, out, err) = folder.run("--format concise");
    assert_eq!(code, 2, "{err}");
    assert!(out.contains("a.json:4:35: error[IAM007]"), "{out}");
    for told in [
        "binary.json:1:7: is binary",
        "cut.json:2:2: ends before its JSON does",
        "utf16.json:1:1: is UTF-16 text",
        "huge.json: is larger than 64 MiB",
        "loop: is a link that leads back to `.`",
        "dangling.json: No such file",
    ] {
        assert!(err.contains(told), "{told}\n{err}");
    }
}

#[test]
fn memory_stays_bounded() {
    let folder = Folder::new(&[("a.json", BAD)]);
    std::fs::File::create(folder.path("huge.json")).unwrap().set_len(1 << 30).unwrap();
    folder.write("deep.json", "[{\"a\":".repeat(1 << 20).as_bytes());
    // A million values in a shape that is read.
    let many = format!("{{\"Statement\": [{}1]}}", "1,".repeat(1 << 20));
    folder.write("many.json", many.as_bytes());
    let program = env!("CARGO_BIN_EXE_keyproof");
    let limited = format!("ulimit -v 1500000; exec {program} lint --format concise");
    let output =
        Command::new("sh").args(["-c", &limited]).current_dir(folder.0.path()).output().unwrap();
    let (code, out, err) = ended(&output);
    assert_eq!(code, 2, "{err}");
    assert!(out.contains("a.json"), "{out}\n{err}");
}

#[test]
fn a_terminal_is_told_nothing() {
    let text = "{\"Version\": \"2012-10-17\", \"Statement\": {\"Effect\": \"Allow\u{202e}\u{9b}31m\x7f\", \"Action\": \"kms:ReEncrypt\", \"Resource\": \"*\"}}";
    let folder = Folder::new(&[("a.json", text)]);
    folder.write("x\x1b[31m\n.json", BAD.as_bytes());
    for format in ["text", "concise", "json", "sarif", "github", "gitlab", "junit"] {
        let (_, out, err) = folder.run(&format!("--format {format}"));
        let obeyed = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        let is_data = matches!(format, "json" | "sarif" | "gitlab" | "junit");
        let shown = out.replace('\u{202e}', if is_data { "" } else { "\u{202e}" });
        assert!(!shown.contains(obeyed), "{format}: {out:?}");
        assert!(!err.contains(|c: char| c.is_control() && c != '\n'), "{format}: {err:?}");
    }
}

#[test]
fn colour_is_for_terminals_and_those_who_ask() {
    let folder = Folder::new(&[("a.json", BAD)]);
    assert!(!folder.run("").1.contains('\x1b'));
    assert!(folder.run("--color always").1.contains("\x1b[1m\x1b[31merror[IAM007]"));
    folder.run("--color always --output found.txt");
    let written = folder.text("found.txt");
    assert!(written.starts_with("error[IAM007]"), "{written}");
}

#[test]
fn the_order_does_not_depend_on_threads() {
    let folder = Folder::new(&[]);
    for number in 0..60 {
        folder.write(&format!("{}/{number}.json", number % 7), BAD.as_bytes());
    }
    let one = folder.run("--jobs 1 --format json").1;
    assert_eq!(one.matches("IAM007\"").count(), 60);
    for _ in 0..3 {
        assert_eq!(folder.run("--jobs 5 --format json").1, one);
    }
}

#[test]
fn fixes_keep_the_format_and_are_written_whole() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new(&[("a.json", BAD), ("good.json", GOOD)]);
    let mode = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(folder.path("a.json"), mode).unwrap();
    let (code, diff, _) = folder.run("--diff");
    assert_eq!(code, 1);
    assert!(diff.contains("+    { \"Effect\": \"Deny\", \"Action\": \"kms:ReEncrypt*\""), "{diff}");
    assert_eq!(folder.text("a.json"), BAD);
    let (code, _, err) = folder.run("--fix");
    assert_eq!(code, 0, "{err}");
    assert_eq!(folder.text("a.json"), BAD.replace("kms:ReEncrypt", "kms:ReEncrypt*"));
    assert_eq!(folder.path("a.json").metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(folder.run("--diff"), (0, String::new(), String::new()));
    assert_eq!(std::fs::read_dir(folder.0.path()).unwrap().count(), 2);
}

#[test]
fn an_unsafe_fix_wants_a_word() {
    let allow = BAD.replace("Deny", "Allow");
    let folder = Folder::new(&[("a.json", &allow)]);
    assert_eq!(folder.run("--fix").0, 1);
    assert_eq!(folder.text("a.json"), allow);
    assert_eq!(folder.run("--unsafe-fixes").0, 2);
    assert_eq!(folder.run("--fix --unsafe-fixes").0, 0);
    assert_eq!(folder.text("a.json"), allow.replace("kms:ReEncrypt", "kms:ReEncrypt*"));
}

#[test]
fn a_policy_in_a_string_is_mended_where_it_stands() {
    let inner = GOOD
        .replace("ReEncrypt*", "ReEncrypt")
        .replace("\"Effect\"", "\"Principal\": \"*\", \"Effect\"");
    let file = serde_json::json!({"Policy": inner, "PolicyName": "default"}).to_string();
    let folder = Folder::new(&[("a.json", &file)]);
    folder.run("--fix");
    assert_eq!(folder.text("a.json"), file.replace("kms:ReEncrypt", "kms:ReEncrypt*"));
}

#[test]
fn a_world_is_linted_as_one_and_mended() {
    let folder = Folder::new(&[]);
    let bundle =
        std::fs::read_to_string(root().join("policies/hazards/one-sided-re-encryption.json"));
    let bundle: Value = serde_json::from_str(&bundle.unwrap()).unwrap();
    for (name, file) in bundle.as_object().unwrap() {
        folder.write(&format!("world/{name}"), format!("{file:#}").as_bytes());
    }
    assert!(folder.json("--select WLD")["findings"][0]["code"] == "WLD008");
    let policy = "world/scps/p-limits.json";
    folder.write(policy, BAD.as_bytes());
    assert_eq!(folder.run("--select IAM007 --diff").0, 1);
    assert_eq!(folder.run("--select IAM007 --fix").0, 0);
    assert!(folder.text(policy).contains("kms:ReEncrypt*"));
    // One file that is wrong takes none of the others away.
    folder.write("world/accounts/111122223333/iam.json", b"{");
    folder.write(policy, BAD.as_bytes());
    let (code, out, err) = folder.run("--select IAM007 --format concise");
    assert_eq!(code, 2);
    assert!(err.contains("iam.json:1:"), "{err}");
    assert!(out.contains("p-limits.json:4:35"), "{out}");
    // Nor does a policy of one key take the facts of another account away.
    let key = "world/accounts/444455556666/regions/eu-central-1/keys/1234abcd-12ab-34cd-56ef-1234567890ab";
    folder.write(&format!("{key}/policy.json"), b"{");
    let iam = serde_json::json!({"RoleDetailList": [{
        "Arn": "arn:aws:iam::111122223333:role/a", "RoleName": "a",
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": BAD}],
    }]});
    folder.write("world/accounts/111122223333/iam.json", format!("{iam:#}").as_bytes());
    let (code, out, err) = folder.run("--select IAM007 --format concise");
    assert_eq!(code, 2);
    assert!(err.contains("policy.json:1:") && !err.contains("iam.json"), "{err}");
    assert!(out.contains("iam.json") && out.contains("p-limits.json"), "{out}");
}

#[test]
fn a_baseline_holds_when_lines_and_files_move_and_does_not_when_content_does() {
    let folder = Folder::new(&[("a.json", BAD)]);
    let (code, _, err) = folder.run("--write-baseline base.json");
    assert_eq!(code, 0, "{err}");
    let known = "--baseline base.json";
    assert_eq!(folder.run(known).0, 0);
    folder.write("a.json", BAD.replace("    {", "\n\n   {").as_bytes());
    assert_eq!(folder.run(known).0, 0);
    std::fs::rename(folder.path("a.json"), folder.path("b.json")).unwrap();
    assert_eq!(folder.run(known).0, 0);
    let report = folder.json(known);
    assert_eq!(report["accepted"][0]["accepted"]["by"], "baseline");
    assert_eq!(report["summary"]["baseline"], 1);
    // One was accepted, not two.
    folder.write("a.json", BAD.as_bytes());
    assert_eq!(folder.found(known), ["b.json"]);
    std::fs::remove_file(folder.path("b.json")).unwrap();
    folder.write("a.json", BAD.replace("\"*\"", "\"arn:aws:kms:*:*:key/*\"").as_bytes());
    assert_eq!(folder.found(known), ["a.json"]);
    folder.write("keyproof.toml", b"[lint]\nbaseline = \"base.json\"\n");
    folder.write("a.json", BAD.as_bytes());
    assert_eq!(folder.run("").0, 0);
    assert_eq!(folder.run("--isolated").0, 1);
    let (code, _, err) = folder.run("--write-baseline a.json");
    assert_eq!(code, 2);
    assert!(err.contains("would overwrite a file that is linted"), "{err}");
    folder.write("mine.txt", b"mine");
    assert_eq!(folder.run("--write-baseline mine.txt").0, 2);
    assert_eq!(folder.text("mine.txt"), "mine");
    folder.write("base.json", b"{}");
    assert_eq!(folder.run(known).0, 2);
}

#[test]
fn settings_by_path_and_level() {
    let folder = Folder::new(&[
        ("policies/a.json", BAD),
        ("scp/b.json", BAD),
        ("old/c.json", BAD),
        (
            "keyproof.toml",
            "[lint]\nfail-level = \"error\"\n[lint.severity]\nIAM007 = \"warning\"\n\
             [lint.per-path.\"old/**\"]\nignore = [\"IAM007\"]\n\
             [lint.per-path.\"scp\"]\nkind = \"scp\"\nseverity = { IAM007 = \"error\" }\n",
        ),
    ]);
    let report = folder.json("");
    let found: Vec<(&str, &str)> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["file"].as_str().unwrap(), one["level"].as_str().unwrap()))
        .collect();
    assert_eq!(found, [("policies/a.json", "warning"), ("scp/b.json", "error")]);
    assert_eq!(folder.run("policies").0, 0);
    assert_eq!(folder.run("policies --fail-level warning").0, 1);
    assert_eq!(folder.run("policies --fail-level warning --exit-zero").0, 0);
    // The configuration of a folder above, and the kind it tells.
    folder.write(
        "scp/p.json",
        BAD.replace("\"Effect\"", "\"Principal\": \"*\", \"Effect\"").as_bytes(),
    );
    let mut command = folder.command("--format concise --select SYN010 p.json");
    let (_, out, err) = ended(&command.current_dir(folder.path("scp")).output().unwrap());
    assert!(out.contains("a service control policy must not have `Principal`"), "{out}{err}");
}

#[test]
fn the_configuration_is_looked_for_up_to_the_repository() {
    let folder =
        Folder::new(&[("keyproof.toml", "[lint]\nselect = [\"KEY\"]\n"), ("repo/sub/a.json", BAD)]);
    let lint = |words: &str| {
        let mut command = folder.command(words);
        ended(&command.current_dir(folder.path("repo/sub")).output().unwrap())
    };
    assert_eq!(lint("").0, 0);
    assert_eq!(lint("--config lint.select=[\"IAM007\"]").0, 1);
    std::fs::create_dir(folder.path("repo/.git")).unwrap();
    assert_eq!(lint("--select IAM007").0, 1);
    assert_eq!(lint("").0, 1);
    assert_eq!(lint("--config ../../keyproof.toml").0, 0);
    folder.write("repo/keyproof.toml", b"[lint]\nsuppres = []\n");
    let (code, _, err) = lint("");
    assert_eq!(code, 2);
    assert!(
        err.contains("keyproof.toml:2:1: there is no member `suppres`; did you mean `suppress`?"),
        "{err}"
    );
}

#[test]
fn suppressions_name_statements_and_are_judged_when_all_was_linted() {
    let folder = Folder::new(&[("a.json", BAD), ("b.json", BAD)]);
    let hash = folder.json("")["findings"][0]["statement"]["hash"].as_str().unwrap().to_owned();
    let entry = |more: &str| {
        format!(
            "[[lint.suppress]]\nrules = [\"re-encrypt-without-star\"]\nreason = \"known\"\n{more}\n"
        )
    };
    let codes = |words: &str| -> Vec<String> {
        let report = folder.json(words);
        let all = report["findings"].as_array().unwrap().iter();
        all.map(|one| {
            format!("{} {}", one["code"].as_str().unwrap(), one["file"].as_str().unwrap())
        })
        .collect()
    };
    for (more, left) in [
        (format!("hash = \"{hash}\""), vec![]),
        (
            "pointer = \"/Statement/0\"\npath = [\"a.json\", \"c.json\"]".to_owned(),
            vec!["IAM007 b.json"],
        ),
        ("path = \"b.json\"\nexpires = 2999-01-01".to_owned(), vec!["IAM007 a.json"]),
        (
            "path = \"b.json\"\nexpires = 2020-01-01".to_owned(),
            vec!["IAM007 a.json", "IAM007 b.json", "SUP001 keyproof.toml"],
        ),
        (
            "sid = \"None\"".to_owned(),
            vec!["IAM007 a.json", "IAM007 b.json", "SUP002 keyproof.toml"],
        ),
        (
            "address = \"aws_kms_key.a\"".to_owned(),
            vec!["IAM007 a.json", "IAM007 b.json", "SUP002 keyproof.toml"],
        ),
    ] {
        folder.write("keyproof.toml", entry(&more).as_bytes());
        assert_eq!(codes(""), left, "{more}");
    }
    assert_eq!(codes("a.json"), ["IAM007 a.json"]);
    assert_eq!(codes("--exclude a.json"), ["IAM007 b.json"]);
    // A rule that does not run needs no suppression.
    assert!(folder.command("--select SUP").status().unwrap().success());
    folder.write("keyproof.toml", b"[[lint.suppress]]\nrules = [\"IAM007\"]\n");
    let (code, _, err) = folder.run("");
    assert_eq!(code, 2);
    assert!(err.contains("missing field `reason`"), "{err}");
}

#[test]
fn reports_are_written_whole_and_over_no_input() {
    let folder = Folder::new(&[("a.json", BAD)]);
    assert_eq!(folder.run("--format sarif --output found.json").0, 1);
    assert_eq!(folder.run("--format sarif --output found.json").0, 1);
    assert!(folder.text("found.json").contains("\"2.1.0\""));
    let (code, _, err) = folder.run("--output a.json");
    assert_eq!((code, folder.text("a.json").as_str()), (2, BAD), "{err}");
    assert_eq!(folder.run("--output no/such/folder").0, 2);
}

#[test]
fn standard_input_has_a_name() {
    let folder = Folder::new(&[]);
    let mut command =
        folder.command("- --select IAM007 --format concise --stdin-filename dir/x.json");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    std::io::Write::write_all(&mut running.stdin.take().unwrap(), BAD.as_bytes()).unwrap();
    let (code, out, _) = ended(&running.wait_with_output().unwrap());
    assert_eq!(code, 1);
    assert!(out.starts_with("dir/x.json:4:35: error[IAM007]"), "{out}");
}

#[test]
fn junit_of_the_linter_is_read_by_a_junit_parser() {
    let folder = everything();
    let (_, out, _) = folder.run("--format junit --exit-zero");
    let suites = junit_parser::from_reader(out.as_bytes()).unwrap();
    assert_eq!(suites.errors, 1);
    assert_eq!(suites.tests, suites.suites.iter().map(|suite| suite.tests).sum::<u64>());
    assert!(suites.failures >= 3, "{out}");
}

#[test]
fn the_configuration_of_the_documents_is_one() {
    let page = std::fs::read_to_string(root().join("docs/cli.md")).unwrap();
    let mut blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let shown = blocks.find(|block| block.starts_with("[lint]")).unwrap();
    let folder = Folder::new(&[("keyproof.toml", shown), ("a.json", GOOD)]);
    let baseline = r#"{"schema": "keyproof/baseline/1", "findings": []}"#;
    folder.write("keyproof-baseline.json", baseline.as_bytes());
    let (code, _, err) = folder.run("");
    assert!(code < 2, "{err}");
}

#[test]
fn commands_of_the_integrations_run() {
    let folder = Folder::new(&[("a.json", GOOD), ("b.json", BAD)]);
    let mut count = 0;
    for name in ["docs/integrations/github-actions.yml", "docs/integrations/gitlab-ci.yml"] {
        let text = std::fs::read_to_string(root().join(name)).unwrap();
        for line in text.lines() {
            let line = line.trim().trim_start_matches("- ").trim_start_matches("run: ");
            let Some(words) = line.strip_prefix("keyproof lint ") else { continue };
            let (code, _, err) = ended(&folder.command(words).output().unwrap());
            assert_eq!(code, i32::from(!words.contains("--exit-zero")), "{words}\n{err}");
            count += 1;
        }
    }
    assert_eq!(count, 4);
    let hook = std::fs::read_to_string(root().join(".pre-commit-hooks.yaml")).unwrap();
    assert!(hook.contains("entry: keyproof lint\n") && hook.contains("pass_filenames: false"));
}
