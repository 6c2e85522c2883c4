//! Gives numbers to texts that have none.

use super::super::super::numbers::{Numbering, Pair, Wanted};
use super::super::writer::{Command, Pending};
use super::{current, insert};
use jiff::Timestamp;
use rusqlite::{Connection, params};

/// Gives numbers to texts that have none; or names a kind of which all are given.
pub(super) struct Give {
    pub(super) wanted: Vec<Wanted>,
    pub(super) numbering: Numbering,
    pub(super) at: Timestamp,
}

impl Command for Give {
    type Done = Result<Vec<u32>, String>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Result<Vec<u32>, String>> {
        let mut numbers = Vec::with_capacity(self.wanted.len());
        for Wanted { named, first, instance } in &self.wanted {
            let number = match current(database, named)? {
                Some((number, is_reserved)) => {
                    if is_reserved {
                        // From now on tools know it.
                        let mut give = database
                            .prepare_cached("UPDATE number SET is_reserved = 0 WHERE kind = ?1 AND number = ?2")?;
                        give.execute(params![named.kind, number])?;
                    }
                    number
                }
                None => {
                    let Some(number) = free(database, &named.kind, *first, self.numbering)? else {
                        return Ok(Err(named.kind.clone()));
                    };
                    let (named, instance) = (named.clone(), instance.clone());
                    insert(database, &Pair { named, number, instance, is_former: false }, false, self.at)?;
                    number
                }
            };
            numbers.push(number);
        }
        Ok(Ok(numbers))
    }
}

/// The first free number of a kind from one on; behind the last comes 1.
fn free(database: &Connection, kind: &str, first: u32, numbering: Numbering) -> rusqlite::Result<Option<u32>> {
    let begin = numbering.begin(first);
    match gap(database, kind, begin, numbering.last())? {
        None if begin > 1 => gap(database, kind, 1, begin - 1),
        found => Ok(found),
    }
}

/// The first number of a range that is not given.
fn gap(database: &Connection, kind: &str, from: u32, to: u32) -> rusqlite::Result<Option<u32>> {
    let mut query = database
        .prepare_cached("SELECT number FROM number WHERE kind = ?1 AND number BETWEEN ?2 AND ?3 ORDER BY number")?;
    let (mut given, mut next) = (query.query(params![kind, from, to])?, from);
    while let Some(row) = given.next()? {
        if row.get::<_, u32>(0)? > next {
            break;
        }
        next += 1;
    }
    Ok(Some(next).filter(|next| *next <= to))
}
