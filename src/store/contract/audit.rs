//! Who did what, and when.

use super::super::{AuditEntry, AuditFilter, Deed, Look, Page, Retention, Store};
use super::{FOREVER, at};
use serde_json::{Map, json};
use std::time::Duration;

fn entry(seconds: i64, who: &str, what: Deed) -> AuditEntry {
    let about = Map::from_iter([("n".to_owned(), json!(seconds))]);
    AuditEntry { at: at(seconds), who: who.to_owned(), what, about }
}

async fn read(store: &impl Store, filter: AuditFilter, before: Option<i64>, limit: usize) -> Page<AuditEntry> {
    let look = Look { before, limit, time: Duration::from_secs(10) };
    store.audit(filter, look).await.expect("the store works")
}

pub(super) async fn who_did_what_is_told_the_newest_first(store: &impl Store) {
    let all = [
        entry(0, "start", Deed::ConfigLoaded),
        entry(1, "on-call", Deed::Resend),
        entry(2, "on-call", Deed::Erase),
        entry(3, "admin", Deed::Resend),
        entry(3, "on-call", Deed::Resend),
    ];
    for entry in &all {
        store.note(entry.clone()).await.expect("the store works");
    }
    let whole = read(store, AuditFilter::default(), None, 10).await;
    assert_eq!(whole.items, all.iter().rev().cloned().collect::<Vec<_>>());
    let resends = AuditFilter { who: Some("on-call".to_owned()), what: Some(Deed::Resend) };
    let first = read(store, resends.clone(), None, 1).await;
    assert_eq!(first.items, [all[4].clone()]);
    let second = read(store, resends.clone(), first.next, 1).await;
    assert_eq!(second.items, [all[1].clone()]);
    let after = read(store, resends, second.next, 1).await;
    assert_eq!((after.items, after.next), (Vec::new(), None));
}

pub(super) async fn what_is_too_old_is_forgotten(store: &impl Store) {
    for number in 0..500 {
        store.note(entry(number, "admin", Deed::Capture)).await.expect("the store works");
    }
    let keep = Retention { audit: Duration::from_secs(100), ..FOREVER };
    let mut steps = 1;
    while store.prune(keep, at(550)).await.expect("the store works").is_more {
        steps += 1;
    }
    let left = read(store, AuditFilter::default(), None, 1_000).await.items;
    assert_eq!((left.len(), left[49].at), (50, at(450)));
    assert!(steps > 2, "in small steps: {steps}");
}
