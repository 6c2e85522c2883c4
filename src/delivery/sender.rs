//! Brings one delivery to its destination: what to send, the request, and what came of it.

use super::breaker::{Breaker, Change};
use super::outgoing::{self, Refused};
use super::policy::{self, Came, Next};
use super::worker::{LEASE_MARGIN, STORE_PAUSE, Told};
use super::{Delivery, client, custom};
use crate::acks::FirstAttempt;
use crate::config::Destination;
use crate::loop_guard::HOPS_HEADER;
use crate::rules::Rules;
use crate::store::{Answer, Attempt, Claimed, Ending, Outgoing, Store, Then};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

/// How much of an answer is read, so that its connection can be used again.
const MOST_OF_ANSWER: usize = 64 << 10;

pub(super) struct Sender {
    pub(super) delivery: Arc<Delivery>,
    pub(super) destination: Arc<Destination>,
    pub(super) client: Client,
    pub(super) breaker: Breaker,
    pub(super) bell: Arc<Notify>,
    pub(super) told: watch::Receiver<Told>,
}

/// What one request brought.
struct Outcome {
    at: Timestamp,
    took: Duration,
    came: Came,
    /// Why there was no answer, or why it is not a good one; empty otherwise.
    error: String,
}

impl Sender {
    /// Makes one attempt of a delivery; a probe spends nothing of its retries when the destination is still not there.
    pub(super) async fn send(&self, claimed: Claimed, is_probe: bool) {
        let rules = self.delivery.rules.load_full();
        let made = match self.outgoing(&claimed, &rules).await {
            Ok(outgoing) => self.headers(&claimed, &outgoing, &rules).map(|headers| (outgoing, headers)),
            Err(Refused::Failed(reason)) => Err(reason),
            Err(Refused::Ignored(reason)) => {
                self.give_back(is_probe);
                return self.end(&claimed, None, Ending::Ignored(reason)).await;
            }
        };
        match made {
            Ok((outgoing, headers)) => {
                let outcome = self.request(headers, &outgoing).await;
                self.judge(&claimed, &outgoing, outcome, is_probe).await;
            }
            Err(reason) => {
                self.give_back(is_probe);
                self.end(&claimed, None, Ending::Failed(reason)).await;
            }
        }
    }

    /// Nothing was sent, so nothing is known of the destination.
    fn give_back(&self, is_probe: bool) {
        if is_probe {
            self.breaker.give_back();
            self.bell.notify_one();
        }
    }

    /// What was fixed before, or a translation made now and kept.
    async fn outgoing(&self, claimed: &Claimed, rules: &Rules) -> Result<Arc<Outgoing>, Refused> {
        if let Some(outgoing) = &claimed.outgoing {
            return Ok(Arc::clone(outgoing));
        }
        let (made, missing) = outgoing::outgoing(&claimed.hook, outgoing::Wanted::by(&self.destination), rules)?;
        let mapping = made.mapping.as_ref().map(|mapping| mapping.name.as_str()).unwrap_or_default();
        for field in &missing {
            self.delivery.metrics.translate_missing.with_label_values(&[mapping, field]).inc();
        }
        let made = Arc::new(made);
        if let Err(error) = self.delivery.store.keep_outgoing(claimed.delivery, Arc::clone(&made)).await {
            // A full store empties only when what is in it is delivered. Should it come to another attempt, it is translated
            // again, under the same key.
            self.delivery.metrics.count_store_error(&error);
            let (hook, destination) = (claimed.hook.id.to_string(), &self.destination.name);
            tracing::error!(hook, destination, %error, "what is sent of a hook cannot be kept");
        }
        Ok(made)
    }

    /// The headers of this attempt: those of the forge file, over them those that name the event, over them the signature.
    fn headers(&self, claimed: &Claimed, outgoing: &Outgoing, rules: &Rules) -> Result<HeaderMap, String> {
        let (hook, to) = (&claimed.hook, &self.destination);
        let target = outgoing::target(&to.format, &hook.forge, &rules.forges).map_err(|refused| refused.to_string())?;
        let mut settings = json!({});
        for (name, secret) in [("token", &to.token), ("authorization", &to.authorization)] {
            if let (Some(secret), Some(members)) = (secret, settings.as_object_mut()) {
                members.insert(name.to_owned(), secret.reveal().into());
            }
        }
        let key = hook.delivery_key.clone().unwrap_or_else(|| claimed.id.to_string());
        let now = Timestamp::now();
        let facts = json!({"key": key, "attempt": Uuid::new_v4().to_string(), "attempted_at": now.to_string()});
        let made = outgoing::sent(target, hook, &settings.to_string(), &facts.to_string())
            .map_err(|failure| failure.to_string())?;
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
        Ok(headers)
    }

    async fn request(&self, headers: HeaderMap, outgoing: &Outgoing) -> Outcome {
        let (at, started) = (Timestamp::now(), Instant::now());
        let url = self.destination.url.reveal().clone();
        let request = custom::with_login(self.client.post(url).headers(headers), self.destination.login.as_ref());
        let (came, error) = match request.body(outgoing.body.clone()).send().await {
            Ok(response) => (read(response).await, String::new()),
            Err(error) if error.is_timeout() => (Came::Timeout, client::whole(&error)),
            Err(error) => (Came::Unreachable, client::whole(&error)),
        };
        let error = match came {
            Came::Status { code: 300..=399, .. } => "a redirect, which is not followed".to_owned(),
            Came::Status { code: 400.., .. } => format!("the destination answered {}", came.shown()),
            _ => error,
        };
        Outcome { at, took: started.elapsed(), came, error }
    }

    /// Counts and logs an attempt, and decides how the delivery goes on.
    async fn judge(&self, claimed: &Claimed, outgoing: &Outgoing, outcome: Outcome, is_probe: bool) {
        let (name, metrics) = (&self.destination.name, &self.delivery.metrics);
        metrics.attempts.with_label_values(&[name.as_str(), outcome.came.class()]).inc();
        metrics.attempt_seconds.with_label_values(&[name]).observe(outcome.took.as_secs_f64());
        let change = self.breaker.record(outcome.came.is_there(), is_probe, Instant::now());
        self.tell_change(change, &outcome);
        let spent = claimed.attempts + 1;
        let next = match change {
            Change::ProbeFailed(wait) => Next::Again(outcome.came.retry_after().map_or(wait, |asked| asked.max(wait))),
            _ => policy::next(outcome.came, spent, jitter(), &self.destination.queueing),
        };
        let only_probed = matches!(change, Change::ProbeFailed(_));
        self.log(claimed, outgoing, &outcome, next, only_probed);
        self.delivery.acks.tell(claimed.hook.id, name, || first_attempt(name, &outcome, next));
        let Outcome { at, took, came, error } = outcome;
        let attempt = Attempt { at, took, status: came.status(), error: error.clone(), is_probe: only_probed };
        match next {
            Next::Delivered => self.end(claimed, Some(attempt), Ending::Delivered).await,
            Next::Again(wait) => self.again(claimed, attempt, wait).await,
            Next::GiveUp => {
                let attempts = if spent == 1 { "attempt" } else { "attempts" };
                let reason = format!("given up after {spent} {attempts}: {error}");
                self.end(claimed, Some(attempt), Ending::Failed(reason)).await;
            }
        }
    }

    /// Says that the breaker opened or closed.
    fn tell_change(&self, change: Change, outcome: &Outcome) {
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
            Change::ProbeFailed(_) | Change::None => {}
        }
    }

    fn log(&self, claimed: &Claimed, outgoing: &Outgoing, outcome: &Outcome, next: Next, only_probed: bool) {
        let (hook, destination, event) =
            (claimed.hook.id.to_string(), &self.destination.name, claimed.hook.event.as_str());
        let elapsed_ms = (outcome.took.as_secs_f64() * 1_000_000.0).round() / 1000.0;
        let mapping = outgoing.mapping.as_ref().map_or("none: passed through", |mapping| &mapping.name);
        let (attempt, status, error) = (claimed.attempts + 1, outcome.came.status(), &outcome.error);
        let retry_in = if let Next::Again(wait) = next { Some(wait.as_secs()) } else { None };
        let outcome = match next {
            Next::Delivered => "delivered",
            Next::Again(_) if only_probed => "probe failed",
            Next::Again(_) => "again",
            Next::GiveUp => "failed",
        };
        if error.is_empty() {
            tracing::info!(hook, destination, event, mapping, attempt, status, outcome, elapsed_ms, "attempt");
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
                "attempt"
            );
        }
    }

    async fn again(&self, claimed: &Claimed, attempt: Attempt, wait: Duration) {
        if !attempt.is_probe {
            self.delivery.metrics.retries.with_label_values(&[&self.destination.name]).inc();
        }
        let now = self.delivery.clock.now();
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
        let due = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
        let then = Then::Again { due, park_after: self.destination.queueing.park_after };
        self.until_kept(claimed, |store| store.record(claimed, Some(attempt.clone()), then.clone(), now)).await;
        // The worker sleeps until what was due next when it looked; this may come before that.
        self.bell.notify_one();
    }

    async fn end(&self, claimed: &Claimed, attempt: Option<Attempt>, ending: Ending) {
        let (hook, destination, event) =
            (claimed.hook.id.to_string(), &self.destination.name, claimed.hook.event.as_str());
        let (metrics, now) = (&self.delivery.metrics, self.delivery.clock.now());
        let outcome = match &ending {
            Ending::Delivered => {
                let taken = Duration::try_from(now.duration_since(claimed.accepted_at)).unwrap_or_default();
                metrics.delivery_seconds.with_label_values(&[destination]).observe(taken.as_secs_f64());
                "delivered"
            }
            Ending::Ignored(reason) => {
                tracing::info!(hook, destination, event, reason, "ignored");
                metrics.ignored.with_label_values(&[destination.as_str(), "no_counterpart"]).inc();
                self.delivery.acks.tell(claimed.hook.id, destination, FirstAttempt::well);
                "ignored"
            }
            Ending::Failed(reason) => {
                tracing::error!(hook, destination, event, reason, "failed");
                // Where an attempt was made, what came of it was told.
                let untold = || FirstAttempt { status: 500, message: format!("{destination}: {reason}") };
                self.delivery.acks.tell(claimed.hook.id, destination, untold);
                "failed"
            }
        };
        metrics.deliveries.with_label_values(&[destination.as_str(), outcome]).inc();
        let then = Then::Ended(ending);
        self.until_kept(claimed, |store| store.record(claimed, attempt.clone(), then.clone(), now)).await;
        if self.destination.queueing.in_order {
            // The next of its project is due now.
            self.bell.notify_one();
        }
    }

    /// Has the store keep something, however long that takes: what was sent must not be sent again because the disk was full
    /// for a while. Gives up only when the process ends.
    async fn until_kept<'s>(&'s self, claimed: &Claimed, mut keep: impl FnMut(&'s dyn Store) -> Answer<'s, ()>) {
        let (delivery, destination) = (&self.delivery, &self.destination);
        let mut told = self.told.clone();
        let mut is_said = false;
        while let Err(error) = keep(&*delivery.store).await {
            delivery.metrics.count_store_error(&error);
            if !std::mem::replace(&mut is_said, true) {
                let hook = claimed.hook.id.to_string();
                tracing::error!(hook, destination = destination.name, %error, "what came of a delivery cannot be kept yet");
            }
            if *told.borrow() == Told::Stop {
                return;
            }
            let lease = SignedDuration::try_from(destination.timeout + LEASE_MARGIN).unwrap_or(SignedDuration::MAX);
            let until = delivery.clock.now().saturating_add(lease).unwrap_or(Timestamp::MAX);
            // It is held in memory; a store that cannot even do that hands the delivery out again.
            let _ = delivery.store.extend(&destination.name, claimed, until).await;
            tokio::select! {
                () = tokio::time::sleep(STORE_PAUSE) => {}
                // A worker that was replaced is told nothing more; that is no reason to hurry.
                Ok(()) = told.changed() => {}
            }
        }
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

async fn read(mut response: Response) -> Came {
    let code = response.status().as_u16();
    let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = asked.and_then(|value| policy::retry_after(value, Timestamp::now()));
    let mut read = 0;
    // The status has decided already: a body that breaks off or never ends changes nothing.
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        if read > MOST_OF_ANSWER {
            break;
        }
    }
    Came::Status { code, retry_after }
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
