//! What a store says of the past: hooks, deliveries and attempts, looked for and shown whole.
//!
//! Looking never keeps deliveries waiting: it reads beside them, a little at a time, and gives what it has found when its
//! time is over, with the place from which to go on.

use super::{Answer, Attempt, Hook, Outgoing};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// It waits, or is under way.
    Pending,
    /// The destination has it.
    Delivered,
    /// It is not for the destination.
    Ignored,
    /// It was given up.
    Failed,
}

/// Which hooks or deliveries are meant: those to which everything applies that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The path of the route.
    pub route: Option<String>,
    /// The name of the destination; of hooks, one of theirs.
    pub destination: Option<String>,
    /// The forge that sent it.
    pub forge: Option<String>,
    /// The installation that sent it, by host.
    pub instance: Option<String>,
    /// The event, in the forge's own terms.
    pub event: Option<String>,
    /// What stands for the project.
    pub project: Option<String>,
    /// The state of the delivery; of hooks, of one of theirs.
    pub state: Option<State>,
    /// Deliveries that were sent again, or those that were not.
    pub is_resent: Option<bool>,
    /// Hooks that came at this time or later, by the system's clock.
    pub since: Option<Timestamp>,
    /// Hooks that came before this time.
    pub until: Option<Timestamp>,
    /// A text that occurs in the hook's body, its key, in what is sent, or in why it ended; in capital letters or not. Headers
    /// of hooks are left out, as some of them are shown to nobody.
    pub text: Option<String>,
}

/// How much is looked at in one go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Only what is older than this place, which a page before gave.
    pub before: Option<i64>,
    /// How many are wanted at most.
    pub limit: usize,
    /// For how long it is looked.
    pub time: Duration,
}

/// What was found, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What fits the filter.
    pub items: Vec<T>,
    /// The place from which to go on; none when everything was looked at. A page may have few items or none, and still go on.
    pub next: Option<i64>,
}

/// A hook, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookRow {
    /// Its id.
    pub id: Uuid,
    /// The path of the route that it came in on.
    pub route: String,
    /// The forge that sent it; empty when none is recognised.
    pub forge: String,
    /// The event in the forge's own terms.
    pub event: String,
    /// What stands for the project.
    pub project: Option<String>,
    /// The installation that sent it, by host.
    pub instance: Option<String>,
    /// The forge's own key of the delivery.
    pub delivery_key: Option<String>,
    /// When it came, by the system's clock.
    pub received_at: Timestamp,
    /// How many bytes its body has.
    pub size: u64,
    /// The hook that came before and that it is a duplicate of.
    pub duplicate_of: Option<Uuid>,
    /// Why no destination was asked.
    pub ignored: Option<String>,
    /// When its content was erased.
    pub erased_at: Option<Timestamp>,
}

/// A delivery, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its id.
    pub id: Uuid,
    /// Its hook.
    pub hook: HookRow,
    /// The name of the destination.
    pub destination: String,
    /// How far it is.
    pub state: State,
    /// Why it was ignored or given up.
    pub reason: Option<String>,
    /// How many attempts counted.
    pub attempts: u32,
    /// How many only probed.
    pub probes: u32,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When it is tried next; none for one that has ended, or waits for the one before it of its project.
    pub due: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Whether it was parked, as it kept others of its project waiting.
    pub is_parked: bool,
    /// The delivery that it repeats.
    pub resend_of: Option<Uuid>,
    /// The latest delivery that repeats it.
    pub resent_as: Option<Uuid>,
    /// Under which key it is sent.
    pub key: String,
    /// What its latest attempt met: the status, if one came, and the error.
    pub last: Option<(Option<u16>, String)>,
}

/// A hook with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookRecord {
    /// The hook as it came.
    pub hook: Arc<Hook>,
    /// What the store knows beside it.
    pub row: HookRow,
    /// Its deliveries, in the order in which they were made.
    pub deliveries: Vec<DeliveryRow>,
}

/// A delivery with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRecord {
    /// What the store knows of it.
    pub row: DeliveryRow,
    /// Its hook as it came.
    pub hook: Arc<Hook>,
    /// What it sends, when that is fixed.
    pub outgoing: Option<Arc<Outgoing>>,
    /// Its attempts, the first one first.
    pub attempts: Vec<Attempt>,
}

/// How many deliveries of each state there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Those that wait or are under way.
    pub pending: u64,
    /// Those that their destination has.
    pub delivered: u64,
    /// Those that were not for their destination.
    pub ignored: u64,
    /// Those that were given up.
    pub failed: u64,
    /// The place from which to go on counting; none when all were counted.
    pub next: Option<i64>,
}

/// What became of the deliveries of a hook; what was sent again counts as it was sent last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// How many there are of each state.
    pub counts: Counts,
    /// Why some were ignored, each reason once.
    pub ignored_because: Vec<String>,
}

/// What can be asked of the past.
pub trait History {
    /// The deliveries that fit a filter.
    fn deliveries(&self, filter: Filter, look: Look) -> Answer<'_, Page<DeliveryRow>>;

    /// The hooks that fit a filter.
    fn hooks(&self, filter: Filter, look: Look) -> Answer<'_, Page<HookRow>>;

    /// What became of each of these hooks, in their order.
    fn outcomes(&self, hooks: Vec<Uuid>) -> Answer<'_, Vec<Outcomes>>;

    /// How many deliveries fit a filter.
    fn count(&self, filter: Filter, look: Look) -> Answer<'_, Counts>;

    /// A delivery by its id, whole.
    fn delivery(&self, id: Uuid) -> Answer<'_, Option<DeliveryRecord>>;

    /// A hook by its id, whole.
    fn hook(&self, id: Uuid) -> Answer<'_, Option<HookRecord>>;
}
