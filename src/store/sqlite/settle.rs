//! Brings what is pending into agreement with the destinations that there are now.

use super::super::{KnownDestination, Removed};
use super::queues::{Queues, SharedQueues, lock};
use super::writer::{Command, Pending};
use rusqlite::{Connection, params};
use uuid::Uuid;

/// Why deliveries end whose destination is no longer configured.
const REMOVED: &str = "destination removed";
/// A step back of the clock that is smaller than this is none.
const SMALLEST_STEP: i64 = 1_000_000;

/// How many hooks of a destination are named at most.
const MOST_NAMED: usize = 100;

pub(super) struct Settle {
    pub(super) known: Vec<KnownDestination>,
    pub(super) now: i64,
    pub(super) queues: SharedQueues,
}

/// Those whose destination is gone, and what is pending now.
pub(super) struct Settled {
    pub(super) removed: Vec<Removed>,
    pending: Pending,
}

impl Command for Settle {
    type Done = Settled;

    fn run(&self, database: &Connection, pending: &mut Pending) -> rusqlite::Result<Settled> {
        follow_clock(database, self.now)?;
        let mut removed = Vec::new();
        for (destination, _) in waiting(database)? {
            let known = self.known.iter().find(|known| known.name == destination);
            match known {
                None => removed.push(self.remove(database, destination)?),
                Some(known) if !known.in_order => {
                    database.execute(
                        "UPDATE delivery SET due = coalesce(due, ?2), lane = NULL, park_at = NULL \
                         WHERE destination = ?1 AND state = 0 AND lane IS NOT NULL",
                        params![destination, self.now],
                    )?;
                }
                Some(_) => {}
            }
        }
        pending.clear();
        pending.extend(waiting(database)?);
        Ok(Settled { removed, pending: pending.clone() })
    }

    fn committed(&self, settled: &Settled, queues: &mut Queues) {
        queues.settle(&settled.pending);
    }
}

impl Settle {
    /// Ends what waits for a destination, but not what is under way: what comes of that is told first.
    fn remove(&self, database: &Connection, destination: String) -> rusqlite::Result<Removed> {
        let leased = lock(&self.queues).of(&destination).leased_numbers();
        let under_way = leased.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let these = format!("destination = ?1 AND state = 0 AND seq NOT IN ({under_way})");
        let mut query = database.prepare(&format!(
            "SELECT (SELECT id FROM hook WHERE hook.seq = delivery.hook) FROM delivery WHERE {these} ORDER BY seq LIMIT ?2"
        ))?;
        let hooks = query.query_map(params![destination, MOST_NAMED], |row| row.get::<_, Option<Uuid>>(0))?;
        let hooks = hooks.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect();
        let ended = database.execute(
            &format!(
                "UPDATE delivery SET state = 3, reason = ?2, ended_at = ?3, due = NULL, park_at = NULL WHERE {these}"
            ),
            params![destination, REMOVED, self.now],
        )?;
        Ok(Removed { destination, ended: ended as u64, hooks, under_way: leased.len() as u64 })
    }
}

fn waiting(database: &Connection) -> rusqlite::Result<Vec<(String, u64)>> {
    let mut query = database.prepare(
        "SELECT destination, count(*) FROM delivery WHERE state = 0 GROUP BY destination ORDER BY destination",
    )?;
    query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// When the system's clock has gone back since the last run, what is due later would be due much later: it comes along.
fn follow_clock(database: &Connection, now: i64) -> rusqlite::Result<()> {
    let latest: i64 = database.query_row("SELECT at FROM clock", [], |row| row.get(0))?;
    let back = latest - now;
    if back > SMALLEST_STEP {
        // What ended in a time that is yet to come would count as just ended until then.
        database.execute("UPDATE delivery SET ended_at = ?1 WHERE ended_at > ?1", [now])?;
        database.execute("UPDATE hook SET ended_at = ?1 WHERE ended_at > ?1", [now])?;
        database.execute(
            "UPDATE delivery SET due = due - ?1, head_since = head_since - ?1, park_at = park_at - ?1, \
             tried_at = tried_at - ?1, accepted_at = accepted_at - ?1 WHERE state = 0",
            [back],
        )?;
    }
    set_clock(database, now)
}

/// Remembers the latest time that is known to have been.
pub(super) fn set_clock(database: &Connection, now: i64) -> rusqlite::Result<()> {
    database.prepare_cached("UPDATE clock SET at = ?1")?.execute([now])?;
    Ok(())
}
