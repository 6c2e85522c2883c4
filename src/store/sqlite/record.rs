//! Writes what a delivery sends, and what came of it.

use super::super::{Attempt, DeliveryNumber, Ending, Exchange, Outgoing, Parked, Report, Then};
use super::append::micros;
use super::queues::Queues;
use super::room::Room;
use super::rows;
use super::writer::{Command, Pending};
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;

pub(super) struct KeepOutgoing(pub(super) Vec<(DeliveryNumber, Arc<Outgoing>)>);

impl Command for KeepOutgoing {
    type Done = Vec<DeliveryNumber>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Vec<DeliveryNumber>> {
        let mut before = Vec::new();
        for (delivery, outgoing) in &self.0 {
            if !keep_outgoing(database, *delivery, outgoing)? {
                before.push(*delivery);
            }
        }
        Ok(before)
    }
}

/// Keeps what a delivery sends, unless something was kept before; says whether it did.
pub(super) fn keep_outgoing(
    database: &Connection,
    delivery: DeliveryNumber,
    outgoing: &Outgoing,
) -> rusqlite::Result<bool> {
    let mut insert = database.prepare_cached(
        "INSERT OR IGNORE INTO outgoing (delivery, headers, mapping, sha256, body, forge) SELECT ?1, ?2, ?3, ?4, ?5, ?6 \
         WHERE EXISTS (SELECT 1 FROM delivery WHERE seq = ?1 AND state = 0)",
    )?;
    let Outgoing { body, headers, forge, mapping } = outgoing;
    let inserted = insert.execute(params![
        delivery.0,
        rows::headers_text(headers),
        mapping.as_ref().map(|made_by| &made_by.name),
        mapping.as_ref().map(|made_by| &made_by.sha256),
        // What passed through has the body of its hook, which is stored already.
        mapping.as_ref().map(|_| &body[..]),
        forge,
    ])?;
    Ok(inserted > 0)
}

pub(super) struct Record {
    pub(super) reports: Vec<Report>,
    /// What was sent and answered is kept only where there is room: what matters of an attempt comes first.
    pub(super) room: Room,
}

/// Of how many probes of a delivery it is kept what they met.
const MOST_PROBES: i64 = 20;

/// What changed in a queue.
pub(super) struct Recorded {
    /// The destination, unless the delivery had ended already.
    destination: Option<String>,
    due: Option<i64>,
    park_at: Option<i64>,
    /// Whether another of the lane is due now.
    lets_on: bool,
}

/// What a pending delivery is in the database, as far as recording needs it.
struct Row {
    destination: String,
    lane: Option<String>,
    attempts: i64,
    probes: i64,
    parked: bool,
    head_since: Option<i64>,
}

impl Row {
    /// Whether it waits for nobody.
    fn is_head(&self) -> bool {
        self.lane.is_none() || self.parked || self.head_since.is_some()
    }
}

impl Command for Record {
    type Done = Vec<Recorded>;

    fn run(&self, database: &Connection, pending: &mut Pending) -> rusqlite::Result<Vec<Recorded>> {
        let exchanges = self.reports.iter().filter_map(|report| Some(report.attempt.as_ref()?.exchange.size()));
        let is_kept = self.room.is_plenty(database, exchanges.sum());
        self.reports.iter().map(|report| record(report, is_kept, database, pending)).collect()
    }

    fn committed(&self, recorded: &Vec<Recorded>, queues: &mut Queues) {
        for (report, recorded) in self.reports.iter().zip(recorded) {
            let Some(destination) = &recorded.destination else { continue };
            let queue = queues.of(destination);
            queue.release(report.delivery);
            queue.is_stale |= recorded.lets_on;
            queue.next_due = earlier(queue.next_due, recorded.due);
            queue.next_park = earlier(queue.next_park, recorded.park_at);
        }
    }
}

fn record(report: &Report, is_kept: bool, database: &Connection, pending: &mut Pending) -> rusqlite::Result<Recorded> {
    let Some(mut row) = read(report.delivery, database)? else {
        return Ok(Recorded { destination: None, due: None, park_at: None, lets_on: false });
    };
    if let Some(attempt) = &report.attempt {
        *(if attempt.is_probe { &mut row.probes } else { &mut row.attempts }) += 1;
        insert_attempt(database, report.delivery, &row, attempt, is_kept)?;
    }
    let (due, park_at) = match &report.then {
        Then::Again { due, park_after } => {
            // One that waits behind another goes on waiting.
            let due = Some(due.as_microsecond()).filter(|_| row.is_head());
            let head_since = row.head_since.filter(|_| row.lane.is_some() && !row.parked);
            let park_at = head_since.map(|since| since.saturating_add(micros(*park_after)));
            wait(report, &row, due, park_at, database)?;
            (due, park_at)
        }
        Then::Ended(ending) => {
            end(report, &row, ending, database)?;
            let waiting = pending.entry(row.destination.clone()).or_default();
            *waiting = waiting.saturating_sub(1);
            (None, None)
        }
    };
    let has_ended = matches!(report.then, Then::Ended(_));
    let lets_on = match row.lane {
        Some(lane) if has_ended => let_on(database, &row.destination, &lane, report.now.as_microsecond())?,
        _ => false,
    };
    Ok(Recorded { destination: Some(row.destination), due, park_at, lets_on })
}

/// Keeps an attempt; what was sent and answered, where there is room for that.
fn insert_attempt(
    database: &Connection,
    delivery: DeliveryNumber,
    row: &Row,
    attempt: &Attempt,
    is_kept: bool,
) -> rusqlite::Result<()> {
    let mut insert = database.prepare_cached(
        "INSERT INTO attempt (delivery, number, at, took, status, error, is_probe, request_headers, response_headers, \
             response_body, response_is_cut) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    let (at, took) = (attempt.at.as_microsecond(), micros(attempt.took));
    let Exchange { request_headers, response_headers, response_body, response_is_cut } = &*attempt.exchange;
    insert.execute(params![
        delivery.0,
        row.attempts + row.probes,
        at,
        took,
        attempt.status,
        attempt.error,
        attempt.is_probe,
        is_kept.then(|| rows::headers_text(request_headers)),
        is_kept.then(|| rows::headers_text(response_headers)),
        (is_kept && !response_body.is_empty()).then_some(&response_body[..]),
        is_kept.then_some(response_is_cut),
    ])?;
    if attempt.is_probe && row.probes > MOST_PROBES {
        // A destination may be away for long: of the probes the latest tell enough.
        let mut delete =
            database.prepare_cached("DELETE FROM attempt WHERE delivery = ?1 AND is_probe = 1 AND number <= ?2")?;
        delete.execute(params![delivery.0, row.attempts + row.probes - MOST_PROBES])?;
    }
    Ok(())
}

/// The row of a delivery that is still pending. It is read first and changed then: an UPDATE that returns something copies
/// every page that it changes, as it might have to be undone alone.
fn read(delivery: DeliveryNumber, database: &Connection) -> rusqlite::Result<Option<Row>> {
    let mut query = database.prepare_cached(
        "SELECT destination, lane, attempts, probes, parked, head_since FROM delivery WHERE seq = ?1 AND state = 0",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Row {
            destination: row.get(0)?,
            lane: row.get(1)?,
            attempts: row.get(2)?,
            probes: row.get(3)?,
            parked: row.get(4)?,
            head_since: row.get(5)?,
        })
    };
    query.query_row([delivery.0], read).optional()
}

fn end(report: &Report, row: &Row, ending: &Ending, database: &Connection) -> rusqlite::Result<()> {
    let (state, reason) = match ending {
        Ending::Delivered => (1, None),
        Ending::Ignored(reason) => (2, Some(reason)),
        Ending::Failed(reason) => (3, Some(reason)),
    };
    let mut update = database.prepare_cached(
        "UPDATE delivery SET state = ?2, reason = ?3, ended_at = ?4, attempts = ?5, probes = ?6, due = NULL, park_at = NULL \
         WHERE seq = ?1",
    )?;
    let now = report.now.as_microsecond();
    update.execute(params![report.delivery.0, state, reason, now, row.attempts, row.probes]).map(|_| ())
}

fn wait(
    report: &Report,
    row: &Row,
    due: Option<i64>,
    park_at: Option<i64>,
    database: &Connection,
) -> rusqlite::Result<()> {
    let mut update = database.prepare_cached(
        "UPDATE delivery SET due = ?2, attempts = ?3, probes = ?4, park_at = ?5, tried_at = ?6 WHERE seq = ?1",
    )?;
    let (delivery, now) = (report.delivery.0, report.now.as_microsecond());
    update.execute(params![delivery, due, row.attempts, row.probes, park_at, now]).map(|_| ())
}

fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

/// Makes the first of a lane due, if it waited; says whether it did.
pub(super) fn let_on(database: &Connection, destination: &str, lane: &str, now: i64) -> rusqlite::Result<bool> {
    let mut update = database.prepare_cached(
        "UPDATE delivery SET due = ?3, head_since = ?3 WHERE due IS NULL AND seq = (SELECT min(seq) FROM delivery \
         WHERE destination = ?1 AND lane = ?2 AND state = 0 AND parked = 0)",
    )?;
    Ok(update.execute(params![destination, lane, now])? > 0)
}

pub(super) struct Park {
    pub(super) destination: String,
    pub(super) now: i64,
    /// When it must have been tried, or later.
    pub(super) tried_since: i64,
}

impl Command for Park {
    type Done = Vec<Parked>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Vec<Parked>> {
        let mut update = database.prepare_cached(
            "UPDATE delivery SET parked = 1, park_at = NULL WHERE destination = ?1 AND park_at <= ?2 \
             AND tried_at >= ?3 \
             RETURNING (SELECT id FROM hook WHERE hook.seq = delivery.hook), lane",
        )?;
        let parked = update
            .query_map(params![self.destination, self.now, self.tried_since], |row| {
                Ok(Parked { hook: row.get(0)?, lane: row.get(1)? })
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        for Parked { lane, .. } in &parked {
            let_on(database, &self.destination, lane, self.now)?;
        }
        Ok(parked)
    }

    fn committed(&self, parked: &Vec<Parked>, queues: &mut Queues) {
        // What is due next, and to be parked next, is read anew.
        queues.of(&self.destination).is_stale |= !parked.is_empty();
    }
}
