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

    /// How many there are to take.
    ///
    /// # Errors
    /// When none is left: how long until there is.
    pub(crate) fn left(self, now: Instant) -> Result<usize, Duration> {
        let mut copy = self;
        copy.take(now)?;
        let missing = self.full_at.saturating_duration_since(now).as_nanos();
        let one = (self.rate.per / self.rate.count).as_nanos().max(1);
        let left = self.rate.per.as_nanos().saturating_sub(missing) / one;
        Ok(usize::try_from(left).unwrap_or(usize::MAX).max(1))
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
        for left in [4, 3, 2, 1] {
            assert_eq!(bucket.left(start), Ok(left));
            assert_eq!(bucket.take(start), Ok(()));
        }
        assert_eq!(bucket.left(start), Err(second / 4));
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
