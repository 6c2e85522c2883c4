//! What is kept of hooks and deliveries: one trait, so that nothing above knows which store it is.
//!
//! Invariant: when [`Store::append`] has answered `Stored`, a hook is as safe as the store can make it, and every delivery
//! that it planned is handed out by [`Store::claim`] until [`Store::record`] or [`Store::settle`] ends it.
//!
//! All times but [`Hook::received_at`] and [`Attempt::at`] are those of a clock that never goes back while the process runs.
//!
//! Nothing here wants to be the only process. What a store that several share must see to, behind the same words: times are
//! those of its own clock, as theirs may disagree; a delivery is leased to a process, and of one that holds it no longer
//! only its end is taken; [`Store::settle`] ends only what none of the processes knows. Whoever waits looks again every few
//! seconds, without being told.

mod arrival;
mod audit;
mod erase;
mod history;
mod lesson;
mod mentions;
pub mod numbers;
pub mod recall;
pub mod recordings;
mod resend;
pub mod sqlite;

use bytes::Bytes;
use jiff::Timestamp;
use numbers::Numbers;
use recall::Recall;
use recordings::Recordings;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

pub use arrival::{Appended, Arrival, Fate, Hook, Plan, Same};
pub use audit::{Audit, AuditEntry, AuditFilter, Deed};
pub use erase::{Erase, Erased, Erasure, Whose};
pub use history::{
    Counts, DeliveryRecord, DeliveryRow, Filter, History, HookRecord, HookRow, Look, Outcomes, Page, State,
};
pub use lesson::{Lesson, RowTold, Told};
pub use resend::{Again, Content, Resend, Resent};

/// The answer of a store: it may have to wait for a disk or a network.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Why a store could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no room for more.
    #[error("the store is full: {0}")]
    Full(String),
    /// It cannot be read or written.
    #[error("the store does not work: {0}")]
    Broken(String),
    /// Something in it cannot be read any more: nothing else is taken until that is mended.
    #[error("the store is damaged: {0}")]
    Damaged(String),
}

/// Which version of which mapping made a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeBy {
    /// The mapping's name, and those of the overlays behind it.
    pub name: String,
    /// The SHA-256 of their files, in hexadecimal digits.
    pub sha256: String,
}

/// The body and headers of a delivery, fixed at its first successful translation: every attempt sends the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The body; that of the hook itself when it passed through.
    pub body: Bytes,
    /// The headers that name the event, and those that passed through.
    pub headers: Vec<(String, String)>,
    /// The forge in whose format it is; none where it was kept by a hookglot that did not note it.
    pub forge: Option<String>,
    /// The mapping that made it; none when the hook passed through.
    pub mapping: Option<MadeBy>,
}

/// A delivery as the store counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryNumber(pub(crate) i64);

/// How many deliveries are handed out at once at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Most {
    /// How many.
    pub count: usize,
    /// As many as have so many bytes of bodies together; the first is handed out however large it is.
    pub bytes: usize,
}

impl Most {
    /// One, of any size.
    pub const ONE: Self = Self { count: 1, bytes: 0 };
}

/// A delivery that its destination's worker holds for a while.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The delivery.
    pub delivery: DeliveryNumber,
    /// Its id.
    pub id: Uuid,
    /// The key under which it is sent, where that is neither the forge's own nor its id: it repeats another.
    pub key: Option<String>,
    /// Its hook.
    pub hook: Arc<Hook>,
    /// What to send, when a translation succeeded before.
    pub outgoing: Option<Arc<Outgoing>>,
    /// How many attempts were made before, without those that only probed.
    pub attempts: u32,
    /// When it was accepted.
    pub accepted_at: Timestamp,
}

impl Claimed {
    /// The key under which it is sent: that of the delivery that it repeats, else the forge's own, else its id.
    #[must_use]
    pub fn key(&self) -> String {
        let given = self.key.as_ref().or(self.hook.delivery_key.as_ref());
        given.cloned().unwrap_or_else(|| self.id.to_string())
    }
}

/// One HTTP request of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it began, by the system's clock.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The status that came back, if any.
    pub status: Option<u16>,
    /// Why it did not go well; empty when it did.
    pub error: String,
    /// Whether it only looked whether the destination is back, and spends nothing of the retries.
    pub is_probe: bool,
    /// What was sent and answered, for those who ask afterwards.
    pub exchange: Arc<Exchange>,
}

/// The heads of a request and its answer, and the beginning of the answer's body, without the destination's secrets. The
/// body of the request is the delivery's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exchange {
    /// The headers of the request.
    pub request_headers: Vec<(String, String)>,
    /// The headers of the answer.
    pub response_headers: Vec<(String, String)>,
    /// What is kept of the answer's body.
    pub response_body: Bytes,
    /// Whether there was more of it.
    pub response_is_cut: bool,
}

impl Exchange {
    /// How many bytes it has, about.
    #[must_use]
    pub fn size(&self) -> usize {
        let headers = self.request_headers.iter().chain(&self.response_headers);
        headers.map(|(name, value)| name.len() + value.len() + 6).sum::<usize>() + self.response_body.len()
    }
}

/// What came of a claimed delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The delivery.
    pub delivery: DeliveryNumber,
    /// The attempt, if one was made.
    pub attempt: Option<Attempt>,
    /// How it goes on.
    pub then: Then,
    /// When that was known.
    pub now: Timestamp,
}

/// How a delivery goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// It ends.
    Ended(Ending),
    /// It is due again at a time.
    Again {
        /// When.
        due: Timestamp,
        /// How long it may keep those behind it waiting that are delivered in order, before it is parked.
        park_after: Duration,
    },
}

/// How a delivery ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The destination has it.
    Delivered,
    /// It is not for the destination, for the reason given.
    Ignored(String),
    /// It was given up, for the reason given.
    Failed(String),
}

/// A delivery that no longer keeps others waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Its hook.
    pub hook: Uuid,
    /// The project whose other hooks go on now, as the store names it.
    pub lane: String,
}

/// A destination as the configuration has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDestination {
    /// Its name.
    pub name: String,
    /// Whether hooks of one project are delivered one after another.
    pub in_order: bool,
}

/// A destination that is no longer known, and what became of its deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Its name.
    pub destination: String,
    /// How many ended.
    pub ended: u64,
    /// Hooks of those; the first hundred.
    pub hooks: Vec<Uuid>,
    /// How many are under way still.
    pub under_way: u64,
}

/// What is kept of what has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// For how long.
    pub age: Duration,
    /// For how long whatever the age and the bytes say: so long it tells what comes again.
    pub at_least: Duration,
    /// Within how many bytes, with all that waits, which is never removed.
    pub bytes: u64,
    /// For how long it is remembered what hooks told of an object, a person or a project that no hook names any more.
    pub states: Duration,
    /// For how long it is known who did what.
    pub audit: Duration,
}

/// What one step of removing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// How many deliveries, and hooks without any, are gone.
    pub removed: u64,
    /// Whether there is more to remove.
    pub is_more: bool,
}

/// The queue of one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueState {
    /// The name of the destination.
    pub destination: String,
    /// How many deliveries wait or are under way.
    pub pending: u64,
    /// When the oldest of them was accepted.
    pub oldest: Option<Timestamp>,
}

/// The disk that a store is on, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// How many are free.
    pub free: u64,
    /// How many there are.
    pub total: u64,
    /// How many must stay free: with less, hooks are refused.
    pub spare: u64,
}

/// A home of hooks and deliveries.
pub trait Store: History + Resend + Recordings + Recall + Numbers + Audit + Erase + Send + Sync {
    /// Whether what is stored outlives the process.
    fn is_durable(&self) -> bool;

    /// Ends all pending deliveries of destinations that are no longer known, as failed, but for those that are under way.
    /// Comes before everything else, and again when the destinations change, and while something was under way.
    fn settle(&self, known: Vec<KnownDestination>, now: Timestamp) -> Answer<'_, Vec<Removed>>;

    /// Keeps a hook, and one delivery of it for each plan. In the same step, all or nothing and in order of arrival, it
    /// remembers what the hook teaches: of its object, for the route and the project; of people and projects, for the
    /// instance. What was known of the object before, and of those whom it names after, is kept with the hook. So a hook teaches once, whenever and however often it is delivered. A duplicate teaches nothing.
    ///
    /// # Errors
    /// [`StoreError::Full`] when there is no room; nothing is kept then.
    fn append(&self, arrival: Arrival) -> Answer<'_, Appended>;

    /// Hands out the deliveries of a destination that have been due the longest, for as long as the lease says; none when
    /// nothing is due.
    fn claim<'a>(
        &'a self,
        destination: &'a str,
        now: Timestamp,
        lease: Duration,
        most: Most,
    ) -> Answer<'a, Vec<Claimed>>;

    /// Leases claimed deliveries for longer: they wait for their attempt, or what came of them cannot be kept yet.
    fn extend<'a>(&'a self, destination: &'a str, deliveries: &[DeliveryNumber], until: Timestamp) -> Answer<'a, ()>;

    /// Takes claimed deliveries back that were not attempted: they are as due as they were before.
    fn release<'a>(&'a self, destination: &'a str, deliveries: &[DeliveryNumber]) -> Answer<'a, ()>;

    /// When to claim again or to park something of a destination; `None` when nothing waits.
    fn next_due<'a>(&'a self, destination: &'a str) -> Answer<'a, Option<Timestamp>>;

    /// Keeps what deliveries send from now on: of all, or of none. What was kept first stays; gives those of which something
    /// was kept before, which a claim hands out with it.
    fn keep_outgoing(&self, outgoing: Vec<(DeliveryNumber, Arc<Outgoing>)>) -> Answer<'_, Vec<DeliveryNumber>>;

    /// Keeps what came of claimed deliveries: of all, or of none.
    fn record(&self, reports: Vec<Report>) -> Answer<'_, ()>;

    /// Parks what has kept others of its project waiting for too long, and lets those go on; only what was tried at a time or
    /// later.
    fn park<'a>(&'a self, destination: &'a str, now: Timestamp, tried_since: Timestamp) -> Answer<'a, Vec<Parked>>;

    /// Hands out one that waits behind a delivery which has kept its project waiting for too long: another one each time. It
    /// goes on waiting unless [`Store::record`] ends it.
    fn claim_behind<'a>(&'a self, destination: &'a str, now: Timestamp, lease: Duration)
    -> Answer<'a, Option<Claimed>>;

    /// The queues of all destinations that have one.
    fn queues(&self) -> Answer<'_, Vec<QueueState>>;

    /// Removes some of what has ended and is kept no longer; what is pending stays.
    fn prune(&self, keep: Retention, now: Timestamp) -> Answer<'_, Pruned>;

    /// Makes room where it will soon be short: the oldest that has ended is removed before its time, but not what ended
    /// less long ago than said. [`Store::append`] does so, too, before it says `Full`, with all that has ended. Says how
    /// much both have removed since it was asked last.
    fn give_way(&self, at_least: Duration, now: Timestamp) -> Answer<'_, Pruned>;

    /// The disk that it is on, as it is now; `None` where there is none, or nobody can say.
    fn disk(&self) -> Option<Disk>;

    /// Whether a hook would be taken now; it says what [`Store::append`] would say. It may look through all that is stored,
    /// when something in it could not be read before.
    fn would_take(&self) -> Answer<'_, ()>;

    /// Brings what is under way to its end, and closes.
    fn close(&self) -> Answer<'_, ()>;
}

#[cfg(test)]
mod contract;
