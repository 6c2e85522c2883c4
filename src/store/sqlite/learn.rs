//! Remembers what hooks tell of an object. It happens once for each hook, in order of arrival, in the step that stores it: the
//! row of a hook is the mark that it has taught.

use super::super::{Arrival, Hook, Lesson};
use super::append::micros;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value};
use std::time::Duration;

/// Remembers what a hook tells; gives what was known of its object before, when something was.
pub(super) fn learn(database: &Connection, arrival: &Arrival, now: i64) -> rusqlite::Result<Option<String>> {
    let Some(lesson) = &arrival.lesson else { return Ok(None) };
    let Hook { route, .. } = &*arrival.hook;
    let project = arrival.hook.project_of_instance().unwrap_or_default();
    let Lesson { kind, id, state } = lesson;
    let mut recall = database
        .prepare_cached("SELECT state FROM remembered WHERE route = ?1 AND project = ?2 AND kind = ?3 AND id = ?4")?;
    let before: Option<String> = recall.query_row(params![route, project, kind, id], |row| row.get(0)).optional()?;
    let after = over(before.as_deref(), state);
    let mut remember = database.prepare_cached(
        "INSERT INTO remembered (route, project, kind, id, state, seen_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (route, project, kind, id) DO UPDATE SET state = excluded.state, seen_at = excluded.seen_at",
    )?;
    remember.execute(params![route, project, kind, id, after, now])?;
    Ok(before)
}

/// What is known when a hook has told something: member by member, the newest.
fn over(before: Option<&str>, told: &Map<String, Value>) -> String {
    // What is read here was written below.
    let mut known: Map<String, Value> = before.and_then(|before| serde_json::from_str(before).ok()).unwrap_or_default();
    known.extend(told.iter().map(|(name, value)| (name.clone(), value.clone())));
    Value::Object(known).to_string()
}

/// Forgets what no hook has told of for so long, some of it: how much that was.
pub(super) fn forget(database: &Connection, after: Duration, now: i64, most: usize) -> rusqlite::Result<usize> {
    let mut remove = database.prepare_cached(
        "DELETE FROM remembered WHERE (route, project, kind, id) IN \
         (SELECT route, project, kind, id FROM remembered WHERE seen_at < ?1 ORDER BY seen_at LIMIT ?2)",
    )?;
    remove.execute(params![now.saturating_sub(micros(after)), most])
}
