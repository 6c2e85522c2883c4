//! The sockets that `serve` listens on: those that systemd hands over, or else its own.
//!
//! What systemd hands over (`LISTEN_FDS`) it keeps open itself: who connects while no process runs waits in its queue, and a
//! restart turns nobody away.

use listenfd::ListenFd;
use std::net::{SocketAddr, TcpListener};

/// Those that have been handed over.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    hooks: Option<TcpListener>,
    admin: Option<TcpListener>,
}

/// The names by which a unit can say what a socket is for (`FileDescriptorName=`).
const NAMES: [&str; 2] = ["hooks", "admin"];

impl Sockets {
    /// Takes what has been handed over. Only the first thread may, before there are others: what says so is taken out of the
    /// environment.
    ///
    /// # Errors
    /// Says what is handed over that cannot be used, and what to do.
    pub(super) fn take() -> Result<Self, String> {
        let is_for_us = std::env::var("LISTEN_PID").is_ok_and(|pid| pid == std::process::id().to_string());
        if !is_for_us {
            return Ok(Self::default());
        }
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut handed = ListenFd::from_env();
        let mut listeners = Vec::new();
        for at in 0..handed.len() {
            let taken = handed.take_tcp_listener(at);
            let listener = taken.map_err(|error| format!("{}: {error}", wrong(at)))?.ok_or_else(|| wrong(at))?;
            let is_listening = rustix::net::sockopt::socket_acceptconn(&listener);
            if !is_listening.unwrap_or(false) {
                return Err(format!("{}: it does not listen (Accept=no, which is the default)", wrong(at)));
            }
            listeners.push(listener);
        }
        let purposes = purposes(listeners.len(), &names)?;
        let mut own = Self::default();
        for (listener, purpose) in listeners.into_iter().zip(purposes) {
            *(if purpose == 0 { &mut own.hooks } else { &mut own.admin }) = Some(listener);
        }
        Ok(own)
    }

    /// Where hooks come in.
    ///
    /// # Errors
    /// When nobody can listen there.
    pub(super) fn hooks(&mut self, at: SocketAddr) -> Result<TcpListener, String> {
        handed_or_bound(self.hooks.take(), "listen", at)
    }

    /// Where the admin port is.
    ///
    /// # Errors
    /// When nobody can listen there.
    pub(super) fn admin(&mut self, at: SocketAddr) -> Result<TcpListener, String> {
        handed_or_bound(self.admin.take(), "admin_listen", at)
    }
}

fn handed_or_bound(handed: Option<TcpListener>, setting: &str, at: SocketAddr) -> Result<TcpListener, String> {
    let Some(handed) = handed else { return bind(setting, at) };
    let own = handed.local_addr().map_err(|error| format!("{setting}: the socket that was handed over: {error}"))?;
    tracing::info!(%own, "{setting} is a socket that was handed over");
    Ok(handed)
}

/// Listens on an address of a setting.
pub(super) fn bind(setting: &str, at: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(at).map_err(|error| format!("{setting} {at}: {error}"))
}

fn wrong(at: usize) -> String {
    format!("LISTEN_FDS: socket {} that was handed over is no TCP socket (ListenStream= with a port)", at + 1)
}

/// What each socket is for, as a place in [`NAMES`]: by its name, and those of other names in order.
fn purposes(count: usize, names: &str) -> Result<Vec<usize>, String> {
    let mut names = names.split(':');
    let mut purposes: Vec<Option<usize>> =
        (0..count).map(|_| names.next().and_then(|name| NAMES.iter().position(|own| *own == name))).collect();
    for place in 0..NAMES.len() {
        let is_free = !purposes.contains(&Some(place));
        if let Some(unnamed) = purposes.iter_mut().find(|purpose| purpose.is_none()).filter(|_| is_free) {
            *unnamed = Some(place);
        }
    }
    let has_two = |place| purposes.iter().filter(|purpose| **purpose == Some(place)).count() > 1;
    if purposes.contains(&None) || (0..NAMES.len()).any(has_two) {
        return Err(format!(
            "LISTEN_FDS: {count} sockets were handed over: hand one over for hooks, and one for the admin port, with \
             FileDescriptorName=hooks and admin or in that order; ListenStream=8080 is for IPv4 and IPv6 alike"
        ));
    }
    Ok(purposes.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_a_socket_is_for_or_its_place() {
        for (count, names, expected) in [
            (0, "", vec![]),
            (1, "", vec![0]),
            (1, "hookglot.socket", vec![0]),
            (1, "admin", vec![1]),
            (2, "hookglot.socket:hookglot.socket", vec![0, 1]),
            (2, "admin:hooks", vec![1, 0]),
            (2, "admin:hookglot.socket", vec![1, 0]),
            (2, "x:hooks", vec![1, 0]),
            (2, "hooks", vec![0, 1]),
        ] {
            assert_eq!(purposes(count, names), Ok(expected), "{count} {names}");
        }
        for (count, names) in [(3, ""), (2, "hooks:hooks"), (3, "hooks:admin:other"), (2, "admin:admin")] {
            assert!(purposes(count, names).is_err_and(|message| message.contains("FileDescriptorName")), "{names}");
        }
    }
}
