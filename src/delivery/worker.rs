//! The worker of one destination: claims what is due, as far as the destination's limits let it, and has it sent.

use super::Delivery;
use super::breaker::{Breaker, Permit};
use super::sender::Sender;
use crate::bucket::Bucket;
use crate::config::Destination;
use crate::store::Claimed;
use reqwest::Client;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, Semaphore, watch};
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

pub(super) struct Worker {
    sender: Arc<Sender>,
    told: watch::Receiver<Told>,
    /// What the destination's rate leaves.
    rate: Option<Bucket>,
}

/// What there is to do.
enum Todo {
    Send { claimed: Claimed, is_probe: bool },
    Wait(Duration),
}

impl Worker {
    pub(super) fn new(
        delivery: Arc<Delivery>,
        destination: Arc<Destination>,
        client: Client,
        told: watch::Receiver<Told>,
    ) -> Self {
        let rate = destination.queueing.rate_limit.map(|rate| Bucket::new(rate, Instant::now()));
        let breaker = Breaker::new(destination.queueing.breaker, destination.queueing.probe);
        let bell = delivery.doorbells.of(&destination.name);
        let open = delivery.metrics.breaker_open.with_label_values(&[&destination.name]);
        open.set(0);
        Self {
            sender: Arc::new(Sender { delivery, destination, client, breaker, bell, told: told.clone() }),
            told,
            rate,
        }
    }

    /// Delivers until told to stop, then finishes what is under way.
    pub(super) async fn run(mut self) {
        let slots = Arc::new(Semaphore::new(self.sender.destination.concurrency));
        let mut running = JoinSet::new();
        loop {
            while running.try_join_next().is_some() {}
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
            let told = *self.told.borrow();
            if told == Told::Replaced || told == Told::Stop && self.sender.delivery.store.is_durable() {
                break;
            }
            self.park().await;
            match self.next().await {
                Todo::Send { claimed, is_probe } => {
                    let sender = Arc::clone(&self.sender);
                    running.spawn(async move {
                        sender.send(claimed, is_probe).await;
                        drop(slot);
                    });
                }
                Todo::Wait(_) if told == Told::Stop => break,
                Todo::Wait(pause) => {
                    drop(slot);
                    self.wait(pause, &self.sender.bell.clone()).await;
                }
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Claims what is due next, unless the breaker or the rate makes it wait.
    async fn next(&mut self) -> Todo {
        let Sender { delivery, destination, breaker, .. } = &*self.sender;
        let now = Instant::now();
        let pause = self.rate.map_or(Duration::ZERO, |rate| rate.wait(now));
        if !pause.is_zero() {
            return Todo::Wait(pause);
        }
        let is_probe = match breaker.permit(now) {
            Permit::Send => false,
            Permit::Probe => true,
            Permit::Wait(pause) => return Todo::Wait(pause),
        };
        let lease = destination.timeout + LEASE_MARGIN;
        match delivery.store.claim(&destination.name, delivery.clock.now(), lease).await {
            Ok(Some(claimed)) => {
                if let Some(rate) = &mut self.rate {
                    // There was one a moment ago, and nobody else takes any.
                    let _ = rate.take(now);
                }
                return Todo::Send { claimed, is_probe };
            }
            Ok(None) => {}
            Err(error) => {
                delivery.metrics.count_store_error(&error);
                tracing::error!(destination = destination.name, %error, "the store gives nothing to deliver");
            }
        }
        if is_probe {
            breaker.give_back();
        }
        Todo::Wait(self.until_due().await)
    }

    /// How long until something is due, or must be parked.
    async fn until_due(&self) -> Duration {
        let Sender { delivery, destination, .. } = &*self.sender;
        match delivery.store.next_due(&destination.name).await {
            Ok(Some(due)) => Duration::try_from(due.duration_since(delivery.clock.now())).unwrap_or(STORE_PAUSE),
            Ok(None) => Duration::MAX,
            Err(_) => STORE_PAUSE,
        }
    }

    /// Waits for the bell, for a time, or to be told something.
    async fn wait(&mut self, pause: Duration, bell: &Notify) {
        tokio::select! {
            () = bell.notified() => {}
            () = tokio::time::sleep(pause) => {}
            // The sender lives as long as the workers do; were it gone, that would be a stop too.
            _ = self.told.changed() => {}
        }
    }

    /// Lets the hooks go on that wait for one of their project which has taken too long.
    async fn park(&self) {
        let Sender { delivery, destination, .. } = &*self.sender;
        if !destination.queueing.in_order {
            return;
        }
        match delivery.store.park(&destination.name, delivery.clock.now()).await {
            Ok(parked) => {
                for parked in parked {
                    let (hook, project) = (parked.hook.to_string(), parked.lane);
                    delivery.metrics.parked.with_label_values(&[&destination.name]).inc();
                    tracing::warn!(
                        hook,
                        destination = destination.name,
                        project,
                        "parked: it kept the other hooks of its project waiting for too long; they go on, and it is tried again \
                         as before"
                    );
                }
            }
            Err(error) => tracing::error!(destination = destination.name, %error, "the store parks nothing"),
        }
    }
}
