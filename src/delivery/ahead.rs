//! Works ahead of the attempts: claims what is due, translates it, and has what is sent kept, many deliveries at a time, so
//! that they share the store's wait for the disk.

use super::outgoing::Refused;
use super::sender::Sender;
use super::traced;
use super::translated::{self, Batch};
use super::worker::{LEASE_MARGIN, Permit, STORE_PAUSE, Told};
use crate::rules::Rules;
use crate::store::{Claimed, DeliveryNumber, Ending, Most, Outgoing, StoreError};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc, watch};

/// How many deliveries are prepared in one go at most, and how many bytes of bodies they may have: one batch is sent while
/// the next is prepared, and all of it is in memory.
const BATCH: Most = Most { count: 64, bytes: 1 << 20 };

/// How long nobody looks for something to deliver at most, when nothing is known to come.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// A delivery that what it sends is kept of: ready for its attempt.
pub(super) struct Prepared {
    pub(super) claimed: Claimed,
    pub(super) outgoing: Arc<Outgoing>,
    /// The rules that it was translated by.
    pub(super) rules: Arc<Rules>,
}

pub(super) struct Ahead {
    sender: Arc<Sender>,
    told: watch::Receiver<Told>,
    /// Room for what is recorded of deliveries that come to no attempt.
    rooms: Arc<Semaphore>,
    /// What the store said last when it could hand nothing out: it is said once.
    failing: Option<StoreError>,
    /// Whether it was said that what is sent cannot be kept.
    is_unkept_said: AtomicBool,
    /// Whether it was said that what hooks name gets no numbers.
    is_unnumbered_said: AtomicBool,
}

impl Ahead {
    pub(super) fn new(sender: Arc<Sender>, told: watch::Receiver<Told>, rooms: Arc<Semaphore>) -> Self {
        let (is_unkept_said, is_unnumbered_said) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { sender, told, rooms, failing: None, is_unkept_said, is_unnumbered_said }
    }

    /// Prepares until it is told to stop, always one batch more than is taken.
    pub(super) async fn run(mut self, batches: mpsc::Sender<Vec<Prepared>>) {
        // The worker stops to take batches when it is told to stop.
        while let Ok(place) = batches.reserve().await {
            let told = *self.told.borrow_and_update();
            if told.ends(self.sender.delivery.store.is_durable()) {
                break;
            }
            self.park().await;
            let pause = match self.sender.limits.permit(Instant::now()) {
                Permit::Wait(pause) => Some(pause),
                Permit::Probe => self.probe(place).await,
                Permit::Send(count) => self.claim(Most { count: BATCH.count.min(count), ..BATCH }, place).await,
            };
            match pause {
                None => {}
                Some(_) if told == Told::Stop => break,
                Some(pause) => self.wait(pause).await,
            }
        }
    }

    /// Prepares the one with which it is looked whether the destination is back. A hook that the destination never takes
    /// would keep it away for ever, and its project with it: so now and then it is one of those behind, where one has kept
    /// its project waiting for too long.
    async fn probe(&mut self, place: mpsc::Permit<'_, Vec<Prepared>>) -> Option<Duration> {
        let Sender { delivery, destination, limits, .. } = &*self.sender;
        if !destination.queueing.in_order || !limits.breaker.looks_behind() {
            return self.claim(Most::ONE, place).await;
        }
        let behind = delivery.store.claim_behind(&destination.name, delivery.clock.now(), self.lease()).await;
        match behind {
            Ok(Some(behind)) => self.take(Ok(vec![behind]), place).await,
            Ok(None) => self.claim(Most::ONE, place).await,
            Err(error) => self.take(Err(error), place).await,
        }
    }

    /// Claims and prepares a batch; says how long to wait when nothing is due.
    async fn claim(&mut self, most: Most, place: mpsc::Permit<'_, Vec<Prepared>>) -> Option<Duration> {
        let Sender { delivery, destination, .. } = &*self.sender;
        let claimed = delivery.store.claim(&destination.name, delivery.clock.now(), self.lease(), most).await;
        self.take(claimed, place).await
    }

    async fn take(
        &mut self,
        claimed: Result<Vec<Claimed>, StoreError>,
        place: mpsc::Permit<'_, Vec<Prepared>>,
    ) -> Option<Duration> {
        let Sender { delivery, destination, .. } = &*self.sender;
        if claimed.is_ok() && self.failing.take().is_some() {
            tracing::info!(destination = destination.name, "the store gives what is to be delivered again");
        }
        match claimed {
            Ok(claimed) if claimed.is_empty() => Some(self.until_due().await),
            Ok(claimed) => {
                let (prepared, unkept) = self.prepare(claimed).await;
                if !prepared.is_empty() {
                    place.send(prepared);
                }
                if unkept.is_empty() {
                    return None;
                }
                // What is sent is the same each time, so it is not sent before it is kept.
                let _ = self.sender.delivery.store.release(&self.sender.destination.name, &unkept).await;
                Some(STORE_PAUSE)
            }
            Err(error) => {
                delivery.metrics.count_store_error(&error);
                if self.failing.as_ref() != Some(&error) {
                    tracing::error!(
                        destination = destination.name,
                        %error,
                        "the store does not give what is to be delivered; it is asked again every second, and \
                         hookglot_store_errors_total counts it"
                    );
                    self.failing = Some(error);
                }
                Some(STORE_PAUSE)
            }
        }
    }

    /// How long a delivery may wait behind two batches, and take itself.
    fn lease(&self) -> Duration {
        let Sender { destination, .. } = &*self.sender;
        let rounds = 1 + (2 * BATCH.count).div_ceil(destination.concurrency.max(1));
        destination.timeout.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX)).saturating_add(LEASE_MARGIN)
    }

    /// Translates what was not translated before, and has it kept; what cannot be translated ends here. Gives what is ready, and
    /// what could not be kept.
    async fn prepare(&self, claimed: Vec<Claimed>) -> (Vec<Prepared>, Vec<DeliveryNumber>) {
        let rules = self.sender.delivery.rules.load_full();
        let (mut prepared, mut new) = (Vec::with_capacity(claimed.len()), Vec::new());
        let Batch { made, error } = translated::translated(&self.sender, &claimed, &rules).await;
        let mut unnumbered = Vec::new();
        for (claimed, made) in claimed.into_iter().zip(made) {
            let outgoing = match &claimed.outgoing {
                Some(outgoing) => Arc::clone(outgoing),
                None => match made {
                    Some(Ok((outgoing, missing))) => {
                        translated::count_missing(&self.sender, &outgoing, &missing);
                        let outgoing = Arc::new(outgoing);
                        new.push((claimed.delivery, Arc::clone(&outgoing)));
                        outgoing
                    }
                    None => {
                        unnumbered.push((claimed.delivery, claimed.hook.id));
                        continue;
                    }
                    Some(Err(refused)) => {
                        let ending = match refused {
                            Refused::Ignored(reason) => Ending::Ignored(reason),
                            Refused::Failed(reason) => Ending::Failed(reason),
                        };
                        // Nobody closes it.
                        let Ok(room) = Arc::clone(&self.rooms).acquire_owned().await else { continue };
                        self.sender.end(&claimed, None, ending, room);
                        continue;
                    }
                },
            };
            prepared.push(Prepared { claimed, outgoing, rules: Arc::clone(&rules) });
        }
        let mut unkept = if new.is_empty() { Vec::new() } else { self.keep(new, &prepared).await };
        prepared.retain(|own| !unkept.contains(&own.claimed.delivery));
        self.tell_unnumbered(&unnumbered, error.as_ref());
        unkept.extend(unnumbered.into_iter().map(|(delivery, _)| delivery));
        (prepared, unkept)
    }

    /// Says that some wait, as the store does not say or keep the numbers of what their hooks name.
    fn tell_unnumbered(&self, unnumbered: &[(DeliveryNumber, uuid::Uuid)], error: Option<&StoreError>) {
        let (Some(error), Some((_, hook))) = (error, unnumbered.first()) else {
            self.is_unnumbered_said.store(false, Ordering::Relaxed);
            return;
        };
        self.sender.delivery.metrics.count_store_error(error);
        // They are tried each second, as what cannot be kept.
        if self.is_unnumbered_said.swap(true, Ordering::Relaxed) {
            return;
        }
        let (hook, destination) = (hook.to_string(), &self.sender.destination.name);
        tracing::error!(
            hook,
            destination,
            %error,
            "the store gives no numbers for what hooks name, so they wait; this is the first"
        );
    }

    /// Has the store keep what is sent; gives what it did not keep and must not be sent. One that is lost with the process
    /// promises less: it empties only when what is in it is delivered, so that is sent all the same.
    async fn keep(&self, new: Vec<(DeliveryNumber, Arc<Outgoing>)>, prepared: &[Prepared]) -> Vec<DeliveryNumber> {
        let (store, mut unkept) = (&self.sender.delivery.store, Vec::new());
        if let Ok(before) = store.keep_outgoing(new.clone()).await {
            self.is_unkept_said.store(false, Ordering::Relaxed);
            // Another had them before, and may have sent them: they are claimed again, with what was kept.
            return before;
        }
        // There may be room for some of them.
        for (delivery, outgoing) in new {
            match store.keep_outgoing(vec![(delivery, outgoing)]).await {
                Ok(before) => unkept.extend(before),
                Err(error) => {
                    let own = prepared.iter().find(|own| own.claimed.delivery == delivery);
                    self.tell_unkept(own.map(|own| own.claimed.hook.id).unwrap_or_default(), &error);
                    if store.is_durable() {
                        unkept.push(delivery);
                    }
                }
            }
        }
        unkept
    }

    fn tell_unkept(&self, hook: uuid::Uuid, error: &StoreError) {
        self.sender.delivery.metrics.count_store_error(error);
        // They are tried each second, many of them: the metric counts, and the first is said.
        if self.is_unkept_said.swap(true, Ordering::Relaxed) {
            return;
        }
        let (hook, destination) = (hook.to_string(), &self.sender.destination.name);
        tracing::error!(hook, destination, %error, "what is sent of hooks cannot be kept yet, so they wait; this is the first");
    }

    /// How long until something is due, or must be parked; not for ever, as others may leave something to a store that several
    /// processes share.
    async fn until_due(&self) -> Duration {
        let Sender { delivery, destination, .. } = &*self.sender;
        let pause = match delivery.store.next_due(&destination.name).await {
            Ok(Some(due)) => Duration::try_from(due.duration_since(delivery.clock.now())).unwrap_or(STORE_PAUSE),
            Ok(None) => LOOK_AGAIN,
            Err(_) => STORE_PAUSE,
        };
        // Nothing was due a moment ago: something is to be parked that cannot be yet.
        let waits_to_park = pause.is_zero() && self.sender.destination.queueing.in_order;
        if waits_to_park { STORE_PAUSE } else { pause.min(LOOK_AGAIN) }
    }

    /// Waits for the bell, for a time, or to be told something.
    async fn wait(&mut self, pause: Duration) {
        tokio::select! {
            () = self.sender.bell.notified() => {}
            () = tokio::time::sleep(pause) => {}
            // The sender lives as long as the workers do; were it gone, that would be a stop too.
            _ = self.told.changed() => {}
        }
    }

    /// Lets the hooks go on that wait for one of their project which has taken too long.
    async fn park(&self) {
        let Sender { delivery, destination, limits, .. } = &*self.sender;
        if !destination.queueing.in_order {
            return;
        }
        // While the destination is away, and before a hook was tried after it came back, parking would only change the order.
        let now = Instant::now();
        let Some(blame) = limits.breaker.blame(destination.queueing.park_after, now) else { return };
        let at = |at: Instant| {
            let ago = SignedDuration::try_from(now.saturating_duration_since(at)).unwrap_or(SignedDuration::MAX);
            delivery.clock.now().saturating_sub(ago).unwrap_or(Timestamp::MIN)
        };
        let late_at = at(blame.late_at.unwrap_or(now));
        let parked = delivery.store.park(&destination.name, late_at, at(blame.tried_since)).await;
        match parked {
            Ok(parked) => {
                for parked in parked {
                    traced::parked(delivery, &destination.name, &parked).await;
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
            Err(error) => {
                delivery.metrics.count_store_error(&error);
                tracing::error!(destination = destination.name, %error, "the store parks nothing");
            }
        }
    }
}
