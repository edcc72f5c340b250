//! The table of rules, held to its documentation, its fixtures and its policies.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyproof::lint::{
    Check, Collection, Config, Diagnostic, Level, Linter, MISTAKES, RULES, Rule, SourceFile, Status,
};
use keyproof::load::{PolicyKindHint, lint_file, lint_input, lint_world};
use keyproof::report::rules_markdown;
use regex::Regex;

use crate::coverage::hold_current;

const SECTIONS: [&str; 4] = ["What it does", "Why is this bad?", "Example", "Use instead"];

/// What can be linted: a file, or a world's folder.
pub fn collection(path: &Path) -> Collection {
    if path.is_dir() {
        let (collection, problems) = lint_world(path).unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        return collection;
    }
    let file = lint_file(path).unwrap();
    lint_input(&file, None)
        .unwrap_or_else(|error| panic!("{error}"))
        .unwrap_or_else(|| panic!("{}: no shape that holds policies", path.display()))
}

pub fn lint(collection: &Collection) -> Vec<Diagnostic> {
    Linter::new(Config::default(), Vec::new(), None).lint(collection).diagnostics
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The rules whose findings come from what is linted; suppressions have tests of their own.
fn rules() -> impl Iterator<Item = &'static Rule> {
    let active = RULES.iter().copied().filter(|rule| rule.status == Status::Active);
    active.filter(|rule| !matches!(rule.check, Check::Suppression))
}

/// Findings that somebody would have to do something about.
fn matters(found: &[Diagnostic]) -> Vec<String> {
    found.iter().filter(|one| one.level > Level::Note).map(shown).collect()
}

/// One finding as fixtures expect it.
fn shown(found: &Diagnostic) -> String {
    let file = found.place.origin.source_file();
    let span = found.place.file_span();
    let (line, column) = span.line_column(&file.text);
    let (end_line, end_column) =
        keyproof::model::Span::new(span.end(), span.end()).line_column(&file.text);
    let name = Path::new(&*file.name).strip_prefix(root()).unwrap_or(Path::new(&*file.name));
    let mut text = format!(
        "{}:{line}:{column}-{end_line}:{end_column} {}[{}] {}",
        name.display(),
        found.level,
        found.rule.code,
        found.message
    );
    if let Some(help) = &found.help {
        write!(text, "\n  help: {help}").unwrap();
    }
    for related in &found.related {
        let (line, column) =
            related.place.file_span().line_column(&related.place.origin.source_file().text);
        write!(text, "\n  {line}:{column}: {}", related.message).unwrap();
    }
    if let Some(fix) = &found.fix {
        write!(text, "\n  {:?} fix: {}", fix.applicability, fix.title).unwrap();
    }
    text
}

#[test]
fn codes_and_names_are_unique_and_sorted() {
    let codes: Vec<&str> = RULES.iter().map(|rule| rule.code.as_str()).collect();
    let mut sorted = codes.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(codes, sorted, "the lines of src/lint/rules/mod.rs are sorted by code");
    let names: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), RULES.len(), "two rules have one name");
    let code = Regex::new(r"^(CON|GRT|IAM|KEY|SUP|SYN|WLD)\d{3}$").unwrap();
    let name = Regex::new(r"^[a-z]+(-[a-z0-9]+)*$").unwrap();
    for rule in RULES {
        assert!(code.is_match(rule.code.as_str()), "{}", rule.code);
        assert!(name.is_match(rule.name), "{}", rule.name);
        assert!(!rule.summary.ends_with('.'), "{}: a summary has no full stop", rule.name);
    }
}

#[test]
fn every_rule_is_the_file_of_its_name() {
    let files: BTreeSet<String> = std::fs::read_dir(root().join("src/lint/rules"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().replace('_', "-"))
        .filter(|name| name != "mod")
        .collect();
    let rules: BTreeSet<String> = RULES.iter().map(|rule| rule.name.to_owned()).collect();
    assert_eq!(
        files, rules,
        "a file without a line in src/lint/rules/mod.rs, or a name not its file's"
    );
}

#[test]
fn every_rule_has_its_sections() {
    for rule in RULES {
        let text = rule.documentation();
        let headings: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(headings, SECTIONS, "{}", rule.name);
        for section in SECTIONS {
            assert!(rule.section(section).is_some_and(|text| !text.is_empty()), "{}", rule.name);
        }
    }
}

/// The fenced text of a section, linted as its fence says: `json,key`, `json,world`, `yaml`; with
/// white space up to a size, as in `json,key,33000`.
fn example(rule: &Rule, section: &str) -> Vec<Diagnostic> {
    let text = rule.section(section).unwrap();
    let fence = Regex::new(r"(?s)```(\w+)(?:,([\w-]+))?(?:,(\d+))?\n(.*?)\n```").unwrap();
    let found = fence.captures(&text).unwrap_or_else(|| panic!("{}: no fence", rule.name));
    let kind = found.get(2).map(|word| word.as_str());
    let hint = kind.and_then(PolicyKindHint::of_word);
    let name = format!("example.{}", &found[1]);
    let mut text = found[4].to_owned();
    if let Some(size) = found.get(3).map(|size| size.as_str().parse::<usize>().unwrap()) {
        text.insert_str(1, &" ".repeat(size.saturating_sub(text.len())));
    }
    let file = Arc::new(SourceFile { name: name.into(), text: text.into() });
    let read = lint_input(&file, hint).unwrap_or_else(|error| panic!("{}: {error}", rule.name));
    lint(&read.unwrap_or_else(|| panic!("{}: {section}: no shape that holds policies", rule.name)))
}

#[test]
fn examples_fire_their_rule_and_what_to_use_instead_does_not() {
    for rule in rules() {
        let (own, others): (Vec<_>, Vec<_>) =
            example(rule, "Example").into_iter().partition(|one| one.rule.code == rule.code);
        assert!(!own.is_empty(), "{}: the example does not fire it", rule.name);
        let others = matters(&others);
        assert!(
            others.is_empty(),
            "{}: the example fires others\n{}",
            rule.name,
            others.join("\n")
        );
        let instead = example(rule, "Use instead");
        let left: Vec<String> = instead
            .iter()
            .filter(|one| one.rule.code == rule.code || one.level > Level::Note)
            .map(shown)
            .collect();
        assert!(left.is_empty(), "{}: use instead\n{}", rule.name, left.join("\n"));
    }
}

/// The fixtures of a rule: `bad*` and `good*`, files or world folders.
fn fixtures(rule: &Rule) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let folder = root().join("tests/lint").join(rule.name);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|_| panic!("{} is missing", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap() != "expected.txt")
        .collect();
    paths.sort();
    let starts =
        |path: &PathBuf, with: &str| path.file_name().unwrap().to_str().unwrap().starts_with(with);
    for path in &paths {
        assert!(starts(path, "bad") || starts(path, "good"), "{}: bad or good?", path.display());
    }
    paths.into_iter().partition(|path| starts(path, "bad"))
}

#[test]
fn fixtures_are_found_where_expected() {
    for rule in rules() {
        let (bad, good) = fixtures(rule);
        assert!(!bad.is_empty() && !good.is_empty(), "tests/lint/{}: bad and good", rule.name);
        let own = |path: &Path| -> Vec<Diagnostic> {
            let found = lint(&collection(path)).into_iter();
            found.filter(|one| one.rule.code == rule.code).collect()
        };
        let mut expected = String::new();
        for path in bad {
            let found = own(&path);
            assert!(!found.is_empty(), "{}: nothing found", path.display());
            for one in found {
                writeln!(expected, "{}", shown(&one)).unwrap();
            }
        }
        for path in good {
            let found: Vec<String> = own(&path).iter().map(shown).collect();
            assert!(found.is_empty(), "{}\n{}", path.display(), found.join("\n"));
        }
        hold_current(&format!("tests/lint/{}/expected.txt", rule.name), &expected);
    }
}

#[test]
fn no_folder_of_fixtures_is_without_its_rule() {
    let names: BTreeSet<&str> = rules().map(|rule| rule.name).collect();
    for entry in std::fs::read_dir(root().join("tests/lint")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(names.contains(name.as_str()), "tests/lint/{name}: there is no such rule");
    }
}

#[test]
fn hazards_fire_the_rule_they_are_named_by() {
    let mut hazards: BTreeMap<String, PathBuf> = BTreeMap::new();
    for entry in std::fs::read_dir(root().join("policies/hazards")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        hazards.insert(name.split('.').next().unwrap().to_owned(), path.clone());
    }
    for rule in rules() {
        let path = hazards
            .remove(rule.name)
            .unwrap_or_else(|| panic!("policies/hazards/{}.json is missing", rule.name));
        let found = lint(&collection(&path));
        assert!(
            found.iter().any(|one| one.rule.code == rule.code),
            "{} does not fire {}",
            path.display(),
            rule.code
        );
    }
    assert!(hazards.is_empty(), "hazards without a rule: {:?}", hazards.keys());
}

#[test]
fn samples_are_clean() {
    let mut count = 0;
    for entry in std::fs::read_dir(root().join("policies/samples")).unwrap() {
        let path = entry.unwrap().path();
        let found = matters(&lint(&collection(&path)));
        assert!(found.is_empty(), "{}\n{}", path.display(), found.join("\n"));
        count += 1;
    }
    assert!(count >= 12, "only {count} samples");
}

#[test]
fn rules_cover_mistakes_that_exist() {
    let ids: BTreeSet<&str> = MISTAKES.iter().map(|mistake| mistake.id).collect();
    for rule in RULES {
        for id in rule.covers {
            assert!(ids.contains(id), "{}: {id} is no known mistake", rule.name);
        }
    }
    for mistake in MISTAKES.iter().filter(|mistake| mistake.undecidable.is_some()) {
        let covering = RULES.iter().filter(|rule| rule.covers.contains(&mistake.id)).count();
        assert_eq!(covering, 0, "{} is undecidable, and a rule decides it", mistake.id);
    }
}

#[test]
fn the_page_of_rules_is_current() {
    hold_current("docs/rules.md", &rules_markdown());
}
