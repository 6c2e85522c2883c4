//! What is left of a database that is not there: a restore that was cut off, or a log without its database.

use super::folder::DATABASE;
use std::path::{Path, PathBuf};

/// Ends the name of what a restore puts in place next.
pub(super) const RESTORING: &str = ".restoring";
/// Ends, with a time, the name of what stood there before.
pub(super) const BEFORE: &str = ".before-restore-";
/// End the names of what `SQLite` keeps beside a database.
pub(super) const LOG: &str = "-wal";
pub(super) const SHARED: &str = "-shm";
pub(super) const JOURNAL: &str = "-journal";

/// Whether there is nothing in a file, or no file.
pub(super) fn is_empty(file: &Path) -> bool {
    match std::fs::metadata(file) {
        Ok(found) => found.len() == 0,
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// A file whose name goes on so.
pub(super) fn with_ending(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// The newest database that a restore has put aside in a folder.
pub(super) fn put_aside(folder: &Path) -> Option<PathBuf> {
    let is_one = |name: &str| {
        let time = name.strip_prefix(DATABASE).and_then(|rest| rest.strip_prefix(BEFORE));
        time.is_some_and(|time| !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let files = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    files.filter(|file| file.file_name().and_then(|name| name.to_str()).is_some_and(is_one)).max()
}

/// Makes sure that a folder without a database has none of these: to begin anew there in silence would hide them.
pub(super) fn nothing_is_left(folder: &Path) -> Result<(), String> {
    let database = folder.join(DATABASE);
    let (next, log) = (with_ending(&database, RESTORING), with_ending(&database, LOG));
    let (next, log) = (next.exists().then_some(next), (!is_empty(&log)).then_some(log));
    let before = put_aside(folder);
    let found: Vec<String> =
        [&next, &before, &log].into_iter().flatten().map(|file| file.display().to_string()).collect();
    if found.is_empty() {
        return Ok(());
    }
    let mut ways = vec!["run hookglot restore with a backup".to_owned()];
    if let Some(before) = &before {
        let with_log = with_ending(before, LOG).exists();
        let and = if with_log { " (and what goes with it under its name and -wal)" } else { "" };
        ways.push(format!("move {}{and} back to {}", before.display(), database.display()));
    } else if log.is_some() {
        ways.push("bring the hookglot.db back that belongs to it".to_owned());
    }
    Err(format!(
        "{} is missing, but there is {}: {}; to begin anew, move that out of the folder: what waits in it for delivery is lost \
         with it",
        database.display(),
        found.join(" and "),
        ways.join(", or ")
    ))
}
