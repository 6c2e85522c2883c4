//! The filter of the API as flags.

use crate::admin::asked::AskedFilter;
use crate::admin::shown::StateShown;
use clap::Args;
use jiff::{SignedDuration, Timestamp};

#[derive(Debug, Clone, Default, Args)]
pub(super) struct FilterArgs {
    /// The path of the route
    #[arg(long, value_name = "PATH")]
    route: Option<String>,
    /// The name of the destination
    #[arg(long, value_name = "NAME")]
    destination: Option<String>,
    /// The forge that sent the hook
    #[arg(long, value_name = "FORGE")]
    forge: Option<String>,
    /// The installation that sent the hook, by host
    #[arg(long, value_name = "HOST")]
    instance: Option<String>,
    /// The event, in the forge's words
    #[arg(long, value_name = "EVENT")]
    event: Option<String>,
    /// What stands for the project, as `show` has it
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
    /// pending, delivered, ignored or failed
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<StateShown>,
    /// Hooks that came at this time or later: `2026-11-26T10:15:00Z`, or an age such as `30m`, `2h`, `3d`, `1w`
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Hooks that came before this time, or are older than this age
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    /// A text in the hook, its key, what is sent of it, or why it ended; in capital letters or not
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Only deliveries that were sent again
    #[arg(long, conflicts_with = "not_resent")]
    resent: bool,
    /// Only deliveries that were not sent again
    #[arg(long)]
    not_resent: bool,
}

impl FilterArgs {
    pub(super) fn asked(&self) -> AskedFilter {
        let Self { route, destination, forge, instance, event, project, state, since, until, text, .. } = self.clone();
        let resent = (self.resent || self.not_resent).then_some(self.resent);
        AskedFilter { route, destination, forge, instance, event, project, state, resent, since, until, text }
    }
}

/// Reads the name of a state.
pub(super) fn state(text: &str) -> Result<StateShown, String> {
    serde_json::from_value(text.into()).map_err(|_| "expected pending, delivered, ignored or failed".to_owned())
}

/// The name of a state.
pub(super) fn named(state: StateShown) -> &'static str {
    match state {
        StateShown::Pending => "pending",
        StateShown::Delivered => "delivered",
        StateShown::Ignored => "ignored",
        StateShown::Failed => "failed",
    }
}

/// Reads a point in time, or an age.
fn time(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let wrong = || "expected a time such as 2026-11-26T10:15:00Z, or an age such as 30m, 2h, 3d, 1w".to_owned();
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        'w' => 7 * 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let number: u32 = text.strip_suffix(unit).and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
    Timestamp::now().checked_sub(SignedDuration::from_secs(i64::from(number) * seconds)).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_points_or_ages() {
        assert_eq!(time("2026-11-26T10:15:00Z").unwrap().to_string(), "2026-11-26T10:15:00Z");
        assert_eq!(time("2026-11-26T13:15:00+03:00").unwrap().to_string(), "2026-11-26T10:15:00Z");
        for (age, seconds) in [("90s", 90), ("30m", 1800), ("2h", 7200), ("3d", 259_200), ("1w", 604_800)] {
            let ago = Timestamp::now().as_second() - time(age).unwrap().as_second();
            assert!((seconds..seconds + 60).contains(&ago), "{age}: {ago}");
        }
        for wrong in ["", "h", "2", "-2h", "2y", "2hh", "é", "4294967295w", "yesterday"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
