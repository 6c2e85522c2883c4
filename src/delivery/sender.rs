//! Brings one delivery to its destination: what to send, the request, and what came of it.

use super::ahead::Prepared;
use super::breaker::{Change, Showed};
use super::limits::Limits;
use super::outgoing;
use super::policy::{self, Came, Next};
use super::traced::{self, Traced};
use super::veil::Veil;
use super::worker::LEASE_MARGIN;
use super::{Delivery, client, custom, recorder};
use crate::acks::FirstAttempt;
use crate::config::{Destination, Format};
use crate::feed::Happening;
use crate::loop_guard::HOPS_HEADER;
use crate::metrics::{self, Ignored};
use crate::rules::Rules;
use crate::store::{Attempt, Claimed, Ending, Exchange, Outgoing, Report, Then};
use bytes::BytesMut;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, Request, RequestBuilder, Response};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc};
use uuid::Uuid;

/// How much of an answer is read, so that its connection can be used again.
const MOST_OF_ANSWER: usize = 64 << 10;

pub(super) struct Sender {
    pub(super) delivery: Arc<Delivery>,
    pub(super) destination: Arc<Destination>,
    pub(super) client: Client,
    /// What proves us to the destination, as JSON.
    pub(super) proofs: String,
    /// Hides secrets in what is kept of attempts.
    pub(super) veil: Arc<Veil>,
    pub(super) limits: Arc<Limits>,
    pub(super) bell: Arc<Notify>,
    /// To whom it is told what came of deliveries.
    pub(super) reports: mpsc::UnboundedSender<recorder::Came>,
}

/// What a forge file reads of an attempt, as JSON.
fn facts(key: &str, attempt: Uuid, at: Timestamp) -> String {
    // Neither an id nor a time has a character that JSON writes in another way.
    format!(r#"{{"key":{},"attempt":"{attempt}","attempted_at":"{at}"}}"#, Value::from(key))
}

/// What a forge file reads of a destination: what proves us to it, as JSON.
pub(super) fn proofs(to: &Destination) -> String {
    let named = [("token", &to.token), ("authorization", &to.authorization)];
    let given =
        named.into_iter().filter_map(|(name, secret)| Some((name.to_owned(), secret.as_ref()?.reveal().into())));
    Value::Object(given.collect()).to_string()
}

/// What one request brought.
pub(super) struct Outcome {
    at: Timestamp,
    took: Duration,
    pub(super) came: Came,
    /// Why there was no answer, or why it is not a good one; empty otherwise.
    pub(super) error: String,
    exchange: Exchange,
    pub(super) traced: Option<Traced>,
}

impl Sender {
    /// Leases a delivery for the time of an attempt: some of what it had may have gone by.
    pub(super) async fn extend(&self, claimed: &Claimed) {
        let lease = SignedDuration::try_from(self.destination.timeout + LEASE_MARGIN).unwrap_or(SignedDuration::MAX);
        let until = self.delivery.clock.now().saturating_add(lease).unwrap_or(Timestamp::MAX);
        // A store that cannot hold it hands it out again, as at the end of the lease.
        let _ = self.delivery.store.extend(&self.destination.name, &[claimed.delivery], until).await;
    }

    /// Makes one attempt of a delivery; a probe spends nothing of its retries when the destination is still not there.
    pub(super) async fn send(&self, prepared: Prepared, is_probe: bool, room: OwnedSemaphorePermit) {
        let Prepared { claimed, outgoing, rules } = prepared;
        let traced = Traced::begin(&self.delivery, &claimed.hook);
        match self.headers(&claimed, &outgoing, &rules, traced.as_ref()) {
            Ok(headers) => {
                let outcome = self.request(headers, &outgoing, traced).await;
                self.judge(&claimed, &outgoing, outcome, is_probe, room);
            }
            Err(reason) => {
                // Nothing was sent, so nothing is known of the destination.
                if is_probe {
                    self.limits.breaker.give_back();
                    self.bell.notify_one();
                }
                traced::unsent(self, &claimed.hook, traced.as_ref(), &reason);
                self.end(&claimed, None, Ending::Failed(reason), room);
            }
        }
    }

    /// The headers of this attempt: those of the forge file, over them those that name the event, over them the signature.
    fn headers(
        &self,
        claimed: &Claimed,
        outgoing: &Outgoing,
        rules: &Rules,
        traced: Option<&Traced>,
    ) -> Result<HeaderMap, String> {
        let (hook, to) = (&claimed.hook, &self.destination);
        // What was made for one format keeps it, though the destination reads another by now.
        let made_for = outgoing.forge.clone().map(Format::Forge);
        let format = made_for.as_ref().unwrap_or(&to.format);
        let target = outgoing::target(format, &hook.forge, &rules.forges).map_err(|refused| refused.to_string())?;
        let key = claimed.key();
        let now = Timestamp::now();
        let facts = facts(&key, Uuid::new_v4(), now);
        let made = outgoing::sent(target, hook, &self.proofs, &facts).map_err(|failure| failure.to_string())?;
        let mut headers = custom::headers(hook, to, &rules.forges)?;
        let signed = outgoing::signed(target, &to.signing_keys, &key, now, &outgoing.body)?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in made.iter().chain(&outgoing.headers).chain(&signed) {
            insert(&mut headers, name, value)?;
        }
        custom::complete(&mut headers, to)?;
        if to.hop_header {
            insert(&mut headers, HOPS_HEADER, &(hook.hops + 1).to_string())?;
        }
        if let Some(traced) = traced {
            traced.pass(&self.delivery, &mut headers)?;
        }
        Ok(headers)
    }

    async fn request(&self, headers: HeaderMap, outgoing: &Outgoing, traced: Option<Traced>) -> Outcome {
        let mut exchange = Exchange {
            request_headers: self.veil.request(&headers, self.destination.login.is_some()),
            ..Exchange::default()
        };
        let (at, started) = (Timestamp::now(), Instant::now());
        let mut request = Request::new(Method::POST, self.destination.url.reveal().clone());
        // As a whole: a builder would put them in one by one.
        *request.headers_mut() = headers;
        *request.body_mut() = Some(outgoing.body.clone().into());
        let request = RequestBuilder::from_parts(self.client.clone(), request);
        let (came, error) = match custom::with_login(request, self.destination.login.as_ref()).send().await {
            Ok(response) => {
                exchange.response_headers = self.veil.headers(response.headers());
                (self.read(response, &mut exchange).await, String::new())
            }
            Err(error) if error.is_timeout() => (Came::Timeout, client::whole(&error)),
            Err(error) => (Came::Unreachable, client::whole(&error)),
        };
        let error = match came {
            Came::Status { code: 300..=399, .. } => "a redirect, which is not followed".to_owned(),
            Came::Status { code: 400.., .. } => format!("the destination answered {}", came.shown()),
            _ => error,
        };
        let took = started.elapsed();
        Outcome { at, took, came, error, exchange, traced }
    }

    /// Reads an answer to its end, as far as that is not far away; keeps the beginning of its body.
    async fn read(&self, mut response: Response, exchange: &mut Exchange) -> Came {
        let code = response.status().as_u16();
        let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = asked.and_then(|value| policy::retry_after(value, Timestamp::now()));
        // A secret is found before it is cut off in its middle.
        let most = self.delivery.kept_answer.saturating_add(self.veil.longest());
        let (mut read, mut kept) = (0, BytesMut::new());
        // The status has decided already: a body that breaks off or never ends changes nothing.
        while let Ok(Some(chunk)) = response.chunk().await {
            read += chunk.len();
            kept.extend(chunk.iter().take(most.saturating_sub(kept.len())));
            if read > MOST_OF_ANSWER {
                break;
            }
        }
        let hidden = self.veil.body(kept.freeze());
        exchange.response_is_cut = read > self.delivery.kept_answer;
        exchange.response_body = hidden.slice(..hidden.len().min(self.delivery.kept_answer));
        Came::Status { code, retry_after }
    }

    /// Counts and logs an attempt, and decides how the delivery goes on.
    fn judge(
        &self,
        claimed: &Claimed,
        outgoing: &Outgoing,
        outcome: Outcome,
        is_probe: bool,
        room: OwnedSemaphorePermit,
    ) {
        let (name, metrics) = (&self.destination.name, &self.delivery.metrics);
        metrics.attempts.with_label_values(&[name.as_str(), outcome.came.class().word()]).inc();
        metrics.attempt_seconds.with_label_values(&[name]).observe(outcome.took.as_secs_f64());
        let showed = Showed {
            is_there: outcome.came.is_there(),
            answers: outcome.came.answers(),
            asked: outcome.came.retry_after().unwrap_or_default(),
        };
        let change = self.limits.breaker.record(showed, is_probe, Instant::now());
        self.tell_change(change, &outcome);
        let spent = claimed.attempts + 1;
        let next = match change {
            Change::ProbeFailed(wait) => Next::Again(wait),
            _ => policy::next(outcome.came, spent, jitter, &self.destination.queueing),
        };
        let only_probed = matches!(change, Change::ProbeFailed(_));
        traced::attempted(self, claimed, outgoing, &outcome, next, only_probed);
        self.log(claimed, outgoing, &outcome, next, only_probed);
        let failed = (next != Next::Delivered).then_some(outcome.error.as_str());
        self.delivery.health.note(&self.destination, outcome.at, failed);
        self.delivery.acks.tell(claimed.hook.id, name, || first_attempt(name, &outcome, next));
        let Outcome { at, took, came, error, exchange, .. } = outcome;
        let attempt = Attempt {
            at,
            took,
            status: came.status(),
            error: error.clone(),
            is_probe: only_probed,
            exchange: Arc::new(exchange),
        };
        match next {
            Next::Delivered => self.end(claimed, Some(attempt), Ending::Delivered, room),
            Next::Again(wait) => self.again(claimed, attempt, wait, room),
            Next::GiveUp => {
                let attempts = if spent == 1 { "attempt" } else { "attempts" };
                let reason = format!("given up after {spent} {attempts}: {error}");
                self.end(claimed, Some(attempt), Ending::Failed(reason), room);
            }
        }
    }

    /// Says that the breaker opened or closed.
    fn tell_change(&self, change: Change, outcome: &Outcome) {
        if !self.limits.are_in_force() {
            return;
        }
        let destination = &self.destination.name;
        let open = self.delivery.metrics.breaker_open.with_label_values(&[destination]);
        match change {
            Change::Opened => {
                open.set(1);
                let (error, failures) = (&outcome.error, self.destination.queueing.breaker);
                tracing::warn!(
                    destination,
                    failures,
                    error,
                    "the breaker is open: the destination does not answer; its hooks wait, and it is probed until it is back"
                );
            }
            Change::Closed => {
                open.set(0);
                // The worker sleeps until the next probe.
                self.bell.notify_one();
                tracing::info!(destination, "the breaker is closed: the destination is back, and its hooks go on");
            }
            Change::ProbeFailed(_) | Change::None => return,
        }
        let is_open = matches!(change, Change::Opened);
        self.delivery.feed.tell(|| Happening::Breaker {
            destination: destination.clone(),
            is_open,
            error: outcome.error.clone(),
        });
    }

    fn log(&self, claimed: &Claimed, outgoing: &Outgoing, outcome: &Outcome, next: Next, only_probed: bool) {
        let (hook, destination, event) =
            (claimed.hook.id.to_string(), &self.destination.name, claimed.hook.event.as_str());
        let elapsed_ms = (outcome.took.as_secs_f64() * 1_000_000.0).round() / 1000.0;
        let mapping = outgoing.mapping.as_ref().map_or("none: passed through", |mapping| &mapping.name);
        let (attempt, status, error) = (claimed.attempts + 1, outcome.came.status(), &outcome.error);
        let retry_in = if let Next::Again(wait) = next { Some(wait.as_secs()) } else { None };
        let trace = outcome.traced.as_ref().map(Traced::name);
        let outcome = next.word(only_probed);
        self.delivery.feed.tell(|| Happening::Attempt {
            hook: claimed.hook.id,
            delivery: claimed.id,
            destination: destination.clone(),
            event: event.to_owned(),
            attempt,
            status,
            outcome: outcome.to_owned(),
            error: error.clone(),
            elapsed_ms,
        });
        if error.is_empty() {
            tracing::info!(hook, destination, event, mapping, attempt, status, outcome, elapsed_ms, trace, "attempt");
        } else {
            tracing::warn!(
                hook,
                destination,
                event,
                mapping,
                attempt,
                status,
                error,
                outcome,
                retry_in,
                elapsed_ms,
                trace,
                "attempt"
            );
        }
    }

    fn again(&self, claimed: &Claimed, attempt: Attempt, wait: Duration, room: OwnedSemaphorePermit) {
        if !attempt.is_probe {
            self.delivery.metrics.retries.with_label_values(&[&self.destination.name]).inc();
        }
        let now = self.delivery.clock.now();
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
        let due = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
        let then = Then::Again { due, park_after: self.destination.queueing.park_after };
        self.report(claimed, Some(attempt), then, now, room);
    }

    /// Has it recorded, without waiting for that.
    fn report(
        &self,
        claimed: &Claimed,
        attempt: Option<Attempt>,
        then: Then,
        now: Timestamp,
        room: OwnedSemaphorePermit,
    ) {
        let report = Report { delivery: claimed.delivery, attempt, then, now };
        // The recorder goes on as long as there are senders.
        let _ = self.reports.send(recorder::Came { report, hook: claimed.hook.id, _room: room });
    }

    /// Ends a delivery.
    pub(super) fn end(&self, claimed: &Claimed, attempt: Option<Attempt>, ending: Ending, room: OwnedSemaphorePermit) {
        let (hook, destination, event) =
            (claimed.hook.id.to_string(), &self.destination.name, claimed.hook.event.as_str());
        let (metrics, now) = (&self.delivery.metrics, self.delivery.clock.now());
        let trace = || self.delivery.traces.name_of(&claimed.hook);
        let outcome = match &ending {
            Ending::Delivered => {
                let taken = Duration::try_from(now.duration_since(claimed.accepted_at)).unwrap_or_default();
                metrics.delivery_seconds.with_label_values(&[destination]).observe(taken.as_secs_f64());
                metrics::Outcome::Delivered
            }
            Ending::Ignored(reason) => {
                tracing::info!(hook, destination, event, reason, trace = trace(), "ignored");
                metrics.ignored.with_label_values(&[destination.as_str(), Ignored::NoCounterpart.word()]).inc();
                self.delivery.acks.tell(claimed.hook.id, destination, FirstAttempt::well);
                metrics::Outcome::Ignored
            }
            Ending::Failed(reason) => {
                tracing::error!(hook, destination, event, reason, trace = trace(), "failed");
                // Where an attempt was made, what came of it was told.
                let untold = || FirstAttempt { status: 500, message: format!("{destination}: {reason}") };
                self.delivery.acks.tell(claimed.hook.id, destination, untold);
                metrics::Outcome::Failed
            }
        };
        metrics.deliveries.with_label_values(&[destination.as_str(), outcome.word()]).inc();
        if outcome != metrics::Outcome::Ignored {
            // Before it is told: whoever missed that looks here.
            metrics.failing.with_label_values(&[destination]).set(i64::from(outcome == metrics::Outcome::Failed));
        }
        self.delivery.feed.tell(|| Happening::Ended {
            hook: claimed.hook.id,
            delivery: Some(claimed.id),
            destination: destination.clone(),
            event: event.to_owned(),
            state: outcome.word().to_owned(),
            reason: match &ending {
                Ending::Delivered => None,
                Ending::Ignored(reason) | Ending::Failed(reason) => Some(reason.clone()),
            },
        });
        self.report(claimed, attempt, Then::Ended(ending), now, room);
    }
}

/// What a forge is told of a first attempt that it waits for.
fn first_attempt(destination: &str, outcome: &Outcome, next: Next) -> FirstAttempt {
    if next == Next::Delivered {
        return FirstAttempt::well();
    }
    let status = match outcome.came {
        // A redirect that counts as a failure must not send the forge elsewhere.
        Came::Status { code: 300..=399, .. } | Came::Unreachable => 502,
        Came::Status { code, .. } => code,
        Came::Timeout => 504,
    };
    FirstAttempt { status, message: format!("{destination}: {}", outcome.error) }
}

/// Puts a header in the place of one with the same name. Its value is marked, so that nothing below us prints it.
pub(super) fn insert(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), String> {
    let wrong = |what: &str| format!("the header {name} cannot be sent: {what}");
    let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("its name is not one"))?;
    // As Ruby's Net::HTTP does: no spaces at the ends, and text beyond ASCII as its bytes.
    let mut value = HeaderValue::from_bytes(value.trim().as_bytes())
        .map_err(|_| wrong("its value has characters that no header can have"))?;
    value.set_sensitive(true);
    headers.insert(key, value);
    Ok(())
}

/// A number between 0 and 1, different every time.
fn jitter() -> f64 {
    let (high, _) = Uuid::new_v4().as_u64_pair();
    f64::from(u32::try_from(high >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}
