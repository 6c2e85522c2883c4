//! What is done now and then: what has ended is removed, and the queues are shown.

mod watch;

use super::Delivery;
use crate::config::NearlyFull;
use crate::metrics::Trouble;
use crate::store::Retention;
use jiff::SignedDuration;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};
use watch::Watch;

/// How often it is looked whether something is to be done.
const LOOK: Duration = Duration::from_secs(1);
/// How often what is too old is removed; more often where it is kept for less than that.
const AGE_LOOK: Duration = Duration::from_mins(1);
/// For how long a store that took nothing must have had no errors to count as well again.
const CEASED: Duration = Duration::from_secs(5);
/// Showing the queues takes one part of so many of the time at most.
const SHOWN_PART: u32 = 50;
/// What lies between two steps, so that deliveries go on meanwhile.
const BETWEEN_STEPS: Duration = Duration::from_millis(5);

/// Does it until the task is aborted. `used` is how many bytes of the store hold something, as its writer last saw it.
pub async fn run(delivery: Arc<Delivery>, keep: Retention, used: Arc<AtomicU64>, nearly_full: NearlyFull) {
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looked_for_age = Instant::now();
    let mut errors = Errors { seen: 0, since: Instant::now() };
    let mut watch = Watch::new(nearly_full);
    let (mut shown, mut showing_took) = (Instant::now(), Duration::ZERO);
    loop {
        look.tick().await;
        watch.look(&delivery);
        // Where very many wait it takes a while to find the oldest.
        if shown.elapsed() >= showing_took * SHOWN_PART {
            let begun = Instant::now();
            show_queues(&delivery).await;
            (shown, showing_took) = (Instant::now(), begun.elapsed());
        }
        make_room(&delivery, keep.at_least).await;
        let would_take = look_at_store(&delivery).await;
        let is_too_large = used.load(Ordering::Relaxed) > keep.bytes;
        let may_be_well = would_take && delivery.metrics.store_down.get() > 0 && errors.have_ceased(&delivery);
        if is_too_large || may_be_well || looked_for_age.elapsed() >= AGE_LOOK.min(keep.age) {
            looked_for_age = Instant::now();
            // It writes, whatever there is to remove.
            let is_well = prune(&delivery, keep).await;
            if may_be_well && is_well {
                delivery.metrics.store_down.set(0);
                tracing::info!("the store takes hooks again");
            }
        }
    }
}

/// Whether the store would take a hook; says so before one comes that it does not take.
async fn look_at_store(delivery: &Delivery) -> bool {
    let Err(error) = delivery.store.would_take().await else { return true };
    if delivery.metrics.store_down.get() == 0 {
        delivery.metrics.count_store_error(&error);
        tracing::error!(%error, "the store takes no hooks: each gets a 503 until it does again");
    }
    false
}

/// The errors of the store that were seen.
struct Errors {
    seen: u64,
    since: Instant,
}

impl Errors {
    /// Whether there were none for a while.
    fn have_ceased(&mut self, delivery: &Delivery) -> bool {
        let now: u64 = [Trouble::Full, Trouble::Broken]
            .map(|reason| delivery.metrics.store_errors.with_label_values(&[reason.word()]).get())
            .iter()
            .sum();
        if now != self.seen {
            (self.seen, self.since) = (now, Instant::now());
        }
        self.since.elapsed() >= CEASED
    }
}

/// Removes what is kept no longer; says whether the store did what it was asked.
async fn prune(delivery: &Delivery, keep: Retention) -> bool {
    let (mut removed, mut is_well) = (0, true);
    loop {
        match delivery.store.prune(keep, delivery.clock.now()).await {
            Ok(step) => {
                removed += step.removed;
                if !step.is_more {
                    break;
                }
            }
            Err(error) => {
                delivery.metrics.count_store_error(&error);
                tracing::error!(%error, "what has ended cannot be removed");
                is_well = false;
                break;
            }
        }
        tokio::time::sleep(BETWEEN_STEPS).await;
    }
    count(delivery, removed);
    is_well
}

/// Removes what has ended before its time where the disk is small.
async fn make_room(delivery: &Delivery, at_least: Duration) {
    match delivery.store.give_way(at_least, delivery.clock.now()).await {
        Ok(made) => count(delivery, made.removed),
        Err(error) => {
            delivery.metrics.count_store_error(&error);
            tracing::error!(%error, "no room can be made for hooks");
        }
    }
}

fn count(delivery: &Delivery, removed: u64) {
    if removed > 0 {
        delivery.metrics.pruned.inc_by(removed);
        tracing::debug!(removed, "what had ended is removed");
    }
}

/// Shows how much waits at each destination, and for how long.
async fn show_queues(delivery: &Delivery) {
    let Ok(queues) = delivery.store.queues().await else { return };
    let now = delivery.clock.now();
    for queue in queues {
        let name = [queue.destination.as_str()];
        let pending = i64::try_from(queue.pending).unwrap_or(i64::MAX);
        delivery.metrics.pending.with_label_values(&name).set(pending);
        let age = queue.oldest.map_or(SignedDuration::ZERO, |oldest| now.duration_since(oldest));
        delivery.metrics.oldest_pending_seconds.with_label_values(&name).set(age.as_secs_f64().max(0.0));
    }
}
