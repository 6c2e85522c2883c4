//! Registers metrics, and keeps what each is: its name, its kind, its labels and what they may be, its unit, its meaning.
//! `/metrics` and the page of metrics are made of the same.

use prometheus::core::Collector;
use prometheus::{
    GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

/// A label of a metric.
#[derive(Debug, Clone, Copy)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub values: Values,
}

/// What a label may be.
#[derive(Debug, Clone, Copy)]
pub enum Values {
    /// Nobody knows beforehand; this says what they are.
    Open(&'static str),
    /// The same, or nothing.
    OpenOrEmpty(&'static str),
    /// One of these, each with what it means.
    Words(&'static [(&'static str, &'static str)]),
}

impl Label {
    /// A label whose values the configuration, the mappings or a hook say.
    pub(super) const fn open(name: &'static str, what: &'static str) -> Self {
        Self { name, values: Values::Open(what) }
    }

    /// The same, which may be empty.
    const fn open_or_empty(name: &'static str, what: &'static str) -> Self {
        Self { name, values: Values::OpenOrEmpty(what) }
    }

    /// A label with a closed list of values.
    pub(super) const fn words(name: &'static str, words: &'static [(&'static str, &'static str)]) -> Self {
        Self { name, values: Values::Words(words) }
    }
}

/// The path of a route.
pub(super) const ROUTE: Label = Label::open("route", "the path of a route");
/// The same, for what may come to none.
pub(super) const ROUTE_IF_ANY: Label = Label::open_or_empty("route", "the path of a route; empty where none is known");
/// A forge.
pub(super) const FORGE: Label = Label::open("forge", "the forge that sent the hook");
/// The name of a destination.
pub(super) const DESTINATION: Label = Label::open("destination", "the name of a destination");
/// The same, for what may be about all of them.
pub(super) const DESTINATION_OR_ALL: Label =
    Label::open_or_empty("destination", "the name of a destination; empty for all of a route");

/// How Prometheus sees a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, and begins anew with the process.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It sorts durations: `…_bucket`, `…_sum`, `…_count`.
    Histogram,
}

/// What a metric is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// How many.
    Count,
    /// 1 while it is so, else 0.
    Flag,
    /// A duration in seconds.
    Seconds,
    /// A moment, in seconds since 1970.
    Moment,
    /// Bytes.
    Bytes,
}

/// What a metric is.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// How Prometheus sees it.
    pub kind: Kind,
    /// What it is measured in.
    pub unit: Unit,
    /// Its labels.
    pub labels: Vec<Label>,
    /// What it says.
    pub help: &'static str,
}

/// Registers metrics.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    pub(super) registry: Registry,
    pub(super) entries: Vec<Entry>,
    /// Those with labels, and their labels.
    counters: Vec<(IntCounterVec, Vec<Label>)>,
}

type Made<T> = Result<T, prometheus::Error>;

impl Book {
    /// A counter of one thing.
    pub(super) fn total(&mut self, name: &'static str, help: &'static str) -> Made<IntCounter> {
        self.note(name, Kind::Counter, Unit::Count, &[], help);
        self.kept(IntCounter::new(name, help)?)
    }

    /// A counter for each value of its labels.
    pub(super) fn counter(&mut self, name: &'static str, labels: &[Label], help: &'static str) -> Made<IntCounterVec> {
        self.note(name, Kind::Counter, Unit::Count, labels, help);
        let counter = self.kept(IntCounterVec::new(Opts::new(name, help), &names(labels))?)?;
        self.counters.push((counter.clone(), labels.to_vec()));
        Ok(counter)
    }

    /// A number that goes up and down.
    pub(super) fn gauge(&mut self, name: &'static str, unit: Unit, help: &'static str) -> Made<IntGauge> {
        self.note(name, Kind::Gauge, unit, &[], help);
        self.kept(IntGauge::new(name, help)?)
    }

    /// One for each value of its labels.
    pub(super) fn gauges(
        &mut self,
        name: &'static str,
        unit: Unit,
        labels: &[Label],
        help: &'static str,
    ) -> Made<IntGaugeVec> {
        self.note(name, Kind::Gauge, unit, labels, help);
        self.kept(IntGaugeVec::new(Opts::new(name, help), &names(labels))?)
    }

    /// A duration for each value of its labels, as it is now.
    pub(super) fn ages(&mut self, name: &'static str, labels: &[Label], help: &'static str) -> Made<GaugeVec> {
        self.note(name, Kind::Gauge, Unit::Seconds, labels, help);
        self.kept(GaugeVec::new(Opts::new(name, help), &names(labels))?)
    }

    /// Durations, sorted by upper bounds.
    pub(super) fn seconds(&mut self, name: &'static str, bounds: &[f64], help: &'static str) -> Made<Histogram> {
        self.note(name, Kind::Histogram, Unit::Seconds, &[], help);
        self.kept(Histogram::with_opts(HistogramOpts::new(name, help).buckets(bounds.to_vec()))?)
    }

    /// Durations for each value of the labels.
    pub(super) fn seconds_of(
        &mut self,
        name: &'static str,
        labels: &[Label],
        bounds: &[f64],
        help: &'static str,
    ) -> Made<HistogramVec> {
        self.note(name, Kind::Histogram, Unit::Seconds, labels, help);
        self.kept(HistogramVec::new(HistogramOpts::new(name, help).buckets(bounds.to_vec()), &names(labels))?)
    }

    /// Shows every counter as 0 that these names for a label, and the lists of the others, make.
    pub(super) fn foresee<'n>(&self, label: &str, named: impl IntoIterator<Item = &'n str>) {
        let named: Vec<&str> = named.into_iter().collect();
        for (counter, labels) in &self.counters {
            let is_open = |own: &&Label| !matches!(own.values, Values::Words(_));
            let open: Vec<&str> = labels.iter().filter(is_open).map(|own| own.name).collect();
            if open == [label] {
                for name in &named {
                    show(counter, labels, name);
                }
            }
        }
    }

    /// The same for counters all of whose labels are lists, or may be empty.
    pub(super) fn foresee_always(&self) {
        for (counter, labels) in &self.counters {
            if !labels.iter().any(|own| matches!(own.values, Values::Open(_))) {
                show(counter, labels, "");
            }
        }
    }

    fn note(&mut self, name: &'static str, kind: Kind, unit: Unit, labels: &[Label], help: &'static str) {
        self.entries.push(Entry { name, kind, unit, labels: labels.to_vec(), help });
    }

    fn kept<C: Collector + Clone + 'static>(&self, collector: C) -> Made<C> {
        self.registry.register(Box::new(collector.clone()))?;
        Ok(collector)
    }
}

fn names(labels: &[Label]) -> Vec<&'static str> {
    labels.iter().map(|label| label.name).collect()
}

/// Shows what a counter has with this for its open label, and each word for the others.
fn show(counter: &IntCounterVec, labels: &[Label], name: &str) {
    let mut all = vec![Vec::new()];
    for label in labels {
        let own: Vec<&str> = match label.values {
            Values::Open(_) | Values::OpenOrEmpty(_) => vec![name],
            Values::Words(words) => words.iter().map(|(word, _)| *word).collect(),
        };
        all = all.iter().flat_map(|before| own.iter().map(|value| [before.as_slice(), &[*value]].concat())).collect();
    }
    for values in all {
        // To ask for one is to show it.
        let _ = counter.with_label_values(&values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLOUR: Label = Label::words("colour", &[("red", "it burns"), ("green", "it grows")]);

    fn shown(book: &Book) -> Vec<String> {
        let mut all = Vec::new();
        for family in book.registry.gather() {
            for metric in family.get_metric() {
                let labels = metric.get_label().iter().map(|pair| [pair.name(), "=", pair.value(), " "].concat());
                all.push(labels.collect());
            }
        }
        all.sort();
        all
    }

    #[test]
    fn what_has_one_open_label_is_shown_for_each_name() {
        let mut book = Book::default();
        book.counter("ships_total", &[ROUTE, COLOUR], "ships").expect("a new name");
        book.counter("tides_total", &[ROUTE, FORGE], "tides").expect("a new name");
        book.foresee("destination", ["mill"]);
        book.foresee_always();
        assert_eq!(shown(&book), [""; 0]);
        book.foresee("route", ["/a"]);
        assert_eq!(shown(&book), ["colour=green route=/a ", "colour=red route=/a "]);
    }

    #[test]
    fn what_is_known_or_may_be_empty_is_always_shown() {
        let mut book = Book::default();
        book.counter("ships_total", &[COLOUR], "ships").expect("a new name");
        book.counter("tides_total", &[DESTINATION_OR_ALL], "tides").expect("a new name");
        book.foresee_always();
        assert_eq!(shown(&book), ["colour=green ", "colour=red ", "destination= "]);
        assert!(book.counter("ships_total", &[], "other ships").is_err(), "the name is taken");
    }
}
