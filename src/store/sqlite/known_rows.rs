//! What is known of people and projects, in memory: those whom hooks name all the time need not be read each time.
//!
//! Invariant: a row that [`KnownRows::get`] gives is what the database says. Whoever changes rows, or numbers by which rows are
//! found, bumps the generation before and after its transaction ends; a row counts in the generation in which it was read.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How many rows are held at most.
const MOST: usize = 10_000;

/// The columns of a row, and their texts.
pub(super) type Columns = BTreeMap<String, String>;

/// A row as it was read.
#[derive(Debug, Default)]
pub(super) struct KnownRow {
    /// What was told of this id.
    pub(super) own: Columns,
    /// The same, and what was told of the same one by another id: a JSON object. Empty where nothing is known.
    pub(super) all: String,
    /// When it was noted last that a hook named it.
    pub(super) seen_at: i64,
}

/// A row that was read, to be held once its transaction is on the disk.
#[derive(Debug)]
pub(super) struct ReadRow {
    pub(super) key: String,
    pub(super) row: Arc<KnownRow>,
    pub(super) generation: u64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct KnownRows(Arc<Held>);

#[derive(Debug, Default)]
struct Held {
    generation: AtomicU64,
    rows: Mutex<HashMap<String, (u64, Arc<KnownRow>)>>,
}

impl KnownRows {
    /// By what a row is known.
    pub(super) fn key(table: &str, instance: &str, id: &str) -> String {
        [table, instance, id].join("\n")
    }

    pub(super) fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::SeqCst)
    }

    pub(super) fn bump(&self) {
        self.0.generation.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn get(&self, key: &str) -> Option<Arc<KnownRow>> {
        let rows = self.0.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let (generation, row) = rows.get(key)?;
        (*generation == self.generation()).then(|| Arc::clone(row))
    }

    pub(super) fn hold(&self, read: &[ReadRow]) {
        if read.is_empty() {
            return;
        }
        // No code panics while it holds the lock.
        let mut rows = self.0.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.len() >= MOST {
            rows.clear();
        }
        for ReadRow { key, row, generation } in read {
            rows.insert(key.clone(), (*generation, Arc::clone(row)));
        }
    }
}
