//! Puts a backup in the place of the database.

use super::folder::{Folder, sync};
use super::left::{BEFORE, JOURNAL, LOG, RESTORING, SHARED, is_empty, put_aside, with_ending};
use super::{BUSY, read_only, schema};
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use schema::Unusable;
use std::fs::{File, Permissions};
use std::io::{Error, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Puts a backup in the place of a folder's store, which must not be in use; what was there is kept beside it.
///
/// # Errors
/// Says what is wrong with the backup or the folder. Nothing is changed then, unless the disk itself fails between two steps:
/// the next start says what to do about that.
pub fn restore(from: &Path, folder: &Path) -> Result<Option<PathBuf>, String> {
    check(from)?;
    let own = Folder::take(folder)?;
    own.end();
    let target = own.database();
    let next = with_ending(&target, RESTORING);
    // A restore that was cut off may have left just that.
    let is_next = next.exists() && std::fs::canonicalize(from).ok() == std::fs::canonicalize(&next).ok();
    let copied = if is_next { Ok(()) } else { copy(from, &next) };
    let replaced = copied.map_err(|error| cannot_write(&next, &error)).and_then(|()| {
        let replaced = replace(&next, &target, folder);
        replaced.map_err(|error| cannot_write(&target, &error))
    });
    replaced.inspect_err(|_| {
        if !is_next {
            // It was not there before.
            let _ = std::fs::remove_file(&next);
        }
    })
}

/// Puts a file in the place of the database. Each step is on the disk before the next one: a start finds either the one or
/// the other, or that a restore was cut off.
fn replace(next: &Path, target: &Path, folder: &Path) -> std::io::Result<Option<PathBuf>> {
    let kept = put_away(target)?;
    sync(folder)?;
    std::fs::rename(next, target)?;
    sync(folder)?;
    Ok(kept)
}

/// How many deliveries wait in a database that was put aside.
#[must_use]
pub fn waiting_in(database: &Path) -> Option<u64> {
    let own = read_only(database).ok()?;
    let waiting = own.query_row("SELECT count(*) FROM delivery WHERE state = 0", [], |row| row.get(0)).ok();
    drop(own);
    // Reading left it there; that it stays is told by nobody.
    let _ = remove_beside(database);
    waiting
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::copy(from, to)?;
    let file = File::open(to)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.sync_all()
}

fn cannot_write(file: &Path, error: &Error) -> String {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => format!(
            "{}: the disk of this folder is full: make room on it and run the restore again; nothing is changed",
            file.display()
        ),
        _ => format!("{}: {error}", file.display()),
    }
}

/// Gives the database another name, and what belongs to it; says which, if there was one.
fn put_away(target: &Path) -> std::io::Result<Option<PathBuf>> {
    let had_one = !is_empty(target);
    let log = with_ending(target, LOG);
    // A restore that was cut off may have put the database away, and not its log.
    let cut_off = || target.parent().and_then(put_aside).filter(|kept| !with_ending(kept, LOG).exists());
    let kept = match cut_off().filter(|_| !had_one) {
        Some(kept) => kept,
        None => free_name(target),
    };
    if had_one {
        // What stands only in the log is brought into the file first, as far as it can be read.
        if let Ok(old) = Connection::open(target) {
            let _ = old.busy_timeout(BUSY);
            let _ = old.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
        std::fs::rename(target, &kept)?;
    }
    // With the log of another database the new one would be damaged.
    if !is_empty(&log) {
        std::fs::rename(&log, with_ending(&kept, LOG))?;
    }
    // What is shared in memory is made anew of the log, and an empty log is none.
    remove_beside(target)?;
    Ok(had_one.then_some(kept))
}

/// Removes what `SQLite` leaves beside a database that nobody uses, but for a log that holds something.
fn remove_beside(database: &Path) -> std::io::Result<()> {
    let (log, shared) = (with_ending(database, LOG), with_ending(database, SHARED));
    for file in [Some(shared), is_empty(&log).then_some(log)].into_iter().flatten() {
        match std::fs::remove_file(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// A name under which nothing is kept yet.
fn free_name(target: &Path) -> PathBuf {
    let mut time = jiff::Timestamp::now().as_second();
    loop {
        let name = with_ending(target, &format!("{BEFORE}{time}"));
        if !name.exists() {
            return name;
        }
        time += 1;
    }
}

/// Whether a file is a whole database of a hookglot that is not newer than this one.
fn check(file: &Path) -> Result<(), String> {
    let wrong = |what: &str| format!("{}: {what}", file.display());
    if !file.is_file() {
        return Err(wrong("there is no such file"));
    }
    let log = with_ending(file, LOG);
    if !is_empty(&log) {
        return Err(wrong(&format!(
            "it is no backup: a part of what it holds is in {}. Stop hookglot, and move both to data_dir as hookglot.db and \
             hookglot.db-wal",
            log.display()
        )));
    }
    let backup = as_it_is(file).map_err(|error| wrong(&no_backup(&error)))?;
    let version = schema::version(&backup).map_err(|error| {
        wrong(&match error {
            Unusable::Sqlite(error) => no_backup(&error),
            Unusable::Foreign => format!("{error}, or one that was cut off: {ANOTHER}"),
            Unusable::Newer { .. } => error.to_string(),
        })
    })?;
    if version == 0 {
        return Err(wrong(&format!("it is empty, and no backup: {ANOTHER}")));
    }
    let found: String = backup
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| wrong(&no_backup(&error)))?;
    if found == "ok" { Ok(()) } else { Err(wrong(&format!("it is damaged ({found}): {ANOTHER}"))) }
}

/// Reads a file that nobody writes to, without leaving anything beside it: it may be one that was put aside.
fn as_it_is(file: &Path) -> rusqlite::Result<Connection> {
    if !is_empty(&with_ending(file, JOURNAL)) {
        // Its making was cut off, which only this finds.
        return read_only(file);
    }
    let whole = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let path = percent_encode(whole.as_os_str().as_bytes(), NOT_OF_A_PATH);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(format!("file:{path}?immutable=1"), flags)
}

/// What would end the path of a URI, or mean another character.
const NOT_OF_A_PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');

const ANOTHER: &str = "take another backup (hookglot backup makes them)";

/// Why a file cannot be read as a backup.
fn no_backup(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        // SQLite wants to take back what was not brought to its end.
        Some(ErrorCode::ReadOnly) => format!("it is no whole backup, its making was cut off ({error}): {ANOTHER}"),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            format!("it is no whole backup ({error}): {ANOTHER}")
        }
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            format!("it cannot be read ({error}): look at its owner and its mode")
        }
        _ => error.to_string(),
    }
}
