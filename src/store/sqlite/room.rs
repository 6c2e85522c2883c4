//! Room for another hook, with some left over for what becomes of those that are there: a store that is filled to the brim
//! could not even record that it delivered something, and would never empty.

use super::super::Disk as Shown;
use super::writer::used;
use rusqlite::{Connection, ffi};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most that is left over on a disk, in bytes; of a small disk, an eighth.
const MOST_SPARE: u64 = 32 << 20;

/// For how long it is known how much is free on a disk, as long as that is plenty.
const LOOK: Duration = Duration::from_millis(100);

/// How much is removed at most in one step that makes room, in bytes; on a small disk, as much as is left over on it.
const MOST_IN_STEP: u64 = 8 << 20;

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
    /// How many there are.
    total: u64,
}

impl Room {
    pub(super) fn disk(folder: &Path) -> Self {
        Self::Disk(Arc::new(Disk { folder: folder.to_owned(), seen: Mutex::default() }))
    }

    /// How much is left over on a disk; nothing is asked of memory ahead of time.
    pub(super) fn spare(&self) -> u64 {
        match self {
            // The system does not say: as on a large one.
            Self::Disk(disk) => look(&disk.folder).map_or(MOST_SPARE, |seen| seen.spare),
            Self::Memory(_) => 0,
        }
    }

    /// The disk, as it is now.
    pub(super) fn seen(&self) -> Option<Shown> {
        let Self::Disk(disk) = self else { return None };
        look(&disk.folder).map(|seen| Shown { free: seen.free, total: seen.total, spare: seen.spare })
    }

    /// How many bytes one step removes that makes room, and how many it makes at least: not anew for each hook.
    pub(super) fn step(&self) -> u64 {
        match self {
            Self::Disk(_) => self.spare().min(MOST_IN_STEP),
            Self::Memory(all) => all / 16,
        }
    }

    /// Whether the disk, as it is now, is short of so many bytes beside what is left over.
    pub(super) fn is_short_on_disk(&self, more: u64) -> bool {
        match self {
            Self::Disk(disk) => look(&disk.folder).is_some_and(|seen| !seen.is_enough(more)),
            Self::Memory(_) => false,
        }
    }

    /// Whether there is too little for so many bytes more. Nothing is promised.
    pub(super) fn is_short(&self, database: &Connection, more: u64) -> bool {
        match self {
            Self::Disk(disk) => disk.look(database).is_some_and(|seen| !seen.is_enough(more)),
            Self::Memory(all) => used(database).saturating_add(more) > all / 4 * 3,
        }
    }

    /// Whether there is room for so many bytes that nothing needs.
    pub(super) fn is_plenty(&self, database: &Connection, more: usize) -> bool {
        match self {
            Self::Disk(disk) => disk.has_plenty(database, more as u64),
            Self::Memory(all) => used(database).saturating_add(more as u64) <= all / 2,
        }
    }

    /// Whether so many bytes more leave enough.
    ///
    /// # Errors
    /// As if the disk itself had said that it is full.
    pub(super) fn check(&self, database: &Connection, more: usize) -> rusqlite::Result<()> {
        let more = more as u64;
        let is_enough = match self {
            Self::Disk(disk) => disk.has_room(database, more),
            Self::Memory(_) => !self.is_short(database, more),
        };
        if is_enough { Ok(()) } else { Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_FULL), None)) }
    }
}

impl Disk {
    /// Whether so many bytes more leave as much as is left over, twice.
    fn has_plenty(&self, database: &Connection, more: u64) -> bool {
        // No code panics while it holds the lock.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(now) = seen.filter(|seen| seen.at.elapsed() < LOOK).or_else(|| self.look(database)) else {
            return true;
        };
        // The log has it, too, until it is brought into the database.
        *seen = Some(Seen { free: now.free.saturating_sub(more.saturating_mul(2)), ..now });
        now.free >= now.spare.saturating_mul(2).saturating_add(more.saturating_mul(2))
    }

    fn has_room(&self, database: &Connection, more: u64) -> bool {
        // No code panics while it holds the lock.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_plenty = |seen: &Seen| seen.free >= (seen.spare * 4).saturating_add(more) && seen.at.elapsed() < LOOK;
        let Some(now) = seen.filter(is_plenty).or_else(|| self.look(database)) else {
            // The system does not say; writing will.
            return true;
        };
        // The log has it, too, until it is brought into the database.
        *seen = Some(Seen { free: now.free.saturating_sub(more.saturating_mul(2)), ..now });
        now.is_enough(more)
    }

    /// What is free when the log has been brought into the file. It must have room for that: else it would stay, and the
    /// disk would be full for good.
    fn look(&self, database: &Connection) -> Option<Seen> {
        let seen = look(&self.folder)?;
        let owed = sizes(database).map_or(0, |(file, database)| database.saturating_sub(file));
        Some(Seen { free: seen.free.saturating_sub(owed), ..seen })
    }
}

impl Seen {
    /// Whether so many bytes can be written to the log and brought into the file then.
    fn is_enough(&self, more: u64) -> bool {
        self.free >= self.spare.max(more).saturating_add(more)
    }
}

/// How many bytes the file of a database has, and how many the database has with what is in its log.
pub(super) fn sizes(database: &Connection) -> Option<(u64, u64)> {
    let file = std::fs::metadata(database.path()?).ok()?.len();
    let ask = |name| database.pragma_query_value(None, name, |row| row.get::<_, u64>(0)).ok();
    Some((file, ask("page_count")? * ask("page_size")?))
}

fn look(folder: &Path) -> Option<Seen> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    let total = bytes(disk.f_blocks);
    Some(Seen { at: Instant::now(), free: bytes(disk.f_bavail), spare: (total / 8).min(MOST_SPARE), total })
}
