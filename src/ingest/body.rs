//! Reads a body within its limits: size, time, and how much all bodies together may hold.

use super::Answer;
use super::connection::Exchange;
use crate::config::Limits;
use actix_web::web::Payload;
use futures_util::StreamExt;
use prometheus::IntGauge;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes of all bodies that are on their way to the store.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    taken: Arc<AtomicUsize>,
    limit: usize,
    shown: IntGauge,
}

impl Budget {
    pub(super) fn new(limit: usize, shown: IntGauge) -> Self {
        Self { taken: Arc::default(), limit, shown }
    }

    fn share(&self) -> Share {
        Share { budget: self.clone(), bytes: 0 }
    }
}

/// What one body has taken of the budget; given back when dropped.
pub(super) struct Share {
    budget: Budget,
    bytes: usize,
}

impl Share {
    fn take(&mut self, bytes: usize) -> bool {
        self.bytes += bytes;
        let taken = self.budget.taken.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.budget.shown.set(i64::try_from(taken).unwrap_or(i64::MAX));
        taken <= self.budget.limit
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let before = self.budget.taken.fetch_sub(self.bytes, Ordering::Relaxed);
        self.budget.shown.set(i64::try_from(before.saturating_sub(self.bytes)).unwrap_or(0));
    }
}

/// Reads the whole body. The share is held until the hook is stored.
pub(super) async fn read(
    payload: Payload,
    length: Option<usize>,
    limits: &Limits,
    budget: &Budget,
    exchange: &Exchange,
) -> Result<(Vec<u8>, Share), Answer> {
    if length.is_some_and(|length| length > limits.body) {
        return Err(Answer::too_large(limits.body));
    }
    exchange.read_body();
    match tokio::time::timeout(limits.read_timeout, chunks(payload, length, limits, budget, exchange)).await {
        Ok(read) => read,
        Err(_) => Err(Answer::too_slow(limits.read_timeout.as_secs())),
    }
}

async fn chunks(
    mut payload: Payload,
    length: Option<usize>,
    limits: &Limits,
    budget: &Budget,
    exchange: &Exchange,
) -> Result<(Vec<u8>, Share), Answer> {
    let mut share = budget.share();
    let mut body = Vec::new();
    let mut next = std::future::poll_fn(|context| {
        let next = payload.poll_next_unpin(context);
        if next.is_pending() {
            exchange.took_all();
        }
        next
    });
    while let Some(chunk) = (&mut next).await {
        let chunk = chunk.map_err(|error| {
            exchange.body_broke_off();
            tracing::debug!(%error, "the body broke off");
            // The framework does not tell wrong chunks from a sender that has gone.
            Answer::bad_request(if length.is_some() {
                "the body broke off before its end"
            } else {
                "the body broke off before its end, or is not made of chunks as Transfer-Encoding: chunked wants them"
            })
        })?;
        exchange.took(chunk.len());
        if body.len() + chunk.len() > limits.body {
            return Err(Answer::too_large(limits.body));
        }
        let needed = body.len() + chunk.len();
        if needed > body.capacity() {
            // What a sender announces is not yet what it sends: on its word no more is set aside than has come already.
            let most = length.unwrap_or(limits.body);
            let capacity = needed.max((2 * body.capacity()).min(most));
            if !share.take(capacity - body.capacity()) {
                return Err(Answer::too_many_bytes());
            }
            body.reserve_exact(capacity - body.len());
        }
        body.extend_from_slice(&chunk);
    }
    // The store keeps it, and counts what it says, not what was set aside.
    body.shrink_to_fit();
    Ok((body, share))
}
