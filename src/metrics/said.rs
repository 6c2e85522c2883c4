//! What was said last of a trouble: a number cannot tell what to do.

use arc_swap::ArcSwap;
use std::sync::Arc;

/// A sentence; empty where nothing was said yet.
#[derive(Debug, Clone, Default)]
pub struct Said(Arc<ArcSwap<String>>);

impl Said {
    /// Says another.
    pub fn set(&self, sentence: String) {
        self.0.store(Arc::new(sentence));
    }

    /// What was said last.
    #[must_use]
    pub fn last(&self) -> Arc<String> {
        self.0.load_full()
    }
}
