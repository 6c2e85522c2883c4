//! What is told of a delivery in the trace of its hook.

use super::Delivery;
use super::outgoing::Refused;
use super::policy::Next;
use super::sender::{Outcome, Sender, insert};
use crate::store::{Claimed, Hook, Outgoing, Parked};
use crate::traces::{Begun, Kind, Span, Trace};
use reqwest::header::HeaderMap;

/// An attempt that is under way, in its trace.
pub(super) struct Traced {
    trace: Trace,
    begun: Begun,
}

impl Traced {
    /// Begins one; none while there are no traces.
    pub(super) fn begin(delivery: &Delivery, hook: &Hook) -> Option<Self> {
        delivery.traces.of_hook(hook).map(|trace| Self { trace, begun: Begun::now() })
    }

    /// Tells the tool, where tools are told. What else stands in these headers is of another trace.
    pub(super) fn pass(&self, delivery: &Delivery, headers: &mut HeaderMap) -> Result<(), String> {
        for (name, value) in delivery.traces.passed(&self.trace, self.begun).into_iter().flatten() {
            headers.remove(name);
            if let Some(value) = value {
                insert(headers, name, &value)?;
            }
        }
        Ok(())
    }

    /// The trace, as the log names it.
    pub(super) fn name(&self) -> String {
        self.trace.name()
    }
}

/// What every span of a delivery says.
fn about(span: Span, hook: &Hook, destination: &str) -> Span {
    span.text("hookglot.hook", &hook.id.to_string())
        .text("hookglot.forge", &hook.forge)
        .text("hookglot.event", &hook.event)
        .text("hookglot.destination", destination)
}

/// Tells what came of an attempt.
pub(super) fn attempted(
    sender: &Sender,
    claimed: &Claimed,
    outgoing: &Outgoing,
    outcome: &Outcome,
    next: Next,
    only_probed: bool,
) {
    let Some(Traced { trace, begun }) = &outcome.traced else { return };
    let (to, attempts) = (&sender.destination, claimed.attempts);
    let url = to.url.reveal();
    let mut span = about(Span::new(Kind::Client, format!("POST {}", to.name), *begun), &claimed.hook, &to.name)
        .text("http.request.method", "POST")
        .text("server.address", url.host_str().unwrap_or_default())
        .text("hookglot.delivery", &claimed.id.to_string())
        .text("hookglot.mapping", outgoing.mapping.as_ref().map_or("", |mapping| &mapping.name))
        .number("hookglot.attempt", attempts + 1)
        .truth("hookglot.probe", only_probed)
        .text("hookglot.outcome", next.word(only_probed));
    if let Some(port) = url.port_or_known_default() {
        span = span.number("server.port", port);
    }
    if attempts > 0 {
        span = span.number("http.request.resend_count", attempts);
    }
    if let Some(status) = outcome.came.status() {
        span = span.number("http.response.status_code", status);
    }
    if let Next::Again(wait) = next {
        span = span.number("hookglot.retry_in", i64::try_from(wait.as_secs()).unwrap_or(i64::MAX));
    }
    if next != Next::Delivered {
        let kind =
            outcome.came.status().map_or_else(|| outcome.came.class().word().to_owned(), |status| status.to_string());
        span = span.failed(&kind, &outcome.error);
    }
    sender.delivery.traces.tell(trace, span);
}

/// Tells of a delivery that comes to no request.
pub(super) fn unsent(sender: &Sender, hook: &Hook, traced: Option<&Traced>, reason: &str) {
    if let Some(Traced { trace, begun }) = traced {
        let span = about(Span::new(Kind::Internal, "send", *begun), hook, &sender.destination.name);
        let span = span.text("hookglot.outcome", "failed").failed("unsent", reason);
        sender.delivery.traces.tell(trace, span);
    }
}

/// Tells what a translation made.
pub(super) fn translated(
    sender: &Sender,
    hook: &Hook,
    begun: Option<Begun>,
    made: Result<&(Outgoing, Vec<String>), &Refused>,
) {
    let Some((begun, trace)) = begun.zip(sender.delivery.traces.of_hook(hook)) else { return };
    let span = about(Span::new(Kind::Internal, "translate", begun), hook, &sender.destination.name);
    let span = match made {
        Ok((Outgoing { mapping: Some(mapping), .. }, _)) => {
            span.text("hookglot.mapping", &mapping.name).text("hookglot.outcome", "translated")
        }
        Ok(_) => span.text("hookglot.outcome", "passed through"),
        Err(Refused::Ignored(reason)) => span.text("hookglot.outcome", "ignored").text("hookglot.reason", reason),
        Err(Refused::Failed(reason)) => span.text("hookglot.outcome", "failed").failed("translation", reason),
    };
    sender.delivery.traces.tell(&trace, span);
}

/// Tells of one that no longer keeps others waiting.
pub(super) async fn parked(delivery: &Delivery, destination: &str, parked: &Parked) {
    if !delivery.traces.are_on() {
        return;
    }
    // Which trace it is, its headers say. A store that cannot say them has said so elsewhere.
    let Ok(Some(record)) = delivery.store.hook(parked.hook).await else { return };
    if let Some(trace) = delivery.traces.of_hook(&record.hook) {
        let span = about(Span::new(Kind::Internal, "park", Begun::now()), &record.hook, destination);
        delivery.traces.tell(&trace, span.text("hookglot.outcome", "parked"));
    }
}
