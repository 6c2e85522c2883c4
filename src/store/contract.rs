//! What every store must do; each implementation runs this suite.

use super::{Ending, Hook, Outgoing, Store};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const LEASE: Duration = Duration::from_mins(1);

pub(super) fn hook(size: usize) -> Hook {
    Hook {
        id: Uuid::now_v7(),
        route: "/".to_owned(),
        forge: "gitflic".to_owned(),
        event: "BRANCH_UPDATE".to_owned(),
        project: None,
        instance: None,
        delivery_key: None,
        hops: 0,
        received_at: Timestamp::now(),
        headers: Vec::new(),
        body: vec![b' '; size],
    }
}

fn later(seconds: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_secs(seconds)
}

pub(super) async fn run<S: Store>(make: impl Fn() -> S) {
    hands_out_in_order_of_arrival(&make()).await;
    a_lease_that_ends_hands_out_again(&make()).await;
    a_rescheduled_delivery_waits_and_counts(&make()).await;
    a_translation_is_kept(&make()).await;
    destinations_do_not_see_each_other(&make()).await;
}

async fn claim(store: &impl Store, destination: &str, now: Timestamp) -> Option<super::Claimed> {
    store.claim(destination, now, LEASE).await.expect("the store works")
}

async fn hands_out_in_order_of_arrival(store: &impl Store) {
    let hooks: Vec<Hook> = (0..5).map(|_| hook(10)).collect();
    for hook in &hooks {
        store.append(hook.clone(), vec!["a".to_owned()]).await.expect("room");
    }
    for hook in &hooks {
        let claimed = claim(store, "a", later(1)).await.expect("due");
        assert_eq!((*claimed.hook).clone(), *hook);
    }
    assert!(claim(store, "a", later(1)).await.is_none(), "all are leased");
    assert_eq!(store.pending("a").await, Ok(5));
}

async fn a_lease_that_ends_hands_out_again(store: &impl Store) {
    store.append(hook(10), vec!["a".to_owned()]).await.expect("room");
    let first = claim(store, "a", later(0)).await.expect("due");
    assert!(claim(store, "a", later(59)).await.is_none());
    let again = claim(store, "a", later(61)).await.expect("the lease is over");
    assert_eq!(again.delivery, first.delivery);
    store.finish(again.delivery, Ending::Delivered).await.expect("the store works");
    assert!(claim(store, "a", later(1000)).await.is_none());
    assert_eq!(store.pending("a").await, Ok(0));
}

async fn a_rescheduled_delivery_waits_and_counts(store: &impl Store) {
    store.append(hook(10), vec!["a".to_owned()]).await.expect("room");
    let first = claim(store, "a", later(0)).await.expect("due");
    assert_eq!(first.attempts, 0);
    let due = later(300);
    store.reschedule(first.delivery, due).await.expect("the store works");
    assert_eq!(store.next_due("a").await, Ok(Some(due)));
    assert!(claim(store, "a", later(299)).await.is_none());
    assert_eq!(claim(store, "a", due).await.expect("due").attempts, 1);
}

async fn a_translation_is_kept(store: &impl Store) {
    store.append(hook(10), vec!["a".to_owned()]).await.expect("room");
    let first = claim(store, "a", later(0)).await.expect("due");
    assert!(first.outgoing.is_none());
    let outgoing = Arc::new(Outgoing {
        body: b"{}".to_vec(),
        headers: vec![("X-Event".into(), "a".into())],
        mapping: Some(crate::store::MadeBy { name: "m".into(), sha256: "0".into() }),
    });
    store.keep_outgoing(first.delivery, Arc::clone(&outgoing)).await.expect("the store works");
    store.reschedule(first.delivery, later(0)).await.expect("the store works");
    assert_eq!(claim(store, "a", later(1)).await.expect("due").outgoing, Some(outgoing));
}

async fn destinations_do_not_see_each_other(store: &impl Store) {
    store.append(hook(10), vec!["a".to_owned(), "b".to_owned()]).await.expect("room");
    assert!(claim(store, "c", later(1)).await.is_none());
    let one = claim(store, "a", later(1)).await.expect("due");
    let other = claim(store, "b", later(1)).await.expect("due");
    assert_eq!(one.hook, other.hook);
    store.finish(one.delivery, Ending::Failed("gone".to_owned())).await.expect("the store works");
    assert_eq!((store.pending("a").await, store.pending("b").await), (Ok(0), Ok(1)));
}
