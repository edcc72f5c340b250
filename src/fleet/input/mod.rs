//! The ciphertexts: JSON lines, comma-separated values, or a folder of blobs. Read in order, one at
//! a time; never written.

mod csv;
mod folder;
mod json;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

use super::{Defaults, FleetError, Item};
use crate::model::CiphertextBlob;

/// Where the ciphertexts are.
#[derive(Clone, Debug)]
pub enum Input {
    /// Comma-separated values with a heading.
    Csv(PathBuf),
    /// A folder in which every file is a ciphertext.
    Folder(PathBuf),
    /// A JSON object a line.
    JsonLines(PathBuf),
}

impl Input {
    /// Takes a folder for a folder of blobs, `*.csv` for comma-separated values, and every other
    /// file for JSON lines.
    ///
    /// # Errors
    /// When there is nothing, or neither a file nor a folder.
    pub fn find(path: &Path) -> Result<Self, FleetError> {
        let found = std::fs::metadata(path).map_err(|error| FleetError::io("read", path, error))?;
        let path = path.to_owned();
        if found.is_dir() {
            Ok(Self::Folder(path))
        } else if !found.is_file() {
            let message =
                "is neither a file nor a folder: it is read twice, so it cannot be a pipe";
            Err(FleetError::Item { place: path.display().to_string(), message: message.into() })
        } else if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) {
            Ok(Self::Csv(path))
        } else {
            Ok(Self::JsonLines(path))
        }
    }

    /// The file or folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Csv(path) | Self::Folder(path) | Self::JsonLines(path) => path,
        }
    }

    pub(super) fn open(&self) -> Result<Reader, FleetError> {
        let source = match self {
            Self::Csv(path) => Source::Csv(csv::open(path)?),
            Self::Folder(path) => Source::Folder(folder::Walk::new(path)?),
            Self::JsonLines(path) => {
                Source::JsonLines { file: BufReader::new(file(path)?), line: 0 }
            }
        };
        Ok(Reader { path: self.path().to_owned(), source, position: 0 })
    }
}

/// Reads an input from its beginning to its end.
pub(super) struct Reader {
    path: PathBuf,
    source: Source,
    position: u64,
}

enum Source {
    Csv(csv::Rows),
    Folder(folder::Walk),
    JsonLines { file: BufReader<File>, line: u64 },
}

/// An item as it stands in the input.
pub(super) struct Raw {
    pub(super) position: u64,
    content: Content,
}

enum Content {
    Csv { line: u64, columns: csv::Columns, row: ::csv::StringRecord },
    File { name: String },
    Json { line: u64, text: Vec<u8> },
}

impl Reader {
    /// The next item; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Raw>, FleetError> {
        let content = match &mut self.source {
            Source::Csv(rows) => rows.next(&self.path)?,
            Source::Folder(walk) => walk.next()?.map(|name| Content::File { name }),
            Source::JsonLines { file, line } => next_line(file, line, &self.path)?,
        };
        let Some(content) = content else { return Ok(None) };
        let position = self.position;
        self.position += 1;
        Ok(Some(Raw { position, content }))
    }
}

impl Raw {
    /// The item, and what tells it from every other that could stand in its place.
    pub(super) fn item(
        self,
        input: &Path,
        defaults: &Defaults,
    ) -> Result<(Item, Mark), FleetError> {
        let position = self.position;
        match self.content {
            Content::Csv { line, columns, row } => {
                let item = csv::item(position, line, columns, &row, input, defaults)?;
                let length = |field: &str| (field.len() as u64).to_be_bytes();
                let mut mark = Marker::new(position);
                for field in row.iter() {
                    mark.add(&length(field)).add(field.as_bytes());
                }
                Ok((item, mark.finish()))
            }
            Content::File { name } => {
                let bytes = blob(&input.join(&name))?;
                let mut mark = Marker::new(position);
                mark.add(name.as_bytes()).add(&[0]).add(&bytes);
                let item = Item {
                    position,
                    ciphertext: ciphertext(bytes, || input.join(&name).display().to_string())?,
                    id: name,
                    source_key: defaults.source_key.clone(),
                    destination_key: defaults.destination_key.clone(),
                    source_context: defaults.source_context.clone(),
                    destination_context: defaults
                        .destination_context
                        .clone()
                        .unwrap_or_else(|| defaults.source_context.clone()),
                };
                Ok((item, mark.finish()))
            }
            Content::Json { line, text } => {
                let item = json::item(position, line, &text, input, defaults)?;
                let mut mark = Marker::new(position);
                mark.add(&text);
                Ok((item, mark.finish()))
            }
        }
    }
}

/// The digest of one item and its position. The marks of all items, added up in any order, are the
/// mark of the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark(u128);

impl Mark {
    pub(super) fn add(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

struct Marker(digest::Context);

impl Marker {
    fn new(position: u64) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&position.to_be_bytes());
        Self(context)
    }

    fn add(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes);
        self
    }

    fn finish(self) -> Mark {
        let digest = self.0.finish();
        let first = digest.as_ref().first_chunk().copied().unwrap_or_default();
        Mark(u128::from_be_bytes(first))
    }
}

fn file(path: &Path) -> Result<File, FleetError> {
    File::open(path).map_err(|error| FleetError::io("read", path, error))
}

fn next_line(
    file: &mut BufReader<File>,
    line: &mut u64,
    path: &Path,
) -> Result<Option<Content>, FleetError> {
    loop {
        // Most lines of a fleet fit; a vector that grows is copied several times.
        let mut text = Vec::with_capacity(USUAL_LINE);
        let read = file.take(MAX_LINE_BYTES).read_until(b'\n', &mut text);
        if read.map_err(|error| FleetError::io("read", path, error))? == 0 {
            return Ok(None);
        }
        *line += 1;
        if text.last() != Some(&b'\n') && text.len() as u64 >= MAX_LINE_BYTES {
            let place = format!("{}:{line}", path.display());
            let message = format!("the line is longer than {MAX_LINE_BYTES} bytes: no item is");
            return Err(FleetError::Item { place, message });
        }
        if !text.trim_ascii().is_empty() {
            return Ok(Some(Content::Json { line: *line, text }));
        }
    }
}

/// The bytes of a blob; one byte more than KMS takes tells that it is too long.
fn blob(path: &Path) -> Result<Vec<u8>, FleetError> {
    let mut bytes = Vec::new();
    file(path)?
        .take(CiphertextBlob::MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| FleetError::io("read", path, error))?;
    Ok(bytes)
}

fn ciphertext(
    bytes: Vec<u8>,
    place: impl FnOnce() -> String,
) -> Result<CiphertextBlob, FleetError> {
    CiphertextBlob::new(bytes)
        .map_err(|error| FleetError::Item { place: place(), message: error.to_string() })
}

const USUAL_LINE: usize = 512;
/// A ciphertext and two contexts have less.
const MAX_LINE_BYTES: u64 = 1024 * 1024;
