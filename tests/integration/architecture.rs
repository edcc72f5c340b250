//! The rules of `docs/architecture.md`, read off the sources.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use keyproof::model::Reading;
use regex::Regex;

/// The modules of the library and their floors. A module uses floors below its own alone.
const FLOORS: &[(&str, u8)] = &[
    ("model", 0),
    ("pattern", 1),
    ("syntax", 1),
    ("compile", 2),
    ("evaluate", 3),
    ("analyze", 4),
    ("authorize", 4),
    ("lint", 4),
    ("execute", 5),
    ("remedy", 5),
    ("report", 6),
    ("audit", 7),
    ("backend", 7),
    ("collect", 7),
    ("fleet", 7),
    ("load", 7),
    ("wire", 7),
    ("server", 8),
];

/// The highest floor without files, environment, network and clock.
const PURE: u8 = 6;

/// Where serde may be used: places a path starts with.
const RIM: &[&str] = &[
    "src/audit/",
    "src/backend/",
    "src/bin/",
    "src/collect/",
    "src/fleet/",
    "src/load/",
    "src/report/json.rs",
    "src/report/lint/",
    "src/wire/",
];

/// The wall for the length of a file.
const MAX_LINES: usize = 800;

#[test]
fn sources_keep_the_rules_of_the_house() {
    let files = sources(&["src", "tests"]);
    assert!(files.len() > 50, "only {} files found", files.len());
    let found = violations(&files);
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn proofs_and_permits_are_made_in_one_place_each() {
    let files = sources(&["src"]);
    for name in ["Authorized", "Permit"] {
        let places = minting_places(&files, name);
        assert_eq!(places.len(), 1, "`{name} {{ … }}` is made at {places:?}");
        assert!(places[0].starts_with("src/authorize/authorized.rs:"), "{places:?}");
    }
}

#[test]
fn tracked_files_name_nothing_outside_the_repository() {
    // In two parts, so that this file does not name it.
    let elsewhere = Regex::new(&format!(r"(^|[^\w-])sha{}/", "red")).unwrap();
    let mut found = Vec::new();
    for path in tracked() {
        let Ok(bytes) = std::fs::read(root().join(&path)) else { continue };
        for (number, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
            if elsewhere.is_match(line) {
                found.push(format!("{}:{}: names a folder elsewhere", path.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn clauses_that_are_cited_exist() {
    let semantics = read("docs/semantics.md");
    let clause = Regex::new(r"(?m)^\*\*([A-Z]\d+)\*\*").unwrap();
    let all: Vec<&str> =
        clause.captures_iter(&semantics).map(|found| found.get(1).unwrap().as_str()).collect();
    let known: BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!(all.len(), known.len(), "a clause stands twice in docs/semantics.md");
    assert!(known.len() > 80, "only {} clauses found", known.len());
    let cited = Regex::new(r"\b[PARNCXEGK]\d{1,2}\b").unwrap();
    let floors = ["src/authorize", "src/compile", "src/evaluate", "src/pattern", "src/syntax"];
    let mut citing = Vec::new();
    for (path, text) in sources(&floors) {
        let comments = text.lines().map(|line| line.split_once("//").map_or("", |(_, it)| it));
        citing.extend(comments.map(str::to_owned).enumerate().map(|one| (path.clone(), one)));
    }
    for (path, text) in texts(&["tests/scenarios"], "toml") {
        let named = text.lines().map(|line| line.strip_prefix("clauses = ").unwrap_or_default());
        citing.extend(named.map(str::to_owned).enumerate().map(|one| (path.clone(), one)));
    }
    let mut found = Vec::new();
    for (path, (number, line)) in citing {
        for name in cited.find_iter(&line).map(|name| name.as_str()) {
            if !known.contains(name) {
                let place = format!("{path}:{}", number + 1);
                found.push(format!("{place}: docs/semantics.md has no clause {name}"));
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn the_table_of_readings_is_current() {
    let semantics = read("docs/semantics.md");
    for reading in Reading::ALL {
        let values: Vec<String> =
            reading.values().iter().map(|value| format!("`{value}`")).collect();
        let row = format!("| `{}` | {} |", reading.name(), values.join(", "));
        assert!(semantics.contains(&row), "docs/semantics.md has no row that starts with {row}");
    }
    let rows = semantics.lines().filter(|line| {
        Reading::ALL.iter().any(|one| line.starts_with(&format!("| `{}` |", one.name())))
    });
    assert_eq!(rows.count(), Reading::ALL.len());
}

#[test]
fn the_checks_find_what_they_look_for() {
    let violations_of = |path: &str, text: &str| violations(&[(path.to_owned(), text.to_owned())]);
    let seeded = [
        (
            "src/model/mod.rs",
            "//! F0\nuse crate::execute::Executor;\n",
            "src/model/mod.rs:2: floor 0 may not use `execute` (floor 5)",
        ),
        (
            "src/load/world.rs",
            "pub use crate::backend::embedded::Keystore;",
            "src/load/world.rs:1: `load` may not use its neighbour `backend` (floor 7)",
        ),
        (
            "src/fleet/run.rs",
            "use crate::backend::embedded::EmbeddedKms;",
            "src/fleet/run.rs:1: `fleet` may not use its neighbour `backend` (floor 7)",
        ),
        (
            "src/compile/mod.rs",
            "use crate::{\n    model::Key,\n    report::{answer, evaluate},\n};",
            "src/compile/mod.rs:3: floor 2 may not use `report` (floor 6)",
        ),
        (
            "src/remedy/mod.rs",
            "use crate::report::reasons;",
            "src/remedy/mod.rs:1: floor 5 may not use `report` (floor 6)",
        ),
        (
            "src/compile/mod.rs",
            "use super::evaluate::decide;",
            "src/compile/mod.rs:1: floor 2 may not use `evaluate` (floor 3)",
        ),
        (
            "src/compile/policy.rs",
            "use crate::Authorizer;",
            "src/compile/policy.rs:1: `crate::Authorizer` is no floor: name the module it is in",
        ),
        (
            "src/helpers/mod.rs",
            "",
            "src/helpers/mod.rs:1: `helpers` stands on no floor: add it to the table of this test",
        ),
        (
            "src/evaluate/condition/mod.rs",
            "use super::super::Layer;",
            "src/evaluate/condition/mod.rs:1: `super::super::`: name the module from `crate::`",
        ),
        (
            "src/report/text.rs",
            "fn show() {\n    println!(\"{}\", 1);\n}",
            "src/report/text.rs:2: the library does not print: `println!`",
        ),
        (
            "src/load/mod.rs",
            "fn stop() { std::process::exit(2) }",
            "src/load/mod.rs:1: the library does not end the program: `process::exit`",
        ),
        (
            "src/execute/executor.rs",
            "use std::time::SystemTime;",
            "src/execute/executor.rs:1: floor 5 touches no file, environment, socket or clock: `SystemTime`",
        ),
        (
            "src/syntax/json.rs",
            "use std::{\n    fs::File,\n    fmt,\n};",
            "src/syntax/json.rs:2: floor 1 touches no file, environment, socket or clock: `std::fs`",
        ),
        (
            "src/model/key.rs",
            "#[derive(serde::Serialize)]\nstruct Key;",
            "src/model/key.rs:1: serde stays at the rim",
        ),
    ];
    for (path, text, expected) in seeded {
        assert_eq!(violations_of(path, text), [expected], "{text}");
    }
    let long = "\n".repeat(MAX_LINES + 1);
    assert_eq!(
        violations_of("src/model/key.rs", &long),
        [format!("src/model/key.rs:801: the file has 801 lines, more than {MAX_LINES}")]
    );
    for (path, text) in [
        ("src/model/mod.rs", "// use crate::execute\n/* crate::load /* crate::wire */ */"),
        ("src/model/mod.rs", "const TEXT: &str = \"crate::execute \\\" println!\";"),
        ("src/model/mod.rs", "const TEXT: &str = r#\"use crate::execute \"std::fs\" \"#;"),
        ("src/model/mod.rs", "fn f<'a>(c: char) -> bool { c == '\"' || c == '\\'' } // println!"),
        (
            "src/evaluate/mod.rs",
            "use crate::{compile, model::{Key, KeyArn}};\nuse std::net::IpAddr;",
        ),
        ("src/load/mod.rs", "use crate::report::reasons;\nuse std::fs;\nuse serde::Deserialize;"),
        ("src/report/json.rs", "use serde_json::json;"),
        ("src/bin/keyproof/main.rs", "use crate::cli::Cli;\nfn main() { println!() }"),
        ("src/backend/embedded/tests/keys.rs", "use super::super::PolicyName;"),
    ] {
        assert_eq!(violations_of(path, text), [""; 0], "{text}");
    }
    let mints = "fn f() -> Permit {\n    Permit { permission: PhantomData }\n}\nimpl Debug for Permit {}\n/// Permit { x }\nstruct Permit {}\nlet a = Permit::<P> { permission };";
    let files = [("src/authorize/authorized.rs".to_owned(), mints.to_owned())];
    assert_eq!(
        minting_places(&files, "Permit"),
        ["src/authorize/authorized.rs:2", "src/authorize/authorized.rs:7"]
    );
    let hidden = [("src/authorize/authorized.rs".to_owned(), "Self { operation }".to_owned())];
    assert_eq!(minting_places(&hidden, "Authorized"), ["src/authorize/authorized.rs:1"]);
}

/// What breaks the rules in these files, given as path and text; sorted by file and line.
fn violations(files: &[(String, String)]) -> Vec<String> {
    files.iter().flat_map(|(path, text)| violations_of_file(path, text)).collect()
}

fn violations_of_file(path: &str, text: &str) -> Vec<String> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let lines = text.lines().count();
    if lines > MAX_LINES {
        found.push((lines, format!("the file has {lines} lines, more than {MAX_LINES}")));
    }
    let code = without_comments_and_strings(text);
    let in_library = path.starts_with("src/") && !path.starts_with("src/bin/");
    if in_library {
        let module = path.trim_start_matches("src/").split(['/', '.']).next().unwrap_or_default();
        let floor = floor_of(module);
        match floor {
            Some(floor) => found.extend(wrong_uses(path, module, floor, &code)),
            None if path == "src/lib.rs" => {}
            None => {
                let message =
                    format!("`{module}` stands on no floor: add it to the table of this test");
                found.push((1, message));
            }
        }
        if !path.contains("/tests/") {
            for line in lines_with(&code, r"\bsuper::super::") {
                found.push((line.0, "`super::super::`: name the module from `crate::`".into()));
            }
        }
        for (line, text) in lines_with(&code, r"\b(?:println|eprintln|print|eprint|dbg)!") {
            found.push((line, format!("the library does not print: `{text}`")));
        }
        for (line, text) in lines_with(&code, r"\bprocess::(?:exit|abort)\b") {
            found.push((line, format!("the library does not end the program: `{text}`")));
        }
        // A floor's own unit tests may read files and compare with serde_json.
        let unit_test = path.ends_with("/tests.rs") || path.contains("/tests/");
        if let Some(floor) = floor.filter(|floor| *floor <= PURE && !unit_test) {
            for (line, text) in impure(&code) {
                let message = format!(
                    "floor {floor} touches no file, environment, socket or clock: `{text}`"
                );
                found.push((line, message));
            }
        }
        if !unit_test && !RIM.iter().any(|place| path.starts_with(place)) {
            for (line, _) in lines_with(&code, r"\b(?:serde|serde_json)\b") {
                found.push((line, "serde stays at the rim".into()));
            }
        }
    }
    found.sort();
    found.dedup();
    found.into_iter().map(|(line, message)| format!("{path}:{line}: {message}")).collect()
}

fn floor_of(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

/// Uses of modules that do not stand below.
fn wrong_uses(path: &str, module: &str, floor: u8, code: &str) -> Vec<(usize, String)> {
    let mut names = paths_under(code, "crate");
    // In a floor's own file, `super` is the crate.
    if path == format!("src/{module}.rs") || path == format!("src/{module}/mod.rs") {
        let above = paths_under(code, "super");
        names.extend(above.into_iter().filter(|(_, name)| floor_of(name).is_some()));
    }
    let wrong = names.into_iter().filter_map(|(line, name)| {
        let message = match floor_of(&name) {
            _ if name == module => return None,
            Some(other) if other < floor => return None,
            Some(other) if other == floor => {
                format!("`{module}` may not use its neighbour `{name}` (floor {floor})")
            }
            Some(other) => format!("floor {floor} may not use `{name}` (floor {other})"),
            None => format!("`crate::{name}` is no floor: name the module it is in"),
        };
        Some((line, message))
    });
    wrong.collect()
}

/// The first names of all paths that start with `base::`, groups in braces included.
fn paths_under(code: &str, base: &str) -> Vec<(usize, String)> {
    let start = Regex::new(&format!(r"\b{base}\s*::\s*")).unwrap();
    let mut names = Vec::new();
    for found in start.find_iter(code) {
        // The second `super` of a chain leads elsewhere; that has a rule of its own.
        if code[..found.start()].trim_end().ends_with("::") {
            continue;
        }
        let rest = &code[found.end()..];
        if !rest.starts_with('{') {
            names.extend(name_at(rest).map(|name| (line_of(code, found.start()), name)));
            continue;
        }
        let (mut depth, mut expects_name) = (0_usize, false);
        for (at, character) in rest.char_indices() {
            match character {
                '{' => {
                    depth += 1;
                    expects_name = depth == 1;
                }
                '}' if depth == 1 => break,
                '}' => depth -= 1,
                ',' => expects_name = depth == 1,
                _ if expects_name && !character.is_whitespace() => {
                    expects_name = false;
                    let line = line_of(code, found.end() + at);
                    names.extend(name_at(&rest[at..]).map(|name| (line, name)));
                }
                _ => {}
            }
        }
    }
    names
}

fn name_at(code: &str) -> Option<String> {
    let name: String = code.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

/// Uses of files, environment, sockets and clocks.
fn impure(code: &str) -> Vec<(usize, String)> {
    let std = paths_under(code, "std").into_iter();
    let mut found: Vec<(usize, String)> = std
        .filter(|(_, name)| matches!(name.as_str(), "env" | "fs" | "process" | "thread"))
        .map(|(line, name)| (line, format!("std::{name}")))
        .collect();
    let types = r"\b(?:SystemTime|Instant|TcpListener|TcpStream|ToSocketAddrs|UdpSocket|UnixListener|UnixStream)\b";
    found.extend(lines_with(code, types));
    found
}

/// Where a proof or permit is made: `Name { … }` in an expression, or `Self { … }` in the file of
/// proofs. Sources are without unit tests of that file.
fn minting_places(files: &[(String, String)], name: &str) -> Vec<String> {
    let made = Regex::new(&format!(r"\b{name}\s*(?:::\s*<[^{{}};]*>\s*)?\{{")).unwrap();
    let own = Regex::new(r"\bSelf\s*\{").unwrap();
    let declares = Regex::new(r"(?:\bstruct|\bfor|\bimpl|->)\s*$").unwrap();
    let mut places = Vec::new();
    for (path, text) in files {
        let code = without_comments_and_strings(text);
        let hidden = path == "src/authorize/authorized.rs";
        let found = made.find_iter(&code).chain(own.find_iter(&code).filter(|_| hidden));
        for one in found.filter(|one| !declares.is_match(&code[..one.start()])) {
            places.push(format!("{path}:{}", line_of(&code, one.start())));
        }
    }
    places
}

fn lines_with(code: &str, pattern: &str) -> Vec<(usize, String)> {
    let pattern = Regex::new(pattern).unwrap();
    let found = pattern.find_iter(code);
    found.map(|one| (line_of(code, one.start()), one.as_str().to_owned())).collect()
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

/// The code with comments and the insides of strings blanked out; lines stay where they are.
fn without_comments_and_strings(text: &str) -> String {
    // A lifetime is no character: no quote closes it after one character or escape.
    let token = Regex::new(
        r###"(?s)//[^\n]*|/\*|\bb?r"[^"]*"|\bb?r#".*?"#|\bb?r##".*?"##|"(?:\\.|[^"\\])*"|'(?:\\(?:u\{[0-9a-fA-F]+\}|x..|.)|[^'\\\n])'"###,
    )
    .unwrap();
    let blank = |text: &str| -> String {
        text.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect()
    };
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = token.find_at(text, at) {
        let end = match found.as_str() {
            "/*" => end_of_comment(text, found.start()),
            _ => found.end(),
        };
        code.push_str(&text[at..found.start()]);
        code.push_str(&blank(&text[found.start()..end]));
        at = end;
    }
    code.push_str(&text[at..]);
    code
}

/// The end of a block comment, which may hold others.
fn end_of_comment(text: &str, start: usize) -> usize {
    let (mut depth, mut at) = (0_usize, start);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub fn sources(folders: &[&str]) -> Vec<(String, String)> {
    texts(folders, "rs")
}

/// Path from the repository's root, and text, of every file with an ending in these folders.
fn texts(folders: &[&str], ending: &str) -> Vec<(String, String)> {
    let mut paths = Vec::new();
    for folder in folders {
        walk(&root().join(folder), &mut paths);
    }
    paths.retain(|path| path.extension().is_some_and(|found| found == ending));
    paths.sort();
    let texts = paths.into_iter().map(|path| {
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
        let text = read(&name);
        (name, text)
    });
    texts.collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        // What the peers' package builds is nobody's source.
        if path.is_dir() {
            if !path.ends_with("target") {
                walk(&path, found);
            }
        } else {
            found.push(path);
        }
    }
}

/// What git tracks; outside a checkout, what a package holds.
fn tracked() -> Vec<PathBuf> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    if let Ok(listed) = listed
        && listed.status.success()
        && !listed.stdout.is_empty()
    {
        let names = String::from_utf8(listed.stdout).unwrap();
        return names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect();
    }
    let mut found = Vec::new();
    for folder in ["src", "tests", "docs", "policies"] {
        walk(&root().join(folder), &mut found);
    }
    for file in ["README.md", "Cargo.toml"] {
        found.push(root().join(file));
    }
    found
}
