//! What a store says of the past.

use super::super::{Ending, Exchange, Filter, Look, Outgoing, State, Store, Then};
use super::{PARK, append, at, attempt, claim, end, hook, record};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const ALL: Look = Look { before: None, limit: 1_000_000, time: Duration::from_mins(10) };

pub(super) async fn what_was_sent_and_answered_is_shown(store: &impl Store) {
    let hook = hook(10);
    append(store, &hook, &["a", "b"]).await;
    let claimed = claim(store, "a", at(1)).await.expect("due");
    let outgoing = Outgoing { body: Bytes::from_static(b"{}"), headers: Vec::new(), forge: None, mapping: None };
    store.keep_outgoing(vec![(claimed.delivery, Arc::new(outgoing))]).await.expect("the store works");
    let mut exchange = Exchange { response_body: Bytes::from_static(b"no \xff"), ..Exchange::default() };
    exchange.request_headers = vec![("X-Team".to_owned(), "ж".to_owned())];
    exchange.response_headers = vec![("Date".to_owned(), "today".to_owned())];
    exchange.response_is_cut = true;
    let first = super::Attempt { exchange: Arc::new(exchange), ..attempt() };
    record(store, &claimed, Some(first.clone()), Then::Again { due: at(60), park_after: PARK }, at(2)).await;
    let waiting = store.delivery(claimed.id).await.expect("the store works").expect("it is there");
    assert_eq!((waiting.row.state, waiting.row.due), (State::Pending, Some(at(60))));
    let claimed = claim(store, "a", at(60)).await.expect("due");
    end(store, &claimed, Ending::Failed("given up".to_owned()), at(61)).await;
    let ended = store.delivery(claimed.id).await.expect("the store works").expect("it is there");
    assert_eq!((ended.row.state, ended.row.attempts, ended.row.ended_at), (State::Failed, 2, Some(at(61))));
    assert_eq!(ended.row.reason.as_deref(), Some("given up"));
    assert_eq!(ended.row.key, claimed.key());
    assert_eq!(ended.attempts, [first, attempt()]);
    assert_eq!((&*ended.hook, ended.outgoing.map(|own| own.body.len())), (&hook, Some(10)), "passed through");
    let whole = store.hook(hook.id).await.expect("the store works").expect("it is there");
    let states: Vec<_> = whole.deliveries.iter().map(|own| (own.destination.as_str(), own.state)).collect();
    assert_eq!(states, [("a", State::Failed), ("b", State::Pending)]);
    assert_eq!((whole.row.size, whole.row.id), (10, hook.id));
    assert!(store.hook(Uuid::now_v7()).await.expect("the store works").is_none());
    assert!(store.delivery(hook.id).await.expect("the store works").is_none());
}

pub(super) async fn of_many_probes_the_latest_are_kept(store: &impl Store) {
    append(store, &hook(10), &["a"]).await;
    let mut id = None;
    for second in 1..60 {
        let claimed = claim(store, "a", at(second)).await.expect("due");
        let probe = super::Attempt { is_probe: second > 1, at: at(second), ..attempt() };
        record(store, &claimed, Some(probe), Then::Again { due: at(second), park_after: PARK }, at(second)).await;
        id = Some(claimed.id);
    }
    let shown = store.delivery(id.expect("one")).await.expect("the store works").expect("it is there");
    assert_eq!((shown.row.attempts, shown.row.probes), (1, 58));
    let kept: Vec<_> = shown.attempts.iter().map(|own| own.at).collect();
    let expected: Vec<_> = std::iter::once(1).chain(40..60).map(at).collect();
    assert_eq!(kept, expected);
}

pub(super) async fn pages_are_stable_while_more_comes(store: &impl Store) {
    let mut ids = Vec::new();
    for _ in 0..25 {
        let own = hook(10);
        append(store, &own, &["a"]).await;
        ids.push(own.id);
    }
    ids.reverse();
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let look = Look { before, limit: 10, ..ALL };
        let page = store.deliveries(Filter::default(), look).await.expect("the store works");
        assert!(page.items.len() <= 10);
        found.extend(page.items.iter().map(|own| own.hook.id));
        // What comes meanwhile is newer than all that follows.
        append(store, &hook(10), &["a"]).await;
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(found, ids);
    let none = Look { time: Duration::ZERO, ..ALL };
    let page = store.hooks(Filter { text: Some("nowhere".to_owned()), ..Filter::default() }, none).await;
    let page = page.expect("the store works");
    assert!(page.items.is_empty(), "it says where to go on when its time is over: {:?}", page.next);
}

pub(super) async fn filters_narrow_what_is_found(store: &impl Store) {
    let mut one = hook(0);
    one.body = Bytes::from(r#"{"title": "Отчёт о \u0412\u0415ТРЕ"}"#);
    one.headers = vec![("x-own".to_owned(), "a secret of somebody".to_owned())];
    (one.event, one.instance, one.project) = ("ISSUE_CREATE".to_owned(), Some("git.example.org".to_owned()), None);
    let other = hook(10);
    append(store, &one, &["a", "b"]).await;
    append(store, &other, &["b"]).await;
    let claimed = claim(store, "a", at(1)).await.expect("due");
    end(store, &claimed, Ending::Failed("given up: Connection refused".to_owned()), at(2)).await;
    let text = |text: &str| Some(text.to_owned());
    let cases = [
        (Filter::default(), 3, 2),
        (Filter { destination: text("b"), ..Filter::default() }, 2, 2),
        (Filter { destination: text("a"), ..Filter::default() }, 1, 1),
        (Filter { state: Some(State::Failed), ..Filter::default() }, 1, 1),
        (Filter { state: Some(State::Pending), destination: text("a"), ..Filter::default() }, 0, 0),
        (Filter { event: text("ISSUE_CREATE"), ..Filter::default() }, 2, 1),
        (Filter { instance: text("git.example.org"), forge: text("gitflic"), ..Filter::default() }, 2, 1),
        (Filter { route: text("/other"), ..Filter::default() }, 0, 0),
        (Filter { project: other.project.clone(), ..Filter::default() }, 1, 1),
        (Filter { since: Some(at(1)), ..Filter::default() }, 0, 0),
        (Filter { since: Some(at(0)), until: Some(at(1)), ..Filter::default() }, 3, 2),
        (Filter { text: text("отчёт о ветре"), ..Filter::default() }, 2, 1),
        (Filter { text: text("connection REFUSED"), ..Filter::default() }, 1, 1),
        (Filter { text: text("secret of somebody"), ..Filter::default() }, 0, 0),
        (Filter { is_resent: Some(true), ..Filter::default() }, 0, 0),
    ];
    for (filter, deliveries, hooks) in cases {
        let found = store.deliveries(filter.clone(), ALL).await.expect("the store works");
        assert_eq!((found.items.len(), found.next), (deliveries, None), "{filter:?}");
        let found = store.hooks(filter.clone(), ALL).await.expect("the store works");
        assert_eq!((found.items.len(), found.next), (hooks, None), "{filter:?}");
        let counts = store.count(filter.clone(), ALL).await.expect("the store works");
        let all = counts.pending + counts.delivered + counts.ignored + counts.failed;
        assert_eq!((all, counts.next), (deliveries as u64, None), "{filter:?}");
    }
}
