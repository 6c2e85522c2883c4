//! How a destination's deliveries wait, are tried again, and give way to each other.

use super::Rate;
use super::fields::{Collector, Fields, duration, kind};
use serde_json::Value;
use std::time::Duration;

/// How deliveries of a destination are tried, and how they wait for each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queueing {
    /// How long to wait before each further attempt, ±20 %. Default 5 s, 30 s, 5 min, 30 min, 2 h, 5 h, 10 h, 24 h.
    pub retries: Vec<Duration>,
    /// Whether a redirect, which is never followed, counts as a failure. Default false, as GitLab counts it.
    pub redirects_fail: bool,
    /// How many attempts begin in a time; `None`, the default: any number.
    pub rate_limit: Option<Rate>,
    /// How many deliveries may wait. Default 100,000.
    pub most_pending: u64,
    /// Whether hooks of one project are delivered one after another. Default false.
    pub in_order: bool,
    /// How long a delivery may keep those of its project behind it waiting. Default 10 min.
    pub park_after: Duration,
    /// After how many failures in a row nothing is sent but probes; `None`: never. Default 5.
    pub breaker: Option<u32>,
    /// The longest time between two probes. Default 30 s.
    pub probe: Duration,
}

impl Default for Queueing {
    fn default() -> Self {
        let minutes = Duration::from_mins;
        Self {
            retries: vec![
                Duration::from_secs(5),
                Duration::from_secs(30),
                minutes(5),
                minutes(30),
                Duration::from_hours(2),
                Duration::from_hours(5),
                Duration::from_hours(10),
                Duration::from_hours(24),
            ],
            redirects_fail: false,
            rate_limit: None,
            most_pending: 100_000,
            in_order: false,
            park_after: minutes(10),
            breaker: Some(5),
            probe: Duration::from_secs(30),
        }
    }
}

/// The settings of a destination's table.
pub(super) fn queueing(table: &mut Fields, all: &mut Collector<'_>) -> Queueing {
    let default = Queueing::default();
    let redirects = table.parsed("redirects", all, |text| one_of(text, "delivered", "failed"));
    let in_order = table.parsed("order", all, |text| one_of(text, "free", "project"));
    let probe_path = table.path_of("probe");
    let probe = table.duration("probe", all);
    if probe.is_some_and(|probe| probe.is_zero()) {
        all.fault(&probe_path, "0: the destination would be probed without a pause");
    }
    Queueing {
        retries: retries(table, all).unwrap_or(default.retries),
        redirects_fail: redirects.unwrap_or(default.redirects_fail),
        rate_limit: table.parsed("rate_limit", all, Rate::parse),
        most_pending: table.parsed("queue", all, |text| number(text, "")).unwrap_or(default.most_pending),
        in_order: in_order.unwrap_or(default.in_order),
        park_after: table.duration("park_after", all).unwrap_or(default.park_after),
        breaker: table.parsed("breaker", all, breaker).unwrap_or(default.breaker),
        probe: probe.unwrap_or(default.probe),
    }
}

/// Whether a text is the second of two words.
fn one_of(text: &str, first: &str, second: &str) -> Result<bool, String> {
    if text == first || text == second {
        return Ok(text == second);
    }
    Err(format!("expected `{first}` or `{second}`, got `{text}`"))
}

fn number<T: std::str::FromStr + PartialOrd + From<u8>>(text: &str, more: &str) -> Result<T, String> {
    let number = text.parse().ok().filter(|number| *number >= T::from(1));
    number.ok_or_else(|| format!("expected a number from 1{more}, got `{text}`"))
}

fn breaker(text: &str) -> Result<Option<u32>, String> {
    if text == "none" { Ok(None) } else { number(text, " or `none`").map(Some) }
}

/// A list of times; an empty one asks for one attempt and no more.
fn retries(table: &mut Fields, all: &mut Collector<'_>) -> Option<Vec<Duration>> {
    let path = table.path_of("retries");
    let list = match table.take("retries")? {
        Value::Array(list) => list,
        other => {
            all.fault(
                &path,
                format!("expected a list of times such as [\"5s\", \"30s\", \"5m\"], got {}", kind(&other)),
            );
            return None;
        }
    };
    let mut retries = Vec::with_capacity(list.len());
    for (position, item) in list.iter().enumerate() {
        let text = match item {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let wait =
            duration(&text).and_then(|wait| if wait.is_zero() { Err("0: no pause".to_owned()) } else { Ok(wait) });
        match wait {
            Ok(wait) => retries.push(wait),
            Err(message) => all.fault(&format!("{path}[{position}]"), message),
        }
    }
    Some(retries)
}
