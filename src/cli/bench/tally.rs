//! What became of each hook.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

/// What was answered to a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// 200: it is on its way.
    Accepted,
    /// 200: nobody gets it.
    Ignored,
    /// Another status.
    Refused(u16),
    /// None, and why.
    None(String),
}

#[derive(Debug, Clone, Copy, Default)]
struct Fate {
    accepted: Option<Instant>,
    arrived: Option<Instant>,
}

/// The count of everything.
#[derive(Debug)]
pub(super) struct Tally {
    fates: Vec<Fate>,
    /// Whether a hook is known again where it arrives; else arrivals are only counted.
    marked: bool,
    /// By status.
    pub(super) answers: BTreeMap<u16, usize>,
    pub(super) accepted: usize,
    pub(super) ignored: usize,
    pub(super) unanswered: usize,
    /// Why the first of them is.
    pub(super) why_unanswered: Option<String>,
    /// How long each answer took.
    pub(super) took: Vec<Duration>,
    /// When the last answer came.
    pub(super) last_answer: Option<Instant>,
    /// Of accepted hooks that have not arrived, where hooks are known again.
    awaited: usize,
    /// Different hooks that arrived.
    pub(super) arrived: usize,
    /// When the last of them did.
    pub(super) last_arrival: Option<Instant>,
    /// What arrived again.
    pub(super) duplicates: usize,
    /// What arrived and is none of this run.
    pub(super) strangers: usize,
    last_request: Option<Instant>,
    keys: HashSet<Box<str>>,
}

impl Tally {
    pub(super) fn new(hooks: u32, marked: bool) -> Self {
        let hooks = usize::try_from(hooks).unwrap_or(usize::MAX);
        Self {
            fates: vec![Fate::default(); hooks],
            marked,
            answers: BTreeMap::new(),
            accepted: 0,
            ignored: 0,
            unanswered: 0,
            why_unanswered: None,
            took: Vec::with_capacity(hooks),
            last_answer: None,
            awaited: 0,
            arrived: 0,
            last_arrival: None,
            duplicates: 0,
            strangers: 0,
            last_request: None,
            keys: HashSet::new(),
        }
    }

    /// Notes the answer to a hook.
    pub(super) fn answered(&mut self, hook: u32, answer: &Answer, begun: Instant, now: Instant) {
        let status = match answer {
            Answer::None(why) => {
                self.unanswered += 1;
                self.why_unanswered.get_or_insert_with(|| why.clone());
                return;
            }
            Answer::Refused(status) => *status,
            Answer::Accepted | Answer::Ignored => 200,
        };
        *self.answers.entry(status).or_default() += 1;
        self.took.push(now.saturating_duration_since(begun));
        self.last_answer = Some(now);
        self.ignored += usize::from(*answer == Answer::Ignored);
        if *answer == Answer::Accepted {
            self.accepted += 1;
            if let Some(fate) = fate(&mut self.fates, hook) {
                fate.accepted = Some(now);
                self.awaited += usize::from(fate.arrived.is_none());
            }
        }
    }

    /// Notes a request at the sink: the number of its hook, if it has one of this run, and the key of its delivery.
    pub(super) fn arrived(&mut self, hook: Option<u32>, key: Option<Box<str>>, now: Instant) {
        self.last_request = Some(now);
        let fate = hook.and_then(|hook| fate(&mut self.fates, hook));
        if self.marked && fate.is_none() {
            self.strangers += 1;
            return;
        }
        let has_arrived = fate.as_ref().is_some_and(|fate| fate.arrived.is_some());
        let again = key.map_or(has_arrived, |key| !self.keys.insert(key));
        self.duplicates += usize::from(again);
        if has_arrived || (again && !self.marked) {
            return;
        }
        self.arrived += 1;
        self.last_arrival = Some(now);
        if let Some(fate) = fate {
            fate.arrived = Some(now);
            self.awaited -= usize::from(fate.accepted.is_some());
        }
    }

    /// How many accepted hooks have not arrived.
    pub(super) fn missing(&self) -> usize {
        if self.marked { self.awaited } else { self.accepted.saturating_sub(self.arrived) }
    }

    /// When something came to the sink last.
    pub(super) fn last_request(&self) -> Option<Instant> {
        self.last_request
    }

    /// How long after its 200 each hook arrived; nothing where hooks are not known again. A proxy that answers only after
    /// it has passed the hook on is not waited for at all.
    pub(super) fn delays(&self) -> Vec<Duration> {
        let both = |fate: &Fate| Some(fate.arrived?.saturating_duration_since(fate.accepted?));
        self.fates.iter().filter_map(both).collect()
    }
}

fn fate(fates: &mut [Fate], hook: u32) -> Option<&mut Fate> {
    fates.get_mut(usize::try_from(hook).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_hooks_that_do_not_arrive_are_missing() {
        let mut tally = Tally::new(5, true);
        let now = Instant::now();
        let later = now + Duration::from_millis(7);
        for hook in 0..3 {
            tally.answered(hook, &Answer::Accepted, now, now);
        }
        tally.answered(3, &Answer::Refused(503), now, now);
        tally.answered(4, &Answer::None("ahoy".to_owned()), now, now);
        assert_eq!(tally.missing(), 3);
        tally.arrived(Some(1), Some("one".into()), later);
        // Again, then one that was not accepted, then one of another run and one of no run.
        tally.arrived(Some(1), Some("one".into()), later);
        tally.arrived(Some(3), Some("three".into()), later);
        tally.arrived(Some(5), Some("five".into()), later);
        tally.arrived(None, None, later);
        assert_eq!((tally.missing(), tally.arrived, tally.duplicates, tally.strangers), (2, 2, 1, 2));
        assert_eq!((tally.accepted, tally.unanswered, &tally.answers), (3, 1, &BTreeMap::from([(200, 3), (503, 1)])));
        assert_eq!(tally.delays(), [Duration::from_millis(7)]);
    }

    #[test]
    fn a_hook_may_arrive_before_its_answer() {
        let mut tally = Tally::new(1, true);
        let now = Instant::now();
        tally.arrived(Some(0), None, now);
        tally.answered(0, &Answer::Accepted, now, now + Duration::from_millis(1));
        assert_eq!((tally.missing(), tally.delays()), (0, vec![Duration::ZERO]));
        tally.arrived(Some(0), None, now);
        assert_eq!((tally.arrived, tally.duplicates), (1, 1));
    }

    #[test]
    fn hooks_without_a_mark_are_counted_by_their_keys() {
        let mut tally = Tally::new(2, false);
        let now = Instant::now();
        tally.answered(0, &Answer::Accepted, now, now);
        tally.answered(1, &Answer::Accepted, now, now);
        tally.arrived(None, Some("one".into()), now);
        tally.arrived(None, Some("one".into()), now);
        assert_eq!((tally.missing(), tally.arrived, tally.duplicates), (1, 1, 1));
        tally.arrived(None, Some("other".into()), now);
        assert_eq!((tally.missing(), tally.delays()), (0, Vec::new()));
    }
}
