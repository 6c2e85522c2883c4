//! The page of metrics, made of what is registered.

use super::Metrics;
use super::book::{Entry, Kind, Label, Unit, Values};

const BEGINNING: &str = "# Metrics

This page is made from the code (`src/metrics.rs`); a test holds it. The admin port shows the metrics under `/metrics`, in
Prometheus' text format. What to do about them: [operations.md](operations.md). Rules that raise alerts and a dashboard:
[deploy/README.md](../deploy/README.md#prometheus-and-grafana).

A counter whose labels are known beforehand is shown as 0 before it counts anything, so that `increase` sees its first event.
Labels hold nothing of a hook's content. A histogram has `_bucket` (with the label `le`), `_sum` and `_count`.
";

/// The page, in Markdown.
///
/// # Errors
/// When two metrics have one name.
pub fn page() -> Result<String, prometheus::Error> {
    let metrics = Metrics::new()?;
    let mut page = format!("{BEGINNING}\n| name | kind | unit | labels | what |\n|---|---|---|---|---|\n");
    let mut labels: Vec<(&str, Label)> = Vec::new();
    for entry in metrics.entries() {
        page.push_str(&row(entry));
        labels.extend(entry.labels.iter().map(|label| (entry.name, *label)));
    }
    page.push_str("\n## Labels\n");
    page.push_str(&open(&labels));
    page.push_str(&listed(&labels));
    Ok(page)
}

fn row(entry: &Entry) -> String {
    let kind = match entry.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let unit = match entry.unit {
        Unit::Count => "",
        Unit::Flag => "0 or 1",
        Unit::Seconds => "seconds",
        Unit::Moment => "seconds since 1970",
        Unit::Bytes => "bytes",
    };
    let labels: Vec<&str> = entry.labels.iter().map(|label| label.name).collect();
    format!("| `{}` | {kind} | {unit} | {} | {} |\n", entry.name, labels.join(", "), entry.help)
}

/// What the labels are whose values nobody knows beforehand, and whose they are.
fn open(labels: &[(&str, Label)]) -> String {
    let open = labels.iter().filter_map(|(metric, label)| match label.values {
        Values::Open(what) | Values::OpenOrEmpty(what) => Some((*metric, (label.name, what))),
        Values::Words(_) => None,
    });
    let rows = together(open).into_iter();
    let rows = rows.map(|((label, what), metrics)| format!("| `{label}` | {what} | {} |\n", metrics.join(", ")));
    format!("\n| label | what | of |\n|---|---|---|\n{}", rows.collect::<String>())
}

/// What the values of the others mean.
fn listed(labels: &[(&str, Label)]) -> String {
    let listed = labels.iter().filter_map(|(metric, label)| match label.values {
        Values::Words(words) => Some((*metric, (label.name, words))),
        Values::Open(_) | Values::OpenOrEmpty(_) => None,
    });
    let lists = together(listed).into_iter().map(|((label, words), metrics)| {
        let rows: Vec<_> = words.iter().map(|(word, what)| format!("| `{word}` | {} |\n", what.trim())).collect();
        format!("\n### `{label}` of {}\n\n| {label} | what |\n|---|---|\n{}", metrics.join(", "), rows.concat())
    });
    lists.collect()
}

/// The metrics that have the same, each in backticks, in the order in which they came.
fn together<'m, T: PartialEq>(all: impl Iterator<Item = (&'m str, T)>) -> Vec<(T, Vec<String>)> {
    let mut groups: Vec<(T, Vec<String>)> = Vec::new();
    for (metric, own) in all {
        let metric = format!("`{metric}`");
        match groups.iter_mut().find(|(of_group, _)| *of_group == own) {
            Some((_, metrics)) => metrics.push(metric),
            None => groups.push((own, vec![metric])),
        }
    }
    groups
}
