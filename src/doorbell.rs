//! Wakes a destination's worker as soon as there is something for it, so that nobody has to ask again and again.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Notify;

/// The bell of each destination, by its name. A destination keeps its bell when its worker is replaced.
#[derive(Debug, Clone, Default)]
pub struct Doorbells(Arc<RwLock<HashMap<String, Arc<Notify>>>>);

impl Doorbells {
    /// The bell of a destination.
    #[must_use]
    pub fn of(&self, destination: &str) -> Arc<Notify> {
        // No code panics while it holds the lock.
        let mut bells = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(bells.entry(destination.to_owned()).or_default())
    }

    /// Wakes the worker of a destination; without one, the next to come begins with a look anyhow.
    pub fn ring(&self, destination: &str) {
        let bells = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = bells.get(destination) {
            bell.notify_one();
        }
    }
}
