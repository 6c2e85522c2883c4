//! What is told of a request in the trace of its hook.

use super::plan::Destined;
use super::{Answer, Ingest, Route};
use crate::metrics::Cause;
use crate::store::{Appended, Arrival, Hook};
use crate::traces::{Begun, Kind, Span, Trace, Traces};
use actix_web::HttpRequest;
use actix_web::http::Method;
use std::time::{Duration, SystemTime};
use uuid::Uuid;

/// Refusals of those who have shown that they may send: before that, what a request says of its trace does not count, as
/// anybody could have everything exported.
const OF_KNOWN: [Cause; 4] = [Cause::BadBody, Cause::Rate, Cause::NoRoom, Cause::NotDelivered];

/// The trace of a request, and what became of its hook at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Traced {
    trace: Trace,
    notes: Vec<Note>,
}

/// A delivery that ended before it began.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Note {
    outcome: &'static str,
    destination: String,
    reason: String,
}

impl Traced {
    pub(super) fn of(traces: &Traces, hook: &Hook) -> Option<Box<Self>> {
        let trace = traces.of_hook(hook)?;
        if trace.is_malformed() {
            tracing::debug!(
                hook = hook.id.to_string(),
                "traceparent is none, or there are several: a new trace begins"
            );
        }
        Some(Box::new(Self { trace, notes: Vec::new() }))
    }

    /// Notes who does not get the hook.
    pub(super) fn note(&mut self, destinations: &[Destined], queue_full: &[String]) {
        let ignored = destinations.iter().filter_map(|(to, refusal)| {
            let (destination, reason) = (to.name.clone(), refusal.as_ref()?.text.clone());
            Some(Note { outcome: "ignored", destination, reason })
        });
        let failed = queue_full.iter().map(|destination| {
            let (destination, reason) = (destination.clone(), "queue full".to_owned());
            Note { outcome: "failed", destination, reason }
        });
        self.notes.extend(ignored.chain(failed));
    }

    /// The trace, as the log names it.
    pub(super) fn name(&self) -> String {
        self.trace.name()
    }
}

impl Ingest {
    /// Has the store keep something, and tells how long that took.
    pub(super) async fn store_traced(&self, arrival: Arrival, traced: Option<&Traced>) -> Result<Appended, Answer> {
        let begun = traced.map(|traced| (traced, Begun::now(), arrival.hook.id));
        let stored = self.store(arrival).await;
        if let Some((Traced { trace, .. }, begun, hook)) = begun {
            let span = Span::new(Kind::Internal, "store", begun).text("hookglot.hook", &hook.to_string());
            let span = match &stored {
                Ok(Appended::Stored { .. }) => span.text("hookglot.outcome", "stored"),
                Ok(Appended::Duplicate { .. }) => span.text("hookglot.outcome", "duplicate"),
                Err(refused) => span.failed("store", refused.reason.as_deref().unwrap_or_default()),
            };
            self.traces.tell(trace, span);
        }
        stored
    }
}

/// Tells of a request that is about to be answered; the answer knows its trace then. `path` has no secrets.
pub(super) fn told(
    ingest: &Ingest,
    request: &HttpRequest,
    (route, path): (Option<&Route>, &str),
    mut answer: Answer,
    took: Duration,
) -> Answer {
    let Some(traced) = answer.traced.take().or_else(|| new(ingest, request, &answer)) else { return answer };
    let method = known(request.method());
    let name = match (route, method) {
        (Some(route), Some(method)) => format!("{method} {}", route.path),
        (None, Some(method)) => method.to_owned(),
        (_, None) => "HTTP".to_owned(),
    };
    let begun = Begun::at(SystemTime::now().checked_sub(took).unwrap_or(SystemTime::UNIX_EPOCH));
    let (status, hook) = (answer.status, answer.hook.map(|id| id.to_string()).unwrap_or_default());
    let span = Span::new(Kind::Server, name, begun)
        .text("http.request.method", method.unwrap_or("_OTHER"))
        .text("http.route", route.map_or("", |route| &route.path))
        .text("url.path", path)
        .text("url.scheme", if ingest.tls.is_some() { "https" } else { "http" })
        .number("http.response.status_code", status)
        .text("hookglot.hook", &hook)
        .text("hookglot.forge", &answer.forge)
        .text("hookglot.event", &answer.event)
        .text("hookglot.outcome", answer.outcome)
        .text("hookglot.refusal", answer.cause.map(Cause::word).unwrap_or_default())
        .text("hookglot.reason", answer.reason.as_deref().unwrap_or_default());
    let span = traced.notes.iter().fold(span, |span, Note { outcome, destination, reason }| {
        span.event(outcome, &[("hookglot.destination", destination), ("hookglot.reason", reason)])
    });
    let span = if status >= 500 { span.failed(&status.to_string(), "") } else { span };
    ingest.traces.tell(&traced.trace, span);
    answer.traced = Some(traced);
    answer
}

/// The trace of a request that brought no hook.
fn new(ingest: &Ingest, request: &HttpRequest, answer: &Answer) -> Option<Box<Traced>> {
    let is_known = answer.cause.is_some_and(|cause| OF_KNOWN.contains(&cause));
    let headers = request.headers().iter().filter(|_| is_known);
    let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let trace = ingest.traces.of(Uuid::now_v7(), headers)?;
    Some(Box::new(Traced { trace, notes: Vec::new() }))
}

/// A method that is one: what else somebody writes there is not repeated.
fn known(method: &Method) -> Option<&'static str> {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str())
}
