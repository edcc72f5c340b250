//! Which files a command may write: nothing it reads, nothing that holds keys or records, nothing
//! of the world, and no device.

use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use keyproof::backend::embedded;

use crate::output::CliError;

/// A file that a command uses, and what it is for.
pub type Used<'a> = (&'static str, &'a Path);

/// Refuses to write to `path` what would destroy one of the files in use, or change the world.
pub fn refuse_used(
    path: &Path,
    what: &str,
    used: &[Used<'_>],
    world: Option<&Path>,
) -> Result<(), CliError> {
    let place = identity(path);
    for (name, other) in used {
        if identity(other) == place {
            return Err(CliError::at(path, format_args!("{what} would overwrite {name}")));
        }
    }
    match world {
        Some(world) if is_inside(path, world) => Err(CliError::at(
            path,
            format_args!("{what} would be inside the world folder: name a file elsewhere"),
        )),
        _ => Ok(()),
    }
}

/// Whether a path leads into a folder.
pub fn is_inside(path: &Path, folder: &Path) -> bool {
    match (settled(path), std::fs::canonicalize(folder)) {
        (Some(path), Ok(folder)) => path.starts_with(folder),
        _ => false,
    }
}

/// Refuses a link to nothing, which is neither a file nor the lack of one.
pub fn refuse_dangling(path: &Path) -> Result<(), CliError> {
    match std::fs::read_link(path) {
        Ok(target) if !path.exists() => Err(CliError::at(
            path,
            format_args!("is a link to `{}`, which does not exist", target.display()),
        )),
        _ => Ok(()),
    }
}

/// A file that is there is known by its device and number, whatever it is called; one that is not,
/// by its folder and name.
#[derive(Debug, PartialEq, Eq)]
enum Identity {
    Node(u64, u64),
    Name(Option<PathBuf>),
}

#[cfg(unix)]
fn identity(path: &Path) -> Identity {
    use std::os::unix::fs::MetadataExt;

    match std::fs::metadata(path) {
        Ok(metadata) => Identity::Node(metadata.dev(), metadata.ino()),
        Err(_) => Identity::Name(Some(settled(path).unwrap_or_else(|| path.to_owned()))),
    }
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Identity {
    Identity::Name(Some(settled(path).unwrap_or_else(|| path.to_owned())))
}

/// The path without links, also of a file that is yet to be made.
fn settled(path: &Path) -> Option<PathBuf> {
    if let Ok(path) = std::fs::canonicalize(path) {
        return Some(path);
    }
    Some(std::fs::canonicalize(folder_of(path)).ok()?.join(path.file_name()?))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The file that would be written, and what is there now; refuses what is no regular file.
pub fn writable(path: &Path) -> Result<(PathBuf, Option<Metadata>), CliError> {
    refuse_dangling(path)?;
    let failed = |error| CliError::at(path, error);
    match std::fs::canonicalize(path) {
        Ok(target) => {
            let found = std::fs::metadata(&target).map_err(failed)?;
            if !found.is_file() {
                let message = "is no regular file: name one, or - for standard output";
                return Err(CliError::at(path, message));
            }
            Ok((target, Some(found)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::metadata(folder_of(path)).map_err(failed)?;
            Ok((path.to_owned(), None))
        }
        Err(error) => Err(failed(error)),
    }
}

/// A file to be written: open under another name in its folder, and renamed when it is complete.
#[derive(Debug)]
pub struct Pending {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
    done: bool,
}

impl Pending {
    /// Makes ready to write `path`, or the file that it links to. Nothing is seen under that name
    /// until [`Self::finish`]. A file that is there keeps its permission bits; a new one that is
    /// `secret` is for its owner alone.
    pub fn open(path: &Path, secret: bool) -> Result<Self, CliError> {
        let (target, found) = writable(path)?;
        let name =
            target.file_name().ok_or_else(|| CliError::at(path, "is not the name of a file"))?;
        let temporary = folder_of(&target).join(temporary_name(name)?);
        let file = create(&temporary, secret || found.is_some())
            .map_err(|error| CliError::at(path, error))?;
        let pending = Self { path: target, temporary, file, done: false };
        if let Some(found) = found {
            pending.keep_mode(&found).map_err(|error| CliError::at(path, error))?;
        }
        Ok(pending)
    }

    /// The file that is written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a part of it.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Writes the bytes, and puts the file in its place when they are on the disk.
    pub fn finish(mut self, bytes: &[u8]) -> Result<(), CliError> {
        let written = (|| {
            self.file.write_all(bytes)?;
            self.file.sync_all()?;
            std::fs::rename(&self.temporary, &self.path)?;
            self.done = true;
            match File::open(folder_of(&self.path)).and_then(|folder| folder.sync_all()) {
                // Folders cannot be opened as files everywhere.
                Err(_) if cfg!(not(unix)) => Ok(()),
                result => result,
            }
        })();
        written.map_err(|error: io::Error| CliError::at(&self.path, error))
    }

    #[cfg(unix)]
    fn keep_mode(&self, found: &Metadata) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt;

        let mode = found.permissions().mode() & 0o777;
        self.file.set_permissions(std::fs::Permissions::from_mode(mode))
    }

    #[cfg(not(unix))]
    fn keep_mode(&self, _: &Metadata) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.done {
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

fn temporary_name(name: &std::ffi::OsStr) -> Result<OsString, CliError> {
    let random: [u8; 8] = embedded::random_bytes().map_err(CliError::new)?;
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{:016x}.part", u64::from_be_bytes(random)));
    Ok(temporary)
}

fn create(path: &Path, private: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = private;
    options.open(path)
}
