//! What is wrong with a file, and where.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::model::Span;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file or folder.
    pub path: PathBuf,
    /// Line and column, from 1.
    pub place: Option<(usize, usize)>,
    /// What is wrong and what to do.
    pub message: String,
}

impl Problem {
    pub(super) fn at(path: &Path, text: &str, span: Span, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), place: Some(span.line_column(text)), message: message.into() }
    }

    /// The same in a text that other lines precede.
    pub(super) fn after(mut self, lines: usize) -> Self {
        if let Some((line, _)) = &mut self.place {
            *line += lines;
        }
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Everything that is wrong with what was read; never empty when returned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadError {
    problems: Vec<Problem>,
}

impl LoadError {
    /// All problems, in the order found.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub(super) fn at(path: &Path, message: impl Into<String>) -> Self {
        Problem { path: path.to_owned(), place: None, message: message.into() }.into()
    }

    pub(super) fn line(path: &Path, line: usize, message: impl Into<String>) -> Self {
        Problem { path: path.to_owned(), place: Some((line, 1)), message: message.into() }.into()
    }

    pub(super) fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.problems.extend(other.problems);
    }

    /// The value, or its error noted.
    pub(super) fn take<T>(&mut self, result: Result<T, Self>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.extend(error);
                None
            }
        }
    }

    /// What a file's or folder's name stands for.
    pub(super) fn named<T: FromStr>(&mut self, path: &Path) -> Option<T>
    where
        T::Err: fmt::Display,
    {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let parsed = name.parse().map_err(|error: T::Err| Self::at(path, error.to_string()));
        self.take(parsed)
    }

    /// The value, unless something is wrong.
    pub(super) fn finish<T>(self, value: T) -> Result<T, Self> {
        if self.problems.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl From<Problem> for LoadError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.problems.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadError {}
