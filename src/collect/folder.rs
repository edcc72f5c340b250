//! Files of a world folder: whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Writes a file beside its place, and renames it when it is on the disk. Missing folders are made.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}.part", std::process::id()));
    let written = (|| {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        sync(folder)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Writes JSON as the AWS CLI does, with an end of line.
pub(super) fn write_json(path: &Path, value: &Value) -> io::Result<()> {
    write(path, format!("{value:#}\n").as_bytes())
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Removes the files of a key, and its folder when nothing else is in it.
pub(super) fn remove_key(folder: &Path) -> io::Result<()> {
    for name in KEY_FILES {
        remove(&folder.join(name))?;
    }
    match fs::remove_dir(folder) {
        // Somebody keeps other files there.
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// What is written of a key.
pub(super) const KEY_FILES: &[&str] = &[
    "key.json",
    "policy.json",
    "policy.AWS_RAM.json",
    "grants.json",
    "tags.json",
    "rotation.json",
];

/// The folders in a folder; none when it is not there.
pub(super) fn folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let listed = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed?,
    };
    let mut found = Vec::new();
    for entry in listed {
        let path = entry?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The lines of a run that has not ended: what it need not read again.
pub(super) struct Journal {
    file: File,
}

impl Journal {
    /// The name of the file in a Region's folder.
    pub(super) const NAME: &str = "collecting.jsonl";

    /// Goes on with the journal at `path`, or begins one with `first`. Gives the lines that are
    /// there; one that was torn by a crash is left out.
    pub(super) fn open(path: &Path, first: &Value) -> io::Result<(Self, Vec<Value>)> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text?,
        };
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let lines: Vec<Value> = text
            .lines()
            .map_while(|line| serde_json::from_str(line).ok())
            .take(text.matches('\n').count())
            .collect();
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        file.set_len(u64::try_from(whole).unwrap_or_default())?;
        let mut journal = Self { file };
        if lines.is_empty() {
            journal.file.set_len(0)?;
            journal.add(first)?;
        }
        Ok((journal, lines))
    }

    /// Adds a line, and waits until it is on the disk.
    pub(super) fn add(&mut self, line: &Value) -> io::Result<()> {
        self.file.write_all(format!("{line}\n").as_bytes())?;
        self.file.sync_data()
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Folders cannot be opened as files everywhere.
        Err(_) if cfg!(not(unix)) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::Journal;

    #[test]
    fn a_torn_line_is_left_out_and_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("region/collecting.jsonl");
        let (mut journal, lines) = Journal::open(&path, &json!({"first": 1})).unwrap();
        assert!(lines.is_empty());
        journal.add(&json!({"key": "a"})).unwrap();
        drop(journal);
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("{\"key\": \"b");
        std::fs::write(&path, &text).unwrap();
        let (mut journal, lines) = Journal::open(&path, &json!({"first": 2})).unwrap();
        assert_eq!(lines, [json!({"first": 1}), json!({"key": "a"})]);
        journal.add(&json!({"key": "c"})).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "{\"first\":1}\n{\"key\":\"a\"}\n{\"key\":\"c\"}\n");
    }

    #[test]
    fn a_file_is_whole_or_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/file.json");
        super::write(&path, b"all of it").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"all of it");
        let names = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(names, 1, "nothing is left beside it");
        std::fs::create_dir(folder.path().join("taken")).unwrap();
        assert!(super::write(&folder.path().join("taken"), b"x").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
