//! Brings hooks to destinations: translate, send, record, try again.
//!
//! Each destination has a worker of its own, so a dead tool never slows another. What is sent is fixed at the first
//! successful translation; later attempts send the same bytes under the same key.

mod client;
mod custom;
mod outgoing;
mod policy;
mod worker;

use crate::config::{Destination, Faults};
use crate::doorbell::Doorbells;
use crate::metrics::Metrics;
use crate::rules::LiveRules;
use crate::store::Store;
use std::sync::Arc;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

pub use outgoing::{Refused, Wanted, explain, outgoing};

/// Everything that delivering needs.
pub struct Delivery {
    /// Where hooks are kept.
    pub store: Arc<dyn Store>,
    /// The rules in force.
    pub rules: LiveRules,
    /// The numbers that are counted.
    pub metrics: Metrics,
}

/// The workers of all destinations.
pub struct Workers {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
    doorbells: Doorbells,
}

impl Delivery {
    /// Starts a worker for each destination.
    ///
    /// # Errors
    /// Every destination whose client cannot be built: a certificate file that cannot be read, a wrong proxy.
    pub fn start(self, destinations: &[Arc<Destination>]) -> Result<Workers, Faults> {
        let delivery = Arc::new(self);
        let (stop, stopping) = watch::channel(false);
        let (mut tasks, mut doorbells, mut faults) = (JoinSet::new(), Doorbells::new(), Vec::new());
        let mut ready = Vec::new();
        for destination in destinations {
            match client::build(destination) {
                Ok(client) => ready.push((Arc::clone(destination), client)),
                Err(fault) => faults.push(format!("destination {}: {fault}", destination.name)),
            }
        }
        if !faults.is_empty() {
            return Err(Faults(faults));
        }
        for (destination, client) in ready {
            let bell = Arc::new(Notify::new());
            doorbells.insert(destination.name.clone(), Arc::clone(&bell));
            let worker = worker::Worker::new(Arc::clone(&delivery), destination, client, bell, stopping.clone());
            tasks.spawn(worker.run());
        }
        Ok(Workers { tasks, stop, doorbells })
    }
}

impl Workers {
    /// The bells that wake the workers.
    #[must_use]
    pub fn doorbells(&self) -> Doorbells {
        self.doorbells.clone()
    }

    /// Tells the workers to finish and waits for them. What is under way, and with a store that is not durable what is
    /// due, is brought to its end first.
    pub async fn stop(mut self) {
        // Nobody listens only when every worker has ended already.
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}
