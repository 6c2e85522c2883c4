//! Notes who did what, in the log and in the store: people by the names of their tokens, changed files by what made hookglot
//! read them.
//!
//! An entry that cannot be kept is told and counted, and what it is about happens all the same; only erasing waits for it.

pub mod files;

use crate::metrics::Metrics;
use crate::store::{AuditEntry, AuditFilter, Deed, Look, Store, StoreError};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// Who it was when hookglot started.
pub const START: &str = "start";
/// Who it was when somebody sent SIGHUP.
pub const HANGUP: &str = "SIGHUP";
/// Who it was when a file was found changed.
pub const CHANGED_FILE: &str = "changed file";

/// The member of an entry that says what is wrong.
pub const FAULTS: &str = "faults";
/// How many lines of what is wrong an entry has at most.
const MOST_FAULTS: usize = 20;

/// Where it is noted.
#[derive(Clone)]
pub struct Auditor {
    store: Arc<dyn Store>,
    metrics: Metrics,
}

impl Auditor {
    /// One that notes in a store.
    #[must_use]
    pub fn new(store: &Arc<dyn Store>, metrics: &Metrics) -> Self {
        Self { store: Arc::clone(store), metrics: metrics.clone() }
    }

    /// Notes something; `about` holds ids, names, counts and hashes, never a secret.
    ///
    /// # Errors
    /// When it cannot be kept. That is told and counted already: most go on.
    pub async fn note(&self, who: &str, what: Deed, about: Map<String, Value>) -> Result<(), StoreError> {
        // What is wrong was said where it was found.
        let shown: Map<_, _> = about.clone().into_iter().filter(|(name, _)| name != FAULTS).collect();
        let shown = Value::Object(shown);
        tracing::info!(who, %what, about = %shown, "audit");
        let entry = AuditEntry { at: Timestamp::now(), who: who.to_owned(), what, about };
        let kept = self.store.note(entry).await;
        if let Err(error) = &kept {
            self.metrics.audit_lost.inc();
            self.metrics.count_store_error(error);
            tracing::error!(who, %what, %error, "it cannot be kept who did this: the line before has it");
        }
        kept
    }

    /// What was noted last of a kind.
    pub async fn last(&self, what: Deed) -> Option<Map<String, Value>> {
        let filter = AuditFilter { who: None, what: Some(what) };
        let look = Look { before: None, limit: 1, time: Duration::from_secs(5) };
        let page = self.store.audit(filter, look).await.ok()?;
        page.items.into_iter().next().map(|entry| entry.about)
    }

    /// Notes what is in force since the start, where it is not what was noted last.
    pub async fn note_start(&self, what: Deed, about: Map<String, Value>) {
        let last = self.last(what).await;
        let is_same = |name: &str| last.as_ref().and_then(|last| last.get(name)) == about.get(name);
        if !about.keys().filter(|name| *name != files::CHANGED).all(|name| is_same(name)) {
            // It is told already.
            let _ = self.note(START, what, about).await;
        }
    }
}

/// What is wrong, as an entry has it.
#[must_use]
pub fn faults(faults: &[String]) -> Value {
    let shown = faults.iter().take(MOST_FAULTS).cloned().map(Value::from);
    let more = faults.len().saturating_sub(MOST_FAULTS);
    shown.chain((more > 0).then(|| Value::from(format!("… and {more} more")))).collect()
}
