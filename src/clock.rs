//! A clock that never goes back: what is due later must not wait for a day because somebody set the system's clock.

use jiff::{SignedDuration, Timestamp};
use std::time::Instant;

/// The time of the system when the process began, and what has passed since.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    began: Timestamp,
    since: Instant,
}

impl Clock {
    /// Starts with the time of the system.
    #[must_use]
    pub fn start() -> Self {
        Self { began: Timestamp::now(), since: Instant::now() }
    }

    /// The time now. Times of one clock are in order, whatever becomes of the system's.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.since.elapsed()).unwrap_or(SignedDuration::MAX);
        self.began.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }
}
