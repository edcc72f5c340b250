//! The rules of the linter as documentation.

use std::fmt::Write as _;

use crate::lint::{Level, MISTAKES, RULES, Rule, Status};

/// One rule as Markdown, under a heading of this depth.
#[must_use]
pub fn rule_markdown(rule: &Rule, depth: usize) -> String {
    let heading = "#".repeat(depth);
    let mut text = format!("{heading} {} {}\n\n", rule.code, rule.name);
    let level = match rule.level {
        Level::Error => "An error",
        Level::Note => "A note",
        Level::Warning => "A warning",
    };
    // Writing into a string cannot fail.
    let _ = write!(text, "{}. {level}; since {}.", capital(rule.summary), rule.since);
    if let Status::Removed { since, reason } = rule.status {
        let _ = write!(text, " Removed in {since}: {reason}.");
    }
    if !rule.analyzer.is_empty() {
        let _ = write!(text, " IAM Access Analyzer: `{}`.", rule.analyzer.join("`, `"));
    }
    text.push_str("\n\n");
    let deeper = format!("\n{heading}# ");
    let documentation = format!("\n{}", rule.documentation()).replace("\n## ", &deeper);
    text.push_str(documentation.trim());
    text.push('\n');
    text
}

/// All rules as one Markdown page.
#[must_use]
pub fn rules_markdown() -> String {
    let mut text = String::from(
        "# Rules of `keyproof lint`\n\n\
         Made from the rules' own documentation; `keyproof rules` prints the same.\n\n\
         | code | name | level | finds |\n|---|---|---|---|\n",
    );
    for rule in RULES {
        let name = rule.name;
        let anchor = format!("{}-{name}", rule.code.as_str().to_lowercase());
        let _ = writeln!(
            text,
            "| [{}](#{anchor}) | {name} | {} | {} |",
            rule.code, rule.level, rule.summary
        );
    }
    text.push_str("\n## Known mistakes\n\n| | mistake | rules |\n|---|---|---|\n");
    for mistake in MISTAKES {
        let rules = RULES.iter().filter(|rule| rule.covers.contains(&mistake.id));
        let names: Vec<String> = rules.map(|rule| format!("{} {}", rule.code, rule.name)).collect();
        let by = match (names.is_empty(), mistake.undecidable) {
            (false, _) => names.join(", "),
            (true, Some(reason)) => format!("none: {reason}"),
            (true, None) => "none yet".to_owned(),
        };
        let _ = writeln!(text, "| {} | {} | {by} |", mistake.id, mistake.title);
    }
    for rule in RULES {
        text.push('\n');
        text.push_str(&rule_markdown(rule, 2));
    }
    text
}

/// Rules as a table.
#[must_use]
pub fn rules_text(rules: &[&Rule]) -> String {
    let width = rules.iter().map(|rule| rule.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for rule in rules {
        let _ = writeln!(
            text,
            "{}  {:7}  {:width$}  {}",
            rule.code, rule.level, rule.name, rule.summary
        );
    }
    text
}

/// One rule with its documentation.
#[must_use]
pub fn rule_text(rule: &Rule) -> String {
    let markdown = rule_markdown(rule, 1);
    let mut text = String::new();
    let mut in_fence = false;
    for line in markdown.lines() {
        if line.starts_with("```") {
            in_fence = !in_fence;
        } else if in_fence {
            let _ = writeln!(text, "    {line}");
        } else {
            let _ = writeln!(text, "{}", line.trim_start_matches('#').trim_start());
        }
    }
    text
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
