//! How much patience the forges have left: some disable a hook after so many failures in a row.

use crate::metrics::Metrics;
use crate::rules::Rules;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The failures in a row, by route and forge.
#[derive(Debug, Default)]
pub struct Patience(Mutex<HashMap<(String, String), u32>>);

impl Patience {
    /// Counts an answer to whoever sends the header by which a forge names its events; `has` says whether one is there.
    pub(super) fn count(&self, rules: &Rules, route: &str, status: u16, has: impl Fn(&str) -> bool, metrics: &Metrics) {
        for forge in rules.forges.iter() {
            let Some(limit) = forge.disabled_after() else { continue };
            if !forge.event_header().is_some_and(&has) {
                continue;
            }
            // No code panics while it holds the lock.
            let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let own = failures.entry((route.to_owned(), forge.name().to_owned())).or_default();
            *own = if status < 400 { 0 } else { own.saturating_add(1) };
            let left = i64::from(limit.saturating_sub(*own));
            metrics.failures_until_disabled.with_label_values(&[route, forge.name()]).set(left);
        }
    }
}
