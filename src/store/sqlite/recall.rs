//! Lists and forgets what is remembered of objects, people and projects.

use super::super::recall::{
    KnownFilter, KnownRow, Listed, Origin, Part, ProjectOfInstance, Recall, StateFilter, StateRow,
};
use super::super::{Answer, StoreError};
use super::blank::Remove;
use super::mentioned::Key;
use super::writer::{Command, Pending};
use super::{SqliteStore, rows};
use rusqlite::{Connection, Row, params};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// How many rows are looked at in one go.
const BLOCK: usize = 1_000;

/// By what somebody or a project is known: table, instance and id.
pub(super) type KnownKey = (String, String, String);

struct ListKnown {
    filter: KnownFilter,
    part: Part,
}

impl Command for ListKnown {
    type Done = Listed<KnownRow>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Listed<KnownRow>> {
        let KnownFilter { table, instance, id, text } = &self.filter;
        let (from_instance, from_id): (String, String) = place(&self.part);
        let mut query = database.prepare_cached(
            "SELECT instance, id, columns, origins, seen_at FROM known WHERE kind = ?1 AND (instance, id) > (?2, ?3) \
             AND (?4 IS NULL OR instance = ?4) AND (?5 IS NULL OR id = ?5) ORDER BY instance, id LIMIT ?6",
        )?;
        let rows = query.query_map(params![table, from_instance, from_id, instance, id, BLOCK], read_known)?;
        let fits = |row: &KnownRow| {
            let texts = row.columns.iter().map(|(_, text, _)| text).chain([&row.id]);
            text.as_ref().is_none_or(|text| texts.into_iter().any(|own| occurs(own, text)))
        };
        listed(rows, self.part.limit, fits, |row| json!([row.instance, row.id]))
    }
}

struct ListStates {
    filter: StateFilter,
    part: Part,
}

impl Command for ListStates {
    type Done = Listed<StateRow>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Listed<StateRow>> {
        let StateFilter { route, project, kind, id, text } = &self.filter;
        let (from_route, from_project, from_kind, from_id): Key = place(&self.part);
        let mut query = database.prepare_cached(
            "SELECT route, project, kind, id, state, first_at, seen_at, event, hook FROM remembered \
             WHERE (route, project, kind, id) > (?1, ?2, ?3, ?4) AND (?5 IS NULL OR route = ?5) \
             AND (?6 IS NULL OR kind = ?6) AND (?7 IS NULL OR id = ?7) ORDER BY route, project, kind, id LIMIT ?8",
        )?;
        let given = params![from_route, from_project, from_kind, from_id, route, kind, id, BLOCK];
        let rows = query.query_map(given, read_state)?;
        let fits = |row: &StateRow| {
            project.as_ref().is_none_or(|project| row.project.project == *project)
                && text.as_ref().is_none_or(|text| row.state.values().any(|own| says(own, text)))
        };
        listed(rows, self.part.limit, fits, |row| json!([row.route, row.project.key(), row.kind, row.id]))
    }
}

/// Takes from a block of rows those that fit, until there are enough of them.
fn listed<T>(
    rows: impl Iterator<Item = rusqlite::Result<T>>,
    limit: usize,
    fits: impl Fn(&T) -> bool,
    place: impl Fn(&T) -> Value,
) -> rusqlite::Result<Listed<T>> {
    let (mut items, mut looked_at, mut last) = (Vec::new(), 0, None);
    for row in rows {
        let row = row?;
        if items.len() == limit {
            return Ok(Listed { items, next: last });
        }
        (looked_at, last) = (looked_at + 1, Some(place(&row).to_string()));
        if fits(&row) {
            items.push(row);
        }
    }
    Ok(Listed { items, next: last.filter(|_| looked_at == BLOCK) })
}

/// The place behind which a part begins.
fn place<P: Default + for<'p> Deserialize<'p>>(part: &Part) -> P {
    part.after.as_ref().and_then(|after| serde_json::from_str(after).ok()).unwrap_or_default()
}

fn occurs(text: &str, wanted: &str) -> bool {
    text.to_lowercase().contains(&wanted.to_lowercase())
}

/// Whether a text occurs in a value, or in one of those in it.
fn says(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(own) => occurs(own, wanted),
        Value::Array(items) => items.iter().any(|own| says(own, wanted)),
        Value::Object(members) => members.values().any(|own| says(own, wanted)),
        Value::Null => false,
        plain => occurs(&plain.to_string(), wanted),
    }
}

/// Which hook told a column, as the row has it.
#[derive(Deserialize)]
struct OriginRow {
    event: String,
    hook: Uuid,
    at: jiff::Timestamp,
}

fn read_known(row: &Row<'_>) -> rusqlite::Result<KnownRow> {
    // What is read here was written by `learn`.
    let columns: BTreeMap<String, String> = serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default();
    let mut origins: BTreeMap<String, OriginRow> = serde_json::from_str(&row.get::<_, String>(3)?).unwrap_or_default();
    let with_origin = |(name, text): (String, String)| {
        let origin = origins.remove(&name).map(|OriginRow { event, hook, at }| Origin { event, hook, at });
        (name, text, origin)
    };
    Ok(KnownRow {
        instance: row.get(0)?,
        id: row.get(1)?,
        columns: columns.into_iter().map(with_origin).collect(),
        seen_at: rows::time(row.get(4)?),
    })
}

fn read_state(row: &Row<'_>) -> rusqlite::Result<StateRow> {
    let state: Map<String, Value> = serde_json::from_str(&row.get::<_, String>(4)?).unwrap_or_default();
    Ok(StateRow {
        route: row.get(0)?,
        project: ProjectOfInstance::of(&row.get::<_, String>(1)?),
        kind: row.get(2)?,
        id: row.get(3)?,
        state,
        first_at: row.get::<_, Option<i64>>(5)?.map(rows::time),
        seen_at: rows::time(row.get(6)?),
        hook: row.get::<_, Option<String>>(7)?.zip(row.get(8)?),
    })
}

impl SqliteStore {
    async fn forget_all_known(&self, filter: KnownFilter) -> Result<u64, StoreError> {
        let (mut after, mut count) = (None, 0);
        loop {
            let part = Part { after, limit: BLOCK };
            let found = self.search(ListKnown { filter: filter.clone(), part }).await?;
            let keys = found.items.into_iter().map(|row| (filter.table.clone(), row.instance, row.id));
            let remove = Remove { known: keys.collect(), held: self.known_rows.clone(), ..Remove::default() };
            count += remove.known.len() as u64;
            self.ask(remove).await?;
            if found.next.is_none() {
                return Ok(count);
            }
            after = found.next;
        }
    }

    async fn forget_all_states(&self, filter: StateFilter) -> Result<u64, StoreError> {
        let (mut after, mut count) = (None, 0);
        loop {
            let part = Part { after, limit: BLOCK };
            let found = self.search(ListStates { filter: filter.clone(), part }).await?;
            let key = |row: StateRow| (row.route, row.project.key(), row.kind, row.id);
            let remove = Remove {
                remembered: found.items.into_iter().map(key).collect(),
                held: self.known_rows.clone(),
                ..Remove::default()
            };
            count += remove.remembered.len() as u64;
            self.ask(remove).await?;
            if found.next.is_none() {
                return Ok(count);
            }
            after = found.next;
        }
    }
}

impl Recall for SqliteStore {
    fn known(&self, filter: KnownFilter, part: Part) -> Answer<'_, Listed<KnownRow>> {
        Box::pin(self.search(ListKnown { filter, part }))
    }

    fn states(&self, filter: StateFilter, part: Part) -> Answer<'_, Listed<StateRow>> {
        Box::pin(self.search(ListStates { filter, part }))
    }

    fn forget_known(&self, filter: KnownFilter) -> Answer<'_, u64> {
        Box::pin(self.forget_all_known(filter))
    }

    fn forget_states(&self, filter: StateFilter) -> Answer<'_, u64> {
        Box::pin(self.forget_all_states(filter))
    }
}
