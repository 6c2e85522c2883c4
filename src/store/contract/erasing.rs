//! Erasing what is stored of somebody, or of a project.

use super::super::{
    Arrival, Attempt, Ending, Erased, Erasure, Exchange, Fate, Filter, Hook, Lesson, Look, MadeBy, Outgoing, State,
    Store, Told, Whose,
};
use super::{append, arrival, at, attempt, claim, end, hook, pending, record};
use crate::store::{HookRecord, Then};
use bytes::Bytes;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// A hook of a project with a body.
fn told(project: &str, body: &str) -> Hook {
    Hook { project: Some(project.to_owned()), body: Bytes::copy_from_slice(body.as_bytes()), ..hook(0) }
}

async fn erase(store: &impl Store, whose: Whose, ends_pending: bool) -> Erased {
    order(store, whose, ends_pending, false).await
}

async fn order(store: &impl Store, whose: Whose, ends_pending: bool, is_dry_run: bool) -> Erased {
    let erasure = Erasure { whose, ends_pending, is_dry_run, now: at(1_000), at: at(2_000) };
    let erased = store.erase(erasure).await.expect("the store works");
    assert!(!erased.may_linger);
    erased
}

fn user(text: &str) -> Whose {
    Whose::User(text.to_owned())
}

fn project(text: &str) -> Whose {
    Whose::Project(text.to_owned())
}

async fn stored(store: &impl Store, hook: &Hook) -> HookRecord {
    store.hook(hook.id).await.expect("the store works").expect("its row stays")
}

/// Delivers what is due next, with something in every place that may hold somebody's name.
async fn deliver(store: &impl Store, text: &str) {
    let claimed = claim(store, "a", at(1)).await.expect("due");
    let headers = vec![("X-Of".to_owned(), text.to_owned())];
    let mapping = Some(MadeBy { name: "m".into(), sha256: "0".into() });
    let body = Bytes::from(json!({"of": text}).to_string());
    let outgoing = Arc::new(Outgoing { body: body.clone(), headers: headers.clone(), forge: None, mapping });
    let kept = store.keep_outgoing(vec![(claimed.delivery, outgoing)]).await;
    assert_eq!(kept, Ok(Vec::new()));
    let exchange = Exchange {
        request_headers: headers.clone(),
        response_headers: headers,
        response_body: body,
        response_is_cut: true,
    };
    let attempt = Attempt { error: format!("no {text}"), exchange: exchange.into(), ..attempt() };
    record(store, &claimed, Some(attempt), Then::Ended(Ending::Delivered), at(2)).await;
}

async fn assert_blank(store: &impl Store, hook: &Hook) {
    let HookRecord { hook: blank, row, deliveries } = stored(store, hook).await;
    assert_eq!((&blank.body[..], &blank.headers, &blank.seen), (&b""[..], &Vec::new(), &None));
    assert_eq!((row.erased_at, row.size, &row.event, &row.route), (Some(at(2_000)), 0, &hook.event, &hook.route));
    for delivery in deliveries {
        let whole = store.delivery(delivery.id).await.expect("the store works").expect("its row stays");
        assert_eq!(whole.outgoing, None);
        for attempt in whole.attempts {
            assert_eq!((attempt.exchange, attempt.status), (Arc::new(Exchange::default()), Some(500)));
            assert!(["", "erased"].contains(&attempt.error.as_str()), "{}", attempt.error);
        }
    }
}

/// Whether a text is found anywhere by those who look for it.
async fn is_found(store: &impl Store, text: &str) -> bool {
    let (filter, look) = (Filter { text: Some(text.to_owned()), ..Filter::default() }, look());
    let hooks = store.hooks(filter.clone(), look).await.expect("the store works").items.len();
    hooks + store.deliveries(filter, look).await.expect("the store works").items.len() > 0
}

fn look() -> Look {
    Look { before: None, limit: 1_000, time: Duration::from_secs(10) }
}

pub(super) async fn a_project_is_blanked_and_others_are_not(store: &impl Store) {
    let lesson = |id: &str| {
        let state = [("t".to_owned(), json!("Lamp"))].into_iter().collect();
        let told = Told { kind: "issue".to_owned(), id: id.to_owned(), state, ..Told::default() };
        Some(Lesson { object: Some(told), rows: Vec::new() })
    };
    let by_id = told("7f3a", r#"{"x": "nothing"}"#);
    let by_path = told("7f3a", r#"{"u": "https://git.example.org/project/north/ledger.git"}"#);
    let other = told("9c1d", r#"{"t": "see north/ledger", "u": "https://git.example.org/project/north/ledger-2.git"}"#);
    for (hook, id) in [(&by_id, "1"), (&by_path, "1"), (&other, "1")] {
        let lesson = lesson(id);
        store.append(Arrival { lesson, ..arrival(hook, &["a"]) }).await.expect("room");
        deliver(store, "north/ledger").await;
    }
    let erased = erase(store, project("north/ledger"), false).await;
    assert_eq!((erased.hooks, erased.deliveries, erased.attempts, erased.remembered), (1, 1, 1, 1), "{erased:?}");
    assert_blank(store, &by_path).await;
    assert_eq!(stored(store, &by_path).await.row.project, None);
    let erased = erase(store, project("7F3A"), false).await;
    assert_eq!((erased.hooks, erased.remembered, erased.pending_left), (1, 0, 0));
    assert_blank(store, &by_id).await;
    assert_eq!(*stored(store, &other).await.hook, other);
    assert_eq!(erase(store, project("7f3a"), false).await, Erased::default(), "all is done");
    let counts = store.count(Filter::default(), look()).await.expect("the store works");
    assert_eq!(counts.delivered, 3, "that they were delivered stays");
    // What is remembered of the other project stays; of this one it does not.
    for (project, knows) in [("9c1d", true), ("7f3a", false)] {
        let next = told(project, "{}");
        store.append(Arrival { lesson: lesson("1"), ..arrival(&next, &["a"]) }).await.expect("room");
        assert_eq!(stored(store, &next).await.hook.seen.is_some(), knows, "{project}");
    }
}

pub(super) async fn somebody_is_blanked_wherever_they_occur(store: &impl Store) {
    let in_body = told("p", r#"{"author": {"name": "\u041e\u043b\u0435\u0433 Vetrov"}}"#);
    let in_headers = Hook { headers: vec![("x-user".to_owned(), "ОЛЕГ VETROV".to_owned())], ..told("p", "{}") };
    let (in_rest, of_others) = (told("p", r#"{"id": "1f0c"}"#), told("p", r#"{"name": "Олег Vetrova"}"#));
    for (hook, rest) in [(&in_body, ""), (&in_headers, ""), (&in_rest, "Олег Vetrov"), (&of_others, "")] {
        append(store, hook, &["a"]).await;
        deliver(store, rest).await;
    }
    let erased = erase(store, user("Олег vetrov"), false).await;
    assert_eq!((erased.hooks, erased.deliveries, erased.attempts), (3, 3, 3));
    for hook in [&in_body, &in_headers, &in_rest] {
        assert_blank(store, hook).await;
        assert_eq!(stored(store, hook).await.row.project.as_deref(), Some("p"));
    }
    assert_eq!(*stored(store, &of_others).await.hook, of_others);
    assert!(is_found(store, "vetrova").await && !is_found(store, "олег vetrov\"").await);
}

pub(super) async fn what_waits_is_left_unless_it_is_to_end(store: &impl Store) {
    let (waits, ended) = (told("p", r#"{"n": "olga"}"#), told("p", r#"{"n": "olga", "x": 1}"#));
    append(store, &ended, &["a"]).await;
    deliver(store, "olga").await;
    for _ in 0..3 {
        append(store, &Hook { id: uuid::Uuid::now_v7(), ..waits.clone() }, &["a", "b"]).await;
    }
    append(store, &waits, &["a"]).await;
    let erased = erase(store, user("olga"), false).await;
    assert_eq!((erased.hooks, erased.pending_left, &erased.ended[..]), (1, 7, &[][..]));
    let claimed = claim(store, "a", at(3)).await.expect("what waits is delivered");
    assert_eq!(claimed.hook.body, waits.body);
    end(store, &claimed, Ending::Delivered, at(3)).await;
    let erased = erase(store, user("olga"), true).await;
    assert_eq!((erased.hooks, erased.pending_left), (4, 0));
    assert_eq!(erased.ended, [("a".to_owned(), 3), ("b".to_owned(), 3)]);
    for destination in ["a", "b"] {
        assert_eq!(pending(store, destination).await, 0);
        assert!(claim(store, destination, at(5_000)).await.is_none(), "nothing comes back");
    }
    assert_blank(store, &waits).await;
    let delivery = &stored(store, &waits).await.deliveries[0];
    assert_eq!((delivery.state, delivery.reason.as_deref()), (State::Failed, Some("erased")));
    // The queues go on.
    append(store, &hook(10), &["a"]).await;
    assert!(claim(store, "a", at(5_000)).await.is_some());
}

pub(super) async fn what_is_handed_out_is_left(store: &impl Store) {
    let hook = told("p", r#"{"n": "olga"}"#);
    append(store, &hook, &["a", "b"]).await;
    let held = claim(store, "a", at(1)).await.expect("due");
    let erased = erase(store, user("olga"), true).await;
    assert_eq!((erased.hooks, erased.pending_left, pending(store, "b").await), (0, 2, 1));
    assert!(claim(store, "a", at(2)).await.is_none());
    end(store, &held, Ending::Delivered, at(3)).await;
    let erased = erase(store, user("olga"), true).await;
    assert_eq!((erased.hooks, erased.pending_left, pending(store, "b").await), (1, 0, 0));
    assert_blank(store, &hook).await;
}

pub(super) async fn what_waited_behind_goes_on(store: &impl Store) {
    let (first, second) = (told("p", r#"{"n": "olga"}"#), told("p", "{}"));
    for hook in [&first, &second] {
        let mut arrival = arrival(hook, &["a"]);
        arrival.plans[0].fate = Fate::Deliver { most_pending: 100, in_order: true };
        store.append(arrival).await.expect("room");
    }
    erase(store, user("olga"), true).await;
    assert_eq!(claim(store, "a", at(1_001)).await.expect("due").hook.id, second.id);
}

pub(super) async fn counting_changes_nothing(store: &impl Store) {
    let (waits, ended) = (told("p", r#"{"n": "olga"}"#), told("p", r#"{"n": "olga"}"#));
    append(store, &ended, &["a"]).await;
    deliver(store, "olga").await;
    append(store, &waits, &["a"]).await;
    let counted = order(store, user("olga"), true, true).await;
    assert_eq!((counted.hooks, counted.deliveries, counted.ended.len()), (2, 2, 1));
    assert_eq!(*stored(store, &ended).await.hook, ended);
    assert_eq!(claim(store, "a", at(3)).await.expect("it waits").hook.body, waits.body);
}

pub(super) async fn what_is_kept_late_of_what_was_erased_is_not(store: &impl Store) {
    let hook = told("p", r#"{"n": "olga"}"#);
    append(store, &hook, &["a"]).await;
    let slow = claim(store, "a", at(0)).await.expect("due");
    // Its lease ends, and somebody looks again.
    let again = claim(store, "a", at(100)).await.expect("due");
    store.release("a", &[again.delivery]).await.expect("the store works");
    erase(store, user("olga"), true).await;
    let outgoing =
        Arc::new(Outgoing { body: Bytes::from_static(b"olga"), headers: Vec::new(), forge: None, mapping: None });
    let kept = store.keep_outgoing(vec![(slow.delivery, outgoing)]).await;
    assert_eq!(kept, Ok(vec![slow.delivery]), "it is not sent");
    end(store, &slow, Ending::Delivered, at(101)).await;
    assert_blank(store, &hook).await;
}
