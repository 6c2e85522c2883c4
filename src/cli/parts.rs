//! Puts together what `serve` is made of.

use crate::acks::Acks;
use crate::admin::{Desk, Resends};
use crate::clock::Clock;
use crate::config::Settings;
use crate::delivery::{Delivery, Health};
use crate::doorbell::Doorbells;
use crate::feed::Feed;
use crate::ingest::{Acceptor, Heads, Ingest, Patience, Route};
use crate::known::Known;
use crate::metrics::Metrics;
use crate::reload::{Configured, Standing};
use crate::rules::LiveRules;
use crate::store::Store;
use crate::traces::Traces;
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::Arc;

/// What delivering needs.
pub(super) fn delivery(
    store: &Arc<dyn Store>,
    known: Arc<Known>,
    rules: LiveRules,
    metrics: &Metrics,
    feed: &Feed,
    settings: &Settings,
) -> Arc<Delivery> {
    Arc::new(Delivery {
        store: Arc::clone(store),
        known,
        rules,
        metrics: metrics.clone(),
        clock: Clock::start(),
        doorbells: Doorbells::default(),
        acks: Acks::default(),
        feed: feed.clone(),
        traces: Traces::off(metrics),
        health: Health::default(),
        kept_answer: settings.limits.kept_answer,
    })
}

/// What takes hooks in for it.
pub(super) fn ingest(
    delivery: &Delivery,
    routes: HashMap<String, Arc<Route>>,
    tls: Option<Acceptor>,
    settings: &Settings,
) -> Arc<Ingest> {
    Arc::new(Ingest {
        routes: Arc::new(ArcSwap::from_pointee(routes)),
        rules: Arc::clone(&delivery.rules),
        store: Arc::clone(&delivery.store),
        clock: delivery.clock,
        acks: delivery.acks.clone(),
        patience: Patience::default(),
        heads: Heads::default(),
        doorbells: delivery.doorbells.clone(),
        metrics: delivery.metrics.clone(),
        feed: delivery.feed.clone(),
        traces: delivery.traces.clone(),
        limits: settings.limits,
        learns: !settings.retention_states.is_zero(),
        forwarding: Arc::new(ArcSwap::from_pointee(settings.forwarding.clone())),
        tls,
    })
}

/// What the admin port answers from: what is wrong with the mapping files, and with the configuration, is told beside.
pub(super) fn desk(
    delivery: &Delivery,
    ingest: &Ingest,
    configured: &Configured,
    (of_mappings, of_configuration): (Standing, Standing),
    settings: &mut Settings,
) -> Desk {
    Desk {
        store: Arc::clone(&delivery.store),
        known: Arc::clone(&delivery.known),
        rules: Arc::clone(&delivery.rules),
        routes: Arc::clone(&ingest.routes),
        metrics: delivery.metrics.clone(),
        feed: delivery.feed.clone(),
        clock: delivery.clock,
        doorbells: delivery.doorbells.clone(),
        health: delivery.health.clone(),
        limits: settings.limits,
        configured: configured.clone(),
        tokens: Arc::new(ArcSwap::from_pointee(std::mem::take(&mut settings.admin_tokens))),
        resends: Resends::default(),
        of_mappings,
        of_configuration,
    }
}
