//! Brings hooks to destinations: translate, send, record, try again.
//!
//! Each destination has a worker of its own, so a dead tool never slows another. What is sent is fixed at the first
//! successful translation; later attempts send the same bytes under the same key.

mod client;
mod load;
mod outgoing;
mod policy;
mod worker;

use crate::config::{Destination, Faults};
use crate::doorbell::Doorbells;
use crate::forge::{Forge, Forges};
use crate::mapping::{Diagnostics, Files, Mappings};
use crate::metrics::Metrics;
use crate::store::Store;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

pub use load::load;
pub use outgoing::{Refused, outgoing};

/// The mappings of every pair of forges, by the forge that a hook comes from and the one whose format it gets.
pub type Directions = HashMap<(String, String), Mappings>;

/// The name of the folder with the mappings from one forge to another.
#[must_use]
pub fn folder(from: &str, to: &str) -> String {
    format!("{from}-to-{to}")
}

/// Loads the mappings of every pair of forges with their examples; gives the warnings beside them.
///
/// # Errors
/// Every finding in every file.
pub fn load_directions(files: &Files, forges: &Forges) -> Result<(Directions, Diagnostics), Diagnostics> {
    let (mut directions, mut faults) = (Directions::new(), Diagnostics::default());
    for from in forges.iter() {
        for to in forges.iter().filter(|to| to.name() != from.name()) {
            match Mappings::load(files, &folder(from.name(), to.name()), true) {
                Ok((mappings, warnings)) => {
                    faults.extend(warnings);
                    check_headers(&mappings, to, &mut faults);
                    directions.insert((from.name().to_owned(), to.name().to_owned()), mappings);
                }
                Err(found) => faults.extend(found),
            }
        }
    }
    if faults.has_errors() { Err(faults) } else { Ok((directions, faults)) }
}

/// No mapping may take the place of a destination's secret or a delivery's key.
fn check_headers(mappings: &Mappings, to: &Forge, faults: &mut Diagnostics) {
    for (file, position, header) in mappings.headers() {
        if to.reserves(header) {
            faults.error(
                file,
                position,
                format!("the header {header} belongs to the destination or the delivery: a mapping cannot set it"),
            );
        }
    }
}

/// Everything that delivering needs.
pub struct Delivery {
    /// Where hooks are kept.
    pub store: Arc<dyn Store>,
    /// The known forges.
    pub forges: Forges,
    /// The mappings in force.
    pub directions: Arc<Directions>,
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
