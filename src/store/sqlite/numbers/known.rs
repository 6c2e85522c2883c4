//! Which number a text has, and for which text a number stands; none is given.

use super::super::super::numbers::Named;
use super::super::writer::{Command, Pending};
use super::current;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeSet;

/// The numbers of texts, as far as they have any.
pub(super) struct Read(pub(super) Vec<Named>);

impl Command for Read {
    type Done = Vec<Option<u32>>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Vec<Option<u32>>> {
        self.0.iter().map(|named| Ok(current(database, named)?.map(|(number, _)| number))).collect()
    }
}

/// The texts for which numbers stand.
pub(super) struct Texts {
    pub(super) instance: String,
    pub(super) numbers: Vec<(String, u32)>,
}

impl Command for Texts {
    type Done = Vec<Option<String>>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Vec<Option<String>>> {
        let mut query =
            database.prepare_cached("SELECT text FROM number WHERE kind = ?1 AND number = ?2 AND instance = ?3")?;
        let text = |(kind, number): &(String, u32)| {
            query.query_row(params![kind, number, self.instance], |row| row.get(0)).optional()
        };
        self.numbers.iter().map(text).collect()
    }
}

/// The instances for whose hooks there are numbers.
pub(super) struct Instances;

impl Command for Instances {
    type Done = BTreeSet<String>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<BTreeSet<String>> {
        let mut query = database.prepare_cached("SELECT DISTINCT instance FROM number WHERE instance IS NOT NULL")?;
        query.query_map([], |row| row.get(0))?.collect()
    }
}
