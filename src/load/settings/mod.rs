//! `keyproof.toml`: what the linter runs on, and what is accepted.

mod file;
mod glob;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;

pub use glob::Globs;

use super::error::{LoadError, Problem};
use super::lint::PolicyKindHint;
use super::read_text;
use crate::lint::{
    Config, ContentHash, Level, Origin, Settings, SourceFile, StatementKey, Suppression,
};
use crate::model::{Span, Timestamp};
use file::{ConfigFile, LintFile, PathFile, Pointed, SuppressFile};

/// The name of the configuration file.
const NAME: &str = "keyproof.toml";

/// What the configuration says of linting.
#[derive(Debug, Default)]
pub struct LintSettings {
    /// Rules and levels.
    pub config: Config,
    /// What is accepted.
    pub suppressions: Vec<Suppression>,
    /// What is not linted, when a folder is walked.
    pub exclude: Vec<Globs>,
    /// Kinds of policies, by file.
    pub kinds: Vec<(Globs, PolicyKindHint)>,
    /// The baseline.
    pub baseline: Option<PathBuf>,
    /// The level from which on findings make a run fail.
    pub fail_level: Option<Level>,
    /// The folder the configuration is for.
    pub folder: Option<PathBuf>,
}

/// Finds the configuration of a folder: in it, or in one above, up to the root of the repository.
#[must_use]
pub fn find_settings(folder: &Path) -> Option<PathBuf> {
    for folder in folder.ancestors() {
        let path = folder.join(NAME);
        if path.is_file() {
            return Some(path);
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

/// Reads the configuration file, when there is one, and then what the command line adds, as in
/// `lint.select=["KEY"]`. `here` is the folder that names of files are relative to.
///
/// # Errors
/// What is wrong, with its place: members that do not exist, selectors that name no rule,
/// suppressions without a reason.
pub fn lint_settings(
    path: Option<&Path>,
    words: &[String],
    here: &Path,
) -> Result<LintSettings, LoadError> {
    let mut settings = LintSettings::default();
    let mut errors = LoadError::default();
    if let Some(path) = path {
        let text = read_text(path)?;
        let folder = here.join(path.parent().unwrap_or(Path::new("")));
        let shown = path.strip_prefix(here).unwrap_or(path);
        let reader = Reader::new(shown, text, &folder, here);
        reader.add(&mut settings, &mut errors);
        settings.folder = Some(folder);
    }
    for word in words {
        Reader::new(Path::new("--config"), word.clone(), here, here)
            .add(&mut settings, &mut errors);
    }
    errors.finish(settings)
}

/// One text of configuration.
struct Reader<'p> {
    path: &'p Path,
    source: Arc<SourceFile>,
    folder: &'p Path,
    here: &'p Path,
}

impl<'p> Reader<'p> {
    fn new(path: &'p Path, text: String, folder: &'p Path, here: &'p Path) -> Self {
        let name = path.to_string_lossy().replace('\\', "/");
        let source = Arc::new(SourceFile { name: name.into(), text: text.into() });
        Self { path, source, folder, here }
    }

    fn add(&self, to: &mut LintSettings, errors: &mut LoadError) {
        let file: ConfigFile = match toml::from_str(&self.source.text) {
            Ok(file) => file,
            Err(error) => return errors.push(self.wrong(&error)),
        };
        let mut problems = Problems { reader: self, errors };
        self.lint(file.lint, to, &mut problems);
    }

    fn lint(&self, lint: LintFile, to: &mut LintSettings, problems: &mut Problems<'_, '_>) {
        let base = &mut to.config.base;
        // A later text selects anew, so that the command line can.
        if let Some(select) = lint.select {
            base.select = problems.selectors(select);
            base.ignore.clear();
        }
        base.ignore.extend(problems.selectors(lint.ignore));
        problems.severity(base, lint.severity);
        if let Some(exclude) = &lint.exclude {
            to.exclude.extend(problems.globs(exclude));
        }
        if let Some(baseline) = lint.baseline {
            to.baseline = Some(self.folder.join(baseline));
        }
        if let Some(level) = lint.fail_level {
            to.fail_level = problems.level(&level, &["error", "note", "warning"]);
        }
        for (pattern, section) in as_written(lint.per_path) {
            let globs = problems.globs(&[pattern]);
            let (settings, kind) = self.section(section, problems);
            if let Some(globs) = globs {
                to.kinds.extend(kind.map(|kind| (globs.clone(), kind)));
                to.config.paths.push((globs.matcher(), settings));
            }
        }
        for entry in lint.suppress {
            to.suppressions.extend(self.suppression(entry, problems));
        }
    }

    fn section(
        &self,
        section: PathFile,
        problems: &mut Problems<'_, '_>,
    ) -> (Settings, Option<PolicyKindHint>) {
        let mut settings = Settings {
            select: problems.selectors(section.select),
            ignore: problems.selectors(section.ignore),
            severity: Vec::new(),
        };
        problems.severity(&mut settings, section.severity);
        let kind = section.kind.and_then(|word| {
            let kind = PolicyKindHint::of_word(word.get_ref());
            if kind.is_none() {
                problems.unknown(&word, "kind of policy", KINDS);
            }
            kind
        });
        (settings, kind)
    }

    fn suppression(
        &self,
        entry: SuppressFile,
        problems: &mut Problems<'_, '_>,
    ) -> Option<Suppression> {
        let span = span(&entry.rules);
        let given: Vec<Spanned<String>> = entry.rules.into_inner();
        if given.is_empty() {
            problems.push(span, "`rules` names no rule");
        }
        let rules = problems.selectors(given);
        if rules.iter().any(|one| one == "ALL") {
            problems.push(span, "a suppression names its rules: `ALL` is not one");
        }
        let place = (Arc::new(Origin::file(Arc::clone(&self.source))), span);
        let reason = entry.reason;
        let mut suppression = match Suppression::new(rules, reason.get_ref(), place) {
            Ok(suppression) => suppression,
            Err(error) => {
                problems.push(self::span(&reason), error.to_string());
                return None;
            }
        };
        if let Some(paths) = entry.path {
            suppression.files = problems.globs(&paths.0).map(Globs::matcher);
        }
        suppression.address = entry.address.map(Into::into);
        suppression.statement = problems.statement(entry.sid, entry.pointer, entry.hash);
        if let Some(expires) = entry.expires {
            let written = expires.get_ref().to_string();
            match written.parse::<Timestamp>() {
                Ok(moment) => suppression.expires = Some(moment),
                Err(_) => problems.push(
                    self::span(&expires),
                    format!("`{written}` is no day: write one as 2027-01-31"),
                ),
            }
        }
        Some(suppression)
    }

    /// An error of the reader of TOML, with the name that was probably meant.
    fn wrong(&self, error: &toml::de::Error) -> Problem {
        let message = error.message();
        let span = error.span().map_or_else(Span::default, |at| Span::new(at.start, at.end));
        let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let message = match (message.strip_prefix("unknown field "), quoted.split_first()) {
            (Some(_), Some((name, known))) => not_known(name, "member", known),
            _ => message.trim().replace('\n', "; "),
        };
        self.at(span, message)
    }

    fn at(&self, span: Span, message: impl Into<String>) -> Problem {
        Problem::at(self.path, &self.source.text, span, message)
    }
}

const KINDS: &[&str] = &["boundary", "endpoint", "identity", "key", "rcp", "scp", "session"];
const LEVELS: &[&str] = &["error", "note", "off", "warning"];

/// What is wrong with one text.
struct Problems<'r, 'e> {
    reader: &'r Reader<'r>,
    errors: &'e mut LoadError,
}

impl Problems<'_, '_> {
    fn push(&mut self, span: Span, message: impl Into<String>) {
        self.errors.push(self.reader.at(span, message));
    }

    fn unknown(&mut self, word: &Spanned<String>, what: &str, known: &[&str]) {
        self.push(span(word), not_known(word.get_ref(), what, known));
    }

    /// Selectors that name rules.
    fn selectors(&mut self, words: Vec<Spanned<String>>) -> Vec<String> {
        for word in &words {
            let one = Settings { select: vec![word.get_ref().clone()], ..Settings::default() };
            if let Some((unknown, meant)) = one.unknown_selector() {
                self.push(span(word), no_such_rule(unknown, meant));
            }
        }
        words.into_iter().map(Spanned::into_inner).collect()
    }

    fn severity(
        &mut self,
        settings: &mut Settings,
        levels: BTreeMap<Spanned<String>, Spanned<String>>,
    ) {
        for (selector, level) in as_written(levels) {
            let selectors = self.selectors(vec![selector]);
            if level.get_ref() == "off" {
                settings.ignore.extend(selectors);
            } else if let Some(level) = self.level(&level, LEVELS) {
                settings.severity.extend(selectors.into_iter().map(|one| (one, level)));
            }
        }
    }

    fn level(&mut self, word: &Spanned<String>, known: &[&str]) -> Option<Level> {
        let level = Level::ALL.iter().copied().find(|level| level.as_str() == word.get_ref());
        if level.is_none() {
            self.unknown(word, "level", known);
        }
        level
    }

    fn globs(&mut self, patterns: &[Spanned<String>]) -> Option<Globs> {
        let words: Vec<&str> = patterns.iter().map(|one| one.get_ref().as_str()).collect();
        match Globs::new(&words, self.reader.folder, self.reader.here) {
            Ok(globs) => Some(globs),
            Err((index, message)) => {
                let at = patterns.get(index).map(span).unwrap_or_default();
                self.push(at, format!("this is no pattern for paths: {message}"));
                None
            }
        }
    }

    fn statement(
        &mut self,
        sid: Option<String>,
        pointer: Option<Spanned<String>>,
        hash: Option<Spanned<String>>,
    ) -> Option<StatementKey> {
        let mut keys: Vec<StatementKey> = Vec::new();
        let at = pointer.as_ref().or(hash.as_ref()).map(span).unwrap_or_default();
        keys.extend(sid.map(|sid| StatementKey::Sid(sid.into())));
        if let Some(pointer) = pointer {
            match pointer.get_ref().parse::<Pointed>() {
                Ok(Pointed(index)) => keys.push(StatementKey::Pointer(index)),
                Err(message) => self.push(span(&pointer), message),
            }
        }
        if let Some(hash) = hash {
            match hash.get_ref().parse::<ContentHash>() {
                Ok(hash) => keys.push(StatementKey::Hash(hash)),
                Err(error) => self.push(span(&hash), error.to_string()),
            }
        }
        if keys.len() > 1 {
            self.push(at, "name the statement once: by `sid`, `pointer` or `hash`");
        }
        keys.pop()
    }
}

/// What to say of a selector that names no rule.
#[must_use]
pub fn no_such_rule(word: &str, meant: Option<&str>) -> String {
    match meant {
        Some(meant) => format!("there is no rule `{word}`; did you mean `{meant}`?"),
        None => format!("there is no rule `{word}`; `keyproof rules` lists them"),
    }
}

fn not_known(word: &str, what: &str, known: &[&str]) -> String {
    match crate::syntax::closest(word, known) {
        Some(meant) => format!("there is no {what} `{word}`; did you mean `{meant}`?"),
        None => format!("there is no {what} `{word}`, only `{}`", known.join("`, `")),
    }
}

/// The members of a table in the order written, which later ones win by.
fn as_written<T>(table: BTreeMap<Spanned<String>, T>) -> Vec<(Spanned<String>, T)> {
    let mut members: Vec<_> = table.into_iter().collect();
    members.sort_by_key(|(name, _)| name.span().start);
    members
}

fn span<T>(spanned: &Spanned<T>) -> Span {
    let range = spanned.span();
    Span::new(range.start, range.end)
}
