//! The numbers that `/metrics` shows. Every name and every label stands here.

use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
    core::Collector,
};

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
    /// Bytes of bodies on their way to the store.
    pub bytes_in_flight: IntGauge,
}

/// Upper bounds of the histograms, in seconds: from a local answer to the longest wait.
const SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

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
            connections: kept(
                all,
                IntGauge::new("hookglot_connections", "Connections that are open where hooks come in")?,
            )?,
            request_seconds: kept(
                all,
                Histogram::with_opts(histogram(
                    "hookglot_request_seconds",
                    "Seconds from a request's head to its answer",
                ))?,
            )?,
            hooks: counter(all, "hookglot_hooks_total", "Hooks taken", &["route", "forge"])?,
            ignored: counter(all, "hookglot_ignored_total", "What was ignored, by reason", &["destination", "reason"])?,
            deliveries: counter(all, "hookglot_deliveries_total", "Deliveries ended", &["destination", "outcome"])?,
            attempts: counter(all, "hookglot_attempts_total", "Attempts made", &["destination", "result"])?,
            attempt_seconds: kept(
                all,
                HistogramVec::new(
                    histogram("hookglot_attempt_seconds", "Seconds that attempts took"),
                    &["destination"],
                )?,
            )?,
            pending: kept(
                all,
                IntGaugeVec::new(
                    Opts::new("hookglot_pending", "Deliveries that wait or are under way"),
                    &["destination"],
                )?,
            )?,
            translate_missing: counter(
                all,
                "hookglot_translate_missing_total",
                "Source fields without value and default",
                &["mapping", "field"],
            )?,
            mappings_reloads: counter(
                all,
                "hookglot_mappings_reloads_total",
                "Reloads of the mapping files, by what came of them",
                &["result"],
            )?,
            mappings_reload_failed: kept(
                all,
                IntGauge::new(
                    "hookglot_mappings_reload_failed",
                    "1 while the mapping files on disk are refused and others are in force",
                )?,
            )?,
            configuration_warnings: kept(
                all,
                IntGauge::new(
                    "hookglot_configuration_warnings",
                    "Settings that are odd beside the mapping files in force: the log names them",
                )?,
            )?,
            bytes_in_flight: kept(
                all,
                IntGauge::new("hookglot_bytes_in_flight", "Bytes of bodies on their way to the store")?,
            )?,
            registry,
        })
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

fn histogram(name: &str, help: &str) -> HistogramOpts {
    HistogramOpts::new(name, help).buckets(SECONDS.to_vec())
}

fn counter(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
    kept(registry, IntCounterVec::new(Opts::new(name, help), labels)?)
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
