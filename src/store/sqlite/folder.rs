//! The folder of the store: for its owner alone, and for one process at a time.

use super::errors::advice;
use super::left::{is_empty, nothing_is_left};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The name of the database in the folder.
pub(super) const DATABASE: &str = "hookglot.db";
/// The name of the file whose lock says that a process owns the folder.
const LOCK: &str = "lock";

/// The name of the file that is there as long as a database is open.
const OPEN: &str = "open";

/// A folder that this process owns until it ends or drops this.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
    /// The folder itself is locked as well: the file can be removed. None where the disk has no such locks.
    _own: Option<File>,
}

impl Folder {
    /// Makes the folder where it is missing, and takes it into possession, for a store in it.
    ///
    /// # Errors
    /// Says what is wrong with it: it cannot be made or written, another process has it, or its database is gone.
    pub fn own(path: &Path) -> Result<Self, String> {
        let own = Self::take(path)?;
        if is_empty(&own.database()) {
            nothing_is_left(path)?;
        }
        // SQLite gives its other files the mode of the database.
        let made = for_owner().open(own.database());
        made.map_err(|error| wrong(path, "the database cannot be opened", &error))?;
        Ok(own)
    }

    /// As `own`, whatever is in the folder.
    pub(super) fn take(path: &Path) -> Result<Self, String> {
        let wrong = |what: &str, error: &std::io::Error| wrong(path, what, error);
        if !path.exists() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
            made.map_err(|error| wrong("the folder cannot be made", &error))?;
        }
        close_to_others(path).map_err(|error| wrong("it cannot be closed to other users (mode 700)", &error))?;
        let own = File::open(path).map_err(|error| wrong("the folder cannot be opened", &error))?;
        let own = match own.try_lock() {
            Ok(()) => Some(own),
            Err(TryLockError::WouldBlock) => return Err(is_used(path)),
            // Some disks of the network lock files alone.
            Err(TryLockError::Error(_)) => None,
        };
        let lock = for_owner().open(path.join(LOCK));
        let mut lock = lock.map_err(|error| wrong("hookglot cannot write into the folder", &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(is_used(path)),
            Err(TryLockError::Error(error)) => return Err(wrong("the folder cannot be locked", &error)),
        }
        let pid = std::process::id().to_string();
        let written = lock.set_len(0).and_then(|()| lock.write_all(pid.as_bytes()));
        written.map_err(|error| wrong("hookglot cannot write into the folder", &error))?;
        Ok(Self { path: path.to_owned(), _lock: lock, _own: own })
    }

    /// Marks that its database is open.
    pub(super) fn begin(&self) {
        // It only helps to notice a loss.
        let _ = for_owner().open(self.path.join(OPEN));
    }

    /// Marks that its database came to its end.
    pub(super) fn end(&self) {
        let _ = std::fs::remove_file(self.path.join(OPEN));
    }

    /// Whether its database was open when the process that had it ended.
    pub(super) fn was_open(&self) -> bool {
        self.path.join(OPEN).exists()
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of the database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        database(&self.path)
    }
}

/// The path of the database in a folder.
#[must_use]
pub fn database(folder: &Path) -> PathBuf {
    folder.join(DATABASE)
}

fn wrong(path: &Path, what: &str, error: &std::io::Error) -> String {
    format!("data_dir {}: {what}: {error}{}", path.display(), advice(error))
}

fn is_used(path: &Path) -> String {
    // Who it is only helps to find it.
    let owner = std::fs::read_to_string(path.join(LOCK)).unwrap_or_default();
    let owner = if owner.is_empty() { String::new() } else { format!(" (process {})", owner.trim()) };
    format!(
        "data_dir {}: another hookglot{owner} uses this folder: stop it, or give this one a folder of its own",
        path.display()
    )
}

/// Opens a file that is made where it is missing, for the owner alone.
fn for_owner() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options
}

/// Has the disk keep which names are in a folder.
pub(super) fn sync(folder: &Path) -> std::io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Not every disk can, and then there is nothing to wait for.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// What is stored holds the code's names and people's addresses: nobody else needs to read it. A folder that belongs to somebody
/// else stays as it is, as the volumes of Kubernetes do (root's, open to the group `fsGroup`): the files in it are ours alone.
fn close_to_others(path: &Path) -> std::io::Result<()> {
    let mut permissions = std::fs::metadata(path)?.permissions();
    let mode = permissions.mode() & 0o7777;
    if mode.trailing_zeros() >= 6 {
        return Ok(());
    }
    permissions.set_mode(0o700);
    match std::fs::set_permissions(path, permissions) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let folder = path.display();
            tracing::info!(
                "{folder} belongs to another user and stays as it is (mode {mode:o}): only its files are closed to others"
            );
            Ok(())
        }
        closed => closed,
    }
}
