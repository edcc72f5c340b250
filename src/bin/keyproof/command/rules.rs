//! `rules`

use clap::{Args, ValueEnum};
use keyproof::lint::{RULES, Settings, Status};
use keyproof::load::no_such_rule;
use keyproof::report;

use crate::exit::Exit;
use crate::output::{CliError, Io};

/// `rules`
#[derive(Args, Debug)]
pub struct Rules {
    /// A rule by its code or name, or several by the start of their codes; all without
    #[arg(value_name = "RULE")]
    rule: Option<String>,
    /// How to show them
    #[arg(long, value_enum, default_value_t)]
    format: RulesFormat,
}

/// How rules are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RulesFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// The page docs/rules.md.
    Markdown,
}

/// Lists the rules, or shows one.
pub fn run(args: &Rules, io: &mut Io) -> Result<Exit, CliError> {
    let all = || RULES.iter().copied();
    let rules: Vec<_> = match &args.rule {
        None => all().filter(|rule| rule.status == Status::Active).collect(),
        Some(word) => all().filter(|rule| rule.is_named(word)).collect(),
    };
    if rules.is_empty() {
        let word = args.rule.clone().unwrap_or_default();
        let settings = Settings { select: vec![word], ..Settings::default() };
        let (word, meant) = settings.unknown_selector().unwrap_or_default();
        return Err(CliError::new(no_such_rule(word, meant)));
    }
    let text = match (args.format, rules.as_slice()) {
        (RulesFormat::Json, rules) => format!("{:#}\n", report::rules_json(rules)),
        (RulesFormat::Markdown, _) if args.rule.is_none() => report::rules_markdown(),
        (RulesFormat::Markdown, rules) => {
            let texts: Vec<String> =
                rules.iter().map(|rule| report::rule_markdown(rule, 1)).collect();
            texts.join("\n")
        }
        (RulesFormat::Text, [rule]) => report::rule_text(rule),
        (RulesFormat::Text, rules) => report::rules_text(rules),
    };
    io.out.write_all(text.as_bytes())?;
    Ok(Exit::Yes)
}
