//! What hooks teach, and what is remembered of it.

use super::super::numbers::{Named, Reserved, Wanted};
use super::super::recall::{KnownFilter, Listed, Part, StateFilter};
use super::super::{Appended, Arrival, Hook, Lesson, Retention, RowTold, Same, Store, Told};
use super::{FOREVER, LEASE, arrival, at, claim, hook};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

const OLGA: &str = "1f0c6a2e";
const OLEG: &str = "7c41b2d8";

/// Appends a hook that tells of an issue.
async fn teach(store: &impl Store, (route, project, id): (&str, &str, &str), told: Value, now: Timestamp) -> Appended {
    let hook = Hook { route: route.to_owned(), project: Some(project.to_owned()), ..hook(10) };
    let same = Some(Same { key: format!("{project} {id} {told}"), window: LEASE });
    let state = told.as_object().expect("an object").clone();
    let told = Told { kind: "issue".to_owned(), id: id.to_owned(), state, ..Told::default() };
    let lesson = Some(Lesson { object: Some(told), rows: Vec::new() });
    store.append(Arrival { same, lesson, now, ..arrival(&hook, &["a"]) }).await.expect("room")
}

/// What the next hooks that are handed out have seen.
async fn seen(store: &impl Store, count: usize, now: Timestamp) -> Vec<Option<Value>> {
    let mut all = Vec::new();
    for _ in 0..count {
        let claimed = claim(store, "a", now).await.expect("due");
        all.push(claimed.hook.seen.as_ref().map(|seen| serde_json::from_str(seen).expect("JSON")));
    }
    all
}

pub(super) async fn a_hook_teaches_once_and_in_order_of_arrival(store: &impl Store) {
    let lamp = ("/", "ledger", "1");
    teach(store, lamp, json!({"title": "Lamp", "status": "OPEN"}), at(0)).await;
    teach(store, lamp, json!({"title": "New lamp"}), at(0)).await;
    teach(store, lamp, json!({}), at(0)).await;
    let repeated = teach(store, lamp, json!({"title": "New lamp"}), at(0)).await;
    assert!(matches!(repeated, Appended::Duplicate { .. }), "{repeated:?}");
    teach(store, lamp, json!({"title": "Newest lamp"}), at(0)).await;
    // Another issue, another project, another route: nothing is known there.
    for other in [("/", "ledger", "2"), ("/", "quay", "1"), ("/other", "ledger", "1")] {
        teach(store, other, json!({"title": "Rope"}), at(0)).await;
    }
    let known = vec![
        None,
        Some(json!({"title": "Lamp", "status": "OPEN"})),
        Some(json!({"title": "New lamp", "status": "OPEN"})),
        Some(json!({"title": "New lamp", "status": "OPEN"})),
        None,
        None,
        None,
    ];
    assert_eq!(seen(store, 7, at(1)).await, known);
    // Handed out again, each has seen what it saw when it came.
    assert_eq!(seen(store, 7, at(100)).await, known);
}

pub(super) async fn what_no_hook_tells_of_any_more_is_forgotten(store: &impl Store) {
    let hour = Retention { states: Duration::from_hours(1), ..FOREVER };
    let (old, new) = (("/", "ledger", "1"), ("/", "ledger", "2"));
    teach(store, old, json!({"title": "Lamp"}), at(0)).await;
    teach(store, new, json!({"title": "Rope"}), at(3_000)).await;
    store.prune(hour, at(3_700)).await.expect("the store works");
    for object in [old, new] {
        teach(store, object, json!({}), at(3_700)).await;
    }
    assert_eq!(seen(store, 4, at(3_701)).await, [None, None, None, Some(json!({"title": "Rope"}))]);
}

fn row(table: &str, id: &str, columns: &[(&str, &str)]) -> RowTold {
    let columns = columns.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    RowTold { table: table.to_owned(), id: id.to_owned(), columns }
}

/// Appends a hook of an instance that names people and projects; gives what was known of them then.
async fn name(store: &impl Store, (route, instance): (&str, &str), lesson: Lesson) -> Value {
    let hook = Hook { route: route.to_owned(), instance: Some(instance.to_owned()), ..hook(10) };
    store.append(Arrival { lesson: Some(lesson), ..arrival(&hook, &["a"]) }).await.expect("room");
    let stored = store.hook(hook.id).await.expect("the store works").expect("it is stored");
    let known = stored.hook.known.as_ref().map_or(Value::Null, |known| serde_json::from_str(known).expect("JSON"));
    let handed_out = claim(store, "a", at(0)).await.expect("due");
    assert_eq!(handed_out.hook, stored.hook, "it is handed out as it is stored");
    known
}

fn of(rows: &[RowTold]) -> Lesson {
    Lesson { object: None, rows: rows.to_vec() }
}

pub(super) async fn people_are_known_on_every_route_of_their_instance(store: &impl Store) {
    let here = ("/", "git.example.org");
    let nobody = name(store, here, of(&[row("users", OLGA, &[])])).await;
    assert_eq!(nobody, Value::Null, "an id alone teaches nothing");
    let told = name(store, here, of(&[row("users", OLGA, &[("username", "o.sedova")])])).await;
    assert_eq!(told, json!({"users": {OLGA: {"username": "o.sedova"}}}), "what the hook itself tells counts");
    let both =
        [row("users", OLGA, &[("name", "Olga")]), row("users", OLEG, &[]), row("projects", OLGA, &[("avatar", "x")])];
    let told = name(store, ("/other", here.1), of(&both)).await;
    let olga = json!({"name": "Olga", "username": "o.sedova"});
    assert_eq!(told, json!({"users": {OLGA: olga}, "projects": {OLGA: {"avatar": "x"}}}), "column by column");
    let told = name(store, here, of(&[row("users", OLGA, &[("username", "o.vetrova")])])).await;
    assert_eq!(told["users"][OLGA], json!({"name": "Olga", "username": "o.vetrova"}), "the newest counts");
    let elsewhere = name(store, ("/", "lab.example.org"), of(&[row("users", OLGA, &[])])).await;
    assert_eq!(elsewhere, Value::Null, "an id means somebody else elsewhere");
}

pub(super) async fn the_same_one_is_known_by_the_id_and_by_its_number(store: &impl Store) {
    let (flic, lab) = (("/", "git.example.org"), ("/", "lab.example.org"));
    let named = Named { kind: "user".to_owned(), text: OLGA.to_owned() };
    let wanted = Wanted { named, first: 937, instance: Some(flic.1.to_owned()) };
    store.number(vec![wanted], at(0)).await.expect("there are some");
    let reserved =
        Reserved { kind: "user".to_owned(), text: OLEG.to_owned(), number: 412, instance: Some(lab.1.to_owned()) };
    store.reserve(vec![reserved], at(0)).await.expect("there are some");
    // A number that was made comes back in a hook of the other format from the same instance.
    name(store, flic, of(&[row("users", OLGA, &[("username", "o.sedova")])])).await;
    let back = name(store, flic, of(&[row("users", "937", &[])])).await;
    assert_eq!(back, json!({"users": {"937": {"username": "o.sedova"}}}));
    assert_eq!(name(store, lab, of(&[row("users", "937", &[])])).await, Value::Null, "there it is somebody else");
    // What the one installation told by its number is known of the id in the other, and the other way round.
    name(store, lab, of(&[row("users", "412", &[("name", "Oleg"), ("username", "oleg")])])).await;
    let told = name(store, flic, of(&[row("users", OLEG, &[("username", "o.kranov")])])).await;
    assert_eq!(told, json!({"users": {OLEG: {"name": "Oleg", "username": "o.kranov"}}}), "its own goes before");
    let told = name(store, lab, of(&[row("users", "412", &[("avatar", "x")])])).await;
    assert_eq!(told["users"]["412"], json!({"avatar": "x", "name": "Oleg", "username": "oleg"}));
}

fn object(version: Option<i64>, state: Value) -> Told {
    let Value::Object(state) = state else { panic!("an object") };
    let users = vec!["author".to_owned()];
    Told { kind: "issue".to_owned(), id: "1".to_owned(), state, version, users, ..Told::default() }
}

pub(super) async fn an_older_hook_teaches_nothing(store: &impl Store) {
    let here = ("/", "lab.example.org");
    let lesson = |version, title: &str| Lesson {
        object: Some(object(Some(version), json!({"title": title}))),
        rows: vec![row("users", OLGA, &[("name", title)])],
    };
    name(store, here, lesson(20, "new")).await;
    let late = name(store, here, lesson(10, "old")).await;
    assert_eq!(late["users"][OLGA]["name"], "new", "not of people either");
    let next = name(store, here, lesson(20, "as new")).await;
    assert_eq!(next["users"][OLGA]["name"], "as new");
    let states = store.states(StateFilter::default(), all()).await.expect("the store works");
    assert_eq!(states.items[0].state["title"], "as new");
    let seen: Vec<Value> = {
        let all = store.hooks(super::super::Filter::default(), look()).await.expect("the store works");
        let mut seen = Vec::new();
        for found in &all.items {
            let hook = store.hook(found.id).await.expect("the store works").expect("it is stored").hook;
            seen.push(hook.seen.as_ref().map_or(Value::Null, |seen| serde_json::from_str(seen).expect("JSON")));
        }
        seen
    };
    assert_eq!(seen, [json!({"title": "new"}), json!({"title": "new"}), Value::Null]);
}

fn look() -> super::super::Look {
    super::super::Look { before: None, limit: 100, time: Duration::from_secs(10) }
}

pub(super) async fn whom_an_object_names_is_asked_for(store: &impl Store) {
    let here = ("/", "git.example.org");
    name(store, here, of(&[row("users", OLGA, &[("username", "o.sedova")])])).await;
    let opened = Lesson { object: Some(object(None, json!({"author": OLGA}))), rows: Vec::new() };
    let known = json!({"users": {OLGA: {"username": "o.sedova"}}});
    assert_eq!(name(store, here, opened).await, known);
    let changed = Lesson { object: Some(object(None, json!({"title": "Lamp"}))), rows: Vec::new() };
    assert_eq!(name(store, here, changed).await, known, "also where the hook does not name them");
}

fn all() -> Part {
    Part { after: None, limit: 100 }
}

/// All that fits, in parts of two.
async fn in_parts(store: &impl Store, filter: KnownFilter) -> Vec<String> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let Listed { items, next } =
            store.known(filter.clone(), Part { after, limit: 2 }).await.expect("the store works");
        assert!(items.len() <= 2);
        ids.extend(items.into_iter().map(|row| format!("{} {}", row.instance, row.id)));
        if next.is_none() {
            return ids;
        }
        after = next;
    }
}

pub(super) async fn what_is_known_is_listed_in_parts_and_forgotten(store: &impl Store) {
    for (instance, id) in [("b", "1"), ("a", "3"), ("a", "1"), ("a", "2"), ("b", "9")] {
        name(store, ("/", instance), of(&[row("users", id, &[("name", &format!("Имя {id}"))])])).await;
    }
    name(store, ("/", "a"), of(&[row("projects", "1", &[("avatar", "x")])])).await;
    let users = KnownFilter { table: "users".to_owned(), ..KnownFilter::default() };
    assert_eq!(in_parts(store, users.clone()).await, ["a 1", "a 2", "a 3", "b 1", "b 9"]);
    let with = |text: &str| KnownFilter { text: Some(text.to_owned()), ..users.clone() };
    assert_eq!(in_parts(store, with("имя 2")).await, ["a 2"], "in capital letters or not");
    assert_eq!(in_parts(store, KnownFilter { instance: Some("b".to_owned()), ..users.clone() }).await, ["b 1", "b 9"]);
    let first = KnownFilter { id: Some("1".to_owned()), ..users.clone() };
    let found = store.known(first.clone(), all()).await.expect("the store works").items;
    let (name_of, text, origin) = &found[0].columns[0];
    assert_eq!((&**name_of, &**text), ("name", "Имя 1"));
    let hooks = store.hooks(super::super::Filter::default(), look()).await.expect("the store works").items;
    let origin = origin.as_ref().expect("a hook told it");
    assert!(hooks.iter().any(|hook| hook.id == origin.hook && hook.event == origin.event));
    assert_eq!(store.forget_known(first.clone()).await, Ok(2));
    assert_eq!(store.forget_known(first).await, Ok(0));
    assert_eq!(in_parts(store, users).await, ["a 2", "a 3", "b 9"]);
    let projects = KnownFilter { table: "projects".to_owned(), ..KnownFilter::default() };
    assert_eq!(in_parts(store, projects).await, ["a 1"], "a project of the same number stays");
}

pub(super) async fn states_are_listed_and_forgotten(store: &impl Store) {
    for (place, title) in
        [(("/", "ledger", "1"), "Lamp"), (("/", "quay", "1"), "Rope"), (("/other", "ledger", "2"), "Sail")]
    {
        teach(store, place, json!({"title": title, "labels": ["Ночь"]}), at(0)).await;
    }
    teach(store, ("/", "ledger", "1"), json!({"title": "New lamp"}), at(60)).await;
    let found = |filter: StateFilter| async move {
        let found = store.states(filter, all()).await.expect("the store works").items;
        found
            .into_iter()
            .map(|row| format!("{} {} {}", row.route, row.project.project, row.state["title"]))
            .collect::<Vec<_>>()
    };
    let none = StateFilter::default;
    let texts = ["/ ledger \"New lamp\"", "/ quay \"Rope\"", "/other ledger \"Sail\""];
    assert_eq!(found(none()).await, texts);
    assert_eq!(found(StateFilter { project: Some("ledger".to_owned()), ..none() }).await, [texts[0], texts[2]]);
    assert_eq!(found(StateFilter { route: Some("/other".to_owned()), ..none() }).await, [texts[2]]);
    assert_eq!(found(StateFilter { text: Some("ночь".to_owned()), ..none() }).await, texts);
    assert_eq!(found(StateFilter { kind: Some("merge_request".to_owned()), ..none() }).await, [""; 0]);
    let lamp = store.states(none(), all()).await.expect("the store works").items.remove(0);
    assert_eq!((lamp.first_at, lamp.seen_at), (Some(at(0)), at(60)));
    let filter = StateFilter { route: Some("/".to_owned()), id: Some("1".to_owned()), ..none() };
    assert_eq!(store.forget_states(filter).await, Ok(2));
    assert_eq!(found(none()).await, [texts[2]]);
    teach(store, ("/", "ledger", "1"), json!({}), at(70)).await;
    assert_eq!(seen(store, 5, at(71)).await.last(), Some(&None), "it is as the first one");
}
