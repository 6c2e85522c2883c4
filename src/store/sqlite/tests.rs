use super::super::contract::{self, append, arrival, at, claim, end, hook, pending, record};
use super::super::numbers::Numbering;
use super::super::{Appended, Arrival, Ending, KnownDestination, Same, Store, StoreError, Then};
use super::{Folder, SqliteStore, backup, restore};
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(Folder::own(folder).expect("a folder"), Box::new(|_, _| ())).expect("a store")
}

fn in_memory(capacity: usize) -> SqliteStore {
    SqliteStore::in_memory(capacity, Box::new(|_, _| ())).expect("a store")
}

async fn settled(store: &SqliteStore, seconds: i64) {
    let known = vec![KnownDestination { name: "a".to_owned(), in_order: false }];
    store.settle(known, at(seconds)).await.expect("the store works");
}

#[tokio::test]
async fn a_folder_keeps_the_contract() {
    let folders = std::cell::RefCell::new(Vec::new());
    contract::run(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path());
        folders.borrow_mut().push(folder);
        store
    })
    .await;
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    contract::run(|| in_memory(1 << 30)).await;
}

#[tokio::test]
async fn a_folder_gives_numbers() {
    let folders = std::cell::RefCell::new(Vec::new());
    contract::numbers::run(|numbering| {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path()).numbering(numbering);
        folders.borrow_mut().push(folder);
        store
    })
    .await;
}

#[tokio::test]
async fn memory_gives_numbers() {
    contract::numbers::run(|numbering| in_memory(1 << 30).numbering(numbering)).await;
}

#[tokio::test]
async fn numbers_outlive_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = open(folder.path()).numbering(Numbering::up_to(3));
    let given = contract::numbers::give(&before, &["Olga", "Oleg", "Anna"]).await;
    drop(before);
    let after = open(folder.path()).numbering(Numbering::up_to(3));
    assert_eq!(contract::numbers::give(&after, &["Anna", "Oleg", "Olga"]).await, [given[2], given[1], given[0]]);
}

#[tokio::test]
async fn what_seemed_damaged_and_is_sound_takes_hooks_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    append(&store, &hook(10), &["a"]).await;
    assert_eq!(store.would_take().await, Ok(()));
    let passing = StoreError::Damaged("the disk said so, once".to_owned());
    store.soundness.note(&passing);
    assert_eq!(store.append(arrival(&hook(10), &["a"])).await, Err(passing));
    assert_eq!(store.would_take().await, Ok(()));
    append(&store, &hook(10), &["a"]).await;
}

#[tokio::test]
async fn what_was_handed_out_is_pending_again_after_a_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (hook(10), hook(1000));
    let store = open(folder.path());
    append(&store, &first, &["a"]).await;
    append(&store, &second, &["a"]).await;
    let claimed = claim(&store, "a", at(1)).await.expect("due");
    let due = Then::Again { due: at(50), park_after: Duration::ZERO };
    record(&store, &claimed, None, due, at(2)).await;
    let held = claim(&store, "a", at(3)).await.expect("due");
    drop(store);
    let store = open(folder.path());
    settled(&store, 4).await;
    assert_eq!(pending(&store, "a").await, 2);
    let again = claim(&store, "a", at(4)).await.expect("due");
    assert_eq!((again.delivery, again.id, &*again.hook), (held.delivery, held.id, &second));
    assert!(claim(&store, "a", at(49)).await.is_none());
    assert_eq!(*claim(&store, "a", at(50)).await.expect("due").hook, first);
}

#[tokio::test]
async fn a_clock_that_went_back_takes_what_is_due_along() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    settled(&store, 100_000).await;
    append(&store, &hook(10), &["a"]).await;
    let claimed = claim(&store, "a", at(100_000)).await.expect("due");
    let due = Then::Again { due: at(100_030), park_after: Duration::ZERO };
    record(&store, &claimed, None, due, at(100_000)).await;
    drop(store);
    let store = open(folder.path());
    settled(&store, 0).await;
    assert!(claim(&store, "a", at(29)).await.is_none());
    assert!(claim(&store, "a", at(30)).await.is_some(), "30 s later, not a day");
}

#[tokio::test]
async fn memory_that_is_full_says_so_and_recovers() {
    let store = in_memory(1 << 20);
    let mut stored = 0;
    let full = loop {
        match store.append(arrival(&hook(50_000), &["a"])).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, StoreError::Full(_)) && stored > 10, "{full} after {stored}");
    assert_eq!(pending(&store, "a").await, stored);
    for _ in 0..stored {
        let claimed = claim(&store, "a", at(1)).await.expect("all that was accepted is handed out");
        end(&store, &claimed, Ending::Delivered, at(1)).await;
    }
    let keep = super::super::Retention {
        age: Duration::from_hours(1),
        at_least: Duration::ZERO,
        bytes: 100_000,
        states: Duration::from_hours(1),
        audit: Duration::from_hours(1),
    };
    while store.prune(keep, at(2)).await.expect("the store works").is_more {}
    append(&store, &hook(50_000), &["a"]).await;
}

#[tokio::test]
async fn in_memory_what_has_ended_gives_way_to_what_comes() {
    let store = in_memory(1 << 20);
    append(&store, &hook(20), &["b"]).await;
    for _ in 0..100 {
        append(&store, &hook(50_000), &["a"]).await;
        let claimed = claim(&store, "a", at(1)).await.expect("due");
        end(&store, &claimed, Ending::Delivered, at(1)).await;
    }
    let removed = store.give_way(Duration::ZERO, at(2)).await.expect("the store works").removed;
    assert!((80..100).contains(&removed), "as few as needed, and all are told: {removed}");
    assert_eq!(store.give_way(Duration::ZERO, at(2)).await.expect("the store works").removed, 0, "once");
    assert_eq!(claim(&store, "b", at(3)).await.expect("it waited").hook.body.len(), 20);
}

#[tokio::test]
async fn retention_by_size_removes_little_at_once_and_not_beyond_the_limit() {
    let (folder, used) = (tempfile::tempdir().expect("a folder"), Arc::new(AtomicU64::new(0)));
    let shown = Arc::clone(&used);
    let observer = Box::new(move |_, bytes| shown.store(bytes, Ordering::SeqCst));
    let store = SqliteStore::open(Folder::own(folder.path()).expect("a folder"), observer).expect("a store");
    for _ in 0..70 {
        append(&store, &hook(500_000), &["a"]).await;
        let claimed = claim(&store, "a", at(1)).await.expect("due");
        end(&store, &claimed, Ending::Delivered, at(1)).await;
    }
    let limit = 12_000_000;
    let keep = super::super::Retention {
        age: Duration::from_hours(1),
        at_least: Duration::ZERO,
        bytes: limit,
        states: Duration::from_hours(1),
        audit: Duration::from_hours(1),
    };
    let mut steps = Vec::new();
    loop {
        let step = store.prune(keep, at(2)).await.expect("the store works");
        steps.push(step.removed);
        if !step.is_more {
            break;
        }
    }
    // The observer is told after the answer.
    store.close().await.expect("it closes");
    let left = used.load(Ordering::SeqCst);
    assert!(steps.iter().all(|removed| *removed <= 17) && steps.len() >= 3, "8 MiB each: {steps:?}");
    assert!((limit - 600_000..=limit).contains(&left), "{left} are left of {limit}");
}

#[tokio::test]
async fn what_tells_duplicates_is_kept_whatever_its_age_and_the_size() {
    let store = in_memory(1 << 30);
    let same = Some(Same { key: "one".to_owned(), window: Duration::from_mins(1) });
    let came = |seconds| Arrival { same: same.clone(), now: at(seconds), ..arrival(&hook(10), &["a"]) };
    store.append(came(0)).await.expect("room");
    let claimed = claim(&store, "a", at(1)).await.expect("due");
    end(&store, &claimed, Ending::Delivered, at(1)).await;
    let (second, minute) = (Duration::from_secs(1), Duration::from_mins(1));
    for bytes in [0, u64::MAX] {
        let keep = super::super::Retention { age: second, at_least: minute, bytes, states: minute, audit: minute };
        assert_eq!(store.prune(keep, at(60)).await.expect("the store works").removed, 0);
    }
    assert!(matches!(store.append(came(60)).await, Ok(Appended::Duplicate { .. })));
    let keep =
        super::super::Retention { age: second, at_least: minute, bytes: u64::MAX, states: minute, audit: minute };
    assert_eq!(store.prune(keep, at(62)).await.expect("the store works").removed, 1, "its window has passed");
}

#[tokio::test]
async fn one_that_is_too_large_does_not_take_its_group_with_it() {
    let store = Arc::new(in_memory(4 << 20));
    let (large, small) = (arrival(&hook(8 << 20), &["a"]), arrival(&hook(10), &["a"]));
    let asked: Vec<_> = (0..20)
        .map(|number| {
            let (store, arrival) = (Arc::clone(&store), if number % 5 == 0 { large.clone() } else { small.clone() });
            let arrival = super::Arrival {
                hook: Arc::new(super::super::Hook { id: uuid::Uuid::now_v7(), ..(*arrival.hook).clone() }),
                ..arrival
            };
            tokio::spawn(async move { store.append(arrival).await.is_ok() })
        })
        .collect();
    let mut stored = 0;
    for asked in asked {
        stored += u64::from(asked.await.expect("it ends"));
    }
    assert_eq!((stored, pending(&*store, "a").await), (16, 16));
}

#[test]
fn a_folder_has_one_owner_and_is_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let outer = tempfile::tempdir().expect("a folder");
    let path = outer.path().join("made/here");
    let owned = Folder::own(&path).expect("it is made");
    assert_eq!(std::fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o700);
    let database = std::fs::metadata(owned.database()).expect("it is made, too");
    assert_eq!(database.permissions().mode() & 0o777, 0o600);
    let refused = Folder::own(&path).expect_err("it has an owner");
    let own = format!("another hookglot (process {}) uses this folder", std::process::id());
    assert!(refused.contains(&own), "{refused}");
    drop(owned);
    Folder::own(&path).expect("it is free again");
}

#[test]
fn databases_of_others_and_newer_ones_are_refused() {
    for (change, expected) in [
        ("CREATE TABLE other (x)", "not one of hookglot"),
        ("PRAGMA application_id = 5", "not one of hookglot"),
        ("PRAGMA application_id = 0x68676c74; PRAGMA user_version = 99", "newer hookglot (its schema is 99"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let owned = Folder::own(folder.path()).expect("a folder");
        Connection::open(owned.database()).expect("opens").execute_batch(change).expect("changes");
        let before = std::fs::read(owned.database()).expect("reads");
        let path = owned.database();
        let refused = SqliteStore::open(owned, Box::new(|_, _| ())).err().expect("it is refused").to_string();
        assert!(refused.contains(expected), "{refused}");
        assert_eq!(std::fs::read(path).expect("reads"), before, "nothing is changed");
    }
}

#[tokio::test]
async fn a_backup_of_a_store_in_use_brings_all_of_it_back() {
    let (folder, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let store = open(folder.path());
    for _ in 0..300 {
        append(&store, &hook(3_000), &["a"]).await;
    }
    let file = other.path().join("backup.db");
    backup(folder.path(), &file).expect("a backup");
    assert!(backup(folder.path(), &file).expect_err("it exists").contains("exists"));
    append(&store, &hook(10), &["a"]).await;
    assert!(restore(&file, folder.path()).expect_err("in use").contains("uses this folder"));
    store.close().await.expect("closes");
    drop(store);
    let kept = restore(&file, folder.path()).expect("restores").expect("what was there is kept");
    assert!(kept.exists());
    let store = open(folder.path());
    settled(&store, 0).await;
    assert_eq!(pending(&store, "a").await, 300);
}

#[test]
fn what_is_no_backup_is_not_restored() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("no-backup");
    assert!(restore(&file, folder.path()).expect_err("missing").contains("no such file"));
    for (content, expected) in
        [(&b""[..], "empty"), (b"no database at all, but a text of some length", "not a database")]
    {
        std::fs::write(&file, content).expect("writes");
        let refused = restore(&file, folder.path()).expect_err("it is refused");
        assert!(refused.contains(expected), "{refused}");
    }
}
