//! Spans that wait to be exported, and what exports them. What there is no room for is dropped, and counted: whoever takes or
//! delivers hooks waits for none of this.

use super::exporter::{self, Collector, Unexported};
use crate::metrics::{Exported, Metrics};
use opentelemetry_proto::tonic::trace::v1::Span;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// How many spans may wait: about 4 MiB.
const MOST_WAITING: usize = 4096;
/// How many are posted at once at most.
const BATCH: usize = 512;
/// How long it is waited for others that go with the first.
const GATHERING: Duration = Duration::from_secs(1);
/// How long it is waited before each further try.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// How many spans wait for any collector.
#[derive(Clone)]
pub(super) struct Waiting {
    count: Arc<AtomicU64>,
    metrics: Metrics,
}

impl Waiting {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self { count: Arc::default(), metrics }
    }

    fn count(&self, result: Exported, count: u64) {
        self.metrics.spans.with_label_values(&[result.word()]).inc_by(count);
    }

    fn done(&self, result: Exported, count: u64) {
        self.count(result, count);
        self.count.fetch_sub(count, Ordering::Relaxed);
    }

    pub(super) fn say_lost(&self, grace: Duration) {
        let spans = self.count.swap(0, Ordering::Relaxed);
        if spans > 0 {
            self.count(Exported::Dropped, spans);
            tracing::warn!(spans, grace_seconds = grace.as_secs(), "spans are lost: the grace time is over");
        }
    }
}

/// Where spans are put.
pub(super) struct Outbox {
    queue: mpsc::Sender<Span>,
    waiting: Waiting,
    /// Whether it was said that there is no room, since there was some.
    is_full_said: Arc<AtomicBool>,
}

impl Outbox {
    pub(super) fn put(&self, span: Span) {
        // First: it may be exported before the next line.
        self.waiting.count.fetch_add(1, Ordering::Relaxed);
        if self.queue.try_send(span).is_ok() {
            return;
        }
        self.waiting.done(Exported::Dropped, 1);
        if !self.is_full_said.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                waiting = MOST_WAITING,
                "spans are dropped: more come than the collector takes; hooks are delivered all the same, and \
                 hookglot_spans_total counts what is lost (traces.ratio makes it less)"
            );
        }
    }
}

/// Begins to export to a collector, until the outbox is gone and everything in it was tried.
pub(super) fn open(collector: Collector, waiting: Waiting, hurry: watch::Receiver<bool>) -> (Outbox, JoinHandle<()>) {
    // So that they are there before the first is lost.
    for result in [Exported::Exported, Exported::Failed, Exported::Dropped] {
        waiting.count(result, 0);
    }
    let (into, queue) = mpsc::channel(MOST_WAITING);
    let is_full_said = Arc::<AtomicBool>::default();
    let outbox = Outbox { queue: into, waiting: waiting.clone(), is_full_said: Arc::clone(&is_full_said) };
    let worker = Worker { collector, queue, waiting, hurry, is_full_said, is_down: false };
    (outbox, tokio::spawn(worker.run()))
}

struct Worker {
    collector: Collector,
    queue: mpsc::Receiver<Span>,
    waiting: Waiting,
    hurry: watch::Receiver<bool>,
    is_full_said: Arc<AtomicBool>,
    /// Whether it was said that nothing can be exported.
    is_down: bool,
}

impl Worker {
    async fn run(mut self) {
        loop {
            let batch = self.gather().await;
            if batch.is_empty() {
                break;
            }
            self.bring(batch).await;
        }
    }

    /// What is posted next; nothing when nothing more can come.
    async fn gather(&mut self) -> Vec<Span> {
        let mut batch = Vec::new();
        self.queue.recv_many(&mut batch, BATCH).await;
        let until = Instant::now() + GATHERING;
        while !batch.is_empty() && batch.len() < BATCH && !*self.hurry.borrow_and_update() {
            let room = BATCH - batch.len();
            tokio::select! {
                more = timeout_at(until, self.queue.recv_many(&mut batch, room)) => {
                    if !more.is_ok_and(|more| more > 0) {
                        break;
                    }
                }
                // Nobody can hurry it any more only when the process is gone.
                _ = self.hurry.changed() => {}
            }
        }
        batch
    }

    /// Exports a batch, in a few tries.
    async fn bring(&mut self, batch: Vec<Span>) {
        let count = batch.len() as u64;
        let body = exporter::body(batch);
        let mut waits = WAITS.into_iter();
        loop {
            let Unexported { why, again } = match self.collector.export(body.clone()).await {
                Ok(rejected) => return self.exported(count, rejected.min(count)),
                Err(unexported) => unexported,
            };
            self.say_down(&why);
            match again.zip(waits.next()) {
                Some((asked, wait)) if !*self.hurry.borrow_and_update() => {
                    // The process may end meanwhile: then it is tried once more, at once.
                    let _ = tokio::time::timeout(wait.max(asked), self.hurry.changed()).await;
                }
                _ => return self.waiting.done(Exported::Failed, count),
            }
        }
    }

    fn exported(&mut self, count: u64, rejected: u64) {
        self.waiting.done(Exported::Exported, count - rejected);
        if rejected > 0 {
            self.waiting.done(Exported::Failed, rejected);
            return self
                .say_down(&format!("it does not take {rejected} of {count} spans, and its own log may say why"));
        }
        if std::mem::take(&mut self.is_down) {
            tracing::info!(collector = self.collector.shown, "spans are exported again");
        }
        if self.queue.len() < MOST_WAITING / 2 {
            self.is_full_said.store(false, Ordering::Relaxed);
        }
    }

    /// Once for each time that it is down.
    fn say_down(&mut self, why: &str) {
        if !std::mem::replace(&mut self.is_down, true) {
            let collector = &self.collector.shown;
            tracing::warn!(
                collector,
                error = why,
                "spans cannot be exported; hooks are delivered all the same, and hookglot_spans_total counts what is lost: look \
                 at the collector (OTLP over HTTP, 4318 as a rule), traces.endpoint and traces.headers"
            );
        }
    }
}
