//! A hook as it goes into the store.

use super::plan::{Destined, Planned};
use super::{Received, Route};
use crate::config::Duplicates;
use crate::forge::{self, Forges};
use crate::rules::Rules;
use crate::store::{Arrival, Fate, Hook, Lesson, Plan, RowTold, Same, Told};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use uuid::Uuid;

/// What a hook is marked with as it comes in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp {
    pub(super) id: Uuid,
    pub(super) received_at: Timestamp,
}

impl Stamp {
    pub(super) fn now() -> Self {
        Self { id: Uuid::now_v7(), received_at: Timestamp::now() }
    }
}

/// The hook that was received, without what proved it; one that is not recognised has no forge and no event.
pub(super) fn hook(
    rules: &Rules,
    route: &Route,
    stamp: Stamp,
    mut received: Received,
    planned: Option<&Planned>,
) -> Hook {
    received.headers.retain(|(name, _)| !is_proof(&rules.forges, name));
    let identity = planned.map(|planned| planned.identity.clone());
    let (forge, hops) = planned.map_or(("", 0), |planned| (planned.forge.name(), planned.hops));
    Hook {
        id: stamp.id,
        route: route.path.clone(),
        forge: forge.to_owned(),
        event: identity.as_ref().map(|identity| identity.event.clone()).unwrap_or_default(),
        project: identity.as_ref().and_then(|identity| identity.project.clone()),
        instance: identity.as_ref().and_then(|identity| identity.instance.clone()),
        delivery_key: identity.and_then(|identity| identity.delivery_key),
        hops,
        received_at: stamp.received_at,
        headers: received.headers,
        body: Bytes::from(received.body),
        seen: None,
        known: None,
    }
}

/// Whether a header proves who is calling, so that it is not kept.
fn is_proof(forges: &Forges, header: &str) -> bool {
    header == "authorization"
        || header == "cookie"
        || forges.iter().any(|forge| forge.proving_headers().any(|own| own == header))
}

/// What is planned for each destination.
pub(super) fn plans(destinations: &[Destined]) -> Vec<Plan> {
    let fate = |(to, refusal): &Destined| match refusal {
        Some(refusal) => Fate::Ignore(refusal.text.clone()),
        None => Fate::Deliver { most_pending: to.queueing.most_pending, in_order: to.queueing.in_order },
    };
    destinations.iter().map(|own| Plan { destination: own.0.name.clone(), fate: fate(own) }).collect()
}

/// A hook with what is planned for it.
pub(super) fn arrival(
    hook: Hook,
    route: &Route,
    plans: Vec<Plan>,
    lesson: Option<forge::Lesson>,
    now: Timestamp,
) -> Arrival {
    let same = key(&hook, route.duplicates).map(|key| Same { key, window: route.duplicate_window });
    let lesson = lesson.map(|lesson| taught(lesson, &hook));
    Arrival { hook: Arc::new(hook), plans, ignored: None, same, lesson, records: route.records, now }
}

/// What a hook teaches, as the store takes it.
fn taught(lesson: forge::Lesson, hook: &Hook) -> Lesson {
    let object = lesson.object.map(|told| {
        let forge::Told { kind, id, state, first, since, lasting, version, users, unkept } = told;
        let at = whole_seconds(hook.received_at).to_string();
        Told { kind, id, state, first, since, lasting, version, users, unkept, at }
    });
    let row = |row: forge::RowTold| RowTold { table: row.table.to_owned(), id: row.id, columns: row.columns };
    Lesson { object, rows: lesson.rows.into_iter().map(row).collect() }
}

/// A time as forges write it.
pub(super) fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// A hook that no destination was asked about.
pub(super) fn ignored(hook: Hook, reason: &str, now: Timestamp) -> Arrival {
    let (plans, ignored) = (Vec::new(), Some(reason.to_owned()));
    Arrival { hook: Arc::new(hook), plans, ignored, same: None, lesson: None, records: false, now }
}

/// By what a hook is the same as another: the key that the forge gave it, or, where that is asked for, what it says.
fn key(hook: &Hook, duplicates: Duplicates) -> Option<String> {
    let of_forge = || hook.delivery_key.as_ref().map(|key| format!("key {key}"));
    let of_body = || {
        let mut hash = Sha256::new();
        hash.update(hook.event.as_bytes());
        hash.update([0]);
        hash.update(&hook.body);
        Some(format!("body {}", STANDARD.encode(hash.finalize())))
    };
    match duplicates {
        Duplicates::Key => of_forge(),
        Duplicates::Body => of_body(),
        Duplicates::None => None,
    }
}
