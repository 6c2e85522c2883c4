use super::configured::{Configured, Entry};
use super::{Found, How, Known, ROUNDS};
use crate::mapping::{Knowledge, identity};
use crate::store::numbers::{Named, NumberFilter, Pair};
use crate::store::sqlite::SqliteStore;
use crate::store::{Hook, Look, Store};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use uuid::Uuid;

const TEXT: &str = "6d2b8f04-51c7-4e39-9a60-c3e5f7180b92";
const HOST: &str = "git.example.org";

async fn known() -> (Arc<dyn Store>, Arc<Known>) {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory(1 << 24, Box::new(|_, _| ())).expect("a store"));
    let known = Known::of(&store).await.expect("the store works");
    (store, known)
}

fn hook(instance: &str) -> Hook {
    Hook {
        id: Uuid::now_v7(),
        route: "/".to_owned(),
        forge: "gitflic".to_owned(),
        event: "E".to_owned(),
        project: None,
        instance: Some(instance.to_owned()),
        delivery_key: None,
        hops: 0,
        received_at: jiff::Timestamp::UNIX_EPOCH,
        headers: Vec::new(),
        body: Bytes::new(),
        seen: None,
        known: None,
    }
}

/// The number of a text of a user, and how often it took to know it.
async fn number(known: &Arc<Known>, how: How, text: &'static str) -> (u32, usize) {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let made = known.settled(how, move |asking| {
        counted.fetch_add(1, Ordering::Relaxed);
        asking.of(&hook(HOST)).number(HOST, "user", text)
    });
    (made.await.expect("the store works").expect("it ends"), runs.load(Ordering::Relaxed))
}

async fn uuid(known: &Arc<Known>, instance: &'static str, number: u32) -> String {
    let made =
        known.settled(How::Make, move |asking| asking.of(&hook(instance)).uuid(instance, "user", &number.to_string()));
    made.await.expect("the store works").expect("it ends")
}

async fn count(store: &Arc<dyn Store>) -> usize {
    let look = Look { before: None, limit: 100, time: Duration::from_secs(10) };
    store.all_numbers(NumberFilter::default(), look).await.expect("the store works").items.len()
}

#[tokio::test]
async fn a_number_is_asked_for_once_and_whoever_looks_makes_none() {
    let (store, known) = known().await;
    let pure = identity::number("user", TEXT);
    assert_eq!(number(&known, How::Look, TEXT).await, (pure, 2));
    assert_eq!(count(&store).await, 0);
    assert_eq!(number(&known, How::Make, TEXT).await, (pure, 2));
    assert_eq!(number(&known, How::Make, TEXT).await, (pure, 1));
    assert_eq!(count(&store).await, 1);
}

#[tokio::test]
async fn what_the_store_says_wins_over_the_hash() {
    let (store, known) = known().await;
    let (pure, named) = (identity::number("user", TEXT), |text: &str| Named { kind: "user".into(), text: text.into() });
    let other = Pair { named: named("other"), number: pure, instance: None, is_former: false };
    assert_eq!(store.import(vec![other], jiff::Timestamp::UNIX_EPOCH).await, Ok(Vec::new()));
    let next = pure % (i32::MAX as u32) + 1;
    assert_eq!(number(&known, How::Make, TEXT).await.0, next);
    // The configuration's is known at once.
    let own = Entry { kind: "user", id: TEXT.into(), number: Some(412), ..Entry::default() };
    assert_eq!(known.configure(&Arc::new(Configured::new(vec![own]))).await, Ok(Vec::new()));
    assert_eq!(number(&known, How::Make, TEXT).await, (412, 2));
}

#[tokio::test]
async fn the_way_back_is_for_uuids_of_the_own_instance() {
    let (_, known) = known().await;
    let given = number(&known, How::Make, TEXT).await.0;
    assert_eq!(uuid(&known, HOST, given).await, TEXT);
    let pure = |instance, number: u32| identity::uuid(instance, "user", &number.to_string()).to_string();
    assert_eq!(uuid(&known, "elsewhere.example.org", given).await, pure("elsewhere.example.org", given));
    assert_eq!(uuid(&known, HOST, 7).await, pure(HOST, 7));
    for text in ["o.vetrova", "6D2B8F04-51C7-4E39-9A60-C3E5F7180B93"] {
        let given = number(&known, How::Make, text).await.0;
        assert_eq!(uuid(&known, HOST, given).await, pure(HOST, given), "{text} is not told");
    }
}

#[tokio::test]
async fn what_is_erased_is_asked_for_anew() {
    let (store, known) = known().await;
    number(&known, How::Make, "o.vetrova").await;
    let (whose, at) = (crate::store::Whose::User("o.vetrova".into()), jiff::Timestamp::UNIX_EPOCH);
    let erasure = crate::store::Erasure { whose, ends_pending: false, is_dry_run: false, now: at, at };
    // Whoever asked before and puts what it was told away later keeps nothing of it.
    let (found, asked_before) = (Found::default(), known.told.load_full());
    store.erase(erasure).await.expect("the store works");
    known.forget().await.expect("the store works");
    asked_before.numbers.put(identity::keyed("user", "o.vetrova").1, 7);
    drop(known.asking(&found));
    assert_eq!(number(&known, How::Make, "o.vetrova").await.1, 2);
    assert_eq!(count(&store).await, 1);
}

#[tokio::test]
async fn what_always_asks_for_more_is_given_up() {
    let (store, known) = known().await;
    let made = known.settled(How::Make, |asking| {
        asking.of(&hook(HOST)).number(HOST, "user", &Uuid::new_v4().to_string());
    });
    assert_eq!((made.await, count(&store).await), (Ok(None), ROUNDS));
}

#[tokio::test]
async fn of_a_long_text_its_hash_is_kept() {
    let (store, known) = known().await;
    let made = known.settled(How::Make, |asking| asking.of(&hook(HOST)).number(HOST, "label", &"x".repeat(100_000)));
    assert_eq!(made.await, Ok(Some(identity::number("label", &"x".repeat(100_000)))));
    let look = Look { before: None, limit: 100, time: Duration::from_secs(10) };
    let rows = store.all_numbers(NumberFilter::default(), look).await.expect("the store works").items;
    assert!(rows[0].pair.named.text.starts_with("sha256:") && rows[0].pair.named.text.len() == 71, "{rows:?}");
}
