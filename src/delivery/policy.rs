//! What an answer means: delivered, again at a time, or given up.

use crate::config::Queueing;
use crate::metrics::Answered;
use jiff::Timestamp;
use std::time::Duration;

/// The longest wait that a `Retry-After` is obeyed for.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// An answer, and how long it asks to wait.
    Status { code: u16, retry_after: Option<Duration> },
    /// No answer in time.
    Timeout,
    /// No connection, or one that broke.
    Unreachable,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Delivered,
    /// Another attempt after so long.
    Again(Duration),
    GiveUp,
}

impl Next {
    /// How an attempt that goes on so is called.
    pub(super) fn word(self, only_probed: bool) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Again(_) if only_probed => "probe failed",
            Self::Again(_) => "again",
            Self::GiveUp => "failed",
        }
    }
}

/// Decides after an attempt. `attempts` counts those made, this one included; `jitter` lies between 0 and 1.
pub(super) fn next(came: Came, attempts: u32, jitter: impl FnOnce() -> f64, queueing: &Queueing) -> Next {
    let all = queueing.retries.len();
    let (most, retry_after) = match came {
        Came::Status { code: 200..=299, .. } => return Next::Delivered,
        Came::Status { code: 300..=399, .. } if !queueing.redirects_fail => return Next::Delivered,
        // Gone: the tool says that it will never want this again.
        Came::Status { code: 410, .. } => return Next::GiveUp,
        // The tool read it and does not want it; one more attempt, in case it was busy with itself.
        Came::Status { code: 400 | 413 | 422, retry_after } => (all.min(1), retry_after),
        Came::Status { retry_after, .. } => (all, retry_after),
        Came::Timeout | Came::Unreachable => (all, None),
    };
    let made = usize::try_from(attempts).unwrap_or(usize::MAX).saturating_sub(1);
    let Some(wait) = queueing.retries.iter().take(most).nth(made) else { return Next::GiveUp };
    let wait = wait.mul_f64(0.8 + 0.4 * jitter().clamp(0.0, 1.0));
    // Sooner than asked would be rude; as soon as asked, were that always a second, would use up all attempts in no time.
    Next::Again(retry_after.map_or(wait, |asked| asked.min(LONGEST_WAIT).max(wait)))
}

/// Reads `Retry-After`: seconds, or a date as HTTP writes it.
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?;
    Duration::try_from(date.timestamp().duration_since(now)).ok()
}

impl Came {
    /// Whether it shows that the destination is there, whatever it thinks of the hook.
    pub(super) fn is_there(self) -> bool {
        matches!(self, Self::Status { code: ..=499, .. })
    }

    /// Whether the destination answered by itself: 502, 503 and 504 are what stands before it, or it is busy with itself.
    pub(super) fn answers(self) -> bool {
        self.status().is_some_and(|code| !(502..=504).contains(&code))
    }

    /// The status that came back, if any.
    pub(super) fn status(self) -> Option<u16> {
        if let Self::Status { code, .. } = self { Some(code) } else { None }
    }

    /// The status for a person.
    pub(super) fn shown(self) -> String {
        self.status().map_or_else(|| "nothing".to_owned(), |code| code.to_string())
    }

    /// How long the answer asks to wait.
    pub(super) fn retry_after(self) -> Option<Duration> {
        let Self::Status { retry_after, .. } = self else { return None };
        retry_after.map(|asked| asked.min(LONGEST_WAIT))
    }

    /// The word of the metric.
    pub(super) fn class(self) -> Answered {
        match self {
            Self::Status { code: 200..=299, .. } => Answered::Success,
            Self::Status { code: 300..=399, .. } => Answered::Redirect,
            Self::Status { code: 400..=499, .. } => Answered::Refusal,
            Self::Status { .. } => Answered::Failure,
            Self::Timeout => Answered::Timeout,
            Self::Unreachable => Answered::Unreachable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(came: Came, attempts: u32, jitter: f64) -> Next {
        super::next(came, attempts, || jitter, &Queueing::default())
    }

    fn status(code: u16) -> Came {
        Came::Status { code, retry_after: None }
    }

    fn waits(came: Came) -> Vec<u64> {
        (1..)
            .map(|attempts| next(came, attempts, 0.5))
            .map_while(|next| match next {
                Next::Again(wait) => Some(wait.as_secs()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn success_ends_and_redirects_are_not_followed() {
        for code in [200, 201, 204, 299, 301, 302, 399] {
            assert_eq!(next(status(code), 1, 0.5), Next::Delivered, "{code}");
        }
    }

    #[test]
    fn what_may_heal_is_tried_on_the_whole_schedule() {
        let schedule = [5, 30, 300, 1800, 7200, 18000, 36000, 86400];
        for came in [
            status(408),
            status(425),
            status(429),
            status(500),
            status(503),
            status(599),
            Came::Timeout,
            Came::Unreachable,
        ] {
            assert_eq!(waits(came), schedule, "{came:?}");
        }
        for code in [401, 403, 404, 409] {
            assert_eq!(waits(status(code)), schedule, "{code}");
        }
    }

    #[test]
    fn what_was_refused_is_tried_once_more_and_gone_is_gone() {
        for code in [400, 413, 422] {
            assert_eq!(waits(status(code)), [5], "{code}");
        }
        assert_eq!(next(status(410), 1, 0.5), Next::GiveUp);
    }

    #[test]
    fn a_destination_can_have_its_own_schedule_and_take_redirects_for_failures() {
        let own = Queueing { retries: vec![Duration::from_secs(1); 3], redirects_fail: true, ..Queueing::default() };
        assert_eq!(super::next(status(302), 3, || 0.5, &own), Next::Again(Duration::from_secs(1)));
        assert_eq!(super::next(status(302), 4, || 0.5, &own), Next::GiveUp);
        let once = Queueing { retries: Vec::new(), ..own };
        for code in [400, 500] {
            assert_eq!(super::next(status(code), 1, || 0.5, &once), Next::GiveUp);
        }
    }

    #[test]
    fn jitter_stays_within_a_fifth() {
        assert_eq!(next(status(500), 1, 0.0), Next::Again(Duration::from_secs(4)));
        assert_eq!(next(status(500), 1, 1.0), Next::Again(Duration::from_secs(6)));
    }

    #[test]
    fn retry_after_is_obeyed_up_to_a_day() {
        let asked = |seconds| Came::Status { code: 429, retry_after: Some(Duration::from_secs(seconds)) };
        assert_eq!(next(asked(120), 1, 0.5), Next::Again(Duration::from_mins(2)));
        // Never sooner than without it: else a tool that always asks for a second would use up all attempts in no time.
        assert_eq!(next(asked(2), 3, 0.5), Next::Again(Duration::from_mins(5)));
        assert_eq!(next(asked(0), 1, 0.5), Next::Again(Duration::from_secs(5)));
        assert_eq!(next(asked(1 << 40), 1, 0.5), Next::Again(LONGEST_WAIT));
        let now = "2026-01-02T03:04:05Z".parse().expect("a time");
        assert_eq!(retry_after("120", now), Some(Duration::from_mins(2)));
        assert_eq!(retry_after("Fri, 02 Jan 2026 03:05:05 GMT", now), Some(Duration::from_mins(1)));
        assert_eq!(retry_after("Fri, 02 Jan 2026 03:00:05 GMT", now), None);
        assert_eq!(retry_after("soon", now), None);
    }
}
