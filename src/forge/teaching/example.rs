//! Holds what a hook teaches against what an example of a forge file expects.

use super::super::{Forge, Header, Identity};
use super::{Lesson, Told};
use crate::mapping::HookFacts;
use crate::mapping::json::Document;
use serde_json::{Map, Value, json};

/// When every example came, so that what comes out of it never changes.
const RECEIVED_AT: &str = "2026-01-02T03:04:05Z";

/// Holds a lesson against `{users: […], projects: […], states: {kind: {id: …, state: {…}, …}}}`; parts that are not named may
/// be anything. Null: the hook tells nothing and names nobody.
pub(in crate::forge) fn check(
    forge: &Forge,
    identity: &Identity,
    body: &Document<'_>,
    headers: &[Header],
    expected: &Value,
) -> Result<(), String> {
    let Identity { event, instance, .. } = identity;
    let hook = HookFacts { id: "", received_at: RECEIVED_AT, event, instance: instance.as_deref() };
    let lesson = forge.lesson(hook, body.root(), headers).map_err(|failure| failure.to_string())?;
    let got = shown(&lesson);
    if is_told(&got, expected) { Ok(()) } else { Err(format!("teaches: expected {expected}, got {got}")) }
}

/// A lesson as examples write it.
fn shown(lesson: &Lesson) -> Value {
    if lesson.is_empty() {
        return Value::Null;
    }
    let mut all = Map::new();
    for row in &lesson.rows {
        let columns = row.columns.iter().map(|(name, text)| (name.clone(), json!(text)));
        let row_shown: Map<String, Value> = std::iter::once(("id".to_owned(), json!(row.id))).chain(columns).collect();
        if let Value::Array(rows) = all.entry(row.table).or_insert_with(|| json!([])) {
            rows.push(row_shown.into());
        }
    }
    if let Some(Told { kind, id, state, first, since, version, .. }) = &lesson.object {
        let since: Map<String, Value> = since.iter().map(|(name, is_so)| (name.clone(), json!(is_so))).collect();
        let object = json!({"id": id, "state": state, "first": first, "since": since, "version": version});
        all.insert("states".to_owned(), json!({kind: object}));
    }
    all.into()
}

fn is_told(got: &Value, expected: &Value) -> bool {
    let Value::Object(parts) = expected else { return got == expected };
    parts.iter().all(|(part, own)| match own {
        Value::Object(kinds) => kinds.iter().all(|(kind, object)| has_members(member(member(got, part), kind), object)),
        rows => member(got, part) == rows,
    })
}

fn has_members(got: &Value, expected: &Value) -> bool {
    let Value::Object(members) = expected else { return got == expected };
    members.iter().all(|(name, own)| member(got, name) == own)
}

fn member<'v>(value: &'v Value, name: &str) -> &'v Value {
    value.get(name).unwrap_or(&Value::Null)
}
