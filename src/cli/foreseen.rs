//! What metrics show as 0 from the start.

use crate::config::Alert;
use crate::ingest::Route;
use crate::metrics::Metrics;
use std::collections::HashMap;
use std::sync::Arc;

/// Shows what has not happened yet at what is configured.
pub(super) fn show(metrics: &Metrics, routes: &HashMap<String, Arc<Route>>, alerts: &[Alert]) {
    metrics.foresee("route", routes.keys().map(String::as_str));
    metrics.foresee("destination", routes.values().flat_map(|route| &route.to).map(|to| to.name.as_str()));
    for route in routes.values() {
        for forge in &route.accept {
            // To ask for one is to show it.
            let _ = metrics.hooks.with_label_values(&[&route.path, forge]);
            let _ = metrics.unlearned.with_label_values(&[&route.path, forge]);
        }
    }
    metrics.foresee("alert", alerts.iter().map(|alert| alert.name.as_str()));
}
