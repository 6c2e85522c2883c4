//! The end of `serve`, as far as something is in flight.

use crate::acks::Acks;
use crate::alerts::Watching;
use crate::delivery::Workers;
use crate::ingest::Heads;
use crate::traces::Traces;
use actix_web::dev::ServerHandle;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// How long those who have been let in have to begin to say what they want before a stop: the framework drops connections
/// that have not brought a request by then. A head that has begun may take half of the grace time.
const LET_IN: Duration = Duration::from_millis(200);

/// Stops taking hooks, lets what is in flight come to its end, and gives up when the grace time is over.
pub(super) async fn stop(
    (hooks, heads): (ServerHandle, Heads),
    workers: Workers,
    acks: &Acks,
    is_durable: bool,
    alerts: Watching,
    traces: &Traces,
    grace: Duration,
) {
    tracing::info!(grace_seconds = grace.as_secs(), "stopping: what is in flight is finished first");
    let deadline = Instant::now() + grace;
    alerts.hurry();
    traces.hurry();
    // Nobody else is let in; who connects waits with the system for the next process, where it keeps the socket.
    hooks.pause().await;
    sleep(LET_IN.min(grace / 2)).await;
    // What is stored is safe: nothing more is begun, whatever those do who still send. But a forge that waits for what the
    // tools say is told.
    let last_taken = async {
        // One that does not come is dropped: the rest of the time is for what is taken.
        let _ = timeout(grace / 2, heads.have_come()).await;
        hooks.stop(true).await;
    };
    let in_time = async {
        if is_durable && acks.is_empty() {
            tokio::join!(last_taken, workers.stop());
        } else {
            last_taken.await;
            workers.stop().await;
        }
        alerts.finish().await;
    };
    if timeout_at(deadline, in_time).await.is_err() {
        tracing::warn!("the grace time is over: what is still in flight is cut off");
    }
    // Last, as what ends now is told of as well. What is not exported in time is said to be lost.
    let _ = timeout_at(deadline, traces.finish()).await;
    traces.say_lost(grace);
}
