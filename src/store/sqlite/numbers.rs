//! Numbers for texts: looked for and given by the one writer, so that two who ask at once are told the same.

use super::super::numbers::{
    Conflict, Named, NumberFilter, NumberRow, Numbering, Numbers, Pair, Reserved, Wanted, Why,
};
use super::super::{Answer, Look, Page, StoreError};
use super::writer::{Command, Pending};
use super::{SqliteStore, rows};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

/// How many rows are looked at in one go.
const BLOCK: usize = 2_000;
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

/// Gives numbers to texts that have none; or names a kind of which all are given.
struct Give {
    wanted: Vec<Wanted>,
    numbering: Numbering,
    at: Timestamp,
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

struct Read(Vec<Named>);

impl Command for Read {
    type Done = Vec<Option<u32>>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Vec<Option<u32>>> {
        self.0.iter().map(|named| Ok(current(database, named)?.map(|(number, _)| number))).collect()
    }
}

struct Texts {
    instance: String,
    numbers: Vec<(String, u32)>,
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

struct Instances;

impl Command for Instances {
    type Done = BTreeSet<String>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<BTreeSet<String>> {
        let mut query = database.prepare_cached("SELECT DISTINCT instance FROM number WHERE instance IS NOT NULL")?;
        query.query_map([], |row| row.get(0))?.collect()
    }
}

/// Gives texts the numbers of the configuration.
struct Reserve {
    reserved: Vec<Reserved>,
    numbering: Numbering,
    at: Timestamp,
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

/// Takes pairs in that were exported.
struct Import {
    pairs: Vec<Pair>,
    numbering: Numbering,
    at: Timestamp,
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

/// Looks through one block for numbers that fit.
struct Block {
    filter: NumberFilter,
    before: Option<i64>,
    limit: usize,
}

impl Command for Block {
    type Done = Page<NumberRow>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Page<NumberRow>> {
        let before = self.before.unwrap_or(i64::MAX);
        let mut begin = database.prepare_cached(
            "SELECT min(seq) FROM (SELECT seq FROM number WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2)",
        )?;
        let Some(from) = begin.query_row(params![before, BLOCK], |row| row.get::<_, Option<i64>>(0))? else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let mut query = database.prepare_cached(
            "SELECT seq, kind, text, number, instance, is_former, made_at FROM number WHERE seq >= ?1 AND seq < ?2 \
             AND kind = coalesce(?3, kind) AND text = coalesce(?4, text) AND number = coalesce(?5, number) \
             ORDER BY seq DESC",
        )?;
        let NumberFilter { kind, text, number } = &self.filter;
        let mut found = query.query(params![from, before, kind, text, number])?;
        let (mut items, mut next) = (Vec::new(), from);
        while let Some(row) = found.next()? {
            if items.len() == self.limit {
                return Ok(Page { items, next: Some(next) });
            }
            next = row.get(0)?;
            items.push(number_row(row)?);
        }
        Ok(Page { items, next: Some(from) })
    }
}

fn number_row(row: &Row<'_>) -> rusqlite::Result<NumberRow> {
    let named = Named { kind: row.get(1)?, text: row.get(2)? };
    let pair = Pair { named, number: row.get(3)?, instance: row.get(4)?, is_former: row.get(5)? };
    Ok(NumberRow { pair, made_at: rows::time(row.get(6)?) })
}

impl SqliteStore {
    async fn number_rows(&self, filter: NumberFilter, look: Look) -> Result<Page<NumberRow>, StoreError> {
        let (begun, mut items, mut before) = (Instant::now(), Vec::new(), look.before);
        loop {
            let limit = look.limit.saturating_sub(items.len());
            let found = self.search(Block { filter: filter.clone(), before, limit }).await?;
            items.extend(found.items);
            before = found.next;
            if before.is_none() || items.len() >= look.limit || begun.elapsed() >= look.time {
                return Ok(Page { items, next: before });
            }
        }
    }
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
