//! What is recorded, and for how long.

use super::super::recordings::Recording;
use super::super::{Appended, Arrival, Ending, Erasure, Fate, Hook, Plan, Retention, Same, Store, Whose};
use super::{FOREVER, arrival, at, claim, end, hook};
use bytes::Bytes;
use std::time::Duration;
use uuid::Uuid;

const OF: (&str, &str, &str) = ("/", "gitflic", "ISSUE_CREATE");

fn saying(body: &'static str) -> Hook {
    Hook { event: OF.2.to_owned(), body: Bytes::from_static(body.as_bytes()), ..hook(0) }
}

async fn record(store: &impl Store, hook: &Hook) {
    let hook = &Hook { id: Uuid::now_v7(), ..hook.clone() };
    store.append(Arrival { records: true, ..arrival(hook, &["a"]) }).await.expect("room");
}

async fn body(store: &impl Store, (route, forge, event): (&str, &str, &str)) -> Option<Bytes> {
    store.recording(route, forge, event).await.expect("the store works").map(|recorded| recorded.body)
}

pub(super) async fn the_first_of_each_event_is_recorded(store: &impl Store) {
    let (first, second) = (saying("first"), saying("second"));
    super::append(store, &saying("before"), &["a"]).await;
    assert_eq!(store.recordings().await, Ok(Vec::new()), "nothing was to be recorded");
    record(store, &first).await;
    record(store, &second).await;
    record(store, &Hook { event: "TAG_CREATE".to_owned(), ..second.clone() }).await;
    record(store, &Hook { route: "/other".to_owned(), ..second.clone() }).await;
    let kept = store.recording(OF.0, OF.1, OF.2).await.expect("the store works").expect("recorded");
    assert_eq!((&kept.body, &kept.headers, kept.recorded_at), (&first.body, &first.headers, first.received_at));
    let recording = |route: &str, event: &str, size| Recording {
        route: route.to_owned(),
        forge: OF.1.to_owned(),
        event: event.to_owned(),
        recorded_at: at(0),
        size,
    };
    let expected = vec![recording("/", OF.2, 5), recording("/", "TAG_CREATE", 6), recording("/other", OF.2, 6)];
    assert_eq!(store.recordings().await, Ok(expected));
    assert_eq!(body(store, ("/", "gitlab", OF.2)).await, None);
}

pub(super) async fn a_recording_is_forgotten_only_when_it_is_asked_for(store: &impl Store) {
    let (first, second) = (saying("first"), saying("second"));
    record(store, &first).await;
    let claimed = claim(store, "a", at(1)).await.expect("due");
    end(store, &claimed, Ending::Delivered, at(1)).await;
    let nothing = Retention { age: Duration::ZERO, bytes: 0, states: Duration::ZERO, ..FOREVER };
    while store.prune(nothing, at(1_000)).await.expect("the store works").is_more {}
    assert_eq!(body(store, OF).await, Some(first.body.clone()));
    assert_eq!(store.forget_recording(OF.0, OF.1, OF.2).await, Ok(true));
    assert_eq!(store.forget_recording(OF.0, OF.1, OF.2).await, Ok(false));
    assert_eq!(body(store, OF).await, None);
    record(store, &second).await;
    assert_eq!(body(store, OF).await, Some(second.body.clone()));
    // The same when it was erased with all that says a word.
    let whose = Whose::User("second".to_owned());
    let erasure = Erasure { whose, ends_pending: true, is_dry_run: false, now: at(2_000), at: at(2_000) };
    assert_eq!(store.erase(erasure).await.expect("the store works").recordings, 1);
    assert_eq!(body(store, OF).await, None);
    record(store, &first).await;
    assert_eq!(body(store, OF).await, Some(first.body.clone()));
}

pub(super) async fn what_nobody_gets_is_recorded_and_a_duplicate_is_not(store: &impl Store) {
    let ignored = Plan { destination: "a".to_owned(), fate: Fate::Ignore("not for it".to_owned()) };
    let hook = saying("ignored");
    let nobodys = Arrival { plans: vec![ignored], records: true, ..arrival(&hook, &[]) };
    store.append(nobodys).await.expect("room");
    assert_eq!(body(store, OF).await, Some(hook.body.clone()));

    let same = Some(Same { key: "k".to_owned(), window: Duration::from_mins(1) });
    let tag = |body| Hook { event: "TAG_CREATE".to_owned(), ..saying(body) };
    let came = |hook: &Hook, records| Arrival { same: same.clone(), records, ..arrival(hook, &["a"]) };
    store.append(came(&tag("not recorded"), false)).await.expect("room");
    let again = store.append(came(&tag("duplicate"), true)).await.expect("room");
    assert!(matches!(again, Appended::Duplicate { .. }), "{again:?}");
    assert_eq!(body(store, ("/", "gitflic", "TAG_CREATE")).await, None);
}
