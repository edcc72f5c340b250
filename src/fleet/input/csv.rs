//! Items as comma-separated values (RFC 4180), with a heading that names the columns.

use std::borrow::Cow;
use std::fs::File;
use std::path::Path;

use csv::{Reader, ReaderBuilder, StringRecord, Trim};

use super::json::{Context, Parts};
use super::{Content, file};
use crate::fleet::{Defaults, FleetError, Item};
use crate::model::EncryptionContext;

/// The rows after the heading.
pub(super) struct Rows {
    reader: Reader<File>,
    columns: Columns,
}

/// Which column holds what.
#[derive(Clone, Copy, Default)]
pub(super) struct Columns([Option<usize>; NAMES.len()]);

/// As the members of a JSON line.
const NAMES: [&str; 6] =
    ["id", "ciphertext", "sourceContext", "destinationContext", "sourceKeyId", "destinationKeyId"];

pub(super) fn open(path: &Path) -> Result<Rows, FleetError> {
    let mut reader = ReaderBuilder::new().trim(Trim::Headers).from_reader(file(path)?);
    let heading = reader.headers().map_err(|error| wrong(path, &error))?;
    let at = |message: String| FleetError::Item { place: format!("{}:1", path.display()), message };
    let mut columns = Columns::default();
    for (number, name) in heading.iter().enumerate() {
        let known = NAMES.iter().position(|known| *known == name);
        let Some(column) = known.and_then(|place| columns.0.get_mut(place)) else {
            return Err(at(format!(
                "no column is called `{name}`: there are {}",
                NAMES.join(", ")
            )));
        };
        if column.replace(number).is_some() {
            return Err(at(format!("two columns are called `{name}`")));
        }
    }
    if columns.0.get(1).copied().flatten().is_none() {
        return Err(at("there is no column `ciphertext`: the first line names the columns".into()));
    }
    Ok(Rows { reader, columns })
}

impl Rows {
    pub(super) fn next(&mut self, path: &Path) -> Result<Option<Content>, FleetError> {
        let mut row = StringRecord::new();
        if !self.reader.read_record(&mut row).map_err(|error| wrong(path, &error))? {
            return Ok(None);
        }
        let line = row.position().map_or(0, csv::Position::line);
        Ok(Some(Content::Csv { line, columns: self.columns, row }))
    }
}

pub(super) fn item(
    position: u64,
    line: u64,
    columns: Columns,
    row: &StringRecord,
    path: &Path,
    defaults: &Defaults,
) -> Result<Item, FleetError> {
    // An empty field says nothing, as a member that is not there.
    let field = |place: usize| {
        let column = columns.0.get(place).copied().flatten()?;
        row.get(column).filter(|text| !text.is_empty())
    };
    let context = |place: usize| -> Result<Option<EncryptionContext>, String> {
        let Some(text) = field(place) else { return Ok(None) };
        let name = NAMES.get(place).copied().unwrap_or_default();
        let read: Result<Context, _> = serde_json::from_str(text);
        read.map(|context| Some(context.0))
            .map_err(|error| format!("`{name}` is not a JSON object of texts: {error}"))
    };
    let parts = || {
        Ok(Parts {
            id: field(0).map(Cow::Borrowed),
            ciphertext: field(1).unwrap_or_default(),
            source_context: context(2)?,
            destination_context: context(3)?,
            source_key: field(4).map(Cow::Borrowed),
            destination_key: field(5).map(Cow::Borrowed),
        })
    };
    parts().and_then(|parts| parts.item(position, line, defaults)).map_err(|message| {
        FleetError::Item { place: format!("{}:{line}", path.display()), message }
    })
}

fn wrong(path: &Path, error: &csv::Error) -> FleetError {
    let line = error.position().map_or(1, csv::Position::line);
    let message = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the line has {len} fields, the heading {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "the line is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    };
    FleetError::Item { place: format!("{}:{line}", path.display()), message }
}
