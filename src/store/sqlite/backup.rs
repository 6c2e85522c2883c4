//! Copies of the database: made while it is in use, and put back in its place.

use super::errors::store_error;
use super::folder::{Folder, database};
use super::{BUSY, read_only, schema};
use rusqlite::Connection;
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Writes everything that a folder's store holds at one moment into a new file. The store may be in use meanwhile.
///
/// # Errors
/// Says what is wrong with the folder, the database or the file.
pub fn backup(folder: &Path, to: &Path) -> Result<(), String> {
    let from = database(folder);
    if !from.exists() {
        return Err(format!("there is no store in {}: {} is missing", folder.display(), from.display()));
    }
    let wrong = |error: rusqlite::Error| format!("{}: {}", from.display(), store_error(&error));
    let source = read_only(&from).map_err(wrong)?;
    schema::version(&source).map_err(|error| format!("{}: {error}", from.display()))?;
    // It must not exist, and nobody else may read it: SQLite fills an empty file.
    let made = File::options().write(true).create_new(true).open(to);
    let made = made.and_then(|file| file.set_permissions(Permissions::from_mode(0o600)).map(|()| file));
    made.map_err(|error| format!("{}: {error}", to.display()))?;
    let name = to.to_str().ok_or_else(|| format!("{}: the name is not UTF-8", to.display()))?;
    let copied = source.execute("VACUUM INTO ?1", [name]).map_err(wrong);
    let copied =
        copied.and_then(|_| File::open(to).and_then(|file| file.sync_all()).map_err(|error| error.to_string()));
    copied.inspect_err(|_| {
        // Half a backup is worse than none; that it could not be made is told anyhow.
        let _ = std::fs::remove_file(to);
    })
}

/// Puts a backup in the place of a folder's store, which must not be in use; what was there is kept beside it.
///
/// # Errors
/// Says what is wrong with the backup or the folder; nothing is changed then.
pub fn restore(from: &Path, folder: &Path) -> Result<Option<std::path::PathBuf>, String> {
    check(from)?;
    let had_one = database(folder).exists();
    let folder = Folder::own(folder)?;
    let target = folder.database();
    let wrong = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let beside = |ending: &str| target.with_file_name(format!("hookglot.db{ending}"));
    let next = beside(".restoring");
    std::fs::copy(from, &next).map_err(|error| wrong(&next, error))?;
    let synced = File::open(&next).and_then(|file| {
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.sync_all()
    });
    synced.map_err(|error| wrong(&next, error))?;
    let replaced = had_one.then(|| beside(&format!(".before-restore-{}", jiff::Timestamp::now().as_second())));
    if let Some(kept) = &replaced {
        // What stands only in the log is brought into the file first, as far as it can be read.
        if let Ok(old) = Connection::open(&target) {
            let _ = old.busy_timeout(BUSY);
            let _ = old.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
        std::fs::rename(&target, kept).map_err(|error| wrong(&target, error))?;
        for ending in ["-wal", "-shm"] {
            let log = beside(ending);
            if log.exists() {
                let kept = kept.with_file_name(format!("{}{ending}", kept.file_name().unwrap_or_default().display()));
                std::fs::rename(&log, kept).map_err(|error| wrong(&log, error))?;
            }
        }
    }
    std::fs::rename(&next, &target).map_err(|error| wrong(&target, error))?;
    Ok(replaced)
}

/// Whether a file is a whole database of a hookglot that is not newer than this one.
fn check(file: &Path) -> Result<(), String> {
    let wrong = |what: &dyn std::fmt::Display| format!("{}: {what}", file.display());
    if !file.is_file() {
        return Err(wrong(&"there is no such file"));
    }
    let backup = read_only(file).map_err(|error| wrong(&store_error(&error)))?;
    let version = schema::version(&backup).map_err(|error| wrong(&error))?;
    if version == 0 {
        return Err(wrong(&"it is empty, and no backup"));
    }
    let found: String = backup
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| wrong(&store_error(&error)))?;
    if found == "ok" { Ok(()) } else { Err(wrong(&format!("it is damaged: {found}"))) }
}
