//! What a destination's limits leave: its breaker, its rate, its places. They outlive its worker: a configuration that is
//! read again must not make a tool forget that it asked to be left alone.

use super::breaker::{self, Breaker};
use super::worker::Permit;
use crate::bucket::Bucket;
use crate::config::{Destination, HiddenUrl, Rate};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Semaphore;

pub(super) struct Limits {
    pub(super) breaker: Breaker,
    rate: Option<Mutex<Bucket>>,
    /// A place for each attempt that may run at once.
    pub(super) slots: Arc<Semaphore>,
    /// Whether others are in their place, for another address or other settings: then nobody is told of them any more.
    is_replaced: AtomicBool,
    /// What they were made for.
    url: HiddenUrl,
    rate_limit: Option<Rate>,
    concurrency: usize,
}

impl Limits {
    fn new(destination: &Destination) -> Self {
        let rate_limit = destination.queueing.rate_limit;
        Self {
            breaker: Breaker::new(destination.queueing.breaker, destination.queueing.probe),
            rate: rate_limit.map(|rate| Mutex::new(Bucket::new(rate, Instant::now()))),
            slots: Arc::new(Semaphore::new(destination.concurrency)),
            is_replaced: AtomicBool::new(false),
            url: destination.url.clone(),
            rate_limit,
            concurrency: destination.concurrency,
        }
    }

    fn fit(&self, destination: &Destination) -> bool {
        self.url == destination.url
            && self.rate_limit == destination.queueing.rate_limit
            && self.concurrency == destination.concurrency
            && self.breaker.fits(destination.queueing.breaker, destination.queueing.probe)
    }

    /// Whether they are in force.
    pub(super) fn are_in_force(&self) -> bool {
        !self.is_replaced.load(Ordering::Relaxed)
    }

    /// What they let happen now, without making use of it.
    pub(super) fn permit(&self, now: Instant) -> Permit {
        let left = self.rate().map_or(Ok(usize::MAX), |rate| rate.left(now));
        match (left, self.breaker.look(now)) {
            (Err(pause), _) | (_, breaker::Permit::Wait(pause)) => Permit::Wait(pause),
            (_, breaker::Permit::Probe) => Permit::Probe,
            (Ok(left), breaker::Permit::Send) => Permit::Send(left),
        }
    }

    /// Makes use of them for one attempt, if they let it happen now; says whether it is a probe.
    pub(super) fn begin(&self, now: Instant) -> Option<bool> {
        let mut rate = self.rate();
        if rate.as_ref().is_some_and(|rate| rate.left(now).is_err()) {
            return None;
        }
        let is_probe = match self.breaker.permit(now) {
            breaker::Permit::Send => false,
            breaker::Permit::Probe => true,
            breaker::Permit::Wait(_) => return None,
        };
        if let Some(rate) = &mut rate {
            // There was one a moment ago, and it is locked.
            let _ = rate.take(now);
        }
        Some(is_probe)
    }

    fn rate(&self) -> Option<MutexGuard<'_, Bucket>> {
        // No code panics while it holds the lock.
        self.rate.as_ref().map(|rate| rate.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The limits of all destinations, by name.
#[derive(Default)]
pub(super) struct AllLimits(HashMap<String, Arc<Limits>>);

impl AllLimits {
    /// Those of a destination: as they are, unless its settings have changed.
    pub(super) fn of(&mut self, destination: &Destination) -> Arc<Limits> {
        let known = self.0.get(&destination.name).filter(|known| known.fit(destination));
        if let Some(known) = known {
            return Arc::clone(known);
        }
        let new = Arc::new(Limits::new(destination));
        if let Some(before) = self.0.insert(destination.name.clone(), Arc::clone(&new)) {
            before.is_replaced.store(true, Ordering::Relaxed);
        }
        new
    }

    /// Forgets those of destinations that are gone.
    pub(super) fn keep(&mut self, names: &[&str]) {
        self.0.retain(|name, limits| {
            let stays = names.contains(&name.as_str());
            limits.is_replaced.fetch_or(!stays, Ordering::Relaxed);
            stays
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use std::collections::HashMap;

    fn destination(url: &str) -> Arc<Destination> {
        let variables = [("HOOKGLOT_TO", url), ("HOOKGLOT_FORMAT", "gitlab"), ("HOOKGLOT_SECRET", "none")];
        let variables: HashMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let settings = config::load(&config::Flags::default(), &variables).expect("sound");
        Arc::new(settings.routes.into_iter().next().and_then(|mut route| route.to.pop()).expect("one"))
    }

    #[test]
    fn limits_outlive_their_worker_and_not_their_address() {
        let mut all = AllLimits::default();
        let (one, other) = (destination("http://127.0.0.1:9/a"), destination("http://127.0.0.1:9/b"));
        let first = all.of(&one);
        assert!(Arc::ptr_eq(&first, &all.of(&one)) && first.are_in_force());
        let second = all.of(&other);
        assert!(!first.are_in_force() && second.are_in_force());
        all.keep(&[]);
        assert!(!second.are_in_force());
    }
}
