//! Finds what is to be erased: blocks of rows, read beside the writer.

use super::super::Hook;
use super::super::lesson::PROJECTS;
use super::super::mentions::{Mentions, says};
use super::recall::KnownKey;
use super::rows;
use super::writer::{Command, Pending};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many rows are looked at in one go, and until how many bytes were read.
const BLOCK: usize = 50;
const MOST_BYTES: usize = 2 << 20;

/// What a block has, and the row from which to go on; `None` when all was looked at.
pub(super) struct Found<T, P> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<P>,
}

/// A hook that is to be erased.
pub(super) struct FoundHook {
    pub(super) seq: i64,
    /// How many bytes its body has.
    pub(super) size: usize,
    /// Its project, as what is remembered names it.
    pub(super) project: Option<String>,
}

/// Hooks, those that came first first.
pub(super) struct FindHooks {
    pub(super) mentions: Arc<Mentions>,
    pub(super) after: i64,
}

impl Command for FindHooks {
    type Done = Found<FoundHook, i64>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Found<FoundHook, i64>> {
        let mut query = database.prepare_cached(
            "SELECT seq, length(body), erased_at IS NULL FROM hook WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )?;
        let block = query.query_map(params![self.after, BLOCK], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let block = block.collect::<rusqlite::Result<Vec<(i64, usize, bool)>>>()?;
        let (mut items, mut read) = (Vec::new(), 0);
        for (seq, size, has_content) in &block {
            items.extend(self.found(database, *seq, *has_content)?);
            read += size;
            if read >= MOST_BYTES {
                return Ok(Found { items, next: Some(*seq) });
            }
        }
        let next = block.last().filter(|_| block.len() == BLOCK).map(|(seq, ..)| *seq);
        Ok(Found { items, next })
    }
}

impl FindHooks {
    /// A hook, if it is to be erased.
    fn found(&self, database: &Connection, seq: i64, has_content: bool) -> rusqlite::Result<Option<FoundHook>> {
        let Some(hook) = rows::hook(database, seq)? else { return Ok(None) };
        let is_named = hook.project.as_ref().is_some_and(|project| self.mentions.names(project));
        let fits = is_named || has_content && (self.is_told(&hook) || self.is_in_rest(database, seq)?);
        Ok(fits.then(|| FoundHook { seq, size: hook.body.len(), project: hook.project_of_instance() }))
    }

    fn is_told(&self, hook: &Hook) -> bool {
        let headers = rows::headers_text(&hook.headers);
        let [seen, known] = [&hook.seen, &hook.known].map(|text| text.as_deref().unwrap_or_default());
        [&hook.body[..], headers.as_bytes(), seen.as_bytes(), known.as_bytes()]
            .into_iter()
            .any(|content| self.mentions.occurs(content))
    }

    /// Whether it occurs in what was made of a hook, or answered to it: of a project that says nothing.
    fn is_in_rest(&self, database: &Connection, hook: i64) -> rusqlite::Result<bool> {
        const REST: [&str; 3] = [
            "SELECT ignored FROM hook WHERE seq = ?1 UNION ALL SELECT reason FROM delivery WHERE hook = ?1",
            "SELECT headers, body FROM outgoing WHERE delivery IN (SELECT seq FROM delivery WHERE hook = ?1)",
            "SELECT request_headers, response_headers, response_body, error FROM attempt \
             WHERE delivery IN (SELECT seq FROM delivery WHERE hook = ?1)",
        ];
        if self.mentions.is_project() {
            return Ok(false);
        }
        for query in REST {
            let mut query = database.prepare_cached(query)?;
            let values = query.column_count();
            let mut rows = query.query([hook])?;
            while let Some(row) = rows.next()? {
                if occurs(&self.mentions, row, values)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// Whether it occurs in one of the first values of a row.
fn occurs(mentions: &Mentions, row: &Row<'_>, values: usize) -> rusqlite::Result<bool> {
    for at in 0..values {
        if let ValueRef::Text(own) | ValueRef::Blob(own) = row.get_ref(at)?
            && mentions.occurs(own)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// By what a remembered object is known.
pub(super) type Key = (String, String, String, String);

/// What hooks told of objects.
pub(super) struct FindRemembered {
    pub(super) mentions: Arc<Mentions>,
    /// The projects of the hooks that are erased with theirs.
    pub(super) projects: Arc<BTreeSet<String>>,
    pub(super) after: Key,
}

impl Command for FindRemembered {
    type Done = Found<Key, Key>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Found<Key, Key>> {
        let mut query = database.prepare_cached(
            "SELECT route, project, kind, id, state FROM remembered WHERE (route, project, kind, id) > (?1, ?2, ?3, ?4) \
             ORDER BY route, project, kind, id LIMIT ?5",
        )?;
        let (route, project, kind, id) = &self.after;
        let mut rows = query.query(params![route, project, kind, id, BLOCK])?;
        let (mut items, mut looked_at, mut read, mut last) = (Vec::new(), 0, 0, None);
        while let Some(row) = rows.next()? {
            let key: Key = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            let state: String = row.get(4)?;
            if self.fits(&key, &state) {
                items.push(key.clone());
            }
            (looked_at, read, last) = (looked_at + 1, read + state.len(), Some(key));
            if read >= MOST_BYTES {
                return Ok(Found { items, next: last });
            }
        }
        Ok(Found { items, next: last.filter(|_| looked_at == BLOCK) })
    }
}

impl FindRemembered {
    fn fits(&self, (_, project, _, id): &Key, state: &str) -> bool {
        self.projects.contains(project)
            || self.mentions.names(bare(project))
            || !self.mentions.is_project() && self.mentions.names(id)
            || self.mentions.occurs(state.as_bytes())
    }
}

/// A project without its forge and its instance.
fn bare(project: &str) -> &str {
    project.splitn(3, ' ').nth(2).unwrap_or(project)
}

/// What hooks told of people and projects.
pub(super) struct FindKnown {
    pub(super) mentions: Arc<Mentions>,
    pub(super) after: KnownKey,
}

impl Command for FindKnown {
    type Done = Found<KnownKey, KnownKey>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Found<KnownKey, KnownKey>> {
        let mut query = database.prepare_cached(
            "SELECT kind, instance, id, columns FROM known WHERE (kind, instance, id) > (?1, ?2, ?3) \
             ORDER BY kind, instance, id LIMIT ?4",
        )?;
        let (table, instance, id) = &self.after;
        let mut rows = query.query(params![table, instance, id, BLOCK])?;
        let (mut items, mut looked_at, mut last) = (Vec::new(), 0, None);
        while let Some(row) = rows.next()? {
            let key: KnownKey = (row.get(0)?, row.get(1)?, row.get(2)?);
            if self.fits(&key, row.get_ref(3)?.as_str()?) {
                items.push(key.clone());
            }
            (looked_at, last) = (looked_at + 1, Some(key));
        }
        Ok(Found { items, next: last.filter(|_| looked_at == BLOCK) })
    }
}

impl FindKnown {
    fn fits(&self, (table, _, id): &KnownKey, columns: &str) -> bool {
        // In some forges people and projects have numbers, which may be the same.
        let may_be_meant = !self.mentions.is_project() || table == PROJECTS;
        may_be_meant && (self.mentions.names(id) || self.mentions.occurs(columns.as_bytes()))
    }
}

/// Recorded hooks.
pub(super) struct FindRecordings {
    pub(super) mentions: Arc<Mentions>,
    pub(super) projects: Arc<BTreeSet<String>>,
    pub(super) after: i64,
}

impl Command for FindRecordings {
    type Done = Found<i64, i64>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Found<i64, i64>> {
        let mut query = database
            .prepare_cached("SELECT headers, body, rowid FROM recording WHERE rowid > ?1 ORDER BY rowid LIMIT 1")?;
        let mut rows = query.query([self.after])?;
        let Some(row) = rows.next()? else { return Ok(Found { items: Vec::new(), next: None }) };
        let (body, id) = (row.get_ref(1)?.as_blob().unwrap_or_default(), row.get(2)?);
        let fits = occurs(&self.mentions, row, 2)? || self.is_of_project(body);
        Ok(Found { items: fits.then_some(id).into_iter().collect(), next: Some(id) })
    }
}

impl FindRecordings {
    /// Whether a body tells of a project by what stands for it, which may be a number. The next hook of the event is recorded
    /// in the place of one too many.
    fn is_of_project(&self, body: &[u8]) -> bool {
        let own = self.mentions.id();
        self.projects.iter().map(|project| bare(project)).chain(own).any(|id| says(body, id))
    }
}

/// How many numbers are looked at in one go: their texts are short.
const NUMBERS: usize = 1_000;
/// The kind of the numbers that stand for projects.
const PROJECT: &str = "project";

/// Numbers, those that were given first first.
pub(super) struct FindNumbers {
    pub(super) mentions: Arc<Mentions>,
    pub(super) projects: Arc<BTreeSet<String>>,
    pub(super) after: i64,
}

impl Command for FindNumbers {
    type Done = Found<i64, i64>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Found<i64, i64>> {
        let mut query =
            database.prepare_cached("SELECT seq, kind, text FROM number WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
        let mut rows = query.query(params![self.after, NUMBERS])?;
        let (mut items, mut looked_at, mut last) = (Vec::new(), 0, None);
        while let Some(row) = rows.next()? {
            let (seq, kind, text): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if self.fits(&kind, &text) {
                items.push(seq);
            }
            (looked_at, last) = (looked_at + 1, Some(seq));
        }
        Ok(Found { items, next: last.filter(|_| looked_at == NUMBERS) })
    }
}

impl FindNumbers {
    /// Whether a text tells of somebody, or is what stands for a project.
    fn fits(&self, kind: &str, text: &str) -> bool {
        if self.mentions.is_project() {
            let is_erased = || self.projects.iter().any(|project| bare(project) == text);
            kind == PROJECT && (self.mentions.names(text) || is_erased())
        } else {
            self.mentions.names(text)
        }
    }
}
