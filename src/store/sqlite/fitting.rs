//! Which rows fit a filter.

use super::super::Filter;
use super::super::mentions::unescaped;
use super::rows;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Deliveries,
    Hooks,
}

/// A filter as `SQLite` takes it.
#[derive(Debug, Clone)]
pub(super) struct Query {
    of: Of,
    conditions: String,
    values: Vec<Value>,
    /// The text that is looked for, in small letters.
    text: Option<String>,
}

impl Query {
    pub(super) fn new(of: Of, filter: Filter) -> Self {
        let text = filter.text.as_ref().map(|text| text.to_lowercase());
        let mut query = Self { of, conditions: String::new(), values: Vec::new(), text };
        let state = filter.state.map(|state| Value::Integer(rows::state_number(state)));
        let time = |at: jiff::Timestamp| Value::Integer(at.as_microsecond());
        let resent = filter.is_resent.map(|is| Value::Integer(is.into()));
        let of_delivery = [
            ("destination = ?", filter.destination.map(Value::Text)),
            ("state = ?", state),
            ("(resent_as IS NOT NULL) = ?", resent),
        ];
        let of_hook = [
            ("hook.route = ?", filter.route.map(Value::Text)),
            ("hook.forge = ?", filter.forge.map(Value::Text)),
            ("hook.instance = ?", filter.instance.map(Value::Text)),
            ("hook.event = ?", filter.event.map(Value::Text)),
            ("hook.project = ?", filter.project.map(Value::Text)),
            ("hook.received_at >= ?", filter.since.map(time)),
            ("hook.received_at < ?", filter.until.map(time)),
        ];
        for (condition, value) in of_hook {
            query.add(condition, value);
        }
        match of {
            Of::Deliveries => {
                for (condition, value) in of_delivery {
                    query.add(condition, value);
                }
            }
            Of::Hooks => query.add_exists(of_delivery),
        }
        query
    }

    fn add(&mut self, condition: &str, value: Option<Value>) {
        let Some(value) = value else { return };
        self.conditions.push_str(" AND ");
        self.conditions.push_str(condition);
        self.values.push(value);
    }

    /// A hook fits where one of its deliveries does.
    fn add_exists(&mut self, conditions: [(&str, Option<Value>); 3]) {
        let given: Vec<_> = conditions.into_iter().filter_map(|(own, value)| Some((own, value?))).collect();
        if given.is_empty() {
            return;
        }
        self.conditions.push_str(" AND EXISTS (SELECT 1 FROM delivery WHERE delivery.hook = hook.seq");
        for (condition, value) in given {
            self.add(condition, Some(value));
        }
        self.conditions.push(')');
    }

    /// Whether more than the rows themselves must be read.
    pub(super) fn reads_bodies(&self) -> bool {
        self.text.is_some()
    }

    /// The number of the oldest row of the block that lies before a place; none when there is none before it.
    pub(super) fn begin_of_block(
        &self,
        database: &Connection,
        before: Option<i64>,
        size: usize,
    ) -> rusqlite::Result<Option<i64>> {
        let text = format!(
            "SELECT min(seq) FROM (SELECT seq FROM {} WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2)",
            self.table()
        );
        database.prepare_cached(&text)?.query_row((before.unwrap_or(i64::MAX), size), |row| row.get(0))
    }

    /// The numbers of the rows of a block that fit, the newest first.
    pub(super) fn fitting(&self, database: &Connection, from: i64, before: Option<i64>) -> rusqlite::Result<Vec<i64>> {
        let table = self.table();
        let join = if self.of == Of::Deliveries { " JOIN hook ON hook.seq = delivery.hook" } else { "" };
        let text = format!(
            "SELECT {table}.seq, hook.seq FROM {table}{join} WHERE {table}.seq >= ? AND {table}.seq < ?{} ORDER BY 1 DESC",
            self.conditions
        );
        let mut query = database.prepare_cached(&text)?;
        let bounds = [Value::Integer(from), Value::Integer(before.unwrap_or(i64::MAX))];
        let found = query.query_map(params_from_iter(bounds.iter().chain(&self.values)), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })?;
        let mut fitting = Vec::new();
        for row in found {
            let (seq, hook) = row?;
            if self.has_text(database, seq, hook)? {
                fitting.push(seq);
            }
        }
        Ok(fitting)
    }

    fn table(&self) -> &'static str {
        match self.of {
            Of::Deliveries => "delivery",
            Of::Hooks => "hook",
        }
    }

    /// Whether the text that is looked for occurs in what belongs to a row.
    fn has_text(&self, database: &Connection, seq: i64, hook: i64) -> rusqlite::Result<bool> {
        let Some(text) = &self.text else { return Ok(true) };
        // Not its headers: some of their values are shown to nobody.
        let of_hook = "SELECT project, delivery_key, ignored, lower(hex(id)), body, NULL FROM hook WHERE seq = ?1";
        let of_delivery = "SELECT reason, lower(hex(delivery.id)), outgoing.headers, outgoing.body, key, \
             (SELECT group_concat(error) FROM attempt WHERE attempt.delivery = delivery.seq) \
             FROM delivery LEFT JOIN outgoing ON outgoing.delivery = delivery.seq WHERE seq = ?1";
        if occurs(database, of_hook, hook, text)? {
            return Ok(true);
        }
        if self.of == Of::Deliveries {
            return occurs(database, of_delivery, seq, text);
        }
        let mut deliveries = database.prepare_cached("SELECT seq FROM delivery WHERE hook = ?1")?;
        for delivery in deliveries.query_map([hook], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()? {
            if occurs(database, of_delivery, delivery, text)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether a text, as it stands or as JSON means it, has another in it, which is in small letters.
fn has(own: &str, text: &str) -> bool {
    own.to_lowercase().contains(text) || own.contains("\\u") && unescaped(own).to_lowercase().contains(text)
}

/// How many values the queries give in which a text is looked for.
const VALUES: usize = 6;

fn occurs(database: &Connection, query: &str, seq: i64, text: &str) -> rusqlite::Result<bool> {
    let mut query = database.prepare_cached(query)?;
    let mut rows = query.query([seq])?;
    let Some(row) = rows.next()? else { return Ok(false) };
    for at in 0..VALUES {
        let has = match row.get_ref(at)? {
            ValueRef::Text(own) | ValueRef::Blob(own) => has(&String::from_utf8_lossy(own), text),
            _ => false,
        };
        if has {
            return Ok(true);
        }
    }
    Ok(false)
}
