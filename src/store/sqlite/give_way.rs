//! Makes room where it is short: what has ended gives way to what comes, the oldest first.

use super::super::{Pruned, StoreError};
use super::SqliteStore;
use super::append::micros;
use super::prune::{give_back, remove};
use super::room::{Room, sizes};
use super::writer::{Command, Pending, used};
use jiff::Timestamp;
use rusqlite::Connection;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// For how long it is not tried again for a hook after it was in vain.
const PAUSE: Duration = Duration::from_secs(1);

/// What is known of the room that was made. Whoever makes some locks it: many who need some at once make it once.
#[derive(Debug, Default)]
pub(super) struct Made(Mutex<Last>);

#[derive(Debug, Default)]
struct Last {
    /// When a hook needed room and there was nothing to remove.
    in_vain: Option<Instant>,
    /// How many rows were removed of which nobody was told.
    untold: u64,
    /// Whether it was said that rows go before their time.
    is_said: bool,
}

/// One step; whether there is enough room now shows in the next, when the log is brought into the database.
struct GiveWay {
    room: Room,
    /// For how many bytes more there must be room.
    more: u64,
    /// What ended before that may be removed.
    before: i64,
    /// The first removes nothing: the log alone may take the room.
    is_first: bool,
}

enum Step {
    /// There is enough.
    Enough,
    /// There was not, and so many rows are gone.
    Did(u64),
    /// There is not, and what was removed before has not yet made the file smaller.
    Held,
    /// There is not, and nothing is left to remove.
    InVain,
}

impl Command for GiveWay {
    type Done = Step;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Step> {
        if !self.room.is_short(database, self.more) {
            return Ok(Step::Enough);
        }
        if !self.is_first && is_held(database) {
            return Ok(Step::Held);
        }
        if self.is_first || give_back(database)? > 0 {
            return Ok(Step::Did(0));
        }
        let (removed, _) = remove(database, self.before, used(database).saturating_sub(self.room.step()))?;
        Ok(if removed > 0 { Step::Did(removed) } else { Step::InVain })
    }

    fn gives_back(&self, step: &Step) -> bool {
        matches!(step, Step::Did(_) | Step::Held)
    }
}

/// Whether the file is larger than the database: somebody reads, or has just made it smaller. To remove more would give no room.
fn is_held(database: &Connection) -> bool {
    sizes(database).is_some_and(|(file, database)| file > database)
}

impl SqliteStore {
    /// Makes room for a hook of so many bytes, or for some more, if there is any to be made; says whether it was tried.
    pub(super) async fn give_way_to(&self, bytes: usize) -> bool {
        let mut last = self.made.0.lock().await;
        if last.in_vain.is_some_and(|at| at.elapsed() < PAUSE) {
            return false;
        }
        let more = self.room.step().max(bytes as u64);
        // That the disk is full is known already; and were it broken, the hook would show it.
        let has_room = self.make(&mut last, more, i64::MAX).await.unwrap_or(false);
        last.in_vain = (!has_room).then(Instant::now);
        true
    }

    /// Whether a hook needed room a while ago, and none could be made.
    pub(super) async fn was_in_vain(&self) -> bool {
        self.made.0.lock().await.in_vain.is_some()
    }

    /// Makes room before a hook needs it: twice what is left over on the disk. It leaves what has ended just now.
    pub(super) async fn give_way_ahead(&self, at_least: Duration, now: Timestamp) -> Result<Pruned, StoreError> {
        let mut last = self.made.0.lock().await;
        let more = self.room.spare();
        let made = if self.room.is_short_on_disk(more) {
            self.make(&mut last, more, now.as_microsecond().saturating_sub(micros(at_least))).await.map(|_| ())
        } else {
            last.in_vain = None;
            Ok(())
        };
        match made {
            // It is so full that not even that can be written: hooks are told so, and it is tried again.
            Ok(()) | Err(StoreError::Full(_)) => {
                Ok(Pruned { removed: std::mem::take(&mut last.untold), is_more: false })
            }
            Err(error) => Err(error),
        }
    }

    /// Makes it, step by step; says whether there is enough then.
    async fn make(&self, last: &mut Last, more: u64, before: i64) -> Result<bool, StoreError> {
        let (mut is_first, mut is_held) = (true, false);
        loop {
            match self.ask(GiveWay { room: self.room.clone(), more, before, is_first }).await? {
                Step::Enough => return Ok(true),
                Step::Held if !is_held => is_held = true,
                Step::Held | Step::InVain => return Ok(false),
                Step::Did(removed) => last.count(removed, self.folder.is_some()),
            }
            is_first = false;
        }
    }
}

impl Last {
    fn count(&mut self, removed: u64, is_disk: bool) {
        self.untold += removed;
        if removed > 0 && is_disk && !self.is_said {
            self.is_said = true;
            tracing::warn!(
                "little room is left on the disk of data_dir: what has ended is removed before its time, the oldest first, so \
                 that hooks can be taken; a larger disk, or a smaller retention.size, keeps it as long as retention says"
            );
        }
    }
}
