//! The heads of requests that are on their way, so that a stop can let them come: the framework would drop them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How often it is looked whether all have come.
const LOOK: Duration = Duration::from_millis(10);

/// How many there are, of those that begin before a stop asks.
#[derive(Debug, Clone, Default)]
pub struct Heads(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    is_stopping: AtomicBool,
    under_way: AtomicUsize,
}

/// A head that has begun; it has come, or never will, when this is dropped.
pub(super) struct Head(Arc<Counts>);

impl Heads {
    /// Says that one has begun; nothing is counted that a stop does not wait for.
    pub(super) fn begin(&self) -> Option<Head> {
        if self.0.is_stopping.load(Ordering::Relaxed) {
            return None;
        }
        self.0.under_way.fetch_add(1, Ordering::Relaxed);
        Some(Head(Arc::clone(&self.0)))
    }

    /// Waits until all have come that have begun by now; those that begin later keep no stop waiting.
    pub async fn have_come(&self) {
        self.0.is_stopping.store(true, Ordering::Relaxed);
        while self.0.under_way.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for Head {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}
