//! The one thread that writes: whatever waits is written in one transaction, so that many share the wait for the disk.

use super::super::StoreError;
use super::BUSY;
use super::errors::store_error;
use super::queues::{Queues, SharedQueues, lock};
use rusqlite::Connection;
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How many commands share a transaction at most: beyond that, waiting for the others costs more than the disk.
const MOST_IN_GROUP: usize = 512;
/// After a transaction of so many commands there is a load, and it is worth waiting for more to share the next one.
const BUSY_GROUP: usize = 4;
/// How long that is waited: about as long as the disk takes, whose time it saves.
const LINGER: Duration = Duration::from_millis(1);
/// How long whoever reads may keep the log from being emptied while all others wait.
const LET_READ: Duration = Duration::from_millis(50);

/// How many deliveries are pending, by destination, as the transaction under way sees it.
pub(super) type Pending = HashMap<String, u64>;

/// Something to write.
pub(super) trait Command: Send + 'static {
    /// What came of it.
    type Done: Send + 'static;

    /// Writes it, inside a transaction. It may be run again, when the one that it shared was rolled back.
    fn run(&self, database: &Connection, pending: &mut Pending) -> rusqlite::Result<Self::Done>;

    /// Tells those who wait for deliveries, once it is written.
    fn committed(&self, _done: &Self::Done, _queues: &mut Queues) {}

    /// Whether it made the database smaller: its file becomes so only when the log is brought into it, which a store that
    /// writes nothing more would never do.
    fn gives_back(&self, _done: &Self::Done) -> bool {
        false
    }
}

/// A command with whom to answer.
trait Job: Send {
    fn run(&mut self, database: &Connection, pending: &mut Pending) -> rusqlite::Result<()>;
    fn committed(&mut self, queues: &mut Queues);
    fn gives_back(&self) -> bool;
    fn answer(self: Box<Self>, result: Result<(), StoreError>);
}

struct Asked<C: Command> {
    command: C,
    done: Option<C::Done>,
    reply: oneshot::Sender<Result<C::Done, StoreError>>,
}

impl<C: Command> Job for Asked<C> {
    fn run(&mut self, database: &Connection, pending: &mut Pending) -> rusqlite::Result<()> {
        self.done = Some(self.command.run(database, pending)?);
        Ok(())
    }

    fn committed(&mut self, queues: &mut Queues) {
        if let Some(done) = &self.done {
            self.command.committed(done, queues);
        }
    }

    fn gives_back(&self) -> bool {
        self.done.as_ref().is_some_and(|done| self.command.gives_back(done))
    }

    fn answer(self: Box<Self>, result: Result<(), StoreError>) {
        let Self { done, reply, .. } = *self;
        let nothing = || StoreError::Broken("nothing came of it".to_owned());
        // Who asked may be gone; what is written stays written.
        let _ = reply.send(result.and_then(|()| done.ok_or_else(nothing)));
    }
}

/// Told after each transaction how long it took and how many bytes of the database are in use.
pub type Observer = Box<dyn Fn(Duration, u64) + Send>;

/// What it takes to ask the thread.
pub(super) struct Writer {
    jobs: Sender<Box<dyn Job>>,
    thread: JoinHandle<()>,
}

impl Writer {
    /// Starts the thread on a database.
    pub(super) fn start(database: Connection, queues: SharedQueues, observer: Observer) -> std::io::Result<Self> {
        let (jobs, asked) = channel();
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || Thread { database, queues, pending: Pending::new(), observer }.run(&asked))?;
        Ok(Self { jobs, thread })
    }

    /// Asks for a command; the answer comes when it is on the disk.
    pub(super) fn ask<C: Command>(&self, command: C) -> oneshot::Receiver<Result<C::Done, StoreError>> {
        let (reply, answer) = oneshot::channel();
        // The thread ends only with the last sender; were it gone, the answer would say so.
        let _ = self.jobs.send(Box::new(Asked { command, done: None, reply }));
        answer
    }

    /// Writes what was asked for, and closes the database.
    pub(super) fn close(self) {
        drop(self.jobs);
        // It does not panic; and if it had, everything that was answered is on the disk.
        let _ = self.thread.join();
    }
}

struct Thread {
    database: Connection,
    queues: SharedQueues,
    pending: Pending,
    observer: Observer,
}

impl Thread {
    fn run(mut self, asked: &Receiver<Box<dyn Job>>) {
        let mut is_busy = false;
        while let Ok(first) = asked.recv() {
            if is_busy {
                // Nobody is woken by what others ask meanwhile; so many more share the transaction.
                std::thread::sleep(LINGER);
            }
            let mut group = vec![first];
            while group.len() < MOST_IN_GROUP
                && let Ok(next) = asked.try_recv()
            {
                group.push(next);
            }
            is_busy = group.len() >= BUSY_GROUP;
            self.write(group);
        }
        // So that the next start, or a copy of the one file, has it all in one place.
        self.bring_in();
    }

    /// Brings the log into the database, and empties it. A log that stays is read as well.
    fn bring_in(&self) {
        let _ = self.database.pragma_update(None, "wal_checkpoint", "TRUNCATE");
    }

    /// Makes the file as small as the database is, unless somebody reads it for long: it is tried again with the next step.
    fn give_back(&self) {
        let _ = self.database.busy_timeout(LET_READ);
        self.bring_in();
        let _ = self.database.busy_timeout(BUSY);
    }

    fn write(&mut self, mut group: Vec<Box<dyn Job>>) {
        let started = Instant::now();
        match self.transaction(&mut group) {
            Ok(()) => self.tell(group, started),
            // One that cannot be written must not take the others with it.
            Err(_) if group.len() > 1 => {
                for job in group {
                    let mut alone = vec![job];
                    match self.transaction(&mut alone) {
                        Ok(()) => self.tell(alone, started),
                        Err(error) => answer(alone, &Err(store_error(&error))),
                    }
                }
            }
            Err(error) => answer(group, &Err(store_error(&error))),
        }
    }

    fn transaction(&mut self, group: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
        let before = self.pending.clone();
        let written = execute(&self.database, "BEGIN IMMEDIATE").and_then(|()| {
            for job in group {
                job.run(&self.database, &mut self.pending)?;
            }
            execute(&self.database, "COMMIT")
        });
        if written.is_err() {
            self.pending = before;
            if !self.database.is_autocommit() {
                // Were it to fail, the next transaction could not begin, and would say so.
                let _ = execute(&self.database, "ROLLBACK");
            }
        }
        written
    }

    fn tell(&self, mut group: Vec<Box<dyn Job>>, started: Instant) {
        let mut queues = lock(&self.queues);
        for job in &mut group {
            job.committed(&mut queues);
        }
        for (destination, pending) in &self.pending {
            queues.of(destination).pending = *pending;
        }
        drop(queues);
        if group.iter().any(|job| job.gives_back()) {
            self.give_back();
        }
        answer(group, &Ok(()));
        (self.observer)(started.elapsed(), used(&self.database));
    }
}

fn answer(group: Vec<Box<dyn Job>>, result: &Result<(), StoreError>) {
    for job in group {
        job.answer(result.clone());
    }
}

/// Begins or ends a transaction. It is done so often that the statement is kept.
fn execute(database: &Connection, statement: &str) -> rusqlite::Result<()> {
    database.prepare_cached(statement)?.execute([]).map(|_| ())
}

/// How many bytes of a database hold something.
pub(super) fn used(database: &Connection) -> u64 {
    let ask = |pragma| {
        let asked =
            database.prepare_cached(pragma).and_then(|mut query| query.query_row([], |row| row.get::<_, u64>(0)));
        asked.unwrap_or(0)
    };
    ask("PRAGMA page_count").saturating_sub(ask("PRAGMA freelist_count")) * ask("PRAGMA page_size")
}
