//! What translations ask for beyond their hook: what is known of people and projects, the numbers that stand for texts, and
//! the texts for which numbers stand.
//!
//! A translation runs without waiting, and the store may have to wait for a disk. So what the store said lately is known in
//! memory; what is not known there is noted as missing, the store is asked for all of it at once, and the translation runs
//! again. Nothing is sent of a translation that missed something.

pub mod configured;
mod numbers;
mod of_hook;

use crate::store::numbers::{Conflict, Pair, Reserved, Wanted};
use crate::store::{Store, StoreError};
use arc_swap::ArcSwap;
use configured::Configured;
use jiff::Timestamp;
use numbers::Cache;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use uuid::Uuid;

pub use of_hook::{Asking, OfHook};

/// How often a translation runs at most until nothing is missing: each time it may ask for the number of what it was told
/// the time before.
pub const ROUNDS: usize = 8;

/// For how many texts the store is asked in one go, so that it does other work between.
const MOST: usize = 1_000;

/// What somebody does who asks for the number of a text that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It is given one.
    Make,
    /// It is shown the one that it would get if that were free: whoever only looks changes nothing.
    Look,
}

/// By what a text of a kind, or a number of an instance, is known: 128 bits of a hash.
type Key = u128;

/// A kind and a number.
type OfKind = (String, u32);

/// What the store said lately.
struct Told {
    numbers: Cache<u32>,
    texts: Cache<Uuid>,
}

/// What is known beyond the hooks, for all who translate.
pub struct Known {
    store: Arc<dyn Store>,
    /// Another takes its place when it may not be true any more: who asked before then writes into the old one.
    told: ArcSwap<Told>,
    /// The instances for whose hooks there are numbers.
    instances: ArcSwap<BTreeSet<String>>,
    /// What the configuration says.
    configured: ArcSwap<Configured>,
}

/// What the store said of what was missing, for those who missed it.
#[derive(Debug, Default, Clone)]
pub struct Found {
    numbers: HashMap<Key, u32>,
    texts: HashMap<Key, Option<Uuid>>,
}

/// What was missing, to be asked of the store.
#[derive(Debug, Default)]
pub struct Missing {
    /// In the order in which they were asked for.
    numbers: Vec<(Key, Wanted)>,
    /// Kinds and numbers, by instance.
    texts: BTreeMap<String, Vec<(Key, OfKind)>>,
    keys: BTreeSet<Key>,
}

impl Missing {
    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Takes in what another missed.
    pub fn add(&mut self, other: Self) {
        for (key, wanted) in other.numbers {
            self.add_number(key, || wanted);
        }
        for (instance, numbers) in other.texts {
            for (key, number) in numbers {
                self.add_text(key, &instance, || number);
            }
        }
    }

    fn add_number(&mut self, key: Key, wanted: impl FnOnce() -> Wanted) {
        if self.keys.insert(key) {
            self.numbers.push((key, wanted()));
        }
    }

    fn add_text(&mut self, key: Key, instance: &str, number: impl FnOnce() -> OfKind) {
        if self.keys.insert(key) {
            self.texts.entry(instance.to_owned()).or_default().push((key, number()));
        }
    }
}

impl Known {
    /// What is known of a store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn of(store: &Arc<dyn Store>) -> Result<Arc<Self>, StoreError> {
        let instances = ArcSwap::from_pointee(store.numbered_instances().await?);
        let (told, configured) = (ArcSwap::from_pointee(Told::nothing()), ArcSwap::default());
        Ok(Arc::new(Self { store: Arc::clone(store), told, instances, configured }))
    }

    /// What one translation asks; what was found before for it, or for others of its batch, is known to it.
    #[must_use]
    pub fn asking<'f>(&self, found: &'f Found) -> Asking<'f> {
        Asking::new(self.told.load_full(), self.instances.load_full(), self.configured.load_full(), found)
    }

    /// Asks the store for what was missing.
    ///
    /// # Errors
    /// When it cannot be read, or cannot keep a number.
    pub async fn find(&self, missing: Missing, how: How, found: &mut Found) -> Result<(), StoreError> {
        let told = self.told.load_full();
        for some in missing.numbers.chunks(MOST) {
            let numbers = self.numbers(some, how).await?;
            for ((key, wanted), number) in some.iter().zip(numbers) {
                if let Some(number) = number {
                    told.numbers.put(*key, number);
                }
                found.numbers.insert(*key, number.unwrap_or(wanted.first));
            }
        }
        for (instance, numbers) in missing.texts {
            for some in numbers.chunks(MOST) {
                let asked = some.iter().map(|(_, number)| number.clone()).collect();
                let texts = self.store.texts(&instance, asked).await?;
                for ((key, _), text) in some.iter().zip(texts) {
                    let text = text.as_deref().and_then(uuid);
                    if let Some(text) = text {
                        told.texts.put(*key, text);
                    }
                    found.texts.insert(*key, text);
                }
            }
        }
        Ok(())
    }

    async fn numbers(&self, asked: &[(Key, Wanted)], how: How) -> Result<Vec<Option<u32>>, StoreError> {
        let wanted = asked.iter().map(|(_, wanted)| wanted.clone());
        if how == How::Look {
            return self.store.numbers(wanted.map(|wanted| wanted.named).collect()).await;
        }
        let given = self.store.number(wanted.collect(), Timestamp::now()).await?;
        self.note_instances(asked.iter().filter_map(|(_, wanted)| wanted.instance.as_ref()));
        Ok(given.into_iter().map(Some).collect())
    }

    fn note_instances<'i>(&self, instances: impl Iterator<Item = &'i String>) {
        let known = self.instances.load();
        let new: BTreeSet<String> = instances.filter(|instance| !known.contains(*instance)).cloned().collect();
        if !new.is_empty() {
            self.instances.rcu(|known| known.union(&new).cloned().collect::<BTreeSet<String>>());
        }
    }

    /// Runs what asks until nothing is missing, away from the threads that answer: it may take a while. Gives nothing when that
    /// does not come to an end ([`TOO_DEEP`]).
    ///
    /// # Errors
    /// As [`Known::find`].
    pub async fn settled<T: Send + 'static>(
        self: &Arc<Self>,
        how: How,
        run: impl Fn(&Asking<'_>) -> T + Send + Sync + 'static,
    ) -> Result<Option<T>, StoreError> {
        let (run, mut found) = (Arc::new(run), Found::default());
        for _ in 0..ROUNDS {
            let (known, run) = (Arc::clone(self), Arc::clone(&run));
            let ran = tokio::task::spawn_blocking(move || {
                let asking = known.asking(&found);
                let made = run(&asking);
                let missing = asking.missing();
                (made, missing, found)
            });
            let (made, missing, before) = ran.await.map_err(|error| StoreError::Broken(error.to_string()))?;
            if missing.is_empty() {
                return Ok(Some(made));
            }
            found = before;
            self.find(missing, how, &mut found).await?;
        }
        Ok(None)
    }

    /// Has what a configuration says counted from now on, its numbers first; gives those that a text cannot have, and then
    /// nothing of it counts.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn configure(&self, configured: &Arc<Configured>) -> Result<Vec<Conflict>, StoreError> {
        let reserved: Vec<Reserved> = configured.numbers().map(reserved).collect();
        let conflicts = self.store.reserve(reserved, Timestamp::now()).await?;
        self.forget().await?;
        if !conflicts.is_empty() {
            return Ok(conflicts);
        }
        self.configured.store(Arc::clone(configured));
        Ok(Vec::new())
    }

    /// What the configuration says.
    #[must_use]
    pub fn configured(&self) -> Arc<Configured> {
        self.configured.load_full()
    }

    /// Takes pairs in that were exported; gives those that cannot be taken.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn import(&self, pairs: Vec<Pair>) -> Result<Vec<Conflict>, StoreError> {
        let conflicts = self.store.import(pairs, Timestamp::now()).await?;
        self.forget().await?;
        Ok(conflicts)
    }

    /// Asks the store anew for everything: some of what it said is changed or gone.
    ///
    /// # Errors
    /// When the store cannot be read; what it said before is forgotten all the same.
    pub async fn forget(&self) -> Result<(), StoreError> {
        self.told.store(Arc::new(Told::nothing()));
        let instances = self.store.numbered_instances().await?;
        self.note_instances(instances.iter());
        Ok(())
    }
}

/// A number of the configuration as the store takes it.
fn reserved(of: configured::Reserved<'_>) -> Reserved {
    let configured::Reserved { kind, text, number, instance } = of;
    Reserved { kind: kind.to_owned(), text: text.to_owned(), number, instance: instance.map(str::to_owned) }
}

/// What is said of a mapping that never comes to an end.
pub const TOO_DEEP: &str = "the mapping asks for the numbers of numbers, and of those again, deeper than eight times";

impl Told {
    fn nothing() -> Self {
        Self { numbers: Cache::default(), texts: Cache::default() }
    }
}

/// A text that is a UUID as forges write it: only such a text is told again.
fn uuid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok().filter(|uuid| uuid.to_string() == text)
}

#[cfg(test)]
mod tests;
