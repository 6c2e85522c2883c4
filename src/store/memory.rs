//! The store that keeps everything in memory: nothing outlives the process.

use super::{Answer, Claimed, Ending, Hook, Outgoing, Store, StoreError};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// Hooks and deliveries in memory, up to a number of bytes.
#[derive(Debug)]
pub struct MemoryStore {
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    bytes: usize,
    /// Arrival order breaks ties between deliveries that are due at the same time.
    arrivals: u64,
    deliveries: HashMap<Uuid, Row>,
    /// How many deliveries of a hook have not ended.
    open: HashMap<Uuid, usize>,
    queues: HashMap<String, BTreeMap<Due, Uuid>>,
}

/// When a delivery is due (or its lease ends), and when it arrived.
type Due = (Timestamp, u64);

#[derive(Debug)]
struct Row {
    destination: String,
    hook: Arc<Hook>,
    outgoing: Option<Arc<Outgoing>>,
    attempts: u32,
    due: Due,
}

impl MemoryStore {
    /// A store for at most so many bytes of hooks and translations.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { capacity, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock; were it to, the state would still be whole between two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size_of_hook(hook: &Hook) -> usize {
    hook.body.len() + hook.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() + 512
}

fn size_of_row(row: &Row) -> usize {
    row.outgoing.as_ref().map_or(0, |outgoing| outgoing.body.len())
}

impl State {
    fn append(&mut self, hook: Hook, destinations: Vec<String>, capacity: usize) -> Result<(), StoreError> {
        let size = size_of_hook(&hook);
        if self.bytes + size > capacity {
            return Err(StoreError::Full(format!(
                "{} of {capacity} bytes are taken by hooks that wait for delivery",
                self.bytes
            )));
        }
        if destinations.is_empty() {
            return Ok(());
        }
        self.bytes += size;
        self.open.insert(hook.id, destinations.len());
        let hook = Arc::new(hook);
        for destination in destinations {
            self.arrivals += 1;
            let due = (hook.received_at, self.arrivals);
            let delivery = Uuid::now_v7();
            self.queues.entry(destination.clone()).or_default().insert(due, delivery);
            self.deliveries
                .insert(delivery, Row { destination, hook: Arc::clone(&hook), outgoing: None, attempts: 0, due });
        }
        Ok(())
    }

    /// Moves a delivery to another place in its queue.
    fn move_to(&mut self, delivery: Uuid, due: Timestamp) {
        if let Some(row) = self.deliveries.get_mut(&delivery)
            && let Some(queue) = self.queues.get_mut(&row.destination)
        {
            queue.remove(&row.due);
            row.due.0 = due;
            queue.insert(row.due, delivery);
        }
    }

    fn claim(&mut self, destination: &str, now: Timestamp, lease: Duration) -> Option<Claimed> {
        let (due, delivery) =
            self.queues.get(destination)?.first_key_value().map(|(due, delivery)| (*due, *delivery))?;
        if due.0 > now {
            return None;
        }
        self.move_to(delivery, now.saturating_add(lease).unwrap_or(Timestamp::MAX));
        let row = self.deliveries.get(&delivery)?;
        Some(Claimed { delivery, hook: Arc::clone(&row.hook), outgoing: row.outgoing.clone(), attempts: row.attempts })
    }

    fn finish(&mut self, delivery: Uuid) {
        let Some(row) = self.deliveries.remove(&delivery) else { return };
        if let Some(queue) = self.queues.get_mut(&row.destination) {
            queue.remove(&row.due);
        }
        self.bytes = self.bytes.saturating_sub(size_of_row(&row));
        let open = self.open.get(&row.hook.id).map_or(0, |open| open.saturating_sub(1));
        if open == 0 {
            self.open.remove(&row.hook.id);
            self.bytes = self.bytes.saturating_sub(size_of_hook(&row.hook));
        } else {
            self.open.insert(row.hook.id, open);
        }
    }
}

fn ready<'a, T: Send + 'a>(result: Result<T, StoreError>) -> Answer<'a, T> {
    Box::pin(std::future::ready(result))
}

impl Store for MemoryStore {
    fn is_durable(&self) -> bool {
        false
    }

    fn append(&self, hook: Hook, destinations: Vec<String>) -> Answer<'_, ()> {
        ready(self.state().append(hook, destinations, self.capacity))
    }

    fn claim<'a>(&'a self, destination: &'a str, now: Timestamp, lease: Duration) -> Answer<'a, Option<Claimed>> {
        ready(Ok(self.state().claim(destination, now, lease)))
    }

    fn next_due<'a>(&'a self, destination: &'a str) -> Answer<'a, Option<Timestamp>> {
        let state = self.state();
        ready(Ok(state.queues.get(destination).and_then(|queue| queue.first_key_value()).map(|(due, _)| due.0)))
    }

    fn keep_outgoing(&self, delivery: Uuid, outgoing: Arc<Outgoing>) -> Answer<'_, ()> {
        let mut state = self.state();
        let size = outgoing.body.len();
        if let Some(row) = state.deliveries.get_mut(&delivery) {
            let before = size_of_row(row);
            row.outgoing = Some(outgoing);
            state.bytes = (state.bytes + size).saturating_sub(before);
        }
        ready(Ok(()))
    }

    fn reschedule(&self, delivery: Uuid, due: Timestamp) -> Answer<'_, ()> {
        let mut state = self.state();
        if let Some(row) = state.deliveries.get_mut(&delivery) {
            row.attempts += 1;
        }
        state.move_to(delivery, due);
        ready(Ok(()))
    }

    fn finish(&self, delivery: Uuid, _ending: Ending) -> Answer<'_, ()> {
        self.state().finish(delivery);
        ready(Ok(()))
    }

    fn pending<'a>(&'a self, destination: &'a str) -> Answer<'a, u64> {
        let count = self.state().queues.get(destination).map_or(0, BTreeMap::len);
        ready(Ok(count as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_the_contract() {
        super::super::contract::run(|| MemoryStore::new(1 << 20)).await;
    }

    #[tokio::test]
    async fn room_comes_back_when_the_last_delivery_of_a_hook_ends() {
        let store = MemoryStore::new(2_000);
        let hook = super::super::contract::hook(1_000);
        let next = super::super::contract::hook(1_000);
        store.append(hook, vec!["a".into(), "b".into()]).await.expect("room");
        for destination in ["a", "b"] {
            assert!(matches!(store.append(next.clone(), vec!["a".into()]).await, Err(StoreError::Full(_))));
            let claimed =
                store.claim(destination, Timestamp::now(), Duration::from_mins(1)).await.expect("works").expect("due");
            store.finish(claimed.delivery, Ending::Delivered).await.expect("works");
        }
        store.append(next, vec!["a".into()]).await.expect("room again");
    }
}
