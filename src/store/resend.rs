//! What people send again.

use super::{Answer, Outgoing, Plan};
use jiff::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

/// A delivery that is to be made again.
#[derive(Debug, Clone)]
pub struct Again {
    /// The delivery.
    pub of: Uuid,
    /// What is sent.
    pub content: Content,
    /// Whether it is left alone when it was sent again before.
    pub unless_resent: bool,
    /// How many deliveries of its destination may wait.
    pub most_pending: u64,
    /// Whether hooks of one project are delivered one after another.
    pub in_order: bool,
    /// The time now.
    pub now: Timestamp,
}

/// What is sent again.
#[derive(Debug, Clone)]
pub enum Content {
    /// What was sent, under the same key; what was never translated is translated when its turn comes.
    AsSent,
    /// What was made of the hook since.
    Anew {
        /// What is sent from now on.
        outgoing: Arc<Outgoing>,
        /// Whether it is something else than what was sent, and needs a key of its own.
        has_new_key: bool,
    },
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resent {
    /// A new delivery waits in the queue.
    Queued(Uuid),
    /// The delivery itself was waiting, and is due now.
    Hurried(Uuid),
    /// Its queue has no room; later it may have.
    QueueFull,
    /// It cannot be sent, for the reason given.
    Refused(String),
}

/// What can be sent again.
pub trait Resend {
    /// Makes a delivery again: one that has ended as a new one that repeats it; one that waits is due at once, with its new
    /// content where there is one.
    fn resend(&self, again: Again) -> Answer<'_, Resent>;

    /// Makes deliveries of a hook that has none to these destinations: a duplicate, or one that was ignored. Gives what
    /// became of each, in their order.
    fn deliver(&self, hook: Uuid, plans: Vec<Plan>, now: Timestamp) -> Answer<'_, Vec<Resent>>;
}
