//! Posts to a chat or a tool when a trouble begins and when it is over: once each, however much happens between.
//!
//! A watcher listens to the feed and knows what is in trouble (`incidents`); each alert has a sender of its own. Nobody
//! who delivers waits for either.

mod incidents;
mod message;
mod sender;
mod watcher;

use crate::config::{self, Faults};
use crate::delivery::client;
use crate::feed::Feed;
use crate::metrics::Metrics;
use incidents::Incidents;
use message::Place;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use watcher::{Order, Watcher};

/// An alert that can be posted.
pub struct Ready {
    alert: config::Alert,
    client: reqwest::Client,
}

impl Ready {
    /// Builds what posting to each alert takes.
    ///
    /// # Errors
    /// Every alert whose client cannot be built: a certificate file that cannot be read, a wrong proxy.
    pub fn all(alerts: &[config::Alert]) -> Result<Vec<Arc<Self>>, Faults> {
        let (mut all, mut faults) = (Vec::new(), Vec::new());
        for alert in alerts {
            let way = client::Way {
                url: &alert.url,
                timeout: alert.timeout,
                proxy: alert.proxy.as_ref(),
                ca_file: alert.ca_file.as_deref(),
                certificate: None,
            };
            match client::build(&way) {
                Ok(client) => all.push(Arc::new(Self { alert: alert.clone(), client })),
                Err(fault) => faults.push(format!("alert {}: {fault}", alert.name)),
            }
        }
        if faults.is_empty() { Ok(all) } else { Err(Faults(faults)) }
    }
}

/// The alerts in force.
#[derive(Debug, Clone)]
pub struct Alerts(mpsc::UnboundedSender<Order>);

/// What waits for the last posts.
#[derive(Debug)]
pub struct Watching {
    alerts: Alerts,
    task: JoinHandle<()>,
}

/// Begins to listen. What happened before is not heard. A destination must be out of trouble for `calm` before that is told.
/// `check` is the command that says what is wrong with the files.
#[must_use]
pub fn start(
    ready: Vec<Arc<Ready>>,
    destinations: BTreeSet<String>,
    calm: Duration,
    (data_dir, check): (PathBuf, String),
    metrics: Metrics,
    feed: Feed,
) -> Watching {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let mut watcher = Watcher {
        feed,
        metrics,
        place: Arc::new(Place { host, data_dir, check }),
        incidents: Incidents::of(destinations.clone(), calm),
        listening: None,
        alerts: BTreeMap::new(),
        senders: JoinSet::new(),
    };
    watcher.replace(ready, destinations);
    let (alerts, orders) = mpsc::unbounded_channel();
    Watching { alerts: Alerts(alerts), task: tokio::spawn(watcher.run(orders)) }
}

impl Alerts {
    /// Puts other alerts, destinations and another calm in force, before anything is sent to these.
    pub fn replace(&self, ready: Vec<Arc<Ready>>, destinations: BTreeSet<String>, calm: Duration) {
        self.tell(Order::Replace(ready, destinations, calm));
    }

    fn tell(&self, order: Order) {
        // The watcher listens until it is told to finish.
        let _ = self.0.send(order);
    }
}

impl Watching {
    /// Where it is said that others are in force.
    #[must_use]
    pub fn alerts(&self) -> Alerts {
        self.alerts.clone()
    }

    /// The process is about to end: what waits is tried at once, and then given up.
    pub fn hurry(&self) {
        self.alerts.tell(Order::Hurry);
    }

    /// Posts what has happened up to now, each once, and waits for that.
    pub async fn finish(self) {
        self.alerts.tell(Order::Finish);
        // It does not panic.
        let _ = self.task.await;
    }
}
