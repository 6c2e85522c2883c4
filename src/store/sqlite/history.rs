//! Looks for hooks and deliveries, a block at a time: between two blocks the log can be brought into the database, and
//! whoever else reads has a turn.

use super::super::{
    Answer, Counts, DeliveryRecord, DeliveryRow, Filter, History, HookRecord, HookRow, Look, Outcomes, Page, State,
    StoreError,
};
use super::fitting::{Of, Query};
use super::outcomes::SumUp;
use super::writer::{Command, Pending};
use super::{SqliteStore, rows};
use rusqlite::{Connection, OptionalExtension};
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;

/// How many rows are looked at in one go.
const BLOCK: usize = 2_000;
/// How many where their bodies are read as well.
const BLOCK_OF_BODIES: usize = 100;

/// Looks through one block for rows that fit.
struct Block<R> {
    query: Query,
    before: Option<i64>,
    limit: usize,
    read: fn(&Connection, i64) -> rusqlite::Result<Option<R>>,
}

/// What a block has, and where it ends; `None` when nothing older is there.
struct Found<R> {
    items: Vec<(i64, R)>,
    next: Option<i64>,
}

impl<R: Send + 'static> Command for Block<R> {
    type Done = Found<R>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Found<R>> {
        let size = if self.query.reads_bodies() { BLOCK_OF_BODIES } else { BLOCK };
        let Some(from) = self.query.begin_of_block(database, self.before, size)? else {
            return Ok(Found { items: Vec::new(), next: None });
        };
        let (mut items, mut next) = (Vec::new(), Some(from));
        for seq in self.query.fitting(database, from, self.before)? {
            if items.len() == self.limit {
                // The last that was taken: older ones are looked at again.
                next = items.last().map(|(seq, _)| *seq);
                break;
            }
            if let Some(item) = (self.read)(database, seq)? {
                items.push((seq, item));
            }
        }
        Ok(Found { items, next })
    }
}

impl SqliteStore {
    async fn page<R: Send + 'static>(
        &self,
        of: Of,
        filter: Filter,
        look: Look,
        read: fn(&Connection, i64) -> rusqlite::Result<Option<R>>,
    ) -> Result<Page<R>, StoreError> {
        let (begun, mut items, mut before) = (Instant::now(), Vec::new(), look.before);
        let query = Query::new(of, filter);
        loop {
            let limit = look.limit.saturating_sub(items.len());
            let block = self.search(Block { query: query.clone(), before, limit, read }).await?;
            items.extend(block.items.into_iter().map(|(_, item)| item));
            before = block.next;
            if before.is_none() || items.len() >= look.limit || begun.elapsed() >= look.time {
                return Ok(Page { items, next: before });
            }
        }
    }

    async fn counts(&self, filter: Filter, look: Look) -> Result<Counts, StoreError> {
        let (begun, mut counts) = (Instant::now(), Counts { next: look.before, ..Counts::default() });
        let query = Query::new(Of::Deliveries, filter);
        loop {
            let block = Block { query: query.clone(), before: counts.next, limit: usize::MAX, read: rows::state };
            let found = self.search(block).await?;
            for (_, state) in found.items {
                *counts.of(state) += 1;
            }
            counts.next = found.next;
            if counts.next.is_none() || begun.elapsed() >= look.time {
                return Ok(counts);
            }
        }
    }
}

impl Counts {
    pub(super) fn of(&mut self, state: State) -> &mut u64 {
        match state {
            State::Pending => &mut self.pending,
            State::Delivered => &mut self.delivered,
            State::Ignored => &mut self.ignored,
            State::Failed => &mut self.failed,
        }
    }
}

impl History for SqliteStore {
    fn deliveries(&self, filter: Filter, look: Look) -> Answer<'_, Page<DeliveryRow>> {
        Box::pin(self.page(Of::Deliveries, filter, look, rows::delivery_row))
    }

    fn hooks(&self, filter: Filter, look: Look) -> Answer<'_, Page<HookRow>> {
        Box::pin(self.page(Of::Hooks, filter, look, rows::hook_row))
    }

    fn outcomes(&self, hooks: Vec<Uuid>) -> Answer<'_, Vec<Outcomes>> {
        Box::pin(self.search(SumUp(hooks)))
    }

    fn count(&self, filter: Filter, look: Look) -> Answer<'_, Counts> {
        Box::pin(self.counts(filter, look))
    }

    fn delivery(&self, id: Uuid) -> Answer<'_, Option<DeliveryRecord>> {
        Box::pin(self.search(Delivery(id)))
    }

    fn hook(&self, id: Uuid) -> Answer<'_, Option<HookRecord>> {
        Box::pin(self.search(Hook(id)))
    }
}

/// Reads a delivery, whole.
struct Delivery(Uuid);

impl Command for Delivery {
    type Done = Option<DeliveryRecord>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Option<DeliveryRecord>> {
        let found = database.prepare_cached("SELECT seq, hook FROM delivery WHERE id = ?1")?;
        let Some((seq, hook_seq)) = seqs(found, self.0)? else { return Ok(None) };
        let (Some(row), Some(hook)) = (rows::delivery_row(database, seq)?, rows::hook(database, hook_seq)?) else {
            return Ok(None);
        };
        let outgoing = rows::outgoing(database, seq, &hook)?;
        let attempts = rows::attempts(database, seq)?;
        Ok(Some(DeliveryRecord { row, hook: Arc::new(hook), outgoing, attempts }))
    }
}

fn seqs(mut query: rusqlite::CachedStatement<'_>, id: Uuid) -> rusqlite::Result<Option<(i64, i64)>> {
    query.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// Reads a hook, whole.
struct Hook(Uuid);

impl Command for Hook {
    type Done = Option<HookRecord>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Option<HookRecord>> {
        let found = database.prepare_cached("SELECT seq, seq FROM hook WHERE id = ?1")?;
        let Some((seq, _)) = seqs(found, self.0)? else { return Ok(None) };
        let (Some(row), Some(hook)) = (rows::hook_row(database, seq)?, rows::hook(database, seq)?) else {
            return Ok(None);
        };
        let mut query = database.prepare_cached("SELECT seq FROM delivery WHERE hook = ?1 ORDER BY seq")?;
        let of_hook = query.query_map([seq], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
        let mut deliveries = Vec::new();
        for seq in of_hook {
            deliveries.extend(rows::delivery_row(database, seq)?);
        }
        Ok(Some(HookRecord { row, hook: Arc::new(hook), deliveries }))
    }
}
