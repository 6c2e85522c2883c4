//! How much all bodies together may hold on their way to the store, and how much of that may be of callers who have proved
//! nothing yet: a signature covers the body, so that one must be there first.

use super::Answer;
use super::failures::client;
use crate::config::Limits;
use prometheus::IntGauge;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Who calls, when the system cannot say from where.
const NOBODY: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// The bytes of all bodies that are on their way to the store.
#[derive(Debug)]
pub(super) struct Budget {
    limit: usize,
    taken: AtomicUsize,
    shown: IntGauge,
    /// How much all callers without a proof may hold, and one of them.
    unproven_limit: usize,
    unproven_limit_each: usize,
    unproven: Mutex<Unproven>,
}

#[derive(Debug, Default)]
struct Unproven {
    taken: usize,
    /// How much each client holds, of those that hold anything.
    by_client: HashMap<IpAddr, usize>,
}

impl Budget {
    /// The half of `limits.in_flight` is for callers without a proof, a quarter for one of them, and a whole body in any
    /// case: the rest stays for those who have proved who they are with the head alone.
    pub(super) fn new(limits: &Limits, shown: IntGauge) -> Self {
        let (limit, body) = (limits.in_flight, limits.body);
        let (unproven_limit, unproven_limit_each) = ((limit / 2).max(body), (limit / 4).max(body));
        Self {
            limit,
            taken: AtomicUsize::new(0),
            shown,
            unproven_limit,
            unproven_limit_each,
            unproven: Mutex::default(),
        }
    }

    /// What a body will take; of a caller who has proved who it is.
    pub(super) fn share(self: &Arc<Self>) -> Share {
        Share { budget: Arc::clone(self), bytes: 0, unproven_of: None }
    }

    /// What a body will take; of a caller from an address who has proved nothing yet.
    pub(super) fn share_unproven(self: &Arc<Self>, from: Option<IpAddr>) -> Share {
        let mut share = self.share();
        share.unproven_of = Some(from.map_or(NOBODY, client));
        share
    }

    fn take_unproven(&self, of: IpAddr, bytes: usize) -> Result<(), Answer> {
        // A table is whole after every step: one that another thread left is as good as any.
        let mut unproven = self.unproven.lock().unwrap_or_else(PoisonError::into_inner);
        unproven.taken += bytes;
        let own = unproven.by_client.entry(of).or_insert(0);
        *own += bytes;
        if *own > self.unproven_limit_each {
            return Err(Answer::too_many_bytes_of_address(self.unproven_limit_each));
        }
        if unproven.taken > self.unproven_limit { Err(Answer::too_many_bytes_unproven()) } else { Ok(()) }
    }

    fn give_back_unproven(&self, of: IpAddr, bytes: usize) {
        let mut unproven = self.unproven.lock().unwrap_or_else(PoisonError::into_inner);
        unproven.taken = unproven.taken.saturating_sub(bytes);
        if let Some(own) = unproven.by_client.get_mut(&of) {
            *own = own.saturating_sub(bytes);
            if *own == 0 {
                unproven.by_client.remove(&of);
            }
        }
    }
}

/// What one body has taken of the budget; given back when dropped.
pub(super) struct Share {
    budget: Arc<Budget>,
    bytes: usize,
    /// Whose it is while nobody knows who that is.
    unproven_of: Option<IpAddr>,
}

impl Share {
    /// Takes more.
    ///
    /// # Errors
    /// When there is no more: what the sender is told. What was taken is given back with the rest.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Answer> {
        let budget = &*self.budget;
        self.bytes += bytes;
        let taken = budget.taken.fetch_add(bytes, Ordering::Relaxed) + bytes;
        budget.shown.set(i64::try_from(taken).unwrap_or(i64::MAX));
        if let Some(of) = self.unproven_of {
            budget.take_unproven(of, bytes)?;
        }
        if taken > budget.limit { Err(Answer::too_many_bytes()) } else { Ok(()) }
    }

    /// Says that the caller has proved who it is.
    pub(super) fn prove(&mut self) {
        if let Some(of) = self.unproven_of.take() {
            self.budget.give_back_unproven(of, self.bytes);
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.prove();
        let before = self.budget.taken.fetch_sub(self.bytes, Ordering::Relaxed);
        self.budget.shown.set(i64::try_from(before.saturating_sub(self.bytes)).unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn budget() -> Arc<Budget> {
        let time = Duration::from_secs(1);
        let limits = Limits {
            body: 10,
            in_flight: 100,
            read_timeout: time,
            head_timeout: time,
            keep_alive: time,
            connections: 1,
            connections_per_address: None,
            stored: 1,
            kept_answer: 1,
            sign_in_failures: None,
            nearly_full: crate::config::NearlyFull::default(),
        };
        Arc::new(Budget::new(&limits, IntGauge::new("bytes", "of a test").expect("a name")))
    }

    #[test]
    fn the_unproven_have_a_half_and_one_of_them_a_quarter() {
        let budget = budget();
        let (mut one, mut other, mut third) = (
            budget.share_unproven(Some(IpAddr::from([192, 0, 2, 1]))),
            budget.share_unproven(Some(IpAddr::from([192, 0, 2, 2]))),
            budget.share_unproven(Some(IpAddr::from([192, 0, 2, 3]))),
        );
        assert_eq!(one.take(25), Ok(()));
        assert!(
            budget.share_unproven(Some(IpAddr::from([192, 0, 2, 1]))).take(1).is_err(),
            "a quarter is one client's"
        );
        assert_eq!(other.take(25), Ok(()));
        assert!(third.take(1).is_err(), "half is everybody's");
        drop(third);
        let mut known = budget.share();
        assert_eq!(known.take(50), Ok(()), "the rest is for those who are known");
        assert!(budget.share().take(1).is_err());
        drop(known);
        // Whoever proves who it is makes room for another that has not.
        one.prove();
        assert_eq!(budget.share_unproven(Some(IpAddr::from([192, 0, 2, 1]))).take(25), Ok(()));
        drop((one, other));
        assert_eq!(budget.shown.get(), 0);
        let unproven = budget.unproven.lock().expect("whole");
        assert_eq!((unproven.taken, unproven.by_client.len()), (0, 0));
    }
}
