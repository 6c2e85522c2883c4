//! How hooks and translations stand in rows.

use super::super::{Hook, MadeBy, Outgoing};
use bytes::Bytes;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use std::sync::Arc;

/// Headers as a text: a JSON list of pairs.
pub(super) fn headers_text(headers: &[(String, String)]) -> String {
    // Texts in lists can always be written; an empty list stands in rather than a panic.
    serde_json::to_string(headers).unwrap_or_else(|_| "[]".to_owned())
}

fn headers(text: &str) -> Vec<(String, String)> {
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
        "SELECT id, route, forge, event, project, instance, delivery_key, hops, received_at, headers, body, seen \
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
    })
}

/// What a delivery of a hook sends, when that is fixed.
pub(super) fn outgoing(database: &Connection, delivery: i64, hook: &Hook) -> rusqlite::Result<Option<Arc<Outgoing>>> {
    let mut query =
        database.prepare_cached("SELECT headers, mapping, sha256, body FROM outgoing WHERE delivery = ?1")?;
    let read = |row: &Row<'_>| {
        let made_by = row.get::<_, Option<String>>(1)?.zip(row.get(2)?);
        let body: Option<Vec<u8>> = row.get(3)?;
        Ok(Arc::new(Outgoing {
            headers: headers(&row.get::<_, String>(0)?),
            mapping: made_by.map(|(name, sha256)| MadeBy { name, sha256 }),
            body: body.map_or_else(|| hook.body.clone(), Bytes::from),
        }))
    };
    query.query_row([delivery], read).optional()
}
