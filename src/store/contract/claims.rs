//! How deliveries are handed out and taken back.

use super::super::{Ending, Hook, Most, Outgoing, Store, Then};
use super::{LEASE, PARK, append, at, attempt, claim, end, hook, pending, record};
use bytes::Bytes;
use jiff::Timestamp;
use std::sync::Arc;

pub(super) async fn hands_out_in_order_of_arrival(store: &impl Store) {
    let hooks: Vec<Hook> = (0..5).map(|_| hook(10)).collect();
    for hook in &hooks {
        append(store, hook, &["a"]).await;
    }
    for hook in &hooks {
        let claimed = claim(store, "a", at(1)).await.expect("due");
        assert_eq!((*claimed.hook).clone(), *hook);
        assert_eq!(claimed.accepted_at, at(0));
    }
    assert!(claim(store, "a", at(1)).await.is_none(), "all are leased");
    let queues = store.queues().await.expect("the store works");
    assert_eq!((queues[0].pending, queues[0].oldest), (5, Some(at(0))));
}

pub(super) async fn what_is_due_again_comes_before_what_has_come_meanwhile(store: &impl Store) {
    append(store, &hook(10), &["a"]).await;
    let first = claim(store, "a", at(0)).await.expect("due");
    let then = Then::Again { due: at(10), park_after: PARK };
    record(store, &first, Some(attempt()), then, at(1)).await;
    for second in 1..40 {
        // More comes than is handed out.
        for _ in 0..2 {
            append(store, &hook(10), &["a"]).await;
        }
        let next = claim(store, "a", at(second)).await.expect("due");
        if next.id == first.id {
            assert!(second >= 10);
            return;
        }
        end(store, &next, Ending::Delivered, at(second)).await;
    }
    panic!("it was not handed out while others came");
}

/// More hooks, and more bytes, than any cache holds.
pub(super) async fn more_than_is_known_at_once_comes_in_order(store: &impl Store) {
    let hooks: Vec<Hook> = (0..600).map(|number| hook(if number % 100 == 0 { 3 << 20 } else { 10 })).collect();
    for hook in &hooks {
        append(store, hook, &["a", "b"]).await;
    }
    for destination in ["b", "a"] {
        for hook in &hooks {
            let claimed = claim(store, destination, at(1)).await.expect("due");
            assert_eq!(claimed.hook.id, hook.id);
            assert_eq!(claimed.hook.body, hook.body);
            end(store, &claimed, Ending::Delivered, at(1)).await;
        }
        assert!(claim(store, destination, at(1)).await.is_none());
        assert_eq!(pending(store, destination).await, 0);
    }
}

pub(super) async fn many_are_handed_out_at_once_within_bounds(store: &impl Store) {
    let hooks: Vec<Hook> = [1_000, 10, 10, 500, 10, 10].map(hook).into();
    for hook in &hooks {
        append(store, hook, &["a"]).await;
    }
    for (count, bytes, expected) in [(3, 10, 1), (3, 1_000, 3), (9, 10, 1), (9, 1_000, 1)] {
        let most = Most { count, bytes };
        let claimed = store.claim("a", at(1), LEASE, most).await.expect("the store works");
        assert_eq!(claimed.len(), expected, "{most:?}");
    }
    assert!(claim(store, "a", at(1)).await.is_none());
}

pub(super) async fn what_is_released_comes_again_in_its_place(store: &impl Store) {
    // More than is known at once.
    let hooks: Vec<Hook> = (0..400).map(|_| hook(10)).collect();
    for hook in &hooks {
        append(store, hook, &["a"]).await;
    }
    let most = Most { count: 20, bytes: 1_000 };
    let claimed = store.claim("a", at(1), LEASE, most).await.expect("the store works");
    let numbers: Vec<_> = claimed.iter().map(|own| own.delivery).collect();
    let outgoing =
        Arc::new(Outgoing { body: Bytes::from_static(b"{}"), headers: Vec::new(), forge: None, mapping: None });
    store.keep_outgoing(vec![(numbers[19], outgoing)]).await.expect("the store works");
    end(store, &claimed[0], Ending::Delivered, at(1)).await;
    store.release("a", &numbers[1..]).await.expect("the store works");
    assert_eq!(store.next_due("a").await, Ok(Some(Timestamp::UNIX_EPOCH)), "at once");
    for hook in &hooks[1..] {
        let again = claim(store, "a", at(2)).await.expect("due");
        assert_eq!((again.hook.id, again.attempts), (hook.id, 0));
        assert_eq!(again.outgoing.is_some(), again.delivery == numbers[19]);
    }
    assert!(claim(store, "a", at(2)).await.is_none());
}

pub(super) async fn a_lease_that_ends_hands_out_again(store: &impl Store) {
    append(store, &hook(10), &["a"]).await;
    let first = claim(store, "a", at(0)).await.expect("due");
    assert!(claim(store, "a", at(59)).await.is_none());
    assert_eq!(store.next_due("a").await, Ok(Some(at(60))));
    store.extend("a", &[first.delivery], at(61)).await.expect("the store works");
    assert!(claim(store, "a", at(60)).await.is_none());
    let again = claim(store, "a", at(61)).await.expect("the lease is over");
    assert_eq!((again.delivery, again.id), (first.delivery, first.id));
    end(store, &again, Ending::Delivered, at(62)).await;
    assert!(claim(store, "a", at(1000)).await.is_none());
    assert_eq!((pending(store, "a").await, store.next_due("a").await), (0, Ok(None)));
}
