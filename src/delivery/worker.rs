//! The worker of one destination: claims what is due, brings it there, and records what came of it.

use super::outgoing::{self, Refused};
use super::policy::{self, Came, Next};
use super::{Delivery, client, custom};
use crate::config::Destination;
use crate::loop_guard::HOPS_HEADER;
use crate::rules::Rules;
use crate::store::{Claimed, Ending, Outgoing};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

/// How much longer than an attempt a delivery is leased.
const LEASE_MARGIN: Duration = Duration::from_mins(1);
/// How much of an answer is read, so that its connection can be used again.
const MOST_OF_ANSWER: usize = 64 << 10;
/// How long to wait when the store cannot say what is due.
const STORE_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Worker {
    delivery: Arc<Delivery>,
    destination: Arc<Destination>,
    client: Client,
    bell: Arc<Notify>,
    stopping: watch::Receiver<bool>,
}

impl Worker {
    pub(super) fn new(
        delivery: Arc<Delivery>,
        destination: Arc<Destination>,
        client: Client,
        bell: Arc<Notify>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self { delivery, destination, client, bell, stopping }
    }

    /// Delivers until told to stop, then finishes what is under way.
    pub(super) async fn run(mut self) {
        let slots = Arc::new(Semaphore::new(self.destination.concurrency));
        let mut running = JoinSet::new();
        loop {
            while running.try_join_next().is_some() {}
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
            let stopping = *self.stopping.borrow();
            if stopping && self.delivery.store.is_durable() {
                break;
            }
            match self.claim().await {
                Some(claimed) => {
                    let attempt = Attempt {
                        delivery: Arc::clone(&self.delivery),
                        destination: Arc::clone(&self.destination),
                        client: self.client.clone(),
                        bell: Arc::clone(&self.bell),
                    };
                    running.spawn(async move {
                        attempt.make(claimed).await;
                        drop(slot);
                    });
                }
                None if stopping => break,
                None => {
                    drop(slot);
                    self.wait().await;
                }
            }
        }
        while running.join_next().await.is_some() {}
    }

    async fn claim(&self) -> Option<Claimed> {
        let lease = self.destination.timeout + LEASE_MARGIN;
        let claimed = self.delivery.store.claim(&self.destination.name, Timestamp::now(), lease).await;
        claimed.unwrap_or_else(|error| {
            tracing::error!(destination = self.destination.name, %error, "the store gives nothing to deliver");
            None
        })
    }

    /// Waits for the bell, the next time that something is due, or the stop.
    async fn wait(&mut self) {
        show_pending(&self.delivery, &self.destination.name).await;
        let due = self.delivery.store.next_due(&self.destination.name).await;
        let pause = match due {
            Ok(Some(due)) => Duration::try_from(due.duration_since(Timestamp::now())).unwrap_or_default(),
            Ok(None) => Duration::MAX,
            Err(_) => STORE_PAUSE,
        };
        tokio::select! {
            () = self.bell.notified() => {}
            () = tokio::time::sleep(pause) => {}
            // The sender lives as long as the workers do; were it gone, that would be a stop too.
            _ = self.stopping.changed() => {}
        }
    }
}

async fn show_pending(delivery: &Delivery, destination: &str) {
    if let Ok(pending) = delivery.store.pending(destination).await {
        delivery.metrics.pending.with_label_values(&[destination]).set(i64::try_from(pending).unwrap_or(i64::MAX));
    }
}

/// One attempt of one delivery.
struct Attempt {
    delivery: Arc<Delivery>,
    destination: Arc<Destination>,
    client: Client,
    bell: Arc<Notify>,
}

impl Attempt {
    async fn make(&self, claimed: Claimed) {
        let rules = self.delivery.rules.load_full();
        let outgoing = match self.outgoing(&claimed, &rules).await {
            Ok(outgoing) => outgoing,
            Err(Refused::Ignored(reason)) => return self.finish(&claimed, Ending::Ignored(reason)).await,
            Err(Refused::Failed(reason)) => return self.finish(&claimed, Ending::Failed(reason)).await,
        };
        let headers = match self.headers(&claimed, &outgoing, &rules) {
            Ok(headers) => headers,
            Err(reason) => return self.finish(&claimed, Ending::Failed(reason)).await,
        };
        let started = Instant::now();
        let url = self.destination.url.reveal().clone();
        let request = custom::with_login(self.client.post(url).headers(headers), self.destination.login.as_ref());
        let request = request.body(outgoing.body.clone());
        let (came, error) = match request.send().await {
            Ok(response) => (self.read(response).await, None),
            Err(error) if error.is_timeout() => (Came::Timeout, Some(client::whole(&error))),
            Err(error) => (Came::Unreachable, Some(client::whole(&error))),
        };
        self.record(&claimed, &outgoing, came, error.unwrap_or_default(), started.elapsed()).await;
    }

    /// What was fixed before, or a translation made now and kept.
    async fn outgoing(&self, claimed: &Claimed, rules: &Rules) -> Result<Arc<Outgoing>, Refused> {
        if let Some(outgoing) = &claimed.outgoing {
            return Ok(Arc::clone(outgoing));
        }
        let (to, from) = (&self.destination, &self.delivery);
        let (made, missing) = outgoing::outgoing(&claimed.hook, outgoing::Wanted::by(to), rules)?;
        let mapping = made.mapping.as_ref().map(|mapping| mapping.name.as_str()).unwrap_or_default();
        for field in &missing {
            from.metrics.translate_missing.with_label_values(&[mapping, field]).inc();
        }
        let made = Arc::new(made);
        if let Err(error) = from.store.keep_outgoing(claimed.delivery, Arc::clone(&made)).await {
            tracing::error!(destination = to.name, %error, "the store does not keep a translation");
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
        let key = hook.delivery_key.clone().unwrap_or_else(|| claimed.delivery.to_string());
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

    async fn read(&self, mut response: Response) -> Came {
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

    async fn record(&self, claimed: &Claimed, outgoing: &Outgoing, came: Came, error: String, took: Duration) {
        let name = &self.destination.name;
        self.delivery.metrics.attempts.with_label_values(&[name.as_str(), came.class()]).inc();
        self.delivery.metrics.attempt_seconds.with_label_values(&[name]).observe(took.as_secs_f64());
        let attempts = claimed.attempts + 1;
        let next = policy::next(came, attempts, jitter());
        let status = if let Came::Status { code, .. } = came { Some(code) } else { None };
        let elapsed_ms = (took.as_secs_f64() * 1_000_000.0).round() / 1000.0;
        let (hook, event) = (claimed.hook.id.to_string(), claimed.hook.event.as_str());
        let mapping = outgoing.mapping.as_ref().map_or("none: passed through", |mapping| &mapping.name);
        let retry_in = if let Next::Again(wait) = next { Some(wait.as_secs()) } else { None };
        let outcome = match next {
            Next::Delivered => "delivered",
            Next::Again(_) => "again",
            Next::GiveUp => "failed",
        };
        let redirected = matches!(came, Came::Status { code: 300..=399, .. });
        let error = if redirected { "a redirect, which is not followed".to_owned() } else { error };
        if outcome == "delivered" && !redirected {
            tracing::info!(
                hook,
                destination = name,
                event,
                mapping,
                attempt = attempts,
                status,
                outcome,
                elapsed_ms,
                "attempt"
            );
        } else {
            tracing::warn!(
                hook,
                destination = name,
                event,
                mapping,
                attempt = attempts,
                status,
                error,
                outcome,
                retry_in,
                elapsed_ms,
                "attempt"
            );
        }
        match next {
            Next::Delivered => self.finish(claimed, Ending::Delivered).await,
            Next::GiveUp => {
                let why = status.map_or(error, |code| format!("the destination answered {code}"));
                self.finish(
                    claimed,
                    Ending::Failed(format!(
                        "given up after {attempts} {}: {why}",
                        if attempts == 1 { "attempt" } else { "attempts" }
                    )),
                )
                .await;
            }
            Next::Again(wait) => self.reschedule(claimed, wait).await,
        }
    }

    async fn reschedule(&self, claimed: &Claimed, wait: Duration) {
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
        let due = Timestamp::now().saturating_add(wait).unwrap_or(Timestamp::MAX);
        if let Err(error) = self.delivery.store.reschedule(claimed.delivery, due).await {
            tracing::error!(destination = self.destination.name, %error, "the store does not reschedule a delivery");
        }
        // The worker sleeps until what was due next when it looked; this may come before that.
        self.bell.notify_one();
    }

    async fn finish(&self, claimed: &Claimed, ending: Ending) {
        let (hook, destination, event) =
            (claimed.hook.id.to_string(), &self.destination.name, claimed.hook.event.as_str());
        let outcome = match &ending {
            Ending::Delivered => "delivered",
            Ending::Ignored(reason) => {
                tracing::info!(hook, destination, event, reason, "ignored");
                self.delivery.metrics.ignored.with_label_values(&[destination.as_str(), "no_counterpart"]).inc();
                "ignored"
            }
            Ending::Failed(reason) => {
                tracing::error!(hook, destination, event, reason, "failed");
                "failed"
            }
        };
        self.delivery.metrics.deliveries.with_label_values(&[destination.as_str(), outcome]).inc();
        if let Err(error) = self.delivery.store.finish(claimed.delivery, ending).await {
            tracing::error!(destination, %error, "the store does not end a delivery");
        }
        show_pending(&self.delivery, destination).await;
    }
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
