//! The worker of one destination: has what was prepared (`ahead`) sent, as far as the destination's limits let it.

use super::Delivery;
use super::ahead::{Ahead, Prepared};
use super::limits::Limits;
use super::recorder::{ROOMS, Recorder};
use super::sender::{self, Sender};
use super::veil::Veil;
use crate::config::Destination;
use crate::store::DeliveryNumber;
use reqwest::Client;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;

/// How much longer than an attempt a delivery is leased.
pub(super) const LEASE_MARGIN: Duration = Duration::from_mins(1);
/// How long to wait when the store cannot say what is due.
pub(super) const STORE_PAUSE: Duration = Duration::from_secs(1);

/// What a worker is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    GoOn,
    /// Another takes its place: finish what is under way.
    Replaced,
    /// The process ends: finish what is under way, and what is due, where the store would lose it.
    Stop,
}

impl Told {
    /// Whether nothing more is begun.
    pub(super) fn ends(self, is_durable: bool) -> bool {
        self == Self::Replaced || self == Self::Stop && is_durable
    }
}

/// What the destination's limits let happen now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permit {
    /// So many attempts.
    Send(usize),
    /// One, to see whether the destination is back.
    Probe,
    /// None before this time.
    Wait(Duration),
}

pub(super) struct Worker {
    sender: Arc<Sender>,
    told: watch::Receiver<Told>,
    recorder: Recorder,
}

/// What an attempt holds while it is under way: its place among those under way at once, and room for what comes of it.
type Place = (OwnedSemaphorePermit, OwnedSemaphorePermit);

impl Worker {
    pub(super) fn new(
        delivery: Arc<Delivery>,
        destination: Arc<Destination>,
        client: Client,
        limits: Arc<Limits>,
        veil: Arc<Veil>,
        told: watch::Receiver<Told>,
    ) -> Self {
        let bell = delivery.doorbells.of(&destination.name);
        let open = delivery.metrics.breaker_open.with_label_values(&[&destination.name]);
        open.set(i64::from(limits.breaker.is_open()));
        let (reports, came) = mpsc::unbounded_channel();
        let recorder = Recorder {
            delivery: Arc::clone(&delivery),
            destination: Arc::clone(&destination),
            bell: Arc::clone(&bell),
            told: told.clone(),
            came,
        };
        let sender = Arc::new(Sender {
            proofs: sender::proofs(&destination),
            veil,
            delivery,
            destination,
            client,
            limits,
            bell,
            reports,
        });
        Self { sender, told, recorder }
    }

    /// Delivers until told to stop, then finishes what is under way.
    pub(super) async fn run(self) {
        let Self { sender, told, recorder } = self;
        let (slots, rooms) = (Arc::clone(&sender.limits.slots), Arc::new(Semaphore::new(ROOMS)));
        let (out, batches) = mpsc::channel(1);
        let mut helpers = JoinSet::new();
        helpers.spawn(recorder.run());
        let ahead = Ahead::new(Arc::clone(&sender), told.clone(), Arc::clone(&rooms));
        helpers.spawn(ahead.run(out));
        Attempts { sender, told, batches, slots, rooms, running: JoinSet::new() }.run().await;
        while helpers.join_next().await.is_some() {}
    }
}

/// Makes the attempts of what was prepared.
struct Attempts {
    sender: Arc<Sender>,
    told: watch::Receiver<Told>,
    batches: mpsc::Receiver<Vec<Prepared>>,
    slots: Arc<Semaphore>,
    rooms: Arc<Semaphore>,
    running: JoinSet<()>,
}

impl Attempts {
    async fn run(mut self) {
        while let Some(batch) = self.next_batch().await {
            let mut batch = batch.into_iter();
            while let Some(prepared) = batch.next() {
                let place = self.place().await;
                // What was claimed a while ago may no longer be sent.
                let begun = match place {
                    Some(place) => self.sender.limits.begin(Instant::now()).map(|is_probe| (place, is_probe)),
                    None => None,
                };
                match begun {
                    Some((place, is_probe)) => self.spawn(prepared, is_probe, place).await,
                    None => {
                        self.release(std::iter::once(prepared).chain(&mut batch)).await;
                        break;
                    }
                }
            }
        }
        self.batches.close();
        while let Some(batch) = self.batches.recv().await {
            self.release(batch.into_iter()).await;
        }
        while self.running.join_next().await.is_some() {}
    }

    /// What to send next; nothing more when told to stop.
    async fn next_batch(&mut self) -> Option<Vec<Prepared>> {
        loop {
            if self.is_over() {
                return None;
            }
            tokio::select! {
                batch = self.batches.recv() => return batch,
                Ok(()) = self.told.changed() => {}
            }
        }
    }

    /// A place for an attempt; none when told to stop.
    async fn place(&mut self) -> Option<Place> {
        let (slots, rooms) = (Arc::clone(&self.slots), Arc::clone(&self.rooms));
        // Nobody closes them.
        let both = async { Some((slots.acquire_owned().await.ok()?, rooms.acquire_owned().await.ok()?)) };
        tokio::pin!(both);
        loop {
            if self.is_over() {
                return None;
            }
            tokio::select! {
                place = &mut both => return place,
                Ok(()) = self.told.changed() => {}
            }
        }
    }

    fn is_over(&self) -> bool {
        self.told.borrow().ends(self.sender.delivery.store.is_durable())
    }

    async fn spawn(&mut self, prepared: Prepared, is_probe: bool, (slot, room): Place) {
        while self.running.try_join_next().is_some() {}
        self.sender.extend(&prepared.claimed).await;
        let sender = Arc::clone(&self.sender);
        self.running.spawn(async move {
            sender.send(prepared, is_probe, room).await;
            drop(slot);
        });
    }

    /// Gives what was not begun back to the store.
    async fn release(&self, prepared: impl Iterator<Item = Prepared>) {
        let numbers: Vec<DeliveryNumber> = prepared.map(|own| own.claimed.delivery).collect();
        let Sender { delivery, destination, bell, .. } = &*self.sender;
        if let Err(error) = delivery.store.release(&destination.name, &numbers).await {
            // They are handed out again when their lease ends.
            delivery.metrics.count_store_error(&error);
        }
        bell.notify_one();
    }
}
