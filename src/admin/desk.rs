//! What the admin API works with.

use super::Resends;
use crate::clock::Clock;
use crate::config::{AdminToken, Destination, Limits};
use crate::delivery::Health;
use crate::doorbell::Doorbells;
use crate::feed::Feed;
use crate::ingest::{Route, Routes};
use crate::known::Known;
use crate::metrics::Metrics;
use crate::reload::{Configured, Standing};
use crate::rules::LiveRules;
use crate::store::Store;
use arc_swap::ArcSwap;
use std::sync::Arc;

/// Everything that it works with.
pub struct Desk {
    /// Where hooks are kept.
    pub store: Arc<dyn Store>,
    /// What is known beyond the hooks.
    pub known: Arc<Known>,
    /// The rules in force.
    pub rules: LiveRules,
    /// The routes in force, with their destinations.
    pub routes: Routes,
    /// The numbers that are counted.
    pub metrics: Metrics,
    /// Where it is told what happens.
    pub feed: Feed,
    /// What the time of all deliveries is read from.
    pub clock: Clock,
    /// The workers' bells.
    pub doorbells: Doorbells,
    /// What the latest attempts said of the destinations.
    pub health: Health,
    /// What may come in.
    pub limits: Limits,
    /// What is odd about the configuration in force.
    pub configured: Configured,
    /// Who may ask.
    pub tokens: Arc<ArcSwap<Vec<AdminToken>>>,
    /// The calls that send many deliveries again.
    pub resends: Resends,
    /// What is wrong with the mapping files on the disk.
    pub of_mappings: Standing,
    /// What is wrong with the configuration file on the disk.
    pub of_configuration: Standing,
}

impl Desk {
    /// A destination that is in force, with its route.
    pub(super) fn destination(&self, name: &str) -> Option<(Arc<Route>, Arc<Destination>)> {
        let routes = self.routes.load();
        routes.values().find_map(|route| {
            let to = route.to.iter().find(|to| to.name == name)?;
            Some((Arc::clone(route), Arc::clone(to)))
        })
    }
}
