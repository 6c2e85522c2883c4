//! How many files, which connections are, the process may have open.

use crate::config::Limits;

/// How many are kept for everything but hooks that come in: connections to tools, files, the admin port.
const OTHERS: usize = 256;

/// Raises the limit as far as this user may, and keeps `limits.connections` below it: beyond that bound there is an answer,
/// beyond the system's there is none.
pub(super) fn fit(limits: &mut Limits) {
    let Ok(most) = rlimit::increase_nofile_limit(u64::MAX) else { return };
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let room = most.saturating_sub(OTHERS.min(most / 2));
    if limits.connections > room {
        tracing::warn!(
            "limits.connections is {room} and not {}: the system allows {most} open files, raise that (ulimit -n, \
             LimitNOFILE)",
            limits.connections
        );
        limits.connections = room;
    }
}
