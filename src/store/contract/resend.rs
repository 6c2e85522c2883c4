//! What people send again.

use super::super::{Again, Content, Ending, Fate, MadeBy, Outgoing, Plan, Resent, State, Store, Then};
use super::{PARK, append, arrival, at, attempt, claim, end, hook, pending, record};
use crate::store::Same;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

fn translated(body: &'static str) -> Arc<Outgoing> {
    let mapping = Some(MadeBy { name: "own".to_owned(), sha256: "00".to_owned() });
    Arc::new(Outgoing { body: Bytes::from(body), headers: Vec::new(), forge: Some("gitlab".to_owned()), mapping })
}

fn as_sent(of: Uuid) -> Again {
    Again { of, content: Content::AsSent, unless_resent: false, most_pending: 10, in_order: false, now: at(100) }
}

fn anew(of: Uuid, body: &'static str) -> Again {
    Again { content: Content::Anew { outgoing: translated(body), has_new_key: true }, ..as_sent(of) }
}

async fn queued(store: &impl Store, again: Again) -> Uuid {
    match store.resend(again).await.expect("the store works") {
        Resent::Queued(id) => id,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn what_has_ended_is_sent_again_as_it_was(store: &impl Store) {
    append(store, &hook(10), &["a"]).await;
    let first = claim(store, "a", at(1)).await.expect("due");
    store.keep_outgoing(vec![(first.delivery, translated("{1}"))]).await.expect("the store works");
    end(store, &first, Ending::Failed("given up".to_owned()), at(2)).await;
    let id = queued(store, as_sent(first.id)).await;
    assert_eq!(pending(store, "a").await, 1);
    let second = claim(store, "a", at(101)).await.expect("due");
    assert_eq!((second.id, second.key(), second.attempts), (id, first.key(), 0));
    assert_eq!(second.outgoing.as_ref().map(|own| &own.body[..]), Some(&b"{1}"[..]));
    end(store, &second, Ending::Delivered, at(102)).await;
    let old = store.delivery(first.id).await.expect("the store works").expect("it is there").row;
    assert_eq!((old.state, old.resent_as), (State::Failed, Some(id)));
    let new = store.delivery(id).await.expect("the store works").expect("it is there").row;
    assert_eq!((new.state, new.resend_of), (State::Delivered, Some(first.id)));
    let once = Again { unless_resent: true, ..as_sent(first.id) };
    assert!(matches!(store.resend(once).await, Ok(Resent::Refused(_))), "it was sent again already");
    // Once more, and the key is still that of the first.
    let third = queued(store, as_sent(id)).await;
    let third = (third, claim(store, "a", at(103)).await.expect("due"));
    assert_eq!((third.1.id, third.1.key()), (third.0, first.key()));
}

pub(super) async fn what_is_made_anew_has_its_own_key(store: &impl Store) {
    append(store, &hook(10), &["a"]).await;
    let first = claim(store, "a", at(1)).await.expect("due");
    store.keep_outgoing(vec![(first.delivery, translated("{1}"))]).await.expect("the store works");
    end(store, &first, Ending::Failed("given up".to_owned()), at(2)).await;
    let id = queued(store, anew(first.id, "{2}")).await;
    let second = claim(store, "a", at(101)).await.expect("due");
    assert_eq!((second.id, second.key()), (id, id.to_string()));
    assert_eq!(second.outgoing.as_ref().map(|own| &own.body[..]), Some(&b"{2}"[..]));
    let same =
        Again { content: Content::Anew { outgoing: translated("{1}"), has_new_key: false }, ..as_sent(first.id) };
    queued(store, same).await;
    assert_eq!(claim(store, "a", at(102)).await.expect("due").key(), first.key());
}

pub(super) async fn what_waits_is_due_at_once(store: &impl Store) {
    append(store, &hook(10), &["a"]).await;
    let first = claim(store, "a", at(1)).await.expect("due");
    store.keep_outgoing(vec![(first.delivery, translated("{1}"))]).await.expect("the store works");
    let under_way = store.resend(as_sent(first.id)).await.expect("the store works");
    assert!(matches!(under_way, Resent::Refused(_)), "{under_way:?}");
    record(store, &first, Some(attempt()), Then::Again { due: at(9_000), park_after: PARK }, at(2)).await;
    assert!(claim(store, "a", at(100)).await.is_none());
    assert_eq!(store.resend(as_sent(first.id)).await, Ok(Resent::Hurried(first.id)));
    let second = claim(store, "a", at(100)).await.expect("due");
    assert_eq!((second.id, second.attempts, second.key()), (first.id, 1, first.key()));
    record(store, &second, Some(attempt()), Then::Again { due: at(9_000), park_after: PARK }, at(101)).await;
    // The tool has seen the old body under the old key.
    assert_eq!(store.resend(anew(first.id, "{2}")).await, Ok(Resent::Hurried(first.id)));
    let third = claim(store, "a", at(101)).await.expect("due");
    assert_eq!(third.outgoing.as_ref().map(|own| &own.body[..]), Some(&b"{2}"[..]));
    assert!(third.id == first.id && third.key() != first.key(), "{}", third.key());
    assert_eq!(pending(store, "a").await, 1);
}

pub(super) async fn a_full_queue_takes_nothing_again(store: &impl Store) {
    for _ in 0..2 {
        append(store, &hook(10), &["a"]).await;
    }
    let first = claim(store, "a", at(1)).await.expect("due");
    end(store, &first, Ending::Failed("given up".to_owned()), at(2)).await;
    let again = Again { most_pending: 1, ..as_sent(first.id) };
    assert_eq!(store.resend(again.clone()).await, Ok(Resent::QueueFull));
    let second = claim(store, "a", at(3)).await.expect("due");
    end(store, &second, Ending::Delivered, at(4)).await;
    queued(store, again).await;
    assert!(matches!(store.resend(as_sent(Uuid::now_v7())).await, Ok(Resent::Refused(_))));
}

pub(super) async fn what_is_sent_again_keeps_the_order_of_its_project(store: &impl Store) {
    append(store, &hook(10), &["a"]).await;
    let first = claim(store, "a", at(1)).await.expect("due");
    end(store, &first, Ending::Failed("given up".to_owned()), at(2)).await;
    let again = Again { in_order: true, ..as_sent(first.id) };
    let (one, two) = (queued(store, again.clone()).await, queued(store, again).await);
    let claimed = claim(store, "a", at(101)).await.expect("due");
    assert_eq!(claimed.id, one);
    assert!(claim(store, "a", at(101)).await.is_none(), "it waits for the one before it");
    assert!(matches!(store.resend(as_sent(two)).await, Ok(Resent::Refused(_))), "and is not hurried past it");
    end(store, &claimed, Ending::Delivered, at(102)).await;
    assert_eq!(claim(store, "a", at(102)).await.expect("due").id, two);
}

pub(super) async fn a_duplicate_can_be_forced(store: &impl Store) {
    let same = Some(Same { key: "one".to_owned(), window: Duration::from_mins(1) });
    let (before, after) = (hook(10), hook(10));
    for own in [&before, &after] {
        let arrival = super::Arrival { same: same.clone(), ..arrival(own, &["a"]) };
        store.append(arrival).await.expect("room");
    }
    let plan =
        |name: &str| Plan { destination: name.to_owned(), fate: Fate::Deliver { most_pending: 10, in_order: false } };
    let deliver = || store.deliver(after.id, vec![plan("a")], at(100));
    let resent = deliver().await.expect("the store works");
    assert!(matches!(resent[..], [Resent::Queued(_)]), "{resent:?}");
    let claimed = [claim(store, "a", at(101)).await, claim(store, "a", at(101)).await].map(|own| own.expect("due"));
    assert_eq!(claimed.map(|own| own.hook.id), [before.id, after.id]);
    let again = deliver().await.expect("the store works");
    assert!(matches!(again[..], [Resent::Refused(_)]), "{again:?}");
    let unknown = store.deliver(Uuid::now_v7(), vec![plan("a")], at(100)).await.expect("the store works");
    assert!(matches!(unknown[..], [Resent::Refused(_)]), "{unknown:?}");
}
