//! Reads a body within its limits: size, time, and its share of what all bodies together may hold.

use super::Answer;
use super::budget::Share;
use super::exchange::Exchange;
use crate::config::Limits;
use actix_web::web::Payload;
use futures_util::StreamExt;

/// Reads the whole body, of which the share keeps account for as long as it is held.
pub(super) async fn read(
    payload: Payload,
    length: Option<usize>,
    limits: &Limits,
    share: &mut Share,
    exchange: &Exchange,
) -> Result<Vec<u8>, Answer> {
    if length.is_some_and(|length| length > limits.body) {
        return Err(Answer::too_large(limits.body));
    }
    exchange.read_body();
    match tokio::time::timeout(limits.read_timeout, chunks(payload, length, limits, share, exchange)).await {
        Ok(read) => read,
        Err(_) => Err(Answer::too_slow(limits.read_timeout.as_secs())),
    }
}

async fn chunks(
    mut payload: Payload,
    length: Option<usize>,
    limits: &Limits,
    share: &mut Share,
    exchange: &Exchange,
) -> Result<Vec<u8>, Answer> {
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
            share.take(capacity - body.capacity())?;
            body.reserve_exact(capacity - body.len());
        }
        body.extend_from_slice(&chunk);
    }
    // The store keeps it, and counts what it says, not what was set aside.
    body.shrink_to_fit();
    Ok(body)
}
