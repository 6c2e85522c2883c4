//! What became of hooks, in sum.

use super::super::history::Outcomes;
use super::super::{Counts, State};
use super::rows;
use super::writer::{Command, Pending};
use rusqlite::Connection;
use uuid::Uuid;

/// Sums up the deliveries of each of these hooks.
pub(super) struct SumUp(pub(super) Vec<Uuid>);

impl Command for SumUp {
    type Done = Vec<Outcomes>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Vec<Outcomes>> {
        self.0.iter().map(|hook| sum_up(database, *hook)).collect()
    }
}

fn sum_up(database: &Connection, hook: Uuid) -> rusqlite::Result<Outcomes> {
    // What was sent again counts as it was sent last.
    let mut query = database.prepare_cached(
        "SELECT state, reason, count(*) FROM delivery WHERE hook = (SELECT seq FROM hook WHERE id = ?1) AND resent_as IS NULL \
         GROUP BY state, reason ORDER BY min(seq)",
    )?;
    let mut found = query.query([hook])?;
    let (mut counts, mut ignored_because) = (Counts::default(), Vec::new());
    while let Some(row) = found.next()? {
        let (state, reason) = (rows::state_of(row.get(0)?), row.get::<_, Option<String>>(1)?);
        *counts.of(state) += row.get::<_, u64>(2)?;
        ignored_because.extend(reason.filter(|_| state == State::Ignored));
    }
    Ok(Outcomes { counts, ignored_because })
}
