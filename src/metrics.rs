//! The numbers that `/metrics` shows. Every name and every label stands here.

mod door;

use crate::store::StoreError;
use prometheus::{
    Encoder, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder, core::Collector,
};

pub use door::Door;

/// Typed handles of every metric.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    /// Requests answered, by `route` (empty for an unknown path) and `status`.
    pub requests: IntCounterVec,
    /// Requests refused, by `route` (empty when it is not known) and `reason`: secret, rate, `bytes_in_flight` …
    pub refused: IntCounterVec,
    /// Connections that are open where hooks come in.
    pub connections: IntGauge,
    /// Seconds from the head of a request to its answer.
    pub request_seconds: Histogram,
    /// Hooks taken, by `route` and `forge`.
    pub hooks: IntCounterVec,
    /// What was ignored before it was stored or at a destination, by `destination` (empty: all) and `reason`.
    pub ignored: IntCounterVec,
    /// Deliveries ended, by `destination` and `outcome`: delivered, ignored, failed.
    pub deliveries: IntCounterVec,
    /// Attempts made, by `destination` and `result`: 2xx, 3xx, 4xx, 5xx, timeout, unreachable.
    pub attempts: IntCounterVec,
    /// Seconds that attempts took, by `destination`.
    pub attempt_seconds: HistogramVec,
    /// Attempts that were followed by another, by `destination`; without probes.
    pub retries: IntCounterVec,
    /// Seconds from the acceptance of a hook to its delivery, by `destination`.
    pub delivery_seconds: HistogramVec,
    /// Hooks from which nothing could be learned, by `route` and `forge`.
    pub unlearned: IntCounterVec,
    /// Hooks that had come before, by `route`.
    pub duplicates: IntCounterVec,
    /// Deliveries that no longer keep those of their project waiting, by `destination`.
    pub parked: IntCounterVec,
    /// 1 while the last delivery that ended is one that failed, by `destination`.
    pub failing: IntGaugeVec,
    /// 1 while nothing but probes is sent, by `destination`.
    pub breaker_open: IntGaugeVec,
    /// Seconds since the oldest pending delivery was accepted, by `destination`.
    pub oldest_pending_seconds: GaugeVec,
    /// How many more failures in a row make the forge disable its hook, by `route` and `forge`.
    pub failures_until_disabled: IntGaugeVec,
    /// Seconds that transactions of the store took.
    pub store_commit_seconds: Histogram,
    /// What the store could not do, by `reason`: full, broken.
    pub store_errors: IntCounterVec,
    /// 1 while the store takes nothing: it is full or broken.
    pub store_down: IntGauge,
    /// Requests of the admin API that showed no token of the configuration.
    pub admin_refused: IntCounter,
    /// Bytes that are free on the disk of the store.
    pub disk_free_bytes: IntGauge,
    /// 1 while the disk of the store is nearly full.
    pub disk_nearly_full: IntGauge,
    /// Entries of the audit log that could not be kept.
    pub audit_lost: IntCounter,
    /// Bytes of the store that hold something.
    pub store_bytes: IntGauge,
    /// Deliveries, and hooks without any, that were removed after their time.
    pub pruned: IntCounter,
    /// Deliveries that wait or are under way, by `destination`.
    pub pending: IntGaugeVec,
    /// Source fields that had no value and no default, by `mapping` and `field`.
    pub translate_missing: IntCounterVec,
    /// Reloads of the mapping files, by `result`: loaded, refused.
    pub mappings_reloads: IntCounterVec,
    /// 1 while the mapping files on disk are refused and others are in force.
    pub mappings_reload_failed: IntGauge,
    /// How much of the configuration is odd beside the mapping files in force.
    pub configuration_warnings: IntGauge,
    /// Reloads of the configuration, by `result`: loaded, refused.
    pub config_reloads: IntCounterVec,
    /// 1 while the configuration on disk is refused and another is in force.
    pub config_reload_failed: IntGauge,
    /// Those of the public port itself: its certificate, and the proxies before it.
    pub door: Door,
    /// Bytes of bodies on their way to the store.
    pub bytes_in_flight: IntGauge,
    /// What became of what was to be posted, by `alert` and `result`: posted, failed, dropped.
    pub alerts: IntCounterVec,
}

/// Upper bounds of the histograms, in seconds: from a local answer to the longest wait.
const SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

/// Upper bounds for what may take as long as a tool is down, in seconds.
const LONG_SECONDS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0, 1_800.0, 7_200.0, 86_400.0];

impl Metrics {
    /// Registers every metric.
    ///
    /// # Errors
    /// Only when two of the names above are the same.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let all = &registry;
        let build =
            kept(all, IntGaugeVec::new(Opts::new("hookglot_build_info", "1, with the version"), &["version"])?)?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        Ok(Self {
            requests: counter(all, "hookglot_requests_total", "Requests answered", &["route", "status"])?,
            refused: counter(all, "hookglot_refused_total", "Requests refused, by reason", &["route", "reason"])?,
            connections: gauge(all, "hookglot_connections", "Connections that are open where hooks come in")?,
            request_seconds: seconds(all, "hookglot_request_seconds", "Seconds from a request's head to its answer")?,
            hooks: counter(all, "hookglot_hooks_total", "Hooks taken", &["route", "forge"])?,
            unlearned: counter(
                all,
                "hookglot_unlearned_total",
                "Hooks from which nothing could be learned",
                &["route", "forge"],
            )?,
            duplicates: counter(all, "hookglot_duplicates_total", "Hooks that had come before", &["route"])?,
            failures_until_disabled: gauges(
                all,
                "hookglot_failures_until_disabled",
                "How many more failures in a row make the forge disable its hook",
                &["route", "forge"],
            )?,
            ignored: counter(all, "hookglot_ignored_total", "What was ignored, by reason", &["destination", "reason"])?,
            deliveries: counter(all, "hookglot_deliveries_total", "Deliveries ended", &["destination", "outcome"])?,
            delivery_seconds: seconds_of(
                all,
                "hookglot_delivery_seconds",
                "Seconds from a hook's acceptance to its delivery",
                &LONG_SECONDS,
            )?,
            attempts: counter(all, "hookglot_attempts_total", "Attempts made", &["destination", "result"])?,
            attempt_seconds: seconds_of(all, "hookglot_attempt_seconds", "Seconds that attempts took", &SECONDS)?,
            retries: counter(all, "hookglot_retries_total", "Attempts that another follows", &["destination"])?,
            parked: counter(all, "hookglot_parked_total", "Deliveries that keep nobody waiting", &["destination"])?,
            failing: gauges(
                all,
                "hookglot_failing",
                "1 while the last delivery that ended is one that failed",
                &["destination"],
            )?,
            breaker_open: gauges(all, "hookglot_breaker_open", "1 while nothing but probes is sent", &["destination"])?,
            pending: gauges(all, "hookglot_pending", "Deliveries that wait or are under way", &["destination"])?,
            oldest_pending_seconds: kept(
                all,
                GaugeVec::new(
                    Opts::new("hookglot_oldest_pending_seconds", "Seconds since the oldest pending one was accepted"),
                    &["destination"],
                )?,
            )?,
            store_commit_seconds: seconds(all, "hookglot_store_commit_seconds", "Seconds that transactions took")?,
            store_errors: counter(all, "hookglot_store_errors_total", "What the store could not do", &["reason"])?,
            admin_refused: total(
                all,
                "hookglot_admin_refused_total",
                "Requests of the admin API without a right token",
            )?,
            audit_lost: total(all, "hookglot_audit_lost_total", "Entries of the audit log that could not be kept")?,
            store_down: gauge(all, "hookglot_store_down", "1 while the store takes nothing: it is full or broken")?,
            disk_free_bytes: gauge(all, "hookglot_disk_free_bytes", "Bytes that are free on the disk of the store")?,
            disk_nearly_full: gauge(
                all,
                "hookglot_disk_nearly_full",
                "1 while the disk of the store is nearly full: limits.nearly_full says from when on",
            )?,
            store_bytes: gauge(all, "hookglot_store_bytes", "Bytes of the store that hold something")?,
            pruned: total(all, "hookglot_pruned_total", "Deliveries and hooks removed after their time")?,
            translate_missing: counter(
                all,
                "hookglot_translate_missing_total",
                "Source fields without value and default",
                &["mapping", "field"],
            )?,
            mappings_reloads: counter(all, "hookglot_mappings_reloads_total", "Reloads of mapping files", &["result"])?,
            mappings_reload_failed: gauge(
                all,
                "hookglot_mappings_reload_failed",
                "1 while the mapping files on disk are refused and others are in force",
            )?,
            config_reloads: counter(all, "hookglot_config_reloads_total", "Reloads of the configuration", &["result"])?,
            config_reload_failed: gauge(
                all,
                "hookglot_config_reload_failed",
                "1 while the configuration on disk is refused and another is in force",
            )?,
            configuration_warnings: gauge(
                all,
                "hookglot_configuration_warnings",
                "Settings that are odd beside the mapping files in force: the log names them",
            )?,
            door: Door::of(all)?,
            bytes_in_flight: gauge(all, "hookglot_bytes_in_flight", "Bytes of bodies on their way to the store")?,
            alerts: counter(all, "hookglot_alerts_total", "Posts that are done with", &["alert", "result"])?,
            registry,
        })
    }

    /// Counts what the store could not do.
    pub fn count_store_error(&self, error: &StoreError) {
        let reason = match error {
            StoreError::Full(_) => "full",
            StoreError::Broken(_) | StoreError::Damaged(_) => "broken",
        };
        self.store_errors.with_label_values(&[reason]).inc();
        self.store_down.set(1);
    }

    /// Everything in Prometheus' text format.
    ///
    /// # Errors
    /// When a metric cannot be written, which the format allows for none of ours.
    pub fn render(&self) -> Result<Vec<u8>, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

fn seconds(registry: &Registry, name: &str, help: &str) -> Result<Histogram, prometheus::Error> {
    kept(registry, Histogram::with_opts(HistogramOpts::new(name, help).buckets(SECONDS.to_vec()))?)
}

/// A histogram for each destination.
fn seconds_of(registry: &Registry, name: &str, help: &str, bounds: &[f64]) -> Result<HistogramVec, prometheus::Error> {
    let options = HistogramOpts::new(name, help).buckets(bounds.to_vec());
    kept(registry, HistogramVec::new(options, &["destination"])?)
}

/// A counter of one thing.
fn total(registry: &Registry, name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
    kept(registry, IntCounter::new(name, help)?)
}

fn gauge(registry: &Registry, name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
    kept(registry, IntGauge::new(name, help)?)
}

fn counter(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
    kept(registry, IntCounterVec::new(Opts::new(name, help), labels)?)
}

fn gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
    kept(registry, IntGaugeVec::new(Opts::new(name, help), labels)?)
}

fn kept<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> Result<C, prometheus::Error> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_registered_once() {
        let metrics = Metrics::new().expect("no two names are the same");
        let text = String::from_utf8(metrics.render().expect("renders")).expect("UTF-8");
        assert!(text.contains("hookglot_build_info{version="), "{text}");
    }
}
