//! Room for another hook, with some left over for what becomes of those that are there: a store that is filled to the brim
//! could not even record that it delivered something, and would never empty.

use super::writer::used;
use rusqlite::{Connection, ffi};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most that is left over on a disk, in bytes; of a small disk, an eighth.
const MOST_SPARE: u64 = 32 << 20;

/// For how long it is known how much is free on a disk, as long as that is plenty.
const LOOK: Duration = Duration::from_millis(100);

/// Where the room is.
#[derive(Debug, Clone)]
pub(super) enum Room {
    /// The disk of a folder.
    Disk(Arc<Disk>),
    /// So many bytes of memory, of which a quarter is left over.
    Memory(u64),
}

#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    seen: Mutex<Option<Seen>>,
}

/// What a look at a disk showed.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Instant,
    /// How many bytes are free, less what was promised since.
    free: u64,
    /// How many must stay so.
    spare: u64,
}

impl Room {
    pub(super) fn disk(folder: &Path) -> Self {
        Self::Disk(Arc::new(Disk { folder: folder.to_owned(), seen: Mutex::default() }))
    }

    /// Whether so many bytes more leave enough.
    ///
    /// # Errors
    /// As if the disk itself had said that it is full.
    pub(super) fn check(&self, database: &Connection, more: usize) -> rusqlite::Result<()> {
        let more = more as u64;
        let is_enough = match self {
            Self::Disk(disk) => disk.has_room(more),
            Self::Memory(all) => used(database) + more <= all / 4 * 3,
        };
        if is_enough { Ok(()) } else { Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_FULL), None)) }
    }
}

impl Disk {
    fn has_room(&self, more: u64) -> bool {
        // No code panics while it holds the lock.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_plenty = |seen: &Seen| seen.free >= (seen.spare * 4).saturating_add(more) && seen.at.elapsed() < LOOK;
        let Some(now) = seen.filter(is_plenty).or_else(|| look(&self.folder)) else {
            // The system does not say; writing will.
            return true;
        };
        // The log has it, too, until it is brought into the database.
        *seen = Some(Seen { free: now.free.saturating_sub(more.saturating_mul(2)), ..now });
        now.free >= now.spare.saturating_add(more)
    }
}

fn look(folder: &Path) -> Option<Seen> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    let spare = (bytes(disk.f_blocks) / 8).min(MOST_SPARE);
    Some(Seen { at: Instant::now(), free: bytes(disk.f_bavail), spare })
}
