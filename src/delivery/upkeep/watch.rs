//! Watches the store and its disk, and tells when they come to be in trouble and when that is over.

use super::{CEASED, Delivery};
use crate::config::NearlyFull;
use crate::feed::Happening;
use crate::metrics;
use crate::store::Disk;
use std::time::{Duration, Instant};

/// Watches both; looks whenever it is asked to.
pub(super) struct Watch {
    nearly_full: NearlyFull,
    is_short: bool,
    trouble: Trouble,
}

/// The store, as it was.
#[derive(Debug)]
struct Trouble {
    /// How often it was full, and how often broken.
    errors: [u64; 2],
    is_down: bool,
    /// Since when there were no errors.
    well_since: Instant,
}

/// What the errors of a store are counted by.
const REASONS: [&str; 2] = [metrics::Trouble::Full.word(), metrics::Trouble::Broken.word()];

impl Watch {
    pub(super) fn new(nearly_full: NearlyFull) -> Self {
        let trouble = Trouble { errors: [0; 2], is_down: false, well_since: Instant::now() };
        Self { nearly_full, is_short: false, trouble }
    }

    pub(super) fn look(&mut self, delivery: &Delivery) {
        if let Some(disk) = delivery.store.disk() {
            self.look_at_disk(disk, delivery);
        }
        let metrics = &delivery.metrics;
        let errors = REASONS.map(|reason| metrics.store_errors.with_label_values(&[reason]).get());
        let is_down = metrics.store_down.get() > 0;
        if let Some((is_down, reason)) = self.trouble.change(errors, is_down, Instant::now(), CEASED) {
            delivery.feed.tell(|| Happening::Store { is_down, reason: reason.to_owned() });
        }
    }

    fn look_at_disk(&mut self, disk: Disk, delivery: &Delivery) {
        let (free, least) = (disk.free, least(disk, self.nearly_full));
        delivery.metrics.disk_free_bytes.set(i64::try_from(free).unwrap_or(i64::MAX));
        let is_short = is_short(free, least, self.is_short);
        if is_short == self.is_short {
            return;
        }
        self.is_short = is_short;
        delivery.metrics.disk_nearly_full.set(i64::from(is_short));
        if is_short {
            let (total, refused_below) = (disk.total, disk.spare);
            tracing::warn!(
                free,
                total,
                refused_below,
                "the disk of data_dir is nearly full: make room, before hooks are refused"
            );
        } else {
            tracing::info!(free, "the disk of data_dir has room again");
        }
        delivery.feed.tell(|| Happening::Disk {
            is_short,
            free_bytes: free,
            total_bytes: disk.total,
            least_bytes: least,
        });
    }
}

/// With less than that a disk is nearly full. Whatever the setting says, it is so before what has ended gives way, which is
/// at twice what must stay free, and long before hooks are refused.
fn least(disk: Disk, nearly_full: NearlyFull) -> u64 {
    nearly_full.of(disk.total).max(disk.spare.saturating_mul(3))
}

/// It takes a quarter more to be over than to begin, so that what comes and goes does not make it begin over and over.
fn is_short(free: u64, least: u64, was_short: bool) -> bool {
    free < if was_short { least.saturating_add(least / 4) } else { least }
}

impl Trouble {
    /// Whether it is down from now on, or no longer, and why. It is over when there was no error for a while: a store that
    /// is full takes a small hook, and then none.
    fn change(
        &mut self,
        errors: [u64; 2],
        is_down: bool,
        now: Instant,
        ceased: Duration,
    ) -> Option<(bool, &'static str)> {
        let [was_full, was_broken] = self.errors;
        let [full, broken] = errors;
        let is_new = full > was_full || broken > was_broken;
        if is_new || is_down {
            self.well_since = now;
        }
        let reason = if broken > was_broken { "broken" } else { "full" };
        self.errors = errors;
        if !self.is_down && is_new {
            self.is_down = true;
            return Some((true, reason));
        }
        if self.is_down && now.duration_since(self.well_since) >= ceased {
            self.is_down = false;
            return Some((false, ""));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_nearly_full_before_hooks_are_refused_and_does_not_flap() {
        let large = Disk { free: 0, total: 100 << 30, spare: 32 << 20 };
        assert_eq!(least(large, NearlyFull::default()), 1 << 30);
        let small = Disk { free: 0, total: 64 << 20, spare: 8 << 20 };
        assert_eq!(least(small, NearlyFull::default()), 24 << 20);
        assert!(is_short(99, 100, false) && !is_short(100, 100, false));
        assert!(is_short(124, 100, true) && !is_short(125, 100, true));
    }

    #[test]
    fn a_store_is_down_once_however_often_it_takes_something_between() {
        let (began, ceased) = (Instant::now(), Duration::from_secs(5));
        let mut trouble = Trouble { errors: [0; 2], is_down: false, well_since: began };
        let mut at = |seconds: u64, errors, is_down| {
            trouble.change(errors, is_down, began + Duration::from_secs(seconds), ceased)
        };
        assert_eq!(at(1, [0, 0], false), None);
        // It was down between two looks.
        assert_eq!(at(2, [1, 0], false), Some((true, "full")));
        assert_eq!(at(3, [1, 0], true), None);
        assert_eq!(at(6, [2, 0], false), None);
        assert_eq!(at(10, [2, 0], false), None);
        assert_eq!(at(11, [2, 0], false), Some((false, "")));
        assert_eq!(at(12, [2, 1], true), Some((true, "broken")));
    }
}
