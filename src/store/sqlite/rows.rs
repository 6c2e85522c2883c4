//! How hooks and translations stand in rows.

use super::super::{Attempt, DeliveryNumber, DeliveryRow, Exchange, Hook, HookRow, MadeBy, Outgoing, State};
use super::queues::Ready;
use bytes::Bytes;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Headers as a text: a JSON list of pairs.
pub(super) fn headers_text(headers: &[(String, String)]) -> String {
    // Texts in lists can always be written; an empty list stands in rather than a panic.
    serde_json::to_string(headers).unwrap_or_else(|_| "[]".to_owned())
}

/// A state as a number.
pub(super) fn state_number(state: State) -> i64 {
    match state {
        State::Pending => 0,
        State::Delivered => 1,
        State::Ignored => 2,
        State::Failed => 3,
    }
}

/// A state by its number.
pub(super) fn state_of(number: i64) -> State {
    match number {
        0 => State::Pending,
        1 => State::Delivered,
        2 => State::Ignored,
        _ => State::Failed,
    }
}

/// Headers of such a text.
pub(super) fn headers(text: &str) -> Vec<(String, String)> {
    // What is read here was written above.
    serde_json::from_str(text).unwrap_or_default()
}

/// A time of the database.
pub(super) fn time(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}

/// The hook of a number.
pub(super) fn hook(database: &Connection, seq: i64) -> rusqlite::Result<Option<Hook>> {
    let mut query = database.prepare_cached(
        "SELECT id, route, forge, event, project, instance, delivery_key, hops, received_at, headers, body, seen, known \
         FROM hook WHERE seq = ?1",
    )?;
    query.query_row([seq], read_hook).optional()
}

fn read_hook(row: &Row<'_>) -> rusqlite::Result<Hook> {
    Ok(Hook {
        id: row.get(0)?,
        route: row.get(1)?,
        forge: row.get(2)?,
        event: row.get(3)?,
        project: row.get(4)?,
        instance: row.get(5)?,
        delivery_key: row.get(6)?,
        hops: row.get(7)?,
        received_at: time(row.get(8)?),
        headers: headers(&row.get::<_, String>(9)?),
        body: Bytes::from(row.get::<_, Vec<u8>>(10)?),
        seen: row.get(11)?,
        known: row.get(12)?,
    })
}

/// What a delivery of a hook sends, when that is fixed.
pub(super) fn outgoing(database: &Connection, delivery: i64, hook: &Hook) -> rusqlite::Result<Option<Arc<Outgoing>>> {
    let mut query =
        database.prepare_cached("SELECT headers, mapping, sha256, body, forge FROM outgoing WHERE delivery = ?1")?;
    let read = |row: &Row<'_>| {
        let made_by = row.get::<_, Option<String>>(1)?.zip(row.get(2)?);
        let body: Option<Vec<u8>> = row.get(3)?;
        Ok(Arc::new(Outgoing {
            headers: headers(&row.get::<_, String>(0)?),
            mapping: made_by.map(|(name, sha256)| MadeBy { name, sha256 }),
            forge: row.get(4)?,
            body: body.map_or_else(|| hook.body.clone(), Bytes::from),
        }))
    };
    query.query_row([delivery], read).optional()
}

/// A delivery as it is handed out, of `seq, id, hook, size, attempts, accepted_at, key`.
pub(super) fn ready(row: &Row<'_>) -> rusqlite::Result<Ready> {
    Ok(Ready {
        delivery: DeliveryNumber(row.get(0)?),
        id: row.get(1)?,
        hook_seq: row.get(2)?,
        hook: None,
        may_have_outgoing: true,
        size: row.get(3)?,
        attempts: row.get(4)?,
        accepted_at: row.get(5)?,
        key: row.get(6)?,
    })
}

/// The state of the delivery of a number.
pub(super) fn state(database: &Connection, seq: i64) -> rusqlite::Result<Option<State>> {
    let mut query = database.prepare_cached("SELECT state FROM delivery WHERE seq = ?1")?;
    query.query_row([seq], |row| Ok(state_of(row.get(0)?))).optional()
}

/// The hook of a number, without its content.
pub(super) fn hook_row(database: &Connection, seq: i64) -> rusqlite::Result<Option<HookRow>> {
    let mut query = database.prepare_cached(
        "SELECT id, route, forge, event, project, instance, delivery_key, received_at, length(body), duplicate_of, ignored, \
         erased_at FROM hook WHERE seq = ?1",
    )?;
    let read = |row: &Row<'_>| {
        Ok(HookRow {
            id: row.get(0)?,
            route: row.get(1)?,
            forge: row.get(2)?,
            event: row.get(3)?,
            project: row.get(4)?,
            instance: row.get(5)?,
            delivery_key: row.get(6)?,
            received_at: time(row.get(7)?),
            size: row.get(8)?,
            duplicate_of: row.get(9)?,
            ignored: row.get(10)?,
            erased_at: row.get::<_, Option<i64>>(11)?.map(time),
        })
    };
    query.query_row([seq], read).optional()
}

/// The delivery of a number, without its content; none when its hook is gone.
pub(super) fn delivery_row(database: &Connection, seq: i64) -> rusqlite::Result<Option<DeliveryRow>> {
    let mut query = database.prepare_cached(
        "SELECT hook, id, destination, state, reason, attempts, probes, accepted_at, due, ended_at, parked, resend_of, \
         resent_as, key FROM delivery WHERE seq = ?1",
    )?;
    let mut rows = query.query([seq])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let Some(hook) = hook_row(database, row.get(0)?)? else { return Ok(None) };
    let (id, own_key): (Uuid, Option<String>) = (row.get(1)?, row.get(13)?);
    let key = own_key.or_else(|| hook.delivery_key.clone()).unwrap_or_else(|| id.to_string());
    Ok(Some(DeliveryRow {
        id,
        destination: row.get(2)?,
        state: state_of(row.get(3)?),
        reason: row.get(4)?,
        attempts: row.get(5)?,
        probes: row.get(6)?,
        accepted_at: time(row.get(7)?),
        due: row.get::<_, Option<i64>>(8)?.map(time),
        ended_at: row.get::<_, Option<i64>>(9)?.map(time),
        is_parked: row.get(10)?,
        resend_of: row.get(11)?,
        resent_as: row.get(12)?,
        key,
        last: last_attempt(database, seq)?,
        hook,
    }))
}

fn last_attempt(database: &Connection, delivery: i64) -> rusqlite::Result<Option<(Option<u16>, String)>> {
    let mut query = database
        .prepare_cached("SELECT status, error FROM attempt WHERE delivery = ?1 ORDER BY number DESC LIMIT 1")?;
    query.query_row([delivery], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// The attempts of a delivery, the first one first.
pub(super) fn attempts(database: &Connection, delivery: i64) -> rusqlite::Result<Vec<Attempt>> {
    let mut query = database.prepare_cached(
        "SELECT at, took, status, error, is_probe, request_headers, response_headers, response_body, response_is_cut \
         FROM attempt WHERE delivery = ?1 ORDER BY number",
    )?;
    let read = |row: &Row<'_>| {
        let own_headers = |at| -> rusqlite::Result<Vec<(String, String)>> {
            Ok(headers(&row.get::<_, Option<String>>(at)?.unwrap_or_default()))
        };
        Ok(Attempt {
            at: time(row.get(0)?),
            took: Duration::from_micros(row.get(1)?),
            status: row.get(2)?,
            error: row.get(3)?,
            is_probe: row.get(4)?,
            exchange: Arc::new(Exchange {
                request_headers: own_headers(5)?,
                response_headers: own_headers(6)?,
                response_body: Bytes::from(row.get::<_, Option<Vec<u8>>>(7)?.unwrap_or_default()),
                response_is_cut: row.get::<_, Option<bool>>(8)?.unwrap_or_default(),
            }),
        })
    };
    query.query_map([delivery], read)?.collect()
}
