//! Makes deliveries again that people ask for.

use super::super::{Again, Answer, Content, DeliveryNumber, Fate, Hook, Plan, Resend, Resent, State};
use super::append::{Inserted, QUEUE_FULL, Row};
use super::queues::{Queues, Ready, SharedQueues, lock};
use super::writer::{Command, Pending};
use super::{SqliteStore, record, rows};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;

/// For how long nobody is handed a delivery that is being changed: far longer than that takes.
const CHANGING: i64 = 60_000_000;

/// Why a delivery is left alone that was sent again before.
const SENT_AGAIN: &str = "it was sent again already";

impl Resend for SqliteStore {
    fn resend(&self, again: Again) -> Answer<'_, Resent> {
        let command = Repeat { again, queues: Arc::clone(&self.queues), is_held: AtomicBool::new(false) };
        Box::pin(async move { Ok(self.ask(command).await?.resent) })
    }

    fn deliver(&self, hook: Uuid, plans: Vec<Plan>, now: Timestamp) -> Answer<'_, Vec<Resent>> {
        let command = Deliver { hook, plans, now: now.as_microsecond() };
        Box::pin(async move { Ok(self.ask(command).await?.into_iter().map(|done| done.resent).collect::<Vec<_>>()) })
    }
}

/// What was done, and what the queues must know of it.
pub(super) struct Done {
    resent: Resent,
    due: Option<(String, Ready)>,
    /// A delivery that was waiting and is to be read again.
    changed: Option<(String, DeliveryNumber)>,
}

impl Done {
    fn refused(reason: impl Into<String>) -> Self {
        Self { resent: Resent::Refused(reason.into()), due: None, changed: None }
    }

    fn tell(&self, queues: &mut Queues) {
        if let Some((destination, ready)) = &self.due {
            queues.add(destination, ready.clone());
        }
        if let Some((destination, delivery)) = &self.changed {
            queues.take_back(destination, &[*delivery]);
        }
    }
}

struct Repeat {
    again: Again,
    queues: SharedQueues,
    /// Whether the delivery is held back already: it may be run again.
    is_held: AtomicBool,
}

/// A delivery that is made again, as far as that needs it.
struct Old {
    seq: i64,
    hook_seq: i64,
    destination: String,
    is_pending: bool,
    is_due_known: bool,
    is_resent: bool,
    attempts: u32,
    own_key: Option<String>,
}

impl Command for Repeat {
    type Done = Done;

    fn run(&self, database: &Connection, pending: &mut Pending) -> rusqlite::Result<Done> {
        let Some(old) = read(database, self.again.of)? else {
            return Ok(Done::refused("there is no such delivery any more"));
        };
        let Some(hook) = rows::hook(database, old.hook_seq)? else {
            return Ok(Done::refused("its hook is not in the store any more"));
        };
        if is_erased(database, old.hook_seq)? {
            return Ok(Done::refused("its content was erased"));
        }
        if self.again.unless_resent && old.is_resent {
            return Ok(Done::refused(SENT_AGAIN));
        }
        if old.is_pending { self.hurry(database, &old) } else { self.repeat(database, pending, &old, &hook) }
    }

    fn committed(&self, done: &Done, queues: &mut Queues) {
        done.tell(queues);
    }
}

impl Repeat {
    /// Makes a delivery due that waits for its next attempt.
    fn hurry(&self, database: &Connection, old: &Old) -> rusqlite::Result<Done> {
        let Again { of, content, now, .. } = &self.again;
        let (number, now) = (DeliveryNumber(old.seq), now.as_microsecond());
        // From here on nobody is handed it with what it sent before.
        let hold_back = || lock(&self.queues).hold_back(&old.destination, number, now.saturating_add(CHANGING));
        if !self.is_held.load(Ordering::Relaxed) && !hold_back() {
            return Ok(Done::refused("an attempt of it is under way: see what comes of it first"));
        }
        self.is_held.store(true, Ordering::Relaxed);
        let changed = Some((old.destination.clone(), number));
        if let Content::Anew { outgoing, has_new_key } = content {
            database.prepare_cached("DELETE FROM outgoing WHERE delivery = ?1")?.execute([old.seq])?;
            record::keep_outgoing(database, number, outgoing)?;
            // A tool that has seen the old body under the old key would take this for the same.
            if *has_new_key && old.attempts > 0 {
                let mut update = database.prepare_cached("UPDATE delivery SET key = ?2 WHERE seq = ?1")?;
                update.execute(params![old.seq, Uuid::now_v7().to_string()])?;
            }
        } else if !old.is_due_known {
            let resent = Resent::Refused("it waits for the one before it of its project".to_owned());
            return Ok(Done { resent, due: None, changed });
        }
        let mut update =
            database.prepare_cached("UPDATE delivery SET due = min(due, ?2) WHERE seq = ?1 AND due IS NOT NULL")?;
        update.execute(params![old.seq, now])?;
        Ok(Done { resent: Resent::Hurried(*of), due: None, changed })
    }

    /// Makes a new delivery in the place of one that has ended.
    fn repeat(&self, database: &Connection, pending: &mut Pending, old: &Old, hook: &Hook) -> rusqlite::Result<Done> {
        let Again { of, content, most_pending, in_order, now, .. } = &self.again;
        let fate = Fate::Deliver { most_pending: *most_pending, in_order: *in_order };
        let plan = Plan { destination: old.destination.clone(), fate };
        if pending.get(&plan.destination).is_some_and(|waiting| waiting >= most_pending) {
            return Ok(Done { resent: Resent::QueueFull, due: None, changed: None });
        }
        let row = Row { hook, hook_seq: old.hook_seq, plan: &plan, now: now.as_microsecond() };
        let (seq, id, mut due) = match row.insert(database, pending)? {
            Inserted::Due(ready) => (ready.delivery.0, ready.id, Some(ready)),
            Inserted::Waits(seq, id) => (seq, id, None),
            Inserted::QueueFull | Inserted::Ignored => return Ok(Done::refused(QUEUE_FULL)),
        };
        let key = match content {
            Content::Anew { has_new_key: true, .. } => id.to_string(),
            _ => old.own_key.clone().or_else(|| hook.delivery_key.clone()).unwrap_or_else(|| of.to_string()),
        };
        let mut update = database.prepare_cached("UPDATE delivery SET key = ?2, resend_of = ?3 WHERE seq = ?1")?;
        update.execute(params![seq, key, of])?;
        database.prepare_cached("UPDATE delivery SET resent_as = ?2 WHERE seq = ?1")?.execute(params![old.seq, id])?;
        self.keep(database, old.seq, seq)?;
        if let Some(ready) = &mut due {
            (ready.key, ready.may_have_outgoing) = (Some(key), true);
        }
        let due = due.map(|ready| (plan.destination, ready));
        Ok(Done { resent: Resent::Queued(id), due, changed: None })
    }

    /// Keeps what is sent.
    fn keep(&self, database: &Connection, old: i64, new: i64) -> rusqlite::Result<()> {
        match &self.again.content {
            Content::Anew { outgoing, .. } => {
                record::keep_outgoing(database, DeliveryNumber(new), outgoing).map(|_| ())
            }
            Content::AsSent => {
                let mut copy = database.prepare_cached(
                    "INSERT INTO outgoing (delivery, headers, mapping, sha256, body, forge) \
                     SELECT ?2, headers, mapping, sha256, body, forge FROM outgoing WHERE delivery = ?1",
                )?;
                copy.execute([old, new]).map(|_| ())
            }
        }
    }
}

fn read(database: &Connection, id: Uuid) -> rusqlite::Result<Option<Old>> {
    let mut query = database.prepare_cached(
        "SELECT seq, hook, destination, state = 0, due IS NOT NULL, attempts, key, resent_as IS NOT NULL FROM delivery \
         WHERE id = ?1",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Old {
            seq: row.get(0)?,
            hook_seq: row.get(1)?,
            destination: row.get(2)?,
            is_pending: row.get(3)?,
            is_due_known: row.get(4)?,
            attempts: row.get(5)?,
            own_key: row.get(6)?,
            is_resent: row.get(7)?,
        })
    };
    query.query_row([id], read).optional()
}

fn is_erased(database: &Connection, hook: i64) -> rusqlite::Result<bool> {
    let mut query = database.prepare_cached("SELECT erased_at IS NOT NULL FROM hook WHERE seq = ?1")?;
    query.query_row([hook], |row| row.get(0))
}

struct Deliver {
    hook: Uuid,
    plans: Vec<Plan>,
    now: i64,
}

impl Command for Deliver {
    type Done = Vec<Done>;

    fn run(&self, database: &Connection, pending: &mut Pending) -> rusqlite::Result<Vec<Done>> {
        let mut query = database.prepare_cached("SELECT seq FROM hook WHERE id = ?1")?;
        let seq: Option<i64> = query.query_row([self.hook], |row| row.get(0)).optional()?;
        let Some((seq, hook)) =
            seq.map_or(Ok(None), |seq| Ok::<_, rusqlite::Error>(rows::hook(database, seq)?.map(|hook| (seq, hook))))?
        else {
            let refused = || Done::refused("its hook is not in the store any more");
            return Ok(self.plans.iter().map(|_| refused()).collect());
        };
        if is_erased(database, seq)? {
            return Ok(self.plans.iter().map(|_| Done::refused("its content was erased")).collect());
        }
        self.plans.iter().map(|plan| self.deliver(database, pending, plan, seq, &hook)).collect()
    }

    fn committed(&self, done: &Vec<Done>, queues: &mut Queues) {
        for done in done {
            done.tell(queues);
        }
    }
}

impl Deliver {
    fn deliver(
        &self,
        database: &Connection,
        pending: &mut Pending,
        plan: &Plan,
        hook_seq: i64,
        hook: &Hook,
    ) -> rusqlite::Result<Done> {
        let mut query = database.prepare_cached(
            "SELECT id, state FROM delivery WHERE hook = ?1 AND destination = ?2 ORDER BY seq DESC LIMIT 1",
        )?;
        let latest = query.query_row(params![hook_seq, plan.destination], |row| Ok((row.get(0)?, row.get(1)?)));
        let latest: Option<(Uuid, i64)> = latest.optional()?;
        let ignored = latest.filter(|(_, state)| *state == rows::state_number(State::Ignored)).map(|(id, _)| id);
        if let Some((before, _)) = latest.filter(|_| ignored.is_none()) {
            return Ok(Done::refused(format!("it has the delivery {before} to this destination: resend that")));
        }
        if let Fate::Deliver { most_pending, .. } = &plan.fate
            && pending.get(&plan.destination).is_some_and(|waiting| waiting >= most_pending)
        {
            return Ok(Done { resent: Resent::QueueFull, due: None, changed: None });
        }
        let row = Row { hook, hook_seq, plan, now: self.now };
        let (seq, id, due) = match row.insert(database, pending)? {
            Inserted::Due(ready) => (ready.delivery.0, ready.id, Some((plan.destination.clone(), ready))),
            Inserted::Waits(seq, id) => (seq, id, None),
            Inserted::QueueFull | Inserted::Ignored => return Ok(Done::refused(QUEUE_FULL)),
        };
        if let Some(ignored) = ignored {
            let mut update = database.prepare_cached("UPDATE delivery SET resend_of = ?2 WHERE seq = ?1")?;
            update.execute(params![seq, ignored])?;
            database
                .prepare_cached("UPDATE delivery SET resent_as = ?2 WHERE id = ?1")?
                .execute(params![ignored, id])?;
        }
        // From now on it is kept as long as its deliveries are.
        database.prepare_cached("UPDATE hook SET ended_at = NULL WHERE seq = ?1")?.execute([hook_seq])?;
        Ok(Done { resent: Resent::Queued(id), due, changed: None })
    }
}
