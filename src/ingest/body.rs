//! Reads a body within its limits: size, time, and how much all bodies together may hold.

use super::Answer;
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
) -> Result<(Vec<u8>, Share), Answer> {
    if length.is_some_and(|length| length > limits.body) {
        return Err(Answer::too_large(limits.body));
    }
    match tokio::time::timeout(limits.read_timeout, chunks(payload, length, limits, budget)).await {
        Ok(read) => read,
        Err(_) => Err(Answer::too_slow(limits.read_timeout.as_secs())),
    }
}

async fn chunks(
    mut payload: Payload,
    length: Option<usize>,
    limits: &Limits,
    budget: &Budget,
) -> Result<(Vec<u8>, Share), Answer> {
    let mut share = budget.share();
    // What a sender announces is not yet what it sends: no more than 64 KiB are set aside on its word.
    let mut body = Vec::with_capacity(length.unwrap_or(0).min(64 << 10));
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            tracing::debug!(%error, "the body broke off");
            Answer::bad_request("the body broke off before its end")
        })?;
        if body.len() + chunk.len() > limits.body {
            return Err(Answer::too_large(limits.body));
        }
        if !share.take(chunk.len()) {
            return Err(Answer::unavailable("too many bytes of other hooks are on their way"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body, share))
}
