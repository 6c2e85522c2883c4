//! Keeps the first hook of each event of a route that records.

use super::super::recordings::{Recorded, Recording, Recordings};
use super::super::{Answer, Hook};
use super::queues::Queues;
use super::room::Room;
use super::writer::{Command, Pending};
use super::{SqliteStore, rows};
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Whose first hook it is: route, forge and event.
pub(super) type Of = (String, String, String);

/// What is known to be recorded, so that the table is asked about each event once.
#[derive(Debug, Clone, Default)]
pub(super) struct Known(Arc<Mutex<HashSet<Of>>>);

impl Known {
    /// Records a hook where none of its event was recorded before; gives what is known then, when it was not.
    ///
    /// A recording is worth less than the next hook: where there is no room for both, it is left to one that comes later.
    pub(super) fn record(&self, database: &Connection, room: &Room, hook: &Hook) -> rusqlite::Result<Option<Of>> {
        let of = (hook.route.clone(), hook.forge.clone(), hook.event.clone());
        if self.lock().contains(&of) || room.check(database, hook.body.len()).is_err() {
            return Ok(None);
        }
        let mut insert = database.prepare_cached(
            "INSERT OR IGNORE INTO recording (route, forge, event, recorded_at, headers, body) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        insert.execute(params![
            hook.route,
            hook.forge,
            hook.event,
            hook.received_at.as_microsecond(),
            rows::headers_text(&hook.headers),
            &hook.body[..],
        ])?;
        Ok(Some(of))
    }

    /// Notes that something is in the table.
    pub(super) fn add(&self, of: Of) {
        self.lock().insert(of);
    }

    /// Forgets what is in the table, of which some was erased: what is there still is found again.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Of>> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct List;

impl Command for List {
    type Done = Vec<Recording>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Vec<Recording>> {
        let mut query = database.prepare_cached(
            "SELECT route, forge, event, recorded_at, length(body) FROM recording ORDER BY route, forge, event",
        )?;
        let read = |row: &Row<'_>| {
            let [route, forge, event] = [row.get(0)?, row.get(1)?, row.get(2)?];
            Ok(Recording { route, forge, event, recorded_at: rows::time(row.get(3)?), size: row.get(4)? })
        };
        query.query_map([], read)?.collect()
    }
}

struct Read(Of);

impl Command for Read {
    type Done = Option<Recorded>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Option<Recorded>> {
        let mut query = database.prepare_cached(
            "SELECT recorded_at, headers, body FROM recording WHERE route = ?1 AND forge = ?2 AND event = ?3",
        )?;
        let read = |row: &Row<'_>| {
            Ok(Recorded {
                recorded_at: rows::time(row.get(0)?),
                headers: rows::headers(&row.get::<_, String>(1)?),
                body: Bytes::from(row.get::<_, Vec<u8>>(2)?),
            })
        };
        let (route, forge, event) = &self.0;
        query.query_row([route, forge, event], read).optional()
    }
}

struct Forget {
    of: Of,
    known: Known,
}

impl Command for Forget {
    type Done = bool;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<bool> {
        let mut remove =
            database.prepare_cached("DELETE FROM recording WHERE route = ?1 AND forge = ?2 AND event = ?3")?;
        let (route, forge, event) = &self.of;
        Ok(remove.execute([route, forge, event])? > 0)
    }

    fn committed(&self, _: &bool, _: &mut Queues) {
        self.known.lock().remove(&self.of);
    }
}

impl Recordings for SqliteStore {
    fn recordings(&self) -> Answer<'_, Vec<Recording>> {
        Box::pin(self.look(List))
    }

    fn recording<'a>(&'a self, route: &'a str, forge: &'a str, event: &'a str) -> Answer<'a, Option<Recorded>> {
        Box::pin(self.look(Read((route.to_owned(), forge.to_owned(), event.to_owned()))))
    }

    fn forget_recording<'a>(&'a self, route: &'a str, forge: &'a str, event: &'a str) -> Answer<'a, bool> {
        let of = (route.to_owned(), forge.to_owned(), event.to_owned());
        Box::pin(self.ask(Forget { of, known: self.recorded.clone() }))
    }
}
