//! Counts wrong secrets by client address.
//!
//! Whoever has the right secret is let in however many wrong ones came from the same address: a forge and a stranger may both
//! come through one proxy, and a stranger must not be able to shut the forge out. So the limit does not keep anybody from
//! guessing; the length of the secret does. It keeps guessing and a wrongly configured forge from being cheap, and tells them
//! apart: an answer of 429 ends the connection, and the metric counts them by themselves.

use crate::bucket::Bucket;
use crate::config::Rate;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many addresses are remembered; those beyond share one entry.
const MOST: usize = 10_000;
/// How often entries that have cooled are looked for when there is no room.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// The entry of those for whom there is no room.
const OTHERS: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

#[derive(Debug)]
pub(super) struct Failures {
    rate: Rate,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    buckets: HashMap<IpAddr, Bucket>,
    swept_at: Option<Instant>,
}

impl Failures {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, table: Mutex::default() }
    }

    /// Counts a wrong secret.
    ///
    /// # Errors
    /// When there were too many from that address: how long until it has cooled.
    pub(super) fn count(&self, from: IpAddr, now: Instant) -> Result<(), Duration> {
        // An entry is whole after every step: a table that another thread left is as good as any.
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let key = table.room_for(client(from), now);
        table.buckets.entry(key).or_insert_with(|| Bucket::new(self.rate, now)).take(now)
    }
}

impl Table {
    /// The entry for a client: its own, when it has one or there is room.
    fn room_for(&mut self, client: IpAddr, now: Instant) -> IpAddr {
        if self.buckets.len() < MOST || self.buckets.contains_key(&client) {
            return client;
        }
        if self.swept_at.is_none_or(|at| now.saturating_duration_since(at) >= SWEEP_EVERY) {
            self.swept_at = Some(now);
            self.buckets.retain(|_, bucket| !bucket.is_full(now));
        }
        if self.buckets.len() < MOST { client } else { OTHERS }
    }
}

/// What counts as one client: an IPv4 address, or the /64 that one IPv6 host has for itself.
pub(super) fn client(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures() -> Failures {
        Failures::new(Rate { count: 2, per: Duration::from_mins(1) })
    }

    #[test]
    fn each_client_has_its_own_count_and_cools() {
        let (failures, now) = (failures(), Instant::now());
        let count = |address: &str, now| failures.count(address.parse().expect("an address"), now);
        assert_eq!(count("192.0.2.1", now), Ok(()));
        assert_eq!(count("::ffff:192.0.2.1", now), Ok(()));
        assert_eq!(count("192.0.2.1", now), Err(Duration::from_secs(30)));
        assert_eq!(count("192.0.2.2", now), Ok(()));
        assert_eq!((count("2001:db8::1", now), count("2001:db8::2", now)), (Ok(()), Ok(())));
        assert!(count("2001:db8::3", now).is_err() && count("2001:db8:0:1::1", now).is_ok());
        assert_eq!(count("192.0.2.1", now + Duration::from_secs(30)), Ok(()));
    }

    #[test]
    fn the_table_does_not_grow_for_ever() {
        let (failures, now) = (failures(), Instant::now());
        let count = |number: u32, now| failures.count(IpAddr::V4(number.into()), now);
        for number in 0..50_000 {
            let _ = count(number, now);
        }
        let entries = || failures.table.lock().expect("whole").buckets.len();
        assert!(entries() <= MOST + 1, "{}", entries());
        assert!(count(60_000, now).is_err(), "those without room share one count");
        assert_eq!(count(60_000, now + Duration::from_mins(2)), Ok(()));
        assert!(entries() < 10, "{}", entries());
    }
}
