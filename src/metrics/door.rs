//! The numbers of the public port itself.

use super::{counter, gauge, gauges};
use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Registry};

/// Typed handles of them.
#[derive(Debug, Clone)]
pub struct Door {
    /// Until when the certificate is good, in seconds since 1970; not there without TLS.
    pub tls_not_after: IntGaugeVec,
    /// Readings of a changed certificate, by `result`: loaded, refused.
    pub tls_reloads: IntCounterVec,
    /// 1 while the certificate on disk is refused and another is in force.
    pub tls_reload_failed: IntGauge,
    /// Requests of trusted proxies that do not say where they come from, by `reason`: missing, hidden, unreadable.
    pub forwarded_unused: IntCounterVec,
}

impl Door {
    pub(super) fn of(all: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            tls_not_after: gauges(
                all,
                "hookglot_tls_certificate_not_after_seconds",
                "Until when the certificate of the public port is good, in seconds since 1970",
                &[],
            )?,
            tls_reloads: counter(all, "hookglot_tls_reloads_total", "Readings of a changed certificate", &["result"])?,
            tls_reload_failed: gauge(
                all,
                "hookglot_tls_reload_failed",
                "1 while the certificate on disk is refused and another is in force",
            )?,
            forwarded_unused: counter(
                all,
                "hookglot_forwarded_unused_total",
                "Requests of trusted proxies that do not say where they come from",
                &["reason"],
            )?,
        })
    }
}
