//! What the errors of `SQLite` mean for the person who must act.

use super::super::StoreError;
use rusqlite::ErrorCode;

pub(super) fn store_error(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full(
            "no room is left on the disk of data_dir, or in limits.stored where it is memory".to_owned(),
        ),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged(format!(
            "the database cannot be read ({error}): stop hookglot and put a backup in its place with hookglot restore, or move \
             hookglot.db, hookglot.db-wal and hookglot.db-shm out of data_dir to begin anew"
        )),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            StoreError::Broken(format!("data_dir cannot be written ({error}): look at its mount and its owner"))
        }
        Some(ErrorCode::SystemIoFailure) => {
            StoreError::Broken(format!("the disk of data_dir gives an error ({error}): look at the system's log"))
        }
        _ => StoreError::Broken(error.to_string()),
    }
}
