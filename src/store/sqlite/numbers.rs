//! Numbers for texts: looked for and given by the one writer, so that two who ask at once are told the same.

mod give;
mod import;
mod known;
mod list;
mod reserve;

use super::super::numbers::{Conflict, Named, NumberFilter, NumberRow, Numbers, Pair, Reserved, Wanted};
use super::super::{Answer, Look, Page, StoreError};
use super::SqliteStore;
use give::Give;
use import::Import;
use jiff::Timestamp;
use known::{Instances, Read, Texts};
use reserve::Reserve;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeSet;

/// How many bytes a row has beside its text, about, with its indexes.
const ROW: usize = 200;

/// The number that a text has, and whether it is reserved and no tool has seen it yet.
fn current(database: &Connection, Named { kind, text }: &Named) -> rusqlite::Result<Option<(u32, bool)>> {
    let mut query = database
        .prepare_cached("SELECT number, is_reserved FROM number WHERE kind = ?1 AND text = ?2 AND is_former = 0")?;
    query.query_row([kind, text], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// The text for which a number stands, and whether that has another one by now.
fn holder(database: &Connection, kind: &str, number: u32) -> rusqlite::Result<Option<(String, bool)>> {
    let mut query = database.prepare_cached("SELECT text, is_former FROM number WHERE kind = ?1 AND number = ?2")?;
    query.query_row(params![kind, number], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

fn insert(database: &Connection, pair: &Pair, is_reserved: bool, at: Timestamp) -> rusqlite::Result<()> {
    let Pair { named: Named { kind, text }, number, instance, is_former } = pair;
    let mut insert = database.prepare_cached(
        "INSERT INTO number (kind, number, text, instance, is_former, is_reserved, made_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    insert.execute(params![kind, number, text, instance, is_former, is_reserved, at.as_microsecond()]).map(|_| ())
}

impl Numbers for SqliteStore {
    fn number(&self, wanted: Vec<Wanted>, at: Timestamp) -> Answer<'_, Vec<u32>> {
        Box::pin(async move {
            let size = wanted.iter().map(|wanted| ROW + wanted.named.text.len()).sum();
            let give = || self.ask(Give { wanted: wanted.clone(), numbering: self.numbering, at });
            let mut given = give().await;
            // As for a hook: what has ended is kept only as long as nobody needs the room.
            if let Err(StoreError::Full(_)) = &given
                && self.give_way_to(size).await
            {
                given = give().await;
            }
            // By numbers others are known to be the same.
            self.known_rows.bump();
            let all = |kind: String| format!("all {} numbers of the kind {kind} are given", self.numbering.last());
            given?.map_err(|kind| StoreError::Full(all(kind)))
        })
    }

    fn numbers(&self, named: Vec<Named>) -> Answer<'_, Vec<Option<u32>>> {
        Box::pin(self.look(Read(named)))
    }

    fn texts(&self, instance: &str, numbers: Vec<(String, u32)>) -> Answer<'_, Vec<Option<String>>> {
        Box::pin(self.look(Texts { instance: instance.to_owned(), numbers }))
    }

    fn numbered_instances(&self) -> Answer<'_, BTreeSet<String>> {
        Box::pin(self.look(Instances))
    }

    fn reserve(&self, reserved: Vec<Reserved>, at: Timestamp) -> Answer<'_, Vec<Conflict>> {
        Box::pin(async move {
            let conflicts = self.ask(Reserve { reserved, numbering: self.numbering, at }).await;
            self.known_rows.bump();
            conflicts
        })
    }

    fn all_numbers(&self, filter: NumberFilter, look: Look) -> Answer<'_, Page<NumberRow>> {
        Box::pin(self.number_rows(filter, look))
    }

    fn import(&self, pairs: Vec<Pair>, at: Timestamp) -> Answer<'_, Vec<Conflict>> {
        Box::pin(async move {
            let conflicts = self.ask(Import { pairs, numbering: self.numbering, at }).await;
            self.known_rows.bump();
            conflicts
        })
    }
}
