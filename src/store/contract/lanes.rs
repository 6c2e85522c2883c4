//! Hooks of one project, one after another; and destinations that come and go.

use super::super::{Arrival, Attempt, Ending, Fate, Hook, KnownDestination, Store};
use super::{LEASE, again, append, arrival, at, attempt, claim, end, hook, pending};
use jiff::Timestamp;

fn in_order(project: &str, now: Timestamp) -> Arrival {
    let hook = Hook { project: Some(project.to_owned()), ..hook(10) };
    let mut arrival = Arrival { now, ..arrival(&hook, &["a"]) };
    arrival.plans[0].fate = Fate::Deliver { most_pending: 100, in_order: true };
    arrival
}

pub(super) async fn a_project_comes_in_order(store: &impl Store) {
    let mut ids = Vec::new();
    for project in ["x", "x", "y", "x"] {
        let arrival = in_order(project, at(0));
        ids.push(arrival.hook.id);
        store.append(arrival).await.expect("room");
    }
    let first = claim(store, "a", at(1)).await.expect("the first of x");
    let other = claim(store, "a", at(1)).await.expect("that of y");
    assert_eq!((first.hook.id, other.hook.id), (ids[0], ids[2]));
    assert!(claim(store, "a", at(1)).await.is_none(), "the others wait for the first of x");
    again(store, &first, Some(attempt()), at(2), at(7)).await;
    assert!(claim(store, "a", at(3)).await.is_none());
    let first = claim(store, "a", at(7)).await.expect("due again");
    end(store, &first, Ending::Failed("no".to_owned()), at(8)).await;
    for id in [ids[1], ids[3]] {
        let next = claim(store, "a", at(9)).await.expect("the next of x");
        assert_eq!(next.hook.id, id);
        assert!(claim(store, "a", at(9)).await.is_none());
        end(store, &next, Ending::Delivered, at(9)).await;
    }
    assert_eq!(pending(store, "a").await, 1);
}

pub(super) async fn what_keeps_its_project_waiting_is_parked(store: &impl Store) {
    let arrivals = [in_order("x", at(0)), in_order("x", at(0)), in_order("x", at(0))];
    for arrival in &arrivals {
        store.append(arrival.clone()).await.expect("room");
    }
    let first = claim(store, "a", at(0)).await.expect("due");
    again(store, &first, Some(attempt()), at(1), at(3_000)).await;
    assert_eq!(store.park("a", at(599), at(0)).await, Ok(Vec::new()));
    assert_eq!(store.next_due("a").await, Ok(Some(at(600))), "that is when it is parked");
    assert_eq!(store.park("a", at(600), at(2)).await, Ok(Vec::new()), "it was not tried since then");
    // One behind it is tried, and goes on waiting when it is not taken.
    assert!(store.claim_behind("a", at(599), LEASE).await.expect("the store works").is_none());
    for position in [1, 2] {
        let behind = store.claim_behind("a", at(600), LEASE).await.expect("the store works").expect("one waits");
        assert_eq!(behind.hook.id, arrivals[position].hook.id);
        let probe = Attempt { is_probe: true, ..attempt() };
        again(store, &behind, Some(probe), at(600), at(600)).await;
        assert!(claim(store, "a", at(600)).await.is_none());
    }
    let parked = store.park("a", at(600), at(0)).await.expect("the store works");
    assert_eq!(parked.iter().map(|parked| parked.hook).collect::<Vec<_>>(), [arrivals[0].hook.id]);
    let next = claim(store, "a", at(601)).await.expect("the next goes on");
    assert_eq!(next.hook.id, arrivals[1].hook.id);
    assert!(claim(store, "a", at(602)).await.is_none(), "one after another");
    end(store, &next, Ending::Delivered, at(603)).await;
    let last = claim(store, "a", at(604)).await.expect("due");
    assert_eq!(last.hook.id, arrivals[2].hook.id);
    end(store, &last, Ending::Delivered, at(605)).await;
    let late = claim(store, "a", at(3_001)).await;
    assert_eq!(late.expect("what is parked is tried as before").hook.id, arrivals[0].hook.id);
}

pub(super) async fn deliveries_of_unknown_destinations_end(store: &impl Store) {
    append(store, &hook(10), &["a", "b"]).await;
    append(store, &hook(10), &["b"]).await;
    let held = claim(store, "b", at(0)).await.expect("due");
    let known = || vec![KnownDestination { name: "a".to_owned(), in_order: false }];
    let settled = store.settle(known(), at(1)).await.expect("the store works");
    assert_eq!((settled[0].destination.as_str(), settled[0].ended, settled[0].under_way), ("b", 1, 1));
    assert_eq!(settled[0].hooks.len(), 1);
    // What was under way is told first, and ends then.
    again(store, &held, Some(attempt()), at(2), at(3)).await;
    let settled = store.settle(known(), at(3)).await.expect("the store works");
    assert_eq!((settled[0].ended, settled[0].under_way), (1, 0));
    assert_eq!(store.settle(known(), at(3)).await, Ok(Vec::new()));
    let ended = store.delivery(held.id).await.expect("the store works").expect("it is there");
    assert_eq!(ended.row.attempts, 1);
    assert!(claim(store, "b", at(100)).await.is_none());
    assert!(claim(store, "a", at(100)).await.is_some());
    assert_eq!((pending(store, "a").await, pending(store, "b").await), (1, 0));
}

pub(super) async fn a_destination_that_gives_up_its_order_lets_all_go(store: &impl Store) {
    for _ in 0..3 {
        store.append(in_order("x", at(0))).await.expect("room");
    }
    let known = vec![KnownDestination { name: "a".to_owned(), in_order: false }];
    assert_eq!(store.settle(known, at(1)).await, Ok(Vec::new()));
    for _ in 0..3 {
        assert!(claim(store, "a", at(2)).await.is_some());
    }
}
