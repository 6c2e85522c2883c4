//! Removes what has ended and is kept no longer, a little at a time.

use super::super::{Pruned, Retention};
use super::append::micros;
use super::learn::forget;
use super::settle::set_clock;
use super::writer::{Command, Pending, used};
use rusqlite::{Connection, params};

/// How many rows one step removes at most, so that nobody waits long behind it.
const MOST_IN_STEP: usize = 200;
/// How many free pages are given back to the disk in one step.
const PAGES_IN_STEP: u32 = 125;
/// How many free pages are kept for what comes next, at least.
const SPARE_PAGES: u64 = 500;

pub(super) struct Prune {
    pub(super) keep: Retention,
    pub(super) now: i64,
}

impl Command for Prune {
    type Done = Pruned;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Pruned> {
        set_clock(database, self.now)?;
        let is_too_large = used(database) > self.keep.bytes;
        let before = if is_too_large { i64::MAX } else { self.now.saturating_sub(micros(self.keep.age)) };
        let deliveries = remove_deliveries(database, before)?;
        let hooks = database
            .prepare_cached(
                "DELETE FROM hook WHERE seq IN (SELECT seq FROM hook WHERE ended_at < ?1 ORDER BY ended_at LIMIT ?2)",
            )?
            .execute(params![before, MOST_IN_STEP])?;
        let forgotten = forget(database, self.keep.states, self.now, MOST_IN_STEP)?;
        let gives_back = give_back(database)?;
        let is_full_step = [deliveries, hooks, forgotten].contains(&MOST_IN_STEP);
        let is_still_too_large = is_too_large && deliveries + hooks > 0 && used(database) > self.keep.bytes;
        Ok(Pruned {
            removed: (deliveries + hooks) as u64,
            is_more: gives_back || is_still_too_large || is_full_step && !is_too_large,
        })
    }
}

/// Removes the deliveries that ended first, and hooks that have none left.
fn remove_deliveries(database: &Connection, before: i64) -> rusqlite::Result<usize> {
    let mut query =
        database.prepare_cached("SELECT seq, hook FROM delivery WHERE ended_at < ?1 ORDER BY ended_at LIMIT ?2")?;
    let rows = query.query_map(params![before, MOST_IN_STEP], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows = rows.collect::<rusqlite::Result<Vec<(i64, i64)>>>()?;
    for (delivery, hook) in &rows {
        for remove in ["DELETE FROM delivery WHERE seq = ?1", "DELETE FROM outgoing WHERE delivery = ?1"] {
            database.prepare_cached(remove)?.execute([delivery])?;
        }
        database.prepare_cached("DELETE FROM attempt WHERE delivery = ?1")?.execute([delivery])?;
        let mut remove = database.prepare_cached(
            "DELETE FROM hook WHERE seq = ?1 AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.hook = ?1)",
        )?;
        remove.execute([hook])?;
    }
    Ok(rows.len())
}

/// Gives free pages back to the disk, when there are many; says whether there are still too many.
fn give_back(database: &Connection) -> rusqlite::Result<bool> {
    let ask = |name| database.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    let is_much = || Ok((ask("freelist_count")?, ask("page_count")?)).map(|(free, all)| free > SPARE_PAGES + all / 4);
    if !is_much()? {
        return Ok(false);
    }
    let mut step = database.prepare(&format!("PRAGMA incremental_vacuum({PAGES_IN_STEP})"))?;
    let mut pages = step.query([])?;
    while pages.next()?.is_some() {}
    is_much()
}
