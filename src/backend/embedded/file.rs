//! Files that are there whole or not at all, and for their owner alone.

use std::fs::{File, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::KeystoreError;
use super::seal::random;

/// Whether [`create_whole`] made the file or found one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Creation {
    /// The file is the one just written.
    Created,
    /// Someone else's file was there first; it is untouched.
    Existed,
}

/// Makes a file under its name only when it is complete and on disk: it is written under another
/// name in the same folder, synced, and linked. A process killed half-way leaves at most a
/// temporary file behind.
pub(super) fn create_whole<E: From<KeystoreError>>(
    path: &Path,
    write: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<Creation, E> {
    let temporary = temporary_name(path)?;
    let result = write_and_link(path, &temporary, write);
    // Best effort: the link is made or it is not, a leftover name changes nothing.
    let _ = std::fs::remove_file(&temporary);
    result
}

/// Refuses a secret's file that group or others may open.
#[cfg(unix)]
pub(super) fn refuse_shared(path: &Path, metadata: &Metadata) -> Result<(), KeystoreError> {
    use std::os::unix::fs::PermissionsExt;

    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeystoreError::RootKeyPermissions { path: path.to_owned(), mode });
    }
    Ok(())
}

/// Elsewhere, files belong to the user's profile and have no such bits.
#[cfg(not(unix))]
pub(super) fn refuse_shared(_path: &Path, _metadata: &Metadata) -> Result<(), KeystoreError> {
    Ok(())
}

fn write_and_link<E: From<KeystoreError>>(
    path: &Path,
    temporary: &Path,
    write: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<Creation, E> {
    let io = |source| KeystoreError::io("create", path, source);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(temporary).map_err(io)?;
    write(temporary)?;
    File::open(temporary).and_then(|file| file.sync_all()).map_err(io)?;
    // A link, unlike a rename, never replaces a file that appeared meanwhile.
    match std::fs::hard_link(temporary, path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(Creation::Existed),
        Err(error) => return Err(io(error).into()),
    }
    sync_folder(path).map_err(io)?;
    Ok(Creation::Created)
}

fn temporary_name(path: &Path) -> Result<PathBuf, KeystoreError> {
    let Some(name) = path.file_name() else {
        return Err(KeystoreError::validation(format!(
            "`{}` does not name a file",
            path.display()
        )));
    };
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{:016x}.tmp", u64::from_be_bytes(random()?)));
    Ok(path.with_file_name(temporary))
}

/// A new name is on disk when its folder is.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Folders cannot be opened as files everywhere.
        Err(error) if cfg!(not(unix)) && error.kind() == ErrorKind::PermissionDenied => Ok(()),
        result => result,
    }
}
