//! The answers that a forge gets: a status and a small JSON.

use super::traced::Traced;
use crate::forge::signature::Unsigned;
use crate::mapping::json::MAX_DEPTH;
use crate::metrics::{Cause, Metrics};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER};
use serde_json::json;
use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;
use uuid::Uuid;

/// How long a forge is asked to wait when there is no room, in seconds.
const RETRY_SECONDS: u32 = 30;
/// How much of what a sender wrote is repeated to it and in the log.
const SHOWN_CHARACTERS: usize = 200;

/// One answer, and what the log says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub(super) status: u16,
    pub(super) hook: Option<Uuid>,
    /// `stored` or `ignored`; nothing when the request was refused.
    pub(super) outcome: &'static str,
    pub(super) reason: Option<Box<str>>,
    /// Why it was refused, where it was, for the metric.
    pub(super) cause: Option<Cause>,
    /// When to come again, in seconds.
    retry_after: Option<u32>,
    pub(super) forge: Box<str>,
    pub(super) event: Box<str>,
    /// The trace of the request, where there is one.
    pub(super) traced: Option<Box<Traced>>,
}

impl Answer {
    fn new(status: u16, hook: Option<Uuid>, outcome: &'static str, reason: Option<String>) -> Self {
        let (cause, retry_after, forge, event) = (None, None, Box::default(), Box::default());
        let reason = reason.map(String::into_boxed_str);
        Self { status, hook, outcome, reason, cause, retry_after, forge, event, traced: None }
    }

    fn refused(status: u16, reason: impl Into<String>) -> Self {
        let cause = match status {
            400 => Cause::BadBody,
            401 => Cause::Secret,
            404 => Cause::UnknownPath,
            405 => Cause::Method,
            408 => Cause::SlowBody,
            413 => Cause::LargeBody,
            415 => Cause::Encoding,
            _ => Cause::NoRoom,
        };
        let retry_after = (status == 503).then_some(RETRY_SECONDS);
        Self { cause: Some(cause), retry_after, ..Self::new(status, None, "refused", Some(reason.into())) }
    }

    fn because(self, cause: Cause) -> Self {
        Self { cause: Some(cause), ..self }
    }

    /// 429 with `Retry-After`, in whole seconds.
    fn later(wait: Duration, cause: Cause, reason: &str) -> Self {
        let seconds =
            u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(u32::from(wait.subsec_nanos() > 0));
        let refused = Self::refused(429, format!("{reason}; come again in {seconds} s"));
        Self { retry_after: Some(seconds), ..refused.because(cause) }
    }

    /// 200: the store has it.
    #[must_use]
    pub fn stored(hook: Uuid) -> Self {
        Self::new(200, Some(hook), "stored", None)
    }

    /// 200: understood, and not for anybody.
    pub fn ignored(hook: Uuid, reason: impl Into<String>) -> Self {
        Self::new(200, Some(hook), "ignored", Some(reason.into()))
    }

    /// 200: it came before.
    #[must_use]
    pub fn duplicate(hook: Uuid, of: Uuid) -> Self {
        let reason = format!("a duplicate: it came before as {of}, which is on its way or was delivered a moment ago");
        Self::ignored(hook, reason)
    }

    /// 200: every destination has it.
    #[must_use]
    pub fn delivered(hook: Uuid) -> Self {
        Self::new(200, Some(hook), "delivered", None)
    }

    /// What the destination said that took it worst; the hook is stored, and tried again.
    #[must_use]
    pub fn not_delivered(hook: Uuid, status: u16, reason: String) -> Self {
        Self { cause: Some(Cause::NotDelivered), ..Self::new(status, Some(hook), "stored", Some(reason)) }
    }

    /// 400: not a JSON object.
    pub fn bad_request(reason: impl Into<String>) -> Self {
        Self::refused(400, reason)
    }

    /// 400: a head that says nothing of a body.
    #[must_use]
    pub fn no_length() -> Self {
        Self::bad_request(
            "the body is empty: the request has neither a Content-Length nor Transfer-Encoding: chunked; a hook is a JSON object",
        )
    }

    /// 400: a body that is nested more deeply than is read.
    #[must_use]
    pub fn too_deep(line: usize, column: usize) -> Self {
        let place = format!("line {line}, column {column}");
        Self::bad_request(format!("the body is nested too deeply: {place}: at most {MAX_DEPTH} levels are read"))
    }

    /// 401: a wrong secret, or none.
    #[must_use]
    pub fn unauthorised() -> Self {
        Self::refused(
            401,
            "the secret of the hook is missing or wrong: it must be the one that the route is opened with",
        )
    }

    /// 401: a signature that proves nothing, or none.
    #[must_use]
    pub fn unsigned(why: &Unsigned) -> Self {
        Self::refused(401, why.to_string()).because(Cause::Signature)
    }

    /// 403: the address is not among those that may send.
    #[must_use]
    pub fn forbidden() -> Self {
        let reason = "this address may not send to the route: it is not among the addresses of its allow_from";
        Self::refused(403, reason).because(Cause::Address)
    }

    /// 404: no such route.
    #[must_use]
    pub fn not_found(path: &str) -> Self {
        Self::refused(404, format!("no route has the path {}", shown(path)))
    }

    /// 405: hooks are `POSTed`.
    #[must_use]
    pub fn not_allowed() -> Self {
        Self::refused(405, "hooks come by POST")
    }

    /// 408: the sender was too slow.
    #[must_use]
    pub fn too_slow(seconds: u64) -> Self {
        Self::refused(408, format!("the body did not come within {seconds} s"))
    }

    /// 413: a body over the limit.
    #[must_use]
    pub fn too_large(limit: usize) -> Self {
        Self::refused(413, format!("the body is larger than {limit} bytes"))
    }

    /// 415: a body that is packed.
    #[must_use]
    pub fn packed(encoding: &str) -> Self {
        let reason = match encoding {
            "" => "the header Content-Encoding is empty: leave it out, forges send plain JSON".to_owned(),
            _ => format!("the body is encoded with {}: forges send plain JSON", shown(encoding)),
        };
        Self::refused(415, reason)
    }

    /// 400: what came is no request.
    #[must_use]
    pub fn no_request() -> Self {
        let reason = "this is no HTTP request that can be understood, or one whose parts contradict each other: look at \
                      its first line, its headers, Content-Length and Transfer-Encoding";
        Self::refused(400, reason).because(Cause::NoRequest)
    }

    /// 400: what came is no TLS.
    #[must_use]
    pub fn no_tls() -> Self {
        let reason = "this port speaks TLS, and what came is none: give the forge an address that begins with https://";
        Self::refused(400, reason).because(Cause::NoTls)
    }

    /// 400: what came could be read in two ways.
    pub fn unclear_head(reason: impl Into<String>) -> Self {
        Self::refused(400, reason).because(Cause::NoRequest)
    }

    /// 405: a request for a tunnel, which has no path.
    #[must_use]
    pub fn tunnel() -> Self {
        Self::refused(405, "CONNECT asks for a tunnel, which is not to be had here: hooks come by POST to a path")
    }

    /// 400: the request asks for another protocol.
    #[must_use]
    pub fn other_protocol() -> Self {
        Self::refused(400, "the request asks for a websocket (Upgrade): hooks come by plain HTTP")
            .because(Cause::NoRequest)
    }

    /// 408: the head of a request did not come in time.
    #[must_use]
    pub fn slow_head(seconds: u64) -> Self {
        Self::refused(408, format!("the head of the request did not come within {seconds} s")).because(Cause::SlowHead)
    }

    /// 429: wrong secrets too often.
    #[must_use]
    pub fn too_many_failures(wait: Duration) -> Self {
        let reason = "the secret or the signature is missing or wrong, and has been too often from this address: correct it at \
                      the forge, a right one is always let in";
        Self::later(wait, Cause::SecretTooOften, reason)
    }

    /// 429: more hooks than the route takes.
    #[must_use]
    pub fn too_many(wait: Duration) -> Self {
        Self::later(wait, Cause::Rate, "more hooks come than the rate_limit of the route allows")
    }

    /// 431: a head that is too large.
    #[must_use]
    pub fn large_head() -> Self {
        let reason = "the head of the request is larger than 64 KiB or has more than 96 headers";
        Self::refused(431, reason).because(Cause::LargeHead)
    }

    /// 503: too many connections.
    #[must_use]
    pub fn too_many_connections(most: usize) -> Self {
        Self::unavailable(format!("{most} connections are open, and no more may be")).because(Cause::Connections)
    }

    /// 503: too many connections of one address.
    #[must_use]
    pub fn too_many_of_address(most: usize) -> Self {
        let reason = format!("{most} connections from this address are open, and no more may be");
        Self::unavailable(reason).because(Cause::ConnectionsOfAddress)
    }

    /// 503 with `Retry-After`: too many bytes of bodies.
    #[must_use]
    pub fn too_many_bytes() -> Self {
        Self::unavailable("too many bytes of other hooks are on their way").because(Cause::BytesInFlight)
    }

    /// 503 with `Retry-After`: too many bytes of bodies whose senders have not proved who they are.
    #[must_use]
    pub fn too_many_bytes_unproven() -> Self {
        let reason = "too many bytes of other hooks are on their way whose senders have proved nothing: at most half of \
                      limits.in_flight may be";
        Self::unavailable(reason).because(Cause::BytesUnproven)
    }

    /// 503 with `Retry-After`: the same, of one address.
    #[must_use]
    pub fn too_many_bytes_of_address(most: usize) -> Self {
        let reason = format!(
            "too many bytes of other hooks are on their way from this address whose senders have proved nothing: at most \
             {most}, a quarter of limits.in_flight, may be"
        );
        Self::unavailable(reason).because(Cause::BytesUnproven)
    }

    /// 503 with `Retry-After`: no room now.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::refused(503, reason)
    }

    /// Adds what the log says of the hook.
    #[must_use]
    pub fn about(mut self, forge: &str, event: &str) -> Self {
        self.forge = forge.into();
        self.event = event.into();
        self
    }

    /// Whether nobody proved who is calling.
    pub(super) fn is_to_stranger(&self) -> bool {
        matches!(self.cause, Some(Cause::Secret | Cause::Signature))
    }

    /// Whether the sender must not come back at once: its address may not send, or it sends too often.
    pub(super) fn is_turned_away(&self) -> bool {
        matches!(self.cause, Some(Cause::Address | Cause::Rate | Cause::SecretTooOften))
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Counts the answer; an unknown path is the route of an empty name.
    pub(super) fn count(&self, route: &str, metrics: &Metrics) {
        metrics.requests.with_label_values(&[route, &self.status.to_string()]).inc();
        if let Some(cause) = self.cause {
            metrics.refused.with_label_values(&[route, cause.word()]).inc();
        }
    }

    /// One log line: what came, and what became of it.
    pub(super) fn log(&self, path: &str, from: Option<IpAddr>, seconds: f64) {
        let (route, from) = (shown(path), from.map(|from| from.to_canonical().to_string()).unwrap_or_default());
        let elapsed_ms = (seconds * 1_000_000.0).round() / 1000.0;
        let hook = self.hook.map(|id| id.to_string()).unwrap_or_default();
        let (forge, event, reason) = (&*self.forge, &*self.event, self.reason.as_deref().unwrap_or_default());
        let trace = self.traced.as_ref().map(|traced| traced.name());
        let route = &*route;
        if self.status < 400 {
            tracing::info!(
                hook,
                route,
                forge,
                event,
                status = self.status,
                outcome = self.outcome,
                reason,
                elapsed_ms,
                trace,
                "request"
            );
        } else {
            tracing::warn!(
                route,
                from,
                status = self.status,
                outcome = self.outcome,
                reason,
                elapsed_ms,
                trace,
                "request"
            );
        }
    }

    /// The answer as it goes over the wire; the last one of a connection says so.
    pub(super) fn into_response(self, is_last: bool) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        if self.status == 405 {
            response.insert_header((ALLOW, "POST"));
        }
        if is_last {
            response.force_close();
        }
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds));
        }
        let Some(hook) = self.hook else {
            return response.json(json!({"error": self.reason}));
        };
        match self.reason {
            Some(reason) => {
                response.json(json!({"delivery": hook.to_string(), "status": self.outcome, "reason": reason}))
            }
            None => response.json(json!({"delivery": hook.to_string(), "status": self.outcome})),
        }
    }

    /// The answer as bytes, for a connection that ends with it.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        let body = json!({"error": self.reason}).to_string();
        let name =
            StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Refused");
        let retry = self.retry_after.map(|seconds| format!("retry-after: {seconds}\r\n")).unwrap_or_default();
        let (status, length) = (self.status, body.len());
        format!(
            "HTTP/1.1 {status} {name}\r\ncontent-length: {length}\r\nconnection: close\r\n\
             content-type: application/json\r\n{retry}\r\n{body}"
        )
        .into_bytes()
    }
}

/// As much of what a sender wrote as is repeated.
fn shown(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    }
}
