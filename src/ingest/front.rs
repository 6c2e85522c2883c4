//! The door that connections come through: how many may be inside, and how long they may wait there.

use crate::config::Limits;
use crate::metrics::Metrics;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What every connection is held to.
pub(super) struct Front {
    pub(super) head_timeout: Duration,
    pub(super) keep_alive: Duration,
    /// How long a sender may leave its answers unread, as long as it may take for a body.
    pub(super) read_timeout: Duration,
    pub(super) metrics: Metrics,
    most: usize,
    open: AtomicUsize,
}

/// A place inside; given back when dropped.
pub(super) struct Place(Arc<Front>);

impl Front {
    pub(super) fn new(limits: &Limits, metrics: Metrics) -> Self {
        let Limits { head_timeout, keep_alive, read_timeout, connections: most, .. } = *limits;
        Self { head_timeout, keep_alive, read_timeout, metrics, most, open: AtomicUsize::new(0) }
    }

    /// Takes a place, if there is one.
    pub(super) fn place(self: &Arc<Self>) -> Option<Place> {
        let place = Place(Arc::clone(self));
        self.metrics.connections.inc();
        (self.open.fetch_add(1, Ordering::Relaxed) < self.most).then_some(place)
    }

    pub(super) fn most_connections(&self) -> usize {
        self.most
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        self.0.metrics.connections.dec();
    }
}
