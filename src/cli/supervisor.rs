//! What systemd is told (`NOTIFY_SOCKET`, for `Type=notify` and `notify-reload`): when hooks are taken, and when not.

use sd_notify::NotifyState;

/// Hooks are taken; also after a reload.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The configuration is read again.
pub(super) fn reloading() {
    // It looks at the time to tell this reload from one before.
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "NOTIFY_SOCKET: systemd is not told of the reload"),
    }
}

/// What is in flight is finished.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Does nothing where nobody wants to hear it.
fn tell(what: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(what) {
        tracing::warn!(%error, "NOTIFY_SOCKET: systemd is not told of {}", what.first().map_or_else(String::new, ToString::to_string));
    }
}
