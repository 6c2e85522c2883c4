//! Brings hooks to destinations: translate, send, record, try again.
//!
//! Each destination has a worker of its own, so a dead tool never slows another. What is sent is fixed at the first
//! successful translation; later attempts send the same bytes under the same key.

mod ahead;
mod breaker;
pub(crate) mod client;
mod custom;
mod health;
mod limits;
mod outgoing;
mod policy;
mod recorder;
mod sender;
mod traced;
mod translated;
pub mod upkeep;
mod veil;
mod worker;

use crate::acks::Acks;
use crate::clock::Clock;
use crate::config::{Destination, Faults};
use crate::doorbell::Doorbells;
use crate::feed::Feed;
use crate::known::Known;
use crate::metrics::Metrics;
use crate::rules::LiveRules;
use crate::store::Store;
use crate::traces::Traces;
use limits::AllLimits;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinSet;
use veil::Veil;
use worker::{Told, Worker};

pub(crate) use client::{is_loopback, tls, whole};
pub(crate) use custom::with_login;
pub use health::{Health, Latest};
pub use outgoing::{Refused, Wanted, explain, outgoing};

/// Everything that delivering needs.
pub struct Delivery {
    /// Where hooks are kept.
    pub store: Arc<dyn Store>,
    /// What is known beyond the hooks.
    pub known: Arc<Known>,
    /// The rules in force.
    pub rules: LiveRules,
    /// The numbers that are counted.
    pub metrics: Metrics,
    /// What the time of all deliveries is read from.
    pub clock: Clock,
    /// The workers' bells.
    pub doorbells: Doorbells,
    /// Who waits for first attempts.
    pub acks: Acks,
    /// Where it is told what happens.
    pub feed: Feed,
    /// Where spans are told.
    pub traces: Traces,
    /// What the latest attempts said of the destinations.
    pub health: Health,
    /// How many bytes of what a destination answers are kept with an attempt.
    pub kept_answer: usize,
}

/// The workers of all destinations.
pub struct Workers {
    delivery: Arc<Delivery>,
    tasks: JoinSet<()>,
    limits: AllLimits,
    tell: watch::Sender<Told>,
    /// Those of workers that were replaced and may still finish something.
    tell_replaced: Vec<watch::Sender<Told>>,
}

/// Destinations that can be sent to.
pub struct Reachable(Vec<(Arc<Destination>, reqwest::Client)>);

impl Reachable {
    /// Builds what sending to each destination takes.
    ///
    /// # Errors
    /// Every destination whose client cannot be built: a certificate file that cannot be read, a wrong proxy.
    pub fn new(destinations: &[Arc<Destination>]) -> Result<Self, Faults> {
        let (mut ready, mut faults) = (Vec::new(), Vec::new());
        for destination in destinations {
            match client::build(&client::Way::to(destination)) {
                Ok(client) => ready.push((Arc::clone(destination), client)),
                Err(fault) => faults.push(format!("destination {}: {fault}", destination.name)),
            }
        }
        if faults.is_empty() { Ok(Self(ready)) } else { Err(Faults(faults)) }
    }
}

impl Workers {
    /// Starts a worker for each destination.
    #[must_use]
    pub fn start(delivery: Arc<Delivery>, destinations: Reachable) -> Self {
        let tell = watch::Sender::new(Told::GoOn);
        let (tasks, limits) = (JoinSet::new(), AllLimits::default());
        let mut workers = Self { delivery, tasks, limits, tell, tell_replaced: Vec::new() };
        workers.spawn(destinations);
        workers
    }

    /// Puts workers for other destinations in the place of these. What is under way is finished by those that began it.
    pub fn replace(&mut self, destinations: Reachable) {
        let before = std::mem::replace(&mut self.tell, watch::Sender::new(Told::GoOn));
        // Nobody listens only when every worker has ended already.
        let _ = before.send(Told::Replaced);
        self.tell_replaced.push(before);
        self.tell_replaced.retain(|tell| !tell.is_closed());
        while self.tasks.try_join_next().is_some() {}
        // Of a destination that is gone nobody would say anything any more.
        self.delivery.metrics.breaker_open.reset();
        self.spawn(destinations);
    }

    fn spawn(&mut self, destinations: Reachable) {
        let names: Vec<&str> = destinations.0.iter().map(|(destination, _)| destination.name.as_str()).collect();
        self.limits.keep(&names);
        let veil = Arc::new(Veil::of(destinations.0.iter().map(|(destination, _)| &**destination)));
        for (destination, client) in destinations.0 {
            let (delivery, limits) = (Arc::clone(&self.delivery), self.limits.of(&destination));
            let worker = Worker::new(delivery, destination, client, limits, Arc::clone(&veil), self.tell.subscribe());
            self.tasks.spawn(worker.run());
        }
    }

    /// Tells the workers to finish and waits for them. What is under way, and with a store that is not durable what is
    /// due, is brought to its end first.
    pub async fn stop(mut self) {
        for tell in self.tell_replaced.iter().chain([&self.tell]) {
            // Nobody listens only when every worker has ended already.
            let _ = tell.send(Told::Stop);
        }
        while self.tasks.join_next().await.is_some() {}
    }
}
