//! Who may send to a route, and how often: what is looked at beside the secret.

use super::Answer;
use super::failures::Failures;
use crate::bucket::Bucket;
use crate::config::{Network, Rate};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// The gate of one route.
#[derive(Debug)]
pub struct Gate {
    allow_from: Vec<Network>,
    rate: Option<Mutex<Bucket>>,
    failures: Option<Failures>,
}

impl Gate {
    /// A gate that lets these addresses in (none named: all), at this rate, and tells of so many wrong secrets.
    #[must_use]
    pub fn new(allow_from: Vec<Network>, rate_limit: Option<Rate>, sign_in_failures: Option<Rate>) -> Self {
        let now = Instant::now();
        Self {
            allow_from,
            rate: rate_limit.map(|rate| Mutex::new(Bucket::new(rate, now))),
            failures: sign_in_failures.map(Failures::new),
        }
    }

    /// Refuses an address that is not among those that may send.
    pub(super) fn check_address(&self, from: Option<IpAddr>) -> Result<(), Answer> {
        let is_allowed = |address| self.allow_from.iter().any(|network| network.contains(address));
        if self.allow_from.is_empty() || from.is_some_and(is_allowed) { Ok(()) } else { Err(Answer::forbidden()) }
    }

    /// Refuses a hook when too many came. Only those that have proved themselves count, so that strangers cannot use up what
    /// the forge is allowed.
    pub(super) fn check_rate(&self) -> Result<(), Answer> {
        let Some(bucket) = &self.rate else { return Ok(()) };
        // A bucket is whole after every step: one that another thread left is as good as any.
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.take(Instant::now()).map_err(Answer::too_many)
    }

    /// What somebody gets who did not prove themselves: 401, or 429 when that happens too often.
    pub(super) fn refuse_stranger(&self, from: Option<IpAddr>, answer: Answer) -> Answer {
        let wait =
            self.failures.as_ref().zip(from).and_then(|(failures, from)| failures.count(from, Instant::now()).err());
        wait.map_or(answer, Answer::too_many_failures)
    }
}
