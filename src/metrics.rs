//! The numbers that `/metrics` shows. Every name and every label stands here.

mod book;
mod door;
mod page;
mod said;
mod words;

use crate::store::StoreError;
use crate::store::sqlite::SCHEMA;
use book::Unit::{Bytes, Count, Flag};
use book::{Book, DESTINATION, DESTINATION_OR_ALL, FORGE, ROUTE, ROUTE_IF_ANY};
use prometheus::{
    Encoder, GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, TextEncoder,
};
use std::sync::Arc;

pub use book::{Entry, Kind, Label, Unit, Values};
pub use door::Door;
pub use page::page;
pub use said::Said;
pub use words::{Answered, Cause, Exported, Ignored, Outcome, Posting, Reading, Trouble, Unsaid};

const REFUSED: Label = Label::words("reason", Cause::ALL);
const IGNORED: Label = Label::words("reason", Ignored::ALL);
const OUTCOME: Label = Label::words("outcome", Outcome::ALL);
const ANSWERED: Label = Label::words("result", Answered::ALL);
const TROUBLE: Label = Label::words("reason", Trouble::ALL);
const READING: Label = Label::words("result", Reading::ALL);
const POSTING: Label = Label::words("result", Posting::ALL);
const EXPORTED: Label = Label::words("result", Exported::ALL);
const STATUS: Label = Label::open("status", "the HTTP status of the answer");
const MAPPING: Label = Label::open("mapping", "the name of a mapping");
const FIELD: Label = Label::open("field", "a field of the hook that a mapping reads");
const ALERT: Label = Label::open("alert", "the name of an `[[alert]]`");
const VERSION: Label = Label::open("version", "that of hookglot");
const OF_STORE: Label = Label::open("schema", "which one of the store it writes");

/// Typed handles of every metric.
#[derive(Debug, Clone)]
pub struct Metrics {
    book: Arc<Book>,
    /// Requests answered, by `route` (empty for an unknown path) and `status`.
    pub requests: IntCounterVec,
    /// Requests refused, by `route` (empty when it is not known) and `reason`, a [`Cause`].
    pub refused: IntCounterVec,
    /// Connections that are open where hooks come in.
    pub connections: IntGauge,
    /// Seconds from the head of a request to its answer.
    pub request_seconds: Histogram,
    /// Hooks taken, by `route` and `forge`.
    pub hooks: IntCounterVec,
    /// What was ignored before it was stored or at a destination, by `destination` (empty: all) and `reason`, an [`Ignored`].
    pub ignored: IntCounterVec,
    /// Deliveries ended, by `destination` and [`Outcome`].
    pub deliveries: IntCounterVec,
    /// Attempts made, by `destination` and `result`, what was [`Answered`].
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
    /// What the store could not do, by `reason`, a [`Trouble`].
    pub store_errors: IntCounterVec,
    /// 1 while the store takes nothing: it is full or broken.
    pub store_down: IntGauge,
    /// Why, as the log has it.
    pub store_said: Said,
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
    /// Reloads of the mapping files, by `result`, a [`Reading`].
    pub mappings_reloads: IntCounterVec,
    /// 1 while the mapping files on disk are refused and others are in force.
    pub mappings_reload_failed: IntGauge,
    /// How much of the configuration is odd beside the mapping files in force.
    pub configuration_warnings: IntGauge,
    /// Reloads of the configuration, by `result`, a [`Reading`].
    pub config_reloads: IntCounterVec,
    /// 1 while the configuration on disk is refused and another is in force.
    pub config_reload_failed: IntGauge,
    /// Those of the public port itself: its certificate, and the proxies before it.
    pub door: Door,
    /// Bytes of bodies on their way to the store.
    pub bytes_in_flight: IntGauge,
    /// What became of what was to be posted, by `alert` and `result`, a [`Posting`].
    pub alerts: IntCounterVec,
    /// Spans of traces that are done with, by `result`, an [`Exported`].
    pub spans: IntCounterVec,
}

/// Upper bounds of the histograms, in seconds: from a local answer to the longest wait.
const SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

/// Upper bounds for what may take as long as a tool is down, in seconds.
const LONG_SECONDS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0, 1_800.0, 7_200.0, 86_400.0];

impl Metrics {
    /// Registers every metric. Each stands here once: `/metrics`, `docs/metrics.md` and the tests of alerts and dashboard are
    /// made of these lines.
    ///
    /// # Errors
    /// Only when two of the names are the same.
    #[expect(clippy::too_many_lines, reason = "a list, with nothing in it but its lines")]
    pub fn new() -> Result<Self, prometheus::Error> {
        let mut book = Book::default();
        let all = &mut book;
        Ok(Self {
            requests: all.counter("hookglot_requests_total", &[ROUTE_IF_ANY, STATUS], "requests answered")?,
            refused: all.counter("hookglot_refused_total", &[ROUTE_IF_ANY, REFUSED], "requests refused")?,
            connections: all.gauge("hookglot_connections", Count, "connections that are open where hooks come in")?,
            request_seconds: all.seconds("hookglot_request_seconds", &SECONDS, "from a request's head to its answer")?,
            hooks: all.counter("hookglot_hooks_total", &[ROUTE, FORGE], "hooks taken")?,
            ignored: all.counter("hookglot_ignored_total", &[DESTINATION_OR_ALL, IGNORED], "hooks that were ignored")?,
            duplicates: all.counter("hookglot_duplicates_total", &[ROUTE], "hooks that had come before")?,
            unlearned: all.counter(
                "hookglot_unlearned_total",
                &[ROUTE, FORGE],
                "hooks of which nothing could be learned: the log names the line of the forge file",
            )?,
            failures_until_disabled: all.gauges(
                "hookglot_failures_until_disabled",
                Count,
                &[ROUTE, FORGE],
                "how many more failures in a row make the forge disable its hook (GitLab: 4 from the last success on)",
            )?,
            deliveries: all.counter("hookglot_deliveries_total", &[DESTINATION, OUTCOME], "deliveries ended")?,
            attempts: all.counter("hookglot_attempts_total", &[DESTINATION, ANSWERED], "attempts made")?,
            attempt_seconds: all.seconds_of(
                "hookglot_attempt_seconds",
                &[DESTINATION],
                &SECONDS,
                "how long attempts took",
            )?,
            retries: all.counter("hookglot_retries_total", &[DESTINATION], "attempts that another follows")?,
            delivery_seconds: all.seconds_of(
                "hookglot_delivery_seconds",
                &[DESTINATION],
                &LONG_SECONDS,
                "from a hook's acceptance to its delivery",
            )?,
            failing: all.gauges(
                "hookglot_failing",
                Flag,
                &[DESTINATION],
                "1 while the last delivery that ended is one that failed",
            )?,
            breaker_open: all.gauges(
                "hookglot_breaker_open",
                Flag,
                &[DESTINATION],
                "1 while nothing but probes is sent",
            )?,
            parked: all.counter(
                "hookglot_parked_total",
                &[DESTINATION],
                "deliveries that no longer keep those of their project waiting",
            )?,
            store_said: Said::default(),
            pending: all.gauges("hookglot_pending", Count, &[DESTINATION], "deliveries that wait or are under way")?,
            oldest_pending_seconds: all.ages(
                "hookglot_oldest_pending_seconds",
                &[DESTINATION],
                "since when the oldest of them waits",
            )?,
            store_down: all.gauge(
                "hookglot_store_down",
                Flag,
                "1 while the store is full or broken: hooks get 503, or what came of deliveries cannot be kept; `/ready` says 503",
            )?,
            store_errors: all.counter("hookglot_store_errors_total", &[TROUBLE], "what the store could not do")?,
            store_commit_seconds: all.seconds(
                "hookglot_store_commit_seconds",
                &SECONDS,
                "how long transactions of the store took",
            )?,
            disk_free_bytes: all.gauge(
                "hookglot_disk_free_bytes",
                Bytes,
                "what is free on the disk of `data_dir`; 0 with the store in memory",
            )?,
            disk_nearly_full: all.gauge(
                "hookglot_disk_nearly_full",
                Flag,
                "1 while that is less than `limits.nearly_full`",
            )?,
            store_bytes: all.gauge("hookglot_store_bytes", Bytes, "bytes of the store that hold something")?,
            admin_refused: all.total(
                "hookglot_admin_refused_total",
                "requests of the admin API without a token that opens it",
            )?,
            audit_lost: all.total(
                "hookglot_audit_lost_total",
                "entries of the audit log that could not be kept: the log has them",
            )?,
            pruned: all.total("hookglot_pruned_total", "deliveries and hooks removed after their time")?,
            config_reloads: all.counter("hookglot_config_reloads_total", &[READING], "configuration read again")?,
            config_reload_failed: all.gauge(
                "hookglot_config_reload_failed",
                Flag,
                "1 while the file on disk is refused and the one before is in force",
            )?,
            mappings_reloads: all.counter("hookglot_mappings_reloads_total", &[READING], "mapping files read again")?,
            mappings_reload_failed: all.gauge(
                "hookglot_mappings_reload_failed",
                Flag,
                "1 while the files on disk are refused and those loaded before are in force",
            )?,
            configuration_warnings: all.gauge(
                "hookglot_configuration_warnings",
                Count,
                "settings that no mapping file in force knows, or that a reload has forbidden: the log names them at start and \
                 at each reload",
            )?,
            translate_missing: all.counter(
                "hookglot_translate_missing_total",
                &[MAPPING, FIELD],
                "source fields without value and default",
            )?,
            alerts: all.counter("hookglot_alerts_total", &[ALERT, POSTING], "what was to be posted to a chat or a tool")?,
            door: Door::of(all)?,
            spans: all.counter(
                "hookglot_spans_total",
                &[EXPORTED],
                "spans of traces that are done with; only with `[traces]`",
            )?,
            bytes_in_flight: all.gauge("hookglot_bytes_in_flight", Bytes, "bodies on their way to the store")?,
            book: Arc::new(finished(book)?),
        })
    }

    /// What each metric is.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.book.entries
    }

    /// Shows as 0 what has not happened yet at these routes (destinations, alerts): whoever first sees a counter as 1 sees no
    /// growth.
    pub fn foresee<'n>(&self, label: &str, named: impl IntoIterator<Item = &'n str>) {
        self.book.foresee(label, named);
    }

    /// Counts what the store could not do.
    pub fn count_store_error(&self, error: &StoreError) {
        let reason = match error {
            StoreError::Full(_) => Trouble::Full,
            StoreError::Broken(_) | StoreError::Damaged(_) => Trouble::Broken,
        };
        self.store_errors.with_label_values(&[reason.word()]).inc();
        // Before it shows: whoever sees that asks why.
        self.store_said.set(error.to_string());
        self.store_down.set(1);
    }

    /// Everything in Prometheus' text format.
    ///
    /// # Errors
    /// When a metric cannot be written, which the format allows for none of ours.
    pub fn render(&self) -> Result<Vec<u8>, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.book.registry.gather(), &mut text)?;
        Ok(text)
    }
}

/// The book with what is always so, and with everything as 0 that may be counted whatever is configured.
fn finished(mut book: Book) -> Result<Book, prometheus::Error> {
    let build = book.gauges("hookglot_build_info", Flag, &[VERSION, OF_STORE], "1, with the version and the schema")?;
    build.with_label_values(&[env!("CARGO_PKG_VERSION"), &SCHEMA.to_string()]).set(1);
    book.foresee_always();
    Ok(book)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_registered_once() {
        let metrics = Metrics::new().expect("no two names are the same");
        let text = String::from_utf8(metrics.render().expect("renders")).expect("UTF-8");
        assert!(text.contains("hookglot_build_info{"), "{text}");
    }
}
