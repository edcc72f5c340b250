//! Fixes: by place, those that overlap in rounds.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use keyproof::lint::{Applicability, Diagnostic, Linted, SourceFile};
use keyproof::model::Span;
use keyproof::report::Unreadable;
use similar::TextDiff;

use crate::place::Pending;

/// How often a file is mended before what is left is left.
pub const ROUNDS: usize = 50;

/// Which fixes are made, and whether they are written.
#[derive(Clone, Copy, Debug)]
pub struct Mend {
    /// The boldest fix that is made.
    pub boldest: Applicability,
    /// They are shown alone.
    pub is_dry: bool,
}

/// A file before and after.
#[derive(Clone, Debug)]
pub struct Mended {
    pub name: String,
    before: Box<str>,
    after: Box<str>,
}

impl Mend {
    /// The text of a file with all fixes that do not overlap; `None` when there is none.
    pub fn round(self, linted: &Linted, file: &SourceFile) -> Option<String> {
        let mut fixes: Vec<Vec<(Span, String)>> = linted
            .diagnostics
            .iter()
            .filter(|one| *one.place.origin.source_file().name == *file.name && self.makes(one))
            .filter_map(Diagnostic::file_edits)
            .filter(|edits| !edits.is_empty())
            .collect();
        for edits in &mut fixes {
            edits.sort();
        }
        fixes.sort();
        let mut edits: Vec<(Span, String)> = Vec::new();
        for fix in fixes {
            let meets = |(span, _): &(Span, String)| {
                edits
                    .iter()
                    .any(|(other, _)| other.overlaps(*span) || other.start() == span.start())
            };
            if !fix.iter().any(meets) {
                edits.extend(fix);
            }
        }
        edits.sort();
        let mut text = String::with_capacity(file.text.len());
        let mut at = 0;
        for (span, with) in edits {
            text.push_str(file.text.get(at..span.start())?);
            text.push_str(&with);
            at = span.end();
        }
        text.push_str(file.text.get(at..)?);
        (*text != *file.text).then_some(text)
    }

    /// The files of a collection, mended once.
    pub fn files(self, linted: &Linted) -> Vec<Mended> {
        let mut files: BTreeMap<&str, &Arc<SourceFile>> = BTreeMap::new();
        for one in &linted.diagnostics {
            let file = one.place.origin.source_file();
            files.insert(&file.name, file);
        }
        let mended = files.values().filter_map(|file| {
            let after = self.round(linted, file)?;
            let (name, before) = (file.name.to_string(), file.text.clone());
            Some(Mended { name, before, after: after.into() })
        });
        mended.collect()
    }

    fn makes(self, one: &Diagnostic) -> bool {
        one.fix.as_ref().is_some_and(|fix| fix.applicability <= self.boldest)
    }
}

impl Mended {
    pub fn of(before: &SourceFile, after: &SourceFile) -> Self {
        Self {
            name: before.name.to_string(),
            before: before.text.clone(),
            after: after.text.clone(),
        }
    }

    /// Writes the file whole or not at all, unless somebody else has written it meanwhile.
    pub fn write(&self) -> Result<(), Unreadable> {
        let wrong = |message: String| Unreadable { file: self.name.clone(), place: None, message };
        let path = Path::new(&self.name);
        match std::fs::read(path) {
            Ok(bytes) if *bytes == *self.before.as_bytes() => {}
            Ok(_) => return Err(wrong("has changed meanwhile, and is not mended".to_owned())),
            Err(error) => return Err(wrong(error.to_string())),
        }
        let written =
            Pending::open(path, false).and_then(|file| file.finish(self.after.as_bytes()));
        written.map_err(|error| wrong(format!("could not be mended: {error}")))
    }

    /// What would change, as a unified diff.
    pub fn diff(&self) -> String {
        let diff = TextDiff::from_lines(&*self.before, &*self.after);
        let (old, new) = (format!("a/{}", self.name), format!("b/{}", self.name));
        diff.unified_diff().context_radius(3).header(&old, &new).to_string()
    }
}
