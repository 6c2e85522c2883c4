//! Listens to what happens, and gives to each alert what begins and what is over.

use super::Ready;
use super::incidents::{Change, Incident, Incidents, Key, Present, size};
use super::message::Place;
use super::sender::{MOST_WAITING, Orders, Sender};
use crate::feed::{Feed, Told};
use crate::metrics::{Metrics, Posting};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

/// What the watcher is told.
pub(super) enum Order {
    /// Other alerts, other destinations, and another calm are in force.
    Replace(Vec<Arc<Ready>>, BTreeSet<String>, Duration),
    /// The process ends: what waits is tried once more.
    Hurry,
    /// Everything has happened: what is left of it is posted.
    Finish,
}

pub(super) struct Watcher {
    pub(super) feed: Feed,
    pub(super) metrics: Metrics,
    pub(super) place: Arc<Place>,
    pub(super) incidents: Incidents,
    /// Where there are alerts. Without any nobody listens, and nothing is told.
    pub(super) listening: Option<broadcast::Receiver<Arc<Told>>>,
    pub(super) alerts: BTreeMap<String, Alert>,
    pub(super) senders: JoinSet<()>,
}

/// An alert in force.
pub(super) struct Alert {
    orders: watch::Sender<Orders>,
    queue: mpsc::Sender<Arc<Incident>>,
    /// The incidents of whose beginning it was told.
    told: HashSet<Uuid>,
}

impl Watcher {
    pub(super) async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        loop {
            let wait = self.incidents.wait(Timestamp::now());
            tokio::select! {
                // What is told of a new destination comes after it was said that there is one.
                biased;
                order = orders.recv() => match order {
                    Some(Order::Replace(alerts, destinations, calm)) => {
                        self.incidents.calm = calm;
                        self.replace(alerts, destinations);
                    }
                    Some(Order::Hurry) => self.hurry(),
                    Some(Order::Finish) | None => break,
                },
                told = next(&mut self.listening) => match told {
                    Ok(told) => self.hear(&told),
                    Err(RecvError::Lagged(_)) => self.look(),
                    // It has what it tells itself by.
                    Err(RecvError::Closed) => self.listening = None,
                },
                () = passed(wait) => {
                    let over = self.incidents.settle(Timestamp::now());
                    self.tell_over(&over);
                }
            }
        }
        self.finish().await;
    }

    /// Posts what has happened and is not posted yet, and waits for that.
    async fn finish(mut self) {
        while let Some(listening) = &mut self.listening {
            match listening.try_recv() {
                Ok(told) => self.hear(&told),
                Err(TryRecvError::Lagged(_)) => self.look(),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        let over = self.incidents.settle_all(Timestamp::now());
        self.tell_over(&over);
        self.hurry();
        self.alerts.clear();
        while self.senders.join_next().await.is_some() {}
    }

    fn hear(&mut self, told: &Told) {
        match self.incidents.hear(told) {
            Change::Nothing => {}
            // An alert that is new since it was over does not know of it yet.
            Change::Began | Change::GoesOn => self.tell_open(),
            Change::Over(incident) => self.tell_over(&[*incident]),
        }
    }

    /// Something was missed: what is so now counts, and what is told from now on.
    fn look(&mut self) {
        self.listening = Some(self.feed.listen());
        let present = present(&self.metrics, self.incidents.known());
        let over = self.incidents.see(&present, Timestamp::now());
        self.tell_over(&over);
        self.tell_open();
    }

    pub(super) fn replace(&mut self, alerts: Vec<Arc<Ready>>, destinations: BTreeSet<String>) {
        for gone in self.incidents.known().difference(&destinations) {
            // It need not have failed ever.
            let _ = self.metrics.failing.remove_label_values(&[gone]);
        }
        let over = self.incidents.replace(destinations, Timestamp::now());
        // Those who were told of the beginning, by the old configuration if need be.
        self.tell_over(&over);
        self.set_alerts(alerts);
        if self.alerts.is_empty() {
            self.listening = None;
        } else if self.listening.is_none() {
            self.look();
        }
        self.tell_open();
    }

    fn set_alerts(&mut self, alerts: Vec<Arc<Ready>>) {
        let names: HashSet<&str> = alerts.iter().map(|ready| ready.alert.name.as_str()).collect();
        // The sender of one that is gone tries what waits once.
        self.alerts.retain(|name, _| names.contains(name.as_str()));
        for ready in alerts {
            if let Some(alert) = self.alerts.get(&ready.alert.name) {
                alert.orders.send_if_modified(|orders| {
                    let is_other = orders.ready.alert != ready.alert;
                    orders.ready = Arc::clone(&ready);
                    is_other
                });
                continue;
            }
            let name = ready.alert.name.clone();
            let (orders, told) = watch::channel(Orders { ready, is_last: false });
            let (queue, waiting) = mpsc::channel(MOST_WAITING);
            let (place, metrics) = (Arc::clone(&self.place), self.metrics.clone());
            self.senders.spawn(Sender { orders: told, queue: waiting, place, metrics }.run());
            self.alerts.insert(name, Alert { orders, queue, told: HashSet::new() });
        }
        while self.senders.try_join_next().is_some() {}
    }

    fn hurry(&mut self) {
        for alert in self.alerts.values() {
            alert.orders.send_modify(|orders| orders.is_last = true);
        }
    }

    /// Tells each alert of the incidents of which it does not know yet.
    fn tell_open(&mut self) {
        for (name, alert) in &mut self.alerts {
            for incident in self.incidents.open() {
                if alert.wants(incident)
                    && !alert.told.contains(&incident.id)
                    && alert.give(name, incident, &self.metrics)
                {
                    alert.told.insert(incident.id);
                }
            }
        }
    }

    /// Tells those who know of the beginning that it is over.
    fn tell_over(&mut self, over: &[Incident]) {
        for incident in over {
            for (name, alert) in &mut self.alerts {
                if alert.told.remove(&incident.id) {
                    alert.give(name, incident, &self.metrics);
                }
            }
        }
    }
}

impl Alert {
    fn wants(&self, incident: &Incident) -> bool {
        self.orders.borrow().ready.alert.on.contains(&incident.key.trouble())
    }

    /// Has it posted; says whether there was room.
    fn give(&self, name: &str, incident: &Incident, metrics: &Metrics) -> bool {
        // Beginnings leave room for the ends: nobody must wait for one for ever.
        let has_room = incident.until.is_some() || self.queue.capacity() > MOST_WAITING / 2;
        let is_taken = has_room && self.queue.try_send(Arc::new(incident.clone())).is_ok();
        if !is_taken {
            let (kind, is_over) = (incident.key.trouble().word(), incident.until.is_some());
            tracing::error!(alert = name, kind, is_over, "the alert is dropped: too many wait to be posted");
            metrics.alerts.with_label_values(&[name, Posting::Dropped.word()]).inc();
        }
        is_taken
    }
}

async fn next(listening: &mut Option<broadcast::Receiver<Arc<Told>>>) -> Result<Arc<Told>, RecvError> {
    match listening {
        Some(listening) => listening.recv().await,
        None => std::future::pending().await,
    }
}

async fn passed(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

/// What is in trouble now, by the metrics.
fn present(metrics: &Metrics, destinations: &BTreeSet<String>) -> Present {
    let log = || "the log says why".to_owned();
    let mut present = BTreeMap::new();
    for name in destinations {
        if metrics.failing.with_label_values(&[name]).get() > 0 {
            present.insert(Key::Failed(name.clone()), log());
        }
        if metrics.breaker_open.with_label_values(&[name]).get() > 0 {
            present.insert(Key::Breaker(name.clone()), log());
        }
    }
    let reloads = [
        ("mappings", &metrics.mappings_reload_failed),
        ("configuration", &metrics.config_reload_failed),
        ("certificate", &metrics.door.tls_reload_failed),
    ];
    for (what, failed) in reloads {
        if failed.get() > 0 {
            present.insert(Key::Reload(what.to_owned()), log());
        }
    }
    if metrics.disk_nearly_full.get() > 0 {
        let free = u64::try_from(metrics.disk_free_bytes.get()).unwrap_or_default();
        present.insert(Key::Disk, format!("{} are free", size(free)));
    }
    if metrics.store_down.get() > 0 {
        present.insert(Key::Store, log());
    }
    Present(present)
}

#[cfg(test)]
mod tests;
