//! Removes what has ended and is kept no longer, a little at a time.

use super::super::{Pruned, Retention};
use super::append::micros;
use super::audit;
use super::learn::forget;
use super::settle::set_clock;
use super::writer::{Command, Pending, used};
use rusqlite::{Connection, params};

/// How many rows one step removes at most, so that nobody waits long behind it.
const MOST_IN_STEP: usize = 200;
/// How many bytes it removes at most: rows may be large.
const MOST_BYTES_IN_STEP: u64 = 8 << 20;
/// How many free pages are given back to the disk in one step.
const PAGES_IN_STEP: u32 = 125;
/// How many free pages are kept for what comes next, at least.
const SPARE_PAGES: u64 = 500;

pub(super) struct Prune {
    pub(super) keep: Retention,
    pub(super) now: i64,
}

/// What a step did, and whether it was the last that made the database smaller.
pub(super) struct Step {
    pub(super) pruned: Pruned,
    is_smaller: bool,
}

impl Command for Prune {
    type Done = Step;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Step> {
        set_clock(database, self.now)?;
        let (all, limit) = (used(database), self.keep.bytes);
        let is_too_large = all > limit;
        let age = if is_too_large { self.keep.at_least } else { self.keep.age.max(self.keep.at_least) };
        let least = all.saturating_sub(MOST_BYTES_IN_STEP);
        let until = if is_too_large { least.max(limit) } else { least };
        let (removed, is_more) = remove(database, self.now.saturating_sub(micros(age)), until)?;
        let forgotten = forget(database, self.keep.states, self.now, MOST_IN_STEP)?;
        let forgotten = forgotten.max(audit::forget(database, self.keep.audit, self.now, MOST_IN_STEP)?);
        let given = if has_many_free(database)? { give_back(database)? } else { 0 };
        let gives_more = given > 0 && has_many_free(database)?;
        let is_more =
            if is_too_large { is_more && used(database) > limit } else { is_more || forgotten == MOST_IN_STEP };
        let pruned = Pruned { removed, is_more: gives_more || is_more };
        Ok(Step { pruned, is_smaller: given > 0 && !gives_more })
    }

    fn gives_back(&self, step: &Step) -> bool {
        step.is_smaller
    }
}

/// Removes deliveries, and hooks without any, that ended before a time, those that ended first: until only so many bytes are
/// in use, or the step is full. Says how many are gone and whether there may be more.
pub(super) fn remove(database: &Connection, before: i64, until: u64) -> rusqlite::Result<(u64, bool)> {
    let mut query = database.prepare_cached(
        "SELECT seq, hook, ended_at FROM delivery WHERE ended_at < ?1 \
         UNION ALL SELECT NULL, seq, ended_at FROM hook WHERE ended_at < ?1 ORDER BY ended_at LIMIT ?2",
    )?;
    let rows = query.query_map(params![before, MOST_IN_STEP], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows = rows.collect::<rusqlite::Result<Vec<(Option<i64>, i64)>>>()?;
    let mut removed = 0;
    for (delivery, hook) in &rows {
        if used(database) <= until {
            return Ok((removed, true));
        }
        if let Some(delivery) = delivery {
            remove_delivery(database, *delivery)?;
        }
        let mut remove = database.prepare_cached(
            "DELETE FROM hook WHERE seq = ?1 AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.hook = ?1)",
        )?;
        remove.execute([hook])?;
        removed += 1;
    }
    Ok((removed, rows.len() == MOST_IN_STEP))
}

fn remove_delivery(database: &Connection, delivery: i64) -> rusqlite::Result<()> {
    for remove in [
        "DELETE FROM delivery WHERE seq = ?1",
        "DELETE FROM outgoing WHERE delivery = ?1",
        "DELETE FROM attempt WHERE delivery = ?1",
    ] {
        database.prepare_cached(remove)?.execute([delivery])?;
    }
    Ok(())
}

/// Whether more pages are free than are kept for what comes next.
fn has_many_free(database: &Connection) -> rusqlite::Result<bool> {
    Ok(free(database)? > SPARE_PAGES + ask(database, "page_count")? / 4)
}

/// Gives some of the free pages back to the disk; says how many.
pub(super) fn give_back(database: &Connection) -> rusqlite::Result<u64> {
    let before = free(database)?;
    if before == 0 {
        return Ok(0);
    }
    let mut step = database.prepare(&format!("PRAGMA incremental_vacuum({PAGES_IN_STEP})"))?;
    let mut pages = step.query([])?;
    while pages.next()?.is_some() {}
    Ok(before.saturating_sub(free(database)?))
}

fn free(database: &Connection) -> rusqlite::Result<u64> {
    ask(database, "freelist_count")
}

fn ask(database: &Connection, name: &str) -> rusqlite::Result<u64> {
    database.pragma_query_value(None, name, |row| row.get(0))
}
