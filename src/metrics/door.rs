//! The numbers of the public port itself.

use super::book::{Book, Label, Unit};
use super::words::{Reading, Unsaid};
use prometheus::{IntCounterVec, IntGauge, IntGaugeVec};

const READING: Label = Label::words("result", Reading::ALL);
const UNSAID: Label = Label::words("reason", Unsaid::ALL);

/// Typed handles of them.
#[derive(Debug, Clone)]
pub struct Door {
    /// Until when the certificate is good, in seconds since 1970; not there without TLS.
    pub tls_not_after: IntGaugeVec,
    /// Readings of a changed certificate, by `result`, a [`Reading`].
    pub tls_reloads: IntCounterVec,
    /// 1 while the certificate on disk is refused and another is in force.
    pub tls_reload_failed: IntGauge,
    /// Requests of trusted proxies that do not say where they come from, by `reason`, what was [`Unsaid`].
    pub forwarded_unused: IntCounterVec,
}

impl Door {
    pub(super) fn of(all: &mut Book) -> Result<Self, prometheus::Error> {
        Ok(Self {
            tls_not_after: all.gauges(
                "hookglot_tls_certificate_not_after_seconds",
                Unit::Moment,
                &[],
                "until when the certificate in force is good; only with `[tls]`",
            )?,
            tls_reloads: all.counter("hookglot_tls_reloads_total", &[READING], "certificates read again")?,
            tls_reload_failed: all.gauge(
                "hookglot_tls_reload_failed",
                Unit::Flag,
                "1 while the certificate on disk is refused and the one before is in force",
            )?,
            forwarded_unused: all.counter(
                "hookglot_forwarded_unused_total",
                &[UNSAID],
                "requests of trusted proxies that do not say where they come from",
            )?,
        })
    }
}
