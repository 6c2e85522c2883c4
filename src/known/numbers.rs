//! A bounded memory of what the store said: asked for each number of each translation, so a hit is a look into one map.

use super::Key;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, PoisonError};

/// How many parts it has, so that those who translate do not wait for each other.
const PARTS: usize = 16;
/// How many entries a part has at most, young and old each: all parts together a few MiB.
const MOST: usize = 2_048;

/// Values by a hash.
#[derive(Debug)]
pub(super) struct Cache<V> {
    parts: [Mutex<Part<V>>; PARTS],
}

/// Those that were asked for lately, and those that were before: when the young are many, the old are dropped.
#[derive(Debug)]
struct Part<V> {
    young: HashMap<Key, V, BuildHasherDefault<Hashed>>,
    old: HashMap<Key, V, BuildHasherDefault<Hashed>>,
}

impl<V> Default for Part<V> {
    fn default() -> Self {
        Self { young: HashMap::default(), old: HashMap::default() }
    }
}

impl<V> Default for Cache<V> {
    fn default() -> Self {
        Self { parts: std::array::from_fn(|_| Mutex::default()) }
    }
}

impl<V: Copy> Cache<V> {
    pub(super) fn get(&self, key: Key) -> Option<V> {
        self.with(key, |part| {
            if let Some(value) = part.young.get(&key) {
                return Some(*value);
            }
            let value = part.old.remove(&key)?;
            part.put(key, value);
            Some(value)
        })
    }

    pub(super) fn put(&self, key: Key, value: V) {
        self.with(key, |part| {
            part.put(key, value);
            None::<()>
        });
    }

    fn with<T>(&self, key: Key, work: impl FnOnce(&mut Part<V>) -> Option<T>) -> Option<T> {
        // The lowest bits choose within a part.
        let place = usize::try_from(key >> 124).unwrap_or_default() % PARTS;
        let part = self.parts.get(place)?;
        // No code panics while it holds the lock.
        work(&mut part.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<V> Part<V> {
    fn put(&mut self, key: Key, value: V) {
        if self.young.len() >= MOST {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

/// Takes a key for its hash, as it is one.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, key: u128) {
        let [_, _, _, _, _, _, _, _, low @ ..] = key.to_be_bytes();
        self.0 = u64::from_be_bytes(low);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key as a hash would be.
    fn key(number: u64) -> Key {
        crate::mapping::identity::keyed("user", &number.to_string()).1
    }

    #[test]
    fn what_is_asked_for_stays_and_memory_is_bounded() {
        let cache = Cache::default();
        for number in 0..200_000 {
            cache.put(key(number), number);
            assert_eq!(cache.get(key(7.min(number))), Some(7.min(number)));
        }
        let count: usize =
            cache.parts.iter().map(|part| part.lock().unwrap()).map(|p| p.young.len() + p.old.len()).sum();
        assert!(count <= 2 * PARTS * MOST, "{count}");
        assert_eq!((cache.get(key(199_999)), cache.get(key(8))), (Some(199_999), None));
    }
}
