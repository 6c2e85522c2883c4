//! Remembers what hooks tell: of the object that they are about, of people and of projects. It happens once for each hook, in
//! order of arrival, in the step that stores it: the row of a hook is the mark that it has taught.

use super::super::lesson::{NUMBERED, USERS};
use super::super::{Arrival, Hook, RowTold, Told};
use super::append::micros;
use super::known_rows::{Columns, KnownRow, KnownRows, ReadRow};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long it may be before it is noted that somebody was named again: each note is a row to write.
const DAY: i64 = 24 * 3_600 * 1_000_000;

/// What was known when a hook came.
#[derive(Default)]
pub(super) struct Learned {
    /// Of its object, before it taught.
    pub(super) seen: Option<String>,
    /// Of the people and projects that it names, when it had taught.
    pub(super) known: Option<String>,
    /// Rows of these that were read.
    pub(super) read: Vec<ReadRow>,
    /// Whether it taught something of them.
    pub(super) has_taught: bool,
}

/// Remembers what a hook tells; gives what was known.
pub(super) fn learn(database: &Connection, arrival: &Arrival, rows: &KnownRows, now: i64) -> rusqlite::Result<Learned> {
    let Some(lesson) = &arrival.lesson else { return Ok(Learned::default()) };
    let mut learning = Learning { database, hook: &arrival.hook, rows, read: Vec::new(), has_taught: false, now };
    let object = lesson.object.as_ref().map(|told| learning.object(told)).transpose()?.unwrap_or_default();
    // Those whom earlier hooks named are asked for as well.
    let of_object =
        object.users.iter().filter(|id| !lesson.rows.iter().any(|row| row.table == USERS && row.id == **id));
    let of_object: Vec<RowTold> =
        of_object.map(|id| RowTold { table: USERS.to_owned(), id: id.clone(), columns: Vec::new() }).collect();
    let mut known: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for told in lesson.rows.iter().chain(&of_object) {
        let row = learning.row(told, !object.is_older)?;
        if !row.all.is_empty() {
            known.entry(&told.table).or_default().push(format!("{}:{}", json!(told.id), row.all));
        }
    }
    let tables = known.iter().map(|(table, rows)| format!("{}:{{{}}}", json!(table), rows.join(",")));
    let known = (!known.is_empty()).then(|| format!("{{{}}}", tables.collect::<Vec<_>>().join(",")));
    let Learning { read, has_taught, .. } = learning;
    Ok(Learned { seen: object.before, known, read, has_taught })
}

/// Of an object.
#[derive(Default)]
struct Object {
    before: Option<String>,
    /// Whether the hook says less than was known already.
    is_older: bool,
    /// The people whom what is known of it names.
    users: Vec<String>,
}

struct Learning<'l> {
    database: &'l Connection,
    hook: &'l Hook,
    rows: &'l KnownRows,
    read: Vec<ReadRow>,
    has_taught: bool,
    now: i64,
}

impl Learning<'_> {
    fn object(&self, told: &Told) -> rusqlite::Result<Object> {
        let (database, Hook { route, .. }) = (self.database, self.hook);
        let project = self.hook.project_of_instance().unwrap_or_default();
        let mut recall = database.prepare_cached(
            "SELECT state, version FROM remembered WHERE route = ?1 AND project = ?2 AND kind = ?3 AND id = ?4",
        )?;
        let key = params![route, project, told.kind, told.id];
        let before: Option<(String, Option<i64>)> =
            recall.query_row(key, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let version = before.as_ref().and_then(|(_, version)| *version);
        let before = before.map(|(state, _)| state);
        let is_older = told.is_older_than(version);
        let after = told.over(members(before.as_deref()), version);
        let users = told.users.iter().filter_map(|name| after.get(name).and_then(id)).collect();
        if !is_older {
            let after = Value::Object(after).to_string();
            let mut remember = database.prepare_cached(
                "INSERT INTO remembered (route, project, kind, id, state, seen_at, version, first_at, event, hook) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?6, ?8, ?9) \
                 ON CONFLICT (route, project, kind, id) DO UPDATE SET state = excluded.state, seen_at = excluded.seen_at, \
                 version = coalesce(excluded.version, version), event = excluded.event, hook = excluded.hook",
            )?;
            let Hook { event, id, .. } = self.hook;
            remember.execute(params![route, project, told.kind, told.id, after, self.now, told.version, event, id])?;
        }
        Ok(Object { before, is_older, users })
    }

    /// Remembers what is told of somebody or of a project, where it is told in its time; gives what is known of it then.
    fn row(&mut self, told: &RowTold, is_told: bool) -> rusqlite::Result<Arc<KnownRow>> {
        let instance = self.hook.instance.as_deref().unwrap_or_default();
        let key = KnownRows::key(&told.table, instance, &told.id);
        let a_day_ago = self.now.saturating_sub(DAY);
        if let Some(row) = self.rows.get(&key)
            && (!is_told || told.columns.iter().all(|(name, text)| row.own.get(name) == Some(text)))
            && (row.own.is_empty() || row.seen_at >= a_day_ago)
        {
            return Ok(row);
        }
        let mut recall = self
            .database
            .prepare_cached("SELECT columns, seen_at FROM known WHERE kind = ?1 AND instance = ?2 AND id = ?3")?;
        let before: Option<(String, i64)> = recall
            .query_row(params![told.table, instance, told.id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (mut seen_at, is_named) = (self.now, before.is_some());
        // What is read here was written below.
        let mut own: Columns = match before {
            Some((columns, at)) => {
                seen_at = at;
                serde_json::from_str(&columns).unwrap_or_default()
            }
            None => Columns::new(),
        };
        let is_new = |(name, text): &&(String, String)| own.get(name) != Some(text);
        let new: Vec<&(String, String)> = told.columns.iter().filter(|_| is_told).filter(is_new).collect();
        if !new.is_empty() {
            own.extend(new.iter().map(|(name, text)| (name.clone(), text.clone())));
            self.remember(told, instance, &own, &new)?;
            self.changed();
            seen_at = self.now;
        } else if is_named && seen_at < a_day_ago {
            let mut note = self
                .database
                .prepare_cached("UPDATE known SET seen_at = ?4 WHERE kind = ?1 AND instance = ?2 AND id = ?3")?;
            note.execute(params![told.table, instance, told.id, self.now])?;
            seen_at = self.now;
        }
        // What is told of the same one by another id counts where nothing is told by this.
        let mut all = self.by_other_id(told)?;
        all.extend(own.iter().map(|(name, text)| (name.clone(), text.clone())));
        let all = if all.is_empty() { String::new() } else { json!(all).to_string() };
        let row = Arc::new(KnownRow { own, all, seen_at });
        self.read.push(ReadRow { key, row: Arc::clone(&row), generation: self.rows.generation() });
        Ok(row)
    }

    fn changed(&mut self) {
        self.has_taught = true;
        self.rows.bump();
    }

    /// What is known of the same person or project by the number that stands for the id in another instance, or by the id for
    /// which a number of this instance stands.
    fn by_other_id(&self, told: &RowTold) -> rusqlite::Result<Columns> {
        let instance = self.hook.instance.as_deref().unwrap_or_default();
        let Some((_, kind)) = NUMBERED.iter().find(|(table, _)| *table == told.table) else {
            return Ok(Columns::new());
        };
        let found: Option<String> = if let Ok(number) = told.id.parse::<u32>() {
            let mut query = self.database.prepare_cached(
                "SELECT known.columns FROM number JOIN known ON known.kind = ?1 AND known.id = number.text \
                 WHERE number.kind = ?2 AND number.number = ?3 AND number.instance = ?4 LIMIT 1",
            )?;
            query.query_row(params![told.table, kind, number, instance], |row| row.get(0)).optional()?
        } else {
            let mut query = self.database.prepare_cached(
                "SELECT known.columns FROM number JOIN known ON known.kind = ?1 AND known.instance = number.instance \
                 AND known.id = CAST(number.number AS TEXT) WHERE number.kind = ?2 AND number.text = ?3 \
                 AND number.is_former = 0 AND number.instance <> ?4 LIMIT 1",
            )?;
            query.query_row(params![told.table, kind, told.id, instance], |row| row.get(0)).optional()?
        };
        Ok(found.and_then(|columns| serde_json::from_str(&columns).ok()).unwrap_or_default())
    }

    fn remember(
        &self,
        told: &RowTold,
        instance: &str,
        columns: &Columns,
        new: &[&(String, String)],
    ) -> rusqlite::Result<()> {
        let mut origins =
            self.database.prepare_cached("SELECT origins FROM known WHERE kind = ?1 AND instance = ?2 AND id = ?3")?;
        let before: Option<String> =
            origins.query_row(params![told.table, instance, told.id], |row| row.get(0)).optional()?;
        let mut origins = members(before.as_deref());
        let Hook { event, id, received_at, .. } = self.hook;
        for (name, _) in new {
            origins.insert(name.clone(), json!({"event": event, "hook": id, "at": received_at}));
        }
        let mut remember = self.database.prepare_cached(
            "INSERT INTO known (kind, instance, id, columns, origins, seen_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT (kind, instance, id) DO UPDATE SET columns = excluded.columns, origins = excluded.origins, \
             seen_at = excluded.seen_at",
        )?;
        let (columns, origins) = (json!(columns).to_string(), Value::Object(origins).to_string());
        remember.execute(params![told.table, instance, told.id, columns, origins, self.now])?;
        Ok(())
    }
}

/// The id of somebody: a text, or a number as one.
fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The members of an object that was written here.
fn members(text: Option<&str>) -> Map<String, Value> {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// Forgets of objects, of people and of projects what no hook has told of for so long, some of it: how much that was.
pub(super) fn forget(database: &Connection, after: Duration, now: i64, most: usize) -> rusqlite::Result<usize> {
    let before = now.saturating_sub(micros(after));
    let objects = database
        .prepare_cached(
            "DELETE FROM remembered WHERE (route, project, kind, id) IN \
             (SELECT route, project, kind, id FROM remembered WHERE seen_at < ?1 ORDER BY seen_at LIMIT ?2)",
        )?
        .execute(params![before, most])?;
    let rows = database
        .prepare_cached(
            "DELETE FROM known WHERE (kind, instance, id) IN \
             (SELECT kind, instance, id FROM known WHERE seen_at < ?1 ORDER BY seen_at LIMIT ?2)",
        )?
        .execute(params![before, most])?;
    Ok(objects.max(rows))
}
