//! The audit log: entries are written one by one, read a block at a time, and removed some at a time.

use super::super::{Answer, Audit, AuditEntry, AuditFilter, Deed, Look, Page, StoreError};
use super::append::micros;
use super::writer::{Command, Pending};
use super::{SqliteStore, rows};
use rusqlite::{Connection, params};
use serde_json::Value;
use std::time::{Duration, Instant};

/// How many entries are looked at in one go.
const BLOCK: usize = 2_000;

struct Note(AuditEntry);

impl Command for Note {
    type Done = ();

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<()> {
        let AuditEntry { at, who, what, about } = &self.0;
        let about = Value::Object(about.clone()).to_string();
        let mut insert = database.prepare_cached("INSERT INTO audit (at, who, what, about) VALUES (?1, ?2, ?3, ?4)")?;
        insert.execute(params![at.as_microsecond(), who, what.word(), about]).map(|_| ())
    }
}

/// Looks through one block for entries that fit.
struct Block {
    filter: AuditFilter,
    before: Option<i64>,
    limit: usize,
}

/// What a block has, and where it ends; `None` when nothing older is there.
struct Found {
    items: Vec<AuditEntry>,
    next: Option<i64>,
}

impl Command for Block {
    type Done = Found;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Found> {
        let before = self.before.unwrap_or(i64::MAX);
        let mut begin = database
            .prepare_cached("SELECT min(seq) FROM (SELECT seq FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2)")?;
        let Some(from) = begin.query_row(params![before, BLOCK], |row| row.get::<_, Option<i64>>(0))? else {
            return Ok(Found { items: Vec::new(), next: None });
        };
        let mut query = database.prepare_cached(
            "SELECT seq, at, who, what, about FROM audit WHERE seq >= ?1 AND seq < ?2 AND who = coalesce(?3, who) \
             AND what = coalesce(?4, what) ORDER BY seq DESC",
        )?;
        let AuditFilter { who, what } = &self.filter;
        let mut found = query.query(params![from, before, who, what.map(Deed::word)])?;
        let (mut items, mut next) = (Vec::new(), from);
        while let Some(row) = found.next()? {
            if items.len() == self.limit {
                return Ok(Found { items, next: Some(next) });
            }
            next = row.get(0)?;
            // A word that is not known is one of a newer hookglot.
            let Ok(what) = row.get::<_, String>(3)?.parse() else { continue };
            let about = serde_json::from_str(&row.get::<_, String>(4)?).unwrap_or_default();
            items.push(AuditEntry { at: rows::time(row.get(1)?), who: row.get(2)?, what, about });
        }
        Ok(Found { items, next: Some(from) })
    }
}

impl SqliteStore {
    async fn entries(&self, filter: AuditFilter, look: Look) -> Result<Page<AuditEntry>, StoreError> {
        let (begun, mut items, mut before) = (Instant::now(), Vec::new(), look.before);
        loop {
            let limit = look.limit.saturating_sub(items.len());
            let found = self.search(Block { filter: filter.clone(), before, limit }).await?;
            items.extend(found.items);
            before = found.next;
            if before.is_none() || items.len() >= look.limit || begun.elapsed() >= look.time {
                return Ok(Page { items, next: before });
            }
        }
    }
}

impl Audit for SqliteStore {
    fn note(&self, entry: AuditEntry) -> Answer<'_, ()> {
        Box::pin(self.ask(Note(entry)))
    }

    fn audit(&self, filter: AuditFilter, look: Look) -> Answer<'_, Page<AuditEntry>> {
        Box::pin(self.entries(filter, look))
    }
}

/// Removes the oldest entries that are kept no longer, some of them: how many that was.
pub(super) fn forget(database: &Connection, after: Duration, now: i64, most: usize) -> rusqlite::Result<usize> {
    // In the order in which they were made: whoever set the system's clock back does not keep what is old.
    let mut remove = database
        .prepare_cached("DELETE FROM audit WHERE seq IN (SELECT seq FROM audit ORDER BY seq LIMIT ?2) AND at < ?1")?;
    remove.execute(params![now.saturating_sub(micros(after)), most])
}
