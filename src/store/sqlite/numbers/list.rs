//! Lists numbers, a block at a time.

use super::super::super::numbers::{Named, NumberFilter, NumberRow, Pair};
use super::super::super::{Look, Page, StoreError};
use super::super::writer::{Command, Pending};
use super::super::{SqliteStore, rows};
use rusqlite::{Connection, Row, params};
use std::time::Instant;

/// How many rows are looked at in one go.
const BLOCK: usize = 2_000;

/// Looks through one block for numbers that fit.
struct Block {
    filter: NumberFilter,
    before: Option<i64>,
    limit: usize,
}

impl Command for Block {
    type Done = Page<NumberRow>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Page<NumberRow>> {
        let before = self.before.unwrap_or(i64::MAX);
        let mut begin = database.prepare_cached(
            "SELECT min(seq) FROM (SELECT seq FROM number WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2)",
        )?;
        let Some(from) = begin.query_row(params![before, BLOCK], |row| row.get::<_, Option<i64>>(0))? else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let mut query = database.prepare_cached(
            "SELECT seq, kind, text, number, instance, is_former, made_at FROM number WHERE seq >= ?1 AND seq < ?2 \
             AND kind = coalesce(?3, kind) AND text = coalesce(?4, text) AND number = coalesce(?5, number) \
             ORDER BY seq DESC",
        )?;
        let NumberFilter { kind, text, number } = &self.filter;
        let mut found = query.query(params![from, before, kind, text, number])?;
        let (mut items, mut next) = (Vec::new(), from);
        while let Some(row) = found.next()? {
            if items.len() == self.limit {
                return Ok(Page { items, next: Some(next) });
            }
            next = row.get(0)?;
            items.push(number_row(row)?);
        }
        Ok(Page { items, next: Some(from) })
    }
}

fn number_row(row: &Row<'_>) -> rusqlite::Result<NumberRow> {
    let named = Named { kind: row.get(1)?, text: row.get(2)? };
    let pair = Pair { named, number: row.get(3)?, instance: row.get(4)?, is_former: row.get(5)? };
    Ok(NumberRow { pair, made_at: rows::time(row.get(6)?) })
}

impl SqliteStore {
    pub(super) async fn number_rows(&self, filter: NumberFilter, look: Look) -> Result<Page<NumberRow>, StoreError> {
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
