//! Hands out what waits behind a delivery that has kept its project waiting for too long, to see whether its destination takes
//! others.

use super::super::{Claimed, StoreError};
use super::SqliteStore;
use super::append::micros;
use super::queues::{Ready, SharedQueues, lock};
use super::rows;
use super::writer::{Command, Pending};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Finds and leases it. It writes nothing, but takes its turn among those that do, so that nothing changes meanwhile.
struct Behind {
    destination: String,
    now: i64,
    until: i64,
    queues: SharedQueues,
    /// Whether it is leased already: it may be run again.
    is_leased: AtomicBool,
}

impl Command for Behind {
    type Done = Option<Ready>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Option<Ready>> {
        // Those that were tried least come first: several in a row may be such as no destination takes.
        let mut query = database.prepare_cached(
            "SELECT seq, id, hook, size, attempts, accepted_at, key FROM delivery \
             WHERE destination = ?1 AND state = 0 AND due IS NULL AND lane IN \
             (SELECT lane FROM delivery WHERE destination = ?1 AND park_at <= ?2) ORDER BY probes, seq LIMIT 1",
        )?;
        let found = query.query_row(params![self.destination, self.now], rows::ready).optional()?;
        let lease = |ready: &Ready| lock(&self.queues).hold_back(&self.destination, ready.delivery, self.until);
        let found = found.filter(|ready| self.is_leased.load(Ordering::Relaxed) || lease(ready));
        self.is_leased.store(found.is_some(), Ordering::Relaxed);
        Ok(found)
    }
}

impl SqliteStore {
    pub(super) async fn claim_behind(
        &self,
        destination: &str,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Claimed>, StoreError> {
        let at = now.as_microsecond();
        let found = self.ask(Behind {
            destination: destination.to_owned(),
            now: at,
            until: at.saturating_add(micros(lease)),
            queues: Arc::clone(&self.queues),
            is_leased: AtomicBool::new(false),
        });
        let Some(ready) = found.await? else { return Ok(None) };
        Ok(self.claimed(destination, vec![ready], now).await?.pop())
    }
}
