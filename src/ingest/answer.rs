//! The answers that a forge gets: a status and a small JSON.

use crate::forge::signature::Unsigned;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONNECTION, RETRY_AFTER};
use serde_json::json;
use uuid::Uuid;

/// How long a forge is asked to wait when there is no room, in seconds.
const RETRY_SECONDS: u64 = 30;

/// One answer, and what the log says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    hook: Option<Uuid>,
    /// `stored` or `ignored`; nothing when the request was refused.
    outcome: &'static str,
    reason: Option<String>,
    forge: String,
    event: String,
}

impl Answer {
    fn new(status: u16, hook: Option<Uuid>, outcome: &'static str, reason: Option<String>) -> Self {
        Self { status, hook, outcome, reason, forge: String::new(), event: String::new() }
    }

    fn refused(status: u16, reason: impl Into<String>) -> Self {
        Self::new(status, None, "refused", Some(reason.into()))
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

    /// 400: not a JSON object.
    pub fn bad_request(reason: impl Into<String>) -> Self {
        Self::refused(400, reason)
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
        Self::refused(401, why.to_string())
    }

    /// 404: no such route.
    #[must_use]
    pub fn not_found(path: &str) -> Self {
        Self::refused(404, format!("no route has the path {path}"))
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
        Self::refused(415, format!("the body is encoded with {encoding}: forges send plain JSON"))
    }

    /// 503 with `Retry-After`: no room now.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::refused(503, reason)
    }

    /// Adds what the log says of the hook.
    #[must_use]
    pub fn about(mut self, forge: &str, event: &str) -> Self {
        forge.clone_into(&mut self.forge);
        event.clone_into(&mut self.event);
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// One log line: what came, and what became of it.
    pub(super) fn log(&self, route: &str, seconds: f64) {
        let elapsed_ms = (seconds * 1_000_000.0).round() / 1000.0;
        let hook = self.hook.map(|id| id.to_string()).unwrap_or_default();
        let (forge, event, reason) = (&*self.forge, &*self.event, self.reason.as_deref().unwrap_or_default());
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
                "request"
            );
        } else {
            tracing::warn!(route, status = self.status, outcome = self.outcome, reason, elapsed_ms, "request");
        }
    }

    /// The answer as it goes over the wire.
    pub(super) fn into_response(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        match self.status {
            405 => drop(response.insert_header((ALLOW, "POST"))),
            503 => drop(response.insert_header((RETRY_AFTER, RETRY_SECONDS))),
            // What is left of such a body is not read: the connection ends with the answer.
            408 | 413 => drop(response.insert_header((CONNECTION, "close"))),
            _ => {}
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
}
