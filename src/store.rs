//! What is kept of hooks and deliveries: one trait, so that nothing above knows which store it is.
//!
//! Invariant: when [`Store::append`] has answered, a hook is as safe as the store can make it, and every delivery that
//! it planned is handed out by [`Store::claim`] until [`Store::finish`] ends it.

pub mod memory;

use jiff::Timestamp;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The answer of a store: it may have to wait for a disk or a network.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Why a store could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no room for another hook.
    #[error("the store is full: {0}")]
    Full(String),
}

/// One request that a forge sent, as it came: without the headers that proved it, which are never kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Its id, ordered by time.
    pub id: Uuid,
    /// The path of the route that it came in on.
    pub route: String,
    /// The forge that sent it.
    pub forge: String,
    /// The event in the forge's own terms.
    pub event: String,
    /// What stands for the project, where the hook names one.
    pub project: Option<String>,
    /// The installation that sent it, by host.
    pub instance: Option<String>,
    /// The forge's own key of the delivery.
    pub delivery_key: Option<String>,
    /// How often it has passed a hookglot before.
    pub hops: u32,
    /// When it came.
    pub received_at: Timestamp,
    /// Its headers, names in small letters.
    pub headers: Vec<(String, String)>,
    /// Its body, byte for byte.
    pub body: Vec<u8>,
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
    /// The body.
    pub body: Vec<u8>,
    /// The headers that name the event, and those that passed through.
    pub headers: Vec<(String, String)>,
    /// The mapping that made it; none when the hook passed through.
    pub mapping: Option<MadeBy>,
}

/// A delivery that its destination's worker holds for a while.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The delivery.
    pub delivery: Uuid,
    /// Its hook.
    pub hook: Arc<Hook>,
    /// What to send, when a translation succeeded before.
    pub outgoing: Option<Arc<Outgoing>>,
    /// How many attempts were made before.
    pub attempts: u32,
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

/// A home of hooks and deliveries.
pub trait Store: Send + Sync {
    /// Whether what is stored outlives the process.
    fn is_durable(&self) -> bool;

    /// Keeps a hook, and one delivery of it to each of these destinations, due at once.
    ///
    /// # Errors
    /// [`StoreError::Full`] when there is no room; nothing is kept then.
    fn append(&self, hook: Hook, destinations: Vec<String>) -> Answer<'_, ()>;

    /// Hands out the delivery of a destination that has been due the longest, for as long as the lease says.
    fn claim<'a>(&'a self, destination: &'a str, now: Timestamp, lease: Duration) -> Answer<'a, Option<Claimed>>;

    /// When the next delivery of a destination is due; `None` when nothing waits.
    fn next_due<'a>(&'a self, destination: &'a str) -> Answer<'a, Option<Timestamp>>;

    /// Keeps what a delivery sends from now on.
    fn keep_outgoing(&self, delivery: Uuid, outgoing: Arc<Outgoing>) -> Answer<'_, ()>;

    /// Counts an attempt of a delivery and makes it due again at a time.
    fn reschedule(&self, delivery: Uuid, due: Timestamp) -> Answer<'_, ()>;

    /// Ends a delivery; a hook whose deliveries have all ended may go.
    fn finish(&self, delivery: Uuid, ending: Ending) -> Answer<'_, ()>;

    /// How many deliveries of a destination wait or are under way.
    fn pending<'a>(&'a self, destination: &'a str) -> Answer<'a, u64>;
}

#[cfg(test)]
mod contract;
