//! The figures, for people and for scripts.

use super::super::counted::counted;
use super::process::Process;
use super::tally::Tally;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// Everything that is said of a run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    ok: bool,
    hooks: usize,
    connections: u32,
    body_bytes: usize,
    /// How many answers of each status.
    answers: BTreeMap<u16, usize>,
    unanswered: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_unanswered: Option<String>,
    /// Answered 200 and on their way.
    accepted: usize,
    /// Answered 200, and for nobody.
    ignored: usize,
    /// From the first request to the last answer.
    seconds: f64,
    accepted_per_second: f64,
    answer_ms: Option<Times>,
    sink: Option<Sink>,
    processes: Vec<Used>,
    bench_cpu_us_per_hook: Option<f64>,
}

/// What arrived.
#[derive(Debug, Serialize)]
struct Sink {
    arrived: usize,
    missing: usize,
    duplicates: usize,
    strangers: usize,
    /// From the first request to the last arrival.
    seconds: f64,
    arrived_per_second: f64,
    /// From accepted to delivered; nothing where the body has no commits to know it by.
    delivery_ms: Option<Times>,
}

#[derive(Debug, Serialize)]
struct Times {
    p50: f64,
    p90: f64,
    p99: f64,
    max: f64,
}

#[derive(Debug, Serialize)]
struct Used {
    pid: u32,
    name: String,
    /// Nothing, as below, when it ended meanwhile.
    cpu_ms: Option<f64>,
    cpu_us_per_hook: Option<f64>,
    /// The part of it that the system took for the process.
    system_us_per_hook: Option<f64>,
    rss_kib_before: u64,
    rss_kib_after: Option<u64>,
    peak_rss_kib: Option<u64>,
}

impl Report {
    pub(super) fn new(tally: &Tally, begun: Instant, body_bytes: usize, connections: u32, sink: bool) -> Self {
        let hooks = tally.took.len() + tally.unanswered;
        let seconds = since(begun, tally.last_answer);
        let all_taken = tally.answers.get(&200).copied() == Some(hooks);
        Self {
            ok: all_taken && (!sink || (tally.ignored == 0 && tally.missing() == 0)),
            hooks,
            connections,
            body_bytes,
            answers: tally.answers.clone(),
            unanswered: tally.unanswered,
            why_unanswered: tally.why_unanswered.clone(),
            accepted: tally.accepted,
            ignored: tally.ignored,
            seconds,
            accepted_per_second: per_second(tally.accepted, seconds),
            answer_ms: Times::of(tally.took.clone()),
            sink: sink.then(|| Sink::new(tally, begun)),
            processes: Vec::new(),
            bench_cpu_us_per_hook: None,
        }
    }

    /// Adds what was used meanwhile.
    pub(super) fn of(mut self, processes: &[Process], own: &Process) -> Self {
        self.processes = processes.iter().map(|process| Used::new(process, self.hooks)).collect();
        self.bench_cpu_us_per_hook = Used::new(own, self.hooks).cpu_us_per_hook;
        self
    }

    pub(super) fn is_ok(&self) -> bool {
        self.ok
    }

    pub(super) fn json(&self) -> String {
        // Names, texts and numbers: it always has a JSON form.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// What is not as it should be, a line each.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let refused: usize = self.answers.iter().filter(|(status, _)| **status != 200).map(|(_, count)| count).sum();
        if refused > 0 {
            faults.push(format!("{refused} of {} hooks were refused: the proxy's log says why", self.hooks));
        }
        if let Some(why) = &self.why_unanswered {
            faults.push(format!("{} of {} hooks got no answer; the first: {why}", self.unanswered, self.hooks));
        }
        if self.ignored > 0 {
            faults.push(format!("{} taken and ignored: no destination gets such", counted(self.ignored, "hook")));
        }
        if let Some(sink) = self.sink.as_ref().filter(|sink| sink.missing > 0) {
            faults.push(format!("{} of {} accepted hooks are missing at the sink", sink.missing, self.accepted));
        }
        faults
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let answers: Vec<String> = self.answers.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        let none = if self.unanswered > 0 { format!(", none: {}", self.unanswered) } else { String::new() };
        let ignored = if self.ignored > 0 { format!(", {} ignored", self.ignored) } else { String::new() };
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "sent       {} of {} bytes over {}",
            counted(self.hooks, "hook"),
            self.body_bytes,
            counted(self.connections, "connection")
        );
        let _ = writeln!(text, "answers    {}{none}", answers.join(", "));
        let _ = writeln!(
            text,
            "accepted   {}{ignored} in {:.2} s: {:.0} a second",
            self.accepted, self.seconds, self.accepted_per_second
        );
        if let Some(times) = &self.answer_ms {
            let _ = writeln!(text, "answered   {}", times.text());
        }
        if let Some(sink) = &self.sink {
            text.push_str(&sink.text());
        }
        for used in &self.processes {
            text.push_str(&used.text());
        }
        if let Some(cpu) = self.bench_cpu_us_per_hook {
            let _ = writeln!(text, "bench      {cpu:.1} µs of CPU a hook");
        }
        text.trim_end().to_owned()
    }
}

impl Sink {
    fn new(tally: &Tally, begun: Instant) -> Self {
        let seconds = since(begun, tally.last_arrival);
        Self {
            arrived: tally.arrived,
            missing: tally.missing(),
            duplicates: tally.duplicates,
            strangers: tally.strangers,
            seconds,
            arrived_per_second: per_second(tally.arrived, seconds),
            delivery_ms: Times::of(tally.delays()),
        }
    }

    fn text(&self) -> String {
        let Self { arrived, missing, duplicates, seconds, arrived_per_second, .. } = self;
        let mut text = format!(
            "arrived    {arrived} in {seconds:.2} s: {arrived_per_second:.0} a second; {missing} missing, {duplicates} again"
        );
        if self.strangers > 0 {
            let _ = write!(text, ", {} of others", self.strangers);
        }
        match &self.delivery_ms {
            Some(times) => format!("{text}\ndelivered  {} after accepted\n", times.text()),
            None => text + "\n",
        }
    }
}

impl Times {
    fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort_unstable();
        let at = |percent: usize| {
            let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
            times.get(place).map(|time| rounded(time.as_secs_f64() * 1e3))
        };
        Some(Self { p50: at(50)?, p90: at(90)?, p99: at(99)?, max: at(100)? })
    }

    fn text(&self) -> String {
        let Self { p50, p90, p99, max } = self;
        format!("p50 {p50:.1} ms, p90 {p90:.1} ms, p99 {p99:.1} ms, longest {max:.1} ms")
    }
}

impl Used {
    fn new(process: &Process, hooks: usize) -> Self {
        let cpu = process.cpu();
        let each = |time: Duration| rounded(time.as_secs_f64() * 1e6 / number(hooks).max(1.0));
        let (before, after) = process.rss_kib();
        Self {
            pid: process.pid,
            name: process.name.clone(),
            cpu_ms: cpu.map(|cpu| rounded(cpu.both().as_secs_f64() * 1e3)),
            cpu_us_per_hook: cpu.map(|cpu| each(cpu.both())),
            system_us_per_hook: cpu.map(|cpu| each(cpu.system)),
            rss_kib_before: before,
            rss_kib_after: after,
            peak_rss_kib: process.peak_kib(),
        }
    }

    fn text(&self) -> String {
        let Self { pid, name, rss_kib_before, .. } = self;
        let (Some(cpu), Some(system)) = (self.cpu_us_per_hook, self.system_us_per_hook) else {
            return format!("{name} ({pid}) ended meanwhile\n");
        };
        let memory = [Some(*rss_kib_before), self.rss_kib_after, self.peak_rss_kib].map(|kib| mib(kib.unwrap_or(0)));
        let [before, after, peak] = memory;
        format!(
            "{name} ({pid}): {cpu:.1} µs of CPU a hook, {system:.1} of them the system's; memory {before} before, {after} after, {peak} at most\n"
        )
    }
}

fn mib(kib: u64) -> String {
    format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024)
}

fn since(begun: Instant, end: Option<Instant>) -> f64 {
    end.map_or(0.0, |end| end.saturating_duration_since(begun).as_secs_f64())
}

fn per_second(count: usize, seconds: f64) -> f64 {
    if seconds > 0.0 { rounded(number(count) / seconds) } else { 0.0 }
}

/// Thousandths are more than is measured.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let times = Times::of((1..=200).rev().map(Duration::from_millis).collect()).expect("times");
        assert_eq!(
            [times.p50, times.p90, times.p99, times.max].map(|ms| format!("{ms}")),
            ["100", "180", "198", "200"]
        );
        let one = Times::of(vec![Duration::from_micros(1500)]).expect("one");
        assert_eq!([one.p50, one.max].map(|ms| format!("{ms}")), ["1.5", "1.5"]);
        assert!(Times::of(Vec::new()).is_none());
    }
}
