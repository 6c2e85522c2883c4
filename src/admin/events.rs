//! What happens, told while it happens: `text/event-stream`, for those who watch.

use super::Desk;
use super::access::Reader;
use super::problem::{Problem, Refusal};
use crate::feed::{Happening, Told};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Query};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Interval, MissedTickBehavior, interval};
use utoipa::{IntoParams, ToSchema};

/// How many may listen at once.
const MOST: usize = 64;
/// How often something is sent where nothing happens, so that both ends see whether the other is there.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Who may still come to listen.
#[derive(Debug, Clone)]
pub(super) struct Seats(Arc<Semaphore>);

impl Default for Seats {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}

/// Which happenings: those to which everything applies that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AskedEvents {
    /// The name of the destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// The event, in the forge's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub kind: Option<Kind>,
}

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A hook came in.
    Hook,
    /// A request was sent to a destination.
    Attempt,
    /// A delivery came to its end.
    Ended,
    /// A breaker opened or closed.
    Breaker,
    /// Changed files were read again.
    Reload,
    /// The disk of the store is nearly full, or no longer.
    Disk,
    /// The store takes nothing, or takes hooks again.
    Store,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Hook => "hook",
            Self::Attempt => "attempt",
            Self::Ended => "ended",
            Self::Breaker => "breaker",
            Self::Reload => "reload",
            Self::Disk => "disk",
            Self::Store => "store",
        }
    }
}

/// The kind, the destination and the event of what happened.
fn about(happening: &Happening) -> (Kind, Option<&str>, Option<&str>) {
    match happening {
        Happening::Hook { event, .. } => (Kind::Hook, None, Some(event)),
        Happening::Attempt { destination, event, .. } => (Kind::Attempt, Some(destination), Some(event)),
        Happening::Ended { destination, event, .. } => (Kind::Ended, Some(destination), Some(event)),
        Happening::Breaker { destination, .. } => (Kind::Breaker, Some(destination), None),
        Happening::Reload { .. } => (Kind::Reload, None, None),
        Happening::Disk { .. } => (Kind::Disk, None, None),
        Happening::Store { .. } => (Kind::Store, None, None),
    }
}

impl AskedEvents {
    fn want(&self, happening: &Happening) -> bool {
        let (kind, destination, event) = about(happening);
        self.kind.is_none_or(|wanted| wanted == kind)
            && self.destination.as_deref().is_none_or(|wanted| destination == Some(wanted))
            && self.event.as_deref().is_none_or(|wanted| event == Some(wanted))
    }
}

/// What happens from now on, as `text/event-stream`: `event` is the kind, `data` a JSON object. A comment comes each 15
/// seconds. Who is too slow gets `missed`, with how many happenings are lost to it as the data.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "state", params(AskedEvents),
    responses(
        (status = 200, description = "What happens, without end", content_type = "text/event-stream", body = Told),
        (status = 503, description = "64 listen already", body = Problem),
    ),
)]
pub(super) async fn events(
    _: Reader,
    asked: Query<AskedEvents>,
    desk: Data<Desk>,
    seats: Data<Seats>,
) -> Result<HttpResponse, Refusal> {
    let Ok(seat) = Arc::clone(&seats.0).try_acquire_owned() else {
        let error = format!("{MOST} listen already: close one of them");
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error));
    };
    let mut heartbeat = interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let listener = Listener { asked: asked.into_inner(), told: desk.feed.listen(), heartbeat, _seat: seat };
    let all = stream::unfold(listener, |mut listener| async {
        let piece = listener.next().await?;
        Some((Ok::<_, Infallible>(piece), listener))
    });
    Ok(HttpResponse::Ok().content_type("text/event-stream").streaming(all))
}

/// Somebody who listens.
struct Listener {
    asked: AskedEvents,
    told: Receiver<Arc<Told>>,
    /// Ticks at once, too: the head of the answer goes out with the first comment.
    heartbeat: Interval,
    _seat: OwnedSemaphorePermit,
}

impl Listener {
    /// What is sent next; nothing when nothing more can happen.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            tokio::select! {
                _ = self.heartbeat.tick() => return Some(Bytes::from_static(b":\n\n")),
                told = self.told.recv() => match told {
                    Ok(told) if self.asked.want(&told.happening) => return Some(piece(&told)),
                    Ok(_) => {}
                    Err(RecvError::Lagged(missed)) => {
                        return Some(Bytes::from(format!("event: missed\ndata: {missed}\n\n")));
                    }
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }
}

fn piece(told: &Told) -> Bytes {
    let kind = about(&told.happening).0.word();
    // Texts and numbers: it always has a JSON form, in one line.
    let data = serde_json::to_string(told).unwrap_or_default();
    Bytes::from(format!("event: {kind}\ndata: {data}\n\n"))
}
