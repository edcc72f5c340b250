//! The output: written under another name, and put in its place when it is complete.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{self, SHA256};

use super::journal::Extent;
use super::{FleetError, Output};

/// The results of a run, open for appending.
pub(super) struct Results {
    output: Output,
    part: PathBuf,
    file: Option<File>,
}

impl Results {
    /// Refuses an output that is there before the job has begun.
    pub(super) fn refuse_present(output: &Output) -> Result<(), FleetError> {
        let mut places = vec![output.results.clone(), part(&output.results)];
        if let Some(folder) = &output.folder {
            places.extend([folder.clone(), part(folder)]);
        }
        match places.into_iter().find(|path| path.symlink_metadata().is_ok()) {
            Some(path) => Err(FleetError::Exists { path }),
            None => Ok(()),
        }
    }

    /// Whether the output of a finished job is still there as it was written.
    pub(super) fn check(output: &Output, extent: &Extent) -> Result<(), FleetError> {
        let places = output.folder.iter().chain([&output.results]);
        for path in places {
            if !path.exists() {
                let path = path.clone();
                return Err(FleetError::OutputChanged { path, detail: "it is gone" });
            }
        }
        Self::open(output, extent).map(drop)
    }

    /// Opens the results and cuts off what the journal does not count.
    pub(super) fn open(output: &Output, extent: &Extent) -> Result<Self, FleetError> {
        let part = part(&output.results);
        let published = !part.exists() && output.results.exists();
        let path = if published { &output.results } else { &part };
        let failed = |error| FleetError::io("write the results", path, error);
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        if extent.length == 0 && !published {
            options.create(true);
        }
        let changed = |detail| FleetError::OutputChanged { path: path.clone(), detail };
        let mut file = match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && extent.length > 0 => {
                return Err(changed("it is gone"));
            }
            opened => opened.map_err(failed)?,
        };
        let length = file.metadata().map_err(failed)?.len();
        if length < extent.length {
            return Err(changed("it is shorter"));
        }
        if extent.length > extent.last {
            file.seek(SeekFrom::Start(extent.last)).map_err(failed)?;
            let mut last = Vec::new();
            let batch = Read::by_ref(&mut file).take(extent.length - extent.last);
            let mut batch = batch;
            batch.read_to_end(&mut last).map_err(failed)?;
            if digest_of(&[last]) != extent.digest {
                return Err(changed("its last lines are others"));
            }
        }
        if published {
            if length != extent.length {
                return Err(changed("it is longer"));
            }
            return Ok(Self { output: output.clone(), part, file: None });
        }
        file.set_len(extent.length).map_err(failed)?;
        file.seek(SeekFrom::Start(extent.length)).map_err(failed)?;
        if let Some(folder) = &output.folder {
            let folder = self::part(folder);
            std::fs::create_dir_all(&folder)
                .map_err(|error| FleetError::io("make the folder", &folder, error))?;
        }
        Ok(Self { output: output.clone(), part, file: Some(file) })
    }

    /// Appends lines; they are on disk when it returns.
    pub(super) fn append(
        &mut self,
        extent: &Extent,
        lines: &[Vec<u8>],
    ) -> Result<Extent, FleetError> {
        if lines.iter().all(Vec::is_empty) {
            return Ok(extent.clone());
        }
        let failed = |error| FleetError::io("write the results", &self.part, error);
        let Some(file) = &mut self.file else {
            return Err(FleetError::Exists { path: self.output.results.clone() });
        };
        lines.iter().try_for_each(|lines| file.write_all(lines)).map_err(failed)?;
        file.sync_data().map_err(failed)?;
        let length = extent.length + lines.iter().map(|lines| lines.len() as u64).sum::<u64>();
        Ok(Extent { length, last: extent.length, digest: digest_of(lines) })
    }

    /// Puts everything in its place.
    pub(super) fn publish(&mut self) -> Result<(), FleetError> {
        if let Some(folder) = &self.output.folder {
            let part = part(folder);
            if part.exists() {
                if folder.symlink_metadata().is_ok() {
                    return Err(FleetError::Exists { path: folder.clone() });
                }
                std::fs::rename(&part, folder)
                    .and_then(|()| sync_folder(folder))
                    .map_err(|error| FleetError::io("make the folder", folder, error))?;
            }
        }
        if self.file.take().is_none() {
            return Ok(());
        }
        let results = &self.output.results;
        match std::fs::hard_link(&self.part, results) {
            Err(error)
                if error.kind() == io::ErrorKind::AlreadyExists && !same(&self.part, results) =>
            {
                return Err(FleetError::Exists { path: results.clone() });
            }
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(FleetError::io("make the results", results, error));
            }
            _ => {}
        }
        std::fs::remove_file(&self.part)
            .and_then(|()| sync_folder(results))
            .map_err(|error| FleetError::io("make the results", results, error))
    }
}

/// Whether a kill between link and removal left both names.
#[cfg(unix)]
fn same(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    match (std::fs::metadata(one), std::fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn same(_: &Path, _: &Path) -> bool {
    false
}

/// The blobs of a mirrored folder, written by whoever has them.
pub(super) struct Mirror {
    folder: PathBuf,
}

impl Mirror {
    pub(super) fn of(output: &Output) -> Option<Self> {
        output.folder.as_ref().map(|folder| Self { folder: part(folder) })
    }

    /// Writes a blob; it is on disk when its folder is synced.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, FleetError> {
        let path = self.folder.join(name);
        let parent = path.parent().unwrap_or(&self.folder).to_owned();
        let written = std::fs::create_dir_all(&parent).and_then(|()| {
            let mut file = File::create(&path)?;
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.map_err(|error| FleetError::io("write the ciphertext", &path, error))?;
        Ok(parent)
    }

    /// What a killed run left of an item that is not moved goes away.
    pub(super) fn remove(&self, name: &str) -> Result<(), FleetError> {
        let path = self.folder.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(FleetError::io("remove the ciphertext", &path, error))
            }
            _ => Ok(()),
        }
    }

    /// The names of the blobs in these folders are on disk, and those of the folders above.
    pub(super) fn sync(&self, folders: Vec<PathBuf>) -> Result<(), FleetError> {
        let mut all: Vec<PathBuf> = folders;
        all.sort_unstable();
        all.dedup();
        for folder in all.clone() {
            let above = folder.ancestors().skip(1).take_while(|it| it.starts_with(&self.folder));
            all.extend(above.map(Path::to_owned));
        }
        all.sort_unstable();
        all.dedup();
        for folder in all {
            File::open(&folder)
                .and_then(|opened| opened.sync_all())
                .map_err(|error| FleetError::io("write the folder", &folder, error))?;
        }
        Ok(())
    }
}

fn digest_of(lines: &[Vec<u8>]) -> String {
    use std::fmt::Write as _;

    let mut text = String::with_capacity(64);
    let mut digest = digest::Context::new(&SHA256);
    lines.iter().for_each(|lines| digest.update(lines));
    for byte in digest.finish().as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn part(path: &Path) -> PathBuf {
    with_ending(path, "part")
}

/// A file beside another: its name with a further ending.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// A new name is on disk when its folder is.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Folders cannot be opened as files everywhere.
        Err(_) if cfg!(not(unix)) => Ok(()),
        result => result,
    }
}
