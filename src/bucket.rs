//! Lets something happen at a rate: so many at once, then one after another as they come back.

use crate::config::Rate;
use std::time::{Duration, Instant};

/// What is left of a rate. It comes back evenly, up to the whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    rate: Rate,
    /// When all of it will be back, if nothing is taken meanwhile.
    full_at: Instant,
}

impl Bucket {
    pub(crate) fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, full_at: now }
    }

    /// How long until there is one to take.
    pub(crate) fn wait(mut self, now: Instant) -> Duration {
        // It is a copy that is taken from.
        self.take(now).err().unwrap_or_default()
    }

    /// Takes one.
    ///
    /// # Errors
    /// When none is left: how long until there is.
    pub(crate) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let taken = self.full_at.max(now) + self.rate.per / self.rate.count;
        match taken.saturating_duration_since(now).checked_sub(self.rate.per) {
            Some(over) if !over.is_zero() => Err(over),
            _ => {
                self.full_at = taken;
                Ok(())
            }
        }
    }

    /// Whether nothing is missing from it.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_at_once_and_then_one_after_another() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut bucket = Bucket::new(Rate { count: 4, per: second }, start);
        for _ in 0..4 {
            assert_eq!(bucket.take(start), Ok(()));
        }
        assert_eq!(bucket.take(start), Err(second / 4));
        assert_eq!(bucket.take(start), Err(second / 4), "what is refused takes nothing");
        assert_eq!(bucket.take(start + second / 4), Ok(()));
        assert_eq!(bucket.take(start + second / 4), Err(second / 4));
        let later = start + 10 * second;
        assert!(bucket.is_full(later));
        for _ in 0..4 {
            assert_eq!(bucket.take(later), Ok(()), "no more than the whole comes back");
        }
        assert!(bucket.take(later).is_err() && !bucket.is_full(later));
    }
}
