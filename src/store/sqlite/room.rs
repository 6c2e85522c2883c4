//! Room for another hook, with some left over for what becomes of those that are there: a store that is filled to the brim
//! could not even record that it delivered something, and would never empty.

use super::writer::used;
use rusqlite::{Connection, ffi};
use std::path::Path;
use std::sync::Arc;

/// The most that is left over on a disk, in bytes; of a small disk, an eighth.
const MOST_SPARE: u64 = 32 << 20;

/// Where the room is.
#[derive(Debug, Clone)]
pub(super) enum Room {
    /// The disk of a folder.
    Disk(Arc<Path>),
    /// So many bytes of memory, of which a quarter is left over.
    Memory(u64),
}

impl Room {
    /// Whether so many bytes more leave enough.
    ///
    /// # Errors
    /// As if the disk itself had said that it is full.
    pub(super) fn check(&self, database: &Connection, more: usize) -> rusqlite::Result<()> {
        let more = more as u64;
        let is_enough = match self {
            Self::Disk(folder) => free(folder).is_none_or(|(free, spare)| free >= spare.saturating_add(more)),
            Self::Memory(all) => used(database) + more <= all / 4 * 3,
        };
        if is_enough { Ok(()) } else { Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_FULL), None)) }
    }
}

/// How many bytes are free on the disk of a folder, and how many must stay so; nothing where the system does not say.
fn free(folder: &Path) -> Option<(u64, u64)> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    Some((bytes(disk.f_bavail), (bytes(disk.f_blocks) / 8).min(MOST_SPARE)))
}
