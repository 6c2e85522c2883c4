//! Traces of hooks in OpenTelemetry's form: one trace for each hook, from the request that brought it to its last attempt.
//!
//! Invariant: which trace a hook belongs to follows from what is stored of it, so that an attempt after a restart, or of a
//! delivery that is sent again, belongs to the same; and nobody who takes or delivers hooks waits for a collector.

mod context;
mod exporter;
mod outbox;
mod resource;
mod span;

use crate::metrics::Metrics;
use crate::store::Hook;
use arc_swap::ArcSwapOption;
use outbox::{Outbox, Waiting};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

pub use context::{Begun, Trace};
pub use exporter::Collector;
pub use span::{Kind, Span};

/// How traces are made while they are on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Whether a hook goes on in the trace that its request names.
    pub accept: bool,
    /// Whether tools are told the trace.
    pub pass: bool,
    /// Which share of the traces that begin here is exported, from 0 to 1.
    pub ratio: f64,
}

/// Where spans are told; everybody has the same. Nothing happens while they are off.
#[derive(Clone)]
pub struct Traces(Arc<Inner>);

struct Inner {
    /// None while they are off.
    way: ArcSwapOption<Way>,
    /// Whether the process ends.
    hurry: watch::Sender<bool>,
    waiting: Waiting,
    /// Those that export, and those before them that still have something to export.
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// What is in force.
struct Way {
    rules: Rules,
    outbox: Outbox,
}

impl Traces {
    /// Off.
    #[must_use]
    pub fn off(metrics: &Metrics) -> Self {
        Self(Arc::new(Inner {
            way: ArcSwapOption::empty(),
            hurry: watch::Sender::new(false),
            waiting: Waiting::new(metrics.clone()),
            tasks: Mutex::default(),
        }))
    }

    /// Puts another collector and other rules in force, or none. What waits for the one before is still exported to it.
    pub fn replace(&self, collector: Option<(Collector, Rules)>) {
        let way = collector.map(|(collector, rules)| {
            let (outbox, task) = outbox::open(collector, self.0.waiting.clone(), self.0.hurry.subscribe());
            let mut tasks = self.tasks();
            tasks.retain(|task| !task.is_finished());
            tasks.push(task);
            Arc::new(Way { rules, outbox })
        });
        self.0.way.store(way);
    }

    /// Whether there are any.
    #[must_use]
    pub fn are_on(&self) -> bool {
        self.0.way.load().is_some()
    }

    /// The trace of a hook, or of a request that brought none, by its headers; none while they are off.
    #[must_use]
    pub fn of<'h>(&self, id: Uuid, headers: impl Iterator<Item = (&'h str, &'h str)>) -> Option<Trace> {
        self.0.way.load().as_ref().map(|way| Trace::of(id, headers, way.rules))
    }

    /// The trace of a hook.
    #[must_use]
    pub fn of_hook(&self, hook: &Hook) -> Option<Trace> {
        self.of(hook.id, hook.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// The trace of a hook, as the log names it.
    #[must_use]
    pub fn name_of(&self, hook: &Hook) -> Option<String> {
        self.of_hook(hook).map(|trace| trace.name())
    }

    /// What a request to a tool says of the trace, name and value; nothing where tools are not told.
    #[must_use]
    pub fn passed(&self, trace: &Trace, begun: Begun) -> Option<[(&'static str, Option<String>); 2]> {
        let way = self.0.way.load();
        way.as_ref().filter(|way| way.rules.pass).map(|_| trace.headers(begun))
    }

    /// Has a span exported, if its trace is.
    pub fn tell(&self, trace: &Trace, span: Span) {
        if trace.is_sampled()
            && let Some(way) = &*self.0.way.load()
        {
            way.outbox.put(span.into_proto(trace));
        }
    }

    /// The process is about to end: what waits is exported at once, and then given up.
    pub fn hurry(&self) {
        self.0.hurry.send_replace(true);
    }

    /// Exports what was told up to now, and waits for that.
    pub async fn finish(&self) {
        // Nobody can put anything into it any more: so the tasks come to their ends.
        self.0.way.store(None);
        let tasks = std::mem::take(&mut *self.tasks());
        for task in tasks {
            // It does not panic.
            let _ = task.await;
        }
    }

    /// Says what is lost with the process.
    pub fn say_lost(&self, grace: Duration) {
        self.0.waiting.say_lost(grace);
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        // A list is whole after every step.
        self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
