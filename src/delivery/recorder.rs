//! Has the store keep what came of deliveries, as many at once as there are, while the next are already under way.

use super::Delivery;
use super::worker::{LEASE_MARGIN, STORE_PAUSE, Told};
use crate::config::Destination;
use crate::store::{DeliveryNumber, Report, StoreError, Then};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc, watch};
use uuid::Uuid;

/// How many deliveries of a destination may be on their way from their attempt into the store. No attempt begins without room
/// for what will come of it, so a store that stalls stalls the deliveries, and memory stays bounded.
pub(super) const ROOMS: usize = 256;

/// What came of a delivery, to be kept.
pub(super) struct Came {
    pub(super) report: Report,
    pub(super) hook: Uuid,
    /// What it holds until it is kept.
    pub(super) _room: OwnedSemaphorePermit,
}

pub(super) struct Recorder {
    pub(super) delivery: Arc<Delivery>,
    pub(super) destination: Arc<Destination>,
    pub(super) bell: Arc<Notify>,
    pub(super) told: watch::Receiver<Told>,
    pub(super) came: mpsc::UnboundedReceiver<Came>,
}

impl Recorder {
    /// Goes on until nothing more can come.
    pub(super) async fn run(mut self) {
        let mut all = Vec::new();
        while self.came.recv_many(&mut all, ROOMS).await > 0 {
            self.keep(&mut all).await;
            let is_again = all.iter().any(|came| matches!(came.report.then, Then::Again { .. }));
            if is_again || self.destination.queueing.in_order {
                // The next of its project is due now; or the worker sleeps until what was due next when it looked, and this
                // may come before that.
                self.bell.notify_one();
            }
            all.clear();
        }
    }

    /// However long that takes: what was sent must not be sent again because the disk was full for a while. Gives up only when
    /// the process ends.
    async fn keep(&mut self, all: &mut Vec<Came>) {
        let mut is_said = false;
        while let Err(error) = self.delivery.store.record(all.iter().map(|came| came.report.clone()).collect()).await {
            if matches!(error, StoreError::Full(_)) && self.keep_less(all).await {
                return;
            }
            while let Ok(came) = self.came.try_recv() {
                all.push(came);
            }
            self.delivery.metrics.count_store_error(&error);
            if !std::mem::replace(&mut is_said, true) {
                let hooks = all.iter().map(|came| came.hook.to_string()).collect::<Vec<_>>().join(" ");
                let destination = &self.destination.name;
                tracing::error!(hook = hooks, destination, %error, "what came of a delivery cannot be kept yet");
            }
            if *self.told.borrow() == Told::Stop {
                return;
            }
            // They are held in memory; a store that cannot even do that hands them out again.
            let held: Vec<DeliveryNumber> = all.iter().map(|came| came.report.delivery).collect();
            let _ = self.delivery.store.extend(&self.destination.name, &held, self.until()).await;
            tokio::select! {
                () = tokio::time::sleep(STORE_PAUSE) => {}
                Ok(()) = self.told.changed() => {}
            }
        }
    }

    /// Where there is no room for everything there may be for what matters, and for some: each that has ended can make room for
    /// the next. Says whether all of it is kept.
    async fn keep_less(&self, all: &mut Vec<Came>) -> bool {
        for came in &mut *all {
            if let Some(attempt) = &mut came.report.attempt {
                attempt.exchange = Arc::default();
            }
        }
        let mut left = Vec::new();
        for came in all.drain(..) {
            if self.delivery.store.record(vec![came.report.clone()]).await.is_err() {
                left.push(came);
            }
        }
        *all = left;
        all.is_empty()
    }

    fn until(&self) -> Timestamp {
        let lease = SignedDuration::try_from(self.destination.timeout + LEASE_MARGIN).unwrap_or(SignedDuration::MAX);
        self.delivery.clock.now().saturating_add(lease).unwrap_or(Timestamp::MAX)
    }
}
