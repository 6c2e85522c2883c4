//! What the errors of `SQLite` and of the disk mean for the person who must act.

use super::super::StoreError;
use super::schema::Unusable;
use rusqlite::ErrorCode;
use std::io::ErrorKind;
use std::path::Path;

/// What a start says of a disk that is full: whoever reads it must not throw away what waits.
pub const DISK_IS_FULL: &str =
    "the disk of this folder is full: make room on it and start again; nothing of what is stored is lost";

/// The last resort: for what nobody can use any more, and for nothing else.
const REPLACE: &str = "stop hookglot and put a backup in its place with hookglot restore, or, to begin anew, move hookglot.db, \
                       hookglot.db-wal and hookglot.db-shm out of data_dir: what waits in them for delivery is lost with them";

const IS_BUSY: &str = "another program keeps the database to itself";

pub(super) fn store_error(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full(
            "no room is left on the disk of data_dir, or in limits.stored where it is memory: make room there"
                .to_owned(),
        ),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged(damaged(&error.to_string())),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            StoreError::Broken(format!("data_dir cannot be written ({error}): look at its mount and its owner"))
        }
        Some(ErrorCode::SystemIoFailure) => {
            StoreError::Broken(format!("the disk of data_dir gives an error ({error}): look at the system's log"))
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Broken(format!("{IS_BUSY} ({error}): end that one"))
        }
        _ => StoreError::Broken(format!(
            "{error}: the log says where it was met, the system's log whether the disk is well"
        )),
    }
}

/// Why a start refuses the database of a folder, and what to do.
#[must_use]
pub fn refused(error: &Unusable, folder: &Path) -> String {
    let error = match error {
        Unusable::Newer { .. } => return error.to_string(),
        Unusable::Foreign => return format!("{error}: is data_dir the right folder? If it is, {REPLACE}"),
        Unusable::Sqlite(error) => error,
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(&error.to_string()),
        Some(ErrorCode::DiskFull) => DISK_IS_FULL.to_owned(),
        // What SQLite shares between processes is written in a way that does not tell why it failed.
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) if is_full(folder) => DISK_IS_FULL.to_owned(),
        Some(ErrorCode::SystemIoFailure) => {
            format!("the disk of this folder gives an error ({error}): look at the system's log")
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => format!(
            "it cannot be written ({error}): look at the mount of the folder, and at the owner and the mode of the folder and \
             of each file in it; nothing of what is stored is lost"
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            format!("{IS_BUSY} ({error}): end that one and start again; nothing of what is stored is lost")
        }
        _ => error.to_string(),
    }
}

/// What to do about an error of the file system in a folder.
pub(super) fn advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            ": make room on its disk and start again; nothing of what is stored is lost"
        }
        ErrorKind::ReadOnlyFilesystem => ": its disk is mounted read-only: look at its mount",
        ErrorKind::PermissionDenied => ": give the folder, and each file in it, to the user that hookglot runs as",
        _ => "",
    }
}

pub(super) fn damaged(what: &str) -> String {
    format!(
        "the database is damaged ({what}): look at the system's log for errors of the disk; if it stays so, {REPLACE}"
    )
}

/// What is said while the files are not where they were.
pub(super) const GONE: &str = "hookglot.db, or hookglot.db-wal beside it, is not in data_dir any more, or another file is in its \
                               place: put it back, else stop hookglot and start it again";

/// What is said of a log that is not there though nobody closed the database.
pub(super) const LOG_IS_GONE: &str = "hookglot did not come to its end the last time, and hookglot.db-wal, which it leaves behind \
                                      then, is missing: hooks that were accepted last may be lost with it; bring it back beside \
                                      hookglot.db, where somebody still has it";

/// Whether less is free on the disk of a folder than one page of `SQLite`'s shared memory takes.
fn is_full(folder: &Path) -> bool {
    const NEEDED: u64 = 64 << 10;
    rustix::fs::statvfs(folder).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < NEEDED)
}
