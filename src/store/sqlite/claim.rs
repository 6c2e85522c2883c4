//! Hands deliveries out, with what is no longer in memory of them.

use super::super::{Claimed, DeliveryNumber, Ending, Hook, Most, Outgoing, Report, StoreError, Then};
use super::append::micros;
use super::queues::{Found, Ready, SharedQueues, lock};
use super::record::Record;
use super::refill::Refill;
use super::writer::{Command, Pending};
use super::{SqliteStore, rows};
use jiff::Timestamp;
use rusqlite::Connection;
use std::sync::Arc;
use std::time::Duration;

/// Why a delivery ends whose hook is gone: somebody has changed the database.
const LOST: &str = "its hook is not in the store any more";

impl SqliteStore {
    pub(super) async fn claim(
        &self,
        destination: &str,
        now: Timestamp,
        lease: Duration,
        most: Most,
    ) -> Result<Vec<Claimed>, StoreError> {
        if let Some(error) = lock(&self.queues).of(destination).unread.take() {
            return Err(error);
        }
        let at = now;
        let now = now.as_microsecond();
        let until = now.saturating_add(micros(lease));
        let mut has_refilled = false;
        loop {
            let found = lock(&self.queues).take(destination, now, until, most, has_refilled);
            match found {
                Found::Due(ready) => return self.claimed(destination, ready, at).await,
                Found::Stale if !has_refilled => {
                    has_refilled = true;
                    let queues = Arc::clone(&self.queues);
                    self.ask(Refill { destination: destination.to_owned(), now, queues }).await?;
                }
                Found::Stale | Found::Nothing => return Ok(Vec::new()),
            }
        }
    }

    /// What was handed out, with hooks. What cannot be read is due again, behind those that are known to be due.
    pub(super) async fn claimed(
        &self,
        destination: &str,
        all: Vec<Ready>,
        now: Timestamp,
    ) -> Result<Vec<Claimed>, StoreError> {
        let missing: Vec<_> =
            all.iter().filter(|own| !own.is_whole()).map(|own| (own.hook_seq, own.delivery)).collect();
        let (read, error) = if missing.is_empty() { (Vec::new(), None) } else { self.read(missing).await };
        let (mut read, mut claimed, mut lost) = (read.into_iter(), Vec::with_capacity(all.len()), Vec::new());
        for own in all {
            let content = match &own.hook {
                Some(hook) if own.is_whole() => Some((Arc::clone(hook), None)),
                _ => read.next().flatten(),
            };
            let Ready { delivery, id, key, attempts, .. } = own;
            let Some((hook, outgoing)) = content else {
                lost.push(delivery);
                continue;
            };
            let accepted_at = rows::time(own.accepted_at);
            claimed.push(Claimed { delivery, id, key, hook, outgoing, attempts, accepted_at });
        }
        if !lost.is_empty() && error.is_none() {
            return self.end_lost(lost, claimed, now).await;
        }
        if !lost.is_empty() {
            let mut queues = lock(&self.queues);
            let queue = queues.of(destination);
            for delivery in lost {
                queue.release(delivery);
            }
            queue.is_stale = true;
            match error {
                Some(error) if claimed.is_empty() => return Err(error),
                later => queue.unread = later,
            }
        }
        Ok(claimed)
    }

    /// Ends deliveries whose hook is not there, which would be asked for again for ever.
    async fn end_lost(
        &self,
        lost: Vec<DeliveryNumber>,
        claimed: Vec<Claimed>,
        now: Timestamp,
    ) -> Result<Vec<Claimed>, StoreError> {
        let reports = lost.into_iter().map(|delivery| {
            tracing::error!(delivery = delivery.0, reason = LOST, "failed");
            Report { delivery, attempt: None, then: Then::Ended(Ending::Failed(LOST.to_owned())), now }
        });
        self.ask(Record { reports: reports.collect(), room: self.room.clone() }).await?;
        Ok(claimed)
    }

    fn load(&self, wanted: Vec<(i64, DeliveryNumber)>) -> Load {
        Load { wanted, queues: Arc::clone(&self.queues) }
    }

    /// Reads deliveries all at once, or one by one, when not all can be read; says why not.
    async fn read(&self, missing: Vec<(i64, DeliveryNumber)>) -> (Vec<Option<Content>>, Option<StoreError>) {
        let error = match self.look(self.load(missing.clone())).await {
            Ok(read) => return (read, None),
            Err(error) => error,
        };
        if missing.len() == 1 {
            return (Vec::new(), Some(error));
        }
        let (mut read, mut last) = (Vec::new(), None);
        for one in missing {
            match self.look(self.load(vec![one])).await {
                Ok(mut one) => read.push(one.pop().flatten()),
                Err(error) => {
                    read.push(None);
                    last = Some(error);
                }
            }
        }
        (read, last)
    }
}

type Content = (Arc<Hook>, Option<Arc<Outgoing>>);

/// Reads hooks, by their numbers, and what a delivery of each sends.
struct Load {
    wanted: Vec<(i64, DeliveryNumber)>,
    queues: SharedQueues,
}

impl Command for Load {
    type Done = Vec<Option<Content>>;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<Vec<Option<Content>>> {
        let read = |(hook_seq, delivery): &(i64, DeliveryNumber)| {
            // One at a time reads: who comes later finds what the one before has read.
            let held = lock(&self.queues).held(*hook_seq);
            let hook = match held {
                Some(hook) => hook,
                None => match rows::hook(database, *hook_seq)? {
                    Some(hook) => lock(&self.queues).hold(*hook_seq, Arc::new(hook)),
                    None => return Ok(None),
                },
            };
            let outgoing = rows::outgoing(database, delivery.0, &hook)?;
            Ok(Some((hook, outgoing)))
        };
        self.wanted.iter().map(read).collect()
    }
}
