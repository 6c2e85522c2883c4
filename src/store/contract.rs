//! What every store must do; each implementation runs this suite.

mod audit;
mod claims;
mod erasing;
mod history;
mod lanes;
mod learning;
pub(super) mod numbers;
mod recordings;
mod resend;

use super::{
    Appended, Arrival, Attempt, Claimed, Ending, Fate, Hook, MadeBy, Most, Outgoing, Plan, Report, Retention, Same,
    Store, StoreError, Then,
};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const LEASE: Duration = Duration::from_mins(1);
const PARK: Duration = Duration::from_mins(10);
const FOREVER: Retention = Retention {
    age: Duration::from_hours(1_000),
    at_least: Duration::ZERO,
    bytes: u64::MAX,
    states: Duration::from_hours(1_000),
    audit: Duration::from_hours(1_000),
};

pub(super) fn hook(size: usize) -> Hook {
    Hook {
        id: Uuid::now_v7(),
        route: "/".to_owned(),
        forge: "gitflic".to_owned(),
        event: "BRANCH_UPDATE".to_owned(),
        project: Some("north-harbour/ledger".to_owned()),
        instance: None,
        delivery_key: None,
        hops: 1,
        received_at: at(0),
        headers: vec![("x-team".to_owned(), "ledger \"ж\"".to_owned())],
        body: Bytes::from(vec![b' '; size]),
        seen: None,
        known: None,
    }
}

/// A time so many seconds after the begin of the test.
pub(super) fn at(seconds: i64) -> Timestamp {
    let begin: Timestamp = "2026-03-01T12:00:00Z".parse().expect("a time");
    begin + SignedDuration::from_secs(seconds)
}

pub(super) fn arrival(hook: &Hook, destinations: &[&str]) -> Arrival {
    let plan = |destination: &&str| Plan {
        destination: (*destination).to_owned(),
        fate: Fate::Deliver { most_pending: 1_000_000, in_order: false },
    };
    let plans = destinations.iter().map(plan).collect();
    Arrival { hook: Arc::new(hook.clone()), plans, ignored: None, same: None, lesson: None, records: false, now: at(0) }
}

pub(super) async fn append(store: &impl Store, hook: &Hook, destinations: &[&str]) {
    let appended = store.append(arrival(hook, destinations)).await.expect("room");
    assert_eq!(appended, Appended::Stored { queue_full: Vec::new() });
}

pub(super) async fn claim(store: &impl Store, destination: &str, now: Timestamp) -> Option<Claimed> {
    store.claim(destination, now, LEASE, Most::ONE).await.expect("the store works").pop()
}

pub(super) async fn end(store: &impl Store, claimed: &Claimed, ending: Ending, now: Timestamp) {
    record(store, claimed, Some(attempt()), Then::Ended(ending), now).await;
}

pub(super) async fn again(
    store: &impl Store,
    claimed: &Claimed,
    attempt: Option<Attempt>,
    now: Timestamp,
    due: Timestamp,
) {
    record(store, claimed, attempt, Then::Again { due, park_after: PARK }, now).await;
}

pub(super) async fn record(
    store: &impl Store,
    claimed: &Claimed,
    attempt: Option<Attempt>,
    then: Then,
    now: Timestamp,
) {
    let report = Report { delivery: claimed.delivery, attempt, then, now };
    store.record(vec![report]).await.expect("the store works");
}

pub(super) fn attempt() -> Attempt {
    Attempt {
        at: at(0),
        took: Duration::from_millis(3),
        status: Some(500),
        error: "no".to_owned(),
        is_probe: false,
        exchange: Arc::default(),
    }
}

pub(super) async fn pending(store: &impl Store, destination: &str) -> u64 {
    let queues = store.queues().await.expect("the store works");
    queues.iter().find(|queue| queue.destination == destination).map_or(0, |queue| queue.pending)
}

pub(super) async fn run<S: Store>(make: impl Fn() -> S) {
    claims::hands_out_in_order_of_arrival(&make()).await;
    claims::what_is_due_again_comes_before_what_has_come_meanwhile(&make()).await;
    claims::more_than_is_known_at_once_comes_in_order(&make()).await;
    claims::many_are_handed_out_at_once_within_bounds(&make()).await;
    claims::what_is_released_comes_again_in_its_place(&make()).await;
    claims::a_lease_that_ends_hands_out_again(&make()).await;
    what_is_due_again_waits_and_counts(&make()).await;
    a_probe_spends_nothing(&make()).await;
    learning::a_hook_teaches_once_and_in_order_of_arrival(&make()).await;
    learning::what_no_hook_tells_of_any_more_is_forgotten(&make()).await;
    learning::people_are_known_on_every_route_of_their_instance(&make()).await;
    learning::an_older_hook_teaches_nothing(&make()).await;
    learning::the_same_one_is_known_by_the_id_and_by_its_number(&make()).await;
    learning::whom_an_object_names_is_asked_for(&make()).await;
    learning::what_is_known_is_listed_in_parts_and_forgotten(&make()).await;
    learning::states_are_listed_and_forgotten(&make()).await;
    what_is_sent_is_kept(&make()).await;
    destinations_do_not_see_each_other(&make()).await;
    what_has_ended_stays_so(&make()).await;
    a_full_queue_ends_what_comes_next(&make()).await;
    ignored_deliveries_and_hooks_wait_for_nobody(&make()).await;
    the_same_key_is_a_duplicate_for_a_while(&make()).await;
    lanes::a_project_comes_in_order(&make()).await;
    lanes::what_keeps_its_project_waiting_is_parked(&make()).await;
    lanes::deliveries_of_unknown_destinations_end(&make()).await;
    lanes::a_destination_that_gives_up_its_order_lets_all_go(&make()).await;
    what_has_ended_is_removed_in_steps_and_what_waits_is_not(&make()).await;
    history::what_was_sent_and_answered_is_shown(&make()).await;
    history::of_many_probes_the_latest_are_kept(&make()).await;
    history::pages_are_stable_while_more_comes(&make()).await;
    history::filters_narrow_what_is_found(&make()).await;
    resend::what_has_ended_is_sent_again_as_it_was(&make()).await;
    resend::what_is_made_anew_has_its_own_key(&make()).await;
    resend::what_waits_is_due_at_once(&make()).await;
    resend::a_full_queue_takes_nothing_again(&make()).await;
    resend::what_is_sent_again_keeps_the_order_of_its_project(&make()).await;
    resend::a_duplicate_can_be_forced(&make()).await;
    recordings::the_first_of_each_event_is_recorded(&make()).await;
    recordings::a_recording_is_forgotten_only_when_it_is_asked_for(&make()).await;
    recordings::what_nobody_gets_is_recorded_and_a_duplicate_is_not(&make()).await;
    a_closed_store_says_so(&make()).await;
    audit::who_did_what_is_told_the_newest_first(&make()).await;
    audit::what_is_too_old_is_forgotten(&make()).await;
    erasing::a_project_is_blanked_and_others_are_not(&make()).await;
    erasing::somebody_is_blanked_wherever_they_occur(&make()).await;
    erasing::what_waits_is_left_unless_it_is_to_end(&make()).await;
    erasing::what_is_handed_out_is_left(&make()).await;
    erasing::what_waited_behind_goes_on(&make()).await;
    erasing::counting_changes_nothing(&make()).await;
    erasing::what_is_kept_late_of_what_was_erased_is_not(&make()).await;
}

async fn what_is_due_again_waits_and_counts(store: &impl Store) {
    append(store, &hook(10), &["a"]).await;
    let first = claim(store, "a", at(0)).await.expect("due");
    assert_eq!(first.attempts, 0);
    again(store, &first, Some(attempt()), at(1), at(300)).await;
    assert_eq!(store.next_due("a").await, Ok(Some(at(300))));
    assert!(claim(store, "a", at(299)).await.is_none());
    let second = claim(store, "a", at(300)).await.expect("due");
    assert_eq!((second.attempts, second.id, &second.hook), (1, first.id, &first.hook));
    // One that comes meanwhile goes before it, as long as it is not due.
    again(store, &second, Some(attempt()), at(301), at(900)).await;
    append(store, &hook(10), &["a"]).await;
    assert_ne!(claim(store, "a", at(302)).await.expect("due").id, second.id);
    assert_eq!(store.next_due("a").await, Ok(Some(at(362))), "the lease ends before the other is due");
}

async fn a_probe_spends_nothing(store: &impl Store) {
    append(store, &hook(10), &["a"]).await;
    let first = claim(store, "a", at(0)).await.expect("due");
    again(store, &first, Some(Attempt { is_probe: true, ..attempt() }), at(1), at(2)).await;
    let second = claim(store, "a", at(2)).await.expect("due");
    again(store, &second, None, at(3), at(4)).await;
    let third = claim(store, "a", at(4)).await.expect("due");
    assert_eq!((second.attempts, third.attempts), (0, 0));
    end(store, &third, Ending::Delivered, at(5)).await;
}

async fn what_is_sent_is_kept(store: &impl Store) {
    append(store, &hook(10), &["a", "b"]).await;
    let made = Arc::new(Outgoing {
        body: Bytes::from_static(b"{}"),
        headers: vec![("X-Event".into(), "a".into())],
        forge: Some("gitlab".into()),
        mapping: Some(MadeBy { name: "m".into(), sha256: "0".into() }),
    });
    let passed = Arc::new(Outgoing { body: hook(10).body, headers: Vec::new(), forge: None, mapping: None });
    for (destination, outgoing) in [("a", made), ("b", passed)] {
        let first = claim(store, destination, at(0)).await.expect("due");
        assert!(first.outgoing.is_none());
        let keep = async |outgoing: &Arc<Outgoing>| {
            store.keep_outgoing(vec![(first.delivery, Arc::clone(outgoing))]).await.expect("the store works")
        };
        assert_eq!(keep(&outgoing).await, []);
        // What was kept first stays.
        let other = Arc::new(Outgoing { body: Bytes::from_static(b"other"), ..(*outgoing).clone() });
        assert_eq!(keep(&other).await, [first.delivery]);
        again(store, &first, Some(attempt()), at(1), at(2)).await;
        assert_eq!(claim(store, destination, at(2)).await.expect("due").outgoing, Some(outgoing));
    }
}

async fn destinations_do_not_see_each_other(store: &impl Store) {
    append(store, &hook(10), &["a", "b"]).await;
    assert!(claim(store, "c", at(1)).await.is_none());
    let one = claim(store, "a", at(1)).await.expect("due");
    let other = claim(store, "b", at(1)).await.expect("due");
    assert_eq!(one.hook, other.hook);
    assert_ne!(one.id, other.id);
    end(store, &one, Ending::Failed("gone".to_owned()), at(2)).await;
    assert_eq!((pending(store, "a").await, pending(store, "b").await), (0, 1));
}

async fn what_has_ended_stays_so(store: &impl Store) {
    append(store, &hook(10), &["a"]).await;
    let slow = claim(store, "a", at(0)).await.expect("due");
    let quick = claim(store, "a", at(61)).await.expect("the lease is over");
    end(store, &quick, Ending::Delivered, at(62)).await;
    again(store, &slow, Some(attempt()), at(63), at(64)).await;
    end(store, &slow, Ending::Failed("late".to_owned()), at(65)).await;
    assert!(claim(store, "a", at(1000)).await.is_none());
    assert_eq!(pending(store, "a").await, 0);
}

async fn a_full_queue_ends_what_comes_next(store: &impl Store) {
    let few = |hook: &Hook| {
        let mut arrival = arrival(hook, &["a", "b"]);
        arrival.plans[0].fate = Fate::Deliver { most_pending: 2, in_order: false };
        arrival
    };
    for _ in 0..2 {
        assert_eq!(store.append(few(&hook(10))).await, Ok(Appended::Stored { queue_full: Vec::new() }));
    }
    assert_eq!(store.append(few(&hook(10))).await, Ok(Appended::Stored { queue_full: vec!["a".to_owned()] }));
    assert_eq!((pending(store, "a").await, pending(store, "b").await), (2, 3));
    let claimed = claim(store, "a", at(1)).await.expect("due");
    end(store, &claimed, Ending::Delivered, at(2)).await;
    assert_eq!(store.append(few(&hook(10))).await, Ok(Appended::Stored { queue_full: Vec::new() }), "room again");
}

async fn ignored_deliveries_and_hooks_wait_for_nobody(store: &impl Store) {
    let mut ignored = arrival(&hook(10), &["a"]);
    ignored.plans[0].fate = Fate::Ignore("it does not list the event".to_owned());
    store.append(ignored).await.expect("room");
    let nobodys = Arrival { ignored: Some("not a hook".to_owned()), ..arrival(&hook(10), &[]) };
    store.append(nobodys).await.expect("room");
    assert!(claim(store, "a", at(1)).await.is_none());
    assert_eq!(pending(store, "a").await, 0);
}

async fn the_same_key_is_a_duplicate_for_a_while(store: &impl Store) {
    let keyed = |route: &str, seconds: i64| {
        let same = Some(Same { key: "k-1".to_owned(), window: Duration::from_mins(1) });
        let hook = Hook { route: route.to_owned(), ..hook(10) };
        Arrival { same, now: at(seconds), ..arrival(&hook, &["a", "b"]) }
    };
    let first = keyed("/", 0);
    let stored = Ok(Appended::Stored { queue_full: Vec::new() });
    assert_eq!(store.append(first.clone()).await, stored);
    let duplicate = Ok(Appended::Duplicate { of: first.hook.id });
    assert_eq!(store.append(keyed("/", 1)).await, duplicate, "it is on its way");
    assert_eq!(store.append(keyed("/other", 1)).await, stored, "each route has its own");
    for destination in ["a", "b"] {
        let claimed = claim(store, destination, at(2)).await.expect("due");
        assert_eq!(claimed.hook.id, first.hook.id);
        end(store, &claimed, Ending::Delivered, at(10)).await;
    }
    assert_eq!(store.append(keyed("/", 69)).await, duplicate, "a minute is not over");
    let later = keyed("/", 71);
    assert_eq!(store.append(later.clone()).await, stored, "somebody sends it again");
    for destination in ["a", "b"] {
        assert_eq!(claim(store, destination, at(72)).await.expect("due").hook.route, "/other");
        let claimed = claim(store, destination, at(72)).await.expect("due");
        assert_eq!(claimed.hook.id, later.hook.id);
        end(store, &claimed, Ending::Failed("no".to_owned()), at(73)).await;
    }
    assert_eq!(store.append(keyed("/", 74)).await, stored, "what failed may come again");
}

async fn what_has_ended_is_removed_in_steps_and_what_waits_is_not(store: &impl Store) {
    for number in 0..500 {
        append(store, &hook(10), if number % 2 == 0 { &["a", "b"] } else { &["a"] }).await;
        let claimed = claim(store, "a", at(1)).await.expect("due");
        end(store, &claimed, Ending::Delivered, at(10)).await;
    }
    let hour = Retention { age: Duration::from_hours(1), ..FOREVER };
    let early = store.prune(hour, at(3_000)).await.expect("the store works");
    assert_eq!((early.removed, early.is_more), (0, false));
    let (mut removed, mut steps) = (0, 0);
    loop {
        let step = store.prune(hour, at(3_700)).await.expect("the store works");
        (removed, steps) = (removed + step.removed, steps + 1);
        if !step.is_more {
            break;
        }
    }
    assert!(removed == 500 && steps > 1, "{removed} in {steps}");
    assert_eq!(pending(store, "b").await, 250);
    for _ in 0..250 {
        assert_eq!(claim(store, "b", at(3_700)).await.expect("due").hook.body.len(), 10, "with its hook");
    }
    // By size: nothing that has ended may stay.
    append(store, &hook(10), &["a"]).await;
    let claimed = claim(store, "a", at(3_701)).await.expect("due");
    end(store, &claimed, Ending::Delivered, at(3_701)).await;
    let pruned = store.prune(Retention { bytes: 0, ..FOREVER }, at(3_702)).await.expect("the store works");
    assert_eq!(pruned.removed, 1);
}

async fn a_closed_store_says_so(store: &impl Store) {
    append(store, &hook(10), &["a"]).await;
    store.close().await.expect("it closes");
    assert!(matches!(store.append(arrival(&hook(10), &["a"])).await, Err(StoreError::Broken(_))));
}
