//! Every scenario file: each case as told.

use std::path::{Path, PathBuf};

use keyproof::load::Scenario;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
}

/// The scenarios of `tests/scenarios`.
pub fn all() -> Vec<Scenario> {
    let mut paths = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios"), &mut paths);
    paths.sort();
    assert!(paths.len() >= 6);
    paths
        .iter()
        .map(|path| Scenario::read(path, None).unwrap_or_else(|error| panic!("{error}")))
        .collect()
}

#[test]
fn scenarios_come_out_as_told() {
    let mut unmet = Vec::new();
    for scenario in all() {
        let path = scenario.path.display();
        assert!(scenario.source.is_some(), "{path} names no source");
        let mut names: Vec<&str> = scenario.cases.iter().map(|case| case.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), scenario.cases.len(), "{path} has two cases of one name");
        for case in &scenario.cases {
            let named = !(scenario.clauses.is_empty() && case.clauses.is_empty());
            assert!(named, "{path}:{}: {} names no clause", case.line, case.name);
        }
        for result in scenario.run().into_iter().filter(|result| !result.is_met()) {
            let (name, line) = (&result.case.name, result.case.line);
            unmet.push(format!("{path}:{line}: {name}: {}", result.unmet.join("\n")));
        }
    }
    assert!(unmet.is_empty(), "\n{}", unmet.join("\n"));
}

#[test]
fn an_expectation_that_is_not_met_is_told() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/unmet.toml");
    let scenario = Scenario::read(&path, None).unwrap_or_else(|error| panic!("{error}"));
    let unmet: Vec<String> =
        scenario.run().iter().flat_map(|result| result.unmet.clone()).collect();
    assert!(unmet[0].contains("expected allow, got implicit-deny"), "{unmet:?}");
}

#[test]
fn what_a_case_cannot_have_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case.toml");
    let key = "arn:aws:kms:us-east-1:111122223333:key/11111111-1111-4111-8111-111111111111";
    for (members, place, message) in [
        (
            "operation = \"ListKeys\"\ntagged = true",
            ":1:1: ",
            "`tagged` does not apply to ListKeys",
        ),
        (
            "operation = \"CreateAlias\"\nalias-name = \"alias/a\"",
            ":1:1: ",
            "CreateAlias needs `target-key-id`",
        ),
        ("key-id = \"k\"", ":1:1: ", "what is asked about is missing: give `operation`"),
        ("operation = \"ListKeys\"\ntagged = \"yes\"", ":6:10: ", "expected a boolean"),
        ("operation = \"ListKeys\"\nkey = \"k\"", ":6:1: ", "unknown field `key`"),
        (
            "operation = \"Verify\"\nkey-id = \"k\"\ngrant-id = \"g\"",
            ":1:1: ",
            "`grant-id` does not apply to Verify",
        ),
        (
            "operation = \"ReEncrypt\"\nsource-key-id = \"k\"",
            ":1:1: ",
            "ReEncrypt needs `destination-key-id`",
        ),
        ("operation = \"ReEncrypt\"\nkey-id = \"k\"", ":1:1: ", "ReEncrypt needs `source-key-id`"),
    ] {
        let text = format!(
            "[[case]]\nname = \"a\"\ncaller = \"arn:aws:iam::111122223333:root\"\nexpect = \"allow\"\n\
             {members}\n[[key]]\narn = \"{key}\"\npolicy = '''{{\"Statement\":{{\"Effect\":\"Deny\",\"Principal\":\"*\"}}}}'''\n"
        );
        std::fs::write(&path, &text).unwrap();
        let told = Scenario::read(&path, None).unwrap_err().to_string();
        assert!(told.contains(place) && told.contains(message), "{members}\n{told}");
    }
}
