//! Writes a hook and its deliveries.

use super::super::{Appended, Arrival, DeliveryNumber, Fate, Hook, Plan, Same};
use super::known_rows::{KnownRows, ReadRow};
use super::learn::{Learned, learn};
use super::queues::{Queues, Ready};
use super::recordings::{Known, Of};
use super::room::Room;
use super::rows;
use super::writer::{Command, Pending};
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Why a delivery ends that its queue has no room for.
pub(super) const QUEUE_FULL: &str = "queue full";

pub(super) struct Append {
    pub(super) arrival: Arc<Arrival>,
    pub(super) room: Room,
    pub(super) recorded: Known,
    pub(super) known: KnownRows,
}

/// What was written.
pub(super) struct Written {
    pub(super) appended: Appended,
    due: Vec<(String, Ready)>,
    recorded: Option<Of>,
    learned: Option<(Vec<ReadRow>, bool)>,
}

impl Command for Append {
    type Done = Written;

    fn run(&self, database: &Connection, pending: &mut Pending) -> rusqlite::Result<Written> {
        let (arrival, now) = (&*self.arrival, self.arrival.now.as_microsecond());
        self.room.check(database, arrival.hook.body.len())?;
        if let Some(of) = arrival.same.as_ref().map_or(Ok(None), |same| before(database, &arrival.hook, same, now))? {
            insert_hook(database, arrival, Some(of), &Learned::default(), now)?;
            return Ok(Written {
                appended: Appended::Duplicate { of },
                due: Vec::new(),
                recorded: None,
                learned: None,
            });
        }
        let learned = learn(database, arrival, &self.known, now)?;
        let hook_seq = insert_hook(database, arrival, None, &learned, now)?;
        let recorded = if arrival.records { self.recorded.record(database, &self.room, &arrival.hook)? } else { None };
        let (mut due, mut queue_full) = (Vec::new(), Vec::new());
        for plan in &arrival.plans {
            let row = Row { hook: &arrival.hook, hook_seq, plan, now };
            match row.insert(database, pending)? {
                Inserted::Due(ready) => due.push((plan.destination.clone(), ready)),
                Inserted::QueueFull => queue_full.push(plan.destination.clone()),
                Inserted::Waits(..) | Inserted::Ignored => {}
            }
        }
        let Learned { seen, known, read, has_taught } = learned;
        let hook = if seen.is_none() && known.is_none() {
            Arc::clone(&arrival.hook)
        } else {
            Arc::new(Hook { seen, known, ..(*arrival.hook).clone() })
        };
        for (_, ready) in &mut due {
            ready.hook = Some(Arc::clone(&hook));
        }
        let learned = Some((read, has_taught));
        Ok(Written { appended: Appended::Stored { queue_full }, due, recorded, learned })
    }

    fn committed(&self, written: &Written, queues: &mut Queues) {
        for (destination, ready) in &written.due {
            queues.add(destination, ready.clone());
        }
        if let Some(of) = &written.recorded {
            self.recorded.add(of.clone());
        }
        if let Some((read, has_taught)) = &written.learned {
            if *has_taught {
                self.known.bump();
            }
            self.known.hold(read);
        }
    }
}

/// The hook that came before and counts as the same: one that is on its way, or was delivered within the window.
fn before(database: &Connection, hook: &Hook, same: &Same, now: i64) -> rusqlite::Result<Option<Uuid>> {
    let mut latest = database.prepare_cached(
        "SELECT seq, id FROM hook WHERE route = ?1 AND same_key = ?2 AND duplicate_of IS NULL ORDER BY seq DESC LIMIT 1",
    )?;
    let found = latest.query_row(params![hook.route, same.key], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((seq, id)): Option<(i64, Uuid)> = found else { return Ok(None) };
    let since = now.saturating_sub(micros(same.window));
    let mut counts = database.prepare_cached(
        "SELECT count(*) FROM delivery WHERE hook = ?1 AND (state = 0 OR state = 1 AND ended_at > ?2)",
    )?;
    let counting: i64 = counts.query_row(params![seq, since], |row| row.get(0))?;
    Ok((counting > 0).then_some(id))
}

pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn insert_hook(
    database: &Connection,
    arrival: &Arrival,
    of: Option<Uuid>,
    learned: &Learned,
    now: i64,
) -> rusqlite::Result<i64> {
    let hook = &arrival.hook;
    let ends_at_once = of.is_some() || arrival.plans.is_empty();
    let mut insert = database.prepare_cached(
        "INSERT INTO hook (id, route, forge, event, project, instance, delivery_key, hops, received_at, same_key, \
         duplicate_of, ignored, ended_at, headers, seen, body, known) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    )?;
    insert.insert(params![
        hook.id,
        hook.route,
        hook.forge,
        hook.event,
        hook.project,
        hook.instance,
        hook.delivery_key,
        hook.hops,
        hook.received_at.as_microsecond(),
        arrival.same.as_ref().map(|same| &same.key),
        of,
        arrival.ignored,
        ends_at_once.then_some(now),
        rows::headers_text(&hook.headers),
        learned.seen,
        &hook.body[..],
        learned.known,
    ])
}

/// A delivery to write.
pub(super) struct Row<'r> {
    pub(super) hook: &'r Hook,
    pub(super) hook_seq: i64,
    pub(super) plan: &'r Plan,
    pub(super) now: i64,
}

pub(super) enum Inserted {
    Due(Ready),
    /// It waits for the one before it in its lane: its number and its id.
    Waits(i64, Uuid),
    Ignored,
    QueueFull,
}

impl Row<'_> {
    pub(super) fn insert(&self, database: &Connection, pending: &mut Pending) -> rusqlite::Result<Inserted> {
        let destination = &self.plan.destination;
        let in_order = match &self.plan.fate {
            Fate::Ignore(reason) => {
                self.write(database, 2, None, None, Some(reason))?;
                return Ok(Inserted::Ignored);
            }
            Fate::Deliver { most_pending, in_order } => {
                let waiting = pending.entry(destination.clone()).or_default();
                if *waiting >= *most_pending {
                    self.write(database, 3, None, None, Some(QUEUE_FULL))?;
                    return Ok(Inserted::QueueFull);
                }
                *waiting += 1;
                *in_order
            }
        };
        let lane = if in_order { self.hook.project_of_instance() } else { None };
        if let Some(lane) = &lane
            && keeps_waiting(database, destination, lane)?
        {
            let (seq, id) = self.write(database, 0, Some(lane), None, None)?;
            return Ok(Inserted::Waits(seq, id));
        }
        let (seq, id) = self.write(database, 0, lane.as_deref(), Some(self.now), None)?;
        Ok(Inserted::Due(Ready {
            delivery: DeliveryNumber(seq),
            id,
            key: None,
            hook_seq: self.hook_seq,
            hook: None,
            may_have_outgoing: false,
            size: self.hook.body.len(),
            attempts: 0,
            accepted_at: self.now,
        }))
    }

    fn write(
        &self,
        database: &Connection,
        state: u8,
        lane: Option<&str>,
        due: Option<i64>,
        reason: Option<&str>,
    ) -> rusqlite::Result<(i64, Uuid)> {
        let id = Uuid::now_v7();
        let ended_at = (state != 0).then_some(self.now);
        let mut insert = database.prepare_cached(
            "INSERT INTO delivery (id, hook, destination, lane, state, reason, accepted_at, due, head_since, ended_at, \
             size) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?;
        let seq = insert.insert(params![
            id,
            self.hook_seq,
            self.plan.destination,
            lane,
            state,
            reason,
            self.now,
            due,
            due.filter(|_| lane.is_some()),
            ended_at,
            self.hook.body.len(),
        ])?;
        Ok((seq, id))
    }
}

/// Whether something of a lane is pending that was not parked.
fn keeps_waiting(database: &Connection, destination: &str, lane: &str) -> rusqlite::Result<bool> {
    let mut asked = database.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM delivery WHERE destination = ?1 AND lane = ?2 AND state = 0 AND parked = 0)",
    )?;
    asked.query_row(params![destination, lane], |row| row.get(0))
}
