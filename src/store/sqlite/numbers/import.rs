//! Takes in what was exported.

use super::super::super::numbers::{Conflict, Numbering, Pair, Why};
use super::super::writer::{Command, Pending};
use super::{current, holder, insert};
use jiff::Timestamp;
use rusqlite::{Connection, params};

/// Takes pairs in that were exported.
pub(super) struct Import {
    pub(super) pairs: Vec<Pair>,
    pub(super) numbering: Numbering,
    pub(super) at: Timestamp,
}

impl Command for Import {
    type Done = Vec<Conflict>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Vec<Conflict>> {
        let mut conflicts = Vec::new();
        for pair in &self.pairs {
            let Some(why) = self.take(database, pair)? else {
                // Tools have seen what was exported.
                let mut give =
                    database.prepare_cached("UPDATE number SET is_reserved = 0 WHERE kind = ?1 AND number = ?2")?;
                give.execute(params![pair.named.kind, pair.number])?;
                continue;
            };
            conflicts.push(Conflict { named: pair.named.clone(), number: pair.number, why });
        }
        Ok(conflicts)
    }
}

impl Import {
    /// Takes a pair, or says why not.
    fn take(&self, database: &Connection, pair: &Pair) -> rusqlite::Result<Option<Why>> {
        let Pair { named, number, is_former, .. } = pair;
        if !self.numbering.has(*number) {
            return Ok(Some(Why::NoNumber(self.numbering)));
        }
        let own = match holder(database, &named.kind, *number)? {
            Some((other, _)) if other != named.text => return Ok(Some(Why::StandsFor(other))),
            own => own.map(|(_, was_former)| was_former),
        };
        let has = current(database, named)?.map(|(has, _)| has).filter(|has| has != number);
        match (own, has) {
            (_, Some(has)) if !is_former => Ok(Some(Why::Has(has))),
            // As it is, or as it has become since it was exported.
            (Some(was_former), _) if !was_former || *is_former => Ok(None),
            (Some(_), _) => {
                let mut take =
                    database.prepare_cached("UPDATE number SET is_former = 0 WHERE kind = ?1 AND number = ?2")?;
                take.execute(params![named.kind, number]).map(|_| None)
            }
            (None, _) => insert(database, pair, false, self.at).map(|()| None),
        }
    }
}
