//! What an expression of Prometheus names: metrics, and labels with what they are compared with. Prometheus itself reads the
//! expressions in `scripts/test-monitoring.sh`; here they are held against the metrics that there are.

use hookglot::metrics::{Entry, Kind, Metrics, Values};
use std::collections::BTreeSet;

/// Words of the language that the files use; another one must be added, or is a misspelt metric.
const WORDS: [&str; 24] = [
    "absent",
    "and",
    "bool",
    "by",
    "count",
    "histogram_quantile",
    "ignoring",
    "increase",
    "label_values",
    "max",
    "min",
    "on",
    "or",
    "predict_linear",
    "rate",
    "sum",
    "time",
    "topk",
    "unless",
    "vector",
    "without",
    "s",
    "m",
    "h",
];
/// What Prometheus itself makes, and the labels of that which are used.
const OF_PROMETHEUS: [(&str, &[&str]); 2] = [("up", &[]), ("ALERTS", &["alertname", "alertstate", "severity"])];
/// What Prometheus adds to everything.
const OF_TARGETS: [&str; 2] = ["instance", "job"];
/// What stands before the labels that are kept, left out, or compared.
const GROUPINGS: [&str; 4] = ["by", "without", "on", "ignoring"];

/// What an expression names.
#[derive(Debug, Default)]
pub struct Named {
    /// The metrics, without what histograms add.
    pub metrics: BTreeSet<String>,
    /// The labels that its results have; nothing where it does not say.
    pub by: Option<BTreeSet<String>>,
    /// Labels that its results have not.
    pub without: BTreeSet<String>,
}

/// Everything that may be named.
pub struct Known(Metrics);

impl Known {
    pub fn all() -> Self {
        Self(Metrics::new().unwrap())
    }

    pub fn names(&self) -> BTreeSet<String> {
        self.0.entries().iter().map(|entry| entry.name.to_owned()).collect()
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        let of = |name: &str, kind: Option<Kind>| {
            let mut all = self.0.entries().iter();
            all.find(|own| own.name == name && kind.is_none_or(|kind| own.kind == kind))
        };
        let part = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        match part.and_then(|part| of(part, Some(Kind::Histogram))) {
            Some(entry) => Some(entry),
            // A histogram by its bare name has no series.
            None => of(name, None).filter(|entry| entry.kind != Kind::Histogram),
        }
    }

    /// Whether a metric has a label.
    pub fn has(&self, metric: &str, label: &str) -> bool {
        let mut of_prometheus = OF_PROMETHEUS.iter();
        let entry = self.0.entries().iter().find(|entry| entry.name == metric);
        OF_TARGETS.contains(&label)
            || of_prometheus.any(|(name, labels)| *name == metric && labels.contains(&label))
            || entry.is_some_and(|entry| {
                label == "le" && entry.kind == Kind::Histogram || entry.labels.iter().any(|own| own.name == label)
            })
    }

    /// Reads an expression, and holds what it names against the metrics.
    pub fn read(&self, expression: &str) -> Named {
        let (mut named, mut groupings) = (Named::default(), Vec::new());
        let mut rest = expression;
        while let Some(at) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '"' || c == '$') {
            // A number may hold letters: 1e9, 24h.
            let is_number = rest[..at].ends_with(|c: char| c.is_ascii_digit());
            rest = &rest[at..];
            if let Some(text) = rest.strip_prefix('"') {
                rest = text.split_once('"').unwrap_or_else(|| panic!("{expression}: a text is not closed")).1;
                continue;
            }
            let is_variable = rest.starts_with('$');
            let end = rest[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(rest.len(), |at| at + 1);
            let (word, behind) = rest.split_at(end);
            rest = behind;
            if is_variable || is_number {
                continue;
            }
            if GROUPINGS.contains(&word) {
                let (labels, behind) = rest.trim_start().strip_prefix('(').unwrap().split_once(')').unwrap();
                let labels: BTreeSet<String> = labels.split(',').map(|label| label.trim().to_owned()).collect();
                match word {
                    "by" => named.by.get_or_insert_default().extend(labels.iter().cloned()),
                    "without" => named.without.extend(labels.iter().cloned()),
                    _ => {}
                }
                groupings.extend(labels);
                rest = behind;
            } else if word == "label_values" {
                // Its second part is a label.
                let (metric, label) = rest.trim_matches(['(', ')']).rsplit_once(',').unwrap();
                groupings.push(label.trim().to_owned());
                rest = metric;
            } else if !WORDS.contains(&word) {
                rest = self.metric(word, rest, expression, &mut named);
            }
        }
        for label in &groupings {
            let has = named.metrics.iter().any(|metric| self.has(metric, label));
            assert!(has, "{expression}: none of {:?} has the label {label}", named.metrics);
        }
        named
    }

    /// Takes a metric with what stands in its braces; what follows them.
    fn metric<'e>(&self, word: &str, rest: &'e str, expression: &str, named: &mut Named) -> &'e str {
        let of_prometheus = OF_PROMETHEUS.iter().any(|(name, _)| *name == word);
        let entry = self.entry(word);
        assert!(
            of_prometheus || entry.is_some(),
            "{expression}: there is no metric `{word}` (docs/metrics.md has all)"
        );
        let name = entry.map_or(word, |entry| entry.name);
        named.metrics.insert(name.to_owned());
        let Some(matchers) = rest.strip_prefix('{') else { return rest };
        let (matchers, behind) = matchers.split_once('}').unwrap();
        for matcher in matchers.split("\",").map(str::trim).filter(|matcher| !matcher.is_empty()) {
            let (label, value) = matcher.split_once('"').unwrap();
            let (label, value) = (label.trim_end_matches(['=', '~', '!']), value.trim_end_matches('"'));
            assert!(self.has(name, label), "{expression}: {name} has no label {label}");
            let known = entry.and_then(|entry| entry.labels.iter().find(|own| own.name == label));
            let Some(Values::Words(words)) = known.map(|own| own.values) else { continue };
            for one in value.split('|') {
                let is_word = words.iter().any(|(word, _)| *word == one);
                assert!(is_word, "{expression}: the label {label} of {name} is never `{one}`");
            }
        }
        behind
    }
}
