//! The door that connections come through: how many may be inside, of all and of one client address, and how long they may
//! wait there.

use super::failures::client;
use super::heads::Heads;
use super::tls::Acceptor;
use super::{Answer, Ingest};
use crate::config::Forwarding;
use crate::metrics::Metrics;
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What every connection is held to.
pub(super) struct Front {
    pub(super) head_timeout: Duration,
    pub(super) keep_alive: Duration,
    /// How long a sender may leave its answers unread, as long as it may take for a body.
    pub(super) read_timeout: Duration,
    pub(super) metrics: Metrics,
    pub(super) tls: Option<Acceptor>,
    pub(super) heads: Heads,
    forwarding: Arc<ArcSwap<Forwarding>>,
    most: usize,
    open: AtomicUsize,
    share: Option<Share>,
}

/// What one client may have of the places.
struct Share {
    most: usize,
    /// How many each has, of those that have some.
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// A place inside; given back when dropped.
pub(super) struct Place {
    front: Arc<Front>,
    /// The client whose share it is of.
    of: Option<IpAddr>,
}

impl Front {
    pub(super) fn new(ingest: &Ingest) -> Self {
        let limits = &ingest.limits;
        Self {
            head_timeout: limits.head_timeout,
            keep_alive: limits.keep_alive,
            read_timeout: limits.read_timeout,
            metrics: ingest.metrics.clone(),
            tls: ingest.tls.clone(),
            heads: ingest.heads.clone(),
            forwarding: Arc::clone(&ingest.forwarding),
            most: limits.connections,
            open: AtomicUsize::new(0),
            share: limits.connections_per_address.map(|most| Share { most, taken: Mutex::default() }),
        }
    }

    /// Takes a place for a client, if there is one.
    ///
    /// # Errors
    /// What is said to somebody for whom there is none.
    pub(super) fn place(self: &Arc<Self>, from: Option<IpAddr>) -> Result<Place, Answer> {
        self.metrics.connections.inc();
        let is_open = self.open.fetch_add(1, Ordering::Relaxed) < self.most;
        let mut place = Place { front: Arc::clone(self), of: None };
        if !is_open {
            return Err(Answer::too_many_connections(self.most));
        }
        // Everybody comes through a proxy, and it has a limit of its own.
        let from = from.filter(|from| !self.forwarding.load().trusts(*from));
        if let Some((share, from)) = self.share.as_ref().zip(from) {
            let from = client(from);
            if !share.take(from) {
                return Err(Answer::too_many_of_address(share.most));
            }
            place.of = Some(from);
        }
        Ok(place)
    }
}

impl Share {
    fn take(&self, client: IpAddr) -> bool {
        // A table is whole after every step: one that another thread left is as good as any.
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.entry(client).or_insert(0);
        let has_room = *own < self.most;
        *own += usize::from(has_room);
        has_room
    }

    fn give_back(&self, client: IpAddr) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&client) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                taken.remove(&client);
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.front.open.fetch_sub(1, Ordering::Relaxed);
        self.front.metrics.connections.dec();
        if let Some((share, of)) = self.front.share.as_ref().zip(self.of) {
            share.give_back(of);
        }
    }
}
