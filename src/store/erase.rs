//! Erasing what is stored of somebody, or of a project.
//!
//! What is blanked keeps its row: that a hook came, where it went and how that ended is still told. What waits for delivery
//! is left, with its hook, unless it is asked to end; what is being delivered is left in any case.

use super::Answer;
use jiff::Timestamp;

/// What is erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Everything in which a text occurs as whole words: somebody's name, user name, address, or id.
    User(String),
    /// Everything of a project: by what stands for it, or by its path as the forge's pages have it (`owner/alias`).
    Project(String),
}

/// An order to erase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// What.
    pub whose: Whose,
    /// Whether deliveries that wait end as failed, so that they can be blanked, too.
    pub ends_pending: bool,
    /// Whether it is only counted.
    pub is_dry_run: bool,
    /// The time now.
    pub now: Timestamp,
    /// The time now by the system's clock: what is blanked is marked with it.
    pub at: Timestamp,
}

/// What was erased, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Erased {
    /// Hooks that were blanked.
    pub hooks: u64,
    /// Their deliveries.
    pub deliveries: u64,
    /// Attempts of those.
    pub attempts: u64,
    /// Objects, people and projects of which it is not remembered any more what hooks told.
    pub remembered: u64,
    /// Recorded hooks that were removed.
    pub recordings: u64,
    /// Numbers that stood for a text of theirs and were removed.
    pub numbers: u64,
    /// Deliveries that still wait or are under way: their hooks were left.
    pub pending_left: u64,
    /// Deliveries that waited and ended for it, by destination.
    pub ended: Vec<(String, u64)>,
    /// Whether the bytes may still be in the files of the store, as somebody read there all the time: they go with what is
    /// written next.
    pub may_linger: bool,
}

/// What is asked of a store that erases.
pub trait Erase {
    /// Erases, in small steps between which deliveries go on. What is erased stands nowhere in the store's files then. What
    /// an order that was cut off has left is found by the next.
    fn erase(&self, erasure: Erasure) -> Answer<'_, Erased>;
}
