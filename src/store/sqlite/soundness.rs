//! Whether the store would take a hook: whether the database is in its place, sound, and has room.

use super::super::StoreError;
use super::errors::{self, GONE};
use super::folder::Folder;
use super::left::{LOG, with_ending};
use super::room::Room;
use super::writer::{Command, Pending};
use super::{SqliteStore, read_only, store_error};
use rusqlite::{Connection, ffi};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long after it was found damaged the database is inspected again: what the disk said once may have passed.
const AGAIN: Duration = Duration::from_secs(30);

/// What is known of the database's soundness.
#[derive(Debug, Default)]
pub(super) struct Soundness {
    /// What was found to be damaged: no hook is taken then, of which nobody knows whether it could be delivered.
    damaged: Mutex<Option<StoreError>>,
    /// When it is to be inspected; `None`: now.
    next: Mutex<Option<Instant>>,
    /// The file that was opened, by its number on the disk.
    file: Option<u64>,
}

impl Soundness {
    /// That of the database of a folder, which is open.
    pub(super) fn of(folder: Option<&Folder>) -> Self {
        Self { file: folder.and_then(number), ..Self::default() }
    }

    /// What is damaged, as far as anybody knows.
    pub(super) fn damaged(&self) -> Option<StoreError> {
        lock(&self.damaged).clone()
    }

    /// Notes what an error says of the database; it is inspected soon.
    pub(super) fn note(&self, error: &StoreError) {
        if matches!(error, StoreError::Damaged(_)) {
            let mut damaged = lock(&self.damaged);
            if damaged.is_none() {
                *damaged = Some(error.clone());
                *lock(&self.next) = None;
            }
        }
    }

    /// Whether it is to be inspected now, and when again.
    fn is_due(&self) -> bool {
        let mut next = lock(&self.next);
        let now = Instant::now();
        let is_due = next.is_none_or(|next| self.damaged().is_some() && next <= now);
        if is_due {
            *next = Some(now + AGAIN);
        }
        is_due
    }

    fn is_in_place(&self, folder: &Folder) -> bool {
        self.file == number(folder) && with_ending(&folder.database(), LOG).exists()
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code panics while it holds the lock.
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn number(folder: &Folder) -> Option<u64> {
    std::fs::metadata(folder.database()).ok().map(|file| file.ino())
}

/// Looks through the whole database for damage, on a connection of its own: nobody waits for it.
fn inspected(database: &Path) -> rusqlite::Result<String> {
    read_only(database)?.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
}

/// Looks whether there is room for a hook, or could be made.
struct HasRoom {
    room: Room,
    was_in_vain: bool,
}

impl Command for HasRoom {
    type Done = ();

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<()> {
        if !self.room.is_short(database, 1) || !self.was_in_vain && can_give_way(database)? {
            return Ok(());
        }
        Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_FULL), None))
    }
}

fn can_give_way(database: &Connection) -> rusqlite::Result<bool> {
    let mut asked = database.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM delivery WHERE ended_at IS NOT NULL) \
         OR EXISTS (SELECT 1 FROM hook WHERE ended_at IS NOT NULL)",
    )?;
    asked.query_row([], |row| row.get(0))
}

impl SqliteStore {
    /// Whether a hook would be taken now.
    pub(super) async fn would_take(&self) -> Result<(), StoreError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        if !self.soundness.is_in_place(folder) {
            let gone = StoreError::Damaged(GONE.to_owned());
            self.soundness.note(&gone);
            return Err(gone);
        }
        if self.soundness.is_due() {
            self.inspect(folder.database()).await;
        }
        if let Some(error) = self.soundness.damaged() {
            return Err(error);
        }
        let was_in_vain = self.was_in_vain().await;
        self.search(HasRoom { room: self.room.clone(), was_in_vain }).await
    }

    async fn inspect(&self, database: PathBuf) {
        let inspected = tokio::task::spawn_blocking(move || inspected(&database)).await;
        let Ok(inspected) = inspected else { return };
        let found = match inspected {
            Ok(found) if found == "ok" => {
                let before = lock(&self.soundness.damaged).take();
                if before.is_some() {
                    tracing::info!("the database was inspected, and is sound");
                }
                return;
            }
            Ok(found) => StoreError::Damaged(errors::damaged(&found.replace('\n', " "))),
            Err(error) => store_error(&error),
        };
        // What cannot be read now may be sound.
        if matches!(found, StoreError::Damaged(_)) {
            *lock(&self.soundness.damaged) = Some(found);
        }
    }
}
