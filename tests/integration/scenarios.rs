//! Every scenario file: each case as told, the same by the fast path and by the traced one.

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

#[test]
fn scenarios_come_out_as_told() {
    let mut paths = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios"), &mut paths);
    assert!(paths.len() >= 6);
    for path in paths {
        let scenario = Scenario::read(&path, None).unwrap_or_else(|error| panic!("{error}"));
        assert!(!scenario.clauses.is_empty() && scenario.source.is_some(), "{}", path.display());
        for result in scenario.run() {
            let name = &result.case.name;
            assert!(result.is_met(), "{}: {name}: {}", path.display(), result.unmet.join("\n"));
        }
    }
}

#[test]
fn an_expectation_that_is_not_met_is_told() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/unmet.toml");
    let scenario = Scenario::read(&path, None).unwrap_or_else(|error| panic!("{error}"));
    let unmet: Vec<String> =
        scenario.run().iter().flat_map(|result| result.unmet.clone()).collect();
    assert!(unmet[0].contains("expected allow, got implicit-deny"), "{unmet:?}");
}
