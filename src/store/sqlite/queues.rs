//! What is due next, in memory: so that a delivery is handed out without asking the database.
//!
//! Invariant: whatever is pending in the database is in `ready` or `leased`, or its queue says where else it will be found:
//! `is_stale` (more is due in the database than is known here), `next_due` or `next_park`. Only the writer thread adds to
//! `ready` and looks into the database for more, so the two cannot disagree.

use super::super::{DeliveryNumber, Hook, Most, StoreError};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use uuid::Uuid;

/// How many deliveries of a destination are known here at most.
pub(super) const MOST_READY: usize = 256;
/// How many hooks that were read are noted before those are forgotten that nobody has any more.
const MOST_READ: usize = 1_024;
/// How many bytes of bodies are kept here at most, so that they need not be read again.
const MOST_BYTES: usize = 16 << 20;

/// A delivery that is due.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    pub(super) delivery: DeliveryNumber,
    pub(super) id: Uuid,
    /// Under which key it is sent, where that is another than its hook's or its id.
    pub(super) key: Option<String>,
    pub(super) hook_seq: i64,
    /// The hook, while it is small enough to be kept.
    pub(super) hook: Option<Arc<Hook>>,
    /// Whether what to send may have been kept already.
    pub(super) may_have_outgoing: bool,
    /// How many bytes the body of its hook has.
    pub(super) size: usize,
    pub(super) attempts: u32,
    pub(super) accepted_at: i64,
}

/// What is known of a destination's queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    ready: VecDeque<Ready>,
    known: HashSet<DeliveryNumber>,
    leased: HashMap<DeliveryNumber, i64>,
    /// Whether more is due in the database than is known here.
    pub(super) is_stale: bool,
    /// When the first of those is due that are due later.
    pub(super) next_due: Option<i64>,
    /// When something must be parked.
    pub(super) next_park: Option<i64>,
    /// How many deliveries are pending.
    pub(super) pending: u64,
    /// Why something could not be read while others could; the next claim tells it.
    pub(super) unread: Option<StoreError>,
}

/// The queues of all destinations.
#[derive(Debug, Default)]
pub(super) struct Queues {
    by_destination: HashMap<String, Queue>,
    bytes: usize,
    /// The hooks that were read, as long as somebody has them: one that goes to several destinations is in memory once.
    read: HashMap<i64, Weak<Hook>>,
}

/// The queues, shared by the writer thread and those who claim.
pub(super) type SharedQueues = Arc<Mutex<Queues>>;

pub(super) fn lock(queues: &SharedQueues) -> MutexGuard<'_, Queues> {
    // No code panics while it holds the lock; were it to, a queue would be read from the database again.
    queues.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a claim finds.
pub(super) enum Found {
    Due(Vec<Ready>),
    /// The database must be asked.
    Stale,
    Nothing,
}

impl Ready {
    /// Whether nothing of it must be read.
    pub(super) fn is_whole(&self) -> bool {
        self.hook.is_some() && !self.may_have_outgoing
    }

    /// How many bytes of it are kept here.
    fn kept(&self) -> usize {
        if self.hook.is_some() { self.size } else { 0 }
    }
}

impl Queues {
    pub(super) fn of(&mut self, destination: &str) -> &mut Queue {
        self.by_destination.entry(destination.to_owned()).or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Queue)> {
        self.by_destination.iter()
    }

    /// A hook that was read before and that somebody still has.
    pub(super) fn held(&self, hook_seq: i64) -> Option<Arc<Hook>> {
        self.read.get(&hook_seq)?.upgrade()
    }

    /// Notes that a hook was read.
    pub(super) fn hold(&mut self, hook_seq: i64, hook: Arc<Hook>) -> Arc<Hook> {
        if self.read.len() >= MOST_READ {
            self.read.retain(|_, hook| hook.strong_count() > 0);
        }
        self.read.insert(hook_seq, Arc::downgrade(&hook));
        hook
    }

    /// Forgets that a hook was read: it is not in the database any more as it was.
    pub(super) fn forget(&mut self, hook_seq: i64) {
        self.read.remove(&hook_seq);
    }

    /// Forgets what is due, which is found in the database again, and keeps what is handed out.
    pub(super) fn settle(&mut self, pending: &HashMap<String, u64>) {
        self.bytes = 0;
        for queue in self.by_destination.values_mut() {
            queue.ready.clear();
            queue.known = queue.leased.keys().copied().collect();
            (queue.pending, queue.is_stale) = (0, true);
        }
        for (destination, pending) in pending {
            let queue = self.of(destination);
            (queue.pending, queue.is_stale) = (*pending, true);
        }
    }

    /// Adds what is due now, or remembers that there is more.
    pub(super) fn add(&mut self, destination: &str, mut ready: Ready) {
        if self.bytes + ready.kept() > MOST_BYTES {
            ready.hook = None;
        }
        let size = ready.kept();
        let queue = self.of(destination);
        if queue.known.contains(&ready.delivery) {
            return;
        }
        if queue.is_stale || queue.ready.len() >= MOST_READY {
            queue.is_stale = true;
            return;
        }
        queue.known.insert(ready.delivery);
        queue.ready.push_back(ready);
        self.bytes += size;
    }

    /// Takes the deliveries that have been due the longest.
    pub(super) fn take(&mut self, destination: &str, now: i64, until: i64, most: Most, was_read: bool) -> Found {
        let queue = self.of(destination);
        // What is due again comes before what has come meanwhile, however much that is.
        if !was_read && !queue.is_stale && queue.has_become_due(now) {
            return Found::Stale;
        }
        let (mut taken, mut size, mut kept) = (Vec::new(), 0, 0);
        while taken.len() < most.count
            && let Some(ready) = queue.ready.pop_front_if(|ready| taken.is_empty() || size + ready.size <= most.bytes)
        {
            queue.leased.insert(ready.delivery, until);
            (size, kept) = (size + ready.size, kept + ready.kept());
            taken.push(ready);
        }
        if !taken.is_empty() {
            self.bytes = self.bytes.saturating_sub(kept);
            return Found::Due(taken);
        }
        if queue.is_stale || queue.has_become_due(now) { Found::Stale } else { Found::Nothing }
    }
}

impl Queues {
    /// Holds a delivery back that is to be changed; says whether nobody else has it.
    pub(super) fn hold_back(&mut self, destination: &str, delivery: DeliveryNumber, until: i64) -> bool {
        let queue = self.of(destination);
        if queue.leased.contains_key(&delivery) {
            return false;
        }
        let kept: usize = queue.ready.iter().filter(|ready| ready.delivery == delivery).map(Ready::kept).sum();
        queue.ready.retain(|ready| ready.delivery != delivery);
        queue.known.insert(delivery);
        queue.leased.insert(delivery, until);
        self.bytes = self.bytes.saturating_sub(kept);
        true
    }

    /// Takes deliveries back that were handed out: they are found in the database again, in their order among the others.
    pub(super) fn take_back(&mut self, destination: &str, deliveries: &[DeliveryNumber]) {
        let queue = self.of(destination);
        for delivery in deliveries {
            queue.release(*delivery);
        }
        let mut kept = 0;
        for ready in std::mem::take(&mut queue.ready) {
            queue.known.remove(&ready.delivery);
            kept += ready.kept();
        }
        queue.is_stale = true;
        self.bytes = self.bytes.saturating_sub(kept);
    }
}

impl Queue {
    /// Whether something is due that was not, or whose lease has ended.
    fn has_become_due(&self, now: i64) -> bool {
        let is_due = |time: &i64| *time <= now;
        self.next_due.is_some_and(|due| due <= now) || self.leased.values().any(is_due)
    }

    /// Ends the lease of a delivery; the database says what is next with it.
    pub(super) fn release(&mut self, delivery: DeliveryNumber) {
        self.leased.remove(&delivery);
        self.known.remove(&delivery);
    }

    /// Lets a lease that has not ended yet go on.
    pub(super) fn extend(&mut self, delivery: DeliveryNumber, until: i64) {
        if let Some(lease) = self.leased.get_mut(&delivery) {
            *lease = until;
        }
    }

    /// Forgets leases that have ended, so that their deliveries are handed out again.
    pub(super) fn expire(&mut self, now: i64) {
        let ended: Vec<DeliveryNumber> =
            self.leased.iter().filter(|(_, until)| **until <= now).map(|(delivery, _)| *delivery).collect();
        for delivery in ended {
            self.release(delivery);
        }
    }

    pub(super) fn knows(&self, delivery: DeliveryNumber) -> bool {
        self.known.contains(&delivery)
    }

    /// Whether a delivery is handed out.
    pub(super) fn is_leased(&self, delivery: DeliveryNumber) -> bool {
        self.leased.contains_key(&delivery)
    }

    /// The deliveries that are handed out, by their numbers.
    pub(super) fn leased_numbers(&self) -> Vec<i64> {
        self.leased.keys().map(|delivery| delivery.0).collect()
    }

    /// How many deliveries are handed out.
    pub(super) fn leased(&self) -> usize {
        self.leased.len()
    }

    /// When to look again: something is due (0 when it is already), a lease ends, or something must be parked.
    pub(super) fn next(&self) -> Option<i64> {
        if self.is_stale || !self.ready.is_empty() {
            return Some(0);
        }
        let leases = self.leased.values().copied();
        leases.chain(self.next_due).chain(self.next_park).min()
    }
}
