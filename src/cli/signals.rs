//! What the system tells a running `serve`. It is listened to from the very beginning: a signal that nobody listens to ends the
//! process.

use tokio::signal::unix::{Signal, SignalKind, signal};

pub(super) struct Signals {
    terminate: Option<Signal>,
    interrupt: Option<Signal>,
    hangup: Option<Signal>,
}

impl Signals {
    /// Listens from now on. A kind that cannot be listened to never comes.
    pub(super) fn listen() -> Self {
        let of = |kind| signal(kind).ok();
        let (terminate, interrupt) = (of(SignalKind::terminate()), of(SignalKind::interrupt()));
        Self { terminate, interrupt, hangup: of(SignalKind::hangup()) }
    }

    /// Waits for SIGTERM or SIGINT.
    pub(super) async fn stop(&mut self) {
        tokio::select! {
            () = came(&mut self.terminate) => {}
            () = came(&mut self.interrupt) => {}
        }
    }

    /// What comes of SIGHUP, to wait for beside the rest.
    pub(super) fn take_hangup(&mut self) -> Hangup {
        Hangup(self.hangup.take())
    }
}

/// SIGHUP.
pub(super) struct Hangup(Option<Signal>);

impl Hangup {
    /// Waits for the next one.
    pub(super) async fn came(&mut self) {
        came(&mut self.0).await;
    }
}

async fn came(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}
