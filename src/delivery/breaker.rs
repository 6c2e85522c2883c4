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
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// Since when, where it was open before.
    Closed {
        failures: u32,
        since: Option<Instant>,
    },
    Open {
        probes: u32,
        next: Instant,
        is_probing: bool,
    },
}

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
        Self { limit, longest, state: Mutex::new(State::Closed { failures: 0, since: None }) }
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

    /// Gives a permit to probe back: there was nothing to send.
    pub(super) fn give_back(&self) {
        if let State::Open { is_probing, .. } = &mut *self.state() {
            *is_probing = false;
        }
    }

    /// Whether it is closed, and has been for so long, where it was open before.
    pub(super) fn is_closed_for(&self, time: Duration, now: Instant) -> bool {
        match *self.state() {
            State::Closed { since, .. } => since.is_none_or(|since| now.saturating_duration_since(since) >= time),
            State::Open { .. } => false,
        }
    }

    /// Counts an attempt: whether the destination showed that it is there, and how long it asks to be left alone.
    pub(super) fn record(&self, is_there: bool, was_probe: bool, asked: Option<Duration>, now: Instant) -> Change {
        let asked = asked.unwrap_or_default();
        let mut state = self.state();
        match (&mut *state, is_there) {
            (State::Closed { failures, .. }, true) => {
                *failures = 0;
                Change::None
            }
            (State::Closed { failures, .. }, false) => {
                *failures = failures.saturating_add(1);
                if self.limit.is_none_or(|limit| *failures < limit) {
                    return Change::None;
                }
                let next = now + FIRST_PROBE.min(self.longest).max(asked);
                *state = State::Open { probes: 0, next, is_probing: false };
                Change::Opened
            }
            (State::Open { .. }, true) => {
                *state = State::Closed { failures: 0, since: Some(now) };
                Change::Closed
            }
            (State::Open { probes, next, is_probing }, false) if was_probe => {
                *probes = probes.saturating_add(1);
                let wait = FIRST_PROBE.saturating_mul(1_u32.checked_shl(*probes).unwrap_or(u32::MAX)).min(self.longest);
                let wait = wait.max(asked);
                (*next, *is_probing) = (now + wait, false);
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

    #[test]
    fn opens_after_failures_in_a_row_and_closes_when_a_probe_arrives() {
        let (breaker, start) = (Breaker::new(Some(3), 30 * SECOND), Instant::now());
        for there in [false, false, true, false, false] {
            assert_eq!(breaker.record(there, false, None, start), Change::None);
        }
        assert_eq!(breaker.permit(start), Permit::Send);
        assert_eq!(breaker.record(false, false, None, start), Change::Opened);
        assert_eq!(breaker.record(false, false, None, start), Change::None, "one that was under way");
        assert_eq!(breaker.permit(start + SECOND), Permit::Wait(4 * SECOND));
        let mut now = start + 5 * SECOND;
        assert_eq!([breaker.look(now), breaker.look(now)], [Permit::Probe; 2], "a look takes nothing");
        for wait in [10, 20, 30, 30] {
            assert_eq!(breaker.permit(now), Permit::Probe);
            assert_eq!(breaker.permit(now), Permit::Wait(30 * SECOND), "one at a time");
            assert_eq!(breaker.record(false, true, None, now), Change::ProbeFailed(wait * SECOND));
            now += wait * SECOND;
        }
        assert_eq!(breaker.permit(now), Permit::Probe);
        breaker.give_back();
        assert_eq!(breaker.permit(now), Permit::Probe);
        assert_eq!(breaker.record(true, true, None, now), Change::Closed);
        assert_eq!(breaker.permit(now), Permit::Send);
    }

    #[test]
    fn a_destination_that_asks_to_be_left_alone_is_not_probed_before() {
        let (breaker, start) = (Breaker::new(Some(1), 30 * SECOND), Instant::now());
        assert_eq!(breaker.record(false, false, Some(60 * SECOND), start), Change::Opened);
        assert_eq!(breaker.permit(start + 59 * SECOND), Permit::Wait(SECOND));
        let now = start + 60 * SECOND;
        assert_eq!(breaker.permit(now), Permit::Probe);
        assert_eq!(breaker.record(false, true, Some(90 * SECOND), now), Change::ProbeFailed(90 * SECOND));
        assert_eq!(breaker.permit(now + 89 * SECOND), Permit::Wait(SECOND));
    }

    #[test]
    fn it_knows_since_when_it_is_closed_again() {
        let (breaker, start) = (Breaker::new(Some(1), SECOND), Instant::now());
        assert!(breaker.is_closed_for(SECOND, start));
        breaker.record(false, false, None, start);
        assert!(!breaker.is_closed_for(Duration::ZERO, start));
        breaker.record(true, true, None, start + SECOND);
        assert!(!breaker.is_closed_for(SECOND, start + SECOND));
        assert!(breaker.is_closed_for(SECOND, start + 2 * SECOND));
    }

    #[test]
    fn a_breaker_without_limit_never_opens() {
        let (breaker, now) = (Breaker::new(None, SECOND), Instant::now());
        for _ in 0..1_000 {
            assert_eq!(breaker.record(false, false, None, now), Change::None);
        }
        assert_eq!(breaker.permit(now), Permit::Send);
    }
}
