//! Posts to one URL, one after another, and gives up what cannot be posted.

use super::Ready;
use super::incidents::Incident;
use super::message::{self, Place};
use crate::delivery::{client, with_login};
use crate::metrics::{Metrics, Posting};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// How long it is waited before each further try.
const WAITS: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(30), Duration::from_mins(2)];
/// How many posts may wait.
pub(super) const MOST_WAITING: usize = 64;

/// What a sender is told.
#[derive(Clone)]
pub(super) struct Orders {
    /// How it posts.
    pub(super) ready: Arc<Ready>,
    /// Whether the process ends: what waits is tried once.
    pub(super) is_last: bool,
}

/// The sender of one alert. It ends when nobody can give it anything any more.
pub(super) struct Sender {
    pub(super) orders: watch::Receiver<Orders>,
    pub(super) queue: mpsc::Receiver<Arc<Incident>>,
    pub(super) place: Arc<Place>,
    pub(super) metrics: Metrics,
}

impl Sender {
    pub(super) async fn run(mut self) {
        while let Some(incident) = self.queue.recv().await {
            self.bring(&incident).await;
        }
    }

    /// Posts it, in a few tries.
    async fn bring(&mut self, incident: &Incident) {
        let mut waits = WAITS.into_iter();
        loop {
            let ready = Arc::clone(&self.orders.borrow_and_update().ready);
            let (alert, kind) = (&ready.alert.name, incident.key.trouble().word());
            let is_over = incident.until.is_some();
            let Err(error) = ready.post(incident, &self.place).await else {
                tracing::info!(alert, kind, is_over, destination = incident.key.destination(), "the alert is posted");
                return self.count(alert, Posting::Posted);
            };
            match waits.next().filter(|_| !self.is_last()) {
                Some(wait) => {
                    let retry_in = wait.as_secs();
                    tracing::warn!(alert, kind, is_over, error, retry_in, "the alert cannot be posted");
                    self.wait(wait).await;
                }
                None => {
                    tracing::error!(alert, kind, is_over, error, "the alert cannot be posted, and is given up");
                    return self.count(alert, Posting::Failed);
                }
            }
        }
    }

    /// Waits, or does not when something has changed: the URL may be another, or the process ends.
    async fn wait(&mut self, wait: Duration) {
        // An error: nobody gives orders any more, which the next look shows.
        let _ = tokio::time::timeout(wait, self.orders.changed()).await;
    }

    /// Whether a post that fails is not tried again.
    fn is_last(&self) -> bool {
        self.orders.borrow().is_last || self.orders.has_changed().is_err()
    }

    fn count(&self, alert: &str, result: Posting) {
        self.metrics.alerts.with_label_values(&[alert, result.word()]).inc();
    }
}

impl Ready {
    async fn post(&self, incident: &Incident, place: &Place) -> Result<(), String> {
        let alert = &self.alert;
        let body = message::body(incident, alert.format, place);
        let mut request = self.client.post(alert.url.reveal().clone()).header(CONTENT_TYPE, "application/json");
        if let Some(authorization) = &alert.authorization {
            let mut value = HeaderValue::from_str(authorization.reveal()).map_err(|error| error.to_string())?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let answer =
            with_login(request.body(body), alert.login.as_ref()).send().await.map_err(|error| client::whole(&error))?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(format!("the answer is {}", status.as_u16())) }
    }
}
