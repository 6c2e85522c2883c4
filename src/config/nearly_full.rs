//! From when on a disk counts as nearly full.

use super::fields::size;

/// The shares and sizes below all of which the free room of a disk must sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NearlyFull {
    percent: Option<u8>,
    bytes: Option<u64>,
}

impl Default for NearlyFull {
    /// A tenth, as everybody watches disks; of a large disk that would be far more than a store ever needs.
    fn default() -> Self {
        Self { percent: Some(10), bytes: Some(1 << 30) }
    }
}

impl NearlyFull {
    /// `10%`, `1GiB`, or both.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected a share, a size, or both, such as `10%`, `1GiB` or `10%, 1GiB`, got `{text}`");
        let mut read = Self { percent: None, bytes: None };
        for part in text.split(',').map(str::trim) {
            if let Some(percent) = part.strip_suffix('%') {
                let percent = percent.trim().parse().ok().filter(|percent| (1..100).contains(percent));
                if read.percent.replace(percent.ok_or_else(wrong)?).is_some() {
                    return Err(wrong());
                }
            } else if read.bytes.replace(size(part).map_err(|_| wrong())? as u64).is_some() {
                return Err(wrong());
            }
        }
        Ok(read)
    }

    /// The free bytes below which a disk of so many bytes is nearly full.
    #[must_use]
    pub fn of(self, total: u64) -> u64 {
        let share = self.percent.map(|percent| total / 100 * u64::from(percent));
        share.into_iter().chain(self.bytes).min().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_of_both_counts() {
        assert_eq!(NearlyFull::parse("10%, 1GiB"), Ok(NearlyFull::default()));
        assert_eq!(NearlyFull::default().of(5 << 30), (5 << 30) / 100 * 10);
        assert_eq!(NearlyFull::default().of(100 << 30), 1 << 30);
        assert_eq!(NearlyFull::parse("20 %").map(|own| own.of(1000)), Ok(200));
        assert_eq!(NearlyFull::parse("2KiB").map(|own| own.of(1000)), Ok(2048));
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in ["", "0%", "100%", "ten", "10%, 20%", "1GiB, 2GiB", "10%,", "-1"] {
            assert!(NearlyFull::parse(text).is_err(), "{text}");
        }
    }
}
