//! What begins, what ends, and what does neither.

use super::*;

fn told(happening: Happening) -> Told {
    Told { at: Timestamp::UNIX_EPOCH, happening }
}

fn ended(destination: &str, state: &str) -> Told {
    let (hook, event, reason) = (Uuid::nil(), "push".to_owned(), Some("given up".to_owned()));
    let destination = destination.to_owned();
    told(Happening::Ended { hook, delivery: None, destination, event, state: state.to_owned(), reason })
}

fn breaker(destination: &str, is_open: bool) -> Told {
    told(Happening::Breaker { destination: destination.to_owned(), is_open, error: "no connection".to_owned() })
}

fn attempt(destination: &str, status: Option<u16>) -> Told {
    told(Happening::Attempt {
        hook: Uuid::nil(),
        delivery: Uuid::nil(),
        destination: destination.to_owned(),
        event: String::new(),
        attempt: 1,
        status,
        outcome: String::new(),
        error: String::new(),
        elapsed_ms: 1.0,
    })
}

fn incidents(destinations: &[&str]) -> Incidents {
    Incidents::of(names(destinations), Duration::ZERO)
}

fn names(destinations: &[&str]) -> BTreeSet<String> {
    destinations.iter().map(|name| (*name).to_owned()).collect()
}

#[track_caller]
fn over(change: Change) -> Incident {
    match change {
        Change::Over(incident) => *incident,
        other => panic!("{other:?}"),
    }
}

#[test]
fn failures_are_one_trouble_until_a_delivery_succeeds() {
    let mut incidents = incidents(&["a", "b"]);
    assert_eq!(incidents.hear(&ended("a", "delivered")), Change::Nothing);
    assert_eq!(incidents.hear(&ended("a", "failed")), Change::Began);
    assert_eq!(incidents.hear(&ended("a", "failed")), Change::Nothing);
    assert_eq!(incidents.hear(&ended("b", "failed")), Change::Began);
    assert_eq!(incidents.hear(&ended("a", "ignored")), Change::Nothing);
    let first = over(incidents.hear(&ended("a", "delivered")));
    assert_eq!((first.count, first.reason.as_str()), (2, "given up"));
    assert_eq!(first.key, Key::Failed("a".to_owned()));
    assert_eq!(incidents.hear(&ended("a", "failed")), Change::Began);
    let ids: BTreeSet<Uuid> = incidents.open().map(|open| open.id).chain([first.id]).collect();
    assert_eq!(ids.len(), 3, "each has an id of its own");
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn ended_at(second: i64, destination: &str, state: &str) -> Told {
    Told { at: at(second), ..ended(destination, state) }
}

fn with_calm(destinations: &[&str]) -> Incidents {
    Incidents { calm: Duration::from_mins(1), ..incidents(destinations) }
}

#[test]
fn failures_and_successes_in_turn_are_one_trouble_until_it_is_calm() {
    let mut incidents = with_calm(&["a"]);
    assert_eq!(incidents.hear(&ended_at(0, "a", "failed")), Change::Began);
    assert_eq!(incidents.wait(at(1)), None);
    for second in [10, 100] {
        assert_eq!(incidents.hear(&ended_at(second, "a", "delivered")), Change::Nothing);
        assert_eq!((incidents.open().count(), incidents.wait(at(second + 20))), (0, Some(Duration::from_secs(40))));
        assert!(incidents.settle(at(second + 59)).is_empty());
        assert_eq!(incidents.hear(&ended_at(second + 59, "a", "failed")), Change::GoesOn);
        assert!(incidents.settle(at(second + 60)).is_empty());
    }
    incidents.hear(&ended_at(200, "a", "delivered"));
    incidents.hear(&ended_at(230, "a", "delivered"));
    let over = incidents.settle(at(260));
    let [over] = over.as_slice() else { panic!("{over:?}") };
    assert_eq!((over.since, over.until, over.count), (at(0), Some(at(200)), 3), "it was over first at 200");
    assert!(incidents.settle(at(1000)).is_empty());
    assert_eq!((incidents.wait(at(1000)), incidents.hear(&ended_at(261, "a", "failed"))), (None, Change::Began));
}

#[test]
fn a_breaker_that_opens_again_goes_on_and_what_is_calm_at_the_end_is_over() {
    let mut incidents = with_calm(&["a", "b"]);
    let breaker_at = |second, is_open| Told { at: at(second), ..breaker("a", is_open) };
    assert_eq!(incidents.hear(&breaker_at(0, true)), Change::Began);
    assert_eq!(incidents.hear(&breaker_at(5, false)), Change::Nothing);
    assert_eq!(incidents.hear(&breaker_at(6, true)), Change::GoesOn);
    assert_eq!(incidents.hear(&breaker_at(9, false)), Change::Nothing);
    // It answers further on.
    assert_eq!(incidents.hear(&Told { at: at(12), ..attempt("a", Some(200)) }), Change::Nothing);
    incidents.hear(&ended_at(9, "b", "failed"));
    let over = incidents.settle_all(at(13));
    assert!(
        matches!(over.as_slice(), [Incident { key: Key::Breaker(_), until, .. }] if *until == Some(at(9))),
        "{over:?}"
    );
    assert_eq!(incidents.open().count(), 1, "the other is not over");
}

#[test]
fn what_is_not_of_a_destination_is_over_at_once_and_so_is_all_when_the_clock_goes_back() {
    let mut incidents = with_calm(&["a"]);
    let store = |is_down| told(Happening::Store { is_down, reason: "full".to_owned() });
    incidents.hear(&store(true));
    over(incidents.hear(&store(false)));
    incidents.hear(&ended_at(100, "a", "failed"));
    incidents.hear(&ended_at(110, "a", "delivered"));
    assert_eq!((incidents.wait(at(50)), incidents.settle(at(50)).len()), (Some(Duration::ZERO), 1));
}

#[test]
fn what_is_seen_begins_no_calm_anew_and_a_destination_that_is_gone_was_over_before() {
    let mut incidents = with_calm(&["a", "b"]);
    for name in ["a", "b"] {
        incidents.hear(&ended_at(0, name, "failed"));
        incidents.hear(&ended_at(10, name, "delivered"));
    }
    let present = Present([(Key::Failed("b".to_owned()), String::new())].into());
    assert!(incidents.see(&present, at(20)).is_empty());
    let open: Vec<(&Key, u64)> = incidents.open().map(|own| (&own.key, own.count)).collect();
    assert_eq!(open, [(&Key::Failed("b".to_owned()), 2)], "it goes on");
    let gone = incidents.replace(names(&[]), at(30));
    let told: Vec<_> = gone.iter().map(|own| (own.until, own.recovery.as_str())).collect();
    assert_eq!(told, [(Some(at(10)), ""), (Some(at(30)), "destination removed")]);
}

#[test]
fn refused_files_are_one_trouble_for_each_kind() {
    let mut incidents = incidents(&[]);
    let reload = |what: &str, faults: usize| {
        let faults = (0..faults).map(|number| format!("fault {number}")).collect();
        told(Happening::Reload { what: what.to_owned(), faults })
    };
    assert_eq!(incidents.hear(&reload("mappings", 0)), Change::Nothing);
    assert_eq!(incidents.hear(&reload("mappings", 7)), Change::Began);
    assert_eq!(incidents.hear(&reload("configuration", 1)), Change::Began);
    assert_eq!(incidents.hear(&reload("mappings", 1)), Change::Nothing);
    let mappings = over(incidents.hear(&reload("mappings", 0)));
    assert!(mappings.reason.ends_with("fault 4\nand 2 more"), "{mappings:?}");
    assert_eq!((mappings.count, incidents.open().count()), (2, 1));
}

#[test]
fn what_is_in_trouble_at_a_destination_that_is_gone_is_over() {
    let mut incidents = incidents(&["a", "b"]);
    incidents.hear(&ended("a", "failed"));
    incidents.hear(&breaker("a", true));
    incidents.hear(&ended("b", "failed"));
    let over = incidents.replace(names(&["b"]), Timestamp::UNIX_EPOCH);
    assert_eq!(over.len(), 2);
    assert!(over.iter().all(|incident| incident.recovery == "destination removed" && incident.until.is_some()));
    // Its worker finishes something.
    assert_eq!(incidents.hear(&ended("a", "failed")), Change::Nothing);
    assert_eq!(incidents.hear(&breaker("a", true)), Change::Nothing);
    assert_eq!(incidents.open().count(), 1);
}

#[test]
fn a_breaker_that_was_open_at_a_reload_is_over_when_somebody_answers() {
    let mut incidents = incidents(&["a"]);
    incidents.hear(&breaker("a", true));
    assert!(incidents.replace(names(&["a"]), Timestamp::UNIX_EPOCH).is_empty());
    assert!(incidents.see(&Present::default(), Timestamp::UNIX_EPOCH).is_empty());
    assert_eq!(incidents.hear(&attempt("a", None)), Change::Nothing);
    assert_eq!(incidents.hear(&attempt("a", Some(503))), Change::Nothing);
    over(incidents.hear(&attempt("a", Some(404))));
    // Or its own breaker speaks again.
    incidents.hear(&breaker("a", true));
    incidents.replace(names(&["a"]), Timestamp::UNIX_EPOCH);
    assert_eq!(incidents.hear(&breaker("a", true)), Change::Nothing);
    over(incidents.hear(&breaker("a", false)));
    assert_eq!(incidents.hear(&attempt("a", Some(200))), Change::Nothing);
}

#[test]
fn what_was_missed_is_seen() {
    let mut incidents = incidents(&["a", "b"]);
    incidents.hear(&ended("a", "failed"));
    incidents.hear(&breaker("b", true));
    let key = Key::Breaker("b".to_owned());
    let present = Present([(key.clone(), String::new()), (Key::Disk, "little".to_owned())].into());
    let over = incidents.see(&present, Timestamp::UNIX_EPOCH);
    assert!(matches!(over.as_slice(), [Incident { key: Key::Failed(_), .. }]), "{over:?}");
    let open: Vec<&Key> = incidents.open().map(|incident| &incident.key).collect();
    assert_eq!(open, [&key, &Key::Disk]);
    assert!(incidents.see(&present, Timestamp::UNIX_EPOCH).is_empty());
    assert_eq!(incidents.open().count(), 2);
}

#[test]
fn a_reason_has_an_end_and_bytes_can_be_read() {
    assert_eq!(shortened(&"й".repeat(2000)).chars().count(), MOST_REASON + 1);
    let cases = [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB"), (200 << 30, "200 GiB")];
    for (bytes, shown) in cases {
        assert_eq!(size(bytes), shown);
    }
}
