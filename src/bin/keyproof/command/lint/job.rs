//! One file or folder: read, linted, mended, dropped.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use keyproof::lint::{Collection, Document, Linted, Linter, SourceFile, Subject, Unknown};
use keyproof::load::{Globs, PolicyKindHint, Problem, lint_input, lint_world};
use keyproof::report::{Accepted, Found, NotKnown, Resolver, Unreadable};
use keyproof::syntax::SyntaxErrorKind;
use serde::de::IgnoredAny;

use super::mend::{self, Mend, Mended};
use super::walk::{self, Kind};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// From this size on, files are linted one at a time, so that memory does not grow with the cores.
const LARGE: usize = 4 * 1024 * 1024;

/// What came of one thing.
#[derive(Debug, Default)]
pub struct Done {
    pub files: Vec<String>,
    pub findings: Vec<Found>,
    pub accepted: Vec<(Found, Accepted)>,
    pub unknown: Vec<NotKnown>,
    pub unreadable: Vec<Unreadable>,
    pub mended: Vec<Mended>,
}

/// What jobs share.
#[derive(Debug)]
pub struct Shop {
    pub linter: Linter,
    pub kinds: Vec<(Globs, PolicyKindHint)>,
    pub mend: Option<Mend>,
    large: Mutex<()>,
}

impl Shop {
    pub fn new(linter: Linter, kinds: Vec<(Globs, PolicyKindHint)>, mend: Option<Mend>) -> Self {
        Self { linter, kinds, mend, large: Mutex::new(()) }
    }

    /// Lints one thing.
    pub fn lint(&self, name: &str, kind: Kind) -> Done {
        let mut done = Done::default();
        match kind {
            Kind::World => self.world(name, &mut done),
            Kind::Found | Kind::Named | Kind::Input => self.file(name, kind, &mut done),
        }
        done
    }

    fn file(&self, name: &str, kind: Kind, done: &mut Done) {
        let text = match text(name, kind) {
            Ok(text) => text,
            Err(error) => return done.unreadable.push(error),
        };
        let _alone = (text.len() >= LARGE)
            .then(|| self.large.lock().unwrap_or_else(PoisonError::into_inner));
        let mut file = Arc::new(SourceFile { name: name.into(), text: text.into() });
        let hint = self.kinds.iter().rev().find(|(globs, _)| globs.matches(name));
        let hint = hint.map(|(_, kind)| *kind);
        let mut collection = match lint_input(&file, hint) {
            Ok(Some(collection)) => collection,
            Ok(None) => return done.unreadable.extend(shapeless(&file, kind)),
            Err(error) => return done.refused(error.problems()),
        };
        let mut linted = self.linter.lint(&collection);
        if let Some(mend) = self.mend.filter(|_| kind != Kind::Input || self.is_dry()) {
            let before = Arc::clone(&file);
            for _ in 0..mend::ROUNDS {
                let Some(text) = mend.round(&linted, &file) else { break };
                let next = Arc::new(SourceFile { name: name.into(), text: text.into() });
                // A fix that leaves nothing readable is none.
                let Ok(Some(read)) = lint_input(&next, hint) else { break };
                (file, collection) = (next, read);
                linted = self.linter.lint(&collection);
            }
            if file.text != before.text {
                done.mended.push(Mended::of(&before, &file));
            }
        }
        done.files.push(name.to_owned());
        done.take(&collection, &linted);
    }

    fn is_dry(&self) -> bool {
        self.mend.is_some_and(|mend| mend.is_dry)
    }

    fn world(&self, name: &str, done: &mut Done) {
        let folder = Path::new(name);
        let (mut collection, problems) = match lint_world(folder) {
            Ok(read) => read,
            Err(error) => return done.refused(error.problems()),
        };
        done.refused(&problems);
        let mut linted = self.linter.lint(&collection);
        if let Some(mend) = self.mend {
            for _ in 0..mend::ROUNDS {
                let mended = mend.files(&linted);
                if mended.is_empty() {
                    break;
                }
                done.mended.extend(mended.iter().map(Mended::clone));
                // A folder is read from the disk again, so without writing there is one round.
                if mend.is_dry {
                    break;
                }
                if let Err(error) = mended.iter().try_for_each(Mended::write) {
                    done.unreadable.push(error);
                    break;
                }
                match lint_world(folder) {
                    Ok((read, _)) => collection = read,
                    Err(error) => return done.refused(error.problems()),
                }
                linted = self.linter.lint(&collection);
            }
            if !mend.is_dry {
                done.mended.clear();
            }
        }
        if is_empty(&collection) && problems.is_empty() {
            return done.unreadable.push(Unreadable {
                file: name.to_owned(),
                place: None,
                message: "is a world folder without any key, grant or policy that is read"
                    .to_owned(),
            });
        }
        done.files.extend(files_of(&collection));
        done.take(&collection, &linted);
    }
}

impl Done {
    fn refused(&mut self, problems: &[Problem]) {
        self.unreadable.extend(problems.iter().map(|problem| Unreadable {
            file: walk::name(&problem.path),
            place: problem.place,
            message: problem.message.clone(),
        }));
    }

    /// Copies what is shown, so that the file can go.
    fn take(&mut self, collection: &Collection, linted: &Linted) {
        let mut resolver = Resolver::default();
        self.findings.extend(linted.diagnostics.iter().map(|one| resolver.found(one)));
        self.accepted.extend(linted.suppressed.iter().map(|one| {
            (resolver.found(&one.diagnostic), Accepted::Suppressed(one.reason.clone()))
        }));
        self.unknown.extend(collection.unknown.iter().map(|one| resolver.unknown(one)));
        for document in &collection.documents {
            self.unknown.extend(document.holes().iter().map(|hole| {
                resolver.unknown(&Unknown {
                    origin: Arc::clone(document.origin()),
                    span: *hole,
                    reason: document.unknown_because().into(),
                })
            }));
            self.unreadable.extend(broken(document));
        }
    }
}

/// A file that should be a policy and is not JSON: there is a finding, and nothing was judged.
fn broken(document: &Document) -> Option<Unreadable> {
    let error = document.errors().iter().find(|error| {
        matches!(
            error.kind,
            SyntaxErrorKind::ByteOrderMark
                | SyntaxErrorKind::ControlCharacter { .. }
                | SyntaxErrorKind::NotJson { .. }
                | SyntaxErrorKind::TextTooLong { .. }
                | SyntaxErrorKind::TooDeep { .. }
        )
    })?;
    let file = document.origin().source_file();
    let is_whole_file = document.text().as_ptr() == file.text.as_ptr();
    (document.syntax().is_none() && is_whole_file).then(|| Unreadable {
        file: file.name.to_string(),
        place: Some(error.span.line_column(&file.text)),
        message: format!("cannot be read as a policy: {error}"),
    })
}

/// Whether a world told nothing at all.
fn is_empty(collection: &Collection) -> bool {
    files_of(collection).is_empty()
        && collection.whole_accounts.is_empty()
        && collection.unknown.is_empty()
}

fn files_of(collection: &Collection) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    let documents = collection.documents.iter().map(Subject::origin);
    let grants = collection.grants.iter().map(Subject::origin);
    let keys = collection.keys.iter().map(Subject::origin);
    let entities = collection.entities.iter().map(Subject::origin);
    for origin in documents.chain(grants).chain(keys).chain(entities) {
        files.push(origin.source_file().name.to_string());
    }
    files.sort();
    files.dedup();
    files
}

/// Reads a file, or says why not; a file that is too large is not read.
fn text(name: &str, kind: Kind) -> Result<String, Unreadable> {
    let wrong = |place, message: String| Unreadable { file: name.to_owned(), place, message };
    let too_large =
        || wrong(None, format!("is larger than {} MiB, and is not read", LARGEST / 1024 / 1024));
    let mut bytes = Vec::new();
    let read: io::Result<()> = (|| {
        if kind == Kind::Input {
            return io::stdin().take(LARGEST + 1).read_to_end(&mut bytes).map(drop);
        }
        // A pipe would be waited for; one that is named, as `/dev/fd/63` of a shell, is filled. What
        // is found in a folder is known to be a file.
        let is_told = kind == Kind::Found || Path::new(name).starts_with("/dev");
        if !is_told && !std::fs::metadata(name)?.is_file() {
            return Err(io::Error::other("is no regular file"));
        }
        let file = File::open(name)?;
        let size = file.metadata()?.len();
        if size > LARGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        bytes.reserve(usize::try_from(size).unwrap_or(0) + 1);
        file.take(LARGEST + 1).read_to_end(&mut bytes).map(drop)
    })();
    match read {
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => return Err(too_large()),
        Err(error) => return Err(wrong(None, error.to_string())),
        Ok(()) if bytes.len() as u64 > LARGEST => return Err(too_large()),
        Ok(()) => {}
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(wrong(Some((1, 1)), "is UTF-16 text: save it as UTF-8".to_owned()));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let bytes = error.into_bytes();
        let before = bytes.get(..good).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let last = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let column = String::from_utf8_lossy(last).chars().count() + 1;
        let what = if bytes.contains(&0) { "is binary" } else { "is not UTF-8 text" };
        wrong(Some((line, column)), format!("{what}: byte {good} is no part of a character"))
    })
}

/// What there is to say of a file without a known shape: nothing when it was found in a folder, as
/// long as it is whole. A state, and what its name says is a template or a policy, is never
/// something else.
fn shapeless(file: &SourceFile, kind: Kind) -> Option<Unreadable> {
    let wrong =
        |place, message: String| Some(Unreadable { file: file.name.to_string(), place, message });
    if let Some(at) = file.text.find('\0') {
        let place = keyproof::model::Span::new(at, at).line_column(&file.text);
        return wrong(Some(place), "is binary: it holds a NUL byte".to_owned());
    }
    let is_state = file.name.ends_with(".tfstate");
    let start = file.text.trim_start_matches('\u{feff}').trim_start();
    let is_json = is_state || start.starts_with(['{', '[']);
    let is_ours = is_state || (is_json && is_named_ours(&file.name, start));
    let is_yaml = file.name.ends_with(".yaml") || file.name.ends_with(".yml");
    let json = if is_json { serde_json::from_str::<IgnoredAny>(&file.text).err() } else { None };
    match (json, kind) {
        (Some(error), _) if error.is_eof() && !is_yaml => {
            let place = (error.line(), error.column().max(1));
            wrong(Some(place), "ends before its JSON does".to_owned())
        }
        (None, Kind::Found) => None,
        (Some(_), Kind::Found) if !is_ours => None,
        (Some(error), _) => {
            let place = (error.line(), error.column().max(1));
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            wrong(Some(place), format!("is not JSON: {message}"))
        }
        (None, _) => wrong(
            None,
            "has no shape that holds policies: neither a policy document nor anything that contains \
             one"
                .to_owned(),
        ),
    }
}

/// Whether a file that starts as JSON says in its name that it holds policies. What starts with a
/// brace more is a template of templates.
fn is_named_ours(name: &str, text: &str) -> bool {
    let is_generic = text.starts_with("{{") || text.starts_with("{%") || text.starts_with("{#");
    let endings = [".policy", ".policy.json", ".template", ".template.json"];
    !is_generic
        && (endings.iter().any(|ending| name.ends_with(ending))
            || PolicyKindHint::of_name(name).is_some())
}
