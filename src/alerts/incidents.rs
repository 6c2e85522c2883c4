//! Troubles from their beginning to their end: however much happens between, they begin once and end once. Those of
//! destinations that fail and succeed in turn go on until that has been over for a while.

use crate::config::Trouble;
use crate::feed::{Happening, Told};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use uuid::Uuid;

/// The most of a reason that is told, in characters.
const MOST_REASON: usize = 1000;
/// The most faults of refused files that are told; the log has them all.
const MOST_FAULTS: usize = 5;
/// The first status that says that a destination is not well; below it somebody answers.
const FIRST_UNWELL: u16 = 500;

/// What is in trouble.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// Deliveries to a destination fail.
    Failed(String),
    /// The breaker of a destination is open.
    Breaker(String),
    /// Changed files are refused: `mappings` or `configuration`.
    Reload(String),
    /// The disk of the store.
    Disk,
    /// The store.
    Store,
}

/// One trouble.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Incident {
    pub(super) id: Uuid,
    pub(super) key: Key,
    pub(super) since: Timestamp,
    /// Since when it is over; none as long as it is not.
    pub(super) until: Option<Timestamp>,
    /// Why it began.
    pub(super) reason: String,
    /// How it ended.
    pub(super) recovery: String,
    /// How often it happened: how many deliveries failed, how often files were refused.
    pub(super) count: u64,
    /// The hook whose delivery failed first, and its event.
    pub(super) first: Option<(Uuid, String)>,
}

/// What something that was told changed.
#[derive(Debug, PartialEq)]
pub(super) enum Change {
    Nothing,
    Began,
    /// It was over, but not for long enough.
    GoesOn,
    Over(Box<Incident>),
}

/// What is in trouble now, by the metrics; and why, as far as they say it.
#[derive(Debug, Default)]
pub(super) struct Present(pub(super) BTreeMap<Key, String>);

/// The troubles that are not over for good.
#[derive(Debug, Default)]
pub(super) struct Incidents {
    /// How long a destination must be out of trouble before that is told.
    pub(super) calm: Duration,
    /// With a time in `until`: those that are over, if nothing happens for a while.
    open: BTreeMap<Key, Incident>,
    /// The destinations in force. What is told of others comes from workers that finish something.
    known: BTreeSet<String>,
    /// The destinations whose workers were replaced while the breaker was open. It begins closed where the address or a limit
    /// has changed, and nobody says anything when it stays so.
    doubtful: BTreeSet<String>,
}

impl Key {
    pub(super) fn trouble(&self) -> Trouble {
        match self {
            Self::Failed(_) => Trouble::Failed,
            Self::Breaker(_) => Trouble::Breaker,
            Self::Reload(_) => Trouble::Reload,
            Self::Disk => Trouble::Disk,
            Self::Store => Trouble::Store,
        }
    }

    pub(super) fn destination(&self) -> Option<&str> {
        match self {
            Self::Failed(destination) | Self::Breaker(destination) => Some(destination),
            _ => None,
        }
    }

    /// Whether it can come and go with each delivery; the others have a calm of their own, or are done by hand.
    fn comes_and_goes(&self) -> bool {
        self.destination().is_some()
    }
}

impl Incidents {
    pub(super) fn of(destinations: BTreeSet<String>, calm: Duration) -> Self {
        Self { known: destinations, calm, ..Self::default() }
    }

    /// All that are not over.
    pub(super) fn open(&self) -> impl Iterator<Item = &Incident> {
        self.open.values().filter(|incident| incident.until.is_none())
    }

    /// How long until one has been over for long enough, if there is one.
    pub(super) fn wait(&self, now: Timestamp) -> Option<Duration> {
        self.open.values().filter_map(|incident| incident.until).map(|until| self.left(until, now)).min()
    }

    /// Gives what has been over for long enough.
    pub(super) fn settle(&mut self, now: Timestamp) -> Vec<Incident> {
        let has_settled = |incident: &&Incident| incident.until.is_some_and(|until| self.left(until, now).is_zero());
        let settled: Vec<Key> = self.open.values().filter(has_settled).map(|own| own.key.clone()).collect();
        settled.iter().filter_map(|key| self.open.remove(key)).collect()
    }

    /// Gives what is over, for however short a time: nobody will hear whether it stays so.
    pub(super) fn settle_all(&mut self, now: Timestamp) -> Vec<Incident> {
        self.calm = Duration::ZERO;
        self.settle(now)
    }

    /// How much longer it must stay over. A clock that was set back holds up nothing.
    fn left(&self, until: Timestamp, now: Timestamp) -> Duration {
        Duration::try_from(now.duration_since(until)).map_or(Duration::ZERO, |passed| self.calm.saturating_sub(passed))
    }

    /// The destinations in force.
    pub(super) fn known(&self) -> &BTreeSet<String> {
        &self.known
    }

    /// Takes in what happened.
    pub(super) fn hear(&mut self, told: &Told) -> Change {
        let at = told.at;
        match &told.happening {
            Happening::Ended { destination, .. } | Happening::Breaker { destination, .. }
                if !self.known.contains(destination) =>
            {
                Change::Nothing
            }
            Happening::Ended { hook, destination, event, state, reason, .. } => {
                let key = Key::Failed(destination.clone());
                match state.as_str() {
                    "failed" => {
                        let first = Some((*hook, event.clone()));
                        self.begin(key, at, reason.as_deref().unwrap_or_default(), first)
                    }
                    "delivered" => self.end(&key, at, ""),
                    _ => Change::Nothing,
                }
            }
            Happening::Breaker { destination, is_open, error } => {
                self.doubtful.remove(destination);
                self.set(Key::Breaker(destination.clone()), *is_open, at, error)
            }
            // Each answer closes the breaker. It may be that of the worker before, which says nothing any more.
            Happening::Attempt { destination, status: Some(0..FIRST_UNWELL), .. } => {
                self.doubtful.remove(destination);
                self.end(&Key::Breaker(destination.clone()), at, "")
            }
            Happening::Reload { what, faults } => {
                self.set(Key::Reload(what.clone()), !faults.is_empty(), at, &few(faults))
            }
            Happening::Disk { is_short, free_bytes, total_bytes, .. } => {
                let free = format!("{} of {} are free", size(*free_bytes), size(*total_bytes));
                self.set(Key::Disk, *is_short, at, &free)
            }
            Happening::Store { is_down, reason } => self.set(Key::Store, *is_down, at, reason),
            Happening::Hook { .. } | Happening::Attempt { .. } => Change::Nothing,
        }
    }

    /// Takes in what is so now, after something that happened was missed; gives what is over.
    pub(super) fn see(&mut self, present: &Present, at: Timestamp) -> Vec<Incident> {
        let is_over = |key: &Key| match key {
            // Its new worker does not know that the destination did not answer the one before.
            Key::Breaker(destination) if self.doubtful.contains(destination) => false,
            key => !present.0.contains_key(key),
        };
        let over: Vec<Key> = self.open.keys().filter(|key| is_over(key)).cloned().collect();
        let over = over.iter().filter_map(|key| self.calm_down(key, at, "")).collect();
        for (key, reason) in &present.0 {
            if self.open.get(key).is_none_or(|incident| incident.until.is_some()) {
                self.begin(key.clone(), at, reason, None);
            }
        }
        over
    }

    /// Other destinations are in force; gives what is over as its destination is gone.
    pub(super) fn replace(&mut self, destinations: BTreeSet<String>, at: Timestamp) -> Vec<Incident> {
        self.known = destinations;
        let is_gone = |key: &&Key| key.destination().is_some_and(|name| !self.known.contains(name));
        let gone: Vec<Key> = self.open.keys().filter(is_gone).cloned().collect();
        let over = gone.iter().filter_map(|key| self.take(key, at, "destination removed")).collect();
        let broken = self.open().map(|incident| &incident.key).filter(|key| key.trouble() == Trouble::Breaker);
        self.doubtful = broken.filter_map(Key::destination).map(str::to_owned).collect();
        over
    }

    fn set(&mut self, key: Key, is_in_trouble: bool, at: Timestamp, reason: &str) -> Change {
        if is_in_trouble { self.begin(key, at, reason, None) } else { self.end(&key, at, reason) }
    }

    fn begin(&mut self, key: Key, since: Timestamp, reason: &str, first: Option<(Uuid, String)>) -> Change {
        if let Some(incident) = self.open.get_mut(&key) {
            incident.count += 1;
            incident.recovery.clear();
            return if incident.until.take().is_some() { Change::GoesOn } else { Change::Nothing };
        }
        let (reason, recovery) = (shortened(reason), String::new());
        let incident =
            Incident { id: Uuid::now_v7(), key: key.clone(), since, until: None, reason, recovery, count: 1, first };
        self.open.insert(key, incident);
        Change::Began
    }

    fn end(&mut self, key: &Key, until: Timestamp, recovery: &str) -> Change {
        self.calm_down(key, until, recovery).map_or(Change::Nothing, |over| Change::Over(Box::new(over)))
    }

    /// It is over; gives it when that need not be so for a while.
    fn calm_down(&mut self, key: &Key, until: Timestamp, recovery: &str) -> Option<Incident> {
        if self.calm.is_zero() || !key.comes_and_goes() {
            return self.take(key, until, recovery);
        }
        let incident = self.open.get_mut(key).filter(|incident| incident.until.is_none())?;
        (incident.until, incident.recovery) = (Some(until), shortened(recovery));
        None
    }

    fn take(&mut self, key: &Key, until: Timestamp, recovery: &str) -> Option<Incident> {
        let incident = self.open.remove(key)?;
        if incident.until.is_some() {
            // It was over before, and by itself.
            return Some(incident);
        }
        Some(Incident { until: Some(until), recovery: shortened(recovery), ..incident })
    }
}

/// The first of many faults.
fn few(faults: &[String]) -> String {
    let mut lines: Vec<String> = faults.iter().take(MOST_FAULTS).cloned().collect();
    let more = faults.len().saturating_sub(MOST_FAULTS);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

/// A text that is short enough for a chat.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_REASON) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A number of bytes as a person reads it.
pub(super) fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let (mut whole, mut tenths, mut unit) = (bytes, 0, "bytes");
    for next in units {
        if whole < 1024 {
            break;
        }
        (tenths, whole, unit) = (whole % 1024 * 10 / 1024, whole / 1024, next);
    }
    if unit == "bytes" || whole >= 100 { format!("{whole} {unit}") } else { format!("{whole}.{tenths} {unit}") }
}

#[cfg(test)]
mod tests;
