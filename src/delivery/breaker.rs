//! Stops sending to a destination that does not answer, and looks now and then whether it is back.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long after it opened the first probe is sent; each further one waits twice as long, up to a longest time.
const FIRST_PROBE: Duration = Duration::from_secs(5);

/// The breaker of one destination.
#[derive(Debug)]
pub(super) struct Breaker {
    /// After how many failures in a row it opens; `None`: never.
    limit: Option<u32>,
    /// The longest time between two probes.
    longest: Duration,
    /// When it was made.
    made: Instant,
    /// When the destination showed last that it was there.
    seen: Mutex<Option<Instant>>,
    state: Mutex<State>,
}

/// Which hooks are to blame themselves for not being taken, and not a destination that was away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Blame {
    /// Those that had taken too long by then; `None`: by now.
    pub(super) late_at: Option<Instant>,
    /// Those that were tried then or later.
    pub(super) tried_since: Instant,
}

#[derive(Debug)]
enum State {
    Closed {
        failures: u32,
        /// Since when the destination has been there; `None` while it has not shown that.
        there: Option<Instant>,
    },
    Open {
        probes: u32,
        next: Instant,
        is_probing: bool,
        /// Whether the destination answered last, if only to say that something is wrong with it.
        answers: bool,
    },
}

/// Every so many probes are of hooks that wait behind others: often where the destination answers, and it may be the hook that
/// is wrong with it; seldom where it is likely away, as one that is taken then has overtaken those before it.
const BEHIND_WHERE_IT_ANSWERS: u32 = 2;
const BEHIND: u32 = 10;

/// Whether something may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permit {
    /// As usual.
    Send,
    /// One delivery, to see whether the destination is back.
    Probe,
    /// Not before this time.
    Wait(Duration),
}

/// What an attempt showed of a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Showed {
    /// Whether it is there, whatever it thinks of the hook.
    pub(super) is_there: bool,
    /// Whether it answered by itself, and not something that stands before it.
    pub(super) answers: bool,
    /// How long it asks to be left alone.
    pub(super) asked: Duration,
}

/// What an attempt did to the breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Opened,
    Closed,
    /// A probe failed; the next comes after so long.
    ProbeFailed(Duration),
    None,
}

impl State {
    fn permit(&self, longest: Duration, now: Instant) -> Permit {
        match self {
            Self::Closed { .. } => Permit::Send,
            Self::Open { is_probing: true, .. } => Permit::Wait(longest),
            Self::Open { next, .. } if *next > now => Permit::Wait(next.duration_since(now)),
            Self::Open { .. } => Permit::Probe,
        }
    }
}

impl Breaker {
    pub(super) fn new(limit: Option<u32>, longest: Duration) -> Self {
        let (made, state) = (Instant::now(), State::Closed { failures: 0, there: None });
        Self { limit, longest, made, seen: Mutex::default(), state: Mutex::new(state) }
    }

    /// Whether it was made for these settings.
    pub(super) fn fits(&self, limit: Option<u32>, longest: Duration) -> bool {
        (self.limit, self.longest) == (limit, longest)
    }

    /// Whether only probes are sent.
    pub(super) fn is_open(&self) -> bool {
        matches!(*self.state(), State::Open { .. })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What may be sent, without making use of it.
    pub(super) fn look(&self, now: Instant) -> Permit {
        self.state().permit(self.longest, now)
    }

    /// What may be sent; who gets to probe must tell what came of it, or give that back.
    pub(super) fn permit(&self, now: Instant) -> Permit {
        let mut state = self.state();
        let permit = state.permit(self.longest, now);
        if let (State::Open { is_probing, .. }, Permit::Probe) = (&mut *state, permit) {
            *is_probing = true;
        }
        permit
    }

    /// Whether the next probe is one of a hook that waits behind another.
    pub(super) fn looks_behind(&self) -> bool {
        match *self.state() {
            State::Open { probes, answers, .. } => {
                let every = if answers { BEHIND_WHERE_IT_ANSWERS } else { BEHIND };
                probes % every == every - 1
            }
            State::Closed { .. } => false,
        }
    }

    /// Gives a permit to probe back: there was nothing to send.
    pub(super) fn give_back(&self) {
        if let State::Open { is_probing, .. } = &mut *self.state() {
            *is_probing = false;
        }
    }

    /// Which hooks are to blame: those that were tried in vain after the destination had come back. While it is away, those
    /// that had taken too long when it was seen last, and were tried in vain after that. Where it has shown nothing yet,
    /// nobody is for so long.
    pub(super) fn blame(&self, patience: Duration, now: Instant) -> Option<Blame> {
        let tried = |tried_since| Blame { late_at: None, tried_since };
        match *self.state() {
            State::Closed { there: Some(there), .. } => Some(tried(there)),
            State::Closed { .. } => (now.saturating_duration_since(self.made) >= patience).then(|| tried(self.made)),
            State::Open { .. } => {
                let seen = (*self.seen())?;
                Some(Blame { late_at: Some(seen), tried_since: seen })
            }
        }
    }

    fn seen(&self) -> MutexGuard<'_, Option<Instant>> {
        // No code panics while it holds the lock.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an attempt, and what it showed of the destination.
    pub(super) fn record(&self, showed: Showed, was_probe: bool, now: Instant) -> Change {
        let Showed { is_there, answers, asked } = showed;
        let mut state = self.state();
        match (&mut *state, is_there) {
            (State::Closed { failures, there }, true) => {
                *failures = 0;
                there.get_or_insert(now);
                *self.seen() = Some(now);
                Change::None
            }
            (State::Closed { failures, .. }, false) => {
                *failures = failures.saturating_add(1);
                if self.limit.is_none_or(|limit| *failures < limit) {
                    return Change::None;
                }
                let next = now + FIRST_PROBE.min(self.longest).max(asked);
                *state = State::Open { probes: 0, next, is_probing: false, answers };
                Change::Opened
            }
            (State::Open { .. }, true) => {
                *self.seen() = Some(now);
                *state = State::Closed { failures: 0, there: Some(now) };
                Change::Closed
            }
            (State::Open { probes, next, is_probing, answers: before }, false) if was_probe => {
                *probes = probes.saturating_add(1);
                let wait = FIRST_PROBE.saturating_mul(1_u32.checked_shl(*probes).unwrap_or(u32::MAX)).min(self.longest);
                let wait = wait.max(asked);
                (*next, *is_probing, *before) = (now + wait, false, answers);
                Change::ProbeFailed(wait)
            }
            // It began before the breaker opened.
            (State::Open { .. }, false) => Change::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn showed(is_there: bool) -> Showed {
        Showed { is_there, answers: is_there, asked: Duration::ZERO }
    }

    #[test]
    fn it_looks_behind_now_and_then() {
        for (answers, every) in [(true, 2), (false, 10)] {
            let (breaker, start) = (Breaker::new(Some(1), SECOND), Instant::now());
            let failed = Showed { answers, ..showed(false) };
            assert!(!breaker.looks_behind());
            breaker.record(failed, false, start);
            let behind = (0..20).map(|_| {
                let looks = breaker.looks_behind();
                breaker.record(failed, true, start);
                looks
            });
            assert_eq!(behind.filter(|looks| *looks).count(), 20 / every);
        }
    }

    #[test]
    fn opens_after_failures_in_a_row_and_closes_when_a_probe_arrives() {
        let (breaker, start) = (Breaker::new(Some(3), 30 * SECOND), Instant::now());
        for there in [false, false, true, false, false] {
            assert_eq!(breaker.record(showed(there), false, start), Change::None);
        }
        assert_eq!(breaker.permit(start), Permit::Send);
        assert_eq!(breaker.record(showed(false), false, start), Change::Opened);
        assert_eq!(breaker.record(showed(false), false, start), Change::None, "one that was under way");
        assert_eq!(breaker.permit(start + SECOND), Permit::Wait(4 * SECOND));
        let mut now = start + 5 * SECOND;
        assert_eq!([breaker.look(now), breaker.look(now)], [Permit::Probe; 2], "a look takes nothing");
        for wait in [10, 20, 30, 30] {
            assert_eq!(breaker.permit(now), Permit::Probe);
            assert_eq!(breaker.permit(now), Permit::Wait(30 * SECOND), "one at a time");
            assert_eq!(breaker.record(showed(false), true, now), Change::ProbeFailed(wait * SECOND));
            now += wait * SECOND;
        }
        assert_eq!(breaker.permit(now), Permit::Probe);
        breaker.give_back();
        assert_eq!(breaker.permit(now), Permit::Probe);
        assert_eq!(breaker.record(showed(true), true, now), Change::Closed);
        assert_eq!(breaker.permit(now), Permit::Send);
    }

    #[test]
    fn a_destination_that_asks_to_be_left_alone_is_not_probed_before() {
        let (breaker, start) = (Breaker::new(Some(1), 30 * SECOND), Instant::now());
        assert_eq!(breaker.record(Showed { asked: 60 * SECOND, ..showed(false) }, false, start), Change::Opened);
        assert_eq!(breaker.permit(start + 59 * SECOND), Permit::Wait(SECOND));
        let now = start + 60 * SECOND;
        assert_eq!(breaker.permit(now), Permit::Probe);
        assert_eq!(
            breaker.record(Showed { asked: 90 * SECOND, ..showed(false) }, true, now),
            Change::ProbeFailed(90 * SECOND)
        );
        assert_eq!(breaker.permit(now + 89 * SECOND), Permit::Wait(SECOND));
    }

    #[test]
    fn it_knows_which_hooks_are_to_blame() {
        let (breaker, start) = (Breaker::new(Some(1), SECOND), Instant::now());
        assert_eq!(breaker.blame(60 * SECOND, start), None, "it has shown nothing yet");
        let early = breaker.blame(60 * SECOND, start + 61 * SECOND).expect("it had its time");
        assert!(early.tried_since <= start && early.late_at.is_none());
        breaker.record(showed(true), false, start);
        let first = breaker.blame(60 * SECOND, start).expect("it has shown that it is there");
        breaker.record(showed(true), false, start + SECOND);
        assert_eq!(breaker.blame(60 * SECOND, start), Some(first));
        breaker.record(showed(false), false, start + 2 * SECOND);
        let away = breaker.blame(Duration::ZERO, start).expect("it was seen before");
        assert!(away.late_at == Some(start + SECOND) && away.tried_since >= first.tried_since);
        breaker.record(showed(true), true, start + 3 * SECOND);
        let again = breaker.blame(60 * SECOND, start).expect("it is there");
        assert!(again.late_at.is_none() && again.tried_since >= away.tried_since);
    }

    #[test]
    fn a_breaker_without_limit_never_opens() {
        let (breaker, now) = (Breaker::new(None, SECOND), Instant::now());
        for _ in 0..1_000 {
            assert_eq!(breaker.record(showed(false), false, now), Change::None);
        }
        assert_eq!(breaker.permit(now), Permit::Send);
    }
}
