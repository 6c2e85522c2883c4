//! Reserves the numbers of the configuration, and lets go what it says no more.

use super::super::super::numbers::{Conflict, Named, Numbering, Pair, Reserved, Why};
use super::super::writer::{Command, Pending};
use super::{current, holder, insert};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;

/// Gives texts the numbers of the configuration.
pub(super) struct Reserve {
    pub(super) reserved: Vec<Reserved>,
    pub(super) numbering: Numbering,
    pub(super) at: Timestamp,
}

impl Command for Reserve {
    type Done = Vec<Conflict>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Vec<Conflict>> {
        let conflicts = self.conflicts(database)?;
        if conflicts.is_empty() {
            self.let_go(database)?;
            for reserved in &self.reserved {
                self.give(database, reserved)?;
            }
        }
        Ok(conflicts)
    }
}

impl Reserve {
    /// What stands against it, in the store or in the list itself.
    fn conflicts(&self, database: &Connection) -> rusqlite::Result<Vec<Conflict>> {
        let (mut conflicts, mut given) = (Vec::new(), HashMap::new());
        for Reserved { kind, text, number, .. } in &self.reserved {
            let in_list = *given.entry((kind, number)).or_insert(text);
            let in_store = match holder(database, kind, *number)? {
                Some((other, _)) if !self.lets_go(database, kind, *number, &other)? => Some(other),
                _ => None,
            };
            let other = in_store.filter(|other| other != text).or_else(|| (in_list != text).then(|| in_list.clone()));
            let why = match other {
                _ if !self.numbering.has(*number) => Why::NoNumber(self.numbering),
                Some(other) => Why::StandsFor(other),
                None => continue,
            };
            conflicts.push(Conflict { named: named(kind, text), number: *number, why });
        }
        Ok(conflicts)
    }

    /// Whether a number was only reserved, for a text that the configuration does not give it to any more.
    fn lets_go(&self, database: &Connection, kind: &str, number: u32, text: &str) -> rusqlite::Result<bool> {
        let mut query = database.prepare_cached("SELECT is_reserved FROM number WHERE kind = ?1 AND number = ?2")?;
        let is_reserved: Option<bool> = query.query_row(params![kind, number], |row| row.get(0)).optional()?;
        let is_said = self.reserved.iter().any(|own| own.kind == kind && own.number == number && own.text == text);
        Ok(is_reserved == Some(true) && !is_said)
    }

    /// Lets go what was reserved, and seen by no tool, and is not in the configuration any more: a slip of the pen takes no
    /// number for ever.
    fn let_go(&self, database: &Connection) -> rusqlite::Result<()> {
        let mut query = database.prepare_cached("SELECT kind, number, text FROM number WHERE is_reserved = 1")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        for (kind, number, text) in rows.collect::<rusqlite::Result<Vec<(String, u32, String)>>>()? {
            if !self.lets_go(database, &kind, number, &text)? {
                continue;
            }
            database
                .prepare_cached("DELETE FROM number WHERE kind = ?1 AND number = ?2")?
                .execute(params![kind, number])?;
            // The number that the text had before is its own again.
            let mut take_back = database.prepare_cached(
                "UPDATE number SET is_former = 0 WHERE seq = \
                 (SELECT max(seq) FROM number WHERE kind = ?1 AND text = ?2 AND is_former = 1)",
            )?;
            take_back.execute([kind, text])?;
        }
        Ok(())
    }

    fn give(&self, database: &Connection, reserved: &Reserved) -> rusqlite::Result<()> {
        let Reserved { kind, text, number, instance } = reserved;
        let named = named(kind, text);
        if current(database, &named)?.is_some_and(|(own, _)| own == *number) {
            // Which installation knows it by the number may have been put right.
            let mut mend = database.prepare_cached(
                "UPDATE number SET instance = ?3 WHERE kind = ?1 AND number = ?2 AND ?3 IS NOT NULL AND instance IS NOT ?3",
            )?;
            return mend.execute(params![kind, number, instance]).map(|_| ());
        }
        let mut give_up = database
            .prepare_cached("UPDATE number SET is_former = 1 WHERE kind = ?1 AND text = ?2 AND is_former = 0")?;
        give_up.execute([kind, text])?;
        // The text may have had it before.
        let mut take =
            database.prepare_cached("UPDATE number SET is_former = 0 WHERE kind = ?1 AND number = ?2 AND text = ?3")?;
        if take.execute(params![kind, number, text])? == 0 {
            let pair = Pair { named, number: *number, instance: instance.clone(), is_former: false };
            insert(database, &pair, true, self.at)?;
        }
        Ok(())
    }
}

fn named(kind: &str, text: &str) -> Named {
    Named { kind: kind.to_owned(), text: text.to_owned() }
}
