//! The connections that send.

use super::request::Request;
use super::tally::{Answer, Tally};
use super::wire::{Head, Wire};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// What the answer of a hookglot says where nobody gets the hook.
const IGNORED: &[u8] = br#""ignored""#;

/// What is sent, where, and who keeps count of it.
#[derive(Clone)]
pub(super) struct Load {
    pub(super) address: SocketAddr,
    pub(super) request: Arc<Request>,
    pub(super) tally: Arc<Mutex<Tally>>,
    pub(super) patience: Duration,
}

/// Whether somebody listens there.
///
/// # Errors
/// Says that nobody does.
pub(super) async fn knock(address: SocketAddr, patience: Duration) -> Result<(), String> {
    match timeout(patience, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("nobody takes hooks at {address}: {error}")),
        Err(_) => Err(format!("nobody takes hooks at {address}: no connection within {patience:?}")),
    }
}

impl Load {
    /// Sends so many hooks over so many connections, and waits for their answers.
    pub(super) async fn send(&self, hooks: u32, connections: u32) {
        let next = Arc::new(AtomicU32::new(0));
        let mut running = JoinSet::new();
        for _ in 0..connections.min(hooks) {
            running.spawn(self.clone().connection(Arc::clone(&next), hooks));
        }
        while running.join_next().await.is_some() {}
    }

    /// One connection: a hook, its answer, the next hook. A broken one is opened again; its hook is not sent again, it may
    /// have come through.
    async fn connection(self, next: Arc<AtomicU32>, hooks: u32) {
        let mut bytes = self.request.bytes();
        let mut open = None;
        loop {
            let hook = next.fetch_add(1, Ordering::Relaxed);
            if hook >= hooks {
                return;
            }
            self.request.number(&mut bytes, hook);
            let begun = Instant::now();
            let answer = match timeout(self.patience, exchange(self.address, &mut open, &bytes)).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(error)) => Answer::None(error.to_string()),
                Err(_) => Answer::None(format!("no answer within {:?}", self.patience)),
            };
            if matches!(answer, Answer::None(_)) {
                open = None;
            }
            self.tally.lock().unwrap_or_else(PoisonError::into_inner).answered(hook, &answer, begun, Instant::now());
        }
    }
}

async fn exchange(address: SocketAddr, open: &mut Option<Wire>, bytes: &[u8]) -> std::io::Result<Answer> {
    let mut wire = match open.take() {
        Some(wire) => wire,
        None => Wire::new(TcpStream::connect(address).await?),
    };
    wire.write(bytes).await?;
    let Some((Head { status, closes, .. }, body)) = wire.read().await? else {
        return Ok(Answer::None("the connection was closed without an answer".to_owned()));
    };
    let ignored = body.windows(IGNORED.len()).any(|window| window == IGNORED);
    let answer = match status {
        Some(200) if ignored => Answer::Ignored,
        Some(200) => Answer::Accepted,
        Some(status) => Answer::Refused(status),
        None => Answer::None("what came is no answer".to_owned()),
    };
    if !closes {
        *open = Some(wire);
    }
    Ok(answer)
}
