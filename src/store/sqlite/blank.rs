//! Blanks hooks with all that was made of them, and removes what was learned of them. The rows of hooks and deliveries stay.

use super::super::DeliveryNumber;
use super::super::mentions::Mentions;
use super::known_rows::KnownRows;
use super::mentioned::Key;
use super::queues::{Queues, SharedQueues, lock};
use super::recall::KnownKey;
use super::record::let_on;
use super::writer::{Command, Pending};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why deliveries end that waited, and what stands in the place of texts that are blanked.
const ERASED: &str = "erased";

/// Blanks some hooks.
pub(super) struct Blank {
    pub(super) mentions: Arc<Mentions>,
    pub(super) hooks: Vec<i64>,
    pub(super) ends_pending: bool,
    pub(super) is_dry_run: bool,
    pub(super) now: i64,
    pub(super) at: i64,
    pub(super) queues: SharedQueues,
}

/// What was blanked.
#[derive(Default)]
pub(super) struct Blanked {
    /// The hooks.
    pub(super) hooks: Vec<i64>,
    pub(super) deliveries: u64,
    pub(super) attempts: u64,
    /// How many deliveries kept their hooks from it.
    pub(super) pending_left: u64,
    /// Those that ended for it, by destination.
    pub(super) ended: BTreeMap<String, Vec<DeliveryNumber>>,
}

/// A delivery that has not ended.
struct Waiting {
    delivery: DeliveryNumber,
    destination: String,
    lane: Option<String>,
}

impl Command for Blank {
    type Done = Blanked;

    fn run(&self, database: &Connection, pending: &mut Pending) -> rusqlite::Result<Blanked> {
        let mut blanked = Blanked::default();
        if self.is_dry_run {
            self.blank(database, pending, &mut blanked)?;
        } else {
            thoroughly(database, || self.blank(database, pending, &mut blanked))?;
        }
        Ok(blanked)
    }

    fn committed(&self, blanked: &Blanked, queues: &mut Queues) {
        for (destination, ended) in &blanked.ended {
            // Whoever looked for what is due in the same transaction may have found them before they ended.
            queues.take_back(destination, ended);
        }
        for hook in &blanked.hooks {
            queues.forget(*hook);
        }
    }
}

/// Has zeros written over what is deleted meanwhile.
fn thoroughly(database: &Connection, change: impl FnOnce() -> rusqlite::Result<()>) -> rusqlite::Result<()> {
    database.pragma_update(None, "secure_delete", "ON")?;
    let changed = change();
    database.pragma_update(None, "secure_delete", super::SECURE_DELETE)?;
    changed
}

impl Blank {
    fn blank(&self, database: &Connection, pending: &mut Pending, blanked: &mut Blanked) -> rusqlite::Result<()> {
        for hook in &self.hooks {
            let waiting = waiting(database, *hook)?;
            let may_blank = waiting.is_empty() || self.ends_pending && self.may_end(&waiting);
            if !may_blank {
                blanked.pending_left += waiting.len() as u64;
                continue;
            }
            for waiting in waiting {
                if !self.is_dry_run {
                    self.end(database, pending, &waiting)?;
                }
                blanked.ended.entry(waiting.destination).or_default().push(waiting.delivery);
            }
            blanked.deliveries += count(database, "SELECT count(*) FROM delivery WHERE hook = ?1", *hook)?;
            blanked.attempts += count(
                database,
                "SELECT count(*) FROM attempt WHERE delivery IN (SELECT seq FROM delivery WHERE hook = ?1)",
                *hook,
            )?;
            if !self.is_dry_run {
                self.blank_hook(database, *hook)?;
            }
            blanked.hooks.push(*hook);
        }
        Ok(())
    }

    /// Whether none of them is handed out. From then on none is: they are no longer known to be due, and only the thread that
    /// runs this looks for them in the database.
    fn may_end(&self, waiting: &[Waiting]) -> bool {
        let mut queues = lock(&self.queues);
        if waiting.iter().any(|own| queues.of(&own.destination).is_leased(own.delivery)) {
            return false;
        }
        if !self.is_dry_run {
            for own in waiting {
                queues.take_back(&own.destination, &[own.delivery]);
            }
        }
        true
    }

    fn end(&self, database: &Connection, pending: &mut Pending, own: &Waiting) -> rusqlite::Result<()> {
        let mut end = database.prepare_cached(
            "UPDATE delivery SET state = 3, reason = ?2, ended_at = ?3, due = NULL, park_at = NULL WHERE seq = ?1",
        )?;
        end.execute(params![own.delivery.0, ERASED, self.now])?;
        let count = pending.entry(own.destination.clone()).or_default();
        *count = count.saturating_sub(1);
        if let Some(lane) = &own.lane {
            let_on(database, &own.destination, lane, self.now)?;
        }
        Ok(())
    }

    fn blank_hook(&self, database: &Connection, hook: i64) -> rusqlite::Result<()> {
        let mut told = database.prepare_cached("SELECT project, ignored FROM hook WHERE seq = ?1")?;
        let told = told.query_row([hook], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (project, ignored): (Option<String>, Option<String>) = told.unwrap_or_default();
        let has_project = !self.mentions.is_project() && !project.is_some_and(|own| self.mentions.names(&own));
        let has_ignored = !ignored.is_some_and(|reason| self.mentions.occurs(reason.as_bytes()));
        let mut blank = database.prepare_cached(
            "UPDATE hook SET body = x'', headers = '[]', seen = NULL, known = NULL, erased_at = ?2, project = iif(?3, project, NULL), \
             ignored = iif(?4, ignored, ?5) WHERE seq = ?1",
        )?;
        blank.execute(params![hook, self.at, has_project, has_ignored, ERASED])?;
        let mut deliveries = database.prepare_cached("SELECT seq, reason FROM delivery WHERE hook = ?1")?;
        let deliveries = deliveries.query_map([hook], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (delivery, reason) in deliveries.collect::<rusqlite::Result<Vec<(i64, Option<String>)>>>()? {
            let has_reason = !reason.is_some_and(|reason| self.mentions.occurs(reason.as_bytes()));
            blank_delivery(database, delivery, has_project, has_reason)?;
        }
        Ok(())
    }
}

fn blank_delivery(database: &Connection, delivery: i64, has_lane: bool, has_reason: bool) -> rusqlite::Result<()> {
    let mut blank = database.prepare_cached(
        "UPDATE delivery SET lane = iif(?2, lane, NULL), reason = iif(?3, reason, ?4) WHERE seq = ?1",
    )?;
    blank.execute(params![delivery, has_lane, has_reason, ERASED])?;
    database.prepare_cached("DELETE FROM outgoing WHERE delivery = ?1")?.execute([delivery])?;
    // Where it did not go well, it still shows that it did not.
    let mut attempts = database.prepare_cached(
        "UPDATE attempt SET error = iif(error = '', '', ?2), request_headers = NULL, response_headers = NULL, \
         response_body = NULL, response_is_cut = NULL WHERE delivery = ?1",
    )?;
    attempts.execute(params![delivery, ERASED]).map(|_| ())
}

fn waiting(database: &Connection, hook: i64) -> rusqlite::Result<Vec<Waiting>> {
    let mut query =
        database.prepare_cached("SELECT seq, destination, lane FROM delivery WHERE hook = ?1 AND state = 0")?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Waiting { delivery: DeliveryNumber(row.get(0)?), destination: row.get(1)?, lane: row.get(2)? })
    };
    query.query_map([hook], read)?.collect()
}

fn count(database: &Connection, query: &str, hook: i64) -> rusqlite::Result<u64> {
    database.prepare_cached(query)?.query_row([hook], |row| row.get(0))
}

/// Removes what is remembered of objects, people and projects, recorded hooks, and numbers.
#[derive(Default)]
pub(super) struct Remove {
    pub(super) remembered: Vec<Key>,
    pub(super) known: Vec<KnownKey>,
    pub(super) recordings: Vec<i64>,
    pub(super) numbers: Vec<i64>,
    /// What is held of those in memory.
    pub(super) held: KnownRows,
}

impl Remove {
    pub(super) fn is_empty(&self) -> bool {
        let Self { remembered, known, recordings, numbers, .. } = self;
        remembered.is_empty() && known.is_empty() && recordings.is_empty() && numbers.is_empty()
    }
}

impl Command for Remove {
    type Done = ();

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<()> {
        self.held.bump();
        thoroughly(database, || {
            let mut forget = database
                .prepare_cached("DELETE FROM remembered WHERE route = ?1 AND project = ?2 AND kind = ?3 AND id = ?4")?;
            for (route, project, kind, id) in &self.remembered {
                forget.execute(params![route, project, kind, id])?;
            }
            for (table, instance, id) in &self.known {
                let mut forget =
                    database.prepare_cached("DELETE FROM known WHERE kind = ?1 AND instance = ?2 AND id = ?3")?;
                forget.execute(params![table, instance, id])?;
            }
            for recording in &self.recordings {
                database.prepare_cached("DELETE FROM recording WHERE rowid = ?1")?.execute([recording])?;
            }
            for number in &self.numbers {
                database.prepare_cached("DELETE FROM number WHERE seq = ?1")?.execute([number])?;
            }
            Ok(())
        })
    }

    fn committed(&self, (): &(), _: &mut Queues) {
        self.held.bump();
    }
}
