//! What the attempts since the start say of each destination. It is not kept: nothing is known of one after a restart until
//! something is sent to it.

use crate::config::Destination;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use url::Url;

/// The latest attempts of every destination, by its name.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<RwLock<HashMap<String, (Url, Latest)>>>);

/// The latest attempts of one destination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Latest {
    /// Whether the very latest failed; none when there was none.
    pub has_failed: Option<bool>,
    /// When the latest that arrived was made.
    pub delivered_at: Option<Timestamp>,
    /// When the latest that failed was made.
    pub failed_at: Option<Timestamp>,
    /// What that one met.
    pub error: Option<String>,
}

impl Health {
    /// Notes an attempt, with what it met where it failed.
    pub(super) fn note(&self, to: &Destination, at: Timestamp, failed: Option<&str>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let (url, latest) = all.entry(to.name.clone()).or_insert_with(|| (to.url.reveal().clone(), Latest::default()));
        if url != to.url.reveal() {
            (*url, *latest) = (to.url.reveal().clone(), Latest::default());
        }
        latest.has_failed = Some(failed.is_some());
        match failed {
            None => latest.delivered_at = Some(at),
            Some(error) => (latest.failed_at, latest.error) = (Some(at), Some(error.to_owned())),
        }
    }

    /// What is known of a destination. What was sent to another address under its name says nothing of it.
    #[must_use]
    pub fn of(&self, to: &Destination) -> Latest {
        // No code panics while it holds the lock.
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(&to.name).filter(|(url, _)| url == to.url.reveal());
        known.map(|(_, latest)| latest.clone()).unwrap_or_default()
    }
}
