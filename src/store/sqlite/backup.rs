//! Copies of the database, made while it is in use.

use super::errors::store_error;
use super::folder::{database, sync};
use super::left::{JOURNAL, with_ending};
use super::{read_only, schema};
use rusqlite::{Connection, ErrorCode};
use std::fs::{File, TryLockError};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Writes everything that a folder's store holds at one moment into a new file. The store may be in use meanwhile. The file
/// has its name only when it is whole.
///
/// # Errors
/// Says what is wrong with the folder, the database or the file.
pub fn backup(folder: &Path, to: &Path) -> Result<(), String> {
    let from = database(folder);
    if !from.exists() {
        return Err(format!("there is no store in {}: {} is missing", folder.display(), from.display()));
    }
    let source = read_only(&from).map_err(|error| format!("{}: {}", from.display(), store_error(&error)))?;
    schema::version(&source).map_err(|error| format!("{}: {error}", from.display()))?;
    let unfinished = Unfinished::make(to).map_err(|error| cannot_write(to, &error))?;
    unfinished.fill(&source).map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => no_room(to),
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly) => {
            format!("{} cannot be copied to {}: {error}", from.display(), to.display())
        }
        _ => format!("{}: {}", from.display(), store_error(&error)),
    })?;
    unfinished.finish().map_err(|error| cannot_write(to, &error))
}

fn no_room(to: &Path) -> String {
    format!("{}: the disk of the backup is full: make room on it, or write the backup elsewhere", to.display())
}

fn cannot_write(to: &Path, error: &Error) -> String {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => no_room(to),
        ErrorKind::WouldBlock => format!("{}: another backup is being written there", to.display()),
        _ => format!("{}: {error}", to.display()),
    }
}

/// A backup under another name, until it is whole; removed unless it becomes so.
struct Unfinished<'a> {
    to: &'a Path,
    path: PathBuf,
    /// Locked as long as it is written: what a killed backup left has no lock.
    file: File,
    is_whole: bool,
}

impl<'a> Unfinished<'a> {
    fn make(to: &'a Path) -> std::io::Result<Self> {
        let path = with_ending(to, ".unfinished");
        // Nobody else may have it open, nor read it later.
        let make = || File::options().write(true).create_new(true).mode(0o600).open(&path);
        let file = match make() {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                remove_left(&path)?;
                make()
            }
            opened => opened,
        }?;
        lock(&file)?;
        // Another one may have taken it for what was left, before the lock.
        if !is_same(&file, &path) {
            return Err(ErrorKind::WouldBlock.into());
        }
        let unfinished = Self { to, path, file, is_whole: false };
        if to.symlink_metadata().is_ok() { Err(ErrorKind::AlreadyExists.into()) } else { Ok(unfinished) }
    }

    fn fill(&self, source: &Connection) -> rusqlite::Result<()> {
        let name = self.path.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(self.path.clone()))?;
        source.execute("VACUUM INTO ?1", [name]).map(|_| ())
    }

    fn finish(mut self) -> std::io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.path, self.to)?;
        self.is_whole = true;
        sync(match self.to.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        })
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.is_whole {
            // Half a backup is worse than none; that it could not be made is told anyhow.
            let _ = std::fs::remove_file(&self.path);
            let _ = std::fs::remove_file(with_ending(&self.path, JOURNAL));
        }
    }
}

/// Removes what a backup left that was killed.
fn remove_left(path: &Path) -> std::io::Result<()> {
    lock(&File::options().write(true).open(path)?)?;
    std::fs::remove_file(path)
}

/// Fails when another one writes the file. Not every disk can tell.
fn lock(file: &File) -> std::io::Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(ErrorKind::WouldBlock.into()),
        _ => Ok(()),
    }
}

fn is_same(file: &File, path: &Path) -> bool {
    let (own, found) = (file.metadata(), std::fs::metadata(path));
    own.is_ok_and(|own| found.is_ok_and(|found| (own.dev(), own.ino()) == (found.dev(), found.ino())))
}
