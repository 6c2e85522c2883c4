//! Reads from the database what is due next at a destination.

use super::queues::{MOST_READY, Queues, Ready, SharedQueues, lock};
use super::rows;
use super::writer::{Command, Pending};
use rusqlite::{Connection, params};

/// It writes nothing, but takes its turn among those that do: so nothing changes between what it reads and what it tells.
pub(super) struct Refill {
    pub(super) destination: String,
    pub(super) now: i64,
    pub(super) queues: SharedQueues,
}

/// What is due, and what comes after it.
pub(super) struct Read {
    due: Vec<Ready>,
    is_whole: bool,
    next_due: Option<i64>,
    next_park: Option<i64>,
}

impl Command for Refill {
    type Done = Read;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Read> {
        let leased = {
            let mut queues = lock(&self.queues);
            let queue = queues.of(&self.destination);
            queue.expire(self.now);
            queue.leased()
        };
        let limit = MOST_READY + leased;
        let mut query = database.prepare_cached(
            "SELECT seq, id, hook, size, attempts, accepted_at, key FROM delivery WHERE destination = ?1 AND state = 0 AND due <= ?2 \
             ORDER BY due, seq LIMIT ?3",
        )?;
        let due = query.query_map(params![self.destination, self.now, limit], rows::ready)?;
        let due = due.collect::<rusqlite::Result<Vec<_>>>()?;
        let mut next = database
            .prepare_cached("SELECT min(due) FROM delivery WHERE destination = ?1 AND state = 0 AND due > ?2")?;
        let mut park = database
            .prepare_cached("SELECT min(park_at) FROM delivery WHERE destination = ?1 AND park_at IS NOT NULL")?;
        Ok(Read {
            is_whole: due.len() < limit,
            due,
            next_due: next.query_row(params![self.destination, self.now], |row| row.get(0))?,
            next_park: park.query_row([&self.destination], |row| row.get(0))?,
        })
    }

    fn committed(&self, read: &Read, queues: &mut Queues) {
        let queue = queues.of(&self.destination);
        (queue.is_stale, queue.next_due, queue.next_park) = (false, read.next_due, read.next_park);
        let new: Vec<Ready> = read.due.iter().filter(|ready| !queue.knows(ready.delivery)).cloned().collect();
        for ready in new {
            queues.add(&self.destination, ready);
        }
        queues.of(&self.destination).is_stale |= !read.is_whole;
    }
}
