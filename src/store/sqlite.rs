//! The store in `SQLite`: a file in a folder of ours, or memory.
//!
//! One thread writes (`writer`), many requests to a transaction; one reads beside it what is no longer in memory. What is
//! handed out is known in memory alone (`queues`): the folder has one owner, and whatever was handed out when it ended is
//! pending again.

mod append;
mod audit;
mod backup;
mod behind;
mod blank;
mod claim;
mod erase;
mod errors;
mod fitting;
mod folder;
mod give_way;
mod history;
mod known_rows;
mod learn;
mod left;
mod mentioned;
mod numbers;
mod outcomes;
mod prune;
mod queues;
mod recall;
mod record;
mod recordings;
mod refill;
mod resend;
mod restore;
mod room;
mod rows;
mod schema;
mod settle;
mod soundness;
mod writer;

use super::numbers::Numbering;
use super::{
    Answer, Appended, Arrival, Claimed, DeliveryNumber, Disk, KnownDestination, Most, Outgoing, Parked, Pruned,
    QueueState, Removed, Report, Retention, Store, StoreError,
};
use append::Append;
use errors::store_error;
use give_way::Made;
use jiff::Timestamp;
use prune::Prune;
use queues::{Queues, SharedQueues, lock};
use record::{KeepOutgoing, Park, Record};
use room::Room;
use rusqlite::{Connection, OpenFlags};
use settle::Settle;
use soundness::Soundness;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use writer::{Command, Pending, Writer};

pub use backup::backup;
pub use errors::{DISK_IS_FULL, refused};
pub use folder::{Folder, database};
pub use restore::{restore, waiting_in};
pub use schema::{SCHEMA, Unusable};
pub use writer::Observer;

/// The page of a database in a file, in bytes: bodies have some KiB, and each page is written one by one, twice.
const PAGE: u32 = 16 << 10;
/// How many bytes are written to the log at most before they are brought into the database, which takes as many again.
const LOG: u64 = 16 << 20;
/// The page of a database in memory, in bytes: changing one copies it.
const MEMORY_PAGE: usize = 4096;
/// How long somebody else (a backup) may keep the database to itself.
const BUSY: Duration = Duration::from_secs(5);
/// What is written over what is deleted: zeros where the page is written anyhow. Erasing does it everywhere.
const SECURE_DELETE: &str = "FAST";
/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 128;

/// Hooks and deliveries in `SQLite`.
pub struct SqliteStore {
    writer: RwLock<Option<Writer>>,
    /// Reads beside the writer; with memory the writer reads, too.
    reader: Option<Arc<Mutex<Connection>>>,
    /// Reads for those who ask about the past, so that they keep no delivery waiting.
    searcher: Option<Arc<Mutex<Connection>>>,
    soundness: Soundness,
    queues: SharedQueues,
    /// What hooks may fill.
    room: Room,
    made: Made,
    recorded: recordings::Known,
    /// What is known of people and projects, in memory.
    known_rows: known_rows::KnownRows,
    /// Which numbers it gives to texts.
    numbering: Numbering,
    /// Owned as long as the store is.
    folder: Option<Folder>,
}

impl SqliteStore {
    /// A store in a folder.
    ///
    /// # Errors
    /// When the database is somebody else's, newer, damaged, or cannot be read or written.
    pub fn open(folder: Folder, observer: Observer) -> Result<Self, Unusable> {
        let path = folder.database();
        if folder.was_open() && !left::is_empty(&path) && !left::with_ending(&path, left::LOG).exists() {
            tracing::error!("{}", errors::LOG_IS_GONE);
        }
        let cut_off = left::with_ending(&path, left::RESTORING);
        if cut_off.exists() {
            let left = cut_off.display();
            tracing::warn!("a restore was cut off and left {left}: run it again with that file, or remove the file");
        }
        let mut database = Connection::open(&path)?;
        database.busy_timeout(BUSY)?;
        schema::version(&database)?;
        // Both only where there is nothing yet.
        database.pragma_update(None, "page_size", PAGE)?;
        database.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        database.pragma_update(None, "journal_mode", "WAL")?;
        database.pragma_update(None, "synchronous", "FULL")?;
        let room = Room::disk(folder.path());
        let log = (room.spare() / 2).min(LOG);
        database.pragma_update(None, "wal_autocheckpoint", (log / u64::from(PAGE)).max(1))?;
        database.pragma_update(None, "journal_size_limit", log * 4)?;
        say_migrated(schema::migrate(&mut database)?);
        let readers = Some((read_only(&path)?, read_only(&path)?));
        folder.begin();
        Self::start(database, readers, Some(folder), room, observer)
    }

    /// A store in memory, of at most so many bytes.
    ///
    /// # Errors
    /// When not even that works.
    pub fn in_memory(capacity: usize, observer: Observer) -> Result<Self, Unusable> {
        let mut database = Connection::open_in_memory()?;
        schema::migrate(&mut database)?;
        // With less, not even the tables would have room.
        let pages = (capacity / MEMORY_PAGE).max(64);
        database.pragma_update(None, "max_page_count", pages)?;
        Self::start(database, None, None, Room::Memory((pages * MEMORY_PAGE) as u64), observer)
    }

    fn start(
        database: Connection,
        readers: Option<(Connection, Connection)>,
        folder: Option<Folder>,
        room: Room,
        observer: Observer,
    ) -> Result<Self, Unusable> {
        database.set_prepared_statement_cache_capacity(STATEMENTS);
        database.pragma_update(None, "secure_delete", SECURE_DELETE)?;
        let queues = SharedQueues::default();
        let started = Writer::start(database, Arc::clone(&queues), observer);
        let writer = started.map_err(|error| {
            rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(1), Some(format!("no thread: {error}")))
        })?;
        let shared = |reader| Arc::new(Mutex::new(reader));
        let (reader, searcher) = readers.map(|(reader, searcher)| (shared(reader), shared(searcher))).unzip();
        let (soundness, made) = (Soundness::of(folder.as_ref()), Made::default());
        let (recorded, writer) = (recordings::Known::default(), RwLock::new(Some(writer)));
        let numbering = Numbering::ALL;
        let known_rows = known_rows::KnownRows::default();
        Ok(Self { writer, reader, searcher, soundness, queues, room, made, recorded, known_rows, numbering, folder })
    }

    /// It with other numbers for texts than all.
    #[must_use]
    pub fn numbering(mut self, numbering: Numbering) -> Self {
        self.numbering = numbering;
        self
    }

    async fn ask<C: Command>(&self, command: C) -> Result<C::Done, StoreError> {
        let closed = || StoreError::Broken("it is closed".to_owned());
        let answer = {
            let writer = self.writer.read().unwrap_or_else(PoisonError::into_inner);
            writer.as_ref().ok_or_else(closed)?.ask(command)
        };
        self.noting(answer.await.unwrap_or_else(|_| Err(closed())))
    }

    /// Notes that something is damaged.
    fn noting<T>(&self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &done {
            self.soundness.note(error);
        }
        done
    }

    /// Has a command run that writes nothing: beside the writer, where there is a connection for that.
    async fn look<C: Command>(&self, command: C) -> Result<C::Done, StoreError> {
        let Some(reader) = &self.reader else { return self.ask(command).await };
        self.noting(read_with(reader, command).await)
    }

    /// Has a command run for those who ask about the past.
    async fn search<C: Command>(&self, command: C) -> Result<C::Done, StoreError> {
        let Some(searcher) = &self.searcher else { return self.ask(command).await };
        self.noting(read_with(searcher, command).await)
    }
}

/// Runs a command that writes nothing on a connection of its own.
async fn read_with<C: Command>(reader: &Arc<Mutex<Connection>>, command: C) -> Result<C::Done, StoreError> {
    let reader = Arc::clone(reader);
    let read = tokio::task::spawn_blocking(move || {
        let mut database = reader.lock().unwrap_or_else(PoisonError::into_inner);
        // One transaction for all: each statement would take locks, and give them back.
        let done = database.transaction().and_then(|transaction| command.run(&transaction, &mut Pending::new()));
        done.map_err(|error| store_error(&error))
    });
    read.await.unwrap_or_else(|error| Err(StoreError::Broken(error.to_string())))
}

/// Says that there is no way back, where a database was one of an older hookglot.
fn say_migrated(before: usize) {
    if (1..SCHEMA).contains(&before) {
        tracing::warn!(
            "the store is brought from schema version {before} to {SCHEMA}: an older hookglot cannot open it any more, \
             restore a backup for that"
        );
    }
}

/// A connection that only reads.
fn read_only(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reader = Connection::open_with_flags(path, flags)?;
    reader.busy_timeout(BUSY)?;
    Ok(reader)
}

/// Reads since when each queue has its oldest delivery.
struct Oldest;

impl Command for Oldest {
    type Done = Vec<(String, i64)>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Vec<(String, i64)>> {
        let mut query = database.prepare_cached(
            "SELECT destination, min(accepted_at) FROM delivery WHERE state = 0 GROUP BY destination",
        )?;
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }
}

impl Store for SqliteStore {
    fn is_durable(&self) -> bool {
        self.folder.is_some()
    }

    fn settle(&self, known: Vec<KnownDestination>, now: Timestamp) -> Answer<'_, Vec<Removed>> {
        let settle = Settle { known, now: now.as_microsecond(), queues: Arc::clone(&self.queues) };
        Box::pin(async move { Ok(self.ask(settle).await?.removed) })
    }

    fn append(&self, arrival: Arrival) -> Answer<'_, Appended> {
        Box::pin(async move {
            if let Some(error) = self.soundness.damaged() {
                return Err(error);
            }
            let arrival = Arc::new(arrival);
            let (room, recorded, known) = (&self.room, &self.recorded, &self.known_rows);
            let append = || {
                let arrival = Arc::clone(&arrival);
                self.ask(Append { arrival, room: room.clone(), recorded: recorded.clone(), known: known.clone() })
            };
            let mut appended = append().await;
            // What has ended is kept only as long as nobody needs the room.
            if let Err(StoreError::Full(_)) = &appended
                && self.give_way_to(arrival.hook.body.len()).await
            {
                appended = append().await;
            }
            Ok(appended?.appended)
        })
    }

    fn claim<'a>(
        &'a self,
        destination: &'a str,
        now: Timestamp,
        lease: Duration,
        most: Most,
    ) -> Answer<'a, Vec<Claimed>> {
        Box::pin(self.claim(destination, now, lease, most))
    }

    fn extend<'a>(&'a self, destination: &'a str, deliveries: &[DeliveryNumber], until: Timestamp) -> Answer<'a, ()> {
        let mut queues = lock(&self.queues);
        let queue = queues.of(destination);
        for delivery in deliveries {
            queue.extend(*delivery, until.as_microsecond());
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn release<'a>(&'a self, destination: &'a str, deliveries: &[DeliveryNumber]) -> Answer<'a, ()> {
        lock(&self.queues).take_back(destination, deliveries);
        Box::pin(std::future::ready(Ok(())))
    }

    fn next_due<'a>(&'a self, destination: &'a str) -> Answer<'a, Option<Timestamp>> {
        let next = lock(&self.queues).of(destination).next();
        Box::pin(std::future::ready(Ok(next.map(rows::time))))
    }

    fn keep_outgoing(&self, outgoing: Vec<(DeliveryNumber, Arc<Outgoing>)>) -> Answer<'_, Vec<DeliveryNumber>> {
        Box::pin(self.ask(KeepOutgoing(outgoing)))
    }

    fn record(&self, reports: Vec<Report>) -> Answer<'_, ()> {
        Box::pin(async move { self.ask(Record { reports, room: self.room.clone() }).await.map(|_| ()) })
    }

    fn park<'a>(&'a self, destination: &'a str, now: Timestamp, tried_since: Timestamp) -> Answer<'a, Vec<Parked>> {
        let now = now.as_microsecond();
        let is_due = lock(&self.queues).of(destination).next_park.is_some_and(|park| park <= now);
        if !is_due {
            return Box::pin(std::future::ready(Ok(Vec::new())));
        }
        let tried_since = tried_since.as_microsecond();
        Box::pin(self.ask(Park { destination: destination.to_owned(), now, tried_since }))
    }

    fn claim_behind<'a>(
        &'a self,
        destination: &'a str,
        now: Timestamp,
        lease: Duration,
    ) -> Answer<'a, Option<Claimed>> {
        Box::pin(self.claim_behind(destination, now, lease))
    }

    fn queues(&self) -> Answer<'_, Vec<QueueState>> {
        Box::pin(async move {
            let oldest = self.look(Oldest).await?;
            let queues: std::sync::MutexGuard<'_, Queues> = lock(&self.queues);
            let state = queues.iter().map(|(destination, queue)| {
                let own = oldest.iter().find(|(name, _)| name == destination);
                let oldest = own.map(|(_, at)| rows::time(*at));
                QueueState { destination: destination.clone(), pending: queue.pending, oldest }
            });
            Ok(state.collect())
        })
    }

    fn prune(&self, keep: Retention, now: Timestamp) -> Answer<'_, Pruned> {
        let prune = Prune { keep, now: now.as_microsecond() };
        Box::pin(async move {
            let pruned = self.ask(prune).await;
            self.known_rows.bump();
            Ok(pruned?.pruned)
        })
    }

    fn give_way(&self, at_least: Duration, now: Timestamp) -> Answer<'_, Pruned> {
        Box::pin(self.give_way_ahead(at_least, now))
    }

    fn disk(&self) -> Option<Disk> {
        self.room.seen()
    }

    fn would_take(&self) -> Answer<'_, ()> {
        Box::pin(self.would_take())
    }

    fn close(&self) -> Answer<'_, ()> {
        let writer = self.writer.write().unwrap_or_else(PoisonError::into_inner).take();
        Box::pin(async move {
            if let Some(writer) = writer {
                let closed = tokio::task::spawn_blocking(move || writer.close());
                closed.await.map_err(|error| StoreError::Broken(error.to_string()))?;
                if let Some(folder) = &self.folder {
                    folder.end();
                }
            }
            Ok(())
        })
    }
}

impl Drop for SqliteStore {
    /// A start that is refused after the store was opened closes it by nothing else, and the next one is not to fear for hooks.
    fn drop(&mut self) {
        if let Some(writer) = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            writer.close();
            self.folder.iter().for_each(Folder::end);
        }
    }
}

#[cfg(test)]
mod tests;
