//! What the durable store takes by itself: hooks a second that are on the disk, asked for by 64 tasks of which each waits for
//! its answer. That is the most that `hookglot serve` could ever accept.
//!
//! Run it with `TMPDIR=FOLDER cargo bench --bench store`, where the folder lies on the disk that is meant; to compare with
//! `scripts/bench.sh`, keep it on one core (`taskset -c 0`), as that does. It prints the median of five rounds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark has nobody to report an error to")]
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use bytes::Bytes;
use hookglot::store::sqlite::{Folder, SqliteStore};
use hookglot::store::{Appended, Arrival, Fate, Hook, Plan, Store};
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use uuid::Uuid;

/// The allocator of the hookglot binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TASKS: u32 = 64;
const HOOKS: u32 = 20_000;
const ROUNDS: usize = 5;
/// The hook of `scripts/bench.sh`.
const BODY: &[u8] = include_bytes!("../src/cli/bench/push.json");

fn arrival() -> Arrival {
    let text = |text: &str| text.to_owned();
    let hook = Hook {
        id: Uuid::now_v7(),
        route: text("/"),
        forge: text("gitflic"),
        event: text("BRANCH_UPDATE"),
        project: Some(text("6d2b8f04-51c7-4e39-9a60-c3e5f7180b92")),
        instance: Some(text("gitflic.ru")),
        delivery_key: None,
        hops: 0,
        received_at: Timestamp::now(),
        headers: vec![(text("content-type"), text("application/json")), (text("content-length"), text("4141"))],
        body: Bytes::from_static(BODY),
        seen: None,
        known: None,
    };
    let fate = Fate::Deliver { most_pending: u64::MAX, in_order: false };
    let plans = vec![Plan { destination: text("tool"), fate }];
    Arrival {
        hook: Arc::new(hook),
        plans,
        ignored: None,
        same: None,
        lesson: None,
        records: false,
        now: Timestamp::now(),
    }
}

async fn round() -> (f64, f64) {
    let folder = tempfile::tempdir().unwrap();
    let commits = Arc::<AtomicU64>::default();
    let own = Arc::clone(&commits);
    let observer = Box::new(move |_, _| {
        own.fetch_add(1, Ordering::Relaxed);
    });
    let store = Arc::new(SqliteStore::open(Folder::own(folder.path()).unwrap(), observer).unwrap());
    let begun = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for _ in 0..HOOKS / TASKS {
                    assert!(matches!(store.append(arrival()).await, Ok(Appended::Stored { .. })));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let seconds = begun.elapsed().as_secs_f64();
    store.close().await.unwrap();
    let hooks = f64::from(HOOKS / TASKS * TASKS);
    (hooks / seconds, hooks / f64::from(u32::try_from(commits.load(Ordering::Relaxed)).unwrap()))
}

#[tokio::main]
async fn main() {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(round().await);
    }
    rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (a_second, a_commit) = rounds[ROUNDS / 2];
    println!(
        "the store alone: {a_second:.0} hooks a second by {TASKS} tasks, {a_commit:.0} in a commit; slowest and fastest of \
         {ROUNDS} rounds {:.0} and {:.0}",
        rounds[0].0,
        rounds[ROUNDS - 1].0
    );
}
