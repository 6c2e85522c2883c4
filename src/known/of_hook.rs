//! What one translation asks, and what it is told for its hook.

use super::configured::Configured;
use super::{Found, Key, Missing, Told};
use crate::mapping::{Knowledge, identity};
use crate::store::Hook;
use crate::store::numbers::{Named, Wanted};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The longest text that is kept, in bytes: of a longer one its hash stands in its place.
const LONGEST: usize = 1_000;

/// What one translation asks.
pub struct Asking<'f> {
    told: Arc<Told>,
    instances: Arc<BTreeSet<String>>,
    configured: Arc<Configured>,
    found: &'f Found,
    missing: Mutex<Missing>,
}

/// What is known while a hook is translated.
pub struct OfHook<'a> {
    asking: &'a Asking<'a>,
    /// Whether there are numbers that were given for hooks of its instance.
    has_numbers: bool,
    /// What is kept with the hook of the people and projects that it names.
    kept: Option<&'a str>,
    /// The same, once somebody asks.
    rows: OnceLock<Rows>,
}

/// What is known of people and projects, by table, id and column.
type Rows = HashMap<String, HashMap<String, HashMap<String, String>>>;

impl<'f> Asking<'f> {
    pub(super) fn new(
        told: Arc<Told>,
        instances: Arc<BTreeSet<String>>,
        configured: Arc<Configured>,
        found: &'f Found,
    ) -> Self {
        Self { told, instances, configured, found, missing: Mutex::default() }
    }

    /// What is known while a hook is translated.
    #[must_use]
    pub fn of<'a>(&'a self, hook: &'a Hook) -> OfHook<'a> {
        let has_numbers = hook.instance.as_ref().is_some_and(|instance| self.instances.contains(instance));
        OfHook { asking: self, has_numbers, kept: hook.known.as_deref(), rows: OnceLock::new() }
    }

    /// What it asked for and nobody knew.
    #[must_use]
    pub fn missing(self) -> Missing {
        self.missing.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn miss(&self, note: impl FnOnce(&mut Missing)) {
        // No code panics while it holds the lock.
        note(&mut self.missing.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Knowledge for OfHook<'_> {
    fn number(&self, instance: &str, kind: &str, text: &str) -> u32 {
        // The numbers of the configuration are those of the store: they are reserved there.
        let (first, key) = identity::keyed(kind, text);
        let Asking { told, found, .. } = self.asking;
        if let Some(number) = found.numbers.get(&key).copied().or_else(|| told.numbers.get(key)) {
            return number;
        }
        self.asking.miss(|missing| missing.add_number(key, || wanted(instance, kind, text, first)));
        first
    }

    fn uuid(&self, instance: &str, kind: &str, number: &str) -> String {
        if let Some(text) = self.asking.configured.text(instance, kind, number) {
            return text.to_owned();
        }
        let made = || identity::uuid(instance, kind, number).to_string();
        let Some(value) = number.parse::<u32>().ok().filter(|_| self.has_numbers) else { return made() };
        let key = of_number(instance, kind, value);
        let Asking { told, found, .. } = self.asking;
        match found.texts.get(&key).copied().or_else(|| told.texts.get(key).map(Some)) {
            Some(Some(text)) => text.to_string(),
            Some(None) => made(),
            None => {
                self.asking.miss(|missing| missing.add_text(key, instance, || (kind.to_owned(), value)));
                made()
            }
        }
    }

    fn lookup(&self, instance: &str, table: &str, id: &str, column: &str) -> Option<String> {
        if let Some(text) = self.asking.configured.lookup(instance, table, id, column) {
            return Some(text.to_owned());
        }
        // What is kept with a hook was written by the store.
        let rows = |kept: &str| serde_json::from_str(kept).unwrap_or_default();
        let rows = self.rows.get_or_init(|| self.kept.map(rows).unwrap_or_default());
        rows.get(table)?.get(id)?.get(column).cloned()
    }

    fn knows_nobody(&self) -> bool {
        self.kept.is_none() && self.asking.configured.is_empty()
    }
}

fn wanted(instance: &str, kind: &str, text: &str, first: u32) -> Wanted {
    let named = Named { kind: kind.to_owned(), text: kept(text) };
    Wanted { named, first, instance: Some(instance.to_owned()).filter(|instance| !instance.is_empty()) }
}

/// A text as it is kept.
fn kept(text: &str) -> String {
    if text.len() <= LONGEST { text.to_owned() } else { format!("sha256:{}", identity::sha256(text)) }
}

/// By what the text is known for which a number of an instance stands.
fn of_number(instance: &str, kind: &str, number: u32) -> Key {
    // No kind has a space in it, as those of numbers have none.
    identity::keyed(&format!("{kind} {instance}"), &number.to_string()).1
}
